/*
 * Right: the semaphore beside an _Atomic number in one anonymous mapping, a
 * second start that both children wait for, waitid, write instead of printf.
 */
#define _GNU_SOURCE
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct page {
    uint8_t unused[64];
    _Atomic uint32_t number;
    sem_t turn;
    sem_t go;
};

static bool parse(const char *text, uint32_t *loops)
{
    size_t length = strlen(text);

    *loops = 0;
    if (length == 0 || length > 7 || strspn(text, "0123456789") != length)
        return false;
    for (; *text; text++)
        *loops = *loops * 10 + (uint32_t)(*text - '0');
    return *loops >= 1 && *loops <= 1000000;
}

static int child(struct page *page, uint32_t loops)
{
    sem_wait(&page->go);
    for (uint32_t i = 0; i < loops; i++) {
        sem_wait(&page->turn);
        page->number++;
        sem_post(&page->turn);
    }
    return 0;
}

int main(int argc, char *argv[])
{
    char line[80];
    uint32_t loops = 1000;
    struct page *page;
    siginfo_t info;
    int n;

    if (argc > 2 || (argc == 2 && !parse(argv[1], &loops))) {
        dprintf(2, "%s takes a number\n", argv[0]);
        return 2;
    }
    page = mmap(0, sizeof *page, PROT_READ | PROT_WRITE,
                MAP_ANONYMOUS | MAP_SHARED, -1, 0);
    if (page == MAP_FAILED || sem_init(&page->turn, 1, 1) ||
        sem_init(&page->go, 1, 0)) {
        dprintf(2, "no memory to share\n");
        return 1;
    }
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();

        if (pid == 0)
            return child(page, loops);
        if (pid < 0) {
            dprintf(2, "child %d could not be made\n", i + 1);
            if (i == 1) {
                sem_post(&page->go);
                waitid(P_ALL, 0, &info, WEXITED);
            }
            return 1;
        }
    }
    sem_post(&page->go);
    sem_post(&page->go);
    while (waitid(P_ALL, 0, &info, WEXITED) == 0)
        ;
    n = snprintf(line, sizeof line, "Total count: %u, Expected: %u\n",
                 page->number, 2 * loops);
    return write(1, line, (size_t)n) == n && page->number == 2 * loops ? 0
                                                                       : 1;
}
