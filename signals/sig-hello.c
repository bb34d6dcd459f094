/*
 * sig-hello - a signal wakes a process that waits for it
 *
 * usage: sig-hello [--pause]
 *
 * SIGUSR1 is blocked, so it cannot come too early: it stays pending.
 * Parent sends it at the worst moment, when Child is about to sleep.
 * sigsuspend unblocks it and sleeps, in one step: nothing comes between.
 *
 * Watch   the handler: it only calls write, which is safe there.
 * Try     sig-hello --pause    the signal comes first, then Child sleeps
 * Read    sigaction(2), sigsuspend(2), signal-safety(7);
 *         Kerrisk, TLPI, 20.4, 22.9; Stevens & Rago, APUE, 10.16
 */
#define _GNU_SOURCE
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: sig-hello [--pause]\n"
    "  --pause  wrong: SIGUSR1 is not blocked, and Child calls pause";
static bool use_pause;

static void handler(int sig)
{
    (void)sig;
    if (write(STDOUT_FILENO, "got signal\n", 11) == -1)
        _exit(1);
}

static void child(int gate)
{
    sigset_t none;
    char byte;

    /* The gate: read returns 0 when Parent has sent the signal. */
    if (read(gate, &byte, 1) == -1)
        err(1, "read");
    sigemptyset(&none);
    if (use_pause)
        pause();
    else
        sigsuspend(&none); /* nothing is blocked until it returns */
    printf("Child is awake\n");
}

int main(int argc, char *argv[])
{
    /* SA_RESTART: with --pause the handler interrupts the read at the gate */
    struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
    int gate[2], status;
    sigset_t usr1;
    pid_t pid;

    use_pause = argc > 1 && strcmp(argv[1], "--pause") == 0;
    if (argc > 1 + use_pause)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    /* Before the fork: Child inherits the handler and the mask. */
    sigemptyset(&sa.sa_mask);
    if (sigaction(SIGUSR1, &sa, NULL) == -1)
        err(1, "sigaction");
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    if (sigprocmask(use_pause ? SIG_UNBLOCK : SIG_BLOCK, &usr1, NULL) == -1)
        err(1, "sigprocmask");

    if (pipe(gate) == -1)
        err(1, "pipe");
    printf("Parent sends SIGUSR1\n");
    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        alarm(use_pause ? 1 : 10); /* ends an endless wait */
        close(gate[1]);
        child(gate[0]);
        exit(0);
    }
    kill(pid, SIGUSR1);
    close(gate[1]); /* opens the gate: Child's read returns 0 */

    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Child waits for a signal that has already come");
    return status != 0;
}
