/*
 * sig-table - every signal: what it does by default, and can it be caught?
 *
 * usage: sig-table
 *
 * For each signal a child sends it to itself, and waitpid tells what became
 * of the child: Term, killed; Stop, stopped; Ign, nothing; Cont, nothing,
 * but a stopped child goes on. sigaction tells whether the signal can be
 * caught. The words are those of signal(7).
 *
 * Watch   KILL and STOP; and 32 and 33, which the threads library keeps.
 * Try     ( trap '' HUP; sig-table )    ignored here, but not by default
 * Read    signal(7), sigaction(2), wait(2); Kerrisk, TLPI, 20.2
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sig-table needs Linux, and glibc 2.32: sigabbrev_np"
#endif
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COLUMNS = 3 };

/* A child sends sig to itself. Returns when it has ended or stopped. */
static pid_t start(int sig, int *status)
{
    static const long dfl[4]; /* SIG_DFL, as the kernel has it: all 0 */
    pid_t parent = getpid(), pid = fork();

    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        alarm(10); /* ends an endless wait */
        /* No alarm ends a child while it is stopped; SIGKILL does. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        setpgid(0, 0); /* in an orphaned group SIGTSTP stops nobody */
        /* Not signal(2): glibc refuses 32 and 33. */
        syscall(SYS_rt_sigaction, sig, dfl, NULL, 8);
        if (kill(getpid(), sig) == -1) /* raise(3) would refuse 32 and 33 */
            err(1, "kill");
        if (sig == SIGSTOP)
            pause(); /* or it would end when SIGCONT comes */
        _exit(0);
    }
    if (waitpid(pid, status, WUNTRACED) == -1)
        err(1, "waitpid");
    return pid;
}

static const char *default_action(int sig)
{
    int status;
    pid_t pid = start(sig, &status), woken = 0;
    bool stops = WIFSTOPPED(status);

    if (WIFSIGNALED(status) && WTERMSIG(status) == sig)
        return "Term";
    if (!stops && status != 0)
        errx(1, "the child for signal %d has failed", sig);
    if (!stops) { /* ignored; or does it wake a process that is stopped? */
        pid = start(SIGSTOP, &status);
        kill(pid, sig);
        woken = waitpid(pid, &status, WCONTINUED | WNOHANG);
        if (woken == -1)
            err(1, "waitpid");
    }

    kill(pid, SIGKILL);
    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    if (stops)
        return "Stop";
    return woken ? "Cont" : "Ign";
}

static void handler(int sig)
{
    (void)sig;
}

static const char *caught(int sig)
{
    struct sigaction sa = { .sa_handler = handler }, before;

    sigemptyset(&sa.sa_mask);
    if (sigaction(sig, &sa, &before) == -1) {
        if (errno != EINVAL)
            err(1, "sigaction");
        return "no";
    }
    if (sigaction(sig, &before, NULL) == -1)
        err(1, "sigaction");
    return "yes";
}

static void print_signal(int sig)
{
    const char *name = sigabbrev_np(sig);
    char number[16] = "(libc)";

    if (sig >= SIGRTMIN)
        snprintf(number, sizeof number, "RTMIN+%d", sig - SIGRTMIN);
    printf("%2d %-8s  %-4s  %-3s", sig, name ? name : number,
           default_action(sig), caught(sig));
}

int main(int argc, char *argv[])
{
    int rows = (SIGRTMAX + COLUMNS - 1) / COLUMNS;
    sigset_t none;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: sig-table", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    /* What the children inherit: nothing is blocked, no core is written. */
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) == -1)
        err(1, "sigprocmask");
    if (prctl(PR_SET_DUMPABLE, 0) == -1)
        err(1, "prctl");

    for (int i = 1; i <= COLUMNS; i++)
        printf("   signal    does  caught%s", i < COLUMNS ? "  " : "\n");
    for (int row = 1; row <= rows; row++) {
        for (int sig = row; sig <= SIGRTMAX; sig += rows) {
            print_signal(sig);
            printf("%s", sig + rows <= SIGRTMAX ? "     " : "\n");
        }
    }
    return 0;
}
