/*
 * mq-notify - be told when an empty queue gets a message
 *
 * usage: mq-notify [--drain-first]
 *
 * Receiver registers with mq_notify. When a message comes into the empty
 * queue, the kernel sends SIGUSR1 to Receiver, and the registration is used
 * up. So Receiver registers again, and only then drains the queue: it takes
 * messages until there are none. Each Sender sends one message and ends.
 *
 * Watch   two messages, one signal: a signal means "look", not "one more".
 * Try     mq-notify --drain-first    nobody is registered for message 3
 * Read    mq_notify(3), sigwaitinfo(2); Kerrisk, TLPI, 52.6
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: mq-notify [--drain-first]\n"
    "  --drain-first  wrong: Receiver drains the queue, then registers";
static bool drain_first;

/* Registers Receiver; register itself is a keyword of C. */
static void enroll(mqd_t queue)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
                              .sigev_signo = SIGUSR1 };

    if (mq_notify(queue, &event) == -1)
        err(1, "mq_notify");
    printf("Receiver has registered\n");
}

static void drain(mqd_t queue)
{
    char n;

    while (mq_receive(queue, &n, 1, NULL) != -1)
        printf("Receiver takes message %c\n", n);
    if (errno != EAGAIN)
        err(1, "mq_receive");
}

/* Forks a Sender, which sends message n, and waits until it has ended. */
static void let_send(mqd_t queue, char n)
{
    int status;

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        printf("Sender sends message %c\n", n);
        if (mq_send(queue, &n, 1, 0) == -1)
            err(1, "mq_send");
        exit(0);
    }
    if (wait(&status) == -1)
        err(1, "wait");
    if (status != 0)
        exit(1);
}

static void receiver(mqd_t queue)
{
    sigset_t usr1;

    /* Blocked, the signal waits for sigwaitinfo and needs no handler. */
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &usr1, NULL) == -1)
        err(1, "sigprocmask");
    enroll(queue);
    let_send(queue, '1');
    let_send(queue, '2');
    for (int round = 1; round <= 2; round++) {
        if (sigwaitinfo(&usr1, NULL) == -1)
            err(1, "sigwaitinfo");
        printf("Receiver is told\n");
        if (!drain_first)
            enroll(queue);
        drain(queue);
        if (round == 1)
            let_send(queue, '3'); /* while the queue is empty */
        if (drain_first)
            enroll(queue);
    }
}

int main(int argc, char *argv[])
{
    struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 1 };
    int flags = O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK, status;
    char name[40];
    mqd_t queue;

    drain_first = argc > 1 && strcmp(argv[1], "--drain-first") == 0;
    if (argc > 1 + drain_first)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    snprintf(name, sizeof name, "/mq-notify.%d", getpid());
    queue = mq_open(name, flags, 0600, &attr);
    if (queue == (mqd_t)-1)
        err(1, "mq_open %s", name);
    mq_unlink(name); /* Receiver inherits the queue: the name can go */

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(drain_first ? 1 : 10); /* ends an endless wait */
        receiver(queue);
        exit(0);
    }
    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Receiver waits for %s",
             drain_first ? "SIGUSR1, but message 3 came too soon" : "Sender");
    return status != 0;
}
