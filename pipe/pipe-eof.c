/*
 * pipe-eof - the end of file comes when the last write end is closed
 *
 * usage: pipe-eof [--no-close]
 *
 * Child writes a word and keeps its write end until Parent lets it go.
 * Parent asks poll before each read, and after each step asks the kernel,
 * in /proc/PID/fd, who holds how many write ends of this pipe.
 *
 * Watch   an empty pipe is not at its end as long as one write end is open.
 * Try     pipe-eof --no-close    Parent waits for a writer: for itself
 * Read    pipe(7), poll(2), proc(5); APUE, 15.2 and exercises 15.1, 15.7
 */
#ifndef __linux__
#error "pipe-eof needs Linux: /proc/PID/fd"
#endif
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: pipe-eof [--no-close]\n"
    "  --no-close  wrong: Parent, who reads, keeps its write end\n";

/* How many write ends of the pipe does a process hold? Ask the kernel. */
static int write_ends(pid_t pid, int pipe_end)
{
    struct stat pipe, link, target;
    char path[64];
    int count = 0;
    DIR *dir;

    if (fstat(pipe_end, &pipe) == -1)
        err(1, "fstat");
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    dir = opendir(path);
    if (!dir)
        err(1, "%s", path);
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *n = entry->d_name;

        if (fstatat(dirfd(dir), n, &target, 0) == -1 ||
            fstatat(dirfd(dir), n, &link, AT_SYMLINK_NOFOLLOW) == -1)
            continue; /* closed since readdir named it */
        if (target.st_dev == pipe.st_dev && target.st_ino == pipe.st_ino &&
            link.st_mode & S_IWUSR) /* the entry's mode is the end's */
            count++;
    }
    closedir(dir);
    return count;
}

static void say(const char *step, int pipe_end, pid_t child)
{
    printf("Parent %-22s write ends: Parent %d", step,
           write_ends(getpid(), pipe_end));
    if (child)
        printf(", Child %d", write_ends(child, pipe_end));
    putchar('\n');
}

/* The event that poll reports within some milliseconds, or NULL. */
static const char *event(int read_end, int timeout)
{
    struct pollfd end = { .fd = read_end, .events = POLLIN };

    if (poll(&end, 1, timeout) == -1)
        err(1, "poll");
    if (end.revents == 0)
        return NULL;
    return end.revents & POLLIN ? "POLLIN" : "POLLHUP";
}

/* Writes at once, then waits until nobody holds go's write end any more. */
static void child(const int fd[2], const int go[2])
{
    char none;

    close(fd[0]);
    close(go[1]); /* or we would wait for ourselves */
    if (write(fd[1], "hello", 5) == -1)
        err(1, "write");
    if (read(go[0], &none, 1) == -1)
        err(1, "read");
    close(go[0]);
    close(fd[1]);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "no-close", no_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    bool no_close = false;
    int fd[2], go[2], opt, status;
    const char *what;
    char word[16];
    ssize_t n;
    pid_t pid;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != 'n') {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
        no_close = true;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    if (pipe(fd) == -1 || pipe(go) == -1)
        err(1, "pipe");
    say("has made the pipe", fd[0], 0);

    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        child(fd, go);
        exit(0);
    }
    close(go[0]);
    say("has forked", fd[0], pid);

    if (!no_close) {
        close(fd[1]);
        say("has closed its own", fd[0], pid);
    }

    what = event(fd[0], -1);
    n = read(fd[0], word, sizeof word);
    if (n == -1)
        err(1, "read");
    printf("Parent: %s, read says %zd: %.*s\n", what, n, (int)n, word);

    if (!event(fd[0], 0))
        say("polls: no event", fd[0], pid);

    close(go[1]); /* lets Child go, without a byte */
    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    say("has seen Child end", fd[0], 0);

    what = event(fd[0], 1000);
    if (!what) {
        warnx("stuck: Parent waits for EOF, but holds %d write end itself",
              write_ends(getpid(), fd[0]));
        return 124;
    }
    n = read(fd[0], word, sizeof word);
    if (n == -1)
        err(1, "read");
    printf("Parent: %s, read says %zd%s\n", what, n,
           n == 0 ? ", the end of file" : "");
    close(fd[0]);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
