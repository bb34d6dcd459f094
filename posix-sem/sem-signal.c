/*
 * sem-signal - one process tells another that its work is done
 *
 * usage: sem-signal [--init N]
 *
 * Parent makes a named semaphore that starts at 0, forks and waits: there
 * is nothing to take, so it sleeps. Child works, then posts: the kernel
 * wakes Parent. The name is removed before the fork, for Child inherits
 * the semaphore and nobody else shall find it.
 *
 * Watch   who speaks last: a semaphore of 0 says "not yet".
 * Try     sem-signal --init 1    there is one to take, and nobody waits
 * Read    sem_overview(7), sem_open(3); Kerrisk, TLPI, 53.2 and 53.3
 */
#ifndef __linux__
#error "sem-signal needs Linux: sem_timedwait, /proc, PR_SET_PDEATHSIG"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: sem-signal [--init N]\n"
    "  --init 1  wrong: the semaphore starts at 1, and nobody waits\n";

/* Makes a semaphore that no other process can open any more. */
static sem_t *new_semaphore(unsigned value)
{
    char name[64];
    sem_t *sem = SEM_FAILED;
    sigset_t all, old;

    sigfillset(&all); /* no ^C between the making and the removal */
    sigprocmask(SIG_BLOCK, &all, &old);
    /*
     * A killed run may have left the name, or somebody else have made it:
     * O_EXCL does not open what is there, and the next name will do.
     */
    for (int i = 0; i < 100 && sem == SEM_FAILED; i++) {
        snprintf(name, sizeof name, "/sem-signal.%ld.%ld.%d", (long)getuid(),
                 (long)getpid(), i);
        sem = sem_open(name, O_CREAT | O_EXCL, 0600, value);
        if (sem == SEM_FAILED && errno != EEXIST)
            break;
    }
    if (sem == SEM_FAILED) {
        warn("sem_open %s", name);
        errx(1, "hint: named semaphores live in /dev/shm, as sem.NAME");
    }
    if (sem_unlink(name) == -1)
        err(1, "sem_unlink %s", name);
    sigprocmask(SIG_SETMASK, &old, NULL);
    return sem;
}

/* Waits until the kernel says that a process sleeps, or has ended. */
static void wait_until_asleep(pid_t pid)
{
    char path[64], line[512], state;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    do {
        FILE *file = fopen(path, "r");

        if (!file || !fgets(line, sizeof line, file))
            err(1, "%s", path);
        fclose(file);
        state = strrchr(line, ')')[2];
    } while (state != 'S' && state != 'Z' && sched_yield() == 0);
}

/* Takes 1 from the semaphore. False: Child has ended, and did not post. */
static bool take(sem_t *sem, pid_t child)
{
    siginfo_t ended = { .si_pid = 0 };
    struct timespec until;

    /*
     * Not for ever: nobody posts for a child that was killed. The time is
     * an absolute one; should somebody set the clock, we look later.
     */
    while (ended.si_pid == 0) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        if (sem_timedwait(sem, &until) == 0)
            return true;
        if (errno == EINTR)
            continue;
        if (errno != ETIMEDOUT)
            err(1, "sem_timedwait");
        if (waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT))
            err(1, "waitid");
    }
    return sem_trywait(sem) == 0; /* it may have posted just before */
}

static void child(sem_t *sem, bool *done, pid_t parent)
{
    wait_until_asleep(parent); /* the work: it takes as long as this */
    printf("Child: doing work...\n");
    *done = true;
    printf("Child: signaling parent\n");
    if (sem_post(sem) == -1)
        err(1, "sem_post");
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "init", required_argument, NULL, 'i' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    pid_t pid, parent = getpid();
    bool *done, early, signaled;
    int opt, status;
    long init = 0;
    sem_t *sem;
    char *end;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != 'i') {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
        init = strtol(optarg, &end, 10);
        if (*end || end == optarg || init < 0 || init > 1000)
            errx(2, "--init must be a number from 0 to 1000: %s", optarg);
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    sem = new_semaphore((unsigned)init);
    done = mmap(NULL, sizeof *done, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (done == MAP_FAILED)
        err(1, "mmap");

    printf("Parent: waiting for signal...\n");
    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive Parent */
        if (getppid() != parent)
            _exit(1);
        child(sem, done, parent);
        sem_close(sem);
        if (ferror(stdout))
            errx(1, "not all could be written to stdout");
        exit(0);
    }

    signaled = take(sem, pid);
    early = !*done;
    if (signaled)
        printf("Parent: received signal!\n");
    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    sem_close(sem);
    if (!signaled) {
        warnx("stuck: Parent waits for a post, but Child has ended");
        return 124;
    }
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    if (early)
        errx(1, "Parent has not waited: Child's work was not done yet");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
