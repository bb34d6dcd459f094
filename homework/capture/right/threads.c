/*
 * Right: posix_spawn says itself whether exec has worked; two threads read.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* One stream of the command, and the thread that empties it. */
struct stream {
    const char *title;
    int ends[2];
    char *data;
    size_t used, room;
    pthread_t thread;
};

static void die(const char *what, int error)
{
    fprintf(stderr, "capture cannot go on (%s): %s\n", what, strerror(error));
    exit(EXIT_FAILURE);
}

static void *empty(void *arg)
{
    struct stream *s = arg;
    ssize_t got;

    do {
        if (s->used == s->room) {
            s->room = s->room ? s->room * 2 : 512;
            s->data = realloc(s->data, s->room);
            if (!s->data)
                die("memory", ENOMEM);
        }
        got = read(s->ends[0], s->data + s->used, s->room - s->used);
        if (got > 0)
            s->used += (size_t)got;
    } while (got > 0 || (got == -1 && errno == EINTR));
    return NULL;
}

int main(int argc, char **argv)
{
    struct stream streams[] = { { .title = "stdout" },
                                { .title = "stderr" } };
    posix_spawn_file_actions_t actions;
    siginfo_t end;
    pid_t pid;
    int error;

    if (argc == 1) {
        fputs("What should I run?\n", stderr);
        return 2;
    }
    signal(SIGCHLD, SIG_DFL);
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 2; ++i) {
        if (pipe2(streams[i].ends, O_CLOEXEC))
            die(streams[i].title, errno);
        /* Out of the way of 0, 1 and 2. */
        for (int j = 0; j < 2; ++j) {
            int low = streams[i].ends[j];

            streams[i].ends[j] = fcntl(low, F_DUPFD_CLOEXEC, 3);
            if (streams[i].ends[j] == -1)
                die("a descriptor above 2", errno);
            close(low);
        }
        posix_spawn_file_actions_adddup2(&actions, streams[i].ends[1], i + 1);
    }
    error = posix_spawnp(&pid, argv[1], &actions, NULL, argv + 1, environ);
    if (error == EAGAIN || error == ENOMEM)
        die("no process", error);
    if (error) {
        fprintf(stderr, "'%s' does not run: %s\n", argv[1], strerror(error));
        return error == ENOENT ? 127 : 126;
    }

    for (int i = 0; i < 2; ++i) {
        close(streams[i].ends[1]);
        error = pthread_create(&streams[i].thread, NULL, empty, &streams[i]);
        if (error)
            die("no thread", error);
    }
    for (int i = 0; i < 2; ++i)
        pthread_join(streams[i].thread, NULL);
    if (waitid(P_PID, (id_t)pid, &end, WEXITED) == -1)
        die("waitid", errno);

    for (int i = 0; i < 2; ++i) {
        struct stream *s = &streams[i];

        printf("[%s] bytes: %zu\n", s->title, s->used);
        fwrite(s->data, s->used, 1, stdout);
        if (s->used && s->data[s->used - 1] != '\n')
            puts("");
    }
    return end.si_code == CLD_EXITED ? end.si_status : end.si_status + 128;
}
