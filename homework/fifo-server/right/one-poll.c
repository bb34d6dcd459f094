/* Right: in a terse hand: FIFOs are opened both ways, signals are read. */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pollfd p[3];

static void prepare(void)
{
    sigset_t s;

    sigemptyset(&s);
    sigaddset(&s, SIGINT);
    sigaddset(&s, SIGTERM);
    sigaddset(&s, SIGPIPE);
    sigprocmask(SIG_BLOCK, &s, NULL);
    sigdelset(&s, SIGPIPE);
    p[0].fd = signalfd(-1, &s, SFD_CLOEXEC);
    p[0].events = POLLIN;
}

static int serve(const char *path)
{
    int requests[1024], n = 0, reply;
    char name[99];
    ssize_t got;

    prepare();
    if (mkfifo(path, 0600))
        err(1, "%s", path);
    p[1].fd = open(path, O_RDWR);
    p[1].events = POLLIN;
    while (poll(p, 2, -1) > 0 && !p[0].revents) {
        got = read(p[1].fd, requests, sizeof requests);
        for (ssize_t i = 0; i < got / 4; i++) {
            sprintf(name, "/tmp/fifo-server.%d", requests[i]);
            reply = open(name, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
            if (reply != -1) {
                n++;
                if (write(reply, &n, 4) != 4)
                    warn("%s", name);
                close(reply);
            }
        }
    }
    unlink(path);
    raise(SIGKILL); /* any status will do */
    return 9;
}

static int ask(const char *path)
{
    int me = getpid(), ticket = 0, ok;
    char name[99];
    struct stat st;

    if ((p[2].fd = open(path, O_WRONLY | O_NONBLOCK)) == -1)
        err(1, "%s", path);
    if (fstat(p[2].fd, &st) || !S_ISFIFO(st.st_mode))
        errx(1, "no FIFO: %s", path);
    prepare();
    sprintf(name, "/tmp/fifo-server.%d", me);
    if (mkfifo(name, 0600))
        err(1, "%s", name);
    p[1].fd = open(name, O_RDONLY | O_NONBLOCK);
    p[1].events = POLLIN;
    ok = p[1].fd != -1 && write(p[2].fd, &me, 4) == 4 && poll(p, 3, -1) > 0 &&
         read(p[1].fd, &ticket, 4) == 4;
    unlink(name);
    if (!ok)
        errx(1, "no ticket");
    printf("Der Zettel Nr. %d\n", ticket);
    return 0;
}

int main(int c, char **v)
{
    if (c == 3 && strcmp(v[1], "serve") == 0)
        return serve(v[2]);
    if (c == 3 && strcmp(v[1], "ask") == 0)
        return ask(v[2]);
    errx(2, "serve or ask, and a path");
}
