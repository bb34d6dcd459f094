/*
 * verdict.c - nothing moves: who waits, in which call, on what, for whom
 *
 * Each kind of waiting says who could end it; where these wait in turn for
 * the first, it is a circle.
 */
#include "proc.h"
#include "trace.h"
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <time.h>

enum {
    GIVERS = 32,
    MANY = 5,
    CLOCK = 100000 /* seconds; more is a time of the clock, not a limit */
};

static struct wait {
    struct process *who;
    struct process *giver[GIVERS];
    int givers;
    bool itself;
    int line; /* of its text */
} * waits;
static int waiting;

static void giver(struct wait *w, struct process *p)
{
    if (p == w->who ||
        (p->leader == w->who->leader && p->table == w->who->table &&
         !p->thread && !w->who->thread))
        w->itself = true;
    for (int i = 0; i < w->givers; i++)
        if (w->giver[i] == p)
            return;
    if (w->givers < GIVERS)
        w->giver[w->givers++] = p;
}

static void line(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static void line(const char *format, ...)
{
    char text[400];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    say("             %s", text);
}

/* "A connect2 fd 4, B echo fd 1": who has such an end, and as what. */
static int holders(struct wait *w, struct object *o, bool writers, char *text,
                   size_t size)
{
    int ends = 0;

    *text = '\0';
    for (struct process *p = processes; p; p = p->next) {
        int had = ends;

        if (!alive(p) || p->thread)
            continue;
        for (int fd = 0; fd < p->table->size; fd++) {
            struct file *f = p->table->slot[fd].file;

            if (!f || f->object != o || !(writers ? f->w : f->r))
                continue;
            ends++;
            if (ends == had + 1)
                append(text, size, "%s%s fd %d", *text ? ", " : "",
                       p == w->who->leader ? "itself," : who(p), fd);
            else if (ends <= had + MANY)
                append(text, size, ends == had + MANY ? ",..." : ",%d", fd);
            giver(w, p);
        }
    }
    return ends;
}

static void say_holders(struct wait *w, struct object *o, bool writers)
{
    char text[300], outside[160];
    int n = holders(w, o, writers, text, sizeof text);
    int more = proc_outsiders(o, writers, outside, sizeof outside);
    const char *end = writers ? "write end" : "read end";

    if (n > 0)
        line("while %d %s%s open:  %s", n, end, n == 1 ? " is" : "s are",
             text);
    if (more > 0)
        line("outside of this picture:  %s", outside);
    if (n + more == 0)
        line("no %s is open that we know of", end);
}

/* What a descriptor that is not ready lacks; used by read and by poll. */
static void no_data(struct wait *w, struct object *o)
{
    char text[300];

    if (!o)
        return;
    switch (o->kind) {
    case PIPE:
    case FIFO:
        line("%s: no data, and no EOF", object_name(o));
        say_holders(w, o, true);
        break;
    case SOCKET:
        if (o->peer) {
            int n = holders(w, o->peer, true, text, sizeof text);

            line("%s: no data; the other end: %s", object_name(o),
                 n ? text : "nobody that we know of");
        } else {
            line("%s: nobody connects, nothing comes", object_name(o));
        }
        break;
    case MQ: {
        int n = holders(w, o, true, text, sizeof text);

        line("%s: the queue is empty; could send: %s", object_name(o),
             n ? text : "nobody");
        break;
    }
    case TTY:
        line("the terminal: nobody types");
        break;
    default:
        line("%s: nothing to read%s%s", object_name(o),
             *o->takes ? ", it takes " : "", o->takes);
        if (strstr(o->takes, "CHLD"))
            for (struct process *p = processes; p; p = p->next)
                if (alive(p) && p->parent == w->who->leader)
                    giver(w, p); /* its end would be a signal */
    }
}

static void no_room(struct wait *w, struct object *o)
{
    char text[300];

    if (!o)
        return;
    if (o->kind == SOCKET) {
        struct object *other = o->peer ? o->peer : o;
        int n = holders(w, other, false, text, sizeof text);

        line("%s: full; could read it: %s", object_name(o),
             n ? text : "nobody");
    } else if (o->kind == MQ) {
        int n = holders(w, o, false, text, sizeof text), messages = 0;

        for (struct message *m = o->first; m; m = m->next)
            messages += m->done != 0;
        line("%s: the queue is full, %d message%s; could receive: %s",
             object_name(o), messages, messages == 1 ? "" : "s",
             n ? text : "nobody");
    } else {
        long inside = o->queued;

        for (struct message *m = o->first; m; m = m->next)
            if (!m->done && m->from == w->who && inside > o->capacity)
                inside = o->capacity; /* the rest is not in it yet */
        line("%s: full, %ld bytes are in it", object_name(o), inside);
        say_holders(w, o, false);
    }
}

static void signals_of(struct wait *w, const char *set)
{
    struct process *p = w->who;
    char text[200] = "";

    if (set) {
        line("one of %s would do; none has come", set);
        return;
    }
    for (int i = 1; i < 65; i++)
        if (p->leader->handled[i])
            append(text, sizeof text, "%s%s", *text ? ", " : "",
                   signal_name(i));
    if (p->leader->handled[SIGCHLD]) /* the end of a child would do */
        for (struct process *q = processes; q; q = q->next)
            if (alive(q) && q->parent == p->leader)
                giver(w, q);
    if (*text)
        line("a signal with a handler would do: %s", text);
    else
        line("it has no handler: only a signal that ends it");
    if (strcmp(traced((struct process *)p)->call.name, "rt_sigsuspend") ==
            0 &&
        strcmp(arg(&traced((struct process *)p)->call, 0), "[]") != 0)
        line("blocked meanwhile: %s",
             arg(&traced((struct process *)p)->call, 0));
}

static void say_futex(struct wait *w)
{
    struct process *p = w->who;
    unsigned long at =
        strtoul(arg(&traced((struct process *)p)->call, 0), NULL, 0);
    unsigned value = 0, owner = 0;
    struct object *o = p->target;
    struct process *holder = NULL;
    long tid = strtol(arg(&traced((struct process *)p)->call, 2), NULL, 10);
    char text[200] = "";

    for (struct process *q = processes; q; q = q->next)
        if (q->thread && q->pid == tid && alive(q) && tid > 2) {
            line("for the end of thread %s", who(q));
            giver(w, q);
            return;
        }
    if (live && proc_word(p->pid, at, &value)) {
        if (value == 2 && proc_word(p->pid, at + 8, &owner))
            holder = anyone((pid_t)owner); /* as the C library notes it */
        else if (value & 0x80000000) /* a robust one has it in the word */
            holder = anyone((pid_t)(value & 0x3fffffff));
        if (holder) {
            line("a mutex [%s]: held by %s%s", object_name(o),
                 holder == p ? "itself" : who(holder),
                 alive(holder) ? "" : ", who has ended");
            if (alive(holder))
                giver(w, holder);
            return;
        }
        line("[%s]: its value is %u, and nobody wakes it", object_name(o),
             value);
    } else {
        line("[%s]: nobody wakes it", object_name(o));
    }
    if (strstr(arg(&traced((struct process *)p)->call, 1), "PRIVATE")) {
        for (struct process *q = processes; q; q = q->next)
            if (q != p && q->leader == p->leader && alive(q)) {
                append(text, sizeof text, "%s%s", *text ? ", " : "", who(q));
                giver(w, q);
            }
        line("only threads of its own process could:  %s",
             *text ? text : "it has no other");
        if (!*text)
            giver(w, p);
    }
    if (o->user && o->user != p)
        line("the last wake-up came from %s", who(o->user));
}

static void say_semop(struct wait *w)
{
    struct object *set = w->who->target, *o;
    int id = (int)strtol(arg(&traced(w->who)->call, 0), NULL, 10);
    long n, by;

    for (const char *c = arg(&traced(w->who)->call, 1);
         next_operation(&c, &n, &by);) {
        int value = live ? semctl(id, (int)n, GETVAL) : -1;

        if (by > 0 || (value != -1 && by < 0 && value >= -by))
            continue; /* this one could be done */
        if (value != -1)
            line("%s, semaphore %ld: its value is %d, it wants %ld",
                 object_name(set), n, value, by);
        else
            line("%s, semaphore %ld: it wants %ld", object_name(set), n, by);
        o = semaphore(set, n);
        if (!o->holder)
            continue;
        line("%s took it last%s",
             o->holder == w->who ? "it itself" : who(o->holder),
             alive(o->holder) ? "" : ", and has ended");
        if (alive(o->holder))
            giver(w, o->holder);
    }
}

static void say_queue(struct wait *w)
{
    struct object *o = w->who->target;
    char text[200] = "";
    int n = 0;

    for (struct message *m = o->first; m; m = m->next)
        if (m->done) {
            n++;
            append(text, sizeof text, "%stype %ld", *text ? ", " : "",
                   m->rank);
        }
    if (n == 0)
        line("%s: the queue is empty", object_name(o));
    else if (live) /* strace has not yet said what it wants */
        line("%s: in the queue: %s; wanted: type %ld", object_name(o), text,
             proc_arg(w->who->pid, 3));
    else
        line("%s: in the queue: %s", object_name(o), text);
}

static void say_lock(struct wait *w)
{
    struct object *o = w->who->target;

    if (!o)
        return;
    if (o->holder && alive(o->holder)) {
        line("%s: locked by %s", object_name(o), who(o->holder));
        giver(w, o->holder);
    } else {
        line("%s: locked, we have not seen by whom", object_name(o));
    }
}

static void say_open(struct wait *w)
{
    const struct call *call = &traced(w->who)->call;
    bool reads = strstr(open_flags(call), "O_RDONLY");
    char path[512];

    open_path(call, path, sizeof path);
    line("%s: a FIFO; it waits until somebody opens it to %s", path,
         reads ? "write" : "read");
    for (struct process *p = processes; p; p = p->next)
        if (alive(p) && p->inside && p->in == IN_OPEN &&
            p->target != w->who->target)
            giver(w, p); /* it would come to ours next, perhaps */
}

static void say_wait(struct wait *w)
{
    struct process *p = w->who;
    long pid = strtol(
        arg(&traced((struct process *)p)->call,
            strcmp(traced((struct process *)p)->call.name, "waitid") == 0),
        NULL, 10);
    char text[300] = "";

    for (struct process *q = processes; q; q = q->next)
        if (q->parent && q->parent->leader == p->leader && alive(q) &&
            !q->thread && (pid <= 0 || q->pid == pid)) {
            append(text, sizeof text, "%s%s", *text ? ", " : "", who(q));
            giver(w, q);
        }
    line("until it ends: %s", *text ? text : "no child that we know of");
}

/* One of epoll's, with the events that it asks for. */
static void not_ready(void *context, int fd, int events)
{
    struct wait *w = context;
    struct slot *slot = slot_of(w->who, fd);

    line("fd %d is not ready:", fd);
    if (slot && slot->file && events & POLLOUT)
        no_room(w, slot->file->object);
    else if (slot && slot->file)
        no_data(w, slot->file->object);
}

static void say_poll(struct wait *w)
{
    const struct call *call = &traced(w->who)->call;
    bool poll = strstr(call->name, "poll") != NULL;
    char one[300], events[80];

    if (strncmp(call->name, "epoll", 5) == 0) {
        if (proc_epoll(w->who->pid, descriptor(arg(call, 0), one, 200),
                       not_ready, w) == 0)
            line("none of its descriptors is ready");
        return;
    }
    for (int set = poll ? 0 : 1; set < (poll ? 1 : 3); set++)
        for (const char *c = arg(call, set); *c; c++) {
            size_t n = 0;
            int fd, depth = 0;
            struct object *o;

            if (poll ? strncmp(c, "fd=", 3) != 0
                     : !(*c >= '0' && *c <= '9' &&
                         (c[-1] == '[' || c[-1] == ' ')))
                continue;
            if (poll)
                c += 3;
            for (; c[n]; n++) {
                depth += c[n] == '<';
                depth -= c[n] == '>' && c[n - 1] != '-';
                if (depth == 0 && strchr(", ]}", c[n]))
                    break;
            }
            snprintf(one, sizeof one, "%.*s", (int)n, c);
            o = see(w->who, one, &fd, NULL);
            if (!poll || !field(c + n, "events", events, sizeof events))
                copy(events, sizeof events, set == 2 ? "POLLOUT" : "POLLIN");
            c += n;
            if (fd == -1 || !o) {
                if (!*c)
                    break;
                continue;
            }
            line("fd %d is not ready:", fd);
            if (strstr(events, "OUT"))
                no_room(w, o);
            else if (strstr(events, "POLLIN"))
                no_data(w, o);
            else { /* asks for the other side's end only */
                char text[300];
                bool other = false;
                struct file *f = NULL;

                see(w->who, one, NULL, &f);
                other = f && f->r && !f->w;
                if (o->kind == PIPE || o->kind == FIFO) {
                    int ends = holders(w, o, other, text, sizeof text);

                    line("%s: its other end is open:  %s", object_name(o),
                         ends ? text : "nobody that we know of");
                } else {
                    no_data(w, o);
                }
            }
            if (!*c)
                break;
        }
}

static void say_connect(struct wait *w)
{
    struct object *listener = bound_to(arg(&traced(w->who)->call, 1));
    char text[300] = "";

    if (listener)
        holders(w, listener, false, text, sizeof text);
    line("its queue is full, or it does not answer; could accept: %s",
         *text ? text : "nobody that we know of");
}

static void needs_data(struct wait *w)
{
    struct object *o = w->who->target;

    no_data(w,
            o ? o : see(w->who, arg(&traced(w->who)->call, 0), NULL, NULL));
}

static void needs_room(struct wait *w)
{
    if (strcmp(traced(w->who)->call.name, "msgsnd") == 0)
        line("%s: the queue is full", object_name(w->who->target));
    else
        no_room(w, see(w->who, arg(&traced(w->who)->call, 0), NULL, NULL));
}

static void needs_signal(struct wait *w)
{
    signals_of(w, strcmp(traced(w->who)->call.name, "rt_sigtimedwait") == 0
                      ? arg(&traced(w->who)->call, 0)
                      : NULL);
}

static void needs_time(struct wait *w)
{
    (void)w;
    line("it sleeps; time will end that");
}

/* Every call that can wait for ever. */
static const struct kind_of_wait {
    const char *name;
    void (*say)(struct wait *w);
    int limit; /* the argument that bounds it, or -1 */
} kinds[] = {
    { "read", needs_data, -1 },
    { "readv", needs_data, -1 },
    { "recvfrom", needs_data, -1 },
    { "recvmsg", needs_data, -1 },
    { "splice", needs_data, -1 },
    { "accept", needs_data, -1 },
    { "accept4", needs_data, -1 },
    { "mq_timedreceive", needs_data, 4 },
    { "write", needs_room, -1 },
    { "writev", needs_room, -1 },
    { "sendto", needs_room, -1 },
    { "sendmsg", needs_room, -1 },
    { "mq_timedsend", needs_room, 4 },
    { "msgsnd", needs_room, -1 },
    { "msgrcv", say_queue, -1 },
    { "semop", say_semop, -1 },
    { "semtimedop", say_semop, 3 },
    { "futex", say_futex, 3 },
    { "flock", say_lock, -1 },
    { "fcntl", say_lock, -1 },
    { "open", say_open, -1 },
    { "openat", say_open, -1 },
    { "connect", say_connect, -1 },
    { "wait4", say_wait, -1 },
    { "waitpid", say_wait, -1 },
    { "waitid", say_wait, -1 },
    { "pause", needs_signal, -1 },
    { "rt_sigsuspend", needs_signal, -1 },
    { "rt_sigtimedwait", needs_signal, 2 },
    { "poll", say_poll, 2 },
    { "ppoll", say_poll, 2 },
    { "select", say_poll, 4 },
    { "pselect6", say_poll, 4 },
    { "epoll_wait", say_poll, 3 },
    { "epoll_pwait", say_poll, 3 },
    { "nanosleep", needs_time, -1 },
    { "clock_nanosleep", needs_time, -1 },
};

static const struct kind_of_wait *kind_of(const struct call *call)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(call->name, kinds[i].name) == 0)
            return &kinds[i];
    return NULL;
}

