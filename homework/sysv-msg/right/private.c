/* Right: a private queue, Parent is Receiver, texts with their NUL, one way
 * out. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct letter {
    long kind;
    char body[512];
};

static int send_all(int q, char **words)
{
    struct letter letter;

    while (*words) {
        letter.kind = atol(words[0]);
        strncpy(letter.body, words[1], sizeof letter.body);
        letter.body[sizeof letter.body - 1] = '\0';
        if (msgsnd(q, &letter, strlen(letter.body) + 1, IPC_NOWAIT) != 0) {
            perror("cannot send");
            return 1;
        }
        words += 2;
    }
    return 0;
}

static int take(int q, long wanted)
{
    struct letter letter;
    ssize_t size = msgrcv(q, &letter, sizeof letter.body, wanted, IPC_NOWAIT);

    if (size >= 0)
        printf("Receiver asks for %ld and gets %ld: %s\n", wanted,
               letter.kind, letter.body);
    else if (errno == ENOMSG)
        printf("Receiver asks for %ld and gets none\n", wanted);
    else {
        perror("cannot take");
        return 1;
    }
    return 0;
}

static int is_type(const char *s)
{
    char *rest;
    long long n;

    if (*s < '0' || *s > '9')
        return 0;
    errno = 0;
    n = strtoll(s, &rest, 10);
    return !errno && !*rest && n > 0 && n <= 2147483647;
}

int main(int argc, char **argv)
{
    struct msqid_ds sent, left;
    int q, status, failed = 1;
    pid_t pid;

    if (argc < 3 || argc % 2 == 0) {
        fputs("a number, a text, a number, a text ...\n", stderr);
        return 2;
    }
    for (int i = 1; i < argc; i += 2) {
        if (!is_type(argv[i])) {
            fprintf(stderr, "%s is no type\n", argv[i]);
            return 2;
        }
    }

    q = msgget(IPC_PRIVATE, 0600);
    if (q < 0) {
        perror("no queue");
        return 1;
    }
    pid = fork();
    if (pid == 0)
        _exit(send_all(q, argv + 1));
    if (pid < 0) {
        perror("no process");
        goto out;
    }
    if (waitpid(pid, &status, 0) != pid || status != 0)
        goto out;
    if (msgctl(q, IPC_STAT, &sent) < 0) {
        perror("no statistics");
        goto out;
    }
    if (take(q, 2) || take(q, -3) || take(q, -3) || take(q, -3) || take(q, 0))
        goto out;
    if (msgctl(q, IPC_STAT, &left) < 0) {
        perror("no statistics");
        goto out;
    }
    printf("Parent: messages in the queue: %d, then %d\n", (int)sent.msg_qnum,
           (int)left.msg_qnum);
    failed = 0;
out:
    msgctl(q, IPC_RMID, 0);
    return failed;
}
