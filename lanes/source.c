/*
 * source.c - the source line of a call: strace -k prints the stack under
 * it, addr2line knows the line of an address
 *
 * A return address is behind the call, perhaps in the next line already:
 * the byte before it is asked for.
 */
#include "log.h"
#include "stack.h"
#include <stdlib.h>
#include <string.h>

static struct known {
    struct known *next;
    char *where; /* "file address" */
    char line[64];
} * known;

/* The first frame that is not the C library's and has a line. */
void source_line(char *frames, char *text, size_t size)
{
    struct place place, *of = &place;

    *text = '\0';
    for (char *line = strtok(frames, "\n"); line; line = strtok(NULL, "\n")) {
        char file[300], where[340], *open = strchr(line, '('),
                                    *at = strrchr(line, '[');
        unsigned long address;
        struct known *k;

        line += strspn(line, " >");
        if (!at || !begins(at, "[0x"))
            continue;
        address = strtoul(at + 1, NULL, 16);
        if (!open || open > at)
            open = at;
        snprintf(file, sizeof file, "%.*s", (int)(open - line), line);
        file[strcspn(file, " ")] = '\0';
        if (begins(file, "/lib") || begins(file, "/usr/") || *file != '/' ||
            address == 0)
            continue;
        snprintf(where, sizeof where, "%s %lx", file, address);
        for (k = known; k && strcmp(k->where, where) != 0; k = k->next)
            ;
        if (!k) {
            k = zeros(1, sizeof *k);
            k->where = same(where);
            place = (struct place){ .outers = 1 };
            copy(place.file, sizeof place.file, file);
            place.outer[0].at = address - 1;
            lines_find(&of, 1);
            copy(k->line, sizeof k->line, place.line);
            k->next = known;
            known = k;
        }
        if (*k->line) {
            copy(text, size, k->line);
            return;
        }
    }
}
