/*
 * ends.c - which processes have the other end of a descriptor: see ends.h
 */
#include "ends.h"
#include "sock.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

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

enum kind ends_kind(struct seen *p, struct descriptor *d)
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

bool ends_same(struct seen *p, struct descriptor *d, struct seen *q,
               struct descriptor *e)
{
    if (*d->link != '/')
        return strcmp(d->link, e->link) == 0;
    return *e->link == '/' && look_inode(p, d) && look_inode(q, e) &&
           d->type == e->type && d->ino == e->ino && d->dev == e->dev;
}

void ends_hold(struct holds *h, struct seen *p, int fd)
{
    struct hold *last = h->n ? &h->list[h->n - 1] : NULL;

    if (!last || last->p != p) {
        h->list = resize(h->list, (size_t)h->n + 1, sizeof *h->list);
        last = &h->list[h->n++];
        *last = (struct hold){ .p = p };
    }
    last->count++;
    if (last->count < 5)
        append(last->fds, sizeof last->fds,
               last->count == 1 ? "fd %d" : ", %d", fd);
    else if (last->count == 5)
        append(last->fds, sizeof last->fds, "...");
}

/* The processes, in all of the system, that have this end of it open. */
struct holds ends_holders(struct seen *p, struct descriptor *d, enum end end)
{
    struct holds h = { 0 };

    for (struct seen *q = look_each(NULL); q; q = look_each(q)) {
        if (q->pid == getpid() || q->kernel)
            continue;
        look_descriptors(q);
        h.closed += q->closed;
        for (int i = 0; i < q->descriptors; i++) {
            struct descriptor *e = &q->descriptor[i];

            if (ends_same(p, d, q, e) &&
                (end == ANY || (end == READS ? e->r : e->w)))
                ends_hold(&h, q, e->fd);
        }
    }
    return h;
}

/* "cat 12 (fd 0), sh 11 (fd 3) and itself (fd 4)" */
void ends_add_list(struct wait *w, const struct holds *h)
{
    int shown = h->n <= SHOWN + 1 ? h->n : SHOWN;
    int parts = shown < h->n ? shown + 1 : shown;

    for (int i = 0; i < shown; i++)
        wait_add(w, "%s%s (%s)", wait_comma(i, parts),
                 h->list[i].p == w->who->of ? "itself"
                                            : wait_name(h->list[i].p),
                 h->list[i].fds);
    if (shown < h->n)
        wait_add(w, " and %d others", h->n - shown);
}

void ends_give(struct wait *w, struct holds *h)
{
    for (int i = 0; i < h->n; i++)
        wait_giver(w, h->list[i].p, NULL);
    free(h->list);
}

void ends_add_closed(struct wait *w, int closed)
{
    if (closed)
        wait_add(w, " (%d process%s of other users cannot be looked into)",
                 closed, closed == 1 ? "" : "es");
}

/* Ends that no table of descriptors has: io_uring's own, or on their way. */
static bool hidden_end(struct wait *w, const char *link, bool ring,
                       bool family)
{
    for (struct seen *q = look_each(NULL); q; q = look_each(q))
        for (int i = 0; i < q->descriptors; i++) {
            const struct descriptor *e = &q->descriptor[i];
            char text[4096], *at;

            if ((family && !q->asked_for) ||
                (ring ? strcmp(e->link, "anon_inode:[io_uring]") != 0
                      : strncmp(e->link, "socket:", 7) != 0))
                continue;
            look_info(q, e->fd, text, sizeof text);
            at = strstr(text, ring ? link : "scm_fds:");
            if (!at || (!ring && strtol(at + 8, NULL, 10) == 0))
                continue;
            wait_giver(w, q, NULL);
            wait_add(
                w,
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
            wait_add(w, "; no process is known to hold its %s", end);
            ends_add_closed(w, h->closed);
            w->open = true;
        }
    } else if (h->n > 1) {
        wait_add(w, " while its %s is held by ", end);
        ends_add_list(w, h);
    } else if (h->list[0].p == w->who->of) {
        wait_add(w, " while it holds the %s itself, %s", end, h->list[0].fds);
    } else {
        wait_add(w, " while %s holds its %s, %s", wait_name(h->list[0].p),
                 end, h->list[0].fds);
    }
    ends_give(w, h);
}

/* ---- what a descriptor lacks ------------------------------------------ */

static ino_t socket_ino(const struct descriptor *d)
{
    return strtoul(d->link + strlen("socket:["), NULL, 10);
}

