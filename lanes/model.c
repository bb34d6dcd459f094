/*
 * model.c - the processes, what their descriptors are, and what is on its
 * way between them; a line of the log is a step of it
 *
 * Order is the order of the log. A call's entry is always logged before the
 * return of the call that it feeds. So a write counts when it is entered,
 * and so do close and exit; what a read got counts when it returns.
 */
#include "lanes.h"
#include <ctype.h>
#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct process *processes; /* the newest first */
struct object *objects;
long unknown_lines, hidden_calls;

static long now; /* lines so far */
static int numbers, pipes, sockets;
static int grown; /* objects made and processes gone, since a sweep */
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

struct object *object_by(enum kind kind, const char *key)
{
    struct object **at = bucket_of(key), *o;

    for (o = *at; o; o = o->next)
        if (o->kind == kind && !o->gone && strcmp(o->key, key) == 0)
            return o;
    o = zeros(1, sizeof *o);
    o->kind = kind;
    o->key = same(key);
    o->capacity = 65536;
    grown++;
    o->next = *at;
    *at = o;
    if (kind == FILE_ || kind == FIFO || kind == MQ) {
        const char *base = strrchr(key, '/');

        copy(o->name, sizeof o->name, base && base[1] ? base + 1 : key);
    } else if (kind == TTY) {
        copy(o->name, sizeof o->name, "tty");
    } else {
        copy(o->name, sizeof o->name, key);
    }
    return o;
}

/* The letters P1, S1 are given when an object is first drawn or named. */
static const char *short_name(struct object *o)
{
    if (o->kind == PIPE && strncmp(o->name, "pipe:", 5) == 0)
        snprintf(o->name, sizeof o->name, "P%d", ++pipes);
    if (o->kind == SOCKET && strchr("s0123456789t", o->name[0]) &&
        strpbrk(o->name, ":>"))
        snprintf(o->name, sizeof o->name, "S%d", ++sockets);
    return o->name;
}

/* A FIFO is known from its making; live, from its inode. */
static struct object *path_object(const char *path)
{
    static const enum kind kinds[] = { FIFO, MQ, FILE_ };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (struct object *o = *bucket_of(path); o; o = o->next)
            if (o->kind == kinds[i] && !o->gone && strcmp(o->key, path) == 0)
                return o;
    return object_by(FILE_, path);
}

static struct object *socket_object(const char *what)
{
    char key[160], *end;
    const char *in = strchr(what, '[');
    struct object *o;

    if (strncmp(what, "UNIX", 4) == 0 || strstr(in, "->") == NULL) {
        unsigned long inode = strtoul(in + 1, &end, 10), peer = 0;

        if (end == in + 1 || *end == '.') { /* TCP:[127.0.0.1:80] */
            snprintf(key, sizeof key, "tcp %.120s", in + 1);
            return object_by(SOCKET, key);
        }
        snprintf(key, sizeof key, "socket:%lu", inode);
        o = object_by(SOCKET, key);
        if (strncmp(end, "->", 2) == 0)
            peer = strtoul(end + 2, NULL, 10);
        if (peer) {
            snprintf(key, sizeof key, "socket:%lu", peer);
            o->peer = object_by(SOCKET, key);
            if (!o->peer->peer)
                o->peer->peer = o;
        }
        return o;
    }
    { /* TCP:[here->there] */
        char here[64], there[64];
        const char *arrow = strstr(in, "->");

        snprintf(here, sizeof here, "%.*s", (int)(arrow - in - 1), in + 1);
        snprintf(there, sizeof there, "%s", arrow + 2);
        there[strcspn(there, "],\"")] = '\0';
        snprintf(key, sizeof key, "tcp %s>%s", here, there);
        o = object_by(SOCKET, key);
        if (!o->peer) {
            snprintf(key, sizeof key, "tcp %s>%s", there, here);
            o->peer = object_by(SOCKET, key);
            o->peer->peer = o;
        }
        return o;
    }
}

