/*
 * wait.c - what each call waits for: a table, and what is said of each kind
 */
#define _GNU_SOURCE
#include "wait.h"
#include "sock.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SHOWN = 6 }; /* holders that are named, before "and 9 others" */

static void add(struct wait *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct wait *w, const char *format, ...)
{
    size_t n = strlen(w->text);
    va_list list;

    va_start(list, format);
    vsnprintf(w->text + n, sizeof w->text - n, format, list);
    va_end(list);
}

const char *wait_name(const struct seen *p)
{
    static char text[8][64];
    static int n;
    char *s = text[n++ % 8];

    snprintf(s, sizeof text[0], "%s %d", p->name, (int)p->pid);
    return s;
}

const char *wait_thread_name(const struct thread *t)
{
    static char text[8][96];
    static int n;
    char *s = text[n++ % 8];

    if (t->of->threads < 2)
        return wait_name(t->of);
    if (t->tid == t->of->pid)
        snprintf(s, sizeof text[0], "%s (main thread)", wait_name(t->of));
    else
        snprintf(s, sizeof text[0], "%s (thread %d)", wait_name(t->of),
                 (int)t->tid);
    return s;
}

static void giver(struct wait *w, struct seen *p, struct thread *t)
{
    for (int i = 0; i < w->givers; i++)
        if (w->giver[i].p == p && w->giver[i].t == t)
            return;
    if (w->givers < GIVERS)
        w->giver[w->givers++] = (struct giver){ p, t };
    else
        w->open = true; /* one that is not in the list may do it */
}

/* ", ", " and " or nothing, before the nth of many. */
static const char *comma(int n, int of)
{
    return n == 0 ? "" : n == of - 1 ? " and " : ", ";
}

/* ---- which processes have it ----------------------------------------------
 */

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

static bool is_queue(struct seen *p, const struct descriptor *d)
{
    enum { MQUEUE_MAGIC = 0x19800202 };
    char path[48];
    struct statfs fs;

    if (strchr(d->link + 1, '/'))
        return false; /* they have no folders */
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)p->door, d->fd);
    return statfs(path, &fs) == 0 && fs.f_type == MQUEUE_MAGIC;
}

static enum kind kind_of(struct seen *p, struct descriptor *d)
{
    static const struct {
        const char *link;
        enum kind kind;
    } links[] = {
        { "pipe:[", PIPE },
        { "socket:[", SOCKET },
        { "anon_inode:[eventfd]", EVENTFD },
        { "anon_inode:[signalfd]", SIGNALFD },
        { "anon_inode:[timerfd]", TIMERFD },
        { "anon_inode:[eventpoll]", EPOLL },
        { "anon_inode:inotify", INOTIFY },
        { "anon_inode:[pidfd]", PIDFD },
        { "pidfd:[", PIDFD },
        { "/dev/pts/", TERMINAL },
        { "/dev/tty", TERMINAL },
        { "/dev/console", TERMINAL },
    };

    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (strncmp(d->link, links[i].link, strlen(links[i].link)) == 0)
            return links[i].kind;
    if (*d->link != '/')
        return OTHER;
    if (look_inode(p, d) && d->type == S_IFIFO)
        return FIFO;
    return is_queue(p, d) ? QUEUE : OTHER;
}

enum end { READS, WRITES, ANY };

struct hold {
    struct seen *p;
    int count;
    char fds[48]; /* "fd 3" or "fds 3, 7" */
};

struct holds {
    struct hold *list;
    int n;
    int closed; /* processes that one may not look into */
};

static bool same(struct seen *p, struct descriptor *d, struct seen *q,
                 struct descriptor *e)
{
    if (*d->link != '/')
        return strcmp(d->link, e->link) == 0;
    return *e->link == '/' && look_inode(p, d) && look_inode(q, e) &&
           d->type == e->type && d->ino == e->ino && d->dev == e->dev;
}

static void hold(struct holds *h, struct seen *p, int fd)
{
    struct hold *last = h->n ? &h->list[h->n - 1] : NULL;
    size_t length;

    if (!last || last->p != p) {
        h->list = realloc(h->list, (size_t)(h->n + 1) * sizeof *h->list);
        if (!h->list)
            abort();
        last = &h->list[h->n++];
        *last = (struct hold){ .p = p };
    }
    last->count++;
    length = strlen(last->fds);
    if (last->count == 1)
        snprintf(last->fds, sizeof last->fds, "fd %d", fd);
    else if (last->count < 5)
        snprintf(last->fds + length, sizeof last->fds - length, ", %d", fd);
    else if (last->count == 5)
        snprintf(last->fds + length, sizeof last->fds - length, "...");
}

/* The processes, in all of the system, that have this end of it open. */
static struct holds holders(struct seen *p, struct descriptor *d,
                            enum end end)
{
    struct holds h = { 0 };

    for (struct seen *q = look_each(NULL); q; q = look_each(q)) {
        if (q->pid == getpid() || q->kernel)
            continue;
        look_descriptors(q);
        h.closed += q->closed;
        for (int i = 0; i < q->descriptors; i++) {
            struct descriptor *e = &q->descriptor[i];

            if (same(p, d, q, e) && (end == ANY || *d->link == 's' ||
                                     (end == READS ? e->r : e->w)))
                hold(&h, q, e->fd);
        }
    }
    return h;
}

/* "cat 12 (fd 0), sh 11 (fd 3) and itself (fd 4)" */
static void add_list(struct wait *w, const struct holds *h)
{
    int shown = h->n <= SHOWN + 1 ? h->n : SHOWN;
    int parts = shown < h->n ? shown + 1 : shown;

    for (int i = 0; i < shown; i++)
        add(w, "%s%s (%s)", comma(i, parts),
            h->list[i].p == w->who->of ? "itself" : wait_name(h->list[i].p),
            h->list[i].fds);
    if (shown < h->n)
        add(w, " and %d others", h->n - shown);
}

static void givers(struct wait *w, struct holds *h)
{
    for (int i = 0; i < h->n; i++)
        giver(w, h->list[i].p, NULL);
    free(h->list);
}

static void add_closed(struct wait *w, int closed)
{
    if (closed)
        add(w, " (%d process%s of other users cannot be looked into)", closed,
            closed == 1 ? "" : "es");
}

/* Ends that no table of descriptors has: io_uring's own, or on their way. */
static bool hidden_end(struct wait *w, const char *link, bool ring,
                       bool family)
{
    for (struct seen *q = look_each(NULL); q; q = look_each(q))
        for (int i = 0; i < q->descriptors; i++) {
            const struct descriptor *e = &q->descriptor[i];
            char file[32], text[4096], *at;

            if ((family && !q->asked_for) ||
                (ring ? strcmp(e->link, "anon_inode:[io_uring]") != 0
                      : strncmp(e->link, "socket:", 7) != 0))
                continue;
            snprintf(file, sizeof file, "fdinfo/%d", e->fd);
            if (!look_text(q, file, text, sizeof text))
                continue;
            at = strstr(text, ring ? link : "scm_fds:");
            if (!at || (!ring && strtol(at + 8, NULL, 10) == 0))
                continue;
            giver(w, q, NULL);
            add(w,
                ring ? " while it is registered in io_uring fd %d of %s"
                     : " while a descriptor, probably its other end, lies in"
                       " socket fd %d of %s, not received yet",
                e->fd, q == w->who->of ? "its own" : wait_name(q));
            return true;
        }
    return false;
}

static bool in_flight(struct wait *w, const char *link)
{
    return hidden_end(w, link, true, false) ||
           hidden_end(w, link, false, true) ||
           hidden_end(w, link, false, false);
}

/* " while cat 12 holds its write end, fd 4" */
static void add_held(struct wait *w, struct holds *h, const char *link,
                     const char *end)
{
    if (h->n == 0) {
        if (!in_flight(w, link)) {
            add(w, "; no process is known to hold its %s", end);
            add_closed(w, h->closed);
            w->open = true;
        }
    } else if (h->n > 1) {
        add(w, " while its %s is held by ", end);
        add_list(w, h);
    } else if (h->list[0].p == w->who->of) {
        add(w, " while it holds the %s itself, %s", end, h->list[0].fds);
    } else {
        add(w, " while %s holds its %s, %s", wait_name(h->list[0].p), end,
            h->list[0].fds);
    }
    givers(w, h);
}

/* ---- what a descriptor lacks
 * ------------------------------------------------ */

