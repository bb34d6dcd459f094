/*
 * fifo-nonblock - with O_NONBLOCK nothing waits, and errno says why
 *
 * usage: fifo-nonblock
 *
 * One process plays both sides of a FIFO. At most steps a blocking call
 * would wait for ever: the other side comes later, and it is ourselves.
 *
 * Watch   the two answers of an empty FIFO: 0 is "nobody writes", EAGAIN
 *         is "somebody may write, but has not yet".
 * Try     take O_NONBLOCK out of try_open: where does it stop now?
 * Read    fifo(7), open(2), pipe(7); Kerrisk, TLPI, 44.9, 44.10
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] = "usage: fifo-nonblock\n";

static char *folder, *path;

static void clean_up(void)
{
    if (path)
        unlink(path);
    if (folder)
        rmdir(folder);
}

static int try_open(const char *who, const char *flag, int flags)
{
    int fd = open(path, flags | O_NONBLOCK);

    if (fd == -1 && errno != ENXIO)
        err(1, "open %s", path);
    printf("%s: open %s: %s\n", who, flag,
           fd == -1 ? "ENXIO, nobody reads" : "succeeds at once");
    return fd;
}

static void try_read(int fd)
{
    char text[PIPE_BUF];
    ssize_t n = read(fd, text, sizeof text);

    if (n == -1 && errno != EAGAIN)
        err(1, "read");
    if (n == -1)
        printf("Reader: read: EAGAIN, nothing yet\n");
    else if (n == 0)
        printf("Reader: read: 0, nobody writes\n");
    else
        printf("Reader: read: \"%.*s\"\n", (int)n, text);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static const char hello[] = "hello";
    static char page[PIPE_BUF];
    const char *tmp = getenv("TMPDIR");
    sigset_t all, before;
    int opt, reader, writer;
    ssize_t n;

    if ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (optind < argc)
        errx(2, "there is nothing to choose: %s", argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    /* Nothing here waits, so a signal can, until the name is gone. */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    atexit(clean_up);
    if (asprintf(&folder, "%s/fifo-nonblock.%ld.XXXXXX",
                 tmp && *tmp ? tmp : "/tmp", (long)getuid()) == -1 ||
        !mkdtemp(folder) || asprintf(&path, "%s/fifo", folder) == -1)
        err(1, "mkdtemp %s", folder);
    if (mkfifo(path, 0600) == -1)
        err(1, "mkfifo %s", path);

    /* A writer alone would have nowhere to put its bytes, ... */
    if (try_open("Writer", "O_WRONLY", O_WRONLY) != -1)
        errx(1, "somebody else reads from %s", path);
    /* ... a reader alone does no harm. */
    reader = try_open("Reader", "O_RDONLY", O_RDONLY);
    try_read(reader);
    writer = try_open("Writer", "O_WRONLY", O_WRONLY);
    if (reader == -1 || writer == -1)
        errx(1, "somebody else has removed %s", path);
    clean_up(); /* both ends are open: nobody needs the name any more */
    sigprocmask(SIG_SETMASK, &before, NULL);

    try_read(reader);
    if (write(writer, hello, strlen(hello)) == -1)
        err(1, "write");
    printf("Writer: write: \"%s\"\n", hello);
    try_read(reader);

    /* PIPE_BUF bytes go in whole or not at all: no write is partial. */
    while (write(writer, page, sizeof page) != -1)
        ;
    if (errno != EAGAIN)
        err(1, "write");
    printf("Writer: write, over and over: EAGAIN, the FIFO is full\n");
    close(writer);
    printf("Writer: close\n");

    /* What is left comes out first, only then is it the end. */
    while ((n = read(reader, page, sizeof page)) > 0)
        ;
    if (n == -1)
        err(1, "read");
    printf("Reader: read, over and over: what is left, at last 0\n");
    close(reader);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
