/*
 * sock-tcp - the server and the client of sock-stream, over TCP
 *
 * usage: sock-tcp
 *
 * The address is 127.0.0.1 and a port. Parent binds port 0: the kernel
 * chooses one that is free, and getsockname says which. There is no file,
 * so there is nothing to remove; nor is there a mode: every user of the
 * machine may connect.
 *
 * Watch   how little differs: only what deals with the address.
 * Try     diff sock-stream.c sock-tcp.c
 * Read    ip(7), tcp(7), getsockname(2); Kerrisk, TLPI, 59.4, 61.5;
 *         Stevens & Rago, APUE, 16.3
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in addr = { .sin_family = AF_INET }; /* port 0 */

/* A stream has no messages: shutdown says where this one ends. */
static void say(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) == -1)
        err(1, "send");
    if (shutdown(fd, SHUT_WR) == -1)
        err(1, "shutdown");
}

static void hear(const char *who, int fd)
{
    char text[100] = "";

    /* One send may need several reads: MSG_WAITALL goes on to the end. */
    if (recv(fd, text, sizeof text - 1, MSG_WAITALL) == -1)
        err(1, "recv");
    for (char *c = text; *c; c++) /* no escape sequences */
        *c = isprint((unsigned char)*c) ? *c : '?';
    printf("%s received: %s\n", who, text);
}

static void server(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd == -1)
        err(1, "accept");
    hear("Server", fd);
    say(fd, "Hello from server!");
}

int main(int argc, char *argv[])
{
    socklen_t size = sizeof addr;
    int listener, fd, status;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: sock-tcp", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener == -1)
        err(1, "socket");
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1)
        err(1, "socket");
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK); /* no other machine */
    if (bind(listener, (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "bind");
    if (listen(listener, 1) == -1)
        err(1, "listen");
    if (getsockname(listener, (struct sockaddr *)&addr, &size) == -1)
        err(1, "getsockname");
    /* Does not wait for accept: the kernel queues the connection. */
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "connect");

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

    say(fd, "Hello from client!");
    hear("Client", fd);

    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Server waits in accept or recv");
    return status != 0;
}
