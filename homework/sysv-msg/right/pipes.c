/*
 * Right: Parent is Sender. Receiver is there before the first message, sleeps
 * in a read until Parent says that it may begin, and gives its answers back
 * through a second pipe. The key is any that is free.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int id = -1;
static pid_t parent;

static void tidy(void)
{
    if (getpid() == parent && id != -1)
        msgctl(id, IPC_RMID, NULL);
}

static void receiver(FILE *answers)
{
    const int types[5] = { 2, -3, -3, -3, 0 };
    char *space = calloc(1, sizeof(long) + 2000);
    char *text = space + sizeof(long);

    for (const int *t = types; t < types + 5; t++) {
        ssize_t n = msgrcv(id, space, 1999, *t, IPC_NOWAIT | MSG_NOERROR);

        fprintf(answers, "Receiver asks for %d and gets ", *t);
        if (n < 0 && errno == ENOMSG) {
            fprintf(answers, "none, there is no such message\n");
        } else if (n < 0) {
            err(EXIT_FAILURE, "the queue of process %d", (int)parent);
        } else {
            text[n] = 0;
            fprintf(answers, "%ld: %s\n", *(long *)(void *)space, text);
        }
    }
    fclose(answers);
    free(space);
}

static unsigned long held(void)
{
    struct msqid_ds about;

    if (msgctl(id, IPC_STAT, &about))
        err(1, "how many?");
    return about.msg_qnum;
}

int main(int argc, char *argv[])
{
    struct {
        long type;
        char text[1000];
    } message;
    int go[2], back[2], ended = 0;
    unsigned long before;
    char block[4096], c;
    ssize_t n;
    key_t key;
    pid_t pid;

    if (!argv[1] || !(argc & 1))
        errx(2, "TYPE TEXT, please, TYPE TEXT");
    for (int i = 1; i < argc; i += 2) {
        uintmax_t number = strtoumax(argv[i], NULL, 10);

        for (char *p = argv[i]; *p; p++)
            if (!isdigit((unsigned char)*p))
                errx(2, "%s: not a number", argv[i]);
        if (number == 0 || number > INT32_MAX)
            errx(2, "'%s': too small, or too large", argv[i]);
    }

    parent = getpid();
    atexit(tidy);
    signal(SIGPIPE, SIG_IGN);
    key = (key_t)time(NULL);
    do
        id = msgget(++key, IPC_CREAT | IPC_EXCL | S_IRUSR | S_IWUSR);
    while (id == -1 && errno == EEXIST);
    if (id == -1)
        err(1, "a new queue");

    if (pipe(go) || pipe(back))
        err(1, "pipe");
    pid = fork();
    if (pid == -1)
        err(1, "Receiver");
    if (pid == 0) {
        close(go[1]);
        close(back[0]);
        if (read(go[0], &c, 1) != 1)
            _exit(1); /* Parent has not sent all */
        receiver(fdopen(back[1], "w"));
        exit(0);
    }
    close(go[0]);
    close(back[1]);

    for (char **word = argv + 1; *word; word += 2) {
        message.type = atoi(*word);
        snprintf(message.text, sizeof message.text, "%s", word[1]);
        if (msgsnd(id, &message, strlen(word[1]), IPC_NOWAIT))
            err(1, "message %ld", (word - argv + 1) / 2);
    }
    before = held();
    if (write(go[1], "!", 1) != 1)
        err(1, "Receiver has gone");
    while ((n = read(back[0], block, sizeof block)) > 0)
        if (write(1, block, (size_t)n) != n)
            err(1, "stdout");
    wait(&ended);
    if (!WIFEXITED(ended) || WEXITSTATUS(ended))
        exit(1);
    printf("Parent: messages in the queue: %lu, then %lu\n", before, held());
    exit(0);
}
