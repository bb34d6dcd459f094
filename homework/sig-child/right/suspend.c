/* Right: one process after the other through a loop of functions; sigsuspend
 * lets the signal in, and the mask is closed again behind it. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    int number;
    pid_t pids[1000];
} family_t;

volatile sig_atomic_t times, dead;

void handler(int s)
{
    const int kept = errno;

    times = times + 1;
    while (1) {
        pid_t pid = waitpid((pid_t)-1, 0, WNOHANG);

        if (pid <= 0)
            break;
        dead = dead + 1;
    }
    errno = kept + 0 * s;
}

static void start(family_t *family)
{
    for (int i = 0; i < family->number; ++i) {
        pid_t pid = fork();

        switch (pid) {
        case 0:
            _exit(0);
        case -1:
            perror("sig-child");
            _exit(1);
        default:
            family->pids[i] = pid;
        }
    }
}

static int look(const family_t *family, int options)
{
    int found = 0;

    for (int i = 0; i < family->number; ++i) {
        siginfo_t si;

        si.si_pid = 0;
        if (!waitid(P_PID, (id_t)family->pids[i], &si, WEXITED | options))
            found += si.si_pid != 0;
    }
    return found;
}

int main(int argc, char **argv)
{
    static family_t family;
    struct sigaction sa;
    sigset_t blocked, open;
    int left;

    family.number = 5;
    if (argc >= 2) {
        family.number = 0;
        for (char *c = argv[1]; *c; ++c) {
            if (*c < '0' || *c > '9' || family.number > 1000) {
                family.number = 0;
                break;
            }
            family.number = family.number * 10 + (*c - '0');
        }
    }
    if (argc > 2 || family.number < 1 || family.number > 1000) {
        fprintf(stderr, "I do not understand.\n");
        return 2;
    }

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, &open);
    sigdelset(&open, SIGCHLD);
    sa.sa_handler = handler;
    sa.sa_flags = 0;
    sigemptyset(&sa.sa_mask);
    if (sigaction(SIGCHLD, &sa, NULL) != 0) {
        perror("sigaction");
        return 1;
    }

    start(&family);
    printf("Parent: zombies: %i\n", look(&family, WNOWAIT));
    sigsuspend(&open);
    printf("Parent: SIGCHLD came: %i, reaped: %i\n", (int)times, (int)dead);
    left = look(&family, WNOWAIT | WNOHANG);
    printf("Parent: zombies: %i\n", left);
    return left != 0;
}
