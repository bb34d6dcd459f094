/*
 * proc.c - what /proc says: of a child's parent, of what is open, of what a
 * process is in
 */
#include "proc.h"
#include "image.h"
#include "stack.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

bool live;

static bool file_text(const char *path, char *text, size_t size)
{
    FILE *in = live ? fopen(path, "r") : NULL;
    size_t n;

    if (!in)
        return false;
    n = fread(text, 1, size - 1, in);
    text[n] = '\0';
    fclose(in);
    return true;
}

/* R, S, D, T, t, Z as ps shows them; ' ' if there is no such process. */
static char proc_state(pid_t pid)
{
    char path[48], text[512] = "", *close;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (!file_text(path, text, sizeof text) || !(close = strrchr(text, ')')))
        return ' ';
    close += strcspn(close, " ");
    if (!*close)
        return ' ';
    return close[1];
}

static long proc_arg(pid_t pid, int n)
{
    char path[48], text[512], *at = text;
    snprintf(path, sizeof path, "/proc/%d/syscall", (int)pid);
    if (!file_text(path, text, sizeof text))
        return -1;
    if (n == -1)
        return strtol(text, NULL, 10);
    for (int i = 0; i <= n && at; i++)
        at = strchr(at + 1, ' ');
    return at ? (long)strtoul(at + 1, NULL, 0) : -1;
}

static long status_number(pid_t pid, const char *name)
{
    char path[48], text[4096], *at;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (!file_text(path, text, sizeof text) || !(at = strstr(text, name)))
        return 0;
    return strtol(at + strlen(name), NULL, 10);
}

/* Who forked it; of a thread, its process. */
pid_t proc_parent(pid_t pid)
{
    long group = status_number(pid, "\nTgid:");

    return (pid_t)(group && group != pid ? group
                                         : status_number(pid, "\nPPid:"));
}

int proc_family(pid_t pid, pid_t list[], int n, int most)
{
    struct dirent *entry;
    DIR *dir;

    for (int i = 0; i < n; i++)
        if (list[i] == pid)
            return n;
    if (n == most || pid == getpid())
        return n;
    list[n++] = pid;
    dir = opendir("/proc");
    while (dir && (entry = readdir(dir))) {
        pid_t child = (pid_t)atoi(entry->d_name);

        if (child > 0 && proc_parent(child) == pid)
            n = proc_family(child, list, n, most);
    }
    if (dir)
        closedir(dir);
    return n;
}

void proc_name(pid_t pid, char *name, size_t size)
{
    char path[48], text[64];

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    if (file_text(path, text, sizeof text)) {
        text[strcspn(text, "\n")] = '\0';
        for (char *c = text; *c; c++)
            if (*c < ' ' || *c > '~')
                *c = '?';
        copy(name, size, text);
    }
}

