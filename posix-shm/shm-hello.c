/*
 * shm-hello - one page of memory, two processes
 *
 * usage: shm-hello [--no-truncate] [write NAME MESSAGE | read NAME]
 *
 * Child makes a shared memory object, gives it a size, maps it and stores a
 * message. Parent opens it by its name, maps it and finds the message there.
 * When, a named semaphore says: memory itself tells nobody anything.
 *
 * Watch   no read, no write: nothing is copied from process to process.
 * Try     shm-hello --no-truncate        a new object has 0 bytes: SIGBUS
 *         shm-hello write /mine hello    and then, in a second terminal,
 *         shm-hello read /mine           ... or the other way round
 * Read    shm_overview(7), sem_overview(7), mmap(2); Kerrisk, TLPI, ch. 54
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "shm-hello needs Linux: sem_init, /dev/shm, PR_SET_PDEATHSIG"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: shm-hello [--no-truncate] [write NAME MESSAGE | read NAME]\n"
    "  --no-truncate  wrong: Child gives the object no size\n";

struct page {
    sem_t taken; /* the reader's answer: it needs no name of its own */
    char message[4000];
};
static struct page *page;
static sem_t *ready;         /* the writer's word: whoever comes first ... */
static char files[2][300];   /* ... makes it; its file, and the object's */
static bool made[2];         /* which of the two must we remove? */
static sigset_t all, before; /* signals are let in only while we wait */

/* unlink(2), for signal-safety(7) does not list shm_unlink. */
static void clean_up(void)
{
    for (int i = 0; i < 2; i++)
        if (made[i])
            unlink(files[i]);
}

static void on_signal(int sig)
{
    clean_up();
    signal(sig, SIG_DFL);
    raise(sig); /* it ends us, and our parent sees by what */
}

/* Waits, a second at most. */
static bool came(sem_t *sem)
{
    struct timespec end;
    int result;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec++;
    sigprocmask(SIG_SETMASK, &before, NULL);
    result = sem_timedwait(sem, &end);
    sigprocmask(SIG_BLOCK, &all, NULL);
    return result == 0;
}

static void map(int fd)
{
    page =
        mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        err(1, "mmap");
    close(fd); /* the mapping holds the object */
}

static void write_to(const char *name, const char *message, bool truncate)
{
    int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);

    if (fd == -1)
        err(1, "shm_open (not in use? rm it) %s", files[1]);
    made[1] = true;
    /* ftruncate(2) does not take memory yet: ENOSPC would be a SIGBUS. */
    errno = truncate ? posix_fallocate(fd, 0, sizeof *page) : 0;
    if (errno)
        err(1, "posix_fallocate %s", name);
    map(fd);
    sem_init(&page->taken, 1, 0); /* 1: between processes */
    memcpy(page->message, message, strlen(message) + 1); /* it fits */
    sem_post(ready);
    while (!came(&page->taken))
        if (access(files[1], F_OK) == -1)
            errx(1, "%s is gone, but no reader says that it has it", name);
    made[0] = made[1] = false; /* the reader has removed both */
}

/* Returns a wait status: that of child, if there is one. */
static int read_from(const char *name, pid_t child)
{
    int status = 0, fd;
    struct stat st;

    while (!came(ready))
        if (child && waitpid(child, &status, WNOHANG) == child)
            return status;
    fd = shm_open(name, O_RDWR, 0);
    if (fd == -1 || fstat(fd, &st) == -1)
        err(1, "shm_open %s", name);
    if (st.st_uid != geteuid() || st.st_size != sizeof *page)
        errx(1, "%s is somebody else's, or another program's", name);
    map(fd);
    /* Both sides hold both: nobody needs the names any more. */
    if (shm_unlink(name) == -1 || sem_unlink(name) == -1)
        err(1, "unlink %s", name);
    made[0] = made[1] = false;
    printf("%s read: %.3999s\n", child ? "Parent" : "Reader", page->message);
    sem_post(&page->taken);
    if (child)
        waitpid(child, &status, 0); /* our own, and no signal interrupts */
    return status;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "no-truncate", no_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
    const char *name, *message;
    bool truncate = true, reads, writes;
    pid_t parent = getpid(), child = 0;
    int opt, status = 0;
    char own[64];

    while ((opt = getopt_long(argc, argv, "+", options, NULL)) == 'n')
        truncate = false;
    if (opt != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    reads = argc - optind == 2 && strcmp(argv[optind], "read") == 0;
    writes = argc - optind == 3 && strcmp(argv[optind], "write") == 0;
    if (optind < argc && !(truncate && (reads || writes)))
        errx(2, "neither read NAME nor write NAME MESSAGE: %s", argv[optind]);
    /* The time, too: a killed run may have left one with our pid. */
    snprintf(own, sizeof own, "/shm-hello.%d.%d.%ld", (int)getuid(), parent,
             (long)time(NULL));
    name = reads || writes ? argv[optind + 1] : own;
    message = writes ? argv[optind + 2] : "Hello from child process!";
    if (*name != '/' || !name[1] || strchr(name + 1, '/'))
        errx(2, "NAME must begin with / and hold no other: %s", name);
    if (strlen(message) >= sizeof page->message)
        errx(2, "MESSAGE must be shorter than 4000 bytes");
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < 4; i++)
        signal(ending[i], on_signal);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    atexit(clean_up);
    snprintf(files[0], sizeof files[0], "/dev/shm/sem.%s", name + 1);
    snprintf(files[1], sizeof files[1], "/dev/shm%s", name);
    ready = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
    made[0] = ready != SEM_FAILED;
    if (ready == SEM_FAILED && errno == EEXIST)
        ready = sem_open(name, O_CREAT, 0600, 0);
    if (ready == SEM_FAILED)
        err(1, "sem_open %s", name);
    if (!reads && !writes) {
        child = fork();
        if (child == -1)
            err(1, "fork");
        made[1] = true; /* whoever of the two outlives the other */
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM); /* it ends with Parent */
            if (getppid() != parent)
                exit(1);               /* and cleans up for it */
            prctl(PR_SET_DUMPABLE, 0); /* SIGBUS leaves no core file */
        }
    }
    if (!reads && child == 0)
        write_to(name, message, truncate);
    else
        status = read_from(name, child);
    sem_close(ready);
    munmap(page, sizeof *page);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    if (WIFSIGNALED(status))
        errx(1, "Child was killed: %s%s", strsignal(WTERMSIG(status)),
             WTERMSIG(status) == SIGBUS ? ": beyond the object's end" : "");
    return WEXITSTATUS(status);
}
