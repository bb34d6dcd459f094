/*
 * verdict.h - nothing moves: which process waits, in which call, on what,
 * for which
 */
#ifndef VERDICT_H
#define VERDICT_H
#include "world.h"

bool all_wait(void);
bool one_gives_up(double stuck, double silence);
void verdict(double seconds);
#endif
