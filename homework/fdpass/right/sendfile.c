/* Right: Child moves the bytes with sendfile, from where the offset is. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIE(...)                                                             \
    do {                                                                     \
        fprintf(stderr, __VA_ARGS__);                                        \
        fprintf(stderr, " (%s)\n", strerror(errno));                         \
        exit(1);                                                             \
    } while (0)

static size_t control_buffer[8];
static char nothing[1];
static struct iovec vector = { nothing, 1 };
static struct msghdr h;

int main(int n, char **word)
{
    struct cmsghdr *c;
    int s[2], fd, st = 0;
    char copy[512];
    ssize_t got;

    if (n != 2) {
        fprintf(stderr, "usage: fdpass FILE\n");
        return 2;
    }
    if (socketpair(PF_LOCAL, SOCK_STREAM, 0, s) < 0)
        DIE("no sockets");
    h.msg_iov = &vector;
    h.msg_iovlen = 1;
    h.msg_control = control_buffer;
    h.msg_controllen = CMSG_SPACE(sizeof(int));
    signal(SIGPIPE, SIG_IGN);

    if (fork() == 0) {
        close(s[1]);
        got = recvmsg(s[0], &h, MSG_CMSG_CLOEXEC);
        c = got > 0 ? CMSG_FIRSTHDR(&h) : NULL;
        if (!c || c->cmsg_type != SCM_RIGHTS)
            DIE("no descriptor");
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
        while ((got = sendfile(1, fd, NULL, 1 << 20)) != 0) {
            if (got > 0)
                continue;
            /* Not every file can be sent like that. */
            while ((got = read(fd, copy, sizeof copy)) > 0)
                if (write(1, copy, (size_t)got) != got)
                    DIE("write");
            if (got < 0)
                DIE("read");
        }
        _exit(0);
    }
    close(s[0]);
    if ((fd = open(word[1], O_RDONLY)) < 0)
        DIE("%s", word[1]);
    c = CMSG_FIRSTHDR(&h);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    if (sendmsg(s[1], &h, 0) < 0)
        DIE("sendmsg");
    if (wait(&st) < 0 || st != 0) {
        fprintf(stderr, "status %d of the child\n", st);
        return 1;
    }
    fd = (int)lseek(fd, 0, SEEK_CUR);
    printf("-- %d", fd);
    return 0;
}
