/*
 * pipebuffer - how much a pipe holds, and what happens when it is full
 *
 * usage: pipebuffer [--chunk N] [--size N]
 *
 * Parent writes chunks of N bytes (default PIPE_BUF) into a pipe that nobody
 * reads, with O_NONBLOCK, until write says EAGAIN, and counts. Then Child
 * writes without O_NONBLOCK and sleeps, until Parent makes room.
 *
 * Watch   the count, and the byte for which there is no room.
 * Try     pipebuffer --chunk 3000       the same pipe holds less: why?
 *         pipebuffer --size 1048576     as much as a user may ask for
 * Read    pipe(7), F_SETPIPE_SZ in fcntl(2); Kerrisk, TLPI, 44.2 and 44.10
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "pipebuffer needs Linux: F_SETPIPE_SZ, /proc/PID/stat"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/param.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] = "usage: pipebuffer [--chunk N] [--size N]\n"
                           "  --chunk N  write N bytes at a time\n"
                           "  --size N   let the pipe hold N bytes\n";

static long bytes(const char *option, const char *word)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > INT_MAX)
        errx(2, "%s must be a number of bytes: %s", option, word);
    return n;
}

/* The first line of a small file of the kernel's. */
static char *line_in(const char *path)
{
    static char line[512];
    FILE *file = fopen(path, "r");

    if (!file || !fgets(line, sizeof line, file))
        err(1, "%s", path);
    fclose(file);
    return line;
}

static void set_size(int fd, long size)
{
    const char *limit = "/proc/sys/fs/pipe-max-size";
    int got = fcntl(fd, F_SETPIPE_SZ, (int)size);

    if (got == -1) {
        bool refused = errno == EPERM;

        warn("--size %ld", size);
        if (size <= atol(line_in(limit))) /* then it is the sum of pages */
            limit = "/proc/sys/fs/pipe-user-pages-soft";
        if (refused)
            warnx("hint: %s is %s", limit, strtok(line_in(limit), "\n"));
        exit(1);
    }
    printf("Parent asked for %ld bytes and got %d\n", size, got);
}

/* Writes chunks until not one more byte goes in; returns how many did. */
static long fill(int fd, const char *chunk, size_t size)
{
    long held = 0;
    ssize_t n;

    /* Up to PIPE_BUF bytes go in whole or not at all, of more also a part. */
    while ((n = write(fd, chunk, size)) > 0)
        held += n;
    if (errno != EAGAIN)
        err(1, "write");
    return held;
}

/* Waits until the kernel says that a process sleeps, or has ended. */
static bool falls_asleep(pid_t pid)
{
    char path[64], state;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    do {
        sched_yield();
        state = strrchr(line_in(path), ')')[2];
    } while (state != 'S' && state != 'Z');
    return state == 'S';
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "chunk", required_argument, NULL, 'c' },
        { "size", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    long chunk_size = 0, size = 0, page = sysconf(_SC_PAGESIZE);
    long pipe_buf, capacity, held;
    int fd[2], opt, in_pipe, status;
    char *chunk;
    pid_t pid;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (opt) {
        case 'c':
            chunk_size = bytes("--chunk", optarg);
            break;
        case 's':
            size = bytes("--size", optarg);
            break;
        default:
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    if (pipe2(fd, O_NONBLOCK) == -1)
        err(1, "pipe2");
    if (size)
        set_size(fd[1], size);
    capacity = fcntl(fd[1], F_GETPIPE_SZ);
    pipe_buf = fpathconf(fd[1], _PC_PIPE_BUF);
    if (capacity == -1 || pipe_buf == -1)
        err(1, "F_GETPIPE_SZ, PIPE_BUF");
    printf("Parent: F_GETPIPE_SZ is %ld, PIPE_BUF is %ld\n", capacity,
           pipe_buf);
    if (!chunk_size)
        chunk_size = pipe_buf;
    chunk = calloc(1, (size_t)MAX(chunk_size, page));
    if (!chunk)
        err(1, "--chunk %ld", chunk_size);

    held = fill(fd[1], chunk, (size_t)chunk_size);
    printf("Parent writes %ld at a time, EAGAIN comes after %ld bytes\n",
           chunk_size, held);
    if (ioctl(fd[0], FIONREAD, &in_pipe) == -1)
        err(1, "FIONREAD");
    if (in_pipe != held)
        errx(1, "FIONREAD says that %d bytes are in the pipe", in_pipe);
    if (held < capacity)
        printf(
            "Parent: %ld bytes stay empty, the pipe is %ld pages of %ld:\n"
            "Parent: what the last page has no room for begins a new one\n",
            capacity - held, capacity / page, page);

    /* The flag is the open file description's: Child will see it, too. */
    if (fcntl(fd[1], F_SETFL, 0) == -1)
        err(1, "F_SETFL");
    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        close(fd[0]); /* if Parent dies, SIGPIPE ends the write */
        held = write(fd[1], chunk, (size_t)MIN(chunk_size, page));
        if (held == -1)
            err(1, "write");
        printf("Child: write says %ld\n", held);
        close(fd[1]);
        free(chunk);
        exit(ferror(stdout) ? 1 : 0);
    }

    if (!falls_asleep(pid))
        errx(1, "Child has written into a full pipe");
    printf("Child sleeps in write: byte %ld finds no room\n", held + 1);
    printf("Parent reads a page\n");
    if (read(fd[0], chunk, (size_t)page) == -1)
        err(1, "read");
    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    close(fd[0]);
    close(fd[1]);
    free(chunk);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
