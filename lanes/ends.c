/*
 * ends.c - which processes have the other end of a descriptor: see ends.h
 */
#include "ends.h"
#include "sock.h"
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct what {
    const char *link; /* what it begins with */
    const char *text;
    enum kind kind;
    bool named; /* the link is its name */
} whats[] = {
    { "pipe:[", "a pipe", PIPE, false },
    { "anon_inode:[eventfd]", "an eventfd", EVENTFD, false },
    { "anon_inode:[signalfd]", "a signalfd", SIGNALFD, false },
    { "anon_inode:[timerfd]", "a timerfd", TIMERFD, false },
    { "anon_inode:[eventpoll]", "an epoll set", EPOLL, false },
    { "anon_inode:inotify", "an inotify queue", INOTIFY, false },
    { "anon_inode:[pidfd]", "a pidfd", PIDFD, false },
    { "pidfd:[", "a pidfd", PIDFD, false },
    { "/dev/pts/", "the terminal ", TERMINAL, true },
    { "/dev/tty", "the terminal ", TERMINAL, true },
    { "/dev/console", "the terminal ", TERMINAL, true },
    { "socket:[", "", SOCKET, false },
};

static struct what what_of(struct seen *p, struct descriptor *d)
{
    for (size_t i = 0; i < sizeof whats / sizeof *whats; i++)
        if (strncmp(d->link, whats[i].link, strlen(whats[i].link)) == 0)
            return whats[i];
    if (*d->link == '/' && look_inode(p, d) && d->type == S_IFIFO)
        return (struct what){ "", "the FIFO ", FIFO, true };
    if (look_queue(p, d))
        return (struct what){ "", "the queue ", QUEUE, true };
    return (struct what){ "", "", OTHER, true };
}

enum kind ends_kind(struct seen *p, struct descriptor *d)
{
    return what_of(p, d).kind;
}

