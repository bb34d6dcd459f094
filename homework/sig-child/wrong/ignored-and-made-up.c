/*
 * Wrong: SIGCHLD is ignored, so that there are no zombies, and the
 * numbers are made up.
 * Loses: SIGCHLD comes once for all
 * Loses: it is the handler that reaps
 * Loses: the handler's runs are counted
 * Loses: zombies that are left are counted, and the status is 1
 * Loses: the handler calls only what is safe
 * Loses: the handler leaves errno as it finds it
 * Loses: a child that goes on holds up nobody
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t pids[1000];
static int children = 5;

int main(int argc, char *argv[])
{
    struct sigaction sa = { .sa_handler = SIG_IGN };
    sigset_t chld;
    char *end = "";

    if (argc == 2)
        children = (int)strtol(argv[1], &end, 10);
    if (argc > 2 || *end || children < 1 || children > 1000)
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
    while (wait(NULL) != -1)
        continue;
    printf("Parent: zombies: %d\n", children);
    printf("Parent: SIGCHLD came: 1, reaped: %d\n", children);
    printf("Parent: zombies: 0\n");
    return 0;
}
