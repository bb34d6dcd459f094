/*
 * sysv-sem - the kernel gives back what a killed process held
 *
 * usage: sysv-sem [--no-undo]
 *
 * Parent makes a semaphore and sets it to 1: a lock. Child 1 subtracts 1,
 * and is killed while it holds the lock. Because of SEM_UNDO the kernel adds
 * it again when Child 1 ends, however it ends. So Child 2 gets the lock.
 *
 * Watch   no process here adds 1, and yet Child 2 gets the lock.
 * Try     sysv-sem --no-undo    Child 2 waits for a dead holder
 * Read    semget(2), semctl(2), semop(2); Kerrisk, TLPI, 47.8; APUE, 15.8
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

static const char usage[] =
    "usage: sysv-sem [--no-undo]\n"
    "  --no-undo  wrong: nobody gives back what a dead process held";
static bool no_undo;
static int set; /* of one semaphore, number 0 */

/* Nobody else would remove the set. */
static _Noreturn void fail(const char *call)
{
    warn("%s", call);
    semctl(set, 0, IPC_RMID);
    exit(1);
}

static void child(int n)
{
    struct sembuf take = { .sem_num = 0, .sem_op = -1, .sem_flg = SEM_UNDO };

    if (no_undo)
        take.sem_flg = 0;
    if (semop(set, &take, 1) == -1)
        err(1, "semop");
    printf("Child %d has the lock\n", n);
    if (n == 1)
        raise(SIGKILL);
}

int main(int argc, char *argv[])
{
    key_t key = 0x1bc50000 | (getpid() & 0xffff); /* each run has its own */
    /* No header defines this union: the program must. */
    union semun {
        int val;
    } one = { .val = 1 };
    int status[3], held = 0; /* status[1] and [2]: of Child 1 and 2 */
    pid_t pid;

    no_undo = argc > 1 && strcmp(argv[1], "--no-undo") == 0;
    if (argc > 1 + no_undo)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    set = semget(key, 1, IPC_CREAT | IPC_EXCL | 0600);
    if (set == -1)
        err(1, "semget");
    if (semctl(set, 0, SETVAL, one) == -1)
        fail("semctl: SETVAL");
    for (int n = 1; n <= 2; n++) {
        switch (fork()) {
        case -1:
            fail("fork");
        case 0:
            alarm(no_undo ? 1 : 10); /* ends an endless wait */
            child(n);
            exit(0);
        }
        pid = wait(&status[n]);
        if (pid == -1)
            fail("wait");
        /* GETPID: was Child 1 the last to change the semaphore? */
        if (n == 1)
            held = semctl(set, 0, GETPID) == pid;
    }
    if (semctl(set, 0, IPC_RMID) == -1)
        err(1, "semctl: IPC_RMID");

    if (!held || !WIFSIGNALED(status[1]) || WTERMSIG(status[1]) != SIGKILL)
        errx(1, "Child 1 was not killed while it held the lock");
    if (WIFSIGNALED(status[2]) && WTERMSIG(status[2]) == SIGALRM)
        errx(124, "stuck: Child 2 waits in semop, and Child 1 is dead");
    printf("Parent: Child 1 was killed while it held the lock\n");
    return status[2] != 0;
}
