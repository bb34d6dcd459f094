/*
 * sock-cred - the server knows who asks, and turns others away
 *
 * usage: sock-cred [--allow UID]
 *
 * Server lets in one user, its own, or UID. Each client says who it is, but
 * Server asks the kernel: SO_PEERCRED are the pid, uid and gid that the
 * client had in connect, whatever it says, and whatever it became since.
 *
 * Watch   Client 2, which lies, and Client 3, whose words are true by now.
 * Try     sudo sock-cred            only root can become somebody else
 *         sock-cred --allow 12345   not even its own user gets in
 * Read    unix(7), SO_PEERCRED; credentials(7); Kerrisk, TLPI, 61.13.4
 *
 * SO_PEERCRED is Linux. The BSDs and macOS have getpeereid(3), and
 * LOCAL_PEERCRED beneath it, Solaris has getpeerucred(3C), POSIX nothing.
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sock-cred needs Linux: SO_PEERCRED, abstract addresses"
#endif
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: sock-cred [--allow UID]\n"
    "  --allow UID  let in this user, not Server's own\n";

enum { NOBODY = 65534 };

/*
 * The kernel chooses an abstract address. It is no file and has no mode:
 * anybody may connect, and so Server must look who it is.
 */
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static struct sockaddr *const name = (struct sockaddr *)&address;
static socklen_t address_size = sizeof address;

static pid_t fork_child(void)
{
    pid_t parent = getpid(), pid = fork();

    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* it ends with its parent */
        if (getppid() != parent)
            _exit(1);
    }
    return pid;
}

static void quit(void)
{
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    exit(0);
}

static const char *compare(unsigned said, unsigned is)
{
    return said == is ? "same" : "other";
}

static void serve(int listener, uid_t allowed)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) != -1) {
        struct ucred is, said;
        socklen_t size = sizeof is;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &is, &size) == -1)
            err(1, "SO_PEERCRED");
        if (recv(fd, &said, sizeof said, MSG_WAITALL) == sizeof said) {
            printf("Server: SO_PEERCRED: %s pid, %s uid, %s gid: %s\n",
                   compare((unsigned)said.pid, (unsigned)is.pid),
                   compare(said.uid, is.uid), compare(said.gid, is.gid),
                   is.uid == allowed ? "let in" : "turned away");
            if (is.uid == allowed)
                send(fd, "welcome", 7, MSG_NOSIGNAL); /* if it is there */
        }
        close(fd);
    }
    err(1, "accept");
}

static int reach(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd == -1 || connect(fd, name, address_size) == -1)
        err(1, "connect");
    return fd;
}

/* The user last: who is not root any more may not change the groups. */
static int become_nobody(void)
{
    if (getuid() != 0 || setgroups(0, NULL) == -1 || setgid(NOBODY) == -1 ||
        setuid(NOBODY) == -1)
        return -1;
    return 0;
}

/* 1 says the truth, 2 lies, and 3 is somebody else than when it connected. */
static void client(int number)
{
    struct ucred said = { getpid(), getuid(), getgid() };
    int fd = number == 3 ? reach() : -1, status;
    char answer[32];
    ssize_t n;

    if (number == 1) {
        printf("Client 1: connects, and says who it is\n");
    } else if (number == 2) {
        if (become_nobody() == -1) {
            printf("Client 2: left out, only root can be another user\n");
            return;
        }
        printf("Client 2: becomes nobody, connects, says that it is root\n");
    } else if (fork_child() == 0) {
        printf("Client 3: connects, then its child %sasks\n",
               become_nobody() == 0 ? "becomes nobody and " : "");
        said = (struct ucred){ getpid(), getuid(), getgid() };
    } else {
        close(fd);
        if (wait(&status) == -1 || status != 0)
            exit(1);
        return;
    }
    if (fd == -1)
        fd = reach();
    if (send(fd, &said, sizeof said, MSG_NOSIGNAL) == -1 ||
        (n = recv(fd, answer, sizeof answer, 0)) == -1)
        err(1, "Client %d", number);
    printf("Client %d received: %.*s\n", number, n ? (int)n : 11,
           n ? answer : "end of file");
    close(fd);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "allow", required_argument, NULL, 'a' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int listener, opt, status, failed = 0;
    uid_t allowed = geteuid();
    pid_t server;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        char *end;

        if (opt != 'a') {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
        errno = 0;
        allowed = (uid_t)strtoul(optarg, &end, 10);
        if (errno || *end || *optarg < '0' || *optarg > '9' ||
            strtoul(optarg, NULL, 10) != allowed)
            errx(2, "--allow must be a uid: %s", optarg);
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener == -1)
        err(1, "socket");
    /* No more than the family: the kernel makes up a name, unix(7). */
    if (bind(listener, name, sizeof address.sun_family) == -1 ||
        getsockname(listener, name, &address_size) == -1 ||
        listen(listener, SOMAXCONN) == -1)
        err(1, "bind");
    printf("Server: lets in %s\n", allowed == geteuid()
                                       ? "its own user"
                                       : "another user than its own");
    server = fork_child();
    if (server == 0)
        serve(listener, allowed);
    close(listener); /* if Server dies, clients shall be told */

    for (int i = 1; i <= 3; i++) {
        pid_t child = fork_child();

        if (child == 0) {
            client(i);
            quit();
        }
        if (waitpid(child, &status, 0) == -1)
            err(1, "waitpid");
        failed |= status;
    }
    kill(server, SIGTERM);
    if (waitpid(server, &status, 0) == -1 || !WIFSIGNALED(status))
        errx(1, "Server ended too early");
    if (failed)
        errx(1, "a client has failed");
    quit();
}
