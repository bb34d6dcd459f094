/*
 * circles.c - which waits can only end each other
 *
 * Any one of those that could end a wait is enough to end it: so a set of
 * waits is closed if each can be ended by others of the set only. Within it
 * those that wait for each other, directly or not, belong together.
 */
#include "circles.h"
#include <stdlib.h>
#include <string.h>

/* Could it do something, now or later? */
static bool able(struct node *node[], int n, const struct giver *g)
{
    int seen = 0;

    for (int i = 0; i < n; i++) {
        const struct thread *t = node[i]->w.who;

        if (g->t ? t != g->t : t->of != g->p)
            continue;
        seen++;
        if (!node[i]->closed && node[i]->w.how != ENDED)
            return true;
    }
    return seen < (g->t ? 1 : g->p->threads) || seen == 0;
}

void circles_close(struct node *node[], int n, bool strangers)
{
    bool changed = true;

    for (int i = 0; i < n; i++) {
        const struct wait *w = &node[i]->w;

        node[i]->closed = w->how == WAITS && !node[i]->moved && w->known &&
                          !w->timed && w->givers > 0 &&
                          !(strangers && w->open);
    }
    while (changed) {
        changed = false;
        for (int i = 0; i < n; i++)
            for (int j = 0; node[i]->closed && j < node[i]->w.givers; j++)
                if (able(node, n, &node[i]->w.giver[j])) {
                    node[i]->closed = false;
                    changed = true;
                }
    }
}

static bool waits_for(const struct node *a, const struct node *b)
{
    for (int i = 0; i < a->w.givers; i++) {
        const struct giver *g = &a->w.giver[i];

        if (b->closed && (g->t ? g->t == b->w.who : g->p == b->w.who->of))
            return true;
    }
    return false;
}

/* Marks all that are reached; backwards: all from which it is reached. */
static void reach(struct node *node[], int n, int from, bool backwards,
                  bool *is)
{
    int *queue = zeros((size_t)n, sizeof *queue), head = 0, tail = 0;

    queue[tail++] = from;
    while (head < tail) {
        const struct node *at = node[queue[head++]];

        for (int i = 0; i < n; i++)
            if (node[i]->closed && !is[i] &&
                (backwards ? waits_for(node[i], at)
                           : waits_for(at, node[i]))) {
                is[i] = true;
                if (i != from)
                    queue[tail++] = i;
            }
    }
    free(queue);
}

/* Those that the first of them waits for and that wait for it. */
static int group(struct node *node[], int n, int first, struct node *member[])
{
    bool *there = zeros((size_t)n, sizeof *there);
    bool *back = zeros((size_t)n, sizeof *back);
    int members = 0;

    reach(node, n, first, false, there);
    reach(node, n, first, true, back);
    for (int i = 0; i < n; i++)
        if (there[i] && back[i])
            member[members++] = node[i];
    free(there);
    free(back);
    return members;
}

static const char *name(const struct node *n)
{
    return wait_thread_name(n->w.who);
}

/* Each waits for just one of the others: in this order. */
static bool in_order(struct node *member[], int n)
{
    for (int i = 0; i < n; i++) {
        int others = 0, next = 0;

        for (int j = 0; j < n; j++)
            if (waits_for(member[i], member[j])) {
                others++;
                next = j;
            }
        if (others != 1)
            return false;
        if (i + 1 < n && next > i) { /* it comes next */
            struct node *other = member[i + 1];

            member[i + 1] = member[next];
            member[next] = other;
        }
    }
    return true;
}

bool circles_text(struct node *node[], int n, char *text, size_t size)
{
    struct node **member = zeros((size_t)n + 1, sizeof *member);
    int members = 0;

    for (int i = 0; i < n && !members; i++)
        if (node[i]->closed && !node[i]->told) {
            node[i]->told = true;
            members = group(node, n, i, member);
        }
    for (int i = 0; i < members; i++)
        member[i]->told = true;
    *text = '\0';
    if (members == 1) {
        append(text, size, "%s waits for itself", name(member[0]));
    } else if (members > 1 && members <= SHOWN + 2 &&
               in_order(member, members)) {
        append(text, size, "%s waits for ", name(member[0]));
        for (int i = 1; i < members; i++)
            append(text, size, "%s, which waits for ", name(member[i]));
        append(text, size, "%s: a circle", name(member[0]));
    } else if (members > 1) {
        for (int i = 0; i < members; i++)
            list_item(text, size, i, members, name(member[i]));
        append(text, size, " wait for each other: %s",
               members == 2 ? "neither can go on" : "none of them can go on");
    }
    free(member);
    return members > 0;
}
