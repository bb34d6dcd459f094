/*
 * sig-eintr - a signal interrupts a slow read, or does it?
 *
 * usage: sig-eintr
 *
 * A child reads from an empty pipe. When it is asleep there, Parent sends
 * it SIGUSR1. The handler returns, and read fails with EINTR; or, if the
 * handler was installed with SA_RESTART, the kernel starts read again.
 *
 * Watch   one flag of sigaction decides what the same read returns.
 * Try     strace -f sig-eintr    ERESTARTSYS twice, and what comes of it
 * Read    signal(7), "Interruption of system calls"; sigaction(2);
 *         Kerrisk, TLPI, 21.5; Stevens & Rago, APUE, 10.5
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sig-eintr needs Linux: /proc"
#endif
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void handler(int sig)
{
    (void)sig;
    if (write(STDOUT_FILENO, "Handler: got signal\n", 20) == -1)
        _exit(1);
}

static void child(int n, int read_end, int flags)
{
    struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };
    char text[64];
    ssize_t got;

    sigemptyset(&sa.sa_mask);
    if (sigaction(SIGUSR1, &sa, NULL) == -1)
        err(1, "sigaction");

    got = read(read_end, text, sizeof text);
    if (got >= 0)
        printf("Child %d: read returns %zd: %.*s\n", n, got, (int)got, text);
    else if (errno == EINTR)
        printf("Child %d: read fails with EINTR\n", n);
    else
        err(1, "read");
}

/* Asks until the kernel says that the child sleeps, or is a zombie. */
static void wait_until_asleep(pid_t pid)
{
    char path[40], state = 'R';

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    while (state != 'S' && state != 'Z') {
        FILE *file = fopen(path, "r");

        if (!file)
            err(1, "%s", path);
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            errx(1, "%s: there is no state in it", path);
        fclose(file);
        sched_yield();
    }
}

/* Interrupts child n; returns how it ended, as wait(2) has it. */
static int status_of_child(int n, int flags)
{
    int fd[2], status;
    pid_t pid;

    printf("Parent starts Child %d, %s SA_RESTART\n", n,
           flags ? "with" : "without");
    if (pipe(fd) == -1)
        err(1, "pipe");
    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        alarm(10); /* ends an endless wait */
        close(fd[1]);
        child(n, fd[0], flags);
        exit(0);
    }

    wait_until_asleep(pid);
    printf("Parent sends SIGUSR1 to Child %d, asleep in read\n", n);
    kill(pid, SIGUSR1);
    if (flags) {
        wait_until_asleep(pid);
        printf("Parent writes hello to Child %d, asleep in read again\n", n);
        if (write(fd[1], "hello", 5) == -1)
            err(1, "write");
    }
    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Child %d waits in read", n);
    return status;
}

int main(int argc, char *argv[])
{
    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: sig-eintr", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    /* Child 2 starts only if all went well with Child 1. */
    return status_of_child(1, 0) != 0 || status_of_child(2, SA_RESTART) != 0;
}
