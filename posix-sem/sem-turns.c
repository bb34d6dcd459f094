/*
 * sem-turns - two semaphores make two processes take turns
 *
 * usage: sem-turns [--one-sem]
 *
 * Each child has a semaphore of its own: 1 means that it is this child's
 * turn. A child takes its own, adds 1 to a number in shared memory and posts
 * the other's. Child 1's starts at 1, Child 2's at 0, so Child 1 begins.
 *
 * Watch   which semaphore a child waits for, and which one it posts.
 * Try     sem-turns --one-sem    a child takes back what it has posted
 * Read    sem_init(3), sem_post(3); TLPI, 53.4; APUE, exercise 15.18
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 3 };

static const char usage[] =
    "usage: sem-turns [--one-sem]\n"
    "  --one-sem  wrong: both wait for one semaphore, and post it";
static bool one_sem;

struct game {
    sem_t turn[2];
    _Atomic int number;
    bool twice; /* it was the other's turn */
};

static void play(struct game *game, int me)
{
    sem_t *mine = &game->turn[one_sem ? 0 : me];
    sem_t *other = &game->turn[one_sem ? 0 : 1 - me];

    /* --one-sem: Child 2 comes late, and Child 1 need not wait for it. */
    while (one_sem && me == 1 && game->number < ROUNDS)
        sched_yield();
    for (int i = 0; i < ROUNDS; i++) {
        if (sem_wait(mine) == -1)
            err(1, "sem_wait");
        /* At an even number it is Child 1's turn (me is 0). */
        if (game->number % 2 != me)
            game->twice = true;
        game->number++;
        printf("Child %d: %s %d\n", me + 1, me ? "pong" : "ping",
               game->number);
        if (sem_post(other) == -1)
            err(1, "sem_post");
    }
}

int main(int argc, char *argv[])
{
    int failed = 0, stuck = 0, status;
    struct game *game;

    one_sem = argc > 1 && strcmp(argv[1], "--one-sem") == 0;
    if (argc > 1 + one_sem)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    game = mmap(NULL, sizeof *game, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (game == MAP_FAILED)
        err(1, "mmap");
    for (int i = 0; i < 2; i++)
        if (sem_init(&game->turn[i], 1, i == 0 ? 1 : 0) == -1)
            err(1, "sem_init");
    for (int i = 0; i < 2; i++) {
        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            alarm(10); /* ends an endless wait */
            play(game, i);
            exit(0);
        }
    }

    for (int i = 0; i < 2; i++) {
        if (wait(&status) == -1)
            err(1, "wait");
        failed |= status;
        stuck |= WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    }
    if (stuck)
        errx(124, "stuck: a child waits for its turn");
    if (game->twice)
        errx(1, "a child went twice: it took back its own post");
    return failed != 0;
}
