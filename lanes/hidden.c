/*
 * hidden.c - what can be said of a call that may not be read: by the kernel's
 * own function that it sleeps in (wchan), and the descriptors
 */
#include "kinds.h"
#include <stdlib.h>
#include <string.h>

enum {
    PIPES = 1 << PIPE | 1 << FIFO,
    SOCKETS = 1 << SOCKET,
    EVENTS = 1 << EVENTFD | 1 << TIMERFD,
    WOKEN = 1 << TERMINAL | 1 << SOCKET | 1 << INOTIFY
};

static void say_lock(struct waiting *w);

/*
 * What the kernel's own function tells, where the call may not be read: what
 * explains it, or which kinds of descriptors it can be, and for which of its
 * ends. Their names change from kernel to kernel; one that is not known is
 * told as it is.
 */
static const struct sleep {
    const char *wchan, *name; /* wchan: of newer kernels, and of older */
    unsigned kinds;
    enum end end;
    void (*say)(struct waiting *w);
} sleeps[] = {
    { "anon_pipe_read pipe_read", "read", PIPES, READS, NULL },
    { "pipe_wait_readable", "splice", PIPES, READS, NULL },
    { "anon_pipe_write pipe_write", "write", PIPES, WRITES, NULL },
    { "pipe_wait_writable", "splice", PIPES, WRITES, NULL },
    { "pipe_wait", .name = "read or write" },
    { "unix_stream_read_generic unix_stream_data_wait sk_wait_data", "recv",
      SOCKETS, READS, NULL },
    { "sock_alloc_send_pskb sk_stream_wait_memory", "send", SOCKETS, WRITES,
      NULL },
    { "unix_wait_for_peer", "connect or send", SOCKETS, WRITES, NULL },
    { "__skb_wait_for_more_packets", "recv or accept", SOCKETS, READS, NULL },
    { "inet_csk_accept", "accept", SOCKETS, READS, NULL },
    { "wait_woken", "read or write", WOKEN, ANY, NULL },
    { "n_tty_read", "read", WOKEN, ANY, NULL },
    { "wq_sleep", "mq_receive or mq_send", 1 << QUEUE, ANY, NULL },
    { "do_wait_intr_irq eventfd_read timerfd_read timerfd_read_iter", "read",
      EVENTS, READS, NULL },
    { "signalfd_read signalfd_read_iter signalfd_dequeue", "read",
      1 << SIGNALFD, READS, NULL },
    { "do_epoll_wait ep_poll", "epoll_wait", 1 << EPOLL, READS, NULL },
    { "poll_schedule_timeout", .name = "poll or select" },
    { "do_sys_poll", .name = "poll" },
    { "do_select", .name = "select" },
    { "locks_lock_inode_wait flock_lock_inode_wait", "flock",
      .say = say_lock },
    { "fcntl_setlk do_lock_file_wait", "fcntl", .say = say_lock },
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

/* The next descriptor that it can be. */
static struct descriptor *candidate(struct seen *p, const struct sleep *s,
                                    const struct descriptor *after)
{
    look_descriptors(p);
    for (int i = after ? (int)(after - p->descriptor) + 1 : 0;
         i < p->descriptors; i++) {
        struct descriptor *d = &p->descriptor[i];

        if (s->kinds >> ends_kind(p, d) & 1 &&
            (s->end == ANY || (s->end == READS ? d->r : d->w)))
            return d;
    }
    return NULL;
}

/* Of a lock the kernel's table tells for which file one waits. */
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

static void say_lock(struct waiting *w)
{
    struct descriptor *d = look_fd(w->who->of, waits_to_lock(w));
    const char *kind = strcmp(w->call, "flock") == 0 ? "FLOCK" : "POSIX";

    w->open = !d;
    if (!d)
        return;
    append(w->call, sizeof w->call, "(%d)", d->fd);
    wait_add(w, " on %s: ", d->link);
    kind_lock_holders(w, d, kind);
}

/* All that it can be; if that is one, what it lacks. */
static void say_descriptor(struct waiting *w, const struct sleep *s)
{
    struct seen *p = w->who->of;
    struct descriptor *d = candidate(p, s, NULL), *next = d;
    bool room = s->end == WRITES;
    char info[2048];

    if (!d) {
        wait_add(w, ", of which descriptor may not be read");
        return;
    }
    if (candidate(p, s, d)) {
        for (int said = 0; next; next = candidate(p, s, next)) {
            if (said == SHOWN) {
                wait_add(w, " or others");
                break;
            }
            wait_add(w, said++ ? " or fd %d, " : " of fd %d, ", next->fd);
            ends_add_what(w, p, next);
        }
        return;
    }
    look_info(p, d->fd, info, sizeof info);
    if (s->kinds == EVENTS && look_number(info, "eventfd-count:", 16)) {
        copy(w->call, sizeof w->call, "write"); /* until it is small */
        room = true;
    }
    append(w->call, sizeof w->call, "(%d)", d->fd);
    if (s->kinds == 1 << EPOLL) {
        struct pollfd list[128] = { 0 };

        ends_poll(w, list, look_epoll(p, d->fd, list, 128));
    } else if (s->end == ANY) {
        wait_add(w, " on ");
        ends_add_what(w, p, d);
    } else {
        w->open = false;
        ends_with_fd(w, d->fd, room);
    }
}

void hidden_say(struct waiting *w)
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
    if (s->say) {
        s->say(w);
        return;
    }
    w->open = true;
    if (s->kinds)
        say_descriptor(w, s);
    else if (strcmp(s->name, "futex") == 0)
        wait_add(w,
                 " (a semaphore, a mutex, a condition or a join), of which "
                 "more may not be read");
    else
        wait_add(w, ", of which more may not be read");
}
