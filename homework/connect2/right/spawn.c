/* Right: posix_spawn with file actions, close-on-exec ends, no code in a
 * child. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static pid_t launch(char **words, int from, int to, int *code)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    int error;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, from, to);
    error = posix_spawnp(&pid, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error == 0)
        return pid;
    fprintf(stderr, "cannot start %s (%s)\n", words[0], strerror(error));
    *code = error == ENOENT ? 127 : 126;
    return -1;
}

/* Moves both ends beyond the standard descriptors. */
static int lift(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    if (high == -1) {
        perror("fcntl");
        exit(1);
    }
    close(fd);
    return high;
}

int main(int argc, char **argv)
{
    int ends[2], code = 0, unused, i = 1, status;
    pid_t writer, reader;
    char **second;

    while (i < argc && strcmp(argv[i], "--") != 0)
        ++i;
    if (i < 2 || i + 1 >= argc) {
        fputs("I need two commands, and -- between them.\n", stderr);
        return 2;
    }
    argv[i] = NULL;
    second = &argv[i + 1];

    signal(SIGCHLD, SIG_DFL);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        perror("no pipe");
        return 1;
    }
    ends[0] = lift(ends[0]);
    ends[1] = lift(ends[1]);
    writer = launch(&argv[1], ends[1], 1, &unused);
    reader = launch(second, ends[0], 0, &code);
    close(ends[0]);
    close(ends[1]);
    if (reader > 0 && waitpid(reader, &status, 0) == reader)
        code =
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (writer > 0)
        waitpid(writer, NULL, 0);
    return code;
}