/* How long it may take, as strace writes it; "" if it is for ever. */
static const char *time_limit(const struct call *call)
{
    const struct kind_of_wait *kind = kind_of(call);
    const char *limit =
        kind && kind->limit != -1 ? arg(call, kind->limit) : "";

    return *limit == '-' || strncmp(limit, "NULL", 4) == 0 ? "" : limit;
}

/* The same in seconds; a time of the clock counts from where silence began.
 */
static double limit_seconds(const char *limit, double silence)
{
    char whole[24], part[24] = "0";
    struct timespec now;
    double seconds;

    if (*limit != '{')
        return (double)strtol(limit, NULL, 10) / 1000;
    field(limit, "tv_sec", whole, sizeof whole);
    field(limit, "tv_nsec", part, sizeof part);
    seconds = (double)strtol(whole, NULL, 10) +
              (double)strtol(part, NULL, 10) / 1e9;
    if (seconds < CLOCK)
        return seconds;
    clock_gettime(CLOCK_REALTIME, &now);
    return seconds - (double)now.tv_sec - (double)now.tv_nsec / 1e9 + silence;
}

/* Will one go on by itself just when the others count as stuck? */
bool one_gives_up(double stuck, double silence)
{
    for (struct process *p = processes; p; p = p->next) {
        const char *limit =
            alive(p) && p->inside
                ? time_limit(&traced((struct process *)p)->call)
                : "";
        double seconds = *limit ? limit_seconds(limit, silence) : 0;

        if (seconds > stuck * 0.9 && seconds < stuck * 1.4)
            return true;
    }
    return false;
}

