/*
 * traced.c - what is kept of a process while it is followed
 */
#include "trace.h"
#include <stdlib.h>

void trace_forget(struct process *p)
{
    if (!p->traced)
        return;
    call_free(&p->traced->call);
    while (p->traced->handlers > 0)
        call_free(&p->traced->interrupted[--p->traced->handlers].call);
    free(p->traced->body);
}

struct traced *traced(struct process *p)
{
    if (!p->traced)
        p->traced = zeros(1, sizeof *p->traced);
    return p->traced;
}
