/*
 * Wrong: one empty message, for all Workers.
 * Loses: every Worker learns that there are no more jobs
 * Loses: all children come to their end, and are waited for
 * Loses: Workers do not get in each other's way when they count
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 10, MAX_JOBS = 50000 };

static int workers = 4, jobs = 1000;
static _Atomic int *done; /* how often was each job done? */
static mqd_t queue;

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
        int n = snprintf(text, SIZE, "%d", i);

        if (mq_send(queue, text, (size_t)n + 1, 0) == -1)
            err(1, "mq_send");
    }
    if (mq_send(queue, "", 0, 0) == -1)
        err(1, "mq_send");
}

static void worker(void)
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
    char name[40];

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

    snprintf(name, sizeof name, "/mq-workers.%d", getpid());
    queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
    if (queue == -1)
        err(1, "mq_open");
    mq_unlink(name);
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
