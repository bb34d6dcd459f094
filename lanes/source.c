/*
 * source.c - the source line of a call: strace -k prints the stack under
 * it, addr2line knows the line of an address
 *
 * A return address is behind the call, perhaps in the next line already:
 * the byte before it is asked for.
 */
#include "log.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct known {
    struct known *next;
    char *where; /* "file address" */
    char line[64];
} * known;

static void ask(const char *file, unsigned long address, char *line,
                size_t size)
{
    char at[32], text[512] = "", *base;
    int fd[2];
    pid_t pid;
    FILE *in;

    snprintf(at, sizeof at, "0x%lx", address);
    *line = '\0';
    if (pipe2(fd, O_CLOEXEC) == -1)
        return;
    pid = fork();
    if (pid == 0) {
        dup2(fd[1], 1);
        execlp("addr2line", "addr2line", "-i", "-e", file, at, (char *)NULL);
        _exit(127);
    }
    close(fd[1]);
    in = fdopen(fd[0], "r");
    if (pid == -1 || !in) {
        close(fd[0]);
        return;
    }
    /* Of inlined functions the library's come first: read is one. */
    while (fgets(text, sizeof text, in) &&
           strncmp(text, "/usr/include/", 13) == 0)
        ;
    fclose(in);
    waitpid(pid, NULL, 0);
    text[strcspn(text, "\n ")] = '\0';
    if (*text == '\0' || *text == '?' || strstr(text, ":?") ||
        strstr(text, ":0"))
        return;
    base = strrchr(text, '/');
    copy(line, size, base ? base + 1 : text);
}

/* The first frame that is not the C library's and has a line. */
void source_line(char *frames, char *text, size_t size)
{
    *text = '\0';
    for (char *line = strtok(frames, "\n"); line; line = strtok(NULL, "\n")) {
        char file[300], where[340], *open = strchr(line, '('),
                                    *at = strrchr(line, '[');
        unsigned long address;
        struct known *k;

        line += strspn(line, " >");
        if (!at || strncmp(at, "[0x", 3) != 0)
            continue;
        address = strtoul(at + 1, NULL, 16);
        if (!open || open > at)
            open = at;
        snprintf(file, sizeof file, "%.*s", (int)(open - line), line);
        file[strcspn(file, " ")] = '\0';
        if (strncmp(file, "/lib", 4) == 0 || strncmp(file, "/usr/", 5) == 0 ||
            *file != '/' || address == 0)
            continue;
        snprintf(where, sizeof where, "%s %lx", file, address);
        for (k = known; k && strcmp(k->where, where) != 0; k = k->next)
            ;
        if (!k) {
            k = zeros(1, sizeof *k);
            k->where = same(where);
            ask(file, address - 1, k->line, sizeof k->line);
            k->next = known;
            known = k;
        }
        if (*k->line) {
            copy(text, size, k->line);
            return;
        }
    }
}