static void say_limit(const char *limit)
{
    char seconds[24];

    if (*limit == '\0')
        return;
    if (*limit != '{') {
        line("(it will give up by itself: %.20s ms)", limit);
        return;
    }
    field(limit, "tv_sec", seconds, sizeof seconds);
    if (strtol(seconds, NULL, 10) > CLOCK)
        line("(it will give up by itself: until a time of the clock)");
    else
        line("(it will give up by itself: %.20s s or more)", seconds);
}

static void explain(struct wait *w)
{
    const struct kind_of_wait *kind = kind_of(&traced(w->who)->call);

    if (kind)
        kind->say(w);
    say_limit(time_limit(&traced(w->who)->call));
}

static bool sleeps(const struct process *p)
{
    const struct meaning *m =
        meaning_of(traced((struct process *)p)->call.name);

    if (!p->inside || !m)
        return false;
    if (m->flags & TIMED)
        return true;
    if (p->target && p->target->kind == TTY &&
        strcmp(traced((struct process *)p)->call.name, "read") == 0)
        return true; /* the human is slow */
    return strstr(traced((struct process *)p)->call.name, "poll") &&
           *time_limit(&traced((struct process *)p)->call) &&
           strncmp(arg(&traced((struct process *)p)->call, 0), "NULL", 4) ==
               0;
}

