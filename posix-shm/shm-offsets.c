/*
 * shm-offsets - a linked list that two processes map at two addresses
 *
 * usage: shm-offsets [--pointers] [--verbose]
 *
 * Parent builds a list in a shared memory object. Child maps the object once
 * more, elsewhere, walks the list and appends a word; Parent walks it again.
 * Each link is an offset from the start: it means the same in both.
 *
 * Watch   the walk adds the offset to the walker's own start address.
 * Try     shm-offsets --pointers    an address of Parent's: SIGSEGV in Child
 *         shm-offsets --verbose     where each has mapped the object
 * Read    mmap(2), shm_open(3); Kerrisk, TLPI, 48.6; APUE, exercise 15.13
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "shm-offsets needs Linux: posix_fallocate (macOS has none)"
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: shm-offsets [--pointers] [--verbose]\n"
    "  --pointers  wrong: the links are addresses, good in Parent alone\n"
    "  --verbose   show at which address each has mapped the object\n";

struct node {
    uintptr_t next; /* offset of the next node, 0: there is none */
    char word[24];
};

struct list {
    uintptr_t first;
    size_t used; /* so many nodes */
    struct node node[8];
};

static int pointers, verbose;

/* The two places where offset and address differ. */
static uintptr_t link_to(struct list *list, struct node *node)
{
    return (uintptr_t)node - (pointers ? 0 : (uintptr_t)list);
}

static struct node *follow(struct list *list, uintptr_t link)
{
    return link ? (void *)(link + (pointers ? 0 : (uintptr_t)list)) : NULL;
}

static void append(struct list *list, const char *word)
{
    struct node *last = follow(list, list->first), *node;

    node = &list->node[list->used++];
    strncpy(node->word, word, sizeof node->word - 1);
    while (last && last->next)
        last = follow(list, last->next);
    *(last ? &last->next : &list->first) = link_to(list, node);
}

static void walk(const char *who, struct list *list)
{
    struct node *node;

    printf("%s reads:", who);
    for (node = follow(list, list->first); node;
         node = follow(list, node->next))
        printf(" %s", node->word);
    printf("\n");
}

static struct list *map(int fd, const char *who)
{
    struct list *list =
        mmap(NULL, sizeof *list, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (list == MAP_FAILED)
        err(1, "mmap");
    if (verbose)
        fprintf(stderr, "%s maps at %p\n", who, (void *)list);
    return list;
}

static void child(int fd, struct list *inherited)
{
    struct list *list;

    /* What fork gave us goes, and a page that may not be touched takes its
     * place: so the kernel must choose another address for the next one. */
    if (mmap(inherited, sizeof *inherited, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        err(1, "mmap PROT_NONE");
    list = map(fd, "Child");
    if (list == inherited)
        errx(1, "Child has mapped at the same address");
    printf("Child has mapped at another address\n");
    walk("Child", list);
    append(list, "everywhere");
    munmap(list, sizeof *list);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "pointers", no_argument, &pointers, 1 },
        { "verbose", no_argument, &verbose, 1 },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int opt, fd, status, try = 0;
    struct list *list;
    sigset_t all, before;
    char name[64];

    while ((opt = getopt_long(argc, argv, "", options, NULL)) == 0)
        ;
    if (opt != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    /* The name goes at once: Child inherits the descriptor. */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    do /* a killed run may have left one under a pid that is ours now */
        snprintf(name, sizeof name, "/shm-offsets.%ld.%ld.%d", (long)getuid(),
                 (long)getpid(), try++);
    while ((fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600)) == -1 &&
           errno == EEXIST);
    if (fd == -1)
        err(1, "shm_open %s", name);
    if (shm_unlink(name) == -1)
        err(1, "shm_unlink %s", name);
    sigprocmask(SIG_SETMASK, &before, NULL);
    /* Memory for it now, or ENOSPC; with ftruncate(2) a touch is SIGBUS. */
    errno = posix_fallocate(fd, 0, sizeof *list);
    if (errno)
        err(1, "posix_fallocate %s", name);

    list = map(fd, "Parent");
    append(list, "offsets");
    append(list, "hold");
    walk("Parent", list);

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        signal(SIGSEGV, SIG_DFL); /* a sanitizer would catch it */
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
        child(fd, list);
        close(fd);
        if (ferror(stdout))
            errx(1, "not all could be written to stdout");
        exit(0);
    }
    close(fd);
    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)
        errx(1, "Child died of SIGSEGV: a link led to an address that is"
                " Parent's");
    if (WIFSIGNALED(status))
        errx(1, "Child was killed: %s", strsignal(WTERMSIG(status)));
    if (WEXITSTATUS(status) != 0)
        return 1; /* Child has said why */
    walk("Parent", list);
    munmap(list, sizeof *list);
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
