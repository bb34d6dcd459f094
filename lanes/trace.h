/*
 * trace.h - a line of the log is a step of the world, and perhaps a row
 *
 *   trace.c   entry and return of a call    memory.c  the lane of -m
 *   label.c   call -> text                  tables.c  -f
 *   needs.c   call -> what would end it     traced.c  what is kept
 */
#ifndef TRACE_H
#define TRACE_H
#include "meaning.h"
#include "rows.h"

struct traced {                    /* of a process */
    struct call call;              /* the one that it is in, or was in last */
    const struct meaning *meaning; /* ... NULL: the table has none */
    char *body;            /* its text, to be joined with the resumed rest */
    bool partial;          /* the log's last line, without its end */
    bool drawn;            /* has a row */
    bool must_wait;        /* as the world was when it went in */
    char failed_exec[256]; /* of a PATH search, unless another follows */
    bool resumed; /* a handler has returned, and the call begins again */
    struct interrupted { /* calls, by handlers that have not returned */
        struct call call;
        struct object *target;
        bool drawn;
    } interrupted[4];
    int handlers;
    char source[64]; /* file:line of the call */
};
struct traced *traced(struct process *p);
void trace_forget(struct process *p);

extern long unknown_lines;
extern struct row *next_row; /* of the call that is just returning */

void trace_line(char *text, bool whole, const char *source);
void trace_end(void);
bool has_to_wait(struct process *p);
void trace_waits(void);       /* what each process waits for, as of now */
void show(struct row *row);   /* after those of others that come before it */
void draw_waiting(void);      /* what sleeps in a call by now, has to wait */
void memory_look(bool first); /* only where it has not been looked at */
void memory_show(bool look_again);
extern void (*before_effect)(bool last); /* of a call, for others to see */
extern bool more_lines; /* have come; one may be the cause of what is seen */
void tables_say(void);
void expand(const char *format, struct process *p, const struct call *call,
            char *text, size_t size);
struct object *about(struct process *p, const struct call *call,
                     const char **end);
void tag_of(struct process *p, const struct call *call, char *tag, size_t n);
bool has_messages(const struct object *o); /* and no end of file */
/* What was wrong with a call that has returned, or NULL. */
const char *note_of(const struct process *p, const struct call *call);
#endif
