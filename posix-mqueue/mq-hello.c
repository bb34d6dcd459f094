/*
 * mq-hello - a message waits in a queue until somebody takes it
 *
 * usage: mq-hello
 *
 * Parent makes a queue and forks. Child puts a message with a priority into
 * the queue, and ends. Only then does Parent take the message out: until
 * somebody does, the kernel keeps it.
 *
 * Watch   Parent's wait comes before its mq_receive, and nothing is lost.
 * Try     make the array text one byte shorter: are 99 bytes too few for 24?
 * Read    mq_overview(7), mq_send(3), mq_receive(3); Kerrisk, TLPI, 52.5
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(mqd_t queue)
{
    const char *message = "Hello via message queue!";

    if (mq_send(queue, message, strlen(message), 1) == -1)
        err(1, "mq_send");
}

int main(int argc, char *argv[])
{
    struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 100 };
    char name[40], text[100];
    unsigned priority;
    mqd_t queue;
    ssize_t n;
    int status;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: mq-hello", argv[1]);

    snprintf(name, sizeof name, "/mq-hello.%d", getpid());
    queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
    if (queue == (mqd_t)-1)
        err(1, "mq_open %s", name);
    mq_unlink(name); /* Child inherits the queue: the name can go */

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        child(queue);
        exit(0);
    }
    if (wait(&status) == -1)
        err(1, "wait");
    if (status != 0)
        return 1;

    n = mq_receive(queue, text, sizeof text, &priority);
    if (n == -1)
        err(1, "mq_receive");
    printf("Received (prio=%u): %.*s\n", priority, (int)n, text);
    return 0;
}