bool proc_is_fifo(pid_t pid, const char *path)
{
    char full[600];
    struct stat st;

    if (*path != '/')
        snprintf(full, sizeof full, "/proc/%d/cwd/%.500s", (int)pid, path);
    else
        copy(full, sizeof full, path);
    return live && stat(full, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* Calls with each open descriptor: its number, name, and the link's mode. */
static void each_descriptor(pid_t pid,
                            void (*with)(void *, int, const char *, mode_t),
                            void *context)
{
    char path[48], what[512];
    struct dirent *entry;
    struct stat st;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    dir = opendir(path);
    if (!dir)
        return;
    while ((entry = readdir(dir))) {
        ssize_t n =
            readlinkat(dirfd(dir), entry->d_name, what, sizeof what - 1);

        if (n == -1 || fstatat(dirfd(dir), entry->d_name, &st,
                               AT_SYMLINK_NOFOLLOW) == -1)
            continue;
        what[n] = '\0';
        with(context, atoi(entry->d_name), what, st.st_mode);
    }
    closedir(dir);
}

struct check {
    struct process *p;
    bool *is;
    int size;
};

static void check_one(void *context, int fd, const char *what, mode_t mode)
{
    struct check *check = context;
    struct slot *slot = slot_of(check->p, fd);
    bool r = mode & S_IRUSR, w = mode & S_IWUSR, in_pipe;

    if (fd < check->size)
        check->is[fd] = true;
    if (!slot)
        return;
    in_pipe = strncmp(what, "pipe:[", 6) == 0;
    if (slot->file &&
        (!in_pipe || (slot->file->r == r && slot->file->w == w &&
                      strcmp(slot->file->object->key, what) == 0)))
        return;
    if (slot->file && in_pipe && strcmp(slot->file->object->key, what) == 0) {
        file_ends(slot->file, r, w);
        return;
    }
    if (strncmp(what, "anon_inode", 10) != 0)
        slot_set(check->p, fd, file_new(object_of(what), r, w), false);
}

void proc_tables(double since)
{
    if (!live)
        return;
    for (struct process *p = processes; p; p = p->next) {
        struct check check = { .p = p, .size = p->table->size };
        if (!alive(p) || p->thread || outside(p) || p->since > since ||
            proc_state(p->pid) == ' ')
            continue;
        check.is = zeros((size_t)check.size + 1, sizeof *check.is);
        each_descriptor(p->pid, check_one, &check);
        for (int i = 0; i < check.size; i++)
            if (p->table->slot[i].file && !check.is[i])
                slot_close(p, i);
        free(check.is);
    }
}

static void adopt_one(void *context, int fd, const char *what, mode_t mode)
{
    struct process *p = context;

    if (*what == '/' && proc_is_fifo(p->pid, what))
        object_by(FIFO, what);
    if (strncmp(what, "anon_inode", 10) != 0)
        slot_set(p, fd,
                 file_new(object_of(what), mode & S_IRUSR, mode & S_IWUSR),
                 false);
}

/* -p: what it has open, its parent, and its children. */
void proc_adopt(struct process *p)
{
    each_descriptor(p->pid, adopt_one, p);
    p->parent = process_of(proc_parent(p->pid));
    for (struct process *q = processes; q; q = q->next)
        if (q != p && alive(q) && proc_parent(q->pid) == p->pid)
            q->parent = p;
}

/* What the first process will find open: 0, 1, 2 as given, our others. */
static void seed_one(void *context, int fd, const char *what, mode_t mode)
{
    (void)context;
    if (fd > 2 && (fcntl(fd, F_GETFD) & FD_CLOEXEC))
        return;
    if (strstr(what, "/proc/") == what)
        return;
    inherit(fd, what, mode & S_IRUSR, mode & S_IWUSR);
}

void proc_seed(int in, int out)
{
    char path[48], what[256];
    ssize_t n;

    each_descriptor(getpid(), seed_one, NULL);
    for (int i = 0; i < 3; i++) {
        int fd = i == 0 ? in : out;

        if (fd == -1)
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        n = readlink(path, what, sizeof what - 1);
        if (n == -1)
            continue;
        what[n] = '\0';
        inherit(i, what, true, true);
    }
}

/* ---- before a verdict ------------------------------------------------- */

static bool wanted(const struct process *p, const struct object *o)
{
    const struct wait *w = p->wait;

    if (!w || outside(p))
        return false;
    for (int i = 0; i < w->asks; i++)
        if (w->asked[i].object == o)
            return true;
    return w->object == o;
}

/* Does one of ours wait for this? Then it is worth knowing what has it. */
static void look_one(void *context, int fd, const char *what, mode_t mode)
{
    pid_t pid = *(pid_t *)context;
    struct object *o;
    char name[32] = "?";

    if (strncmp(what, "pipe:[", 6) != 0 && *what != '/')
        return;
    o = object_of(what);
    for (struct process *p = processes; p; p = p->next) {
        if ((o->kind != PIPE && o->kind != FIFO) || !wanted(p, o))
            continue;
        proc_name(pid, name, sizeof name);
        if (strcmp(name, "strace") != 0)
            slot_set(outsider(pid, name), fd,
                     file_new(o, mode & S_IRUSR, mode & S_IWUSR), false);
        return;
    }
}

static void look_outside(void)
{
    struct dirent *entry;
    DIR *dir = opendir("/proc");

    while (dir && (entry = readdir(dir))) {
        pid_t pid = (pid_t)atoi(entry->d_name);

        if (pid > 0 && pid != getpid() && !process_of(pid))
            each_descriptor(pid, look_one, &pid);
    }
    if (dir)
        closedir(dir);
}

static bool memory(pid_t pid, unsigned long address, void *to, size_t size)
{
    struct iovec here = { to, size }, there = { (void *)address, size };

    return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)size;
}

static bool is_shared(pid_t pid, unsigned long address)
{
    unsigned long from, to;
    char path[48], line[600], flags[8];
    bool shared = false;
    FILE *maps;

    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    maps = fopen(path, "r");
    while (maps && fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %7s", &from, &to, flags) == 3 &&
            address >= from && address < to)
            shared = flags[3] == 's';
    if (maps)
        fclose(maps);
    return shared;
}

/* Which holds a mutex, the C library notes in it. */
static void look_futex(struct process *p, struct wait *w)
{
    unsigned owner = 0;

    w->own = !is_shared(p->pid, w->address);
    w->known = memory(p->pid, w->address, &w->value, sizeof w->value);
    if (w->known && w->value == 2 &&
        memory(p->pid, w->address + 8, &owner, sizeof owner))
        w->holder = anyone((pid_t)owner);
    else if (w->known && w->value & 0x80000000) /* a robust one */
        w->holder = anyone((pid_t)(w->value & 0x3fffffff));
}

static void look_epoll(struct process *p, struct wait *w)
{
    char path[64], text[4096];
    struct slot *slot;
    unsigned events;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)p->pid, w->epoll);
    if (!file_text(path, text, sizeof text))
        return;
    for (char *at = text; (at = strstr(at, "tfd:")); at += 4)
        if (sscanf(at, "tfd: %d events: %x", &fd, &events) == 2 &&
            (slot = slot_of(p, fd)) && slot->file && w->asks < MAX_ASKED)
            w->asked[w->asks++] =
                (struct asked){ .fd = fd,
                                .need = events & POLLOUT ? NEEDS_ROOM
                                                         : NEEDS_DATA,
                                .object = slot->file->object };
}