static void info_of(struct seen *p, int fd, char *text, size_t size)
{
    char file[32];

    snprintf(file, sizeof file, "fdinfo/%d", fd);
    look_text(p, file, text, size);
}

static unsigned long info_number(const char *text, const char *name, int base)
{
    const char *at = strstr(text, name);

    return at ? strtoul(at + strlen(name), NULL, base) : 0;
}

static ino_t socket_ino(const struct descriptor *d)
{
    return strtoul(d->link + strlen("socket:["), NULL, 10);
}

static bool deleted(const char *path)
{
    size_t n = strlen(path);

    return n > 10 && strcmp(path + n - 10, " (deleted)") == 0;
}

/* An abstract name may be filled up with zeros, which are @ here. */
static int shown_length(const char *name)
{
    size_t n = strlen(name);

    while (*name == '@' && n > 1 && name[n - 1] == '@')
        n--;
    return (int)n;
}

/* "a pipe", "the FIFO /tmp/f": what it is. */
static void add_what(struct wait *w, struct seen *p, struct descriptor *d)
{
    static const char *const names[] = {
        [PIPE] = "a pipe",
        [EVENTFD] = "an eventfd",
        [SIGNALFD] = "a signalfd",
        [TIMERFD] = "a timerfd",
        [EPOLL] = "an epoll set",
        [PIDFD] = "a pidfd",
        [INOTIFY] = "an inotify queue",
        [OTHER] = NULL,
    };
    enum kind kind = kind_of(p, d);
    const struct sock *s;

    switch (kind) {
    case FIFO:
        add(w, "the FIFO %s", d->link);
        break;
    case QUEUE:
        add(w, "the queue %s", d->link);
        break;
    case TERMINAL:
        add(w, "the terminal %s", d->link);
        break;
    case SOCKET:
        s = p->foreign[SPACE_NET] ? NULL : sock_of(socket_ino(d));
        if (!s)
            add(w, "a socket");
        else if (s->family == SOCK_UNIX)
            add(w, "a UNIX %ssocket%s%.*s",
                s->type == SOCK_DGRAM ? "datagram " : "", *s->name ? " " : "",
                shown_length(s->name), s->name);
        else if (s->listens || s->family == SOCK_UDP)
            add(w, "%s %s", s->family == SOCK_UDP ? "UDP" : "TCP", s->name);
        else
            add(w, "TCP to %s", s->remote);
        break;
    case OTHER:
        add(w, "%s", d->link);
        break;
    default:
        add(w, "%s", names[kind]);
    }
}

static void add_socket_holders(struct wait *w, ino_t ino, const char *before,
                               const char *after)
{
    char link[32];
    struct descriptor d = { .link = link };
    struct holds h;

    snprintf(link, sizeof link, "socket:[%lu]", (unsigned long)ino);
    h = holders(w->who->of, &d, ANY);
    add(w, "%s", before);
    if (h.n == 0) {
        add(w, "nobody that is known");
        add_closed(w, h.closed);
        w->open = true;
    } else {
        add_list(w, &h);
    }
    add(w, "%s", after);
    givers(w, &h);
}

/* Connected, and in the queue of a listener still. */
static bool not_accepted(struct wait *w, const struct sock *s)
{
    const struct sock *listener = s->peer ? NULL : sock_before_accept(s);

    if (!listener)
        return false;
    add_socket_holders(w, listener->ino, "no data; not accepted yet by ", "");
    return true;
}

static void socket_lacks_data(struct wait *w, struct descriptor *d)
{
    const struct sock *s =
        w->who->of->foreign[SPACE_NET] ? NULL : sock_of(socket_ino(d));
    const struct sock *peer, *other = NULL;

    if (!s) {
        add(w, w->who->of->foreign[SPACE_NET]
                   ? "no data; its other end is in another network namespace"
                   : "no data; the kernel's tables do not tell its other "
                     "end");
        w->open = true;
    } else if (s->listens) {
        add(w, "nobody connects");
        w->open = true;
    } else if (s->family == SOCK_UDP ||
               (s->family == SOCK_UNIX && s->type == SOCK_DGRAM)) {
        add(w, "no message");
        while ((other = sock_towards(s->ino, other)))
            if (other->ino != s->ino)
                add_socket_holders(w, other->ino, "; connected to it: ", "");
        w->open = s->family == SOCK_UDP || *s->name;
        if (w->open) {
            add(w, "; any process may send one");
        } else if (!w->givers) {
            add(w, "; it has no name (bind), so no process can send it one");
            giver(w, w->who->of, w->who);
        }
    } else if (s->peer) {
        peer = sock_of(s->peer);
        add_socket_holders(w, s->peer, "no data; the other end: ", "");
        if (peer && peer->unread)
            add(w, ", where %u byte%s unread", peer->unread,
                peer->unread == 1 ? " is" : "s are");
    } else if (!not_accepted(w, s)) {
        add(w, "no data; its other end is not on this machine, or is not "
               "known");
        w->open = true;
    }
}

static void terminal_lacks_data(struct wait *w)
{
    const struct seen *p = w->who->of;

    w->open = true;
    if (p->foreground > 0 && p->foreground != p->group)
        add(w, "it is in the background, where it may not read: fg");
    else
        add(w, "nobody types");
}

static void add_signals(struct wait *w, unsigned long mask)
{
    int n = 0, of;

    mask &= ~(3UL << 31); /* 32 and 33 are the C library's own */
    of = __builtin_popcountl(mask);
    for (int i = 1; i <= 64; i++) {
        const char *name = i < 32 ? sigabbrev_np(i) : NULL;

        if (!(mask >> (i - 1) & 1))
            continue;
        if (of > 8 && n == 8) {
            add(w, " and %d more", of - 8);
            break;
        }
        add(w, "%s", comma(n++, of));
        if (name)
            add(w, "SIG%s", name);
        else
            add(w, "SIGRTMIN+%d", i - SIGRTMIN);
    }
}

static void each_child(struct wait *w)
{
    for (struct seen *q = look_each(NULL); q; q = look_each(q))
        if (q->parent == w->who->of->pid && q->state != 'Z')
            giver(w, q, NULL);
}

static void eventfd_lacks(struct wait *w, struct descriptor *d, bool room)
{
    char text[2048], other[2048];
    unsigned long id;
    struct holds h = { 0 };

    info_of(w->who->of, d->fd, text, sizeof text);
    id = info_number(text, "eventfd-id:", 10);
    for (struct seen *q = look_each(NULL); q; q = look_each(q)) {
        look_descriptors(q);
        for (int i = 0; i < q->descriptors; i++) {
            if (strcmp(q->descriptor[i].link, d->link) != 0)
                continue;
            info_of(q, q->descriptor[i].fd, other, sizeof other);
            if (strstr(other, "eventfd-id:") &&
                info_number(other, "eventfd-id:", 10) == id)
                hold(&h, q, q->descriptor[i].fd);
        }
    }
    add(w, "its count is %s; held by ", room ? "too high" : "0");
    add_list(w, &h);
    givers(w, &h);
}

static void add_seconds(struct wait *w, double seconds)
{
    if (seconds < 0.001)
        add(w, "%.0f us", seconds * 1e6);
    else if (seconds < 1)
        add(w, "%.0f ms", seconds * 1000);
    else
        add(w, "%.*f s", seconds < 10 ? 1 : 0, seconds);
}

static void timer_lacks(struct wait *w, struct descriptor *d)
{
    char text[2048], *at;
    long seconds = 0, part = 0;

    info_of(w->who->of, d->fd, text, sizeof text);
    at = strstr(text, "it_value: (");
    if (at && sscanf(at, "it_value: (%ld, %ld)", &seconds, &part) == 2 &&
        (seconds || part)) {
        add(w, "its time comes in ");
        add_seconds(w, (double)seconds + (double)part / 1e9);
        w->timed = true;
    } else {
        add(w, "no time is set");
        giver(w, w->who->of, NULL);
    }
}

