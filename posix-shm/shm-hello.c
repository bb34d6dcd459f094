/*
 * shm-hello - one process stores a message, another one finds it
 *
 * usage: shm-hello [--no-truncate]
 *
 * Child makes a shared memory object, gives it a size, maps it and stores a
 * message. Parent waits until Child has ended, opens the object by its name,
 * and maps it: the message is still there. shm_unlink removes the name.
 *
 * Watch   no read, no write: Parent maps the very page that Child filled.
 * Try     shm-hello --no-truncate    a new object has 0 bytes: SIGBUS
 *         MAP_PRIVATE in Child: what does Parent read now?
 * Read    shm_overview(7), mmap(2); Kerrisk, TLPI, ch. 54
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
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
    "usage: shm-hello [--no-truncate]\n"
    "  --no-truncate  wrong: Child gives the object no size";
static bool no_truncate;

static void child(const char *name)
{
    int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    char *page;

    if (fd == -1)
        err(1, "shm_open %s", name);
    if (!no_truncate && ftruncate(fd, SIZE) == -1)
        err(1, "ftruncate");
    page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        err(1, "mmap");
    snprintf(page, SIZE, "Hello from child process!");
}

int main(int argc, char *argv[])
{
    int fd, status = 1;
    char name[40], *page;

    no_truncate = argc > 1 && strcmp(argv[1], "--no-truncate") == 0;
    if (argc > 1 + no_truncate)
        errx(2, "%s", usage);

    snprintf(name, sizeof name, "/shm-hello.%d", getpid());
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        child(name);
        exit(0);
    }
    if (wait(&status) == -1)
        warn("wait"); /* status stays 1; the name must be removed */
    fd = shm_open(name, O_RDONLY, 0);
    if (fd == -1)
        warn("shm_open %s", name);
    shm_unlink(name); /* the object lives while it is open or mapped */

    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS)
        errx(1, "Child was killed by SIGBUS: %s",
             no_truncate ? "the object has 0 bytes" : "is /dev/shm full?");
    if (status != 0 || fd == -1)
        return 1;
    page = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        err(1, "mmap");
    printf("Parent read: %s\n", page);
    return 0;
}
