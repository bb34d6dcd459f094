/*
 * world.h - the processes, what they have open, what is on its way between
 * them, and what each waits for
 *
 *   world.c    objects, descriptors, shared memory, processes
 *   message.c  what one has sent and nobody has received yet
 *
 * Data and its accessors. It does not know where the facts come from: from
 * strace's log (trace.h), or from /proc (proc.h). verdict.h needs no more.
 */
#ifndef WORLD_H
#define WORLD_H
#include "base.h"

/* ---- objects and descriptors ------------------------------------------ */

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

struct data { /* the first bytes of it */
    char bytes[64];
    int known;
};

/* Bytes or a message that one has sent and nobody has received yet. */
struct message {
    struct message *next;
    struct process *from;
    long size, left; /* bytes */
    long rank;       /* priority of mq, type of msgsnd */
    long seq, done;  /* when it was begun and finished; done 0: in flight */
    struct data data;
    bool gone;              /* received while in flight */
    struct file *passed[4]; /* SCM_RIGHTS: open files that travel along */
    int passed_fd[4], files;
};

struct early {           /* a process wanted an object before it was there */
    struct process *who; /* or NULL */
    const char *what;
    bool reads; /* it has opened to read only */
    long row;
};

/* Anything two processes can meet at. */
struct object {
    struct object *next;
    enum kind kind;
    char *key;     /* what the kernel calls it */
    char name[48]; /* what we call it: P1, S2, a file's name */
    struct message *first, *last;
    long queued;            /* bytes */
    long capacity;          /* of a pipe */
    struct process *r, *w;  /* which closed the last read, write end */
    long r_seq, w_seq;      /* ... in which of its calls */
    struct process *user;   /* which took it last, woke it, connected it */
    long used;              /* when */
    char takes[40];         /* a signalfd: the signals */
    struct process *holder; /* of a lock */
    bool flocked;           /* ... of flock's; fcntl's are not of them */
    struct object *peer;    /* of a socket, of a set of semaphores */
    struct object *named;   /* what stands for a socket's name, or for that
                               of the one it is connected to: peer is it */
    struct object *in;      /* of a futex: the shared memory */
    int readers, writers;   /* open files */
    bool datagrams, bound;  /* a socket: of such, has a name */
    char side;              /* a or b of a socket pair */
    bool made, found;       /* in this picture, or it was there before */
    bool given, undone;     /* a semaphore: some value; taken with SEM_UNDO;
                               memory: a size */
    bool unknown;           /* a semaphore: which value is not in the log */
    bool semaphore;         /* a futex: of a sem_t */
    bool own, dull; /* the system's, but of interest; and the opposite */
    bool listens;
    struct early early;
    bool gone, marked;
};

