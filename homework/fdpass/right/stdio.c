/*
 * Right: Child polls, and reads with stdio; Parent has a thread that waits
 * for Child, and shuts its socket down in any case.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

struct packet {
    struct msghdr header;
    struct iovec part;
    char text[6];
    _Alignas(struct cmsghdr) unsigned char room[CMSG_SPACE(sizeof(int))];
};

static pid_t child_pid;
static int child_status = 1;

static void prepare(struct packet *p)
{
    memset(p, 0, sizeof *p);
    strcpy(p->text, "take!");
    p->part.iov_base = p->text;
    p->part.iov_len = sizeof p->text;
    p->header.msg_iov = &p->part;
    p->header.msg_iovlen = 1;
    p->header.msg_control = p->room;
    p->header.msg_controllen = sizeof p->room;
}

static void *collect(void *unused)
{
    waitpid(child_pid, &child_status, 0);
    return unused;
}

static void receive(int sock)
{
    struct pollfd p = { .fd = sock, .events = POLLIN };
    struct packet in;
    FILE *file;
    int c, fd = -1;

    prepare(&in);
    if (poll(&p, 1, -1) == -1)
        err(1, "poll");
    if (recvmsg(sock, &in.header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) <= 0)
        err(1, "Child could not receive");
    if (in.header.msg_flags & MSG_CTRUNC)
        errx(1, "Child has no room for it");
    if (in.header.msg_controllen >= CMSG_LEN(sizeof fd))
        memcpy(&fd, in.room + CMSG_LEN(0), sizeof fd);
    if ((file = fdopen(fd, "r")) == NULL)
        err(1, "Child: fdopen");
    while ((c = getc(file)) != EOF)
        putchar(c);
    if (ferror(file))
        err(1, "Child: getc");
    exit(0);
}

int main(int argc, char *argv[])
{
    struct packet out;
    struct cmsghdr *first;
    pthread_t thread;
    int pair[2], fd;

    if (argc > 2)
        errx(2, "usage: fdpass [FILE]");
    if (argc < 2)
        argv[1] = "/etc/hostname";
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
        err(1, "socketpair");
    child_pid = fork();
    if (child_pid == -1)
        err(1, "fork");
    if (child_pid == 0) {
        close(pair[1]);
        receive(pair[0]);
    }
    if (close(pair[0]) || pthread_create(&thread, NULL, collect, NULL))
        err(1, "pthread_create");

    if ((fd = open(argv[1], O_RDONLY | O_CLOEXEC)) == -1)
        err(1, "open(\"%s\")", argv[1]);
    prepare(&out);
    first = CMSG_FIRSTHDR(&out.header);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(first), &fd, sizeof(int));
    if (sendmsg(pair[1], &out.header, MSG_NOSIGNAL) == -1)
        warn("Parent could not send");
    shutdown(pair[1], SHUT_RDWR);
    pthread_join(thread, NULL);
    printf("\n(offset now: %jd)\n%jd\n", (intmax_t)lseek(fd, 0, SEEK_CUR),
           (intmax_t)lseek(fd, 0, SEEK_CUR));
    return child_status ? EXIT_FAILURE : EXIT_SUCCESS;
}
