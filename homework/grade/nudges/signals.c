/*
 * signals - what a handler calls, and what comes before pause
 *
 * Preloaded. Each handler that the program installs is wrapped; if it calls a
 * function that is not safe there (signal-safety(7)) a line on stderr says
 * so: "unsafe in a handler: printf"; and one says "changed in a handler:
 * errno" if it leaves another one than it has found. With LATE_PAUSE=MS there
 * is a nap before each pause(), so that a signal which was looked for just
 * before comes in time to be slept through.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* printf and the others are the functions here */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct sigaction theirs[NSIG];
static volatile sig_atomic_t inside; /* a handler */
static long late_pause;

/* The C library's own function of that name. */
static void (*own(const char *name))(void)
{
    union {
        void *object;
        void (*function)(void);
    } found = { dlsym(RTLD_NEXT, name) };

    return found.function;
}

static void unsafe(const char *name)
{
    char line[64] = "unsafe in a handler: ";

    if (!inside)
        return;
    strncat(line, name, sizeof line - strlen(line) - 2);
    strncat(line, "\n", 2);
    syscall(SYS_write, 2, line, strlen(line));
}

static void handler(int sig, siginfo_t *info, void *context)
{
    static const char changed[] = "changed in a handler: errno\n";
    int before = errno;

    inside++;
    errno = 9999; /* no call sets that */
    if (theirs[sig].sa_flags & SA_SIGINFO)
        theirs[sig].sa_sigaction(sig, info, context);
    else
        theirs[sig].sa_handler(sig);
    if (errno != 9999)
        syscall(SYS_write, 2, changed, sizeof changed - 1);
    errno = before;
    inside--;
}

int sigaction(int sig, const struct sigaction *new, struct sigaction *old)
{
    typedef int function(int, const struct sigaction *, struct sigaction *);
    function *real = (function *)own("sigaction");
    struct sigaction act, before;
    int status;

    if (sig < 1 || sig >= NSIG)
        return real(sig, new, old);
    before = theirs[sig];
    if (new) {
        act = *new;
        theirs[sig] = *new;
        if (act.sa_handler != SIG_DFL && act.sa_handler != SIG_IGN) {
            act.sa_sigaction = handler;
            act.sa_flags |= SA_SIGINFO;
        }
    }
    status = real(sig, new ? &act : NULL, old);
    if (status == 0 && old && old->sa_sigaction == handler) {
        old->sa_handler = before.sa_handler;
        old->sa_flags = before.sa_flags;
    }
    return status;
}

sighandler_t signal(int sig, sighandler_t handle)
{
    struct sigaction new = { .sa_handler = handle, .sa_flags = SA_RESTART };
    struct sigaction old;

    return sigaction(sig, &new, &old) == -1 ? SIG_ERR : old.sa_handler;
}

int pause(void)
{
    struct timespec nap = { late_pause / 1000, late_pause % 1000 * 1000000 };

    /* Through signals: they are not what it waits for here. */
    while (late_pause && nanosleep(&nap, &nap) == -1)
        ;
    return ((int (*)(void))own("pause"))();
}

/* Each says what it is, and does what it does. */
#define FORMAT(name, call)                                                   \
    {                                                                        \
        va_list list;                                                        \
        int n;                                                               \
        unsafe(name);                                                        \
        va_start(list, format);                                              \
        n = call;                                                            \
        va_end(list);                                                        \
        return n;                                                            \
    }
int printf(const char *format, ...)
    FORMAT("printf",
           vprintf(format, list)) int __printf_chk(int flag,
                                                   const char *format, ...)
        FORMAT("printf", ((void)flag, vprintf(format, list))) int fprintf(
            FILE *file, const char *format, ...)
            FORMAT("fprintf", vfprintf(file, format, list)) int __fprintf_chk(
                FILE *file, int flag, const char *format, ...)
                FORMAT("fprintf", ((void)flag, vfprintf(file, format, list)))

                    int puts(const char *text)
{
    unsafe("puts");
    return ((int (*)(const char *))own("puts"))(text);
}

int fputs(const char *text, FILE *file)
{
    unsafe("fputs");
    return ((int (*)(const char *, FILE *))own("fputs"))(text, file);
}

int fflush(FILE *file)
{
    unsafe("fflush");
    return ((int (*)(FILE *))own("fflush"))(file);
}

void perror(const char *text)
{
    unsafe("perror");
    ((void (*)(const char *))own("perror"))(text);
}

void exit(int status)
{
    unsafe("exit");
    ((void (*)(int))own("exit"))(status);
    abort();
}

void *malloc(size_t size)
{
    extern void *__libc_malloc(size_t);

    unsafe("malloc");
    return __libc_malloc(size);
}

void free(void *memory)
{
    extern void __libc_free(void *);

    if (memory)
        unsafe("free");
    __libc_free(memory);
}

__attribute__((constructor)) static void start(void)
{
    const char *ms = getenv("LATE_PAUSE");

    late_pause = ms ? atol(ms) : 0;
    unsetenv("LATE_PAUSE");
    unsetenv("LD_PRELOAD");
}
