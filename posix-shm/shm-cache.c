/*
 * shm-cache - workers share a cache in front of a slow store
 *
 * usage: shm-cache [--no-lock]
 *
 * The cache has 4 slots. A key can be in one slot only, key % 4, and evicts
 * what was there. get_with_cache asks the store for what is not in the cache.
 * set_with_cache takes the old value out of the cache, and stores the new
 * one. Workers 1 and 2 get some keys, one after the other. Then Worker 3
 * sets key 7 a hundred times, while Workers 3 to 6 get it. An answer is stale
 * if it is older than what the same Worker got, or set, before.
 *
 * Watch   what Worker 1 has missed, Worker 2 hits, unless another key has
 *         evicted it: 1 and 5 have the same slot.
 * Try     shm-cache --no-lock    an old value gets into the cache again
 *         leave the old value in the cache: is the lock of any use then?
 * Read    sem_overview(7), mmap(2); Kerrisk, TLPI, ch. 53
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

enum { WORKERS = 6, KEYS = 10, SLOTS = 4, ROUNDS = 100, HOT_KEY = 7 };

static const char usage[] = "usage: shm-cache [--no-lock]\n"
                            "  --no-lock  wrong: nobody takes the lock";
static bool no_lock, hit;

struct cache { /* all of it is shared */
    sem_t lock;
    struct slot {
        int key, value; /* key 0: nothing is there */
    } slot[SLOTS];
    int store[KEYS]; /* the slow one: think of a disk */
    _Atomic int stale;
    _Atomic bool end;
};
static struct cache *cache;

/* Returns a key's value; hit says whether the cache had it. */
static int get_with_cache(int key)
{
    struct slot *slot = &cache->slot[key % SLOTS];
    int value;

    if (!no_lock && sem_wait(&cache->lock) == -1)
        err(1, "sem_wait");
    hit = slot->key == key;
    if (!hit) {
        slot->value = cache->store[key];
        slot->key = key;
    }
    value = slot->value;
    if (!no_lock && sem_post(&cache->lock) == -1)
        err(1, "sem_post");
    return value;
}

static void set_with_cache(int key, int value)
{
    struct slot *slot = &cache->slot[key % SLOTS];

    if (!no_lock && sem_wait(&cache->lock) == -1)
        err(1, "sem_wait");
    if (slot->key == key)
        slot->key = 0;
    /* The race, forced: we wait until another one gets the old value. */
    for (int i = 0; no_lock && i < 100000 && slot->key != key; i++)
        sched_yield();
    cache->store[key] = value;
    if (!no_lock && sem_post(&cache->lock) == -1)
        err(1, "sem_post");
}

/* Workers 1 and 2, one after the other. */
static void get_aloud(int n)
{
    static const int keys[][4] = { { 1, 2, 5, 1 }, { 1, 2, 5, 7 } };

    for (int i = 0; i < 4; i++) {
        int key = keys[n - 1][i], value = get_with_cache(key);

        printf("Worker %d: get %d = %d, a %s\n", n, key, value,
               hit ? "hit" : "miss");
    }
}

/* Workers 3 to 6, all at once; Worker 3 sets what they get. */
static void work(int n)
{
    int last = 0, value;

    for (int i = 1; !cache->end; i++) {
        if (n == 3) {
            last = 100 * HOT_KEY + i;
            set_with_cache(HOT_KEY, last);
            cache->end = i == ROUNDS;
        }
        value = get_with_cache(HOT_KEY);
        cache->stale += value < last; /* what is set only grows */
        last = value;
        sched_yield(); /* here a Worker would use the value */
    }
}

int main(int argc, char *argv[])
{
    int status, failed = 0, stuck = 0;

    no_lock = argc > 1 && strcmp(argv[1], "--no-lock") == 0;
    if (argc > 1 + no_lock)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    cache = mmap(NULL, sizeof *cache, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (cache == MAP_FAILED)
        err(1, "mmap");
    if (sem_init(&cache->lock, 1, 1) == -1)
        err(1, "sem_init");
    for (int key = 1; key < KEYS; key++)
        cache->store[key] = 100 * key;

    for (int n = 1; n <= WORKERS; n++) {
        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            alarm(10); /* ends an endless wait */
            if (n <= 2)
                get_aloud(n);
            else
                work(n);
            exit(0);
        }
        if (n <= 2) {
            if (wait(&status) == -1)
                err(1, "wait");
            failed |= status;
        }
    }
    for (int n = 3; n <= WORKERS; n++) {
        if (wait(&status) == -1)
            err(1, "wait");
        failed |= status;
        stuck |= WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    }
    if (stuck)
        errx(124, "stuck: a Worker waits for the lock, or for Worker 3");
    printf("Parent: %d stale answers\n", cache->stale);
    return failed || cache->stale;
}
