/*
 * proc.h - what /proc says of processes that run; it is asked for what no
 * system call tells
 */
#ifndef PROC_H
#define PROC_H
#include "world.h"

extern bool live; /* they run; else nothing is known */

char proc_state(pid_t pid);         /* R, S, D, T, t, Z; ' ': there is none */
long proc_arg(pid_t pid, int n);    /* of the call that it is in */
void proc_seed(int in, int out);    /* what the first process will inherit */
void proc_adopt(struct process *p); /* one that ran before us */
void proc_tables(void); /* makes the world's tables agree with /proc */
bool proc_word(pid_t pid, unsigned long address, unsigned *word);
int proc_outsiders(struct object *object, bool writers, char *text,
                   size_t size);
void proc_name(pid_t pid, char *name, size_t size);
pid_t proc_parent(pid_t pid);
/* Calls with each descriptor in an epoll set; how many there are. */
int proc_epoll(pid_t pid, int epoll, void (*with)(void *, int, int),
               void *context);
bool proc_is_fifo(pid_t pid, const char *path);
#endif
