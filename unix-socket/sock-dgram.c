/*
 * sock-dgram - messages that stay whole, without a connection
 *
 * usage: sock-dgram [--stream]
 *
 * Parent, the client, sends three datagrams. Child, the server, receives
 * three, each with the name of its sender, which is where the answer goes.
 * For the third one Server's buffer is too short: MSG_TRUNC says that the
 * rest is lost.
 *
 * Watch   Client has bound its socket, too. Without a name, no answer.
 * Try     sock-dgram --stream    several sends are received as one
 *         change part[8] to part[80]: which line changes?
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
static struct sockaddr_un addr = { .sun_family = AF_UNIX };

static void remove_name(void)
{
    unlink(addr.sun_path);
}

static void server(int fd)
{
    struct sockaddr_un from;
    char part[8];
    struct msghdr msg = { .msg_name = &from,
                          .msg_iov = &(struct iovec){ part, sizeof part },
                          .msg_iovlen = 1 };

    if (stream)
        fd = accept(fd, NULL, NULL);
    if (fd == -1)
        err(1, "accept");
    for (int i = 1; i <= 3; i++) {
        ssize_t n;

        msg.msg_namelen = sizeof from;
        n = recvmsg(fd, &msg, 0);
        if (n == -1)
            err(1, "recvmsg");
        printf("Server received %zd bytes%s: %.*s\n", n,
               msg.msg_flags & MSG_TRUNC ? ", MSG_TRUNC" : "", (int)n, part);
        if (i == 1 && n != 3)
            errx(1, "3 bytes were sent: a stream keeps no boundaries");
    }
    if (sendto(fd, "thank you", 9, 0, msg.msg_name, msg.msg_namelen) == -1)
        err(1, "sendto");
}

static void say(int fd, const char *text)
{
    printf("Client sends %zu bytes: %s\n", strlen(text), text);
    if (send(fd, text, strlen(text), 0) == -1)
        err(1, "send");
}

int main(int argc, char *argv[])
{
    int server_fd, fd, type, status;
    char answer[100] = "";

    stream = argc > 1 && strcmp(argv[1], "--stream") == 0;
    if (argc > 1 + stream)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    type = stream ? SOCK_STREAM : SOCK_DGRAM;
    server_fd = socket(AF_UNIX, type, 0);
    if (server_fd == -1)
        err(1, "socket");
    fd = socket(AF_UNIX, type, 0);
    if (fd == -1)
        err(1, "socket");
    /* Given the family alone, the kernel makes up an abstract name. */
    if (bind(fd, (struct sockaddr *)&addr, sizeof(sa_family_t)) == -1)
        err(1, "bind");
    snprintf(addr.sun_path, sizeof addr.sun_path, "/tmp/sock-dgram.%d",
             getpid());
    umask(077); /* whoever may write to the socket's file may send to it */
    if (bind(server_fd, (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "bind %s", addr.sun_path);
    atexit(remove_name); /* whatever fails from here on */
    if (stream && listen(server_fd, 1) == -1)
        err(1, "listen");
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "connect");
    remove_name();

    say(fd, "one");
    say(fd, "two");
    say(fd, "three is long");
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(10); /* ends an endless wait */
        close(fd);
        server(server_fd);
        exit(0);
    }
    if (wait(&status) == -1) /* the answer waits in the kernel */
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Server waits in recvmsg");
    if (status != 0)
        return 1;

    if (recv(fd, answer, sizeof answer - 1, MSG_DONTWAIT) == -1)
        err(1, "recv");
    printf("Client received: %s\n", answer);
    return 0;
}