static void lacks_data(struct wait *w, struct descriptor *d)
{
    struct seen *p = w->who->of, *other;
    char text[4096];
    struct holds h;

    w->known = true;
    switch (kind_of(p, d)) {
    case FIFO:
        w->open |= !deleted(d->link);
        __attribute__((fallthrough));
    case PIPE:
        add(w, "no data, and no EOF");
        h = holders(p, d, WRITES);
        add_held(w, &h, d->link, "write end");
        break;
    case SOCKET:
        socket_lacks_data(w, d);
        break;
    case TERMINAL:
        terminal_lacks_data(w);
        break;
    case QUEUE:
        h = holders(p, d, WRITES);
        add(w, "it is empty; could send: ");
        if (h.n)
            add_list(w, &h);
        else
            add(w, "no process that has it open");
        givers(w, &h);
        w->open |= !deleted(d->link);
        break;
    case EVENTFD:
        eventfd_lacks(w, d, false);
        break;
    case SIGNALFD:
        info_of(p, d->fd, text, sizeof text);
        add(w, "none has come of ");
        add_signals(w, info_number(text, "sigmask:", 16));
        if (info_number(text, "sigmask:", 16) >> (SIGCHLD - 1) & 1)
            each_child(w);
        w->open = true;
        break;
    case TIMERFD:
        timer_lacks(w, d);
        break;
    case INOTIFY:
        add(w, "nothing has happened to the files that it watches");
        w->open = true;
        break;
    case PIDFD:
        info_of(p, d->fd, text, sizeof text);
        other = look_pid((pid_t)info_number(text, "\nPid:", 10));
        add(w, "until %s ends", other ? wait_name(other) : "its process");
        if (other)
            giver(w, other, NULL);
        else
            w->open = true;
        break;
    default:
        add(w, "nothing to read");
        w->open = true;
    }
}

static void socket_lacks_room(struct wait *w, struct descriptor *d)
{
    const struct sock *s =
        w->who->of->foreign[SPACE_NET] ? NULL : sock_of(socket_ino(d));
    const struct sock *peer = s ? sock_of(s->peer) : NULL;

    if (s && s->connects) {
        add(w, "%s does not answer", s->remote);
        w->open = true;
    } else if (s && not_accepted(w, s)) {
        ; /* it has said so */
    } else if (!peer) {
        add(w, "it is full; its other end is not known");
        w->open = true;
    } else {
        add_socket_holders(
            w, peer->ino,
            "it is full, until it is read at the other end: ", "");
    }
}

static void lacks_room(struct wait *w, struct descriptor *d)
{
    struct seen *p = w->who->of;
    struct holds h;

    w->known = true;
    switch (kind_of(p, d)) {
    case FIFO:
        w->open |= !deleted(d->link);
        __attribute__((fallthrough));
    case PIPE:
        add(w, "it is full, and nothing is read");
        h = holders(p, d, READS);
        add_held(w, &h, d->link, "read end");
        break;
    case SOCKET:
        socket_lacks_room(w, d);
        break;
    case TERMINAL:
        add(w, "its output is held (^S), or nobody reads the other side");
        w->open = true;
        break;
    case QUEUE:
        h = holders(p, d, READS);
        add(w, "it is full; could receive: ");
        if (h.n)
            add_list(w, &h);
        else
            add(w, "no process that has it open");
        givers(w, &h);
        w->open |= !deleted(d->link);
        break;
    case EVENTFD:
        eventfd_lacks(w, d, true);
        break;
    default:
        add(w, "there is no room");
        w->open = true;
    }
}

/* ---- the calls
 * ---------------------------------------------------------------- */

static void with_fd(struct wait *w, int fd,
                    void (*lacks)(struct wait *, struct descriptor *))
{
    struct descriptor *d = look_fd(w->who->of, fd);

    if (!d) {
        add(w, ": what this descriptor is may not be read");
        w->open = true;
        return;
    }
    add(w, " on ");
    add_what(w, w->who->of, d);
    add(w, ": ");
    lacks(w, d);
}

static void say_data(struct wait *w)
{
    with_fd(w, (int)w->who->arg[0], lacks_data);
}

static void say_room(struct wait *w)
{
    with_fd(w, (int)w->who->arg[0], lacks_room);
}

/* splice and the like: two descriptors, and which of them it lacks? */
static void say_splice(struct wait *w)
{
    struct descriptor *d = look_fd(w->who->of, (int)w->who->arg[0]);
    bool writes = strstr(w->who->wchan, "writable") != NULL;

    snprintf(w->call, sizeof w->call, "splice(%d, %d)", (int)w->who->arg[0],
             (int)w->who->arg[2]);
    if (writes || !d)
        with_fd(w, (int)w->who->arg[2], lacks_room);
    else
        say_data(w);
}

static void say_fds(struct wait *w, const struct pollfd *list, int n)
{
    int said = 0;

    add(w, ": ");
    for (int i = 0; i < n; i++) {
        struct descriptor *d;

        if (list[i].fd < 0 || !(d = look_fd(w->who->of, list[i].fd)))
            continue;
        if (said == SHOWN) {
            add(w, "; and others");
            w->open = true;
            break;
        }
        add(w, "%sfd %d, ", said++ ? "; " : "", d->fd);
        add_what(w, w->who->of, d);
        add(w, ": ");
        if (list[i].events & POLLIN)
            lacks_data(w, d);
        if (list[i].events & POLLIN && list[i].events & POLLOUT)
            add(w, "; and to write: ");
        if (list[i].events & POLLOUT)
            lacks_room(w, d);
        if (!(list[i].events & (POLLIN | POLLOUT))) {
            struct holds h = holders(w->who->of, d, d->r ? WRITES : READS);

            add(w, "nothing has happened to its other end");
            if (*d->link == 'p' || *d->link == '/')
                add_held(w, &h, d->link, d->r ? "write end" : "read end");
            else
                w->open = true;
        }
    }
    if (!said) {
        add(w, "no descriptor to wait for, only a signal ends it");
        w->open = true;
    }
    w->known = true;
}

static void gives_up_after(struct wait *w, double seconds)
{
    w->timed = true;
    add(w, " (it gives up by itself, after ");
    add_seconds(w, seconds);
    add(w, ")");
}

/* A time that a call got by its address; false: there is none, for ever. */
static bool time_at(struct wait *w, int argument, double *seconds)
{
    struct timespec t = { 0 };

    if (w->who->known != CALL_KNOWN || !w->who->arg[argument])
        return false;
    if (!look_memory(w->who, w->who->arg[argument], &t, sizeof t))
        w->timed = true;
    *seconds = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
    return true;
}

static void unread(struct wait *w)
{
    add(w, ": its memory may not be read, so for what is not known");
    w->open = true;
}

static void say_poll(struct wait *w)
{
    unsigned long n = w->who->arg[1];
    struct pollfd list[256];
    double seconds;

    n = n < 256 ? n : 256;
    if (n && !look_memory(w->who, w->who->arg[0], list, n * sizeof *list)) {
        unread(w);
        return;
    }
    snprintf(w->call + strlen(w->call), 40, "(%lu descriptor%s)", n,
             n == 1 ? "" : "s");
    say_fds(w, list, (int)n);
#ifdef SYS_poll
    if (w->who->call == SYS_poll) {
        if ((int)w->who->arg[2] >= 0)
            gives_up_after(w, (int)w->who->arg[2] / 1000.0);
        return;
    }
#endif
    if (time_at(w, 2, &seconds))
        gives_up_after(w, seconds);
}

static void say_select(struct wait *w)
{
    static const short events[] = { POLLIN, POLLOUT, 0 };
    struct pollfd list[FD_SETSIZE] = { 0 };
    int nfds = (int)w->who->arg[0], n = 0, beyond = -1;
    double seconds;

    for (int set = 0; set < 3; set++) {
        fd_set bits;

        FD_ZERO(&bits);
        if (w->who->arg[1 + set] && look_stack(w->who, w->who->arg[1 + set],
                                               &bits, sizeof bits) == 0) {
            unread(w);
            return;
        }
        for (int fd = 0; fd < FD_SETSIZE && n < FD_SETSIZE; fd++)
            if (FD_ISSET(fd, &bits) && fd < nfds)
                list[n++] =
                    (struct pollfd){ .fd = fd, .events = events[set] };
            else if (FD_ISSET(fd, &bits) && fd < nfds + 8 &&
                     look_fd(w->who->of, fd))
                beyond = fd;
    }
    snprintf(w->call, sizeof w->call, "select");
    say_fds(w, list, n);
    if (beyond != -1)
        add(w,
            "; fd %d is in the set as well, but its first argument is %d, and"
            " must be %d for it",
            beyond, nfds, beyond + 1);
    if (time_at(w, 4, &seconds))
        gives_up_after(w, seconds);
}

