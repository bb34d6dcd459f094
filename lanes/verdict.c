/*
 * verdict.c - which process waits, in which call, on what, for which
 *
 * Each kind of waiting says which processes could end it. One that no
 * process could end but those that wait themselves is stuck; where they wait
 * in turn for the first, it is a circle. All is read from the world.
 */
#include "verdict.h"
#include "circles.h"
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GIVERS = 32, MANY = 5, IN_VAIN = 20 };

static struct waiter {
    struct process *who;
    struct wait *wait;
    struct process *giver[GIVERS];
    int givers;
    bool itself;
    enum { NOBODY, IF_NO_GIVER, ALWAYS } anyone; /* of the picture could */
    bool unknown;           /* something else may end it, such as time */
    struct object *strange; /* has a name, so that strangers may come */
} * waiters;
static int waiting;
static bool *stuck, *told;            /* see circles.h */
static void (*out)(const char *line); /* NULL: only givers are wanted */

static void say(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
static void line(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    char text[600];
    va_list list;

    if (!out)
        return;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    out(text);
}

static void line(const char *format, ...)
{
    char text[500];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    say("             %s", text);
}

/* It gets its P1 or S1 when it is first named. */
static const char *name(struct object *o)
{
    return out ? object_name(o) : o->name;
}

/* ---- what a process does ---------------------------------------------- */

static bool ours(const struct process *p)
{
    return alive(p) && !p->hidden && !outside(p);
}

static bool in_call(const struct process *p)
{
    return p->wait && *p->wait->call;
}

static bool in_vain(const struct process *p)
{
    return p->vain && p->again >= IN_VAIN && in_call(p);
}

/* Will time end it, or the user? */
static bool sleeps(const struct process *p)
{
    const struct wait *w = p->wait;

    return in_call(p) && !p->stopped &&
           (w->need == NEEDS_TIME ||
            (w->need == NEEDS_DATA && w->object && w->object->kind == TTY) ||
            (w->need == NEEDS_ONE_OF && w->limit > 0 && w->asks == 0 &&
             w->epoll == -1));
}

/* Why it gives nothing; one that waits itself has lines of its own. */
static const char *state_of(const struct process *p)
{
    static char text[80];

    if (p->stopped)
        return ", which is stopped";
    if (in_vain(p)) {
        snprintf(text, sizeof text, ", which gets %s again and again",
                 p->vain);
        return text;
    }
    if (p->run == 'R' && !in_call(p))
        return ", which computes";
    if (!sleeps(p) || p->wait->need != NEEDS_TIME)
        return "";
    snprintf(text, sizeof text, ", which sleeps %.3g s", p->wait->limit);
    return text;
}

/* The same of one that has what is waited for; before it: ", and ". */
static const char *where_now(const struct process *p, const char *before)
{
    static char text[200];

    if (!alive(p))
        snprintf(text, sizeof text, "%shas ended", before);
    else if (*state_of(p) || !in_call(p))
        return state_of(p);
    else
        snprintf(text, sizeof text, "%sis now in %.150s", before,
                 p->wait->call);
    return text;
}

/* ---- which could end it ----------------------------------------------- */

static void giver(struct waiter *w, struct process *p)
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
    else
        w->unknown = true;
}

/* Its name goes into the list, too. */
static void named_giver(struct waiter *w, struct process *p, char *text,
                        size_t size)
{
    append(text, size, "%s%s%s", *text ? ", " : "", who(p), state_of(p));
    giver(w, p);
}

static void strangers(struct waiter *w, struct object *o)
{
    w->anyone = IF_NO_GIVER;
    if (!o->gone)
        w->strange = o;
}

/* "A connect2 fd 4, B echo fd 1": which has such an end, and as what; out:
   those that are no part of the picture. */
static int holders(struct waiter *w, struct object *o, bool writers, bool out,
                   char *text, size_t size)
{
    int ends = 0;

    *text = '\0';
    for (struct process *p = processes; p; p = p->next) {
        int had = ends;

        if (!alive(p) || p->thread || outside(p) != out)
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
        }
        if (ends == had)
            continue;
        giver(w, p);
        if (p != w->who->leader)
            append(text, size, "%s", state_of(p));
    }
    return ends;
}

