/*
 * ringbuffer - one puts items into a ring in shared memory, many take them
 *
 * usage: ringbuffer [--consumers N] [--items N] [--slots N] [--no-lock]
 *
 * Producer waits for room and fills the next slot; a Consumer waits for a
 * filled slot and empties it. Two semaphores count them, a third one is the
 * lock of the Consumers. Each item has a number: at the end Parent checks
 * that all were taken, each once, and by each Consumer in order.
 *
 * Watch   produce and consume: who has nothing to do sleeps in sem_wait.
 * Try     ringbuffer --no-lock              two Consumers take one item
 *         ringbuffer --no-lock --slots 1    why does this go well?
 *         ringbuffer --items 100000000 & sleep 1; pkill -9 -n consumer
 *                                           what do the others do?
 * Read    sem_overview(7), mmap(2); Tanenbaum & Bos, MOS, 2.3.5
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "ringbuffer needs Linux: sem_init (macOS has none), PR_SET_PDEATHSIG"
#endif
#include <err.h>
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
#include <time.h>
#include <unistd.h>

enum { MAX_CONSUMERS = 32, MAX_SLOTS = 65536 };

static const char help[] =
    "usage: ringbuffer [--consumers N] [--items N] [--slots N] [--no-lock]\n"
    "  --consumers N  so many take items (2)\n"
    "  --items N      so many are put (1000)\n"
    "  --slots N      so many fit into the ring (8)\n"
    "  --no-lock      wrong: the Consumers do not keep each other out\n";

static long consumers = 2, items = 1000, slots = 8;
static int no_lock;

static struct ring *ring;
struct ring {             /* all of it is shared */
    sem_t room;           /* how many slots are empty */
    sem_t filled;         /* how many hold an item */
    sem_t lock;           /* 1: no Consumer is at the ring */
    long next;            /* the slot to be emptied: the lock is for this */
    bool end;             /* nothing more will come */
    _Atomic int company;  /* --no-lock: so many have been at a slot */
    long slot[MAX_SLOTS]; /* an item is its number: 1, 2, 3... */
    /* For the check: what each Consumer took last, and how many it took. */
    long held[1 + MAX_CONSUMERS], taken[1 + MAX_CONSUMERS];
    bool done[]; /* for each item: it was taken, and in order */
};

static void down(sem_t *sem)
{
    for (int tries = 0; tries < 4; tries++) {
        if (sem_trywait(sem) == 0)
            return;
        sched_yield(); /* it may be soon, and to sleep is expensive */
    }
    if (sem_wait(sem) == -1) /* no handler, so no EINTR */
        err(1, "sem_wait");
}

static void up(sem_t *sem)
{
    if (sem_post(sem) == -1)
        err(1, "sem_post");
}

static void produce(void)
{
    for (long i = 0; i < items; i++) {
        down(&ring->room);
        ring->slot[i % slots] = i + 1;
        up(&ring->filled);
    }

    for (long i = 0; i < slots; i++) /* all room is back: all is taken */
        down(&ring->room);
    ring->end = true;
    up(&ring->filled);
}

/* --no-lock: leaves the first slot when another one is there, too. */
static void wait_for_another(void)
{
    time_t end = time(NULL) + 2; /* if there is but one item, none comes */

    for (ring->company++; ring->company < 2 && time(NULL) < end;)
        sched_yield();
}

static void consume(int me)
{
    long last = 0, next, item;

    for (down(&ring->filled); !ring->end; down(&ring->filled)) {
        if (!no_lock)
            down(&ring->lock);
        next = ring->next;
        if (no_lock && last == 0 && consumers > 1 && slots > 1)
            wait_for_another();
        item = ring->slot[next % slots];
        ring->held[me] = item;
        ring->next = next + 1;
        if (!no_lock)
            up(&ring->lock);
        up(&ring->room); /* slots become empty in order, thanks to the lock */

        ring->taken[me]++;
        if (item > last) /* else it is out of order */
            ring->done[last = item] = true;
    }
    up(&ring->filled); /* another one must see the end, too */
}

static long number(const char *option, const char *word, long max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "%s must be a number from 1 to %ld: %s", option, max, word);
    return n;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "consumers", required_argument, NULL, 'c' },
        { "items", required_argument, NULL, 'i' },
        { "slots", required_argument, NULL, 's' },
        { "no-lock", no_argument, &no_lock, true },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    pid_t parent = getpid(), child, pid[1 + MAX_CONSUMERS];
    long taken = 0, never = 0;
    int opt, status, n, room, lock;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'c') {
            consumers = number("--consumers", optarg, MAX_CONSUMERS);
        } else if (opt == 'i') {
            items = number("--items", optarg, 1000000000);
        } else if (opt == 's') {
            slots = number("--slots", optarg, MAX_SLOTS);
        } else if (opt != 0) { /* 0: a flag, and set */
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    ring = mmap(NULL, sizeof *ring + (size_t)items + 1,
                PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ring == MAP_FAILED)
        err(1, "mmap for %ld items", items);
    if (sem_init(&ring->room, 1, (unsigned)slots) == -1 || /* 1: shared */
        sem_init(&ring->filled, 1, 0) == -1 ||
        sem_init(&ring->lock, 1, 1) == -1)
        err(1, "sem_init");

    for (n = 0; n <= consumers; n++) {
        pid[n] = fork();
        if (pid[n] == -1)
            err(1, "fork"); /* and PR_SET_PDEATHSIG ends the others */
        if (pid[n] > 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody outlives Parent */
        if (getppid() != parent)
            _exit(1);
        prctl(PR_SET_NAME, n ? "consumer" : "producer"); /* for ps(1) */
        n ? consume(n) : produce();
        exit(0);
    }
    while ((child = wait(&status)) > 0 && status == 0)
        ;
    if (child > 0) { /* the others might wait for it, so all must end */
        for (n = (int)consumers; n > 0 && pid[n] != child; n--)
            ;
        warnx("%s has died", n ? "a Consumer" : "Producer");
        if (ring->held[n] && !ring->done[ring->held[n]])
            warnx("item %ld is lost with it", ring->held[n]);
        return 1;
    }

    for (long i = 1; i <= items; i++)
        never += !ring->done[i];
    for (n = 1; n <= consumers; n++)
        taken += ring->taken[n];
    if (never || taken != items)
        errx(1, "of %ld items %ld were taken twice, %ld never", items,
             taken - (items - never), never);
    if (sem_getvalue(&ring->room, &room) == -1 || room != 0 ||
        sem_getvalue(&ring->lock, &lock) == -1 || lock != 1)
        errx(1, "the semaphores do not end at 0 and 1");
    printf("Parent: %ld items, each taken once, in order\n", items);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
