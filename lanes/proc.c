/*
 * proc.c - what /proc says of the world's processes: of a child's parent, of
 * what is open, of what one is in
 */
#include "proc.h"
#include "image.h"
#include "sock.h"
#include "wait.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <unistd.h>

bool live;

/* Who forked it; of a thread, its process. */
pid_t proc_parent(pid_t pid)
{
    char text[4096];
    pid_t group;

    if (!live || !look_text(text, sizeof text, pid, "status"))
        return 0;
    group = (pid_t)look_number(text, "\nTgid:", 10);
    return group != pid ? group : (pid_t)look_number(text, "\nPPid:", 10);
}

int proc_family(pid_t pid, pid_t list[], int n, int most)
{
    look_begin();
    look_tree(pid);
    for (struct seen *s = look_each(NULL); s && n < most; s = look_each(s)) {
        int i = 0;

        while (i < n && list[i] != s->pid)
            i++;
        if (i == n && s->asked_for && s->pid != getpid())
            list[n++] = s->pid;
    }
    return n;
}

void proc_name(pid_t pid, char *name, size_t size)
{
    char text[64];

    if (!live || !look_text(text, sizeof text, pid, "comm"))
        return;
    text[strcspn(text, "\n")] = '\0';
    printable(text);
    copy(name, size, text);
}

bool proc_is_fifo(pid_t pid, const char *path)
{
    struct stat st;

    /* by its root; by ours, if it has ended before we look */
    return live &&
           (look_path(pid, path, &st) ||
            (*path == '/' && stat(path, &st) == 0)) &&
           S_ISFIFO(st.st_mode);
}

/* ---- descriptors ------------------------------------------------------ */

/* What it has open is so in the world, too. */
static void take_descriptors(struct process *p, struct seen *s)
{
    look_descriptors(s);
    for (int i = 0; i < s->descriptors; i++) {
        struct descriptor *d = &s->descriptor[i];
        struct slot *slot = slot_of(p, d->fd);
        bool in_pipe = strncmp(d->link, "pipe:[", 6) == 0;

        if (!slot)
            continue;
        if (slot->file &&
            (!in_pipe || strcmp(slot->file->object->key, d->link) == 0)) {
            if (in_pipe)
                file_ends(slot->file, d->r, d->w);
            continue;
        }
        if (strncmp(d->link, "anon_inode", 10) == 0)
            continue;
        if (*d->link == '/' && look_inode(s, d) && d->type == S_IFIFO)
            object_by(FIFO, d->link);
        slot_set(p, d->fd, file_new(object_of(d->link), d->r, d->w), false);
    }
}

void proc_tables(double since)
{
    if (!live)
        return;
    look_begin();
    for (struct process *p = processes; p; p = p->next) {
        struct seen *s = look_pid(p->pid);

        if (s)
            s->asked_for = true;
        if (!s || !alive(p) || p->thread || outside(p) || p->since > since)
            continue;
        take_descriptors(p, s);
        for (int fd = 0; !s->closed && fd < p->table->size; fd++)
            if (p->table->slot[fd].file && !look_fd(s, fd))
                slot_close(p, fd);
    }
}

/* Its number in its own pid namespace, if it is not in ours. */
static void take_number(struct process *p)
{
    char text[4096], path[48], *at, *last;
    struct stat st;

    snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)p->pid);
    if (!look_text(text, sizeof text, p->pid, "status") ||
        !(at = strstr(text, "\nNSpid:\t")) || stat(path, &st) == -1)
        return;
    at += 8;
    at[strcspn(at, "\n")] = '\0';
    last = strrchr(at, '\t');
    if (!last || last == at)
        return;
    p->own = (pid_t)strtol(last + 1, NULL, 10);
    p->ns = p->child_ns = (int)st.st_ino;
}

/* -p: what it has open, its parent, and its children. */
void proc_adopt(struct process *p)
{
    struct seen *s = look_only(p->pid);

    if (s)
        take_descriptors(p, s);
    take_number(p);
    p->parent = process_of(proc_parent(p->pid));
    for (struct process *q = processes; q; q = q->next)
        if (q != p && alive(q) && proc_parent(q->pid) == p->pid)
            q->parent = p;
}

/* What the first process will find open: 0, 1, 2 as given, our others. */
void proc_seed(int in, int out)
{
    struct seen *s = look_only(getpid());
    struct descriptor *d;

    if (!s)
        return;
    look_descriptors(s);
    for (int i = 0; i < s->descriptors; i++) {
        d = &s->descriptor[i];
        if ((d->fd <= 2 || !(fcntl(d->fd, F_GETFD) & FD_CLOEXEC)) &&
            strncmp(d->link, "/proc/", 6) != 0)
            inherit(d->fd, d->link, d->r, d->w);
    }
    for (int fd = 0; fd < 3; fd++) {
        d = look_fd(s, fd == 0 ? in : out);
        if (d)
            inherit(fd, d->link, true, true);
    }
}

/* ---- before a verdict ------------------------------------------------- */

static bool wanted(const struct object *o)
{
    for (struct process *p = processes; p; p = p->next) {
        const struct wait *w = outside(p) ? NULL : p->wait;

        for (int i = 0; w && i < w->asks; i++)
            if (w->asked[i].object == o)
                return true;
        if (w && w->object == o)
            return true;
    }
    return false;
}

