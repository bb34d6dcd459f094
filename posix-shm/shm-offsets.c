/*
 * shm-offsets - a list in shared memory, mapped at two addresses
 *
 * usage: shm-offsets [--pointers]
 *
 * Parent builds a list in a shared memory object. Child maps the object at
 * another address, walks the list and adds a word. Then Parent walks it
 * again. A link is an offset: how far a node is from the start of the list.
 * Each process adds its own address of the list.
 *
 * Watch   link_to and follow: only there do offsets and addresses meet.
 * Try     shm-offsets --pointers    Parent's addresses in Child: SIGSEGV
 * Read    mmap(2), shm_overview(7); Kerrisk, TLPI, 48.6; APUE, ex. 15.13
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 4096 };

static const char usage[] =
    "usage: shm-offsets [--pointers]\n"
    "  --pointers  wrong: the links are addresses, good in Parent alone";
static bool pointers;

struct node {
    uintptr_t next; /* 0: this is the last one */
    char word[24];
};

static uintptr_t link_to(struct node *list, struct node *node)
{
    return (uintptr_t)node - (pointers ? 0 : (uintptr_t)list);
}

static struct node *follow(struct node *list, uintptr_t link)
{
    return (void *)(link + (pointers ? 0 : (uintptr_t)list));
}

/* Node 0 is the head, and has no word. */
static void push(struct node *list, int n, const char *word)
{
    snprintf(list[n].word, sizeof list[n].word, "%s", word);
    list[n].next = list[0].next;
    list[0].next = link_to(list, &list[n]);
}

static void walk(const char *who, struct node *list)
{
    printf("%s reads:", who);
    for (uintptr_t at = list->next; at; at = follow(list, at)->next)
        printf(" %s", follow(list, at)->word);
    printf("\n");
}

static struct node *map(int fd)
{
    void *start = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (start == MAP_FAILED)
        err(1, "mmap");
    return start;
}

int main(int argc, char *argv[])
{
    struct node *list, *again;
    int fd, status;
    char name[40];

    pointers = argc > 1 && strcmp(argv[1], "--pointers") == 0;
    if (argc > 1 + pointers)
        errx(2, "%s", usage);
    setvbuf(stdout, NULL, _IOLBF, 0);

    snprintf(name, sizeof name, "/shm-offsets.%d", getpid());
    fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    if (fd == -1)
        err(1, "shm_open %s", name);
    shm_unlink(name); /* Child inherits the descriptor */
    if (ftruncate(fd, SIZE) == -1)
        err(1, "ftruncate");
    list = map(fd);
    push(list, 1, "hold");
    push(list, 2, "offsets");
    walk("Parent", list);

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        again = map(fd); /* another address: list is still mapped */
        munmap(list, SIZE);
        printf("Child has mapped the list at another address\n");
        walk("Child", again);
        push(again, 3, "everywhere");
        exit(0);
    }
    if (wait(&status) == -1)
        err(1, "wait");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)
        errx(1, "Child was killed by SIGSEGV at an address of Parent's");
    walk("Parent", list);
    return status != 0;
}
