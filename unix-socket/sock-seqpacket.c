/*
 * sock-seqpacket - a connection that keeps the boundaries of messages
 *
 * usage: sock-seqpacket
 *
 * Parent listens, connects, sends two messages and shuts its direction down.
 * Only then does it fork. Child, the server, accepts the connection that has
 * waited, receives each message by itself, and sees the end. The client needs
 * no name to be answered: there is a connection.
 *
 * Watch   two messages, as with datagrams, and an end of file, as in a
 *         stream.
 * Try     change both SOCK_SEQPACKET to SOCK_STREAM: how many messages?
 * Read    unix(7), socket(2); Kerrisk, TLPI, 61.13.5
 */
#define _GNU_SOURCE
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_un addr = { .sun_family = AF_UNIX };

static void remove_name(void)
{
    unlink(addr.sun_path);
}

static void server(int listener)
{
    char message[100];
    ssize_t n;
    int fd = accept(listener, NULL, NULL);

    if (fd == -1)
        err(1, "accept");
    while ((n = recv(fd, message, sizeof message, 0)) > 0)
        printf("Server received %zd bytes: %.*s\n", n, (int)n, message);
    if (n == -1)
        err(1, "recv");
    printf("Server: recv returns 0, the end of file\n");
    if (send(fd, "thank you", 9, MSG_NOSIGNAL) == -1)
        err(1, "send");
}

int main(int argc, char *argv[])
{
    int listener, fd, status;
    char answer[100];
    ssize_t n;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: sock-seqpacket", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (listener == -1)
        err(1, "socket");
    fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (fd == -1)
        err(1, "socket");
    snprintf(addr.sun_path, sizeof addr.sun_path, "/tmp/sock-seqpacket.%d",
             getpid());
    umask(077); /* whoever may write to the socket's file may connect */
    if (bind(listener, (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "bind %s", addr.sun_path);
    atexit(remove_name); /* whatever fails from here on */
    if (listen(listener, 1) == -1)
        err(1, "listen");
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "connect");
    remove_name();

    if (send(fd, "one", 3, MSG_NOSIGNAL) == -1)
        err(1, "send");
    if (send(fd, "two", 3, MSG_NOSIGNAL) == -1)
        err(1, "send");
    if (shutdown(fd, SHUT_WR) == -1)
        err(1, "shutdown");

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(10); /* ends an endless wait */
        close(fd);
        server(listener);
        exit(0);
    }
    close(listener); /* Child alone has it now: if Child dies, recv ends */

    n = recv(fd, answer, sizeof answer, 0);
    if (n == -1)
        err(1, "recv");
    printf("Client received %zd bytes: %.*s\n", n, (int)n, answer);
    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Server waits in accept or recv");
    return status != 0;
}
