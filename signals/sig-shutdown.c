/*
 * sig-shutdown - a daemon's manners: reload, end in order, no work half done
 *
 * usage: sig-shutdown [--no-mask]
 *
 * Daemon writes records, each in two halves. SIGHUP and SIGTERM are blocked;
 * between two records Daemon asks whether one has come. SIGHUP makes it read
 * its settings again, SIGTERM ends it. Parent sends each when it has the
 * first half of a record, and not yet the second.
 *
 * Watch   the record in hand is finished first; then the signal is obeyed.
 * Try     sig-shutdown --no-mask    killed in the middle: half a record
 * Read    sigtimedwait(2), daemon(7); Kerrisk, TLPI, 37.4;
 *         Stevens & Rago, APUE, 13.6
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sig-shutdown needs Linux: memfd_create"
#endif
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* The lengths of a record's first half, and of a word in the settings. */
enum { HALF = sizeof "record 1: " - 1, WORD = 4 };

static const char usage[] = "usage: sig-shutdown [--no-mask]\n"
                            "  --no-mask  wrong: the signals are not blocked";
static bool no_mask;
static int settings, work[2], gate[2];

/* Daemon. Its wait at the gate stands for work that takes a while. */
static void serve(const sigset_t *signals)
{
    static const struct timespec now = { 0 };
    char word[WORD + 1] = "slow", byte;
    int sig = 0;

    for (int n = 1; sig != SIGTERM; n++) {
        if (dprintf(work[1], "record %d: ", n) < 0)
            err(1, "write");
        if (read(gate[0], &byte, 1) == -1)
            err(1, "read");
        if (dprintf(work[1], "%s\n", word) < 0)
            err(1, "write");

        while ((sig = sigtimedwait(signals, NULL, &now)) == SIGHUP) {
            if (pread(settings, word, WORD, 0) == -1)
                err(1, "pread");
            printf("Daemon: SIGHUP, the settings say %s\n", word);
        }
        if (sig == -1 && errno != EAGAIN) /* EAGAIN: none is pending */
            err(1, "sigtimedwait");
    }
    printf("Daemon: SIGTERM, ends in order\n");
}

/* Parent: reads the records; a signal in the middle of the 2nd and 3rd. */
static void disturb(pid_t daemon, FILE *records)
{
    char line[40] = "";
    int n;

    for (n = 1; fread(line, 1, HALF, records) == HALF; n++) {
        if (n == 2) {
            if (pwrite(settings, "fast", WORD, 0) == -1)
                err(1, "pwrite");
            printf("Parent sends SIGHUP in the middle of record 2\n");
            kill(daemon, SIGHUP);
        }
        if (n == 3) {
            printf("Parent sends SIGTERM in the middle of record 3\n");
            kill(daemon, SIGTERM);
        }
        if (write(gate[1], "", 1) == -1) /* opens the gate */
            err(1, "write");
        if (!fgets(line + HALF, sizeof line - HALF, records)) {
            warnx("record %d is cut off: Daemon was killed in it", n);
            return;
        }
    }
    printf("Parent: %d records, all whole, the last: %s", n - 1, line + HALF);
}

int main(int argc, char *argv[])
{
    FILE *records;
    sigset_t signals;
    int status;
    pid_t pid;

    no_mask = argc > 1 && strcmp(argv[1], "--no-mask") == 0;
    if (argc > 1 + no_mask)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    signal(SIGHUP, SIG_DFL); /* nohup starts us with SIG_IGN */
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGTERM);
    if (sigprocmask(no_mask ? SIG_UNBLOCK : SIG_BLOCK, &signals, NULL) == -1)
        err(1, "sigprocmask");

    settings = memfd_create("settings", 0); /* a file without a name */
    if (settings == -1)
        err(1, "memfd_create");
    if (pipe(work) == -1)
        err(1, "pipe");
    if (pipe(gate) == -1)
        err(1, "pipe");
    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        alarm(10); /* ends an endless wait */
        close(work[0]);
        close(gate[1]);
        serve(&signals);
        exit(0);
    }
    close(work[1]);
    records = fdopen(work[0], "r");
    if (!records)
        err(1, "fdopen");
    disturb(pid, records);

    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Daemon waits at the gate");
    return status != 0;
}
