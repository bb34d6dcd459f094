/*
 * kinds.c - which calls wait, and one function for each kind of waiting
 */
#include "ends.h"
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

static void kind_data(struct waiting *w)
{
    ends_with_fd(w, (int)w->who->arg[0], false);
}

static void kind_room(struct waiting *w)
{
    ends_with_fd(w, (int)w->who->arg[0], true);
}

/* splice and the like: two descriptors, and which of them it lacks? */
static void kind_splice(struct waiting *w)
{
    struct descriptor *d = look_fd(w->who->of, (int)w->who->arg[0]);
    bool writes = strstr(w->who->wchan, "writable") != NULL;

    snprintf(w->call, sizeof w->call, "splice(%d, %d)", (int)w->who->arg[0],
             (int)w->who->arg[2]);
    if (writes || !d)
        ends_with_fd(w, (int)w->who->arg[2], true);
    else
        kind_data(w);
}

static void kind_poll(struct waiting *w)
{
    unsigned long n = w->who->arg[1];
    struct pollfd list[256];

    n = n < 256 ? n : 256;
    if (n && !wait_reads(w, 0, list, n * sizeof *list))
        return;
    append(w->call, sizeof w->call, "(%lu descriptor%s)", n,
           n == 1 ? "" : "s");
    ends_poll(w, list, (int)n);
}

static void kind_select(struct waiting *w)
{
    static const short events[] = { POLLIN, POLLOUT, 0 };
    struct pollfd list[FD_SETSIZE] = { 0 };
    int nfds = (int)w->who->arg[0], n = 0, beyond = -1;

    for (int set = 0; set < 3; set++) {
        fd_set bits;

        FD_ZERO(&bits);
        if (w->who->arg[1 + set] &&
            !wait_reads(w, 1 + set, &bits, sizeof bits))
            return;
        for (int fd = 0; fd < FD_SETSIZE && n < FD_SETSIZE; fd++)
            if (FD_ISSET(fd, &bits) && fd < nfds)
                list[n++] =
                    (struct pollfd){ .fd = fd, .events = events[set] };
            else if (FD_ISSET(fd, &bits) && fd < nfds + 8 &&
                     look_fd(w->who->of, fd))
                beyond = fd;
    }
    ends_poll(w, list, n);
    if (beyond != -1)
        wait_add(
            w,
            "; fd %d is in the set as well, but its first argument is %d, and"
            " must be %d for it",
            beyond, nfds, beyond + 1);
}

static void kind_epoll(struct waiting *w)
{
    struct pollfd list[128];
    char text[16384];
    unsigned events;
    int n = 0, fd;

    look_info(w->who->of, (int)w->who->arg[0], text, sizeof text);
    for (char *at = text; n < 128 && (at = strstr(at, "tfd:")); at += 4)
        if (sscanf(at, "tfd: %d events: %x", &fd, &events) == 2)
            list[n++] = (struct pollfd){ .fd = fd, .events = (short)events };
    ends_poll(w, list, n);
}

/* Is it to a UNIX socket, by its name? */
static bool to_name(struct waiting *w, unsigned long at, unsigned long size,
                    const char *must)
{
    struct sockaddr_un a = { 0 };
    char name[sizeof a.sun_path + 1];
    const struct sock *s = NULL;
    struct stat st;

    size = size < sizeof a ? size : sizeof a;
    if (!at || !look_memory(w->who, at, &a, size) || a.sun_family != AF_UNIX)
        return false;
    sock_name(name, sizeof name, a.sun_path,
              size - offsetof(struct sockaddr_un, sun_path));
    if (!look_foreign(w->who->of, "net")) {
        if (*name == '@')
            s = sock_named(name, NULL);
        else if (look_path(w->who->of->door, name, &st))
            s = sock_named(name, &st);
    }
    wait_add(w, " to %s: its queue is full", name);
    w->known = true;
    w->open = !s;
    if (s)
        ends_add_socket(w, s->ino, ", and ", must);
    return true;
}

