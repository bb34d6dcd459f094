/*
 * world.c - objects, descriptors, shared memory, processes
 */
#include "world.h"
#include <stdlib.h>
#include <string.h>

struct process *processes; /* the newest first */
long now;                  /* steps so far */
double time_now;           /* seconds, of the present step */
void (*forget)(struct process *p);

static int numbers, pipes, sockets, programs;
static int grown;               /* objects made, processes ended, so far */
static struct table *inherited; /* what the first process finds open */

/* ---- objects ---------------------------------------------------------- */

enum { BUCKETS = 1024 };
static struct object *bucket[BUCKETS];

static struct object **bucket_of(const char *key)
{
    unsigned hash = 5381;

    for (; *key; key++)
        hash = hash * 33 + (unsigned char)*key;
    return &bucket[hash % BUCKETS];
}

/* The path's last part; of a named semaphore, the name that it has in C. */
static void name_by_path(struct object *o)
{
    const char *base = strrchr(o->key, '/');

    base = base && base[1] ? base + 1 : o->key;
    if (begins(o->key, "/dev/shm/sem."))
        snprintf(o->name, sizeof o->name, "/%.40s", o->key + 13);
    else
        copy(o->name, sizeof o->name, base);
}

static struct object *find(enum kind kind, const char *key)
{
    struct object *o = *bucket_of(key);

    while (o && (o->kind != kind || o->gone || strcmp(o->key, key) != 0))
        o = o->next;
    return o;
}

struct object *object_by(enum kind kind, const char *key)
{
    struct object **at = bucket_of(key), *o = find(kind, key);

    if (o)
        return o;
    o = zeros(1, sizeof *o);
    o->kind = kind;
    o->key = same(key);
    o->capacity = 65536;
    grown++;
    o->next = *at;
    *at = o;
    if (kind == FILE_ || kind == FIFO || kind == MQ)
        name_by_path(o);
    else
        copy(o->name, sizeof o->name, kind == TTY ? "tty" : key);
    return o;
}

/* The letters P1, S1 are given when an object is first drawn or named. */
const char *object_name(struct object *o)
{
    if (o->kind == PIPE && begins(o->name, "pipe:"))
        snprintf(o->name, sizeof o->name, "P%d", ++pipes);
    if (o->kind == SOCKET && strchr("s0123456789tu", o->name[0]) &&
        strpbrk(o->name, ":>")) {
        /* perhaps S1.a has been named, and it is S1.b */
        bool named = o->side && o->peer && o->peer->name[0] == 'S';

        snprintf(o->name, sizeof o->name, "S%d",
                 named ? atoi(o->peer->name + 1) : ++sockets);
        if (o->side)
            append(o->name, sizeof o->name, ".%c", o->side);
    }
    return o->name;
}

void object_rename(struct object *o, const char *key)
{
    struct object **at = bucket_of(o->key);

    while (*at && *at != o)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = o->next;
    free(o->key);
    o->key = same(key);
    name_by_path(o);
    at = bucket_of(o->key);
    o->next = *at;
    *at = o;
}

/* A FIFO is known from its making; live, from its inode. */
static struct object *path_object(const char *path)
{
    struct object *o = find(FIFO, path);

    if (!o)
        o = find(MQ, path);
    return o ? o : object_by(FILE_, path);
}

static struct object *event_object(const char *link)
{
    char name[48];

    copy(name, sizeof name, link + (*link == '['));
    if (*link == '[')
        name[strcspn(name, "]")] = '\0';
    return object_by(EVENT, name);
}

struct object *object_of(const char *link)
{
    char key[64];