bool ends_deleted(const char *path)
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
void ends_add_what(struct wait *w, struct seen *p, struct descriptor *d)
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
    enum kind kind = ends_kind(p, d);
    const struct sock *s;

    switch (kind) {
    case FIFO:
        wait_add(w, "the FIFO %s", d->link);
        break;
    case QUEUE:
        wait_add(w, "the queue %s", d->link);
        break;
    case TERMINAL:
        wait_add(w, "the terminal %s", d->link);
        break;
    case SOCKET:
        s = p->foreign[SPACE_NET] ? NULL : sock_of(socket_ino(d));
        if (!s)
            wait_add(w, "a socket");
        else if (s->family == SOCK_UNIX)
            wait_add(w, "a UNIX %ssocket%s%.*s",
                     s->type == SOCK_DGRAM ? "datagram " : "",
                     *s->name ? " " : "", shown_length(s->name), s->name);
        else if (s->listens || s->family == SOCK_UDP)
            wait_add(w, "%s %s", s->family == SOCK_UDP ? "UDP" : "TCP",
                     s->name);
        else
            wait_add(w, "TCP to %s", s->remote);
        break;
    case OTHER:
        wait_add(w, "%s", d->link);
        break;
    default:
        wait_add(w, "%s", names[kind]);
    }
}

void ends_add_socket(struct wait *w, ino_t ino, const char *before,
                     const char *after)
{
    char link[32];
    struct descriptor d = { .link = link };
    struct holds h;

    snprintf(link, sizeof link, "socket:[%lu]", (unsigned long)ino);
    h = ends_holders(w->who->of, &d, ANY);
    wait_add(w, "%s", before);
    if (h.n == 0) {
        wait_add(w, "nobody that is known");
        ends_add_closed(w, h.closed);
        w->open = true;
    } else {
        ends_add_list(w, &h);
    }
    wait_add(w, "%s", after);
    ends_give(w, &h);
}

/* Connected, and in the queue of a listener still. */
static bool not_accepted(struct wait *w, const struct sock *s)
{
    const struct sock *listener = s->peer ? NULL : sock_before_accept(s);

    if (!listener)
        return false;
    ends_add_socket(w, listener->ino, "no data; not accepted yet by ", "");
    return true;
}

static void socket_lacks_data(struct wait *w, struct descriptor *d)
{
    const struct sock *s =
        w->who->of->foreign[SPACE_NET] ? NULL : sock_of(socket_ino(d));
    const struct sock *peer, *other = NULL;

    if (!s) {
        wait_add(
            w,
            w->who->of->foreign[SPACE_NET]
                ? "no data; more is known in its own network namespace only"
                : "no data; the kernel's tables do not tell its other "
                  "end");
        w->open = true;
    } else if (s->listens) {
        wait_add(w, "nobody connects");
        w->open = true;
    } else if (s->family == SOCK_UDP ||
               (s->family == SOCK_UNIX && s->type == SOCK_DGRAM)) {
        wait_add(w, "no message");
        while ((other = sock_towards(s->ino, other)))
            if (other->ino != s->ino)
                ends_add_socket(w, other->ino, "; connected to it: ", "");
        w->open = s->family == SOCK_UDP || *s->name;
        if (w->open) {
            wait_add(w, "; any process may send one");
        } else if (!w->givers) {
            wait_add(
                w, "; it has no name (bind), so no process can send it one");
            wait_giver(w, w->who->of, w->who);
        }
    } else if (s->peer) {
        peer = sock_of(s->peer);
        ends_add_socket(w, s->peer, "no data; the other end: ", "");
        if (peer && peer->unread)
            wait_add(w, ", where %u byte%s unread", peer->unread,
                     peer->unread == 1 ? " is" : "s are");
    } else if (!not_accepted(w, s)) {
        wait_add(w,
                 "no data; its other end is not on this machine, or is not "
                 "known");
        w->open = true;
    }
}

static void terminal_lacks_data(struct wait *w)
{
    const struct seen *p = w->who->of;

    w->open = true;
    if (p->foreground > 0 && p->foreground != p->group)
        wait_add(w, "it is in the background, where it may not read: fg");
    else
        wait_add(w, "nobody types");
}

void ends_children(struct wait *w)
{
    for (struct seen *q = look_each(NULL); q; q = look_each(q))
        if (q->parent == w->who->of->pid && q->state != 'Z')
            wait_giver(w, q, NULL);
}

