/*
 * Right: a System V segment and a set of three semaphores. The first child is
 * Producer, and closes the ring with a flag. Each Consumer keeps a list of
 * its own, which goes through a pipe at its end; the parent waits for it in
 * poll.
 */
#define _GNU_SOURCE
#include <err.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FREE, FULL, TURN };

static long consumers = 2, items = 1000, slots = 8;
static int set, report[2];
static struct hoop {
    long get;
    bool closed;
    long thing[];
} * hoop;

static void step(unsigned short which, short by)
{
    struct sembuf op = { which, by, 0 };

    if (semop(set, &op, 1) < 0)
        err(1, "semop");
}

static int producer(void)
{
    for (long put = 0; put < items; put++) {
        step(FREE, -1);
        hoop->thing[put % slots] = put;
        step(FULL, 1);
    }
    hoop->closed = true;
    step(FULL, 1); /* wakes one, which wakes the next */
    return 0;
}

static int consumer(void)
{
    long *list = malloc((size_t)items * sizeof *list), count = 0;
    long put = items;

    while (list) {
        step(FULL, -1);
        step(TURN, -1);
        if (hoop->closed && hoop->get == put) {
            step(TURN, 1);
            step(FULL, 1);
            break;
        }
        list[count++] = hoop->thing[hoop->get++ % slots];
        step(FREE, 1);
        step(TURN, 1);
    }
    for (long i = 0; i < count; i += PIPE_BUF / sizeof *list) {
        size_t n = (size_t)(count - i) * sizeof *list;

        if (write(report[1], list + i, n < PIPE_BUF ? n : PIPE_BUF) < 0)
            err(1, "write");
    }
    return !list;
}

static long parse(const char *word)
{
    char *end;
    long number = strtol(word, &end, 0);

    if (*end || end == word || number <= 0 || number > 1000000)
        errx(2, "I need a number, not '%s'", word);
    return number;
}

int main(int argc, char *argv[])
{
    static struct option options[] = { { "items", 1, 0, 0 },
                                       { "slots", 1, 0, 1 },
                                       { "consumers", 1, 0, 2 },
                                       { 0 } };
    long *into[] = { &items, &slots, &consumers };
    long page[512], twice = 0, never;
    unsigned char *seen;
    int c, id, failed = 0;
    struct pollfd end;
    ssize_t n;

    while ((c = getopt_long(argc, argv, "", options, 0)) >= 0) {
        if (c > 2)
            return 2;
        *into[c] = parse(optarg);
    }
    if (optind != argc)
        errx(2, "%s is one word too many", argv[optind]);

    seen = calloc((size_t)items, 1);
    id = shmget(IPC_PRIVATE, sizeof *hoop + (size_t)slots * sizeof(long),
                0600);
    if (id < 0 || !seen)
        err(1, "shmget");
    hoop = shmat(id, NULL, 0);
    shmctl(id, IPC_RMID, 0);
    if (hoop == (void *)-1)
        err(1, "shmat");
    set = semget(IPC_PRIVATE, 3, 0600);
    if (set < 0)
        err(1, "semget");
    semctl(set, FREE, SETVAL, (int)slots);
    semctl(set, FULL, SETVAL, 0);
    semctl(set, TURN, SETVAL, 1);
    if (pipe(report) < 0) {
        semctl(set, 0, IPC_RMID);
        err(1, "pipe");
    }

    for (long i = 0; i <= consumers; i++) {
        switch (fork()) {
        case -1:
            semctl(set, 0, IPC_RMID);
            err(1, "fork");
        case 0:
            close(report[0]);
            exit(i == 0 ? producer() : consumer());
        }
    }
    close(report[1]);
    end = (struct pollfd){ .fd = report[0], .events = POLLIN };
    never = items;
    while (poll(&end, 1, -1) > 0 &&
           (n = read(report[0], page, sizeof page)) > 0) {
        for (size_t i = 0; i < (size_t)n / sizeof *page; i++) {
            never -= seen[page[i]] == 0;
            twice += seen[page[i]] == 1;
            seen[page[i]] += seen[page[i]] < 2;
        }
    }
    for (int status; wait(&status) > 0;)
        failed |= status;
    semctl(set, 0, IPC_RMID);
    printf("of %ld items %ld came twice and %ld never\n", items, twice,
           never);
    return failed != 0 || twice > 0 || never > 0;
}
