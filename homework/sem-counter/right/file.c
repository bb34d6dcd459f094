/*
 * Right: the number is in an unlinked file that is mapped, the semaphore in a
 * mapping of its own; each child takes the lock for ten additions at a time.
 */
#define _GNU_SOURCE
#include <err.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void *share(int fd, size_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE,
             fd == -1 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

    if (memory == MAP_FAILED)
        err(1, "mmap");
    return memory;
}

int main(int argc, char *argv[])
{
    int loops = 1000, used = 0;
    unsigned *number;
    FILE *file;
    sem_t *sem;

    if (argc == 2 && (sscanf(argv[1], "%7d%n", &loops, &used) != 1 ||
                      argv[1][used] || loops < 1 || loops > 1000000))
        errx(2, "what is %s?", argv[1]);
    if (argc > 2)
        errx(2, "one argument is enough");

    file = tmpfile();
    if (!file || ftruncate(fileno(file), sizeof *number) == -1)
        err(1, "temporary file");
    number = share(fileno(file), sizeof *number);
    sem = share(-1, sizeof *sem);
    sem_init(sem, 1, 1);

    signal(SIGCHLD, SIG_DFL);
    for (int child = 0; child < 2; child++) {
        pid_t pid = fork();

        if (pid == -1)
            err(1, "fork");
        if (pid > 0)
            continue;
        for (int i = 0; i < loops; i++) {
            if (i % 10 == 0)
                sem_wait(sem);
            *number += 1;
            if (i % 10 == 9 || i == loops - 1)
                sem_post(sem);
        }
        exit(0);
    }
    while (wait(NULL) > 0)
        ;
    printf("Total count: %u, Expected: %d\n", *number, 2 * loops);
    exit(*number != (unsigned)(2 * loops));
}
