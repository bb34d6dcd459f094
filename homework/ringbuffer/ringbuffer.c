/*
 * ringbuffer - one process puts items into a shared ring, many take them
 *
 * usage: ringbuffer [--consumers N] [--items N] [--slots N]
 *
 * (Say here in three lines what happens. The task is in README.md.)
 */
#define _GNU_SOURCE
#include <err.h>
#include <getopt.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: ringbuffer [--consumers N] [--items N] [--slots N]";
static int consumers = 2, items = 1000, slots = 8;

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "consumers", required_argument, NULL, 'c' },
        { "items", required_argument, NULL, 'i' },
        { "slots", required_argument, NULL, 's' },
        { 0 },
    };
    int opt;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'c')
            consumers = atoi(optarg); /* is it a number? */
        else if (opt == 'i')
            items = atoi(optarg);
        else if (opt == 's')
            slots = atoi(optarg);
        else
            errx(2, "%s", usage);
    }

    /* mmap, sem_init, fork, sem_wait, sem_post, wait */
    errx(1, "%d Consumers, %d items, %d slots: not written yet", consumers,
         items, slots);
}
