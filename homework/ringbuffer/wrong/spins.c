/*
 * Wrong: a process that has to wait tries again and again.
 * Loses: a process that has nothing to do sleeps
 */
#define _GNU_SOURCE
#include <err.h>
#include <getopt.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CONSUMERS = 30, MAX_ITEMS = 100000, MAX_SLOTS = 65536 };

static int consumers = 2, items = 1000, slots = 8;

static struct ring {
    sem_t room, filled, lock;
    int next;
    int slot[MAX_SLOTS];
    int taken[MAX_ITEMS]; /* how often each item was */
} * ring;

static int number(const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (end == word || *end || n < 1 || n > max)
        errx(2, "not a number from 1 to %d: %s", max, word);
    return (int)n;
}

static void wait_for(sem_t *sem)
{
    while (sem_trywait(sem) == -1)
        sched_yield();
}

static void produce(void)
{
    for (int i = 0; i < items; i++) {
        wait_for(&ring->room);
        ring->slot[i % slots] = i;
        sem_post(&ring->filled);
    }
}

static void consume(int share)
{
    for (int i = 0; i < share; i++) {
        wait_for(&ring->filled);
        sem_wait(&ring->lock);
        ring->taken[ring->slot[ring->next % slots]]++;
        ring->next++;
        sem_post(&ring->lock);
        sem_post(&ring->room);
    }
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "consumers", required_argument, NULL, 'c' },
        { "items", required_argument, NULL, 'i' },
        { "slots", required_argument, NULL, 's' },
        { 0 },
    };
    int opt, status, failed = 0, twice = 0, never = 0;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'c')
            consumers = number(optarg, MAX_CONSUMERS);
        else if (opt == 'i')
            items = number(optarg, MAX_ITEMS);
        else if (opt == 's')
            slots = number(optarg, MAX_SLOTS);
        else
            errx(2,
                 "usage: ringbuffer [--consumers N] [--items N] [--slots N]");
    }
    if (optind < argc)
        errx(2, "what is %s?", argv[optind]);

    ring = mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ring == MAP_FAILED)
        err(1, "mmap");
    sem_init(&ring->room, 1, (unsigned)slots);
    sem_init(&ring->filled, 1, 0);
    sem_init(&ring->lock, 1, 1);

    for (int i = 0; i <= consumers; i++) {
        pid_t pid = fork();

        if (pid == -1)
            err(1, "fork");
        if (pid == 0) {
            if (i == consumers)
                produce();
            else
                consume(items / consumers + (i < items % consumers));
            exit(0);
        }
    }
    for (int i = 0; i <= consumers; i++) {
        if (wait(&status) == -1)
            err(1, "wait");
        failed |= status;
    }
    for (int i = 0; i < items; i++) {
        twice += ring->taken[i] > 1;
        never += ring->taken[i] == 0;
    }
    printf("%d items, %d twice, %d never\n", items, twice, never);
    return failed || twice || never;
}
