/*
 * capture - a command's standard output and error, each in a string
 *
 * usage: capture [--wait-first] [CMD [ARG...]]
 *
 * Two pipes bring what Child writes, and poll tells which of them to read,
 * so that neither fills up while Parent looks at the other. Only then does
 * Parent wait. A third pipe says whether exec worked: it closes on exec.
 *
 * Watch   the order: read to the end first, wait for the status second.
 * Try     capture --wait-first seq 100000    stuck above one pipe's size
 *         capture sh -c 'exit 3'; echo $?
 * Read    poll(2), pidfd_open(2), pipe(7)
 */
#ifndef __linux__
#error "capture needs Linux: pidfd_open, timerfd_create, PR_SET_PDEATHSIG"
#endif
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: capture [--wait-first] [CMD [ARG...]]\n"
    "  --wait-first  wrong: Parent waits before it reads\n";

struct string {
    char *bytes; /* may hold NULs, so there is a length */
    size_t length, room;
};

/* Reads once and appends; false at the end of file. */
static bool append(struct string *s, int read_end)
{
    ssize_t n;

    if (s->room - s->length < 65536) {
        s->room = 2 * s->room + 65536;
        s->bytes = realloc(s->bytes, s->room);
        if (!s->bytes)
            err(1, "realloc to %zu bytes", s->room);
    }
    n = read(read_end, s->bytes + s->length, s->room - s->length);
    if (n == -1)
        err(1, "read");
    s->length += (size_t)n;
    return n > 0;
}

static void print(const char *name, const struct string *s)
{
    printf("Parent captured %zu bytes of %s\n", s->length, name);
    if (s->length == 0)
        return;
    fwrite(s->bytes, 1, s->length, stdout);
    if (s->bytes[s->length - 1] != '\n')
        putchar('\n');
}

/* In a child: makes fd the standard descriptor n. */
static void move(int fd, int n)
{
    if (fd == n) /* if we were started with n closed */
        return;
    if (dup2(fd, n) == -1)
        err(1, "dup2");
    close(fd); /* close(2) cannot fail on an end that is open */
}

/* In a child: becomes cmd, or sends the reason why not. */
static void become(char *cmd[], const int out[2], const int error[2],
                   int report, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* no command outlives Parent */
    if (getppid() != parent)
        _exit(1);

    close(out[0]);
    close(error[0]);
    move(out[1], STDOUT_FILENO);
    move(error[1], STDERR_FILENO);

    execvp(cmd[0], cmd);
    /* So few bytes go in whole, and Parent reads them whole. */
    if (write(report, &errno, sizeof errno) == -1)
        _exit(1);
    _exit(127);
}

/* Waits for a child; returns what a shell would show as $?. */
static int status_of(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* True if a writer would have to wait: asked through an end of our own. */
static bool is_full(int read_end)
{
    struct pollfd write_end = { .events = POLLOUT };
    char path[40];

    snprintf(path, sizeof path, "/proc/self/fd/%d", read_end);
    write_end.fd = open(path, O_WRONLY | O_CLOEXEC);
    if (write_end.fd == -1 || poll(&write_end, 1, 0) == -1)
        err(1, "%s", path);
    close(write_end.fd);
    return !(write_end.revents & POLLOUT);
}

int main(int argc, char *argv[])
{
    static int wait_first;
    static const struct option options[] = {
        { "wait-first", no_argument, &wait_first, true },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static char *demo[] = { "sh", "-c", "echo out; echo error >&2", NULL };
    struct string text[2] = { 0 };
    static const struct itimerspec second = { .it_value.tv_sec = 1 };
    struct pollfd fds[] = {
        { .events = POLLIN }, /* Child's stdout */
        { .events = POLLIN }, /* Child's stderr */
        { .events = POLLIN }, /* a pidfd: ready when Child has ended */
        { .events = POLLIN }, /* a timer: a second's grace after that */
    };
    int out[2], error[2], report[2], opt, reason, status;
    char **cmd = demo;
    pid_t parent = getpid(), pid;
    ssize_t n;

    while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (opt != 0) {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (optind < argc)
        cmd = argv + optind;
    else if (wait_first)
        demo[2] = "seq 100000";
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (pipe(out) == -1 || pipe(error) == -1 ||
        pipe2(report, O_CLOEXEC) == -1)
        err(1, "pipe");
    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0)
        become(cmd, out, error, report[1], parent);
    close(out[1]);
    close(error[1]);
    close(report[1]);

    n = read(report[0], &reason, sizeof reason);
    if (n == -1)
        err(1, "read");
    close(report[0]);
    if (n > 0) { /* else closed by a successful exec */
        status_of(pid);
        errno = reason;
        err(reason == ENOENT ? 127 : 126, "%s", cmd[0]);
    }

    fds[2].fd = (int)syscall(SYS_pidfd_open, pid, 0);
    fds[3].fd = timerfd_create(CLOCK_MONOTONIC, 0);
    if (fds[2].fd == -1 || fds[3].fd == -1)
        err(1, "pidfd_open or timerfd_create");
    fds[0].fd = out[0];
    fds[1].fd = error[0];

    while (wait_first && poll(&fds[2], 1, 1000) == 0) {
        if (!is_full(out[0]) && !is_full(error[0]))
            continue;
        warnx("stuck: %s waits for room in a pipe, and Parent, who should"
              " read from it, for its end",
              cmd[0]);
        kill(pid, SIGTERM);
        status_of(pid);
        return 124;
    }

    while (fds[0].fd != -1 || fds[1].fd != -1) {
        if (poll(fds, 4, -1) == -1)
            err(1, "poll");
        for (int i = 0; i < 2; i++) {
            if (fds[i].revents && !append(&text[i], fds[i].fd)) {
                close(fds[i].fd);
                fds[i].fd = -1; /* poll passes over it from now on */
            }
        }
        if (fds[2].revents) {
            close(fds[2].fd);
            fds[2].fd = -1;
            if (timerfd_settime(fds[3].fd, 0, &second, NULL) == -1)
                err(1, "timerfd_settime");
        }
        if (fds[3].revents) {
            warnx("%s has ended, but a process that it left in the"
                  " background holds the pipe: not waiting for more",
                  cmd[0]);
            break;
        }
    }
    for (int i = 0; i < 4; i++)
        if (fds[i].fd != -1)
            close(fds[i].fd);
    status = status_of(pid);

    print("stdout", &text[0]);
    print("stderr", &text[1]);
    printf("Parent: %s ended with status %d\n", cmd[0], status);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    free(text[0].bytes);
    free(text[1].bytes);
    return status;
}
