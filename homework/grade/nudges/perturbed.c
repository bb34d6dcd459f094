/*
 * perturbed - a nap before each store to memory that processes share
 *
 * A program compiled with -fsanitize=thread calls a function before each load
 * and store. Those here stand in place of the sanitizer's own: before a store
 * to a shared mapping the process naps for half a millisecond, so that
 * another one, if no lock keeps it out, comes between a load and its store.
 * With 50 rounds every run then loses additions; without it hardly any does.
 * Before the first fork nobody can come between, and a program may clear all
 * its memory.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct mapping {
    uintptr_t from, to;
};

static int holds(const struct mapping *map, uintptr_t address)
{
    return map->from <= address && address < map->to;
}

/* Looks into /proc only where the last answers do not help. */
static int is_shared(uintptr_t address)
{
    static struct mapping shared, private[4];
    static unsigned next;
    struct mapping map;
    char mode[5], line[512];
    FILE *maps;

    if (holds(&shared, address))
        return 1;
    for (int i = 0; i < 4; i++)
        if (holds(&private[i], address))
            return 0;
    maps = fopen("/proc/self/maps", "re");
    if (!maps)
        return 0;
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx %4s", &map.from, &map.to, mode) == 3 &&
            holds(&map, address))
            *(mode[3] == 's' ? &shared : &private[next++ % 4]) = map;
    }
    fclose(maps);
    return holds(&shared, address);
}

static struct timespec nap = { .tv_nsec = 500000 };
static int forked;

static void now_forked(void)
{
    forked = 1;
}

static void store(void *address)
{
    if (forked && is_shared((uintptr_t)address))
        nanosleep(&nap, NULL);
}

void __tsan_init(void)
{
    const char *ms = getenv("NAP");

    if (ms) {
        nap.tv_sec = atol(ms) / 1000;
        nap.tv_nsec = atol(ms) % 1000 * 1000000;
    }
    pthread_atfork(NULL, now_forked, now_forked);
}

void __tsan_func_entry(void *pc)
{
    (void)pc;
}

void __tsan_func_exit(void)
{
}

#define PLAIN(kind, size)                                                    \
    void __tsan_##kind##read##size(void *address)                            \
    {                                                                        \
        (void)address;                                                       \
    }                                                                        \
    void __tsan_##kind##write##size(void *address)                           \
    {                                                                        \
        store(address);                                                      \
    }
PLAIN(, 1)
PLAIN(, 2)
PLAIN(, 4)
PLAIN(, 8)
PLAIN(, 16)
PLAIN(unaligned_, 2)
PLAIN(unaligned_, 4)
PLAIN(unaligned_, 8)
PLAIN(unaligned_, 16)

void __tsan_read_range(void *address, unsigned long size)
{
    (void)address;
    (void)size;
}

void __tsan_write_range(void *address, unsigned long size)
{
    (void)size;
    store(address);
}

/* Atomics do what they would do, after the nap. */
#define CHANGE(bits, name)                                                   \
    uint##bits##_t __tsan_atomic##bits##_##name(uint##bits##_t *at,          \
                                                uint##bits##_t v, int order) \
    {                                                                        \
        (void)order;                                                         \
        store(at);                                                           \
        return __atomic_##name(at, v, __ATOMIC_SEQ_CST);                     \
    }
#define ATOMIC(bits)                                                         \
    uint##bits##_t __tsan_atomic##bits##_load(uint##bits##_t *at, int order) \
    {                                                                        \
        (void)order;                                                         \
        return __atomic_load_n(at, __ATOMIC_SEQ_CST);                        \
    }                                                                        \
    void __tsan_atomic##bits##_store(uint##bits##_t *at, uint##bits##_t v,   \
                                     int order)                              \
    {                                                                        \
        (void)order;                                                         \
        store(at);                                                           \
        __atomic_store_n(at, v, __ATOMIC_SEQ_CST);                           \
    }                                                                        \
    uint##bits##_t __tsan_atomic##bits##_exchange(                           \
        uint##bits##_t *at, uint##bits##_t v, int order)                     \
    {                                                                        \
        (void)order;                                                         \
        store(at);                                                           \
        return __atomic_exchange_n(at, v, __ATOMIC_SEQ_CST);                 \
    }                                                                        \
    int __tsan_atomic##bits##_compare_exchange_strong(                       \
        uint##bits##_t *at, uint##bits##_t *old, uint##bits##_t v,           \
        int order, int failed)                                               \
    {                                                                        \
        (void)order;                                                         \
        (void)failed;                                                        \
        store(at);                                                           \
        return __atomic_compare_exchange_n(at, old, v, 0, __ATOMIC_SEQ_CST,  \
                                           __ATOMIC_SEQ_CST);                \
    }                                                                        \
    int __tsan_atomic##bits##_compare_exchange_weak(                         \
        uint##bits##_t *at, uint##bits##_t *old, uint##bits##_t v,           \
        int order, int failed)                                               \
    {                                                                        \
        return __tsan_atomic##bits##_compare_exchange_strong(at, old, v,     \
                                                             order, failed); \
    }                                                                        \
    CHANGE(bits, fetch_add)                                                  \
    CHANGE(bits, fetch_sub)                                                  \
    CHANGE(bits, fetch_and)                                                  \
    CHANGE(bits, fetch_or)                                                   \
    CHANGE(bits, fetch_xor)                                                  \
    CHANGE(bits, fetch_nand)
ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)

void __tsan_atomic_thread_fence(int order)
{
    (void)order;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}
