/*
 * label.c - how a call is written in its row: read(0) = "hi\n" [P1.r]
 *
 * The table of meaning.c says what is to be seen of which argument.
 */
#include "trace.h"
#include <stdlib.h>
#include <string.h>

/* Text that grows up to its end, and is cut there. */
struct label {
    char *to, *end;
};

static void add(struct label *label, const char *text)
{
    while (*text && label->to < label->end)
        *label->to++ = *text++;
    *label->to = '\0';
}

/* Where nothing is a message without a byte, and no end. */
bool has_messages(const struct object *o)
{
    return o && (o->kind == MQ || o->datagrams);
}

static void add_number(struct label *label, long n)
{
    char text[24];

    snprintf(text, sizeof text, "%ld", n);
    add(label, text);
}

/* Its beginning, up to one of the characters that end it. */
static void add_until(struct label *label, const char *text, const char *end)
{
    char part[512];

    snprintf(part, sizeof part, "%.*s", (int)strcspn(text, end), text);
    add(label, part);
}

/* A string, or how many bytes it is where it has more than most. */
static void add_data(struct label *label, const char *text, long n, int most)
{
    char short_[96];

    if (n > most || strlen(text) > (size_t)most + 14 || *text != '"')
        snprintf(short_, sizeof short_, "%ld B", n);
    else /* strace shows the whole buffer at times: only what came counts */
        copy(short_, sizeof short_, text);
    add(label, short_);
}

/* Its first n bytes, of a buffer that strace has shown whole. */
static void cut_string(char *text, long n)
{
    char *c = text + (*text == '"');

    for (; n > 0 && *c && *c != '"'; n--)
        if (*c++ == '\\' && *c++ >= '0' && c[-1] <= '7')
            for (int i = 0; i < 2 && *c >= '0' && *c <= '7'; i++)
                c++;
    if (*c)
        copy(c, 2, "\"");
}

static void add_process(struct label *label, const struct process *by,
                        long pid)
{
    /* It may just have been waited for. */
    const struct process *p = called(by, pid, true);

    if (p)
        add(label, letter(p));
    else if (pid == 0)
        add(label, "its group");
    else
        add_number(label, pid);
}

static void add_argv(struct label *label, const char *argv)
{
    char word[160];

    while ((argv = strchr(argv, '"'))) {
        string_of(argv, word, sizeof word);
        for (char *c = word; *c; c++)
            if (*c < ' ' || *c > '~')
                *c = '.';
        add(label, " ");
        add(label, *word ? word : "''");
        while (*++argv && *argv != '"')
            if (*argv == '\\' && argv[1])
                argv++;
        if (*argv)
            argv++;
    }
}

/* The first of [{iov_base="hi", iov_len=2}, ...], or of a msghdr's. */
static void add_iovec(struct label *label, const struct call *call,
                      const char *iov)
{
    char base[400];

    field(iov, "iov_base", base, sizeof base);
    if (!*base && strchr(iov, '{'))
        add(label, "...");
    else
        add_data(label, base,
                 call->value > 0 ? call->value : field_number(iov, "iov_len"),
                 16);
}

/* The last part of a "path". */
static void add_base(struct label *label, const char *path)
{
    char text[512];
    const char *slash;

    if (*path != '"') {
        add(label, path);
        return;
    }
    snprintf(text, sizeof text, "%.*s", (int)strcspn(path + 1, "\""),
             path + 1);
    if (begins(text, "/dev/shm/sem.")) { /* a named semaphore */
        add(label, "/");
        add(label, text + 13);
        return;
    }
    slash = strrchr(text, '/');
    add(label, slash && slash[1] ? slash + 1 : text);
}

/* Of poll's result: 1 ([{fd=3, revents=POLLIN}]) */
static void add_revents(struct label *label, const char *result)
{
    char events[40];

    for (const char *c = result; (c = strstr(c, "fd=")); c += 3) {
        add(label, c == strstr(result, "fd=") ? "" : ", ");
        add_number(label, strtol(c + 3, NULL, 10));
        add(label, " ");
        if (field(c, "revents", events, sizeof events))
            add(label, events);
    }
}

