/*
 * pair.c - two processes, pinned, watched, and gone whatever happens
 *
 * ipcbench forks a stage for each run, and the stage forks the two that are
 * measured. The stage opens what they talk through, so that all of it goes
 * with the stage, and it ends both if one fails or if they take too long.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipcbench.h"

static const char *const role_name[] = { "Sender", "Receiver" };
static pid_t *pids; /* shared: signals need the other's */

pid_t pid_of(enum role role)
{
    return pids[role];
}

void *share(size_t size)
{
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (start == MAP_FAILED)
        err(1, "mmap");
    return start;
}

/* The kernel kills us when our parent ends, if by SIGKILL, too. */
static void end_with(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
        err(1, "prctl");
    if (getppid() != parent) /* it has ended already */
        _exit(1);
}

static void pin(int cpu)
{
    cpu_set_t set;

    if (cpu == -1)
        return;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) == -1)
        err(1, "sched_setaffinity: CPU %d", cpu);
}

/* A child begins when the gate's last write end is closed. */
static pid_t start(const struct pair *pair, enum role role, const int gate[2])
{
    pid_t parent = getpid(), pid = fork();
    char byte;

    if (pid == -1)
        err(1, "fork");
    if (pid > 0)
        return pid;
    end_with(parent);
    pin(pair->cpu[role]);
    close(gate[1]);
    if (read(gate[0], &byte, 1) == -1)
        err(1, "read");
    pair->role[role]();
    _exit(0);
}

/*
 * A System V object outlives its users. The keeper removes it as soon as the
 * last process that has the lease's write end is gone, whatever ended it. In
 * a session of its own it is not reached by ^C, nor by what kills a group.
 */
static pid_t keep(const struct pair *pair, const int lease[2])
{
    pid_t pid = fork();
    char byte;

    if (pid == -1)
        err(1, "fork");
    if (pid > 0)
        return pid;
    setsid();
    close(lease[1]);
    while (read(lease[0], &byte, 1) == -1 && errno == EINTR)
        continue;
    pair->close();
    _exit(0);
}

/* What a process does, in a word: the state in /proc/PID/stat. */
static const char *state_of(pid_t pid)
{
    char path[40], state = '?';
    FILE *stat;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    stat = fopen(path, "re");
    if (stat) {
        if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
            state = '?';
        fclose(stat);
    }
    switch (state) {
    case 'R':
        return "runs";
    case 'S':
    case 'D':
        return "sleeps";
    case 'T':
    case 't':
        return "is stopped";
    default:
        return "is gone";
    }
}

static int say_stuck(const struct pair *pair, const pid_t *pid)
{
    if (pair->alone)
        warnx("stuck, or too much for %d s: it %s", pair->limit,
              state_of(pid[SENDER]));
    else
        warnx("stuck, or too much for %d s: Sender %s, Receiver %s",
              pair->limit, state_of(pid[SENDER]), state_of(pid[RECEIVER]));
    return STUCK;
}

/* Reaps a child if it has ended. FAILED, and said, if it went wrong. */
static int reap(enum role role, pid_t *pid)
{
    int status;

    if (*pid == 0 || waitpid(*pid, &status, WNOHANG) != *pid)
        return 0;
    *pid = 0;
    if (WIFSIGNALED(status))
        warnx("%s was killed by signal %d, %s", role_name[role],
              WTERMSIG(status), strsignal(WTERMSIG(status)));
    return status == 0 ? 0 : FAILED;
}

/* Waits for both. If one fails, or the time is over, it ends the other. */
static int watch(const struct pair *pair, pid_t pid[2])
{
    const struct timespec limit = { .tv_sec = pair->limit };
    int status = 0;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    while (status == 0) {
        status = reap(SENDER, &pid[SENDER]);
        if (status == 0)
            status = reap(RECEIVER, &pid[RECEIVER]);
        if (status != 0 || (pid[SENDER] == 0 && pid[RECEIVER] == 0))
            break;
        if (sigtimedwait(&set, NULL, &limit) == -1 && errno == EAGAIN)
            status = say_stuck(pair, pid);
    }
    for (int i = 0; i < 2; i++) {
        if (pid[i] == 0)
            continue;
        kill(pid[i], SIGKILL);
        waitpid(pid[i], NULL, 0);
    }
    return status;
}

static int play(const struct pair *pair)
{
    pid_t pid[2] = { 0 };
    int gate[2];

    if (pipe(gate) == -1)
        err(1, "pipe");
    for (enum role role = SENDER; role <= RECEIVER; role++)
        if (role == SENDER || !pair->alone)
            pids[role] = pid[role] = start(pair, role, gate);
    close(gate[0]);
    close(gate[1]);
    return watch(pair, pid);
}

static int stage(const struct pair *pair)
{
    int lease[2], status, kept;
    sigset_t set;
    pid_t keeper;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD); /* for sigtimedwait */
    if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
        err(1, "sigprocmask");
    if (pair->close && pipe(lease) == -1)
        err(1, "pipe");
    if (pair->open)
        pair->open();
    if (!pair->close)
        return play(pair);

    keeper = keep(pair, lease);
    close(lease[0]);
    status = play(pair);
    close(lease[1]);
    if (waitpid(keeper, &kept, 0) == -1 || kept != 0)
        pair->close(); /* somebody has killed the keeper */
    return status;
}

int run_pair(const struct pair *pair)
{
    static char name[80];
    pid_t me = getpid(), pid;
    int status;

    if (!pids)
        pids = share(2 * sizeof *pids);
    fflush(NULL); /* or each child has what is not yet written, too */
    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        end_with(me);
        /* What err(3) begins with, in the stage and in its children. */
        snprintf(name, sizeof name, "ipcbench: %s", pair->name);
        program_invocation_short_name = name;
        exit(stage(pair));
    }
    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    if (!WIFSIGNALED(status))
        return WEXITSTATUS(status);
    warnx("%s: killed by signal %d, %s", pair->name, WTERMSIG(status),
          strsignal(WTERMSIG(status)));
    return FAILED;
}
