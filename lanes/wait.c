/*
 * wait.c - the text and the givers of a wait: see wait.h
 */
#include "wait.h"
#include <string.h>
#include <time.h>

void wait_add(struct waiting *w, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vappend(w->text, sizeof w->text, format, list);
    va_end(list);
}

void wait_open(struct waiting *w, const char *format, ...)
{
    va_list list;

    w->open = true;
    va_start(list, format);
    vappend(w->text, sizeof w->text, format, list);
    va_end(list);
}

void wait_item(struct waiting *w, int i, int of, const char *name)
{
    list_item(w->text, sizeof w->text, i, of, name);
}

const char *(*wait_alias)(pid_t pid);

const char *wait_name(const struct seen *p)
{
    static char text[8][64];
    static int n;
    char *s = text[n++ % 8];
    const char *alias = wait_alias ? wait_alias(p->pid) : NULL;

    if (alias)
        return alias;
    snprintf(s, sizeof text[0], "%s %d", p->name, (int)p->pid);
    return s;
}

const char *wait_thread_name(const struct thread *t)
{
    static char text[8][96];
    static int n;
    char *s = text[n++ % 8];
    const char *alias = wait_alias ? wait_alias(t->tid) : NULL;

    if (alias)
        return alias;
    if (t->of->threads < 2)
        return wait_name(t->of);
    if (t->tid == t->of->pid)
        snprintf(s, sizeof text[0], "%s (main thread)", wait_name(t->of));
    else
        snprintf(s, sizeof text[0], "%s (thread %d)", wait_name(t->of),
                 (int)t->tid);
    return s;
}

void wait_giver(struct waiting *w, struct seen *p, struct thread *t)
{
    for (int i = 0; i < w->givers; i++)
        if (w->giver[i].p == p && w->giver[i].t == t)
            return;
    if (w->givers < GIVERS)
        w->giver[w->givers++] = (struct giver){ p, t };
    else
        w->open = true; /* one that is not in the list may do it */
}

void wait_add_seconds(struct waiting *w, double seconds)
{
    if (seconds < 0.001)
        wait_add(w, "%.0f us", seconds * 1e6);
    else if (seconds < 1)
        wait_add(w, "%.0f ms", seconds * 1000);
    else
        wait_add(w, "%.*f s", seconds < 10 ? 1 : 0, seconds);
}

void wait_add_signals(struct waiting *w, unsigned long mask)
{
    int n = 0;

    mask &= ~(3UL << 31); /* 32 and 33 are the C library's own */
    for (int i = 1; i <= 64; i++)
        if (mask >> (i - 1) & 1)
            wait_item(w, n++, __builtin_popcountl(mask), signal_name(i));
}

void wait_gives_up(struct waiting *w, double seconds)
{
    w->timed = true;
    wait_add(w, " (it gives up by itself, after ");
    wait_add_seconds(w, seconds);
    wait_add(w, ")");
}

/* A time that a call got by its address; false: there is none, for ever. */
bool wait_time(struct waiting *w, int argument, double *seconds)
{
    struct timespec t = { 0 };

    if (w->who->known != CALL_KNOWN || !w->who->arg[argument])
        return false;
    if (!look_memory(w->who, w->who->arg[argument], &t, sizeof t))
        w->timed = true;
    *seconds = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
    return true;
}

void wait_limit(struct waiting *w, int argument)
{
    double seconds;

    if (wait_time(w, argument, &seconds))
        wait_gives_up(w, seconds);
}

void wait_unread(struct waiting *w)
{
    wait_open(w, ": its memory may not be read, so for what is not known");
}
