/*
 * Right: a child writes and the parent reports; the sum comes through memory
 * that both share. The options are taken apart by hand.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void misused(void)
{
    fprintf(stderr, "I understand --chunk NUMBER and --size NUMBER.\n");
    exit(2);
}

static unsigned long digits(const char *word, unsigned long most)
{
    unsigned long value = 0;

    if (word == NULL || *word == '\0')
        misused();
    for (; *word != '\0'; word++) {
        if (!isdigit((unsigned char)*word))
            misused();
        value = value * 10 + (unsigned long)(*word - '0');
        if (value > most)
            misused();
    }
    if (value == 0)
        misused();
    return value;
}

static void fail(const char *call)
{
    perror(call);
    exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    unsigned long chunk = PIPE_BUF, size = 0;
    unsigned long *sum;
    char *data;
    int ends[2], got, state, flags;
    pid_t writer;

    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--chunk") == 0)
            chunk = digits(argv[i + 1], 1048576);
        else if (strcmp(argv[i], "--size") == 0)
            size = digits(argv[i + 1], 16777216);
        else
            misused();
    }

    if (pipe(ends) < 0)
        fail("no pipe");
    if (size > 0 && fcntl(ends[0], F_SETPIPE_SZ, (int)size) < 0)
        fail("this size is too much");
    flags = fcntl(ends[1], F_GETFL);
    if (flags < 0 || fcntl(ends[1], F_SETFL, flags | O_NONBLOCK) < 0)
        fail("O_NONBLOCK");
    sum = mmap(NULL, sizeof *sum, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    data = malloc(chunk);
    if (sum == MAP_FAILED || data == NULL)
        fail("memory");
    memset(data, '=', chunk);

    writer = fork();
    if (writer < 0)
        fail("fork");
    if (writer == 0) {
        ssize_t taken;

        while ((taken = write(ends[1], data, chunk)) >= 0)
            *sum += (unsigned long)taken;
        _exit(errno == EAGAIN ? 0 : 1);
    }
    free(data);
    if (waitpid(writer, &state, 0) < 0 || state != 0) {
        fprintf(stderr, "the writer has failed\n");
        return 1;
    }

    got = fcntl(ends[0], F_GETPIPE_SZ);
    printf("%lu bytes, then EAGAIN.\n", *sum);
    if (size > 0)
        printf("%lu bytes were asked for and %d given.\n", size, got);
    printf("The kernel says %d (F_GETPIPE_SZ) and %d (PIPE_BUF).\n", got,
           PIPE_BUF);
    if (*sum != (unsigned long)got)
        printf("It has %lu bytes of empty space.\n",
               (unsigned long)got - *sum);
    return 0;
}
