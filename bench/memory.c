/*
 * memory.c - shared memory, with five ways to wait; and the two floors
 *
 * See streams.c for what open, send and receive are. Sender copies a message
 * into a slot of a ring, Receiver copies it out.
 */
#define _GNU_SOURCE
#include <err.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ipcbench.h"

enum what { ROOM, ITEMS }; /* what one waits for, and the other announces */

struct count { /* of one of the two, in each mechanism's own form */
    _Alignas(64) sem_t sem;
    _Alignas(64) unsigned n; /* under the ring's lock */
    pthread_cond_t changed;
    _Alignas(64) atomic_uint posted; /* how often; one process writes it */
    _Alignas(64) atomic_bool asleep;
};

struct ring { /* in shared memory, one for each way */
    _Alignas(64) pthread_mutex_t lock;
    struct count count[2];
    _Alignas(64) unsigned char bytes[];
};
static struct ring *ring[2];
static unsigned slots, next[2]; /* next: each process has its own */
static size_t slot_size;

static void ring_open(void)
{
    const size_t most = 1024, least = 16, bytes = 1048576;

    slot_size = (current->size + 63) / 64 * 64;
    slots = (unsigned)(bytes / slot_size);
    if (slots > most)
        slots = most;
    if (slots < least)
        slots = least;
    if (current->mode == LATENCY && !plan.rate)
        slots = 1;
    for (enum way way = THERE; way <= BACK; way++)
        ring[way] = share(sizeof **ring + slots * slot_size);
}

static unsigned char *next_slot(enum way way)
{
    unsigned n = next[way]++;

    if (next[way] == slots)
        next[way] = 0;
    return ring[way]->bytes + n * slot_size;
}

static void put(enum way way, const void *bytes, size_t n)
{
    memcpy(next_slot(way), bytes, n);
}

static void take(enum way way, void *bytes, size_t n)
{
    memcpy(bytes, next_slot(way), n);
}

static void shm_sem_open(void)
{
    ring_open();
    for (enum way way = THERE; way <= BACK; way++)
        for (enum what what = ROOM; what <= ITEMS; what++)
            if (sem_init(&ring[way]->count[what].sem, 1,
                         what == ROOM ? slots : 0) == -1)
                err(1, "sem_init");
}

static void shm_sem_wait(enum way way, enum what what)
{
    if (sem_wait(&ring[way]->count[what].sem) == -1)
        err(1, "sem_wait");
}

static void shm_sem_post(enum way way, enum what what)
{
    if (sem_post(&ring[way]->count[what].sem) == -1)
        err(1, "sem_post");
}

static void shm_sem_send(enum way way, const void *bytes, size_t n)
{
    shm_sem_wait(way, ROOM);
    put(way, bytes, n);
    shm_sem_post(way, ITEMS);
}

static void shm_sem_receive(enum way way, void *bytes, size_t n)
{
    shm_sem_wait(way, ITEMS);
    take(way, bytes, n);
    shm_sem_post(way, ROOM);
}

static int set; /* four semaphores: of each way ROOM and ITEMS */

static void sysv_sem_close(void)
{
    semctl(set, 0, IPC_RMID);
}

static void sysv_sem_open(void)
{
    unsigned short values[4];

    ring_open();
    values[0] = values[2] = (unsigned short)slots;
    values[1] = values[3] = 0;
    set = semget(new_key(), 4, IPC_CREAT | IPC_EXCL | 0600);
    if (set == -1)
        err(1, "semget");
    if (semctl(set, 0, SETALL, values) == -1) {
        warn("semctl: SETALL");
        sysv_sem_close();
        exit(1);
    }
}

static void add(enum way way, enum what what, short n)
{
    struct sembuf one = { .sem_num = (unsigned short)(2 * way + what),
                          .sem_op = n };

    if (semop(set, &one, 1) == -1)
        err(1, "semop");
}

static void sysv_sem_send(enum way way, const void *bytes, size_t n)
{
    add(way, ROOM, -1);
    put(way, bytes, n);
    add(way, ITEMS, 1);
}

static void sysv_sem_receive(enum way way, void *bytes, size_t n)
{
    add(way, ITEMS, -1);
    take(way, bytes, n);
    add(way, ROOM, 1);
}

static void shm_mutex_open(void)
{
    pthread_mutexattr_t mutex;
    pthread_condattr_t cond;

    ring_open();
    check(pthread_mutexattr_init(&mutex), "pthread_mutexattr_init");
    check(pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED),
          "pthread_mutexattr_setpshared");
    check(pthread_condattr_init(&cond), "pthread_condattr_init");
    check(pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED),
          "pthread_condattr_setpshared");
    for (enum way way = THERE; way <= BACK; way++) {
        check(pthread_mutex_init(&ring[way]->lock, &mutex),
              "pthread_mutex_init");
        for (enum what what = ROOM; what <= ITEMS; what++)
            check(pthread_cond_init(&ring[way]->count[what].changed, &cond),
                  "pthread_cond_init");
        ring[way]->count[ROOM].n = slots;
    }
}

static void shm_mutex_wait(enum way way, enum what what)
{
    pthread_mutex_t *lock = &ring[way]->lock;
    struct count *count = &ring[way]->count[what];

    check(pthread_mutex_lock(lock), "pthread_mutex_lock");
    while (count->n == 0)
        check(pthread_cond_wait(&count->changed, lock), "pthread_cond_wait");
    count->n--;
    check(pthread_mutex_unlock(lock), "pthread_mutex_unlock");
}

