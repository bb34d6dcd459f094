/*
 * hidden.c - what can be said of a call that may not be read: by the kernel's
 * own function that it sleeps in (wchan), and the descriptors
 */
#include "kinds.h"
#include <stdlib.h>
#include <string.h>

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
        if (fits(means, ends_kind(p, &p->descriptor[i]), &p->descriptor[i])) {
            fd = p->descriptor[i].fd;
            n++;
        }
    if (n == 1)
        return fd;
    if (n == 0)
        wait_add(w, ", of which descriptor may not be read");
    for (int i = 0, said = 0; n > 1 && i < p->descriptors; i++) {
        struct descriptor *d = &p->descriptor[i];

        if (!fits(means, ends_kind(p, d), d))
            continue;
        if (said == SHOWN) {
            wait_add(w, " or others");
            break;
        }
        wait_add(w, said++ ? " or fd %d, " : " of fd %d, ", d->fd);
        ends_add_what(w, p, d);
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

        look_info(w->who->of, fd, text, sizeof text);
        if (look_number(text, "eventfd-count:", 16)) {
            snprintf(w->call, sizeof w->call, "write");
            means = SOCKET_W;
        }
    }
    snprintf(w->call + strlen(w->call), 16, "(%d)", fd);
    if (means == POLLS) {
        struct pollfd list[128] = { 0 };

        ends_poll(w, list, look_epoll(w->who->of, fd, list, 128));
    } else if (means == WOKEN || means == MESSAGES) {
        wait_add(w, " on ");
        ends_add_what(w, w->who->of, d);
    } else {
        w->open = false;
        ends_with_fd(w, fd, means == PIPE_W || means == SOCKET_W);
    }
}

void hidden_say(struct wait *w)
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
            wait_add(w, " (in the kernel it is in %s)", w->who->wchan);
        return;
    }
    w->known = true;
    snprintf(w->call, sizeof w->call, "%s", s->name);
    switch (s->means) {
    case CHILD:
        w->open = false;
        kind_wait(w);
        break;
    case SLEEP:
        kind_time(w);
        break;
    case SIGNALS:
        kind_signal(w);
        break;
    case VFORKS:
        w->open = false;
        kind_vfork(w);
        break;
    case LOCKS:
        d = look_fd(w->who->of, waits_to_lock(w));
        if (!d)
            break;
        w->open = false;
        snprintf(w->call, sizeof w->call, "%s(%d)", s->name, d->fd);
        wait_add(w, " on %s: ", d->link);
        kind_lock_holders(w, d,
                          strcmp(s->name, "flock") == 0 ? "FLOCK" : "POSIX");
        break;
    case NOTHING:
        if (strcmp(s->name, "futex") == 0)
            wait_add(
                w, " (a semaphore, a mutex, a condition or a join), of which "
                   "more may not be read");
        else
            wait_add(w, ", of which more may not be read");
        break;
    default:
        say_hidden_fd(w, s->means);
    }
}
