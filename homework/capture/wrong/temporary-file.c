/*
 * Wrong: two temporary files take what the command writes, not two pipes.
 * Loses: what the command leaves in the background is shown
 * Loses: if there can be no pipe or no process, it says so and shows nothing
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void show(const char *name, FILE *file)
{
    int c, last = '\n';

    fseek(file, 0, SEEK_END);
    printf("%s, %ld bytes:\n", name, ftell(file));
    rewind(file);
    while ((c = getc(file)) != EOF) {
        putchar(c);
        last = c;
    }
    if (last != '\n')
        putchar('\n');
}

int main(int argc, char *argv[])
{
    posix_spawn_file_actions_t actions;
    FILE *out, *error;
    int status, why;
    pid_t pid;

    if (argc < 2)
        errx(2, "usage: capture CMD [ARG...]");
    signal(SIGCHLD, SIG_DFL);
    while ((why = open("/dev/null", O_RDWR | O_CLOEXEC)) < 3)
        if (why == -1)
            err(1, "/dev/null");
    out = tmpfile();
    if (out == NULL)
        err(1, "tmpfile");
    error = tmpfile();
    if (error == NULL)
        err(1, "tmpfile");
    fcntl(fileno(out), F_SETFD, FD_CLOEXEC);
    fcntl(fileno(error), F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(out), 1);
    posix_spawn_file_actions_adddup2(&actions, fileno(error), 2);
    why = posix_spawnp(&pid, argv[1], &actions, NULL, argv + 1, environ);
    if (why != 0)
        errx(why == ENOENT ? 127 : 126, "%s: %s", argv[1], strerror(why));

    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    show("stdout", out);
    show("stderr", error);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