static void shm_mutex_post(enum way way, enum what what)
{
    pthread_mutex_t *lock = &ring[way]->lock;
    struct count *count = &ring[way]->count[what];

    check(pthread_mutex_lock(lock), "pthread_mutex_lock");
    count->n++;
    check(pthread_cond_signal(&count->changed), "pthread_cond_signal");
    check(pthread_mutex_unlock(lock), "pthread_mutex_unlock");
}

static void shm_mutex_send(enum way way, const void *bytes, size_t n)
{
    shm_mutex_wait(way, ROOM);
    put(way, bytes, n);
    shm_mutex_post(way, ITEMS);
}

static void shm_mutex_receive(enum way way, void *bytes, size_t n)
{
    shm_mutex_wait(way, ITEMS);
    take(way, bytes, n);
    shm_mutex_post(way, ROOM);
}

/* How often we have waited for each, and have gone on. */
static unsigned passed[2][2];

static void words_open(void)
{
    ring_open();
    for (enum way way = THERE; way <= BACK; way++)
        atomic_store(&ring[way]->count[ROOM].posted, slots);
}

static void futex_wait(enum way way, enum what what)
{
    struct count *count = &ring[way]->count[what];
    unsigned before = passed[way][what]++;

    while (atomic_load(&count->posted) == before) {
        atomic_store(&count->asleep, true);
        syscall(SYS_futex, &count->posted, FUTEX_WAIT, before, NULL);
        atomic_store(&count->asleep, false);
    }
}

static void futex_post(enum way way, enum what what)
{
    struct count *count = &ring[way]->count[what];

    atomic_fetch_add(&count->posted, 1);
    if (atomic_load(&count->asleep))
        syscall(SYS_futex, &count->posted, FUTEX_WAKE, 1);
}

static void futex_send(enum way way, const void *bytes, size_t n)
{
    futex_wait(way, ROOM);
    put(way, bytes, n);
    futex_post(way, ITEMS);
}

static void futex_receive(enum way way, void *bytes, size_t n)
{
    futex_wait(way, ITEMS);
    take(way, bytes, n);
    futex_post(way, ROOM);
}

static void spin_wait(enum way way, enum what what)
{
    struct count *count = &ring[way]->count[what];
    unsigned before = passed[way][what]++, looks = 1;

    while (atomic_load_explicit(&count->posted, memory_order_acquire) ==
           before)
        relax(looks++);
}

static void spin_post(enum way way, enum what what)
{
    struct count *count = &ring[way]->count[what];
    unsigned n = atomic_load_explicit(&count->posted, memory_order_relaxed);

    atomic_store_explicit(&count->posted, n + 1, memory_order_release);
}

static void spin_send(enum way way, const void *bytes, size_t n)
{
    spin_wait(way, ROOM);
    put(way, bytes, n);
    spin_post(way, ITEMS);
}

static void spin_receive(enum way way, void *bytes, size_t n)
{
    spin_wait(way, ITEMS);
    take(way, bytes, n);
    spin_post(way, ROOM);
}

/* ---- floors: nothing is faster than these --------------------------- */

enum { LINE = 48 };

static struct line { /* whose turn it is, and what is said: one cache line */
    _Alignas(64) atomic_int turn;
    unsigned char bytes[LINE];
} * line;

static void cache_line_open(void)
{
    line = share(sizeof *line);
    atomic_store(&line->turn, -1);
}

static void cache_line_send(enum way way, const void *bytes, size_t n)
{
    memcpy(line->bytes, bytes, n);
    atomic_store_explicit(&line->turn, (int)way, memory_order_release);
}

static void cache_line_receive(enum way way, void *bytes, size_t n)
{
    unsigned looks = 1;

    while (atomic_load_explicit(&line->turn, memory_order_acquire) !=
           (int)way)
        relax(looks++);
    memcpy(bytes, line->bytes, n);
}

static unsigned char *between[2];

static void memcpy_open(void)
{
    for (enum way way = THERE; way <= BACK; way++)
        between[way] = share(current->size);
}

static void memcpy_send(enum way way, const void *bytes, size_t n)
{
    memcpy(between[way], bytes, n);
}

static void memcpy_receive(enum way way, void *bytes, size_t n)
{
    memcpy(bytes, between[way], n);
}

const struct mechanism memory[] = {
    { "shm-sem", "shared ring: sem_wait, sem_post", BOTH, 0, shm_sem_open,
      shm_sem_send, shm_sem_receive, NULL },
    { "sysv-sem", "shared ring: semop", BOTH, 0, sysv_sem_open, sysv_sem_send,
      sysv_sem_receive, sysv_sem_close },
    { "shm-mutex", "shared ring: mutex and condition", BOTH, 0,
      shm_mutex_open, shm_mutex_send, shm_mutex_receive, NULL },
    { "futex", "shared ring: futex, where one has to sleep", BOTH, 0,
      words_open, futex_send, futex_receive, NULL },
    { "spin", "shared ring: nobody sleeps", BOTH | SPINS, 0, words_open,
      spin_send, spin_receive, NULL },
    { "cache-line", "floor: one cache line, to the other core and back",
      LATENCY | SPINS, LINE, cache_line_open, cache_line_send,
      cache_line_receive, NULL },
    { "memcpy", "floor: one process copies in and out", BOTH | ALONE, 0,
      memcpy_open, memcpy_send, memcpy_receive, NULL },
    { 0 },
};
