/*
 * circles.c - which waits can only end each other
 *
 * Any one of those that could end a wait is enough to end it: so a set of
 * waits is closed if each can be ended by others of the set only. Within it
 * those that wait for each other, directly or not, belong together.
 */
#include "circles.h"
#include <stdlib.h>

void circles_close(const struct graph *g)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (int i = 0; i < g->n; i++)
            if (g->closed[i] && g->can_end(i)) {
                g->closed[i] = false;
                changed = true;
            }
    }
}

/* Marks all that are reached; backwards: all from which it is reached. */
static void reach(const struct graph *g, int at, bool backwards, bool *is)
{
    for (int i = 0; i < g->n; i++)
        if (g->closed[i] && !is[i] &&
            (backwards ? g->waits_for(i, at) : g->waits_for(at, i))) {
            is[i] = true;
            reach(g, i, backwards, is);
        }
}

/* Those that the first of them waits for and that wait for it. */
static int group(const struct graph *g, int first, int member[])
{
    bool *there = zeros((size_t)g->n, sizeof *there);
    bool *back = zeros((size_t)g->n, sizeof *back);
    int members = 0;

    reach(g, first, false, there);
    reach(g, first, true, back);
    for (int i = 0; i < g->n; i++)
        if (there[i] && back[i]) {
            g->told[i] = true;
            member[members++] = i;
        }
    free(there);
    free(back);
    return members;
}

int circles_next(const struct graph *g, int member[])
{
    int members = 0;

    for (int i = 0; i < g->n && !members; i++)
        if (g->closed[i] && !g->told[i])
            members = group(g, i, member);
    return members;
}

/* Each waits for just one of the others: in this order. */
static bool in_order(const struct graph *g, int member[], int n)
{
    for (int i = 0; i < n; i++) {
        int others = 0, next = 0, other;

        for (int j = 0; j < n; j++)
            if (j != i && g->waits_for(member[i], member[j])) {
                others++;
                next = j;
            }
        if (others != 1)
            return false;
        if (i + 1 < n && next > i) { /* it comes next */
            other = member[i + 1];
            member[i + 1] = member[next];
            member[next] = other;
        }
    }
    return true;
}

bool circles_text(const struct graph *g, int member[], int n, char *text,
                  size_t size)
{
    *text = '\0';
    if (n == 1) {
        append(text, size, "%s waits for itself", g->name(member[0], true));
        return true;
    }
    if (n <= SHOWN + 2 && in_order(g, member, n)) {
        for (int i = 0; i < n; i++)
            append(text, size, "%s%s", g->name(member[i], false),
                   i == 0 ? " waits for " : ", which waits for ");
        append(text, size, "%s: a circle", g->name(member[0], false));
        return true;
    }
    for (int i = 0; i < n; i++)
        list_item(text, size, i, n, g->name(member[i], false));
    append(text, size, " wait for each other: %s",
           n == 2 ? "neither can go on" : "none of them can go on");
    return false;
}