static int epoll_list(struct seen *p, int fd, struct pollfd *list, int most)
{
    char text[16384];
    int n = 0;

    info_of(p, fd, text, sizeof text);
    for (char *at = text; n < most && (at = strstr(at, "tfd:")); at += 4) {
        unsigned events;
        unsigned long ino = 0;
        int tfd;

        if (sscanf(at, "tfd: %d events: %x data: %*x pos:%*d ino:%lx", &tfd,
                   &events, &ino) < 2)
            continue;
        list[n++] =
            (struct pollfd){ .fd = tfd,
                             .events = (short)(events & (POLLIN | POLLOUT)) };
    }
    return n;
}

static void say_epoll(struct wait *w)
{
    struct pollfd list[128];
    int n = epoll_list(w->who->of, (int)w->who->arg[0], list, 128);

    say_fds(w, list, n);
    if ((int)w->who->arg[3] >= 0
#ifdef SYS_epoll_pwait2
        && w->who->call != SYS_epoll_pwait2
#endif
    )
        gives_up_after(w, (int)w->who->arg[3] / 1000.0);
}

static void say_connect(struct wait *w)
{
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_in in;
    } a = { .any = { 0 } };
    const struct sock *s;
    size_t size = w->who->arg[2] < sizeof a ? w->who->arg[2] : sizeof a;
    char name[sizeof a.un.sun_path + 1] = "";

    if (!look_memory(w->who, w->who->arg[1], &a, size)) {
        unread(w);
        return;
    }
    w->known = true;
    if (a.any.sa_family == AF_UNIX) {
        size_t n = size - offsetof(struct sockaddr_un, sun_path);

        memcpy(name, a.un.sun_path, n < sizeof name ? n : sizeof name - 1);
        if (*name == '\0')
            *name = '@';
        s = sock_named(name);
        add(w, " to %s: its queue is full", name);
        if (s)
            add_socket_holders(w, s->ino, ", and ", " must accept");
        w->open = !s;
        return;
    }
    add(w, " to %s:%u: no answer", inet_ntoa(a.in.sin_addr),
        ntohs(a.in.sin_port));
    s = a.any.sa_family == AF_INET ? sock_listener(ntohs(a.in.sin_port))
                                   : NULL;
    if (s)
        add_socket_holders(w, s->ino, ", perhaps its queue is full, and ",
                           " must accept");
    w->timed = true;
}

static void say_sendto(struct wait *w)
{
    struct sockaddr_un a = { 0 };
    const struct sock *s;

    if (w->who->arg[4] && w->who->arg[5] <= sizeof a &&
        look_memory(w->who, w->who->arg[4], &a, w->who->arg[5]) &&
        a.sun_family == AF_UNIX) {
        char name[sizeof a.sun_path + 1] = "";

        memcpy(name, a.sun_path, sizeof a.sun_path);
        if (*name == '\0')
            *name = '@';
        s = sock_named(name);
        add(w, " to %s: its queue is full", name);
        w->known = true;
        if (s)
            add_socket_holders(w, s->ino, ", and ", " must receive");
        w->open |= !s;
        return;
    }
    say_room(w);
}

/* ---- processes, time, signals
 * ------------------------------------------------- */

static void say_wait(struct wait *w)
{
    bool waitid = w->who->call == SYS_waitid;
    long which = w->who->known != CALL_KNOWN ? -1
                 : waitid                    ? (w->who->arg[0] == P_ALL    ? -1
                                                : w->who->arg[0] == P_PGID ? -(int)w->who->arg[1]
                                                                           : (int)w->who->arg[1])
                                             : (int)w->who->arg[0];
    struct thread *t = NULL;
    int n = 0, of = 0;

    if (waitid && w->who->arg[0] == P_PIDFD) {
        snprintf(w->call, sizeof w->call, "waitid(P_PIDFD, %d)",
                 (int)w->who->arg[1]);
        add(w, ", ");
        if (look_fd(w->who->of, (int)w->who->arg[1]))
            lacks_data(w, look_fd(w->who->of, (int)w->who->arg[1]));
        return;
    }
    if (which > 0 && w->who->of->foreign[SPACE_PID])
        t = look_thread(w->who->of, (pid_t)which);
    if (t)
        which = t->tid;
    if (which != -1)
        snprintf(w->call, sizeof w->call, "%s(%ld)",
                 waitid ? "waitid" : "waitpid", which);
    else
        snprintf(w->call, sizeof w->call, "%s", waitid ? "waitid" : "wait");
    for (int pass = 0; pass < 2; pass++) {
        for (struct seen *q = look_each(NULL); q; q = look_each(q)) {
            if (q->parent != w->who->of->pid || q->state == 'Z' ||
                (which > 0 && q->pid != which) ||
                (which == 0 && q->group != w->who->of->group) ||
                (which < -1 && q->group != -which))
                continue;
            if (pass == 0) {
                of++;
                continue;
            }
            giver(w, q, NULL);
            if (of <= SHOWN || n < SHOWN)
                add(w, "%s%s", n ? comma(n, of) : ", until ", wait_name(q));
            else if (n == SHOWN)
                add(w, " or %d others", of - SHOWN);
            n++;
        }
    }
    if (n == 1)
        add(w, " ends");
    else if (n > 1)
        add(w, ": one of them must end");
    else
        add(w, ": no such child is left");
    w->known = true;
}

static void say_time(struct wait *w)
{
    bool clock = w->who->call == SYS_clock_nanosleep;
    double seconds = 0;
    struct timespec now;

    w->how = SLEEPS;
    w->known = w->timed = true;
    if (w->who->known != CALL_KNOWN || !time_at(w, clock ? 2 : 0, &seconds) ||
        seconds == 0) {
        add(w, ": it sleeps, time will end that");
        return;
    }
    if (clock && w->who->arg[1] & TIMER_ABSTIME &&
        clock_gettime((clockid_t)w->who->arg[0], &now) == 0) {
        add(w, ": it sleeps for another ");
        add_seconds(w,
                    seconds - (double)now.tv_sec - (double)now.tv_nsec / 1e9);
        return;
    }
    add(w, ": it sleeps ");
    add_seconds(w, seconds);
}

static void say_signal(struct wait *w)
{
    char text[4096];
    unsigned long caught;

    w->known = w->open = true;
    if (!look_text(w->who->of, "status", text, sizeof text))
        return;
    caught = info_number(text, "\nSigCgt:", 16) &
             ~info_number(text, "\nSigBlk:", 16) & ~(3UL << 31);
    if (!caught) {
        add(w, ": it has no handler, so only a signal that ends it will do");
        return;
    }
    add(w, ": until a signal with a handler comes, ");
    add_signals(w, caught);
    if (caught >> (SIGCHLD - 1) & 1)
        each_child(w);
}

static void say_sigwait(struct wait *w)
{
    unsigned long mask = 0;
    double seconds;

    if (!look_memory(w->who, w->who->arg[0], &mask, sizeof mask)) {
        unread(w);
        return;
    }
    w->known = w->open = true;
    add(w, ": none has come of ");
    add_signals(w, mask);
    if (mask >> (SIGCHLD - 1) & 1)
        each_child(w);
    if (time_at(w, 2, &seconds))
        gives_up_after(w, seconds);
}

/* ---- FIFOs, locks
 * --------------------------------------------------------------- */

static bool opens(struct thread *t, char *path, size_t size, bool *writes)
{
    int at = -1;

#ifdef SYS_open
    at = t->call == SYS_open ? 0 : -1;
#endif
    if (t->call == SYS_openat)
        at = 1;
    if (at == -1 || t->known != CALL_KNOWN ||
        !look_string(t, t->arg[at], path, size))
        return false;
    *writes = (t->arg[at + 1] & O_ACCMODE) != O_RDONLY;
    return true;
}

static bool fifo_of(struct thread *t, const char *path, struct stat *st)
{
    char full[4200];

    if (*path == '/')
        snprintf(full, sizeof full, "/proc/%d/root%s", (int)t->of->pid, path);
    else
        snprintf(full, sizeof full, "/proc/%d/cwd/%s", (int)t->of->pid, path);
    return stat(full, st) == 0 && S_ISFIFO(st->st_mode);
}

