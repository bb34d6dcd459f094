/*
 * pipe-hello - one message from a parent to its child
 *
 * usage: pipe-hello [MESSAGE]
 *
 * Parent makes a pipe and forks: now both processes hold both ends. Each
 * closes the end that it does not use. Parent writes, and Child reads until
 * no more can come.
 *
 * Watch   the read that returns 0: nobody holds a write end any more.
 * Try     leave out Child's close(fd[1]), and wait 10 seconds: which read
 *         waits, and for whom?
 * Read    pipe(2), fork(2), pipe(7); Kerrisk, TLPI, 44.2
 */
#define _GNU_SOURCE
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* One read is not one message: a pipe is a stream of bytes. */
static void child(int read_end)
{
    char part[100];
    ssize_t n;

    printf("Child received: ");
    while ((n = read(read_end, part, sizeof part)) > 0) {
        fwrite(part, 1, (size_t)n, stdout);
        fflush(stdout); /* show it now: the next read may wait */
    }
    if (n == -1)
        err(1, "read");
    printf("\nChild: read returns 0, the end of file\n");
}

int main(int argc, char *argv[])
{
    const char *message = argc > 1 ? argv[1] : "Hello from parent!";
    int fd[2], status;

    if (argc > 2 || message[0] == '-')
        errx(2, "usage: pipe-hello [MESSAGE]");

    if (pipe(fd) == -1)
        err(1, "pipe");
    switch (fork()) {
    case -1:
        err(1, "fork"); /* does not return, so there is no break */
    case 0:
        alarm(10); /* ends an endless wait */
        close(fd[1]);
        child(fd[0]);
        exit(0);
    }
    close(fd[0]);

    if (write(fd[1], message, strlen(message)) == -1)
        err(1, "write");
    close(fd[1]); /* the last write end: Child's read can return 0 */

    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Child waits in read, and a write end is open");
    return status != 0; /* 1 unless Child exited with 0 */
}
