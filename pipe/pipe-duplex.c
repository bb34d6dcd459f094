/*
 * pipe-duplex - two pipes make a channel with two directions
 *
 * usage: pipe-duplex [--one-pipe]
 *
 * Parent writes a line into the first pipe; Child reads it, turns it into
 * capitals and writes it into the second one, where Parent reads the answer.
 * When Parent closes its write end, Child sees the end of file and ends.
 *
 * Watch   question and answer take turns: each read waits for the other's
 *         write, no other synchronisation is needed.
 * Try     pipe-duplex --one-pipe    Parent reads its own question
 * Read    pipe(7), pipe(2); TLPI, exercise 44-1; APUE, 15.2 and 15.4
 */
#include <ctype.h>
#include <err.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: pipe-duplex [--one-pipe]\n"
    "  --one-pipe  wrong: the answer shall come through the same pipe\n";

/*
 * Reads up to a newline, which is replaced; returns false at the end of file.
 * A byte at a time, for a line may arrive in pieces, or with the next one.
 */
static bool read_line(int fd, char *line, size_t size)
{
    size_t length = 0;
    ssize_t n;

    while ((n = read(fd, line + length, 1)) == 1) {
        if (line[length] == '\n')
            break;
        if (++length == size)
            errx(1, "a line is longer than %zu bytes", size - 1);
    }
    if (n == -1)
        err(1, "read");
    line[length] = '\0';
    return n == 1;
}

static void write_line(int fd, const char *line)
{
    char text[128];
    int length = snprintf(text, sizeof text, "%s\n", line);

    /* So few bytes (PIPE_BUF) go in whole, or not at all. */
    if (write(fd, text, (size_t)length) == -1)
        err(1, "write");
}

static void child(int questions, int answers)
{
    char line[100];

    while (read_line(questions, line, sizeof line)) {
        for (char *c = line; *c; c++)
            *c = (char)toupper((unsigned char)*c);
        write_line(answers, line);
    }
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "one-pipe", no_argument, NULL, 'o' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static const char *questions[] = {
        "can you hear me?",
        "is there another pipe?",
        "do you see the end of file?",
    };
    int to_child[2], from_child[2], gate[2], opt, status;
    bool one_pipe = false, own = false;
    char answer[100];
    pid_t pid;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != 'o') {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
        one_pipe = true;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    if (pipe(to_child) == -1)
        err(1, "pipe");
    if (one_pipe) {
        from_child[0] = dup(to_child[0]);
        from_child[1] = dup(to_child[1]);
        if (from_child[0] == -1 || from_child[1] == -1)
            err(1, "dup");
    } else if (pipe(from_child) == -1) {
        err(1, "pipe");
    }
    if (pipe(gate) == -1)
        err(1, "pipe");

    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        close(to_child[1]);
        close(from_child[0]);
        close(gate[1]);
        if (!one_pipe)
            child(to_child[0], from_child[1]);
        else /* both would read here: let Parent be the first */
            read_line(gate[0], answer, sizeof answer);
        close(to_child[0]);
        close(from_child[1]);
        close(gate[0]);
        exit(0);
    }
    close(to_child[0]);
    close(from_child[1]);
    close(gate[0]);

    for (size_t i = 0; !own && i < sizeof questions / sizeof *questions;
         i++) {
        printf("Parent asks: %s\n", questions[i]);
        write_line(to_child[1], questions[i]);
        if (!read_line(from_child[0], answer, sizeof answer))
            errx(1, "Child has closed its end without an answer");
        printf("Parent got: %s\n", answer);
        own = strcmp(answer, questions[i]) == 0;
    }
    close(to_child[1]); /* Child's read says 0, and Child ends */
    close(from_child[0]);
    close(gate[1]);

    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    if (own)
        errx(1, "Parent got its own question: one pipe, one direction");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
