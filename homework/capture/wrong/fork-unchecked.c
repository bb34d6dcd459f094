/*
 * Wrong: fork is not checked, nor is waitpid.
 * Loses: if there can be no pipe or no process, it says so and shows nothing
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct text {
    char *bytes;
    size_t size;
};

static int take(struct text *t, int fd)
{
    ssize_t n;

    t->bytes = realloc(t->bytes, t->size + 4096);
    if (t->bytes == NULL)
        err(1, "realloc");
    n = read(fd, t->bytes + t->size, 4096);
    if (n == -1)
        err(1, "read");
    t->size += (size_t)n;
    return n != 0;
}

static void show(const char *name, const struct text *t)
{
    printf("%s, %zu bytes:\n", name, t->size);
    fwrite(t->bytes, 1, t->size, stdout);
    if (t->size != 0 && t->bytes[t->size - 1] != '\n')
        putchar('\n');
}

int main(int argc, char *argv[])
{
    struct text text[2] = { { NULL, 0 }, { NULL, 0 } };
    int out[2], error[2], report[2], status = 0, why, i, left = 2;
    struct pollfd fds[2];
    ssize_t n;
    pid_t pid;

    if (argc < 2)
        errx(2, "usage: capture CMD [ARG...]");
    signal(SIGCHLD, SIG_DFL);
    if (pipe2(out, O_CLOEXEC) == -1)
        err(1, "pipe");
    if (pipe2(error, O_CLOEXEC) == -1)
        err(1, "pipe");
    if (pipe2(report, O_CLOEXEC) == -1)
        err(1, "pipe");

    pid = fork();
    if (pid == 0) {
        dup2(out[1], 1);
        dup2(error[1], 2);
        execvp(argv[1], argv + 1);
        if (write(report[1], &errno, sizeof errno) == -1)
            _exit(1);
        _exit(127);
    }
    close(out[1]);
    close(error[1]);
    close(report[1]);

    n = read(report[0], &why, sizeof why);
    if (n > 0) {
        waitpid(pid, NULL, 0);
        errx(why == ENOENT ? 127 : 126, "%s: %s", argv[1], strerror(why));
    }

    fds[0] = (struct pollfd){ out[0], POLLIN, 0 };
    fds[1] = (struct pollfd){ error[0], POLLIN, 0 };
    while (left > 0) {
        if (poll(fds, 2, -1) == -1)
            err(1, "poll");
        for (i = 0; i < 2; i++) {
            if (fds[i].revents != 0 && !take(&text[i], fds[i].fd)) {
                fds[i].fd = -1;
                left--;
            }
        }
    }
    waitpid(pid, &status, 0);

    show("stdout", &text[0]);
    show("stderr", &text[1]);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
