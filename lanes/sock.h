/*
 * sock.h - the kernel's tables of sockets: which is connected to which
 *
 * UNIX sockets are told by sock_diag(7), which answers any user, TCP and UDP
 * by /proc/net. Both know this network namespace only.
 */
#ifndef SOCK_H
#define SOCK_H
#include "base.h"
#include <sys/stat.h>

struct sock {
    enum { SOCK_UNIX, SOCK_TCP, SOCK_UDP } family;
    ino_t ino, peer;       /* 0: none, or one that is not accepted yet */
    int type;              /* SOCK_STREAM... */
    int state;             /* TCP_LISTEN...; UNIX sockets have the same */
    char name[112];        /* a path, @abstract, or an address:port */
    char remote[64];       /* of TCP and UDP */
    unsigned unread;       /* bytes */
    unsigned file, device; /* of a path: its inode, where */
    ino_t *client;         /* those that wait to be accepted */
    int clients;
};

const struct sock *sock_of(ino_t ino); /* NULL: not known */
/* The listener in whose queue it waits. */
const struct sock *sock_before_accept(const struct sock *s);
/* The one of UNIX that has this name. A path is told by its file, since it
 * may be relative; file is NULL for an abstract name. */
const struct sock *sock_named(const char *name, const struct stat *file);
const struct sock *sock_listener(int port); /* of TCP */
bool sock_ended(const struct sock *s);      /* the other side has closed */
/* The next after it of those that are connected to ino. */
const struct sock *sock_towards(ino_t ino, const struct sock *after);
/* An address's path as it is shown: zeros are @ in an abstract one. */
void sock_name(char *name, size_t size, const char *path, size_t n);
void sock_end(void);
#endif
