/*
 * circles.h - which waits can only end each other
 */
#ifndef CIRCLES_H
#define CIRCLES_H
#include "base.h"

struct graph { /* of those that wait, 0 to n - 1 */
    int n;
    bool *closed;           /* only others that are closed could end it */
    bool *told;             /* it is in a circle that has been said */
    bool (*can_end)(int i); /* could one that is not closed end it? */
    bool (*waits_for)(int a, int b);
    const char *(*name)(int i, bool alone);
};

/* Of the closed, takes out those that can be ended after all. */
void circles_close(const struct graph *g);
/* The next circle of closed ones that has not been told: how many they are;
 * 0: there is none. */
int circles_next(const struct graph *g, int member[]);
/* True if each of them waits for one other, and is said to. */
bool circles_text(const struct graph *g, int member[], int n, char *text,
                  size_t size);
#endif
