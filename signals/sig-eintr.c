/*
 * sig-eintr - a signal interrupts a slow read, or does it?
 *
 * usage: sig-eintr
 *
 * Reader reads an empty pipe. When it is asleep, Sender sends SIGUSR1. The
 * handler returns, and read fails with EINTR; or, if the handler was
 * installed with SA_RESTART, the kernel calls read again.
 *
 * Watch   one flag of sigaction decides what the same read returns.
 * Try     strace -f sig-eintr    ERESTARTSYS twice, and what became of it
 * Read    signal(7), "Interruption of system calls"; sigaction(2);
 *         Kerrisk, TLPI, 21.5; Stevens & Rago, APUE, 10.5
 */
#ifndef __linux__
#error "sig-eintr needs Linux: /proc"
#endif
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] = "usage: sig-eintr\n";

static int news; /* Reader's pipe to Sender: a byte for each step */

static void handler(int sig)
{
    static const char line[] = "Reader: the handler runs\n";
    int saved = errno;

    (void)sig;
    if (write(STDOUT_FILENO, line, sizeof line - 1) != sizeof line - 1 ||
        write(news, "h", 1) != 1)
        _exit(1); /* Sender misses the byte, and says so */
    errno = saved;
}

/* Reads once, with the handler installed as flags say. */
static ssize_t read_once(int data, int flags, const char *name)
{
    struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };
    char text[64];
    ssize_t n;

    sigemptyset(&sa.sa_mask);
    if (sigaction(SIGUSR1, &sa, NULL) == -1)
        err(1, "sigaction");
    printf("Reader: sa_flags is %s, calls read\n", name);
    if (write(news, "r", 1) == -1)
        err(1, "write");

    n = read(data, text, sizeof text); /* the next sleep is in here */
    if (n == -1 && errno != EINTR)
        err(1, "read");
    if (n == -1)
        printf("Reader: read says -1, errno is EINTR\n");
    else
        printf("Reader: read says %zd: %.*s\n", n, (int)n, text);
    return n;
}

static void reader(int data)
{
    if (read_once(data, 0, "0") != -1)
        errx(1, "read was not interrupted");
    if (read_once(data, SA_RESTART, "SA_RESTART") <= 0)
        errx(1, "read was not restarted");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
}

/* Waits for Reader's next step, but not for ever. False: there is none. */
static bool next_step(int steps)
{
    struct pollfd reader = { .fd = steps, .events = POLLIN };
    char byte;

    return poll(&reader, 1, 5000) == 1 && read(steps, &byte, 1) == 1;
}

/* Goes round until the kernel says that pid sleeps. False: it has ended. */
static bool is_asleep(pid_t pid)
{
    char path[64], state;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    for (;; sched_yield()) {
        FILE *stat = fopen(path, "r");

        if (!stat)
            err(1, "%s", path);
        if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
            errx(1, "%s: there is no state in it", path);
        fclose(stat);
        if (state == 'S' || state == 'Z')
            return state == 'S';
    }
}

/* Sends SIGUSR1 into Reader's read; returns after its handler has run. */
static bool interrupt(pid_t pid, int steps)
{
    if (!next_step(steps) || !is_asleep(pid))
        return false;
    printf("Sender: Reader sleeps in read, SIGUSR1 to it\n");
    if (kill(pid, SIGUSR1) == -1)
        err(1, "kill");
    return next_step(steps);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int data[2], step[2], opt, status;
    bool as_planned;
    pid_t pid;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (pipe(data) == -1 || pipe(step) == -1)
        err(1, "pipe");
    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        close(data[1]); /* so that Reader's read ends if Sender dies */
        close(step[0]);
        news = step[1];
        reader(data[0]);
        close(data[0]);
        close(news);
        exit(0);
    }
    close(step[1]);

    as_planned = interrupt(pid, step[0]) && interrupt(pid, step[0]);
    if (as_planned && is_asleep(pid)) {
        printf("Sender: Reader sleeps in read again, writes hello\n");
        if (write(data[1], "hello", 5) == -1)
            err(1, "write");
    }
    close(data[0]); /* open until now: a Reader that died is no SIGPIPE */
    close(data[1]); /* end of file, should Reader still wait */
    close(step[0]);

    if (wait(&status) == -1)
        err(1, "wait");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    if (!as_planned)
        errx(1, "the signal did not do to read what it should");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
