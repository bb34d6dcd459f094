/*
 * sem-pool - a counting semaphore lets N in, and not one more
 *
 * usage: sem-pool [--permits N] [--workers N] [--no-sem]
 *
 * The semaphore starts at the number of permits (default 3). Each Worker
 * (default 6) takes one, is inside until Parent lets it go, and gives its
 * permit back. Parent lets one go when all who are left sleep: inside, or
 * at the door.
 *
 * Watch   one goes, one comes: as many are inside as there are permits.
 * Try     sem-pool --no-sem         nobody takes a permit: all are inside
 *         sem-pool --permits 1      a lock is a pool of one
 * Read    sem_overview(7), sem_wait(3); Kerrisk, TLPI, 53.4
 */
#ifndef __linux__
#error "sem-pool needs Linux: /proc, PR_SET_PDEATHSIG; macOS has no sem_init"
#endif
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX = 200 };

static const char help[] =
    "usage: sem-pool [--permits N] [--workers N] [--no-sem]\n"
    "  --permits N  so many may be inside (3)\n"
    "  --workers N  so many want to be (6)\n"
    "  --no-sem     wrong: they go in without a permit\n";

static int no_sem;

struct pool {
    sem_t permits, go;
    _Atomic int inside, most;
};

static int number(const char *option, const char *word)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > MAX)
        errx(2, "%s must be a number from 1 to %d: %s", option, MAX, word);
    return (int)n;
}

/* Takes 1 from the semaphore; at 0 sleeps until somebody adds 1. */
static void take(sem_t *sem)
{
    while (sem_wait(sem) == -1)
        if (errno != EINTR)
            err(1, "sem_wait");
}

static void worker(struct pool *pool)
{
    int now, most = 0;

    if (!no_sem)
        take(&pool->permits);
    now = ++pool->inside;
    while (now > most &&
           !atomic_compare_exchange_weak(&pool->most, &most, now))
        ;
    take(&pool->go);
    pool->inside--;
    if (!no_sem && sem_post(&pool->permits) == -1)
        err(1, "sem_post");
}

/* Waits until the kernel says that a process sleeps, or has ended. */
static void wait_until_asleep(pid_t pid)
{
    char path[64], line[512], state;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    do {
        FILE *file = fopen(path, "r");

        if (!file || !fgets(line, sizeof line, file))
            err(1, "%s", path);
        fclose(file);
        state = strrchr(line, ')')[2];
    } while (state != 'S' && state != 'Z' && sched_yield() == 0);
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
static int give_up(const pid_t pid[], int n, int status)
{
    for (int i = 0; i < n; i++)
        if (pid[i] && kill(pid[i], SIGKILL) == 0)
            waitpid(pid[i], NULL, 0);
    return status;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "permits", required_argument, NULL, 'p' },
        { "workers", required_argument, NULL, 'w' },
        { "no-sem", no_argument, &no_sem, true },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int permits = 3, workers = 6, opt, status;
    pid_t pid[MAX], parent = getpid();
    struct pool *pool;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (opt) {
        case 'p':
            permits = number("--permits", optarg);
            break;
        case 'w':
            workers = number("--workers", optarg);
            break;
        case 0: /* a flag, and set */
            break;
        default:
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    pool = mmap(NULL, sizeof *pool, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pool == MAP_FAILED)
        err(1, "mmap");
    if (sem_init(&pool->permits, 1, (unsigned)permits) == -1 ||
        sem_init(&pool->go, 1, 0) == -1)
        err(1, "sem_init");

    printf("Parent: %d permits, %d workers\n", permits, workers);
    for (int i = 0; i < workers; i++) {
        switch (pid[i] = fork()) {
        case -1:
            warn("fork of Worker %d", i + 1);
            return give_up(pid, i, 1);
        case 0:
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody outlives Parent */
            if (getppid() != parent)
                _exit(1);
            worker(pool);
            exit(0);
        }
    }

    for (int i, left = workers; left > 0; left--) {
        for (i = 0; i < workers; i++)
            if (pid[i])
                wait_until_asleep(pid[i]);
        i = pool->inside;
        printf("Parent: %d inside, %d at the door\n", i, left - i);
        if (i == 0) {
            warnx("stuck: Workers wait for permits, but nobody has one");
            return give_up(pid, workers, 124);
        }
        if (sem_post(&pool->go) == -1)
            err(1, "sem_post");
        i = reap(pid, workers, &status);
        pid[i] = 0;
        if (status) {
            warnx("Worker %d died: nobody gives its permit back", i + 1);
            return give_up(pid, workers, 1);
        }
    }
    printf("Parent: the most ever inside: %d\n", pool->most);
    if (sem_destroy(&pool->permits) == -1 || sem_destroy(&pool->go) == -1)
        err(1, "sem_destroy");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    if (pool->most > permits)
        errx(1, "%d were inside with %d permits", pool->most, permits);
    return 0;
}