static bool holds_fifo(struct seen *q, const struct stat *st)
{
    look_descriptors(q);
    for (int i = 0; i < q->descriptors; i++)
        if (*q->descriptor[i].link == '/' &&
            look_inode(q, &q->descriptor[i]) &&
            q->descriptor[i].type == S_IFIFO &&
            q->descriptor[i].ino == st->st_ino &&
            q->descriptor[i].dev == st->st_dev)
            return true;
    return false;
}

static void say_open(struct wait *w)
{
    char path[1024], other[1024];
    struct stat st, theirs;
    struct thread *elsewhere = NULL;
    bool writes, also;
    int openers = 0;

    w->open = true;
    if (!opens(w->who, path, sizeof path, &writes)) {
        add(w, " of a FIFO, until another process opens its other end (which "
               "FIFO may not be read)");
        return;
    }
    snprintf(w->call, sizeof w->call, "open(%.80s)", path);
    w->known = true;
    if (!fifo_of(w->who, path, &st)) {
        add(w, ": it takes its time");
        return;
    }
    add(w, ", a FIFO, until a process opens it to %s",
        writes ? "read" : "write");
    for (struct seen *q = look_each(NULL); q; q = look_each(q)) {
        if (!q->asked_for || q->pid == getpid())
            continue;
        look_threads(q);
        for (int i = 0; i < q->threads; i++) {
            struct thread *t = &q->thread[i];

            if (t == w->who || !opens(t, other, sizeof other, &also) ||
                !fifo_of(t, other, &theirs))
                continue;
            if (theirs.st_ino != st.st_ino || theirs.st_dev != st.st_dev) {
                elsewhere = t;
                openers++;
            } else if (also == writes)
                add(w, ", and not, as %s does, to %s", wait_thread_name(t),
                    writes ? "write" : "read");
        }
        if (holds_fifo(q, &st))
            add(w, " (%s has it open already, to %s as well)", wait_name(q),
                writes ? "write" : "read");
    }
    if (openers == 1) /* it may come to ours next: the crossed opens */
        giver(w, elsewhere->of, elsewhere);
}

/* Its lock lines: "1: FLOCK  ADVISORY  WRITE 12 00:1f:7 0 EOF" */
static bool info_locks(struct seen *q, int fd, const char *kind)
{
    char text[8192];

    info_of(q, fd, text, sizeof text);
    for (char *at = text; (at = strstr(at, "lock:\t")); at += 6) {
        char *end = strchr(at, '\n');
        char *found = strstr(at, kind);

        if (found && (!end || found < end))
            return true;
    }
    return false;
}

static void lock_holders(struct wait *w, struct descriptor *d,
                         const char *kind)
{
    struct holds all = holders(w->who->of, d, ANY), h = { 0 };

    for (struct seen *q = look_each(NULL); q; q = look_each(q)) {
        bool has = false;

        for (int i = 0; i < all.n; i++)
            has |= all.list[i].p == q;
        for (int i = 0; has && i < q->descriptors; i++)
            if (same(w->who->of, d, q, &q->descriptor[i]) &&
                info_locks(q, q->descriptor[i].fd, kind))
                hold(&h, q, q->descriptor[i].fd);
    }
    if (h.n) {
        add(w, "locked by ");
        add_list(w, &h);
    } else {
        add(w, "locked, it is not known by which process");
        add_closed(w, all.closed);
        w->open = true;
    }
    free(all.list);
    givers(w, &h);
}

static void say_flock(struct wait *w)
{
    struct descriptor *d = look_fd(w->who->of, (int)w->who->arg[0]);

    w->known = true;
    if (!d)
        return;
    add(w, " on %s: ", d->link);
    lock_holders(w, d, "FLOCK");
}

static void say_fcntl(struct wait *w)
{
    struct descriptor *d = look_fd(w->who->of, (int)w->who->arg[0]);
    bool open_file = w->who->arg[1] == F_OFD_SETLKW;
    struct flock lock = { 0 };

    w->known = true;
    if (!d)
        return;
    snprintf(w->call, sizeof w->call, "fcntl(%d, %s)", (int)w->who->arg[0],
             open_file ? "F_OFD_SETLKW" : "F_SETLKW");
    add(w, " on %s", d->link);
    if (look_memory(w->who, w->who->arg[2], &lock, sizeof lock)) {
        add(w, ", to %s", lock.l_type == F_RDLCK ? "read" : "write");
        if (lock.l_whence == SEEK_SET && lock.l_len > 0)
            add(w, " bytes %ld to %ld", (long)lock.l_start,
                (long)(lock.l_start + lock.l_len - 1));
    }
    add(w, ": ");
    lock_holders(w, d, open_file ? "OFDLCK" : "POSIX");
}

/* ---- System V
 * ------------------------------------------------------------------- */

static bool other_ipc(struct wait *w)
{
    if (!w->who->of->foreign[SPACE_IPC])
        return false;
    add(w, ": it is in another IPC namespace, so the object cannot be asked");
    w->open = true;
    return true;
}

static void say_semop(struct wait *w)
{
    int id = (int)w->who->arg[0];
    struct sembuf op[16];
    size_t n = w->who->arg[2] < 16 ? w->who->arg[2] : 16;
    double seconds;
    bool said = false;

    snprintf(w->call, sizeof w->call, "semop");
    if (other_ipc(w))
        return;
    add(w, " on set %d", id);
    if (!look_memory(w->who, w->who->arg[1], op, n * sizeof *op)) {
        unread(w);
        return;
    }
    w->known = w->open = true;
    for (size_t i = 0; i < n; i++) {
        int value = semctl(id, op[i].sem_num, GETVAL);
        int last = semctl(id, op[i].sem_num, GETPID);
        struct seen *q = last > 0 ? look_pid(last) : NULL;

        if (value == -1) {
            add(w, errno == EACCES ? ": its values may not be read" : "");
            break;
        }
        if (op[i].sem_op == 0 ? value == 0 : value >= -op[i].sem_op)
            continue; /* this one could be done */
        add(w, "%s semaphore %d has the value %d, and must %s %d",
            said ? ";" : ":", op[i].sem_num, value,
            op[i].sem_op == 0 ? "be" : "have",
            op[i].sem_op == 0 ? 0 : -op[i].sem_op);
        said = true;
        if (last <= 0)
            add(w, "; no process has changed it yet");
        else if (q)
            add(w, "; changed last by %s",
                q == w->who->of ? "itself" : wait_name(q));
        else
            add(w, "; changed last by %d, which has ended", last);
        if (q)
            giver(w, q, NULL);
    }
    if (w->who->call == SYS_semtimedop && time_at(w, 3, &seconds))
        gives_up_after(w, seconds);
}

/* The types in a queue, without taking any. */
static int add_types(struct wait *w, int id)
{
    struct {
        long type;
        char text[8192];
    } m;
    int n = 0;

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif
    while (n < 8 && msgrcv(id, &m, sizeof m.text, n,
                           MSG_COPY | IPC_NOWAIT | MSG_NOERROR) != -1)
        add(w, "%s%ld", n++ ? ", " : "", m.type);
    return n;
}

static void add_last(struct wait *w, pid_t pid, const char *what)
{
    const struct seen *q = pid > 0 ? look_pid(pid) : NULL;

    if (q)
        add(w, "; %s last: %s", what,
            q == w->who->of ? "itself" : wait_name(q));
    else if (pid > 0)
        add(w, "; %s last: %d, which has ended", what, (int)pid);
}

static void say_msgrcv(struct wait *w)
{
    int id = (int)w->who->arg[0];
    long type = (long)w->who->arg[3];
    struct msqid_ds q;

    if (other_ipc(w))
        return;
    w->known = w->open = true;
    add(w, " on queue %d", id);
    if (msgctl(id, IPC_STAT, &q) == -1) {
        add(w, ": it may not be asked");
        return;
    }
    if (q.msg_qnum == 0) {
        add(w, ": it is empty");
    } else {
        add(w, ": it wants %s %ld, and in the queue are types ",
            type < 0 ? "a type up to" : "type", type < 0 ? -type : type);
        add_types(w, id);
    }
    add_last(w, q.msg_lspid, "sent");
}

static void say_msgsnd(struct wait *w)
{
    int id = (int)w->who->arg[0];
    struct msqid_ds q;

    if (other_ipc(w))
        return;
    w->known = w->open = true;
    add(w, " on queue %d", id);
    if (msgctl(id, IPC_STAT, &q) == -1) {
        add(w, ": it may not be asked");
        return;
    }
    add(w, ": it is full, %lu message%s of %lu bytes in all",
        (unsigned long)q.msg_qnum, q.msg_qnum == 1 ? "" : "s",
        (unsigned long)q.__msg_cbytes);
    add_last(w, q.msg_lrpid, "received");
}

