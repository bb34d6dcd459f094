/* ipcbench.h - what the files of ipcbench share */
#ifndef IPCBENCH_H
#define IPCBENCH_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

/* ---- pair.c: two processes, pinned, watched, gone whatever happens -- */

enum role { SENDER, RECEIVER };

struct pair {
    const char *name;    /* what an error message begins with */
    int cpu[2];          /* of each role; -1: any */
    int limit;           /* seconds, then the two are stuck */
    bool alone;          /* one process plays both roles */
    void (*open)(void);  /* before the fork */
    void (*close)(void); /* what the kernel would keep after the last user */
    void (*role[2])(void);
};

enum { FAILED = 1, STUCK = 124 };

int run_pair(const struct pair *pair); /* 0, FAILED or STUCK, and says why */
pid_t pid_of(enum role role);
void *share(size_t size); /* zeroed memory that children share with us */

/* ---- mechanisms.c, streams.c, queues.c, memory.c -------------------- */

enum way { THERE, BACK }; /* from Sender to Receiver, and the other way */

enum { /* flags of a mechanism */
       LATENCY = 1,
       THROUGHPUT = 2,
       BOTH = LATENCY | THROUGHPUT,
       SPINS = 4,   /* needs a core for each process */
       ALONE = 8,   /* a floor: one process plays both roles */
       ONE_BIT = 16 /* of each message is all that arrives */
};

struct mechanism {
    const char *name;
    const char *calls; /* for the list in --help */
    unsigned flags;
    size_t largest; /* message; 0: any */
    void (*open)(void);
    void (*send)(enum way way, const void *bytes, size_t n);
    void (*receive)(enum way way, void *bytes, size_t n);
    void (*close)(void); /* removes what the kernel keeps after our end */
};

extern const struct mechanism streams[], queues[], memory[];
extern const struct mechanism *const families[];
const struct mechanism *mechanism_of(const char *name); /* or NULL */

void check(int error, const char *call);
void whole(const char *call, ssize_t done, size_t n);
key_t new_key(void); /* of a System V object */

/*
 * Between two looks at a word that the other process will change. After some
 * thousand looks it does not seem to run: somebody else may have our CPU.
 */
static inline void relax(unsigned looks)
{
    if (looks % 8192 == 0)
        sched_yield();
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- loops.c: the timed parts --------------------------------------- */

struct job { /* what a row of a table is about */
    const struct mechanism *mechanism;
    unsigned mode; /* LATENCY or THROUGHPUT */
    enum pin { SAME, SPLIT, NONE } pin;
    size_t size; /* of a message, in bytes */
};
extern const struct job *current; /* the one that runs */

struct figures { /* of one round; times are ns */
    double messages, min, p50, p90, p99, p999, max, mean;
    double no_clock; /* p50 of lots without a clock reading; 0: none */
    double switches; /* of context, both processes, for each message */
    double bytes_s, messages_s;
};

struct plan {     /* the same for all jobs */
    int cpu[2];   /* two cores, if there are */
    int cpus;     /* 1 or 2 */
    bool threads; /* they belong to one core */
    long ms;      /* how long a measurement takes */
    long count;   /* or how many messages it has; 0: ms decides */
    long rate;    /* open loop: messages a second; 0: closed loop */
    int limit;    /* seconds until a mechanism is stuck */
    double clock; /* ns of one clock_gettime */
    double loop;  /* ns of a round trip that goes nowhere */
    double load;  /* before we began */
};
extern struct plan plan;

int measure(const struct job *job, struct figures *figures);
double cost_of_clock(void);

static inline uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- report.c, export.c: medians, tables, CSV, JSON ----------------- */

enum { MAX_ROUNDS = 99 };

struct row {
    struct job job;
    int rounds, status; /* 0, FAILED or STUCK */
    struct figures round[MAX_ROUNDS];
    struct figures middle; /* of all rounds */
    double spread;         /* of p50, or of bytes_s: most / least */
};

struct covariate { /* what the machine itself did, before each round */
    const char *name, *what;
    struct job job;
    double share; /* of the round trip */
    int values, status;
    double ns[MAX_ROUNDS + 1];
};

struct rung { /* of the ladder */
    const char *name;
    int rounds, status;
    double added_s[MAX_ROUNDS], added, spread;
    double lost; /* of 1 */
};

struct report {
    struct row *rows;
    struct covariate *covariates;
    struct rung *rungs;
    size_t count;
    int covariate_count, rung_count, rounds;
    bool full; /* all percentiles */
};

enum format { TABLE, CSV, JSON };

double middle(double *values, int n); /* sorts them */
double to_pipe(const struct report *report, const struct row *row);
void extremes(const struct covariate *c, double *least, double *mid,
              double *most);
bool moved(const struct covariate *c);
void print_csv(const struct report *report);
void print_json(const struct report *report);
void print_report(struct report *report, enum format format);

/* ---- ipcbench.c ----------------------------------------------------- */

bool is_wanted(const struct mechanism *mechanism); /* on the command line */

/* ---- ladder.c: five ways to count ----------------------------------- */

void climb(struct report *report); /* one round */

#endif
