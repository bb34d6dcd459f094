/*
 * Wrong: a shell does the work, and takes some words apart.
 * Loses: words arrive as they are, and the first -- divides
 * Loses: without two commands it is refused, with status 2
 * Loses: if there can be no pipe, it says so and runs nothing
 * Loses: it works when it is started with SIGCHLD ignored
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

int main(int argc, char *argv[])
{
    char line[4096] = "";
    int status;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            strcat(line, "| ");
        } else {
            strcat(line, "'");
            strcat(line, argv[i]);
            strcat(line, "' ");
        }
    }
    status = system(line);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
