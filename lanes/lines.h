/*
 * lines.h - the source lines of places
 */
#ifndef LINES_H
#define LINES_H
#include "stack.h"

/* All at once, since each start of addr2line takes milliseconds. */
void lines_find(struct place *place[], int n);
#endif
