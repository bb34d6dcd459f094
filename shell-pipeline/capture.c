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
 * Read    poll(2), signalfd(2), pipe(7); CS 644, week 5, exercise 12
 */
#ifndef __linux__
#error "capture needs Linux: signalfd, PR_SET_PDEATHSIG"
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
#include <sys/signalfd.h>
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

/*
 * In a child: becomes cmd, or sends the reason why not. exec closes all ends
 * of all pipes (O_CLOEXEC), but not the copies that dup2 makes.
 */
static void become(char *cmd[], int out, int error, int report,
                   const sigset_t *mask, pid_t parent)
{
    sigprocmask(SIG_SETMASK, mask, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* no command outlives Parent */
    if (getppid() != parent)
        _exit(1);

    if (dup2(out, STDOUT_FILENO) == -1 || dup2(error, STDERR_FILENO) == -1)
        err(1, "dup2");
    if (out == STDOUT_FILENO) /* we were started without: dup2 did nothing */
        fcntl(out, F_SETFD, 0);

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

/* Wrong: waits for Child's end; false if it waits for us to read. */
static bool ends_first(int signals, int out, int error)
{
    struct pollfd end = { .fd = signals, .events = POLLIN };

    while (poll(&end, 1, 1000) == 0)
        if (is_full(out) || is_full(error))
            return false;
    return true;
}

/* Reads both pipes to their end; false if Child ended a second ago. */
static bool drain(int out, int error, int signals, struct string text[2])
{
    struct pollfd fds[] = {
        { .fd = out, .events = POLLIN },
        { .fd = error, .events = POLLIN },
        { .fd = signals, .events = POLLIN },
    };
    struct signalfd_siginfo came;

    while (fds[0].fd != -1 || fds[1].fd != -1) {
        if (poll(fds, 3, -1) == -1)
            err(1, "poll");
        for (int i = 0; i < 2; i++)
            if (fds[i].revents && !append(&text[i], fds[i].fd))
                fds[i].fd = -1; /* poll passes over it from now on */
        if (!fds[2].revents)
            continue;
        if (read(signals, &came, sizeof came) == -1)
            err(1, "read signalfd");
        if (came.ssi_signo == SIGALRM)
            return false;
        alarm(1); /* SIGCHLD: what is in the pipes still comes */
    }
    return true;
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
    int out[2], error[2], report[2], ends, opt, reason, status;
    sigset_t signals, mask;
    bool stuck = false;
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

    /* Child's end, and a second after it, shall be seen by poll. */
    signal(SIGCHLD, SIG_DFL); /* one that is ignored would not come */
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGALRM);
    sigprocmask(SIG_BLOCK, &signals, &mask);

    if (pipe2(out, O_CLOEXEC) == -1 || pipe2(error, O_CLOEXEC) == -1 ||
        pipe2(report, O_CLOEXEC) == -1)
        err(1, "pipe");
    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0)
        become(cmd, out[1], error[1], report[1], &mask, parent);
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

    ends = signalfd(-1, &signals, SFD_CLOEXEC);
    if (ends == -1)
        err(1, "signalfd");
    if (wait_first)
        stuck = !ends_first(ends, out[0], error[0]);
    if (stuck) {
        warnx("stuck: %s waits for room in a pipe, and Parent, who should"
              " read from it, for its end",
              cmd[0]);
        kill(pid, SIGTERM);
    } else if (!drain(out[0], error[0], ends, text)) {
        warnx("%s has ended, but a process that it left in the background"
              " holds the pipe: not waiting for more",
              cmd[0]);
    }
    close(out[0]);
    close(error[0]);
    close(ends);
    status = status_of(pid);

    if (stuck)
        return 124;
    print("stdout", &text[0]);
    print("stderr", &text[1]);
    printf("Parent: %s ended with status %d\n", cmd[0], status);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    free(text[0].bytes);
    free(text[1].bytes);
    return status;
}
