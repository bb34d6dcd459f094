/*
 * mq-errors - what a queue does not take, and does not give
 *
 * usage: mq-errors
 *
 * One process, as Sender and as Receiver, tries what cannot work on a queue
 * that holds one message of at most 100 bytes: a message that is too long, a
 * buffer that is too short, a full queue, an empty one. With O_NONBLOCK full
 * and empty are errors at once; mq_timedsend and mq_timedreceive wait first,
 * until a point in time.
 *
 * Watch   the buffer of 99 bytes is too short for a message of 5: it must
 *         have room for the longest that the queue could hold.
 * Try     make WAIT_MS 3000: which two lines come late?
 * Read    mq_send(3), mq_receive(3); Kerrisk, TLPI, 52.5
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 100, WAIT_MS = 50 };

/* The point in time that is WAIT_MS from now. */
static struct timespec deadline(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_REALTIME, &t) == -1)
        err(1, "clock_gettime");
    t.tv_sec += WAIT_MS / 1000;
    t.tv_nsec += WAIT_MS % 1000 * 1000000L;
    if (t.tv_nsec >= 1000000000) { /* 1 s or more would be EINVAL */
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

static void set_flags(mqd_t queue, long flags)
{
    struct mq_attr attr = { .mq_flags = flags };

    if (mq_setattr(queue, &attr, NULL) == -1)
        err(1, "mq_setattr");
}

/* Prints the error of a call that has failed as expected. */
static void show(const char *what, ssize_t result, int expected,
                 const char *symbol)
{
    if (result != -1)
        errx(1, "%s: no error", what);
    if (errno != expected)
        err(1, "%s", what);
    printf("%s: %s (%s)\n", what, symbol, strerror(errno));
}

int main(int argc, char *argv[])
{
    struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = SIZE };
    char name[40], text[SIZE + 1] = "";
    struct timespec end;
    mqd_t queue;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: mq-errors", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    snprintf(name, sizeof name, "/mq-errors.%d", getpid());
    queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
    if (queue == (mqd_t)-1)
        err(1, "mq_open %s", name);
    mq_unlink(name); /* it is open: the name can go */

    show("Sender: 101 bytes", mq_send(queue, text, SIZE + 1, 0), EMSGSIZE,
         "EMSGSIZE");
    if (mq_send(queue, text, 5, 0) == -1)
        err(1, "mq_send");
    printf("Sender: 5 bytes: sent, and now the queue is full\n");
    show("Receiver: room for 99 bytes",
         mq_receive(queue, text, SIZE - 1, NULL), EMSGSIZE, "EMSGSIZE");

    set_flags(queue, O_NONBLOCK);
    show("Sender: full, O_NONBLOCK", mq_send(queue, text, 5, 0), EAGAIN,
         "EAGAIN");
    set_flags(queue, 0);
    end = deadline();
    show("Sender: full, waits", mq_timedsend(queue, text, 5, 0, &end),
         ETIMEDOUT, "ETIMEDOUT");

    if (mq_receive(queue, text, SIZE, NULL) == -1)
        err(1, "mq_receive");
    printf("Receiver: room for 100 bytes: received, and now it is empty\n");
    set_flags(queue, O_NONBLOCK);
    show("Receiver: empty, O_NONBLOCK", mq_receive(queue, text, SIZE, NULL),
         EAGAIN, "EAGAIN");
    set_flags(queue, 0);
    end = deadline();
    show("Receiver: empty, waits",
         mq_timedreceive(queue, text, SIZE, NULL, &end), ETIMEDOUT,
         "ETIMEDOUT");
    return 0;
}