static void kind_connect(struct waiting *w)
{
    struct sockaddr_in a;
    const struct sock *s;

    if (to_name(w, w->who->arg[1], w->who->arg[2], " must accept"))
        return;
    if (!wait_reads(w, 1, &a, sizeof a))
        return;
    wait_add(w, " to %s:%u: no answer", inet_ntoa(a.sin_addr),
             ntohs(a.sin_port));
    s = a.sin_family == AF_INET ? sock_listener(ntohs(a.sin_port)) : NULL;
    if (s)
        ends_add_socket(w, s->ino, ", perhaps its queue is full, and ",
                        " must accept");
    w->known = w->timed = true;
}

static void kind_sendto(struct waiting *w)
{
    if (!to_name(w, w->who->arg[4], w->who->arg[5], " must receive"))
        kind_room(w);
}

/* ---- processes, time, signals ----------------------------------------- */

/* Would it take this child? which: as waitpid has it. */
static bool awaits(const struct seen *p, const struct seen *child, long which)
{
    return which == -1 || (which > 0    ? child->pid == which
                           : which == 0 ? child->group == p->group
                                        : child->group == -which);
}

static void kind_wait(struct waiting *w)
{
    struct seen *p = w->who->of, *q = NULL;
    bool waitid = w->who->call == SYS_waitid;
    long which = (int)w->who->arg[waitid];
    struct thread *t = NULL;
    int n = 0, of = 0;

    if (w->who->known != CALL_KNOWN ||
        (waitid && w->who->arg[0] != P_PID && w->who->arg[0] != P_PGID))
        which = -1;
    else if (waitid && w->who->arg[0] == P_PGID)
        which = -which;
    if (which > 0 && look_foreign(p, "pid"))
        t = look_thread(p, (pid_t)which);
    if (t)
        which = t->tid;
    if (which != -1)
        snprintf(w->call, sizeof w->call, "%s(%ld)",
                 waitid ? "waitid" : "waitpid", which);
    while ((q = look_child(p, q)))
        of += awaits(p, q, which);
    wait_add(w, of == 0   ? ": no such child is left"
                : of == 1 ? ", until "
                          : ", until one of ");
    while ((q = look_child(p, q)))
        if (awaits(p, q, which)) {
            wait_giver(w, q, NULL);
            wait_item(w, n++, of, wait_name(q));
        }
    if (of > 0)
        wait_add(w, " ends");
    w->known = true;
}

