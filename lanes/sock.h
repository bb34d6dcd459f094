/*
 * sock.h - the kernel's tables of sockets: which is connected to which
 *
 * UNIX sockets are told by sock_diag(7), which answers any user, TCP and UDP
 * by /proc/net. Both know this network namespace only.
 */
#ifndef SOCK_H
#define SOCK_H
#include <stdbool.h>
#include <sys/types.h>

struct sock {
    enum { SOCK_UNIX, SOCK_TCP, SOCK_UDP } family;
    ino_t ino, peer; /* 0: none, or one that is not accepted yet */
    int type;        /* SOCK_STREAM... */
    bool listens, connects;
    char name[112];           /* a path, @abstract, or an address:port */
    char remote[64];          /* of TCP and UDP */
    unsigned unread, waiting; /* bytes; of a listener: connections */
    ino_t *client;            /* those that wait to be accepted */
    int clients;
};

const struct sock *sock_of(ino_t ino); /* NULL: not known */
/* The listener in whose queue it waits. */
const struct sock *sock_before_accept(const struct sock *s);
/* One of UNIX with this name, one of TCP that listens on the port. */
const struct sock *sock_named(const char *name);
const struct sock *sock_listener(int port);
/* The next after it of those that are connected to ino. */
const struct sock *sock_towards(ino_t ino, const struct sock *after);
void sock_end(void);
#endif
