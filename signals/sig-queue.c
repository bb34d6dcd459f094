/*
 * sig-queue - three knocks: which signals are counted, and which carry data
 *
 * usage: sig-queue
 *
 * Parent blocks SIGUSR1 and two real-time signals. Child sends each of them
 * three times, SIGUSR1 with kill, the others with sigqueue and a value, and
 * ends. Then Parent takes what is pending.
 *
 * Watch   SIGUSR1 comes once: it is noted in one bit. Each real-time signal
 *         has a queue, and SIGRTMIN+1 overtakes SIGRTMIN+2, sent before it.
 * Try     ( ulimit -i 4; sig-queue )    no room for more: sigqueue fails
 * Read    signal(7), sigqueue(3), sigwaitinfo(2); Kerrisk, TLPI, 22.8
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(pid_t parent)
{
    for (int i = 1; i <= 3; i++) {
        printf("Child sends SIGUSR1\n");
        if (kill(parent, SIGUSR1) == -1)
            err(1, "kill");
    }
    for (int n = 2; n >= 1; n--) {
        for (int i = 1; i <= 3; i++) {
            union sigval value = { .sival_int = 10 * i };

            printf("Child sends SIGRTMIN+%d: %d\n", n, value.sival_int);
            if (sigqueue(parent, SIGRTMIN + n, value) == -1) {
                warn("sigqueue");
                errx(1, "hint: ulimit -i: how many a user may have pending");
            }
        }
    }
}

int main(int argc, char *argv[])
{
    static const struct timespec now = { 0 };
    pid_t parent = getpid();
    sigset_t signals;
    siginfo_t info;
    int sig, status;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: sig-queue", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGRTMIN + 1);
    sigaddset(&signals, SIGRTMIN + 2);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) == -1)
        err(1, "sigprocmask");

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        child(parent);
        exit(0);
    }
    if (wait(&status) == -1)
        err(1, "wait");
    if (status != 0)
        return 1;
    printf("Parent: Child has gone, its signals are still here\n");

    /* Takes them one by one, the lowest number first, without a handler. */
    while ((sig = sigtimedwait(&signals, &info, &now)) != -1) {
        if (info.si_code == SI_QUEUE) /* only then is there a value */
            printf("Parent got SIGRTMIN+%d: %d\n", sig - SIGRTMIN,
                   info.si_value.sival_int);
        else
            printf("Parent got SIGUSR1\n");
    }
    if (errno != EAGAIN) /* nothing is pending any more */
        err(1, "sigtimedwait");
    return 0;
}
