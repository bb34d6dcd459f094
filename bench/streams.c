/*
 * streams.c - mechanisms with descriptors: pipes, FIFOs, sockets
 *
 * open is called before the fork and leaves no name behind. send is called
 * by one process and receive by the other, each for a message of n bytes.
 * Each way has its own sender and receiver.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipcbench.h"

/* Of each way: the descriptor to write into, and the one to read from. */
static int out[2], in[2];

/* One descriptor for each process, which is good for both ways. */
static void both_ways(const int fd[2])
{
    out[THERE] = in[BACK] = fd[0];
    out[BACK] = in[THERE] = fd[1];
}

/* ---- pipes ---------------------------------------------------------- */

static void write_bytes(enum way way, const void *bytes, size_t n)
{
    whole("write", write(out[way], bytes, n), n);
}

static void read_bytes(enum way way, void *bytes, size_t n)
{
    char *next = bytes;

    while (n > 0) { /* what was one write can be several reads */
        ssize_t got = read(in[way], next, n);

        if (got <= 0)
            whole("read", got, n);
        next += got;
        n -= (size_t)got;
    }
}

static void pipe_open(void)
{
    int fd[2];

    for (enum way way = THERE; way <= BACK; way++) {
        if (pipe(fd) == -1)
            err(1, "pipe");
        in[way] = fd[0];
        out[way] = fd[1];
    }
}

static void pipe_1m_open(void)
{
    pipe_open();
    for (enum way way = THERE; way <= BACK; way++)
        if (fcntl(out[way], F_SETPIPE_SZ, 1048576) == -1)
            err(1, "fcntl: F_SETPIPE_SZ");
}

/*
 * The pages themselves go into the pipe: only read copies. A sender must not
 * touch a page until it has been read; ours never change.
 */
static void vmsplice_bytes(enum way way, const void *bytes, size_t n)
{
    struct iovec part = { .iov_base = (void *)bytes, .iov_len = n };

    while (part.iov_len > 0) {
        ssize_t done = vmsplice(out[way], &part, 1, 0);

        if (done == -1)
            err(1, "vmsplice");
        part.iov_base = (char *)part.iov_base + done;
        part.iov_len -= (size_t)done;
    }
}

static void fifo_open(void)
{
    char path[40];

    snprintf(path, sizeof path, "/tmp/ipcbench.%d", getpid());
    for (enum way way = THERE; way <= BACK; way++) {
        if (mkfifo(path, 0600) == -1)
            err(1, "mkfifo %s", path);
        in[way] = out[way] = open(path, O_RDWR); /* waits for nobody */
        unlink(path);
        if (in[way] == -1)
            err(1, "open %s", path);
    }
}

/* ---- sockets -------------------------------------------------------- */

static void sock_pair_open(void)
{
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1)
        err(1, "socketpair");
    both_ways(fd);
}

static int new_socket(int family, int type)
{
    int fd = socket(family, type, 0);

    if (fd == -1)
        err(1, "socket");
    return fd;
}

static struct sockaddr_un addr = { .sun_family = AF_UNIX };

static void remove_name(void)
{
    unlink(addr.sun_path);
}

/* A socket with a name in /tmp, as a server has it. */
static int named_socket(int type)
{
    int fd = new_socket(AF_UNIX, type);

    snprintf(addr.sun_path, sizeof addr.sun_path, "/tmp/ipcbench.%d",
             getpid());
    umask(077); /* nobody else may connect */
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "bind %s", addr.sun_path);
    atexit(remove_name); /* whatever fails from here on */
    return fd;
}

/* Connects a client with a listening server; fd[1] is the server's side. */
static void meet(int listener, struct sockaddr *to, socklen_t size, int fd[2])
{
    if (connect(fd[0], to, size) == -1)
        err(1, "connect");
    fd[1] = accept(listener, NULL, NULL);
    if (fd[1] == -1)
        err(1, "accept");
    close(listener);
    both_ways(fd);
}

static void connection_open(int type)
{
    int listener = named_socket(type), fd[2];

    if (listen(listener, 1) == -1)
        err(1, "listen");
    fd[0] = new_socket(AF_UNIX, type);
    meet(listener, (struct sockaddr *)&addr, sizeof addr, fd);
    remove_name();
}

static void sock_stream_open(void)
{
    connection_open(SOCK_STREAM);
}

static void sock_seqpacket_open(void)
{
    connection_open(SOCK_SEQPACKET);
}

static void sock_dgram_open(void)
{
    struct sockaddr_un client = { .sun_family = AF_UNIX };
    socklen_t size = sizeof client;
    int fd[2] = { new_socket(AF_UNIX, SOCK_DGRAM), named_socket(SOCK_DGRAM) };

    /* Given the family alone, the kernel makes up an abstract name. */
    if (bind(fd[0], (struct sockaddr *)&client, sizeof(sa_family_t)) == -1)
        err(1, "bind");
    if (connect(fd[0], (struct sockaddr *)&addr, sizeof addr) == -1)
        err(1, "connect");
    if (getsockname(fd[0], (struct sockaddr *)&client, &size) == -1)
        err(1, "getsockname");
    if (connect(fd[1], (struct sockaddr *)&client, size) == -1)
        err(1, "connect");
    remove_name();
    both_ways(fd);
}

