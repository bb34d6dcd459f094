/*
 * kinds.h - why a thread waits: each kind of waiting looks at the call's
 * arguments for itself
 *
 *   kinds.c    descriptors, processes, time, signals, locks; and a table:
 *              which call is of which kind
 *   futex.c    semaphores, mutexes, conditions
 *   sysv.c     System V's semaphores and queues
 *   hidden.c   where the call may not be read: by wchan
 */
#ifndef KINDS_H
#define KINDS_H
#include "ends.h"

void kind_wait(struct waiting *w);
void kind_time(struct waiting *w);
void kind_signal(struct waiting *w);
void kind_vfork(struct waiting *w);
/* kind: FLOCK, POSIX or OFDLCK, as /proc calls them. */
void kind_lock_holders(struct waiting *w, struct descriptor *d,
                       const char *kind);
void kind_futex(struct waiting *w);
void kind_semop(struct waiting *w);
void kind_msgrcv(struct waiting *w);
void kind_msgsnd(struct waiting *w);
void hidden_say(struct waiting *w);
#endif
