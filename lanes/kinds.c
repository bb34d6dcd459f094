/*
 * kinds.c - one function for each kind of waiting: see kinds.h
 */
#include "kinds.h"
#include "sock.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void kind_data(struct wait *w)
{
    ends_with_fd(w, (int)w->who->arg[0], ends_lack_data);
}

void kind_room(struct wait *w)
{
    ends_with_fd(w, (int)w->who->arg[0], ends_lack_room);
}

/* splice and the like: two descriptors, and which of them it lacks? */
void kind_splice(struct wait *w)
{
    struct descriptor *d = look_fd(w->who->of, (int)w->who->arg[0]);
    bool writes = strstr(w->who->wchan, "writable") != NULL;

    snprintf(w->call, sizeof w->call, "splice(%d, %d)", (int)w->who->arg[0],
             (int)w->who->arg[2]);
    if (writes || !d)
        ends_with_fd(w, (int)w->who->arg[2], ends_lack_room);
    else
        kind_data(w);
}

void kind_poll(struct wait *w)
{
    unsigned long n = w->who->arg[1];
    struct pollfd list[256];
    double seconds;

    n = n < 256 ? n : 256;
    if (n && !look_memory(w->who, w->who->arg[0], list, n * sizeof *list)) {
        wait_unread(w);
        return;
    }
    snprintf(w->call + strlen(w->call), 40, "(%lu descriptor%s)", n,
             n == 1 ? "" : "s");
    ends_poll(w, list, (int)n);
#ifdef SYS_poll
    if (w->who->call == SYS_poll) {
        if ((int)w->who->arg[2] >= 0)
            wait_gives_up(w, (int)w->who->arg[2] / 1000.0);
        return;
    }
#endif
    if (wait_time(w, 2, &seconds))
        wait_gives_up(w, seconds);
}

void kind_select(struct wait *w)
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
            wait_unread(w);
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
    ends_poll(w, list, n);
    if (beyond != -1)
        wait_add(
            w,
            "; fd %d is in the set as well, but its first argument is %d, and"
            " must be %d for it",
            beyond, nfds, beyond + 1);
    if (wait_time(w, 4, &seconds))
        wait_gives_up(w, seconds);
}

void kind_epoll(struct wait *w)
{
    struct pollfd list[128];
    int n = look_epoll(w->who->of, (int)w->who->arg[0], list, 128);

    ends_poll(w, list, n);
    if ((int)w->who->arg[3] >= 0
#ifdef SYS_epoll_pwait2
        && w->who->call != SYS_epoll_pwait2
#endif
    )
        wait_gives_up(w, (int)w->who->arg[3] / 1000.0);
}

/* The socket that has the name which a call got. */
static const struct sock *named(struct wait *w, const struct sockaddr_un *a,
                                size_t size, char *name, size_t room)
{
    char path[sizeof a->sun_path + 48];
    size_t n = size - offsetof(struct sockaddr_un, sun_path);
    struct stat st;

    n = n < room ? n : room - 1;
    memcpy(name, a->sun_path, n);
    name[n] = '\0';
    if (w->who->of->foreign[SPACE_NET])
        return NULL;
    if (*name == '\0') {
        *name = '@';
        for (size_t i = 1; i < n; i++)
            if (name[i] == '\0')
                name[i] = '@';
        return sock_named(name, NULL);
    }
    snprintf(path, sizeof path, "/proc/%d/%s/%s", (int)w->who->of->door,
             *name == '/' ? "root" : "cwd", name);
    return stat(path, &st) == 0 ? sock_named(name, &st) : NULL;
}

void kind_connect(struct wait *w)
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
        wait_unread(w);
        return;
    }
    w->known = true;
    if (a.any.sa_family == AF_UNIX) {
        s = named(w, &a.un, size, name, sizeof name);
        wait_add(w, " to %s: its queue is full", name);
        if (s)
            ends_add_socket(w, s->ino, ", and ", " must accept");
        w->open = !s;
        return;
    }
    wait_add(w, " to %s:%u: no answer", inet_ntoa(a.in.sin_addr),
             ntohs(a.in.sin_port));
    s = a.any.sa_family == AF_INET ? sock_listener(ntohs(a.in.sin_port))
                                   : NULL;
    if (s)
        ends_add_socket(w, s->ino, ", perhaps its queue is full, and ",
                        " must accept");
    w->timed = true;
}

