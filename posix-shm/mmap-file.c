/*
 * mmap-file - a file as an array of bytes, without a read
 *
 * usage: mmap-file [FILE]
 *
 * Maps FILE and walks it like any array: counts its bytes and its lines. The
 * mapping is private, so it may also be changed, here turned round in place:
 * what is changed are copies of its pages, the file stays as it is. Without
 * FILE it is a little one of our own.
 *
 * Watch   two lines of the same mapping's bytes: one by memory, one by pread.
 * Try     mmap-file /etc/services
 *         MAP_SHARED, with O_RDWR, on a file that you can spare
 * Read    mmap(2), lseek(2) for SEEK_DATA; Kerrisk, TLPI, 49.2, 49.4
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] = "usage: mmap-file [FILE]\n";

enum { LARGE = 64 << 20, SHOWN = 60 }; /* larger: is not turned round */

/* A file without a name: nobody can find it, nothing is left. */
static int make_file(void)
{
    static const char text[] = "stressed\nlived\nreward\n";
    const ssize_t length = sizeof text - 1;
    const char *tmp = getenv("TMPDIR");
    sigset_t all, before;
    char *path;
    int fd;

    if (asprintf(&path, "%s/mmap-file.%ld.XXXXXX", tmp && *tmp ? tmp : "/tmp",
                 (long)getuid()) == -1)
        err(1, "asprintf");
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before); /* no ^C before the unlink */
    fd = mkstemp(path);                    /* O_EXCL, 0600 */
    if (fd == -1)
        err(1, "mkstemp %s", path);
    if (unlink(path) == -1)
        err(1, "unlink %s", path);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (write(fd, text, (size_t)length) != length)
        err(1, "write %s", path);
    free(path);
    return fd;
}

/* SIGBUS: the page is past the end of the file, which was longer before. */
static void too_short(int sig)
{
    static const char text[] = "mmap-file: SIGBUS: the file has become"
                               " shorter while it was mapped\n";

    (void)sig;
    _exit(write(STDERR_FILENO, text, sizeof text - 1) == -1 ? 2 : 1);
}

static long count_lines(int fd, const char *bytes, off_t size)
{
    off_t from = 0, to;
    long lines = 0;

    /* A hole is all zeros: we need not walk it. At the end: ENXIO. */
    while (from < size && (from = lseek(fd, from, SEEK_DATA)) != -1) {
        to = lseek(fd, from, SEEK_HOLE);
        if (to == -1) /* the file ends before from: SIGBUS will say so */
            to = size;
        for (; from < to && from < size; from++)
            lines += bytes[from] == '\n';
    }
    return lines;
}

static void turn_round(char *bytes, off_t size)
{
    for (off_t i = 0, j = size - 1; i < j; i++, j--) {
        char byte = bytes[i];

        bytes[i] = bytes[j];
        bytes[j] = byte;
    }
}

/* One line; what is no printable character becomes a dot. */
static void show(const char *what, const char *bytes, off_t size)
{
    printf("%s: ", what);
    for (off_t i = 0; i < size && i < SHOWN; i++)
        putchar(isprint((unsigned char)bytes[i]) ? bytes[i] : '.');
    printf("%s\n", size > SHOWN ? " ..." : "");
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    char *bytes, part[SHOWN] = "";
    const char *name;
    struct stat st;
    bool large;
    int fd, opt;

    if ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (optind + 1 < argc)
        errx(2, "one FILE is enough, what is this: %s", argv[optind + 1]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGBUS, too_short);

    /* O_NONBLOCK: the open of a FIFO would wait for a writer. */
    name = optind < argc ? argv[optind] : "our own file";
    fd = optind < argc ? open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
                       : make_file();
    if (fd == -1 || fstat(fd, &st) == -1)
        err(1, "%s", name);
    if (!S_ISREG(st.st_mode))
        errx(1, "%s is no regular file, it cannot be seen as an array", name);
    if (st.st_size == 0) { /* mmap of 0 bytes is EINVAL */
        printf("%s: 0 bytes, 0 lines, nothing to map\n", name);
        return ferror(stdout) ? 1 : 0;
    }

    large = st.st_size > LARGE;
    bytes =
        mmap(NULL, (size_t)st.st_size,
             large ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        err(1, "mmap %s", name);
    printf("%s: %jd bytes, %ld lines\n", name, (intmax_t)st.st_size,
           count_lines(fd, bytes, st.st_size));
    if (large) {
        printf("turned round: not with more than %d bytes\n", LARGE);
    } else {
        turn_round(bytes, st.st_size);
        show("turned round in memory", bytes, st.st_size);
        if (pread(fd, part, sizeof part, 0) == -1)
            err(1, "pread %s", name);
        show("the file, by pread", part, st.st_size);
    }
    munmap(bytes, (size_t)st.st_size);
    close(fd);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
