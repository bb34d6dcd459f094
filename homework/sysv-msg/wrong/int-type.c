/*
 * Wrong: the type is an int: the kernel takes the text for half of it.
 * Loses: type 2 is taken first, wherever it stands
 * Loses: then the lowest type up to 3, three times
 * Loses: then the first message that is left
 * Loses: a short text after a long one is short
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

struct message {
    int type;
    char text[512];
};

static int queue;

static void fail(const char *call)
{
    warn("%s", call);
    msgctl(queue, IPC_RMID, NULL);
    exit(1);
}

static void sender(char *words[])
{
    static struct message m;

    for (; *words; words += 2) {
        m.type = atoi(words[0]);
        strcpy(m.text, words[1]);
        if (msgsnd(queue, &m, strlen(m.text), IPC_NOWAIT) == -1)
            err(1, "msgsnd");
    }
}

static void receiver(void)
{
    static const long types[] = { 2, -3, -3, -3, 0 };
    static struct message m;

    for (int i = 0; i < 5; i++) {
        ssize_t n = msgrcv(queue, &m, 511, types[i], IPC_NOWAIT);

        if (n == -1 && errno != ENOMSG)
            err(1, "msgrcv");
        printf("Receiver asks for %ld and gets ", types[i]);
        if (n == -1)
            printf("none\n");
        else
            printf("%d: %.*s\n", m.type, (int)n, m.text);
    }
}

static pid_t start(char *words[])
{
    pid_t pid = fork();

    if (pid == -1)
        fail("fork");
    if (pid == 0) {
        if (words)
            sender(words);
        else
            receiver();
        exit(0);
    }
    return pid;
}

static void finish(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, 0) == -1 || status != 0)
        fail("a child has failed");
}

static int count(void)
{
    struct msqid_ds now;

    if (msgctl(queue, IPC_STAT, &now) == -1)
        fail("msgctl");
    return (int)now.msg_qnum;
}

int main(int argc, char *argv[])
{
    int before, after;

    if (argc < 3 || argc % 2 == 0)
        errx(2, "usage: sysv-msg TYPE TEXT [TYPE TEXT]...");
    for (int i = 1; i < argc; i += 2) {
        char *end;
        long type = strtol(argv[i], &end, 10);

        if (end == argv[i] || *end || type < 1 || type > 2147483647)
            errx(2, "not a type: %s", argv[i]);
    }

    queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    if (queue == -1)
        err(1, "msgget");
    finish(start(argv + 1));
    before = count();
    finish(start(NULL));
    after = count();
    msgctl(queue, IPC_RMID, NULL);
    printf("Parent: messages in the queue: %d, then %d\n", before, after);
    return 0;
}
