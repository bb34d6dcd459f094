/*
 * shm-cache - workers share a cache in front of a slow store
 *
 * usage: shm-cache [--workers N] [--no-lock]
 *
 * The cache, 4 slots in shared memory, keeps values that the store is slow
 * to give: a key has its slot, and whose value was there is evicted. Workers
 * get and set keys in turn; one is killed while it fills a slot. Then N of
 * them (default 4) get and set all at once, and check each answer: torn is
 * another key's value, stale is one that has been set since. How many there
 * are without the lock varies from run to run.
 *
 * Watch   what one has missed, the next one hits; who evicts whom.
 * Try     shm-cache --no-lock
 *         shm-cache --workers 16
 * Read    shm_overview(7), pthread_mutexattr_setrobust(3); CS 644, week 5
 *
 * Killed  Who dies with the lock has torn at most the slot that it noted in
 *         advance. A cache may forget, so the next owner empties that slot.
 *         set_with_cache empties the slot before it stores: who dies in
 *         between leaves nothing stale.
 */
#ifndef __linux__
#error "shm-cache needs Linux: robust mutexes, PR_SET_PDEATHSIG"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] = "usage: shm-cache [--workers N] [--no-lock]\n"
                           "  --workers N  so many at the same time (4)\n"
                           "  --no-lock    wrong: nobody takes the lock\n";

/* A value is EACH * key, which is a letter, plus a number that only grows. */
enum { KEYS = 16, SLOTS = 4, EACH = 10000, ROUNDS = 900, DOOMED = 3 };

static struct cache *cache;
struct cache { /* all of it is shared, the store, too */
    pthread_mutex_t lock;
    int hits, misses, store[KEYS];
    struct slot {
        int key, value; /* key 0: empty */
    } slot[SLOTS];
    int filled;        /* the key whose slot is being filled, or was */
    _Atomic int wrong; /* answers */
};

static int no_lock, self, found; /* found: the key that was in the slot */

static void must(int error, const char *call)
{
    if ((errno = error) != 0) /* pthread functions return it */
        err(1, "%s", call);
}

static void lock(void)
{
    struct timespec until;
    int error;

    /* Who is killed when it has just been woken takes the wake-up with it,
     * and the others sleep on: so each looks again after a second. */
    do {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        error = no_lock ? 0 : pthread_mutex_timedlock(&cache->lock, &until);
    } while (error == ETIMEDOUT);
    if (error == EOWNERDEAD) { /* we have the lock, and are to repair */
        printf("%s: EOWNERDEAD, so a slot is emptied\n",
               self ? "Worker" : "Parent");
        cache->slot[cache->filled % SLOTS].key = 0;
        error = pthread_mutex_consistent(&cache->lock);
    }
    must(error, "pthread_mutex_timedlock");
}

static void unlock(void)
{
    must(no_lock ? 0 : pthread_mutex_unlock(&cache->lock), "unlock");
}

/* At times all others run who need not wait for the lock. */
static void dawdle(void)
{
    static int times;

    if (times++ % 7 == 0)
        sched_yield();
}

static int get_with_cache(int key)
{
    struct slot *slot = &cache->slot[key % SLOTS];
    int value;

    lock();
    found = slot->key;
    found == key ? cache->hits++ : cache->misses++;
    if (found != key) {
        cache->filled = key;
        value = cache->store[key % KEYS];
        dawdle();
        slot->key = key;
        dawdle();
        if (self == DOOMED)
            raise(SIGKILL);
        slot->value = value;
    }
    value = slot->value;
    unlock();
    return value;
}

static void set_with_cache(int key, int value)
{
    lock();
    if (cache->slot[key % SLOTS].key == key)
        cache->slot[key % SLOTS].key = 0;
    dawdle();
    cache->store[key % KEYS] = value;
    unlock();
}

/* Worker n: a letter is to get, a capital to set before; or by chance. */
static void start(int n, const char *letters, int workers)
{
    pid_t parent = getpid(), pid = fork();
    int known[KEYS] = { 0 }; /* older than that is stale */
    unsigned seed = (unsigned)n;

    if (pid == -1)
        err(1, "fork of Worker %d", n);
    if (pid != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* no worker outlives Parent */
    if (getppid() != parent)
        _exit(1);
    self = n;
    for (int i = 0; letters ? letters[i] : i < ROUNDS; i++) {
        int letter = letters ? letters[i] : 'a' + rand_r(&seed) % KEYS;
        int key = letter | ('a' - 'A');
        int *last = &known[key % KEYS], value;

        if (letters ? letter != key : key % workers == n % workers && i % 2) {
            *last = 10 * n + i;
            set_with_cache(key, EACH * key + *last);
        }
        value = get_with_cache(key);
        cache->wrong += value / EACH != key || value % EACH < *last;
        *last = value % EACH;
        if (letters)
            printf("Worker %d: %sget %c = %d, a %s, in the slot was %c\n", n,
                   letter == key ? "" : "set and ", key, *last,
                   found == key ? "hit" : "miss", found ? found : '-');
    }
    exit(ferror(stdout) != 0);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "workers", required_argument, NULL, 'w' },
        { "no-lock", no_argument, &no_lock, 1 },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static const char *script[] = { "abea", "abAe", "f", "fae" };
    int fd, opt, status, failed = 0;
    pthread_mutexattr_t attr;
    long workers = 4;
    char name[64], *end;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'w') {
            workers = strtol(optarg, &end, 10);
            if (*end || end == optarg || workers < 1 || workers > KEYS)
                errx(2, "--workers must be from 1 to %d: %s", KEYS, optarg);
        } else if (opt != 0) {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);
    /* The time, too: a killed run may have left one with our pid. */
    snprintf(name, sizeof name, "/shm-cache.%u.%d.%ld", getuid(), getpid(),
             (long)time(NULL));
    fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd == -1 || shm_unlink(name) == -1) /* children inherit the map */
        err(1, "shm_open %s", name);
    /* As ftruncate, but ENOSPC comes now, and not SIGBUS later. */
    must(posix_fallocate(fd, 0, sizeof *cache), "posix_fallocate");
    cache =
        mmap(NULL, sizeof *cache, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (cache == MAP_FAILED)
        err(1, "mmap");
    close(fd);
    must(pthread_mutexattr_init(&attr), "attr");
    must(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED), "attr");
    must(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST), "attr");
    must(pthread_mutex_init(&cache->lock, &attr), "pthread_mutex_init");
    for (int key = 'a'; key < 'a' + KEYS; key++)
        cache->store[key % KEYS] = EACH * key + key - 'a' + 1;

    for (int n = 1; n <= 4; n++) {
        start(n, script[n - 1], 1);
        if (wait(&status) == -1 || status != (n == DOOMED ? SIGKILL : 0))
            failed = 1;
        else if (n == DOOMED)
            printf("Parent: Worker %d was killed in the middle\n", n);
    }
    printf("Parent: %d hits, %d misses\n", cache->hits, cache->misses);
    for (int n = 5; n < 5 + workers; n++)
        start(n, NULL, (int)workers);
    while (wait(&status) > 0)
        failed |= status;
    lock(); /* the last one may have been killed with it */
    for (struct slot *slot = cache->slot; slot < cache->slot + SLOTS; slot++)
        if (slot->key)
            cache->wrong += slot->value != cache->store[slot->key % KEYS];
    unlock();
    printf("Parent: %ld at once, %d torn or stale\n", workers, cache->wrong);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    if (cache->wrong || failed)
        errx(1, failed ? "a Worker was killed, or failed" : "wrong answers");
    return 0;
}
