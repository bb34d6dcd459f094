/*
 * coprocess - a filter that answers, line by line, behind two pipes
 *
 * usage: coprocess [--no-flush]
 *
 * Child is a filter: it adds the numbers that it reads from its standard
 * input, as it would at a terminal. Parent has put a pipe there, and another
 * at Child's standard output, sends a question and waits for the answer.
 *
 * Watch   the filter's fflush. To a terminal stdio writes each line at once,
 *         to a pipe only when its buffer is full.
 * Try     coprocess --no-flush    the sum stays in the filter's buffer
 * Read    setvbuf(3), stdio(3); Stevens & Rago, APUE, 15.4
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

/* Makes fd the standard descriptor n. */
static void move(int fd, int n)
{
    if (fd == n) /* they are equal if we were started without n */
        return;
    if (dup2(fd, n) == -1)
        err(1, "dup2");
    close(fd);
}

/* Sends a line and prints the answer; false if none comes. */
static bool ask(const char *question, FILE *to, FILE *from)
{
    char answer[100];

    printf("Parent sends: %s\n", question);
    fprintf(to, "%s\n", question);
    fflush(to);
    if (!fgets(answer, sizeof answer, from))
        return false;
    printf("Parent got: %s", answer);
    return true;
}

int main(int argc, char *argv[])
{
    int to[2], from[2], status;
    FILE *question, *answer;
    bool answered;

    no_flush = argc > 1 && strcmp(argv[1], "--no-flush") == 0;
    if (argc > 1 + no_flush)
        errx(2, "%s", usage);

    if (pipe(to) == -1)
        err(1, "pipe");
    if (pipe(from) == -1)
        err(1, "pipe");
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(no_flush ? 1 : 10); /* ends a wait that nobody else will end */
        close(to[1]);
        close(from[0]);
        move(to[0], STDIN_FILENO);
        move(from[1], STDOUT_FILENO);
        filter();
        exit(0);
    }
    close(to[0]);
    close(from[1]);
    setvbuf(stdout, NULL, _IOLBF, 0); /* Parent's, after the fork */

    question = fdopen(to[1], "w");
    if (!question)
        err(1, "fdopen");
    answer = fdopen(from[0], "r");
    if (!answer)
        err(1, "fdopen");
    answered = ask("1 2", question, answer) && ask("40 2", question, answer);
    fclose(question); /* the filter sees the end of file, and ends */

    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Parent waits for the sum, Child for more to read:"
                  " the sum is in Child's stdio buffer");
    return status != 0 || !answered;
}