/* The numbers of [3<...> 4<...>], a set of descriptors. */
static void add_set(struct label *label, const char *set)
{
    int depth = 0;

    for (const char *c = set; *c && (depth > 0 || *c != ']'); c++) {
        if (depth == 0 && *c >= '0' && *c <= '9' && c > set &&
            (c[-1] == '[' || c[-1] == ' ')) {
            add(label, c[-1] == '[' ? "" : ",");
            add_number(label, strtol(c, NULL, 10));
        }
        depth += *c == '<';
        depth -= *c == '>' && c[-1] != '-';
    }
}

static void add_result(struct label *label, const char *result)
{
    if (strstr(result, "Timeout"))
        add(label, "0  time is up");
    else if (strstr(result, "revents="))
        add_revents(label, result);
    else if (strstr(result, "in [")) /* of select: 1 (in [3<pipe:[7]>]) */
        add_set(label, strstr(result, "in [") + 3);
    else
        add_until(label, result, " ");
}

/* A socket's: the last part of its path, or its port. */
static void add_address(struct label *label, const char *address)
{
    char text[512];
    const char *at;

    if (field(address, "sun_path", text, sizeof text)) {
        at = strchr(text, '"'); /* @"..." is an abstract one */
        add(label, *text == '@' ? "@" : "");
        add_base(label, at ? at : text);
    } else if (field(address, "sin_port", text, sizeof text) ||
               field(address, "sin6_port", text, sizeof text)) {
        at = strpbrk(text, "0123456789");
        add(label, "port ");
        if (at)
            add_number(label, strtol(at, NULL, 10));
    } else if (field(address, "sa_family", text, sizeof text)) {
        add(label, strcmp(text, "AF_UNIX") == 0 ? "autobind" : text);
    }
}

static void add_time(struct label *label, const char *time)
{
    char text[40];

    if (!strstr(time, "tv_sec="))
        return;
    snprintf(text, sizeof text, "%g s", field_seconds(time));
    add(label, text);
}

/* WRLCK 0-9, from {l_type=F_WRLCK, l_start=0, l_len=10}; or the command. */
static void add_lock(struct label *label, const struct call *call)
{
    char type[24], range[60];
    long start = field_number(arg(call, 2), "l_start");
    long n = field_number(arg(call, 2), "l_len");

    if (!has(call, 1, "LK") ||
        !field(arg(call, 2), "l_type", type, sizeof type)) {
        add_until(label, arg(call, 1), " ");
        return;
    }
    snprintf(range, sizeof range, n == 0 ? "%s %ld-end" : "%s %ld-%ld",
             type + (begins(type, "F_") ? 2 : 0), start, start + n - 1);
    add(label, range);
}

/* ---- notes ------------------------------------------------------------ */

/* A wake-up that is for the threads of one process cannot reach a process
   that shares the memory and waits there. */
static bool wakes_no_other(const struct process *p, const struct call *call)
{
    if (!has(call, 1, "WAKE_PRIVATE") || call->value != 0 || !p->target ||
        !p->target->in)
        return false;
    for (struct process *q = processes; q; q = q->next)
        if (alive(q) && q->inside && q->leader != p->leader &&
            q->target == p->target &&
            has(&traced(q)->call, 1, "FUTEX_WAIT") &&
            has(&traced(q)->call, 1, "_PRIVATE"))
            return true;
    return false;
}

/* A time in 1970: its giver must have meant "from now on". */
static bool in_1970(const struct call *call)
{
    enum { YEAR = 365 * 24 * 3600 };
    const struct meaning *m = meaning_of(call->name);
    bool futex = strcmp(call->name, "futex") == 0;

    return failed_with(call, "ETIMEDOUT") && m->limit &&
           (futex ? has(call, 1, "WAIT_BITSET") &&
                        has(call, 1, "CLOCK_REALTIME")
                  : begins(call->name, "mq_timed")) &&
           strstr(arg(call, m->limit), "tv_sec=") &&
           field_seconds(arg(call, m->limit)) != 0 && /* do not wait */
           field_number(arg(call, m->limit), "tv_sec") < YEAR;
}

