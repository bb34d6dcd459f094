/*
 * circles.h - which waits can only end each other
 */
#ifndef CIRCLES_H
#define CIRCLES_H
#include "wait.h"

struct node { /* a thread, and its waiting */
    struct wait w;
    struct measure {
        long reads; /* -1: not known */
        unsigned long user, kernel, switches;
    } first;
    bool moved;        /* it went on while it was looked at */
    bool gone;         /* or even ended */
    struct node *like; /* an earlier one, of which the same is true */
    int more;          /* how many are like this one */
    bool closed;       /* only others that are closed could end it */
    bool told;         /* it is in a circle that has been said */
};

/* Marks the closed; with strangers, who could come from outside, or without.
 */
void circles_close(struct node *node[], int n, bool strangers);
/* The next circle that has not been told; false: there is none. */
bool circles_text(struct node *node[], int n, char *text, size_t size);
#endif
