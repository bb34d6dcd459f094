/*
 * sysv.h - System V's semaphores and queues
 */
#ifndef SYSV_H
#define SYSV_H
#include "wait.h"

void kind_semop(struct wait *w);
void kind_msgrcv(struct wait *w);
void kind_msgsnd(struct wait *w);
#endif
