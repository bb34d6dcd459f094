/*
 * sig-hello - one process sends a signal, another waits for it
 *
 * usage: sig-hello [--pause] [receive | send PID]
 *
 * Receiver blocks SIGUSR1, installs a handler and says that it is ready.
 * Sender kills it with SIGUSR1: the signal is pending, until sigsuspend
 * opens the mask and goes to sleep in one step. The handler only writes.
 *
 * Watch   the signal comes before Receiver sleeps, and still wakes it.
 * Try     sig-hello --pause      asleep for ever: the wake-up came too soon
 *         sig-hello receive      and in another terminal: sig-hello send PID
 * Read    sigaction(2), sigsuspend(2), kill(2), signal-safety(7);
 *         Kerrisk, TLPI, 20.4, 22.9; Stevens & Rago, APUE, 10.16
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sig-hello needs Linux: PR_SET_PDEATHSIG"
#endif
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: sig-hello [--pause] [receive | send PID]\n"
    "  --pause  wrong: Receiver looks, then pauses: two steps, not one\n";

static volatile sig_atomic_t got; /* 1: the signal, -1: but stdout failed */

static void handler(int sig)
{
    int saved = errno; /* the call that we interrupt may be about to look */

    (void)sig;
    got = write(STDOUT_FILENO, "got signal\n", 11) == 11 ? 1 : -1;
    errno = saved;
}

/* Waits for SIGUSR1. Sender, if it is our parent, shares two pipes. */
static void receive(int ready, int sent, bool use_pause)
{
    struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
    sigset_t usr1, open_mask;
    char byte = 0;

    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    /* From here on it can come: it stays pending until we wait for it. */
    if (sigprocmask(use_pause ? SIG_UNBLOCK : SIG_BLOCK, &usr1, &open_mask))
        err(1, "sigprocmask");
    sigdelset(&open_mask, SIGUSR1);

    sigemptyset(&sa.sa_mask);
    if (sigaction(SIGUSR1, &sa, NULL) == -1)
        err(1, "sigaction");

    printf("Receiver: ready\n");
    if (ready == -1)
        printf("Receiver: now type elsewhere: sig-hello send %ld\n",
               (long)getpid());

    while (!got) {
        /* The worst moment: we have looked, and do not sleep yet. Only now
         * Sender is told, and the end of file says that its kill is done. */
        if (ready != -1 &&
            (write(ready, &byte, 1) == -1 || read(sent, &byte, 1) == -1))
            err(1, "pipe to Sender");
        if (use_pause)
            pause();
        else
            sigsuspend(&open_mask);
    }
    printf("Receiver: awake\n");
    if (got == -1 || ferror(stdout))
        errx(1, "not all could be written to stdout");
}

static int send_to(const char *word)
{
    char *end;
    long pid;

    errno = 0;
    pid = strtol(word, &end, 10);
    /* To kill(2), 0 and less are groups of processes: not what is meant. */
    if (errno || *end || end == word || pid < 1 || pid > INT_MAX)
        errx(2, "PID must be the number of a process: %s", word);
    if (kill((pid_t)pid, SIGUSR1) == -1) {
        warn("kill %ld", pid);
        if (errno == ESRCH)
            warnx("hint: sig-hello receive says what to type");
        return 1;
    }
    printf("Sender: sent SIGUSR1\n");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "pause", no_argument, NULL, 'p' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int ready[2], sent[2], opt, status, left;
    pid_t parent = getpid(), pid;
    bool use_pause = false, is_stuck;
    struct pollfd receiver;
    char byte;

    while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (opt != 'p') {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
        use_pause = true;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    left = argc - optind;
    if (left > 0) {
        const char *role = argv[optind];

        if (use_pause)
            errx(2, "--pause is for the run without a role: %s", role);
        if (strcmp(role, "send") == 0 && left == 2)
            return send_to(argv[optind + 1]);
        if (strcmp(role, "receive") != 0 || left != 1)
            errx(2, "either receive, or send and one PID: %s",
                 argv[argc - 1]);
        receive(-1, -1, false);
        return 0;
    }

    if (pipe(ready) == -1 || pipe(sent) == -1)
        err(1, "pipe");

    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* no sleep outlives Sender */
        if (getppid() != parent)
            _exit(1);
        close(ready[0]);
        close(sent[1]);
        receive(ready[1], sent[0], use_pause);
        close(ready[1]);
        close(sent[0]);
        exit(0);
    }
    close(ready[1]);
    close(sent[0]);

    is_stuck = false;
    if (read(ready[0], &byte, 1) == 1) { /* 0: Receiver died, see below */
        printf("Sender: SIGUSR1 to Receiver\n");
        if (kill(pid, SIGUSR1) == -1)
            err(1, "kill");
        close(sent[1]); /* tells Receiver that the kill is done */

        receiver = (struct pollfd){ .fd = ready[0] };
        /* POLLHUP: it has ended. On a busy machine that may take a while. */
        is_stuck = poll(&receiver, 1, use_pause ? 1000 : 5000) == 0;
    } else {
        close(sent[1]);
    }
    close(ready[0]);
    if (is_stuck) {
        warnx("stuck: Receiver waits for a signal, but its signal has come"
              " before it slept");
        kill(pid, SIGTERM);
    }
    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    if (is_stuck)
        return 124;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
