/*
 * look.c - what /proc shows of processes: see look.h
 */
#include "look.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { PF_KTHREAD = 0x200000, MOST_THREADS = 256 };

static struct seen **all;
static int many;

static void *grown(void *list, int n, size_t size)
{
    if (n & (n - 1)) /* room for the next power of two is there */
        return list;
    return resize(list, n ? 2 * (size_t)n : 1, size);
}

static ssize_t text_of(int fd, char *text, size_t size)
{
    size_t n = 0;
    ssize_t got = -1;

    *text = '\0';
    if (fd == -1)
        return -1;
    while (n < size - 1 && (got = read(fd, text + n, size - 1 - n)) > 0)
        n += (size_t)got;
    close(fd);
    text[n] = '\0';
    return n ? (ssize_t)n : got;
}

bool look_text(pid_t pid, const char *file, char *text, size_t size)
{
    char path[80];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    return text_of(open(path, O_RDONLY | O_CLOEXEC), text, size) >= 0;
}

bool look_path(pid_t pid, const char *path, struct stat *st)
{
    char full[4200];

    snprintf(full, sizeof full, "/proc/%d/%s/%s", (int)pid,
             *path == '/' ? "root" : "cwd", path);
    return stat(full, st) == 0;
}

void look_info(const struct seen *p, int fd, char *text, size_t size)
{
    char file[32];

    snprintf(file, sizeof file, "fdinfo/%d", fd);
    look_text(p->door, file, text, size);
}

unsigned long look_number(const char *text, const char *name, int base)
{
    const char *at = strstr(text, name);

    return at ? strtoul(at + strlen(name), NULL, base) : 0;
}

/* ---- which there are -------------------------------------------------- */

/* The name as ps shows it, or in full where the kernel has cut it. */
static void name_it(struct seen *p, const char *comm, size_t n)
{
    char line[256], *base;

    snprintf(p->name, sizeof p->name, "%.*s", (int)n, comm);
    if (n == 15 && look_text(p->pid, "cmdline", line, sizeof line)) {
        base = strrchr(line, '/');
        base = base ? base + 1 : line;
        if (strncmp(base, p->name, 15) == 0)
            snprintf(p->name, sizeof p->name, "%.31s", base);
    }
    printable(p->name);
}

static struct seen *seen_new(pid_t pid)
{
    char text[1024], *open, *close;
    struct seen new = { .pid = pid, .door = pid }, *p;
    unsigned flags;

    if (!look_text(pid, "stat", text, sizeof text) ||
        !(open = strchr(text, '(')) || !(close = strrchr(text, ')')) ||
        sscanf(close, ") %c %d %d %*d %d %d %u", &new.state, &new.parent,
               &new.group, &new.terminal, &new.foreground, &flags) != 6)
        return NULL;
    p = zeros(1, sizeof *p);
    *p = new;
    p->kernel = flags & PF_KTHREAD;
    name_it(p, open + 1, (size_t)(close - open - 1));
    return p;
}

/* Of a main thread that has ended little is left to see. */
static void find_door(struct seen *p)
{
    if (p->state != 'Z')
        return;
    look_threads(p);
    for (int i = 0; i < p->threads; i++)
        if (p->thread[i].state != 'Z')
            p->door = p->thread[i].tid;
}

/* It may be that of another pid namespace, with other numbers. */
static bool proc_is_ours(void)
{
    char self[16];
    ssize_t n = readlink("/proc/self", self, sizeof self - 1);

    self[n > 0 ? n : 0] = '\0';
    return strtol(self, NULL, 10) == getpid();
}

static int by_pid(const void *pid, const void *p)
{
    pid_t other = (*(struct seen *const *)p)->pid;

    return (*(const pid_t *)pid > other) - (*(const pid_t *)pid < other);
}

/* They are in the order of their numbers. */
static struct seen **place_of(pid_t pid)
{
    return all ? bsearch(&pid, all, (size_t)many, sizeof *all, by_pid) : NULL;
}

struct seen *look_pid(pid_t pid)
{
    struct seen **at = place_of(pid);

    return at ? *at : NULL;
}

struct seen *look_each(struct seen *after)
{
    struct seen **at = after ? place_of(after->pid) + 1 : all;

    return at < all + many ? *at : NULL;
}

void look_at(pid_t pid)
{
    struct seen *p = pid > 0 && !look_pid(pid) ? seen_new(pid) : NULL;
    int at = many;

    if (!p)
        return;
    all = grown(all, many++, sizeof(struct seen *));
    for (; at > 0 && all[at - 1]->pid > pid; at--)
        all[at] = all[at - 1];
    all[at] = p;
}

