/*
 * sig-child - SIGCHLD says that children have ended, not how many
 *
 * usage: sig-child [--one-wait] [CHILDREN]
 *
 * Parent starts children (default 5), which end while SIGCHLD is blocked:
 * each is a zombie now, but only one signal is pending. Then Parent lets it
 * in, and the handler calls waitpid until no ended child is left.
 *
 * Watch   the handler runs once, and must reap them all.
 * Try     sig-child --one-wait    one waitpid for a signal: zombies stay
 *         sig-child 200
 * Read    wait(2), sigaction(2); Kerrisk, TLPI, 26.3; APUE, 10.7
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CHILDREN = 1000 };

static const char usage[] =
    "usage: sig-child [--one-wait] [CHILDREN]\n"
    "  --one-wait  wrong: the handler calls waitpid only once";
static bool one_wait;
static pid_t pids[MAX_CHILDREN];
static volatile sig_atomic_t came, reaped;

static int number(const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "not a number from 1 to %d: %s\n%s", max, word, usage);
    return (int)n;
}

static void handler(int sig)
{
    int saved = errno; /* waitpid sets it, and we interrupt anything */

    (void)sig;
    came++;
    while (waitpid(-1, NULL, WNOHANG) > 0) {
        reaped++;
        if (one_wait)
            break;
    }
    errno = saved;
}

/* Waits until all have ended; WNOWAIT leaves a zombie for the handler. */
static int zombies(int children)
{
    siginfo_t info;
    int count = 0;

    for (int i = 0; i < children; i++) {
        if (waitid(P_PID, (id_t)pids[i], &info, WEXITED | WNOWAIT) == 0)
            count++;
        else if (errno != ECHILD) /* ECHILD: it is reaped */
            err(1, "waitid");
    }
    return count;
}

int main(int argc, char *argv[])
{
    struct sigaction sa = { .sa_handler = handler };
    int children = 5, left;
    sigset_t chld;

    one_wait = argc > 1 && strcmp(argv[1], "--one-wait") == 0;
    if (argc > 2 + one_wait)
        errx(2, "unexpected argument: %s\n%s", argv[2 + one_wait], usage);
    if (argc > 1 + one_wait)
        children = number(argv[1 + one_wait], MAX_CHILDREN);
    setvbuf(stdout, NULL, _IOLBF, 0);

    sigemptyset(&sa.sa_mask);
    if (sigaction(SIGCHLD, &sa, NULL) == -1)
        err(1, "sigaction");
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &chld, NULL) == -1)
        err(1, "sigprocmask");

    for (int i = 0; i < children; i++) {
        pids[i] = fork();
        if (pids[i] == -1)
            err(1, "fork");
        if (pids[i] == 0)
            _exit(0);
    }
    printf("Parent: zombies: %d\n", zombies(children));

    if (sigprocmask(SIG_UNBLOCK, &chld, NULL) == -1) /* the handler runs */
        err(1, "sigprocmask");
    printf("Parent: SIGCHLD came: %d, reaped: %d\n", came, reaped);
    left = zombies(children);
    printf("Parent: zombies: %d\n", left);
    if (left)
        errx(1, "SIGCHLD came once for all: one waitpid is not enough");
    return 0;
}
