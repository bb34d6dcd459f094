/*
 * forks - what may happen between a fork and the next line
 *
 * Preloaded. LATE_CHILD=MS and LATE_PARENT=MS: after each fork the child, or
 * its parent, naps for so long before it goes on, so that a program that
 * trusts in who is first, or in a sleep of its own, shows it. IN_TURN=MS: the
 * parent goes on when the child has ended, or after that time. DOOMED=N: the
 * Nth child is killed as it starts. HELD_CHILD=1: each child stops as it
 * starts, until it gets SIGCONT. A command that the program becomes is left
 * alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long late_child, late_parent, in_turn, doomed, held_child, children;

static void nap(long ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* The kernel lists a thread's children in the order of their start. */
static pid_t youngest_child(void)
{
    char list[16384] = "", *last; /* a thousand children and more */
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    size_t size = 0;
    ssize_t n;

    while ((n = read(fd, list + size, sizeof list - 1 - size)) > 0)
        size += (size_t)n;
    close(fd);
    if (n == -1)
        return -1;
    if (size > 0)
        list[size - 1] = '\0'; /* each number has a space behind it */
    last = strrchr(list, ' ');
    return atoi(last ? last : list);
}

/* No nanosleep: a test may count those. */
static void until_it_has_ended(void)
{
    siginfo_t info;
    pid_t child = youngest_child();
    struct pollfd end = { .events = POLLIN };

    if (child == 0)
        return; /* it has ended, and left no zombie */
    end.fd = (int)syscall(SYS_pidfd_open, child, 0);
    /* strace is told before the parent is: that, too, must have happened. */
    if (poll(&end, 1, (int)in_turn) == 1 && end.fd != -1)
        while (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == -1 &&
               errno == EINTR)
            ;
    close(end.fd);
}

static void before(void)
{
    children++;
}

static void in_parent(void)
{
    int kept = errno;

    if (late_parent)
        nap(late_parent);
    if (in_turn)
        until_it_has_ended();
    errno = kept;
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
    in_turn = take("IN_TURN");
    doomed = take("DOOMED");
    held_child = take("HELD_CHILD");
    unsetenv("LD_PRELOAD");
    pthread_atfork(before, in_parent, in_child);
}
