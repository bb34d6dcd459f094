/*
 * noise.c - which calls are the programmer's, and which the loader's, the
 * locale's, a library's or a shell's: the model takes all, the picture those
 */
#include "meaning.h"
#include <string.h>

static bool is_shell(const struct process *p)
{
    size_t n = strlen(p->name);

    return n >= 2 && strcmp(p->name + n - 2, "sh") == 0; /* bash, dash */
}

static bool of_a_path(const struct call *call)
{
    char path[512];

    open_path(call, path, sizeof path);
    return !system_path(path) && !begins(path, "/dev/") &&
           !strstr(path, ".pyc") && strcmp(path, ".") != 0;
}

bool is_opened(const struct process *p, const struct call *call)
{
    char path[512];
    const char *flags = open_flags(call);

    if (begins(open_path(call, path, sizeof path), "/dev/shm/"))
        return !begins(path, "/dev/shm/sem.") || !strstr(flags, "O_EXCL");
    return (own_file(p, call) || of_a_path(call)) &&
           !strstr(flags, "O_DIRECTORY") &&
           !strstr(flags, "O_PATH"); /* so names are looked up */
}

bool is_unlinked(const struct process *p, const struct call *call)
{
    (void)p;
    return of_a_path(call);
}

/* What fails is the search of PATH; the last failure is drawn elsewhere. */
bool succeeds(const struct process *p, const struct call *call)
{
    (void)p;
    return !call->err;
}

bool waits_or_wakes(const struct process *p, const struct call *call)
{
    (void)p;
    return has(call, 1, "WAIT") ? call->open : call->value > 0;
}

bool closes(const struct process *p, const struct call *call)
{
    return !call->err || !system_path(p->exe);
}

/* The C library's own is SIGRTMIN-1, for setuid in threads. */
bool has_handler(const struct process *p, const struct call *call)
{
    return !system_path(p->exe) && has(call, 1, "_handler=0x") &&
           !has(call, 0, "SIGRT_1");
}

/* A few by name; not all, as a library does for a moment, nor its own. */
bool changes_mask(const struct process *p, const struct call *call)
{
    if (system_path(p->exe) || is_shell(p) || has(call, 1, "RT_1]"))
        return false;
    return has(call, 0, "SETMASK") ? unblocks(p, call) : few_signals(call);
}

bool is_shared(const struct process *p, const struct call *call)
{
    return has(call, 3, "MAP_SHARED") &&
           !(p->target && system_path(p->target->key));
}

/* Until there is no child any more: so a shell asks. */
bool has_children(const struct process *p, const struct call *call)
{
    return !failed_with(call, "ECHILD") || !is_shell(p);
}

/* The C library asks nscd first, by such a socket. */
bool is_own_socket(const struct process *p, const struct call *call)
{
    (void)p;
    return !has(call, 0, "AF_UNIX") || !has(call, 1, "CLOEXEC") ||
           !has(call, 1, "NONBLOCK");
}

/* If any of the words is in one of its arguments. */
static bool says(const struct call *call, const char *words)
{
    char word[32];

    for (int n; sscanf(words, "%31s%n", word, &n) == 1; words += n)
        for (int i = 0; i < call->args; i++)
            if (has(call, i, word))
                return true;
    return false;
}

/* If it is about anything two can meet at, unless the table knows better. */
bool worth_a_row(struct process *p, const struct call *call,
                 const struct meaning *m)
{
    struct object *o = p->target;

    if (m->flags & ON_FD) {
        if (!o)
            o = see(p, arg(call, 0), NULL, NULL);
        if (!o && !call->err && !m->need)
            return false;
        if (o && (o->kind == DEVICE || o->dull ||
                  begins(o->key, "/dev/shm/sem.") ||
                  (o->kind == FILE_ && system_path(o->key) && !o->own)))
            return false;
        if (o && m->flags & IPC_ONLY && (o->kind == FILE_ || o->kind == TTY))
            return false;
    }
    return (!m->only || says(call, m->only)) &&
           (!m->worth || m->worth(p, call));
}
