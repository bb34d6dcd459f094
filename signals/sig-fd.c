/*
 * sig-fd - a signal that is read from a descriptor, beside a pipe
 *
 * usage: sig-fd
 *
 * SIGUSR1 and SIGTERM are blocked, and Server has a descriptor for them. It
 * polls that and a pipe: both are just something to read. Client writes to
 * the pipe and sends signals in turn, and waits for an answer each time.
 *
 * Watch   no handler: what is safe in a loop is safe here, even printf.
 * Try     strace -f sig-fd    a signal is a read of 128 bytes
 * Read    signalfd(2), poll(2); Kerrisk, TLPI, 22.11, 63.5
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sig-fd needs Linux: signalfd"
#endif
#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static void server(int words, int signals, int answers)
{
    struct pollfd fds[] = { { .fd = words, .events = POLLIN },
                            { .fd = signals, .events = POLLIN } };
    struct signalfd_siginfo info = { 0 };
    char word[16];

    while (info.ssi_signo != SIGTERM) {
        if (poll(fds, 2, -1) == -1)
            err(1, "poll");
        if (fds[0].revents) {
            ssize_t n = read(words, word, sizeof word);

            if (n == -1)
                err(1, "read");
            if (n == 0)
                errx(1, "Client has gone without a SIGTERM");
            printf("Server: the pipe is readable: %.*s\n", (int)n, word);
        }
        if (fds[1].revents) {
            if (read(signals, &info, sizeof info) == -1)
                err(1, "read");
            printf("Server: the signalfd is readable: %s\n",
                   info.ssi_signo == SIGUSR1 ? "SIGUSR1" : "SIGTERM");
        }
        if (write(answers, "", 1) == -1)
            err(1, "write");
    }
}

/* Waits until Server has dealt with it, or the order would be luck. */
static void wait_for_answer(int answers)
{
    char byte;

    if (read(answers, &byte, 1) == -1)
        err(1, "read");
}

static void client(pid_t pid, int words, int answers)
{
    for (int i = 0; i < 2; i++) {
        if (write(words, i == 0 ? "one" : "two", 3) == -1)
            err(1, "write");
        wait_for_answer(answers);
        kill(pid, i == 0 ? SIGUSR1 : SIGTERM);
        wait_for_answer(answers);
    }
}

int main(int argc, char *argv[])
{
    int word[2], answer[2], signals, status;
    sigset_t set;
    pid_t pid;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: sig-fd", argv[1]);

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    /* Not blocked, they would be delivered, and never be there to read. */
    if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
        err(1, "sigprocmask");
    signals = signalfd(-1, &set, 0);
    if (signals == -1)
        err(1, "signalfd");

    if (pipe(word) == -1)
        err(1, "pipe");
    if (pipe(answer) == -1)
        err(1, "pipe");
    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        alarm(10); /* ends an endless wait */
        close(word[1]);
        server(word[0], signals, answer[1]);
        exit(0);
    }
    close(answer[1]);
    client(pid, word[1], answer[0]);

    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: Server waits in poll");
    return status != 0;
}
