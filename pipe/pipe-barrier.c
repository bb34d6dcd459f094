/*
 * pipe-barrier - wait for many children: the end of file is the message
 *
 * usage: pipe-barrier [CHILDREN]
 *
 * Each child (default 5) works for a while, some longer than others,
 * notes in shared memory that it is ready, and closes its write end.
 * Parent's read returns 0 when the last child has closed. Unlike wait(2)
 * this does not need the children to end.
 *
 * Watch   nobody writes: the kernel's count of write ends is the message.
 * Try     put pause() after close(write_end): does Parent still go on?
 *         (^C ends it)
 * Read    pipe(7); Kerrisk, TLPI, 44.3; APUE, 15.2 (TELL_WAIT)
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CHILDREN = 1000 };

static const char usage[] = "usage: pipe-barrier [CHILDREN]";

static int number(const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "not a number from 1 to %d: %s\n%s", max, word, usage);
    return (int)n;
}

static void child(int n, int write_end, bool *ready)
{
    /* volatile, or the compiler would remove the loop */
    for (volatile long work = 500000L * (1 + n % 5); work > 0; work--)
        ;
    *ready = true;
    close(write_end); /* the last of these lets Parent go on */
}

int main(int argc, char *argv[])
{
    int fd[2], status, children = 5, count = 0, failed = 0;
    bool *ready;
    char none; /* nothing will be written */
    ssize_t n;

    if (argc > 2)
        errx(2, "unexpected argument: %s\n%s", argv[2], usage);
    if (argc > 1)
        children = number(argv[1], MAX_CHILDREN);

    if (pipe(fd) == -1)
        err(1, "pipe");
    /* Shared memory, only to check that all were ready. */
    ready = mmap(NULL, MAX_CHILDREN * sizeof *ready, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ready == MAP_FAILED)
        err(1, "mmap");
    for (int i = 0; i < children; i++) {
        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            close(fd[0]);
            child(i, fd[1], &ready[i]);
            exit(0);
        }
    }
    close(fd[1]);

    n = read(fd[0], &none, 1);
    if (n == -1)
        err(1, "read");
    for (int i = 0; i < children; i++)
        count += ready[i];
    printf("Parent: read returns %zd, %d of %d are ready\n", n, count,
           children);

    for (int i = 0; i < children; i++) {
        if (wait(&status) == -1)
            err(1, "wait");
        failed |= status;
    }
    return failed != 0 || count != children;
}
