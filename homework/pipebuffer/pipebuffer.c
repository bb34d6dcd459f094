/*
 * pipebuffer - how much a pipe holds
 *
 * usage: pipebuffer [--chunk N] [--size N]
 *
 * (Say here in three lines what happens. The task is in README.md.)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] = "usage: pipebuffer [--chunk N] [--size N]";

int main(int argc, char *argv[])
{
    (void)argv;
    if (argc > 5)
        errx(2, "%s", usage);

    /* pipe, O_NONBLOCK, F_SETPIPE_SZ, F_GETPIPE_SZ, write, write, ... */
    errx(1, "not written yet");
}
