/*
 * mq-priority - the highest priority comes first, and of equals the oldest
 *
 * usage: mq-priority
 *
 * Parent puts four messages into a queue: low, high, mid and mid again.
 * Child, which starts when all four are there, takes them out one by one.
 *
 * Watch   high comes out first, though it was not sent first. The two of
 *         priority 5 keep their order.
 * Try     give all four the same priority: in which order do they come?
 * Read    mq_send(3), mq_receive(3), mq_overview(7); Kerrisk, TLPI, 52.5.1
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGES = 4, SIZE = 20 };

static void put(mqd_t queue, const char *text, unsigned priority)
{
    printf("Parent sends (prio=%u): %s\n", priority, text);
    if (mq_send(queue, text, strlen(text), priority) == -1)
        err(1, "mq_send");
}

static void child(mqd_t queue)
{
    char text[SIZE];
    unsigned priority;
    ssize_t n;

    for (int i = 0; i < MESSAGES; i++) {
        n = mq_receive(queue, text, sizeof text, &priority);
        if (n == -1)
            err(1, "mq_receive");
        printf("Child got (prio=%u): %.*s\n", priority, (int)n, text);
    }
}

int main(int argc, char *argv[])
{
    struct mq_attr attr = { .mq_maxmsg = MESSAGES, .mq_msgsize = SIZE };
    char name[40];
    mqd_t queue;
    int status;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: mq-priority", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    snprintf(name, sizeof name, "/mq-priority.%d", getpid());
    queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
    if (queue == (mqd_t)-1)
        err(1, "mq_open %s", name);
    mq_unlink(name); /* Child inherits the queue: the name can go */
    put(queue, "low", 1);
    put(queue, "high", 9);
    put(queue, "mid", 5);
    put(queue, "mid again", 5);

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(10); /* ends an endless wait */
        child(queue);
        exit(0);
    }
    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Child waits in mq_receive");
    return status != 0;
}