    if (begins(link, "pipe:["))
        return object_by(PIPE, link);
    if (begins(link, "socket:[")) {
        snprintf(key, sizeof key, "socket:%lu", strtoul(link + 8, NULL, 10));
        return object_by(SOCKET, key);
    }
    if (begins(link, "anon_inode:"))
        return event_object(link + 11);
    if (begins(link, "/dev/pts/") || begins(link, "/dev/tty") ||
        begins(link, "/dev/console"))
        return object_by(TTY, link);
    if (begins(link, "/dev/") && strstr(link, "<char"))
        return object_by(DEVICE, link);
    return path_object(link);
}

struct object *semaphore(struct object *set, long n)
{
    char key[80];
    struct object *o;

    snprintf(key, sizeof key, "%.60s.%ld", set->key, n);
    for (o = set->peer; o; o = o->peer)
        if (strcmp(o->key, key) == 0)
            return o;
    o = object_by(SEMAPHORE, key);
    o->peer = set->peer;
    set->peer = o;
    return o;
}

struct early *missed;

void too_early(struct process *p, struct object *o, const char *what)
{
    if (o->early.who)
        return;
    o->early = (struct early){ .who = p, .what = what };
    missed = &o->early;
}

/* ---- descriptors ------------------------------------------------------ */

struct file *file_new(struct object *object, bool r, bool w)
{
    struct file *file = zeros(1, sizeof *file);

    *file = (struct file){ .refs = 1, .object = object, .r = r, .w = w };
    object->readers += r;
    object->writers += w;
    return file;
}

static void file_free(struct file *file, struct process *by)
{
    struct object *o;

    if (!file || --file->refs > 0)
        return;
    o = file->object;
    if (file->r && --o->readers == 0) {
        o->r = by;
        o->r_seq = by ? by->seq : -1;
    }
    if (file->w && --o->writers == 0) {
        o->w = by;
        o->w_seq = by ? by->seq : -1;
    }
    if (o->holder && o->kind == FILE_ && o->holder == by)
        o->holder = NULL;
    free(file);
}

/* Which end it is may come to light late. */
void file_ends(struct file *file, bool r, bool w)
{
    file->object->readers += r - file->r;
    file->object->writers += w - file->w;
    file->r = r;
    file->w = w;
}

void passed_close(struct message *m)
{
    while (m->files > 0)
        file_free(m->passed[--m->files], NULL);
}

struct slot *slot_of(struct process *p, int fd)
{
    struct table *t = p->table;

    if (fd < 0 || fd > 1 << 20)
        return NULL;
    if (fd >= t->size) {
        int size = fd + 16;

        t->slot = resize(t->slot, (size_t)size, sizeof *t->slot);
        memset(t->slot + t->size, 0,
               (size_t)(size - t->size) * sizeof *t->slot);
        t->size = size;
    }
    return &t->slot[fd];
}

void slot_close(struct process *p, int fd)
{
    struct slot *slot = slot_of(p, fd);

    if (!slot)
        return;
    file_free(slot->file, p);
    *slot = (struct slot){ 0 };
}

void slot_set(struct process *p, int fd, struct file *file, bool cloexec)
{
    struct slot *slot = slot_of(p, fd);

    if (!slot) {
        file_free(file, p);
        return;
    }
    if (slot->file)
        file_free(slot->file, p);
    *slot = (struct slot){ .file = file, .cloexec = cloexec };
}

static struct table *table_copy(const struct table *from)
{
    struct table *t = zeros(1, sizeof *t);

    t->refs = 1;
    if (from && from->size) {
        t->size = from->size;
        t->slot = zeros((size_t)t->size, sizeof *t->slot);
        for (int i = 0; i < t->size; i++) {
            t->slot[i] = from->slot[i];
            if (t->slot[i].file)
                t->slot[i].file->refs++;
        }
    }
    return t;
}

static void table_free(struct table *t, struct process *by)
{
    if (--t->refs > 0)
        return;
    for (int i = 0; i < t->size; i++)
        file_free(t->slot[i].file, by);
    free(t->slot);
    free(t);
}

