/*
 * explain.h - why a thread waits: all that can be found out
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H
#include "wait.h"

void wait_explain(struct thread *t, struct wait *w);
#endif
