/*
 * Right: Child is the same program, started anew with its socket as standard
 * input. It says when it has read all, and Parent asks for the offset then.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void complain(const char *what)
{
    dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
}

static int child(void)
{
    char control[64] __attribute__((aligned(8))), letter, block[65536];
    struct iovec iov = { .iov_base = &letter, .iov_len = 1 };
    struct msghdr m = { .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = control,
                        .msg_controllen = sizeof control };
    struct cmsghdr *c;
    ssize_t n;
    int fd;

    if (recvmsg(0, &m, MSG_CMSG_CLOEXEC) < 1 || !(c = CMSG_FIRSTHDR(&m))) {
        dprintf(STDERR_FILENO, "nothing has come\n");
        return 9;
    }
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    while ((n = read(fd, block, sizeof block)) != 0) {
        if (n < 0) {
            complain("cannot read");
            return 9;
        }
        for (ssize_t done = 0, w; done < n; done += w) {
            w = write(STDOUT_FILENO, block + done, (size_t)(n - done));
            if (w < 0)
                return 9;
        }
    }
    return send(0, "done", 4, 0) == 4 ? 0 : 9;
}

static int send_it(int to, int fd)
{
    char *control = calloc(1, CMSG_SPACE(sizeof fd));
    struct iovec iov = { .iov_base = (void *)"F", .iov_len = 1 };
    struct msghdr m;
    struct cmsghdr *c;

    if (!control)
        return -1;
    memset(&m, 0, sizeof m);
    m.msg_iov = &iov;
    m.msg_iovlen = 1;
    m.msg_control = control;
    m.msg_controllen = CMSG_LEN(sizeof fd);
    c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    signal(SIGPIPE, SIG_IGN);
    return (int)sendmsg(to, &m, 0);
}

int main(int argc, char **argv)
{
    char *again[] = { "fdpass", NULL }, answer[4];
    posix_spawn_file_actions_t actions;
    int socks[2], fd, status;
    pid_t pid;

    if (argc < 2)
        return child();
    if (argc > 2) {
        dprintf(STDERR_FILENO, "one file, please\n");
        return 2;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) != 0) {
        complain("socketpair");
        return 1;
    }
    while (socks[1] == 0) /* dup2(0, 0) would leave it close-on-exec */
        socks[1] = fcntl(0, F_DUPFD_CLOEXEC, 3);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, socks[1], 0);
    errno =
        posix_spawn(&pid, "/proc/self/exe", &actions, NULL, again, environ);
    if (errno != 0) {
        complain("posix_spawn");
        return 1;
    }
    close(socks[1]);

    if ((fd = open(argv[1], O_RDONLY)) < 0) {
        complain(argv[1]);
        return 1;
    }
    if (send_it(socks[0], fd) < 1) {
        complain("cannot send it");
        return 1;
    }
    if (recv(socks[0], answer, sizeof answer, MSG_WAITALL) == 4)
        dprintf(STDOUT_FILENO, "\nChild has read %ld\n",
                (long)lseek(fd, 0, SEEK_CUR));
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        dprintf(STDERR_FILENO, "Child has failed\n");
        return 1;
    }
    return 0;
}
