/* Right: three processes as in the suite, but a thread waits for each child,
 * and each role works in a thread of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 900

typedef struct {
    long type;
    char text[MOST + 1];
} Message;

static int q;
static char **pairs;

static void *give(void *fault)
{
    static Message m;

    for (char **p = pairs; *p; p += 2) {
        size_t length = strnlen(p[1], MOST);

        m.type = strtol(p[0], NULL, 10);
        memcpy(m.text, p[1], length);
        if (msgsnd(q, &m, length, IPC_NOWAIT) < 0)
            return *(int *)fault = errno, fault;
    }
    return NULL;
}

static void *take(void *fault)
{
    static const long list[] = { 2, -3, -3, -3, 0 };
    static Message m;
    ssize_t n;

    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        n = msgrcv(q, &m, MOST, list[i], IPC_NOWAIT);
        printf("Receiver asks for %ld and gets ", list[i]);
        if (n >= 0)
            printf("%ld: %.*s\n", m.type, (int)n, m.text);
        else if (errno == ENOMSG)
            puts("none (ENOMSG)");
        else
            return *(int *)fault = errno, fault;
    }
    return NULL;
}

static void *collect(void *child)
{
    siginfo_t info;

    if (waitid(P_PID, (id_t) * (pid_t *)child, &info, WEXITED) != 0 ||
        info.si_code != CLD_EXITED || info.si_status != 0)
        return child;
    return NULL;
}

static int in_thread(void *(*work)(void *), void *arg)
{
    pthread_t thread;
    void *result;

    if (pthread_create(&thread, NULL, work, arg) != 0) {
        fprintf(stderr, "no thread\n");
        return 1;
    }
    pthread_join(thread, &result);
    return result != NULL;
}

static int role(void *(*work)(void *), unsigned long *count)
{
    struct msqid_ds ds;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        int fault = 0, failed = in_thread(work, &fault);

        if (fault)
            fprintf(stderr, "it does not work: %s\n", strerror(fault));
        exit(failed ? EXIT_FAILURE : EXIT_SUCCESS);
    }
    if (child == -1) {
        fprintf(stderr, "fork: %s\n", strerror(errno));
        return 1;
    }
    if (in_thread(collect, &child))
        return 1;
    if (msgctl(q, IPC_STAT, &ds) == -1) {
        fprintf(stderr, "IPC_STAT: %s\n", strerror(errno));
        return 1;
    }
    *count = ds.msg_qnum;
    return 0;
}

int main(int argc, char *argv[])
{
    unsigned long count[2];
    int bad = argc < 3 || argc % 2 != 1;

    for (int i = 1; !bad && i < argc; i += 2) {
        long type;
        char rest;

        bad = sscanf(argv[i], "%10ld%c", &type, &rest) != 1 || type < 1 ||
              type > 2147483647;
    }
    if (bad) {
        fprintf(stderr, "%s TYPE TEXT ...\n", argv[0]);
        exit(2);
    }
    pairs = argv + 1;

    q = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    if (q == -1) {
        fprintf(stderr, "msgget: %s\n", strerror(errno));
        exit(1);
    }
    bad = role(give, &count[0]) || role(take, &count[1]);
    if (msgctl(q, IPC_RMID, NULL) == -1)
        bad = 1;
    if (!bad)
        printf("Parent: messages in the queue: %lu, then %lu\n", count[0],
               count[1]);
    return bad;
}
