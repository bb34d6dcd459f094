/*
 * Right: a thread writes, and polls for room between its writes; the write
 * end is opened anew through /proc, since O_NONBLOCK belongs to the opening.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct job {
    int fd;
    long long chunk;
    long long total;
    int error;
};

static void *fill(void *arg)
{
    struct job *job = arg;
    struct pollfd room = { job->fd, POLLOUT, 0 };
    void *block = calloc(1, (size_t)job->chunk);
    ssize_t n;

    if (!block) {
        job->error = ENOMEM;
        return NULL;
    }
    for (;;) {
        poll(&room, 1, 0); /* its answer is about pages: write knows better */
        n = write(job->fd, block, (size_t)job->chunk);
        if (n == -1)
            break;
        job->total += n;
    }
    if (errno != EAGAIN)
        job->error = errno;
    free(block);
    return NULL;
}

static int complain(int status, const char *what, const char *why)
{
    fprintf(stderr, "pipebuffer, %s: %s\n", what, why);
    exit(status);
}

static long long value_of(char **word, long long max)
{
    char *after;
    long long n;

    if (!word[1])
        complain(2, word[0], "no number");
    errno = 0;
    n = strtoll(word[1], &after, 10);
    if (errno || after == word[1] || *after)
        complain(2, word[1], "not a number");
    if (n <= 0 || n > max)
        complain(2, word[1], "too small or too large");
    return n;
}

int main(int argc, char **argv)
{
    struct job job = { .chunk = 0 };
    long long size = 0;
    char path[64];
    int p[2], out, capacity;
    pthread_t thread;

    (void)argc;
    while (*++argv) {
        if (!strcmp(*argv, "--chunk"))
            job.chunk = value_of(argv++, 1LL << 20);
        else if (!strcmp(*argv, "--size"))
            size = value_of(argv++, 1LL << 24);
        else
            complain(2, *argv, "no such option");
    }
    if (pipe2(p, O_CLOEXEC))
        complain(1, "a pipe", strerror(errno));
    if (size) {
        int got = fcntl(p[1], F_SETPIPE_SZ, size);

        if (got == -1)
            complain(1, "another size", strerror(errno));
        printf("size asked=%lld got=%d\n", size, got);
    }
    capacity = fcntl(p[1], F_GETPIPE_SZ);
    printf("size F_GETPIPE_SZ=%d PIPE_BUF=%ld\n", capacity,
           fpathconf(p[0], _PC_PIPE_BUF));
    if (!job.chunk)
        job.chunk = fpathconf(p[0], _PC_PIPE_BUF);

    snprintf(path, sizeof path, "/proc/self/fd/%d", p[1]);
    out = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (out == -1)
        complain(1, path, strerror(errno));
    if (dup3(out, p[1], O_CLOEXEC) == -1)
        complain(1, "dup3", strerror(errno));
    job.fd = p[1];
    if (pthread_create(&thread, NULL, fill, &job))
        complain(1, "thread", "none to be had");
    pthread_join(thread, NULL);
    if (job.error)
        complain(1, "write", strerror(job.error));

    printf("sum at EAGAIN=%lld\n", job.total);
    if (job.total != capacity)
        printf("empty=%lld\n", capacity - job.total);
    return 0;
}
