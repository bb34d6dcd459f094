/*
 * kinds.h - why a thread waits: each kind of waiting looks at the call's
 * arguments for itself
 *
 *   kinds.c  which call is of which kind; descriptors, processes, time,
 *            signals, locks; by wchan, where the call may not be read
 *   futex.c  semaphores, mutexes, conditions
 *   sysv.c   System V's semaphores and queues
 */
#ifndef KINDS_H
#define KINDS_H
#include "ends.h"

void kind_futex(struct waiting *w);
void kind_semop(struct waiting *w);
void kind_msgrcv(struct waiting *w);
void kind_msgsnd(struct waiting *w);
#endif
