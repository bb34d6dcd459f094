/*
 * hidden.h - what can be said of a call that may not be read
 */
#ifndef HIDDEN_H
#define HIDDEN_H
#include "wait.h"

void hidden_say(struct wait *w);
#endif
