/*
 * pipebuffer - how much a pipe holds
 *
 * usage: pipebuffer [--chunk N] [--size N]
 *
 * Writer fills a pipe that nobody reads. With O_NONBLOCK a write that would
 * wait for room fails with EAGAIN instead. Writer adds up what goes in
 * before that. A chunk is PIPE_BUF bytes unless you say otherwise.
 *
 * Watch   F_GETPIPE_SZ, and the bytes that go in: are they the same?
 * Try     pipebuffer --chunk 3000       the same pipe holds less: why?
 *         pipebuffer --size 1048576     by default the most for a user
 * Read    pipe(2), pipe(7), F_SETPIPE_SZ in fcntl(2); Kerrisk, TLPI, 44.10
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "pipebuffer needs Linux: F_GETPIPE_SZ, F_SETPIPE_SZ"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_CHUNK = 1 << 20, MAX_SIZE = 1 << 24 };

static const char usage[] = "usage: pipebuffer [--chunk N] [--size N]\n"
                            "  --chunk N  write N bytes at a time\n"
                            "  --size N   ask for a pipe that holds N bytes";

static int number(const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "not a number from 1 to %d: %s\n%s", max, word, usage);
    return (int)n;
}

static void resize(int fd, int size)
{
    int got = fcntl(fd, F_SETPIPE_SZ, size);

    if (got == -1) {
        warn("fcntl: F_SETPIPE_SZ to %d", size);
        errx(1, "hint: see /proc/sys/fs/pipe-max-size");
    }
    printf("Writer asked for %d bytes and got %d\n", size, got);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "chunk", required_argument, NULL, 'c' },
        { "size", required_argument, NULL, 's' },
        { 0 },
    };
    static char bytes[MAX_CHUNK];
    int fd[2], opt, capacity, pipe_buf, chunk = 0, size = 0, sum = 0;
    ssize_t n;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'c')
            chunk = number(optarg, MAX_CHUNK);
        else if (opt == 's')
            size = number(optarg, MAX_SIZE);
        else
            errx(2, "%s", usage);
    }
    if (optind < argc)
        errx(2, "unexpected argument: %s\n%s", argv[optind], usage);

    if (pipe2(fd, O_NONBLOCK) == -1)
        err(1, "pipe2");
    if (size)
        resize(fd[1], size);
    capacity = fcntl(fd[1], F_GETPIPE_SZ);
    if (capacity == -1)
        err(1, "fcntl: F_GETPIPE_SZ");
    pipe_buf = (int)fpathconf(fd[1], _PC_PIPE_BUF);
    if (pipe_buf == -1)
        err(1, "fpathconf: PIPE_BUF");
    printf("Writer: F_GETPIPE_SZ is %d, PIPE_BUF is %d\n", capacity,
           pipe_buf);

    if (!chunk)
        chunk = pipe_buf;
    while ((n = write(fd[1], bytes, (size_t)chunk)) > 0)
        sum += (int)n;
    if (errno != EAGAIN)
        err(1, "write");
    printf("Writer: chunks of %d: %d bytes go in, then EAGAIN\n", chunk, sum);
    if (sum < capacity)
        printf("Writer: %d stay empty: what does not fit starts a new page\n",
               capacity - sum);
    return 0;
}
