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
        if (errno == EINTR || errno == EAGAIN || errno == EISDIR)
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

bool reader_more(const struct reader *reader)
{
    return memchr(reader->text + reader->begin, '\n',
                  reader->end - reader->begin);
}

/* A call without a result may be in any language. */
static bool is_strace(const char *text, size_t length)
{
    char *copied = strndup(text, length);
    struct call call = { 0 };
    struct line line;
    bool is;

    if (!copied)
        err(1, "strndup");
    line_parse(copied, &line);
    if (line.kind == LINE_CALL)
        call_parse(line.body, &call);
    is = line.kind < LINE_OTHER && !call.open;
    free(copied);
    call_free(&call);
    return is;
}

bool reader_is_log(struct reader *reader)
{
    size_t at = 0;
    int more = 0; /* lines that are, than lines that are not */

    while (reader->end < 1 << 16 && reader_fill(reader, NULL)) {
        char *line = reader->text + at, *end;

        while ((end = memchr(line, '\n', reader->end - at))) {
            more += is_strace(line, (size_t)(end - line)) ? 1 : -1;
            if (more > 0)
                return true;
            line = end + 1;
            at = (size_t)(line - reader->text);
        }
    }
    return false;
}
