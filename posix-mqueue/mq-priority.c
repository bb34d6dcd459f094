/*
 * mq-priority - the highest priority first, and in a tie the oldest
 *
 * usage: mq-priority
 *
 * Parent sends five messages: low, high, mid, and then high and low again.
 * First Child comes when all of them are in the queue. Then the same once
 * more, but Child has taken each message before the next one is sent.
 *
 * Watch   the late Child gets them sorted, the early one as they were sent:
 *         a priority overtakes what still waits, and nothing else.
 * Try     let all five have the same priority: what does the late one get?
 * Read    mq_overview(7), mq_send(3), mq_receive(3); Kerrisk, TLPI, 52.5
 */
#ifndef __linux__
#error "mq-priority needs Linux: PR_SET_PDEATHSIG; macOS has no mq_open"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <mqueue.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGES = 5, SIZE = 128 };

static const char help[] = "usage: mq-priority\n";

static const struct {
    const char *text;
    unsigned priority;
} messages[MESSAGES] = {
    { "low", 1 },         { "high", 30 },     { "mid", 20 },
    { "high again", 30 }, { "low again", 1 },
};

/* A queue that is private, and that no other process can open any more. */
static mqd_t new_queue(long messages, long size)
{
    struct mq_attr attr = { .mq_maxmsg = messages, .mq_msgsize = size };
    mqd_t queue = -1;
    struct rlimit limit;
    sigset_t all, old;
    char name[64];

    sigfillset(&all); /* no ^C between the making and the removal */
    sigprocmask(SIG_BLOCK, &all, &old);
    /*
     * A killed run may have left the name, or somebody else have made it:
     * O_EXCL does not open what is there, and the next name will do.
     */
    for (int i = 0; i < 100 && queue == -1; i++) {
        snprintf(name, sizeof name, "/mq-priority.%ld.%ld.%d", (long)getuid(),
                 (long)getpid(), i);
        queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
        if (queue == -1 && errno != EEXIST)
            break;
    }
    if (queue == -1) {
        warn("mq_open %s", name);
        if (getrlimit(RLIMIT_MSGQUEUE, &limit) == 0)
            warnx("hint: asked for %ld messages of %ld bytes, ulimit -q is "
                  "%lld; mq-limits shows the other limits",
                  messages, size, (long long)limit.rlim_cur);
        exit(1);
    }
    if (mq_unlink(name) == -1)
        err(1, "mq_unlink %s", name);
    sigprocmask(SIG_SETMASK, &old, NULL);
    return queue;
}

/* Takes all five, and writes a byte into the pipe for each. */
static void child(mqd_t queue, int taken)
{
    for (int i = 0; i < MESSAGES; i++) {
        char text[SIZE]; /* as large as mq_msgsize, or it is EMSGSIZE */
        unsigned priority;
        ssize_t n = mq_receive(queue, text, sizeof text, &priority);

        if (n == -1)
            err(1, "mq_receive");
        printf("Child received (prio=%u): %.*s\n", priority, (int)n, text);
        if (ferror(stdout))
            errx(1, "not all could be written to stdout");
        if (write(taken, "", 1) == -1)
            err(1, "write");
    }
}

/* Forks Child. Its pipe says what it has taken, and when it has ended. */
static pid_t start(mqd_t queue, int *taken)
{
    pid_t pid, parent = getpid();
    int fd[2];

    if (pipe(fd) == -1)
        err(1, "pipe");
    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive Parent */
        if (getppid() != parent)
            _exit(1);
        close(fd[0]);
        child(queue, fd[1]);
        mq_close(queue);
        close(fd[1]);
        exit(0);
    }
    close(fd[1]); /* or read would not say that Child has gone */
    *taken = fd[0];
    return pid;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int opt, status, taken;
    mqd_t queue;
    pid_t pid = -1;
    char byte;

    if ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    queue = new_queue(MESSAGES, SIZE);
    for (int late = 1; late >= 0; late--) {
        printf("Parent: Child comes %s\n", late ? "late" : "early");
        if (!late)
            pid = start(queue, &taken);
        for (int i = 0; i < MESSAGES; i++) {
            printf("Parent sends (prio=%u): %s\n", messages[i].priority,
                   messages[i].text);
            if (mq_send(queue, messages[i].text, strlen(messages[i].text),
                        messages[i].priority) == -1)
                err(1, "mq_send");
            /* A queue would not say that nobody is left to receive. */
            if (!late && read(taken, &byte, 1) != 1)
                break;
        }
        if (late)
            pid = start(queue, &taken);
        if (waitpid(pid, &status, 0) == -1)
            err(1, "waitpid");
        close(taken);
        if (status)
            errx(1, "Child has ended and has not taken all messages");
    }
    mq_close(queue);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
