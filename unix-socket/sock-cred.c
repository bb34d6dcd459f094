/*
 * sock-cred - the server knows who asks, and turns other users away
 *
 * usage: sock-cred
 *
 * Parent connects, becomes nobody, which only root can, and connects again.
 * Each time it says that it is Server's user. Child, the server, asks the
 * kernel: SO_PEERCRED tells which uid the client had in connect. The address
 * is abstract: without a file there is no mode, and every user may connect.
 *
 * Watch   what a client says of itself proves nothing.
 * Try     sudo bin/sock-cred
 *         call become_nobody not in main, but in client, after connect, if n
 *         is 2: is Client 2 let in?
 * Read    SO_PEERCRED in unix(7), credentials(7); Kerrisk, TLPI, 61.13.4
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sock-cred needs Linux: SO_PEERCRED, abstract addresses"
#endif
#include <err.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static struct sockaddr_un addr = { .sun_family = AF_UNIX };
static socklen_t addr_size = sizeof addr;
static uid_t us; /* Server's user, and what each client says it is */

static void server(int listener)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    uid_t said;

    /* Client 2 comes only if we are root. */
    for (int i = us == 0 ? 2 : 1; i > 0; i--) {
        int fd = accept(listener, NULL, NULL);

        if (fd == -1)
            err(1, "accept");
        if (recv(fd, &said, sizeof said, MSG_WAITALL) == -1)
            err(1, "recv");
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1)
            err(1, "getsockopt: SO_PEERCRED");
        printf("Server: the client says %s, the kernel says %s\n",
               said == us ? "my user" : "another user",
               peer.uid == us ? "my user" : "another user");
        if (peer.uid == us && send(fd, "welcome", 7, MSG_NOSIGNAL) == -1)
            err(1, "send");
        close(fd); /* and another user gets an end of file */
    }
}

static void become_nobody(void)
{
    if (setgroups(0, NULL) == -1)
        err(1, "setgroups");
    if (setgid(NOBODY) == -1)
        err(1, "setgid");
    if (setuid(NOBODY) == -1) /* last: nobody may not change a group */
        err(1, "setuid");
}

static void client(int n)
{
    char answer[100] = "";
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd == -1)
        err(1, "socket");
    if (connect(fd, (struct sockaddr *)&addr, addr_size) == -1)
        err(1, "connect");
    if (send(fd, &us, sizeof us, MSG_NOSIGNAL) == -1)
        err(1, "send");
    if (recv(fd, answer, sizeof answer - 1, MSG_WAITALL) == -1)
        err(1, "recv");
    printf("Client %d received: %s\n", n, *answer ? answer : "end of file");
}

int main(int argc, char *argv[])
{
    int listener, status;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: sock-cred", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    us = geteuid();
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (listener == -1)
        err(1, "socket");
    /* Given the family alone, the kernel makes up an abstract name. */
    if (bind(listener, (struct sockaddr *)&addr, sizeof(sa_family_t)) == -1)
        err(1, "bind");
    if (getsockname(listener, (struct sockaddr *)&addr, &addr_size) == -1)
        err(1, "getsockname");
    if (listen(listener, 5) == -1)
        err(1, "listen");

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(10); /* ends an endless wait */
        server(listener);
        exit(0);
    }
    close(listener); /* Child alone has it now: if Child dies, recv ends */

    client(1);
    if (us == 0) {
        become_nobody();
        client(2);
    } else {
        printf("Client 2 is left out: only root can become nobody\n");
    }

    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Server waits in accept or recv");
    return status != 0;
}