void inherit(int fd, const char *link, bool r, bool w)
{
    static const char *const names[] = { "stdin", "stdout", "stderr" };
    static struct process nobody;
    struct object *o = object_of(link);

    if (!inherited)
        inherited = table_copy(NULL);
    nobody.table = inherited;
    slot_set(&nobody, fd, file_new(o, r, w), false);
    if (fd <= 2 && o->kind == PIPE && begins(o->name, "pipe"))
        copy(o->name, sizeof o->name, names[fd]);
}

bool holds(const struct process *p, const struct object *o, bool write)
{
    for (int i = 0; i < p->table->size; i++) {
        const struct file *file = p->table->slot[i].file;

        if (file && file->object == o && (write ? file->w : file->r))
            return true;
    }
    return false;
}

/* ---- shared memory ---------------------------------------------------- */

void map_add(struct process *p, unsigned long address, unsigned long size,
             struct object *object, unsigned long offset)
{
    struct memory *s = p->space;

    s->map = resize(s->map, (size_t)s->maps + 1, sizeof *s->map);
    s->map[s->maps++] = (struct mapping){ address, size, object, offset };
}

void map_remove(struct process *p, unsigned long address, unsigned long size)
{
    struct memory *s = p->space;

    for (int i = s->maps - 1; i >= 0; i--) {
        const struct mapping m = s->map[i];
        unsigned long end = m.address + m.size, from = address,
                      to = address + size;

        if (size == 0)
            to = from == m.address ? end : from;
        from = from > m.address ? from : m.address;
        to = to < end ? to : end;
        if (from >= to)
            continue;
        s->map[i] = s->map[--s->maps];
        if (from > m.address)
            map_add(p, m.address, from - m.address, m.object, m.offset);
        if (to < end)
            map_add(p, to, end - to, m.object, m.offset + (to - m.address));
    }
}

struct object *mapped(struct process *p, unsigned long address,
                      unsigned long *offset)
{
    struct memory *s = p->space;

    for (int i = 0; i < s->maps; i++)
        if (address - s->map[i].address < s->map[i].size) {
            *offset = address - s->map[i].address + s->map[i].offset;
            return s->map[i].object;
        }
    return NULL;
}

static struct memory *space_copy(const struct memory *from)
{
    struct memory *s = zeros(1, sizeof *s);

    s->refs = 1;
    if (from && from->maps) {
        s->maps = from->maps;
        s->map = zeros((size_t)s->maps, sizeof *s->map);
        memcpy(s->map, from->map, (size_t)s->maps * sizeof *s->map);
    }
    return s;
}

static void space_free(struct memory *s)
{
    if (--s->refs > 0)
        return;
    free(s->map);
    free(s);
}

/* ---- processes -------------------------------------------------------- */

struct process *process_of(pid_t pid)
{
    for (struct process *p = processes; p; p = p->next)
        if (p->pid == pid && p->state != GONE && !outside(p))
            return p;
    return NULL;
}

/* The launcher is nobody: its children begin with A. */
void hide(struct process *p)
{
    p->hidden = true;
    numbers = 0;
}

struct process *anyone(pid_t pid)
{
    struct process *p = processes;
    while (p && (p->pid != pid || outside(p)))
        p = p->next;
    return p;
}

bool is_called(const struct process *by, const struct process *p, long n)
{
    if (by->ns == 0)
        return p->pid == n;
    if (by->ns == p->ns)
        return p->own == n;
    return p->parent && p->parent->ns == by->ns && p->parent_own == n;
}

struct process *called(const struct process *by, long n, bool gone)
{
    for (struct process *p = processes; p; p = p->next)
        if (n > 0 && !outside(p) && is_called(by, p, n) &&
            (gone || p->state != GONE))
            return p;
    return NULL;
}

int new_ns(void)
{
    static int made;

    return ++made;
}

bool alive(const struct process *p)
{
    return p->state == ALIVE || p->state == ENDING;
}

