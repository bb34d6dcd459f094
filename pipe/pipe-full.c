/*
 * pipe-full - a full pipe gets room by the page, not by the byte
 *
 * usage: pipe-full
 *
 * Parent fills a pipe and takes bytes out again. Room for a writer comes
 * when a whole page is empty: with pages of 4096 bytes not after 4095, but
 * after one more. Then Parent fills it again. Child's write of one byte
 * more, byte 65537 in a pipe for 65536, cannot return before Parent has read
 * a page. (This is Linux; POSIX does not say.)
 *
 * Watch   what poll says after almost a page, and after one more byte.
 * Try     pipebuffer --chunk 3000    pages again: what stays empty?
 * Read    pipe(7), poll(2); Linux, fs/pipe.c: pipe_write
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "pipe-full needs Linux: F_GETPIPE_SZ"
#endif
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char bytes[1 << 20]; /* 16 pages of 64 KiB: no new pipe holds more */

static void put(int write_end, size_t n)
{
    if (write(write_end, bytes, n) == -1)
        err(1, "write");
}

/* Takes up to n bytes out, and asks whether a writer has room now. */
static void take(const int fd[2], size_t n)
{
    struct pollfd end = { .fd = fd[1], .events = POLLOUT };
    ssize_t taken = read(fd[0], bytes, n);

    if (taken == -1)
        err(1, "read");
    if (poll(&end, 1, 0) == -1)
        err(1, "poll");
    printf("Parent reads %zd: poll says %s\n", taken,
           end.revents & POLLOUT ? "POLLOUT" : "nothing");
}

int main(int argc, char *argv[])
{
    int fd[2], capacity, status;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: pipe-full", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(10); /* ends an endless wait */

    if (pipe(fd) == -1)
        err(1, "pipe");
    capacity = fcntl(fd[1], F_GETPIPE_SZ);
    if (capacity == -1)
        err(1, "fcntl: F_GETPIPE_SZ");
    put(fd[1], (size_t)capacity);
    printf("Parent writes %d: the pipe is full\n", capacity);
    take(fd, page - 1);
    take(fd, 1);
    put(fd[1], page);
    printf("Parent writes %zu: it is full again\n", page);

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(10);
        close(fd[0]);
        put(fd[1], 1); /* no room before Parent has read a page */
        printf("Child: write of byte %d returns\n", capacity + 1);
        exit(0);
    }
    alarm(0); /* Child has its own, and ends our wait when it ends */
    close(fd[1]);
    printf("Parent reads %zu\n", page);
    if (read(fd[0], bytes, page) == -1)
        err(1, "read");

    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Child waits in write, and the pipe stays full");
    return status != 0;
}
