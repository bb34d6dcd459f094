/*
 * mmap-file - a file as an array of bytes, without read
 *
 * usage: mmap-file [FILE]
 *
 * mmap makes FILE a part of our memory. Now it is an array: we count its
 * lines, and reverse it in place. The mapping is private, so the file stays
 * as it is: what changes are our copies of its pages. (Without FILE we make
 * a small one.)
 *
 * Watch   bytes[i]: no read, and no buffer to fill.
 * Try     mmap-file /etc/passwd
 *         MAP_SHARED, without FILE: what does pread show now?
 * Read    mmap(2), fstat(2); Kerrisk, TLPI, 49.2, 49.4
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHOWN = 48, MAX_SIZE = 1 << 26 }; /* reversing copies every page */

/* A file that has no name, and goes when we end. */
static int small_file(void)
{
    static const char text[] = "stressed\nlived\nreward\n";
    FILE *file = tmpfile();

    if (!file)
        err(1, "tmpfile");
    if (write(fileno(file), text, strlen(text)) == -1)
        err(1, "write");
    return fileno(file);
}

/* One line; a dot is a character that cannot be printed. */
static void show(const char *what, const char *bytes, off_t size)
{
    printf("Reader, %s: ", what);
    for (off_t i = 0; i < size && i < SHOWN; i++)
        putchar(isprint((unsigned char)bytes[i]) ? bytes[i] : '.');
    printf("%s\n", size > SHOWN ? " ..." : "");
}

int main(int argc, char *argv[])
{
    const char *name = argc > 1 ? argv[1] : "our own file";
    char *bytes, part[SHOWN] = "";
    off_t size, lines = 0;
    struct stat st;
    int fd;

    if (argc > 2 || name[0] == '-')
        errx(2, "usage: mmap-file [FILE]");

    /* Without O_NONBLOCK the open of a FIFO would wait for a writer. */
    fd = argc > 1 ? open(name, O_RDONLY | O_NONBLOCK) : small_file();
    if (fd == -1)
        err(1, "open %s", name);
    if (fstat(fd, &st) == -1)
        err(1, "fstat %s", name);
    size = st.st_size;
    if (!S_ISREG(st.st_mode) || size == 0 || size > MAX_SIZE)
        errx(1, "%s is not a regular file of 1 to %d bytes", name, MAX_SIZE);
    bytes =
        mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        err(1, "mmap %s", name);

    for (off_t i = 0; i < size; i++)
        lines += bytes[i] == '\n';
    printf("Reader: %jd bytes, %jd lines\n", (intmax_t)size, (intmax_t)lines);

    for (off_t i = 0, j = size - 1; i < j; i++, j--) {
        char byte = bytes[i];

        bytes[i] = bytes[j];
        bytes[j] = byte;
    }
    show("reversed in memory", bytes, size);
    if (pread(fd, part, sizeof part, 0) == -1)
        err(1, "pread %s", name);
    show("the file by pread", part, size);
    return 0;
}
