/*
 * sem-signal - one process tells another that its work is done
 *
 * usage: sem-signal [--init-1]
 *
 * Parent makes a named semaphore that starts at 0. sem_wait takes 1 from it;
 * at 0 there is nothing to take, and Parent waits. Child does its work and
 * adds 1 with sem_post, and Parent's sem_wait returns. (With --init-1 the
 * place of Parent's second line varies.)
 *
 * Watch   sem_unlink before the fork: Child inherits the semaphore, and
 *         nobody needs the name any more.
 * Try     sem-signal --init-1    there is 1 to take: Parent does not wait
 * Read    sem_overview(7), sem_open(3); Kerrisk, TLPI, 53.2, 53.3
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: sem-signal [--init-1]\n"
    "  --init-1  wrong: the semaphore starts at 1, and Parent does not wait";
static bool init_1;

static void give_up(int sig)
{
    static const char why[] =
        "sem-signal: stuck: Parent waits in sem_wait, and nobody posts\n";

    (void)sig;
    if (write(STDERR_FILENO, why, sizeof why - 1) == -1)
        _exit(1);
    _exit(124);
}

int main(int argc, char *argv[])
{
    int value, status;
    char name[40];
    sem_t *sem;

    init_1 = argc > 1 && strcmp(argv[1], "--init-1") == 0;
    if (argc > 1 + init_1)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    snprintf(name, sizeof name, "/sem-signal.%d", getpid());
    sem = sem_open(name, O_CREAT | O_EXCL, 0600, init_1 ? 1 : 0);
    if (sem == SEM_FAILED)
        err(1, "sem_open %s", name);
    sem_unlink(name);

    printf("Parent: waiting for signal...\n");
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        printf("Child: doing work...\n");
        /* volatile, or the compiler would remove the loop */
        for (volatile long work = 20000000; work > 0; work--)
            ;
        printf("Child: signaling parent\n");
        if (sem_post(sem) == -1)
            err(1, "sem_post");
        exit(0);
    }
    signal(SIGALRM, give_up);
    alarm(10); /* ends an endless wait */
    if (sem_wait(sem) == -1)
        err(1, "sem_wait");
    printf("Parent: received signal!\n");

    if (wait(&status) == -1)
        err(1, "wait");
    if (sem_getvalue(sem, &value) == -1)
        err(1, "sem_getvalue");
    if (value != 0)
        errx(1, "Parent did not wait: Child's post is left over");
    return status != 0;
}
