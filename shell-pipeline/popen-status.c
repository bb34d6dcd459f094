/*
 * popen-status - what pclose says of a command that popen started
 *
 * usage: popen-status [COMMAND]
 *
 * popen makes a pipe, forks, and has a shell run COMMAND; pclose waits for
 * the shell and returns its wait status. Without COMMAND four commands are
 * run, one of which does not exist.
 *
 * Watch   the command that does not exist: popen succeeds all the same. It
 *         has started a shell, and the shell complains, on stderr: only
 *         stdout is in the pipe. What went wrong is in the status: 127.
 * Try     popen-status 'ls /nosuch | wc -l'    whose status is it?
 * Read    popen(3), wait(2); Stevens & Rago, APUE, 15.3
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const char help[] = "usage: popen-status [COMMAND]\n";

/* Runs a command, shows its output and status; returns the shell's $?. */
static int show(const char *command)
{
    char *line = NULL;
    size_t room = 0;
    FILE *output;
    int status;

    printf("Parent: popen(\"%s\")\n", command);
    output = popen(command, "r");
    if (!output)
        err(1, "popen"); /* no pipe or no process: not a missing command */
    while (getline(&line, &room, output) != -1)
        printf("Parent read: %s%s", line, strchr(line, '\n') ? "" : "\n");
    free(line);

    status = pclose(output);
    if (status == -1)
        err(1, "pclose");
    if (WIFSIGNALED(status)) {
        printf("Parent: killed by signal %d, %s\n", WTERMSIG(status),
               strsignal(WTERMSIG(status)));
        return 128 + WTERMSIG(status);
    }
    printf("Parent: exited with status %d\n", WEXITSTATUS(status));
    return WEXITSTATUS(status);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int opt, status = 0;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (argc - optind > 1)
        errx(2, "COMMAND is one word to the shell, quote it: %s",
             argv[optind + 1]);

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (optind < argc) {
        status = show(argv[optind]);
    } else {
        show("echo hello");
        show("exit 3");
        show("kill -TERM $$");
        show("nosuchcommand");
    }
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return status;
}
