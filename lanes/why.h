/*
 * why.h - why do processes not go on? The verdict, from /proc alone
 */
#ifndef WHY_H
#define WHY_H
#include "base.h"

/* -w PID...: the exit status, 0 if there was something to explain. */
int why_pids(char *pids[], int columns);
/* The descendants of this process. */
void why_descendants(FILE *to, int columns);
/* -w -t: the exit status. */
int limit_run(double seconds, char *command[], int width);
#endif
