/*
 * Wrong: the number of commands is not looked at.
 * Loses: without two commands it is refused, with status 2
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(char *cmd[], const int fd[2], int n)
{
    close(fd[1 - n]);
    if (fd[n] != n) {
        if (dup2(fd[n], n) == -1)
            err(1, "dup2");
        close(fd[n]);
    }
    execvp(cmd[0], cmd);
    err(errno == ENOENT ? 127 : 126, "%s", cmd[0]);
}

int main(int argc, char *argv[])
{
    int fd[2], status, i = 1;
    pid_t pid1, pid2;

    while (i < argc && strcmp(argv[i], "--") != 0)
        i++;
    argv[i] = NULL;

    signal(SIGCHLD, SIG_DFL);
    if (pipe(fd) == -1)
        err(1, "pipe");
    pid1 = fork();
    if (pid1 == 0)
        run(argv + 1, fd, 1);
    pid2 = fork();
    if (pid2 == 0)
        run(argv + i + 1, fd, 0);
    close(fd[0]);
    close(fd[1]);

    waitpid(pid1, NULL, 0);
    waitpid(pid2, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
