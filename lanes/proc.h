/*
 * proc.h - what /proc says of processes that run; it is asked for what no
 * system call tells
 */
#ifndef PROC_H
#define PROC_H
#include "world.h"

extern bool live; /* they run; else nothing is known */

void proc_seed(int in, int out);    /* what the first process will inherit */
void proc_adopt(struct process *p); /* one that ran before us */
void proc_name(pid_t pid, char *name, size_t size);
pid_t proc_parent(pid_t pid);
/* Adds it and all that it has started to a list of n; returns the new n. */
int proc_family(pid_t pid, pid_t list[], int n, int most);
bool proc_is_fifo(pid_t pid, const char *path);
char proc_state(pid_t pid); /* as ps has it; ' ': unknown */
void proc_states(void);     /* which of them run, which sleep */
/* The tables of those that are quiet since then agree with /proc now. */
void proc_tables(double since);
void proc_look(void); /* adds to the waits what only it can tell */
/* And this, which takes longer: the lines; which processes outside hold. */
void proc_look_far(void);
/* What it has made of System V, and has not removed. */
void proc_left(void (*say)(const char *line));
#endif
