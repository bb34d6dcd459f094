/*
 * noise.c - which calls are the programmer's, and which the loader's, the
 * locale's, a library's or a shell's: the model takes all, the picture those
 */
#include "trace.h"
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
    return !system_path(path) && strncmp(path, "/dev/", 5) != 0 &&
           !strstr(path, ".pyc") && strcmp(path, ".") != 0;
}

/* It is made under another name, which nobody knows. */
static bool is_new_semaphore(const char *path, const char *flags)
{
    return strncmp(path, "/dev/shm/sem.", 13) == 0 && strstr(flags, "O_EXCL");
}

static bool opens(const struct process *p, const struct call *call)
{
    char path[512];

    if (strncmp(open_path(call, path, sizeof path), "/dev/shm/", 9) == 0)
        return !is_new_semaphore(path, open_flags(call));
    return (own_file(p, call) || of_a_path(call)) &&
           !strstr(open_flags(call), "O_DIRECTORY") &&
           !strstr(open_flags(call), "O_PATH"); /* so names are looked up */
}

static bool unlinks(const struct process *p, const struct call *call)
{
    (void)p;
    return of_a_path(call);
}

/* What fails is the search along PATH; the last failure is drawn elsewhere.
 */
static bool succeeds(const struct process *p, const struct call *call)
{
    (void)p;
    return !call->err;
}

static bool waits_or_wakes(const struct process *p, const struct call *call)
{
    (void)p;
    return has(call, 1, "WAIT") ? call->open : call->value > 0;
}

static bool closes(const struct process *p, const struct call *call)
{
    return !call->err || !system_path(p->exe);
}

/* The C library's own is SIGRTMIN-1, for setuid in threads. */
static bool has_handler(const struct process *p, const struct call *call)
{
    return !system_path(p->exe) && has(call, 1, "_handler=0x") &&
           !has(call, 0, "SIGRT_1");
}

/* A few by name; not all, as a library does for a moment, nor its own. */
static bool changes_mask(const struct process *p, const struct call *call)
{
    if (system_path(p->exe) || is_shell(p) || has(call, 1, "RT_1]"))
        return false;
    return has(call, 0, "SETMASK") ? unblocks(p, call) : few_signals(call);
}

static bool is_shared(const struct process *p, const struct call *call)
{
    return has(call, 3, "MAP_SHARED") &&
           !(p->target && system_path(p->target->key));
}

/* Until there is no child any more: so a shell asks. */
static bool has_children(const struct process *p, const struct call *call)
{
    return !call->err || strcmp(call->err, "ECHILD") != 0 || !is_shell(p);
}

/* The C library asks nscd first, by such a socket. */
static bool is_own_socket(const struct process *p, const struct call *call)
{
    (void)p;
    return !has(call, 0, "AF_UNIX") || !has(call, 1, "CLOEXEC") ||
           !has(call, 1, "NONBLOCK");
}

static const struct {
    const char *name;
    bool (*worth)(const struct process *p, const struct call *call);
    int arg; /* or one of the words is in this argument */
    const char *word[4];
} some[] = {
    { "open", .worth = opens },
    { "openat", .worth = opens },
    { "creat", .worth = opens },
    { "unlink", .worth = unlinks },
    { "unlinkat", .worth = unlinks },
    { "link", NULL, 1, { "/dev/shm/sem." } },
    { "socket", .worth = is_own_socket },
    { "mknod", NULL, 1, { "S_IFIFO" } },
    { "mknodat", NULL, 2, { "S_IFIFO" } },
    { "execve", .worth = succeeds },
    { "futex", .worth = waits_or_wakes },
    { "fcntl",
      NULL,
      1,
      { "F_SETLK", "F_OFD_SETLK", "SETPIPE_SZ", "F_DUPFD" } },
    { "close", .worth = closes },
    { "rt_sigaction", .worth = has_handler },
    { "rt_sigprocmask", .worth = changes_mask },
    { "mmap", .worth = is_shared },
    { "wait4", .worth = has_children },
    { "waitpid", .worth = has_children },
    { "waitid", .worth = has_children },
    { "semctl", NULL, 2, { "SETVAL", "SETALL", "IPC_RMID" } },
    { "msgctl", NULL, 1, { "IPC_RMID" } },
    { "shmctl", NULL, 1, { "IPC_RMID" } },
};

/* What is not in the list is, if it is about anything two can meet at. */
bool worth_a_row(struct process *p, const struct call *call,
                 const struct meaning *m)
{
    struct object *o = p->target;

    if (opt.all)
        return true;
    if (m->flags & ON_FD) {
        if (!o)
            o = see(p, arg(call, 0), NULL, NULL);
        if (!o && !call->err && !m->need)
            return false;
        if (o && (o->kind == DEVICE || o->dull ||
                  strncmp(o->key, "/dev/shm/sem.", 13) == 0 ||
                  (o->kind == FILE_ && system_path(o->key) && !o->own)))
            return false;
        if (o && m->flags & IPC_ONLY && (o->kind == FILE_ || o->kind == TTY))
            return false;
    }
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        bool worth = false;

        if (strcmp(call->name, some[i].name) != 0)
            continue;
        if (some[i].worth)
            return some[i].worth(p, call);
        for (int j = 0; j < 4 && some[i].word[j]; j++)
            worth |= has(call, some[i].arg, some[i].word[j]);
        return worth;
    }
    return true;
}
