/*
 * queues.c - message queues, signals, and a number in the kernel
 *
 * See streams.c for what open, send and receive are. close removes what the
 * kernel keeps when all users have ended: a System V queue.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/msg.h>
#include <unistd.h>

#include "ipcbench.h"

static mqd_t mq[2];

static void mq_open_both(void)
{
    struct mq_attr attr = { .mq_maxmsg = 10,
                            .mq_msgsize = (long)current->size };
    char name[40];

    snprintf(name, sizeof name, "/ipcbench.%d", getpid());
    for (enum way way = THERE; way <= BACK; way++) {
        mq[way] = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
        if (mq[way] == (mqd_t)-1)
            err(1, "mq_open %s", name);
        mq_unlink(name);
    }
}

static void mq_send_message(enum way way, const void *bytes, size_t n)
{
    if (mq_send(mq[way], bytes, n, 0) == -1)
        err(1, "mq_send");
}

static void mq_receive_message(enum way way, void *bytes, size_t n)
{
    whole("mq_receive", mq_receive(mq[way], bytes, n, NULL), n);
}

enum { MSGMAX = 8192 }; /* of both kinds of queues, as Linux comes */

static int queue;
static struct {
    long type; /* the way, and 1 */
    char text[MSGMAX];
} message;

static void sysv_msg_open(void)
{
    queue = msgget(new_key(), IPC_CREAT | IPC_EXCL | 0600);
    if (queue == -1)
        err(1, "msgget");
}

static void sysv_msg_close(void)
{
    msgctl(queue, IPC_RMID, NULL);
}

static void sysv_msg_send(enum way way, const void *bytes, size_t n)
{
    message.type = way + 1;
    memcpy(message.text, bytes, n);
    if (msgsnd(queue, &message, n, 0) == -1)
        err(1, "msgsnd");
}

static void sysv_msg_receive(enum way way, void *bytes, size_t n)
{
    whole("msgrcv", msgrcv(queue, &message, n, way + 1, 0), n);
    memcpy(bytes, message.text, n);
}

/* ---- a few bits ----------------------------------------------------- */

static sigset_t signals;

static void block(int a, int b)
{
    sigemptyset(&signals);
    sigaddset(&signals, a);
    sigaddset(&signals, b);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) == -1)
        err(1, "sigprocmask");
}

static pid_t receiver_of(enum way way)
{
    return pid_of(way == THERE ? RECEIVER : SENDER);
}

static void signal_open(void)
{
    block(SIGUSR1, SIGUSR2);
}

/* A signal carries nothing but its number: one bit, if there are two. */
static void signal_send(enum way way, const void *bytes, size_t n)
{
    const unsigned char *byte = bytes;

    (void)n;
    if (kill(receiver_of(way), *byte & 2 ? SIGUSR2 : SIGUSR1) == -1)
        err(1, "kill");
}

static void signal_receive(enum way way, void *bytes, size_t n)
{
    int sig;

    (void)way;
    check(sigwait(&signals, &sig), "sigwait");
    memset(bytes, sig == SIGUSR2 ? 3 : 1, n);
}

static void sigqueue_open(void)
{
    block(SIGRTMIN, SIGRTMIN);
}

static void sigqueue_send(enum way way, const void *bytes, size_t n)
{
    union sigval value = { 0 };

    memcpy(&value, bytes, n);
    if (sigqueue(receiver_of(way), SIGRTMIN, value) == -1)
        err(1, "sigqueue");
}

static void sigqueue_receive(enum way way, void *bytes, size_t n)
{
    siginfo_t info;

    (void)way;
    if (sigwaitinfo(&signals, &info) == -1)
        err(1, "sigwaitinfo");
    memcpy(bytes, &info.si_value, n);
}

static int efd[2];

static void eventfd_open(void)
{
    for (enum way way = THERE; way <= BACK; way++) {
        efd[way] = eventfd(0, 0);
        if (efd[way] == -1)
            err(1, "eventfd");
    }
}

static void eventfd_send(enum way way, const void *bytes, size_t n)
{
    uint64_t number = 0;

    memcpy(&number, bytes, n);
    whole("write", write(efd[way], &number, sizeof number), sizeof number);
}

static void eventfd_receive(enum way way, void *bytes, size_t n)
{
    uint64_t number;

    whole("read", read(efd[way], &number, sizeof number), sizeof number);
    memcpy(bytes, &number, n);
}

const struct mechanism queues[] = {
    { "mq", "POSIX queues: mq_send, mq_receive", BOTH, MSGMAX, mq_open_both,
      mq_send_message, mq_receive_message, NULL },
    { "sysv-msg", "a System V queue, two types: msgsnd, msgrcv", BOTH, MSGMAX,
      sysv_msg_open, sysv_msg_send, sysv_msg_receive, sysv_msg_close },
    { "signal", "kill, sigwait: carries one bit", LATENCY | ONE_BIT, 8,
      signal_open, signal_send, signal_receive, NULL },
    { "sigqueue", "sigqueue, sigwaitinfo: carries one value", LATENCY,
      sizeof(union sigval), sigqueue_open, sigqueue_send, sigqueue_receive,
      NULL },
    { "eventfd", "eventfd: write, read of a number", LATENCY, 8, eventfd_open,
      eventfd_send, eventfd_receive, NULL },
    { 0 },
};