/* Are there some in the sets of select that it does not look at? */
static void look_select(struct process *p, struct wait *w)
{
    fd_set set;
    long call = proc_arg(p->pid, -1), nfds = proc_arg(p->pid, 0);

    if ((call != SYS_select && call != SYS_pselect6) || nfds < 0)
        return;
    for (int i = 1; i <= 2; i++) {
        unsigned long at = (unsigned long)proc_arg(p->pid, i);

        if (at == 0 || !memory(p->pid, at, &set, sizeof set))
            continue;
        for (int fd = (int)nfds; fd < FD_SETSIZE && fd < p->table->size; fd++)
            if (FD_ISSET(fd, &set) && p->table->slot[fd].file &&
                w->asks < MAX_ASKED)
                w->asked[w->asks++] =
                    (struct asked){ .fd = fd, .beyond = true };
    }
}

/* The lines of the program where they wait, as their stacks tell: no signal
   is sent, no call disturbed. */
static void look_lines(void)
{
    enum { MOST = 64 };
    struct place place[MOST], *places[MOST];
    struct wait *wait[MOST];
    int n = 0;

    look_begin();
    for (struct process *p = processes; p && n < MOST; p = p->next) {
        struct seen *s =
            alive(p) && p->wait ? look_pid(p->leader->pid) : NULL;

        if (!s || outside(p))
            continue;
        look_threads(s);
        for (int i = 0; i < s->threads && n < MOST; i++)
            if (s->thread[i].tid == p->pid) {
                stack_place(&s->thread[i], &place[n]);
                if (p->wait->need == NEEDS_WAKE && *place[n].name)
                    copy(p->wait->call, sizeof p->wait->call, place[n].name);
                places[n] = &place[n];
                wait[n++] = p->wait;
            }
    }
    lines_find(places, n);
    for (int i = 0; i < n; i++)
        copy(wait[i]->source, sizeof wait[i]->source, place[i].line);
    image_end();
    look_end();
}

void proc_states(void)
{
    for (struct process *p = processes; p; p = p->next) {
        p->run = '\0';
        if (live && alive(p))
            p->run = proc_state(p->pid);
    }
}

void proc_look(void)
{
    if (!live)
        return;
    for (struct process *p = processes; p; p = p->next) {
        struct wait *w = p->wait;

        if (!w || !alive(p))
            continue;
        if (w->need == NEEDS_WAKE)
            look_futex(p, w);
        for (int i = 0; i < w->operations; i++)
            w->operation[i].value = semctl((int)proc_arg(p->pid, 0),
                                           w->operation[i].number, GETVAL);
        if (w->need == NEEDS_MESSAGE) { /* strace has not said it yet */
            w->type = proc_arg(p->pid, 3);
            w->known = true;
        }
        if (w->epoll != -1)
            look_epoll(p, w);
        else if (w->need == NEEDS_ONE_OF)
            look_select(p, w);
    }
}

void proc_look_far(void)
{
    if (!live)
        return;
    outsiders_leave();
    look_outside();
    look_lines();
}
