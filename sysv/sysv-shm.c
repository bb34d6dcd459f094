/*
 * sysv-shm - memory that lives until the last process has detached it
 *
 * usage: sysv-shm [--no-rmid]
 *
 * Parent makes a segment, attaches it, and marks it for removal at once.
 * Child inherits it and stores a message, which Parent reads when Child has
 * ended. Then Parent detaches it, too. Nobody has it any more: it is gone.
 *
 * Watch   IPC_RMID comes first. The kernel waits until nobody is attached.
 * Try     sysv-shm --no-rmid    both have let go, and the segment is still
 *                               there, until the program removes it
 *         ipcs -m               nattch 0: nobody uses it, perhaps left behind
 * Read    shmget(2), shmat(2), shmctl(2); Kerrisk, TLPI, ch. 48
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 4096 };

static const char usage[] =
    "usage: sysv-shm [--no-rmid]\n"
    "  --no-rmid  wrong: nobody marks the segment for removal";
static bool no_rmid;
static int segment;

/* Nobody else would remove the segment. */
static _Noreturn void fail(const char *call)
{
    warn("%s", call);
    shmctl(segment, IPC_RMID, NULL);
    exit(1);
}

int main(int argc, char *argv[])
{
    key_t key = 0x1bc50000 | (getpid() & 0xffff); /* each run has its own */
    char *text, copy[SIZE];
    struct shmid_ds now;
    int status;

    no_rmid = argc > 1 && strcmp(argv[1], "--no-rmid") == 0;
    if (argc > 1 + no_rmid)
        errx(2, "%s", usage);

    segment = shmget(key, SIZE, IPC_CREAT | IPC_EXCL | 0600);
    if (segment == -1)
        err(1, "shmget");
    text = shmat(segment, NULL, 0);
    if (text == (void *)-1)
        fail("shmat");
    if (!no_rmid && shmctl(segment, IPC_RMID, NULL) == -1)
        fail("shmctl: IPC_RMID");

    switch (fork()) {
    case -1:
        fail("fork");
    case 0:
        snprintf(text, SIZE, "Hello from child (System V)!");
        exit(0); /* detaches the segment */
    }
    if (wait(&status) == -1)
        fail("wait");
    memcpy(copy, text, SIZE);
    if (shmdt(text) == -1)
        fail("shmdt");

    if (shmctl(segment, IPC_STAT, &now) == 0) { /* ipcs -m would show it */
        /* Now it is removed after all: the demo leaves nothing behind. */
        shmctl(segment, IPC_RMID, NULL);
        errx(1, "the segment is there, and %lu processes have it attached",
             (unsigned long)now.shm_nattch);
    }
    if (errno != EINVAL)
        fail("shmctl: IPC_STAT");
    printf("Parent read: %s\n", copy);
    printf("Parent has detached the segment, and it is gone\n");
    return status != 0;
}
