/*
 * sem-counter - processes count together, one at a time
 *
 * usage: sem-counter [--processes N] [--loops N] [--no-lock]
 *
 * A counter and an unnamed semaphore lie in memory that all processes
 * share. Each process (default 2) adds 1 to the counter N times (default
 * 1000): loads it, at times lets the others run, stores it. The semaphore
 * starts at 1, so that one process at a time is between wait and post.
 *
 * Watch   the total. Without the lock it differs from run to run.
 * Try     sem-counter --no-lock          updates are lost, each time
 *         strace -fce futex sem-counter  sem_wait calls the kernel to sleep
 * Read    sem_overview(7), sem_init(3), futex(7); Kerrisk, TLPI, 53.4
 */
#ifndef __linux__
#error "sem-counter needs Linux: PR_SET_PDEATHSIG; macOS has no sem_init"
#endif
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_PROCESSES = 200, MAX_LOOPS = 1000000 };

static const char help[] =
    "usage: sem-counter [--processes N] [--loops N] [--no-lock]\n"
    "  --processes N  so many count (2)\n"
    "  --loops N      each adds 1 so many times (1000)\n"
    "  --no-lock      wrong: they count at the same time\n";

struct shared {
    sem_t lock;
    long count;
    _Atomic long loads; /* of all processes; not what the lock is for */
};

static int number(const char *option, const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "%s must be a number from 1 to %d: %s", option, max, word);
    return (int)n;
}

/* Takes 1 from the semaphore; at 0 sleeps until somebody adds 1. */
static void take(sem_t *sem)
{
    while (sem_wait(sem) == -1)
        if (errno != EINTR)
            err(1, "sem_wait");
}

static void add(struct shared *shared, int loops, int processes, bool lock)
{
    for (int i = 0; i < loops; i++) {
        long n;

        if (lock)
            take(&shared->lock);
        n = shared->count;
        shared->loads++;
        /* Without the lock no first store comes before the last load. */
        while (!lock && shared->loads < processes)
            sched_yield();
        if (i % 50 == 0) /* let others come in between */
            sched_yield();
        shared->count = n + 1;
        if (lock && sem_post(&shared->lock) == -1)
            err(1, "sem_post");
    }
}

/* Waits until one of them ends; returns which, counted from 0. */
static int reap(const pid_t pid[], int n, int *status)
{
    for (pid_t ended; (ended = wait(status)) != -1;)
        for (int i = 0; i < n; i++)
            if (pid[i] == ended)
                return i;
    err(1, "wait");
}

/* Ends those who are left: they may wait for a post that never comes. */
static int give_up(const pid_t pid[], int n)
{
    for (int i = 0; i < n; i++)
        if (pid[i] && kill(pid[i], SIGKILL) == 0)
            waitpid(pid[i], NULL, 0);
    return 1;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "processes", required_argument, NULL, 'p' },
        { "loops", required_argument, NULL, 'l' },
        { "no-lock", no_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int processes = 2, loops = 1000, opt, status;
    pid_t pid[MAX_PROCESSES], parent = getpid();
    bool lock = true;
    long expected;
    struct shared *shared;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (opt) {
        case 'p':
            processes = number("--processes", optarg, MAX_PROCESSES);
            break;
        case 'l':
            loops = number("--loops", optarg, MAX_LOOPS);
            break;
        case 'n':
            lock = false;
            break;
        default:
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    /* Anonymous memory starts as zeros. Private, each would count alone. */
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        err(1, "mmap");
    /* 1: it is used by processes, not by threads of one. 1: it is free. */
    if (sem_init(&shared->lock, 1, 1) == -1)
        err(1, "sem_init");

    for (int i = 0; i < processes; i++) {
        switch (pid[i] = fork()) {
        case -1:
            warn("fork of Process %d", i + 1);
            return give_up(pid, i);
        case 0:
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody outlives Parent */
            if (getppid() != parent)
                _exit(1);
            add(shared, loops, processes, lock);
            exit(0);
        }
    }

    for (int left = processes; left > 0; left--) {
        int i = reap(pid, processes, &status);

        pid[i] = 0;
        if (status) {
            warnx("Process %d died: nobody posts in its place", i + 1);
            return give_up(pid, processes);
        }
    }
    expected = (long)processes * loops;
    printf("Total count: %ld, Expected: %ld\n", shared->count, expected);
    if (sem_destroy(&shared->lock) == -1)
        err(1, "sem_destroy");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    if (shared->count != expected)
        errx(1, "updates were lost: two loaded the same number");
    return 0;
}