const char *note_of(const struct process *p, const struct call *call)
{
    if (in_1970(call))
        return "the time is absolute, not from now on: this one was in 1970";
    if (strcmp(call->name, "futex") == 0 && wakes_no_other(p, call))
        return p->target->semaphore
                   ? "wakes no other process: sem_init's pshared was 0"
                   : "wakes no other process: it was made without "
                     "PTHREAD_PROCESS_SHARED";
    if (strlen(call->name) == 6 && strcmp(call->name + 3, "get") == 0 &&
        strcmp(arg(call, 0), "0xffffffff") == 0)
        return "key -1: did ftok fail?";
    return NULL;
}

/* ---- a call ----------------------------------------------------------- */

/* A semaphore has a name; a thread's number is what a join waits at. */
static void add_futex(struct label *label, const struct process *p,
                      const struct call *call)
{
    const struct process *thread = called(p, arg_number(call, 2), true);
    bool wakes = has(call, 1, "WAKE");

    if (p->target && p->target->semaphore) {
        add(label, wakes ? "sem_post"
                   : has(call, 3, "tv_sec") && has(call, 1, "REALTIME")
                       ? "sem_timedwait"
                       : "sem_wait");
    } else if (!wakes && thread && thread->thread) {
        add(label, "pthread_join(");
        add(label, letter(thread));
        add(label, ")");
    } else {
        add(label, wakes ? "futex wake" : "futex wait");
    }
}

/* $f0 is the descriptor in argument 0; what the letters are, is said here. */
static void expand_one(char kind, int n, const struct process *p,
                       const struct call *call, struct label *label)
{
    const char *what = arg(call, n), *separator = "", *result = call->result;
    char text[512];
    long number;

    switch (kind) {
    case 'f': /* a descriptor's number */
        add_number(label, descriptor(what, text, sizeof text));
        break;
    case 'n': /* what the call is called */
        add(label, call->name);
        break;
    case 's': /* what is written, its length in the argument after */
        if (*what == '[' || *what == '{')
            add_iovec(label, call, what);
        else
            add_data(label, what, arg_number(call, n + 1), 64);
        break;
    case 'd': /* what is read, its length in the result */
        if (call->value == 0 && has_messages(p->target))
            add(label, "\"\"");
        else if (call->value == 0)
            add(label, p->own_close ? "0  own EOF" : "0  EOF");
        else if (*what == '[' || *what == '{')
            add_iovec(label, call, what);
        else
            add_data(label, what, call->value, 16);
        break;
    case 'p': /* a process */
        add_process(label, p, strtol(what, NULL, 10));
        break;
    case 'P': /* a process, as the result */
        if (call->value == 0 && strcmp(call->name, "waitid") == 0 &&
            field(arg(call, 2), "si_pid", text, sizeof text))
            add_process(label, p, strtol(text, NULL, 10));
        else if (call->value == 0)
            add(label, "0");
        else
            add_process(label, p, call->value);
        break;
    case 'g': /* a signal */
        add(label, signal_shown(what));
        break;
    case 'i': /* a signal and its value */
        if (field(what, "si_signo", text, 40))
            add(label, signal_shown(text));
        if (field(what, "si_int", text, 40)) {
            add(label, " ");
            add(label, text);
        }
        break;
    case 'h': /* of sigaction: what handles it */
        if (!field(what, "sa_handler", text, sizeof text))
            field(what, "sa_sigaction", text, sizeof text);
        add(label, begins(text, "0x") ? "handler" : text);
        break;
    case 'b': /* a path's last part */
        add_base(label, what);
        break;
    case 'B': /* the same, of an open or an openat */
        add_base(label, arg(call, path_arg(call)));
        break;
    case 'v': /* the words of a command */
        add_argv(label, what);
        break;
    case 'r': /* the result as it is, or what it is called */
        add_until(label, result, "< ");
        break;
    case 'R': /* which descriptors are ready */
        add_result(label, result);
        break;
    case 'w': /* the descriptors of a poll */
        for (const char *c = what; (c = strstr(c, "fd=")); c += 3) {
            add(label, c == strstr(what, "fd=") ? "" : ",");
            add_number(label, strtol(c + 3, NULL, 10));
        }
        break;
    case 't': /* those of a select */
        add_set(label, what);
        break;
    case 'k': /* two descriptors, which pipe and socketpair fill */
        if (*what == '[') {
            const char *comma = strstr(what, ">, ");

            add_number(label, strtol(what + 1, NULL, 10));
            add(label, ", ");
            add_number(label, comma ? strtol(comma + 3, NULL, 10) : -1);
        }
        break;
    case 'x': /* a futex: what the C library calls it, where that is sure */
        add_futex(label, p, call);
        break;
    case 'o': /* semop's operations: which semaphore, how much */
        for (long by; next_operation(&what, &number, &by); separator = "; ") {
            add(label, separator);
            add_number(label, number);
            add(label, by > 0 ? ", +" : ", ");
            add_number(label, by);
        }
        break;
    case 'l': /* fcntl's command, a lock in its words */
        add_lock(label, call);
        break;
    case 'u': /* sigprocmask: how, and the signals */
        if (has(call, 0, "SETMASK"))
            add(label, unblocks(p, call) ? "unblock " : "mask ");
        else
            add(label, has(call, 0, "UNBLOCK") ? "unblock " : "block ");
        add(label,
            has(call, 0, "SETMASK") && unblocks(p, call) ? p->blocked : what);
        break;
    case 'j': /* a control command: of which semaphore, to which value */
        if (strcmp(what, "SETVAL") == 0) {
            add_until(label, arg(call, 1), " ");
            add(label, ", ");
        }
        add(label, what);
        if (strcmp(what, "SETALL") == 0) { /* strace has the address only */
            add(label, " ?");
        } else if (strcmp(what, "SETVAL") == 0) {
            add(label, " ");
            add_number(label, arg_number(call, 3));
        } else if (strcmp(what, "IPC_SET") == 0) {
            field(arg(call, n + 1), "mode", text, sizeof text);
            add(label, ", mode ");
            add(label, text);
        }
        break;
    case 'q': /* mtype of a message */
        field(what, "mtype", text, sizeof text);
        add(label, "type ");
        add(label, text);
        break;
    case 'z': /* mtext of a message that came */
        field(what, "mtext", text, sizeof text);
        cut_string(text, call->value);
        add_data(label, text, call->value, 16);
        break;
    case 'y': /* a message's priority, if it was asked for */
        if (*what == '[') {
            add(label, " prio ");
            add_until(label, what + 1, "]");
        }
        break;
    case 'a': /* a socket's address */
        add_address(label, what);
        break;
    case 'c': /* a time */
        add_time(label, what);
        break;
    default: /* as strace writes it */
        copy(text, 60, what);
        add(label, text);
    }
}

