/*
 * coprocess - a filter that answers, line by line, behind two pipes
 *
 * usage: coprocess [--no-flush]
 *        coprocess filter [--no-flush]    add the numbers of each line
 *
 * Parent starts the filter with a pipe to its standard input and one from
 * its standard output, sends it two numbers, and reads their sum.
 *
 * Watch   the filter's fflush. On a terminal stdio writes line by line, to
 *         a pipe it writes when its buffer is full.
 * Try     coprocess --no-flush    the sum stays in the filter's buffer
 *         coprocess filter        the same filter at the terminal
 * Read    setvbuf(3), stdio(3); Stevens & Rago, APUE, 15.4
 */
#include <err.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: coprocess [--no-flush]\n"
    "       coprocess filter [--no-flush]\n"
    "  --no-flush  wrong: the filter leaves its answer in stdio's buffer\n";

static int filter(bool flush)
{
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) != -1) {
        double a, b;

        if (sscanf(line, "%lf %lf", &a, &b) == 2)
            printf("%.15g\n", a + b);
        else
            printf("two numbers, please\n");
        if (flush && fflush(stdout) == EOF)
            err(1, "stdout");
    }
    if (ferror(stdin))
        err(1, "stdin");
    free(line);
    return 0;
}

/* In a child: makes fd the standard descriptor n. */
static void move(int fd, int n)
{
    if (fd == n) /* if we were started with n closed */
        return;
    if (dup2(fd, n) == -1)
        err(1, "dup2");
    close(fd); /* close(2) cannot fail on an end that is open */
}

/* Sends lines to the filter and prints its answers; 124 if it is stuck. */
static int parent(FILE *to, FILE *from, bool no_flush)
{
    static const char *const questions[] = { "1 2", "40 2", "0.5 0.25" };
    char answer[64];

    setvbuf(to, NULL, _IOLBF, 0); /* this side, at least, is not stuck */
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        struct pollfd readable = { .fd = fileno(from), .events = POLLIN };

        printf("Parent sends: %s\n", questions[i]);
        if (fprintf(to, "%s\n", questions[i]) < 0)
            err(1, "write to the filter");
        if (no_flush && poll(&readable, 1, 1000) == 0) {
            warnx("stuck: Parent waits for the answer, the filter for the"
                  " next line: its answer is in its stdio buffer");
            return 124;
        }
        if (!fgets(answer, sizeof answer, from))
            errx(1, "the filter has ended without an answer");
        printf("Parent got: %s", answer);
    }
    return 0;
}

int main(int argc, char *argv[])
{
    static int no_flush;
    static const struct option options[] = {
        { "no-flush", no_argument, &no_flush, true },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int to[2], from[2], opt, stuck, status;
    FILE *question, *answer;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != 0) {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (optind < argc && strcmp(argv[optind], "filter") == 0 &&
        optind + 1 == argc)
        return filter(!no_flush);
    if (optind < argc)
        errx(2, "what is this: %s", argv[argc - 1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (pipe(to) == -1 || pipe(from) == -1)
        err(1, "pipe");
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        close(to[1]);
        close(from[0]);
        move(to[0], STDIN_FILENO);
        move(from[1], STDOUT_FILENO);
        execlp(argv[0], argv[0], "filter", no_flush ? "--no-flush" : NULL,
               NULL);
        warn("%s", argv[0]);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);

    question = fdopen(to[1], "w");
    answer = fdopen(from[0], "r");
    if (!question || !answer)
        err(1, "fdopen");
    stuck = parent(question, answer, no_flush);
    fclose(question); /* EOF: the filter flushes, and ends */
    fclose(answer);

    if (wait(&status) == -1)
        err(1, "wait");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    if (stuck)
        return stuck;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
