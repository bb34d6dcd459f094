/*
 * Right: a thread of the parent is Producer. A Consumer draws a ticket, which
 * says which slot is its next one; each slot has two semaphores of its own.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct slot {
    sem_t empty;
    sem_t full;
    unsigned item;
};

static unsigned consumers = 2, items = 1000, slots = 8;
static struct slot *ring;
static atomic_uint *taken; /* by item; the last one is the ticket counter */

static void *shared(size_t size, size_t count)
{
    void *p = mmap(NULL, size * count, PROT_READ | PROT_WRITE,
                   MAP_ANONYMOUS | MAP_SHARED, -1, 0);

    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return p;
}

static void *producer(void *unused)
{
    for (unsigned ticket = 0; ticket < items; ticket++) {
        struct slot *slot = ring + ticket % slots;

        sem_wait(&slot->empty);
        slot->item = ticket;
        sem_post(&slot->full);
    }
    return unused;
}

static void consumer(void)
{
    unsigned ticket;

    while ((ticket = taken[items]++) < items) {
        struct slot *slot = ring + ticket % slots;

        sem_wait(&slot->full);
        taken[slot->item]++;
        sem_post(&slot->empty);
    }
}

static void usage(void)
{
    static const char text[] =
        "options: --consumers NUMBER, --items NUMBER, --slots NUMBER\n";

    (void)!write(STDERR_FILENO, text, strlen(text));
    exit(2);
}

int main(int argc, char *argv[])
{
    unsigned more_than_once = 0, never = 0;
    pthread_t thread;
    siginfo_t info;
    int bad = 0;

    for (argv++; argc > 1; argv += 2, argc -= 2) {
        unsigned *number = NULL;
        char *rest = "";

        if (!strcmp(argv[0], "--consumers"))
            number = &consumers;
        if (!strcmp(argv[0], "--items"))
            number = &items;
        if (!strcmp(argv[0], "--slots"))
            number = &slots;
        if (!number || argc == 2 || argv[1][0] < '0' || argv[1][0] > '9')
            usage();
        *number = (unsigned)strtoul(argv[1], &rest, 10);
        if (*rest || *number == 0 || *number > 123456)
            usage();
    }

    ring = shared(sizeof *ring, slots);
    taken = shared(sizeof *taken, items + 1);
    for (unsigned i = 0; i < slots; i++) {
        sem_init(&ring[i].empty, 1, 1);
        sem_init(&ring[i].full, 1, 0);
    }
    for (unsigned i = 0; i < consumers; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            consumer();
            return 0;
        }
        if (pid == -1) {
            perror("no more processes");
            return 1;
        }
    }
    if (pthread_create(&thread, NULL, producer, NULL)) {
        fputs("no thread\n", stderr);
        return 1;
    }
    for (unsigned i = 0; i < consumers; i++) {
        waitid(P_ALL, 0, &info, WEXITED);
        bad |= info.si_code != CLD_EXITED || info.si_status != 0;
    }
    if (bad)
        pthread_cancel(thread); /* it may wait for one that is dead */
    pthread_join(thread, NULL);

    for (unsigned i = 0; i < items; i++) {
        more_than_once += taken[i] > 1;
        never += taken[i] == 0;
    }
    printf("items %u\tmore than once %u\tnever %u\n", items, more_than_once,
           never);
    return bad || more_than_once || never;
}
