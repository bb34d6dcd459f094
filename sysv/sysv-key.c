/*
 * sysv-key - a key is looked for, an id is used
 *
 * usage: sysv-key [--verbose] [PATH [ID]]
 *
 * ftok makes a key of a file's inode number and an ID, so that processes
 * that agree on PATH and ID meet. Who comes first makes the object, here a
 * segment of shared memory; the others find it, and get the same id.
 * Without PATH a private folder is made for the purpose.
 *
 * Watch   EEXIST: IPC_EXCL is how to know that you are the first.
 * Try     sysv-key /no/such/file     ftok fails; its -1 is no key
 *         sysv-key --verbose /tmp A  the numbers, as in hex in ipcs
 * Read    sysvipc(7), ftok(3), shmget(2); Kerrisk, TLPI, 45.2 to 45.5;
 *         Stevens & Rago, APUE, 15.6
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

/* An odd size, by which `make clean-ipc` knows what a SIGKILL has left. */
enum { SIZE = 0x1bc5 };

static const char help[] =
    "usage: sysv-key [--verbose] [PATH [ID]]\n"
    "  ID         a character, or a number from 1 to 255 (A)\n"
    "  --verbose  keys, ids, users and groups, in numbers\n";

static char *folder;     /* ours, if no PATH was given */
static int segment = -1; /* what we must remove */
static pid_t parent;
static int verbose;
static sigset_t all, old;

static void clean_up(void)
{
    if (getpid() != parent)
        return;
    if (segment != -1)
        shmctl(segment, IPC_RMID, NULL);
    if (folder)
        rmdir(folder);
    free(folder);
    sigprocmask(SIG_SETMASK, &old, NULL); /* one may have come */
}

/* The file must exist, and stay the same one: a new file has a new inode. */
static key_t key_of(const char *path, int id)
{
    key_t key = ftok(path, id);

    /* Unchecked, -1 is a key like any other: all who fail would meet. */
    if (key == -1) {
        warn("ftok %s", path);
        errx(1, "hint: the file must exist, and everybody must agree on it");
    }
    return key;
}

static void print_perm(const char *what)
{
    struct shmid_ds ds;

    if (shmctl(segment, IPC_STAT, &ds) == -1)
        err(1, "shmctl IPC_STAT");
    printf("Parent: %s: creator %s, owner %s, mode %04o\n", what,
           ds.shm_perm.cuid == geteuid() ? "me" : "another",
           ds.shm_perm.uid == geteuid() ? "me" : "another",
           ds.shm_perm.mode & 0777u);
    if (verbose)
        printf("        cuid %u, cgid %u, uid %u, gid %u\n", ds.shm_perm.cuid,
               ds.shm_perm.cgid, ds.shm_perm.uid, ds.shm_perm.gid);
}

/* Child knows PATH and ID, and nothing else. */
static void child(const char *path, int id)
{
    key_t key = key_of(path, id);
    int found = shmget(key, 0, 0); /* no IPC_CREAT: it must be there */

    if (found == -1)
        err(1, "Child: shmget");
    if (found != segment)
        errx(1, "Child: the same key has led to another id");
    printf("Child: the same PATH and ID: the same key, the same id\n");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
}

/* IPC_PRIVATE is 0, and no key: each call makes a new one. */
static void make_private(void)
{
    int id[2] = { -1, -1 };

    for (int i = 0; i < 2; i++)
        id[i] = shmget(IPC_PRIVATE, SIZE, 0600);
    for (int i = 0; i < 2; i++)
        if (id[i] == -1 || shmctl(id[i], IPC_RMID, NULL) == -1)
            warn("IPC_PRIVATE");
    if (id[0] == id[1])
        errx(1, "IPC_PRIVATE has not made two");
    printf("Parent: IPC_PRIVATE twice: two ids, and no key finds them\n");
    if (verbose)
        printf("        ids %d and %d\n", id[0], id[1]);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "verbose", no_argument, &verbose, true },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    const char *tmp = getenv("TMPDIR"), *path;
    struct shmid_ds ds;
    int opt, status;
    long id = 'A';
    key_t key;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != 0) {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    path = optind < argc ? argv[optind++] : NULL;
    if (optind < argc) {
        char *end, *word = argv[optind++];

        id = strtol(word, &end, 10);
        if (end == word && strlen(word) == 1)
            id = (unsigned char)*word;
        else if (*end || end == word || id < 1 ||
                 id > 255) /* 8 bits, not 0 */
            errx(2, "ID must be a character, or 1 to 255: %s", word);
    }
    if (optind < argc)
        errx(2, "PATH and ID are enough, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    sigfillset(&all); /* signals wait until all is removed */
    sigprocmask(SIG_BLOCK, &all, &old);
    parent = getpid();
    atexit(clean_up);
    if (!path) {
        if (asprintf(&folder, "%s/sysv-key.%ld.XXXXXX",
                     tmp && *tmp ? tmp : "/tmp", (long)getuid()) == -1 ||
            !mkdtemp(folder))
            err(1, "mkdtemp %s", folder);
        path = folder;
    }

    key = key_of(path, (int)id);
    if (key != key_of(path, (int)id))
        errx(1, "ftok has changed its mind: PATH is another file now");
    printf("Parent: ftok of PATH and ID: the same key each time\n");
    if (verbose)
        printf("        key 0x%08x, of %s and %ld\n", (unsigned)key, path,
               id);
    if (key == key_of(path, (int)id % 255 + 1))
        errx(1, "another ID should give another key");
    printf("Parent: another ID: another key\n");

    /* IPC_CREAT alone would take what is there for ours. */
    segment = shmget(key, SIZE, IPC_CREAT | IPC_EXCL | 0600);
    if (segment == -1) {
        warn("shmget with the key of %s", path);
        errx(1, "hint: ipcs -m shows who has this key, 0x%08x",
             (unsigned)key);
    }
    printf(
        "Parent: shmget, IPC_CREAT and IPC_EXCL: made, nobody had the key\n");
    if (verbose)
        printf("        id %d\n", segment);
    if (shmget(key, SIZE, IPC_CREAT | IPC_EXCL | 0600) != -1 ||
        errno != EEXIST)
        err(1, "IPC_EXCL should have said EEXIST");
    printf("Parent: the same call again: EEXIST\n");

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        sigprocmask(SIG_SETMASK, &old, NULL);
        child(path, (int)id);
        exit(0);
    }
    if (wait(&status) == -1)
        err(1, "wait");
    if (status)
        errx(1, "Child died, or has not found the segment");

    print_perm("IPC_STAT");
    if (shmctl(segment, IPC_STAT, &ds) == -1)
        err(1, "shmctl IPC_STAT");
    ds.shm_perm.mode = 0400; /* to be set: uid, gid and mode, no more */
    if (shmctl(segment, IPC_SET, &ds) == -1)
        err(1, "shmctl IPC_SET");
    print_perm("IPC_SET");

    make_private();

    if (shmctl(segment, IPC_RMID, NULL) == -1)
        err(1, "shmctl IPC_RMID");
    segment = -1;
    if (shmget(key, 0, 0) != -1 || errno != ENOENT)
        err(1, "the key should have led to ENOENT");
    printf("Parent: IPC_RMID: the key finds nothing, ENOENT\n");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
