/*
 * lines.c - addresses to source lines, by addr2line: see stack.h
 */
#include "stack.h"
#include <stdlib.h>
#include <string.h>

static bool same_file(const struct place *a, const struct place *b)
{
    return a->at && b->at && a->dev == b->dev && a->ino == b->ino;
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
    if (base)
        text = base + 1;
    for (int i = 0; i < n; i++) {
        struct place *p = place[i];

        if (!same_file(p, of))
            continue;
        if (!*p->line && p->at == at && !p->outers)
            snprintf(p->line, sizeof p->line, "%.63s", text);
        for (int j = 0; j < p->outers; j++)
            if (!*p->outer[j].line && p->outer[j].at == at)
                snprintf(p->outer[j].line, sizeof p->outer[j].line, "%.63s",
                         text);
    }
}

/* The first of them with a line is the program's, what it calls the name. */
static void choose_outer(struct place *p)
{
    for (int j = 0; j < p->outers; j++)
        if (*p->outer[j].line) {
            memcpy(p->line, p->outer[j].line, sizeof p->line);
            memcpy(p->name, p->outer[j].name, sizeof p->name);
            return;
        }
}

/* Each address once. */
static void ask(char *command, size_t size, unsigned long at)
{
    char word[24];

    snprintf(word, sizeof word, " 0x%lx ", at);
    if (!strstr(command, word))
        append(command, size, "%s", word + 1);
}

static void lines_of(struct place *place[], int n, struct place *of)
{
    char command[8192] = "exec 2>/dev/null </dev/null "
                         "timeout 5 addr2line -a -i -e \"$LANES_FILE\" ";
    char line[4096];
    unsigned long at = 0;
    FILE *out;

    for (int i = 0; i < n; i++) {
        if (!same_file(place[i], of))
            continue;
        if (!place[i]->outers)
            ask(command, sizeof command, place[i]->at);
        for (int j = 0; j < place[i]->outers; j++)
            ask(command, sizeof command, place[i]->outer[j].at);
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
        bool before = !place[i]->at;

        for (int j = 0; j < i && !before; j++)
            before = same_file(place[j], place[i]);
        if (!before)
            lines_of(place, n, place[i]);
    }
    for (int i = 0; i < n; i++)
        choose_outer(place[i]);
}
