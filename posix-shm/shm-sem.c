/*
 * shm-sem - memory does not say when: a semaphore does
 *
 * usage: shm-sem [--init-1 | write NAME MESSAGE | read NAME]
 *
 * Reader and Writer share an object and a named semaphore, which starts at
 * 0. Whichever comes first makes both. Writer stores a message, posts and
 * ends. Reader waits for the post, removes both names and reads. (Without
 * arguments Parent is Writer, and Child is Reader and inherits both.)
 *
 * Watch   Reader has the memory from the start. Only sem_wait says when.
 * Try     shm-sem --init-1            the semaphore lets Reader in too early
 *         shm-sem read /mine          waits (^C ends it); elsewhere:
 *         shm-sem write /mine hello   ... or write first, then read
 * Read    sem_overview(7), shm_overview(7); Kerrisk, TLPI, ch. 53, 54
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 4096 };

static const char usage[] =
    "usage: shm-sem [--init-1 | write NAME MESSAGE | read NAME]\n"
    "  --init-1  wrong: the semaphore starts at 1, as a lock does";
/* Two names: some C libraries keep objects and semaphores in one folder. */
static char name[300], sem_name[310], *page;
static sem_t *sem;

/* Also a signal handler: both calls do unlink(2), which is safe there. */
static void clean_up(int sig)
{
    shm_unlink(name);
    sem_unlink(sem_name);
    if (sig)
        _exit(128 + sig);
}

static void fail(const char *call)
{
    warn("%s %s", call, name);
    clean_up(0);
    exit(1);
}

static int writer(const char *message)
{
    snprintf(page, SIZE, "%s", message);
    if (sem_post(sem) == -1)
        fail("sem_post");
    return 0;
}

static int reader(void)
{
    if (sem_wait(sem) == -1)
        fail("sem_wait");
    clean_up(0);
    if (page[0] == '\0')
        errx(1, "Reader is let in, and there is no message");
    for (int i = 0; i < SIZE && page[i]; i++) /* no escape sequences */
        page[i] = (char)(isprint((unsigned char)page[i]) ? page[i] : '?');
    printf("Reader read: %.*s\n", SIZE, page);
    return 0;
}

int main(int argc, char *argv[])
{
    bool reads = argc == 3 && strcmp(argv[1], "read") == 0;
    bool writes =
        argc == 4 && strcmp(argv[1], "write") == 0 && strlen(argv[3]) < SIZE;
    bool init_1 = argc == 2 && strcmp(argv[1], "--init-1") == 0;
    int fd, status;

    if (argc > 1 + init_1 && !reads && !writes)
        errx(2, "%s", usage);
    snprintf(name, sizeof name, "/shm-sem.%d", getpid());
    if (reads || writes)
        snprintf(name, sizeof name, "%s", argv[2]);
    snprintf(sem_name, sizeof sem_name, "%s.sem", name);
    sigaction(SIGINT, &(struct sigaction){ .sa_handler = clean_up }, NULL);
    sigaction(SIGTERM, &(struct sigaction){ .sa_handler = clean_up }, NULL);

    /* Without O_EXCL: the first process makes both, the second opens them. */
    fd = shm_open(name, O_CREAT | O_RDWR, 0600);
    if (fd == -1)
        err(1, "shm_open %s", name); /* nothing has been made */
    /* Like ftruncate, but takes the memory now: ENOSPC, not SIGBUS later. */
    errno = posix_fallocate(fd, 0, SIZE);
    if (errno)
        fail("posix_fallocate");
    page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        fail("mmap");
    sem = sem_open(sem_name, O_CREAT, 0600, init_1 ? 1 : 0);
    if (sem == SEM_FAILED)
        fail("sem_open");

    if (reads)
        return reader();
    if (writes)
        return writer(argv[3]);
    clean_up(0); /* Child inherits both, and needs no name */
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(10); /* ends an endless wait */
        exit(reader());
    }
    /* With --init-1 Writer comes too late: the race, forced. */
    if (!init_1)
        writer("Hello from Writer!");

    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Reader waits in sem_wait, and nobody posts");
    return status != 0;
}
