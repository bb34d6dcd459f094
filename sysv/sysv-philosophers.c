/*
 * sysv-philosophers - several semaphores at once, or none of them
 *
 * usage: sysv-philosophers [--one-by-one]
 *
 * Three philosophers sit around a table with three forks, one between each
 * pair of neighbours. To eat, each needs the forks on both sides. One semop
 * takes both at once. While it waits, it has taken neither: so a philosopher
 * who holds forks holds two, and can eat.
 *
 * Watch   semop(forks, operations, n): an array, and all of it or nothing.
 * Try     sysv-philosophers --one-by-one    each holds one fork, and waits
 * Read    semop(2), semctl(2); Kerrisk, TLPI, 47.6; APUE, 15.8
 */
#define _GNU_SOURCE
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SEATS = 3, MEALS = 100 };

static const char usage[] =
    "usage: sysv-philosophers [--one-by-one]\n"
    "  --one-by-one  wrong: a philosopher takes one fork, then the other";
static bool one_by_one;
static int forks; /* a set; 1: the fork is on the table, 0: it is taken */

/* Nobody else would remove the set. */
static _Noreturn void fail(const char *call)
{
    warn("%s", call);
    semctl(forks, 0, IPC_RMID);
    exit(1);
}

/* Does n operations at once. While it waits, it has done none. */
static void operate(struct sembuf operations[], size_t n)
{
    if (semop(forks, operations, n) == -1)
        err(1, "semop");
}

static void philosopher(unsigned short left, unsigned short right)
{
    struct sembuf take[] = { { .sem_num = left, .sem_op = -1 },
                             { .sem_num = right, .sem_op = -1 } };
    struct sembuf give[] = { { .sem_num = left, .sem_op = 1 },
                             { .sem_num = right, .sem_op = 1 } };
    struct sembuf zero = { .sem_num = right, .sem_op = 0 }; /* waits for 0 */

    for (int i = 0; i < MEALS; i++) {
        if (one_by_one) {
            operate(&take[0], 1);
            operate(&zero, 1); /* until the neighbour has taken it */
            operate(&take[1], 1);
        } else {
            operate(take, 2);
        }
        operate(give, 2);
    }
}

int main(int argc, char *argv[])
{
    key_t key = 0x1bc50000 | (getpid() & 0xffff); /* each run has its own */
    /* No header defines this union: the program must. */
    union semun {
        unsigned short *array;
    } ones = { .array = (unsigned short[SEATS]){ 1, 1, 1 } }; /* SEATS ones */
    int status, full = 0, stuck = 0;

    one_by_one = argc > 1 && strcmp(argv[1], "--one-by-one") == 0;
    if (argc > 1 + one_by_one)
        errx(2, "%s", usage);

    forks = semget(key, SEATS, IPC_CREAT | IPC_EXCL | 0600);
    if (forks == -1)
        err(1, "semget");
    if (semctl(forks, 0, SETALL, ones) == -1)
        fail("semctl: SETALL");
    for (int i = 0; i < SEATS; i++) {
        switch (fork()) {
        case -1:
            fail("fork");
        case 0:
            alarm(one_by_one ? 1 : 10); /* ends an endless wait */
            philosopher(i, (i + 1) % SEATS);
            exit(0);
        }
    }
    for (int i = 0; i < SEATS; i++) {
        if (wait(&status) == -1)
            fail("wait");
        full += status == 0;
        stuck |= WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    }
    if (semctl(forks, 0, IPC_RMID) == -1)
        err(1, "semctl: IPC_RMID");

    if (stuck)
        errx(124, "stuck: a philosopher waits for a fork in another's hand");
    printf("Parent: %d of %d philosophers have eaten %d times\n", full, SEATS,
           MEALS);
    return full != SEATS;
}
