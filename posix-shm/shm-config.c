/*
 * shm-config - workers share their settings, which change under them
 *
 * usage: shm-config [--no-lock]
 *
 * Parent changes all settings, again and again. Workers look at them before
 * each piece of work, and end when they see the last change. With the
 * read-write lock, which lies beside the settings, they can look at the same
 * time, but not while Parent is in the middle of a change. Change n sets the
 * first and the last setting to n: a Worker that finds them different has
 * seen half an update, a torn read. (With --no-lock their number varies.)
 *
 * Watch   rdlock in look, wrlock in change: which processes wait for which?
 * Try     shm-config --no-lock    half updates are seen
 * Read    pthreads(7); POSIX, pthread_rwlock_rdlock(); APUE, 11.6.4, 12.4.2
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 3, CHANGES = 10000, BANNER = 200 };

static const char usage[] =
    "usage: shm-config [--no-lock]\n"
    "  --no-lock  wrong: Workers look without the lock";
static bool no_lock;

struct settings {
    int verbosity;
    char banner[BANNER]; /* n again, with zeros in front: takes a while */
    int timeout;
};

struct shared { /* all of it is shared */
    pthread_rwlock_t lock;
    struct settings now;
    _Atomic int torn;
};
static struct shared *shared;

/* pthread functions do not set errno: they return what it would be. */
static void check(int error, const char *call)
{
    errno = error;
    if (error)
        err(1, "%s", call);
}

static struct settings look(void)
{
    struct settings copy;

    if (!no_lock)
        check(pthread_rwlock_rdlock(&shared->lock), "pthread_rwlock_rdlock");
    copy = shared->now;
    if (!no_lock)
        check(pthread_rwlock_unlock(&shared->lock), "pthread_rwlock_unlock");
    return copy;
}

static void worker(void)
{
    struct settings mine;

    do {
        mine = look();
        shared->torn += mine.verbosity != mine.timeout;
        sched_yield(); /* here it would work */
    } while (mine.timeout < CHANGES);
}

static void change(int n)
{
    check(pthread_rwlock_wrlock(&shared->lock), "pthread_rwlock_wrlock");
    shared->now.verbosity = n;
    snprintf(shared->now.banner, BANNER, "%0*d", BANNER - 1, n);
    /* The race, forced: Parent stays in the middle until a Worker looks. */
    for (int i = 0; no_lock && i < 1000000 && !shared->torn; i++)
        sched_yield();
    shared->now.timeout = n;
    check(pthread_rwlock_unlock(&shared->lock), "pthread_rwlock_unlock");
}

int main(int argc, char *argv[])
{
    int status, failed = 0, stuck = 0;
    pthread_rwlockattr_t attr;

    no_lock = argc > 1 && strcmp(argv[1], "--no-lock") == 0;
    if (argc > 1 + no_lock)
        errx(2, "%s", usage);
    alarm(10); /* ends an endless wait, here in wrlock */

    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        err(1, "mmap");
    check(pthread_rwlockattr_init(&attr), "pthread_rwlockattr_init");
    check(pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED),
          "pthread_rwlockattr_setpshared");
    check(pthread_rwlock_init(&shared->lock, &attr), "pthread_rwlock_init");

    for (int i = 0; i < WORKERS; i++) {
        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            alarm(10); /* a child does not inherit it */
            worker();
            exit(0);
        }
    }
    for (int n = 1; n <= CHANGES; n++)
        change(n);

    for (int i = 0; i < WORKERS; i++) {
        if (wait(&status) == -1)
            err(1, "wait");
        failed |= status;
        stuck |= WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    }
    if (stuck)
        errx(124, "stuck: a Worker waits for the lock, or for a change");
    printf("Parent: %d changes, %d torn reads\n", CHANGES, shared->torn);
    return failed || shared->torn;
}
