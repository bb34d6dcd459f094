/*
 * futex.c - semaphores, mutexes, conditions and the like: one call for the
 * kernel, whose name the stack tells, and what lies in the memory
 */
#include "ends.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/stat.h>

struct futex {
    unsigned long at;
    unsigned word[3]; /* its value now, and what follows */
    bool private_;    /* no other process can wake it */
    const struct region *in;
    int others;        /* processes that have the memory, too: givers */
    struct seen *copy; /* one that has a copy, made by fork */
    unsigned copy_word;
    bool named; /* others may open it */
    char name[256];
};

static bool has_region(struct seen *p, const struct region *in)
{
    look_regions(p);
    for (int i = 0; i < p->regions; i++) {
        const struct region *r = &p->region[i];

        if (in->shared
                ? r->shared && r->ino == in->ino && r->dev == in->dev
                : !r->shared && r->from == in->from && r->to == in->to &&
                      strcmp(r->path, in->path) == 0)
            return true;
    }
    return false;
}

/* The value is worth a word where it is another than ours. */
static void look_at_copy(struct seen *p, struct futex *f)
{
    unsigned word[3]; /* value, waiters, private or not */

    look_threads(p);
    if (!p->threads || !look_memory(p->thread, f->at, word, sizeof word))
        return;
    f->copy = p;
    f->copy_word =
        word[2] == f->word[2] && word[1] < 100 ? word[0] : f->word[0];
}

static void sharers(struct waiting *w, struct futex *f)
{
    struct seen *p = w->who->of;

    for (struct seen *q = look_each(NULL); q; q = look_each(q)) {
        bool family = q->parent == p->pid || p->parent == q->pid;

        if (q == p || q->state == 'Z' || !(f->in->shared || family) ||
            !has_region(q, f->in))
            continue;
        if (f->in->shared) {
            f->others++;
            wait_giver(w, q, NULL);
        } else if (!f->copy || f->copy_word == f->word[0]) {
            look_at_copy(q, f);
        }
    }
    for (int i = 0; i < p->threads; i++)
        if (&p->thread[i] != w->who && p->thread[i].state != 'Z')
            wait_giver(w, p, &p->thread[i]);
}

/* The name that a file in /dev/shm has now: sem_open gives it one later. */
static bool shm_name(const struct region *r, char *name, size_t size)
{
    struct dirent *entry;
    struct stat st;
    DIR *dir;

    if (!r || !r->shared || strncmp(r->path, "/dev/shm/", 9) != 0 ||
        !(dir = opendir("/dev/shm")))
        return false;
    *name = '\0';
    while (!*name && (entry = readdir(dir)))
        if (entry->d_ino == r->ino &&
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
                0 &&
            st.st_dev == r->dev)
            snprintf(name, size, "%s", entry->d_name);
    closedir(dir);
    return *name;
}

static void add_memory(struct waiting *w, const struct futex *f,
                       const char *name)
{
    if (strncmp(f->name, "sem.", 4) == 0)
        wait_add(w, " on /%s", f->name + 4);
    else if (*f->name)
        wait_add(w, " in shared memory /%s", f->name);
    else if (f->in && f->in->shared)
        wait_add(w, " in shared memory");
    if (f->in && f->in->shared && strncmp(f->name, "sem.", 4) != 0 &&
        (strncmp(name, "sem_", 4) == 0 ||
         strncmp(name, "pthread_mutex_", 14) == 0))
        wait_add(w, " at +%lu", f->at - f->in->from + f->in->offset);
}

static void add_sharers(struct waiting *w, const struct futex *f,
                        const char *could)
{
    if (f->others == 0 && w->who->of->threads < 2) {
        if (f->named) {
            wait_add(w, "; no other process has it open");
            return;
        }
        wait_add(w, "; no other process or thread could %s", could);
        wait_giver(w, w->who->of, w->who);
        return;
    }
    wait_add(w, "; could %s: ", could);
    if (w->who->of->threads > 1)
        wait_add(w, "its other threads%s", f->others ? ", " : "");
    for (int i = 0; i < f->others && i < w->givers; i++)
        wait_item(w, i, f->others, wait_name(w->giver[i].p));
}

