/*
 * sig-table - every signal, and what the kernel does with it by default
 *
 * usage: sig-table [--core]
 *
 * For each signal a child is started that does nothing but raise it, and
 * waitpid says what became of the child: Term, killed; Stop, stopped; Ign,
 * nothing; Cont, nothing, but a stopped child goes on. Whether a signal can
 * be caught is what sigaction says. The words are those of signal(7).
 *
 * Watch   KILL and STOP: EINVAL. 32 and 33 the threads library keeps.
 * Try     sig-table --core    tells Core from Term: lets children dump
 *         ( trap '' HUP; sig-table )    ignored here, but not by default
 * Read    signal(7), sigaction(2), core(5); Kerrisk, TLPI, 20.2
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sig-table needs Linux: PR_SET_PDEATHSIG; and glibc 2.32"
#endif
#include <dirent.h>
#include <err.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: sig-table [--core]\n"
    "  --core  tell the signals that leave a core file, too\n";

static char folder[PATH_MAX]; /* for core files; empty: none are wanted */

static void remove_folder(void)
{
    DIR *dir = opendir(".");

    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlink(entry->d_name); /* . and .. refuse */
    if (dir)
        closedir(dir);
    if (rmdir(folder) == -1)
        warn("%s", folder);
}

/* Makes a folder for core files and goes there, or says why not. */
static void make_folder(void)
{
    const char *file = "/proc/sys/kernel/core_pattern";
    const char *tmp = getenv("TMPDIR");
    char pattern[256], name[PATH_MAX];
    FILE *f = fopen(file, "r");
    sigset_t all;

    if (!f || !fgets(pattern, sizeof pattern, f))
        err(1, "%s", file);
    fclose(f);
    if (strpbrk(pattern, "|/@"))
        errx(1, "core files do not stay in a process's folder, see %s", file);

    sigfillset(&all); /* a ^C must not leave the folder: until the end */
    sigprocmask(SIG_BLOCK, &all, NULL);
    snprintf(name, sizeof name, "%s/sig-table.%ld.XXXXXX",
             tmp && *tmp ? tmp : "/tmp", (long)getuid());
    if (!mkdtemp(name) || !realpath(name, folder) || chdir(folder) == -1)
        err(1, "%s", name);
    atexit(remove_folder); /* for Parent: a child calls _exit */
}

/* A core file is cut off at size; one of less than a page is not written. */
static void limit_core(rlim_t size)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_CORE, &limit) == -1)
        err(1, "getrlimit");
    if (folder[0] && limit.rlim_max < size)
        errx(1, "no core file may be written, see ulimit -H -c");
    limit.rlim_cur = limit.rlim_max < size ? limit.rlim_max : size;
    if (setrlimit(RLIMIT_CORE, &limit) == -1)
        err(1, "setrlimit");
}

/* Has a child do sig to itself, with nothing but the default in its way. */
static pid_t raise_in_child(int sig, int *status)
{
    static const unsigned long long zeros[8]; /* as the kernel has it */
    pid_t parent = getpid(), pid = fork();
    sigset_t none;

    if (pid == -1)
        err(1, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a stopped one would live on */
        if (getppid() != parent)
            _exit(1);
        setpgid(0, 0); /* for in an orphaned group ^Z stops nobody */
        /* SIG_DFL is all zeros. signal(3) would refuse 32 and 33. */
        syscall(SYS_rt_sigaction, sig, zeros, NULL, sizeof zeros[0]);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        kill(getpid(), sig); /* raise(3) would refuse 32 and 33 */
        if (sig == SIGSTOP)
            pause(); /* continued: to end now would hide that again */
        _exit(0);
    }
    if (waitpid(pid, status, WUNTRACED) == -1)
        err(1, "waitpid");
    return pid;
}

static const char *default_action(int sig)
{
    siginfo_t news = { .si_pid = 0 };
    const char *action = "Stop";
    int status;
    pid_t pid = raise_in_child(sig, &status);

    if (WIFSIGNALED(status))
        return WCOREDUMP(status) ? "Core" : "Term";
    if (WIFEXITED(status)) { /* ignored; or does it wake one that sleeps? */
        pid = raise_in_child(SIGSTOP, &status);
        if (WIFEXITED(status))
            return "Ign";
        kill(pid, sig); /* cannot fail on a child not waited for */
        if (waitid(P_PID, (id_t)pid, &news,
                   WCONTINUED | WEXITED | WNOHANG | WNOWAIT) == -1)
            err(1, "waitid");
        action = news.si_pid == pid ? "Cont" : "Ign";
    }
    kill(pid, SIGKILL);
    if (waitpid(pid, NULL, 0) == -1)
        err(1, "waitpid");
    return action;
}

static void handler(int sig)
{
    (void)sig;
}

static bool can_be_caught(int sig)
{
    struct sigaction sa = { .sa_handler = handler }, before;

    sigemptyset(&sa.sa_mask);
    if (sigaction(sig, &sa, &before) == -1)
        return false; /* EINVAL */
    return sigaction(sig, &before, NULL) == 0;
}

static void print_signal(int sig)
{
    const char *abbreviation = sigabbrev_np(sig); /* glibc's, without SIG */
    char name[16] = "(libc)";

    if (abbreviation)
        snprintf(name, sizeof name, "%s", abbreviation);
    if (sig >= SIGRTMIN)
        snprintf(name, sizeof name, "RTMIN+%d", sig - SIGRTMIN);
    printf("%2d %-8s  %-4s  %-3s", sig, name, default_action(sig),
           can_be_caught(sig) ? "yes" : "no");
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "core", no_argument, NULL, 'c' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    bool core = false;
    int rows = (SIGRTMAX + 2) / 3, opt; /* in three columns: 22 lines */

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != 'c') {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
        core = true;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (core)
        make_folder();
    /* 1, not 0: that stops a program that takes core files, too: core(5). */
    limit_core(core ? (rlim_t)sysconf(_SC_PAGESIZE) : 1);

    for (int column = 0; column < 3; column++)
        printf("   signal    does  caught%s", column < 2 ? "  " : "\n");
    for (int row = 1; row <= rows; row++) {
        for (int sig = row; sig <= SIGRTMAX; sig += rows) {
            print_signal(sig);
            fputs(sig + rows <= SIGRTMAX ? "     " : "\n", stdout);
        }
    }
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