/* Does one of ours wait for this? Then it is worth knowing what has it. */
static void look_outside(struct seen *s)
{
    if (s->pid == getpid() || process_of(s->pid) ||
        strcmp(s->name, "strace") == 0)
        return;
    look_descriptors(s);
    for (int i = 0; i < s->descriptors; i++) {
        const struct descriptor *d = &s->descriptor[i];
        struct object *o =
            strncmp(d->link, "pipe:[", 6) == 0 || *d->link == '/'
                ? object_of(d->link)
                : NULL;

        if (o && (o->kind == PIPE || o->kind == FIFO) && wanted(o))
            slot_set(outsider(s->pid, s->name), d->fd,
                     file_new(o, d->r, d->w), false);
    }
}

static struct thread *thread_of(const struct process *p)
{
    struct seen *s =
        alive(p) && !outside(p) ? look_pid(p->leader->pid) : NULL;

    if (s)
        look_threads(s);
    for (int i = 0; s && i < s->threads; i++)
        if (s->thread[i].tid == p->pid)
            return &s->thread[i];
    return NULL;
}

static const char *name_of(pid_t pid)
{
    struct process *p = anyone(pid);

    return p && !outside(p) ? who(p) : NULL;
}

/* What only its memory tells: which kind of lock, what is in a set. */
static void look_into(struct wait *w, struct thread *t)
{
    static struct waiting e;

    wait_alias = name_of;
    wait_explain(t, &e);
    wait_alias = NULL;
    w->known = e.known;
    w->strangers = e.open;
    copy(w->said, sizeof w->said, e.text + strspn(e.text, " ,;:"));
    for (w->givers = 0; w->givers < e.givers; w->givers++)
        w->giver[w->givers] =
            process_of(e.giver[w->givers].t ? e.giver[w->givers].t->tid
                                            : e.giver[w->givers].p->pid);
}

/* The lines of the program where they wait, as their stacks tell: no signal
   is sent, no call disturbed. */
static void look_lines(void)
{
    enum { MOST = 64 };
    struct place place[MOST], *places[MOST];
    struct wait *wait[MOST];
    int n = 0;

    for (struct process *p = processes; p && n < MOST; p = p->next) {
        struct thread *t = p->wait ? thread_of(p) : NULL;

        if (!t)
            continue;
        stack_place(t, &place[n]);
        if (p->wait->need == NEEDS_WAKE && *place[n].name)
            copy(p->wait->call, sizeof p->wait->call, place[n].name);
        places[n] = &place[n];
        wait[n++] = p->wait;
    }
    lines_find(places, n);
    for (int i = 0; i < n; i++)
        copy(wait[i]->source, sizeof wait[i]->source, place[i].line);
}

char proc_state(pid_t pid)
{
    char text[4096], state = ' ';
    const char *at;

    look_text(text, sizeof text, pid, "status");
    at = strstr(text, "\nState:\t");
    if (at)
        state = at[8];
    return state;
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
        struct thread *t = w ? thread_of(p) : NULL;

        if (!t)
            continue;
        if (w->need == NEEDS_WAKE || w->need == NEEDS_ONE_OF)
            look_into(w, t);
        if (w->need == NEEDS_SIGNAL)
            look_untold(t->of, w->untold, sizeof w->untold);
        for (int i = 0; t->known == CALL_KNOWN && i < w->operations; i++)
            w->operation[i].value =
                semctl((int)t->arg[0], w->operation[i].number, GETVAL);
        if (w->need == NEEDS_MESSAGE) { /* strace has not said it yet */
            w->type = (long)t->arg[3];
            w->known = t->known == CALL_KNOWN;
        }
    }
    sock_end(); /* another look asks anew */
}

void proc_look_far(void)
{
    if (!live)
        return;
    outsiders_leave();
    look_begin();
    for (struct seen *s = look_each(NULL); s; s = look_each(s))
        look_outside(s);
    look_lines();
    image_end();
    look_end();
}

/* ---- after the end ---------------------------------------------------- */

void proc_left(void (*say)(const char *line))
{
    static const struct {
        const char *file, *key, *what;
        char option;
        enum kind kind;
    } ipc[] = {
        { "sem", "semset", "semaphore set", 's', SEMSET },
        { "msg", "queue", "queue", 'q', MSGQ },
        { "shm", "shm", "shared memory", 'm', SHM },
    };

    for (int i = 0; i < 3; i++) {
        char line[256], key[32];
        FILE *in;
        int id;

        snprintf(line, sizeof line, "/proc/sysvipc/%s", ipc[i].file);
        in = fopen(line, "re");
        while (in && fgets(line, sizeof line, in)) {
            if (sscanf(line, "%*d %d", &id) != 1)
                continue;
            snprintf(key, sizeof key, "%s %d", ipc[i].key, id);
            snprintf(line, sizeof line, "It leaves %s %d: ipcrm -%c %d",
                     ipc[i].what, id, ipc[i].option, id);
            if (object_by(ipc[i].kind, key)->made)
                say(line);
        }
        if (in)
            fclose(in);
    }
}
