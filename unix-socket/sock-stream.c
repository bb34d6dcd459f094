/*
 * sock-stream - a server with a name, and the clients that it answers
 *
 * usage: sock-stream [serve PATH | ask PATH MESSAGE]
 *
 * The server binds a socket to PATH and listens; accept returns another
 * socket for each client, which goes both ways. A message ends with a NUL.
 * The answer is the message, with "server" where it says "client". Without
 * serve or ask, sock-stream is the server and starts itself as a client;
 * then PATH is an abstract name, as any that begins with @, and no file.
 *
 * Watch   receive and transmit: a stream has no messages, only bytes, and
 *         a recv or a send may take fewer of them than we would like.
 * Try     sock-stream serve my.sock         and then, in a second terminal,
 *         sock-stream ask my.sock 'Who is a client?'
 *         sock-stream serve @name           an abstract name is no file
 *         diff sock-stream.c sock-tcp.c     what it takes to do it over TCP
 * Read    unix(7), bind(2), accept(2), send(2); Kerrisk, TLPI, 57 and 61.1;
 *         Stevens & Rago, APUE, 16 and 17.2
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sock-stream needs Linux: abstract names, accept4"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char help[] =
    "usage: sock-stream [serve PATH | ask PATH MESSAGE]\n"
    "  PATH may be @NAME, an abstract name, which is no file\n";

enum { CLIENTS = 200, MAX_MESSAGE = 16 << 20 };

static sigset_t signals; /* a server blocks them, and waits for one */
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static socklen_t address_size;
static char name[sizeof address.sun_path]; /* the address, to be read */
static struct stat own; /* what we have bound, if it is a file */

static void clean_up(void)
{
    struct stat st;

    /* Meanwhile the name may have become somebody else's. */
    if (own.st_ino && lstat(name, &st) == 0 && st.st_ino == own.st_ino)
        unlink(name);
}

/* An abstract name begins with a NUL, and ends where its address ends. */
static void set_address(const char *path)
{
    size_t length = strlen(path);

    if (length < 1 || length >= sizeof name)
        errx(2, "PATH must have 1 to %zu bytes: %s", sizeof name - 1, path);
    memcpy(name, path, length + 1);
    memcpy(address.sun_path, path, length + 1);
    address_size = sizeof address - sizeof name + length + (*path != '@');
    if (*path == '@')
        address.sun_path[0] = '\0';
}

static int start_listening(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), lock = -1;
    struct stat st;

    if (fd == -1 || probe == -1)
        err(1, "socket");
    /*
     * Two servers may find the same dead one's socket; the slower must not
     * remove what the faster has made instead. So only one at a time removes
     * and binds in a folder: who has locked it. The lock ends with us.
     */
    if (name[0] != '@' &&
        ((lock = open(dirname(strdupa(name)), O_RDONLY | O_CLOEXEC)) == -1 ||
         flock(lock, LOCK_EX) == -1))
        err(1, "the folder of %s", name);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    umask(0177); /* who may write may connect: our user, nobody else */
    while (bind(fd, (struct sockaddr *)&address, address_size) == -1) {
        if (errno != EADDRINUSE || name[0] == '@')
            err(1, "bind %s", name);
        /*
         * A killed server leaves its socket. If nobody has that any more,
         * connect says ECONNREFUSED. This is the wrong type of socket: a
         * living server does not notice us, and we get EPROTOTYPE.
         */
        if (lstat(name, &st) == -1 || !S_ISSOCK(st.st_mode))
            errx(1, "%s is there, and is no socket", name);
        if (connect(probe, (struct sockaddr *)&address, address_size) == 0 ||
            errno != ECONNREFUSED)
            errx(1, "%s has a server that lives, or is not ours", name);
        warnx("%s was left by a server that is dead: removed", name);
        if (unlink(name) == -1)
            err(1, "unlink %s", name);
    }
    if (name[0] != '@' && lstat(name, &own) == -1)
        err(1, "lstat %s", name);
    if (listen(fd, SOMAXCONN) == -1)
        err(1, "listen %s", name);
    close(probe);
    close(lock);
    return fd;
}

