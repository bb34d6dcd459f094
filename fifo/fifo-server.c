/*
 * fifo-server - one well-known FIFO, and a reply FIFO for each client
 *
 * usage: fifo-server [--open-once | serve PATH | ask PATH]
 *
 * A client makes a FIFO of its own, named after its pid, and writes the pid
 * into Server's FIFO. Server opens the client's and writes a ticket into it.
 * Alone, Parent forks Server and then, one after the other, three clients.
 *
 * Watch   Server opens its FIFO twice, to read and to write. So it is itself
 *         a writer that never leaves, and it never sees the end of file.
 * Try     fifo-server --open-once        Server ends with its first client
 *         fifo-server serve my.fifo      ^C ends it; in a second terminal:
 *         fifo-server ask my.fifo        as often as you like
 * Read    fifo(7), open(2); Kerrisk, TLPI, 44.8; APUE, exercise 15.10
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool open_once;
static const char *made = ""; /* our FIFO, which is removed at the end */

static void remove_made(void)
{
    unlink(made);
}

static void on_signal(int sig)
{
    remove_made();
    _exit(128 + sig); /* what a shell would show */
}

/* Makes a FIFO that is removed however we end: by exit or by a signal. */
static const char *make(const char *path)
{
    signal(SIGALRM, on_signal);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN); /* no reader: write only fails */
    if (mkfifo(path, 0600) == -1)
        err(1, "mkfifo %s", path);
    made = path;
    atexit(remove_made);
    return path;
}

/* Gives out tickets, up to the last; if that is -1, for ever. */
static int serve(const char *path, int last)
{
    int requests, reply, ticket = 1;
    char name[40];
    pid_t client = 0;
    ssize_t n;

    requests = open(path, O_RDONLY); /* waits for the first client */
    if (requests == -1)
        err(1, "open %s", path);
    /* Never used, never closed: so there is always a writer. */
    if (!open_once && open(path, O_WRONLY) == -1)
        err(1, "open %s", path);

    while ((n = read(requests, &client, sizeof client)) > 0) {
        snprintf(name, sizeof name, "/tmp/fifo-server.%d", client);
        /*
         * O_NONBLOCK: a client that has gone must not keep us waiting.
         * O_NOFOLLOW: a link in its place must not lead us to another file.
         */
        reply = open(name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
        /* EMFILE is our own fault. Any other error: the client has gone. */
        if (reply == -1 && errno == EMFILE)
            err(1, "open %s", name);
        if (reply != -1 && write(reply, &ticket, sizeof ticket) != -1)
            ticket++;
        close(reply); /* if it is -1, nothing happens */
        if (ticket - 1 == last)
            return 0;
    }
    if (n == -1)
        err(1, "read");
    errx(1, "Server: read returns 0 after ticket %d", ticket - 1);
}

static int ask(const char *path)
{
    /* fds[0] is our FIFO, to read the answer from; fds[1] is Server's. */
    struct pollfd fds[2] = { { .events = POLLIN }, { 0 } };
    pid_t pid = getpid();
    static char name[40]; /* static: exit still needs it */
    int ticket;

    alarm(10); /* ends an endless wait */

    fds[1].fd = open(path, O_WRONLY); /* waits for Server */
    if (fds[1].fd == -1)
        err(1, "open %s", path);
    /* lseek works on a file and fails on a FIFO. */
    if (lseek(fds[1].fd, 0, SEEK_CUR) != -1)
        errx(1, "%s is not a FIFO", path);
    snprintf(name, sizeof name, "/tmp/fifo-server.%d", pid);
    /* O_NONBLOCK: Server opens it only when it has read our pid. */
    fds[0].fd = open(make(name), O_RDONLY | O_NONBLOCK);
    if (fds[0].fd == -1)
        err(1, "open %s", name);

    /* Up to PIPE_BUF bytes go in whole: no other bytes come between. */
    if (write(fds[1].fd, &pid, sizeof pid) == -1)
        err(1, "write");
    /* Waits for an answer, or until Server's FIFO has no reader: POLLERR. */
    if (poll(fds, 2, -1) == -1)
        err(1, "poll");
    if (read(fds[0].fd, &ticket, sizeof ticket) != sizeof ticket)
        errx(1, "Client: Server has ended without an answer");
    remove_made(); /* before anything is printed */
    printf("Client: ticket %d\n", ticket);
    return 0;
}

static int play_both(void)
{
    int status, failed = 0, clients = open_once ? 1 : 3;
    static char path[40];

    snprintf(path, sizeof path, "/tmp/fifo-server.%d", getpid());
    make(path);
    for (int i = 0; i <= clients && !failed; i++) {
        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            alarm(10);
            exit(i == 0 ? serve(path, 3) : ask(path));
        }
        /* The first child is Server; for each client we wait at once. */
        if (i > 0 && wait(&failed) == -1)
            err(1, "wait");
    }
    if (wait(&status) == -1)
        err(1, "wait");
    /* SIGALRM does not kill Server: on_signal exits with this. */
    if (WEXITSTATUS(status) == 128 + SIGALRM)
        errx(124, "stuck: Server waits for a client");
    return failed || status;
}

int main(int argc, char *argv[])
{
    open_once = argc > 1 && strcmp(argv[1], "--open-once") == 0;
    if (argc == 1 + open_once)
        return play_both();
    if (argc == 3 && strcmp(argv[1], "ask") == 0)
        return ask(argv[2]);
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(make(argv[2]), -1);
    errx(2, "usage: fifo-server [--open-once | serve PATH | ask PATH]\n"
            "  --open-once  wrong: Server does not open its FIFO to write");
}
