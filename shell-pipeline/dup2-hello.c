/*
 * dup2-hello - where the descriptors lead, before and after dup2
 *
 * usage: dup2-hello
 *
 * Child makes the write end of a pipe its standard output, and asks the
 * kernel, before and after dup2, where each descriptor leads. The second
 * table goes through the pipe to Parent, which prints it.
 *
 * Watch   descriptor 1. printf writes to it, and knows nothing of pipes.
 * Try     ls -l /proc/self/fd | cat    the same, done by your shell
 * Read    dup2(2), proc(5), fcntl(2); Stevens & Rago, APUE, 3.12
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "dup2-hello needs Linux: /proc"
#endif
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char pipe_name[40];

/* Where does fd lead? "inherited": it was open before pipe was called. */
static const char *look(int fd)
{
    char path[40], name[40] = ""; /* all NUL: readlink adds none */

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (readlink(path, name, sizeof name - 1) == -1)
        return "closed";
    if (strcmp(name, pipe_name) != 0)
        return "inherited";
    return (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY ? "pipe write end"
                                                        : "pipe read end";
}

int main(int argc, char *argv[])
{
    char path[40], part[100];
    int fd[2], status;
    ssize_t n;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: dup2-hello", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (pipe(fd) == -1)
        err(1, "pipe");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd[1]);
    if (readlink(path, pipe_name, sizeof pipe_name - 1) == -1)
        err(1, "%s", path);

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        printf("Child: fd table before dup2:\n");
        for (int i = 0; i <= fd[1]; i++)
            printf("fd %d -> %s\n", i, look(i));
        if (dup2(fd[1], STDOUT_FILENO) == -1)
            err(1, "dup2");
        close(fd[0]);
        close(fd[1]); /* descriptor 1 is the write end now */
        printf("Child: fd table after dup2(fd[1], 1) and both closes:\n");
        for (int i = 0; i <= fd[1]; i++)
            printf("fd %d -> %s\n", i, look(i));
        exit(0);
    }
    close(fd[1]);
    while ((n = read(fd[0], part, sizeof part)) > 0)
        fwrite(part, 1, (size_t)n, stdout);
    if (n == -1)
        err(1, "read");

    if (wait(&status) == -1)
        err(1, "wait");
    return status != 0;
}