/* What is usually wrong with it: no other process can end the wait then. */
static bool add_cause(struct waiting *w, const struct futex *f,
                      const char *what)
{
    struct seen *p = w->who->of;
    bool semaphore = strcmp(what, "semaphore") == 0;
    int kept = 0;

    if (f->in->shared && f->private_) {
        wait_add(w,
                 "; the %s was made for the threads of one process (%s), so"
                 " another process does not wake it",
                 what,
                 semaphore ? "pshared is 0"
                           : "without PTHREAD_PROCESS_SHARED");
    } else if (!f->in->shared && !f->private_) {
        wait_add(
            w,
            "; the %s was made for several processes, but it is in memory"
            " that is not shared: after fork each has its own",
            what);
        if (f->copy)
            wait_add(w, ", %s with the value %u", wait_name(f->copy),
                     f->copy_word);
    } else if (!f->in->shared && f->copy && f->copy_word != f->word[0] &&
               p->threads < 2 && semaphore) {
        wait_add(
            w,
            "; since fork %s has a copy of its own, with the value %u, and"
            " what it does to that one is not seen here",
            wait_name(f->copy), f->copy_word);
    } else {
        return false;
    }
    for (int i = 0; i < w->givers; i++)
        if (w->giver[i].p == p)
            w->giver[kept++] = w->giver[i];
    w->givers = kept;
    w->open = false;
    if (!kept)
        wait_giver(w, p, w->who);
    return true;
}

/* ---- each kind: true if it is known which one has it ------------------ */

static bool say_value(struct waiting *w, struct futex *f)
{
    unsigned expected = (unsigned)w->who->arg[2];

    if (f->word[0] != expected)
        wait_add(w,
                 ": its value has changed from %u to %u, but it was not "
                 "woken",
                 expected, f->word[0]);
    else
        wait_add(w, ": its value is %u", f->word[0]);
    return false;
}

/* A holder by its number, as the C library has noted it. */
static bool add_holder(struct waiting *w, struct futex *f, unsigned tid,
                       const char *held)
{
    struct thread *holder = look_thread(w->who->of, (pid_t)tid);
    const char *alias = wait_alias ? wait_alias((pid_t)tid) : NULL;
    char number[16];

    w->givers = 0;
    w->open = false;
    if (!holder || holder->state == 'Z') {
        struct seen *p = w->who->of;
        bool others = holder ? holder->of != p /* or older than p itself */
                             : (pid_t)tid < look_own(p, p->pid);

        snprintf(number, sizeof number, "%u", tid);
        wait_add(w, "%s %s, which has ended%s", held,
                 holder  ? wait_thread_name(holder)
                 : alias ? alias
                         : number,
                 others && !f->in->shared
                     ? "; fork has copied the mutex, locked as it was"
                     : " and never unlocked it");
        return true;
    }
    if (holder == w->who)
        wait_add(w, "%s itself: it has locked it already", held);
    else
        wait_add(w, "%s %s", held, wait_thread_name(holder));
    if (holder->of != w->who->of && !f->in->shared)
        wait_add(w, ": a mutex in memory that fork has copied, locked as it "
                    "was; what unlocks it there does not unlock it here");
    else if (holder->of == w->who->of || !add_cause(w, f, "mutex"))
        wait_giver(w, holder->of, holder);
    return true;
}

static bool say_mutex(struct waiting *w, struct futex *f)
{
    unsigned owner = 0;

    look_memory(w->who, f->at + 8, &owner, sizeof owner);
    if (f->word[0] &
        ~3U) /* a robust one, or one with priorities, has it here */
        owner = f->word[0] & FUTEX_TID_MASK;
    return owner && add_holder(w, f, owner, ": held by");
}

static bool say_rwlock(struct waiting *w, struct futex *f)
{
    unsigned writer;

    for (unsigned long at = f->at + 16; at >= f->at + 12; at -= 4)
        if (look_memory(w->who, at, &writer, sizeof writer) && writer &&
            look_thread(w->who->of, (pid_t)writer))
            return add_holder(w, f, writer, ": locked for writing by");
    wait_add(w, ": locked, perhaps for reading, which is not recorded");
    return false;
}

static bool say_barrier(struct waiting *w, struct futex *f)
{
    unsigned b[3];

    if (look_memory(w->who, f->at - 4, b, sizeof b) && b[0] >= b[1] &&
        b[0] - b[1] <= b[2])
        wait_add(w, ": %u of %u have come", b[0] - b[1], b[2]);
    return false;
}

