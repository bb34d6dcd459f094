/*
 * sig-child - SIGCHLD says that children have ended, not how many
 *
 * usage: sig-child [--children N] [--one-wait]
 *
 * Parent starts N children (default 5) and lets all of them end while
 * SIGCHLD is blocked: N zombies, one pending signal. Then it opens the
 * mask. The handler calls waitpid until no ended child is left.
 *
 * Watch   the handler runs once, and must reap all.
 * Try     sig-child --one-wait        one waitpid a signal: zombies stay
 *         sig-child --children 200
 * Read    wait(2), sigaction(2), proc(5); Kerrisk, TLPI, 26.3.1;
 *         Stevens & Rago, APUE, 10.7
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sig-child needs Linux: /proc"
#endif
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 1000

static const char help[] =
    "usage: sig-child [--children N] [--one-wait]\n"
    "  --children N  start N children\n"
    "  --one-wait    wrong: one waitpid for each SIGCHLD\n";

static volatile sig_atomic_t runs, reaped;
static bool one_wait;

static void handler(int sig)
{
    int saved = errno;

    (void)sig;
    runs++;
    /* -1 and ECHILD: none is left. 0: those that are left still run. */
    while (waitpid(-1, NULL, WNOHANG) > 0) {
        reaped++;
        if (one_wait)
            break;
    }
    errno = saved;
}

/* Asks /proc how many of our children are in state Z, a zombie. */
static int zombies(void)
{
    DIR *proc = opendir("/proc");
    int count = 0;

    if (!proc)
        err(1, "/proc");
    for (struct dirent *entry; (entry = readdir(proc));) {
        char path[sizeof entry->d_name + sizeof "/proc//stat"], line[512];
        char state, *name_end = NULL;
        FILE *stat;
        long ppid;

        if (atoi(entry->d_name) == 0)
            continue;
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        stat = fopen(path, "r");
        if (!stat && errno != ENOENT && errno != EACCES)
            err(1, "%s", path);
        if (!stat)
            continue; /* gone since readdir, or not for us: no child */
        if (fgets(line, sizeof line, stat))
            name_end = strrchr(line, ')'); /* a name may hold anything */
        fclose(stat);
        if (name_end && sscanf(name_end, ") %c %ld", &state, &ppid) == 2)
            count += state == 'Z' && ppid == (long)getpid();
    }
    closedir(proc);
    return count;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "children", required_argument, NULL, 'c' },
        { "one-wait", no_argument, NULL, 'o' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    struct sigaction sa = { .sa_handler = handler,
                            .sa_flags = SA_RESTART | SA_NOCLDSTOP };
    int gate[2], opt, started, left;
    sigset_t chld, open_mask;
    ssize_t read_says;
    pid_t pid[MOST];
    siginfo_t info;
    long children = 5;
    char *end, byte;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (opt) {
        case 'c':
            children = strtol(optarg, &end, 10);
            if (*end || end == optarg || children < 1 || children > MOST)
                errx(2, "--children must be a number from 1 to %d: %s", MOST,
                     optarg);
            break;
        case 'o':
            one_wait = true;
            break;
        default:
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &chld, &open_mask) == -1)
        err(1, "sigprocmask");
    sigdelset(&open_mask, SIGCHLD);
    sigemptyset(&sa.sa_mask);
    if (sigaction(SIGCHLD, &sa, NULL) == -1)
        err(1, "sigaction");

    if (pipe(gate) == -1)
        err(1, "pipe");
    for (started = 0; started < children; started++) {
        pid[started] = fork();
        if (pid[started] == -1) {
            warn("fork, for child %d", started + 1);
            break;
        }
        if (pid[started] == 0) {
            close(gate[1]);
            read_says = read(gate[0], &byte, 1); /* 0: the gate is open, */
            close(gate[0]);                      /* or Parent is no more */
            _exit(read_says == 0 ? 0 : 1);
        }
    }
    close(gate[0]);
    close(gate[1]);

    /* WNOWAIT: wait until a child has ended, but leave it a zombie. */
    for (int i = 0; i < started; i++)
        if (waitid(P_PID, (id_t)pid[i], &info, WEXITED | WNOWAIT) == -1)
            err(1, "waitid");
    printf("Parent: children that have ended: %d\n", started);
    printf("Parent: zombies: %d\n", zombies());

    if (sigprocmask(SIG_SETMASK, &open_mask, NULL) == -1) /* it comes here */
        err(1, "sigprocmask");

    left = zombies();
    printf("Handler: SIGCHLD came: %d, reaped: %d\n", runs, reaped);
    printf("Parent: zombies: %d\n", left);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    while (wait(NULL) > 0) /* what the handler has left */
        ;
    if (left)
        errx(1, "%d zombies: SIGCHLD merged, so one waitpid is not enough",
             left);
    return started == children ? 0 : 1;
}
