/*
 * Right: the parent puts the items in, under a mutex and with two conditions
 * in a shared memory object. A last item for each Consumer, -1, ends it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct ring {
    pthread_mutex_t mutex;
    pthread_cond_t not_full, not_empty;
    size_t head, tail, used, size;
    int where[]; /* first the slots, then a counter for each item */
};

enum what { CONSUMERS, ITEMS, SLOTS };
static const char *const words[] = { "--consumers", "--items", "--slots" };
static int numbers[] = { 2, 1000, 8 };

static _Noreturn void die(int status, const char *message)
{
    fprintf(stderr, "ringbuffer %s", message);
    fputs(status == 1 ? strerror(errno) : "", stderr);
    fputc('\n', stderr);
    exit(status);
}

static void put(struct ring *ring, int item)
{
    pthread_mutex_lock(&ring->mutex);
    while (ring->used == ring->size)
        pthread_cond_wait(&ring->not_full, &ring->mutex);
    ring->where[ring->head] = item;
    ring->head = (ring->head + 1) % ring->size;
    ring->used++;
    pthread_cond_signal(&ring->not_empty);
    pthread_mutex_unlock(&ring->mutex);
}

static int take(struct ring *ring)
{
    int item;

    pthread_mutex_lock(&ring->mutex);
    while (ring->used == 0)
        pthread_cond_wait(&ring->not_empty, &ring->mutex);
    item = ring->where[ring->tail];
    ring->tail = (ring->tail + 1) % ring->size;
    ring->used--;
    if (item >= 0)
        ring->where[ring->size + (size_t)item]++;
    pthread_cond_signal(&ring->not_full);
    pthread_mutex_unlock(&ring->mutex);
    return item;
}

static struct ring *make(void)
{
    size_t count = (size_t)(numbers[SLOTS] + numbers[ITEMS]);
    size_t bytes = sizeof(struct ring) + count * sizeof(int);
    pthread_mutexattr_t mutex;
    pthread_condattr_t cond;
    struct ring *ring;
    char name[30];
    int fd;

    snprintf(name, sizeof name, "/carousel-%d", getpid());
    fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    if (fd < 0)
        die(1, "finds no memory: ");
    shm_unlink(name);
    if (ftruncate(fd, (off_t)bytes))
        die(1, "gets no memory: ");
    ring = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (ring == MAP_FAILED)
        die(1, "sees no memory: ");
    close(fd);
    ring->size = (size_t)numbers[SLOTS];
    for (size_t i = 0; i < count; i++)
        ring->where[i] = 0;
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&ring->mutex, &mutex);
    pthread_condattr_init(&cond);
    pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&ring->not_full, &cond);
    pthread_cond_init(&ring->not_empty, &cond);
    return ring;
}

int main(int argc, char *argv[])
{
    int what, status, bad = 0, often = 0, never = 0;
    struct ring *ring;
    char left;

    for (int i = 1; i < argc; i += 2) {
        for (what = 0; what < 3 && strcmp(argv[i], words[what]); what++)
            ;
        if (what == 3 || i + 1 == argc ||
            sscanf(argv[i + 1], "%8d%c", &numbers[what], &left) != 1 ||
            numbers[what] < 1)
            die(2, "takes --consumers, --items and --slots, and numbers");
    }
    ring = make();

    for (int i = 0; i < numbers[CONSUMERS]; i++) {
        pid_t pid = fork();

        if (pid < 0)
            die(1, "cannot have a child: ");
        if (pid > 0)
            continue;
        while (take(ring) >= 0)
            ;
        _exit(EXIT_SUCCESS);
    }
    for (int i = 0; i < numbers[ITEMS]; i++)
        put(ring, i);
    for (int i = 0; i < numbers[CONSUMERS]; i++)
        put(ring, -1);
    while (wait(&status) > 0)
        bad |= status;

    for (int i = 0; i < numbers[ITEMS]; i++) {
        int times = ring->where[numbers[SLOTS] + i];

        often += times > 1;
        never += times < 1;
    }
    printf("%d put; %d taken too often, %d not at all\n", numbers[ITEMS],
           often, never);
    return bad || often || never;
}
