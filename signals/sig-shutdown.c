/*
 * sig-shutdown - a daemon's manners: reload, end in order, leave nothing half
 *
 * usage: sig-shutdown [--no-mask] [serve]
 *
 * Daemon appends records to a file, each in two halves. It keeps SIGHUP,
 * SIGINT and SIGTERM blocked for life and takes them between two records.
 * SIGHUP: it reads its settings again; SIGINT and SIGTERM: it ends. Parent
 * sends them when Daemon has stopped after a first half, the worst moment.
 *
 * Watch   the record in hand is written to its end, then the signal counts.
 * Try     sig-shutdown --no-mask    killed in the middle: half a record
 *         sig-shutdown serve        in another terminal: kill -HUP, kill
 * Read    sigtimedwait(2), daemon(7); Kerrisk, TLPI, 37.4; Stevens & Rago,
 *         APUE, 13.6
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sig-shutdown needs Linux: PR_SET_PDEATHSIG"
#endif
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: sig-shutdown [--no-mask] [serve]\n"
    "  --no-mask  wrong: signals may come at any moment\n";

static char folder[PATH_MAX]; /* holds two files: work and settings */

static void remove_folder(void)
{
    unlink("work");
    unlink("settings");
    rmdir(folder); /* a child that failed may have done it before us */
}

/* Makes the folder and goes there. */
static void make_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    char name[PATH_MAX];

    snprintf(name, sizeof name, "%s/sig-shutdown.%ld.XXXXXX",
             tmp && *tmp ? tmp : "/tmp", (long)getuid());
    if (!mkdtemp(name) || !realpath(name, folder) || chdir(folder) == -1)
        err(1, "%s", name);
    atexit(remove_folder); /* there is room for 32 */
}

/* A settings file that makes no sense is no reason to stop work. */
static void read_settings(char word[32])
{
    FILE *f = fopen("settings", "r");

    if (f && fscanf(f, "%31s", word) != 1)
        warnx("no word in %s/settings: %s stays", folder, word);
    if (f)
        fclose(f);
}

/* Daemon: writes records until it is told to end. */
static void serve(const sigset_t *signals, bool is_watched)
{
    int fd = open("work", O_WRONLY | O_CREAT | O_APPEND, 0600), sig = -1;
    char word[32] = "blue";

    if (fd == -1)
        err(1, "work");
    for (long n = 1; sig == -1; n++) {
        struct timespec rest = { .tv_nsec = is_watched ? 0 : 50000000 };

        if (dprintf(fd, "record %ld %s", n, word) < 0)
            err(1, "work");
        if (is_watched)
            raise(SIGSTOP); /* Parent acts, then sends SIGCONT */
        if (dprintf(fd, " done\n") < 0)
            err(1, "work");

        /* Only now signals count. -1: none came, or we were stopped. */
        while ((sig = sigtimedwait(signals, NULL, &rest)) == SIGHUP) {
            read_settings(word);
            printf("Daemon: SIGHUP, the settings say %s\n", word);
            rest.tv_nsec = 0;
        }
    }
    printf("Daemon: SIG%s, ends in order\n", sig == SIGINT ? "INT" : "TERM");
    close(fd);
}

/* Parent: interrupts two records, and waits for Daemon's end. */
static void disturb(pid_t daemon)
{
    int status, settings;

    for (int n = 1;; n++) {
        if (waitpid(daemon, &status, WUNTRACED) == -1)
            err(1, "waitpid");
        if (!WIFSTOPPED(status))
            break;
        if (n == 2) {
            printf("Parent: SIGHUP in the middle of record 2\n");
            settings = creat("settings", 0600);
            if (settings == -1 || dprintf(settings, "green\n") < 0)
                err(1, "settings");
            close(settings);
            kill(daemon, SIGHUP); /* cannot fail: it is still our child */
        }
        if (n == 3) {
            printf("Parent: 100 SIGHUP, 1 SIGTERM in the middle of 3\n");
            for (int i = 0; i < 100; i++)
                kill(daemon, SIGHUP);
            kill(daemon, SIGTERM);
        }
        kill(daemon, SIGCONT);
    }
    printf("Parent: Daemon has ended: %s\n",
           WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "by itself");
}

/* Looks whether each line of the work file is a whole record. */
static bool is_whole(void)
{
    char line[80], word[32] = "", end;
    FILE *f = fopen("work", "r");
    int n, records = 0, lines = 0;

    if (!f)
        err(1, "work");
    for (; fgets(line, sizeof line, f); lines++)
        if (sscanf(line, "record %d %31s done%c", &n, word, &end) == 3)
            records += n == records + 1;
    fclose(f);
    if (records < lines)
        warnx("cut off in the middle: %s", line);
    else
        printf("Work: %d records, all whole, the last %s\n", records, word);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return records == lines;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "no-mask", no_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    bool no_mask = false;
    sigset_t signals;
    pid_t parent = getpid(), pid;
    int opt;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != 'n') {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
        no_mask = true;
    }
    if (argc - optind > 1 ||
        (optind < argc && (no_mask || strcmp(argv[optind], "serve") != 0)))
        errx(2, "either --no-mask, or serve: %s", argv[argc - 1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    /* Blocked before there is anything that must be removed. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) == -1)
        err(1, "sigprocmask");
    signal(SIGPIPE, SIG_IGN); /* no way out that leaves the folder */
    make_folder();

    if (optind < argc) {
        printf("Daemon: process %ld, %s/work\n", (long)getpid(), folder);
        serve(&signals, false);
    } else {
        switch (pid = fork()) {
        case -1:
            err(1, "fork");
        case 0:
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* not stopped for ever */
            if (getppid() != parent)
                _exit(1);
            if (no_mask)
                sigprocmask(SIG_UNBLOCK, &signals, NULL);
            serve(&signals, true);
            _exit(0); /* each line is out, and the folder is Parent's */
        }
        disturb(pid);
    }
    return is_whole() ? 0 : 1;
}
