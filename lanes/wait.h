/*
 * wait.h - in which call a thread waits, for what, and which could end it
 */
#ifndef WAIT_H
#define WAIT_H
#include "look.h"
#include "stack.h"

enum { GIVERS = 24 };

struct waiting {
    struct thread *who;
    struct place place;
    char call[96];   /* "read(0)" */
    char text[2000]; /* the rest: " on a pipe: no data, ..." */
    struct giver {
        struct seen *p;
        struct thread *t; /* NULL: any of p's */
    } giver[GIVERS];
    int givers;
    enum {
        WAITS,  /* in a call, for others */
        SLEEPS, /* for time */
        STOPPED,
        RUNS,
        ENDED /* a zombie */
    } how;
    bool open;  /* others may come and end it: it has a name, a signal does */
    bool timed; /* it gives up by itself */
    bool known; /* it is said for what */
};

void wait_add(struct waiting *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Says so, and that others may end it. */
void wait_open(struct waiting *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void wait_item(struct waiting *w, int i, int of, const char *name);
void wait_giver(struct waiting *w, struct seen *p, struct thread *t);
const char *wait_seconds(double seconds); /* "3.0 s" */
/* What an argument of the call points to; false, and says so: it may not. */
bool wait_reads(struct waiting *w, int argument, void *to, size_t size);
/* kinds.c: each kind of waiting looks at the call's arguments for itself. */
void wait_explain(struct thread *t, struct waiting *w);
void kind_futex(struct waiting *w); /* futex.c */
void kind_semop(struct waiting *w); /* sysv.c */
void kind_msgrcv(struct waiting *w);
void kind_msgsnd(struct waiting *w);
/* What another calls a process or thread, or NULL: it has no such name. */
extern const char *(*wait_alias)(pid_t pid);
const char *wait_name(const struct seen *p);          /* "cat 4711" */
const char *wait_thread_name(const struct thread *t); /* and its number */
#endif