/* ---- futex: semaphores, mutexes, conditions
 * ------------------------------------- */

struct futex {
    unsigned long at;
    unsigned word, words[3]; /* its value now, and what follows */
    bool readable, private_; /* private_: no other process can wake it */
    const struct region *in;
    int others; /* processes that have the memory, too */
    struct seen *other[SHOWN];
    struct seen *copy; /* one that has a copy, made by fork */
    unsigned copy_word;
    bool named; /* others may open it */
    char name[256];
};

static void sharers(struct wait *w, struct futex *f)
{
    struct seen *p = w->who->of;

    for (struct seen *q = look_each(NULL); q; q = look_each(q)) {
        if (q == p || q->kernel || q->state == 'Z')
            continue;
        if (!f->in->shared && !q->asked_for && q->pid != p->parent)
            continue; /* a copy: of interest is the family alone */
        look_regions(q);
        for (int i = 0; i < q->regions; i++) {
            const struct region *r = &q->region[i];

            if (f->in->shared && r->shared && r->ino == f->in->ino &&
                r->dev == f->in->dev) {
                if (f->others < SHOWN)
                    f->other[f->others] = q;
                f->others++;
                giver(w, q, NULL);
                break;
            }
            if (!f->in->shared && !r->shared && f->at >= r->from &&
                f->at < r->to && r->from == f->in->from &&
                r->to == f->in->to && strcmp(r->path, f->in->path) == 0 &&
                (q->parent == p->pid || p->parent == q->pid) &&
                !(f->copy && f->copy_word != f->word)) {
                unsigned theirs[3]; /* value, waiters, private or not */

                look_threads(q);
                if (!q->threads ||
                    !look_memory(q->thread, f->at, theirs, sizeof theirs))
                    continue;
                f->copy = q;
                f->copy_word = theirs[2] == f->words[2] && theirs[1] < 100
                                   ? theirs[0]
                                   : f->word;
            }
        }
    }
    for (int i = 0; i < p->threads; i++)
        if (&p->thread[i] != w->who && p->thread[i].state != 'Z')
            giver(w, p, &p->thread[i]);
}

/* The name that a file in /dev/shm has now: sem_open gives it one later. */
static bool shm_name(const struct region *r, char *name, size_t size)
{
    struct dirent *entry;
    struct stat st;
    DIR *dir;

    if (!r || !r->shared || strncmp(r->path, "/dev/shm/", 9) != 0 ||
        !(dir = opendir("/dev/shm")))
        return false;
    *name = '\0';
    while (!*name && (entry = readdir(dir)))
        if (entry->d_ino == r->ino &&
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
                0 &&
            st.st_dev == r->dev)
            snprintf(name, size, "%s", entry->d_name);
    closedir(dir);
    return *name;
}

static void add_memory(struct wait *w, const struct futex *f)
{
    if (strncmp(f->name, "sem.", 4) == 0)
        add(w, " on /%s", f->name + 4);
    else if (*f->name)
        add(w, " in shared memory /%s", f->name);
    else if (f->in && f->in->shared)
        add(w, " in shared memory");
}

static void add_sharers(struct wait *w, const struct futex *f,
                        const char *could)
{
    int shown = f->others < SHOWN ? f->others : SHOWN;

    if (f->others == 0 && w->who->of->threads < 2) {
        if (f->named) {
            add(w, "; no other process has it open");
            return;
        }
        add(w, "; no other process or thread could %s", could);
        giver(w, w->who->of, w->who);
        return;
    }
    add(w, "; could %s: ", could);
    if (w->who->of->threads > 1)
        add(w, "its other threads%s", f->others ? ", " : "");
    for (int i = 0; i < shown; i++)
        add(w, "%s%s", comma(i, f->others > SHOWN ? SHOWN + 1 : shown),
            wait_name(f->other[i]));
    if (f->others > SHOWN)
        add(w, " and %d others", f->others - SHOWN);
}

/* What is usually wrong with it. */
static bool add_cause(struct wait *w, const struct futex *f, const char *what,
                      const char *shared)
{
    if (f->in && !f->in->shared && !f->private_) {
        add(w,
            "; the %s was made for several processes, but it is in memory"
            " that is not shared: after fork each has its own",
            what);
        if (f->copy)
            add(w, ", %s with the value %u", wait_name(f->copy),
                f->copy_word);
        giver(w, w->who->of, w->who);
        return true;
    }
    if (f->in && !f->in->shared && f->copy && f->copy_word != f->word &&
        w->who->of->threads < 2 && strcmp(what, "semaphore") == 0) {
        add(w,
            "; since fork %s has a copy of its own, with the value %u, and"
            " what it does to that one is not seen here",
            wait_name(f->copy), f->copy_word);
        giver(w, w->who->of, w->who);
        return true;
    }
    if (f->in && f->in->shared && f->private_) {
        add(w,
            "; the %s was made for the threads of one process (%s), so"
            " another process does not wake it",
            what, shared);
        return true;
    }
    return false;
}

static void say_semaphore(struct wait *w, struct futex *f)
{
    if (f->readable)
        add(w, ": its value is %u", f->word);
    if (!add_cause(w, f, "semaphore", "pshared is 0"))
        add_sharers(w, f, "post");
}

/* A holder by its number, as the C library has noted it. */
static void add_holder(struct wait *w, struct futex *f, unsigned tid,
                       const char *held)
{
    struct thread *holder = look_thread(w->who->of, (pid_t)tid);

    w->givers = 0;
    w->open = false;
    if (!holder) {
        add(w, "%s %u, which has ended and never unlocked it", held, tid);
    } else if (holder == w->who) {
        add(w, "%s itself: it has locked it already", held);
        giver(w, w->who->of, w->who);
    } else {
        add(w, "%s %s", held, wait_thread_name(holder));
        if (f->in && !f->in->shared && holder->of != w->who->of) {
            add(w, ": a mutex in memory that fork has copied, locked as it "
                   "was; what unlocks it there does not unlock it here");
            return;
        }
        giver(w, holder->of, holder);
        add_cause(w, f, "mutex", "without PTHREAD_PROCESS_SHARED");
    }
}

static void say_mutex(struct wait *w, struct futex *f)
{
    unsigned owner = 0;

    look_memory(w->who, f->at + 8, &owner, sizeof owner);
    if (f->word & ~3U) /* a robust one, or one with priorities, has it here */
        owner = f->word & FUTEX_TID_MASK;
    if (owner)
        add_holder(w, f, owner, ": held by");
    else if (!add_cause(w, f, "mutex", "without PTHREAD_PROCESS_SHARED"))
        add_sharers(w, f, "unlock it");
}

static void say_rwlock(struct wait *w, struct futex *f)
{
    unsigned writer = 0;

    if (!look_memory(w->who, f->at + 16, &writer, sizeof writer) || !writer ||
        !look_thread(w->who->of, (pid_t)writer))
        look_memory(w->who, f->at + 12, &writer, sizeof writer);
    if (writer && look_thread(w->who->of, (pid_t)writer))
        add_holder(w, f, writer, ": locked for writing by");
    else {
        add(w, ": locked, perhaps for reading, which is not recorded");
        add_sharers(w, f, "unlock it");
    }
}

static void say_barrier(struct wait *w, struct futex *f)
{
    unsigned b[3];

    if (look_memory(w->who, f->at - 4, b, sizeof b) && b[0] >= b[1] &&
        b[0] - b[1] <= b[2])
        add(w, ": %u of %u have come", b[0] - b[1], b[2]);
    if (!add_cause(w, f, "barrier", "without PTHREAD_PROCESS_SHARED"))
        add_sharers(w, f, "come");
}

