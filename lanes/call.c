/*
 * call.c - understands the form of a line of strace's, not its meaning
 *
 * Pids may be padded, times may be there or not, "resumed>" may be followed
 * by anything; strings and <descriptors> may hold brackets and commas.
 */
#include "log.h"
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static char *skip_time(char *text)
{
    size_t n = strspn(text, "0123456789.:+");

    if (n > 0 && text[n] == ' ' && strpbrk(text, ".:") &&
        strpbrk(text, ".:") < text + n) {
        text += n;
        text += strspn(text, " ");
    }
    return text;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

void line_parse(char *text, struct line *line)
{
    static const char unfinished[] = "<unfinished ...>";
    char *end;

    *line = (struct line){ .kind = LINE_UNKNOWN };
    text += strspn(text, " ");
    if (begins(text, "[pid")) { /* strace on a terminal */
        text += 4;
        line->pid = (pid_t)strtol(text, &end, 10);
        text = *end == ']' ? end + 1 : end;
    } else if (isdigit((unsigned char)*text)) {
        long pid = strtol(text, &end, 10);

        if (*end == ' ' && pid > 0 && pid < INT_MAX) {
            line->pid = (pid_t)pid;
            text = end;
        }
    }
    text += strspn(text, " \t");
    text = skip_time(text);
    end = text + strlen(text);
    while (end > text && (end[-1] == ' ' || end[-1] == '\r'))
        if (end[-1] == '\r' || ends_with(text, "  "))
            *--end = '\0';
        else
            break;
    line->body = text;
    if (begins(text, "--- ")) {
        line->kind = begins(text, "--- SIG") ? LINE_SIGNAL : LINE_OTHER;
        line->body = text + 4;
        if (begins(line->body, "stopped by ")) {
            line->kind = LINE_STOPPED;
            line->name = line->body + 11;
            line->name[strcspn(line->name, " ")] = '\0';
        }
    } else if (begins(text, "+++ exited with ")) {
        line->kind = LINE_EXITED;
        line->status = (int)strtol(text + 16, NULL, 10);
    } else if (begins(text, "+++ killed by ")) {
        line->kind = LINE_KILLED;
        line->name = text + 14;
        line->name[strcspn(line->name, " ")] = '\0';
    } else if (begins(text, "+++ superseded")) {
        line->kind = LINE_EXITED;
    } else if (begins(text, "<... ")) {
        char *resumed = strstr(text, " resumed>");

        if (!resumed)
            return;
        line->name = text + 5;
        *resumed = '\0';
        line->body = resumed + 9;
        line->kind = *line->name == '?' ? LINE_OTHER : LINE_RESUMED;
    } else if (*text == '?') {
        line->kind = LINE_OTHER; /* killed on its way into a call */
    } else if (isalpha((unsigned char)*text) || *text == '_') {
        size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

        if (begins(text, "strace: "))
            line->kind = LINE_OTHER;
        if (text[n] != '(')
            return;
        line->kind = LINE_CALL;
        if (ends_with(text, unfinished)) {
            line->kind = LINE_UNFINISHED;
            text[strlen(text) - strlen(unfinished)] = '\0';
        }
    }
}

/*
 * Steps over one argument: to the comma or bracket that ends it, or to the
 * end of the text. A < opens a descriptor's name only after a digit, a
 * bracket or AT_FDCWD; in it, "->" joins a socket's two ends.
 */
static char *skip_argument(char *c)
{
    const char *begin = c;
    int brackets = 0, angles = 0;

    for (; *c; c++) {
        if (*c == '"') {
            while (*++c && *c != '"')
                if (*c == '\\' && c[1])
                    c++;
            if (!*c)
                break;
        } else if (*c == '/' && c[1] == '*') { /* 41 vars */
            char *end = strstr(c, "*/");

            if (!end)
                return c + strlen(c);
            c = end + 1;
        } else if (*c == '<' && c[1] == '<') { /* 1<<CAP_KILL */
            c++;
        } else if (angles > 0 || (*c == '<' && c > begin &&
                                  isalnum((unsigned char)c[-1]))) {
            if (*c == '<')
                angles++;
            else if (*c == '>' && c[-1] != '-')
                angles--;
        } else if (strchr("([{", *c)) {
            brackets++;
        } else if (strchr(")]}", *c)) {
            if (brackets-- == 0)
                break;
        } else if (*c == ',' && brackets == 0) {
            break;
        }
    }
    return c;
}

static void trim(char *text)
{
    size_t n = strlen(text);

    while (n > 0 && text[n - 1] == ' ')
        text[--n] = '\0';
}

void call_parse(const char *text, struct call *call)
{
    char *c, ended;

    *call = (struct call){ .open = true, .result = "?", .value = -1 };
    call->buffer = same(text);
    call->name = call->buffer;
    c = strchr(call->buffer, '(');
    if (!c) {
        call->name = call->buffer + strlen(call->buffer);
        return;
    }
    *c++ = '\0';
    do {
        char *begin = c += strspn(c, " ");

        c = skip_argument(c);
        while (call->args == MAX_ARGS - 1 && *c == ',')
            c = skip_argument(c + 1);
        ended = *c;
        *c = '\0';
        trim(begin);
        if (*begin)
            call->arg[call->args++] = begin;
        if (ended)
            c++;
    } while (ended == ',' && call->args < MAX_ARGS);
    if (ended != ')')
        return;
    c += strspn(c, " ");
    if (*c != '=')
        return;
    c += 1 + strspn(c + 1, " ");
    call->open = false;
    call->result = c;
    if (begins(c, "-1 E") || begins(c, "? E")) {
        char *name = strchr(c, 'E');

        call->err = name;
        name[strcspn(name, " ")] = '\0';
    } else if (*c != '?') {
        errno = 0;
        call->value = strtol(c, NULL, 0);
        if (begins(c, "0x"))
            call->value = (long)strtoul(c, NULL, 16);
    }
}

void call_free(struct call *call)
{
    free(call->buffer);
    free(call->more);
    *call = (struct call){ 0 };
}

const char *arg(const struct call *call, int n)
{
    return n >= 0 && n < call->args ? call->arg[n] : "";
}

long arg_number(const struct call *call, int n)
{
    return strtol(arg(call, n), NULL, 0);
}

bool has(const struct call *call, int n, const char *word)
{
    return strstr(arg(call, n), word) != NULL;
}

bool failed_with(const struct call *call, const char *err)
{
    return call->err && strcmp(call->err, err) == 0;
}

int descriptor(const char *arg, char *what, size_t size)
{
    char *end;
    long fd = strtol(arg, &end, 10);
    const char *close;

    *what = '\0';
    if (end == arg || fd < 0 || fd > 1 << 20)
        return -1;
    if (*end == '<' && (close = strrchr(end, '>'))) {
        size_t n = (size_t)(close - end) - 1;

        if (n >= size)
            n = size - 1;
        memcpy(what, end + 1, n);
        what[n] = '\0';
    } else if (*end) {
        return -1;
    }
    return (int)fd;
}

int string_bytes(const char *quoted, char *bytes, int size)
{
    int n = 0;

    if (*quoted++ != '"')
        return -1;
    while (*quoted && *quoted != '"' && n < size) {
        char c = *quoted++;

        if (c == '\\' && *quoted) {
            static const char from[] = "ntrvfbae", to[] = "\n\t\r\v\f\ba\033";
            const char *at;

            c = *quoted++;
            if (c >= '0' && c <= '7') {
                int value = c - '0';

                for (int i = 0; i < 2 && *quoted >= '0' && *quoted <= '7';
                     i++)
                    value = value * 8 + *quoted++ - '0';
                c = (char)value;
            } else if (c == 'x') {
                char *end, hex[3] = { 0 };

                copy(hex, sizeof hex, quoted);
                c = (char)strtol(hex, &end, 16);
                quoted += end - hex;
            } else if ((at = strchr(from, c))) {
                c = to[at - from];
            }
        }
        bytes[n++] = c;
    }
    return n;
}

bool string_of(const char *quoted, char *text, size_t size)
{
    int n = string_bytes(quoted, text, (int)size - 1);

    text[n < 0 ? 0 : n] = '\0';
    return n >= 0;
}

bool field(const char *text, const char *name, char *value, size_t size)
{
    size_t n = strlen(name);

    for (const char *at = text; (at = strstr(at, name)); at += n) {
        char *end, *room;

        if ((at > text &&
             (isalnum((unsigned char)at[-1]) || at[-1] == '_')) ||
            at[n] != '=')
            continue;
        room = same(at + n + 1);
        end = skip_argument(room);
        *end = '\0';
        copy(value, size, room);
        free(room);
        return true;
    }
    *value = '\0';
    return false;
}

double field_seconds(const char *text)
{
    return (double)field_number(text, "tv_sec") +
           (double)field_number(text, "tv_usec") / 1e6 +
           (double)field_number(text, "tv_nsec") / 1e9;
}

long field_number(const char *text, const char *name)
{
    char value[24];

    field(text, name, value, sizeof value);
    return strtol(value, NULL, 10);
}