/* Returns the number of bytes up to the NUL, or 0 if it does not come. */
static size_t receive(int fd, char *text)
{
    size_t got = 0;
    ssize_t n;

    do {
        n = recv(fd, text + got, MAX_MESSAGE - got, 0);
        if (n < 1) /* 0: the other side has left, or there is no more room */
            return 0;
        got += (size_t)n;
    } while (text[got - 1] != '\0');
    return got;
}

/*
 * To somebody who has left, send shall say EPIPE. Without MSG_NOSIGNAL there
 * would be a SIGPIPE, too, and one such client would end the whole server.
 */
static int transmit(int fd, const char *text, size_t left)
{
    for (ssize_t n; left > 0; text += n, left -= (size_t)n)
        if ((n = send(fd, text, left, MSG_NOSIGNAL)) == -1)
            return -1;
    return 0;
}

/* A thread of the server. Its clients may take their time, others go on. */
static void *answer(void *listener)
{
    int fd;

    while ((fd = accept4(*(int *)listener, NULL, NULL, SOCK_CLOEXEC)) != -1) {
        char *text = malloc(MAX_MESSAGE); /* memory comes as it is filled */
        size_t size = text ? receive(fd, text) : 0;

        if (size > 0)
            printf("Server received: %s\n", text);
        for (char *c = text; size > 0 && (c = strstr(c, "client")); c += 6)
            memcpy(c, "server", sizeof "server" - 1);
        if (size == 0 || transmit(fd, text, size) == -1)
            warnx("a client has left too early, or talks too much");
        free(text);
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL); /* not now */
        close(fd);
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    }
    err(1, "accept");
}

/* Serves until a signal comes or, if there is a script, until that ends. */
static int serve(const char *script)
{
    int listener = start_listening(), sig, status;
    int threads = script ? 1 : CLIENTS;
    pthread_t thread[CLIENTS];

    printf(script ? "Server: ready\n" : "Server: ready at %s\n", name);
    for (int i = 0; i < threads; i++)
        if ((errno = pthread_create(&thread[i], NULL, answer, &listener)))
            err(1, "pthread_create");
    setenv("NAME", name, 1); /* for the script */
    status = script ? system(script) : sigwait(&signals, &sig);
    if (status != 0)
        warnx("the client has failed");
    printf("Server: ends\n");
    for (int i = 0; i < threads; i++) {
        pthread_cancel(thread[i]);
        pthread_join(thread[i], NULL);
    }
    close(listener);
    return status != 0;
}

static int ask(const char *message)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char *text = malloc(MAX_MESSAGE);

    if (fd == -1 || !text)
        err(1, "socket");
    if (connect(fd, (struct sockaddr *)&address, address_size) == -1) {
        warn("connect %s", name);
        errx(1, "hint: start a server first: sock-stream serve %s", name);
    }
    if (transmit(fd, message, strlen(message) + 1) == -1)
        err(1, "send %s", name);
    if (receive(fd, text) == 0)
        errx(1, "%s: the server has left without an answer", name);
    printf("Client received: %s\n", text);
    free(text);
    return close(fd);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
    char *self = argv[0], first[64];
    int opt, status;

    if ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    argc -= optind;
    argv += optind;
    if (argc > 0 && !(argc == 2 && strcmp(argv[0], "serve") == 0) &&
        !(argc == 3 && strcmp(argv[0], "ask") == 0))
        errx(2, "neither serve PATH nor ask PATH MESSAGE: %s", argv[0]);
    snprintf(first, sizeof first, "@sock-stream.%u.%d", getuid(), getpid());
    set_address(argc > 0 ? argv[1] : first);

    setvbuf(stdout, NULL, _IOLBF, 0);
    atexit(clean_up);
    sigemptyset(&signals);
    for (int i = 0; i < 3; i++)
        sigaddset(&signals, ends[i]);
    setenv("SELF", self, 1);
    if (argc == 0)
        status = serve("exec \"$SELF\" ask $NAME 'Hello from client!'");
    else
        status = argc == 2 ? serve(NULL) : ask(argv[2]);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return status;
}
