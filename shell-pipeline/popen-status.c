/*
 * popen-status - what pclose returns for a command that popen started
 *
 * usage: popen-status [COMMAND]
 *
 * popen makes a pipe, forks, and has a shell run COMMAND; pclose waits for
 * that shell and returns its wait status. Without COMMAND we read from four
 * commands, the last of which does not exist, and write to a fifth.
 *
 * Watch   the command that does not exist. popen succeeds all the same: it
 *         starts a shell. The shell complains, and its status is 127.
 * Try     popen-status 'ls /nosuch | wc -l'    whose status is it?
 * Read    popen(3), wait(2); Stevens & Rago, APUE, 15.3
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Closes, and says how the shell ended; returns what $? would be. */
static int finish(FILE *stream)
{
    int status = pclose(stream);

    if (status == -1)
        err(1, "pclose");
    if (WIFSIGNALED(status)) {
        printf("Parent: the shell was killed by signal %d (%s)\n",
               WTERMSIG(status), strsignal(WTERMSIG(status)));
        return 128 + WTERMSIG(status);
    }
    printf("Parent: the shell exited with status %d\n", WEXITSTATUS(status));
    return WEXITSTATUS(status);
}

static FILE *start(const char *command, const char *type)
{
    FILE *stream;

    printf("Parent: popen(\"%s\", \"%s\")\n", command, type);
    stream = popen(command, type);
    if (!stream)
        err(1, "popen"); /* no pipe, or no process */
    return stream;
}

static int read_from(const char *command)
{
    FILE *stream = start(command, "r");
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stream) != -1) {
        line[strcspn(line, "\n")] = '\0';
        printf("Parent read: %s\n", line);
    }
    free(line);
    return finish(stream);
}

static int write_to(const char *command)
{
    FILE *stream = start(command, "w");

    fputs("one\ntwo\n", stream);
    return finish(stream);
}

int main(int argc, char *argv[])
{
    if (argc > 2 || (argc == 2 && argv[1][0] == '-'))
        errx(2, "usage: popen-status [COMMAND]");
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (argc == 2)
        return read_from(argv[1]);
    read_from("echo hello");
    read_from("exit 3");
    read_from("kill -KILL $$");
    read_from("nosuchcommand");
    return write_to("wc -l");
}