const char *letter_of(int number)
{
    static char text[4][12];
    static int n;
    char *s = text[n++ % 4];

    snprintf(s, sizeof text[0], number < 26 ? "%c" : "%c%d",
             'A' + number % 26, number / 26);
    return s;
}

const char *letter(const struct process *p)
{
    return letter_of(p->number);
}

const char *who(const struct process *p)
{
    static char text[4][64];
    static int n;
    char *s = text[n++ % 4];

    if (outside(p))
        snprintf(s, sizeof text[0], "%s (pid %d)", p->name, (int)p->pid);
    else
        snprintf(s, sizeof text[0], "%s %s", letter(p), p->name);
    return s;
}

struct process *outsider(pid_t pid, const char *name)
{
    struct process *p;

    for (p = processes; p; p = p->next)
        if (outside(p) && p->pid == pid)
            return p;
    p = process_new(pid, NULL, false, false);

    p->number = -1;
    numbers--;
    outsiders_leave(); /* it has inherited nothing */
    copy(p->name, sizeof p->name, name);
    return p;
}

void outsiders_leave(void)
{
    for (struct process *p = processes; p; p = p->next)
        for (int i = 0; outside(p) && i < p->table->size; i++) {
            file_free(p->table->slot[i].file, NULL);
            p->table->slot[i] = (struct slot){ 0 };
        }
}

bool outside(const struct process *p)
{
    return p->number == -1;
}

void name_process(struct process *p, const char *path)
{
    const char *base = strrchr(path, '/');

    copy(p->name, sizeof p->name, base && base[1] ? base + 1 : path);
    printable(p->name);
}

struct process *process_new(pid_t pid, struct process *parent, bool thread,
                            bool files)
{
    struct process *p = zeros(1, sizeof *p);

    p->pid = pid;
    p->number = numbers++;
    p->leader = p;
    p->since = time_now;
    p->program = ++programs;
    copy(p->name, sizeof p->name, "?");
    if (parent) {
        copy(p->name, sizeof p->name, parent->name);
        copy(p->exe, sizeof p->exe, parent->exe);
        memcpy(p->handled, parent->handled, sizeof p->handled);
        p->ns = p->child_ns = thread ? parent->ns : parent->child_ns;
        p->program = parent->program;
        p->dir = parent->leader->dir;
        p->parent = thread ? parent->parent : parent;
        p->thread = thread;
        if (thread)
            p->leader = parent->leader;
    }
    p->table = files && parent
                   ? parent->table
                   : table_copy(parent ? parent->table : inherited);
    p->table->refs += files && parent;
    p->space = thread && parent ? parent->space
                                : space_copy(parent ? parent->space : NULL);
    p->space->refs += thread && parent;
    p->next = processes;
    processes = p;
    return p;
}

void new_program(struct process *p, const char *path)
{
    copy(p->exe, sizeof p->exe, path);
    if (p->table->refs > 1) { /* it is shared with nobody any more */
        p->table->refs--;
        p->table = table_copy(p->table);
    }
    for (int i = 0; i < p->table->size; i++)
        if (p->table->slot[i].cloexec)
            slot_close(p, i);
    space_free(p->space);
    p->space = space_copy(NULL);
    p->program = ++programs;
    *p->no_exec = '\0';
    memset(p->handled, 0, sizeof p->handled);
}

/* Is it the only one of its threads that is left? */
bool last_thread(const struct process *p)
{
    for (struct process *q = processes; q; q = q->next)
        if (q != p && q->leader == p->leader && alive(q))
            return false;
    return true;
}

struct wait *wait_new(struct process *p)
{
    if (!p->wait)
        p->wait = zeros(1, sizeof *p->wait);
    *p->wait = (struct wait){ .end = "", .epoll = -1 };
    return p->wait;
}

/* The kernel closes its descriptors now, whatever the log says when. */
void ends(struct process *p)
{
    if (p->state != ALIVE)
        return;
    p->state = ENDING;
    table_free(p->table, p);
    p->table = table_copy(NULL);
    space_free(p->space);
    p->space = space_copy(NULL);
}

