/*
 * sig-fd - a signal that is read from a descriptor, beside a pipe
 *
 * usage: sig-fd
 *
 * Server blocks SIGUSR1 and SIGTERM and gets a descriptor for them. It polls
 * that and a pipe: both are just something to read. Client does one thing
 * after the other and waits for an answer each time.
 *
 * Watch   no handler: whatever is safe in a loop is safe here, even printf.
 * Try     strace -f sig-fd    a signal is a read of 128 bytes
 * Read    signalfd(2), poll(2); Kerrisk, TLPI, 22.11, 63.5
 */
#ifndef __linux__
#error "sig-fd needs Linux: signalfd"
#endif
#include <err.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] = "usage: sig-fd\n";

/* Waits until Server has dealt with it, or the order would be luck. */
static void wait_for_answer(int answers)
{
    char byte;

    if (read(answers, &byte, 1) != 1)
        errx(1, "Server gives no answer");
}

static void client(pid_t server, int words, int answers)
{
    union sigval value = { .sival_int = 42 };

    if (write(words, "one", 3) == -1)
        err(1, "write");
    wait_for_answer(answers);
    if (sigqueue(server, SIGUSR1, value) == -1)
        err(1, "sigqueue");
    wait_for_answer(answers);
    if (write(words, "two", 3) == -1)
        err(1, "write");
    wait_for_answer(answers);
    if (kill(server, SIGTERM) == -1)
        err(1, "kill");
    wait_for_answer(answers);
}

/* Answers until SIGTERM comes. */
static void serve(int words, int signals, int answers)
{
    struct pollfd source[2] = { { .fd = words, .events = POLLIN },
                                { .fd = signals, .events = POLLIN } };
    struct signalfd_siginfo info;
    char word[16];

    do {
        info.ssi_signo = 0;
        if (poll(source, 2, -1) == -1)
            err(1, "poll");
        if (source[0].revents) {
            ssize_t n = read(words, word, sizeof word);

            if (n == -1)
                err(1, "read");
            if (n == 0)
                errx(1, "Client left without a SIGTERM");
            printf("Server: the pipe is readable: %.*s\n", (int)n, word);
        }
        if (source[1].revents) {
            /* One structure or more for a read, never a part of one. */
            if (read(signals, &info, sizeof info) != sizeof info)
                err(1, "read signalfd");
            if (info.ssi_signo == SIGUSR1)
                printf("Server: the signalfd is readable: SIGUSR1, %d\n",
                       info.ssi_int);
        }
        if (write(answers, "", 1) == -1)
            err(1, "write");
    } while (info.ssi_signo != SIGTERM);
    printf("Server: the signalfd is readable: SIGTERM, the end\n");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int word[2], answer[2], signals, opt, status;
    pid_t server = getpid();
    sigset_t set;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    /* Blocked, or they would be delivered, and never be there to read. */
    if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
        err(1, "sigprocmask");
    signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (signals == -1)
        err(1, "signalfd");

    if (pipe(word) == -1 || pipe(answer) == -1)
        err(1, "pipe");
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        close(signals);
        close(word[0]);
        close(answer[1]); /* so that Client sees it if Server dies */
        client(server, word[1], answer[0]);
        close(word[1]);
        close(answer[0]);
        exit(0);
    }
    close(word[1]);
    close(answer[0]);
    serve(word[0], signals, answer[1]);
    close(word[0]);
    close(answer[1]);
    close(signals);

    if (wait(&status) == -1)
        err(1, "wait");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
