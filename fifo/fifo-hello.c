/*
 * fifo-hello - two processes meet at a name in the file system
 *
 * usage: fifo-hello
 *
 * Parent makes a FIFO and forks twice. Reader and Writer open it by its
 * name, and each open waits for the other. From then on a FIFO is a pipe.
 * Parent waits for both and removes the name.
 *
 * Watch   neither child inherits a descriptor of the FIFO: the name is
 *         enough, so any two processes could do the same.
 * Try     mkfifo f; cat f; rm f    cat waits, until in a second terminal
 *         echo hi >f               brings a writer
 * Read    mkfifo(3), fifo(7); Kerrisk, TLPI, 44.7; APUE, 15.5
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void reader(int fd)
{
    char part[100];
    ssize_t n;

    while ((n = read(fd, part, sizeof part)) > 0)
        printf("Received: %.*s\n", (int)n, part);
    if (n == -1)
        err(1, "read");
}

/* Forks Reader or Writer: flags tell which. */
static void start(const char *name, int flags)
{
    int fd;

    switch (fork()) {
    case -1:
        unlink(name);
        err(1, "fork");
    case 0:
        alarm(10);              /* ends an endless wait */
        fd = open(name, flags); /* waits until the other opens it, too */
        if (fd == -1)
            err(1, "open %s", name);
        if (flags == O_RDONLY)
            reader(fd);
        else if (write(fd, "Hello via FIFO!", 15) == -1)
            err(1, "write");
        exit(0);
    }
}

int main(int argc, char *argv[])
{
    int status = 1, failed = 0, stuck = 0;
    char name[40];

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: fifo-hello", argv[1]);

    snprintf(name, sizeof name, "/tmp/fifo-hello.%d", getpid());
    if (mkfifo(name, 0600) == -1)
        err(1, "mkfifo %s", name);
    start(name, O_RDONLY);
    start(name, O_WRONLY);

    for (int i = 0; i < 2; i++) {
        if (wait(&status) == -1)
            warn("wait"); /* status stays 1; the name must be removed */
        failed |= status;
        stuck |= WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    }
    unlink(name);
    if (stuck)
        errx(124, "stuck: Reader or Writer waits for the other");
    return failed != 0;
}
