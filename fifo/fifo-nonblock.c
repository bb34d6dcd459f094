/*
 * fifo-nonblock - with O_NONBLOCK nothing waits: errno says what is missing
 *
 * usage: fifo-nonblock
 *
 * One process is both Reader and Writer of a FIFO. With O_NONBLOCK open does
 * not wait for the other side: Reader's succeeds at once, Writer's fails
 * while there is no reader. Nor does read wait for bytes.
 *
 * Watch   what read returns when the FIFO is empty: -1 with EAGAIN while
 *         somebody can write, 0 when nobody can.
 * Try     leave out close(writer) and the printf after it: what does the
 *         last read return?
 * Read    fifo(7), open(2), read(2); Kerrisk, TLPI, 44.9, 44.10
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens without waiting; returns -1 if nobody reads (ENXIO). */
static int try_open(const char *name, int flags)
{
    int fd = open(name, flags | O_NONBLOCK);

    if (fd == -1 && errno != ENXIO) {
        warn("open %s", name);
        unlink(name);
        exit(1);
    }
    return fd;
}

static void try_read(int fd)
{
    char text[100];
    ssize_t n = read(fd, text, sizeof text);

    if (n == -1 && errno != EAGAIN)
        err(1, "read");
    if (n == -1)
        printf("Reader: read fails with EAGAIN (%s): nothing yet\n",
               strerror(errno));
    else if (n == 0)
        printf("Reader: read returns 0: nobody can write any more\n");
    else
        printf("Reader: read returns %zd: %.*s\n", n, (int)n, text);
}

int main(int argc, char *argv[])
{
    int early, reader, writer;
    char name[40];

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: fifo-nonblock", argv[1]);

    snprintf(name, sizeof name, "/tmp/fifo-nonblock.%d", getpid());
    if (mkfifo(name, 0600) == -1)
        err(1, "mkfifo %s", name);
    early = try_open(name, O_WRONLY);
    reader = try_open(name, O_RDONLY);
    writer = try_open(name, O_WRONLY);
    unlink(name); /* both ends are open: nobody needs the name any more */

    /*
     * The three opens came in this order. They are printed only now: SIGPIPE
     * from a closed stdout would end us, and the name would stay.
     */
    if (early != -1)
        errx(1, "somebody else reads from %s", name);
    printf("Writer: open fails with ENXIO (%s): nobody reads\n",
           strerror(ENXIO));
    printf("Reader: open succeeds, and nobody can write yet\n");
    printf("Writer: open succeeds, now that somebody reads\n");

    try_read(reader);
    if (write(writer, "hello", 5) == -1)
        err(1, "write");
    printf("Writer: write puts hello into the FIFO\n");
    try_read(reader);
    close(writer);
    printf("Writer: close\n");
    try_read(reader);
    return 0;
}
