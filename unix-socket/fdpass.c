/*
 * fdpass - a server opens files for a client that may not
 *
 * usage: fdpass [--no-rights] [serve PATH | open PATH FILE...]
 *
 * Client sends names, the last one empty. Server opens what is beneath its
 * current folder and sends the open files back, all at once, with SCM_RIGHTS.
 * With neither serve nor open it plays both, over a socketpair. There Client
 * takes mode and privilege away: then not even root may open its own file.
 *
 * With descriptors goes at least one byte of data, here what Client compares:
 * a stream sends nothing without, and 0 bytes would be the end of file. (This
 * is no stream: SOCK_SEQPACKET keeps messages whole and apart.) Names cannot
 * lead out of the folder; openat2 sees to that. Where there is none, before
 * Linux 5.6, Server takes only names in the folder itself, without a slash.
 *
 * Watch   the number is another, the inode the same, and there is only one
 *         offset: what Client reads moves Server's descriptor, too.
 * Try     fdpass --no-rights     the bare number is another file to Client
 *         fdpass serve my.sock        and then, in a second terminal,
 *         fdpass open my.sock README.md ../secret
 * Read    unix(7), cmsg(3), openat2(2); Kerrisk, TLPI, 61.13.3; Stevens &
 *         Rago, APUE, 17.4 and 17.5
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "fdpass needs Linux: openat2, capset, MSG_CMSG_CLOEXEC"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
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

static const char help[] =
    "usage: fdpass [--no-rights] [serve PATH | open PATH FILE...]\n"
    "  --no-rights  wrong: sends the descriptor's number and no more\n";

enum { MOST = 253 };       /* descriptors in a message: SCM_MAX_FD */
static union {             /* chars alone need not be aligned, as ... */
    struct cmsghdr header; /* ... this must be */
    char room[CMSG_SPACE(MOST * sizeof(int))];
} control = { { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
static struct {              /* what goes with them */
    int error, number[MOST]; /* why there are no more; Server's own */
    ino_t inode[MOST];
} answer;
static struct iovec data = { &answer, sizeof answer };
static struct msghdr msg = { .msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control };
static int no_rights;
static char ours[4096]; /* the socket, or the file we play with */

static void clean_up(void)
{
    unlink(ours);
}

static void on_signal(int sig)
{
    unlink(ours);
    _exit(128 + sig); /* as a shell would say it */
}

static int meet(const char *path, int is_server)
{
    int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct stat st;

    if (sock == -1)
        err(1, "socket");
    if (!*path || strlen(path) >= sizeof addr.sun_path)
        errx(2, "PATH must have 1 to 107 bytes: %s", path);
    memcpy(addr.sun_path, path, strlen(path) + 1);
    if (connect(sock, (void *)&addr, sizeof addr) == -1 && !is_server)
        err(1, "connect %s", path);
    if (!is_server)
        return sock;
    if (errno == ECONNREFUSED && !lstat(path, &st) && S_ISSOCK(st.st_mode))
        unlink(path); /* nobody listens: left by a server that was killed */
    umask(077);       /* who may write to the socket may connect */
    if (bind(sock, (void *)&addr, sizeof addr) == -1 ||
        listen(sock, SOMAXCONN) == -1)
        err(1, "listen at %s", path);
    memcpy(ours, path, strlen(path) + 1);
    printf("Server: ready\n");
    return sock;
}

static int open_beneath(const char *file, struct stat *st)
{
    struct open_how how = {
        .flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    int fd = (int)syscall(SYS_openat2, AT_FDCWD, file, &how, sizeof how);

    if (fd == -1 && errno == ENOSYS && !strchr(file, '/'))
        fd = open(file, (int)how.flags | O_NOFOLLOW);
    if (fd == -1 || (fstat(fd, st) == 0 && S_ISREG(st->st_mode)))
        return fd;
    close(fd); /* a device, or a FIFO: O_NONBLOCK waits for no writer */
    errno = EMEDIUMTYPE;
    return -1;
}

static ssize_t send_files(int sock, const int fd[], int n)
{
    control.header.cmsg_len = CMSG_LEN(n * sizeof *fd);
    memcpy(CMSG_DATA(&control.header), fd, n * sizeof *fd);
    msg.msg_controllen = no_rights ? 0 : CMSG_SPACE(n * sizeof *fd);
    return sendmsg(sock, &msg, MSG_NOSIGNAL);
}

static ssize_t receive_files(int sock, int fd[], int most)
{
    size_t n = 0;

    msg.msg_controllen = CMSG_SPACE(most * sizeof *fd);
    if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != sizeof answer)
        errx(1, "end of file, and no descriptor: Server has gone");
    if (CMSG_FIRSTHDR(&msg))
        n = (control.header.cmsg_len - CMSG_LEN(0)) / sizeof *fd;
    memcpy(fd, CMSG_DATA(&control.header), n * sizeof *fd);
    if (msg.msg_flags & MSG_CTRUNC) {
        while (n > 0)
            close(fd[--n]); /* what has come is ours already */
        errx(1, "MSG_CTRUNC: not all descriptors came (ulimit -n?)");
    }
    return (ssize_t)n;
}

/* Server: answers one client; the next may have to wait for 2 seconds. */
static void serve(int conn)
{
    static const struct timeval patience = { .tv_sec = 2 };
    char file[4096];
    struct stat st = { 0 };
    int fd[MOST], n = answer.error = 0;
    ssize_t size;

    if (conn == -1 || setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &patience,
                                 sizeof patience) == -1)
        err(1, "accept");
    while (n < MOST && (size = recv(conn, file, sizeof file - 1, 0)) > 1) {
        file[size] = '\0';
        fd[n] = answer.number[n] = open_beneath(file, &st);
        answer.error = fd[n] == -1 ? errno : 0;
        if (fd[n] == -1)
            break;
        answer.inode[n++] = st.st_ino;
    }
    if (size > 0 && send_files(conn, fd, n) == -1)
        warn("sendmsg");
    while (size > 0 && recv(conn, file, 1, 0) > 0)
        continue; /* until the end of file: Client has read */
    while (n-- > 0) {
        printf("Server: number %d is at offset %lld now\n", fd[n],
               (long long)lseek(fd[n], 0, SEEK_CUR));
        close(fd[n]);
    }
    close(conn);
}

/* Client: what may root do without a mode and without privilege? */
static void try_to_open(const char *file)
{
    unsigned us[] = { _LINUX_CAPABILITY_VERSION_3, 0 }, none[6] = { 0 };

    if (chmod(file, 0) == 0 && syscall(SYS_capset, us, none) == 0 &&
        open(file, O_RDONLY) == -1)
        printf("Client: no mode, no privilege: %s\n", strerror(errno));
}

static int ask(int sock, char **files, int count)
{
    char part[4096];
    struct stat st;
    int fd[MOST];
    ssize_t size, n;

    files[count] = "";
    for (int i = 0; i <= count; i++)
        if (send(sock, files[i], strlen(files[i]) + 1, MSG_NOSIGNAL) == -1)
            err(1, "send");
    n = receive_files(sock, fd, count);
    if (no_rights)
        memcpy(fd, answer.number, (size_t)(n = count) * sizeof *fd);
    for (int i = 0; i < n; i++) {
        if (fstat(fd[i], &st) == -1)
            err(1, "number %d", fd[i]);
        if (st.st_ino != answer.inode[i])
            errx(1, "number %d is another file to Client", fd[i]);
        printf("Client: number %d, Server's is %d, the inode is the same\n",
               fd[i], answer.number[i]);
        if (*files == ours)
            try_to_open(ours);
        printf("Client received: ");
        while ((size = read(fd[i], part, sizeof part)) > 0)
            fwrite(part, 1, (size_t)size, stdout);
        if (size == -1 || close(fd[i]) == -1)
            err(1, "read %s", files[i]);
    }
    if (n < count)
        errx(1, "%s: %s", files[n],
             answer.error ? strerror(answer.error) : "no descriptor came");
    shutdown(sock, SHUT_WR); /* let Server say its last, to its end of file */
    return recv(sock, part, 1, 0) != 0 || close(sock) == -1;
}

static int play(void)
{
    char *tmp = getenv("TMPDIR"), *files[] = { ours, NULL };
    int client, fd, pair[2], status;

    snprintf(ours, sizeof ours, "fdpass.%ld.XXXXXX", (long)getuid());
    if (chdir(tmp && *tmp ? tmp : "/tmp") == -1 ||
        (fd = mkstemp(ours)) == -1 ||
        dprintf(fd, "Hello through a descriptor!\n") == -1 || close(fd) == -1)
        err(1, "%s", ours);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1 ||
        (client = fork()) == -1)
        err(1, "socketpair, fork");
    close(pair[client == 0]); /* or nobody sees that the other has gone */
    if (client == 0)
        exit(ask(pair[0], files, 1) || ferror(stdout));
    serve(pair[1]);
    if (wait(&status) == -1 || WIFSIGNALED(status))
        errx(1, "Client did not end by itself");
    return status != 0;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "no-rights", no_argument, &no_rights, 1 },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int opt, status = 0;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) == 0)
        continue;
    if (opt != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    argc -= optind;
    argv += optind;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGHUP, on_signal);
    atexit(clean_up);
    if (argc == 0)
        status = play();
    else if (argc > 2 && argc - 2 <= MOST && !strcmp(argv[0], "open"))
        status = ask(meet(argv[1], 0), argv + 2, argc - 2);
    else if (argc == 2 && !strcmp(argv[0], "serve"))
        for (int sock = meet(argv[1], 1);;)
            serve(accept4(sock, NULL, NULL, SOCK_CLOEXEC));
    else
        errx(2, "serve PATH or open PATH and 1 to 253 FILEs: %s", argv[0]);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return status;
}
