/*
 * look.h - what /proc shows of processes: data, and no judgement
 *
 * Nothing here stops, signals or traces a process. All is read when it is
 * first asked for, and kept until look_end. What may not be read, or is gone
 * meanwhile, is empty.
 */
#ifndef LOOK_H
#define LOOK_H
#include "base.h"
#include <sys/stat.h>

enum call_known {
    CALL_HIDDEN, /* it may not be read */
    CALL_NONE,   /* it is in none: it runs, or has stopped outside */
    CALL_KNOWN
};

struct thread {
    struct seen *of;
    pid_t tid;
    char state; /* as ps shows it: R S D T t Z X */
    char wchan[40];
    enum call_known known;
    long call; /* its number */
    unsigned long arg[6], sp, pc;
    unsigned long switches;      /* how often it has left a CPU */
    unsigned long user, kernel_; /* time there, in ticks */
};

struct descriptor {
    int fd;
    bool r, w;   /* which end of a pipe it is; else both */
    char *link;  /* pipe:[5], socket:[6], /a/path, anon_inode:[...] */
    bool asked;  /* the rest is known */
    mode_t type; /* 0 if it could not be asked for */
    dev_t dev;
    ino_t ino;
};

struct region { /* a line of maps */
    unsigned long from, to, offset;
    bool shared, runs;
    dev_t dev;
    ino_t ino;
    char *path;
};

struct seen { /* a process */
    pid_t pid, parent, group, foreground;
    pid_t door; /* its folder in /proc: a thread's that lives */
    int terminal;
    char state;
    char name[32];
    int at;         /* its place in their order */
    bool asked_for; /* one of the tree */
    bool taken;     /* by the verdict, with all its threads */
    struct thread *thread;
    struct descriptor *descriptor;
    struct region *region;
    int threads, descriptors, regions;
    bool looked[3]; /* which of the three have been read */
    bool closed;    /* its descriptors may not be read */
    ino_t program;  /* the file that it runs */
};

void look_begin(void); /* which processes there are, without the kernel's */
struct seen *look_only(pid_t pid); /* this one alone; NULL: it is gone */
void look_end(void);
struct seen *look_each(struct seen *after); /* NULL: the first */
struct seen *look_child(const struct seen *p, struct seen *after); /* alive */
struct seen *look_pid(pid_t pid);
void look_tree(pid_t root); /* asked_for: this one and its descendants */

void look_threads(struct seen *p);
void look_descriptors(struct seen *p);
void look_regions(struct seen *p);
/* Thread of a number as a process itself would count it; NULL if gone. */
struct thread *look_thread(struct seen *counts, pid_t tid);
pid_t look_own(const struct seen *p, pid_t tid); /* as it counts itself */
struct descriptor *look_fd(struct seen *p, int fd);
bool look_inode(struct seen *p, struct descriptor *d);
struct region *look_region(struct seen *p, unsigned long address);

/* The thread as it is now; false: it has ended meanwhile. */
bool look_now(const struct thread *t, struct thread *now);
void look_again(struct thread *t); /* anew, and at its descriptors */
/* How many reads it has made; -1: it may not be asked. */
long look_reads(struct seen *p);
bool look_memory(struct thread *t, unsigned long at, void *to, size_t size);
/* As much of it as there is; how many bytes. */
size_t look_stack(struct thread *t, unsigned long at, void *to, size_t size);
/* A file of the process, such as status; "" and false if nothing is there. */
bool look_text(char *text, size_t size, pid_t pid, const char *file, ...)
    __attribute__((format(printf, 4, 5)));
/* Is it in another namespace than we: "pid", "ipc", "net"? */
bool look_foreign(const struct seen *p, const char *space);
/* A path as the process means it. */
bool look_path(pid_t pid, const char *file, struct stat *st);
void look_info(const struct seen *p, int fd, char *text, size_t size);
/* What follows a name in such a text; 0 if it is not there. */
unsigned long look_number(const char *text, const char *name, int base);
bool look_queue(const struct seen *p, const struct descriptor *d);
/* Of a message that no signal will tell of any more; "" if there is none. */
void look_untold(struct seen *p, char *text, size_t size);
#endif