/* The time that an argument points to; -1: it may not be read. */
static double time_at(const struct waiting *w, int argument)
{
    struct timespec t = { 0 };

    if (w->who->known != CALL_KNOWN ||
        !look_memory(w->who, w->who->arg[argument], &t, sizeof t))
        return -1;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void kind_time(struct waiting *w)
{
    bool clock = w->who->call == SYS_clock_nanosleep;
    double seconds = time_at(w, clock ? 2 : 0);
    struct timespec now;

    w->how = SLEEPS;
    w->known = w->timed = true;
    if (seconds <= 0)
        wait_add(w, ": it sleeps, time will end that");
    else if (clock && w->who->arg[1] & TIMER_ABSTIME &&
             clock_gettime((clockid_t)w->who->arg[0], &now) == 0)
        wait_add(w, ": it sleeps for another %s",
                 wait_seconds(seconds - (double)now.tv_sec -
                              (double)now.tv_nsec / 1e9));
    else
        wait_add(w, ": it sleeps %s", wait_seconds(seconds));
}

/* argument: of one that points to the limit; below 0: of milliseconds. */
static void add_limit(struct waiting *w, int argument)
{
    double seconds = argument < 0 ? (int)w->who->arg[-argument] / 1000.0
                                  : time_at(w, argument);

    w->timed = argument < 0 ? seconds >= 0 : w->who->arg[argument];
    if (seconds >= 0)
        wait_add(w, " (it gives up by itself, after %s)",
                 wait_seconds(seconds));
}

static void add_untold(struct waiting *w)
{
    char text[200];

    look_untold(w->who->of, text, sizeof text);
    if (*text)
        wait_add(w, "; %s", text);
}

static void kind_signal(struct waiting *w)
{
    char text[4096];
    unsigned long caught;

    w->known = w->open = true;
    if (!look_text(text, sizeof text, w->who->of->door, "status"))
        return;
    caught = look_number(text, "\nSigCgt:", 16) &
             ~look_number(text, "\nSigBlk:", 16) & ~(3UL << 31);
    if (!caught) {
        wait_add(
            w, ": it has no handler, so only a signal that ends it will do");
        return;
    }
    wait_add(w, ": until a signal with a handler comes, ");
    ends_add_signals(w, caught);
    add_untold(w);
}

static void kind_sigwait(struct waiting *w)
{
    unsigned long mask = 0;

    if (!wait_reads(w, 0, &mask, sizeof mask))
        return;
    w->known = true;
    wait_add(w, ": none has come of ");
    ends_add_signals(w, mask);
    add_untold(w);
}

static void kind_vfork(struct waiting *w)
{
    struct seen *child = look_child(w->who->of, NULL);

    w->known = true;
    wait_add(w, ", until %s calls exec or ends",
             child ? wait_name(child) : "its child");
    if (child)
        wait_giver(w, child, NULL);
}

static void kind_uring(struct waiting *w)
{
    wait_add(w, " on io_uring fd %d: a request is not complete",
             (int)w->who->arg[0]);
    w->known = w->open = true;
}

/* ---- FIFOs, locks ----------------------------------------------------- */

static bool opens(struct thread *t, char *path, size_t size, bool *writes)
{
    bool at = t->call == SYS_openat, is_open = at;

#ifdef SYS_open
    is_open |= t->call == SYS_open;
#endif
    if (!is_open || t->known != CALL_KNOWN)
        return false;
    path[look_stack(t, t->arg[at], path, size - 1)] = '\0';
    *writes = (t->arg[at + 1] & O_ACCMODE) != O_RDONLY;
    return *path;
}

static void kind_open(struct waiting *w)
{
    char path[1024], other[1024];
    struct stat st, theirs;
    struct thread *elsewhere = NULL;
    bool writes, also;
    int openers = 0;

    w->open = true;
    if (!opens(w->who, path, sizeof path, &writes)) {
        wait_add(w, " of a FIFO, until another process opens its other end "
                    "(which FIFO may not be read)");
        return;
    }
    snprintf(w->call, sizeof w->call, "open(%.80s)", path);
    w->known = true;
    if (!look_path(w->who->of->door, path, &st) || !S_ISFIFO(st.st_mode)) {
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
                !look_path(q->door, other, &theirs) ||
                !S_ISFIFO(theirs.st_mode))
                continue;
            if (theirs.st_ino != st.st_ino || theirs.st_dev != st.st_dev) {
                elsewhere = t;
                openers++;
            } else if (also == writes)
                wait_add(w, ", and not, as %s does, to %s",
                         wait_thread_name(t), writes ? "write" : "read");
        }
    }
    if (openers == 1) /* it may come to ours next: the crossed opens */
        wait_giver(w, elsewhere->of, elsewhere);
}

/* The file that one waits for, where the call itself may not be read. */
static int waits_to_lock(struct waiting *w)
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

