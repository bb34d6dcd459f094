/*
 * lines.c - addresses to source lines, by addr2line: see stack.h
 */
#include "stack.h"
#include <stdlib.h>
#include <string.h>

static bool same_file(const struct place *a, const struct place *b)
{
    return a->outers && b->outers && a->dev == b->dev && a->ino == b->ino;
}

/* Of inlined functions the library's come first: read is one. */
static void take_line(struct place *place[], int n, const struct place *of,
                      unsigned long at, char *text)
{
    char *base = strrchr(text, '/');

    text[strcspn(text, "\n ")] = '\0';
    if (*text == '?' || *text == '\0' || strstr(text, ":?") ||
        strstr(text, ":0") || strncmp(text, "/usr/include/", 13) == 0)
        return;
    for (int i = 0; i < n; i++)
        for (int j = 0; same_file(place[i], of) && j < place[i]->outers;
             j++) {
            struct outer *o = &place[i]->outer[j];

            if (o->at == at && !*o->line)
                copy(o->line, sizeof o->line, base ? base + 1 : text);
        }
}

static void lines_of(struct place *place[], int n, const struct place *of)
{
    char command[8192] = "exec 2>/dev/null </dev/null "
                         "timeout 5 addr2line -a -i -e \"$LANES_FILE\" ";
    char line[4096];
    unsigned long at = 0;
    FILE *out;

    for (int i = 0; i < n; i++) {
        if (!same_file(place[i], of))
            continue;
        place[i]->asked = true;
        for (int j = 0; j < place[i]->outers; j++) {
            snprintf(line, sizeof line, " 0x%lx ", place[i]->outer[j].at);
            if (!strstr(command, line))
                append(command, sizeof command, "%s", line + 1);
        }
    }
    setenv("LANES_FILE", of->file, 1);
    out = popen(command, "re");
    while (out && fgets(line, sizeof line, out))
        if (strncmp(line, "0x", 2) == 0)
            at = strtoul(line, NULL, 16);
        else
            take_line(place, n, of, at, line);
    if (out)
        pclose(out);
}

void lines_find(struct place *place[], int n)
{
    for (int i = 0; i < n; i++) {
        struct place *p = place[i];

        if (p->outers && !p->asked)
            lines_of(place, n, p);
        for (int j = 0; j < p->outers && !*p->line; j++)
            if (*p->outer[j].line) {
                copy(p->line, sizeof p->line, p->outer[j].line);
                copy(p->name, sizeof p->name, p->outer[j].name);
            }
    }
}
