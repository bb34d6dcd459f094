/*
 * forks - what may happen between a fork and the next line
 *
 * Preloaded. LATE_CHILD=MS and LATE_PARENT=MS: after each fork the child, or
 * its parent, naps for so long before it goes on, so that a program that
 * trusts in who is first, or in a sleep of its own, shows it. DOOMED=N: the
 * Nth child is killed as it starts. HELD_CHILD=1: each child stops as it
 * starts, until it gets SIGCONT. A command that the program becomes is left
 * alone.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

static long late_child, late_parent, doomed, held_child, children;

static void nap(long ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static void before(void)
{
    children++;
}

static void in_parent(void)
{
    if (late_parent)
        nap(late_parent);
}

static void in_child(void)
{
    if (children == doomed)
        raise(SIGKILL);
    if (held_child)
        raise(SIGSTOP);
    if (late_child)
        nap(late_child);
}

static long take(const char *name)
{
    const char *value = getenv(name);
    long number = value ? atol(value) : 0;

    unsetenv(name);
    return number;
}

__attribute__((constructor)) static void start(void)
{
    late_child = take("LATE_CHILD");
    late_parent = take("LATE_PARENT");
    doomed = take("DOOMED");
    held_child = take("HELD_CHILD");
    unsetenv("LD_PRELOAD");
    pthread_atfork(before, in_parent, in_child);
}