static void say_futex(struct wait *w)
{
    struct thread *t = w->who, *joined;
    struct futex f = { .at = t->arg[0] };
    const char *name = w->place.name;
    int op = (int)t->arg[1] & FUTEX_CMD_MASK;
    bool semaphore, other;

    f.private_ = t->arg[1] & FUTEX_PRIVATE_FLAG;
    f.readable = look_memory(t, f.at, &f.word, sizeof f.word);
    look_memory(t, f.at, f.words, sizeof f.words);
    f.in = look_region(t->of, f.at);
    f.named =
        shm_name(f.in, f.name, sizeof f.name) ||
        (f.in && f.in->shared && *f.in->path == '/' && !deleted(f.in->path));
    snprintf(w->call, sizeof w->call, "%s",
             *name && strcmp(name, "syscall") != 0 ? name : "futex");
    other =
        strncmp(name, "pthread_", 8) != 0 && strncmp(name, "sem_", 4) != 0;
    if (t->arg[3] &&
        (op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET || op == FUTEX_LOCK_PI))
        w->timed = true;
    if (f.readable && f.word == (unsigned)t->arg[2] && f.word > 2 &&
        (strncmp(name, "pthread_join", 12) == 0 || other) &&
        (joined = look_thread(t->of, (pid_t)f.word)) && joined->of == t->of &&
        joined != t) {
        add(w, ", until %s ends", wait_thread_name(joined));
        giver(w, t->of, joined);
        w->known = true;
        return;
    }
    if (!f.in) {
        add(w, ": its memory may not be read, so which one is not known");
        w->open = true;
        return;
    }
    w->known = true;
    w->open = f.named;
    sharers(w, &f);
    add_memory(w, &f);
    semaphore = strncmp(name, "sem_", 4) == 0;
    if (semaphore)
        say_semaphore(w, &f);
    else if (strncmp(name, "pthread_mutex_", 14) == 0 ||
             op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2)
        say_mutex(w, &f);
    else if (strncmp(name, "pthread_rwlock_", 15) == 0)
        say_rwlock(w, &f);
    else if (strncmp(name, "pthread_barrier_", 16) == 0)
        say_barrier(w, &f);
    else if (strncmp(name, "pthread_cond_", 13) == 0) {
        if (!add_cause(w, &f, "condition", "without PTHREAD_PROCESS_SHARED"))
            add_sharers(w, &f, "signal it");
    } else {
        if (f.readable)
            add(w, ": its value is %u", f.word);
        add_sharers(w, &f, "wake it");
    }
    if (w->timed)
        add(w, " (it gives up by itself at a time)");
}

/* ---- others
 * ----------------------------------------------------------------------- */

static void say_vfork(struct wait *w)
{
    struct seen *child = NULL;

    for (struct seen *q = look_each(NULL); q; q = look_each(q))
        if (q->parent == w->who->of->pid && q->state != 'Z')
            child = q;
    snprintf(w->call, sizeof w->call, "vfork");
    w->known = true;
    if (!child) {
        add(w, ", until its child has called exec or has ended");
        return;
    }
    add(w, ", until %s calls exec or ends", wait_name(child));
    giver(w, child, NULL);
}

static void say_uring(struct wait *w)
{
    add(w, " on io_uring fd %d: a request is not complete",
        (int)w->who->arg[0]);
    w->known = w->open = true;
}

enum show { PLAIN, FD }; /* FD: its first argument is a descriptor */

/* Every call that can wait; by name, since the numbers are the machine's. */
static const struct call {
    long number;
    const char *name;
    enum show show;
    void (*say)(struct wait *w);
} calls[] = {
    { SYS_read, "read", FD, say_data },
    { SYS_readv, "readv", FD, say_data },
    { SYS_preadv2, "preadv2", FD, say_data },
    { SYS_recvfrom, "recv", FD, say_data },
    { SYS_recvmsg, "recvmsg", FD, say_data },
    { SYS_recvmmsg, "recvmmsg", FD, say_data },
    { SYS_accept, "accept", FD, say_data },
    { SYS_accept4, "accept", FD, say_data },
    { SYS_mq_timedreceive, "mq_receive", FD, say_data },
    { SYS_write, "write", FD, say_room },
    { SYS_writev, "writev", FD, say_room },
    { SYS_pwritev2, "pwritev2", FD, say_room },
    { SYS_sendto, "send", FD, say_sendto },
    { SYS_sendmsg, "sendmsg", FD, say_room },
    { SYS_sendmmsg, "sendmmsg", FD, say_room },
    { SYS_sendfile, "sendfile", FD, say_room },
    { SYS_mq_timedsend, "mq_send", FD, say_room },
    { SYS_splice, "splice", PLAIN, say_splice },
    { SYS_tee, "tee", FD, say_data },
    { SYS_vmsplice, "vmsplice", FD, say_room },
    { SYS_connect, "connect", FD, say_connect },
    { SYS_ppoll, "poll", PLAIN, say_poll },
    { SYS_pselect6, "select", PLAIN, say_select },
    { SYS_epoll_pwait, "epoll_wait", FD, say_epoll },
#ifdef SYS_epoll_pwait2
    { SYS_epoll_pwait2, "epoll_wait", FD, say_epoll },
#endif
    { SYS_openat, "open", PLAIN, say_open },
    { SYS_flock, "flock", FD, say_flock },
    { SYS_fcntl, "fcntl", FD, say_fcntl },
    { SYS_wait4, "wait", PLAIN, say_wait },
    { SYS_waitid, "waitid", PLAIN, say_wait },
    { SYS_nanosleep, "nanosleep", PLAIN, say_time },
    { SYS_clock_nanosleep, "nanosleep", PLAIN, say_time },
    { SYS_rt_sigsuspend, "sigsuspend", PLAIN, say_signal },
    { SYS_rt_sigtimedwait, "sigwait", PLAIN, say_sigwait },
    { SYS_semop, "semop", PLAIN, say_semop },
    { SYS_semtimedop, "semtimedop", PLAIN, say_semop },
    { SYS_msgrcv, "msgrcv", PLAIN, say_msgrcv },
    { SYS_msgsnd, "msgsnd", PLAIN, say_msgsnd },
    { SYS_futex, "futex", PLAIN, say_futex },
    { SYS_clone, "vfork", PLAIN, say_vfork },
    { SYS_clone3, "vfork", PLAIN, say_vfork },
#ifdef SYS_io_uring_enter
    { SYS_io_uring_enter, "io_uring_enter", PLAIN, say_uring },
#endif
#ifdef SYS_open /* these are older, and not on every machine */
    { SYS_open, "open", PLAIN, say_open },
    { SYS_poll, "poll", PLAIN, say_poll },
    { SYS_select, "select", PLAIN, say_select },
    { SYS_epoll_wait, "epoll_wait", FD, say_epoll },
    { SYS_pause, "pause", PLAIN, say_signal },
    { SYS_vfork, "vfork", PLAIN, say_vfork },
#endif
};

/*
 * What the kernel's own function tells, where the call may not be read. Their
 * names change from kernel to kernel; one that is not known is told as it is.
 */
enum means {
    NOTHING,
    PIPE_R,
    PIPE_W,
    SOCKET_R,
    SOCKET_W,
    EVENT_R,
    SIGNAL_R,
    MESSAGES,
    WOKEN, /* a terminal's, TCP's, inotify's */
    POLLS,
    LOCKS,
    CHILD,
    SLEEP,
    SIGNALS,
    VFORKS
};