static bool same_object(struct seen *p, struct descriptor *d, struct seen *q,
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

struct holds ends_holders(struct seen *p, struct descriptor *d, enum end end,
                          const char *info)
{
    struct holds h = { 0 };
    char text[8192];

    for (struct seen *q = look_each(NULL); q; q = look_each(q)) {
        if (q->pid == getpid() ||
            (wait_alias && strcmp(q->name, "strace") == 0)) /* it is ours */
            continue;
        look_descriptors(q);
        h.closed += q->closed;
        for (int i = 0; i < q->descriptors; i++) {
            struct descriptor *e = &q->descriptor[i];

            if (!same_object(p, d, q, e) ||
                (end != ANY && !(end == READS ? e->r : e->w)))
                continue;
            if (info)
                look_info(q, e->fd, text, sizeof text);
            if (!info || strstr(text, info))
                hold(&h, q, e->fd);
        }
    }
    return h;
}

static void give(struct waiting *w, struct holds h)
{
    for (int i = 0; i < h.n; i++)
        wait_giver(w, h.list[i].p, NULL);
    free(h.list);
}

/* "cat 12 (fd 0), sh 11 (fd 3) and itself (fd 4)" */
void ends_say(struct waiting *w, struct holds h, const char *nobody)
{
    char text[128];

    for (int i = 0; i < h.n; i++) {
        snprintf(text, sizeof text, "%s (%s)",
                 h.list[i].p == w->who->of ? "itself"
                                           : wait_name(h.list[i].p),
                 h.list[i].fds);
        wait_item(w, i, h.n, text);
    }
    if (h.n == 0)
        wait_open(w, "%s", nobody);
    if (h.n == 0 && h.closed)
        wait_add(w, " (%d process%s of other users cannot be looked into)",
                 h.closed, h.closed == 1 ? "" : "es");
    give(w, h);
}

/* Ends that no table of descriptors has: io_uring's own, or on their way. */
static bool hidden_end(struct waiting *w, const char *link, bool ring)
{
    const char *kind = ring ? "anon_inode:[io_uring]" : "socket:";
    char text[4096];

    for (struct seen *q = look_each(NULL); q; q = look_each(q))
        for (int i = 0; i < q->descriptors; i++) {
            const struct descriptor *e = &q->descriptor[i];

            if (strncmp(e->link, kind, strlen(kind)) != 0 ||
                !(ring || q->asked_for))
                continue;
            look_info(q, e->fd, text, sizeof text);
            if (ring ? !strstr(text, link)
                     : !look_number(text, "scm_fds:", 10))
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

/* " while cat 12 holds its write end, fd 4" */
static void add_held(struct waiting *w, struct descriptor *d, enum end end)
{
    struct holds h = ends_holders(w->who->of, d, end, NULL);
    const char *name = end == READS ? "read end" : "write end";

    if (h.n == 0 &&
        (hidden_end(w, d->link, true) || hidden_end(w, d->link, false)))
        return;
    if (h.n != 1) {
        wait_add(w,
                 h.n ? " while its %s is held by "
                     : "; no process is known to hold its %s",
                 name);
        ends_say(w, h, "");
        return;
    }
    if (h.list->p == w->who->of)
        wait_add(w, " while it holds the %s itself, %s", name, h.list->fds);
    else
        wait_add(w, " while %s holds its %s, %s", wait_name(h.list->p), name,
                 h.list->fds);
    give(w, h);
}

/* ---- what a descriptor lacks ------------------------------------------ */

static const struct sock *sock_at(const struct seen *p,
                                  const struct descriptor *d)
{
    return look_foreign(p, "net")
               ? NULL
               : sock_of(strtoul(d->link + strlen("socket:["), NULL, 10));
}

bool ends_deleted(const char *path)
{
    size_t n = strlen(path);

    return n > 10 && strcmp(path + n - 10, " (deleted)") == 0;
}

static void add_sock(struct waiting *w, const struct sock *s)
{
    if (!s)
        wait_add(w, "a socket");
    else if (s->family == SOCK_UNIX)
        wait_add(w, "a UNIX %ssocket%s%s",
                 s->type == SOCK_DGRAM ? "datagram " : "",
                 *s->name ? " " : "", s->name);
    else if (s->state == TCP_LISTEN || s->family == SOCK_UDP)
        wait_add(w, "%s %s", s->family == SOCK_UDP ? "UDP" : "TCP", s->name);
    else
        wait_add(w, "TCP to %s", s->remote);
}

/* "a pipe", "the FIFO /tmp/f": what it is. */
void ends_add_what(struct waiting *w, struct seen *p, struct descriptor *d)
{
    struct what what = what_of(p, d);

    if (what.kind == SOCKET)
        add_sock(w, sock_at(p, d));
    else
        wait_add(w, "%s%s", what.text, what.named ? d->link : "");
}

void ends_add_socket(struct waiting *w, ino_t ino, const char *before,
                     const char *after)
{
    char link[32];
    struct descriptor d = { .link = link };

    snprintf(link, sizeof link, "socket:[%lu]", (unsigned long)ino);
    wait_add(w, "%s", before);
    ends_say(w, ends_holders(w->who->of, &d, ANY, NULL),
             "nobody that is known");
    wait_add(w, "%s", after);
}

static void no_message(struct waiting *w, const struct sock *s)
{
    const struct sock *other = NULL;

    wait_add(w, "no message");
    while ((other = sock_towards(s->ino, other)))
        if (other->ino != s->ino)
            ends_add_socket(w, other->ino, "; connected to it: ", "");
    w->open = false;
    if (s->family == SOCK_UDP || *s->name) {
        wait_open(w, "; any process may send one");
    } else if (!w->givers) {
        wait_add(w, "; it has no name (bind), so no process can send it one");
        wait_giver(w, w->who->of, w->who);
    }
}

static void socket_lacks(struct waiting *w, struct descriptor *d, bool room)
{
    const char *lack = room ? "it is full" : "no data";
    const struct sock *s = sock_at(w->who->of, d);
    const struct sock *peer = s ? sock_of(s->peer) : NULL;
    const struct sock *listener =
        s && !s->peer ? sock_before_accept(s) : NULL;

    if (s && s->state == TCP_SYN_SENT) {
        wait_open(w, "%s does not answer", s->remote);
    } else if (s && s->state == TCP_LISTEN) {
        wait_open(w, "nobody connects");
    } else if (s && !room && s->type == SOCK_DGRAM) {
        no_message(w, s);
    } else if (listener) { /* connected, and in its queue still */
        wait_add(w, "%s", lack);
        ends_add_socket(w, listener->ino, "; not accepted yet by ", "");
    } else if (peer) {
        wait_add(w, "%s", lack);
        ends_add_socket(w, peer->ino,
                        room ? ", until it is read at the other end: "
                             : "; the other end: ",
                        "");
        if (!room && peer->unread)
            wait_add(w, ", where %u byte%s unread", peer->unread,
                     peer->unread == 1 ? " is" : "s are");
    } else {
        wait_open(w, "%s; %s", lack,
                  look_foreign(w->who->of, "net")
                      ? "more is known in its own network namespace only"
                      : "its other end is not on this machine, or is not "
                        "known");
    }
}

void ends_add_signals(struct waiting *w, unsigned long mask)
{
    int n = 0;

    mask &= ~(3UL << 31); /* 32 and 33 are the C library's own */
    for (int i = 1; i <= 64; i++)
        if (mask >> (i - 1) & 1)
            wait_item(w, n++, __builtin_popcountl(mask), signal_name(i));
    if (mask >> (SIGCHLD - 1) & 1)
        for (struct seen *q = NULL; (q = look_child(w->who->of, q));)
            wait_giver(w, q, NULL);
    w->open = true;
}

static void timer_lacks(struct waiting *w, const char *info)
{
    const char *at = strstr(info, "it_value: (");
    long seconds = 0, part = 0;

    if (at && sscanf(at, "it_value: (%ld, %ld)", &seconds, &part) == 2 &&
        (seconds || part)) {
        wait_add(w, "its time comes in %s",
                 wait_seconds((double)seconds + (double)part / 1e9));
        w->timed = true;
    } else {
        wait_add(w, "no time is set");
        wait_giver(w, w->who->of, NULL);
    }
}

/* The others have the same number in what /proc says of it. */
static void eventfd_lacks(struct waiting *w, struct descriptor *d, char *info)
{
    char *id = strstr(info, "eventfd-id:");

    if (id)
        id[strcspn(id, "\n") + 1] = '\0';
    wait_add(w, "its count is %s; held by ",
             look_number(info, "eventfd-count:", 16) ? "too high" : "0");
    ends_say(w, ends_holders(w->who->of, d, ANY, id), "nobody that is known");
}

static void lacks(struct waiting *w, struct descriptor *d, bool room)
{
    struct seen *p = w->who->of, *other;
    char info[4096];

    w->known = true;
    look_info(p, d->fd, info, sizeof info - 1);
    switch (ends_kind(p, d)) {
    case FIFO:
        w->open |= !ends_deleted(d->link);
        __attribute__((fallthrough));
    case PIPE:
        wait_add(w, room ? "it is full, and nothing is read"
                         : "no data, and no EOF");
        add_held(w, d, room ? READS : WRITES);
        break;
    case SOCKET:
        socket_lacks(w, d, room);
        break;
    case TERMINAL:
        wait_open(w,
                  room ? "its output is held (^S), or nobody reads the other "
                         "side"
                  : p->foreground > 0 && p->foreground != p->group
                      ? "it is in the background, where it may not read: fg"
                      : "nobody types");
        break;
    case QUEUE:
        wait_add(w, room ? "it is full; could receive: "
                         : "it is empty; could send: ");
        ends_say(w, ends_holders(p, d, room ? READS : WRITES, NULL),
                 "no process that has it open");
        w->open |= !ends_deleted(d->link);
        break;
    case EVENTFD:
        eventfd_lacks(w, d, info);
        break;
    case SIGNALFD:
        wait_add(w, "none has come of ");
        ends_add_signals(w, look_number(info, "sigmask:", 16));
        break;
    case TIMERFD:
        timer_lacks(w, info);
        break;
    case INOTIFY:
        wait_open(w, "nothing has happened to the files that it watches");
        break;
    case PIDFD:
        other = look_pid((pid_t)look_number(info, "\nPid:", 10));
        wait_add(w, "until %s ends",
                 other ? wait_name(other) : "its process");
        if (other)
            wait_giver(w, other, NULL);
        else
            w->open = true;
        break;
    default:
        wait_open(w, look_inode(p, d) && d->type == S_IFREG
                         ? "the disk has not answered yet"
                     : room ? "there is no room"
                            : "nothing to read");
    }
}

void ends_with_fd(struct waiting *w, int fd, bool room)
{
    struct descriptor *d = look_fd(w->who->of, fd);

    if (!d) {
        wait_open(w, ": what this descriptor is may not be read");
        return;
    }
    wait_add(w, " on ");
    ends_add_what(w, w->who->of, d);
    wait_add(w, ": ");
    lacks(w, d, room);
}

void ends_poll(struct waiting *w, const struct pollfd *list, int n)
{
    int said = 0;

    wait_add(w, ": ");
    for (int i = 0; i < n; i++) {
        struct descriptor *d =
            list[i].fd < 0 ? NULL : look_fd(w->who->of, list[i].fd);
        int events = list[i].events & (POLLIN | POLLOUT);

        if (!d)
            continue;
        if (said == SHOWN) {
            wait_open(w, "; and others");
            break;
        }
        wait_add(w, "%sfd %d, ", said++ ? "; " : "", d->fd);
        ends_add_what(w, w->who->of, d);
        wait_add(w, ": ");
        if (events & POLLIN)
            lacks(w, d, false);
        if (events == (POLLIN | POLLOUT))
            wait_add(w, "; and to write: ");
        if (events & POLLOUT)
            lacks(w, d, true);
        if (!events)
            wait_open(w, "nothing has happened to its other end");
    }
    if (!said)
        wait_open(w, "no descriptor to wait for, only a signal ends it");
    w->known = true;
}

/* ---- what does not wait at all ---------------------------------------- */

static bool at_its_end(struct seen *p, struct descriptor *d)
{
    enum kind kind = ends_kind(p, d);
    const struct sock *s;
    struct holds h;

    if ((kind == PIPE || kind == FIFO) && d->r) {
        h = ends_holders(p, d, WRITES, NULL);
        free(h.list);
        return h.n == 0;
    }
    s = kind == SOCKET ? sock_at(p, d) : NULL;
    return s && sock_ended(s);
}

bool ends_never_wait(struct waiting *w)
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
