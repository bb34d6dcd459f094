/*
 * pipeline - any number of commands, each reading from the one before
 *
 * usage: pipeline [--pipefail] [--pipe-size N] [--wait-first]
 *                 [CMD [ARG...] [-- CMD [ARG...]]...]
 *
 * Each stage but the last writes into a pipe. Parent lets the next stage
 * inherit the read end, then closes its own: at no time does it hold more
 * than two pipes, so 16 descriptors are enough for 500 stages. Without
 * commands: seq 100000 | grep 77 | wc -l.
 *
 * Watch   the variable `before`: the read end kept for the next stage.
 * Try     pipeline --pipefail false -- true; echo $?
 *         pipeline --wait-first    one stage after the other: stuck
 * Read    pipe(7), F_SETPIPE_SZ in fcntl(2); bash(1), Pipelines
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "pipeline needs Linux: F_SETPIPE_SZ"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: pipeline [--pipefail] [--pipe-size N] [--wait-first]\n"
    "                [CMD [ARG...] [-- CMD [ARG...]]...]\n"
    "  --pipefail     the status is that of the last stage that failed\n"
    "  --pipe-size N  ask for pipes that hold N bytes\n"
    "  --wait-first   wrong: a stage starts when the one before has ended";
static bool pipefail, wait_first;
static int result;

static int number(const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "not a number from 1 to %d: %s\n%s", max, word, usage);
    return (int)n;
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

/*
 * Moves fd to number n. fd is -1 where there is no pipe, and equal to n if n
 * was closed at the start.
 */
static void move(int fd, int n)
{
    if (fd == -1 || fd == n)
        return;
    if (dup2(fd, n) == -1)
        err(1, "dup2");
    close(fd);
}

/* In a child: reads from `before`, writes to next[1], becomes cmd. */
static void become(char *cmd[], int before, const int next[2])
{
    if (wait_first)
        alarm(1); /* exec keeps the alarm */
    if (next[0] != -1)
        close(next[0]); /* the next stage's */
    move(before, STDIN_FILENO);
    move(next[1], STDOUT_FILENO);

    execvp(cmd[0], cmd);
    err(errno == ENOENT ? 127 : 126, "%s", cmd[0]); /* as a shell does */
}

/*
 * Waits for a stage. The result is the status of the last one; with
 * --pipefail, of the last one that failed.
 */
static void finish(pid_t pid, int stage)
{
    int status;

    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    if (wait_first && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124,
             "stuck: Parent waits for stage %d, which waits for a reader",
             stage);
    if (!pipefail || status != 0)
        result = status;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "pipefail", no_argument, NULL, 'f' },
        { "pipe-size", required_argument, NULL, 'p' },
        { "wait-first", no_argument, NULL, 'w' },
        { 0 },
    };
    static char *demo[] = { "seq", "100000", "--", "grep", "77",
                            "--",  "wc",     "-l", NULL };
    int before = -1, count = 0, opt, pipe_size = 0;
    char **cmd = demo;
    pid_t pids[argc + 2]; /* fewer commands than words; the demo has 3 */

    while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (opt == 'f')
            pipefail = true;
        else if (opt == 'p')
            pipe_size = number(optarg, 1 << 24);
        else if (opt == 'w')
            wait_first = true;
        else
            errx(2, "%s", usage);
    }
    if (optind < argc)
        cmd = argv + optind;
    for (int i = 0; cmd[i]; i++)
        if (strcmp(cmd[i], "--") == 0 &&
            (i == 0 || !cmd[i + 1] || strcmp(cmd[i + 1], "--") == 0))
            errx(2, "a command is missing beside --\n%s", usage);
    /* Were SIGCHLD ignored, waitpid would find no status. */
    signal(SIGCHLD, SIG_DFL);

    while (cmd) {
        char **next_cmd = cut(cmd);
        int next[2] = { -1, -1 }; /* the last stage has no pipe */

        if (next_cmd && pipe(next) == -1)
            err(1, "pipe of stage %d (%s)", count + 1, cmd[0]);
        if (next_cmd && pipe_size &&
            fcntl(next[1], F_SETPIPE_SZ, pipe_size) == -1)
            err(1, "fcntl: F_SETPIPE_SZ (see /proc/sys/fs/pipe-max-size)");
        pids[count] = fork();
        if (pids[count] == -1)
            err(1, "fork of stage %d (%s)", count + 1, cmd[0]);
        if (pids[count] == 0)
            become(cmd, before, next);

        if (before != -1)
            close(before);
        if (next_cmd)
            close(next[1]); /* or the next stage never sees EOF */
        before = next[0];
        count++;
        if (wait_first)
            finish(pids[count - 1], count);
        cmd = next_cmd;
    }

    if (!wait_first)
        for (int i = 0; i < count; i++)
            finish(pids[i], i + 1);
    return WIFSIGNALED(result) ? 128 + WTERMSIG(result) : WEXITSTATUS(result);
}
