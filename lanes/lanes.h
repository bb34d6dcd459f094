/*
 * lanes.h - what the rooms of lanes share
 *
 *   rows.c     events -> rows, folded    text.c   rows -> text
 *   label.c    call -> text              svg.c    rows -> SVG
 *   calls.c    what each call means      page.c   SVG -> HTML
 *   noise.c    which are worth a row     proc.c   what /proc says
 *   model.c    processes, descriptors, messages in flight
 *   verdict.c  which process waits for which
 *   main.c     options, strace, the loop
 */
#ifndef LANES_H
#define LANES_H
#include "base.h"
#include "log.h"

/* ---- options ---------------------------------------------------------- */

struct options {
    bool step, quiz, tables, source, memory, all, live, attached;
    int delay;        /* milliseconds after each row */
    double stuck;     /* seconds of silence that mean: stuck */
    int lanes, width; /* 0: find out */
};
extern struct options opt;

/* ---- model.c ---------------------------------------------------------- */

enum kind {
    FILE_, /* a regular file, or what we do not know better */
    PIPE,
    FIFO,
    SOCKET,
    MQ,     /* POSIX message queue */
    EVENT,  /* eventfd, signalfd, timerfd, epoll */
    TTY,    /* where a program prints */
    DEVICE, /* /dev/null and the like */
    SEMSET, /* peer: the first of its semaphores */
    SEMAPHORE,
    MSGQ,
    SHM,
    FUTEX
};

struct process;

/* Bytes or a message that one has sent and nobody has received yet. */
struct message {
    struct message *next;
    struct process *from;
    long size, left; /* bytes */
    long rank;       /* priority of mq, type of msgsnd */
    long seq, done;  /* when it was begun and finished; done 0: in flight */
    char bytes[64];
    int known;              /* how many of the bytes */
    bool gone;              /* received while in flight */
    struct file *passed[4]; /* SCM_RIGHTS: open files that travel along */
    int passed_fd[4], files;
};

/* Anything two processes can meet at. */
struct object {
    struct object *next;
    enum kind kind;
    char *key;     /* what strace calls it */
    char name[48]; /* what we call it: P1, S2, a file's name */
    struct message *first, *last;
    long queued;           /* bytes */
    long capacity;         /* of a pipe */
    struct process *r, *w; /* who closed the last read, write end */
    struct process *user;  /* who took it last, woke it, connected it */
    char user_how[40];
    long used;              /* when */
    struct process *holder; /* of a lock */
    struct object *peer;    /* of a socket, of a set of semaphores */
    int readers, writers;   /* open files */
    bool gone, marked;
};

/* An open file description: what dup and fork share. */
struct file {
    int refs;
    struct object *object;
    bool r, w;
};

struct slot {
    struct file *file;
    bool cloexec;
};

struct table { /* of descriptors; threads share one */
    int refs, size;
    struct slot *slot;
};

struct mapping { /* MAP_SHARED */
    unsigned long address, size;
    struct object *object;
    unsigned long offset;
};

struct space { /* an address space, as far as it is shared */
    int refs, maps;
    struct mapping *map;
};

enum state { ALIVE, ENDING, ZOMBIE, GONE };

struct process {
    struct process *next;
    pid_t pid;
    int number;    /* 0 is A */
    char name[32]; /* from execve's argv */
    char exe[256];
    struct process *parent, *leader; /* leader: of the thread group */
    enum state state;
    int status; /* exit status, or 128 + signal */
    char killer[16];
    struct table *table;
    struct space *space;
    struct object signals; /* sent to it, and not yet delivered */
    unsigned char handled[65];
    int column; /* where it is drawn, -1: not yet */

