/*
 * needs.c - the calls that processes are in, in the words of the world
 */
#include "trace.h"
#include <stdlib.h>
#include <string.h>

/* NULL, -1 and what is no number are for ever. */
static void limit(struct wait *w, const char *limit)
{
    if (!*limit || *limit == '-' || begins(limit, "NULL"))
        return;
    if (*limit != '{') {
        w->limit = ((double)strtol(limit, NULL, 10) + 1e-3) / 1000;
        return;
    }
    w->limit = field_seconds(limit) + 1e-9;
    w->clock = w->limit > 100000;
}

static void operations(struct wait *w, const char *list)
{
    long n, by;

    while (w->operations < MAX_OPERATIONS && next_operation(&list, &n, &by))
        w->operation[w->operations++] =
            (struct operation){ (int)n, (int)by, -1 };
}

static void ask(struct process *p, const char *one, const char *events)
{
    struct wait *w = p->wait;
    struct asked *a = &w->asked[w->asks];
    struct file *file;
    int fd;

    if (w->asks == MAX_ASKED)
        return;
    *a = (struct asked){ .object = see(p, one, &fd, &file) };
    a->fd = fd;
    if (!a->object || fd == -1)
        return;
    a->need = strstr(events, "OUT")  ? NEEDS_ROOM
              : strstr(events, "IN") ? NEEDS_DATA
                                     : NEEDS_OTHER_END;
    a->w = file && file->r && !file->w;
    w->asks++;
}

/* [{fd=3<...>, events=POLLIN}, ...] */
static void ask_poll(struct process *p, const struct call *call)
{
    char one[300], events[80];

    for (const char *c = arg(call, 0); (c = strstr(c, "fd="));) {
        c += 3;
        next_descriptor(&c, one, sizeof one);
        field(c, "events", events, sizeof events);
        ask(p, one, *events ? events : "POLLIN");
    }
}

/* [3<...> 4<...>] to read, the same to write */
static void ask_select(struct process *p, const struct call *call)
{
    char one[300];

    for (int set = 1; set < 3; set++)
        for (const char *c = arg(call, set);
             next_descriptor(&c, one, sizeof one) != -1;)
            ask(p, one, set == 2 ? "OUT" : "IN");
}

static void fill(struct process *p)
{
    const struct call *call = &traced(p)->call;
    const struct meaning *m = meaning_of(call->name);
    struct wait *w = wait_new(p);
    struct file *file;
    char what[300];

    copy(w->source, sizeof w->source, traced(p)->source);
    if (m && m->shown)
        expand(m->shown, p, call, w->call, sizeof w->call);
    else
        copy(w->call, sizeof w->call, call->name);
    w->about = about(p, call, &w->end);
    if (!m)
        return;
    w->need = has(call, 1, "FUTEX_WAKE") ? NEEDS_NOTHING : m->need;
    if (m->limit)
        limit(w, arg(call, m->limit));
    w->object = p->target;
    switch (w->need) {
    case NEEDS_DATA:
    case NEEDS_ROOM:
        /* what is sent lies with the other end, the target */
        if (!w->object || (m->need == NEEDS_ROOM && m->flags & ON_FD))
            w->object = see(p, arg(call, 0), NULL, &file);
        break;
    case NEEDS_PARTNER:
        open_path(call, w->path, sizeof w->path);
        w->reads = strstr(open_flags(call), "O_RDONLY");
        break;
    case NEEDS_ACCEPT:
        w->object = bound_to(p->target, arg(call, 1));
        break;
    case NEEDS_CHILD:
        w->child = (pid_t)arg_number(call, strcmp(call->name, "waitid") == 0);
        if (called(p, w->child, true))
            w->child = called(p, w->child, true)->pid;
        break;
    case NEEDS_SIGNAL:
        if (strcmp(call->name, "rt_sigtimedwait") == 0)
            copy(w->set, sizeof w->set, arg(call, 0));
        else if (strcmp(arg(call, 0), "[]") != 0)
            copy(w->blocked, sizeof w->blocked, arg(call, 0));
        break;
    case NEEDS_WAKE:
        w->address = strtoul(arg(call, 0), NULL, 0);
        w->private = has(call, 1, "PRIVATE");
        w->own = w->object && !w->object->in && !opt.attached;
        w->expected = (unsigned)arg_number(call, 2);
        break;
    case NEEDS_TIME:
        limit(w, strchr(arg(call, 0), '{') ? arg(call, 0) : arg(call, 2));
        break;
    case NEEDS_SEMAPHORE:
        operations(w, arg(call, 1));
        break;
    case NEEDS_ONE_OF:
        w->epoll = -1;
        if (begins(call->name, "epoll"))
            w->epoll = descriptor(arg(call, 0), what, sizeof what);
        else if (strstr(call->name, "poll"))
            ask_poll(p, call);
        else
            ask_select(p, call);
        break;
    default:
        break;
    }
}

/* ---- has it to wait? -------------------------------------------------- */

static bool another_reads(const struct process *p, const struct object *o)
{
    for (struct process *q = processes; q; q = q->next)
        if (q != p && q->inside && traced(q)->must_wait && q->target == o)
            return true;
    return false;
}

/* Connected, and nobody has had the other end yet: what lies here it has sent
   itself. */
static bool not_accepted(const struct object *o)
{
    return o->kind == SOCKET && !o->datagrams && o->user &&
           (!o->peer || (!o->peer->w && o->peer->writers == 0));
}