void look_begin(void)
{
    DIR *dir = proc_is_ours() ? opendir("/proc") : NULL;
    struct dirent *entry;

    look_end();
    while (dir && (entry = readdir(dir)))
        look_at((pid_t)strtol(entry->d_name, NULL, 10));
    if (dir)
        closedir(dir);
}

/* Its descriptors and its memory. */
static void forget(struct seen *p)
{
    for (int i = 0; i < p->descriptors; i++)
        free(p->descriptor[i].link);
    for (int i = 0; i < p->regions; i++)
        free(p->region[i].path);
    free(p->descriptor);
    free(p->region);
    p->descriptor = NULL;
    p->region = NULL;
    p->descriptors = p->regions = 0;
    p->looked[1] = p->looked[2] = false;
}

void look_end(void)
{
    for (int i = 0; i < many; i++) {
        forget(all[i]);
        free(all[i]->thread);
        free(all[i]);
    }
    free(all);
    all = NULL;
    many = 0;
}

static ino_t space_of(pid_t pid, const char *name)
{
    char path[48];
    struct stat st;

    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, name);
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void spaces(struct seen *p)
{
    static const char *const name[] = { "pid", "ipc", "net" };

    for (int i = 0; i < 3; i++) {
        ino_t ino = space_of(p->pid, name[i]);

        p->foreign[i] = ino && ino != space_of(getpid(), name[i]);
    }
}

void look_tree(pid_t root)
{
    struct seen *p = look_pid(root);
    bool more = p != NULL;

    if (p)
        p->asked_for = true;
    while (more) { /* a child may have a smaller number */
        more = false;
        for (int i = 0; i < many; i++) {
            struct seen *parent =
                all[i]->asked_for ? NULL : look_pid(all[i]->parent);

            if (parent && parent->asked_for)
                more = all[i]->asked_for = true;
        }
    }
}

/* ---- threads ---------------------------------------------------------- */

/*
 * A call that ^Z has interrupted goes on as restart_syscall; the true number
 * is in the program, which has put it into a register before it called.
 */
static void restarted(struct thread *t)
{
#ifdef __x86_64__
    unsigned char code[7];
    unsigned number;

    if (t->call != SYS_restart_syscall ||
        !look_memory(t, t->pc - 7, code, sizeof code) || code[0] != 0xb8)
        return;
    memcpy(&number, code + 1, sizeof number);
    t->call = number;
#else
    (void)t;
#endif
}

static void thread_call(struct thread *t)
{
    unsigned long *a = t->arg;
    char path[64], text[256];

    snprintf(path, sizeof path, "task/%d/wchan", (int)t->tid);
    look_text(t->of->pid, path, t->wchan, sizeof t->wchan);
    if (strcmp(t->wchan, "0") == 0)
        *t->wchan = '\0';
    snprintf(path, sizeof path, "task/%d/syscall", (int)t->tid);
    if (!look_text(t->of->pid, path, text, sizeof text) || *text == '\0')
        return;
    t->known = CALL_NONE; /* "running", or -1 where it has stopped */
    if (sscanf(text, "%ld %lx %lx %lx %lx %lx %lx %lx %lx", &t->call, &a[0],
               &a[1], &a[2], &a[3], &a[4], &a[5], &t->sp, &t->pc) < 9)
        return;
    t->known = CALL_KNOWN;
    restarted(t);
}

bool look_now(const struct thread *t, struct thread *now)
{
    struct thread new = { .of = t->of, .tid = t->tid };
    char path[64], text[4096], *close;

    snprintf(path, sizeof path, "task/%d/stat", (int)t->tid);
    if (!look_text(t->of->pid, path, text, sizeof text) ||
        !(close = strrchr(text, ')')) ||
        sscanf(close, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
               &new.state, &new.user, &new.kernel_) != 3)
        return false;
    snprintf(path, sizeof path, "task/%d/status", (int)t->tid);
    if (look_text(t->of->pid, path, text, sizeof text))
        new.switches = look_number(text, "\nvoluntary_ctxt_switches:", 10) +
                       look_number(text, "\nnonvoluntary_ctxt_switches:", 10);
    thread_call(&new);
    *now = new;
    return new.state != 'Z' || t->state == 'Z' || !t->state;
}

void look_again(struct thread *t)
{
    look_now(t, t);
    forget(t->of);
}

static int by_tid(const void *a, const void *b)
{
    const struct thread *one = a, *other = b;

    return (one->tid > other->tid) - (one->tid < other->tid);
}

