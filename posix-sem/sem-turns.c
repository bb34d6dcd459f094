/*
 * sem-turns - two semaphores make two processes take turns
 *
 * usage: sem-turns [--rounds N] [--one-sem]
 *
 * Each child has a semaphore of its own: 1 means that it is its turn. It
 * takes its own, adds 1 to a number in shared memory, and posts the
 * other's. Child 1's starts at 1, Child 2's at 0. Child 2 is forked when
 * Child 1 sleeps: whoever can go twice has the time to.
 *
 * Watch   ping and pong: who has posted must wait for the other's post.
 * Try     sem-turns --one-sem    the post is taken by the one who posted
 * Read    sem_init(3), sem_post(3); TLPI, 53.4; APUE, exercise 15.18
 */
#ifndef __linux__
#error "sem-turns needs Linux: /proc, PR_SET_PDEATHSIG; macOS has no sem_init"
#endif
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: sem-turns [--rounds N] [--one-sem]\n"
    "  --rounds N  each goes so many times (3)\n"
    "  --one-sem   wrong: both wait for one semaphore, and post it\n";

struct game {
    sem_t turn[2];
    int number;
    bool twice;
};

/* Takes 1 from the semaphore; at 0 sleeps until somebody adds 1. */
static void take(sem_t *sem)
{
    while (sem_wait(sem) == -1)
        if (errno != EINTR)
            err(1, "sem_wait");
}

static void play(struct game *game, int me, int rounds, bool one_sem)
{
    sem_t *mine = &game->turn[one_sem ? 0 : me];
    sem_t *others = &game->turn[one_sem ? 0 : !me];

    for (int i = 0; i < rounds; i++) {
        take(mine);
        if (game->number % 2 != me)
            game->twice = true;
        game->number++;
        printf("Child %d: %s %d\n", me + 1, me ? "pong" : "ping",
               game->number);
        if (sem_post(others) == -1)
            err(1, "sem_post");
    }
}

/* Waits until the kernel says that a process sleeps, or has ended. */
static void wait_until_asleep(pid_t pid)
{
    char path[64], line[512], state;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    do {
        FILE *file = fopen(path, "r");

        if (!file || !fgets(line, sizeof line, file))
            err(1, "%s", path);
        fclose(file);
        state = strrchr(line, ')')[2];
    } while (state != 'S' && state != 'Z' && sched_yield() == 0);
}

/* Waits until one of them ends; returns which, counted from 0. */
static int reap(const pid_t pid[], int *status)
{
    for (pid_t ended; (ended = wait(status)) != -1;)
        for (int i = 0; i < 2; i++)
            if (pid[i] == ended)
                return i;
    err(1, "wait");
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "rounds", required_argument, NULL, 'r' },
        { "one-sem", no_argument, NULL, 'o' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    pid_t pid[2], parent = getpid();
    bool one_sem = false;
    struct game *game;
    int opt, status;
    long rounds = 3;
    char *end;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (opt) {
        case 'r':
            rounds = strtol(optarg, &end, 10);
            if (*end || end == optarg || rounds < 1 || rounds > 1000000)
                errx(2, "--rounds must be a number from 1 to 1000000: %s",
                     optarg);
            break;
        case 'o':
            one_sem = true;
            break;
        default:
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    game = mmap(NULL, sizeof *game, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (game == MAP_FAILED)
        err(1, "mmap");
    if (sem_init(&game->turn[0], 1, 1) == -1 ||
        sem_init(&game->turn[1], 1, 0) == -1)
        err(1, "sem_init");

    for (int i = 0; i < 2; i++) {
        if (i == 1)
            wait_until_asleep(pid[0]);
        switch (pid[i] = fork()) {
        case -1:
            warn("fork of Child %d", i + 1);
            if (i == 1 && kill(pid[0], SIGKILL) == 0)
                waitpid(pid[0], NULL, 0);
            return 1;
        case 0:
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody outlives Parent */
            if (getppid() != parent)
                _exit(1);
            play(game, i, (int)rounds, one_sem);
            if (ferror(stdout))
                errx(1, "not all could be written to stdout");
            exit(0);
        }
    }

    for (int left = 2; left > 0; left--) {
        int i = reap(pid, &status);

        if (status) {
            warnx("Child %d died: nobody posts in its place", i + 1);
            if (left == 2 && kill(pid[!i], SIGKILL) == 0)
                waitpid(pid[!i], NULL, 0);
            return 1;
        }
    }
    if (sem_destroy(&game->turn[0]) == -1 ||
        sem_destroy(&game->turn[1]) == -1)
        err(1, "sem_destroy");
    if (game->twice)
        errx(1, "somebody went twice: who posts can take the post back");
    return 0;
}
