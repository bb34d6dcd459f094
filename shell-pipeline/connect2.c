/*
 * connect2 - what a shell does for CMD1 | CMD2
 *
 * usage: connect2 [--no-close] [CMD1 [ARG...] -- CMD2 [ARG...]]
 *
 * One pipe, two forks. One child makes the write end its standard output,
 * the other makes the read end its standard input, and each becomes its
 * command. Parent closes both ends and waits; the status is CMD2's. (Without
 * commands: echo hello | wc -c.)
 *
 * Watch   the closes: three processes, and none may keep a spare end.
 * Try     connect2 --no-close    CMD2 never sees EOF
 *         connect2 ls / -- wc -l
 * Read    pipe(2), dup2(2), exec(3); Stevens & Rago, APUE, 15.2
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: connect2 [--no-close] [CMD1 [ARG...] -- CMD2 [ARG...]]\n"
    "  --no-close  wrong: Parent keeps the write end";
static bool no_close;

/*
 * In a child: makes fd[n] descriptor n (0: the read end is its standard
 * input, 1: the write end its standard output), and becomes cmd.
 */
static void become(char *cmd[], const int fd[2], int n)
{
    close(fd[1 - n]); /* the other command's end */
    if (fd[n] != n) { /* equal if n was closed at the start */
        if (dup2(fd[n], n) == -1)
            err(1, "dup2");
        close(fd[n]);
    }

    execvp(cmd[0], cmd);
    err(errno == ENOENT ? 127 : 126, "%s", cmd[0]); /* as a shell does */
}

int main(int argc, char *argv[])
{
    static char *demo[] = { "echo", "hello", "--", "wc", "-c", NULL };
    char **cmd1 = demo, **cmd2;
    int fd[2], status;
    pid_t pid1, pid2;

    no_close = argc > 1 && strcmp(argv[1], "--no-close") == 0;
    if (argc > 1 + no_close)
        cmd1 = argv + 1 + no_close;
    cmd2 = cmd1;
    while (*cmd2 && strcmp(*cmd2, "--") != 0)
        cmd2++;
    if (cmd2 == cmd1 || cmd1[0][0] == '-' || !cmd2[0] || !cmd2[1])
        errx(2, "separate two commands with --\n%s", usage);
    *cmd2 = NULL;
    cmd2++;

    /* Were SIGCHLD ignored, waitpid would find no status. */
    signal(SIGCHLD, SIG_DFL);
    if (pipe(fd) == -1)
        err(1, "pipe");
    pid1 = fork();
    if (pid1 == -1)
        err(1, "fork");
    if (pid1 == 0)
        become(cmd1, fd, STDOUT_FILENO);
    pid2 = fork();
    if (pid2 == -1)
        err(1, "fork");
    if (pid2 == 0) {
        if (no_close)
            alarm(1); /* exec keeps the alarm */
        become(cmd2, fd, STDIN_FILENO);
    }
    close(fd[0]);
    if (!no_close)
        close(fd[1]); /* or CMD2 never sees EOF */

    if (waitpid(pid1, NULL, 0) == -1)
        err(1, "waitpid");
    if (waitpid(pid2, &status, 0) == -1)
        err(1, "waitpid");
    if (no_close && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: %s waits for EOF, and Parent holds a write end",
             cmd2[0]);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
