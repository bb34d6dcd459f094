/*
 * mechanisms.c - all mechanisms, and what several of them need
 *
 * A new mechanism is a row in the table at the end of streams.c, queues.c or
 * memory.c. All the rest, options and tables included, follows from its row.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ipcbench.h"

const struct mechanism *const families[] = { streams, queues, memory, NULL };

const struct mechanism *mechanism_of(const char *name)
{
    for (int i = 0; families[i]; i++)
        for (const struct mechanism *m = families[i]; m->name; m++)
            if (strcmp(m->name, name) == 0)
                return m;
    return NULL;
}

/* Some functions do not set errno: they return what it would be. */
void check(int error, const char *call)
{
    errno = error;
    if (error)
        err(1, "%s", call);
}

void whole(const char *call, ssize_t done, size_t n)
{
    if (done == -1)
        err(1, "%s", call);
    if ((size_t)done != n)
        errx(1, "%s: %zd of %zu bytes", call, done, n);
}

/* make clean-ipc knows whose it is. */
key_t new_key(void)
{
    return 0x1bc50000 | (getpid() & 0xffff);
}
