/* Right: a named semaphore, a shared memory object, both without a name soon.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void complain(const char *what)
{
    fprintf(stderr, "%s did not work: %s\n", what, strerror(errno));
    exit(1);
}

static void count(sem_t *lock, long *number, long loops)
{
    while (loops-- > 0) {
        long old;

        while (sem_wait(lock) == -1 && errno == EINTR)
            continue;
        old = *number;
        *number = old + 1;
        sem_post(lock);
    }
    _exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
    char name[40], *end = "";
    long loops = 1000, *number, total;
    pid_t children[2];
    sem_t *lock;
    int fd;

    if (argc == 2) {
        errno = 0;
        loops = strtol(argv[1], &end, 10);
    }
    if (argc > 2 || *end || (argc == 2 && end == argv[1]) || errno ||
        loops < 1 || loops > 1000000) {
        fprintf(stderr, "How often? From 1 to 1000000, please.\n");
        return 2;
    }

    snprintf(name, sizeof name, "/count-%ld", (long)getpid());
    lock = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
    if (lock == SEM_FAILED)
        complain("sem_open");
    sem_unlink(name);
    fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    if (fd == -1)
        complain("shm_open");
    shm_unlink(name);
    if (ftruncate(fd, sizeof *number) == -1)
        complain("ftruncate");
    number =
        mmap(NULL, sizeof *number, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (number == MAP_FAILED)
        complain("mmap");

    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        if (children[i] == -1)
            complain("fork");
        if (children[i] == 0)
            count(lock, number, loops);
    }
    for (int i = 0; i < 2; i++)
        waitpid(children[i], NULL, 0);
    total = *number;
    printf("Total count: %ld, Expected: %ld\n", total, 2 * loops);
    return total == 2 * loops ? 0 : 1;
}
