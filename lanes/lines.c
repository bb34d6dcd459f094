/*
 * lines.c - addresses to source lines, by addr2line: see stack.h
 */
#include "stack.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ASKED = 256 };

/* ---- lines ------------------------------------------------------------ */

static bool same_file(const struct place *a, const struct place *b)
{
    return a->at && b->at && a->dev == b->dev && a->ino == b->ino;
}

/* Of inlined functions the library's come first: read is one. */
static void take_line(struct place *place[], int n, const struct place *of,
                      unsigned long at, char *text)
{
    char *base = strrchr(text, '/');

    text[strcspn(text, "\n ")] = '\0';
    if (*text == '?' || *text == '\0' || strstr(text, ":?") ||
        strstr(text, ":0") || strncmp(text, "/usr/include/", 13) == 0)
        return;
    if (base)
        text = base + 1;
    for (int i = 0; i < n; i++) {
        struct place *p = place[i];

        if (!same_file(p, of))
            continue;
        if (!*p->line && p->at == at && !p->outers)
            snprintf(p->line, sizeof p->line, "%.63s", text);
        for (int j = 0; j < p->outers; j++)
            if (!*p->outer[j].line && p->outer[j].at == at)
                snprintf(p->outer[j].line, sizeof p->outer[j].line, "%.63s",
                         text);
    }
}

/* The first of them with a line is the program's, what it calls the name. */
static void choose_outer(struct place *p)
{
    for (int j = 0; j < p->outers; j++)
        if (*p->outer[j].line) {
            memcpy(p->line, p->outer[j].line, sizeof p->line);
            memcpy(p->name, p->outer[j].name, sizeof p->name);
            return;
        }
}

/* Reads all that comes within a moment. */
static size_t read_soon(int fd, char *text, size_t size)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    size_t n = 0;
    ssize_t got;

    while (n < size - 1 && poll(&ready, 1, 500) > 0 &&
           (got = read(fd, text + n, size - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    return n;
}

/* Each address once. */
static int ask(char word[][20], int words, unsigned long at)
{
    if (words == ASKED)
        return words;
    snprintf(word[words], sizeof word[0], "0x%lx", at);
    for (int i = 0; i < words; i++)
        if (strcmp(word[i], word[words]) == 0)
            return words;
    return words + 1;
}

static void lines_of(struct place *place[], int n, struct place *of)
{
    static char text[65536], word[ASKED][20];
    char *argv[ASKED + 6] = { "addr2line", "-a", "-i", "-e", of->file };
    int fd[2], words = 0;
    unsigned long at = 0;
    pid_t pid;

    for (int i = 0; i < n; i++) {
        if (!same_file(place[i], of))
            continue;
        if (!place[i]->outers)
            words = ask(word, words, place[i]->at);
        for (int j = 0; j < place[i]->outers; j++)
            words = ask(word, words, place[i]->outer[j].at);
    }
    for (int i = 0; i < words; i++)
        argv[5 + i] = word[i];
    if (pipe2(fd, O_CLOEXEC) == -1)
        return;
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        dup2(fd[1], STDOUT_FILENO);
        dup2(null, STDIN_FILENO);
        dup2(null, STDERR_FILENO);
        execvp("addr2line", argv);
        _exit(127);
    }
    close(fd[1]);
    *text = '\0';
    if (pid > 0) {
        read_soon(fd[0], text, sizeof text);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    close(fd[0]);
    for (char *line = text, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        if (*end)
            *end++ = '\0';
        if (strncmp(line, "0x", 2) == 0)
            at = strtoul(line, NULL, 16);
        else
            take_line(place, n, of, at, line);
    }
}

void lines_find(struct place *place[], int n)
{
    for (int i = 0; i < n; i++) {
        bool before = !place[i]->at;

        for (int j = 0; j < i && !before; j++)
            before = same_file(place[j], place[i]);
        if (!before)
            lines_of(place, n, place[i]);
    }
    for (int i = 0; i < n; i++)
        choose_outer(place[i]);
}