static void send_message(enum way way, const void *bytes, size_t n)
{
    whole("send", send(out[way], bytes, n, 0), n);
}

static void receive_message(enum way way, void *bytes, size_t n)
{
    whole("recv", recv(in[way], bytes, n, 0), n);
}

/* A socket on 127.0.0.1; the kernel chooses the port, to is the address. */
static int local_socket(int type, struct sockaddr_in *to)
{
    socklen_t size = sizeof *to;
    int fd = new_socket(AF_INET, type);

    to->sin_family = AF_INET;
    to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)to, size) == -1)
        err(1, "bind");
    if (getsockname(fd, (struct sockaddr *)to, &size) == -1)
        err(1, "getsockname");
    return fd;
}

static void sock_tcp_open(void)
{
    struct sockaddr_in server = { 0 };
    int listener = local_socket(SOCK_STREAM, &server), fd[2], on = 1;

    if (listen(listener, 1) == -1)
        err(1, "listen");
    fd[0] = new_socket(AF_INET, SOCK_STREAM);
    meet(listener, (struct sockaddr *)&server, sizeof server, fd);
    for (int i = 0; i < 2; i++) /* nothing waits for more to send */
        if (setsockopt(fd[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == -1)
            err(1, "setsockopt: TCP_NODELAY");
}

/*
 * UDP drops what finds no room, so Sender stops at a window: a message in
 * half a window is answered by a byte, on the way's own pair of sockets.
 */
static unsigned half_window, messages[2];

static void sock_udp_open(void)
{
    int room = 212992; /* what Linux allows unless it is told otherwise */

    for (enum way way = THERE; way <= BACK; way++) {
        struct sockaddr_in a = { 0 }, b = { 0 };

        out[way] = local_socket(SOCK_DGRAM, &a);
        in[way] = local_socket(SOCK_DGRAM, &b);
        if (connect(out[way], (struct sockaddr *)&b, sizeof b) == -1 ||
            connect(in[way], (struct sockaddr *)&a, sizeof a) == -1)
            err(1, "connect");
        if (setsockopt(in[way], SOL_SOCKET, SO_RCVBUF, &room, sizeof room))
            err(1, "setsockopt: SO_RCVBUF");
    }
    half_window = 0; /* where each message has an answer, none is needed */
    if (current->mode == THROUGHPUT || plan.rate)
        half_window = current->size > 4096 ? 1 : 8;
}

static void sock_udp_send(enum way way, const void *bytes, size_t n)
{
    unsigned sent = messages[way]++;
    char room;

    if (half_window && sent >= 2 * half_window && sent % half_window == 0)
        whole("recv", recv(out[way], &room, 1, 0), 1);
    send_message(way, bytes, n);
}

static void sock_udp_receive(enum way way, void *bytes, size_t n)
{
    receive_message(way, bytes, n);
    if (half_window && ++messages[way] % half_window == 0)
        whole("send", send(in[way], "", 1, 0), 1);
}

const struct mechanism streams[] = {
    { "pipe", "two pipes: write, read", BOTH, 0, pipe_open, write_bytes,
      read_bytes, NULL },
    { "pipe-1m", "pipes of 1 MiB: F_SETPIPE_SZ", THROUGHPUT, 0, pipe_1m_open,
      write_bytes, read_bytes, NULL },
    { "vmsplice", "pipes of 1 MiB: vmsplice copies nothing", THROUGHPUT, 0,
      pipe_1m_open, vmsplice_bytes, read_bytes, NULL },
    { "fifo", "two FIFOs: write, read", BOTH, 0, fifo_open, write_bytes,
      read_bytes, NULL },
    { "sock-pair", "socketpair: write, read", BOTH, 0, sock_pair_open,
      write_bytes, read_bytes, NULL },
    { "sock-stream", "UNIX stream: write, read", BOTH, 0, sock_stream_open,
      write_bytes, read_bytes, NULL },
    { "sock-dgram", "UNIX datagrams: send, recv", BOTH, 0, sock_dgram_open,
      send_message, receive_message, NULL },
    { "sock-seqpacket", "UNIX packets: send, recv", BOTH, 0,
      sock_seqpacket_open, send_message, receive_message, NULL },
    { "sock-tcp", "TCP on 127.0.0.1: write, read, TCP_NODELAY", BOTH, 0,
      sock_tcp_open, write_bytes, read_bytes, NULL },
    { "sock-udp", "UDP on 127.0.0.1: send, recv, with a window", BOTH, 65507,
      sock_udp_open, sock_udp_send, sock_udp_receive, NULL },
    { 0 },
};
