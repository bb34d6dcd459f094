/*
 * tables.c - -f: which number is what in each process
 *
 * As the world has them: when stepping, the processes are a call ahead.
 */
#include "trace.h"
#include <string.h>

/* Which number it closes just now, though its row is yet to come; or -1. */
static int closing(struct process *p)
{
    const struct call *call = &traced(p)->call;
    bool returns = next_row && next_row->who == p && next_row->number == 0;

    return call->name && strcmp(call->name, "close") == 0 &&
                   !traced(p)->drawn && p->closed && p->target &&
                   (p->inside || returns)
               ? (int)arg_number(call, 0)
               : -1;
}

static void say_table(struct process *p)
{
    say("  %s", who(p));
    for (int fd = 0; fd < p->table->size; fd++) {
        const struct slot *slot = &p->table->slot[fd];
        struct object *o = slot->file ? slot->file->object : NULL;
        char name[80] = "";

        if (fd == closing(p) && !o)
            say("  %5d  %s%s  (in close, whose row is yet to come)", fd,
                object_name(p->target), p->closed);
        if (!o)
            continue;
        if (o->kind == PIPE || o->kind == FIFO)
            snprintf(name, sizeof name, "%s.%s%s  ", object_name(o),
                     slot->file->r ? "r" : "", slot->file->w ? "w" : "");
        else if (o->kind == SOCKET)
            snprintf(name, sizeof name, "%s  ", object_name(o));
        say("  %5d  %s%.*s%s", fd, name, (int)strcspn(o->key, "<"), o->key,
            slot->cloexec ? "  (close-on-exec)" : "");
    }
}

void tables_say(void)
{
    int last = -1;

    for (struct process *p = processes; p; p = p->next)
        last = p->number > last ? p->number : last;
    for (int number = 0; number <= last; number++)
        for (struct process *p = processes; p; p = p->next)
            if (p->number == number && alive(p) && !p->hidden && !p->thread)
                say_table(p);
}
