/*
 * base.h - what every room needs
 */
#ifndef BASE_H
#define BASE_H
#define _GNU_SOURCE
#ifndef __linux__
#error "lanes needs Linux: strace, /proc"
#endif
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

enum { SHOWN = 6 }; /* are named, before "and 9 others" */

void copy(char *to, size_t size, const char *from); /* cuts */
void append(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool begins(const char *text, const char *with);
bool has_word(const char *words, const char *word); /* set off by spaces */
void printable(char *text);                         /* ? for what is not */
void vappend(char *to, size_t size, const char *format, va_list list);
/* The i-th of a list, "a, b and c"; of many only SHOWN are named. */
void list_item(char *text, size_t size, int i, int of, const char *name);
const char *signal_name(int number); /* "SIGINT" */
char *same(const char *text);        /* a copy of its own */
void *resize(void *old, size_t n, size_t size);
void *zeros(size_t n, size_t size);
double monotonic(void); /* seconds */
#endif
