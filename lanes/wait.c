/*
 * wait.c - the text and the givers of a wait: see wait.h
 */
#include "wait.h"
#include <string.h>

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

const char *wait_seconds(double seconds)
{
    static char text[32];

    if (seconds < 0.001)
        snprintf(text, sizeof text, "%.0f us", seconds * 1e6);
    else if (seconds < 1)
        snprintf(text, sizeof text, "%.0f ms", seconds * 1000);
    else
        snprintf(text, sizeof text, "%.*f s", seconds < 10 ? 1 : 0, seconds);
    return text;
}

bool wait_reads(struct waiting *w, int argument, void *to, size_t size)
{
    if (look_memory(w->who, w->who->arg[argument], to, size))
        return true;
    wait_open(w, ": its memory may not be read, so for what is not known");
    return false;
}
