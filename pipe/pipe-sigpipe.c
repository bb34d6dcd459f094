/*
 * pipe-sigpipe - writing to a pipe that nobody can read from
 *
 * usage: pipe-sigpipe
 *
 * Parent makes a pipe, closes its only read end and forks twice. Both
 * children write. Child 1 takes SIGPIPE as it comes and is killed; Child 2
 * ignores it, so write fails with EPIPE and Child 2 goes on.
 *
 * Watch   Child 1 has no last line; the status tells why: 128 + SIGPIPE.
 * Try     yes | head -n 1; echo ${PIPESTATUS[0]}    what stops yes?
 * Read    pipe(7), write(2), signal(7), wait(2); Kerrisk, TLPI, 44.2
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] = "usage: pipe-sigpipe\n";

static void child(int n, int write_end, void (*disposition)(int))
{
    sigset_t sigpipe;

    /* Whoever started us may ignore or block SIGPIPE: that survives exec. */
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    if (sigprocmask(SIG_UNBLOCK, &sigpipe, NULL) == -1 ||
        signal(SIGPIPE, disposition) == SIG_ERR)
        err(1, "SIGPIPE");

    printf("Child %d %s, and writes\n", n,
           disposition == SIG_IGN ? "ignores SIGPIPE"
                                  : "leaves SIGPIPE at its default");
    if (write(write_end, "hello", 5) != -1)
        errx(1, "a write without a reader went through");
    if (errno != EPIPE)
        err(1, "write");
    printf("Child %d: write says EPIPE (%s), so it goes on\n", n,
           strerror(errno));
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
}

/* Forks a child that writes; returns how it ended, as wait(2) tells it. */
static int status_of_child(int n, int write_end, void (*disposition)(int))
{
    pid_t pid = fork();
    int status;

    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        child(n, write_end, disposition);
        close(write_end);
        exit(0);
    }
    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");

    if (WIFSIGNALED(status))
        printf("Parent: Child %d was killed by %s (%s), a shell shows %d\n",
               n, WTERMSIG(status) == SIGPIPE ? "SIGPIPE" : "a signal",
               strsignal(WTERMSIG(status)), 128 + WTERMSIG(status));
    else
        printf("Parent: Child %d ended by itself, with status %d\n", n,
               WEXITSTATUS(status));
    return status;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int fd[2], opt, killed, ignored;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    if (pipe(fd) == -1)
        err(1, "pipe");
    close(fd[0]); /* before the forks: no child gets a read end */

    killed = status_of_child(1, fd[1], SIG_DFL);
    ignored = status_of_child(2, fd[1], SIG_IGN);
    close(fd[1]);

    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    if (!WIFSIGNALED(killed) || WTERMSIG(killed) != SIGPIPE)
        errx(1, "SIGPIPE did not kill Child 1");
    return WIFEXITED(ignored) ? WEXITSTATUS(ignored) : 1;
}
