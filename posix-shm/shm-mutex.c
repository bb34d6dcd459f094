/*
 * shm-mutex - a mutex for processes, whose owner is killed inside
 *
 * usage: shm-mutex [--no-robust]
 *
 * 10 seats, free or taken, are counted in shared memory. Child 1 locks the
 * mutex, takes 1 from free, and is killed before it adds 1 to taken. The
 * mutex is robust: the next owner, Child 2, is told by EOWNERDEAD. Child 2
 * repairs the numbers, and the lock is as good as new.
 *
 * Watch   free + taken. The mutex knows that its owner has died. What was
 *         half done, only the program knows.
 * Try     shm-mutex --no-robust    nobody gets a dead owner's lock
 *         leave out pthread_mutex_consistent: what does Child 3 get?
 * Read    pthread_mutexattr_setrobust(3), pthread_mutex_consistent(3)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SEATS = 10 };

static const char usage[] =
    "usage: shm-mutex [--no-robust]\n"
    "  --no-robust  wrong: the mutex is lost with its owner";
static bool no_robust;

struct hall { /* all of it is shared */
    pthread_mutex_t lock;
    int free, taken; /* together SEATS, when nobody is inside */
};

/* pthread functions do not set errno: they return what it would be. */
static void check(int error, const char *call)
{
    errno = error;
    if (error)
        err(1, "%s", call);
}

static void init(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;

    check(pthread_mutexattr_init(&attr), "pthread_mutexattr_init");
    check(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED),
          "pthread_mutexattr_setpshared");
    if (!no_robust)
        check(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST),
              "pthread_mutexattr_setrobust");
    check(pthread_mutex_init(lock, &attr), "pthread_mutex_init");
}

static void say(int n, const char *what, const struct hall *hall)
{
    printf("Child %d %s: free %d + taken %d = %d\n", n, what, hall->free,
           hall->taken, hall->free + hall->taken);
}

static void child(int n, struct hall *hall)
{
    int error = pthread_mutex_lock(&hall->lock);

    if (error == EOWNERDEAD) {
        say(n, "gets EOWNERDEAD", hall);
        hall->free = SEATS - hall->taken;
        /* Without this, unlock makes the mutex useless for ever. */
        check(pthread_mutex_consistent(&hall->lock),
              "pthread_mutex_consistent");
        say(n, "has repaired it", hall);
    } else {
        check(error, "pthread_mutex_lock");
    }

    hall->free--;
    if (n == 1) {
        say(n, "is half done", hall);
        raise(SIGKILL);
    }
    hall->taken++;
    say(n, "takes a seat", hall);
    check(pthread_mutex_unlock(&hall->lock), "pthread_mutex_unlock");
}

int main(int argc, char *argv[])
{
    struct hall *hall;
    int status;

    no_robust = argc > 1 && strcmp(argv[1], "--no-robust") == 0;
    if (argc > 1 + no_robust)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    hall = mmap(NULL, sizeof *hall, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (hall == MAP_FAILED)
        err(1, "mmap");
    hall->free = SEATS;
    init(&hall->lock);

    for (int n = 1; n <= 3; n++) {
        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            alarm(no_robust ? 1 : 10); /* ends an endless wait */
            child(n, hall);
            exit(0);
        }
        if (wait(&status) == -1)
            err(1, "wait");
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
            errx(124, "stuck: Child %d waits for a mutex with a dead owner",
                 n);
        /* Killed inside: it has taken 1 from free. */
        if (n == 1 && WIFSIGNALED(status) && hall->free < SEATS)
            printf("Parent: Child 1 was killed inside\n");
        else if (status != 0)
            return 1;
    }
    return 0;
}
