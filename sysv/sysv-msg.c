/*
 * sysv-msg - a queue whose messages are taken by type, not in order
 *
 * usage: sysv-msg [--take TYPE] [TYPE TEXT]...
 *
 * Sender puts messages into a queue, each with a type, a number from 1 on.
 * Receiver waits for the type that is sent last, so that all others are
 * there; then it chooses. With operands Sender sends those, and Receiver
 * takes what --take says (default 0), until it hears ENOMSG.
 *
 * Watch   which comes first: it depends on who asks, not on who sent.
 * Try     sysv-msg --take -3 5 five 2 two 3 three    lowest first, up to 3
 * Read    msgget(2), msgop(2), sysvipc(7); Kerrisk, TLPI, ch. 46;
 *         Stevens & Rago, APUE, 15.7
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sysv-msg needs Linux: MSG_EXCEPT, PR_SET_PDEATHSIG"
#endif
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The upper half of our keys: `make clean-ipc` knows them by it. */
enum { TAG = 0x1bc50000, ROOM = 1000 };
#define LAST LONG_MAX /* the type that says that all are sent */

static const char help[] =
    "usage: sysv-msg [--take TYPE] [TYPE TEXT]...\n"
    "  --take TYPE  0: the first of all; 5: the first of type 5;\n"
    "               -5: the lowest type up to 5 (0)\n";

/* The kernel wants a long in front; what follows is ours. */
struct message {
    long type;
    char text[ROOM];
};

static int queue = -1;
static pid_t parent;
static sigset_t all, old;

/* However Parent leaves. Who still waits in msgrcv hears EIDRM, and ends. */
static void clean_up(void)
{
    if (getpid() != parent)
        return;
    if (queue != -1)
        msgctl(queue, IPC_RMID, NULL);
    while (wait(NULL) > 0)
        ;
    sigprocmask(SIG_SETMASK, &old, NULL); /* one may have come */
}

/* Makes a queue that was not there before. */
static int new_queue(void)
{
    key_t key = TAG | (getpid() & 0x7fff);
    int id;

    /* A killed run may have left one with this key: then the next key. */
    while ((id = msgget(key, IPC_CREAT | IPC_EXCL | 0600)) == -1 &&
           errno == EEXIST)
        key++;
    if (id == -1) {
        warn("msgget");
        errx(1, "hint: ipcs -l shows the limits, ipcs -q what there is");
    }
    return id;
}

static void put(long type, const char *text)
{
    struct message m = { .type = type };
    size_t size = strlen(text); /* of the text: the type does not count */

    memcpy(m.text, text, size);
    /* Full, the queue would make us wait, for a Receiver that waits too. */
    if (msgsnd(queue, &m, size, IPC_NOWAIT) == 0)
        return;
    if (errno != EINVAL || type > 0)
        err(1, "Sender: msgsnd");
    printf("Sender: EINVAL: a type is 1 or more\n");
}

static void sender(char *words[])
{
    for (; *words; words += 2) {
        printf("Sender: type %s: %s\n", words[0], words[1]);
        put(strtol(words[0], NULL, 10), words[1]);
    }
    put(LAST, "");
}

/* Takes one message, if there is one such as this, and says how it went. */
static bool take(const char *which, long type, size_t room, int flags)
{
    struct message m;
    ssize_t n = msgrcv(queue, &m, room, type, flags | IPC_NOWAIT);

    if (n == -1 && errno != ENOMSG && errno != E2BIG)
        err(1, "Receiver: msgrcv");
    printf("Receiver: %s: ", which);
    if (n >= 0)
        printf("type %ld, %zd bytes: %.*s\n", m.type, n, (int)n, m.text);
    else if (errno == ENOMSG)
        printf("ENOMSG, there is none\n");
    else
        printf("E2BIG, longer than %zu bytes: it stays\n", room);
    return n >= 0;
}

static void receiver(bool demo, long type)
{
    struct message m;
    char which[32];

    /* In front of this one are all others. It is taken first. */
    if (msgrcv(queue, &m, ROOM, LAST, 0) == -1)
        err(1, "Receiver: msgrcv"); /* no EINTR: we have no handler */
    if (demo) {
        take("0, the first of all", 0, ROOM, 0);
        take("2, the first of type 2", 2, ROOM, 0);
        take("3 and MSG_EXCEPT, all but type 3", 3, ROOM, MSG_EXCEPT);
        while (take("-3, the lowest up to type 3", -3, ROOM, 0))
            ;
        take("4, into 3 bytes", 4, 3, 0);
        take("4, into 3 bytes with MSG_NOERROR", 4, 3, MSG_NOERROR);
        take("4, is the rest there?", 4, ROOM, 0);
        return;
    }
    snprintf(which, sizeof which, "%ld", type);
    while (take(which, type, ROOM, 0))
        ;
}

static bool is_number(const char *word, long *n)
{
    char *end;

    errno = 0;
    *n = strtol(word, &end, 10);
    return end != word && !*end && !errno && *n<LAST && * n> - LAST;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "take", required_argument, NULL, 't' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    static char *usual[] = { "5",   "five",     "3",   "three",     "1",
                             "one", "2",        "two", "1",         "again",
                             "4",   "too long", "0",   "nobody's?", NULL };
    char **words = usual;
    bool demo = true;
    struct msqid_ds ds;
    long n, type = 0;
    int opt, status;

    while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (opt != 't') {
            fputs(help, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
        if (!is_number(optarg, &type))
            errx(2, "--take must be a number: %s", optarg);
        demo = false;
    }
    if (optind < argc) {
        demo = false;
        words = argv + optind;
    }
    for (int i = 0; words[i]; i += 2) {
        if (!is_number(words[i], &n))
            errx(2, "TYPE must be a number: %s", words[i]);
        if (!words[i + 1])
            errx(2, "TEXT is missing after TYPE %s", words[i]);
        if (strlen(words[i + 1]) > ROOM)
            errx(2, "TEXT is longer than %d bytes", ROOM);
    }

    setvbuf(stdout, NULL, _IOLBF, 0);

    sigfillset(&all); /* signals wait until the queue is removed */
    sigprocmask(SIG_BLOCK, &all, &old);
    parent = getpid();
    atexit(clean_up);
    queue = new_queue();
    for (int i = 0; i < 2; i++) {
        switch (fork()) {
        case -1:
            err(1, "fork");
        case 0:
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody outlives Parent */
            if (getppid() != parent)
                _exit(1);
            sigprocmask(SIG_SETMASK, &old, NULL);
            if (i == 0)
                receiver(demo, type);
            else
                sender(words);
            if (ferror(stdout))
                errx(1, "not all could be written to stdout");
            exit(0);
        }
    }
    for (int i = 0; i < 2; i++) {
        if (wait(&status) == -1)
            err(1, "wait");
        if (status)
            errx(1, "Sender or Receiver died: the queue is removed");
    }

    if (msgctl(queue, IPC_STAT, &ds) == -1)
        err(1, "msgctl IPC_STAT");
    printf("Parent: %lu left, removes the queue\n",
           (unsigned long)ds.msg_qnum);
    if (msgctl(queue, IPC_RMID, NULL) == -1)
        err(1, "msgctl IPC_RMID");
    queue = -1;
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
