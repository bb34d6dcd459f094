/*
 * connect2 - what a shell does for CMD1 | CMD2
 *
 * usage: connect2 [--pipe-size N] [--no-close] [--verbose]
 *                 [CMD1 [ARG...] -- CMD2 [ARG...]]
 *
 * One pipe, two forks. Child 1 makes the write end its standard output,
 * Child 2 makes the read end its standard input, and each becomes its
 * command. Parent closes both ends and waits; the status is CMD2's.
 *
 * Watch   the closes: three processes, and none may keep a spare end.
 * Try     connect2 --no-close            CMD2 waits for EOF for ever
 *         connect2 --verbose ls -- wc    descriptors around the dup2
 * Read    pipe(2), dup2(2), pipe(7); Stevens & Rago, APUE, 15.2
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "connect2 needs Linux: /proc, F_SETPIPE_SZ, PR_SET_PDEATHSIG"
#endif
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: connect2 [--pipe-size N] [--no-close] [--verbose]\n"
    "                [CMD1 [ARG...] -- CMD2 [ARG...]]\n"
    "  --pipe-size N  let the pipe hold N bytes\n"
    "  --no-close     wrong: Parent keeps the write end\n"
    "  --verbose      show each descriptor table before and after dup2\n";

static int no_close, verbose;

static void show_descriptors(int child, const char *when)
{
    char target[PATH_MAX], *text;
    size_t size;
    FILE *table = open_memstream(&text, &size);
    DIR *dir = opendir("/proc/self/fd");

    if (!dir || !table)
        err(1, "/proc/self/fd");
    fprintf(table, "Child %d %s dup2:\n", child, when);
    for (struct dirent *entry; (entry = readdir(dir));) {
        int fd = atoi(entry->d_name);
        ssize_t n =
            readlinkat(dirfd(dir), entry->d_name, target, sizeof target);

        if (n == -1 || fd == dirfd(dir)) /* . and .. are no links */
            continue;
        fprintf(table, "  %d  %.*s", fd, (int)n, target);
        if (strncmp(target, "pipe:", 5) == 0)
            fprintf(table, " %s end",
                    fcntl(fd, F_GETFL) & O_WRONLY ? "write" : "read");
        fputc('\n', table);
    }
    closedir(dir);
    fclose(table);
    fputs(text, stderr); /* all at once: two tables must not mix */
    free(text);
}

/*
 * A child: makes one end of the pipe its standard descriptor n, keeps
 * nothing else of it, and becomes cmd. The ends are numbered as standard
 * input and output are: fd[0] is to be read from, fd[1] to be written to.
 */
static void become(char *cmd[], const int fd[2], int n, pid_t parent)
{
    int child = n == STDOUT_FILENO ? 1 : 2;

    prctl(PR_SET_PDEATHSIG, SIGTERM); /* no command outlives Parent */
    if (getppid() != parent)
        _exit(1);

    if (verbose)
        show_descriptors(child, "before");
    close(fd[!n]);    /* close(2) cannot fail on an end that is open */
    if (fd[n] != n) { /* equal, if we were started with n closed */
        if (dup2(fd[n], n) == -1)
            err(1, "dup2");
        close(fd[n]);
    }
    if (verbose)
        show_descriptors(child, "after");

    execvp(cmd[0], cmd);
    n = errno == ENOENT ? 127 : 126; /* the shell's own numbers */
    warn("%s", cmd[0]);
    _exit(n);
}

/* Waits for a child; returns what a shell would show as $?. */
static int status_of(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "pipe-size", required_argument, NULL, 'p' },
        { "no-close", no_argument, &no_close, true },
        { "verbose", no_argument, &verbose, true },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static char *demo[] = { "echo", "hello", "--", "wc", "-c", NULL };
    char **cmd1 = demo, **cmd2, *end;
    pid_t parent = getpid(), pid1, pid2;
    long pipe_size = 0;
    int fd[2], opt;

    while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        switch (opt) {
        case 0: /* a flag, and set */
            break;
        case 'p':
            pipe_size = strtol(optarg, &end, 10);
            if (*end || end == optarg || pipe_size < 1 || pipe_size > INT_MAX)
                errx(2, "--pipe-size must be a number of bytes: %s", optarg);
            break;
        default:
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (optind < argc)
        cmd1 = argv + optind;
    for (cmd2 = cmd1; *cmd2 && strcmp(*cmd2, "--") != 0; cmd2++)
        ;
    if (cmd2 == cmd1 || !cmd2[0] || !cmd2[1])
        errx(2, "separate two commands with --");
    *cmd2++ = NULL;
    for (char **arg = cmd2; *arg; arg++)
        if (strcmp(*arg, "--") == 0)
            errx(2, "a second --: more than two commands are for pipeline");

    setvbuf(stdout, NULL, _IOLBF, 0); /* no line waits for a fork */
    if (cmd1 == demo)
        printf("Parent: echo hello | wc -c\n");

    if (pipe(fd) == -1)
        err(1, "pipe");
    if (pipe_size && fcntl(fd[1], F_SETPIPE_SZ, (int)pipe_size) == -1) {
        warn("--pipe-size %ld", pipe_size);
        errx(1, "hint: see /proc/sys/fs/pipe-max-size");
    }

    pid1 = fork();
    if (pid1 == -1)
        err(1, "fork");
    if (pid1 == 0)
        become(cmd1, fd, STDOUT_FILENO, parent);

    pid2 = fork();
    if (pid2 == -1) {
        warn("fork");
        kill(pid1, SIGTERM);
        status_of(pid1);
        return 1;
    }
    if (pid2 == 0)
        become(cmd2, fd, STDIN_FILENO, parent);

    close(fd[0]);
    if (!no_close)
        close(fd[1]); /* or Child 2 never sees EOF */

    status_of(pid1);
    /* The write end knows when the last reader has gone: POLLERR. */
    if (no_close && poll(&(struct pollfd){ .fd = fd[1] }, 1, 1000) == 0) {
        warnx("stuck: %s waits for EOF, but Parent still has the write end",
              cmd2[0]);
        kill(pid2, SIGTERM);
        close(fd[1]); /* EOF, should it ignore SIGTERM */
        status_of(pid2);
        return 124;
    }
    return status_of(pid2);
}