/* An open file description: what dup and fork share. */
struct file {
    int refs;
    struct object *object;
    bool r, w, nonblocking;
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

struct memory { /* an address space, as far as it is shared */
    int refs, maps;
    struct mapping *map;
};

struct object *object_by(enum kind kind, const char *key);
struct object *object_of(const char *link); /* as /proc/PID/fd has it */
void object_rename(struct object *o, const char *key);
const char *object_name(struct object *o); /* P1 and S1 from now on */
/* It has wanted o too early; the present step's row will say so. */
void too_early(struct process *p, struct object *o, const char *what);
extern struct early *missed; /* of the present step */
struct file *file_new(struct object *object, bool r, bool w);
void file_ends(struct file *file, bool r, bool w); /* they are known now */
void passed_close(struct message *m);              /* what nobody has taken */
struct slot *slot_of(struct process *p, int fd);
void slot_set(struct process *p, int fd, struct file *file, bool cloexec);
void slot_close(struct process *p, int fd);
void inherit(int fd, const char *link, bool r, bool w);
struct object *mapped(struct process *p, unsigned long address,
                      unsigned long *offset);
void map_add(struct process *p, unsigned long address, unsigned long size,
             struct object *object, unsigned long offset);
/* size 0: the whole of what begins there */
void map_remove(struct process *p, unsigned long address, unsigned long size);
/* Has it a descriptor of the object, open to read, or to write? */
bool holds(const struct process *p, const struct object *o, bool write);
/* One of a System V set, of which others may hold it or have changed it. */
struct object *semaphore(struct object *set, long n);

/* ---- processes -------------------------------------------------------- */

enum state { ALIVE, ENDING, ZOMBIE, GONE };

/* What would end the call that a process is in. */
enum need {
    NEEDS_NOTHING,
    NEEDS_DATA,      /* of object; or a connection, or a message */
    NEEDS_ROOM,      /* in object */
    NEEDS_OTHER_END, /* of object: it asks for that only */
    NEEDS_PARTNER,   /* the other end of a FIFO is to be opened */
    NEEDS_ACCEPT,    /* of object, the listener */
    NEEDS_CHILD,     /* its end */
    NEEDS_SIGNAL,
    NEEDS_WAKE,      /* a futex */
    NEEDS_SEMAPHORE, /* System V */
    NEEDS_MESSAGE,   /* System V, of a type */
    NEEDS_LOCK,
    NEEDS_ONE_OF, /* descriptors: poll, select, epoll */
    NEEDS_TIME
};

enum { MAX_OPERATIONS = 8, MAX_ASKED = 64 };

struct wait {
    enum need need;
    char call[400], source[64]; /* as they are shown */
    struct object *about;       /* ... [P1.r] */
    const char *end;
    struct object *object;
    double limit;          /* seconds; 0: for ever */
    bool clock;            /* ... since 1970 */
    pid_t child;           /* NEEDS_CHILD: which; 0 or less: any */
    bool reads;            /* NEEDS_PARTNER: it opens to read */
    char path[512];        /* ... and what */
    char set[200];         /* NEEDS_SIGNAL: those it takes */
    char blocked[200];     /* ... or does not take */
    char untold[200];      /* ... and what none will tell any more */
    unsigned long address; /* NEEDS_WAKE */
    unsigned expected;     /* ... the value; or a thread's number */
    bool private, own;     /* ... its own threads only; its own memory */
    bool known;            /* ... what /proc tells: */
    char said[600];
    struct process *giver[24]; /* NULL: outside of the picture */
    int givers;
    bool strangers;
    struct operation {         /* NEEDS_SEMAPHORE */
        int number, by, value; /* value -1: not known */
    } operation[MAX_OPERATIONS];
    int operations;
    long type;     /* NEEDS_MESSAGE; with known */
    int epoll;     /* NEEDS_ONE_OF: its descriptor, or -1 */
    struct asked { /* ... */
        int fd;
        enum need need;
        struct object *object;
        bool w; /* NEEDS_OTHER_END: that is one to write to */
    } asked[MAX_ASKED];
    int asks;
};

enum in { /* a call that others have to know of */
          SOME_CALL = 0,
          IN_FORK = 0x100,
          IN_EXEC = 0x200,
          IN_OPEN = 0x400,
          IN_CONNECT = 0x800
};

struct process {
    struct process *next;
    pid_t pid;
    int ns, child_ns;      /* its pid namespace, its children's; 0: ours;
                              below 0: it was there before */
    pid_t own, parent_own; /* its number there, and in its parent's */
    int number;            /* 0 is A; -1: outside of the picture */
    char name[32];         /* from execve's argv */
    char exe[256];
    struct process *parent, *leader; /* leader: of the thread group */
    enum state state;
    int status; /* exit status, or 128 + signal */
    char killer[16];
    struct table *table;
    struct memory *space;
    struct object signals; /* sent to it, and not yet delivered */
    unsigned char handled[65];
    unsigned short sent[65], came[65]; /* signals: how many */
    char blocked[80];                  /* "[USR1]", by itself and by name */
    bool unblocked;                    /* ... and no longer */
    int program;                       /* which exec it comes from */
    int dir;                           /* changes with each chdir */
    int stopped;                       /* by this signal, or 0 */
    char no_exec[64]; /* "exec nosuch = ENOENT": it runs on nevertheless */
    bool truncated;   /* a descriptor that was sent to it did not fit */
    bool thread;
    bool hidden; /* the launcher of several commands: has no lane */
    bool marked;

