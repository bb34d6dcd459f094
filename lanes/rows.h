/*
 * rows.h - the seam between what happened and how it is drawn
 *
 * A row is complete when it is given to the painter; none comes again.
 */
#ifndef ROWS_H
#define ROWS_H
#include "world.h"

enum row_kind {
    ROW_CALL,   /* a call, entered and left */
    ROW_WAIT,   /* entered, and still inside */
    ROW_RETURN, /* the return of a call that has a row already */
    ROW_EVENT,  /* signal, end */
    ROW_START,  /* a process begins; its arrow comes from the parent */
    ROW_MEMORY, /* shared memory has changed */
    ROW_FOLDED  /* some more of the same */
};

enum { MAX_COLUMNS = 32 };

struct arrow {
    struct tie tie;
    int from, to;  /* columns */
    long from_row; /* number of the sender's row, 0: it is not known */
};

struct lane {   /* of a column, at the time of a row */
    char state; /* ' ' nobody, '|' runs, ':' is inside a call that blocks */
    int number; /* of the process that is there, or was last: 0 is A */
    char name[32];
};

struct row {
    enum row_kind kind;
    long number;
    struct process *who; /* NULL: ROW_FOLDED, ROW_MEMORY */
    int column;
    char text[256];     /* without marks such as the return's corner */
    char tag[64];       /* the object: P1.r */
    char ask[160];      /* -q: what is asked before text is shown */
    char source[64];    /* file:line, or "" */
    struct process *by; /* which is in a call, whose line this is */
    long seq;
    bool failed;
    bool exits, ends; /* it is in exit; it is at its end */
    bool plain; /* a command of the system reads or writes a plain file */
    struct arrow arrow[MAX_TIES];
    int arrows;
    struct lane lane[MAX_COLUMNS]; /* all columns; the row's own, too */
    int lanes;
    bool renamed; /* one has another name than in the row before */
    const char *caption;
    const char *note; /* of a mistake: shown where there is no caption */
};

enum { REMEMBERED = 32 };
struct drawn { /* of a process */
    int column;
    long row; /* number of its last */
    struct {
        long seq, row; /* and of others, by their calls */
    } call[REMEMBERED];
    int calls;
};

struct painter {
    void (*row)(const struct row *row);
    void (*text)(const char *text); /* verdict, tables: lines as they are */
    void (*end)(void);              /* NULL: it keeps nothing */
    bool forgets; /* keeps no row, so processes that are gone can be freed */
};
extern const struct painter *painter; /* main's choice */

extern struct options {
    bool all, memory, attached; /* -a, -m, -p */
    int lanes, width;           /* 0: find out */
    int margin;                 /* of the width, for source lines */
    bool hold;                  /* -l: rows, until their lines are known */
} opt;

void row_begin(struct row *row, enum row_kind kind, struct process *who);
void row_arrow(struct row *row, const struct tie *tie);
const char *row_tag(const struct row *row); /* " [P1.r]", or "" */
/* A label's room ends at the next lane that somebody is in. */
int next_lane(const struct row *row, int lanes);
bool lane_shared(int column); /* it is for many processes */
const char *lane_head(const struct lane *lane);
bool arrow_solid(const struct arrow *arrow); /* it carries data */
/* Not from the row above: the sender's number is worth saying. */
bool arrow_from_afar(const struct row *row, const struct arrow *arrow);
void row_end(struct row *row); /* gives it to the painter, perhaps folded */
void rows_flush(void);
bool rows_forgotten(void); /* nobody will ask for what is gone */
/* Of the call that it is in, or was in last. */
void rows_source(const struct process *p, const char *source);
bool rows_held(void);
void rows_mute(void); /* what comes now is our own doing */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void captions_read(const char *path);
#endif
