/*
 * verdict.h - which process waits, in which call, on what, for which
 */
#ifndef VERDICT_H
#define VERDICT_H
#include "world.h"

/* Is every process in a call that only another can end? */
bool all_wait(void);
/* Do some that have done nothing new since then wait for each other only? */
bool some_stuck(double since);
/* Will one go on by itself just when the others count as stuck? */
bool one_gives_up(double stuck, double silence);
void verdict(void (*say)(const char *line));
#endif
