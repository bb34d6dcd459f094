/*
 * sock-pair - one socketpair is a pipe in both directions
 *
 * usage: sock-pair [--no-shutdown]
 *
 * Parent makes two connected sockets and forks; each process keeps one.
 * Parent asks, and shuts its own direction down: that is Child's end of
 * file. The other direction is still open, and the answer comes that way.
 *
 * Watch   shutdown ends one direction. close would have ended both.
 * Try     sock-pair --no-shutdown    Child waits for more of the question
 * Read    socketpair(2), shutdown(2), unix(7); Kerrisk, TLPI, 57.5, 61.2;
 *         Stevens & Rago, APUE, 17.2
 */
#define _GNU_SOURCE
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] = "usage: sock-pair [--no-shutdown]\n"
                            "  --no-shutdown  wrong: the question has no end";
static bool no_shutdown;

/* The answer needs the whole question, so it is read to its end. */
static void child(int fd)
{
    char question[100], answer[40];
    ssize_t n, sum = 0;

    while ((n = read(fd, question, sizeof question)) > 0)
        sum += n;
    if (n == -1)
        err(1, "read");
    printf("Child: read returns 0, the end of the question\n");

    snprintf(answer, sizeof answer, "%zd bytes", sum);
    if (write(fd, answer, strlen(answer)) == -1)
        err(1, "write");
}

int main(int argc, char *argv[])
{
    const char *question = "how long is this?";
    char answer[40];
    int fd[2], status;
    ssize_t n;

    no_shutdown = argc > 1 && strcmp(argv[1], "--no-shutdown") == 0;
    if (argc > 1 + no_shutdown)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1)
        err(1, "socketpair");
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(no_shutdown ? 1 : 10); /* ends an endless wait */
        close(fd[0]);
        child(fd[1]);
        exit(0);
    }
    close(fd[1]);

    printf("Parent asks: %s\n", question);
    if (write(fd[0], question, strlen(question)) == -1)
        err(1, "write");
    if (!no_shutdown && shutdown(fd[0], SHUT_WR) == -1)
        err(1, "shutdown");
    n = read(fd[0], answer, sizeof answer);
    if (n == -1)
        err(1, "read");
    if (n > 0)
        printf("Parent got: %.*s\n", (int)n, answer);

    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Child waits for more, Parent for the answer");
    return status != 0;
}