static void kind_lock(struct waiting *w)
{
    struct thread *t = w->who;
    bool readable = t->known == CALL_KNOWN;
    bool whole = strncmp(w->call, "flock", 5) == 0; /* the file */
    bool open_file = readable && !whole && t->arg[1] == F_OFD_SETLKW;
    struct descriptor *d =
        look_fd(t->of, readable ? (int)t->arg[0] : waits_to_lock(w));
    struct flock lock = { 0 };
    struct holds h;

    w->known = true;
    w->open = !d;
    if (!d)
        return;
    if (!readable)
        append(w->call, sizeof w->call, "(%d)", d->fd);
    else if (!whole)
        snprintf(w->call, sizeof w->call, "fcntl(%d, %s)", d->fd,
                 open_file ? "F_OFD_SETLKW" : "F_SETLKW");
    wait_add(w, " on %s", d->link);
    if (!whole && look_memory(t, t->arg[2], &lock, sizeof lock)) {
        wait_add(w, ", to %s", lock.l_type == F_RDLCK ? "read" : "write");
        if (lock.l_whence == SEEK_SET && lock.l_len > 0)
            wait_add(w, " bytes %ld to %ld", (long)lock.l_start,
                     (long)(lock.l_start + lock.l_len - 1));
    }
    h = ends_holders(t->of, d, ANY,
                     whole       ? "FLOCK"
                     : open_file ? "OFDLCK"
                                 : "POSIX");
    wait_add(w, h.n ? ": locked by " : ": locked, ");
    ends_say(w, h, "it is not known by which process");
}

/* ---- where the call may not be read: by wchan, and the descriptors ---- */

enum {
    PIPES = 1 << PIPE | 1 << FIFO,
    SOCKETS = 1 << SOCKET,
    EVENTS = 1 << EVENTFD | 1 << TIMERFD,
    WOKEN = 1 << TERMINAL | 1 << SOCKET | 1 << INOTIFY
};

/*
 * What the kernel's own function tells, where the call may not be read: what
 * explains it, and which kinds of descriptors it can be, and for which of its
 * ends. Their names change from kernel to kernel; one that is not known is
 * told as it is.
 */
static const struct sleep {
    const char *wchan, *name; /* wchan: of newer kernels, and of older */
    void (*say)(struct waiting *w);
    unsigned kinds;
    enum end end;
} sleeps[] = {
    { "anon_pipe_read pipe_read", "read", kind_data, PIPES, READS },
    { "pipe_wait_readable", "splice", kind_data, PIPES, READS },
    { "anon_pipe_write pipe_write", "write", kind_room, PIPES, WRITES },
    { "pipe_wait_writable", "splice", kind_room, PIPES, WRITES },
    { "pipe_wait", .name = "read or write" },
    { "unix_stream_read_generic unix_stream_data_wait sk_wait_data", "recv",
      kind_data, SOCKETS, READS },
    { "sock_alloc_send_pskb sk_stream_wait_memory", "send", kind_room,
      SOCKETS, WRITES },
    { "unix_wait_for_peer", "connect or send", kind_room, SOCKETS, WRITES },
    { "__skb_wait_for_more_packets", "recv or accept", kind_data, SOCKETS,
      READS },
    { "inet_csk_accept", "accept", kind_data, SOCKETS, READS },
    { "wait_woken", "read or write", NULL, WOKEN, ANY },
    { "n_tty_read", "read", NULL, WOKEN, ANY },
    { "wq_sleep", "mq_receive or mq_send", NULL, 1 << QUEUE, ANY },
    { "do_wait_intr_irq eventfd_read timerfd_read timerfd_read_iter", "read",
      kind_data, EVENTS, READS },
    { "signalfd_read signalfd_read_iter signalfd_dequeue", "read", kind_data,
      1 << SIGNALFD, READS },
    { "do_epoll_wait ep_poll", "epoll_wait", kind_epoll, 1 << EPOLL, READS },
    { "poll_schedule_timeout", .name = "poll or select" },
    { "do_sys_poll", .name = "poll" },
    { "do_select", .name = "select" },
    { "locks_lock_inode_wait flock_lock_inode_wait", "flock",
      .say = kind_lock },
    { "fcntl_setlk do_lock_file_wait", "fcntl", .say = kind_lock },
    { "do_wait", "wait", .say = kind_wait },
    { "hrtimer_nanosleep do_nanosleep", "nanosleep", .say = kind_time },
    { "__do_sys_pause sys_pause do_sys_pause", "pause", .say = kind_signal },
    { "sigsuspend", "sigsuspend", .say = kind_signal },
    { "do_sigtimedwait", .name = "sigwait" },
    { "futex_do_wait futex_wait_queue futex_wait_queue_me", .name = "futex" },
    { "rt_mutex_schedule", .name = "pthread_mutex_lock" },
    { "__do_semtimedop do_semtimedop", .name = "semop" },
    { "do_msgrcv", .name = "msgrcv" },
    { "do_msgsnd", .name = "msgsnd" },
    { "wait_for_partner", .name = "open of a FIFO" },
    { "kernel_clone", "vfork", .say = kind_vfork },
    { "io_cqring_wait", .name = "io_uring_enter" },
};

