/*
 * coprocess - a filter that answers, line by line, behind two pipes
 *
 * usage: coprocess [--no-flush]
 *
 * Child is a filter: it reads two numbers a line from its standard input
 * and prints their sum, as it would at a terminal. Parent has put one pipe
 * at Child's standard input and one at its standard output. Parent sends a
 * question and waits for the answer.
 *
 * Watch   the filter's fflush. To a terminal stdio writes each line at once;
 *         to a pipe, only when its buffer is full or at exit.
 * Try     coprocess --no-flush    the sum stays in the filter's buffer
 * Read    setvbuf(3), stdbuf(1), pty(7); Stevens & Rago, APUE, 15.4
 */
#define _GNU_SOURCE
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: coprocess [--no-flush]\n"
    "  --no-flush  wrong: the filter leaves its answer in stdio's buffer";
static bool no_flush;

static void filter(void)
{
    int a, b;

    while (scanf("%d %d", &a, &b) == 2) {
        printf("%d\n", a + b);
        if (!no_flush)
            fflush(stdout);
    }
}

/* Moves fd to number n. They are equal if n was closed at the start. */
static void move(int fd, int n)
{
    if (fd == n)
        return;
    if (dup2(fd, n) == -1)
        err(1, "dup2");
    close(fd);
}

/* Sends a line and prints the answer; false if none comes. */
static bool ask(const char *numbers, FILE *to, FILE *from)
{
    char sum[100];

    printf("Parent sends: %s\n", numbers);
    fprintf(to, "%s\n", numbers);
    fflush(to);
    if (!fgets(sum, sizeof sum, from))
        return false;
    printf("Parent got: %s", sum);
    return true;
}

int main(int argc, char *argv[])
{
    int to_child[2], from_child[2], status;
    FILE *to, *from;
    bool answered;

    no_flush = argc > 1 && strcmp(argv[1], "--no-flush") == 0;
    if (argc > 1 + no_flush)
        errx(2, "%s", usage);

    if (pipe(to_child) == -1)
        err(1, "pipe");
    if (pipe(from_child) == -1)
        err(1, "pipe");
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(no_flush ? 1 : 10); /* ends an endless wait */
        close(to_child[1]);
        close(from_child[0]);
        move(to_child[0], STDIN_FILENO);
        move(from_child[1], STDOUT_FILENO);
        filter();
        exit(0);
    }
    close(to_child[0]);
    close(from_child[1]);
    /* Not before the fork: Child would inherit the line buffering. */
    setvbuf(stdout, NULL, _IOLBF, 0);

    to = fdopen(to_child[1], "w");
    if (!to)
        err(1, "fdopen");
    from = fdopen(from_child[0], "r");
    if (!from)
        err(1, "fdopen");
    answered = ask("1 2", to, from) && ask("40 2", to, from);
    fclose(to); /* the filter sees the end of file, and ends */

    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: the sum is in Child's stdio buffer");
    return status != 0 || !answered;
}
