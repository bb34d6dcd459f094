/*
 * ends.h - what a descriptor is, which processes have its other end, and what
 * it lacks
 */
#ifndef ENDS_H
#define ENDS_H
#include "wait.h"
#include <poll.h>

enum kind {
    PIPE,
    FIFO,
    SOCKET,
    TERMINAL,
    QUEUE,
    EVENTFD,
    SIGNALFD,
    TIMERFD,
    EPOLL,
    INOTIFY,
    PIDFD,
    OTHER
};

enum end { READS, WRITES, ANY };

struct hold {
    struct seen *p;
    int count;
    char fds[48]; /* "fd 3" or "fd 3, 7" */
};

struct holds {
    struct hold *list;
    int n;
    int closed; /* processes that one may not look into */
};

enum kind ends_kind(struct seen *p, struct descriptor *d);
bool ends_deleted(const char *path);
/* The processes, in all of the system, that have this end of it open; with
 * info those of which /proc says this, too. */
struct holds ends_holders(struct seen *p, struct descriptor *d, enum end end,
                          const char *info);
/* Names them, and makes them givers; frees the list. */
void ends_say(struct waiting *w, struct holds h, const char *nobody);

void ends_add_what(struct waiting *w, struct seen *p, struct descriptor *d);
void ends_add_socket(struct waiting *w, ino_t ino, const char *before,
                     const char *after);
void ends_add_signals(struct waiting *w, unsigned long mask);
/* What it is, and what it lacks: data, or room. */
void ends_with_fd(struct waiting *w, int fd, bool room);
void ends_poll(struct waiting *w, const struct pollfd *list, int n);
/* " spins: fd 3, a pipe, is at its end of file": why reads come back at once;
 * false if none of its descriptors tells. */
bool ends_never_wait(struct waiting *w);
#endif
