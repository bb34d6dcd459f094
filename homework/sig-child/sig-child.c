/*
 * sig-child - SIGCHLD says that children have ended, not how many
 *
 * usage: sig-child [CHILDREN]
 *
 * (Say here in three lines what happens. The task is in README.md.)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] = "usage: sig-child [CHILDREN]";

int main(int argc, char *argv[])
{
    (void)argv;
    if (argc > 2)
        errx(2, "%s", usage);

    /* sigaction, sigprocmask, fork, waitid, sigprocmask; waitpid */
    errx(1, "not written yet");
}
