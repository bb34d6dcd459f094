/*
 * handlers - what a signal handler does that it may not
 *
 * Preloaded. When a handler, set by sigaction or signal, begins, this says
 * "handler: runs" on descriptor 2. With HANDLERS=calls there is no stdout, no
 * stderr, no malloc and no exit for it: it says "handler: calls ..." and ends
 * the program with status 97. With HANDLERS=errno it says "handler: changes
 * errno" if that is another one when the handler returns.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void __libc_free(void *old);

static void (*handler[65])(int, siginfo_t *, void *);
static volatile int inside;
static bool calls;

static void say(const char *what)
{
    if (write(2, what, strlen(what)) == -1)
        _exit(97);
}

static void refuse(const char *what)
{
    if (!inside || !calls)
        return;
    say(what);
    _exit(97);
}

static void crashed(int sig)
{
    refuse("handler: calls stdio\n");
    raise(sig); /* not by our doing; SA_RESETHAND */
}

static void between(int sig, siginfo_t *info, void *context)
{
    FILE *out = stdout, *err = stderr;
    int saved = errno;

    say("handler: runs\n");
    inside++;
    if (calls)
        stdout = stderr = NULL;
    errno = 77;
    handler[sig](sig, info, context);
    if (errno != 77 && !calls)
        say("handler: changes errno\n");
    stdout = out;
    stderr = err;
    inside--;
    errno = saved;
}

int sigaction(int sig, const struct sigaction *new, struct sigaction *old)
{
    int (*real)(int, const struct sigaction *, struct sigaction *);
    struct sigaction segv = { .sa_handler = crashed,
                              .sa_flags = SA_RESETHAND | SA_NODEFER };
    struct sigaction mine;

    *(void **)&real = dlsym(RTLD_NEXT, "sigaction");
    if (!new || new->sa_handler == SIG_DFL || new->sa_handler == SIG_IGN ||
        sig < 1 || sig > 64)
        return real(sig, new, old);
    real(SIGSEGV, &segv, NULL);
    handler[sig] = new->sa_sigaction;
    mine = *new;
    mine.sa_sigaction = between;
    mine.sa_flags |= SA_SIGINFO;
    return real(sig, &mine, old);
}

void (*signal(int sig, void (*to)(int)))(int)
{
    struct sigaction new = { .sa_handler = to, .sa_flags = SA_RESTART }, old;

    return sigaction(sig, &new, &old) == -1 ? SIG_ERR : old.sa_handler;
}

void *malloc(size_t size)
{
    refuse("handler: calls malloc\n");
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    refuse("handler: calls malloc\n");
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    refuse("handler: calls malloc\n");
    return __libc_realloc(old, size);
}

void free(void *old)
{
    refuse("handler: calls free\n");
    __libc_free(old);
}

void exit(int status)
{
    void (*real)(int);

    refuse("handler: calls exit\n");
    *(void **)&real = dlsym(RTLD_NEXT, "exit");
    real(status);
    _exit(status);
}

__attribute__((constructor)) static void start(void)
{
    const char *watch = getenv("HANDLERS");

    calls = watch && strcmp(watch, "calls") == 0;
    unsetenv("LD_PRELOAD");
    unsetenv("HANDLERS");
}
