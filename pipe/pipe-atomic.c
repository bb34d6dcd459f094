/*
 * pipe-atomic - many writers share a pipe: which records arrive in one piece
 *
 * usage: pipe-atomic [--writers N] [--size N]
 *
 * Each Writer (default 4) sends 200 records of N bytes (default PIPE_BUF),
 * filled with a byte of its own. Parent looks at what arrives: a record with
 * another Writer's bytes in its middle is torn. How many are torn is counted
 * on a line of its own: above PIPE_BUF the number varies from run to run.
 *
 * Watch   0 torn, however many write: up to PIPE_BUF a write is atomic.
 * Try     pipe-atomic --size 8192                above PIPE_BUF it is not
 *         pipe-atomic --size 8192 --writers 1    who could be in between?
 * Read    PIPE_BUF in pipe(7); POSIX, write(); Kerrisk, TLPI, 44.1
 */
#ifndef __linux__
#error "pipe-atomic needs Linux: /proc/PID/stat"
#endif
#include <err.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORDS = 200, MAX_WRITERS = 255, MAX_SIZE = 65536 };

static const char help[] =
    "usage: pipe-atomic [--writers N] [--size N]\n"
    "  --writers N  so many write at the same time (4)\n"
    "  --size N     bytes in a record (PIPE_BUF); above it they are torn\n";

/* What Parent knows of the record that a Writer is about to send. */
static struct {
    long at, done;
    bool torn;
} record[MAX_WRITERS + 1];

static long number(const char *option, const char *word, long max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "%s must be a number from 1 to %ld: %s", option, max, word);
    return n;
}

static void writer(int n, const int fd[2], size_t size)
{
    char bytes[MAX_SIZE];

    close(fd[0]); /* if Parent dies, SIGPIPE ends us */
    memset(bytes, n, size);
    for (int i = 0; i < RECORDS; i++)
        if (write(fd[1], bytes, size) == -1) /* blocks until all is in */
            err(1, "Writer %d: write", n);
    close(fd[1]);
}

/* Waits until the kernel says that a process sleeps, or has ended. */
static void wait_until_asleep(pid_t pid)
{
    char path[64], line[512], state;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    do {
        FILE *file = fopen(path, "r");

        if (!file || !fgets(line, sizeof line, file))
            err(1, "%s", path);
        fclose(file);
        state = strrchr(line, ')')[2];
    } while (state != 'S' && state != 'Z' && sched_yield() == 0);
}

/* Looks at n bytes; returns how many records were found to be torn. */
static long look(const unsigned char *bytes, ssize_t n, long size)
{
    static int last;
    long torn = 0;

    for (ssize_t i = 0; i < n; i++) {
        int now = bytes[i];

        if (now != last && record[last].at > 0 && !record[last].torn) {
            record[last].torn = true;
            torn++;
        }
        last = now;
        if (++record[now].at == size) {
            record[now].at = 0;
            record[now].torn = false;
            record[now].done++;
        }
    }
    return torn;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "writers", required_argument, NULL, 'w' },
        { "size", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    long writers = 4, size = 0, torn = 0, whole = 0, pipe_buf;
    unsigned char bytes[4096];
    pid_t pid[MAX_WRITERS + 1];
    int fd[2], opt, status, failed = 0;
    ssize_t n = 1;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (opt) {
        case 'w':
            writers = number("--writers", optarg, MAX_WRITERS);
            break;
        case 's':
            size = number("--size", optarg, MAX_SIZE);
            break;
        default:
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    if (pipe(fd) == -1)
        err(1, "pipe");
    pipe_buf = fpathconf(fd[0], _PC_PIPE_BUF);
    if (pipe_buf == -1)
        err(1, "PIPE_BUF");
    if (!size)
        size = pipe_buf;
    printf("Parent: PIPE_BUF is %ld, each Writer sends %d records of %ld\n",
           pipe_buf, RECORDS, size);

    signal(SIGPIPE, SIG_DFL); /* whoever started us may ignore it */
    for (int i = 1; i <= writers; i++) {
        switch (pid[i] = fork()) {
        case -1:
            warn("fork of Writer %d", i);
            close(fd[0]); /* the others die of SIGPIPE */
            while (wait(NULL) > 0)
                ;
            return 1;
        case 0:
            writer(i, fd, (size_t)size);
            exit(0);
        }
    }

    close(fd[1]);

    /*
     * At first Parent reads only when the pipe is full and all are asleep:
     * they stand in line for the room that a read makes, and one whose
     * record has not gone in whole goes to the end of the line.
     */
    for (int reads = 0; n > 0; reads++) {
        for (int i = 1; reads < 20 && i <= writers; i++)
            wait_until_asleep(pid[i]);
        n = read(fd[0], bytes, sizeof bytes);
        if (n == -1)
            err(1, "read");
        torn += look(bytes, n, size);
    }
    close(fd[0]);

    while (wait(&status) > 0)
        failed += status != 0;
    for (long i = 1; i <= writers; i++)
        whole += record[i].done == RECORDS && record[i].at == 0;
    printf("Parent has all records of %ld of %ld Writers\n", whole, writers);
    printf("Parent: %ld torn\n", torn);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    if (torn)
        errx(1, "records above PIPE_BUF (%ld) can be torn", pipe_buf);
    return failed || whole != writers;
}
