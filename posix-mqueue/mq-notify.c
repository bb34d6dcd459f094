/*
 * mq-notify - be told when an empty queue gets a message
 *
 * usage: mq-notify [--thread] [--drain-first]
 *
 * Parent registers, and is told by a signal when Child sends. It is told
 * once. So each time it first registers again, and then takes all messages
 * that there are. Child sends the next one when Parent has just found the
 * queue empty.
 *
 * Watch   three messages, one signal: it says "look", not "one more".
 * Try     mq-notify --drain-first    one comes before Parent has registered
 *         mq-notify --thread         told by a function in a new thread
 * Read    mq_notify(3), sigevent(7), sigwaitinfo(2); Kerrisk, TLPI, 52.6
 */
#ifdef __APPLE__
#error "mq-notify: macOS has no POSIX message queues"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGES = 3, SIZE = 128 };

static const char help[] =
    "usage: mq-notify [--thread] [--drain-first]\n"
    "  --thread       be told by a function that runs in a new thread\n"
    "  --drain-first  wrong: register again when the queue is empty\n";

static int by_thread, drain_first;
static pthread_t main_thread;
static sigset_t usr1; /* blocked: it waits until we take it */

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
        snprintf(name, sizeof name, "/mq-notify.%ld.%ld.%d", (long)getuid(),
                 (long)getpid(), i);
        queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK, 0600,
                        &attr);
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

/* Runs in a new thread, which the C library starts. */
static void on_message(union sigval value)
{
    (void)value;
    printf("Thread: Parent is to be told\n");
    pthread_kill(main_thread, SIGUSR1); /* where it is blocked, not here */
}

/* From here on we shall be told, of one message, if the queue is empty. */
static void register_for(mqd_t queue)
{
    struct sigevent how = { .sigev_notify = SIGEV_SIGNAL,
                            .sigev_signo = SIGUSR1 };

    if (by_thread) {
        how.sigev_notify = SIGEV_THREAD;
        how.sigev_notify_function = on_message;
    }
    if (mq_notify(queue, &how) == -1)
        err(1, "mq_notify");
    printf("Parent has registered\n");
}

/* Waits to be told, so many seconds at most. */
static bool is_told(int seconds)
{
    struct timespec most = { .tv_sec = seconds };
    int result;

    while ((result = sigtimedwait(&usr1, NULL, &most)) == -1 &&
           errno == EINTR) /* we were stopped, and go on */
        continue;
    return result != -1;
}

/* Takes messages until there is none. */
static void drain(mqd_t queue)
{
    char text[SIZE];
    ssize_t n;

    while ((n = mq_receive(queue, text, sizeof text, NULL)) != -1)
        printf("Parent received: %.*s\n", (int)n, text);
    if (errno != EAGAIN)
        err(1, "mq_receive");
    printf("Parent finds the queue empty\n");
}

/* Tells Child to send so many messages, and waits until it has. */
static void ask(int child, char messages)
{
    if (send(child, &messages, 1, MSG_NOSIGNAL) != 1 ||
        read(child, &messages, 1) != 1)
        errx(1, "Child has ended, and sends no more");
}

/* Does what Parent asks for, until Parent has gone. */
static void child(mqd_t queue, int parent)
{
    struct sigevent none = { .sigev_notify = SIGEV_NONE };
    char messages, text[] = "message 0";

    while (read(parent, &messages, 1) == 1) {
        if (messages == 0) {
            if (mq_notify(queue, &none) == 0 || errno != EBUSY)
                errx(1, "Child should hear EBUSY");
            printf("Child cannot register as well: EBUSY\n");
        } else { /* no line after the first send: a thread may write one */
            printf("Child sends %d\n", messages);
        }
        for (; messages > 0; messages--) {
            text[8]++;
            if (mq_send(queue, text, strlen(text), 0) == -1)
                err(1, "mq_send");
        }
        if (ferror(stdout))
            errx(1, "not all could be written to stdout");
        send(parent, "", 1, MSG_NOSIGNAL);
    }
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "thread", no_argument, &by_thread, true },
        { "drain-first", no_argument, &drain_first, true },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int fd[2], opt, status, result = 0;
    mqd_t queue;
    pid_t pid;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) == 0)
        continue; /* a flag, and set */
    if (opt != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    queue = new_queue(MESSAGES, SIZE);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1)
        err(1, "socketpair");
    pid = fork(); /* while there is only one thread */
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        close(fd[0]);
        child(queue, fd[1]);
        close(fd[1]);
        mq_close(queue);
        exit(0);
    }
    close(fd[1]);

    main_thread = pthread_self();
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &usr1, NULL) == -1)
        err(1, "sigprocmask");

    register_for(queue);
    ask(fd[0], 0);
    ask(fd[0], 3);
    for (int round = 1; round <= 2; round++) {
        if (!is_told(drain_first ? 1 : 10)) {
            warnx("stuck: Parent waits to be told of a message that came "
                  "before it had registered");
            result = 124;
            break;
        }
        printf("Parent is told %s\n", is_told(0) ? "again" : "once");
        if (!drain_first)
            register_for(queue);
        drain(queue);
        if (round == 1)
            ask(fd[0], 1);
        if (drain_first)
            register_for(queue);
    }

    close(fd[0]); /* Child's end of file */
    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    mq_close(queue);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return status ? 1 : result;
}
