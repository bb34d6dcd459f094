/*
 * Wrong: the load is outside of the lock.
 * Loses: no addition is lost when they get in each other's way
 */
#define _GNU_SOURCE
#include <err.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared {
    sem_t lock;
    int count;
};

int main(int argc, char *argv[])
{
    long loops = 1000;
    char *end = "";
    struct shared *shared;

    if (argc == 2)
        loops = strtol(argv[1], &end, 10);
    if (argc > 2 || *end || loops < 1 || loops > 1000000)
        errx(2, "usage: sem-counter [LOOPS]");
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        err(1, "mmap");
    sem_init(&shared->lock, 1, 1);

    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();

        if (pid == -1)
            err(1, "fork");
        if (pid == 0) {
            for (long n = 0; n < loops; n++) {
                int old = shared->count;

                sem_wait(&shared->lock);
                shared->count = old + 1;
                sem_post(&shared->lock);
            }
            exit(0);
        }
    }
    wait(NULL);
    wait(NULL);
    printf("Total count: %d, Expected: %ld\n", shared->count, 2 * loops);
    return shared->count != 2 * loops;
}
