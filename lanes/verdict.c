/*
 * verdict.c - nothing moves: which process waits, in which call, on what,
 * for which
 *
 * Each kind of waiting says which processes could end it; where these wait
 * in turn for the first, it is a circle. It is read from the world alone.
 */
#include "verdict.h"
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GIVERS = 32, MANY = 5 };

static struct waiter {
    struct process *who;
    struct wait *wait;
    struct process *giver[GIVERS];
    int givers;
    bool itself;
} * waiters;
static int waiting;
static void (*out)(const char *line);

static void say(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
static void line(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    char text[600];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    out(text);
}

static void line(const char *format, ...)
{
    char text[400];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    say("             %s", text);
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
}

/* Its name goes into the list, too. */
static void named_giver(struct waiter *w, struct process *p, char *text,
                        size_t size)
{
    append(text, size, "%s%s", *text ? ", " : "", who(p));
    giver(w, p);
}

/* "A connect2 fd 4, B echo fd 1": which has such an end, and as what. */
static int holders(struct waiter *w, struct object *o, bool writers,
                   char *text, size_t size)
{
    int ends = 0;

    *text = '\0';
    for (struct process *p = processes; p; p = p->next) {
        int had = ends;

        if (!alive(p) || p->thread || outside(p))
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

/* Those that are no part of the picture. */
static int outsiders(const struct object *o, bool writers, char *text,
                     size_t size)
{
    int n = 0;

    *text = '\0';
    for (struct process *p = processes; p; p = p->next)
        if (outside(p) && holds(p, o, writers) && n++ < 3)
            append(text, size, "%s%s", n > 1 ? ", " : "", who(p));
    return n;
}

static void say_holders(struct waiter *w, struct object *o, bool writers)
{
    char text[300], others[160];
    int n = holders(w, o, writers, text, sizeof text);
    int more = outsiders(o, writers, others, sizeof others);
    const char *end = writers ? "write end" : "read end";

    if (n > 0)
        line("while %d %s%s open:  %s", n, end, n == 1 ? " is" : "s are",
             text);
    if (more > 0)
        line("outside of this picture:  %s", others);
    if (n + more == 0)
        line("no %s is open that we know of", end);
}

/* ---- what is needed --------------------------------------------------- */

static void needs_data(struct waiter *w, struct object *o)
{
    char text[300];
    int n;

    if (!o)
        return;
    switch (o->kind) {
    case PIPE:
    case FIFO:
        line("%s: no data, and no EOF", object_name(o));
        say_holders(w, o, true);
        break;
    case SOCKET:
        if (!o->peer) {
            line("%s: nobody connects, nothing comes", object_name(o));
            break;
        }
        n = holders(w, o->peer, true, text, sizeof text);
        line("%s: no data; the other end: %s", object_name(o),
             n ? text : "nobody that we know of");
        break;
    case MQ:
        n = holders(w, o, true, text, sizeof text);
        line("%s: the queue is empty; could send: %s", object_name(o),
             n ? text : "nobody");
        break;
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

static void needs_room(struct waiter *w, struct object *o)
{
    char text[300];
    int n;

    if (!o)
        return;
    if (o->kind == MSGQ) {
        line("%s: the queue is full", object_name(o));
    } else if (o->kind == SOCKET) {
        n = holders(w, o->peer ? o->peer : o, false, text, sizeof text);
        line("%s: full; could read it: %s", object_name(o),
             n ? text : "nobody");
    } else if (o->kind == MQ) {
        int messages = 0;

        n = holders(w, o, false, text, sizeof text);
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

static void needs_other_end(struct waiter *w, struct object *o, bool writers)
{
    char text[300];

    if (o->kind != PIPE && o->kind != FIFO) {
        needs_data(w, o);
        return;
    }
    line("%s: its other end is open:  %s", object_name(o),
         holders(w, o, writers, text, sizeof text)
             ? text
             : "nobody that we know of");
}

static void needs_one_of(struct waiter *w)
{
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
}

static void needs_signal(struct waiter *w)
{
    struct process *p = w->who;
    char text[200] = "";

    if (*w->wait->set) {
        line("one of %s would do; none has come", w->wait->set);
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
    if (*w->wait->blocked)
        line("blocked meanwhile: %s", w->wait->blocked);
}

static void needs_wake(struct waiter *w)
{
    struct process *p = w->who, *holder = w->wait->holder;
    struct object *o = w->wait->object;
    char text[200] = "";

    for (struct process *q = processes; q; q = q->next)
        if (q->thread && (unsigned)q->pid == w->wait->expected && alive(q) &&
            q->pid > 2) {
            line("for the end of thread %s", who(q));
            giver(w, q);
            return;
        }
    if (holder) {
        line("a mutex [%s]: held by %s%s", object_name(o),
             holder == p ? "itself" : who(holder),
             alive(holder) ? "" : ", who has ended");
        if (alive(holder))
            giver(w, holder);
        return;
    }
    if (w->wait->known)
        line("[%s]: its value is %u, and nobody wakes it", object_name(o),
             w->wait->value);
    else
        line("[%s]: nobody wakes it", object_name(o));
    if (w->wait->private) {
        for (struct process *q = processes; q; q = q->next)
            if (q != p && q->leader == p->leader && alive(q))
                named_giver(w, q, text, sizeof text);
        line("only threads of its own process could:  %s",
             *text ? text : "it has no other");
        if (!*text)
            giver(w, p);
    }
    if (o->user && o->user != p)
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
            line("%s, semaphore %d: its value is %d, it wants %d",
                 object_name(set), op->number, op->value, op->by);
        else
            line("%s, semaphore %d: it wants %d", object_name(set),
                 op->number, op->by);
        o = semaphore(set, op->number);
        if (!o->holder)
            continue;
        line("%s took it last%s",
             o->holder == w->who ? "it itself" : who(o->holder),
             alive(o->holder) ? "" : ", and has ended");
        if (alive(o->holder))
            giver(w, o->holder);
    }
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
        line("%s: in the queue: %s%s", object_name(o), text, wanted);
    else
        line("%s: the queue is empty", object_name(o));
}

static void needs_lock(struct waiter *w)
{
    struct object *o = w->wait->object;

    if (!o)
        return;
    if (o->holder && alive(o->holder)) {
        line("%s: locked by %s", object_name(o), who(o->holder));
        giver(w, o->holder);
    } else {
        line("%s: locked, we have not seen by whom", object_name(o));
    }
}

static void needs_partner(struct waiter *w)
{
    line("%s: a FIFO; it waits until somebody opens it to %s", w->wait->path,
         w->wait->reads ? "write" : "read");
    for (struct process *p = processes; p; p = p->next)
        if (alive(p) && p->wait && p->wait->need == NEEDS_PARTNER &&
            p->wait->object != w->wait->object)
            giver(w, p); /* it would come to ours next, perhaps */
}

static void needs_child(struct waiter *w)
{
    char text[300] = "";

    for (struct process *q = processes; q; q = q->next)
        if (q->parent && q->parent->leader == w->who->leader && alive(q) &&
            !q->thread && (w->wait->child <= 0 || q->pid == w->wait->child))
            named_giver(w, q, text, sizeof text);
    line("until it ends: %s", *text ? text : "no child that we know of");
}

static void needs_accept(struct waiter *w)
{
    char text[300] = "";

    if (w->wait->object)
        holders(w, w->wait->object, false, text, sizeof text);
    line("its queue is full, or it does not answer; could accept: %s",
         *text ? text : "nobody that we know of");
}

static void say_limit(const struct wait *wait)
{
    if (wait->limit <= 0)
        return;
    if (wait->clock)
        line("(it will give up by itself: until a time of the clock)");
    else
        line("(it will give up by itself after %g s)", wait->limit);
}

static void explain(struct waiter *w)
{
    switch (w->wait->need) {
    case NEEDS_DATA:
        needs_data(w, w->wait->object);
        break;
    case NEEDS_ROOM:
        needs_room(w, w->wait->object);
        break;
    case NEEDS_PARTNER:
        needs_partner(w);
        break;
    case NEEDS_ACCEPT:
        needs_accept(w);
        break;
    case NEEDS_CHILD:
        needs_child(w);
        break;
    case NEEDS_SIGNAL:
        needs_signal(w);
        break;
    case NEEDS_WAKE:
        needs_wake(w);
        break;
    case NEEDS_SEMAPHORE:
        needs_semaphore(w);
        break;
    case NEEDS_MESSAGE:
        needs_message(w);
        break;
    case NEEDS_LOCK:
        needs_lock(w);
        break;
    case NEEDS_ONE_OF:
        needs_one_of(w);
        break;
    case NEEDS_TIME:
        line("it sleeps; time will end that");
        break;
    default:
        break;
    }
    say_limit(w->wait);
}

/* ---- does anything move? ---------------------------------------------- */

static bool in_call(const struct process *p)
{
    return p->wait && *p->wait->call;
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

/* Will time end it, or the user? */
static bool sleeps(const struct process *p)
{
    const struct wait *w = p->wait;

    return in_call(p) &&
           (w->need == NEEDS_TIME ||
            (w->need == NEEDS_DATA && w->object && w->object->kind == TTY) ||
            (w->need == NEEDS_ONE_OF && w->limit > 0 && w->asks == 0 &&
             w->epoll == -1));
}

bool all_wait(void)
{
    int n = 0;

    for (struct process *p = processes; p; p = p->next) {
        if (!alive(p) || p->hidden || outside(p))
            continue;
        n++;
        if (p->state == ENDING || sleeps(p))
            return false;
        if (p->run ? !strchr("SDTZ", p->run) : !in_call(p))
            return false;
    }
    return n > 0;
}

/* ---- circles ---------------------------------------------------------- */

/* Looks for a way from p back to p, over those that wait. */
static int circle(struct process *p, struct process *goal,
                  struct process *path[], int n)
{
    struct waiter *w = NULL;

    for (int i = 0; i < waiting; i++)
        if (waiters[i].who == p)
            w = &waiters[i];
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

static void say_circles(void)
{
    struct process *path[16];
    bool said = false;

    for (int i = 0; i < waiting; i++) {
        struct waiter *w = &waiters[i];
        char text[400];
        int length;

        if (w->itself && w->givers == 1) {
            say("%s waits for itself.", who(w->who));
            said = true;
            continue;
        }
        length = circle(w->who, w->who, path, 0);
        if (length < 2 || said)
            continue;
        said = true;
        copy(text, sizeof text, letter(w->who));
        for (int j = 0; j < length; j++)
            append(text, sizeof text, " waits for %s%s", letter(path[j]),
                   j < length - 1 ? ", who" : "");
        say("%s: a circle.", text);
    }
}

static void say_waiter(struct waiter *w)
{
    struct wait *wait = w->wait;
    char first[600];

    if (!in_call(w->who)) {
        say("  %-10s is in no system call", who(w->who));
        return;
    }
    snprintf(first, sizeof first, "  %-10s is in %.400s", who(w->who),
             wait->call);
    if (wait->about)
        append(first, sizeof first, " [%s%s]", object_name(wait->about),
               wait->end);
    if (*wait->source)
        say("%-60s  %s", first, wait->source);
    else
        say("%s", first);
    explain(w);
}

void verdict(double seconds, void (*to)(const char *line))
{
    int n = 0;

    out = to;
    waiting = 0;
    for (struct process *p = processes; p; p = p->next)
        waiting += alive(p) && !p->hidden && !outside(p);
    waiters = zeros((size_t)waiting + 1, sizeof *waiters);
    for (struct process *p = processes; p; p = p->next)
        if (alive(p) && !p->hidden && !outside(p)) /* the oldest first */
            waiters[waiting - ++n] =
                (struct waiter){ .who = p, .wait = p->wait };
    out("");
    if (seconds > 0)
        say("Nothing has moved for %g second%s.", seconds,
            seconds == 1 ? "" : "s");
    else
        say("The log ends here.");
    for (int i = 0; i < waiting; i++)
        say_waiter(&waiters[i]);
    say_circles();
    free(waiters);
}
