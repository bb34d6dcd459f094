/*
 * futex.h - semaphores, mutexes, conditions and the like
 */
#ifndef FUTEX_H
#define FUTEX_H
#include "wait.h"

void kind_futex(struct wait *w);
#endif
