/*
 * pipe-sigpipe - writing to a pipe that nobody can read from
 *
 * usage: pipe-sigpipe
 *
 * Parent makes a pipe, closes its only read end and forks twice. Child 1
 * writes, and SIGPIPE kills it. Child 2 ignores SIGPIPE: its write fails
 * with EPIPE, and Child 2 goes on.
 *
 * Watch   Child 1 has no second line. Its wait status says why: SIGPIPE.
 *         (A shell shows 128 + 13.)
 * Try     yes | head -n 1; echo ${PIPESTATUS[0]}    in bash: what stops yes?
 * Read    pipe(7), write(2), signal(7), wait(2); Kerrisk, TLPI, 44.2
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(int n, int write_end)
{
    /* An ignored SIGPIPE is inherited, so Child 1 sets the default. */
    signal(SIGPIPE, n == 1 ? SIG_DFL : SIG_IGN);
    printf("Child %d %s SIGPIPE, and writes\n", n,
           n == 1 ? "does not ignore" : "ignores");

    if (write(write_end, "hello", 5) != -1)
        errx(1, "write succeeds: somebody holds a read end");
    if (errno != EPIPE)
        err(1, "write");
    printf("Child %d goes on: write fails with EPIPE (%s)\n", n,
           strerror(errno));
}

/* Forks a child that writes; returns its wait status. */
static int status_of_child(int n, int write_end)
{
    int status;

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        child(n, write_end);
        exit(0);
    }
    if (wait(&status) == -1)
        err(1, "wait");
    return status;
}

int main(int argc, char *argv[])
{
    int fd[2], status;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: pipe-sigpipe", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (pipe(fd) == -1)
        err(1, "pipe");
    close(fd[0]); /* before the forks: no child inherits it */

    status = status_of_child(1, fd[1]);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGPIPE)
        errx(1, "Child 1 was not killed by SIGPIPE");
    printf("Parent: Child 1 was killed by SIGPIPE; a shell shows %d\n",
           128 + WTERMSIG(status));

    status = status_of_child(2, fd[1]);
    if (!WIFEXITED(status))
        errx(1, "Child 2 was killed");
    printf("Parent: Child 2 exited with status %d\n", WEXITSTATUS(status));
    return WEXITSTATUS(status);
}
