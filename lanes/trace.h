/*
 * trace.h - a line of the log is a step of the world, and perhaps a row
 *
 *   trace.c   entry and return of a call     noise.c   what is worth a row
 *   label.c   call -> text                   memory.c  the lane of -m
 *   needs.c   call -> what would end it    tables.c  -f
 */
#ifndef TRACE_H
#define TRACE_H
#include "meaning.h"
#include "rows.h"

struct traced {        /* of a process */
    struct call call;  /* the one that it is in, or was in last */
    char *body;        /* its text, to be joined with the resumed rest */
    bool partial;      /* the log's last line, without its end */
    bool drawn;        /* has a row */
    char *failed_exec; /* of a PATH search, unless another follows */
    char source[64];   /* file:line of the call */
};
struct traced *traced(struct process *p);

extern long unknown_lines;
extern struct row *next_row; /* of the call that is just returning */

void trace_line(char *text, bool whole, const char *source);
void trace_end(void);
void trace_waits(void);     /* what each process waits for, as of now */
void show(struct row *row); /* after those of others that come before it */
void draw_all_pending(const struct process *but);
void memory_look(void);
void tables_say(void);
void expand(const char *format, struct process *p, const struct call *call,
            char *text, size_t size);
struct object *about(struct process *p, const struct call *call,
                     const char **end);
void tag_of(struct process *p, const struct call *call, char *tag, size_t n);
bool worth_a_row(struct process *p, const struct call *call,
                 const struct meaning *m);
bool system_path(const char *path);
#endif
