/*
 * memory.c - shared memory makes no system call: with -m it is looked at
 */
#include "proc.h"
#include "trace.h"
#include <string.h>
#include <sys/uio.h>

enum { LOOK = 256 };

static struct look {
    struct object *object;
    unsigned char bytes[LOOK];
    bool known;
} * looks;
static int many;

static struct look *look_of(struct object *object)
{
    for (int i = 0; i < many; i++)
        if (looks[i].object == object)
            return &looks[i];
    looks = resize(looks, (size_t)many + 1, sizeof *looks);
    looks[many] = (struct look){ .object = object };
    return &looks[many++];
}

/* What lies there now: a text, or numbers. */
static void show_bytes(const unsigned char *bytes, int n, char *text,
                       size_t size)
{
    int printable = 0;

    while (printable < n && bytes[printable] >= ' ' &&
           bytes[printable] <= '~')
        printable++;
    if (printable >= 2) {
        snprintf(text, size, "\"%.*s\"", printable, (const char *)bytes);
        return;
    }
    *text = '\0';
    for (int at = 0; at < n && at < 16; at += 4) {
        int word;

        memcpy(&word, bytes + at, 4);
        append(text, size, "%s%d", at ? " " : "", word);
    }
}

/* A row for each stretch of words that have changed. */
static void show_changes(const struct look *look, const unsigned char *bytes)
{
    for (int from = 0, to; from < LOOK; from = to + 4) {
        struct row row;

        to = from;
        while (to < LOOK && memcmp(look->bytes + to, bytes + to, 4) != 0)
            to += 4;
        if (to == from)
            continue;
        row_begin(&row, ROW_MEMORY, NULL);
        snprintf(row.text, sizeof row.text, "+%d = ", from);
        show_bytes(bytes + from, to - from, row.text + strlen(row.text), 60);
        copy(row.tag, sizeof row.tag, object_name(look->object));
        show(&row);
    }
}

/* At each row, while strace holds all that are in a call. */
void memory_look(void)
{
    unsigned char bytes[LOOK];

    if (!live || !opt.memory)
        return;
    for (struct process *p = processes; p; p = p->next) {
        if (!alive(p) || p->thread || p->hidden)
            continue;
        for (int i = 0; i < p->space->maps; i++) {
            struct mapping *map = &p->space->map[i];
            struct look *look = look_of(map->object);
            struct iovec here = { bytes, LOOK },
                         there = { (void *)map->address, LOOK };

            if (map->offset != 0 ||
                process_vm_readv(p->pid, &here, 1, &there, 1, 0) != LOOK)
                continue;
            /* what is new was all zeros before, unless it is the system's */
            if (look->known || !system_path(map->object->key))
                show_changes(look, bytes);
            memcpy(look->bytes, bytes, LOOK);
            look->known = true;
        }
    }
}