    enum in in;            /* the call that it is in, or was in last */
    bool inside;           /* it is in it */
    bool waits;            /* ... as far as the rows have shown */
    bool restarts;         /* interrupted by a signal, will be called again */
    long seq;              /* when it went in */
    double since;          /* the time when it last did something new */
    long again;            /* how often it has got the same in vain since */
    const char *vain;      /* ... what: "EOF" */
    struct object *target; /* what the call is about */
    struct message *sending;
    struct object *sent_to;
    const char *closed; /* ".r": the end that its close gives up */
    bool own_close;    /* it sees EOF because it closed the last end itself */
    pid_t born;        /* the child of a fork that has not returned */
    struct wait *wait; /* NULL: not looked at */
    char run;          /* R, S, D, T, t, Z as ps has it; ' ': unknown */
    struct drawn *drawn;   /* rows.h */
    struct traced *traced; /* trace.h */
};

extern struct process *processes; /* the newest first */
extern long now;                  /* steps so far */
extern double time_now;           /* seconds, of the present step */

struct process *process_of(pid_t pid);
struct process *anyone(pid_t pid); /* even if it is gone */
/* Does by, which may be in another pid namespace, call it so? */
bool is_called(const struct process *by, const struct process *p, long n);
/* The one that it calls so; gone: even if it is. */
struct process *called(const struct process *by, long n, bool gone);
int new_ns(void); /* a pid namespace */
struct process *process_new(pid_t pid, struct process *parent, bool thread,
                            bool files);
bool alive(const struct process *p);
const char *letter(const struct process *p);
const char *letter_of(int number);
const char *who(const struct process *p); /* "A connect2" */
/* One of no interest but for what it holds: number is -1. */
struct process *outsider(pid_t pid, const char *name);
bool outside(const struct process *p);
void outsiders_leave(void);
void name_process(struct process *p, const char *path);
void hide(struct process *p);
void new_program(struct process *p, const char *path); /* exec */
struct wait *wait_new(struct process *p);              /* an empty one */
void ends(struct process *p);                          /* it has closed all */
void gone(struct process *p); /* and perhaps nobody has waited for it */
bool last_thread(const struct process *p);
/* Frees what nothing leads to any more, if that may be much. */
bool crowded(void);
void sweep(void);
extern void (*forget)(struct process *p); /* what others keep of it */

/* ---- messages --------------------------------------------------------- */

struct message *send_message(struct process *p, struct object *to,
                             const struct data *data, long size, long rank);
void sent(struct process *p, long n);
struct message *receive(struct process *p, struct object *from,
                        const struct data *data, long n, bool whole,
                        long rank);
void message_remove(struct object *o, struct message *m);
void messages_move(struct object *from, struct object *to);
long signal_came(struct process *p, struct process *from, int number);
void received(void); /* what came along with the last is taken, or closed */

/* ---- what comes from another process ---------------------------------- */

enum tie_kind {
    BYTES,   /* solid where it is drawn, the others are dashed */
    FORK,    /* parent to child */
    STATUS,  /* exit status, to a process that waited */
    LAST_W,  /* last writer gone: EOF */
    LAST_R,  /* last reader gone: SIGPIPE */
    WAKE,    /* a process that waited goes on */
    SIGNAL_, /* a signal */
    PASSED   /* a descriptor */
};

enum { MAX_TIES = 4 };

/* Of the present step: from which process, and what. */
extern struct tie {
    enum tie_kind kind;
    struct process *from;
    long seq; /* of the sender's call; 0: its last */
    char text[48];
    bool unsure;
} ties[MAX_TIES];
extern int tied;

/* seq: see struct tie; -1 if it is not known. */
void tie(const struct process *to, enum tie_kind kind, struct process *from,
         long seq, bool unsure, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
#endif
