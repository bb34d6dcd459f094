/*
 * fdpass - an open file goes from one process to another
 *
 * usage: fdpass [--no-rights] [FILE]
 *
 * After the fork Parent opens FILE, and sends the descriptor to Child in a
 * control message, SCM_RIGHTS. Child has not opened FILE, and yet reads it.
 * Some data must go along, at least one byte: here it is Parent's number.
 *
 * Watch   Child's number is another one. The inode is the same, and so is
 *         the offset: what Child reads moves Parent's descriptor, too.
 * Try     fdpass --no-rights    to Child the number is another file
 *         fdpass README.md
 * Read    unix(7), cmsg(3), recvmsg(2); Kerrisk, TLPI, 61.13.3; Stevens &
 *         Rago, APUE, 17.4
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: fdpass [--no-rights] [FILE]\n"
    "  --no-rights  wrong: Parent sends the number, and no descriptor";
static bool no_rights;

/* Parent sends these; Child has a copy of its own, and receives into it. */
static union { /* bytes alone need not be aligned, a cmsghdr must be */
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
} control = { { .cmsg_len = CMSG_LEN(sizeof(int)),
                .cmsg_level = SOL_SOCKET,
                .cmsg_type = SCM_RIGHTS } };
static int number; /* the descriptor, which is sent as data, too */
static struct iovec data = { &number, sizeof number };
static struct msghdr msg = { .msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control };

static void send_descriptor(int sock)
{
    memcpy(CMSG_DATA(&control.header), &number, sizeof number);
    msg.msg_controllen = no_rights ? 0 : sizeof control;
    if (sendmsg(sock, &msg, MSG_NOSIGNAL) == -1)
        err(1, "sendmsg");
}

static void receive_descriptor(int sock)
{
    ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);

    if (n == -1)
        err(1, "recvmsg");
    if (n == 0)
        errx(1, "end of file, and no descriptor");
    if (msg.msg_flags & MSG_CTRUNC)
        errx(1, "MSG_CTRUNC: no descriptor is free (ulimit -n)");
    if (CMSG_FIRSTHDR(&msg)) /* else there is only Parent's number */
        memcpy(&number, CMSG_DATA(&control.header), sizeof number);
}

static void child(int sock, const struct stat *file)
{
    struct stat st;
    char part[1000];
    ssize_t n;

    receive_descriptor(sock);
    if (fstat(number, &st) == -1)
        err(1, "fstat: number %d", number);
    if (st.st_ino != file->st_ino || st.st_dev != file->st_dev)
        errx(1, "number %d is another file to Child", number);

    printf("Child has it as number %d, the inode is the same\n", number);
    printf("Child reads: ");
    while ((n = read(number, part, sizeof part)) > 0)
        fwrite(part, 1, (size_t)n, stdout);
    if (n == -1)
        err(1, "read");
}

int main(int argc, char *argv[])
{
    const char *path = "/proc/sys/kernel/ostype";
    struct stat file;
    int pair[2], status;

    no_rights = argc > 1 && strcmp(argv[1], "--no-rights") == 0;
    if (argc > 1 + no_rights)
        path = argv[1 + no_rights];
    if (argc > 2 + no_rights || path[0] == '-')
        errx(2, "%s", usage);
    if (stat(path, &file) == -1)
        err(1, "stat %s", path);
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
        err(1, "socketpair");
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(10); /* ends an endless wait */
        close(pair[0]);
        child(pair[1], &file);
        exit(0);
    }
    close(pair[1]);

    number = open(path, O_RDONLY); /* not before the fork */
    if (number == -1)
        err(1, "open %s", path);
    printf("Parent opens %s as number %d\n", path, number);
    send_descriptor(pair[0]);

    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck, or too much for 10 s: Child waits in recvmsg");
    printf("Parent: number %d is at offset %lld\n", number,
           (long long)lseek(number, 0, SEEK_CUR));
    return status != 0;
}