    struct call call; /* the one that it is in, if call.open */
    char *body;       /* its text, to be joined with the resumed rest */
    long seq;         /* when it went in */
    bool partial;     /* the log's last line, without its end */
    bool drawn;       /* has a row */
    bool waits;       /* ... that says so */
    bool restarts;    /* interrupted by a signal, will be called again */
    struct message *sending;
    struct object *sent_to;
    struct object *target; /* what the call is about */
    const char *closed;    /* the end that close is about to give up */
    char *failed_exec;     /* of a PATH search, unless another follows */
    char source[64];       /* file:line of the call */
    long drawn_at;         /* the row's number */
    pid_t born;            /* the child of a fork that has not returned */
    bool thread;
    bool marked;
    bool own_close; /* it sees EOF because it closed the last end itself */
    bool hidden;    /* the launcher of several commands: has no lane */
};

extern struct process *processes;
extern struct object *objects;
extern long unknown_lines, hidden_calls;

void model_line(char *text, bool whole, const char *source);
void model_seed(int fd, const char *what, bool r, bool w);
void model_end(void);
struct process *process_of(pid_t pid);
struct process *anyone(pid_t pid); /* even if it is gone */
struct process *process_new(pid_t pid, struct process *parent, bool thread,
                            bool files);
const char *letter(const struct process *p);
struct object *object_of(const char *what);
struct object *object_by(enum kind kind, const char *key);
struct file *file_new(struct object *object, bool r, bool w);
void file_free(struct file *file, struct process *by);
struct slot *slot_of(struct process *p, int fd);
void slot_set(struct process *p, int fd, struct file *file, bool cloexec);
void slot_close(struct process *p, int fd);
const char *object_name(struct object *o);
void table_own(struct process *p);
struct object *see(struct process *p, const char *arg, int *fd,
                   struct file **file);
struct message *send_message(struct process *p, struct object *to,
                             const char *text, long size, long rank);
void sent(struct process *p, long n);
struct object *mapped(struct process *p, unsigned long address,
                      unsigned long *offset);
void map_add(struct process *p, unsigned long address, unsigned long size,
             struct object *object, unsigned long offset);
void map_remove(struct process *p, unsigned long address);
void ends(struct process *p);
void hide(struct process *p);
void draw_pending(struct process *p);
void draw_all_pending(const struct process *but);
struct message *receive(struct process *p, struct object *from,
                        const char *text, long n, bool whole, long rank);
bool alive(const struct process *p);
void name_process(struct process *p, const char *argv);

/* ---- rows.c: the seam between what happened and how it is drawn ------- */

enum arrow_kind {
    DATA,    /* solid, the others are dashed */
    FORK,    /* parent to child */
    STATUS,  /* exit status, to who waited */
    LAST_W,  /* last writer gone: EOF */
    LAST_R,  /* last reader gone: SIGPIPE */
    WAKE,    /* who waited goes on */
    SIGNAL_, /* a signal */
    PASSED   /* a descriptor */
};

struct arrow {
    enum arrow_kind kind;
    int from, to; /* columns */
    struct process *sender;
    long from_row; /* number of the sender's last row */
    char text[48];
    bool unsure;
};

enum row_kind {
    ROW_CALL,   /* a call, entered and left */
    ROW_WAIT,   /* entered, and still inside */
    ROW_RETURN, /* the return of a call that has a row already */
    ROW_EVENT,  /* signal, end */
    ROW_START,  /* a process begins; its arrow comes from the parent */
    ROW_MEMORY, /* shared memory has changed */
    ROW_FOLDED  /* so many more of the same */
};

enum { MAX_COLUMNS = 32, MAX_ARROWS = 4 };

struct lane {   /* of a column, at the time of a row */
    char state; /* ' ' nobody, '|' runs, ':' is inside a call that blocks */
    int number; /* of the process: 0 is A */
    const char *name;
};

struct row {
    enum row_kind kind;
    long number;
    struct process *who; /* NULL: ROW_FOLDED, ROW_MEMORY */
    int column;
    char text[256];  /* without marks such as the return's corner */
    char tag[64];    /* the object: P1.r */
    char ask[160];   /* -q: what is asked before text is shown */
    char source[64]; /* file:line, or "" */
    bool failed;
    struct arrow arrow[MAX_ARROWS];
    int arrows;
    struct lane lane[MAX_COLUMNS]; /* all columns; the row's own, too */
    int lanes;
    const char *caption;
};

