/*
 * pipe-barrier - wait for many without a byte: the end of file as a signal
 *
 * usage: pipe-barrier [--children N]
 *
 * Each child (default 5) works for a while, notes in shared memory that it
 * is ready, and closes its write end of the first pipe. Parent's read there
 * says 0 when the last one has done so: the barrier falls. Then Parent
 * closes its write end of the second pipe: the starting gun for them all.
 *
 * Watch   nobody writes: the kernel's count of open ends is the message.
 * Try     pipe-barrier --children 100
 * Read    pipe(7); Kerrisk, TLPI, 44.3; APUE, 15.2 (TELL_WAIT)
 */
#include <err.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] = "usage: pipe-barrier [--children N]\n"
                           "  --children N  so many meet (5)\n";

/* Blocks until nobody holds a write end of the pipe any more. */
static void await_eof(int read_end)
{
    char none;

    switch (read(read_end, &none, 1)) {
    case -1:
        err(1, "read");
    case 1:
        errx(1, "a byte came where nobody writes");
    }
}

static void child(int n, const int done[2], const int go[2], bool *ready)
{
    close(done[0]);
    close(go[1]); /* or await_eof would wait for ourselves */

    /* Work, for some more than for others. */
    for (volatile long work = 500000L * (1 + n % 5); work > 0; work--)
        ;

    *ready = true;
    close(done[1]); /* the last of us to come here lets Parent go on */
    await_eof(go[0]);
    close(go[0]);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "children", required_argument, NULL, 'c' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int done[2], go[2], opt, status;
    long children = 5, count = 0, ended = 0;
    bool *ready;
    char *end;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != 'c') {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
        children = strtol(optarg, &end, 10);
        if (*end || end == optarg || children < 1 || children > 10000)
            errx(2, "--children must be a number from 1 to 10000: %s",
                 optarg);
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    ready = mmap(NULL, (size_t)children, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ready == MAP_FAILED)
        err(1, "mmap");
    if (pipe(done) == -1 || pipe(go) == -1)
        err(1, "pipe");

    printf("Parent forks %ld children and reads\n", children);
    for (int i = 0; i < children; i++) {
        switch (fork()) {
        case -1:
            warn("fork of Child %d", i + 1);
            close(go[1]); /* lets those go that are there */
            while (wait(NULL) > 0)
                ;
            return 1;
        case 0:
            child(i, done, go, &ready[i]);
            exit(0);
        }
    }
    close(done[1]); /* or await_eof would wait for ourselves */
    close(go[0]);

    await_eof(done[0]);
    close(done[0]);
    for (int i = 0; i < children; i++)
        count += ready[i];
    printf("Parent: read says 0, %ld of %ld are ready\n", count, children);
    if (waitpid(-1, &status, WNOHANG) != 0)
        errx(1, "a child has ended before the starting gun");

    printf("Parent closes its end: go!\n");
    close(go[1]);
    while (wait(&status) > 0)
        ended += status == 0;
    printf("Parent: %ld of %ld have ended\n", ended, children);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return count == children && ended == children ? 0 : 1;
}
