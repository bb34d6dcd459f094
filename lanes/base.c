/*
 * base.c - text that is cut where it does not fit, memory that is there, time
 */
#include "base.h"
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void copy(char *to, size_t size, const char *from)
{
    size_t n = strnlen(from, size - 1);

    memmove(to, from, n);
    to[n] = '\0';
}

void vappend(char *to, size_t size, const char *format, va_list list)
{
    size_t n = strlen(to);

    vsnprintf(to + n, size - n, format, list);
}

void append(char *to, size_t size, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vappend(to, size, format, list);
    va_end(list);
}

void printable(char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word), length;

    for (; *words; words += length) {
        words += strspn(words, " ");
        length = strcspn(words, " ");
        if (n && length == n && strncmp(words, word, n) == 0)
            return true;
    }
    return false;
}

void list_item(char *text, size_t size, int i, int of, const char *name)
{
    int shown = of <= SHOWN + 1 ? of : SHOWN;

    if (i < shown)
        append(text, size, "%s%s",
               i == 0        ? ""
               : i == of - 1 ? " and "
                             : ", ",
               name);
    else if (i == shown)
        append(text, size, " and %d others", of - shown);
}

const char *signal_name(int number)
{
    static const char *const names[] = {
        "",       "HUP",  "INT",    "QUIT", "ILL",   "TRAP", "ABRT", "BUS",
        "FPE",    "KILL", "USR1",   "SEGV", "USR2",  "PIPE", "ALRM", "TERM",
        "STKFLT", "CHLD", "CONT",   "STOP", "TSTP",  "TTIN", "TTOU", "URG",
        "XCPU",   "XFSZ", "VTALRM", "PROF", "WINCH", "IO",   "PWR",  "SYS",
    };
    static char text[2][32];
    static int n;

    n = !n;
    if (number < (int)(sizeof names / sizeof *names))
        snprintf(text[n], sizeof text[n], "SIG%s", names[number]);
    else if (number < 34) /* the C library's own */
        snprintf(text[n], sizeof text[n], "SIGRT_%d", number - 32);
    else
        snprintf(text[n], sizeof text[n],
                 number == 34 ? "SIGRTMIN" : "SIGRTMIN+%d", number - 34);
    return text[n];
}

char *same(const char *text)
{
    char *copied = strdup(text);

    if (!copied)
        err(1, "strdup");
    return copied;
}

void *resize(void *old, size_t n, size_t size)
{
    void *more = reallocarray(old, n, size);

    if (!more)
        err(1, "realloc");
    return more;
}

void *zeros(size_t n, size_t size)
{
    void *zero = calloc(n, size);

    if (!zero)
        err(1, "calloc");
    return zero;
}

double monotonic(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
