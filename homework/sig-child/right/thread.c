/*
 * Right: signal instead of sigaction; a second thread, in which SIGCHLD is
 * not blocked, runs the handler, and the handler asks for each child by its
 * pid.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child[1000];
static int count = 5;
static volatile sig_atomic_t ran, gone;
static sigset_t sigchld;

static void on_sigchld(int sig)
{
    int e = errno;

    ran += sig == SIGCHLD;
    for (int i = 0; i < count; i++)
        if (waitpid(child[i], NULL, WNOHANG) == child[i])
            gone++;
    errno = e;
}

static int zombies(void)
{
    int n = 0;

    for (int i = 0; i < count; i++) {
        siginfo_t info = { 0 };

        if (waitid(P_PID, (id_t)child[i], &info,
                   WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid == child[i])
            n++;
    }
    return n;
}

static void *open_the_door(void *unused)
{
    pthread_sigmask(SIG_UNBLOCK, &sigchld, NULL);
    return unused;
}

int main(int argc, char *argv[])
{
    pthread_t thread;
    siginfo_t info;
    char junk;

    if (argc > 2 ||
        (argc == 2 && (strlen(argv[1]) > 4 ||
                       sscanf(argv[1], "%d%c", &count, &junk) != 1 ||
                       count < 1 || count > 1000))) {
        warnx("how many children, 1 to 1000?");
        exit(2);
    }

    signal(SIGCHLD, on_sigchld);
    sigemptyset(&sigchld);
    sigaddset(&sigchld, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &sigchld, NULL);
    for (int i = 0; i < count; i++) {
        child[i] = fork();
        if (child[i] == -1)
            err(1, "child %d", i + 1);
        if (child[i] == 0)
            return 0;
    }
    for (int i = 0; i < count; i++)
        while (waitid(P_PID, (id_t)child[i], &info, WEXITED | WNOWAIT) == -1)
            if (errno != EINTR)
                err(1, "waitid");

    printf("Parent: zombies: %d\n", zombies());
    if (pthread_create(&thread, NULL, open_the_door, NULL))
        errx(1, "no thread");
    pthread_join(thread, NULL);
    printf("Parent: SIGCHLD came: %d, reaped: %d\n", ran, gone);
    printf("Parent: zombies: %d\n", zombies());
    return zombies() ? 1 : 0;
}