/* stdio locks each stream; the owner is a thread's own structure. */
static bool say_other(struct waiting *w, struct futex *f)
{
    enum { TID = 0x2d0 }; /* in glibc's struct pthread, on x86-64 */
    struct thread *t = w->who, *holder;
    unsigned long owner;
    unsigned tid;

    if (f->word[0] != 2 || t->arg[2] != 2 ||
        !look_memory(t, f->at + 8, &owner, sizeof owner) ||
        !look_memory(t, owner + TID, &tid, sizeof tid) ||
        !(holder = look_thread(t->of, (pid_t)tid)) || holder->of != t->of)
        return say_value(w, f);
    w->givers = 0;
    wait_giver(w, holder->of, holder);
    wait_add(w, ": the lock of a stdio stream, held by %s",
             holder == t ? "itself" : wait_thread_name(holder));
    return true;
}

static const struct lock {
    const char *prefix, *what, *could; /* what NULL: none of the usual */
    bool (*say)(struct waiting *w, struct futex *f);
} locks[] = {
    { "sem_", "semaphore", "post", say_value },
    { "pthread_mutex_", "mutex", "unlock it", say_mutex },
    { "pthread_rwlock_", "lock", "unlock it", say_rwlock },
    { "pthread_barrier_", "barrier", "come", say_barrier },
    { "pthread_cond_", "condition", "signal it", NULL },
    { "", NULL, "wake it", say_other },
};

/* A name that the stack has not told, by what lies in the memory. */
static const char *guessed(struct thread *t, const struct futex *f, int op)
{
    unsigned owner = f->word[2];

    if (!f->in || (op != FUTEX_WAIT && op != FUTEX_WAIT_BITSET))
        return "";
    if (f->word[0] == 0 && t->arg[2] == 0 && f->word[1] > 0 &&
        f->word[1] < 10000 && owner == (f->private_ ? 0 : 128))
        return "sem_wait"; /* value, those who wait, whether it is shared */
    if (f->word[0] == 2 && t->arg[2] == 2 && owner > 1 &&
        look_thread(t->of, (pid_t)owner))
        return "pthread_mutex_lock";
    return "";
}

void kind_futex(struct waiting *w)
{
    struct thread *t = w->who, *joined;
    struct futex f = { .at = t->arg[0] };
    const char *name = w->place.name;
    int op = (int)t->arg[1] & FUTEX_CMD_MASK;
    const struct lock *k = locks;

    f.private_ = t->arg[1] & FUTEX_PRIVATE_FLAG;
    f.in = look_region(t->of, f.at);
    if (look_stack(t, f.at, f.word, sizeof f.word) < 4)
        f.in = NULL;
    if (!*name)
        name = guessed(t, &f, op);
    f.named = shm_name(f.in, f.name, sizeof f.name) ||
              (f.in && f.in->shared && *f.in->path == '/' &&
               !ends_deleted(f.in->path));
    if (*name && strcmp(name, "syscall") != 0)
        copy(w->call, sizeof w->call, name);
    if (op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2)
        name = "pthread_mutex_lock";
    while (strncmp(name, k->prefix, strlen(k->prefix)) != 0)
        k++;
    if (t->arg[3] &&
        (op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET || op == FUTEX_LOCK_PI))
        w->timed = true;
    if (f.in && f.word[0] == (unsigned)t->arg[2] && f.word[0] > 2 &&
        !k->what && (joined = look_thread(t->of, (pid_t)f.word[0])) &&
        joined->of == t->of && joined != t) {
        wait_add(w, ", until %s ends", wait_thread_name(joined));
        wait_giver(w, t->of, joined);
        w->known = true;
        return;
    }
    if (!f.in) {
        wait_open(w,
                  ": its memory may not be read, so which one is not known");
        return;
    }
    w->known = true;
    w->open = f.named;
    sharers(w, &f);
    add_memory(w, &f, name);
    if (!(k->say && k->say(w, &f)) && !(k->what && add_cause(w, &f, k->what)))
        add_sharers(w, &f, k->could);
    if (w->timed)
        wait_add(w, " (it gives up by itself at a time)");
}