void kind_sendto(struct wait *w)
{
    struct sockaddr_un a = { 0 };
    const struct sock *s;

    if (w->who->arg[4] && w->who->arg[5] <= sizeof a &&
        look_memory(w->who, w->who->arg[4], &a, w->who->arg[5]) &&
        a.sun_family == AF_UNIX) {
        char name[sizeof a.sun_path + 1] = "";

        s = named(w, &a, w->who->arg[5], name, sizeof name);
        wait_add(w, " to %s: its queue is full", name);
        w->known = true;
        if (s)
            ends_add_socket(w, s->ino, ", and ", " must receive");
        w->open |= !s;
        return;
    }
    kind_room(w);
}

/* ---- processes, time, signals ----------------------------------------- */

void kind_wait(struct wait *w)
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
        wait_add(w, ", ");
        if (look_fd(w->who->of, (int)w->who->arg[1]))
            ends_lack_data(w, look_fd(w->who->of, (int)w->who->arg[1]));
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
            wait_giver(w, q, NULL);
            if (of <= SHOWN || n < SHOWN)
                wait_add(w, "%s%s",
                         n         ? wait_comma(n, of)
                         : of == 1 ? ", until "
                                   : ", until one of ",
                         wait_name(q));
            else if (n == SHOWN)
                wait_add(w, " and %d others", of - SHOWN);
            n++;
        }
    }
    if (n > 0)
        wait_add(w, " ends");
    else
        wait_add(w, ": no such child is left");
    w->known = true;
}

void kind_time(struct wait *w)
{
    bool clock = w->who->call == SYS_clock_nanosleep;
    double seconds = 0;
    struct timespec now;

    w->how = SLEEPS;
    w->known = w->timed = true;
    if (w->who->known != CALL_KNOWN ||
        !wait_time(w, clock ? 2 : 0, &seconds) || seconds == 0) {
        wait_add(w, ": it sleeps, time will end that");
        return;
    }
    if (clock && w->who->arg[1] & TIMER_ABSTIME &&
        clock_gettime((clockid_t)w->who->arg[0], &now) == 0) {
        wait_add(w, ": it sleeps for another ");
        wait_add_seconds(w, seconds - (double)now.tv_sec -
                                (double)now.tv_nsec / 1e9);
        return;
    }
    wait_add(w, ": it sleeps ");
    wait_add_seconds(w, seconds);
}

void kind_signal(struct wait *w)
{
    char text[4096];
    unsigned long caught;

    w->known = w->open = true;
    if (!look_text(w->who->of->door, "status", text, sizeof text))
        return;
    caught = look_number(text, "\nSigCgt:", 16) &
             ~look_number(text, "\nSigBlk:", 16) & ~(3UL << 31);
    if (!caught) {
        wait_add(
            w, ": it has no handler, so only a signal that ends it will do");
        return;
    }
    wait_add(w, ": until a signal with a handler comes, ");
    wait_add_signals(w, caught);
    if (caught >> (SIGCHLD - 1) & 1)
        ends_children(w);
}

void kind_sigwait(struct wait *w)
{
    unsigned long mask = 0;
    double seconds;

    if (!look_memory(w->who, w->who->arg[0], &mask, sizeof mask)) {
        wait_unread(w);
        return;
    }
    w->known = w->open = true;
    wait_add(w, ": none has come of ");
    wait_add_signals(w, mask);
    if (mask >> (SIGCHLD - 1) & 1)
        ends_children(w);
    if (wait_time(w, 2, &seconds))
        wait_gives_up(w, seconds);
}

void kind_vfork(struct wait *w)
{
    struct seen *child = NULL;

    for (struct seen *q = look_each(NULL); q; q = look_each(q))
        if (q->parent == w->who->of->pid && q->state != 'Z')
            child = q;
    snprintf(w->call, sizeof w->call, "vfork");
    w->known = true;
    if (!child) {
        wait_add(w, ", until its child has called exec or has ended");
        return;
    }
    wait_add(w, ", until %s calls exec or ends", wait_name(child));
    wait_giver(w, child, NULL);
}

