/*
 * sig-unsafe - what a handler may call, and what locks the process up
 *
 * usage: sig-unsafe [--printf]
 *
 * A process has two threads. Main is interrupted in the middle of printing
 * to a diary, Logger in the middle of printing to stdout, and Logger wants
 * the diary next. Main's handler speaks up with write(2), which needs no
 * lock; Main goes on, and Logger after it.
 *
 * Watch   the handler borrows a thread that holds locks it cannot drop.
 * Try     sig-unsafe --printf    waits for Logger, which waits for Main
 * Read    signal-safety(7), flockfile(3); Kerrisk, TLPI, 21.1.2;
 *         Stevens & Rago, APUE, 10.6
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sig-unsafe needs Linux: PR_SET_PDEATHSIG"
#endif
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] = "usage: sig-unsafe [--printf]\n"
                           "  --printf  wrong: the handler calls printf\n";

static bool use_printf;
static volatile sig_atomic_t failed;
static FILE *diary;
static int lock_taken[2]; /* a pipe from Logger to Main */

static void handler(int sig)
{
    int saved = errno;

    (void)sig;
    if (use_printf)
        printf("Main's handler: got signal\n"); /* never comes back */
    else if (write(STDOUT_FILENO, "Main's handler: got signal\n", 27) != 27)
        failed = 1;
    errno = saved;
}

/*
 * Each printf locks its stream while it prints, and nothing more: flockfile
 * takes that very lock, so that "in the middle of printf" lasts until the
 * signal is there, and the moment is certain.
 */
static void *logger(void *unused)
{
    (void)unused;
    flockfile(stdout);
    printf("Logger: holds stdout, wants the diary\n");
    if (write(lock_taken[1], "", 1) == -1)
        err(1, "write");

    fprintf(diary, "an entry by Logger\n"); /* waits for Main */

    printf("Logger: has written to the diary\n");
    funlockfile(stdout);
    return NULL;
}

static void two_threads(void)
{
    struct sigaction sa = { .sa_handler = handler };
    pthread_t thread;
    char byte;

    sigemptyset(&sa.sa_mask);
    if (sigaction(SIGUSR1, &sa, NULL) == -1)
        err(1, "sigaction");
    diary = fopen("/dev/null", "w");
    if (!diary)
        err(1, "/dev/null");
    if (pipe(lock_taken) == -1)
        err(1, "pipe");

    printf("Main: holds the diary\n");
    flockfile(diary);
    errno = pthread_create(&thread, NULL, logger, NULL);
    if (errno)
        err(1, "pthread_create");
    if (read(lock_taken[0], &byte, 1) != 1)
        err(1, "read");

    raise(SIGUSR1); /* to this thread: the handler has run when it is back */

    fprintf(diary, "an entry by Main\n");
    funlockfile(diary);
    errno = pthread_join(thread, NULL);
    if (errno)
        err(1, "pthread_join");
    printf("Main: the diary is whole\n");

    close(lock_taken[0]);
    close(lock_taken[1]);
    if (fclose(diary) == EOF)
        err(1, "/dev/null");
    if (failed || ferror(stdout))
        errx(1, "not all could be written to stdout");
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "printf", no_argument, NULL, 'p' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int life[2], opt, status;
    pid_t parent = getpid(), pid;
    struct pollfd child;
    bool is_stuck;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != 'p') {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
        use_printf = true;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    /* The two threads are a child's, so that somebody is left to end it. */
    if (pipe(life) == -1)
        err(1, "pipe");
    pid = fork();
    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
            _exit(1);
        close(life[0]);
        two_threads();
        close(life[1]);
        exit(0);
    }
    close(life[1]);

    child = (struct pollfd){ .fd = life[0] };
    /* POLLHUP: it has ended. On a busy machine that may take a while. */
    is_stuck = poll(&child, 1, use_printf ? 1000 : 5000) == 0;
    close(life[0]);
    if (is_stuck) {
        warnx("stuck: Main's handler waits for stdout, which Logger holds,"
              " but Logger waits for the diary, which Main holds");
        kill(pid, SIGTERM);
    }
    if (waitpid(pid, &status, 0) == -1)
        err(1, "waitpid");
    if (is_stuck)
        return 124;
    if (WIFSIGNALED(status))
        errx(1, "the child was killed by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}
