/*
 * mq-limits - what the system does not give: how many, how long, how much
 *
 * usage: mq-limits
 *
 * /proc/sys/fs/mqueue holds the limits of every queue; ulimit -q limits the
 * bytes of all queues of a user. Maker asks for a queue beyond each limit.
 * With the privilege CAP_SYS_RESOURCE, which root often has, msg_max and
 * msgsize_max may be exceeded. queues_max is for all users together, so
 * Maker leaves it alone.
 *
 * Watch   with a limit of 100 bytes not even one message of 100 bytes is
 *         allowed: the kernel counts its own records, too.
 *         And EMFILE ("Too many open files") is about bytes here.
 * Try     (ulimit -q 100; mq-hello)    in bash
 * Read    mq_overview(7), getrlimit(2), capabilities(7); TLPI, 52.8
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "mq-limits needs Linux: RLIMIT_MSGQUEUE, /proc"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static long limit(const char *name)
{
    char path[60];
    FILE *file;
    long n;

    snprintf(path, sizeof path, "/proc/sys/fs/mqueue/%s", name);
    file = fopen(path, "r");
    if (!file)
        err(1, "%s", path);
    if (fscanf(file, "%ld", &n) != 1)
        errx(1, "%s: there is no number in it", path);
    fclose(file);
    return n;
}

/* Asks for a queue, and says what comes of it. */
static void ask(long messages, long size, int expected, const char *symbol)
{
    struct mq_attr attr = { .mq_maxmsg = messages, .mq_msgsize = size };
    char name[40];
    mqd_t queue;

    snprintf(name, sizeof name, "/mq-limits.%d", getpid());
    queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
    if (queue != (mqd_t)-1) {
        mq_unlink(name);
        mq_close(queue);
        if (expected == EMFILE) /* no privilege helps here */
            errx(1, "mq_open: no error beyond ulimit -q");
        printf("Maker asks for mq_maxmsg %ld, mq_msgsize %ld: "
               "allowed by privilege\n",
               messages, size);
        return;
    }
    if (errno != expected)
        err(1, "mq_open %s", name);
    printf("Maker asks for mq_maxmsg %ld, mq_msgsize %ld: %s (%s)\n",
           messages, size, symbol, strerror(errno));
}

int main(int argc, char *argv[])
{
    long msg_max, msgsize_max;
    struct rlimit bytes;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: mq-limits", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    msg_max = limit("msg_max");
    printf("System: msg_max is %ld messages in a queue\n", msg_max);
    ask(msg_max + 1, 1, EINVAL, "EINVAL");

    msgsize_max = limit("msgsize_max");
    printf("System: msgsize_max is %ld bytes in a message\n", msgsize_max);
    ask(1, msgsize_max + 1, EINVAL, "EINVAL");

    if (getrlimit(RLIMIT_MSGQUEUE, &bytes) == -1)
        err(1, "getrlimit");
    bytes.rlim_cur = 100; /* low, so that one queue can exceed it */
    if (setrlimit(RLIMIT_MSGQUEUE, &bytes) == -1)
        err(1, "setrlimit");
    printf("Maker sets ulimit -q to 100 bytes in all queues of a user\n");
    ask(1, 100, EMFILE, "EMFILE");

    printf("System: queues_max is %ld queues, of all users together\n",
           limit("queues_max"));
    return 0;
}
