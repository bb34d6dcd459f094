/*
 * Wrong: one after the other, with a temporary file instead of a pipe.
 * Loses: it works with 0 or 1 closed at the start
 * Loses: CMD1 gets SIGPIPE when CMD2 has ended
 * Loses: if there can be no pipe, it says so and runs nothing
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int run(char *cmd[], int fd, int n)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        dup2(fd, n);
        close(fd);
        execvp(cmd[0], cmd);
        err(errno == ENOENT ? 127 : 126, "%s", cmd[0]);
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char *argv[])
{
    FILE *file = tmpfile();
    int i = 1;

    while (i < argc && strcmp(argv[i], "--") != 0)
        i++;
    if (i < 2 || i > argc - 2)
        errx(2, "usage: connect2 CMD1 [ARG...] -- CMD2 [ARG...]");
    argv[i] = NULL;
    signal(SIGCHLD, SIG_DFL);
    run(argv + 1, fileno(file), 1);
    rewind(file);
    return run(argv + i + 1, fileno(file), 0);
}
