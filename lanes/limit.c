/*
 * limit.c - a timeout that says why: like timeout(1), and the verdict before
 * the end
 *
 * The command runs as it would alone: untraced, in our process group, with
 * its own terminal, signals and descriptors. We keep none of these open but
 * stderr. Whoever is orphaned becomes our child (PR_SET_CHILD_SUBREAPER), so
 * a daemon is found, too.
 */
#include "look.h"
#include "why.h"
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t command_pid;
static int command_status = -1; /* as wait tells it; -1: it runs */
static bool ignored_child;      /* SIGCHLD was ignored when we were started */
static int ending;              /* the signal that ends us, or 0 */

/* False when there is no child any more, so no descendant either. */
static bool reap(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == command_pid)
            command_status = status;
    return pid == 0;
}

static void start(char *command[], const sigset_t *mask)
{
    command_pid = fork();
    if (command_pid == -1)
        err(1, "fork");
    if (command_pid > 0)
        return;
    if (ignored_child)
        signal(SIGCHLD, SIG_IGN);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(command[0], command);
    warn("%s", command[0]);
    _exit(errno == ENOENT ? 127 : 126);
}

/* A pipe's reader must not wait for us. */
static void let_go(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null == -1)
        return;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (fcntl(STDERR_FILENO, F_GETFD) ==
        -1) /* or a file would get its place */
        dup2(null, STDERR_FILENO);
    close_range(3, ~0U, 0);
}

/* Does to us what a signal does that is blocked else. */
static void take_signal(int number)
{
    sigset_t one;

    sigemptyset(&one);
    sigaddset(&one, number);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    sigprocmask(SIG_BLOCK, &one, NULL);
}

static void on_signal(const siginfo_t *info, double *until)
{
    bool from_terminal = info->si_code > 0;
    double stood = monotonic();

    switch (info->si_signo) {
    case SIGCHLD:
        return;
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
        if (!from_terminal)
            kill(command_pid, info->si_signo);
        take_signal(info->si_signo); /* the shell must see us stopped, too */
        *until += monotonic() - stood;
        return;
    case SIGINT:
    case SIGQUIT:
    case SIGHUP:
    case SIGTERM:
        if (ending)
            return;
        ending = info->si_signo;
        if (*until > monotonic() + 1)
            *until = monotonic() + 1; /* it may end by itself */
        break;
    }
    if (!from_terminal && command_status == -1)
        kill(command_pid, info->si_signo);
}

/* Until the command has ended; false when the time is over. */
static bool follow(double until)
{
    sigset_t all;

    sigfillset(&all);
    for (;;) {
        double left = until - monotonic();
        struct timespec t = { 0 };
        siginfo_t info;

        reap();
        if (command_status != -1)
            return true;
        if (left <= 0)
            return false;
        t.tv_sec = left < 1e9 ? (time_t)left : 1000000000;
        t.tv_nsec = (long)((left - (double)(time_t)left) * 1e9);
        if (sigtimedwait(&all, &info, &t) > 0)
            on_signal(&info, &until);
    }
}

/* Until there is no descendant any more, for so long at most. */
static bool gone(double seconds)
{
    const struct timespec moment = { .tv_nsec = 20000000 };
    double until = monotonic() + seconds;
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    while (reap()) {
        if (monotonic() >= until)
            return false;
        sigtimedwait(&child, NULL, &moment);
    }
    return true;
}

static void send_all(int number)
{
    if (command_status == -1)
        kill(command_pid, number); /* even if there is no /proc */
    look_begin();
    look_tree(getpid());
    for (struct seen *p = look_each(NULL); p; p = look_each(p))
        if (p->asked_for && p->pid != getpid() && p->pid != command_pid)
            kill(p->pid, number);
    look_end();
}

/* Asked to end first; then none is left, not even one that forks on. */
static void end_all(void)
{
    double until = monotonic() + 5;

    send_all(SIGTERM);
    send_all(SIGCONT);
    if (gone(1))
        return;
    do {
        send_all(SIGSTOP);
        send_all(SIGKILL);
        if (gone(0.05))
            return;
    } while (monotonic() < until);
    fputs("lanes: not all could be ended\n", stderr);
}

/* As the command ended, so do we. */
static int same_end(int status)
{
    const struct rlimit no_core = { 0, 0 };

    if (!WIFSIGNALED(status))
        return WEXITSTATUS(status);
    setrlimit(RLIMIT_CORE, &no_core);
    signal(WTERMSIG(status), SIG_DFL);
    take_signal(WTERMSIG(status));
    return 128 + WTERMSIG(status);
}

int limit_run(double seconds, char *command[], int width)
{
    char words[240] = "";
    sigset_t all, mask;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &mask);
    ignored_child = signal(SIGCHLD, SIG_DFL) == SIG_IGN;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    start(command, &mask);
    let_go();
    if (follow(monotonic() + seconds)) {
        if (!gone(reap() ? 0.5 : 0)) {
            fputs("lanes: the command has ended; still alive:\n", stderr);
            why_descendants(stderr, width);
            end_all();
        }
        return same_end(command_status);
    }
    if (ending)
        fprintf(stderr, "lanes: not ended by %s:", signal_name(ending));
    else
        fprintf(stderr, "lanes: not ended after %g second%s:", seconds,
                seconds == 1 ? "" : "s");
    for (char **word = command; *word; word++)
        append(words, sizeof words, " %s", *word);
    fprintf(stderr, "%s%s\n", words,
            strlen(words) == sizeof words - 1 ? " ..." : "");
    why_descendants(stderr, width);
    fflush(stderr);
    end_all();
    return ending ? 128 + ending : 124;
}
