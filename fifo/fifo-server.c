/*
 * fifo-server - one well-known FIFO, and a reply FIFO for each client
 *
 * usage: fifo-server [--open-once] [serve PATH | ask PATH]
 *
 * A client makes a private FIFO, opens it to read, and writes its name
 * into the server's. The server writes the next ticket number there.
 * With neither serve nor ask: a server, and three clients in turn.
 *
 * Watch   the server has its own FIFO open to write, too. So it is itself
 *         a writer that never leaves, and it never reads the end of file.
 * Try     fifo-server --open-once   it ends when the first client leaves
 *         fifo-server serve my.fifo      and then, in a second terminal,
 *         fifo-server ask my.fifo
 * Read    fifo(7), pipe(7), open(2), flock(2); Kerrisk, TLPI, 44.8;
 *         Stevens & Rago, APUE, 15.5 and exercise 15.10
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "usage: fifo-server [--open-once] [serve PATH | ask PATH]\n"
    "  --open-once  wrong: the server opens its FIFO to read only\n";

static char *folder, *inside;   /* private, and a FIFO in it */
static const char *taken;       /* the FIFO that we read, and ... */
static int own = -1, open_once; /* ... its read end */
static sigset_t none; /* blocked in ppoll: signals come only there */

static void on_signal(int sig)
{
    (void)sig; /* ppoll says EINTR, that is enough */
}

static void clean_up(void)
{
    struct stat st;

    if (taken && fstat(own, &st) == 0 && st.st_nlink > 0)
        unlink(taken); /* else its name would be somebody else's */
    if (folder) {
        unlink(inside);
        rmdir(folder);
    }
}

static const char *make_private(void)
{
    const char *tmp = getenv("TMPDIR");

    if (asprintf(&folder, "%s/fifo-server.%ld.XXXXXX",
                 tmp && *tmp == '/' ? tmp : "/tmp", (long)getuid()) == -1 ||
        !mkdtemp(folder) || asprintf(&inside, "%s/fifo", folder) == -1)
        err(1, "mkdtemp %s", folder);
    return inside;
}

/*
 * Opens a FIFO, or says why not and returns -1. A name must not make us wait
 * (O_NONBLOCK: ENXIO if nobody reads), nor lead elsewhere (O_NOFOLLOW). Then
 * fstat, for what a name means can change, what is open cannot. A FIFO does
 * not tell who writes; but one of our user, closed to all others, can only
 * have been given to us by that user, or root.
 */
static int open_private(const char *path, int flags)
{
    int fd = open(path, flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd != -1 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
        st.st_uid == geteuid() && !(st.st_mode & 077))
        return fd;
    warnx("%.99s: %s", path,
          fd == -1 ? strerror(errno) : "this is no private FIFO of ours");
    close(fd);
    return -1;
}

/*
 * Makes a FIFO, or takes it over from a server that was killed, and returns
 * its read end. The lock goes with the process that holds it. (To ask
 * whether anybody reads would let two in that start at once.) A FIFO that
 * has no link left was removed by its server while we came.
 */
static int take(const char *path)
{
    struct stat st;

    if (mkfifo(path, 0600) == -1 && errno != EEXIST)
        err(1, "mkfifo %s", path);
    if ((own = open_private(path, O_RDONLY)) == -1 ||
        flock(own, LOCK_EX | LOCK_NB) == -1 || fstat(own, &st) == -1 ||
        st.st_nlink == 0)
        errx(1, "%s must be new, or its server must have ended", path);
    taken = path;
    return own;
}

static int answer(const char *path, int ticket)
{
    int fd = open_private(path, O_WRONLY), sent = -1;

    if (fd != -1) {
        printf("Server: the next is ticket %d\n", ticket);
        if ((sent = dprintf(fd, "%d\n", ticket)) == -1)
            warn("write %.99s", path);
        close(fd);
    }
    return sent != -1;
}

static int serve(const char *path, const char *script) /* or NULL */
{
    struct pollfd fd[] = { { .fd = take(path), .events = POLLIN }, { 0 } };
    FILE *requests = fdopen(own, "r"), *shell = NULL;
    int write_end = -1, tickets = 0, more = 0;
    struct timespec now = { 0 };
    char line[PIPE_BUF];

    if (!open_once && (write_end = open_private(path, O_WRONLY)) == -1)
        exit(1);
    printf("Server: ready\n");
    if (!requests || (script && !(shell = popen(script, "w"))))
        err(1, "popen");
    fd[1].fd = shell ? fileno(shell) : -1; /* POLLERR: it has ended */
    while ((more || !fd[1].revents) &&
           ppoll(fd, more ? 0 : 2, more ? &now : NULL, &none) != -1) {
        more = fgets(line, sizeof line, requests) != NULL;
        if (more && line[0] != '\n') {
            line[strcspn(line, "\n")] = '\0';
            tickets += answer(line, tickets + 1);
        }
        if (feof(requests))
            errx(1, "end of file: the last writer has left");
        clearerr(requests); /* of EAGAIN: there is no request now */
    }
    printf("Server: ends after %d tickets\n", tickets);
    clean_up(); /* before the lock goes */
    fclose(requests);
    close(write_end);
    return shell && pclose(shell) != 0;
}

static int ask(const char *path)
{
    struct pollfd fd[] = { { .events = POLLIN }, { .events = POLLOUT } };
    char request[PATH_MAX + 2], ticket[32];
    ssize_t n;

    fd[1].fd = open_private(path, O_WRONLY);
    if (fd[1].fd == -1)
        errx(1, "hint: start a server first: fifo-server serve %s", path);
    fd[0].fd = take(make_private());
    /*
     * Up to PIPE_BUF bytes go in whole, never between others' bytes. The
     * first newline ends what somebody who died has left there.
     */
    n = snprintf(request, sizeof request, "\n%s\n", inside);
    while (write(fd[1].fd, request, (size_t)n) == -1)
        if (errno != EAGAIN || ppoll(fd + 1, 1, NULL, &none) == -1)
            err(1, "ask %s", path);
    fd[1].events = 0; /* only POLLERR: nobody reads any more */
    if (ppoll(fd, 2, NULL, &none) == -1 ||
        (n = read(own, ticket, sizeof ticket)) < 1)
        errx(1, "ask %s: the server has not answered", path);
    printf("Client: ticket %.*s", (int)n, ticket);
    close(own);
    return close(fd[1].fd);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "open-once", no_argument, &open_once, 1 },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    sigset_t blocked;
    int opt, status;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) == 0)
        continue;
    if (opt != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN); /* write shall say EPIPE */
    sigemptyset(&none);
    sigemptyset(&blocked);
    for (int i = 0; i < 3; i++)
        if (signal(signals[i], on_signal) != SIG_ERR)
            sigaddset(&blocked, signals[i]);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    atexit(clean_up);
    if (optind == argc) {
        setenv("SELF", argv[0], 1);
        setenv("CLIENTS", open_once ? "1" : "1 2 3", 1);
        setenv("FIFO", make_private(), 1);
        status = serve(inside, "for client in $CLIENTS; do "
                               "\"$SELF\" ask \"$FIFO\" || exit; done");
    } else if (optind + 2 == argc && strcmp(argv[optind], "serve") == 0)
        status = serve(argv[optind + 1], NULL);
    else if (optind + 2 == argc && strcmp(argv[optind], "ask") == 0)
        status = ask(argv[optind + 1]);
    else
        errx(2, "neither serve PATH nor ask PATH: %s", argv[optind]);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return status;
}
