/*
 * sem-try - wait for a semaphore, but not for ever
 *
 * usage: sem-try
 *
 * Parent holds a lock, a semaphore that started at 1. Child asks for it:
 * without waiting, and for 100 ms. Then it posts what it does not hold, and
 * nobody objects. The second lock was made wrong, it starts at 0: nobody
 * can ever take it, and a timed wait is how to find out.
 *
 * Watch   the values: with one post too many the lock lets two in.
 * Try     let the wrong lock start at 1: what does Parent hear?
 * Read    sem_wait(3), sem_getvalue(3), sem_post(3); TLPI, 53.3
 */
#ifdef __APPLE__
#error "sem-try: macOS has no unnamed semaphores (sem_init)"
#endif
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] = "usage: sem-try\n";

static int value_of(sem_t *sem)
{
    int value;

    if (sem_getvalue(sem, &value) == -1)
        err(1, "sem_getvalue");
    return value;
}

/* Waits 100 ms at most. A signal only interrupts, and we wait on. */
static int timed_wait(sem_t *sem)
{
    struct timespec until;
    int result;

    /*
     * Not how long, but until when, by the clock on the wall: if somebody
     * sets it, the wait gets longer or shorter. (glibc's sem_clockwait
     * takes CLOCK_MONOTONIC, too.)
     */
    if (clock_gettime(CLOCK_REALTIME, &until) == -1)
        err(1, "clock_gettime");
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= 1000000000) { /* or the wait says EINVAL */
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    do
        result = sem_timedwait(sem, &until);
    while (result == -1 && errno == EINTR);
    return result;
}

/* Says what a call returned; it must have failed, and with this error. */
static void refused(const char *who, int result, int expected)
{
    const char *call = expected == EAGAIN ? "sem_trywait: EAGAIN"
                                          : "sem_timedwait: ETIMEDOUT";

    if (result == 0)
        errx(1, "%s got it, and should have heard %s", who, call);
    if (errno != expected)
        err(1, "%s should have heard %s", who, call);
    printf("%s: %s\n", who, call);
}

static void give(const char *who, sem_t *sem)
{
    if (sem_post(sem) == -1)
        err(1, "sem_post");
    printf("%s posts, the value is %d\n", who, value_of(sem));
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    enum { LOCK, WRONG };
    int opt, status;
    sem_t *sem;

    if ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    sem = mmap(NULL, 2 * sizeof *sem, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sem == MAP_FAILED)
        err(1, "mmap");
    if (sem_init(&sem[LOCK], 1, 1) == -1 || sem_init(&sem[WRONG], 1, 0) == -1)
        err(1, "sem_init");

    printf("Parent: the lock starts at %d\n", value_of(&sem[LOCK]));
    if (sem_trywait(&sem[LOCK]) == -1)
        err(1, "sem_trywait");
    printf("Parent holds it, the value is %d\n", value_of(&sem[LOCK]));

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0: /* it never waits for long, and so outlives nobody for long */
        refused("Child", sem_trywait(&sem[LOCK]), EAGAIN);
        refused("Child", timed_wait(&sem[LOCK]), ETIMEDOUT);
        give("Child", &sem[LOCK]);
        if (ferror(stdout))
            errx(1, "not all could be written to stdout");
        exit(0);
    }
    if (wait(&status) == -1)
        err(1, "wait");
    if (status)
        errx(1, "Child died, and Parent still holds the lock");
    give("Parent", &sem[LOCK]);

    printf("Parent: the wrong lock starts at %d\n", value_of(&sem[WRONG]));
    refused("Parent", timed_wait(&sem[WRONG]), ETIMEDOUT);
    printf("Parent: nobody holds it and nobody gets it: a deadlock\n");

    if (sem_destroy(&sem[LOCK]) == -1 || sem_destroy(&sem[WRONG]) == -1)
        err(1, "sem_destroy");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
