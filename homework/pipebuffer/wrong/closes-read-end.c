/*
 * Wrong: the read end is closed: SIGPIPE.
 * Loses: it writes a chunk at a time until EAGAIN, and reports the sum
 * Loses: a chunk is PIPE_BUF bytes by default, and PIPE_BUF is reported
 * Loses: what a chunk leaves empty in each page is not in the sum
 * Loses: what stays empty is reported
 * Loses: of a chunk that is taken in part, that part counts
 * Loses: a large chunk has that many bytes
 * Loses: --size: it reports what was asked for and what was given
 * Loses: F_GETPIPE_SZ is asked after the change of size
 * Loses: the options may come in either order
 * Loses: a size that is refused is reported, and nothing is written
 * Loses: if there can be no pipe, it says so
 * Loses: wrong usage is refused, with status 2
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
    close(fd[0]);
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

    while ((n = write(fd[1], bytes, (size_t)chunk)) > 0)
        sum += (int)n;
    if (errno != EAGAIN)
        err(1, "write");
    printf("%d before EAGAIN\n", sum);
    if (sum < holds)
        printf("%d empty\n", holds - sum);
    return 0;
}