static void eventfd_lacks(struct wait *w, struct descriptor *d, bool room)
{
    char text[2048], other[2048];
    unsigned long id;
    struct holds h = { 0 };

    look_info(w->who->of, d->fd, text, sizeof text);
    id = look_number(text, "eventfd-id:", 10);
    for (struct seen *q = look_each(NULL); q; q = look_each(q)) {
        look_descriptors(q);
        for (int i = 0; i < q->descriptors; i++) {
            if (strcmp(q->descriptor[i].link, d->link) != 0)
                continue;
            look_info(q, q->descriptor[i].fd, other, sizeof other);
            if (strstr(other, "eventfd-id:") &&
                look_number(other, "eventfd-id:", 10) == id)
                ends_hold(&h, q, q->descriptor[i].fd);
        }
    }
    wait_add(w, "its count is %s; held by ", room ? "too high" : "0");
    ends_add_list(w, &h);
    ends_give(w, &h);
}

static void timer_lacks(struct wait *w, struct descriptor *d)
{
    char text[2048], *at;
    long seconds = 0, part = 0;

    look_info(w->who->of, d->fd, text, sizeof text);
    at = strstr(text, "it_value: (");
    if (at && sscanf(at, "it_value: (%ld, %ld)", &seconds, &part) == 2 &&
        (seconds || part)) {
        wait_add(w, "its time comes in ");
        wait_add_seconds(w, (double)seconds + (double)part / 1e9);
        w->timed = true;
    } else {
        wait_add(w, "no time is set");
        wait_giver(w, w->who->of, NULL);
    }
}

void ends_lack_data(struct wait *w, struct descriptor *d)
{
    struct seen *p = w->who->of, *other;
    char text[4096];
    struct holds h;

    w->known = true;
    switch (ends_kind(p, d)) {
    case FIFO:
        w->open |= !ends_deleted(d->link);
        __attribute__((fallthrough));
    case PIPE:
        wait_add(w, "no data, and no EOF");
        h = ends_holders(p, d, WRITES);
        add_held(w, &h, d->link, "write end");
        break;
    case SOCKET:
        socket_lacks_data(w, d);
        break;
    case TERMINAL:
        terminal_lacks_data(w);
        break;
    case QUEUE:
        h = ends_holders(p, d, WRITES);
        wait_add(w, "it is empty; could send: ");
        if (h.n)
            ends_add_list(w, &h);
        else
            wait_add(w, "no process that has it open");
        ends_give(w, &h);
        w->open |= !ends_deleted(d->link);
        break;
    case EVENTFD:
        eventfd_lacks(w, d, false);
        break;
    case SIGNALFD:
        look_info(p, d->fd, text, sizeof text);
        wait_add(w, "none has come of ");
        wait_add_signals(w, look_number(text, "sigmask:", 16));
        if (look_number(text, "sigmask:", 16) >> (SIGCHLD - 1) & 1)
            ends_children(w);
        w->open = true;
        break;
    case TIMERFD:
        timer_lacks(w, d);
        break;
    case INOTIFY:
        wait_add(w, "nothing has happened to the files that it watches");
        w->open = true;
        break;
    case PIDFD:
        look_info(p, d->fd, text, sizeof text);
        other = look_pid((pid_t)look_number(text, "\nPid:", 10));
        wait_add(w, "until %s ends",
                 other ? wait_name(other) : "its process");
        if (other)
            wait_giver(w, other, NULL);
        else
            w->open = true;
        break;
    default:
        wait_add(w, look_inode(p, d) && d->type == S_IFREG
                        ? "the disk has not answered yet"
                        : "nothing to read");
        w->open = true;
    }
}

static void socket_lacks_room(struct wait *w, struct descriptor *d)
{
    const struct sock *s =
        w->who->of->foreign[SPACE_NET] ? NULL : sock_of(socket_ino(d));
    const struct sock *peer = s ? sock_of(s->peer) : NULL;

    if (s && s->connects) {
        wait_add(w, "%s does not answer", s->remote);
        w->open = true;
    } else if (s && not_accepted(w, s)) {
        ; /* it has said so */
    } else if (!peer) {
        wait_add(w, "it is full; its other end is not known");
        w->open = true;
    } else {
        ends_add_socket(
            w, peer->ino,
            "it is full, until it is read at the other end: ", "");
    }
}

