/*
 * pipe-duplex - two pipes make a channel with two directions
 *
 * usage: pipe-duplex [--one-pipe]
 *
 * Parent writes a line into the first pipe. Child turns what it reads there
 * into capitals and writes it into the second pipe, where Parent reads the
 * answer. When Parent closes its write end, Child sees the end of file.
 *
 * Watch   each read waits until the other side has written.
 * Try     pipe-duplex --one-pipe    Parent reads its own question
 * Read    pipe(7), pipe(2); APUE, 15.2; Kerrisk, TLPI, exercise 44-1
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: pipe-duplex [--one-pipe]\n"
    "  --one-pipe  wrong: Parent reads where it has written";
static bool one_pipe;

static void child(int questions, int answers)
{
    char part[100];
    ssize_t n;

    while ((n = read(questions, part, sizeof part)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            part[i] = (char)toupper((unsigned char)part[i]);
        if (write(answers, part, (size_t)n) == -1)
            err(1, "write");
    }
    if (n == -1)
        err(1, "read");
}

int main(int argc, char *argv[])
{
    int to_child[2], from_child[2], status;
    const char *question = "can you hear me?\n";
    char answer[100];
    FILE *answers;

    one_pipe = argc > 1 && strcmp(argv[1], "--one-pipe") == 0;
    if (argc > 1 + one_pipe)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (pipe(to_child) == -1)
        err(1, "pipe");
    if (pipe(from_child) == -1)
        err(1, "pipe");
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(10); /* ends an endless wait */
        close(to_child[1]);
        close(from_child[0]);
        if (!one_pipe) /* or Child might read the question first */
            child(to_child[0], from_child[1]);
        exit(0);
    }
    if (!one_pipe)
        close(to_child[0]);
    close(from_child[1]);

    /* A line may come in parts: let stdio read on to its end. */
    answers = fdopen(one_pipe ? to_child[0] : from_child[0], "r");
    if (!answers)
        err(1, "fdopen");

    printf("Parent asks: %s", question);
    if (write(to_child[1], question, strlen(question)) == -1)
        err(1, "write");
    if (!fgets(answer, sizeof answer, answers))
        errx(1, "Child has ended without an answer");
    printf("Parent got: %s", answer);
    close(to_child[1]);

    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Child waits in read, and a write end is open");
    if (strcmp(answer, question) == 0)
        errx(1, "Parent got its own question: a pipe has one direction");
    return status != 0;
}
