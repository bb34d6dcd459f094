/*
 * fd-server - the open server: it opens files for clients that may not
 *
 * usage: fd-server [serve PATH | open PATH FILE]
 *
 * Server forks a child for each client. The child opens the file that is
 * asked for, if it lies beneath Server's folder, and sends the descriptor.
 * Otherwise it sends nothing, and the client sees an end of file. Alone,
 * Client and Server have a socketpair, and the folder is /proc/sys/kernel.
 *
 * Watch   openat2 with RESOLVE_BENEATH: neither .. nor a symbolic link leads
 *         out of the folder.
 * Try     fd-server serve my.sock      and then, in a second terminal,
 *         fd-server open my.sock README.md
 *         fd-server open my.sock ../secret
 * Read    unix(7), cmsg(3), openat2(2); Stevens & Rago, APUE, 17.5
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "fd-server needs Linux: openat2"
#endif
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_un addr = { .sun_family = AF_UNIX };
static char name[PATH_MAX + 1]; /* what is too long is refused, not cut */
static union { /* bytes alone need not be aligned, a cmsghdr must be */
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
} control = { { .cmsg_len = CMSG_LEN(sizeof(int)),
                .cmsg_level = SOL_SOCKET,
                .cmsg_type = SCM_RIGHTS } };
/* Data should go along, at least one byte: the first of name will do. */
static struct msghdr msg = { .msg_iov = &(struct iovec){ name, 1 },
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control };

static void remove_name(void)
{
    unlink(addr.sun_path);
}

static void on_signal(int sig)
{
    remove_name();
    _exit(128 + sig); /* what a shell would show */
}

/* Forks a child for this client. What it opens is closed when it ends. */
static void answer(int client)
{
    /* O_NONBLOCK: to open a FIFO without a writer would mean to wait. */
    struct open_how how = { .flags = O_RDONLY | O_NONBLOCK,
                            .resolve = RESOLVE_BENEATH };
    pid_t pid = fork();
    struct stat st;
    int fd = -1;

    if (pid == -1)
        warn("fork"); /* this client is turned away, others are not */
    if (pid != 0) {
        close(client);
        return;
    }
    alarm(10); /* ends an endless wait */
    if (recv(client, name, sizeof name - 1, 0) != -1)
        fd = (int)syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof how);
    if (fd == -1 && errno == ENOSYS && !strchr(name, '/'))
        fd = open(name, (int)how.flags | O_NOFOLLOW); /* before Linux 5.6 */
    /* Not a folder: its descriptor would lead out, by way of "..". */
    if (fd == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
        _exit(0); /* exit would remove the name */
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    _exit(sendmsg(client, &msg, MSG_NOSIGNAL) == -1);
}

static void serve(int listener)
{
    int client;

    umask(077); /* whoever may write to the socket's file may connect */
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    if (bind(listener, (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "bind %s", addr.sun_path);
    atexit(remove_name); /* whatever fails from here on */
    if (listen(listener, SOMAXCONN) == -1)
        err(1, "listen");
    signal(SIGCHLD, SIG_IGN); /* nobody waits for a child: no zombies */
    while ((client = accept(listener, NULL, NULL)) != -1)
        answer(client);
    err(1, "accept");
}

static int ask(int server, const char *file)
{
    char text[1000] = "";
    int fd;

    if (send(server, file, strlen(file), MSG_NOSIGNAL) == -1)
        err(1, "send");
    if (recvmsg(server, &msg, MSG_CMSG_CLOEXEC) == -1)
        err(1, "recvmsg");
    if (msg.msg_flags & MSG_CTRUNC)
        errx(1, "MSG_CTRUNC: no descriptor is free (ulimit -n)");
    if (!CMSG_FIRSTHDR(&msg))
        errx(1, "%s: end of file, and no descriptor", file);
    memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);

    if (read(fd, text, sizeof text - 1) == -1)
        err(1, "read %s", file);
    for (char *c = text; *c; c++) /* no escape sequences */
        *c = isprint((unsigned char)*c) || *c == '\n' ? *c : '?';
    printf("Client reads %s: %s", file, text);
    return 0;
}

static int play_both(void)
{
    int pair[2], status;

    if (chdir("/proc/sys/kernel") == -1)
        err(1, "chdir");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == -1)
        err(1, "socketpair");
    answer(pair[1]);
    ask(pair[0], "ostype");
    if (wait(&status) == -1)
        err(1, "wait");
    return status != 0;
}

int main(int argc, char *argv[])
{
    int fd;

    if (argc == 1)
        return play_both();
    if (argc > 2 && (!*argv[2] || strlen(argv[2]) >= sizeof addr.sun_path))
        errx(2, "PATH must have 1 to 107 bytes: %s", argv[2]);
    if (argc > 2)
        memcpy(addr.sun_path, argv[2], strlen(argv[2]));

    fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (fd == -1)
        err(1, "socket");
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        serve(fd);
    if (argc != 4 || strcmp(argv[1], "open") != 0)
        errx(2, "usage: fd-server [serve PATH | open PATH FILE]");
    alarm(10);
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "connect %s", argv[2]);
    return ask(fd, argv[3]);
}
