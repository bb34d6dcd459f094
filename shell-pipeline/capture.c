/*
 * capture - a command's standard output and error, each in a string
 *
 * usage: capture [--wait-first] [CMD [ARG...]]
 *
 * Two pipes bring what the command writes. poll tells which of them has
 * something, so neither fills up while Parent reads the other. When both
 * are at their end, Parent waits for the status. A third pipe says whether
 * exec worked: a successful exec closes it, and read returns 0.
 * (Without CMD, sh writes a line to each; with --wait-first it runs
 * seq 100000.)
 *
 * Watch   the order: read to the end first, wait for the status second.
 * Try     capture --wait-first seq 100000    stuck above one pipe's size
 *         capture sh -c 'echo oops >&2; exit 3'; echo $?
 * Read    poll(2), pipe(7), O_CLOEXEC in open(2); Kerrisk, TLPI, ch. 44
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: capture [--wait-first] [CMD [ARG...]]\n"
    "  --wait-first  wrong: Parent waits before it reads";
static bool wait_first;

enum { PART = 65536 };

struct string {
    char *bytes; /* may hold NULs, so there is a length */
    size_t length;
};

/* Reads once and appends; false at the end of file. */
static bool append(struct string *s, int read_end)
{
    ssize_t n;

    s->bytes = realloc(s->bytes, s->length + PART);
    if (!s->bytes)
        err(1, "realloc");
    n = read(read_end, s->bytes + s->length, PART);
    if (n == -1)
        err(1, "read");
    s->length += (size_t)n;
    return n > 0;
}

/* Reads both pipes, whichever has something, to their ends. */
static void drain(int out, int error, struct string text[2])
{
    struct pollfd fds[] = { { .fd = out, .events = POLLIN },
                            { .fd = error, .events = POLLIN } };

    while (fds[0].fd != -1 || fds[1].fd != -1) {
        if (poll(fds, 2, -1) == -1)
            err(1, "poll");
        for (int i = 0; i < 2; i++)
            if (fds[i].revents && !append(&text[i], fds[i].fd))
                fds[i].fd = -1; /* poll passes over it from now on */
    }
}

static void print(const char *name, const struct string *s)
{
    printf("Parent captured %zu bytes of %s\n", s->length, name);
    fwrite(s->bytes, 1, s->length, stdout);
    if (s->length > 0 && s->bytes[s->length - 1] != '\n')
        putchar('\n');
}

/* In a child: becomes cmd, or sends the reason why not. */
static void become(char *cmd[], int out, int error, int report)
{
    if (wait_first)
        alarm(1); /* exec keeps the alarm */
    if (dup2(out, STDOUT_FILENO) == -1)
        err(1, "dup2");
    if (dup2(error, STDERR_FILENO) == -1)
        err(1, "dup2");

    execvp(cmd[0], cmd);
    /* Parent prints the reason: our own stderr is a pipe by now. */
    if (write(report, &errno, sizeof errno) == -1)
        _exit(1);
    _exit(127);
}

int main(int argc, char *argv[])
{
    static char *demo[] = { "sh", "-c", "echo out; echo error >&2", NULL };
    static struct string text[2];
    int out[2], error[2], report[2], why, status;
    char **cmd = demo;
    pid_t pid;
    ssize_t n;

    wait_first = argc > 1 && strcmp(argv[1], "--wait-first") == 0;
    if (argc > 1 + wait_first)
        cmd = argv + 1 + wait_first;
    else if (wait_first)
        demo[2] = "seq 100000";
    if (cmd[0][0] == '-')
        errx(2, "%s", usage);
    /* Were SIGCHLD ignored, waitpid would find no status. */
    signal(SIGCHLD, SIG_DFL);

    /* exec closes all six, but not the copies that dup2 makes. */
    if (pipe2(out, O_CLOEXEC) == -1)
        err(1, "pipe2");
    if (pipe2(error, O_CLOEXEC) == -1)
        err(1, "pipe2");
    if (pipe2(report, O_CLOEXEC) == -1)
        err(1, "pipe2");
    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0)
        become(cmd, out[1], error[1], report[1]);
    close(out[1]);
    close(error[1]);
    close(report[1]);

    n = read(report[0], &why, sizeof why); /* 0: exec has closed it */
    if (n == -1)
        err(1, "read");
    if (!wait_first)
        drain(out[0], error[0], text);
    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");

    if (n > 0)
        errx(why == ENOENT ? 127 : 126, "%s: %s", cmd[0], strerror(why));
    if (wait_first && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: nobody reads, because Parent waits for %s", cmd[0]);
    if (wait_first)
        drain(out[0], error[0], text);

    print("stdout", &text[0]);
    print("stderr", &text[1]);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
