/*
 * sock-server - many clients at once, and a name that is used again
 *
 * usage: sock-server [serve PATH | ask PATH MESSAGE]
 *
 * Server forks a child for each client: one that says nothing keeps only its
 * own child waiting. A server that was killed has left its socket behind.
 * The next server finds a socket, and it refuses connections: nobody listens
 * there. So it is removed, and the name is used again.
 *
 * Watch   Client 1 is connected, and silent. Client 2 is answered.
 * Try     sock-server serve my.sock &
 *         sock-server ask my.sock hello     in this terminal or another
 *         kill -KILL $!; wait; sock-server serve my.sock
 * Read    unix(7), accept(2); Kerrisk, TLPI, 57.2, 60.3
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <errno.h>
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

static void on_signal(int sig)
{
    remove_name();
    _exit(128 + sig); /* what a shell would show */
}

static int start_listening(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct stat st;

    if (fd == -1)
        err(1, "socket");
    /*
     * A socket that refuses connections: its server is dead, the name can go.
     * connect to a plain file is refused, too: hence S_ISSOCK.
     */
    if (lstat(addr.sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
        connect(fd, (struct sockaddr *)&addr, sizeof addr) == -1 &&
        errno == ECONNREFUSED)
        remove_name();

    umask(077); /* whoever may write to the socket's file may connect */
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "bind %s", addr.sun_path);
    atexit(remove_name); /* whatever fails from here on */
    if (listen(fd, SOMAXCONN) == -1)
        err(1, "listen");
    return fd;
}

static int connect_to_server(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd == -1)
        err(1, "socket");
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "connect %s", addr.sun_path);
    return fd;
}

static void serve(int listener, int clients)
{
    char text[1000] = "";

    signal(SIGCHLD, SIG_IGN); /* nobody waits for a child: no zombies */
    for (int i = 0; i != clients; i++) {
        int fd = accept(listener, NULL, NULL);

        if (fd == -1)
            err(1, "accept");
        switch (fork()) {
        case -1:
            warn("fork"); /* this client is turned away, others are not */
            break;
        case 0:
            alarm(10);       /* ends an endless wait */
            close(listener); /* or it would listen on without Server */
            if (recv(fd, text, sizeof text - 1, MSG_WAITALL) != -1)
                dprintf(fd, "you said: %s", text);
            _exit(0); /* exit would remove the name */
        }
        close(fd);
    }
    /* As SIGCHLD is ignored, this waits for all children, and then fails. */
    wait(NULL);
}

static int ask(const char *who, int fd, const char *message)
{
    char text[1000] = "";

    if (send(fd, message, strlen(message), MSG_NOSIGNAL) == -1)
        err(1, "send");
    if (shutdown(fd, SHUT_WR) == -1)
        err(1, "shutdown");
    if (recv(fd, text, sizeof text - 1, MSG_WAITALL) == -1)
        err(1, "recv");
    for (char *c = text; *c; c++) /* no escape sequences */
        *c = isprint((unsigned char)*c) ? *c : '?';
    printf("%s received: %s\n", who, text);
    return !*text; /* 1: there was no answer */
}

static int play_both(void)
{
    int listener, silent, fd, failed, status;

    snprintf(addr.sun_path, sizeof addr.sun_path, "/tmp/sock-server.%d",
             getpid());
    listener = start_listening();
    silent = connect_to_server();
    fd = connect_to_server();
    remove_name();
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(10);
        serve(listener, 2);
        exit(0);
    }
    close(listener); /* Child alone has it now: if Child dies, recv ends */

    failed = ask("Client 2", fd, "hello");
    failed |= ask("Client 1", silent, "I came first");
    if (wait(&status) == -1)
        err(1, "wait");
    return failed || status != 0;
}

int main(int argc, char *argv[])
{
    if (argc == 1)
        return play_both();
    if (argc > 2 && (!*argv[2] || strlen(argv[2]) >= sizeof addr.sun_path))
        errx(2, "PATH must have 1 to 107 bytes: %s", argv[2]);
    if (argc > 2)
        memcpy(addr.sun_path, argv[2], strlen(argv[2]));
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        serve(start_listening(), -1); /* -1: any number of clients */
    if (argc != 4 || strcmp(argv[1], "ask") != 0)
        errx(2, "usage: sock-server [serve PATH | ask PATH MESSAGE]");
    alarm(10);
    return ask("Client", connect_to_server(), argv[3]);
}