void kind_uring(struct wait *w)
{
    wait_add(w, " on io_uring fd %d: a request is not complete",
             (int)w->who->arg[0]);
    w->known = w->open = true;
}

/* ---- FIFOs, locks ----------------------------------------------------- */

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

void kind_open(struct wait *w)
{
    char path[1024], other[1024];
    struct stat st, theirs;
    struct thread *elsewhere = NULL;
    bool writes, also;
    int openers = 0;

    w->open = true;
    if (!opens(w->who, path, sizeof path, &writes)) {
        wait_add(
            w, " of a FIFO, until another process opens its other end (which "
               "FIFO may not be read)");
        return;
    }
    snprintf(w->call, sizeof w->call, "open(%.80s)", path);
    w->known = true;
    if (!fifo_of(w->who, path, &st)) {
        wait_add(w, ": it takes its time");
        return;
    }
    wait_add(w, ", a FIFO, until a process opens it to %s",
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
                wait_add(w, ", and not, as %s does, to %s",
                         wait_thread_name(t), writes ? "write" : "read");
        }
        if (holds_fifo(q, &st))
            wait_add(w, " (%s has it open already, to %s as well)",
                     wait_name(q), writes ? "write" : "read");
    }
    if (openers == 1) /* it may come to ours next: the crossed opens */
        wait_giver(w, elsewhere->of, elsewhere);
}

/* Its lock lines: "1: FLOCK  ADVISORY  WRITE 12 00:1f:7 0 EOF" */
static bool info_locks(struct seen *q, int fd, const char *kind)
{
    char text[8192];

    look_info(q, fd, text, sizeof text);
    for (char *at = text; (at = strstr(at, "lock:\t")); at += 6) {
        char *end = strchr(at, '\n');
        char *found = strstr(at, kind);

        if (found && (!end || found < end))
            return true;
    }
    return false;
}

void kind_lock_holders(struct wait *w, struct descriptor *d, const char *kind)
{
    struct holds all = ends_holders(w->who->of, d, ANY), h = { 0 };

    for (struct seen *q = look_each(NULL); q; q = look_each(q)) {
        bool has = false;

        for (int i = 0; i < all.n; i++)
            has |= all.list[i].p == q;
        for (int i = 0; has && i < q->descriptors; i++)
            if (ends_same(w->who->of, d, q, &q->descriptor[i]) &&
                info_locks(q, q->descriptor[i].fd, kind))
                ends_hold(&h, q, q->descriptor[i].fd);
    }
    if (h.n) {
        wait_add(w, "locked by ");
        ends_add_list(w, &h);
    } else {
        wait_add(w, "locked, it is not known by which process");
        ends_add_closed(w, all.closed);
        w->open = true;
    }
    free(all.list);
    ends_give(w, &h);
}

void kind_flock(struct wait *w)
{
    struct descriptor *d = look_fd(w->who->of, (int)w->who->arg[0]);

    w->known = true;
    if (!d)
        return;
    wait_add(w, " on %s: ", d->link);
    kind_lock_holders(w, d, "FLOCK");
}

void kind_fcntl(struct wait *w)
{
    struct descriptor *d = look_fd(w->who->of, (int)w->who->arg[0]);
    bool open_file = w->who->arg[1] == F_OFD_SETLKW;
    struct flock lock = { 0 };

    w->known = true;
    if (!d)
        return;
    snprintf(w->call, sizeof w->call, "fcntl(%d, %s)", (int)w->who->arg[0],
             open_file ? "F_OFD_SETLKW" : "F_SETLKW");
    wait_add(w, " on %s", d->link);
    if (look_memory(w->who, w->who->arg[2], &lock, sizeof lock)) {
        wait_add(w, ", to %s", lock.l_type == F_RDLCK ? "read" : "write");
        if (lock.l_whence == SEEK_SET && lock.l_len > 0)
            wait_add(w, " bytes %ld to %ld", (long)lock.l_start,
                     (long)(lock.l_start + lock.l_len - 1));
    }
    wait_add(w, ": ");
    kind_lock_holders(w, d, open_file ? "OFDLCK" : "POSIX");
}
