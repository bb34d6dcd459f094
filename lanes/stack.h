/*
 * stack.h - where in its program a thread waits, by what lies on its stack
 *
 * No tracer: memory is read (process_vm_readv) while the thread stays in its
 * call. The return addresses are found as a debugger finds them, by the
 * tables in .eh_frame.
 */
#ifndef STACK_H
#define STACK_H
#include "look.h"

struct place {
    char name[48];   /* of the function that the program has called, or "" */
    bool inner;      /* or of one that this one has called */
    bool in_handler; /* and the line is where its signal came */
    char line[64];   /* file.c:12, or "": filled by lines_find */
    char file[300];  /* for lines_find: where the debugger's data are */
    dev_t dev;
    ino_t ino;
    struct outer {        /* the call, and in a program without libraries */
        unsigned long at; /* those further out, too: the first that has a */
        char name[48], line[64]; /* line is meant */
    } outer[6];
    int outers;
    bool asked; /* by lines_find */
};

void stack_place(struct thread *t, struct place *place);
/* The lines, all at once: each start of addr2line takes milliseconds. */
void lines_find(struct place *place[], int n);
#endif
