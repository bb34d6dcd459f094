/*
 * memory.c - shared memory makes no system call: with -m it is looked at
 *
 * What has changed when a line of the log comes was caused by the lines up to
 * this one, and comes before what the process then does: it is drawn before
 * a call that others can see the effect of, else after the line.
 */
#include "proc.h"
#include "trace.h"
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LOOK = 256 };

static struct look {
    struct object *object;
    unsigned char bytes[LOOK], now[LOOK]; /* as drawn; as they are */
    int fd;     /* of a file: it is there when the process is gone */
    bool known; /* now is */
    bool news;
} * looks;
static int many;

static struct look *look_of(struct object *object)
{
    for (int i = 0; i < many; i++)
        if (looks[i].object == object)
            return &looks[i];
    looks = resize(looks, (size_t)many + 1, sizeof *looks);
    looks[many] = (struct look){ .object = object, .fd = -1 };
    if (begins(object->key, "/dev/shm/"))
        looks[many].fd = open(object->key, O_RDONLY | O_CLOEXEC);
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
static void show_changes(const struct look *look)
{
    for (int from = 0, to; from < LOOK; from = to + 4) {
        struct row row;

        to = from;
        while (to < LOOK && memcmp(look->bytes + to, look->now + to, 4) != 0)
            to += 4;
        if (to == from)
            continue;
        row_begin(&row, ROW_MEMORY, NULL);
        snprintf(row.text, sizeof row.text, "+%d = ", from);
        show_bytes(look->now + from, to - from, row.text + strlen(row.text),
                   60);
        copy(row.tag, sizeof row.tag, object_name(look->object));
        show(&row);
    }
}

static bool read_one(pid_t pid, const struct mapping *map, struct look *look,
                     unsigned char *bytes)
{
    struct iovec here = { bytes, LOOK },
                 there = { (void *)map->address, LOOK };

    return map->offset == 0 &&
           (process_vm_readv(pid, &here, 1, &there, 1, 0) == LOOK ||
            (look->fd != -1 && pread(look->fd, bytes, LOOK, 0) == LOOK));
}

void memory_look(bool first)
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

            if ((first && look->known) || !read_one(p->pid, map, look, bytes))
                continue;
            memcpy(look->now, bytes, LOOK);
            /* what is new was all zeros before, unless it is the system's */
            if (!look->known && system_path(map->object->key))
                memcpy(look->bytes, bytes, LOOK);
            look->known = true;
            look->news |= memcmp(look->bytes, look->now, LOOK) != 0;
        }
    }
}

void memory_show(bool look_again)
{
    if (look_again)
        memory_look(false);
    for (int i = 0; i < many; i++) {
        struct look *look = &looks[i];

        if (!look->news)
            continue;
        look->news = false;
        show_changes(look);
        memcpy(look->bytes, look->now, LOOK);
    }
}
