/*
 * mmap-modes - who sees a write: shared or private, with a file or without
 *
 * usage: mmap-modes
 *
 * Parent maps a page in each of the four ways and forks; Child writes a word
 * into it and ends. Then Parent looks at its own memory, and asks the file,
 * with pread(2), whether it has changed.
 *
 * Watch   MAP_PRIVATE: at its first write Child gets a copy of the page, and
 *         nobody else ever sees what it wrote.
 * Try     change a MAP_ mode in the table below: which cells change?
 * Read    mmap(2), fork(2), pread(2); Kerrisk, TLPI, 49.1 to 49.4
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] = "usage: mmap-modes\n";

static const char before[] = "before", after[] = "after!";

/* A file of one word without a name: nobody can find it, nothing is left. */
static int make_file(void)
{
    const char *tmp = getenv("TMPDIR");
    sigset_t all, old;
    char *path;
    int fd;

    if (asprintf(&path, "%s/mmap-modes.%ld.XXXXXX",
                 tmp && *tmp ? tmp : "/tmp", (long)getuid()) == -1)
        err(1, "asprintf");
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old); /* no ^C before the unlink */
    fd = mkstemp(path);                 /* O_EXCL, 0600 */
    if (fd == -1)
        err(1, "mkstemp %s", path);
    if (unlink(path) == -1)
        err(1, "unlink %s", path);
    sigprocmask(SIG_SETMASK, &old, NULL);
    free(path);
    return fd;
}

/* Does the file hold the word? Its memory is not asked, the file is. */
static const char *file_holds(int fd, const char *word)
{
    char found[sizeof before];

    if (pread(fd, found, sizeof found, 0) != sizeof found)
        err(1, "pread");
    return memcmp(found, word, sizeof found) == 0 ? "yes" : "no";
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static const struct {
        const char *name;
        int flags;
    } modes[] = {
        { "MAP_SHARED,  anonymous", MAP_SHARED | MAP_ANONYMOUS },
        { "MAP_PRIVATE, anonymous", MAP_PRIVATE | MAP_ANONYMOUS },
        { "MAP_SHARED,  of a file", MAP_SHARED },
        { "MAP_PRIVATE, of a file", MAP_PRIVATE },
    };
    int opt, status, fd;

    if ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    fd = make_file();
    printf("%-23s  Parent sees it  the file changed\n", "Child writes to");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        int of_file = !(modes[i].flags & MAP_ANONYMOUS);
        char *page;

        if (pwrite(fd, before, sizeof before, 0) != sizeof before)
            err(1, "pwrite");
        page = mmap(NULL, sizeof before, PROT_READ | PROT_WRITE,
                    modes[i].flags, of_file ? fd : -1, 0);
        if (page == MAP_FAILED)
            err(1, "mmap %s", modes[i].name);

        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            close(fd); /* the mapping needs it no more */
            memcpy(page, after, sizeof after);
            _exit(0);
        }
        if (wait(&status) == -1)
            err(1, "wait");
        if (status != 0)
            errx(1, "Child has not written: wait status %d", status);

        printf("%-23s  %-14s  %s\n", modes[i].name,
               memcmp(page, after, sizeof after) == 0 ? "yes" : "no",
               of_file ? file_holds(fd, after) : "-");
        munmap(page, sizeof before);
    }
    close(fd);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
