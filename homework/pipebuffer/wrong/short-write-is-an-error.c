/*
 * Wrong: a chunk that is taken in part is taken for an error.
 * Loses: of a chunk that is taken in part, that part counts
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char bytes[1 << 20];

static int to_number(const char *word, int max)
{
    char *rest;
    long n = strtol(word, &rest, 10);

    if (rest == word || *rest != '\0' || n < 1 || n > max)
        errx(2, "%s is no number from 1 to %d", word, max);
    return (int)n;
}

int main(int argc, char *argv[])
{
    static const struct option known[] = {
        { "chunk", required_argument, NULL, 'c' },
        { "size", required_argument, NULL, 's' },
        { NULL, 0, NULL, 0 },
    };
    int fd[2], opt, chunk = 0, size = 0, given, holds, pipe_buf, sum = 0;
    ssize_t n;

    while ((opt = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (opt == 'c')
            chunk = to_number(optarg, 1 << 20);
        else if (opt == 's')
            size = to_number(optarg, 1 << 24);
        else
            exit(2);
    }
    if (argv[optind] != NULL)
        errx(2, "what is %s?", argv[optind]);

    if (pipe(fd) == -1)
        err(1, "pipe");
    if (fcntl(fd[1], F_SETFL, O_NONBLOCK) == -1)
        err(1, "F_SETFL");
    if (size != 0) {
        given = fcntl(fd[1], F_SETPIPE_SZ, size);
        if (given == -1)
            err(1, "F_SETPIPE_SZ");
        printf("I asked for %d, and got %d\n", size, given);
    }
    holds = fcntl(fd[1], F_GETPIPE_SZ);
    if (holds == -1)
        err(1, "F_GETPIPE_SZ");
    printf("F_GETPIPE_SZ: %d\n", holds);
    pipe_buf = (int)fpathconf(fd[1], _PC_PIPE_BUF);
    printf("PIPE_BUF: %d\n", pipe_buf);
    if (chunk == 0)
        chunk = pipe_buf;

    while ((n = write(fd[1], bytes, (size_t)chunk)) > 0) {
        if (n != chunk)
            err(1, "write");
        sum += chunk;
    }
    if (errno != EAGAIN)
        err(1, "write");
    printf("%d before EAGAIN\n", sum);
    if (sum < holds)
        printf("%d empty\n", holds - sum);
    return 0;
}
