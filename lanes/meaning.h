/*
 * meaning.h - what each call does to the world
 *
 *   meaning.c  the table: adding a call is adding a row
 *   seen.c     what strace's words stand for
 *   noise.c    what is worth a row
 */
#ifndef MEANING_H
#define MEANING_H
#include "log.h"
#include "world.h"

enum {               /* and the IN_... of world.h */
       ON_FD = 1,    /* argument 0 is the descriptor that it is about */
       FEEDS = 2,    /* its entry can be what another has waited for */
       QUIET = 4,    /* no row of its own, the world only */
       IPC_ONLY = 8, /* a row only if it is about an IPC object */
       WAITED = 16,  /* a row only if it had to wait */
       EXITS = 32    /* does not return */
};

struct meaning {
    const char *names; /* of the calls that do this */
    const char
        *shown; /* $n its name, $0 the argument, $f0 the descriptor's number,
                   $s1 the string, $p0 the process, $g1 the signal */
    const char *result; /* of success, the same and $r; NULL: not shown */
    unsigned flags;
    void (*enter)(struct process *p, struct call *call);
    void (*leave)(struct process *p, struct call *call); /* no error */
    void (*tried)(struct process *p, struct call *call); /* or an error */
    enum need need;   /* what it may wait for */
    int limit;        /* the argument that says how long, or 0 */
    const char *only; /* words: a row only if one is in an argument */
    bool (*worth)(const struct process *p, const struct call *call);
};

const struct meaning *meaning_of(const char *name);
void leave_call(struct process *p, struct call *call,
                const struct meaning *m);

/* ---- noise.c ---------------------------------------------------------- */

bool worth_a_row(struct process *p, const struct call *call,
                 const struct meaning *m);
/* For the table: is one such call of the programmer's? */
bool is_opened(const struct process *p, const struct call *call);
bool is_unlinked(const struct process *p, const struct call *call);
bool is_own_socket(const struct process *p, const struct call *call);
bool is_shared(const struct process *p, const struct call *call);
bool succeeds(const struct process *p, const struct call *call);
bool waits_or_wakes(const struct process *p, const struct call *call);
bool closes(const struct process *p, const struct call *call);
bool has_handler(const struct process *p, const struct call *call);
bool changes_mask(const struct process *p, const struct call *call);
bool has_children(const struct process *p, const struct call *call);

/* ---- seen.c ----------------------------------------------------------- */

const char *signal_shown(const char *name);
int signal_number(const char *name);
bool few_signals(const struct call *call); /* sigprocmask names them */
bool unblocks(const struct process *p, const struct call *call);
int path_arg(const struct call *call); /* 1 where 0 is a folder */
const char *open_path(const struct call *call, char *path, size_t size);
const char *open_flags(const struct call *call);
bool system_path(const char *path);
bool own_file(const struct process *p, const struct call *call);
const struct data *data_of(const struct call *call, int n);
long iov_bytes(const char *iov);
struct object *seen_object(const char *what);
struct object *see(struct process *p, const char *arg, int *fd,
                   struct file **file);
struct object *bound_name(const struct object *o, const char *address);
/* NULL: no socket of ours */
struct object *bound_to(const struct object *o, const char *address);
struct object *outbox(struct object *o); /* where what is sent there waits */
struct object *udp_name(const char *address); /* NULL: not of the internet */
struct object *addressee(struct object *o, const char *address);
bool next_operation(const char **list, long *n, long *by);
const char *passed_list(const struct call *call);
int next_descriptor(const char **list, char *one, size_t size);
#endif
