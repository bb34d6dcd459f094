/*
 * sig-queue - three knocks: which signals are counted, and which carry data
 *
 * usage: sig-queue [VALUE...]
 *
 * Parent blocks SIGUSR1, SIGRTMIN and SIGRTMIN+1. Child sends each of them
 * once for every VALUE (default 10 20 30), SIGUSR1 with kill and the other
 * two with sigqueue, and ends. Then Parent takes what is pending.
 *
 * Watch   SIGUSR1 came once: it is a bit. The real-time signals are a
 *         queue each, and SIGRTMIN overtakes SIGRTMIN+1, sent before it.
 * Try     sig-queue 3 1 2 1    neither sorted nor merged
 *         ( ulimit -i 4; sig-queue )    how long may the queues be?
 * Read    signal(7), sigqueue(3), sigwaitinfo(2); Kerrisk, TLPI, 22.8
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] = "usage: sig-queue [VALUE...]\n";

/* sigqueue(3) sends an int along, or a pointer. */
static int value_of(const char *word)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(word, &end, 10);
    if (errno || *end || end == word || value < INT_MIN || value > INT_MAX)
        errx(2, "VALUE must be a number that fits an int: %s", word);
    return (int)value;
}

static void knock(pid_t parent, int sig, const char *name, char *values[])
{
    printf("Child sends %s:", name);
    for (char **value = values; *value; value++) {
        union sigval with = { .sival_int = value_of(*value) };

        printf(" %d", with.sival_int);
        if (sigqueue(parent, sig, with) == -1) {
            putchar('\n');
            warn("sigqueue");
            if (errno == EAGAIN)
                warnx("hint: ulimit -i is the most that may be pending");
            exit(1);
        }
    }
    putchar('\n');
}

static void child(pid_t parent, char *values[])
{
    int knocks = 0;

    for (char **value = values; *value; value++, knocks++)
        if (kill(parent, SIGUSR1) == -1)
            err(1, "kill");
    printf("Child sends SIGUSR1, times: %d\n", knocks);
    knock(parent, SIGRTMIN + 1, "SIGRTMIN+1", values);
    knock(parent, SIGRTMIN, "SIGRTMIN", values);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static char *three[] = { "10", "20", "30", NULL };
    static const struct timespec now = { 0 };
    pid_t parent = getpid();
    char **values = three;
    int opt, sig, status;
    siginfo_t info;
    sigset_t door;

    /* + leaves a VALUE like -1 alone, if -- stands before it. */
    while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (optind < argc)
        values = argv + optind;
    for (char **value = values; *value; value++)
        value_of(*value); /* refused before anything is sent */
    setvbuf(stdout, NULL, _IOLBF, 0);

    sigemptyset(&door);
    sigaddset(&door, SIGUSR1);
    sigaddset(&door, SIGRTMIN);
    sigaddset(&door, SIGRTMIN + 1);
    if (sigprocmask(SIG_BLOCK, &door, NULL) == -1) /* before there is Child */
        err(1, "sigprocmask");

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        child(parent, values);
        exit(0);
    }
    if (wait(&status) == -1)
        err(1, "wait");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return 1;
    printf("Parent: Child has gone, the signals are still here\n");

    /* Takes one after the other, the lowest number first; no handler. */
    while ((sig = sigtimedwait(&door, &info, &now)) != -1) {
        if (sig == SIGUSR1)
            printf("Parent got SIGUSR1\n");
        else if (info.si_code == SI_QUEUE) /* only then is there a value */
            printf("Parent got %s: %d\n",
                   sig == SIGRTMIN ? "SIGRTMIN" : "SIGRTMIN+1",
                   info.si_value.sival_int);
    }
    if (errno != EAGAIN) /* none is left: EAGAIN */
        err(1, "sigtimedwait");
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