/* Is every process in a call that only another can end? */
bool all_wait(void)
{
    int n = 0;

    for (struct process *p = processes; p; p = p->next) {
        char state;

        if (!alive(p) || p->hidden)
            continue;
        n++;
        if (p->state == ENDING || sleeps(p))
            return false;
        if (!live) {
            if (!p->inside)
                return false;
            continue;
        }
        state = proc_state(p->pid);
        if (state != 'S' && state != 'D' && state != 'T' && state != 'Z')
            return false;
    }
    return n > 0;
}

static struct wait *wait_of(struct process *p)
{
    for (int i = 0; i < waiting; i++)
        if (waits[i].who == p)
            return &waits[i];
    return NULL;
}

/* Looks for a way from p back to p, over those who wait. */
static int circle(struct process *p, struct process *goal,
                  struct process *path[], int n)
{
    struct wait *w = wait_of(p);

    if (!w || n >= 12)
        return 0;
    for (int i = 0; i < w->givers; i++) {
        bool seen = false;
        int found;

        path[n] = w->giver[i];
        if (w->giver[i] == goal)
            return n + 1;
        for (int j = 0; j < n; j++)
            seen |= path[j] == w->giver[i];
        if (!seen && (found = circle(w->giver[i], goal, path, n + 1)))
            return found;
    }
    return 0;
}