/* Whether its parent is told or not. */
void gone(struct process *p)
{
    /* Nobody of ours waits for the first process, or for a thread. */
    p->state = p->thread || !p->parent || !alive(p->parent) ? GONE : ZOMBIE;
    if (!p->thread)
        for (struct process *q = processes; q; q = q->next)
            if (q->parent == p && q->state == ZOMBIE)
                q->state = GONE;
    free(p->wait);
    p->wait = NULL;
    grown++;
}

/* ---- what is gone ----------------------------------------------------- */

static void mark_process(struct process *p)
{
    for (; p && !p->marked; p = p->parent) {
        p->marked = true;
        if (p->leader != p)
            mark_process(p->leader);
    }
}

static void mark_object(struct object *o)
{
    for (; o && !o->marked; o = o->peer) {
        o->marked = true;
        mark_process(o->r);
        mark_process(o->w);
        mark_process(o->user);
        mark_process(o->holder);
        mark_process(o->early.who);
        mark_object(o->in);
        mark_object(o->named);
        for (struct message *m = o->first; m; m = m->next) {
            mark_process(m->from);
            for (int i = 0; i < m->files; i++)
                mark_object(m->passed[i]->object);
        }
    }
}

static void mark_table(const struct table *t)
{
    for (int i = 0; t && i < t->size; i++)
        if (t->slot[i].file)
            mark_object(t->slot[i].file->object);
}

/* Is it found by its name only, though nobody has it open? */
static bool by_name(const struct object *o)
{
    return !o->gone && o->kind != PIPE && o->kind != EVENT &&
           o->kind != FUTEX && o->kind != FILE_ && o->kind != SEMAPHORE &&
           (o->kind != SOCKET || begins(o->key, "bound ")) &&
           !begins(o->key, "shared ");
}

static void messages_free(struct object *o)
{
    while (o->first) {
        struct message *m = o->first;

        o->first = m->next;
        passed_close(m);
        free(m);
    }
}

bool crowded(void)
{
    return grown > 2000;
}

void sweep(void)
{
    grown = 0;
    mark_table(inherited);
    for (struct process *p = processes; p; p = p->next) {
        if (p->state == GONE && p->next) /* the first is asked in the end */
            continue;
        mark_process(p);
        mark_table(p->table);
        for (int i = 0; i < p->space->maps; i++)
            mark_object(p->space->map[i].object);
        mark_object(&p->signals);
        mark_object(p->target);
        if (p->sending)
            mark_object(p->sent_to);
        for (struct process *q = processes; p->sending && q; q = q->next)
            if (p->sent_to == &q->signals)
                mark_process(q);
    }
    for (int i = 0; i < BUCKETS; i++)
        for (struct object *o = bucket[i]; o; o = o->next)
            if (by_name(o))
                mark_object(o);
    for (struct process **at = &processes, *p; (p = *at);) {
        p->signals.marked = false;
        if (p->marked) {
            p->marked = false;
            at = &p->next;
            continue;
        }
        *at = p->next;
        messages_free(&p->signals);
        if (p->sending && p->sending->gone)
            free(p->sending);
        if (forget)
            forget(p);
        free(p->traced);
        free(p->drawn);
        free(p->wait);
        table_free(p->table, NULL);
        space_free(p->space);
        free(p);
    }
    for (int i = 0; i < BUCKETS; i++) /* files in them are of objects, too */
        for (struct object *o = bucket[i]; o; o = o->next)
            if (!o->marked)
                messages_free(o);
    for (int i = 0; i < BUCKETS; i++)
        for (struct object **at = &bucket[i], *o; (o = *at);) {
            if (o->marked) {
                o->marked = false;
                at = &o->next;
                continue;
            }
            *at = o->next;
            free(o->key);
            free(o);
        }
}
