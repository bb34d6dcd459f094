/* Right: two threads, each waits for one command with waitid. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct job {
    pthread_t thread;
    pid_t pid;
    siginfo_t end;
};

static void *collect(void *arg)
{
    struct job *job = arg;

    while (waitid(P_PID, (id_t)job->pid, &job->end, WEXITED) == -1 &&
           errno == EINTR)
        ;
    return NULL;
}

static void run(char **words, int end, int as)
{
    int flags = fcntl(end, F_GETFD);

    if (end == as)
        fcntl(end, F_SETFD, flags & ~FD_CLOEXEC);
    else
        dup2(end, as);
    execvp(*words, words);
    dprintf(2, "connect2 could not execute '%s'\n", *words);
    _exit(errno == ENOENT ? 127 : 126);
}

int main(int argc, char *argv[])
{
    struct job jobs[2];
    int split;
    int end[2];

    for (split = 1; split < argc; split++)
        if (!strcmp(argv[split], "--"))
            break;
    if (argc < 4 || split == 1 || split >= argc - 1) {
        dprintf(2, "%s: CMD1 -- CMD2\n", argv[0]);
        exit(2);
    }
    argv[split] = 0;

    signal(SIGCHLD, SIG_DFL);
    if (pipe2(end, O_CLOEXEC)) {
        dprintf(2, "a pipe could not be made: %s\n", strerror(errno));
        exit(1);
    }
    if ((jobs[0].pid = fork()) == 0)
        run(argv + 1, end[1], 1);
    if ((jobs[1].pid = fork()) == 0)
        run(argv + split + 1, end[0], 0);
    close(end[1]);
    close(end[0]);
    for (int i = 0; i < 2; i++) {
        if (jobs[i].pid == -1 ||
            pthread_create(&jobs[i].thread, NULL, collect, &jobs[i])) {
            dprintf(2, "cannot start: %s\n", strerror(errno));
            exit(1);
        }
    }
    pthread_join(jobs[0].thread, NULL);
    pthread_join(jobs[1].thread, NULL);
    exit(jobs[1].end.si_code == CLD_EXITED ? jobs[1].end.si_status
                                           : 128 + jobs[1].end.si_status);
}
