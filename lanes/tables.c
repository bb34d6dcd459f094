/*
 * tables.c - -f: which number is what in each process
 *
 * As the world has them: when stepping, the processes are a call ahead.
 */
#include "trace.h"
#include <stdlib.h>
#include <string.h>

void tables_say(void)
{
    for (int number = 0;; number++) {
        struct process *p = processes;
        bool more = false;
        int closing = -1;

        for (; p; p = p->next) {
            more |= p->number >= number;
            if (p->number == number)
                break;
        }
        if (!more)
            return;
        if (!p || !alive(p) || p->hidden || p->thread)
            continue;
        say("  %s", who(p));
        if (traced(p)->call.name &&
            strcmp(traced(p)->call.name, "close") == 0 && !traced(p)->drawn &&
            p->closed &&
            (p->inside ||
             (next_row && next_row->who == p && next_row->number == 0)))
            closing = (int)strtol(arg(&traced(p)->call, 0), NULL, 10);
        for (int fd = 0; fd < p->table->size; fd++) {
            struct slot *slot = &p->table->slot[fd];
            struct object *o;

            if (fd == closing && !slot->file && p->target)
                say("  %5d  %s%s  (in close, whose row is yet to come)", fd,
                    object_name(p->target), p->closed);
            if (!slot->file)
                continue;
            o = slot->file->object;
            if (o->kind == PIPE || o->kind == FIFO)
                say("  %5d  %s.%s%s  %s%s", fd, object_name(o),
                    slot->file->r ? "r" : "", slot->file->w ? "w" : "",
                    o->key, slot->cloexec ? "  (close-on-exec)" : "");
            else
                say("  %5d  %s%s%.*s%s", fd,
                    o->kind == SOCKET ? object_name(o) : "",
                    o->kind == SOCKET ? "  " : "", (int)strcspn(o->key, "<"),
                    o->key, slot->cloexec ? "  (close-on-exec)" : "");
        }
    }
}
