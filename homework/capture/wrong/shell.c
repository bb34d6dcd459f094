/*
 * Wrong: popen does the work, and its shell takes some words apart.
 * Loses: the command gets its words and its standard input as they are
 * Loses: 128 + the signal if the command is killed
 * Loses: 127 if there is no such command, 126 if it may not be run
 * Loses: it works when it is started with SIGCHLD ignored
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void show(const char *name, FILE *from)
{
    static char bytes[1 << 20];
    size_t n = fread(bytes, 1, sizeof bytes, from);

    printf("%s, %zu bytes:\n", name, n);
    fwrite(bytes, 1, n, stdout);
    if (n > 0 && bytes[n - 1] != '\n')
        putchar('\n');
}

int main(int argc, char *argv[])
{
    char line[1 << 16] = "", path[] = "/tmp/capture.XXXXXX";
    FILE *out, *error;
    int fd, status;

    for (int i = 1; i < argc; i++) {
        strcat(line, "'");
        strcat(line, argv[i]);
        strcat(line, "' ");
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd == -1)
        err(1, "mkostemp");
    strcat(line, "2>");
    strcat(line, path);

    out = popen(line, "re");
    if (out == NULL)
        err(1, "popen");
    show("stdout", out);
    status = pclose(out);
    if (status == -1)
        err(1, "pclose");
    error = fopen(path, "re");
    if (error == NULL)
        err(1, "fopen");
    show("stderr", error);
    unlink(path);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
