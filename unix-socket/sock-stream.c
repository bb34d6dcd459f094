/*
 * sock-stream - a server and its client meet by a name
 *
 * usage: sock-stream
 *
 * Parent gives a socket a name, listens, and connects to that name as the
 * client; then nobody needs the name any longer. Child is the server: accept
 * gives it a second socket, which is connected to this one client.
 *
 * Watch   no sleep: a client can connect as soon as somebody listens. The
 *         kernel keeps its connection in a queue until Child accepts it.
 * Try     diff sock-stream.c sock-tcp.c    the same, over TCP
 * Read    unix(7), bind(2), listen(2), accept(2); Kerrisk, TLPI, 57.2
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    int listener, fd, status;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: sock-stream", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (listener == -1)
        err(1, "socket");
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd == -1)
        err(1, "socket");
    snprintf(addr.sun_path, sizeof addr.sun_path, "/tmp/sock-stream.%d",
             getpid());
    umask(077); /* whoever may write to the socket's file may connect */
    if (bind(listener, (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "bind %s", addr.sun_path);
    atexit(remove_name); /* whatever fails from here on */
    if (listen(listener, 1) == -1)
        err(1, "listen");
    /* Does not wait for accept: the kernel queues the connection. */
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "connect");
    remove_name();

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
