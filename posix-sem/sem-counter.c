/*
 * sem-counter - two processes add to one number, one at a time
 *
 * usage: sem-counter [--no-lock] [LOOPS]
 *
 * To add 1 takes three steps: load the count, add, store. Two children do
 * that LOOPS times each (default 1000), in memory that they share. There is
 * also a semaphore, which starts at 1: sem_wait takes the 1, and the next
 * sem_wait waits until sem_post has put it back. (With --no-lock the total
 * can vary.)
 *
 * Watch   what stands between sem_wait and sem_post: all three steps.
 * Try     sem-counter --no-lock 1    both load 0, so both store 1
 *         sem-counter --no-lock      additions are lost
 * Read    sem_overview(7), sem_init(3); Kerrisk, TLPI, 53.4
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 2, MAX_LOOPS = 1000000 };

static const char usage[] = "usage: sem-counter [--no-lock] [LOOPS]\n"
                            "  --no-lock  wrong: both add at the same time";
static bool no_lock;

struct shared {
    sem_t lock;
    volatile int count; /* volatile: each load and store is really made */
    _Atomic int loaded;
};

static int number(const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "not a number from 1 to %d: %s\n%s", max, word, usage);
    return (int)n;
}

static void add(struct shared *mem)
{
    int n;

    if (!no_lock && sem_wait(&mem->lock) == -1)
        err(1, "sem_wait");
    n = mem->count;
    /* Without the lock, waits until both children have loaded. */
    mem->loaded++;
    while (no_lock && mem->loaded < CHILDREN)
        sched_yield();
    mem->count = n + 1;
    if (!no_lock && sem_post(&mem->lock) == -1)
        err(1, "sem_post");
}

int main(int argc, char *argv[])
{
    int loops = 1000, status;
    struct shared *mem;

    no_lock = argc > 1 && strcmp(argv[1], "--no-lock") == 0;
    if (argc > 2 + no_lock)
        errx(2, "unexpected argument: %s\n%s", argv[2 + no_lock], usage);
    if (argc > 1 + no_lock)
        loops = number(argv[1 + no_lock], MAX_LOOPS);

    /* It starts as zeros. If it were private, each would count alone. */
    mem = mmap(NULL, sizeof *mem, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mem == MAP_FAILED)
        err(1, "mmap");
    if (sem_init(&mem->lock, 1, 1) == -1)
        err(1, "sem_init");
    for (int i = 0; i < CHILDREN; i++) {
        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            alarm(10); /* ends an endless wait */
            for (int n = 0; n < loops; n++)
                add(mem);
            exit(0);
        }
    }

    for (int i = 0; i < CHILDREN; i++) {
        if (wait(&status) == -1)
            err(1, "wait");
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
            errx(124, "stuck, or too much for 10 s: one waits for the other");
    }
    printf("Total count: %d, Expected: %d\n", mem->count, CHILDREN * loops);
    return mem->count != CHILDREN * loops;
}
