/*
 * sock-dgram - messages that stay whole, without a connection
 *
 * usage: sock-dgram [--stream]
 *
 * Parent, the client, sends three datagrams. Child, the server, receives
 * three, each with the name of its sender, which is where the answer goes.
 * For the third its buffer is too short: MSG_TRUNC says that the rest is
 * lost.
 *
 * Watch   Client has bound a name of its own. It could not be answered else.
 * Try     sock-dgram --stream    what was sent twice is received at once
 *         change 8 to 80: who says MSG_TRUNC now?
 * Read    unix(7), recvmsg(2); Kerrisk, TLPI, 56.6, 57.3
 */
#define _GNU_SOURCE
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] = "usage: sock-dgram [--stream]\n"
                            "  --stream  wrong: a stream keeps no boundaries";
static bool stream;
static struct sockaddr_un server_addr, client_addr;

static void remove_names(void)
{
    unlink(server_addr.sun_path);
    unlink(client_addr.sun_path);
}

/* Returns a socket of that name and our pid. */
static int bound(const char *name, struct sockaddr_un *made)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, stream ? SOCK_STREAM : SOCK_DGRAM, 0);

    if (fd == -1)
        err(1, "socket");
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s.%d", name, getpid());
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "bind %s", addr.sun_path);
    *made = addr;
    return fd;
}

static void server(int fd)
{
    struct sockaddr_un from = { 0 };
    char part[8];

    if (stream)
        fd = accept(fd, NULL, NULL);
    if (fd == -1)
        err(1, "accept");
    for (int i = 1; i <= 3; i++) {
        struct msghdr msg = { .msg_name = &from,
                              .msg_namelen = sizeof from,
                              .msg_iov = &(struct iovec){ part, sizeof part },
                              .msg_iovlen = 1 };
        ssize_t n = recvmsg(fd, &msg, 0);

        if (n == -1)
            err(1, "recvmsg");
        printf("Server received %zd bytes%s: %.*s\n", n,
               msg.msg_flags & MSG_TRUNC ? ", MSG_TRUNC" : "", (int)n, part);
        if (i == 1 && n != 3)
            errx(1, "3 bytes were sent: a stream keeps no boundaries");
    }
    if (sendto(fd, "thank you", 9, 0, (struct sockaddr *)&from,
               sizeof from) == -1)
        err(1, "sendto");
}

int main(int argc, char *argv[])
{
    static const char *const words[] = { "one", "two", "three is long" };
    int at_server, fd, status;
    char answer[100] = "";

    stream = argc > 1 && strcmp(argv[1], "--stream") == 0;
    if (argc > 1 + stream)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("Client sends 3, 3, and 13 bytes\n");

    umask(077); /* whoever may write to the socket's file may send to it */
    atexit(remove_names); /* whatever fails from here on */
    at_server = bound("/tmp/sock-dgram", &server_addr);
    fd = bound("/tmp/sock-dgram.client", &client_addr);
    if (stream && listen(at_server, 1) == -1)
        err(1, "listen");
    if (connect(fd, (struct sockaddr *)&server_addr, sizeof server_addr) ==
        -1)
        err(1, "connect");
    for (int i = 0; i < 3; i++)
        if (send(fd, words[i], strlen(words[i]), 0) == -1)
            err(1, "send");

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(10); /* ends a wait that nobody else will end */
        server(at_server);
        exit(0);
    }
    if (wait(&status) == -1) /* the answer waits meanwhile */
        err(1, "wait");
    remove_names();
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Server waits in recvmsg");
    if (status != 0)
        return 1;

    if (recv(fd, answer, sizeof answer - 1, MSG_DONTWAIT) == -1)
        err(1, "recv");
    printf("Client received: %s\n", answer);
    return 0;
}
