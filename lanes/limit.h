/*
 * limit.h - run a command for so long at most, and say why it does not end
 */
#ifndef LIMIT_H
#define LIMIT_H

/* -w -t SEC COMMAND: the exit status, or dies of the command's signal. */
int limit_run(double seconds, char *command[], int width);
#endif
