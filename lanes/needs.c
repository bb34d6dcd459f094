/*
 * needs.c - the calls that processes are in, in the words of the world
 */
#include "trace.h"
#include <stdlib.h>
#include <string.h>

/* NULL, -1 and what is no number are for ever. */
static void limit(struct wait *w, const char *limit)
{
    char whole[24], part[24];

    if (*limit == '-' || strncmp(limit, "NULL", 4) == 0)
        return;
    if (*limit != '{') {
        w->limit = (double)strtol(limit, NULL, 10) / 1000;
        return;
    }
    field(limit, "tv_sec", whole, sizeof whole);
    field(limit, "tv_nsec", part, sizeof part);
    w->limit = (double)strtol(whole, NULL, 10) +
               (double)strtol(part, NULL, 10) / 1e9;
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
        w->object = bound_to(arg(call, 1));
        break;
    case NEEDS_CHILD:
        w->child = (pid_t)strtol(arg(call, strcmp(call->name, "waitid") == 0),
                                 NULL, 10);
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
        w->expected = (unsigned)strtol(arg(call, 2), NULL, 0);
        break;
    case NEEDS_TIME:
        limit(w, strchr(arg(call, 0), '{') ? arg(call, 0) : arg(call, 2));
        break;
    case NEEDS_SEMAPHORE:
        operations(w, arg(call, 1));
        break;
    case NEEDS_ONE_OF:
        w->epoll = -1;
        if (strncmp(call->name, "epoll", 5) == 0)
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

void trace_waits(void)
{
    for (struct process *p = processes; p; p = p->next)
        if (alive(p) && (p->inside || p->vain) && traced(p)->call.name)
            fill(p);
        else if (p->wait)
            wait_new(p);
}
