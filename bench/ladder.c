/*
 * ladder.c - five ways to count: what does it cost that nothing is lost?
 *
 * Two processes add 1 to one number in shared memory until the time is over.
 * The first rung has no lock, so it loses what both have read at once. Each
 * rung after it loses nothing, and costs more than the one before.
 */
#define _GNU_SOURCE
#include <err.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <unistd.h>

#include "ipcbench.h"

static struct shared {                /* each line has one use */
    _Alignas(64) _Atomic long number; /* what both add to */
    _Alignas(64) pthread_mutex_t mutex;
    _Alignas(64) sem_t sem;
    _Alignas(64) uint64_t ns[2];
    long added[2];
} * shared;
static int set;
static void (*add)(void);

static void mutex_open(void)
{
    pthread_mutexattr_t attr;

    check(pthread_mutexattr_init(&attr), "pthread_mutexattr_init");
    check(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED),
          "pthread_mutexattr_setpshared");
    check(pthread_mutex_init(&shared->mutex, &attr), "pthread_mutex_init");
}

static void sem_open_one(void)
{
    if (sem_init(&shared->sem, 1, 1) == -1)
        err(1, "sem_init");
}

static void set_close(void)
{
    semctl(set, 0, IPC_RMID);
}

static void set_open(void)
{
    union semun { /* no header has it */
        int val;
    } one = { .val = 1 };

    set = semget(new_key(), 1, IPC_CREAT | IPC_EXCL | 0600);
    if (set == -1)
        err(1, "semget");
    if (semctl(set, 0, SETVAL, one) == -1) {
        warn("semctl: SETVAL");
        set_close();
        exit(1);
    }
}

/* Reads, adds, writes: three steps, and the other may be between them. */
static void add_plainly(void)
{
    long n = atomic_load_explicit(&shared->number, memory_order_relaxed);

    atomic_store_explicit(&shared->number, n + 1, memory_order_relaxed);
}

static void add_atomically(void)
{
    atomic_fetch_add(&shared->number, 1);
}

static void add_with_mutex(void)
{
    check(pthread_mutex_lock(&shared->mutex), "pthread_mutex_lock");
    add_plainly();
    check(pthread_mutex_unlock(&shared->mutex), "pthread_mutex_unlock");
}

static void add_with_sem(void)
{
    if (sem_wait(&shared->sem) == -1)
        err(1, "sem_wait");
    add_plainly();
    if (sem_post(&shared->sem) == -1)
        err(1, "sem_post");
}

static void change(short by)
{
    struct sembuf one = { .sem_num = 0, .sem_op = by };

    if (semop(set, &one, 1) == -1)
        err(1, "semop");
}

static void add_with_set(void)
{
    change(-1);
    add_plainly();
    change(1);
}

static const struct step {
    const char *name;
    bool loses;
    void (*add)(void), (*open)(void), (*close)(void);
} steps[] = {
    { "no lock", true, add_plainly, NULL, NULL },
    { "atomic", false, add_atomically, NULL, NULL },
    { "mutex", false, add_with_mutex, mutex_open, NULL },
    { "semaphore", false, add_with_sem, sem_open_one, NULL },
    { "sysv-sem", false, add_with_set, set_open, set_close },
};

enum { STEPS = sizeof steps / sizeof *steps };

static struct rung rungs[STEPS];

static void count_up(enum role role)
{
    uint64_t began = clock_ns(), now, end;
    long n = 0;

    end = began + (uint64_t)plan.ms * 1000000;
    do {
        for (int i = 0; i < 16; i++)
            add();
        n += 16;
        now = clock_ns();
    } while (plan.count ? n < plan.count : now < end);
    shared->added[role] = n;
    shared->ns[role] = now - began;
}

static void first(void)
{
    count_up(SENDER);
}

static void second(void)
{
    count_up(RECEIVER);
}

/* How many a second, and what part of them is not in the number. */
static void read_shared(struct rung *rung, bool loses)
{
    double added = (double)(shared->added[0] + shared->added[1]);
    double lost = added - (double)atomic_load(&shared->number);
    uint64_t ns = shared->ns[shared->ns[0] < shared->ns[1]];

    rung->added_s[rung->rounds++] = added * 1e9 / (double)ns;
    rung->lost += (lost / added - rung->lost) / rung->rounds; /* the mean */
    if (lost != 0 && !loses) {
        warnx("%s: %.0f of %.0f are lost", rung->name, lost, added);
        rung->status = FAILED;
    }
}

static void climb_one(const struct step *step, struct rung *rung)
{
    struct pair pair = { .name = step->name,
                         .cpu = { plan.cpu[0], plan.cpu[1] },
                         .limit = plan.limit + (int)(plan.ms / 1000),
                         .open = step->open,
                         .close = step->close,
                         .role = { first, second } };

    memset(shared, 0, sizeof *shared);
    add = step->add;
    rung->status = run_pair(&pair);
    if (rung->status == 0)
        read_shared(rung, step->loses);
}

void climb(struct report *report)
{
    if (!shared)
        shared = share(sizeof *shared);
    report->rungs = rungs;
    report->rung_count = STEPS;
    for (int i = 0; i < STEPS; i++) {
        rungs[i].name = steps[i].name;
        if (rungs[i].status == 0)
            climb_one(&steps[i], &rungs[i]);
    }
}