struct object *object_of(const char *what)
{
    if (strncmp(what, "pipe:[", 6) == 0)
        return object_by(PIPE, what);
    if (strncmp(what, "socket:[", 8) == 0 || strncmp(what, "UNIX", 4) == 0 ||
        strncmp(what, "TCP", 3) == 0 || strncmp(what, "UDP", 3) == 0)
        return strchr(what, '[') ? socket_object(what)
                                 : object_by(SOCKET, what);
    if (strncmp(what, "anon_inode:", 11) == 0) {
        char name[48];

        copy(name, sizeof name, what + 11);
        if (*name == '[') {
            memmove(name, name + 1, strlen(name));
            name[strcspn(name, "]")] = '\0';
        }
        return object_by(EVENT, name);
    }
    if (strncmp(what, "/dev/pts/", 9) == 0 ||
        strncmp(what, "/dev/tty", 8) == 0 ||
        strncmp(what, "/dev/console", 12) == 0)
        return object_by(TTY, what);
    if (strncmp(what, "/dev/", 5) == 0 && strstr(what, "<char"))
        return object_by(DEVICE, what);
    return path_object(what);
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

void file_free(struct file *file, struct process *by)
{
    struct object *o;

    if (!file || --file->refs > 0)
        return;
    o = file->object;
    if (file->r && --o->readers == 0)
        o->r = by;
    if (file->w && --o->writers == 0)
        o->w = by;
    if (o->holder && o->kind == FILE_ && o->holder == by)
        o->holder = NULL;
    free(file);
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

/*
 * The object behind a call's descriptor. What strace says of it is right;
 * where the table does not agree, something was missed, and it learns.
 */
struct object *see(struct process *p, const char *arg, int *fd,
                   struct file **file)
{
    char what[512];
    struct object *o;
    struct slot *slot;
    int n = descriptor(arg, what, sizeof what);

    if (fd)
        *fd = n;
    if (file)
        *file = NULL;
    if (n == -1 || !(slot = slot_of(p, n)))
        return NULL;
    if (!*what) {
        if (file)
            *file = slot->file;
        return slot->file ? slot->file->object : NULL;
    }
    o = slot->file ? slot->file->object : NULL;
    /* eventfds are all called the same; a path may have changed its name */
    if (!o || !((o->kind == EVENT && strncmp(what, "anon_inode", 10) == 0) ||
                ((o->kind == FIFO || o->kind == MQ || o->kind == FILE_) &&
                 *what == '/'))) {
        struct object *seen = object_of(what);

        if (!slot->file) {
            slot->file =
                file_new(seen, seen->kind != PIPE, seen->kind != PIPE);
        } else if (o && seen != o) {
            if (o->kind == SOCKET && seen->kind == SOCKET) {
                /* connected since: a new name for the same */
                if (o->name[0] == 'S' && seen->name[0] != 'S') {
                    copy(seen->name, sizeof seen->name, o->name);
                    copy(o->name, sizeof o->name, o->key);
                }
                seen->user = seen->user ? seen->user : o->user;
                o->readers -= slot->file->r, o->writers -= slot->file->w;
                seen->readers += slot->file->r,
                    seen->writers += slot->file->w;
                slot->file->object = seen;
            } else {
                slot_set(
                    p, n,
                    file_new(seen, seen->kind != PIPE, seen->kind != PIPE),
                    false);
            }
        }
        o = seen;
    }
    slot = slot_of(p, n);
    if (file)
        *file = slot->file;
    return slot->file ? slot->file->object : o;
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

/* After exec, it is shared with nobody. */
void table_own(struct process *p)
{
    if (p->table->refs > 1) {
        p->table->refs--;
        p->table = table_copy(p->table);
    }
}

static void table_leave(struct process *p)
{
    if (--p->table->refs > 0) {
        p->table = zeros(1, sizeof *p->table);
        p->table->refs = 1;
        return;
    }
    p->table->refs = 1;
    for (int i = 0; i < p->table->size; i++)
        slot_close(p, i);
}

void model_seed(int fd, const char *what, bool r, bool w)
{
    static struct process nobody;

    if (!inherited) {
        inherited = zeros(1, sizeof *inherited);
        inherited->refs = 1;
    }
    nobody.table = inherited;
    slot_set(&nobody, fd, file_new(object_of(what), r, w), false);
    {
        static const char *const names[] = { "stdin", "stdout", "stderr" };
        struct object *o = inherited->slot[fd].file->object;

        if (fd <= 2 && o->kind == PIPE && strncmp(o->name, "pipe", 4) == 0)
            copy(o->name, sizeof o->name, names[fd]);
    }
}

/* ---- shared memory ---------------------------------------------------- */

void map_add(struct process *p, unsigned long address, unsigned long size,
             struct object *object, unsigned long offset)
{
    struct space *s = p->space;

    s->map = resize(s->map, (size_t)(s->maps + 1), sizeof *s->map);
    s->map[s->maps++] = (struct mapping){ address, size, object, offset };
}

void map_remove(struct process *p, unsigned long address)
{
    struct space *s = p->space;

    for (int i = 0; i < s->maps; i++)
        if (s->map[i].address == address) {
            s->map[i] = s->map[--s->maps];
            return;
        }
}

struct object *mapped(struct process *p, unsigned long address,
                      unsigned long *offset)
{
    struct space *s = p->space;

    for (int i = 0; i < s->maps; i++)
        if (address - s->map[i].address < s->map[i].size) {
            *offset = address - s->map[i].address + s->map[i].offset;
            return s->map[i].object;
        }
    return NULL;
}

static struct space *space_copy(const struct space *from)
{
    struct space *s = zeros(1, sizeof *s);

    s->refs = 1;
    if (from && from->maps) {
        s->maps = from->maps;
        s->map = zeros((size_t)s->maps, sizeof *s->map);
        memcpy(s->map, from->map, (size_t)s->maps * sizeof *s->map);
    }
    return s;
}

static void space_leave(struct process *p)
{
    if (--p->space->refs == 0) {
        free(p->space->map);
        free(p->space);
    }
    p->space = space_copy(NULL);
}

/* ---- processes -------------------------------------------------------- */

struct process *process_of(pid_t pid)
{
    for (struct process *p = processes; p; p = p->next)
        if (p->pid == pid && p->state != GONE)
            return p;
    return NULL;
}

/* The launcher of several commands is nobody: its children begin with A. */
void hide(struct process *p)
{
    p->hidden = true;
    numbers = 0;
}

struct process *anyone(pid_t pid)
{
    struct process *p = processes;

    while (p && p->pid != pid)
        p = p->next;
    return p;
}

bool alive(const struct process *p)
{
    return p->state == ALIVE || p->state == ENDING;
}

const char *letter(const struct process *p)
{
    static char text[4][12];
    static int n;
    char *s = text[n++ % 4];

    if (p->number < 26)
        snprintf(s, sizeof text[0], "%c", 'A' + p->number);
    else
        snprintf(s, sizeof text[0], "%c%d", 'A' + p->number % 26,
                 p->number / 26);
    return s;
}

struct process *process_new(pid_t pid, struct process *parent, bool thread,
                            bool files)
{
    struct process *p = zeros(1, sizeof *p);

    p->pid = pid;
    p->number = numbers++;
    p->column = -1;
    p->leader = p;
    copy(p->name, sizeof p->name, "?");
    if (parent) {
        copy(p->name, sizeof p->name, parent->name);
        copy(p->exe, sizeof p->exe, parent->exe);
        memcpy(p->handled, parent->handled, sizeof p->handled);
        p->parent = thread ? parent->parent : parent;
        p->thread = thread;
        if (thread)
            p->leader = parent->leader;
    }
    if (files && parent) {
        p->table = parent->table;
        p->table->refs++;
    } else {
        p->table = table_copy(parent ? parent->table : inherited);
    }
    if (thread && parent) {
        p->space = parent->space;
        p->space->refs++;
    } else {
        p->space = space_copy(parent ? parent->space : NULL);
    }
    p->next = processes;
    processes = p;
    return p;
}

static bool forks(const char *name)
{
    return strcmp(name, "clone") == 0 || strcmp(name, "clone3") == 0 ||
           strcmp(name, "fork") == 0 || strcmp(name, "vfork") == 0;
}

/*
 * A process is there. Its parent is the one that is in a fork; if several
 * are, /proc knows, and without it the one that has waited longest.
 */
static struct process *birth(pid_t pid, struct process *parent)
{
    struct process *p;
    struct row row;
    int candidates = parent ? 1 : 0;
    const char *flags = "";

    if (!parent) {
        pid_t real = 0;

        for (struct process *q = processes; q; q = q->next)
            if (alive(q) && q->call.open && forks(q->call.name) && !q->born) {
                candidates++;
                parent = q; /* the list has the newest first */
            }
        if (candidates > 1 && opt.live)
            real = proc_parent(pid);
        if (real)
            for (struct process *q = processes; q; q = q->next)
                if (alive(q) && q->leader->pid == real && q->call.open &&
                    forks(q->call.name) && !q->born) {
                    parent = q;
                    candidates = 1;
                }
    }
    if (parent) {
        parent->born = pid;
        for (int i = 0; i < parent->call.args; i++)
            if (strstr(parent->call.arg[i], "CLONE_"))
                flags = parent->call.arg[i];
    }
    p = process_new(pid, parent, strstr(flags, "CLONE_THREAD"),
                    strstr(flags, "CLONE_FILES"));
    if (!parent && opt.live)
        proc_name(pid, p->name, sizeof p->name);
    if (!parent && opt.attached)
        proc_adopt(p);
    if (parent ? !parent->hidden : opt.attached || p->number > 0) {
        row_begin(&row, ROW_START, p);
        snprintf(row.text, sizeof row.text, "%s%s", p->name,
                 p->thread ? " thread" : "");
        if (parent)
            row_arrow(&row, FORK, parent, candidates > 1, "%s",
                      p->thread ? "thread" : "fork");
        copy(row.source, sizeof row.source, parent ? parent->source : "");
        row_end(&row);
    }
    return p;
}

/* Its descriptors are closed by the kernel now, whatever the log says when.
 */
void ends(struct process *p)
{
    if (p->state != ALIVE)
        return;
    p->state = ENDING;
    table_leave(p);
    space_leave(p);
}

static void draw_failed_exec(struct process *p)
{
    struct row row;

    if (!p->failed_exec)
        return;
    row_begin(&row, ROW_CALL, p);
    copy(row.text, sizeof row.text, p->failed_exec);
    row.failed = true;
    free(p->failed_exec);
    p->failed_exec = NULL;
    row_end(&row);
}

/* ---- messages --------------------------------------------------------- */

/* Files that came along and that nobody has taken are closed. */
static void drop_passed(struct message *m)
{
    while (m->files > 0)
        file_free(m->passed[--m->files], NULL);
}

static void unlink_message(struct object *o, struct message *m)
{
    struct message **at = &o->first, *before = NULL;

    while (*at && *at != m) {
        before = *at;
        at = &(*at)->next;
    }
    if (!*at)
        return;
    *at = m->next;
    if (o->last == m)
        o->last = before;
    drop_passed(m);
    if (m->done)
        free(m);
    else
        m->gone = true; /* its sender is still in the call, and frees it */
}

struct message *send_message(struct process *p, struct object *to,
                             const char *text, long size, long rank)
{
    struct message *m = zeros(1, sizeof *m);

    if (p->sending) /* how that ended, was not said */
        sent(p, p->sending->size);
    if (size < 0 || size > 0x7ffff000) /* no write is longer */
        size = size < 0 ? 0 : 0x7ffff000;
    *m = (struct message){
        .from = p, .size = size, .left = size, .rank = rank, .seq = now
    };
    m->known = string_bytes(text, m->bytes, (int)sizeof m->bytes);
    if (m->known < 0)
        m->known = 0;
    if (m->known > size)
        m->known = (int)size;
    if (to->last)
        to->last->next = m;
    else
        to->first = m;
    to->last = m;
    to->queued += size;
    p->sending = m;
    p->sent_to = to;
    p->target = to;
    return m;
}

/* The call returns: only now is it known how much was taken. */
void sent(struct process *p, long n)
{
    struct message *m = p->sending;
    long missing;

    p->sending = NULL;
    if (!m)
        return;
    m->done = now;
    missing = m->size - (n < 0 ? 0 : n);
    if (missing > 0) {
        m->left -= missing < m->left ? missing : m->left;
        if (!m->gone)
            p->sent_to->queued -= missing;
    }
    if (m->gone)
        free(m);
    else if (m->left == 0 && m->size > 0)
        unlink_message(p->sent_to, m);
}

static bool fits(const struct message *m, const char *bytes, int known)
{
    long skipped = m->size - m->left;
    int n = m->known - (int)skipped;

    if (skipped >= m->known)
        return true; /* we do not know the bytes so far in */
    if (n > known)
        n = known;
    return memcmp(m->bytes + skipped, bytes, (size_t)n) == 0;
}

static struct message got; /* what receive gives out */

/*
 * n bytes have come. From a pipe or a stream (whole = false) as many messages
 * as they are made of; else one message, of that rank if rank is not -1.
 * Where two were being written at once, their content decides; if it does
 * not, the arrow is unsure.
 */
struct message *receive(struct process *p, struct object *from,
                        const char *text, long n, bool whole, long rank)
{
    char bytes[64];
    int known = string_bytes(text, bytes, (int)sizeof bytes), at = 0;

    got = (struct message){ 0 };
    if (n < 0)
        return NULL;
    if (known < 0)
        known = 0;
    if (known > n && !whole)
        known = (int)n;
    do {
        struct message *m = NULL;
        struct process *others = NULL;
        long taken;
        int matches = 0;

        for (struct message *c = from->first; c; c = c->next) {
            if (c->left <= 0 && c->size > 0)
                continue;
            /* Only what was begun before the first was finished can have
               overtaken it. */
            if (!whole && from->first->done && c->seq > from->first->done)
                break;
            if (rank != -1 && c->rank != rank)
                continue;
            if (!fits(c, bytes + at, known - at))
                continue;
            if (!m)
                m = c;
            else if (c->from != m->from)
                others = c->from;
            matches++;
            if (whole && rank == -1 && c->done)
                break;
        }
        if (!m)
            m = from->first;
        if (!m)
            return got.from ? &got : NULL;
        taken = whole || m->left < n ? m->left : n;
        if (taken < 0)
            taken = 0;
        drop_passed(&got);
        got = *m;
        m->files = 0; /* they are the receiver's now */
        if (m->from != p || from->kind == PIPE || from->kind == FIFO) {
            if (whole)
                row_arrow(next_row, DATA, m->from, others && matches > 1,
                          from->kind == EVENT ? "value" : "%ld byte%s", taken,
                          taken == 1 ? "" : "s");
            else
                row_arrow(next_row, DATA, m->from, others && matches > 1,
                          "%ld byte%s", taken, taken == 1 ? "" : "s");
        }
        from->queued -= taken;
        m->left -= taken;
        n -= taken;
        at += (int)(taken < known - at ? taken : known - at);
        if (m->left <= 0)
            unlink_message(from, m);
    } while (n > 0 && !whole);
    return &got;
}

/* ---- calls in the log ------------------------------------------------- */

static void call_text(struct process *p, const struct meaning *m,
                      const struct call *call, struct row *row)
{
    const char *shown = m->shown;
    char name[48];

    if (row->kind == ROW_RETURN) {
        copy(name, sizeof name, shown);
        name[strcspn(name, "(<$ ")] = '\0';
        snprintf(row->text, sizeof row->text, "%s", name);
    } else {
        expand(shown, p, call, row->text, sizeof row->text);
    }
    tag_of(p, call, row->tag, sizeof row->tag);
    if (call->open)
        return;
    if (m->result) /* there is something to predict */
        expand(shown, p, call, row->ask, sizeof row->ask);
    if (call->err) {
        row->failed = true;
        append(row->text, sizeof row->text, " = %s", call->err);
    } else if (m->result) {
        char result[120];

        expand(m->result, p, call, result, sizeof result);
        if (*result)
            append(row->text, sizeof row->text, " = %s", result);
    }
}

static bool restarting(const struct call *call)
{
    return call->err && strncmp(call->err, "ERESTART", 8) == 0;
}

/* Draws the row of a call that is still on its way. */
void draw_pending(struct process *p)
{
    const struct meaning *m;
    struct row row;
    bool waits;

    if (!p->call.open || p->drawn || !p->call.name)
        return;
    m = meaning_of(p->call.name);
    if (!m || (m->flags & QUIET) || !worth_a_row(p, &p->call, m))
        return;
    p->drawn = true;
    waits = m->flags & BLOCKS ||
            (p->sending && p->target && p->target->kind == PIPE &&
             p->target->queued > p->target->capacity);
    row_begin(&row, waits ? ROW_WAIT : ROW_CALL, p);
    call_text(p, m, &p->call, &row);
    *row.ask = '\0';
    row_end(&row);
    p->waits = waits; /* not before, for others may have a row first */
}

/* Nobody's row comes before the row of what he may have waited for. */
void draw_all_pending(const struct process *but)
{
    for (;;) {
        struct process *first = NULL;

        for (struct process *p = processes; p; p = p->next) {
            const struct meaning *m;

            if (p == but || !p->call.open || p->drawn || !alive(p))
                continue;
            m = meaning_of(p->call.name);
            if (m && m->flags & (BLOCKS | FEEDS) && !(m->flags & QUIET) &&
                worth_a_row(p, &p->call, m) &&
                (!first || p->seq < first->seq))
                first = p;
        }
        if (!first)
            return;
        draw_pending(first);
        if (!first->drawn)
            return;
    }
}

static void enter(struct process *p, const char *body)
{
    struct call call;
    const struct meaning *m;
    bool again;

    call_parse(body, &call);
    again = p->restarts && p->call.name &&
            (strcmp(call.name, p->call.name) == 0 ||
             strcmp(call.name, "restart_syscall") == 0);
    if (again && strcmp(call.name, "restart_syscall") == 0) {
        /* resuming: it is the same call, with the arguments that it had */
        p->call.open = true;
        p->restarts = false;
        call_free(&call);
        return;
    }
    p->restarts = false;
    if (p->call.open)
        unknown_lines++; /* how it left the last one, was not said */
    if (!again) {
        p->drawn = p->waits = false;
        *p->source = '\0';
    }
    if (strcmp(call.name, "execve") != 0 &&
        strcmp(call.name, "execveat") != 0)
        draw_failed_exec(p);
    call_free(&p->call);
    p->call = call;
    p->call.open = true;
    p->seq = now;
    if (!again)
        p->target = NULL;
    p->born = 0;
    m = meaning_of(p->call.name);
    if (m && m->enter)
        m->enter(p, &p->call);
}

static void leave(struct process *p, const char *body, const char *source)
{
    const struct meaning *m;
    struct row row;
    struct call call;
    bool drawn = p->drawn;

    call_parse(body, &call);
    if (strcmp(call.name, "restart_syscall") == 0 && p->call.name) {
        /* the same call, which has its arguments, now has its result */
        free(p->call.more);
        p->call.more = call.buffer;
        p->call.result = call.result;
        p->call.value = call.value;
        p->call.err = call.err;
        p->call.open = call.open;
    } else {
        call_free(&p->call);
        p->call = call;
    }
    m = meaning_of(p->call.name);
    copy(p->source, sizeof p->source, source);
    if (p->call.open && strcmp(p->call.name, "exit") != 0 &&
        strcmp(p->call.name, "exit_group") != 0)
        unknown_lines++;
    p->call.open = false;
    if (restarting(&p->call)) {
        p->restarts = true;
        if (p->sending)
            sent(p, -1);
        return;
    }
    if (p->call.result && *p->call.result == '?' && !p->call.err)
        return; /* killed in it: it never came back */
    if (p->born == 0 && forks(p->call.name) && p->call.value > 0 &&
        !process_of((pid_t)p->call.value))
        birth((pid_t)p->call.value, p);
    /* The others' rows first: a table shown there must not know of this. */
    if (m && !(m->flags & (QUIET | WAITED)) && worth_a_row(p, &p->call, m))
        draw_all_pending(p);
    row_begin(&row, drawn ? ROW_RETURN : ROW_CALL, p);
    next_row = &row;
    if (m && m->leave)
        m->leave(p, &p->call);
    drop_passed(&got);
    drawn = p->drawn; /* an arrow may have forced it */
    if (!m || (m->flags & QUIET && !(opt.all || (p->call.err && m->shown)))) {
        hidden_calls++;
        if (opt.all && !drawn) {
            snprintf(row.text, sizeof row.text, "%s = %s", p->call.name,
                     p->call.err      ? p->call.err
                     : p->call.result ? p->call.result
                                      : "?");
            row.failed = p->call.err;
            row_end(&row);
        }
    } else if (drawn) {
        row.kind = ROW_RETURN;
        if (p->call.err || row.arrows || p->waits) {
            call_text(p, m, &p->call, &row);
            row_end(&row);
        }
    } else if ((worth_a_row(p, &p->call, m) && !(m->flags & WAITED)) ||
               row.arrows) {
        call_text(p, m, &p->call, &row);
        row_end(&row);
    } else {
        hidden_calls++;
    }
    p->drawn = p->waits = false;
    next_row = NULL;
}

/* ---- signals and ends ------------------------------------------------- */

static void signal_line(struct process *p, const char *body)
{
    char name[16], pid[16], value[24], code[24];
    struct process *from;
    struct row row;

    snprintf(name, sizeof name, "%.*s", (int)strcspn(body, " "), body);
    field(body, "si_code", code, sizeof code);
    field(body, "si_pid", pid, sizeof pid);
    from = anyone((pid_t)strtol(pid, NULL, 10));
    draw_failed_exec(p);
    if (strcmp(name, "SIGCHLD") == 0 && !opt.all &&
        (!p->leader->handled[SIGCHLD] || system_path(p->exe)))
        return;
    if (strcmp(name, "SIGCONT") == 0 && !from)
        return;
    row_begin(&row, ROW_EVENT, p);
    next_row = &row;
    snprintf(row.text, sizeof row.text, "%s", signal_name(name));
    if (field(body, "si_int", value, sizeof value) ||
        field(body, "si_value", value, sizeof value))
        append(row.text, sizeof row.text, " %.20s", value);
    if (strncmp(code, "CLD_", 4) == 0) {
        struct process *child = from;

        if (child)
            append(row.text, sizeof row.text, " from %s", letter(child));
    } else if (from && strncmp(code, "SI_", 3) == 0 && from != p) {
        row_arrow(&row, SIGNAL_, from, false, "%s", signal_name(name));
    }
    if (strcmp(name, "SIGPIPE") == 0)
        row.failed = true;
    for (struct message *m = p->leader->signals.first; m; m = m->next)
        if (m->from == from) {
            unlink_message(&p->leader->signals, m);
            break;
        }
    row_end(&row);
    next_row = NULL;
}

static void ended(struct process *p, const struct line *line)
{
    struct row row;

    draw_failed_exec(p);
    if (line->kind == LINE_KILLED) {
        copy(p->killer, sizeof p->killer, line->name);
        row_begin(&row, ROW_EVENT, p);
        snprintf(row.text, sizeof row.text, "killed by %s",
                 signal_name(line->name));
        row.failed = true;
        ends(p);
        row_end(&row);
    } else {
        if (p->state == ALIVE && !p->thread) {
            row_begin(&row, ROW_EVENT, p);
            snprintf(row.text, sizeof row.text, "exit %d", line->status);
            ends(p);
            row_end(&row);
        }
        ends(p);
        p->status = line->status;
    }
    if (p->sending)
        sent(p, p->sending->size);
    call_free(&p->call);
    free(p->body);
    p->body = NULL;
    p->drawn = false;
    /* Nobody of ours waits for the first process, or for a thread. */
    p->state = p->thread || !p->parent || !alive(p->parent) ? GONE : ZOMBIE;
    if (!p->thread)
        for (struct process *q = processes; q; q = q->next)
            if (q->parent == p && q->state == ZOMBIE)
                q->state = GONE;
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
           (o->kind != SOCKET || strncmp(o->key, "bound ", 6) == 0) &&
           strncmp(o->key, "shared ", 7) != 0;
}

static void messages_free(struct object *o)
{
    while (o->first) {
        struct message *m = o->first;

        o->first = m->next;
        drop_passed(m);
        free(m);
    }
}

/* Frees what nothing leads to any more; so a long run needs no more room. */
static void sweep(void)
{
    grown = 0;
    if (opt.memory || !rows_forgotten())
        return;
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
        call_free(&p->call);
        free(p->body);
        free(p->failed_exec);
        if (--p->table->refs == 0) {
            for (int i = 0; i < p->table->size; i++)
                file_free(p->table->slot[i].file, NULL);
            free(p->table->slot);
            free(p->table);
        }
        if (--p->space->refs == 0) {
            free(p->space->map);
            free(p->space);
        }
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

static bool no_result(const char *body)
{
    struct call call;
    bool open;

    call_parse(body, &call);
    open = call.open;
    call_free(&call);
    return open;
}

/*
 * One line. One that has no end yet is a call that the process is in now;
 * when the end has come, the whole line comes again.
 */
void model_line(char *text, bool whole, const char *source)
{
    struct line line;
    struct process *p;
    char *room = same(text);
    line_parse(room, &line);
    if (!whole && line.kind == LINE_CALL)
        line.kind = LINE_UNFINISHED;
    else if (!whole) {
        free(room);
        return;
    }
    now++;
    if (line.kind == LINE_UNKNOWN || line.kind == LINE_OTHER) {
        unknown_lines += line.kind == LINE_UNKNOWN && *line.body;
        free(room);
        return;
    }
    p = process_of(line.pid);
    if (!p && (line.kind == LINE_EXITED || line.kind == LINE_RESUMED)) {
        unknown_lines += line.kind == LINE_RESUMED;
        free(room);
        return;
    }
    if (!p)
        p = birth(line.pid, NULL);
    if (p->state == ENDING && line.kind != LINE_EXITED &&
        line.kind != LINE_KILLED) {
        free(room); /* = ? of exit_group */
        if (p->call.name)
            p->call.open = false;
        return;
    }
    switch (line.kind) {
    case LINE_UNFINISHED:
        if (p->partial && p->call.open) {
            p->partial = false;
            free(p->body);
            p->body = same(line.body);
            break;
        }
        free(p->body);
        p->body = same(line.body);
        p->partial = !whole;
        enter(p, line.body);
        break;
    case LINE_CALL:
        if (!(p->partial && p->call.open))
            enter(p, line.body);
        if (no_result(line.body)) { /* a log that was cut here */
            free(p->body);
            p->body = same(line.body);
            break;
        }
        p->partial = false;
        leave(p, line.body, source);
        break;
    case LINE_RESUMED: {
        char *joined;

        if (!p->body || !p->call.open ||
            (strncmp(p->body, line.name, strlen(line.name)) != 0 &&
             strncmp(p->body, "restart_syscall", 15) != 0)) {
            unknown_lines++;
            break;
        }
        p->partial = false;
        if (asprintf(&joined, "%s%s", p->body, line.body) == -1)
            err(1, "asprintf");
        leave(p, joined, source);
        free(joined);
        break;
    }
    case LINE_SIGNAL:
        signal_line(p, line.body);
        break;
    default:
        ended(p, &line);
        grown++;
    }
    free(room);
    if (grown > 2000)
        sweep();
}

/* For a verdict: P1 and S1, where no row has named them. */
const char *object_name(struct object *o)
{
    return short_name(o);
}

void name_process(struct process *p, const char *argv)
{
    char word[256];
    const char *base;
    int n =
        string_bytes(*argv == '[' ? argv + 1 : argv, word, sizeof word - 1);

    if (n <= 0)
        return;
    word[n] = '\0';
    for (char *c = word; *c; c++)
        if (!isprint((unsigned char)*c))
            *c = '?';
    base = strrchr(word, '/');
    copy(p->name, sizeof p->name, base && base[1] ? base + 1 : word);
}

void model_end(void)
{
    for (struct process *p = processes; p; p = p->next)
        draw_failed_exec(p);
    draw_all_pending(NULL);
    rows_flush();
}
