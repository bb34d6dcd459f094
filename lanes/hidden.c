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

static void say_lock(struct wait *w);

/*
 * What the kernel's own function tells, where the call may not be read: what
 * explains it, or which kinds of descriptors it can be, and for which of its
 * ends. Their names change from kernel to kernel; one that is not known is
 * told as it is.
 */
static const struct sleep {
    const char *wchan, *name;
    void (*say)(struct wait *w);
    unsigned kinds;
    enum end end;
} sleeps[] = {
    { "anon_pipe_read", "read", NULL, PIPES, READS },
    { "pipe_read", "read", NULL, PIPES, READS },
    { "pipe_wait_readable", "splice", NULL, PIPES, READS },
    { "anon_pipe_write", "write", NULL, PIPES, WRITES },
    { "pipe_write", "write", NULL, PIPES, WRITES },
    { "pipe_wait_writable", "splice", NULL, PIPES, WRITES },
    { "pipe_wait", "read or write", NULL, 0, ANY },
    { "unix_stream_read_generic", "recv", NULL, SOCKETS, READS },
    { "unix_stream_data_wait", "recv", NULL, SOCKETS, READS },
    { "sock_alloc_send_pskb", "send", NULL, SOCKETS, WRITES },
    { "unix_wait_for_peer", "connect or send", NULL, SOCKETS, WRITES },
    { "__skb_wait_for_more_packets", "recv or accept", NULL, SOCKETS, READS },
    { "inet_csk_accept", "accept", NULL, SOCKETS, READS },
    { "sk_wait_data", "recv", NULL, SOCKETS, READS },
    { "sk_stream_wait_memory", "send", NULL, SOCKETS, WRITES },
    { "wait_woken", "read or write", NULL, WOKEN, ANY },
    { "n_tty_read", "read", NULL, WOKEN, ANY },
    { "wq_sleep", "mq_receive or mq_send", NULL, 1 << QUEUE, ANY },
    { "do_wait_intr_irq", "read", NULL, EVENTS, READS },
    { "eventfd_read", "read", NULL, EVENTS, READS },
    { "timerfd_read", "read", NULL, EVENTS, READS },
    { "timerfd_read_iter", "read", NULL, EVENTS, READS },
    { "signalfd_read", "read", NULL, 1 << SIGNALFD, READS },
    { "signalfd_read_iter", "read", NULL, 1 << SIGNALFD, READS },
    { "signalfd_dequeue", "read", NULL, 1 << SIGNALFD, READS },
    { "do_epoll_wait", "epoll_wait", NULL, 1 << EPOLL, READS },
    { "ep_poll", "epoll_wait", NULL, 1 << EPOLL, READS },
    { "poll_schedule_timeout", "poll or select", NULL, 0, ANY },
    { "do_sys_poll", "poll", NULL, 0, ANY },
    { "do_select", "select", NULL, 0, ANY },
    { "locks_lock_inode_wait", "flock", say_lock, 0, ANY },
    { "flock_lock_inode_wait", "flock", say_lock, 0, ANY },
    { "fcntl_setlk", "fcntl", say_lock, 0, ANY },
    { "do_lock_file_wait", "fcntl", say_lock, 0, ANY },
    { "do_wait", "wait", kind_wait, 0, ANY },
    { "hrtimer_nanosleep", "nanosleep", kind_time, 0, ANY },
    { "do_nanosleep", "nanosleep", kind_time, 0, ANY },
    { "__do_sys_pause", "pause", kind_signal, 0, ANY },
    { "sys_pause", "pause", kind_signal, 0, ANY },
    { "do_sys_pause", "pause", kind_signal, 0, ANY },
    { "sigsuspend", "sigsuspend", kind_signal, 0, ANY },
    { "do_sigtimedwait", "sigwait", NULL, 0, ANY },
    { "futex_do_wait", "futex", NULL, 0, ANY },
    { "futex_wait_queue", "futex", NULL, 0, ANY },
    { "futex_wait_queue_me", "futex", NULL, 0, ANY },
    { "rt_mutex_schedule", "pthread_mutex_lock", NULL, 0, ANY },
    { "__do_semtimedop", "semop", NULL, 0, ANY },
    { "do_semtimedop", "semop", NULL, 0, ANY },
    { "do_msgrcv", "msgrcv", NULL, 0, ANY },
    { "do_msgsnd", "msgsnd", NULL, 0, ANY },
    { "wait_for_partner", "open of a FIFO", NULL, 0, ANY },
    { "kernel_clone", "vfork", kind_vfork, 0, ANY },
    { "io_cqring_wait", "io_uring_enter", NULL, 0, ANY },
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

static void say_lock(struct wait *w)
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
static void say_descriptor(struct wait *w, const struct sleep *s)
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

void hidden_say(struct wait *w)
{
    size_t length = strcspn(w->who->wchan, ".");
    const struct sleep *s = NULL;

    for (size_t i = 0; i < sizeof sleeps / sizeof *sleeps && !s; i++)
        if (strncmp(sleeps[i].wchan, w->who->wchan, length) == 0 &&
            strlen(sleeps[i].wchan) == length)
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
