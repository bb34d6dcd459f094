/*
 * Right: poll on a pidfd for each child, zombies counted in /proc, and ppoll
 * lets the signal in.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    sig_atomic_t volatile runs;
    sig_atomic_t volatile children;
} seen;

static void reap(int number, siginfo_t *info, void *context)
{
    int before = errno, status;
    pid_t pid;

    (void)number;
    (void)info;
    (void)context;
    ++seen.runs;
    for (;;) {
        pid = waitpid(-1, &status, WNOHANG);
        if (pid == 0 || pid == -1)
            break;
        ++seen.children;
    }
    errno = before;
}

static int is_zombie(pid_t pid)
{
    char path[40], buffer[256], *state;
    ssize_t n;
    int fd;

    sprintf(path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY);
    if (fd == -1)
        return 0;
    n = read(fd, buffer, sizeof buffer - 1);
    close(fd);
    if (n <= 0)
        return 0;
    buffer[n] = 0;
    state = strrchr(buffer, ')');
    return state && state[2] == 'Z';
}

static int report(const pid_t *pids, int n)
{
    int zombies = 0;

    while (n-- > 0)
        zombies += is_zombie(pids[n]);
    dprintf(STDOUT_FILENO, "Parent: zombies: %d\n", zombies);
    return zombies;
}

static void die(const char *why)
{
    perror(why);
    exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    struct sigaction action;
    sigset_t block, none;
    long n = 5;
    char *end = "";
    pid_t *pids;

    if (argc == 2)
        n = strtol(argv[1], &end, 0);
    if (argc > 2 || *end != '\0' || n < 1 || n > 1000) {
        fprintf(stderr, "%s [1-1000]\n", argv[0]);
        return 2;
    }
    pids = malloc((size_t)n * sizeof *pids);
    if (!pids)
        die("memory");

    memset(&action, 0, sizeof action);
    action.sa_sigaction = reap;
    action.sa_flags = SA_SIGINFO | SA_NOCLDSTOP | SA_RESTART;
    sigfillset(&action.sa_mask);
    sigaction(SIGCHLD, &action, NULL);
    sigemptyset(&none);
    sigfillset(&block);
    sigprocmask(SIG_SETMASK, &block, NULL);

    for (int i = 0; i < n; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(EXIT_SUCCESS);
        if (pids[i] < 0)
            die("fork");
    }
    for (int i = 0; i < n; i++) {
        struct pollfd child = { .events = POLLIN };

        child.fd = (int)syscall(SYS_pidfd_open, pids[i], 0);
        if (child.fd == -1 || poll(&child, 1, -1) != 1)
            die("pidfd");
        close(child.fd);
    }
    report(pids, (int)n);

    if (ppoll(NULL, 0, NULL, &none) != -1 || errno != EINTR)
        die("ppoll");
    dprintf(STDOUT_FILENO, "Parent: SIGCHLD came: %d, reaped: %d\n",
            (int)seen.runs, (int)seen.children);
    return report(pids, (int)n) > 0;
}