/* A back end. Each row is complete when it is given; none comes again. */
struct painter {
    void (*row)(const struct row *row);
    void (*text)(const char *text); /* verdict, tables: lines as they are */
    void (*end)(void);
    bool forgets; /* keeps no row, so processes that are gone can be freed */
};
extern const struct painter text_painter, svg_painter,
    *painter; /* main's choice */
void text_open(FILE *out, bool colour, bool utf8);
void svg_open(FILE *out, bool html);
void page_begin(FILE *out, int width, const int *x, int lanes);
void page_end(FILE *out);

extern struct row *next_row; /* where the present call puts its arrows */
void row_begin(struct row *row, enum row_kind kind, struct process *who);
void row_arrow(struct row *row, enum arrow_kind kind, struct process *from,
               bool unsure, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void row_end(struct row *row); /* gives it to the painter, perhaps folded */
void rows_flush(void);
bool rows_forgotten(void); /* nobody will ask for who is gone */
void rows_mute(void);      /* what comes now is our own doing */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void captions_read(const char *path);
void tables_say(void);

/* ---- calls.c, label.c, noise.c ----------------------------------------- */

enum {
    BLOCKS = 1, /* may wait: its entry gets a row if others move meanwhile */
    FEEDS = 2,  /* its entry can be what another has waited for */
    QUIET = 4,  /* no row of its own, the model only */
    IPC_ONLY = 8, /* a row only if it is about an IPC object */
    TIMED = 16,   /* only waits for time to pass */
    WAITED = 32   /* a row only if it had to wait */
};

struct meaning {
    const char *name;
    const char *shown;  /* $0 the argument, $f0 the descriptor's number,
                           $s1 the string, $p0 the process, $g1 the signal */
    const char *result; /* of success, the same and $r; NULL: not shown */
    int object;         /* the argument that is the descriptor, or -1 */
    unsigned flags;
    void (*enter)(struct process *p, struct call *call);
    void (*leave)(struct process *p, struct call *call);
};

const struct meaning *meaning_of(const char *name);
void expand(const char *format, struct process *p, const struct call *call,
            char *text, size_t size);
void tag_of(struct process *p, const struct call *call, char *tag, size_t n);
bool worth_a_row(struct process *p, const struct call *call,
                 const struct meaning *m);
bool system_path(const char *path);
const char *signal_name(const char *name);
void handled_signals(const struct process *p, char *text, size_t size);
bool is_open(const char *name);
struct object *semaphore(struct object *set, long n);
bool next_operation(const char **list, long *n, long *by);
struct object *bound_to(const char *address);
const char *open_path(const struct call *call, char *path, size_t size);
const char *open_flags(const struct call *call);

/* ---- verdict.c, proc.c, source.c -------------------------------------- */

bool all_wait(void);
bool one_gives_up(double stuck, double silence);
void verdict(double seconds);
char proc_state(pid_t pid);
long proc_arg(pid_t pid, int n); /* of the call that it is in */
void proc_seed(int in, int out);
void proc_adopt(struct process *p); /* one that ran before us */
void proc_tables(void); /* makes the model's tables agree with /proc */
bool proc_word(pid_t pid, unsigned long address, unsigned *word);
int proc_outsiders(struct object *object, bool writers, char *text,
                   size_t size);
void proc_name(pid_t pid, char *name, size_t size);
pid_t proc_parent(pid_t pid);
/* Calls with each descriptor in an epoll set; how many there are. */
int proc_epoll(pid_t pid, int epoll, void (*with)(void *, int, int),
               void *context);
bool proc_is_fifo(pid_t pid, const char *path);
void memory_look(void);

#endif
