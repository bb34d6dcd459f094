/*
 * mq-workers - hand out work: a Worker that is free takes the next job
 *
 * usage: mq-workers [--workers N] [--jobs N]
 *
 * Sender puts jobs (default 1000) into a queue. Each Worker (default 4) takes
 * one whenever it is free. A job is a message: its number, as a string. A
 * queue has no end of file, so at the end Sender puts in an empty message for
 * each Worker: no more jobs.
 *
 * Watch   without any lock each job is done exactly once: a message goes to
 *         one Worker, and as a whole.
 * Try     let Sender put in one empty message fewer, and wait 10 seconds.
 * Read    mq_overview(7), mq_receive(3); Kerrisk, TLPI, 52.5
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WORKERS = 100, MAX_JOBS = 50000, SIZE = 10 };

static const char usage[] = "usage: mq-workers [--workers N] [--jobs N]";
static int workers = 4, jobs = 1000;

static int number(const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "not a number from 1 to %d: %s\n%s", max, word, usage);
    return (int)n;
}

static void sender(mqd_t queue)
{
    char text[SIZE];

    for (int i = 0; i < jobs + workers; i++) {
        /* A job goes with its NUL; an empty message has 0 bytes. */
        int n = i < jobs ? snprintf(text, SIZE, "%d", i) + 1 : 0;

        if (mq_send(queue, text, (size_t)n, 0) == -1)
            err(1, "mq_send");
    }
}

static void worker(mqd_t queue, _Atomic int *done)
{
    char text[SIZE];
    ssize_t n;

    while ((n = mq_receive(queue, text, sizeof text, NULL)) > 0)
        done[atoi(text)]++;
    if (n == -1)
        err(1, "mq_receive");
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "workers", required_argument, NULL, 'w' },
        { "jobs", required_argument, NULL, 'j' },
        { 0 },
    };
    struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = SIZE };
    int opt, status, once = 0, failed = 0;
    _Atomic int *done;
    char name[40];
    mqd_t queue;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'w')
            workers = number(optarg, MAX_WORKERS);
        else if (opt == 'j')
            jobs = number(optarg, MAX_JOBS);
        else
            errx(2, "%s", usage);
    }
    if (optind < argc)
        errx(2, "unexpected argument: %s\n%s", argv[optind], usage);

    snprintf(name, sizeof name, "/mq-workers.%d", getpid());
    queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
    if (queue == (mqd_t)-1)
        err(1, "mq_open %s", name);
    mq_unlink(name); /* the children inherit the queue: the name can go */
    /* Shared memory, only to check that each job was done once. */
    done = mmap(NULL, MAX_JOBS * sizeof *done, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (done == MAP_FAILED)
        err(1, "mmap");

    for (int i = 0; i <= workers; i++) {
        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            alarm(10); /* ends an endless wait */
            if (i == 0)
                sender(queue);
            else
                worker(queue, done);
            exit(0);
        }
    }
    for (int i = 0; i <= workers; i++) {
        if (wait(&status) == -1)
            err(1, "wait");
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
            errx(124, "stuck, or too much for 10 s: Sender or Worker waits");
        failed |= status;
    }

    for (int i = 0; i < jobs; i++)
        once += done[i] == 1;
    printf("Parent: %d of %d jobs are done, each once\n", once, jobs);
    return failed || once < jobs;
}
