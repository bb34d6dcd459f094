/*
 * Wrong: the jobs go through a pipe.
 * Loses: a job is one message, and all Workers take from one queue
 * Loses: each run makes a queue of its own
 * Loses: if there can be no queue, it says so and does nothing
 */
#define _GNU_SOURCE
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 10, MAX_JOBS = 50000 };

static int workers = 4, jobs = 1000;
static _Atomic int *done; /* how often was each job done? */
static int queue[2];

static int number(const char *word)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (end == word || *end || n < 1 || n > MAX_JOBS)
        errx(2, "not a number: %s", word);
    return (int)n;
}

static void sender(void)
{
    char text[SIZE];

    for (int i = 0; i < jobs; i++) {
        snprintf(text, SIZE, "%d", i);
        if (write(queue[1], text, SIZE) == -1)
            err(1, "write");
    }
}

static void worker(void)
{
    char text[SIZE];
    ssize_t n;

    close(queue[1]);
    while ((n = read(queue[0], text, sizeof text)) > 0)
        done[atoi(text)]++;
    if (n == -1)
        err(1, "read");
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "workers", required_argument, NULL, 'w' },
        { "jobs", required_argument, NULL, 'j' },
        { 0 },
    };
    int opt, status, once = 0, failed = 0;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'w')
            workers = number(optarg);
        else if (opt == 'j')
            jobs = number(optarg);
        else
            errx(2, "usage: mq-workers [--workers N] [--jobs N]");
    }
    if (optind < argc)
        errx(2, "what is %s?", argv[optind]);

    if (pipe(queue) == -1)
        err(1, "pipe");
    done = mmap(NULL, MAX_JOBS * sizeof *done, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (done == MAP_FAILED)
        err(1, "mmap");

    for (int i = 0; i <= workers; i++) {
        pid_t pid = fork();

        if (pid == -1)
            err(1, "fork");
        if (pid == 0) {
            if (i == 0)
                sender();
            else
                worker();
            exit(0);
        }
    }
    close(queue[1]);
    for (int i = 0; i <= workers; i++) {
        if (wait(&status) == -1)
            err(1, "wait");
        failed |= status;
    }
    for (int i = 0; i < jobs; i++)
        once += done[i] == 1;
    printf("%d of %d jobs are done, each once\n", once, jobs);
    return failed || once < jobs;
}
