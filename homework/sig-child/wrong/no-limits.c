/*
 * Wrong: there are no limits to CHILDREN.
 * Loses: CHILDREN is a number from 1 to 1000, or is refused
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t pids[100000];
static int children = 5;
static volatile sig_atomic_t came, reaped;

static void handler(int sig)
{
    int saved = errno;

    (void)sig;
    came++;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        reaped++;
    errno = saved;
}

static int zombies(void)
{
    siginfo_t info;
    int count = 0;

    for (int i = 0; i < children; i++)
        if (waitid(P_PID, (id_t)pids[i], &info, WEXITED | WNOWAIT) == 0)
            count++;
    return count;
}

int main(int argc, char *argv[])
{
    struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
    sigset_t chld;
    char *end = "";
    int left;

    if (argc == 2)
        children = (int)strtol(argv[1], &end, 10);
    if (argc > 2 || *end)
        errx(2, "usage: sig-child [CHILDREN]");

    sigaction(SIGCHLD, &sa, NULL);
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, NULL);
    for (int i = 0; i < children; i++) {
        pids[i] = fork();
        if (pids[i] == -1)
            err(1, "fork");
        if (pids[i] == 0)
            _exit(0);
    }
    printf("Parent: zombies: %d\n", zombies());

    sigprocmask(SIG_UNBLOCK, &chld, NULL);
    printf("Parent: SIGCHLD came: %d, reaped: %d\n", came, reaped);

    left = zombies();
    printf("Parent: zombies: %d\n", left);
    return left != 0;
}
