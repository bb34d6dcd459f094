/*
 * explain.c - which calls wait, and what explains each: a table
 */
#include "kinds.h"
#include <string.h>
#include <sys/syscall.h>

enum show { PLAIN, FD }; /* FD: its first argument is a descriptor */

/* Every call that can wait; by name, since the numbers are the machine's. */
static const struct call {
    long number;
    const char *name;
    enum show show;
    void (*say)(struct wait *w);
} calls[] = {
    { SYS_read, "read", FD, kind_data },
    { SYS_readv, "readv", FD, kind_data },
    { SYS_preadv2, "preadv2", FD, kind_data },
    { SYS_recvfrom, "recv", FD, kind_data },
    { SYS_recvmsg, "recvmsg", FD, kind_data },
    { SYS_recvmmsg, "recvmmsg", FD, kind_data },
    { SYS_accept, "accept", FD, kind_data },
    { SYS_accept4, "accept", FD, kind_data },
    { SYS_mq_timedreceive, "mq_receive", FD, kind_data },
    { SYS_write, "write", FD, kind_room },
    { SYS_writev, "writev", FD, kind_room },
    { SYS_pwritev2, "pwritev2", FD, kind_room },
    { SYS_sendto, "send", FD, kind_sendto },
    { SYS_sendmsg, "sendmsg", FD, kind_room },
    { SYS_sendmmsg, "sendmmsg", FD, kind_room },
    { SYS_sendfile, "sendfile", FD, kind_room },
    { SYS_mq_timedsend, "mq_send", FD, kind_room },
    { SYS_splice, "splice", PLAIN, kind_splice },
    { SYS_tee, "tee", FD, kind_data },
    { SYS_vmsplice, "vmsplice", FD, kind_room },
    { SYS_connect, "connect", FD, kind_connect },
    { SYS_ppoll, "poll", PLAIN, kind_poll },
    { SYS_pselect6, "select", PLAIN, kind_select },
    { SYS_epoll_pwait, "epoll_wait", FD, kind_epoll },
#ifdef SYS_epoll_pwait2
    { SYS_epoll_pwait2, "epoll_wait", FD, kind_epoll },
#endif
    { SYS_openat, "open", PLAIN, kind_open },
    { SYS_flock, "flock", FD, kind_flock },
    { SYS_fcntl, "fcntl", FD, kind_fcntl },
    { SYS_wait4, "wait", PLAIN, kind_wait },
    { SYS_waitid, "waitid", PLAIN, kind_wait },
    { SYS_nanosleep, "nanosleep", PLAIN, kind_time },
    { SYS_clock_nanosleep, "nanosleep", PLAIN, kind_time },
    { SYS_rt_sigsuspend, "sigsuspend", PLAIN, kind_signal },
    { SYS_rt_sigtimedwait, "sigwait", PLAIN, kind_sigwait },
    { SYS_semop, "semop", PLAIN, kind_semop },
    { SYS_semtimedop, "semtimedop", PLAIN, kind_semop },
    { SYS_msgrcv, "msgrcv", PLAIN, kind_msgrcv },
    { SYS_msgsnd, "msgsnd", PLAIN, kind_msgsnd },
    { SYS_futex, "futex", PLAIN, kind_futex },
    { SYS_clone, "vfork", PLAIN, kind_vfork },
    { SYS_clone3, "vfork", PLAIN, kind_vfork },
#ifdef SYS_io_uring_enter
    { SYS_io_uring_enter, "io_uring_enter", PLAIN, kind_uring },
#endif
#ifdef SYS_open /* these are older, and not on every machine */
    { SYS_open, "open", PLAIN, kind_open },
    { SYS_poll, "poll", PLAIN, kind_poll },
    { SYS_select, "select", PLAIN, kind_select },
    { SYS_epoll_wait, "epoll_wait", FD, kind_epoll },
    { SYS_pause, "pause", PLAIN, kind_signal },
    { SYS_vfork, "vfork", PLAIN, kind_vfork },
#endif
};

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
        wait_add(w, " (in the kernel it is in %s)", t->wchan);
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
        hidden_say(w);
}