void look_threads(struct seen *p)
{
    char path[48];
    struct dirent *entry;
    DIR *dir;

    if (p->looked[0])
        return;
    p->looked[0] = true;
    spaces(p);
    snprintf(path, sizeof path, "/proc/%d/task", (int)p->pid);
    dir = opendir(path);
    while (dir && (entry = readdir(dir)) && p->threads < MOST_THREADS) {
        struct thread t = { .of = p };

        t.tid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (t.tid <= 0 || !look_now(&t, &t))
            continue;
        p->thread = grown(p->thread, p->threads, sizeof t);
        p->thread[p->threads++] = t;
    }
    if (dir)
        closedir(dir);
    if (p->threads > 1)
        qsort(p->thread, (size_t)p->threads, sizeof *p->thread, by_tid);
}

long look_reads(struct seen *p)
{
    char text[512];

    return look_text(p->door, "io", text, sizeof text)
               ? (long)look_number(text, "syscr:", 10)
               : -1;
}

/* In its own pid namespace: the last of those that status tells. */
static pid_t own_number(pid_t pid, pid_t tid)
{
    char path[64], text[4096], *at, *end, *last;

    snprintf(path, sizeof path, "task/%d/status", (int)tid);
    if (!look_text(pid, path, text, sizeof text) ||
        !(at = strstr(text, "\nNSpid:")))
        return 0;
    end = strchr(at + 1, '\n');
    if (!end)
        return 0;
    *end = '\0';
    last = strrchr(at, '\t');
    return last ? (pid_t)strtol(last + 1, NULL, 10) : 0;
}

struct thread *look_thread(struct seen *counts, pid_t tid)
{
    ino_t space =
        counts->foreign[SPACE_PID] ? space_of(counts->pid, "pid") : 0;

    for (int i = 0; i < many; i++) {
        struct seen *p = all[i];

        if (p->kernel || (space && space_of(p->pid, "pid") != space))
            continue;
        if (!space && p->pid != tid) { /* a thread: is it one of these? */
            char path[64];

            snprintf(path, sizeof path, "/proc/%d/task/%d", (int)p->pid,
                     (int)tid);
            if (access(path, F_OK) == -1)
                continue;
        }
        look_threads(p);
        for (int j = 0; j < p->threads; j++)
            if ((space ? own_number(p->pid, p->thread[j].tid)
                       : p->thread[j].tid) == tid)
                return &p->thread[j];
    }
    return NULL;
}

/* ---- descriptors ------------------------------------------------------ */

void look_descriptors(struct seen *p)
{
    char path[64], link[4096];
    struct dirent *entry;
    struct stat st;
    DIR *dir;

    if (p->looked[1])
        return;
    p->looked[1] = true;
    if (p->kernel)
        return;
    find_door(p);
    snprintf(path, sizeof path, "/proc/%d/fd", (int)p->door);
    dir = opendir(path);
    p->closed = !dir && p->state != 'Z';
    while (dir && (entry = readdir(dir))) {
        struct descriptor d = { 0 };
        ssize_t n;

        if (*entry->d_name == '.')
            continue;
        n = readlinkat(dirfd(dir), entry->d_name, link, sizeof link - 1);
        if (n == -1) {
            p->closed = true; /* it may be listed, but not read */
            continue;
        }
        link[n] = '\0';
        d.fd = (int)strtol(entry->d_name, NULL, 10);
        d.r = d.w = true;
        if ((*link == '/' || *link == 'p') &&
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
                0) {
            d.r = st.st_mode & S_IRUSR;
            d.w = st.st_mode & S_IWUSR;
        }
        d.link = same(link);
        p->descriptor = grown(p->descriptor, p->descriptors, sizeof d);
        p->descriptor[p->descriptors++] = d;
    }
    if (dir)
        closedir(dir);
}

struct descriptor *look_fd(struct seen *p, int fd)
{
    look_descriptors(p);
    for (int i = 0; i < p->descriptors; i++)
        if (p->descriptor[i].fd == fd)
            return &p->descriptor[i];
    return NULL;
}

/* Without asking a file server, which may not answer. */
bool look_inode(struct seen *p, struct descriptor *d)
{
    char path[64];
    struct statx st;

    if (d->asked)
        return d->type;
    d->asked = true;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)p->door, d->fd);
    if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO,
              &st) == -1)
        return false;
    d->type = st.stx_mode & S_IFMT;
    d->ino = st.stx_ino;
    d->dev = makedev(st.stx_dev_major, st.stx_dev_minor);
    return true;
}

