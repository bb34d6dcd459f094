/*
 * sock-dgram - messages that stay whole, and what can be lost of them
 *
 * usage: sock-dgram [--seqpacket] [--stream]
 *
 * Server binds a socket to a path. Client has bound one, too: it sends two
 * datagrams, and the answer comes to its own path. Then it sends one that
 * Server has no room for, one from a socket without a name, and more than
 * fit into Server's queue. Server says when; they have a socketpair for that.
 *
 * Watch   MSG_TRUNC: what does not fit into the buffer is gone for ever.
 *         EAGAIN: without MSG_DONTWAIT, send waits until Server takes one.
 * Try     sock-dgram --seqpacket    boundaries, and a connection, too
 *         sock-dgram --stream       two sends arrive as one
 * Read    unix(7), socket(2), recvmsg(2); Kerrisk, TLPI, 56.6 and 57.3
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: sock-dgram [--seqpacket] [--stream]\n"
    "  --seqpacket  boundaries and a connection\n"
    "  --stream     wrong: a connection, and no boundaries\n";

enum { TWO = '2', HEAR = 'h', LONG = 'l', NAMELESS = 'n', FILL = 'f' };

static int type = SOCK_DGRAM;
static pid_t server; /* once it has made the folder */
static char *folder; /* private; we go there, so these names are short */
static const struct sockaddr_un to_server = { AF_UNIX, "server" };
static const struct sockaddr_un to_client = { AF_UNIX, "client" };
static sigset_t all, old; /* signals, and which of them were blocked */

/* A socket; with a name, if there is one. */
static int new_socket(const struct sockaddr_un *name)
{
    int fd = socket(AF_UNIX, type, 0);

    if (fd == -1)
        err(1, "socket");
    if (name && bind(fd, (const struct sockaddr *)name, sizeof *name) == -1)
        err(1, "bind %s", name->sun_path);
    return fd;
}

/* For datagrams it only says where they go; the others are accepted. */
static int connected(int fd)
{
    if (connect(fd, (const struct sockaddr *)&to_server, sizeof to_server))
        err(1, "connect");
    return fd;
}

static void remove_names(void)
{
    if (getpid() == server) {
        unlink("client");
        unlink("server");
        rmdir(folder);
    }
}

static void say(int fd, const char *text)
{
    printf("Client sends %zu bytes: %s\n", strlen(text), text);
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) == -1)
        err(1, "Client: send");
}

/* Does what Server asks for, until Server has gone. */
static void client(int turns)
{
    int fd = connected(new_socket(type == SOCK_DGRAM ? &to_client : NULL));
    char step = 0, text[64];
    int nameless;
    ssize_t n;

    while (send(turns, &step, 1, MSG_NOSIGNAL) == 1 &&
           read(turns, &step, 1) == 1) {
        if (step == TWO) {
            say(fd, "one");
            say(fd, "two");
        } else if (step == HEAR) {
            if ((n = recv(fd, text, sizeof text, 0)) == -1)
                err(1, "Client: recv");
            printf("Client received: %.*s\n", (int)n, text);
        } else if (step == LONG) {
            say(fd, "a long message");
        } else if (step == NAMELESS) {
            nameless = connected(new_socket(NULL));
            say(nameless, "who?");
            close(nameless);
        } else if (step == FILL) {
            while (send(fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
                continue;
            printf("Client sends until %s: Server's queue is full\n",
                   errno == EAGAIN ? "EAGAIN" : strerror(errno));
        }
    }
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    close(fd);
}

/* Lets Client do a step, and waits until it has. */
static void ask(int child, char step)
{
    if (send(child, &step, 1, MSG_NOSIGNAL) != 1 ||
        read(child, &step, 1) != 1)
        errx(1, "Client has ended too early");
}

/* Takes one message, of up to 8 bytes, and says from whom. */
static ssize_t receive(int fd, struct sockaddr_un *from, socklen_t *length)
{
    char text[8];
    struct msghdr message = { .msg_name = from,
                              .msg_namelen = sizeof *from,
                              .msg_iov = &(struct iovec){ text, sizeof text },
                              .msg_iovlen = 1 };
    ssize_t n = recvmsg(fd, &message, 0);

    if (n == -1)
        err(1, "Server: recvmsg");
    *length = message.msg_namelen;
    printf("Server received %zd bytes%s: %.*s\n", n,
           message.msg_flags & MSG_TRUNC ? ", MSG_TRUNC" : "", (int)n, text);
    return n;
}

/* Returns the number of messages that the first two sends have become. */
static int serve(int fd, int child)
{
    struct sockaddr_un from;
    socklen_t length;
    char byte;

    ask(child, TWO);
    if (receive(fd, &from, &length) > 3)
        return 1;
    receive(fd, &from, &length);
    /* Where there is a connection, it is the address. */
    if (sendto(fd, "answer", 6, MSG_NOSIGNAL, (struct sockaddr *)&from,
               type == SOCK_DGRAM ? length : 0) == -1)
        err(1, "Server: sendto");
    ask(child, HEAR);

    ask(child, LONG);
    receive(fd, &from, &length);
    if (recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN)
        printf("Server: the rest is gone, recv says EAGAIN\n");

    if (type == SOCK_DGRAM) {
        ask(child, NAMELESS);
        receive(fd, &from, &length);
        if (sendto(fd, "you", 3, 0, (struct sockaddr *)&from, length) == -1)
            printf("Server cannot answer: the sender has no name\n");
    }

    remove_names(); /* nobody needs them any more */
    sigprocmask(SIG_SETMASK, &old, NULL);
    ask(child, FILL);
    return 2;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "seqpacket", no_argument, &type, SOCK_SEQPACKET },
        { "stream", no_argument, &type, SOCK_STREAM },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    const char *tmp = getenv("TMPDIR");
    int opt, fd, listener, turns[2], messages, status;
    ssize_t n;
    char byte;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) == 0)
        continue;
    if (opt != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    sigfillset(&all); /* signals wait until the names are removed */
    sigprocmask(SIG_BLOCK, &all, &old);
    if (asprintf(&folder, "%s/sock-dgram.%ld.XXXXXX",
                 tmp && *tmp == '/' ? tmp : "/tmp", (long)getuid()) == -1 ||
        !mkdtemp(folder) || chdir(folder) == -1)
        err(1, "mkdtemp %s", folder);
    server = getpid();
    atexit(remove_names);
    fd = listener = new_socket(&to_server);
    if (type != SOCK_DGRAM && listen(listener, 1) == -1)
        err(1, "listen");
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, turns) == -1)
        err(1, "socketpair");
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        sigprocmask(SIG_SETMASK, &old, NULL);
        close(listener);
        close(turns[0]);
        client(turns[1]);
        close(turns[1]);
        exit(0);
    }
    close(turns[1]);
    if (read(turns[0], &byte, 1) != 1) /* it is connected */
        errx(1, "Client has ended too early");
    if (type != SOCK_DGRAM && (fd = accept(listener, NULL, NULL)) == -1)
        err(1, "accept");
    messages = serve(fd, turns[0]);

    close(turns[0]); /* Client's end of file */
    if (wait(&status) == -1 || status != 0)
        errx(1, "Client has failed");
    if (messages == 1)
        errx(1, "two messages came as one: a stream keeps no boundaries");
    while ((n = recv(fd, &byte, 1, MSG_DONTWAIT)) > 0)
        continue; /* what the queue was full of */
    printf("Server: Client has left, %s\n",
           n == 0 ? "recv says 0" : "and nothing says so");
    close(listener);
    if (listener != fd)
        close(fd);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
