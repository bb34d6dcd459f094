/*
 * pipe-hello - one message from a parent to its child
 *
 * usage: pipe-hello [--same-process] [MESSAGE]
 *
 * Parent makes a pipe and forks: now both hold both ends. Each closes the
 * end it does not use, Parent writes, Child reads until the end of file.
 *
 * Watch   the read that says 0: nobody holds the write end any more.
 * Try     pipe-hello --same-process    the writer reads its own words
 * Read    pipe(2), fork(2), pipe(7); Kerrisk, TLPI, 44.2
 */
#include <err.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: pipe-hello [--same-process] [MESSAGE]\n"
    "  --same-process  wrong: Parent writes, then reads the answer there\n";

/* Prints all that comes out of the pipe, until no write end is open. */
static void child(int read_end)
{
    char part[PIPE_BUF];
    ssize_t n;

    printf("Child received: ");
    while ((n = read(read_end, part, sizeof part)) > 0)
        fwrite(part, 1, (size_t)n, stdout);
    if (n == -1)
        err(1, "read");
    printf("\nChild: read says 0, the end of file\n");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "same-process", no_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    const char *message = "Hello from parent!";
    bool same_process = false;
    int fd[2], opt, status;
    size_t length;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != 's') {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
        same_process = true;
    }
    if (optind < argc)
        message = argv[optind++];
    if (optind < argc)
        errx(2, "one MESSAGE is enough, what is this: %s", argv[optind]);
    length = strlen(message);
    if (length > PIPE_BUF)
        errx(2, "MESSAGE is longer than PIPE_BUF, %d bytes", PIPE_BUF);

    /* In a pipe, too, each line leaves when it is complete. */
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (pipe(fd) == -1)
        err(1, "pipe");

    if (same_process) {
        char answer[PIPE_BUF];
        ssize_t n;

        if (write(fd[1], message, length) == -1)
            err(1, "write");
        close(fd[1]);
        n = read(fd[0], answer, sizeof answer);
        if (n == -1)
            err(1, "read");
        close(fd[0]);
        printf("Parent received: %.*s\n", (int)n, answer);
        errx(1, "these are Parent's own words: a pipe has one direction");
    }

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        close(fd[1]); /* or read would wait for our own words for ever */
        child(fd[0]);
        close(fd[0]);
        exit(0);
    }

    close(fd[0]);
    /* Up to PIPE_BUF bytes go in whole, or not at all. */
    if (write(fd[1], message, length) == -1)
        err(1, "write");
    close(fd[1]); /* the last write end: Child's read will say 0 */

    if (wait(&status) == -1)
        err(1, "wait");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