static void say_holders(struct waiter *w, struct object *o, bool writers)
{
    char text[400];
    const char *end = writers ? "write end" : "read end";
    int n = holders(w, o, writers, false, text, sizeof text), more;

    if (n > 0)
        line("while %d %s%s open:  %s", n, end, n == 1 ? " is" : "s are",
             text);
    more = holders(w, o, writers, true, text, sizeof text);
    if (more > 0)
        line("outside of this picture:  %s", text);
    if (n + more == 0)
        line("no %s is open that we know of", end);
    if (o->kind == FIFO)
        strangers(w, o);
    else
        w->unknown |= n + more == 0;
}

static void say_others(struct waiter *w, struct object *o, bool writers,
                       const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void say_others(struct waiter *w, struct object *o, bool writers,
                       const char *format, ...)
{
    char what[160], text[400];
    va_list list;

    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    if (holders(w, o, writers, false, text, sizeof text) == 0 &&
        o->kind != MQ)
        w->unknown = true;
    line("%s %s", what, *text ? text : "nobody that we know of");
}

/* Is there any other process in the picture? */
static bool alone(const struct process *p)
{
    for (struct process *q = processes; q; q = q->next)
        if (ours(q) && q->leader != p->leader)
            return false;
    return true;
}

/* Another has come too early, and will not come again. */
static void say_early(struct waiter *w, const struct object *o)
{
    const struct early *early = &o->early;

    if (!early->who || early->who->leader == w->who->leader)
        return;
    if (early->row)
        line("%s %s (row %ld)", who(early->who), early->what, early->row);
    else
        line("%s %s", who(early->who), early->what);
}

/* ---- what is needed --------------------------------------------------- */

/* Could one come, of this set or with a handler? */
static void signals_for(struct waiter *w, const char *set)
{
    struct process *p = w->who, *leader = p->leader;
    int ended = 0;

    if (leader->handled[SIGCHLD] || strstr(set, "CHLD"))
        for (struct process *q = processes; q; q = q->next)
            if (alive(q) && q->parent == leader)
                giver(w, q); /* its end would be one */
    w->anyone = ALWAYS;
    for (int i = 1; i < 65; i++)
        if (leader->sent[i] > leader->came[i] + 1)
            line("%s: %d sent, %d came: one that still waits to come "
                 "swallows the next",
                 signal_name(i), leader->sent[i], leader->came[i]);
    for (struct process *q = processes; q; q = q->next)
        ended += q->state == ZOMBIE && q->parent == leader;
    if (ended > 1)
        line("%d children have ended that it has not waited for: one SIGCHLD "
             "may stand for several",
             ended);
    if (alone(p))
        line("nobody is left in this picture that could send one");
}

static void needs_signal(struct waiter *w)
{
    char text[200] = "";

    for (int i = 1; i < 65; i++)
        if (w->who->leader->handled[i])
            append(text, sizeof text, "%s%s", *text ? ", " : "",
                   signal_name(i));
    if (*w->wait->set)
        line("one of %s would do; none has come", w->wait->set);
    else if (*text)
        line("a signal with a handler would do: %s", text);
    else
        line("it has no handler: only a signal that ends it");
    if (*w->wait->blocked)
        line("blocked meanwhile: %s", w->wait->blocked);
    if (*w->wait->untold)
        line("%s", w->wait->untold);
    signals_for(w, w->wait->set);
}

/* It is connected, and nobody has accepted that: the one that listens. */
static struct object *to_accept(const struct object *o)
{
    struct object *listener = o->named ? o->named->peer : NULL;

    return listener && listener != o && listener->listens &&
                   listener->queued > 0 && !(o->peer && o->peer->readers)
               ? listener
               : NULL;
}

static void needs_data(struct waiter *w, struct object *o)
{
    if (!o) {
        w->unknown = true;
        return;
    }
    switch (o->kind) {
    case PIPE:
    case FIFO:
        if (!w->who->run && o->queued > 0) { /* where a kept log ends */
            line("%s: bytes are in it, or on their way", name(o));
            w->unknown = true;
            break;
        }
        line("%s: no data, and no EOF", name(o));
        say_holders(w, o, true);
        break;
    case SOCKET:
        if (to_accept(o)) {
            say_others(
                w, to_accept(o), false,
                "%s: no data; not accepted yet; could accept:", name(o));
        } else if (o->peer) {
            say_others(w, o->peer, true,
                       "%s: no data; the other end:", name(o));
        } else if (o->datagrams && !o->bound) {
            line("%s: no data; it has no name (bind), so nobody can send to "
                 "it",
                 name(o));
        } else {
            line(o->datagrams ? "%s: no data; anybody may send to its name"
                              : "%s: nobody connects, nothing comes",
                 name(o));
            say_early(w, o);
            strangers(w, o);
        }
        break;
    case MQ:
        say_others(w, o, true,
                   "%s: the queue is empty; could send:", name(o));
        say_early(w, o);
        strangers(w, o);
        break;
    case TTY:
        line("the terminal: nobody types");
        w->unknown = true;
        break;
    default:
        if (begins(o->key, "eventfd")) {
            say_others(w, o, true,
                       "%s: nothing to read; could write:", name(o));
            break;
        }
        line("%s: nothing to read%s%s", name(o),
             *o->takes ? ", it takes " : "", o->takes);
        if (*o->takes)
            signals_for(w, o->takes);
        else
            w->unknown = true;
    }
}

static void needs_room(struct waiter *w, struct object *o)
{
    if (o && o->kind == MSGQ) {
        line("%s: the queue is full", name(o));
        strangers(w, o);
    } else if (o && o->kind == SOCKET) {
        say_others(w, o->peer ? o->peer : o, false,
                   "%s: full; could read it:", name(o));
    } else if (o && o->kind == MQ) {
        int messages = 0;

        for (struct message *m = o->first; m; m = m->next)
            messages += m->done != 0;
        say_others(w, o, false,
                   "%s: the queue is full, %d message%s; could receive:",
                   name(o), messages, messages == 1 ? "" : "s");
        strangers(w, o);
    } else if (o && (o->kind == PIPE || o->kind == FIFO)) {
        long inside = o->queued;

        for (struct message *m = o->first; m; m = m->next)
            if (!m->done && m->from == w->who && inside > o->capacity)
                inside = o->capacity; /* the rest is not in it yet */
        if (!w->who->run && inside < o->capacity) { /* as in needs_data */
            line("%s: there is room in it", name(o));
            w->unknown = true;
            return;
        }
        line("%s: full, %ld bytes are in it", name(o), inside);
        say_holders(w, o, false);
    } else {
        w->unknown = true;
    }
}

static void needs_other_end(struct waiter *w, struct object *o, bool writers)
{
    if (o->kind != PIPE && o->kind != FIFO) {
        needs_data(w, o);
        return;
    }
    say_others(w, o, writers, "%s: its other end is open: ", name(o));
}

/* As /proc has told it, for those in the picture. */
static void say_told(struct waiter *w)
{
    line("%s", w->wait->said);
    for (int i = 0; i < w->wait->givers; i++)
        if (w->wait->giver[i])
            giver(w, w->wait->giver[i]);
        else
            w->unknown = true;
}

static void needs_one_of(struct waiter *w)
{
    if (w->wait->known) {
        say_told(w);
        for (int i = 0; i < w->wait->asks; i++)
            if (w->wait->asked[i].need == NEEDS_DATA &&
                w->wait->asked[i].object)
                say_early(w, w->wait->asked[i].object);
        w->unknown |= w->wait->strangers;
        return;
    }
    if (w->wait->asks == 0 && w->wait->epoll != -1)
        line("none of its descriptors is ready");
    for (int i = 0; i < w->wait->asks; i++) {
        struct asked *a = &w->wait->asked[i];

        line("fd %d is not ready:", a->fd);
        if (a->need == NEEDS_ROOM)
            needs_room(w, a->object);
        else if (a->need == NEEDS_DATA)
            needs_data(w, a->object);
        else
            needs_other_end(w, a->object, a->w);
    }
    w->unknown |= w->wait->asks == 0;
}

static void needs_wake(struct waiter *w)
{
    struct process *p = w->who;
    struct object *o = w->wait->object;
    char text[200] = "";

    if (w->wait->known)
        say_told(w);
    else
        line("[%s]: nobody wakes it", name(o));
    if (!w->wait->known && (w->wait->own || w->wait->private)) {
        for (struct process *q = processes; q; q = q->next)
            if (q != p && q->leader == p->leader && alive(q))
                named_giver(w, q, text, sizeof text);
        line("only threads of its own process could:  %s",
             *text ? text : "it has no other");
        if (!*text)
            giver(w, p);
    } else if (o->in && (!w->wait->known || w->wait->strangers)) {
        if (o->in->kind == FILE_)
            strangers(w, o->in);
        w->anyone = IF_NO_GIVER;
    }
    if (o->in && o->in->found)
        line("%s was there before: its value is what an earlier run has left",
             name(o->in));
    if (o->in)
        say_early(w, o->in);
    if (o->user && o->user != p &&
        !(w->wait->private && o->user->leader != p->leader))
        line("the last wake-up came from %s", who(o->user));
}

static void needs_semaphore(struct waiter *w)
{
    struct object *set = w->wait->object, *o;

    for (int i = 0; i < w->wait->operations; i++) {
        struct operation *op = &w->wait->operation[i];

        if (op->by > 0 ||
            (op->value != -1 && op->by < 0 && op->value >= -op->by))
            continue; /* this one could be done */
        if (op->value != -1)
            line("%s, semaphore %d: its value is %d, it wants %d", name(set),
                 op->number, op->value, op->by);
        else
            line("%s, semaphore %d: it wants %d", name(set), op->number,
                 op->by);
        o = semaphore(set, op->number);
        if (o->holder)
            line("%s took it last%s",
                 o->holder == w->who ? "it itself" : who(o->holder),
                 o->holder == w->who ? "" : where_now(o->holder, ", and "));
        else if (set->made && !set->given && !o->given)
            line("nobody has set it: a new one is 0");
        if (o->holder && alive(o->holder))
            giver(w, o->holder);
    }
    strangers(w, set);
}

static void needs_message(struct waiter *w)
{
    struct object *o = w->wait->object;
    char text[200] = "", wanted[40] = "";

    for (struct message *m = o->first; m; m = m->next)
        if (m->done)
            append(text, sizeof text, "%stype %ld", *text ? ", " : "",
                   m->rank);
    if (w->wait->known)
        snprintf(wanted, sizeof wanted, "; wanted: type %ld", w->wait->type);
    if (*text)
        line("%s: in the queue: %s%s", name(o), text, wanted);
    else
        line("%s: the queue is empty", name(o));
    strangers(w, o);
}

static void needs_lock(struct waiter *w)
{
    struct object *o = w->wait->object;
    struct process *holder = o ? o->holder : NULL;

    w->unknown = !holder || !alive(holder);
    if (!o)
        return;
    if (w->unknown) {
        line("%s: locked, we have not seen by which", name(o));
        return;
    }
    line("%s: locked by %s%s", name(o),
         holder == w->who ? "itself" : who(holder),
         holder == w->who ? "" : where_now(holder, ", which "));
    giver(w, holder);
}

static void needs_partner(struct waiter *w)
{
    line("%s: a FIFO; it waits until somebody opens it to %s", w->wait->path,
         w->wait->reads ? "write" : "read");
    if (w->wait->object)
        say_early(w, w->wait->object);
    for (struct process *p = processes; p; p = p->next)
        if (alive(p) && p->wait && p->wait->need == NEEDS_PARTNER &&
            p->wait->object != w->wait->object)
            giver(w, p); /* it would come to ours next, perhaps */
    if (alone(w->who))
        line("there is no other process in this picture");
    if (w->wait->object)
        strangers(w, w->wait->object);
    else
        w->unknown = true; /* perhaps it is no FIFO */
}

static void needs_child(struct waiter *w)
{
    char text[300] = "";

    for (struct process *q = processes; q; q = q->next)
        if (q->parent && q->parent->leader == w->who->leader && alive(q) &&
            !q->thread && (w->wait->child <= 0 || q->pid == w->wait->child))
            named_giver(w, q, text, sizeof text);
    line("until it ends: %s", *text ? text : "no child that we know of");
    w->unknown |= !*text;
}

static void needs_accept(struct waiter *w)
{
    static const char *const what =
        "its queue is full, or it does not answer";

    if (w->wait->object)
        say_others(w, w->wait->object, false, "%s; could accept:", what);
    else
        line("%s", what);
    w->unknown |= !w->wait->object;
}

static void explain(struct waiter *w)
{
    struct wait *wait = w->wait;
    static void (*const needs[])(struct waiter * w) = {
        [NEEDS_PARTNER] = needs_partner, [NEEDS_ACCEPT] = needs_accept,
        [NEEDS_CHILD] = needs_child,     [NEEDS_SIGNAL] = needs_signal,
        [NEEDS_WAKE] = needs_wake,       [NEEDS_SEMAPHORE] = needs_semaphore,
        [NEEDS_MESSAGE] = needs_message, [NEEDS_LOCK] = needs_lock,
        [NEEDS_ONE_OF] = needs_one_of,   [NEEDS_TIME] = NULL,
    };

    if (wait->need == NEEDS_DATA)
        needs_data(w, wait->object);
    else if (wait->need == NEEDS_ROOM)
        needs_room(w, wait->object);
    else if (needs[wait->need])
        needs[wait->need](w);
    else
        w->unknown = true;
    if (wait->need == NEEDS_TIME)
        line("it sleeps; time will end that");
    else if (wait->known)
        ; /* it is said, and if there is a limit, that too */
    else if (wait->clock)
        line("(it will give up by itself: until a time of the clock)");
    else if (wait->limit > 0)
        line("(it will give up by itself after %g s)", wait->limit);
    w->unknown |= wait->limit > 0;
}

static void say_waiter(struct waiter *w)
{
    struct process *p = w->who;
    char first[600];

    snprintf(first, sizeof first, "  %-10s ", who(p));
    if (p->stopped) {
        say("%sis stopped (%s%s); only SIGCONT wakes it: kill -CONT %d",
            first, signal_name(p->stopped),
            p->stopped == SIGTTIN
                ? ": it read the terminal from the background"
            : p->stopped == SIGTTOU
                ? ": it wrote to the terminal from the background"
                : "",
            (int)p->pid);
        w->anyone = ALWAYS;
        return;
    }
    if (!in_call(p)) {
        say("%s%s", first,
            p->run == 'R' ? "computes: it is in no system call"
                          : "is in no system call");
        w->unknown = true;
        return;
    }
    if (in_vain(p))
        append(first, sizeof first, "calls again and again %.400s = %s",
               p->wait->call, p->vain);
    else
        append(first, sizeof first, "is in %.400s", p->wait->call);
    if (p->wait->about)
        append(first, sizeof first, " [%s%s]", name(p->wait->about),
               p->wait->end);
    if (*p->wait->source)
        say("%-60s  %s", first, p->wait->source);
    else
        say("%s", first);
    if (in_vain(p) && strstr(p->vain, "EOF"))
        line("that is the end of the file; nothing will come any more");
    else
        explain(w);
    if (*p->no_exec)
        line("its %s, and it runs on as a second %s: _exit(127) is missing",
             p->no_exec, p->name);
    if (p->truncated)
        line("a descriptor that was sent to it is lost: there was no room "
             "for it (MSG_CTRUNC)");
}

/* ---- which are stuck -------------------------------------------------- */

/* It, or one of its threads. */
static bool moves(const struct process *p)
{
    if (outside(p))
        return true;
    for (int i = 0; i < waiting; i++)
        if (!stuck[i] && (waiters[i].who == p ||
                          (!p->thread && waiters[i].who->leader == p)))
            return true;
    return false;
}

static bool can_end(int of)
{
    const struct waiter *w = &waiters[of];

    for (int i = 0; i < w->givers; i++)
        if (moves(w->giver[i]))
            return true;
    if (w->anyone == ALWAYS || (w->anyone == IF_NO_GIVER && w->givers == 0))
        for (int i = 0; i < waiting; i++)
            if (waiters[i].who->leader != w->who->leader && !stuck[i])
                return true;
    return w->unknown;
}

static bool waits_for(int a, int b)
{
    for (int i = 0; i < waiters[a].givers; i++)
        if (waiters[a].giver[i] == waiters[b].who)
            return true;
    return a == b && waiters[a].itself;
}

static const char *circle_name(int i, bool alone)
{
    return alone ? who(waiters[i].who) : letter(waiters[i].who);
}

static struct graph graph(void)
{
    return (struct graph){ waiting, stuck,     told,
                           can_end, waits_for, circle_name };
}

/*
 * Asks each for its givers, and says what it waits for, if out is set. All
 * that have done nothing new since then are stuck, but for those that one
 * which is not can set free.
 */
static void ask_all(double since)
{
    struct graph g;
    int n = 0;

    free(waiters);
    waiting = 0;
    for (struct process *p = processes; p; p = p->next)
        waiting += ours(p);
    waiters = zeros((size_t)waiting + 1, sizeof *waiters);
    for (struct process *p = processes; p; p = p->next)
        if (ours(p)) /* the oldest first */
            waiters[waiting - ++n] =
                (struct waiter){ .who = p, .wait = p->wait };
    stuck = resize(stuck, (size_t)waiting + 1, sizeof *stuck);
    told = resize(told, (size_t)waiting + 1, sizeof *told);
    for (int i = 0; i < waiting; i++) {
        say_waiter(&waiters[i]);
        told[i] = false;
        stuck[i] = waiters[i].who->since <= since;
    }
    g = graph();
    circles_close(&g);
}

bool some_stuck(double since)
{
    out = NULL;
    ask_all(since);
    for (int i = 0; i < waiting; i++)
        if (stuck[i])
            return true;
    return false;
}

bool all_wait(void)
{
    int n = 0;

    for (struct process *p = processes; p; p = p->next) {
        if (!ours(p))
            continue;
        n++;
        if (p->stopped)
            continue;
        if (p->state == ENDING || sleeps(p))
            return false;
        if (p->run ? !strchr("SDTZ", p->run) : !in_call(p))
            return false;
        if (p->run == 'D' && !(p->in & IN_FORK) &&
            !(in_call(p) && p->wait->need))
            return false; /* it is at work in the kernel */
    }
    return n > 0;
}

/* How long it will take; a time of the clock counts from the silence on. */
bool one_gives_up(double stuck, double silence)
{
    struct timespec clock;

    clock_gettime(CLOCK_REALTIME, &clock);
    for (struct process *p = processes; p; p = p->next) {
        double limit = alive(p) && in_call(p) ? p->wait->limit : 0;

        if (limit > 0 && p->wait->clock)
            limit +=
                silence - (double)clock.tv_sec - (double)clock.tv_nsec / 1e9;
        if (limit > stuck * 0.9 && limit < stuck * 1.4)
            return true;
    }
    return false;
}

/* ---- circles ---------------------------------------------------------- */

/* Nobody else can end it; perhaps a stranger can? */
static void say_circle(const char *text, const int member[], int n,
                       bool simple)
{
    struct object *strange = NULL;

    for (int i = 0; i < n; i++)
        if (!strange)
            strange = waiters[member[i]].strange;
    if (strange)
        say("%s (strangers may come: %s has a %s).", text, name(strange),
            strange->kind == SEMSET || strange->kind == MSGQ ? "number"
                                                             : "name");
    else
        say("%s%s.", text, simple ? ", for ever" : "");
}

static void say_circles(void)
{
    const struct graph g = graph();
    int *member = zeros((size_t)waiting + 1, sizeof *member), n;
    bool said = false, simple;
    char text[400];

    for (int i = 0; i < waiting; i++)
        if (stuck[i] && waiters[i].givers == 0 && !waiters[i].strange &&
            waiters[i].anyone == NOBODY) {
            say("%s waits for ever: nobody can end it.", who(waiters[i].who));
            said = true;
        }
    while ((n = circles_next(&g, member))) {
        simple = circles_text(&g, member, n, text, sizeof text);
        say_circle(text, member, n, simple);
        said = true;
    }
    /* Then one that time or others can end. */
    for (int i = 0; i < waiting; i++)
        stuck[i] = true;
    while (!said && (n = circles_next(&g, member))) {
        said = circles_text(&g, member, n, text, sizeof text) &&
               (n > 1 || waiters[member[0]].givers == 1);
        if (said)
            say("%s.", text);
    }
    free(member);
}

void verdict(void (*to)(const char *line))
{
    out = to;
    ask_all(time_now);
    say_circles();
    free(waiters);
    waiters = NULL;
    waiting = 0;
}
