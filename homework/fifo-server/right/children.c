/*
 * Right: the server has a child for each request, which opens with a time
 * limit; a signal sets a flag, and pselect lets it in. The client's child
 * reads the answer, and its parent looks after the server.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_stop(int s)
{
    stop = s;
}

static void prepare(sigset_t *during_wait)
{
    struct sigaction act;
    sigset_t both;

    memset(&act, 0, sizeof act);
    act.sa_handler = on_stop;
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGINT, &act, NULL);
    sigemptyset(&both);
    sigaddset(&both, SIGTERM);
    sigaddset(&both, SIGINT);
    sigprocmask(SIG_BLOCK, &both, during_wait);
}

static void answer(int pid, int ticket, const sigset_t *mask)
{
    char *name;
    struct stat st;
    int fd;

    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    alarm(1); /* open waits for no longer than that */
    if (asprintf(&name, "/tmp/fifo-server.%d", pid) < 0 ||
        lstat(name, &st) < 0 || (st.st_mode & S_IFMT) != S_IFIFO)
        _exit(1);
    if ((fd = open(name, O_WRONLY)) < 0)
        _exit(1);
    _exit(write(fd, &ticket, sizeof ticket) != sizeof ticket);
}

static int serve(const char *path)
{
    int in, out, pid, ticket = 0;
    sigset_t mask;
    fd_set set;

    prepare(&mask);
    if (mkfifo(path, 0600) < 0) {
        perror(path);
        return 1;
    }
    signal(SIGCHLD, SIG_IGN); /* no zombies */
    in = open(path, O_RDONLY | O_NONBLOCK);
    out = open(path, O_WRONLY);
    fprintf(stderr, "ready: %d, %d\n", in, out);
    while (!stop) {
        FD_ZERO(&set);
        FD_SET(in, &set);
        if (pselect(in + 1, &set, NULL, NULL, NULL, &mask) < 1)
            continue;
        while (read(in, &pid, sizeof pid) == sizeof pid) {
            ++ticket;
            if (fork() == 0)
                answer(pid, ticket, &mask);
        }
    }
    unlink(path);
    return 0;
}

/* The answer comes to the child, and from there through a pipe. */
static void listen_for_it(const char *name, int to)
{
    int fd = open(name, O_RDONLY | O_NONBLOCK), keep, ticket;

    keep = open(name, O_WRONLY); /* so that read waits */
    if (fd < 0 || keep < 0 || fcntl(fd, F_SETFL, 0) < 0)
        _exit(1);
    if (write(to, "", 1) == 1 && read(fd, &ticket, 4) == 4)
        _exit(write(to, &ticket, 4) != 4);
    _exit(1);
}

static int wait_for_it(int server, int from, const sigset_t *mask)
{
    int pid = getpid(), ticket;
    struct timespec a_little = { 0, 10000000 };
    char ready, self[64];
    int again;
    fd_set in;

    if (read(from, &ready, 1) != 1 || write(server, &pid, 4) != 4)
        return -1;
    snprintf(self, sizeof self, "/proc/self/fd/%d", server);
    while (!stop) {
        FD_ZERO(&in);
        FD_SET(from, &in);
        if (pselect(from + 1, &in, NULL, NULL, &a_little, mask) > 0)
            return read(from, &ticket, 4) == 4 ? ticket : -1;
        /* Opened anew, the server's FIFO says whether it has a reader. */
        if ((again = open(self, O_WRONLY | O_NONBLOCK)) < 0)
            return -1;
        close(again);
    }
    return -1;
}

static int ask(const char *path)
{
    char name[64];
    int server, own, fds[2], ticket;
    sigset_t mask;
    struct stat st;
    pid_t child;

    server = open(path, O_WRONLY);
    if (server < 0) {
        perror(path);
        return 1;
    }
    if (fstat(server, &st) < 0 || !S_ISFIFO(st.st_mode)) {
        fprintf(stderr, "%s must be a FIFO\n", path);
        return 1;
    }
    prepare(&mask);
    signal(SIGPIPE, SIG_IGN);
    snprintf(name, sizeof name, "/tmp/fifo-server.%ld", (long)getpid());
    if (pipe(fds) < 0 || mkfifo(name, 0600) < 0) {
        perror(name);
        return 1;
    }
    child = fork();
    if (child == 0)
        listen_for_it(name, fds[1]);
    close(fds[1]);
    own = open(name, O_RDONLY | O_NONBLOCK);
    ticket = wait_for_it(server, fds[0], &mask);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    unlink(name);
    close(own);
    if (stop)
        return 3;
    if (ticket < 0) {
        fprintf(stderr, "no answer\n");
        return 1;
    }
    printf("My number in the queue is %d\n", ticket);
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    if (argc == 3 && strcmp(argv[1], "ask") == 0)
        return ask(argv[2]);
    fprintf(stderr, "Usage: %s serve|ask PATH\n", argv[0]);
    return 2;
}