void verdict(double seconds)
{
    struct process **all, *path[16];
    int n = 0, shortest = 0;

    proc_tables();
    for (struct process *p = processes; p; p = p->next)
        n += alive(p) && !p->hidden;
    all = zeros((size_t)n + 1, sizeof(struct process *));
    waits = zeros((size_t)n + 1, sizeof *waits);
    waiting = 0;
    for (struct process *p = processes; p; p = p->next)
        if (alive(p) && !p->hidden)
            all[n - 1 - waiting++] = p; /* the oldest first */
    say("%s", "");
    if (seconds > 0)
        say("Nothing has moved for %g second%s.", seconds,
            seconds == 1 ? "" : "s");
    else
        say("The log ends here.");
    for (int i = 0; i < waiting; i++) {
        struct wait *w = &waits[i];
        char text[200], tag[64];

        *w = (struct wait){ .who = all[i] };
        if (!w->who->inside) {
            say("  %-10s is in no system call", who(w->who));
            continue;
        }
        {
            const struct meaning *m = meaning_of(traced(w->who)->call.name);
            char first[400];

            if (m && m->shown)
                expand(m->shown, w->who, &traced(w->who)->call, text,
                       sizeof text);
            else
                copy(text, sizeof text, traced(w->who)->call.name);
            tag_of(w->who, &traced(w->who)->call, tag, sizeof tag);
            snprintf(first, sizeof first, "  %-10s is in %s%s%s%s",
                     who(w->who), text, *tag ? " [" : "", tag,
                     *tag ? "]" : "");
            if (*traced(w->who)->source)
                say("%-60s  %s", first, traced(w->who)->source);
            else
                say("%s", first);
            explain(w);
        }
    }
    for (int i = 0; i < waiting; i++) {
        int length;

        if (waits[i].itself && waits[i].givers == 1) {
            say("%s waits for itself.", who(waits[i].who));
            shortest = 1;
            continue;
        }
        length = circle(waits[i].who, waits[i].who, path, 0);
        if (length < 2 || shortest)
            continue;
        shortest = length;
        {
            char text[400];

            snprintf(text, sizeof text, "%s", letter(waits[i].who));
            for (int j = 0; j < length; j++)
                append(text, sizeof text, " waits for %s%s", letter(path[j]),
                       j < length - 1 ? ", who" : "");
            say("%s: a circle.", text);
        }
    }
    free(all);
    free(waits);
    waits = NULL;
    waiting = 0;
}
