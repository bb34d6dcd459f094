/*
 * sock-tcp - the server of sock-stream, over TCP
 *
 * usage: sock-tcp [serve PORT | ask PORT MESSAGE]
 *
 * All is as in sock-stream but the address: 127.0.0.1 and a port. Nothing of
 * it is in the file system, so nothing is to be removed. serve 0 lets the
 * kernel choose a port and says which; without serve or ask, that is done.
 *
 * Watch   who can connect: a socket's path has an owner and a mode, a port
 *         has none. This one is at least out of reach for other machines.
 * Try     sock-tcp serve 0                  and then, in a second terminal,
 *         sock-tcp ask PORT 'Who is a client?'
 *         diff sock-stream.c sock-tcp.c     what it takes to do it over TCP
 * Read    ip(7), tcp(7), socket(7), getsockname(2); Kerrisk, TLPI, 59, 61.10;
 *         Stevens & Rago, APUE, 16
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sock-tcp needs Linux: accept4"
#endif
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char help[] =
    "usage: sock-tcp [serve PORT | ask PORT MESSAGE]\n"
    "  PORT may be 0 for serve: the kernel chooses one\n";

enum { CLIENTS = 200, MAX_MESSAGE = 16 << 20 };

static sigset_t signals; /* a server blocks them, and waits for one */
static struct sockaddr_in address = { .sin_family = AF_INET };
static socklen_t address_size = sizeof address;
static char name[sizeof "65535"]; /* the port, to be read */

/* The address is 127.0.0.1: with INADDR_ANY, all the world could connect. */
static void set_address(const char *port)
{
    char *end;
    long number = strtol(port, &end, 10);

    if (*end || end == port || number < 0 || number > 65535)
        errx(2, "PORT must be a number from 0 to 65535: %s", port);
    snprintf(name, sizeof name, "%ld", number);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((in_port_t)number); /* bytes in network order */
}

static int start_listening(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd == -1)
        err(1, "socket");
    sigprocmask(SIG_BLOCK, &signals, NULL);
    /*
     * Who closes a connection first keeps its port for a minute, TIME_WAIT:
     * here the server. SO_REUSEADDR lets the next one bind to it; a port
     * where somebody listens is still refused.
     */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1)
        err(1, "setsockopt");
    if (bind(fd, (struct sockaddr *)&address, address_size) == -1)
        err(1, "bind %s", name);
    if (listen(fd, SOMAXCONN) == -1)
        err(1, "listen %s", name);
    /* Bound to port 0, we have got one that the kernel has chosen. */
    if (getsockname(fd, (struct sockaddr *)&address, &address_size) == -1)
        err(1, "getsockname");
    snprintf(name, sizeof name, "%d", ntohs(address.sin_port));
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
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char *text = malloc(MAX_MESSAGE);

    if (fd == -1 || !text)
        err(1, "socket");
    if (connect(fd, (struct sockaddr *)&address, address_size) == -1) {
        warn("connect %s", name);
        errx(1, "hint: start a server first: sock-tcp serve %s", name);
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
    char *self = argv[0];
    int opt, status;

    if ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    argc -= optind;
    argv += optind;
    if (argc > 0 && !(argc == 2 && strcmp(argv[0], "serve") == 0) &&
        !(argc == 3 && strcmp(argv[0], "ask") == 0))
        errx(2, "neither serve PORT nor ask PORT MESSAGE: %s", argv[0]);
    set_address(argc > 0 ? argv[1] : "0");

    setvbuf(stdout, NULL, _IOLBF, 0);
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
