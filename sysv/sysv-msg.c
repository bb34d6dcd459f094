/*
 * sysv-msg - messages are taken by type, not in order
 *
 * usage: sysv-msg [TYPE TEXT]...
 *
 * Sender puts messages into a queue, each with a type, a number of 1 or
 * more. When Sender has ended, Receiver asks five times: first for type 2;
 * then, three times, for the lowest type up to 3; then for whatever came
 * first.
 *
 * Watch   the types that msgrcv is called with: 2, -3, and 0 for any.
 * Try     sysv-msg 4 a 2 b 3 c 2 d        guess first: in which order?
 *         sysv-msg 3 one 3 two 3 three    equal types keep their order
 * Read    msgget(2), msgop(2), msgctl(2); Kerrisk, TLPI, ch. 46
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 1000 };

static const char usage[] = "usage: sysv-msg [TYPE TEXT]...";
static int queue;

struct message {
    long type; /* the kernel reads this; the rest is ours */
    char text[SIZE];
};

static int number(const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "not a number from 1 to %d: %s\n%s", max, word, usage);
    return (int)n;
}

/* Nobody else would remove the queue. */
static _Noreturn void fail(const char *call)
{
    warn("%s", call);
    msgctl(queue, IPC_RMID, NULL);
    exit(1);
}

static void sender(char *words[])
{
    struct message m;

    for (; *words; words += 2) {
        m.type = number(words[0], INT_MAX);
        snprintf(m.text, SIZE, "%s", words[1]);
        printf("Sender: type %ld: %s\n", m.type, m.text);
        if (msgsnd(queue, &m, strlen(m.text), IPC_NOWAIT) == -1)
            err(1, "msgsnd"); /* EAGAIN: full, and nobody receives */
    }
}

static void receiver(void)
{
    static const long types[] = { 2, -3, -3, -3, 0 };
    struct message m;

    for (int i = 0; i < 5; i++) {
        ssize_t n = msgrcv(queue, &m, SIZE, types[i], IPC_NOWAIT);

        if (n == -1 && errno != ENOMSG)
            err(1, "msgrcv");
        printf("Receiver asks for %ld and gets ", types[i]);
        if (n == -1)
            printf("none: ENOMSG\n");
        else
            printf("%ld: %.*s\n", m.type, (int)n, m.text);
    }
}

int main(int argc, char *argv[])
{
    static char *demo[] = { "5", "five", "3", "three", "2", "two",
                            "1", "one",  "4", "four",  NULL };
    key_t key = 0x1bc50000 | (getpid() & 0xffff); /* each run has its own */
    char **words = argc > 1 ? argv + 1 : demo;
    struct msqid_ds now[2] = { 0 };
    int status = 0;

    if (argc % 2 == 0)
        errx(2, "%s", usage);
    for (int i = 0; words[i]; i += 2)
        number(words[i], INT_MAX); /* may exit: so before msgget */

    queue = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
    if (queue == -1)
        err(1, "msgget");
    /* First Sender (i is 0); when it has ended, Receiver. */
    for (int i = 0; i < 2 && status == 0; i++) {
        switch (fork()) {
        case -1:
            fail("fork");
        case 0:
            if (i == 0)
                sender(words);
            else
                receiver();
            exit(0);
        }
        if (wait(&status) == -1)
            fail("wait");
        if (msgctl(queue, IPC_STAT, &now[i]) == -1)
            fail("msgctl: IPC_STAT");
    }
    if (msgctl(queue, IPC_RMID, NULL) == -1)
        err(1, "msgctl: IPC_RMID");
    if (status == 0)
        printf("Parent: messages in the queue: %lu, then %lu\n",
               now[0].msg_qnum, now[1].msg_qnum);
    return status != 0;
}
