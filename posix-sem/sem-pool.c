/*
 * sem-pool - a counting semaphore lets N in, and not one more
 *
 * usage: sem-pool [--permits N] [--workers N] [--no-sem]
 *
 * The semaphore starts at the number of permits (default 3). Each Worker (of
 * 6, by default) takes 1 from it, goes in, and adds 1 when it leaves. At 0 a
 * Worker waits at the door. Nobody leaves before all have come, so the pool
 * does get full, and the next Worker in would be one too many.
 *
 * Watch   how many were inside: as many as there are permits, and no more.
 * Try     sem-pool --no-sem       nobody takes a permit: all are inside
 *         sem-pool --permits 1    a lock is a pool of one
 * Read    sem_overview(7), sem_wait(3); Kerrisk, TLPI, 53.4
 */
#define _GNU_SOURCE
#include <err.h>
#include <getopt.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX = 200 };

static const char usage[] =
    "usage: sem-pool [--permits N] [--workers N] [--no-sem]\n"
    "  --permits N  how many may be inside (3)\n"
    "  --workers N  how many want to go in (6)\n"
    "  --no-sem     wrong: they go in without a permit";
static int permits = 3, workers = 6, no_sem;

struct pool {
    sem_t permits;
    _Atomic int inside, came_in, came_to_the_door, failed;
    bool seen[MAX + 2]; /* seen[n]: at some time n were inside */
};

static int number(const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "not a number from 1 to %d: %s\n%s", max, word, usage);
    return (int)n;
}

static void worker(struct pool *pool)
{
    /* sem_wait would do. sem_trywait tells us that the door is closed. */
    if (!no_sem && sem_trywait(&pool->permits) == -1) {
        pool->came_to_the_door++;
        if (sem_wait(&pool->permits) == -1)
            err(1, "sem_wait");
    }
    /* One more is inside: note how many that makes. */
    pool->seen[++pool->inside] = true;
    pool->came_in++;
    /* Nobody leaves before all have come. */
    while (pool->came_in + pool->came_to_the_door < workers && !pool->failed)
        sched_yield();
    pool->inside--;
    if (!no_sem && sem_post(&pool->permits) == -1)
        err(1, "sem_post");
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "permits", required_argument, NULL, 'p' },
        { "workers", required_argument, NULL, 'w' },
        { "no-sem", no_argument, NULL, 'n' },
        { 0 },
    };
    int opt, status, most = 0;
    struct pool *pool;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'p')
            permits = number(optarg, MAX);
        else if (opt == 'w')
            workers = number(optarg, MAX);
        else if (opt == 'n')
            no_sem = 1;
        else
            errx(2, "%s", usage);
    }
    if (optind < argc)
        errx(2, "unexpected argument: %s\n%s", argv[optind], usage);

    pool = mmap(NULL, sizeof *pool, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pool == MAP_FAILED)
        err(1, "mmap");
    if (sem_init(&pool->permits, 1, (unsigned)permits) == -1)
        err(1, "sem_init");
    for (int i = 0; i < workers; i++) {
        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            alarm(10); /* ends an endless wait */
            worker(pool);
            exit(0);
        }
    }

    for (int i = 0; i < workers; i++) {
        if (wait(&status) == -1)
            err(1, "wait");
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
            errx(124, "stuck: a Worker waits, inside or at the door");
        pool->failed |= status; /* the others need not wait */
    }
    while (pool->seen[most + 1])
        most++;
    printf("Parent: at most %d inside, permits: %d\n", most, permits);
    return pool->failed || most > permits;
}
