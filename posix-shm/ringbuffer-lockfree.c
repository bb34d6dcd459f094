/*
 * ringbuffer-lockfree - what ringbuffer does, with atomics instead of a lock
 *
 * usage: ringbuffer-lockfree [--consumers N] [--items N] [--slots N]
 *
 * Producer fills the next slot, and counts it in put. A Consumer claims the
 * next items by compare-and-swap, reads them, and subtracts them from what is
 * left in their block of slots. Producer fills a block again when nothing is
 * left. A process that finds nothing to do yields a few times, then sleeps in
 * futex(2).
 *
 * Watch   memory_order_release after the work, and memory_order_acquire
 *         before the other side's work: a process that sees the count sees
 *         what was done before. Membarrier: why is it in wait_for_put?
 * Try     time ringbuffer-lockfree --items 1000000 --slots 1024
 *         strace -fce futex ringbuffer-lockfree --items 100000
 *         spin -search tests/ring.pml    every order of events
 * Read    futex(2), membarrier(2); C11, 7.17.3 (Order and consistency)
 */
#define _GNU_SOURCE
#include <err.h>
#include <getopt.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* WAITS: a bit in left, for "Producer waits for this block" */
enum { MAX_ITEMS = 1000000, MAX_SLOTS = 65536, YIELDS = 8, WAITS = 1024 };

static const char usage[] =
    "usage: ringbuffer-lockfree [--consumers N] [--items N] [--slots N]\n"
    "  2 consumers, 1000 items and 8 slots, unless you say otherwise";
static int consumers = 2, items = 1000, slots = 8, per_block = 1;

struct ring { /* all of it is shared; what is busy has its own cache line */
    _Alignas(64) atomic_int claimed; /* items that Consumers have claimed */
    atomic_int took;                 /* and have taken from their slots */
    _Alignas(64) atomic_int put;     /* items that Producer has put */
    _Alignas(64) atomic_int asleep;  /* how many Consumers sleep */
    /* What is left in each block, in [0]; 16 ints fill a cache line. */
    _Alignas(64) atomic_int left[MAX_SLOTS][16];
    _Alignas(64) int slot[MAX_SLOTS]; /* an item is a number */
    bool taken[MAX_ITEMS];            /* which items were taken */
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

static void wake_one(void)
{
    /* Counted here: the Consumer may not run again until much later. */
    if (syscall(SYS_futex, &ring->put, FUTEX_WAKE, 1) == 1)
        atomic_fetch_sub(&ring->asleep, 1);
}

/* Waits until the block of item i is empty; returns where it begins. */
static int *wait_for_room(int i)
{
    atomic_int *left = ring->left[i % slots / per_block];
    int now, yields = 0;

    /* The block is empty when 0 is left, with WAITS or without. */
    while ((now = atomic_load_explicit(left, memory_order_acquire)) % WAITS) {
        if (yields++ < YIELDS) {
            sched_yield();
        } else if (atomic_compare_exchange_strong(left, &now, now | WAITS)) {
            wake_one(); /* the ring is full: there is work for one more */
            syscall(SYS_futex, left, FUTEX_WAIT, now | WAITS, NULL);
        }
    }
    atomic_store_explicit(left, per_block, memory_order_relaxed);
    return &ring->slot[i % slots];
}

static void produce(void)
{
    const int command = MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED;
    bool has_membarrier = syscall(SYS_membarrier, command, 0, 0) == 0;
    int *slot = NULL;

    for (int i = 0; i < items; i++) {
        if ((i & (per_block - 1)) == 0) /* i % per_block, a power of 2 */
            slot = wait_for_room(i);
        *slot++ = i;
        atomic_store_explicit(&ring->put, i + 1, memory_order_release);

        /* put must be visible before we look at asleep: see wait_for_put. */
        if (!has_membarrier)
            atomic_thread_fence(memory_order_seq_cst);
        atomic_signal_fence(memory_order_seq_cst); /* for the compiler */
        if (atomic_load(&ring->asleep) == consumers)
            wake_one(); /* else one is awake, and will see the item */
    }
    wake_one(); /* a Consumer that sleeps must see the end */
}

/* Waits until more than n items are put; returns how many are. */
static int wait_for_put(int n)
{
    for (int yields = 0;; yields++) {
        int put = atomic_load_explicit(&ring->put, memory_order_acquire);

        if (put > n)
            return put;
        if (yields < YIELDS) {
            sched_yield();
            continue;
        }
        /*
         * We store asleep and then look at put. Producer stores put and then
         * looks at asleep. If a CPU looks before its own store is visible,
         * each misses the other. A full barrier on both sides forbids that,
         * but is too costly for each item. So we, who are about to sleep,
         * have the kernel execute one on Producer's CPU as well.
         */
        atomic_fetch_add(&ring->asleep, 1);
        syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
        if (syscall(SYS_futex, &ring->put, FUTEX_WAIT, put, NULL) == -1)
            atomic_fetch_sub(&ring->asleep, 1); /* put has changed */
    }
}

static void consume(void)
{
    int from, n, put = 0;

    while ((from = atomic_load(&ring->claimed)) < items) {
        atomic_int *left = ring->left[from % slots / per_block];

        if (from >= put)
            put = wait_for_put(from);
        n = MIN(put - from, per_block - from % per_block);
        if (!atomic_compare_exchange_weak(&ring->claimed, &from, from + n))
            continue; /* another one was first */
        for (int i = 0; i < n; i++)
            ring->taken[ring->slot[from % slots + i]] = true;
        atomic_fetch_add(&ring->took, n);
        if (atomic_fetch_sub_explicit(left, n, memory_order_release) ==
            (WAITS | n))
            syscall(SYS_futex, left, FUTEX_WAKE, 1);
    }
    wake_one(); /* the next one that sleeps must see the end, too */
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "consumers", required_argument, NULL, 'c' },
        { "items", required_argument, NULL, 'i' },
        { "slots", required_argument, NULL, 's' },
        { 0 },
    };
    int opt, status, failed = 0, stuck = 0, twice, never = 0;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'c')
            consumers = number(optarg, 30);
        else if (opt == 'i')
            items = number(optarg, MAX_ITEMS);
        else if (opt == 's')
            slots = number(optarg, MAX_SLOTS);
        else
            errx(2, "%s", usage);
    }
    if (optind < argc)
        errx(2, "unexpected argument: %s\n%s", argv[optind], usage);

    ring = mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ring == MAP_FAILED)
        err(1, "mmap");
    /* A block grows while it divides the ring evenly, into four or more. */
    while (per_block < 64 && slots % (8 * per_block) == 0)
        per_block *= 2;

    for (int i = 0; i <= consumers; i++) {
        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            alarm(10); /* ends an endless wait */
            if (i == 0)
                produce();
            else
                consume();
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
        errx(124, "stuck, or too much for 10 s: a process waits in futex");
    for (int i = 0; i < items; i++)
        never += !ring->taken[i];
    twice = ring->took - (items - never); /* beyond one of each */
    printf("Parent: %d items, %d twice, %d never\n", items, twice, never);
    return failed || twice || never;
}