bool look_queue(const struct seen *p, const struct descriptor *d)
{
    enum { MQUEUE_MAGIC = 0x19800202 };
    char path[48];
    struct statfs fs;

    if (*d->link != '/' || strchr(d->link + 1, '/'))
        return false; /* they have no folders */
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)p->door, d->fd);
    return statfs(path, &fs) == 0 && fs.f_type == MQUEUE_MAGIC;
}

/* A queue's file says how many bytes are in it, and which is to be told. */
void look_untold(struct seen *p, char *text, size_t size)
{
    char file[32], info[128];

    *text = '\0';
    look_descriptors(p);
    for (int i = 0; i < p->descriptors && !*text; i++) {
        const struct descriptor *d = &p->descriptor[i];

        snprintf(file, sizeof file, "fd/%d", d->fd);
        if (look_queue(p, d) && look_text(p->door, file, info, sizeof info) &&
            look_number(info, "QSIZE:", 10) &&
            !look_number(info, "NOTIFY_PID:", 10))
            snprintf(text, size,
                     "a message lies in the queue %.80s, fd %d, and no "
                     "process is registered to be told of it: mq_notify "
                     "tells once only",
                     d->link, d->fd);
    }
}

int look_epoll(struct seen *p, int fd, struct pollfd *list, int most)
{
    char text[16384];
    int n = 0;

    look_info(p, fd, text, sizeof text);
    for (char *at = text; n < most && (at = strstr(at, "tfd:")); at += 4) {
        unsigned events;
        unsigned long ino = 0;
        int tfd;

        if (sscanf(at, "tfd: %d events: %x data: %*x pos:%*d ino:%lx", &tfd,
                   &events, &ino) < 2)
            continue;
        list[n++] =
            (struct pollfd){ .fd = tfd,
                             .events = (short)(events & (POLLIN | POLLOUT)) };
    }
    return n;
}

/* ---- memory ----------------------------------------------------------- */

static void add_region(struct seen *p, char *line)
{
    unsigned major, minor;
    unsigned long ino;
    char mode[8];
    int path = 0;
    struct region r = { 0 };

    if (sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %n", &r.from, &r.to, mode,
               &r.offset, &major, &minor, &ino, &path) < 7 ||
        !path)
        return;
    r.dev = makedev(major, minor);
    r.ino = ino;
    r.shared = mode[3] == 's';
    r.runs = mode[2] == 'x';
    line[strcspn(line, "\n")] = '\0';
    r.path = same(line + path);
    p->region = grown(p->region, p->regions, sizeof r);
    p->region[p->regions++] = r;
}

/* Mostly it lies first, but a static one need not. */
static void find_program(struct seen *p)
{
    char path[32];
    struct stat st;

    snprintf(path, sizeof path, "/proc/%d/exe", (int)p->door);
    if (stat(path, &st) == 0)
        for (int i = 0; i < p->regions; i++)
            if (p->region[i].ino == st.st_ino)
                p->program = st.st_ino;
    if (!p->program && p->regions)
        p->program = p->region[0].ino;
}

void look_regions(struct seen *p)
{
    char path[32], *line = NULL;
    size_t room = 0;
    FILE *maps;

    if (p->looked[2])
        return;
    p->looked[2] = true;
    if (p->kernel)
        return;
    find_door(p);
    snprintf(path, sizeof path, "/proc/%d/maps", (int)p->door);
    maps = fopen(path, "re");
    while (maps && getline(&line, &room, maps) != -1)
        add_region(p, line);
    if (maps)
        fclose(maps);
    free(line);
    find_program(p);
}

struct region *look_region(struct seen *p, unsigned long address)
{
    look_regions(p);
    for (int i = 0; i < p->regions; i++)
        if (address >= p->region[i].from && address < p->region[i].to)
            return &p->region[i];
    return NULL;
}

size_t look_stack(struct thread *t, unsigned long at, void *to, size_t size)
{
    struct iovec here = { to, size }, there[32];
    size_t left = size;
    int n = 0;
    ssize_t got;

    /* In pages: what is behind the end of the memory is left out. */
    for (unsigned long from = at; left > 0 && n < 32; n++) {
        size_t part = 4096 - from % 4096;

        part = part < left ? part : left;
        there[n] = (struct iovec){ (void *)from, part };
        from += part;
        left -= part;
    }
    got = process_vm_readv(t->tid, &here, 1, there, (unsigned long)n, 0);
    return got > 0 ? (size_t)got : 0;
}

bool look_memory(struct thread *t, unsigned long at, void *to, size_t size)
{
    return look_stack(t, at, to, size) == size;
}

bool look_string(struct thread *t, unsigned long at, char *to, size_t size)
{
    size_t n = look_stack(t, at, to, size - 1);

    to[n] = '\0';
    return n > 0;
}
