/*
 * sig-receive - says which signals come, until SIGINT ends it
 *
 * usage: sig-receive [wait]
 *
 * The handler only notes the number; the loop, which sleeps in sigsuspend,
 * prints it. With wait, the signals come from you: Receiver says its process
 * ID, and you type kill in a second terminal. Alone, it sends them to itself.
 *
 * Watch   the loop prints, not the handler, in which printf is not safe.
 * Try     sig-receive wait    and in a second terminal: kill -USR1 PID
 *         kill -QUIT PID      a signal that it does not handle
 * Read    sigaction(2), kill(1), kill(2); Kerrisk, TLPI, 20.4, 20.5
 */
#define _GNU_SOURCE
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SIGNALS = 5 };

static const char usage[] =
    "usage: sig-receive [wait]\n"
    "  wait  wait for signals from other processes, until SIGINT";
static const int signals[SIGNALS] = { SIGHUP, SIGUSR1, SIGUSR2, SIGTERM,
                                      SIGINT };
static volatile sig_atomic_t got;

static void handler(int sig)
{
    got = sig;
}

int main(int argc, char *argv[])
{
    struct sigaction sa = { .sa_handler = handler };
    bool waits = argc > 1 && strcmp(argv[1], "wait") == 0;
    sigset_t none;

    if (argc > 1 + waits)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    sigemptyset(&none);
    sigemptyset(&sa.sa_mask);
    for (int i = 0; i < SIGNALS; i++)
        sigaddset(&sa.sa_mask, signals[i]);
    /* They come only in sigsuspend, and with this sa_mask one at a time. */
    if (sigprocmask(SIG_BLOCK, &sa.sa_mask, NULL) == -1)
        err(1, "sigprocmask");
    for (int i = 0; i < SIGNALS; i++)
        if (sigaction(signals[i], &sa, NULL) == -1)
            err(1, "sigaction");

    if (waits)
        printf("Receiver is process %d\n", getpid());
    for (int i = 0; got != SIGINT; i++) {
        if (!waits && i < SIGNALS && kill(getpid(), signals[i]) == -1)
            err(1, "kill");
        sigsuspend(&none);
        printf("Receiver got signal %d: %s\n", got, strsignal(got));
    }
    return 0;
}
