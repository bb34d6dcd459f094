/*
 * sysv-sem - sets of semaphores: many at once, and given back after death
 *
 * usage: sysv-sem [--no-undo]
 *
 * Two philosophers, a left fork and a right one, each a semaphore. Each
 * takes one and waits for the other: a deadlock. Parent kills the first:
 * the kernel gives back what it held (SEM_UNDO), and the second goes on. A
 * third asks for both in one semop, and holds none until both are free.
 *
 * Watch   sem_otime: making a set and initialising it are two things.
 * Try     sysv-sem --no-undo    the second waits for a dead holder
 * Read    semget(2), semop(2), semctl(2), sysvipc(7); Kerrisk, TLPI, ch. 47;
 *         Stevens & Rago, APUE, 15.8
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sysv-sem needs Linux: PR_SET_PDEATHSIG"
#endif
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

/* TAG is in the upper half of our keys: `make clean-ipc` looks for it. */
enum { LEFT, RIGHT, TAG = 0x1bc50000 };

static const char help[] =
    "usage: sysv-sem [--no-undo]\n"
    "  --no-undo  wrong: nobody gives back what a dead process held\n";

union semun { /* no header has it: POSIX leaves it to the caller */
    int val;
    struct semid_ds *buf;
};

static int set = -1;
static key_t key;
static pid_t parent;
static int no_undo;
static sigset_t all, old;

/* However Parent leaves. Who still waits in semop hears EIDRM, and ends. */
static void clean_up(void)
{
    if (getpid() != parent)
        return;
    semctl(set, 0, IPC_RMID);
    while (wait(NULL) > 0)
        ;
    sigprocmask(SIG_SETMASK, &old, NULL); /* one may have come */
}

/* Makes a set that was not there before. */
static void new_set(void)
{
    /* A killed run may have left one with this key: then the next key. */
    key = TAG | (getpid() & 0x7fff);
    while ((set = semget(key, 2, IPC_CREAT | IPC_EXCL | 0600)) == -1 &&
           errno == EEXIST)
        key++;
    if (set == -1) {
        warn("semget");
        errx(1, "hint: ipcs -l shows the limits, ipcs -s what there is");
    }
}

/* GETVAL: the value. GETNCNT: how many wait until it is higher. */
static int get(int what, int n)
{
    int value = semctl(set, n, what);

    if (value == -1)
        err(1, "semctl");
    return value;
}

/* Adds to each what is not 0: all of it at once, or it waits with nothing. */
static void add(int left, int right)
{
    short undo = no_undo ? 0 : SEM_UNDO;
    struct sembuf ops[2];
    size_t n = 0;

    if (left)
        ops[n++] = (struct sembuf){ LEFT, (short)left, undo };
    if (right)
        ops[n++] = (struct sembuf){ RIGHT, (short)right, undo };
    while (semop(set, ops, n) == -1)
        if (errno != EINTR)
            err(1, "semop");
}

/*
 * Making a set and initialising it are two calls, and between them anybody
 * can find it; what he adds then, the late SETVAL wipes out. But semget sets
 * sem_otime to 0, SETVAL leaves it so, only semop changes it. So the maker
 * calls semop when all is initialised, and who finds the set waits for that.
 */
static bool initialised(void)
{
    struct semid_ds ds = { .sem_otime = 0 };

    if (semctl(set, 0, IPC_STAT, (union semun){ .buf = &ds }) == -1)
        err(1, "semctl IPC_STAT");
    return ds.sem_otime != 0;
}

static void philosopher(int me)
{
    if (me == 1) {
        printf("Philosopher 1: sem_otime is set, takes left\n");
        add(-1, 0);
        while (get(GETVAL, RIGHT) == 1) /* thinks, and is too late */
            sched_yield();
        add(0, -1);
    } else if (me == 2) {
        while (get(GETVAL, LEFT) == 1)
            sched_yield();
        printf("Philosopher 2: takes right\n");
        add(0, -1);
        add(-1, 0);
    } else {
        add(-1, -1);
    }
    printf("Philosopher %d: has both, gives them back\n", me);
    add(1, 1);
}

static pid_t start(int me)
{
    pid_t pid = fork();

    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody outlives Parent */
        if (getppid() != parent)
            _exit(1);
        sigprocmask(SIG_SETMASK, &old, NULL);
        set = semget(key, 2, 0); /* no IPC_CREAT: somebody has made it */
        if (set == -1)
            err(1, "semget");
        while (!initialised())
            sched_yield();
        philosopher(me);
        if (ferror(stdout))
            errx(1, "not all could be written to stdout");
        exit(0);
    }
    return pid;
}

/* Waits until as many sleep in semop: for left, and for right. */
static void wait_for_sleepers(int left, int right)
{
    while (get(GETNCNT, LEFT) != left || get(GETNCNT, RIGHT) != right) {
        if (waitpid(-1, NULL, WNOHANG) != 0)
            errx(1, "a Philosopher died before its time");
        sched_yield();
    }
}

static void reap(pid_t pid, int expected)
{
    int status;

    if (waitpid(pid, &status, 0) == -1 || status != expected)
        errx(1, "a Philosopher died before its time");
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "no-undo", no_argument, &no_undo, true },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    struct sembuf nothing[] = { { LEFT, -1, IPC_NOWAIT }, { LEFT, 1, 0 } };
    struct sembuf take_right = { RIGHT, -1, SEM_UNDO };
    const struct timespec second = { .tv_sec = 1 };
    pid_t pid[3];
    int opt;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (opt != 0) {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    sigfillset(&all); /* signals wait until the set is removed */
    sigprocmask(SIG_BLOCK, &all, &old);
    parent = getpid();
    atexit(clean_up);
    new_set();
    printf("Parent: makes a set, sem_otime is %s\n",
           initialised() ? "set" : "0");
    pid[0] = start(1); /* too early */
    printf("Parent: sets both to 1, then calls semop\n");
    for (int n = LEFT; n <= RIGHT; n++)
        if (semctl(set, n, SETVAL, (union semun){ .val = 1 }) == -1)
            err(1, "semctl SETVAL");
    if (semop(set, nothing, 2) == -1) /* 1, 0, 1, and sem_otime */
        err(1, "the first semop");

    pid[1] = start(2);
    wait_for_sleepers(1, 1);
    printf("Parent: each waits for what the other holds: a deadlock\n"
           "Parent: kills Philosopher 1, who holds left\n");
    kill(pid[0], SIGKILL);
    reap(pid[0], SIGKILL);
    /* The kernel has undone in exit: Philosopher 2's turn, and then ours. */
    if (semtimedop(set, &take_right, 1, &second) == -1) {
        if (errno != EAGAIN)
            err(1, "semtimedop");
        warnx("stuck: Philosopher 2 waits for left, whose holder is dead");
        return 124;
    }
    reap(pid[1], 0);

    pid[2] = start(3);
    wait_for_sleepers(0, 1);
    printf(
        "Parent holds right, Philosopher 3 wants both: left %d, right %d\n",
        get(GETVAL, LEFT), get(GETVAL, RIGHT));
    add(0, 1);
    reap(pid[2], 0);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