/* All that it can be; if that is one, what it lacks. */
static void say_descriptor(struct waiting *w, const struct sleep *s)
{
    struct seen *p = w->who->of;
    struct descriptor *can[SHOWN + 1];
    char info[2048];
    int n = 0;

    look_descriptors(p);
    for (int i = 0; i < p->descriptors && n <= SHOWN; i++) {
        struct descriptor *d = &p->descriptor[i];

        if (s->kinds >> ends_kind(p, d) & 1 &&
            (s->end == ANY || (s->end == READS ? d->r : d->w)))
            can[n++] = d;
    }
    if (n == 1) {
        look_info(p, can[0]->fd, info, sizeof info);
        if (look_number(info, "eventfd-count:", 16)) /* until it is small */
            copy(w->call, sizeof w->call, "write");
        append(w->call, sizeof w->call, "(%d)", can[0]->fd);
        w->who->arg[0] = (unsigned long)can[0]->fd;
        w->open = !s->say;
        if (s->say) {
            s->say(w);
            return;
        }
    }
    if (n == 0)
        wait_add(w, ", of which descriptor may not be read");
    for (int i = 0; i < n && i < SHOWN; i++) {
        if (n > 1)
            wait_add(w, i ? " or fd %d, " : " of fd %d, ", can[i]->fd);
        else
            wait_add(w, " on ");
        ends_add_what(w, p, can[i]);
    }
    if (n > SHOWN)
        wait_add(w, " or others");
}

static void hidden_say(struct waiting *w)
{
    const struct sleep *s = NULL;
    char name[48];

    copy(name, sizeof name, w->who->wchan);
    name[strcspn(name, ".")] = '\0';
    for (size_t i = 0; i < sizeof sleeps / sizeof *sleeps && !s; i++)
        if (has_word(sleeps[i].wchan, name))
            s = &sleeps[i];
    if (!s) {
        w->open = true;
        if (*w->who->wchan)
            wait_add(w, " (in the kernel it is in %s)", w->who->wchan);
        return;
    }
    w->known = true;
    copy(w->call, sizeof w->call, s->name);
    w->open = !s->say || s->kinds;
    if (s->kinds)
        say_descriptor(w, s);
    else if (s->say)
        s->say(w);
    else if (strcmp(s->name, "futex") == 0)
        wait_add(w,
                 " (a semaphore, a mutex, a condition or a join), of which "
                 "more may not be read");
    else
        wait_add(w, ", of which more may not be read");
}

/* ---- which calls wait, and what explains each ------------------------- */

enum show { PLAIN, FD }; /* FD: its first argument is a descriptor */