static const struct sleep {
    const char *wchan;
    const char *name;
    enum means means;
} sleeps[] = {
    { "anon_pipe_read", "read", PIPE_R },
    { "pipe_read", "read", PIPE_R },
    { "pipe_wait_readable", "splice", PIPE_R },
    { "anon_pipe_write", "write", PIPE_W },
    { "pipe_write", "write", PIPE_W },
    { "pipe_wait_writable", "splice", PIPE_W },
    { "pipe_wait", "read or write", NOTHING },
    { "unix_stream_read_generic", "recv", SOCKET_R },
    { "unix_stream_data_wait", "recv", SOCKET_R },
    { "sock_alloc_send_pskb", "send", SOCKET_W },
    { "unix_wait_for_peer", "connect or send", SOCKET_W },
    { "__skb_wait_for_more_packets", "recv or accept", SOCKET_R },
    { "inet_csk_accept", "accept", SOCKET_R },
    { "sk_wait_data", "recv", SOCKET_R },
    { "sk_stream_wait_memory", "send", SOCKET_W },
    { "wait_woken", "read or write", WOKEN },
    { "n_tty_read", "read", WOKEN },
    { "wq_sleep", "mq_receive or mq_send", MESSAGES },
    { "do_wait_intr_irq", "read", EVENT_R },
    { "eventfd_read", "read", EVENT_R },
    { "timerfd_read", "read", EVENT_R },
    { "timerfd_read_iter", "read", EVENT_R },
    { "signalfd_read", "read", SIGNAL_R },
    { "signalfd_read_iter", "read", SIGNAL_R },
    { "signalfd_dequeue", "read", SIGNAL_R },
    { "do_epoll_wait", "epoll_wait", POLLS },
    { "ep_poll", "epoll_wait", POLLS },
    { "poll_schedule_timeout", "poll or select", NOTHING },
    { "do_sys_poll", "poll", NOTHING },
    { "do_select", "select", NOTHING },
    { "locks_lock_inode_wait", "flock", LOCKS },
    { "flock_lock_inode_wait", "flock", LOCKS },
    { "fcntl_setlk", "fcntl", LOCKS },
    { "do_lock_file_wait", "fcntl", LOCKS },
    { "do_wait", "wait", CHILD },
    { "hrtimer_nanosleep", "nanosleep", SLEEP },
    { "do_nanosleep", "nanosleep", SLEEP },
    { "__do_sys_pause", "pause", SIGNALS },
    { "sys_pause", "pause", SIGNALS },
    { "do_sys_pause", "pause", SIGNALS },
    { "sigsuspend", "sigsuspend", SIGNALS },
    { "do_sigtimedwait", "sigwait", NOTHING },
    { "futex_do_wait", "futex", NOTHING },
    { "futex_wait_queue", "futex", NOTHING },
    { "futex_wait_queue_me", "futex", NOTHING },
    { "rt_mutex_schedule", "pthread_mutex_lock", NOTHING },
    { "__do_semtimedop", "semop", NOTHING },
    { "do_semtimedop", "semop", NOTHING },
    { "do_msgrcv", "msgrcv", NOTHING },
    { "do_msgsnd", "msgsnd", NOTHING },
    { "wait_for_partner", "open of a FIFO", NOTHING },
    { "kernel_clone", "vfork", VFORKS },
    { "io_cqring_wait", "io_uring_enter", NOTHING },
};

static bool fits(enum means means, enum kind kind, const struct descriptor *d)
{
    switch (means) {
    case PIPE_R:
        return (kind == PIPE || kind == FIFO) && d->r;
    case PIPE_W:
        return (kind == PIPE || kind == FIFO) && d->w;
    case SOCKET_R:
    case SOCKET_W:
        return kind == SOCKET;
    case EVENT_R:
        return kind == EVENTFD || kind == TIMERFD;
    case SIGNAL_R:
        return kind == SIGNALFD;
    case MESSAGES:
        return kind == QUEUE;
    case WOKEN:
        return kind == TERMINAL || kind == SOCKET || kind == INOTIFY;
    case POLLS:
        return kind == EPOLL;
    default:
        return false;
    }
}

/* Which descriptor can it be? Said if it is one of several. */
static int candidates(struct wait *w, enum means means)
{
    struct seen *p = w->who->of;
    int fd = -1, n = 0;

    look_descriptors(p);
    for (int i = 0; i < p->descriptors; i++)
        if (fits(means, kind_of(p, &p->descriptor[i]), &p->descriptor[i])) {
            fd = p->descriptor[i].fd;
            n++;
        }
    if (n == 1)
        return fd;
    if (n == 0)
        add(w, ", of which descriptor may not be read");
    for (int i = 0, said = 0; n > 1 && i < p->descriptors; i++) {
        struct descriptor *d = &p->descriptor[i];

        if (!fits(means, kind_of(p, d), d))
            continue;
        if (said == SHOWN) {
            add(w, " or others");
            break;
        }
        add(w, said++ ? " or fd %d, " : " of fd %d, ", d->fd);
        add_what(w, p, d);
    }
    return -1;
}

/* Of a lock the kernel's table tells for which file one waits. */
static int waits_to_lock(struct wait *w)
{
    struct seen *p = w->who->of;
    char line[256];
    FILE *in = fopen("/proc/locks", "re");
    int fd = -1, pid;
    unsigned long ino;

    look_descriptors(p);
    while (in && fd == -1 && fgets(line, sizeof line, in))
        if (sscanf(line, "%*d: -> %*s %*s %*s %d %*x:%*x:%lu", &pid, &ino) ==
                2 &&
            (pid == p->pid || pid == w->who->tid))
            for (int i = 0; i < p->descriptors; i++)
                if (*p->descriptor[i].link == '/' &&
                    look_inode(p, &p->descriptor[i]) &&
                    p->descriptor[i].ino == ino)
                    fd = p->descriptor[i].fd;
    if (in)
        fclose(in);
    return fd;
}

static void say_hidden_fd(struct wait *w, enum means means)
{
    struct descriptor *d;
    int fd = candidates(w, means);

    if (fd == -1)
        return;
    d = look_fd(w->who->of, fd);
    if (means == EVENT_R) { /* writers wait there, too, for it to be small */
        char text[2048];

        info_of(w->who->of, fd, text, sizeof text);
        if (info_number(text, "eventfd-count:", 16)) {
            snprintf(w->call, sizeof w->call, "write");
            means = SOCKET_W;
        }
    }
    snprintf(w->call + strlen(w->call), 16, "(%d)", fd);
    if (means == POLLS) {
        struct pollfd list[128] = { 0 };

        say_fds(w, list, epoll_list(w->who->of, fd, list, 128));
    } else if (means == WOKEN || means == MESSAGES) {
        add(w, " on ");
        add_what(w, w->who->of, d);
    } else {
        w->open = false;
        with_fd(w, fd,
                means == PIPE_W || means == SOCKET_W ? lacks_room
                                                     : lacks_data);
    }
}

static void say_hidden(struct wait *w)
{
    size_t length = strcspn(w->who->wchan, ".");
    const struct sleep *s = NULL;
    struct descriptor *d;

    for (size_t i = 0; i < sizeof sleeps / sizeof *sleeps && !s; i++)
        if (strncmp(sleeps[i].wchan, w->who->wchan, length) == 0 &&
            strlen(sleeps[i].wchan) == length)
            s = &sleeps[i];
    w->open = true;
    if (!s) {
        if (*w->who->wchan)
            add(w, " (in the kernel it is in %s)", w->who->wchan);
        return;
    }
    w->known = true;
    snprintf(w->call, sizeof w->call, "%s", s->name);
    switch (s->means) {
    case CHILD:
        w->open = false;
        say_wait(w);
        break;
    case SLEEP:
        say_time(w);
        break;
    case SIGNALS:
        say_signal(w);
        break;
    case VFORKS:
        w->open = false;
        say_vfork(w);
        break;
    case LOCKS:
        d = look_fd(w->who->of, waits_to_lock(w));
        if (!d)
            break;
        w->open = false;
        snprintf(w->call, sizeof w->call, "%s(%d)", s->name, d->fd);
        add(w, " on %s: ", d->link);
        lock_holders(w, d, strcmp(s->name, "flock") == 0 ? "FLOCK" : "POSIX");
        break;
    case NOTHING:
        if (strcmp(s->name, "futex") == 0)
            add(w, " (a semaphore, a mutex, a condition or a join), of which "
                   "more may not be read");
        else
            add(w, ", of which more may not be read");
        break;
    default:
        say_hidden_fd(w, s->means);
    }
}

static void say_call(struct wait *w)
{
    struct thread *t = w->who;

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (calls[i].number != t->call)
            continue;
        if (calls[i].show == FD)
            snprintf(w->call, sizeof w->call, "%s(%d)", calls[i].name,
                     (int)t->arg[0]);
        else
            snprintf(w->call, sizeof w->call, "%s", calls[i].name);
        calls[i].say(w);
        return;
    }
    snprintf(w->call, sizeof w->call, "call %ld", t->call);
    if (*t->wchan)
        add(w, " (in the kernel it is in %s)", t->wchan);
    w->open = true;
}

void wait_explain(struct thread *t, struct wait *w)
{
    *w = (struct wait){ .who = t };
    if (t->state == 'Z' || t->state == 'X') {
        w->how = ENDED;
        return;
    }
    if (t->state == 'R' || (t->known == CALL_NONE && t->state != 'T')) {
        w->how = RUNS;
        return;
    }
    stack_place(t, &w->place);
    if (t->state == 'T' || t->state == 't') {
        w->how = STOPPED;
        w->open = w->known = true;
        return;
    }
    if (t->known == CALL_KNOWN)
        say_call(w);
    else
        say_hidden(w);
}
