/*
 * sysv-shm - a parent and its child share memory of System V
 *
 * usage: sysv-shm [--no-rmid]
 *
 * Parent makes a segment, attaches it, and removes it at once: removed, it
 * lives until the last process has detached it. Child inherits Parent's
 * attachment and writes; Parent reads when Child has ended.
 *
 * Watch   nattch, the number of attachments: at 0 the memory is gone.
 * Try     sysv-shm --no-rmid    both have ended, the segment has not
 * Read    sysvipc(7), shmget(2), shmop(2), shmctl(2); Kerrisk, TLPI, 48;
 *         Stevens & Rago, APUE, 15.9
 */
#ifndef __linux__
#error "sysv-shm needs Linux: shmctl on what is removed, /proc/sysvipc"
#endif
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

/* An odd size, by which `make clean-ipc` knows what a SIGKILL has left. */
enum { SIZE = 0x1bc5 };

static const char help[] = "usage: sysv-shm [--no-rmid]\n"
                           "  --no-rmid  wrong: nobody removes the segment\n";

static sigset_t all, old;

static unsigned long nattch(int id)
{
    struct shmid_ds ds;

    if (shmctl(id, IPC_STAT, &ds) == -1)
        err(1, "shmctl IPC_STAT");
    return ds.shm_nattch;
}

static void detach(const char *memory)
{
    if (shmdt(memory) == -1)
        err(1, "shmdt");
}

static void parent_and_child(int id, bool no_rmid)
{
    char *memory = shmat(id, NULL, 0); /* the kernel finds a place */
    struct shmid_ds ds;
    int status;

    if (memory == (char *)-1) { /* not NULL, as with mmap */
        warn("shmat");
        if (!no_rmid)
            shmctl(id, IPC_RMID, NULL);
        exit(1);
    }
    if (!no_rmid && shmctl(id, IPC_RMID, NULL) == -1)
        err(1, "shmctl IPC_RMID");
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf("Parent: attaches the segment%s: nattch is %lu\n",
           no_rmid ? "" : " and removes it", nattch(id));

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        printf("Child: has it attached, too: nattch is %lu\n", nattch(id));
        snprintf(memory, SIZE, "Hello from child (System V)!");
        detach(memory);
        if (ferror(stdout))
            errx(1, "not all could be written to stdout");
        exit(0);
    }
    if (wait(&status) == -1)
        err(1, "wait");
    if (status)
        errx(1, "Child died, and may have written nothing");
    printf("Parent read: %s\n", memory);
    detach(memory);
    if (no_rmid)
        printf("Parent: detaches it: nattch is %lu\n", nattch(id));
    else if (shmctl(id, IPC_STAT, &ds) == -1 && errno == EINVAL)
        printf("Parent: detaches it, shmctl says EINVAL: it is gone\n");
    else
        errx(1, "nobody has the segment attached, and it is still there");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
}

/* Prints what ipcs -m does; ipcs reads this file, too. */
static void list(int id)
{
    FILE *file = fopen("/proc/sysvipc/shm", "r");
    unsigned long size, attached;
    unsigned perms;
    char line[512];
    int now;

    if (!file)
        err(1, "/proc/sysvipc/shm");
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%*d %d %o %lu %*d %*d %lu", &now, &perms, &size,
                   &attached) == 4 &&
            now == id)
            printf(
                "Witness: ipcs -m lists: perms %o, bytes %lu, nattch %lu\n",
                perms, size, attached);
    fclose(file);
}

/* Lets Parent and Child come and go, and looks at what they have left. */
static int witness(int id)
{
    int status = 1;

    switch (fork()) {
    case -1:
        warn("fork");
        break;
    case 0:
        parent_and_child(id, true);
        exit(0);
    default:
        if (wait(&status) == -1)
            warn("wait");
        printf("Witness: both have ended\n");
        list(id);
    }
    if (shmctl(id, IPC_RMID, NULL) == -1)
        err(1, "shmctl IPC_RMID");
    sigprocmask(SIG_SETMASK, &old, NULL); /* a signal may have waited */
    if (status)
        errx(1, "Parent or Child died");
    warnx("without IPC_RMID it stays until ipcrm, or the next boot");
    return 1;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "no-rmid", no_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    bool no_rmid = false;
    int id, opt;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != 'n') {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
        no_rmid = true;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    sigfillset(&all); /* no ^C between the making and the removal */
    sigprocmask(SIG_BLOCK, &all, &old);
    /* No key finds it: Child inherits the attachment, others get nothing. */
    id = shmget(IPC_PRIVATE, SIZE, 0600);
    if (id == -1) {
        warn("shmget");
        errx(1, "hint: ipcs -l shows the limits, ipcs -m what there is");
    }
    if (no_rmid)
        return witness(id);
    parent_and_child(id, false);
    return 0;
}
