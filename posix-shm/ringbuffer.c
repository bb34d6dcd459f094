/*
 * ringbuffer - one process puts items into a shared ring, many take them
 *
 * usage: ringbuffer [--consumers N] [--items N] [--slots N] [--no-lock]
 *
 * Producer waits for room and fills the next slot. A Consumer waits for a
 * filled slot and empties it. Two semaphores count the slots of each kind,
 * and a third one is the lock of the Consumers. Each item is a number: at
 * the end Parent checks how often each was taken. (With --no-lock what it
 * counts varies.)
 *
 * Watch   a process that has nothing to do sleeps in sem_wait.
 * Try     ringbuffer --no-lock              two Consumers take one item
 *         ringbuffer --no-lock --slots 1    why does this go well?
 * Read    sem_overview(7), mmap(2); Kerrisk, TLPI, ch. 53
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

enum { MAX_CONSUMERS = 30, MAX_ITEMS = 100000, MAX_SLOTS = 65536 };

static const char usage[] =
    "usage: ringbuffer [--consumers N] [--items N] [--slots N] [--no-lock]\n"
    "  --consumers N  how many take items (2)\n"
    "  --items N      how many are put (1000)\n"
    "  --slots N      how many the ring has room for (8)\n"
    "  --no-lock      wrong: the lock lets all Consumers in";
static int consumers = 2, items = 1000, slots = 8;
static bool no_lock;

struct ring {            /* all of it is shared */
    sem_t room;          /* how many slots are empty */
    sem_t filled;        /* how many hold an item */
    sem_t lock;          /* 1: no Consumer is at the ring */
    int next;            /* items taken so far; the next is in next % slots */
    int slot[MAX_SLOTS]; /* an item is a number */
    _Atomic int taken[MAX_ITEMS]; /* how often each one was taken */
};
static struct ring *ring;

static int number(const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "not a number from 1 to %d: %s\n%s", max, word, usage);
    return (int)n;
}

static void produce(void)
{
    for (int i = 0; i < items; i++) {
        if (sem_wait(&ring->room) == -1)
            err(1, "sem_wait");
        ring->slot[i % slots] = i;
        if (sem_post(&ring->filled) == -1)
            err(1, "sem_post");
    }
}

static void consume(int share)
{
    for (int i = 0; i < share; i++) {
        if (sem_wait(&ring->filled) == -1 || sem_wait(&ring->lock) == -1)
            err(1, "sem_wait");
        ring->taken[ring->slot[ring->next % slots]]++;
        /*
         * The race, forced: wait for a second Consumer. With 1 slot none
         * comes.
         */
        if (no_lock && i == 0 && slots > 1)
            for (int n = 0; n < 100000 && ring->taken[0] < 2; n++)
                sched_yield();
        ring->next++;
        if (sem_post(&ring->lock) == -1 || sem_post(&ring->room) == -1)
            err(1, "sem_post");
    }
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "consumers", required_argument, NULL, 'c' },
        { "items", required_argument, NULL, 'i' },
        { "slots", required_argument, NULL, 's' },
        { "no-lock", no_argument, NULL, 'n' },
        { 0 },
    };
    int opt, status, failed = 0, stuck = 0, twice = 0, never = 0;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'c')
            consumers = number(optarg, MAX_CONSUMERS);
        else if (opt == 'i')
            items = number(optarg, MAX_ITEMS);
        else if (opt == 's')
            slots = number(optarg, MAX_SLOTS);
        else if (opt == 'n')
            no_lock = true;
        else
            errx(2, "%s", usage);
    }
    if (optind < argc)
        errx(2, "unexpected argument: %s\n%s", argv[optind], usage);

    ring = mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ring == MAP_FAILED)
        err(1, "mmap");
    if (sem_init(&ring->room, 1, (unsigned)slots) == -1 || /* 1: shared */
        sem_init(&ring->filled, 1, 0) == -1 ||
        sem_init(&ring->lock, 1, no_lock ? (unsigned)consumers : 1) == -1)
        err(1, "sem_init");

    for (int i = 0; i <= consumers; i++) {
        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            alarm(10); /* ends an endless wait */
            if (i == consumers)
                produce();
            else
                /* Equal shares; the first ones take what is left over. */
                consume(items / consumers + (i < items % consumers));
            exit(0);
        }
    }

    for (int i = 0; i <= consumers; i++) {
        if (wait(&status) == -1)
            err(1, "wait");
        failed |= status;
        stuck |= WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    }
    if (stuck)
        errx(124, "stuck, or too much for 10 s: a process waits in sem_wait");
    for (int i = 0; i < items; i++) {
        twice += ring->taken[i] > 1;
        never += ring->taken[i] == 0;
    }
    printf("Parent: %d items, %d twice, %d never\n", items, twice, never);
    return failed || twice || never;
}
