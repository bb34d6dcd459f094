/*
 * shm-mutex - a mutex for processes, and its owner is killed inside
 *
 * usage: shm-mutex [--no-robust]
 *
 * 10 seats, free or taken, are counted in shared memory. Child 1 locks the
 * mutex, counts one seat less as free, and is killed before it counts one
 * more as taken. The mutex is robust: it tells Child 2, the next owner, with
 * EOWNERDEAD. Child 2 sees 9 seats, puts that right and goes on.
 *
 * Watch   free + taken: 9, as long as nobody has repaired it.
 * Try     shm-mutex --no-robust    nobody ever gets the dead owner's lock
 * Read    pthread_mutexattr_setrobust(3), pthread_mutex_consistent(3); POSIX,
 *         pthread_mutexattr_setpshared
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "shm-mutex needs Linux: robust mutexes, PR_SET_PDEATHSIG"
#endif
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: shm-mutex [--no-robust]\n"
    "  --no-robust  wrong: the mutex is lost with its owner\n";

enum { SEATS = 10 };

static struct hall *hall;
struct hall { /* all of it is shared */
    pthread_mutex_t lock;
    int free, taken; /* together SEATS, whenever the lock is free */
};

static bool robust = true;

/* pthread functions do not set errno, they return what it would be. */
static void check(int error, const char *call)
{
    errno = error;
    if (error)
        err(1, "%s", call);
}

/* Returns only as the owner of the lock, and of a hall that adds up. */
static void lock_hall(const char *who)
{
    struct timespec end;
    int error;

    if (robust) {
        error = pthread_mutex_lock(&hall->lock);
    } else {
        clock_gettime(CLOCK_REALTIME, &end);
        end.tv_sec++;
        error = pthread_mutex_timedlock(&hall->lock, &end);
    }
    if (error == ETIMEDOUT) {
        warnx("stuck: %s waits for the mutex, but its owner is dead", who);
        exit(124);
    }
    if (error == EOWNERDEAD) {
        printf("%s locks: EOWNERDEAD, free %d + taken %d = %d\n", who,
               hall->free, hall->taken, hall->free + hall->taken);
        hall->free = SEATS - hall->taken; /* undo what was half done */
        /* Without this the unlock would make it ENOTRECOVERABLE for all. */
        check(pthread_mutex_consistent(&hall->lock),
              "pthread_mutex_consistent");
        printf("%s repairs: free %d + taken %d = %d\n", who, hall->free,
               hall->taken, hall->free + hall->taken);
    } else {
        check(error, "pthread_mutex_lock");
    }
}

/* Takes a seat. With a pipe to tell, stops in the middle, for ever. */
static void take_seat(const char *who, int tell)
{
    lock_hall(who);
    hall->free--;
    if (tell != -1) {
        printf("%s is inside: one seat less is free\n", who);
        if (write(tell, "", 1) == -1)
            err(1, "write");
        while (true)
            pause();
    }
    hall->taken++;
    printf("%s takes a seat: free %d + taken %d = %d\n", who, hall->free,
           hall->taken, hall->free + hall->taken);
    check(pthread_mutex_unlock(&hall->lock), "pthread_mutex_unlock");
}

static pid_t start(const char *who, int tell, int unused)
{
    pid_t parent = getpid(), pid = fork();

    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* it ends with Parent */
        if (getppid() != parent)
            _exit(1);
        if (unused != -1)
            close(unused);
        take_seat(who, tell);
        if (ferror(stdout))
            errx(1, "not all could be written to stdout");
        exit(0);
    }
    return pid;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "no-robust", no_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    pthread_mutexattr_t attributes;
    int opt, status, inside[2];
    pid_t pid;
    char byte;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != 'n') {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
        robust = false;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    hall = mmap(NULL, sizeof *hall, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (hall == MAP_FAILED)
        err(1, "mmap");
    hall->free = SEATS;
    check(pthread_mutexattr_init(&attributes), "pthread_mutexattr_init");
    check(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED),
          "pthread_mutexattr_setpshared");
    if (robust)
        check(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST),
              "pthread_mutexattr_setrobust");
    check(pthread_mutex_init(&hall->lock, &attributes), "pthread_mutex_init");
    pthread_mutexattr_destroy(&attributes);

    if (pipe(inside) == -1)
        err(1, "pipe");
    pid = start("Child 1", inside[1], inside[0]);
    close(inside[1]); /* or a Child 1 that dies early were waited for */
    if (read(inside[0], &byte, 1) != 1)
        errx(1, "Child 1 has ended before it was inside");
    close(inside[0]);
    kill(pid, SIGKILL);
    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    printf("Parent has killed Child 1\n");

    pid = start("Child 2", -1, -1);
    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    if (WIFSIGNALED(status))
        errx(1, "Child 2 was killed: %s", strsignal(WTERMSIG(status)));
    if (WEXITSTATUS(status) != 0)
        return WEXITSTATUS(status); /* Child 2 has said why */
    take_seat("Parent", -1);
    pthread_mutex_destroy(&hall->lock);
    munmap(hall, sizeof *hall);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
