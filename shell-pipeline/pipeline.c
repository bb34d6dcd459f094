/*
 * pipeline - any number of commands, each reading from the one before
 *
 * usage: pipeline [--pipe-size N] [--pipefail] [--status] [--wait-first]
 *                 [CMD [ARG...] [-- CMD [ARG...]]...]
 *
 * Each stage but the last gets a pipe of its own. Parent hands the read end
 * of one on to the next stage and closes it: at no time does it hold more
 * than two pipes, so 500 stages fit into 16 descriptors.
 *
 * Watch   before, the only descriptor that lives from stage to stage.
 * Try     pipeline --status false -- yes -- head -1
 *         pipeline --wait-first    one after the other: stuck
 * Read    pipe(7); bash(1), Pipelines, PIPESTATUS
 */
#ifndef __linux__
#error "pipeline needs Linux: F_SETPIPE_SZ, PR_SET_PDEATHSIG"
#endif
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
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
    "usage: pipeline [--pipe-size N] [--pipefail] [--status] [--wait-first]\n"
    "                [CMD [ARG...] [-- CMD [ARG...]]...]\n"
    "  --pipe-size N  let each pipe hold N bytes\n"
    "  --pipefail     fail if any stage fails, not only the last\n"
    "  --status       print the status of every stage on stderr\n"
    "  --wait-first   wrong: a stage starts when the one before has ended\n";

/* In a child: makes fd the standard descriptor n. */
static void move(int fd, int n)
{
    if (fd == n) /* if we were started with n closed */
        return;
    if (dup2(fd, n) == -1)
        err(1, "dup2");
    close(fd); /* close(2) cannot fail on an end that is open */
}

/* In a child: reads from before, writes to next[1], becomes cmd. */
static void become(char *cmd[], int before, const int next[2], pid_t parent)
{
    int status;

    prctl(PR_SET_PDEATHSIG, SIGTERM); /* no command outlives Parent */
    if (getppid() != parent)
        _exit(1);

    if (next[0] != -1)
        close(next[0]);
    if (before != -1)
        move(before, STDIN_FILENO);
    if (next[1] != -1)
        move(next[1], STDOUT_FILENO);

    execvp(cmd[0], cmd);
    status = errno == ENOENT ? 127 : 126; /* the shell's own numbers */
    warn("%s", cmd[0]);
    _exit(status);
}

/* Waits for a child; returns what a shell would show as $?. */
static int status_of(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Ends the first n stages: by EOF or SIGPIPE, if they ignore SIGTERM. */
static void end_stages(const pid_t *pids, int n, int before)
{
    if (before != -1)
        close(before);
    for (int i = 0; i < n; i++)
        kill(pids[i], SIGTERM);
    for (int i = 0; i < n; i++)
        status_of(pids[i]);
}

/* True if a writer would have to wait: asked through an end of our own. */
static bool is_full(int read_end)
{
    struct pollfd write_end = { .events = POLLOUT };
    char path[40];

    snprintf(path, sizeof path, "/proc/self/fd/%d", read_end);
    write_end.fd = open(path, O_WRONLY | O_CLOEXEC);
    if (write_end.fd == -1 || poll(&write_end, 1, 0) == -1)
        err(1, "%s", path);
    close(write_end.fd);
    return !(write_end.revents & POLLOUT);
}

/* Ends a command at its --; returns the next one, NULL after the last. */
static char **cut(char *words[])
{
    do
        words++;
    while (*words && strcmp(*words, "--") != 0);
    if (!*words)
        return NULL;
    *words = NULL;
    return words + 1;
}

int main(int argc, char *argv[])
{
    static int pipefail, show, wait_first;
    static const struct option options[] = {
        { "pipe-size", required_argument, NULL, 'p' },
        { "pipefail", no_argument, &pipefail, true },
        { "status", no_argument, &show, true },
        { "wait-first", no_argument, &wait_first, true },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static char *demo[] = { "seq", "100000", "--", "grep", "77",
                            "--",  "wc",     "-l", NULL };
    int before = -1, count = 0, *its, opt, status = 0;
    pid_t parent = getpid(), *pids;
    char **cmd = demo, **next_cmd, *end;
    long pipe_size = 0;

    while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        switch (opt) {
        case 0: /* a flag, and set */
            break;
        case 'p':
            pipe_size = strtol(optarg, &end, 10);
            if (*end || end == optarg || pipe_size < 1 || pipe_size > INT_MAX)
                errx(2, "--pipe-size must be a number of bytes: %s", optarg);
            break;
        default:
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    for (int i = optind; i < argc; i++)
        if (strcmp(argv[i], "--") == 0 &&
            (i == optind || i + 1 == argc || strcmp(argv[i + 1], "--") == 0))
            errx(2, "a command is missing before or after --");

    setvbuf(stdout, NULL, _IOLBF, 0); /* no line waits for a fork */
    if (optind < argc)
        cmd = argv + optind;
    else
        printf("Parent: seq 100000 | grep 77 | wc -l\n");
    pids = calloc((size_t)argc + 3, sizeof *pids); /* demo has 3 stages */
    its = calloc((size_t)argc + 3, sizeof *its);
    if (!pids || !its)
        err(1, "calloc");

    for (; cmd; cmd = next_cmd, count++) {
        int next[2] = { -1, -1 }; /* the last stage has no pipe */
        const char *failed = NULL;
        bool last;

        next_cmd = cut(cmd);
        last = !next_cmd;
        if (!last && pipe(next) == -1)
            failed = "pipe";
        else if (!last && pipe_size &&
                 fcntl(next[1], F_SETPIPE_SZ, (int)pipe_size) == -1)
            failed = "F_SETPIPE_SZ, see /proc/sys/fs/pipe-max-size";
        else if ((pids[count] = fork()) == -1)
            failed = "fork";
        if (failed)
            warn("stage %d (%s): %s", count + 1, cmd[0], failed);
        else if (pids[count] == 0)
            become(cmd, before, next, parent);

        if (before != -1)
            close(before);
        if (next[1] != -1)
            close(next[1]); /* or the next stage never sees EOF */
        before = next[0];
        if (failed) {
            end_stages(pids, count, before);
            exit(1);
        }

        /* POLLHUP: the stage, the only writer, has gone. */
        while (wait_first && !last &&
               poll(&(struct pollfd){ .fd = before }, 1, 1000) == 0) {
            if (!is_full(before))
                continue;
            warnx("stuck: stage %d (%s) waits for room in its pipe, and"
                  " Parent for its end, before it starts stage %d",
                  count + 1, cmd[0], count + 2);
            end_stages(pids, count + 1, before);
            exit(124);
        }
    }

    for (int n = 0; n < count; n++) {
        its[n] = status_of(pids[n]);
        if (!pipefail || its[n] != 0)
            status = its[n]; /* the last, or the last that failed */
    }
    for (int n = 0; show && n < count; n++)
        fprintf(stderr, "%s %d%s", n == 0 ? "PIPESTATUS:" : "", its[n],
                n == count - 1 ? "\n" : "");
    free(pids);
    free(its);
    return status;
}
