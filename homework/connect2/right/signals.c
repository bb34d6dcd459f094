/*
 * Right: CMD2 is started first, CMD1 is its younger brother, and both are
 * collected in one loop, in the order in which they end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void on_child(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

static void say(const char *format, ...)
{
    char line[4200];
    va_list list;
    int n;

    va_start(list, format);
    n = vsnprintf(line, sizeof line, format, list);
    va_end(list);
    if (n > (int)sizeof line - 1)
        n = sizeof line - 1;
    if (write(2, line, (size_t)n) == -1)
        _exit(1);
}

static pid_t child(char **argv, int keep, int drop, int as,
                   const sigset_t *mask)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (keep != as) {
        if (drop == as) { /* in the way */
            drop = -1;
        }
        if (dup2(keep, as) == -1) {
            say("dup2: error %d\n", errno);
            _exit(126);
        }
        close(keep);
    }
    if (drop != -1)
        close(drop);
    execvp(argv[0], argv);
    say("%s will not run: %s\n", argv[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

int main(int argc, char **argv)
{
    struct sigaction act = { .sa_handler = on_child };
    sigset_t block, before;
    char **cmd2 = NULL;
    int fds[2], left = 2, result = 0, status;
    pid_t first, second, pid;

    for (char **p = argv + 1; argc > 1 && *p && !cmd2; p++) {
        if (strcmp(*p, "--") == 0) {
            *p = NULL;
            cmd2 = p + 1;
        }
    }
    if (!cmd2 || !argv[1] || !*cmd2) {
        say("usage: two commands\n");
        return 2;
    }

    sigemptyset(&block);
    sigaddset(&block, SIGCHLD);
    sigprocmask(SIG_BLOCK, &block, &before);
    sigaction(SIGCHLD, &act, NULL);
    if (pipe(fds) < 0) {
        say("pipe failed\n");
        exit(1);
    }
    second = child(cmd2, fds[0], fds[1], 0, &before);
    first = child(argv + 1, fds[1], fds[0], 1, &before);
    close(fds[0]);
    close(fds[1]);
    if (first < 0 || second < 0) {
        say("fork failed\n");
        exit(1);
    }
    while (left > 0) {
        while (!ended)
            sigsuspend(&before);
        ended = 0;
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
            left--;
            if (pid != second)
                continue;
            if (WIFSIGNALED(status))
                result = 128 + WTERMSIG(status);
            else
                result = WEXITSTATUS(status);
        }
    }
    return result;
}