void expand(const char *format, struct process *p, const struct call *call,
            char *text, size_t size)
{
    struct label label = { text, text + size - 1 };

    *text = '\0';
    for (const char *c = format; *c && label.to < label.end; c++) {
        if (*c != '$' || !c[1]) {
            add(&label, (char[]){ *c, '\0' });
            continue;
        }
        char kind = '0'; /* $1: as strace writes it */
        bool digit;

        if (*++c < '0' || *c > '9') {
            kind = *c;
            c++;
        }
        digit = *c >= '0' && *c <= '9'; /* $r has none */
        expand_one(kind, digit ? *c - '0' : 0, p, call, &label);
        if (!digit)
            c--;
    }
}

/* Which object, and which end of it: NULL if that is not worth saying. */
struct object *about(struct process *p, const struct call *call,
                     const char **end)
{
    const struct meaning *m = meaning_of(call->name);
    struct object *o = p->target;
    struct file *file = NULL;

    *end = "";
    if (m && m->flags & ON_FD && call->args > 0 &&
        strcmp(call->name, "close") != 0) {
        struct object *seen = see(p, arg(call, 0), NULL, &file);

        if (seen)
            o = seen;
    }
    if (!o || o->kind == FILE_ || (m && m->flags & IN_EXEC))
        return NULL;
    if (o->kind == PIPE || o->kind == FIFO) {
        if (file)
            *end = file->r && file->w ? "" : file->w ? ".w" : ".r";
        else if (strcmp(call->name, "close") == 0)
            *end = p->closed;
    }
    return o;
}

/* [P1.w] */
void tag_of(struct process *p, const struct call *call, char *tag,
            size_t size)
{
    const char *end;
    struct object *o = about(p, call, &end);

    snprintf(tag, size, "%s%s", o ? object_name(o) : "", end);
    if (strcmp(call->name, "socketpair") == 0) /* S1, for both ends */
        tag[strcspn(tag, ".")] = '\0';
}
