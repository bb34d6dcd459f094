/*
 * pipe-atomic - many writers share a pipe: which records arrive whole
 *
 * usage: pipe-atomic [--writers N] [--size N]
 *
 * Each Writer (default 4) fills records of N bytes (default PIPE_BUF) with
 * a byte value of its own and writes 250 of them. Parent cuts the stream
 * back into records: one that holds two values is torn. The pipe has one
 * page, to force the tearing; how many are torn above PIPE_BUF varies.
 *
 * Watch   none is torn, however many write: up to PIPE_BUF a write is atomic.
 * Try     pipe-atomic --size 8192                above PIPE_BUF it is not
 *         pipe-atomic --size 8192 --writers 1    who could tear it?
 * Read    PIPE_BUF in pipe(7); POSIX, write(); Kerrisk, TLPI, 44.1
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "pipe-atomic needs Linux: F_SETPIPE_SZ"
#endif
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORDS = 250, MAX_WRITERS = 50, MAX_SIZE = 65536 };

static const char usage[] =
    "usage: pipe-atomic [--writers N] [--size N]\n"
    "  --writers N  how many write at the same time (4)\n"
    "  --size 8192  wrong: records above PIPE_BUF are torn";
static char bytes[MAX_SIZE];

static int number(const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "not a number from 1 to %d: %s\n%s", max, word, usage);
    return (int)n;
}

/* Reads all records; returns how many of them are torn. */
static int reader(int read_end, size_t size)
{
    int all = 0, torn = 0;
    size_t got = 0;
    ssize_t n;

    /* A record may come in parts. */
    while ((n = read(read_end, bytes + got, size - got)) > 0) {
        got = (got + (size_t)n) % size;
        if (got == 0) {
            all++;
            /* Equal to itself moved by one: all bytes are the same. */
            torn += memcmp(bytes, bytes + 1, size - 1) != 0;
        }
    }
    if (n == -1)
        err(1, "read");
    printf("Parent: %d of %d records of %zu bytes are torn (PIPE_BUF: %d)\n",
           torn, all, size, PIPE_BUF);
    return torn;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "writers", required_argument, NULL, 'w' },
        { "size", required_argument, NULL, 's' },
        { 0 },
    };
    int fd[2], opt, status, failed, stuck = 0, writers = 4, size = PIPE_BUF;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'w')
            writers = number(optarg, MAX_WRITERS);
        else if (opt == 's')
            size = number(optarg, MAX_SIZE);
        else
            errx(2, "%s", usage);
    }
    if (optind < argc)
        errx(2, "unexpected argument: %s\n%s", argv[optind], usage);

    if (pipe(fd) == -1)
        err(1, "pipe");
    /* A pipe of 64 KiB takes 8192 bytes whole; a pipe of one page cannot. */
    if (fcntl(fd[1], F_SETPIPE_SZ, PIPE_BUF) == -1)
        err(1, "fcntl: F_SETPIPE_SZ");

    for (int i = 0; i < writers; i++) {
        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            alarm(10); /* ends an endless wait */
            close(fd[0]);
            memset(bytes, 'A' + i, (size_t)size);
            for (int n = 0; n < RECORDS; n++)
                if (write(fd[1], bytes, (size_t)size) == -1)
                    err(1, "write");
            exit(0);
        }
    }
    close(fd[1]);
    failed = reader(fd[0], (size_t)size);

    for (int i = 0; i < writers; i++) {
        if (wait(&status) == -1)
            err(1, "wait");
        failed |= status;
        stuck |= WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    }
    if (stuck)
        errx(124, "stuck, or too much for 10 s: a Writer waits in write");
    return failed != 0;
}
