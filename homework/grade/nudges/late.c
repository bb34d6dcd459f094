/*
 * late - one side of each fork comes late
 *
 * Preloaded. With LATE=child the child naps for 250 ms before it goes on,
 * with LATE=parent its parent does: a program that trusts in who is first, or
 * in a sleep, shows it. Commands that the program becomes are left alone.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 250000000 }, NULL);
}

__attribute__((constructor)) static void start(void)
{
    const char *late = getenv("LATE");

    if (late && strcmp(late, "child") == 0)
        pthread_atfork(NULL, NULL, nap);
    if (late && strcmp(late, "parent") == 0)
        pthread_atfork(NULL, nap, NULL);
    unsetenv("LD_PRELOAD");
    unsetenv("LATE");
}