/* Every call that can wait; by name, since the numbers are the machine's. */
static const struct call {
    long number;
    const char *name;
    void (*say)(struct waiting *w);
    enum show show;
    int limit; /* for add_limit; 0: it waits for ever */
} calls[] = {
    { SYS_read, "read", kind_data, FD, 0 },
    { SYS_readv, "readv", kind_data, FD, 0 },
    { SYS_preadv2, "preadv2", kind_data, FD, 0 },
    { SYS_recvfrom, "recv", kind_data, FD, 0 },
    { SYS_recvmsg, "recvmsg", kind_data, FD, 0 },
    { SYS_recvmmsg, "recvmmsg", kind_data, FD, 0 },
    { SYS_accept, "accept", kind_data, FD, 0 },
    { SYS_accept4, "accept", kind_data, FD, 0 },
    { SYS_mq_timedreceive, "mq_receive", kind_data, FD, 0 },
    { SYS_write, "write", kind_room, FD, 0 },
    { SYS_writev, "writev", kind_room, FD, 0 },
    { SYS_pwritev2, "pwritev2", kind_room, FD, 0 },
    { SYS_sendto, "send", kind_sendto, FD, 0 },
    { SYS_sendmsg, "sendmsg", kind_room, FD, 0 },
    { SYS_sendmmsg, "sendmmsg", kind_room, FD, 0 },
    { SYS_sendfile, "sendfile", kind_room, FD, 0 },
    { SYS_mq_timedsend, "mq_send", kind_room, FD, 0 },
    { SYS_splice, "splice", kind_splice, PLAIN, 0 },
    { SYS_tee, "tee", kind_data, FD, 0 },
    { SYS_vmsplice, "vmsplice", kind_room, FD, 0 },
    { SYS_connect, "connect", kind_connect, FD, 0 },
    { SYS_ppoll, "poll", kind_poll, PLAIN, 2 },
    { SYS_pselect6, "select", kind_select, PLAIN, 4 },
    { SYS_epoll_pwait, "epoll_wait", kind_epoll, FD, -3 },
#ifdef SYS_epoll_pwait2
    { SYS_epoll_pwait2, "epoll_wait", kind_epoll, FD, 3 },
#endif
    { SYS_openat, "open", kind_open, PLAIN, 0 },
    { SYS_flock, "flock", kind_lock, FD, 0 },
    { SYS_fcntl, "fcntl", kind_lock, FD, 0 },
    { SYS_wait4, "wait", kind_wait, PLAIN, 0 },
    { SYS_waitid, "waitid", kind_wait, PLAIN, 0 },
    { SYS_nanosleep, "nanosleep", kind_time, PLAIN, 0 },
    { SYS_clock_nanosleep, "nanosleep", kind_time, PLAIN, 0 },
    { SYS_rt_sigsuspend, "sigsuspend", kind_signal, PLAIN, 0 },
    { SYS_rt_sigtimedwait, "sigwait", kind_sigwait, PLAIN, 2 },
    { SYS_semop, "semop", kind_semop, PLAIN, 0 },
    { SYS_semtimedop, "semop", kind_semop, PLAIN, 3 },
    { SYS_msgrcv, "msgrcv", kind_msgrcv, PLAIN, 0 },
    { SYS_msgsnd, "msgsnd", kind_msgsnd, PLAIN, 0 },
    { SYS_futex, "futex", kind_futex, PLAIN, 0 },
    { SYS_clone, "vfork", kind_vfork, PLAIN, 0 },
    { SYS_clone3, "vfork", kind_vfork, PLAIN, 0 },
#ifdef SYS_io_uring_enter
    { SYS_io_uring_enter, "io_uring_enter", kind_uring, PLAIN, 0 },
#endif
#ifdef SYS_open /* these are older, and not on every machine */
    { SYS_open, "open", kind_open, PLAIN, 0 },
    { SYS_poll, "poll", kind_poll, PLAIN, -2 },
    { SYS_select, "select", kind_select, PLAIN, 4 },
    { SYS_epoll_wait, "epoll_wait", kind_epoll, FD, -3 },
    { SYS_pause, "pause", kind_signal, PLAIN, 0 },
    { SYS_vfork, "vfork", kind_vfork, PLAIN, 0 },
#endif
};

static void say_call(struct waiting *w)
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
        if (calls[i].limit)
            add_limit(w, calls[i].limit);
        return;
    }
    snprintf(w->call, sizeof w->call, "call %ld", t->call);
    if (*t->wchan)
        wait_add(w, " (in the kernel it is in %s)", t->wchan);
    w->open = true;
}

void wait_explain(struct thread *t, struct waiting *w)
{
    *w = (struct waiting){ .who = t };
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
        hidden_say(w);
}
