/*
 * ringbuffer-lockfree - ringbuffer's promise with atomics instead of a lock
 *
 * usage: ringbuffer-lockfree [--consumers N] [--items N] [--slots N]
 *
 * Producer counts in put what it has put. A Consumer claims the next items
 * by compare-and-swap, reads them, and subtracts them from what is left of
 * their block of slots; a block with nothing left can be filled again. Who
 * finds nothing to do yields a few times, then sleeps in futex(2).
 *
 * Watch   produce and consume, and why the orders are what they are:
 *         put     release after the item is written, acquire before it is
 *                 read: who sees the count sees the items
 *         left    release after the items are read, acquire before their
 *                 slots are written again
 *         asleep  a Consumer counts itself here, then looks at put (in the
 *                 kernel); Producer stores put, then looks here. A CPU may
 *                 look before others see what it stored: each would miss
 *                 the other. Only a full barrier on both sides forbids it,
 *                 too dear for each item. So the Consumer has the kernel
 *                 execute one on Producer's CPU as well: membarrier(2).
 *         The rest is seq_cst, the default; claimed needs no order at all.
 * Try     time ringbuffer-lockfree --items 100000000 --slots 1024
 *         strace -fce futex ringbuffer-lockfree --items 1000000
 *         spin -search tests/ring.pml    tries every order of events
 * Read    futex(2), membarrier(2); C11, 7.17.3 Order and consistency
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "ringbuffer-lockfree needs Linux: futex, membarrier, PR_SET_PDEATHSIG"
#endif
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
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CONSUMERS = 32, MAX_SLOTS = 65536, YIELDS = 8, WAITS = 1 << 16 };

static const char help[] =
    "usage: ringbuffer-lockfree [--consumers N] [--items N] [--slots N]\n"
    "  --consumers N  so many take items (2)\n"
    "  --items N      so many are put (1000)\n"
    "  --slots N      so many fit into the ring (8)\n";

static long consumers = 2, items = 1000, slots = 8, per_block = 1;
static bool has_membarrier;
static struct ring *ring;
struct ring { /* all of it is shared; what is busy has its own cache line */
    _Alignas(64) atomic_long claimed; /* so many items have a Consumer, */
    _Alignas(64) atomic_uint put;     /* of so many that are there */
    _Alignas(64) atomic_uint asleep;  /* so many Consumers sleep */
    _Alignas(64) atomic_uint left[MAX_SLOTS][16]; /* of a block; a line */
    long slot[MAX_SLOTS]; /* an item is its number: 1, 2, 3... */
    atomic_long taken;    /* this and done are for the check */
    bool done[];          /* for each item: it was taken */
};

static void wake_one(void)
{
    if (syscall(SYS_futex, &ring->put, FUTEX_WAKE, 1) == 1)
        atomic_fetch_sub(&ring->asleep, 1); /* now, not when it runs */
}

/* Waits until the block that begins with item i is empty. */
static long *wait_for_room(long i)
{
    atomic_uint *left = ring->left[i % slots / per_block];
    unsigned now, tries = 0;

    while ((now = atomic_load_explicit(left, memory_order_acquire)) &
           ~WAITS) {
        if (tries++ < YIELDS && sched_yield() == 0)
            continue;
        wake_one(); /* the ring is full: one more Consumer will pay */
        if (atomic_compare_exchange_strong(left, &now, now | WAITS))
            syscall(SYS_futex, left, FUTEX_WAIT, now | WAITS, NULL);
    }
    atomic_store_explicit(left, per_block, memory_order_relaxed);
    return &ring->slot[i % slots];
}

static void produce(void)
{
    for (long i = 0, *slot = NULL; i < items; i++) {
        if (i % per_block == 0)
            slot = wait_for_room(i);
        *slot++ = i + 1;
        atomic_store_explicit(&ring->put, i + 1, memory_order_release);
        if (!has_membarrier)
            atomic_thread_fence(memory_order_seq_cst);
        atomic_signal_fence(memory_order_seq_cst); /* for the compiler */
        if (atomic_load(&ring->asleep) == consumers)
            wake_one(); /* else one is awake, and will see the item */
    }
    wake_one(); /* to see the end */
}

/* Waits until more than that many items are put; returns how many are. */
static long wait_for_put(unsigned that)
{
    unsigned put, tries = 0;

    while ((put = atomic_load_explicit(&ring->put, memory_order_acquire)) <=
           that) {
        if (tries++ < YIELDS && sched_yield() == 0)
            continue;
        atomic_fetch_add(&ring->asleep, 1);
        syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
        if (syscall(SYS_futex, &ring->put, FUTEX_WAIT, put, NULL) == -1)
            atomic_fetch_sub(&ring->asleep, 1); /* it has changed */
    }
    return put;
}

static void consume(void)
{
    long from, n, put = 0, taken = 0, last = 0;

    while ((from = atomic_load(&ring->claimed)) < items) {
        atomic_uint *left = ring->left[from % slots / per_block];
        long *slot = &ring->slot[from % slots];

        if (from >= put)
            put = wait_for_put((unsigned)from);
        n = MIN(put - from, per_block - from % per_block);
        if (!atomic_compare_exchange_weak(&ring->claimed, &from, from + n))
            continue;
        for (long *end = slot + n; slot < end; slot++)
            if (*slot > last) /* else it is out of order */
                ring->done[last = *slot] = true;
        taken += n;
        if (atomic_fetch_sub_explicit(left, n, memory_order_release) ==
            (WAITS | n))
            syscall(SYS_futex, left, FUTEX_WAKE, 1);
    }
    atomic_fetch_add(&ring->taken, taken);
    wake_one(); /* another one must see the end, too */
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "consumers", required_argument, NULL, 0 },
        { "items", required_argument, NULL, 1 },
        { "slots", required_argument, NULL, 2 },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static const long max[] = { MAX_CONSUMERS, 1000000000, MAX_SLOTS };
    static long *const value[] = { &consumers, &items, &slots };
    pid_t parent = getpid(), child;
    int opt, status;
    long never = 0;
    char *end;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt > 2) {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
        *value[opt] = strtol(optarg, &end, 10);
        if (*end || end == optarg || *value[opt] < 1 ||
            *value[opt] > max[opt])
            errx(2, "--%s must be a number from 1 to %ld: %s",
                 options[opt].name, max[opt], optarg);
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);
    ring = mmap(NULL, sizeof *ring + (size_t)items + 1,
                PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ring == MAP_FAILED)
        err(1, "mmap for %ld items", items);
    while (per_block < 32 && slots % (8 * per_block) == 0)
        per_block *= 2; /* there will be four blocks, or more */
    for (long n = 0; n <= consumers; n++) {
        if ((child = fork()) == -1)
            err(1, "fork"); /* and PR_SET_PDEATHSIG ends the others */
        if (child > 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody outlives Parent */
        if (getppid() != parent)
            _exit(1);
        prctl(PR_SET_NAME, n ? "consumer" : "producer"); /* for ps(1) */
        has_membarrier = !syscall(
            SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0);
        n ? consume() : produce();
        exit(0);
    }
    while ((child = wait(&status)) > 0)
        if (status != 0) /* what it has claimed is never taken */
            errx(1, "process %d has died: the ring is stuck, all end", child);

    for (long i = 1; i <= items; i++)
        never += !ring->done[i];
    if (never || ring->taken != items)
        errx(1, "of %ld items %ld were taken twice, %ld never", items,
             ring->taken - (items - never), never);
    printf("Parent: %ld items, each taken once, in order\n", items);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
