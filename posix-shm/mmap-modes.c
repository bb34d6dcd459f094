/*
 * mmap-modes - who sees a write: shared or private, with a file or without
 *
 * usage: mmap-modes
 *
 * Parent maps memory in each of the four ways and forks. Child writes a word
 * into the memory, and ends. Then Parent looks into its own memory, and asks
 * the file, with pread, what it holds.
 *
 * Watch   MAP_PRIVATE: when Child first writes, it gets a copy of the page,
 *         and nobody else sees the word.
 * Try     move memcpy to before the fork: which two answers change?
 * Read    mmap(2), fork(2), pread(2); Kerrisk, TLPI, 49.1 to 49.4, 49.7
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *name;
    int flags;
} modes[] = {
    { "MAP_SHARED,  anonymous", MAP_SHARED | MAP_ANONYMOUS },
    { "MAP_PRIVATE, anonymous", MAP_PRIVATE | MAP_ANONYMOUS },
    { "MAP_SHARED,  of a file", MAP_SHARED },
    { "MAP_PRIVATE, of a file", MAP_PRIVATE },
};
static const char before[] = "before", after[] = "after!";

static const char *yes_or_no(const char *word)
{
    return memcmp(word, after, sizeof after) == 0 ? "yes" : "no";
}

static void try_mode(int i, int fd)
{
    bool of_file = !(modes[i].flags & MAP_ANONYMOUS);
    char *word, in_file[sizeof before];
    int status;

    if (pwrite(fd, before, sizeof before, 0) == -1)
        err(1, "pwrite");
    word = mmap(NULL, sizeof before, PROT_READ | PROT_WRITE, modes[i].flags,
                of_file ? fd : -1, 0);
    if (word == MAP_FAILED)
        err(1, "mmap");

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        memcpy(word, after, sizeof after);
        exit(0);
    }
    if (wait(&status) == -1)
        err(1, "wait");
    if (status != 0)
        errx(1, "Child was killed");

    if (pread(fd, in_file, sizeof in_file, 0) == -1)
        err(1, "pread");
    printf("%-23s  %-14s  %s\n", modes[i].name, yes_or_no(word),
           of_file ? yes_or_no(in_file) : "-");
    munmap(word, sizeof before);
}

int main(int argc, char *argv[])
{
    FILE *file;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: mmap-modes", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    file = tmpfile(); /* it has no name, and goes when we end */
    if (!file)
        err(1, "tmpfile");
    printf("%-23s  Parent sees it  the file changed\n", "Child writes to");
    for (int i = 0; i < 4; i++)
        try_mode(i, fileno(file));
    return 0;
}
