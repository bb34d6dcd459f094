/*
 * mq-hello - a message waits in a queue until somebody takes it
 *
 * usage: mq-hello [send NAME MESSAGE PRIORITY | receive NAME]
 *
 * Whoever comes first makes the queue; the last to leave it when it is empty
 * removes it. Without send or receive, mq-hello starts itself as both, one
 * after the other: Sender has ended before Receiver begins.
 *
 * Watch   the message in between: it is in the kernel, in nobody's memory.
 * Try     mq-hello send /my.queue hello 1    and then, in any terminal,
 *         mq-hello receive /my.queue         ... or the other way round
 * Read    mq_overview(7), mq_open(3), mq_send(3), mq_receive(3);
 *         Kerrisk, TLPI, 52.2, 52.5
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "mq-hello needs Linux: a queue that poll and flock know, signalfd"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: mq-hello [send NAME MESSAGE PRIORITY | receive NAME]\n";

static struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = 256 };
static mqd_t queue = -1;
static const char *name = "";
static int owner;       /* Parent, who removes the name in any case */
static sigset_t ending; /* SIGINT, SIGTERM, SIGHUP: blocked until we leave */

/* However we leave: the last one removes the name of an empty queue. */
static void leave(void)
{
    if (queue != -1 &&
        (owner || (flock(queue, LOCK_EX | LOCK_NB) == 0 &&
                   mq_getattr(queue, &attr) == 0 && attr.mq_curmsgs == 0)))
        mq_unlink(name);
    if (queue != -1)
        mq_close(queue);
    sigprocmask(SIG_UNBLOCK, &ending, NULL); /* now a signal may end us */
}

/* There is no queue: says what was asked for, and what is allowed. */
static void refused(void)
{
    struct rlimit limit;

    warn("mq_open %s", name);
    if (getrlimit(RLIMIT_MSGQUEUE, &limit) == 0)
        warnx("hint: asked for %ld messages of %ld bytes, ulimit -q is %lld; "
              "mq-limits shows the other limits",
              attr.mq_maxmsg, attr.mq_msgsize, (long long)limit.rlim_cur);
    exit(1);
}

/* Makes the queue, or opens the one that is there. All hold a lock on it. */
static void meet(void)
{
    struct stat st;

    do { /* once more, if the last one to leave it has just removed it */
        if (queue != -1)
            mq_close(queue);
        queue = mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attr);
        if (queue == -1)
            refused();
        if (flock(queue, LOCK_SH) == -1 || fstat(queue, &st) == -1 ||
            mq_getattr(queue, &attr) == -1)
            err(1, "flock %s", name);
    } while (st.st_nlink == 0);
}

/* After EAGAIN: sleeps until the queue is ready, or we are to end. */
static void wait_for(const char *call, short events)
{
    struct pollfd fd[] = { { .fd = queue, .events = events },
                           { .events = POLLIN } };

    if (errno != EAGAIN)
        err(1, "%s %s", call, name);
    fd[1].fd = signalfd(-1, &ending, SFD_CLOEXEC); /* it shows, takes none */
    if (fd[1].fd == -1 || poll(fd, 2, -1) == -1)
        err(1, "poll");
    close(fd[1].fd);
    if (fd[1].revents)
        exit(1); /* no: leave lets the signal end us */
}

static void send_to(const char *message, const char *word)
{
    long priority, most = sysconf(_SC_MQ_PRIO_MAX) - 1;
    size_t n = strlen(message);
    char *end;

    priority = strtol(word, &end, 10);
    if (*end || end == word || priority < 0 || priority > most)
        errx(2, "PRIORITY must be a number from 0 to %ld: %s", most, word);
    meet();
    if ((long)n > attr.mq_msgsize)
        errx(2, "MESSAGE has %zu bytes, here it may have %ld", n,
             attr.mq_msgsize);
    while (mq_send(queue, message, n, (unsigned)priority) == -1)
        wait_for("mq_send", POLLOUT);
    printf("Sent (prio=%ld): %s\n", priority, message);
}

static void receive(void)
{
    unsigned priority;
    char *message;
    ssize_t n;

    meet();
    message = malloc((size_t)attr.mq_msgsize); /* with less: EMSGSIZE */
    if (!message)
        err(1, "malloc");
    while ((n = mq_receive(queue, message, (size_t)attr.mq_msgsize,
                           &priority)) == -1)
        wait_for("mq_receive", POLLIN);
    printf("Received (prio=%u): %.*s\n", priority, (int)n, message);
    free(message);
}

/* Sender and Receiver are given nothing but the name. */
static void play_both(char *self)
{
    static char unique[64];
    pid_t parent = getpid();
    int status;

    name = unique;
    /* A killed run may have left the name: then the next one will do. */
    for (int i = 0; i < 100 && queue == -1; i++) {
        snprintf(unique, sizeof unique, "/mq-hello.%ld.%ld.%d",
                 (long)getuid(), (long)parent, i);
        queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
        if (queue == -1 && errno != EEXIST)
            break;
    }
    if (queue == -1)
        refused();
    owner = 1;

    for (int i = 0; i < 2; i++) {
        char *send[] = { self, "send", unique, "Hello via message queue!",
                         "1",  NULL };
        char *receive[] = { self, "receive", unique, NULL };

        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            prctl(PR_SET_PDEATHSIG, SIGTERM); /* it ends with Parent */
            if (getppid() != parent)
                _exit(1);
            execvp(self, i ? receive : send);
            warn("%s", self);
            _exit(127);
        }
        if (wait(&status) == -1 || mq_getattr(queue, &attr) == -1)
            err(1, "wait");
        if (status)
            errx(1, "%s has failed", i ? "Receiver" : "Sender");
        printf("Parent: %s has ended, messages in the queue: %ld\n",
               i ? "Receiver" : "Sender", attr.mq_curmsgs);
    }
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int opt;

    if ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN); /* or it would end us, and leave the queue */
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGHUP);
    sigprocmask(SIG_BLOCK, &ending, NULL);
    atexit(leave);

    argc -= optind;
    if (argc > 1)
        name = argv[optind + 1];
    if (argc > 1 && (name[0] != '/' || !name[1] || strchr(name + 1, '/')))
        errx(2, "NAME must begin with a slash, its only one: %s", name);
    if (argc == 0)
        play_both(argv[0]);
    else if (argc == 4 && strcmp(argv[optind], "send") == 0)
        send_to(argv[optind + 2], argv[optind + 3]);
    else if (argc == 2 && strcmp(argv[optind], "receive") == 0)
        receive();
    else
        errx(2, "neither send NAME MESSAGE PRIORITY nor receive NAME: %s%s",
             argv[optind], argc > 1 ? " ..." : "");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
