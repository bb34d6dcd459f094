/*
 * Wrong: no byte goes along: the stream sends nothing, and Child waits.
 * Loses: Child prints what is in FILE
 * Loses: a FILE that is large comes whole
 * Loses: whatever bytes are in FILE come
 * Loses: a FILE in /proc comes, whose size is 0
 * Loses: Child gets FILE open, when its name is gone
 * Loses: FILE is opened after the fork
 * Loses: one message brings one descriptor, from Parent to Child
 * Loses: the descriptor is close-on-exec as it comes
 * Loses: Parent says how far Child has read
 * Loses: it works with 0 closed at the start
 * Loses: a FILE that cannot be opened is named
 * Loses: a read that fails is not taken for the end
 * Loses: more than one argument is refused, with status 2
 * Loses: a descriptor that finds no place is an error, with status 1
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
} control;
static char byte;
static struct iovec data = { &byte, 1 };
static struct msghdr msg = { .msg_iov = &data,
                             .msg_iovlen = 0,
                             .msg_control = &control,
                             .msg_controllen = sizeof control };

static void send_descriptor(int sock, int fd)
{
    control.header.cmsg_len = CMSG_LEN(sizeof fd);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    if (sendmsg(sock, &msg, MSG_NOSIGNAL) == -1)
        err(1, "sendmsg");
}

static int receive_descriptor(int sock)
{
    int fd;

    if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) == -1)
        err(1, "recvmsg");
    if (!CMSG_FIRSTHDR(&msg))
        errx(1, "no descriptor has come");
    memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    return fd;
}

static void child(int sock)
{
    int fd = receive_descriptor(sock);
    char part[4096];
    ssize_t n;

    while ((n = read(fd, part, sizeof part)) > 0)
        fwrite(part, 1, (size_t)n, stdout);
    if (n == -1)
        err(1, "read");
}

int main(int argc, char *argv[])
{
    int pair[2], fd, status;

    if (argc != 2)
        errx(2, "usage: fdpass FILE");
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
        err(1, "socketpair");
    if (fork() == 0) {
        close(pair[0]);
        child(pair[1]);
        exit(0);
    }
    close(pair[1]);

    fd = open(argv[1], O_RDONLY);
    if (fd == -1)
        err(1, "open %s", argv[1]);
    send_descriptor(pair[0], fd);
    wait(&status);
    printf("Parent: the offset is %ld\n", (long)lseek(fd, 0, SEEK_CUR));
    return status != 0;
}
