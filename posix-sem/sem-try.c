/*
 * sem-try - wait for a semaphore, but not for ever
 *
 * usage: sem-try [--init-0]
 *
 * A named semaphore that starts at 1 is a lock for all processes that know
 * its name. Parent takes the lock. Child opens it by its name, and tries to
 * get it, first without waiting, then for 100 ms. Then Parent gives it back.
 *
 * Watch   sem_timedwait takes a point in time, not a length of time.
 * Try     sem-try --init-0    nobody has the lock, and nobody gets it
 * Read    sem_wait(3), sem_getvalue(3); Kerrisk, TLPI, 53.3
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: sem-try [--init-0]\n"
    "  --init-0  wrong: the lock starts at 0, as if somebody had it";

static int value_of(sem_t *sem)
{
    int value;

    if (sem_getvalue(sem, &value) == -1)
        err(1, "sem_getvalue");
    return value;
}

static void child(const char *name)
{
    sem_t *sem = sem_open(name, 0);
    struct timespec end;

    if (sem == SEM_FAILED)
        err(1, "sem_open %s", name);
    printf("Child: the value is %d\n", value_of(sem));
    if (sem_trywait(sem) != -1 || errno != EAGAIN)
        errx(1, "sem_trywait does not fail with EAGAIN");
    printf("Child: sem_trywait fails with EAGAIN (%s)\n", strerror(errno));

    /* A point in time: 100 ms from now, by the clock on the wall. */
    if (clock_gettime(CLOCK_REALTIME, &end) == -1)
        err(1, "clock_gettime");
    end.tv_nsec += 100000000;
    if (end.tv_nsec >= 1000000000) { /* 1 s or more would be EINVAL */
        end.tv_nsec -= 1000000000;
        end.tv_sec++;
    }
    if (sem_timedwait(sem, &end) != -1 || errno != ETIMEDOUT)
        errx(1, "sem_timedwait does not fail with ETIMEDOUT");
    printf("Child: sem_timedwait fails with ETIMEDOUT (%s)\n",
           strerror(errno));
}

int main(int argc, char *argv[])
{
    int status = 1;
    bool init_0, taken;
    char name[40];
    sem_t *sem;

    init_0 = argc > 1 && strcmp(argv[1], "--init-0") == 0;
    if (argc > 1 + init_0)
        errx(2, "%s", usage);

    snprintf(name, sizeof name, "/sem-try.%d", getpid());
    sem = sem_open(name, O_CREAT | O_EXCL, 0600, init_0 ? 0 : 1);
    if (sem == SEM_FAILED)
        err(1, "sem_open %s", name);
    taken = sem_trywait(sem) == 0; /* with --init-0 sem_wait would wait */
    switch (fork()) {
    case -1:
        sem_unlink(name);
        err(1, "fork");
    case 0:
        child(name);
        exit(0);
    }
    if (wait(&status) == -1)
        warn("wait"); /* status stays 1; the name must be removed */
    sem_unlink(name);

    if (!taken)
        errx(124, "stuck: nobody has the lock, and nobody gets it");
    if (sem_post(sem) == -1)
        err(1, "sem_post");
    printf("Parent posts: the value is %d\n", value_of(sem));
    return status != 0;
}
