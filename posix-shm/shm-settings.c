/*
 * shm-settings - a running server's workers follow what another program sets
 *
 * usage: shm-settings [serve NAME | set NAME KEY VALUE]
 *
 * Server makes the object NAME, which holds the settings, and forks Workers,
 * which sleep in futex(2) until it is their turn. Set opens the object,
 * stores a value and gives the turn to Worker 1. Each Worker looks at the
 * settings and gives the turn to the next one, or back to Set. (Alone, Parent
 * is both Server and Set, and removes the name before it forks.)
 *
 * Watch   nothing is restarted: the Workers were there before the change.
 * Try     shm-settings serve /mine               (^C ends it) and elsewhere:
 *         shm-settings set /mine verbosity 3
 * Read    shm_overview(7), futex(2), lockf(3); Kerrisk, TLPI, ch. 54
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 3, KEYS = 3, SIZE = 16 };

static const char usage[] =
    "usage: shm-settings [serve NAME | set NAME KEY VALUE]\n"
    "  KEY is verbosity, timeout or limit, VALUE at most 15 bytes";
static const char *const keys[] = { "verbosity", "timeout", "limit" };
static char name[300];

struct shared {       /* all of it is shared */
    _Atomic int turn; /* a Worker's, 1 to WORKERS; 0: nobody's */
    char value[KEYS][SIZE];
};
static struct shared *shared;

static void remove_name(void)
{
    shm_unlink(name);
}

/* Inside, shm_unlink calls unlink(2), which a handler may do. */
static void on_signal(int sig)
{
    remove_name();
    _exit(128 + sig); /* what a shell would show */
}

static void wait_for_turn(int n)
{
    int turn;

    /* futex compares once more: a turn that comes meanwhile is not missed. */
    while ((turn = shared->turn) != n)
        syscall(SYS_futex, &shared->turn, FUTEX_WAIT, turn, NULL);
}

static void give_turn(int n)
{
    shared->turn = n;
    syscall(SYS_futex, &shared->turn, FUTEX_WAKE, INT_MAX);
}

/* Follows a number of changes; -1: for ever. */
static void worker(int n, int changes)
{
    signal(SIGPIPE, SIG_IGN); /* else the turn would be lost with us */
    for (int i = 0; i != changes; i++) {
        wait_for_turn(n);
        printf("Worker %d: verbosity %s, timeout %s, limit %s\n", n,
               shared->value[0], shared->value[1], shared->value[2]);
        give_turn(n < WORKERS ? n + 1 : 0);
    }
}

static void set(int fd, int key, const char *value)
{
    alarm(10); /* ends an endless wait */
    /* One Set at a time. If it dies, the kernel unlocks the file. */
    if (lockf(fd, F_LOCK, 0) == -1)
        err(1, "lockf");
    wait_for_turn(0); /* a Set that died may have left it with a Worker */
    snprintf(shared->value[key], SIZE, "%s", value);
    give_turn(1);
    wait_for_turn(0);
    printf("Set: %s is %s, and each Worker has seen it\n", keys[key], value);
}

int main(int argc, char *argv[])
{
    static const struct shared start = { .value = { "1", "30", "100" } };
    bool serves = argc == 3 && strcmp(argv[1], "serve") == 0;
    bool sets =
        argc == 5 && strcmp(argv[1], "set") == 0 && strlen(argv[4]) < SIZE;
    int fd, status = 0, key = 0;
    struct sigaction action = { .sa_handler = on_signal };
    pid_t server = getpid();
    struct stat st;

    while (sets && key < KEYS && strcmp(keys[key], argv[3]) != 0)
        key++;
    if (key == KEYS || (argc > 1 && !serves && !sets))
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);
    snprintf(name, sizeof name, "/shm-settings.%d", server);
    if (serves || sets)
        snprintf(name, sizeof name, "%s", argv[2]);
    if (!sets) {
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
    }

    fd = shm_open(name, sets ? O_RDWR : O_CREAT | O_EXCL | O_RDWR, 0600);
    if (fd == -1)
        err(1, "shm_open %s", name);
    if (!sets)
        atexit(remove_name);
    if (!sets && write(fd, &start, sizeof start) == -1)
        err(1, "write %s", name);
    if (fstat(fd, &st) == -1 || st.st_size != sizeof *shared)
        errx(1, "%s does not hold these settings", name);
    shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED)
        err(1, "mmap");
    if (sets) {
        set(fd, key, argv[4]);
        return 0;
    }

    if (!serves)
        remove_name(); /* the Workers inherit the object */
    for (int n = 1; n <= WORKERS; n++) {
        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            /* It must not outlive Server, which may be gone already. */
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() == server)
                worker(n, serves ? -1 : 2);
            _exit(0); /* exit would remove the name */
        }
    }
    if (!serves) {
        set(fd, 0, "3");
        set(fd, 1, "60");
    }
    for (int n = 0; n < WORKERS && status == 0; n++)
        if (wait(&status) == -1)
            err(1, "wait");
    if (status != 0)
        errx(1, "a Worker has died: the others end, too");
    return 0;
}
