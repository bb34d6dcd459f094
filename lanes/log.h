/*
 * log.h - strace's log: the form of its lines, not their meaning
 *
 *   read.c    log -> lines       source.c   address -> file:line
 *   call.c    line -> call
 */
#ifndef LOG_H
#define LOG_H
#include "base.h"

enum { MAX_ARGS = 10 };

struct call {
    char *buffer; /* all text below lies in it */
    char *more;   /* or, of the result of a call that was restarted, here */
    char *name;
    char *arg[MAX_ARGS]; /* as strace writes them; the last has the rest */
    int args;
    bool open;          /* no result yet: the process is in the call */
    const char *result; /* what follows the =, "?" if it is not known */
    long value;         /* its number, -1 if it failed or there is none */
    const char *err;    /* "EAGAIN", or NULL */
};

enum line_kind {
    LINE_CALL,       /* name(args) = result */
    LINE_UNFINISHED, /* name(args <unfinished ...>, or no end of line yet */
    LINE_RESUMED,    /* <... name resumed>args) = result */
    LINE_SIGNAL,     /* --- SIGCHLD {...} --- */
    LINE_STOPPED,    /* --- stopped by SIGSTOP --- */
    LINE_EXITED,     /* +++ exited with 0 +++ */
    LINE_KILLED,     /* +++ killed by SIGPIPE +++ */
    LINE_OTHER,      /* known, and of no interest */
    LINE_UNKNOWN
};

struct line {
    enum line_kind kind;
    pid_t pid; /* 0: strace ran without -f */
    char *body;
    char *name; /* of the call that is resumed; of the signal */
    int status; /* LINE_EXITED */
};

void line_parse(char *text, struct line *line);
void call_parse(const char *text, struct call *call);
void call_free(struct call *call);
const char *arg(const struct call *call, int n); /* "" if there is none */
long arg_number(const struct call *call, int n); /* 0 if it is none */
bool has(const struct call *call, int n, const char *word);
bool failed_with(const struct call *call, const char *err);
/* "3<pipe:[7]>" gives 3 and "pipe:[7]"; -1 if it is no descriptor. */
int descriptor(const char *arg, char *what, size_t size);
/* strace's quoted string as bytes; the number of them, -1 if it is none. */
int string_bytes(const char *quoted, char *bytes, int size);
bool string_of(const char *quoted, char *text, size_t size); /* or "" */
/* The value of FIELD= in a struct as strace writes it. */
bool field(const char *text, const char *name, char *value, size_t size);
long field_number(const char *text, const char *name); /* 0 if it is none */
double field_seconds(const char *text); /* of a timespec, or a timeval */

struct reader {
    int fd;
    char *text;
    size_t begin, end, room;
    bool eof, shown; /* shown: the partial line has been given out */
};

/* The next line, or NULL; *whole is false for one that has no end yet. */
char *reader_line(struct reader *reader, bool partial, bool *whole);
bool reader_more(const struct reader *reader); /* has a whole line */
bool reader_fill(struct reader *reader, FILE *keep);
/* Are the first lines strace's? They are still to be read. */
bool reader_is_log(struct reader *reader);

/* Of the stack that strace -k prints below a call. */
void source_line(char *frames, char *text, size_t size);
#endif
