/*
 * sig-unsafe - what a handler may call, and what locks the process up
 *
 * usage: sig-unsafe [--printf]
 *
 * Child has two threads. Main is changing the total, under a lock, when a
 * signal interrupts it. Logger is printing to stdout, and wants the total.
 * Main's handler writes with write(2), which needs no lock; Main goes on,
 * unlocks the total, and then Logger goes on.
 *
 * Watch   the handler borrows a thread, with all the locks that it holds.
 * Try     sig-unsafe --printf    it waits for Logger, which waits for Main
 * Read    signal-safety(7), flockfile(3); Kerrisk, TLPI, 21.1.2;
 *         Stevens & Rago, APUE, 10.6
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] = "usage: sig-unsafe [--printf]\n"
                            "  --printf  wrong: the handler calls printf";
static bool use_printf;
static pthread_mutex_t total_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t logger_prints;
static int total = 41;

static void handler(int sig)
{
    (void)sig;
    if (use_printf)
        printf("Main's handler: got signal\n"); /* waits: Logger has stdout */
    else if (write(STDOUT_FILENO, "Main's handler: got signal\n", 27) == -1)
        _exit(1);
}

/*
 * Each printf locks its stream while it prints. flockfile takes that very
 * lock, so Logger is in the middle of printing until it calls funlockfile.
 */
static void *logger(void *unused)
{
    (void)unused;
    flockfile(stdout);
    printf("Logger prints, and wants the total\n");
    pthread_barrier_wait(&logger_prints);

    pthread_mutex_lock(&total_lock); /* waits for Main */
    printf("Logger: the total is %d\n", total);
    pthread_mutex_unlock(&total_lock);
    funlockfile(stdout);
    return NULL;
}

static void child(void)
{
    struct sigaction sa = { .sa_handler = handler };
    pthread_t thread;

    sigemptyset(&sa.sa_mask);
    if (sigaction(SIGUSR1, &sa, NULL) == -1)
        err(1, "sigaction");
    pthread_barrier_init(&logger_prints, NULL, 2);

    printf("Main changes the total\n");
    pthread_mutex_lock(&total_lock);
    errno = pthread_create(&thread, NULL, logger, NULL);
    if (errno)
        err(1, "pthread_create");
    pthread_barrier_wait(&logger_prints);
    raise(SIGUSR1); /* to this thread; returns when the handler has */
    total++;
    pthread_mutex_unlock(&total_lock);

    errno = pthread_join(thread, NULL);
    if (errno)
        err(1, "pthread_join");
    printf("Main: Logger has ended\n");
}

int main(int argc, char *argv[])
{
    int status;

    use_printf = argc > 1 && strcmp(argv[1], "--printf") == 0;
    if (argc > 1 + use_printf)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        alarm(use_printf ? 1 : 10); /* ends an endless wait */
        child();
        exit(0);
    }
    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        errx(124, "stuck: the handler waits for Logger's stdout, Logger for "
                  "the total");
    return status != 0;
}