void ends_lack_room(struct wait *w, struct descriptor *d)
{
    struct seen *p = w->who->of;
    struct holds h;

    w->known = true;
    switch (ends_kind(p, d)) {
    case FIFO:
        w->open |= !ends_deleted(d->link);
        __attribute__((fallthrough));
    case PIPE:
        wait_add(w, "it is full, and nothing is read");
        h = ends_holders(p, d, READS);
        add_held(w, &h, d->link, "read end");
        break;
    case SOCKET:
        socket_lacks_room(w, d);
        break;
    case TERMINAL:
        wait_add(w,
                 "its output is held (^S), or nobody reads the other side");
        w->open = true;
        break;
    case QUEUE:
        h = ends_holders(p, d, READS);
        wait_add(w, "it is full; could receive: ");
        if (h.n)
            ends_add_list(w, &h);
        else
            wait_add(w, "no process that has it open");
        ends_give(w, &h);
        w->open |= !ends_deleted(d->link);
        break;
    case EVENTFD:
        eventfd_lacks(w, d, true);
        break;
    default:
        wait_add(w, look_inode(p, d) && d->type == S_IFREG
                        ? "the disk has not answered yet"
                        : "there is no room");
        w->open = true;
    }
}

void ends_with_fd(struct wait *w, int fd,
                  void (*lacks)(struct wait *, struct descriptor *))
{
    struct descriptor *d = look_fd(w->who->of, fd);

    if (!d) {
        wait_add(w, ": what this descriptor is may not be read");
        w->open = true;
        return;
    }
    wait_add(w, " on ");
    ends_add_what(w, w->who->of, d);
    wait_add(w, ": ");
    lacks(w, d);
}

void ends_poll(struct wait *w, const struct pollfd *list, int n)
{
    int said = 0;

    wait_add(w, ": ");
    for (int i = 0; i < n; i++) {
        struct descriptor *d;

        if (list[i].fd < 0 || !(d = look_fd(w->who->of, list[i].fd)))
            continue;
        if (said == SHOWN) {
            wait_add(w, "; and others");
            w->open = true;
            break;
        }
        wait_add(w, "%sfd %d, ", said++ ? "; " : "", d->fd);
        ends_add_what(w, w->who->of, d);
        wait_add(w, ": ");
        if (list[i].events & POLLIN)
            ends_lack_data(w, d);
        if (list[i].events & POLLIN && list[i].events & POLLOUT)
            wait_add(w, "; and to write: ");
        if (list[i].events & POLLOUT)
            ends_lack_room(w, d);
        if (!(list[i].events & (POLLIN | POLLOUT))) {
            struct holds h =
                ends_holders(w->who->of, d, d->r ? WRITES : READS);

            wait_add(w, "nothing has happened to its other end");
            if (*d->link == 'p' || *d->link == '/')
                add_held(w, &h, d->link, d->r ? "write end" : "read end");
            else
                w->open = true;
        }
    }
    if (!said) {
        wait_add(w, "no descriptor to wait for, only a signal ends it");
        w->open = true;
    }
    w->known = true;
}

/* ---- what does not wait at all ---------------------------------------- */

static bool at_its_end(struct seen *p, struct descriptor *d)
{
    enum kind kind = ends_kind(p, d);
    const struct sock *s;
    struct holds h;

    if ((kind == PIPE || kind == FIFO) && d->r) {
        h = ends_holders(p, d, WRITES);
        free(h.list);
        return h.n == 0;
    }
    s = kind == SOCKET && !p->foreign[SPACE_NET] ? sock_of(socket_ino(d))
                                                 : NULL;
    return s && s->ended;
}

bool ends_never_wait(struct wait *w)
{
    struct seen *p = w->who->of;
    char text[2048];
    int said = 0;

    look_descriptors(p);
    for (int i = 0; i < p->descriptors && said < SHOWN; i++) {
        struct descriptor *d = &p->descriptor[i];
        bool end = at_its_end(p, d);

        if (!end) {
            look_info(p, d->fd, text, sizeof text);
            if (!d->r || ends_kind(p, d) == OTHER ||
                !(look_number(text, "flags:", 8) & O_NONBLOCK))
                continue;
        }
        wait_add(w, "%sfd %d, ", said++ ? "; " : " spins: ", d->fd);
        ends_add_what(w, p, d);
        wait_add(w, end ? ", is at its end of file: no process is"
                          " known to hold the other end"
                        : ", has O_NONBLOCK, so a read does not wait");
    }
    return said > 0;
}
