/*
 * read.c - lines from the log, a pipe or a file, and the one that has no
 * end yet: strace flushes a call's beginning, so this is a call that blocks.
 */
#include "log.h"
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST = 1 << 20 }; /* what is longer is cut in two */

bool reader_fill(struct reader *reader, FILE *keep)
{
    ssize_t n;

    if (reader->begin > 0) {
        memmove(reader->text, reader->text + reader->begin,
                reader->end - reader->begin);
        reader->end -= reader->begin;
        reader->begin = 0;
    }
    if (reader->room - reader->end < 8192) {
        reader->room = reader->room * 2 + 16384;
        reader->text = resize(reader->text, reader->room, 1);
    }
    n = read(reader->fd, reader->text + reader->end,
             reader->room - reader->end - 1);
    if (n == -1) {
        if (errno == EINTR || errno == EAGAIN)
            return false;
        err(1, "the log");
    }
    if (n == 0)
        reader->eof = true;
    else if (keep && fwrite(reader->text + reader->end, n, 1, keep) != 1)
        err(1, "the kept log");
    for (char *c = reader->text + reader->end;
         c < reader->text + reader->end + n; c++)
        if (*c == '\0') /* no log has one, but it may be no log */
            *c = '?';
    reader->end += n;
    return n > 0;
}

char *reader_line(struct reader *reader, bool partial, bool *whole)
{
    char *line = reader->text + reader->begin, *end;
    size_t length = reader->end - reader->begin;

    if (length == 0)
        return NULL;
    end = memchr(line, '\n', length);
    *whole = end || length >= LONGEST;
    if (*whole) {
        if (!end)
            end = line + length - 1;
        *end = '\0';
        reader->begin += end - line + 1;
        reader->shown = false;
        return line;
    }
    if (!partial || reader->shown)
        return NULL;
    reader->text[reader->end] = '\0';
    reader->shown = true;
    return line;
}
