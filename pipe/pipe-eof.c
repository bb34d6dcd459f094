/*
 * pipe-eof - the end of file comes when the last write end is closed
 *
 * usage: pipe-eof [--no-close]
 *
 * Parent writes a word and keeps its write end open. Child, which has closed
 * its own, reads the word and finds the pipe empty, but not at its end. Only
 * when Parent closes the last write end does poll report POLLHUP and read
 * return 0. (The second pipe, seen, tells Parent that Child has looked.)
 *
 * Watch   an empty pipe is not at its end while any write end is open.
 * Try     pipe-eof --no-close    Child waits for a writer: itself
 * Read    pipe(7), poll(2); APUE, 15.2 and exercises 15.1, 15.7
 */
#define _GNU_SOURCE
#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: pipe-eof [--no-close]\n"
    "  --no-close  wrong: Child, which reads, keeps a write end";
static bool no_close;

/* Waits at most timeout ms (-1: for ever); reads if poll says it can. */
static void look(int read_end, int timeout)
{
    struct pollfd end = { .fd = read_end, .events = POLLIN };
    char word[16] = "";
    ssize_t n;

    if (poll(&end, 1, timeout) == -1)
        err(1, "poll");
    if (!end.revents) {
        printf("Child: poll says nothing, so nothing is read\n");
        return;
    }
    n = read(read_end, word, sizeof word - 1);
    if (n == -1)
        err(1, "read");
    printf("Child: poll says %s, read returns %zd: %s\n",
           end.revents & POLLIN ? "POLLIN" : "POLLHUP", n, n ? word : "EOF");
}

static void child(int read_end, int seen)
{
    look(read_end, -1); /* waits: a word comes */
    look(read_end, 0);  /* does not wait: the pipe is empty */
    close(seen);        /* Parent's read returns 0, and Parent goes on */
    look(read_end, -1); /* waits: the end comes */
}

int main(int argc, char *argv[])
{
    int fd[2], seen[2], status;
    char none; /* nothing will be written to seen */

    no_close = argc > 1 && strcmp(argv[1], "--no-close") == 0;
    if (argc > 1 + no_close)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (pipe(fd) == -1)
        err(1, "pipe");
    if (pipe(seen) == -1)
        err(1, "pipe");
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(no_close ? 1 : 10); /* ends an endless wait */
        if (!no_close)
            close(fd[1]);
        child(fd[0], seen[1]);
        exit(0);
    }
    close(fd[0]);
    close(seen[1]);

    if (write(fd[1], "hello", 5) == -1)
        err(1, "write");
    if (read(seen[0], &none, 1) == -1)
        err(1, "read");
    printf("Parent closes its write end\n");
    close(fd[1]);

    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Child waits for EOF, and %s holds a write end",
             no_close ? "Child itself" : "Parent");
    return status != 0;
}
