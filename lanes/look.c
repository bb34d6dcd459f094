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

static struct seen **all; /* in the order of their numbers */
static int many;

/* A path below /proc; the next call writes over it. */
static const char *path(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
static const char *path(const char *format, ...)
{
    static char text[4200];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return text;
}

bool look_text(char *text, size_t size, pid_t pid, const char *file, ...)
{
    char name[64] = "";
    va_list list;
    size_t n = 0;
    ssize_t got = 1;
    int fd;

    va_start(list, file);
    vappend(name, sizeof name, file, list);
    va_end(list);
    fd = open(path("/proc/%d/%s", (int)pid, name), O_RDONLY | O_CLOEXEC);
    while (fd != -1 && got > 0 && n < size - 1) {
        got = read(fd, text + n, size - 1 - n);
        n += got > 0 ? (size_t)got : 0;
    }
    if (fd != -1)
        close(fd);
    text[n] = '\0';
    return n > 0;
}

bool look_path(pid_t pid, const char *file, struct stat *st)
{
    return stat(path("/proc/%d/%s/%s", (int)pid,
                     *file == '/' ? "root" : "cwd", file),
                st) == 0;
}

void look_info(const struct seen *p, int fd, char *text, size_t size)
{
    look_text(text, size, p->door, "fdinfo/%d", fd);
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
    const struct seen *parent = look_pid(p->parent);
    char line[256];
    const char *base;

    snprintf(p->name, sizeof p->name, "%.*s", (int)n, comm);
    if (n == 15) {
        if (!look_text(line, sizeof line, p->pid, "cmdline") && parent)
            copy(line, sizeof line, parent->name); /* it has ended */
        base = strrchr(line, '/');
        base = base ? base + 1 : line;
        if (strncmp(base, p->name, 15) == 0)
            snprintf(p->name, sizeof p->name, "%.31s", base);
    }
    printable(p->name);
}

/* Of a main thread that has ended little is left to see. */
static void find_door(struct seen *p)
{
    look_threads(p);
    for (int i = 0; i < p->threads; i++)
        if (p->thread[i].state != 'Z')
            p->door = p->thread[i].tid;
}

static void add(pid_t pid)
{
    enum { PF_KTHREAD = 0x200000 };
    char text[1024], *open, *close;
    struct seen new = { .pid = pid, .door = pid, .at = many }, *p;
    unsigned flags;

    if (!look_text(text, sizeof text, pid, "stat") ||
        !(open = strchr(text, '(')) || !(close = strrchr(text, ')')) ||
        sscanf(close, ") %c %d %d %*d %d %d %u", &new.state, &new.parent,
               &new.group, &new.terminal, &new.foreground, &flags) != 6 ||
        flags & PF_KTHREAD)
        return;
    p = zeros(1, sizeof *p);
    *p = new;
    name_it(p, open + 1, (size_t)(close - open - 1));
    all = resize(all, (size_t)many + 1, sizeof(struct seen *));
    all[many++] = p;
    if (p->state == 'Z')
        find_door(p);
}

/* /proc may be that of another pid namespace, with other numbers. */
static bool proc_is_ours(void)
{
    char self[16] = "";

    return readlink("/proc/self", self, sizeof self - 1) > 0 &&
           strtol(self, NULL, 10) == getpid();
}

static int is_number(const struct dirent *entry)
{
    return *entry->d_name >= '0' && *entry->d_name <= '9';
}

/* The numbers in a folder, from small to large; -1: it may not be read. */
static int numbers(const char *folder, int **list)
{
    struct dirent **entry = NULL;
    int n = scandir(folder, &entry, is_number, versionsort);

    *list = zeros(n > 0 ? (size_t)n : 1, sizeof **list);
    for (int i = 0; i < n; i++) {
        (*list)[i] = (int)strtol(entry[i]->d_name, NULL, 10);
        free(entry[i]);
    }
    free(entry);
    return n;
}

void look_begin(void)
{
    int *pid, n;

    look_end();
    if (!proc_is_ours())
        return;
    n = numbers("/proc", &pid);
    for (int i = 0; i < n; i++)
        add(pid[i]);
    free(pid);
}

struct seen *look_only(pid_t pid)
{
    look_end();
    add(pid);
    return look_each(NULL);
}

static int by_pid(const void *pid, const void *p)
{
    return *(const pid_t *)pid - (*(struct seen *const *)p)->pid;
}

struct seen *look_pid(pid_t pid)
{
    struct seen **at =
        all ? bsearch(&pid, all, (size_t)many, sizeof *all, by_pid) : NULL;

    return at ? *at : NULL;
}

struct seen *look_each(struct seen *after)
{
    int next = after ? after->at + 1 : 0;

    return next < many ? all[next] : NULL;
}

struct seen *look_child(const struct seen *p, struct seen *after)
{
    while ((after = look_each(after)))
        if (after->parent == p->pid && after->state != 'Z')
            break;
    return after;
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
    struct stat st;

    return stat(path("/proc/%d/ns/%s", (int)pid, name), &st) == 0 ? st.st_ino
                                                                  : 0;
}

bool look_foreign(const struct seen *p, const char *space)
{
    ino_t ino = space_of(p->pid, space);

    return ino && ino != space_of(getpid(), space);
}

void look_tree(pid_t root)
{
    for (int i = 0; i < many; i++) {
        struct seen *p = all[i], *up = p;

        for (int n = 0; up && up->pid != root && n < many; n++)
            up = look_pid(up->parent);
        if (up && up->pid == root)
            p->asked_for = true;
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

bool look_now(const struct thread *t, struct thread *now)
{
    struct thread new = { .of = t->of, .tid = t->tid };
    unsigned long *a = new.arg;
    char text[4096], *close;
    pid_t pid = t->of->pid;

    if (!look_text(text, sizeof text, pid, "task/%d/stat", (int)t->tid) ||
        !(close = strrchr(text, ')')) ||
        sscanf(close, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
               &new.state, &new.user, &new.kernel_) != 3)
        return false;
    look_text(text, sizeof text, pid, "task/%d/status", (int)t->tid);
    new.switches = look_number(text, "\nvoluntary_ctxt_switches:", 10) +
                   look_number(text, "\nnonvoluntary_ctxt_switches:", 10);
    look_text(new.wchan, sizeof new.wchan, pid, "task/%d/wchan", (int)t->tid);
    if (strcmp(new.wchan, "0") == 0)
        *new.wchan = '\0';
    if (look_text(text, sizeof text, pid, "task/%d/syscall", (int)t->tid)) {
        new.known = CALL_NONE; /* "running", or -1 where it has stopped */
        if (sscanf(text, "%ld %lx %lx %lx %lx %lx %lx %lx %lx", &new.call,
                   &a[0], &a[1], &a[2], &a[3], &a[4], &a[5], &new.sp,
                   &new.pc) == 9) {
            new.known = CALL_KNOWN;
            restarted(&new);
        }
    }
    *now = new;
    return new.state != 'Z' || t->state == 'Z' || !t->state;
}

void look_again(struct thread *t)
{
    look_now(t, t);
    forget(t->of);
}

void look_threads(struct seen *p)
{
    int *tid, n;

    if (p->looked[0])
        return;
    p->looked[0] = true;
    n = numbers(path("/proc/%d/task", (int)p->pid), &tid);
    p->thread = zeros(n > 0 ? (size_t)n : 1, sizeof *p->thread);
    for (int i = 0; i < n; i++) {
        struct thread *t = &p->thread[p->threads];

        *t = (struct thread){ .of = p, .tid = tid[i] };
        p->threads += look_now(t, t);
    }
    free(tid);
}

long look_reads(struct seen *p)
{
    char text[512];

    return look_text(text, sizeof text, p->door, "io")
               ? (long)look_number(text, "syscr:", 10)
               : -1;
}

/* In its own pid namespace: the last of those that status tells. */
pid_t look_own(const struct seen *p, pid_t tid)
{
    char text[4096], *at;

    look_text(text, sizeof text, p->pid, "task/%d/status", (int)tid);
    at = strstr(text, "\nNSpid:\t");
    if (!at)
        return 0;
    at[1 + strcspn(at + 1, "\n")] = '\0';
    return (pid_t)strtol(strrchr(at, '\t'), NULL, 10);
}

struct thread *look_thread(struct seen *counts, pid_t tid)
{
    bool foreign = look_foreign(counts, "pid");
    ino_t space = foreign ? space_of(counts->pid, "pid") : 0;
    pid_t process = 0;
    char text[4096];

    if (!foreign && look_text(text, sizeof text, tid, "status"))
        process = (pid_t)look_number(text, "\nTgid:", 10);
    for (int i = 0; i < many; i++) {
        struct seen *p = all[i];

        if (foreign ? space_of(p->pid, "pid") != space : p->pid != process)
            continue;
        look_threads(p);
        for (int j = 0; j < p->threads; j++)
            if (tid ==
                (foreign ? look_own(p, p->thread[j].tid) : p->thread[j].tid))
                return &p->thread[j];
    }
    return NULL;
}

/* ---- descriptors ------------------------------------------------------ */

void look_descriptors(struct seen *p)
{
    char link[4096];
    struct stat st;
    int *fd, n;

    if (p->looked[1])
        return;
    p->looked[1] = true;
    n = numbers(path("/proc/%d/fd", (int)p->door), &fd);
    p->closed = n == -1 && p->state != 'Z';
    p->descriptor = zeros(n > 0 ? (size_t)n : 1, sizeof *p->descriptor);
    for (int i = 0; i < n; i++) {
        struct descriptor *d = &p->descriptor[p->descriptors];
        const char *file = path("/proc/%d/fd/%d", (int)p->door, fd[i]);
        ssize_t length = readlink(file, link, sizeof link - 1);

        if (length == -1) {
            p->closed = true; /* it may be listed, but not read */
            continue;
        }
        link[length] = '\0';
        d->fd = fd[i];
        d->link = same(link);
        d->r = d->w = true;
        if ((*link == '/' || *link == 'p') && lstat(file, &st) == 0) {
            d->r = st.st_mode & S_IRUSR;
            d->w = st.st_mode & S_IWUSR;
        }
        p->descriptors++;
    }
    free(fd);
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
    struct statx st;

    if (d->asked)
        return d->type;
    d->asked = true;
    if (statx(AT_FDCWD, path("/proc/%d/fd/%d", (int)p->door, d->fd),
              AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st) == -1)
        return false;
    d->type = st.stx_mode & S_IFMT;
    d->ino = st.stx_ino;
    d->dev = makedev(st.stx_dev_major, st.stx_dev_minor);
    return true;
}

bool look_queue(const struct seen *p, const struct descriptor *d)
{
    enum { MQUEUE_MAGIC = 0x19800202 };
    struct statfs fs;

    return *d->link == '/' && !strchr(d->link + 1, '/') && /* no folders */
           statfs(path("/proc/%d/fd/%d", (int)p->door, d->fd), &fs) == 0 &&
           fs.f_type == MQUEUE_MAGIC;
}

/* A queue's file says how many bytes are in it, and which is to be told. */
void look_untold(struct seen *p, char *text, size_t size)
{
    char info[128];

    *text = '\0';
    look_descriptors(p);
    for (int i = 0; i < p->descriptors && !*text; i++) {
        const struct descriptor *d = &p->descriptor[i];

        if (look_queue(p, d) &&
            look_text(info, sizeof info, p->door, "fd/%d", d->fd) &&
            look_number(info, "QSIZE:", 10) &&
            !look_number(info, "NOTIFY_PID:", 10))
            snprintf(text, size,
                     "a message lies in the queue %.80s, fd %d, and no "
                     "process is registered to be told of it: mq_notify "
                     "tells once only",
                     d->link, d->fd);
    }
}

/* ---- memory ----------------------------------------------------------- */

/* Mostly it lies first, but a static one need not. */
static void find_program(struct seen *p)
{
    struct stat st;

    p->program = p->regions ? p->region[0].ino : 0;
    if (stat(path("/proc/%d/exe", (int)p->door), &st) == 0)
        for (int i = 0; i < p->regions; i++)
            if (p->region[i].ino == st.st_ino)
                p->program = st.st_ino;
}

void look_regions(struct seen *p)
{
    char *line = NULL;
    size_t room = 0;
    FILE *maps;

    if (p->looked[2])
        return;
    p->looked[2] = true;
    maps = fopen(path("/proc/%d/maps", (int)p->door), "re");
    while (maps && getline(&line, &room, maps) != -1) {
        struct region r = { 0 };
        unsigned major, minor;
        char mode[8];
        int name = 0;

        if (sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %n", &r.from, &r.to, mode,
                   &r.offset, &major, &minor, &r.ino, &name) < 7 ||
            !name)
            continue;
        r.dev = makedev(major, minor);
        r.shared = mode[3] == 's';
        r.runs = mode[2] == 'x';
        line[strcspn(line, "\n")] = '\0';
        r.path = same(line + name);
        p->region = resize(p->region, (size_t)p->regions + 1, sizeof r);
        p->region[p->regions++] = r;
    }
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
