/*
 * Wrong: the texts go through a pipe, and Receiver sorts them.
 * Loses: the queue takes messages from one process to another
 * Loses: a message is as long as its text
 * Loses: the kernel counts them
 * Loses: nobody else may read or write: the mode is 0600
 * Loses: two copies at once have a queue each
 * Loses: if a call fails, it says so, with status 1
 * Loses: where the queue is full Sender does not wait
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct message {
    long type;
    char text[512];
};

static struct message all[2000];
static int held;

static void answer(long asked)
{
    int best = -1;

    for (int i = 0; i < held && (asked || best == -1); i++)
        if (asked == 0 || all[i].type == asked ||
            (all[i].type <= -asked &&
             (best == -1 || all[i].type < all[best].type)))
            if (best == -1 || asked < 0)
                best = i;
    printf("Receiver asks for %ld and gets ", asked);
    if (best == -1) {
        printf("none\n");
    } else {
        printf("%ld: %s\n", all[best].type, all[best].text);
        memmove(all + best, all + best + 1,
                (size_t)(--held - best) * sizeof *all);
    }
}

int main(int argc, char *argv[])
{
    int fd[2], before;
    FILE *in;

    if (argc < 3 || argc % 2 == 0)
        errx(2, "usage: sysv-msg TYPE TEXT [TYPE TEXT]...");
    for (int i = 1; i < argc; i += 2) {
        char *end;
        long type = strtol(argv[i], &end, 10);

        if (end == argv[i] || *end || type < 1 || type > 2147483647)
            errx(2, "not a type: %s", argv[i]);
    }
    if (pipe(fd) == -1)
        err(1, "pipe");
    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        for (int i = 1; i < argc; i++)
            dprintf(fd[1], "%s\n", argv[i]);
        exit(0);
    }
    close(fd[1]);
    in = fdopen(fd[0], "r");
    while (fscanf(in, "%ld", &all[held].type) == 1 && fgetc(in) == '\n' &&
           fgets(all[held].text, 512, in)) {
        all[held].text[strcspn(all[held].text, "\n")] = '\0';
        held++;
    }
    wait(NULL);
    before = held;
    answer(2);
    for (int i = 0; i < 3; i++)
        answer(-3);
    answer(0);
    printf("Parent: messages in the queue: %d, then %d\n", before, held);
    return 0;
}
