/*
 * Wrong: the status is 1 if the words are wrong.
 * Loses: without a role and one PATH it is refused, with status 2
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *made;

static void on_signal(int sig)
{
    unlink(made);
    _exit(128 + sig);
}

static void make(const char *path)
{
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN);
    made = path;
    if (mkfifo(path, 0600) == -1)
        err(1, "mkfifo %s", path);
}

static int serve(const char *path)
{
    int requests, reply, pid, ticket = 0;
    char name[40];

    make(path);
    requests = open(path, O_RDONLY);
    if (requests == -1 || open(path, O_WRONLY) == -1)
        err(1, "open %s", path);

    while (read(requests, &pid, sizeof pid) > 0) {
        snprintf(name, sizeof name, "/tmp/fifo-server.%d", pid);
        reply = open(name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
        if (reply == -1)
            continue;
        ticket++;
        if (write(reply, &ticket, sizeof ticket) == -1)
            warn("write");
        close(reply);
    }
    unlink(path);
    return 1;
}

static int ask(const char *path)
{
    struct pollfd fds[2] = { { .events = POLLIN }, { 0 } };
    int ticket, pid = getpid();
    static char name[40];
    ssize_t n;

    fds[1].fd = open(path, O_WRONLY);
    if (fds[1].fd == -1)
        err(1, "open %s", path);
    if (lseek(fds[1].fd, 0, SEEK_CUR) != -1)
        errx(1, "%s is not a FIFO", path);

    snprintf(name, sizeof name, "/tmp/fifo-server.%d", pid);
    make(name);
    fds[0].fd = open(name, O_RDONLY | O_NONBLOCK);
    if (fds[0].fd == -1)
        err(1, "open %s", name);
    if (write(fds[1].fd, &pid, sizeof pid) == -1)
        err(1, "write");

    poll(fds, 2, -1);
    n = read(fds[0].fd, &ticket, sizeof ticket);
    unlink(name);
    if (n != sizeof ticket)
        errx(1, "no answer");
    printf("Client: ticket %d\n", ticket);
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    if (argc == 3 && strcmp(argv[1], "ask") == 0)
        return ask(argv[2]);
    errx(1, "usage: fifo-server serve PATH | ask PATH");
}