static bool lacks_data(const struct process *p, const struct object *o)
{
    const struct object *other = o->kind == SOCKET && o->peer ? o->peer : o;

    if (not_accepted(o))
        return true;
    if (o->kind == FILE_ || o->kind == DEVICE)
        return false;
    if ((o->kind == PIPE || o->kind == FIFO || (o->peer && !o->datagrams)) &&
        other->writers <= 0)
        return false; /* the end of the file */
    if (*o->takes)    /* a signalfd */
        return !p->leader->signals.first;
    if (o->kind == MQ ? o->first != NULL : o->queued > 0)
        return another_reads(p, o);
    return true;
}

static bool lacks_room(struct object *o)
{
    enum { SOCKET_BYTES = 212992, QUEUE_BYTES = 16384 };
    long messages = 0;

    for (struct message *m = o->first; m && o->kind == MQ; m = m->next)
        messages++;
    return o->kind == PIPE || o->kind == FIFO ? o->queued > o->capacity
           : o->kind == SOCKET ? outbox(o)->queued > SOCKET_BYTES
           : o->kind == MSGQ   ? o->queued > QUEUE_BYTES
           : o->kind == MQ     ? messages > o->capacity
                               : false;
}

/* Has it neither a child that has ended, nor none at all? */
static bool lacks_child(const struct process *p, pid_t pid)
{
    bool any = false;

    for (struct process *q = processes; q; q = q->next) {
        if (!q->parent || q->parent->leader != p->leader || q->thread ||
            (pid > 0 && q->pid != pid))
            continue;
        if (q->state == ZOMBIE)
            return false;
        any |= alive(q);
    }
    return any;
}

static bool lacks_partner(const struct process *p, const struct object *o,
                          bool reads)
{
    if (!o || has(&traced((struct process *)p)->call, 1, "O_RDWR") ||
        has(&traced((struct process *)p)->call, 2, "O_RDWR"))
        return false;
    for (struct process *q = processes; q; q = q->next)
        if (alive(q) &&
            (holds(q, o, reads) ||
             (q != p && q->inside && q->in == IN_OPEN && q->target == o &&
              q->wait && q->wait->reads != reads)))
            return false;
    return true;
}

static bool lacks_value(struct object *set, const struct wait *w)
{
    for (int i = 0; set && i < w->operations; i++) {
        const struct operation *op = &w->operation[i];
        struct object *o = semaphore(set, op->number);
        bool known = o->given || set->made;

        if (o->undone && o->holder && !alive(o->holder))
            continue; /* its end has given it back */
        if (o->unknown)
            continue;
        if (op->by < 0 && (!known || o->queued + op->by < 0))
            return true;
        if (op->by == 0 && (!known || o->queued != 0))
            return true;
    }
    return false;
}

static bool lacks_message(const struct object *o, long type)
{
    for (struct message *m = o ? o->first : NULL; m; m = m->next)
        if (type == 0 || (type > 0 ? m->rank == type : m->rank <= -type))
            return false;
    return true;
}

static bool lacks_lock(const struct process *p, const struct call *call)
{
    const struct object *o = p->target;

    bool flock = strcmp(call->name, "flock") == 0;

    return o && o->holder && o->holder != p && alive(o->holder) &&
           o->flocked == flock && !has(call, 2, "UNLCK") &&
           !has(call, 1, "LOCK_UN") && (flock || has(call, 1, "LKW"));
}

static bool lacks_all(const struct process *p, const struct wait *w)
{
    if (w->limit > 0 && w->limit < 0.001)
        return false;
    for (int i = 0; i < w->asks; i++) {
        const struct asked *a = &w->asked[i];

        if (a->need == NEEDS_ROOM ? !lacks_room(a->object)
                                  : !lacks_data(p, a->object))
            return false;
    }
    return true;
}

/* As the world is when it goes into the call. */
bool has_to_wait(struct process *p)
{
    static const char *const at_once[] = { "NOWAIT", "NONBLOCK", "DONTWAIT",
                                           "WNOHANG", "LOCK_NB" };
    const struct call *call = &traced(p)->call;
    const struct meaning *m = meaning_of(call->name);
    struct file *file = NULL;
    struct wait *w;

    if (!m || !m->need)
        return false;
    for (int i = 0; i < call->args; i++)
        for (size_t j = 0; j < sizeof at_once / sizeof *at_once; j++)
            if (has(call, i, at_once[j]))
                return false;
    if (m->flags & ON_FD)
        see(p, arg(call, 0), NULL, &file);
    if (file && file->nonblocking)
        return false;
    fill(p);
    w = p->wait;
    switch (w->need) {
    case NEEDS_DATA:
        return !w->object || lacks_data(p, w->object);
    case NEEDS_ROOM:
        return w->object && lacks_room(w->object);
    case NEEDS_PARTNER:
        return lacks_partner(p, w->object, w->reads);
    case NEEDS_ACCEPT:
        return w->object && w->object->queued > w->object->capacity;
    case NEEDS_CHILD:
        return lacks_child(p, w->child);
    case NEEDS_SIGNAL:
        return !*w->set || !p->leader->signals.first;
    case NEEDS_SEMAPHORE:
        return lacks_value(w->object, w);
    case NEEDS_MESSAGE:
        return lacks_message(w->object, arg_number(call, 3));
    case NEEDS_LOCK:
        return lacks_lock(p, call);
    case NEEDS_ONE_OF:
        return lacks_all(p, w);
    case NEEDS_WAKE:
    case NEEDS_TIME:
        return true;
    default:
        return false;
    }
}

void trace_waits(void)
{
    for (struct process *p = processes; p; p = p->next)
        if (alive(p) && (p->inside || p->vain) && traced(p)->call.name)
            fill(p);
        else if (p->wait)
            wait_new(p);
}
