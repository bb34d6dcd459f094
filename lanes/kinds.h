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

void kind_wait(struct wait *w);
void kind_time(struct wait *w);
void kind_signal(struct wait *w);
void kind_vfork(struct wait *w);
/* kind: FLOCK, POSIX or OFDLCK, as /proc calls them. */
void kind_lock_holders(struct wait *w, struct descriptor *d,
                       const char *kind);
void kind_futex(struct wait *w);
void kind_semop(struct wait *w);
void kind_msgrcv(struct wait *w);
void kind_msgsnd(struct wait *w);
void hidden_say(struct wait *w);
void wait_explain(struct thread *t, struct wait *w);
#endif
