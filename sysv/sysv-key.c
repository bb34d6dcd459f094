/*
 * sysv-key - a key is what you look for, an id is what you use
 *
 * usage: sysv-key [PATH [ID]]
 *
 * ftok makes a key from the inode of a file, PATH, and from a number, ID
 * (default 65). Parent makes a segment with that key. Child knows both and
 * makes the same key, which leads it to the same id. Without PATH, Parent
 * makes a folder and takes that.
 *
 * Watch   IPC_EXCL: the segment is there, so nobody can make it again.
 * Try     sysv-key . 1; sysv-key . 2    which part of the key is ID?
 *         sysv-key /no/such/file        ftok's -1 must not become a key
 * Read    sysvipc(7), ftok(3), shmget(2), shmctl(2); Kerrisk, TLPI, 45.2
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 0x1bc5 }; /* make clean-ipc finds our segments by their size */

static const char usage[] = "usage: sysv-key [PATH [ID]]";
static char folder[40]; /* ours, if no PATH is given */
static int segment = -1;

static int number(const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "not a number from 1 to %d: %s\n%s", max, word, usage);
    return (int)n;
}

/* Nobody else would remove the segment and the folder. */
static _Noreturn void fail(const char *call)
{
    warn("%s", call);
    shmctl(segment, IPC_RMID, NULL);
    rmdir(folder);
    exit(1);
}

static void child(const char *path, int proj_id)
{
    key_t key = ftok(path, proj_id);
    struct shmid_ds now;
    int found;

    if (key == -1)
        err(1, "ftok %s", path);
    found = shmget(key, 0, 0); /* no IPC_CREAT: only if it is there */
    if (found == -1)
        err(1, "shmget");
    printf("Child: its key leads to %s id\n",
           found == segment ? "the same" : "another");
    if (shmget(key, SIZE, IPC_CREAT | IPC_EXCL | 0600) == -1)
        printf("Child: shmget with IPC_EXCL: %s\n", strerror(errno));

    if (shmctl(found, IPC_STAT, &now) == -1)
        err(1, "shmctl: IPC_STAT");
    printf("Child: the mode is 0%o\n", now.shm_perm.mode);
    now.shm_perm.mode = 0400;
    if (shmctl(found, IPC_SET, &now) == -1)
        err(1, "shmctl: IPC_SET");
    if (shmctl(found, IPC_STAT, &now) == -1)
        err(1, "shmctl: IPC_STAT");
    printf("Child: after IPC_SET it is 0%o\n", now.shm_perm.mode);
}

int main(int argc, char *argv[])
{
    int proj_id = argc > 2 ? number(argv[2], 255) : 'A';
    const char *path = argc > 1 ? argv[1] : folder;
    int another, status;
    key_t key;

    if (argc > 3 || path[0] == '-')
        errx(2, "%s", usage);

    if (argc == 1) {
        snprintf(folder, sizeof folder, "/tmp/sysv-key.%d", getpid());
        if (mkdir(folder, 0700) == -1)
            err(1, "mkdir %s", folder);
    }
    key = ftok(path, proj_id);
    if (key == -1)
        fail(path);
    segment = shmget(key, SIZE, IPC_CREAT | IPC_EXCL | 0600);
    if (segment == -1)
        fail("shmget");
    switch (fork()) {
    case -1:
        fail("fork");
    case 0:
        child(path, proj_id);
        exit(0);
    }
    if (wait(&status) == -1)
        fail("wait");
    if (shmctl(segment, IPC_RMID, NULL) == -1)
        fail("shmctl: IPC_RMID");
    rmdir(folder);

    if (argc > 1)
        printf("Parent: the key is 0x%08x\n", (unsigned)key);

    another = shmget(IPC_PRIVATE, SIZE, 0600);
    if (another == -1)
        err(1, "shmget: IPC_PRIVATE");
    if (shmctl(another, IPC_RMID, NULL) == -1)
        err(1, "shmctl: IPC_RMID");
    printf("Parent: IPC_PRIVATE made a segment with %s id\n",
           another == segment ? "the same" : "another");
    return status != 0;
}
