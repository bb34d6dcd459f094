/*
 * mq-workers - hand out work: who is free takes the next job
 *
 * usage: mq-workers [--workers N] [--jobs N] [--verbose]
 *
 * Parent puts jobs into one queue, Workers take them, count a job's letters,
 * and send the result through another. A job is a message: a number, and
 * letters, more or fewer. An empty one means that there are no more.
 *
 * Watch   nothing is locked: no job is taken twice, or by halves, because a
 *         message is received as a whole and by one process.
 * Try     mq-workers --verbose          who did how many?
 *         strace -f -e trace=/mq_ mq-workers --jobs 3
 *         mq-workers --jobs 1000000     and, elsewhere, pkill -n mq-workers
 * Read    mq_overview(7), mq_receive(3), poll(2); Kerrisk, TLPI, 52.5, 52.7
 */
#ifndef __linux__
#error "mq-workers needs Linux: a queue that poll knows"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WORKERS = 100, MAX_JOBS = 1000000, SIZE = 128 };

static const char help[] =
    "usage: mq-workers [--workers N] [--jobs N] [--verbose]\n"
    "  --workers N  so many take jobs (4)\n"
    "  --jobs N     so many jobs there are (1000)\n"
    "  --verbose    show how many jobs each Worker did\n";

struct result {
    int worker, job, letters;
};

static int workers = 4, jobs = 1000, verbose;
static int did[MAX_WORKERS + 1]; /* how many jobs Worker 1, 2, ... did */
static bool done[MAX_JOBS + 1];  /* is job 1, 2, ... done? */

static int number(const char *option, const char *word, int most)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > most)
        errx(2, "%s must be a number from 1 to %d: %s", option, most, word);
    return (int)n;
}

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
        snprintf(name, sizeof name, "/mq-workers.%ld.%ld.%d", (long)getuid(),
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

static void worker(int self, mqd_t to_do, mqd_t results)
{
    char job[SIZE + 1], *letters;
    ssize_t n;

    /* Room for mq_msgsize bytes, however short the job is, or: EMSGSIZE. */
    while ((n = mq_receive(to_do, job, SIZE, NULL)) > 0) {
        struct result result = { .worker = self };

        job[n] = '\0';
        result.job = (int)strtol(job, &letters, 10);
        result.letters = (int)strlen(letters);
        if (mq_send(results, (char *)&result, sizeof result, 0) == -1)
            err(1, "mq_send");
    }
    if (n == -1)
        err(1, "mq_receive");
}

/* Sends job 1, 2, ...; and after the last one an empty job to each Worker. */
static void hand_out(mqd_t to_do, int job)
{
    char text[SIZE];
    int n = 0;

    if (job <= jobs) {
        n = snprintf(text, sizeof text, "%d", job);
        memset(text + n, 'x', (size_t)(job % 100));
        n += job % 100;
    }
    if (mq_send(to_do, text, (size_t)n, 0) == -1)
        err(1, "mq_send");
}

static void collect(mqd_t results)
{
    struct result result;
    char message[SIZE];

    if (mq_receive(results, message, sizeof message, NULL) != sizeof result)
        err(1, "mq_receive");
    memcpy(&result, message, sizeof result);
    if (result.job < 1 || result.job > jobs || done[result.job])
        errx(1, "job %d was done twice, or is none", result.job);
    if (result.letters != result.job % 100)
        errx(1, "job %d has %d letters, Worker %d got %d", result.job,
             result.job % 100, result.worker, result.letters);
    done[result.job] = true;
    did[result.worker]++;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "workers", required_argument, NULL, 'w' },
        { "jobs", required_argument, NULL, 'j' },
        { "verbose", no_argument, &verbose, true },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int opt, status, life[2], sent = 0, failed = 0, finished = 0;
    pid_t pid[MAX_WORKERS + 1], parent = getpid();
    mqd_t to_do, results;
    struct mq_attr left;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'w') {
            workers = number("--workers", optarg, MAX_WORKERS);
        } else if (opt == 'j') {
            jobs = number("--jobs", optarg, MAX_JOBS);
        } else if (opt != 0) {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    to_do = new_queue(10, SIZE);
    results = new_queue(10, SIZE);
    if (pipe(life) == -1)
        err(1, "pipe");

    printf("Parent: %d workers, %d jobs\n", workers, jobs);
    for (int i = 1; i <= workers; i++) {
        switch (pid[i] = fork()) {
        case -1: /* with Parent those end that there are */
            err(1, "fork of Worker %d", i);
        case 0:
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody outlives Parent */
            if (getppid() != parent)
                _exit(1);
            close(life[0]);
            worker(i, to_do, results);
            mq_close(to_do);
            mq_close(results);
            close(life[1]);
            exit(0);
        }
    }
    close(life[1]); /* now the Workers have it, and nobody else */

    /* If it slept in mq_send while all Workers sleep in theirs: deadlock. */
    for (;;) {
        struct pollfd fd[] = {
            { .fd = results, .events = POLLIN },
            { .fd = life[0] }, /* POLLHUP: no Worker is left */
            { .fd = sent < jobs + workers ? to_do : -1, .events = POLLOUT },
        };

        if (poll(fd, 3, -1) == -1)
            err(1, "poll");
        if (fd[0].revents)
            collect(results);
        else if (fd[1].revents)
            break;
        if (fd[2].revents)
            hand_out(to_do, ++sent);
    }

    for (int i = 1; i <= workers; i++) {
        if (waitpid(pid[i], &status, 0) == -1)
            err(1, "waitpid");
        if (WIFSIGNALED(status))
            warnx("Worker %d was killed by signal %d", i, WTERMSIG(status));
        failed |= status;
        if (verbose)
            printf("Worker %d did %d jobs\n", i, did[i]);
    }
    /* What is still in the queue was sent last: the order is kept. */
    if (mq_getattr(to_do, &left) == -1)
        err(1, "mq_getattr");
    for (int job = 1; job <= jobs; job++) {
        finished += done[job];
        if (!done[job] && job <= sent - left.mq_curmsgs)
            warnx("job %d was taken by a Worker, and is not done", job);
    }
    printf("Parent: %d of %d jobs are done, each once\n", finished, jobs);

    close(life[0]);
    mq_close(to_do);
    mq_close(results);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return failed || finished < jobs;
}
