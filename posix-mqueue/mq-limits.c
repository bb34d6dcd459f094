/*
 * mq-limits - what a queue does not take, and what the system does not give
 *
 * usage: mq-limits
 *
 * A queue for 3 messages of up to 16 bytes: Parent sends what is too long,
 * receives with too little space, fills it and empties it. Then it asks the
 * system for more than it may have.
 *
 * Watch   EMSGSIZE for a buffer of 15 bytes, though the message has 5.
 * Try     ( ulimit -q 100; mq-limits )    room for 48 bytes, and yet ...
 *         mq-limits as root, and as somebody else
 * Read    mq_getattr(3), mq_send(3), mq_receive(3), mq_open(3),
 *         getrlimit(2), mq_overview(7); Kerrisk, TLPI, 52.4, 52.5, 52.8
 */
#ifndef __linux__
#error "mq-limits needs Linux: /proc/sys/fs/mqueue, RLIMIT_MSGQUEUE"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const char help[] = "usage: mq-limits\n";

/* A new queue, private and without a name any more; or -1, and why in errno
 */
static mqd_t make(long messages, long size)
{
    struct mq_attr attr = { .mq_maxmsg = messages, .mq_msgsize = size };
    mqd_t queue = -1;
    sigset_t all, old;
    char name[64];

    sigfillset(&all); /* no ^C between the making and the removal */
    sigprocmask(SIG_BLOCK, &all, &old);
    /*
     * A killed run may have left the name, or somebody else have made it:
     * O_EXCL does not open what is there, and the next name will do.
     */
    for (int i = 0; i < 100 && queue == -1; i++) {
        snprintf(name, sizeof name, "/mq-limits.%ld.%ld.%d", (long)getuid(),
                 (long)getpid(), i);
        queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
        if (queue == -1 && errno != EEXIST)
            break;
    }
    if (queue != -1 && mq_unlink(name) == -1)
        err(1, "mq_unlink %s", name);
    sigprocmask(SIG_SETMASK, &old, NULL); /* it leaves errno alone */
    return queue;
}

/* Prints what a call said, or ends if it is not what we expect. */
static void says(const char *what, ssize_t result, int expected,
                 const char *name)
{
    int error = result == -1 ? errno : 0;

    if (error != expected)
        errx(1, "Parent %s: it should be %s, but it is: %s", what, name,
             strerror(error));
    printf("Parent %s: %s\n", what, name);
}

/* Sends, but waits 100 ms at most until there is room. */
static int timed_send(mqd_t queue, const char *text, size_t length)
{
    struct timespec until;

    /* Not how long, but until when, by the clock on the wall. */
    if (clock_gettime(CLOCK_REALTIME, &until) == -1)
        err(1, "clock_gettime");
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= 1000000000) { /* or the call says EINVAL */
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return mq_timedsend(queue, text, length, 0, &until);
}

/* A limit of the system, which who has CAP_SYS_RESOURCE may pass. */
static long limit(const char *name)
{
    char path[64], number[32];
    FILE *file;

    snprintf(path, sizeof path, "/proc/sys/fs/mqueue/%s", name);
    file = fopen(path, "r");
    if (!file || !fgets(number, sizeof number, file))
        err(1, "%s", path);
    fclose(file);
    return strtol(number, NULL, 10);
}

/* Asks for more than a limit. */
static void ask(const char *name, long messages, long size)
{
    mqd_t queue = make(messages, size);
    const char *said = "done, by privilege";

    if (queue != -1)
        mq_close(queue);
    else
        said = errno == EINVAL ? "EINVAL" : strerror(errno);
    printf("System: %s is %ld. Queue for %ld of %ld bytes: %s\n", name,
           limit(name), messages, size, said);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static const char text[] = "more than 16 bytes";
    struct mq_attr attr = { .mq_maxmsg = 3, .mq_msgsize = 16 };
    struct rlimit own;
    char room[16], bytes[32] = "unlimited";
    mqd_t queue;
    ssize_t n;
    int opt;

    if ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (getrlimit(RLIMIT_MSGQUEUE, &own) == -1)
        err(1, "getrlimit");
    queue = make(attr.mq_maxmsg, attr.mq_msgsize);
    if (queue == -1) {
        warn("mq_open");
        errx(1,
             "hint: %ld messages of %ld bytes; msg_max is %ld, msgsize_max "
             "%ld, queues_max %ld, ulimit -q %lld",
             attr.mq_maxmsg, attr.mq_msgsize, limit("msg_max"),
             limit("msgsize_max"), limit("queues_max"),
             (long long)own.rlim_cur);
    }
    if (mq_getattr(queue, &attr) == -1)
        err(1, "mq_getattr");
    printf("Parent: a queue for %ld messages of %ld bytes\n", attr.mq_maxmsg,
           attr.mq_msgsize);

    says("sends 17 bytes", mq_send(queue, text, 17, 0), EMSGSIZE, "EMSGSIZE");
    says("sends 5 bytes", mq_send(queue, text, 5, 0), 0, "done");
    /* It is not the message that counts, but the longest there could be. */
    says("receives, room for 15 bytes", mq_receive(queue, room, 15, NULL),
         EMSGSIZE, "EMSGSIZE");
    n = mq_receive(queue, room, 16, NULL);
    if (n == -1)
        err(1, "mq_receive");
    printf("Parent receives, room for 16 bytes: %zd bytes\n", n);
    says("sends 0 bytes", mq_send(queue, text, 0, 0), 0, "done");
    n = mq_receive(queue, room, 16, NULL);
    if (n == -1)
        err(1, "mq_receive");
    printf("Parent receives, room for 16 bytes: %zd bytes\n", n);

    for (int i = 0; i < 3; i++)
        if (mq_send(queue, text, 16, 0) == -1)
            err(1, "mq_send");
    if (mq_getattr(queue, &attr) == -1)
        err(1, "mq_getattr");
    printf("Parent sends 3 times 16 bytes: mq_curmsgs is %ld\n",
           attr.mq_curmsgs);
    says("sends, waits 100 ms", timed_send(queue, text, 16), ETIMEDOUT,
         "ETIMEDOUT");
    attr.mq_flags = O_NONBLOCK;
    attr.mq_maxmsg = 4; /* no effect, and no error */
    if (mq_setattr(queue, &attr, NULL) == -1 ||
        mq_getattr(queue, &attr) == -1)
        err(1, "mq_setattr");
    printf("Parent sets O_NONBLOCK, and mq_maxmsg to 4: it is %ld\n",
           attr.mq_maxmsg);
    says("sends, does not wait", mq_send(queue, text, 16, 0), EAGAIN,
         "EAGAIN");
    while (mq_receive(queue, room, 16, NULL) != -1)
        continue;
    says("receives until there is no more", -1, EAGAIN, "EAGAIN");
    mq_close(queue);

    ask("msg_max", limit("msg_max") + 1, 16);
    ask("msgsize_max", 1, limit("msgsize_max") + 1);
    printf("System: queues_max is %ld, of all users together\n",
           limit("queues_max"));
    if (own.rlim_cur != RLIM_INFINITY)
        snprintf(bytes, sizeof bytes, "%llu",
                 (unsigned long long)own.rlim_cur);
    printf("System: ulimit -q is %s, bytes in all queues of a user\n", bytes);

    /* The kernel counts its own records, too; and root is held to it. */
    own.rlim_cur = 48;
    if (setrlimit(RLIMIT_MSGQUEUE, &own) == -1)
        err(1, "setrlimit");
    says("has ulimit -q 48. Queue for 3 of 16 bytes", make(3, 16), EMFILE,
         "EMFILE");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
