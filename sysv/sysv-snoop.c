/*
 * sysv-snoop - who may read a queue takes from it, with no key at all
 *
 * usage: sysv-snoop
 *
 * Owner makes a queue that others may read, and sends Reader a message.
 * Snoop finds the queue's id in /proc/sysvipc/msg, as ipcs does, and is
 * faster. Then the mode is 0600. As root, Snoop becomes nobody.
 *
 * Watch   the key: nobody asks for it. It leads to the id, and no more.
 * Try     run it as root and as a user: what can each of them show?
 * Read    sysvipc(7), msgop(2), msgctl(2), credentials(7); TLPI, 45.3;
 *         Stevens & Rago, APUE, 15.7 and exercise 15.11
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sysv-snoop needs Linux: /proc/sysvipc"
#endif
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

/* The upper half of our keys: `make clean-ipc` knows them by it. */
enum { TAG = 0x1bc50000 };
enum { NOBODY = 65534 };

static const char help[] = "usage: sysv-snoop\n";

struct message {
    long type;
    char text[64];
};

static int queue = -1;
static pid_t owner;
static sigset_t all, old;

static void clean_up(void)
{
    if (getpid() != owner)
        return;
    if (queue != -1)
        msgctl(queue, IPC_RMID, NULL);
    sigprocmask(SIG_SETMASK, &old, NULL); /* one may have come */
}

/* Makes a queue that was not there before. */
static int new_queue(int mode)
{
    key_t key = TAG | (getpid() & 0x7fff);
    int id;

    /* A killed run may have left one with this key: then the next key. */
    while ((id = msgget(key, IPC_CREAT | IPC_EXCL | mode)) == -1 &&
           errno == EEXIST)
        key++;
    if (id == -1) {
        warn("msgget");
        errx(1, "hint: ipcs -l shows the limits, ipcs -q what there is");
    }
    return id;
}

static void put(const char *text)
{
    struct message m = { .type = 1 };

    snprintf(m.text, sizeof m.text, "%s", text);
    printf("Owner: sends: %s\n", text);
    if (msgsnd(queue, &m, strlen(m.text), IPC_NOWAIT) == -1)
        err(1, "Owner: msgsnd");
}

/* Takes what is there. It does not wait, and so outlives nobody for long. */
static void take(const char *who, int id)
{
    struct message m;
    ssize_t n = msgrcv(id, &m, sizeof m.text, 0, IPC_NOWAIT);

    if (n >= 0)
        printf("%s: takes: %.*s\n", who, (int)n, m.text);
    else if (errno == ENOMSG)
        printf("%s: ENOMSG, the queue is empty\n", who);
    else if (errno == EACCES)
        printf("%s: EACCES, the mode does not let it read\n", who);
    else
        err(1, "%s: msgrcv", who);
}

/* Finds the queue into which Owner was the last to send. */
static int find(pid_t sender)
{
    FILE *file = fopen("/proc/sysvipc/msg", "r");
    int id, found = -1, last;
    char line[512];

    if (!file)
        err(1, "Snoop: /proc/sysvipc/msg");
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%*d %d %*o %*u %*u %d", &id, &last) == 2 &&
            last == sender)
            found = id;
    fclose(file);
    if (found == -1)
        errx(1, "Snoop: /proc/sysvipc/msg does not list the queue");
    return found;
}

/* True if we were root and are nobody: without a way back, nor a group. */
static bool become_nobody(void)
{
    return geteuid() == 0 && setgroups(0, NULL) == 0 &&
           setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
           setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

static void snoop(bool refused)
{
    bool another = become_nobody();

    if (refused && !another) {
        printf("Snoop: cannot show the refusal: only root can become another "
               "user\n");
        return;
    }
    if (!refused)
        printf("Snoop: finds the id in /proc/sysvipc/msg, needs no key\n");
    take("Snoop", find(getppid()));
}

static void reader(bool unused)
{
    (void)unused;
    take("Reader", queue);
}

/* Lets somebody come, and waits until he has gone. */
static void send_in(void role(bool), bool refused)
{
    int status;

    switch (fork()) {
    case -1:
        err(1, "fork");
    case 0:
        sigprocmask(SIG_SETMASK, &old, NULL);
        role(refused);
        if (ferror(stdout))
            errx(1, "not all could be written to stdout");
        exit(0);
    }
    if (wait(&status) == -1)
        err(1, "wait");
    if (status)
        errx(1, "Snoop or Reader died");
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    struct msqid_ds ds;
    int opt;

    if ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        fputs(help, opt == 'h' ? stdout : stderr);
        return opt == 'h' ? 0 : 2;
    }
    if (optind < argc)
        errx(2, "no operand is needed, what is this: %s", argv[optind]);

    setvbuf(stdout, NULL, _IOLBF, 0);

    sigfillset(&all); /* signals wait until the queue is removed */
    sigprocmask(SIG_BLOCK, &all, &old);
    owner = getpid();
    atexit(clean_up);

    printf("Owner: makes a queue, mode 0604: others may read\n");
    queue = new_queue(0604);
    put("for Reader only");
    send_in(snoop, false);
    send_in(reader, false);

    if (msgctl(queue, IPC_STAT, &ds) == -1)
        err(1, "msgctl IPC_STAT");
    ds.msg_perm.mode = 0600;
    if (msgctl(queue, IPC_SET, &ds) == -1)
        err(1, "msgctl IPC_SET");
    printf("Owner: sets the mode to 0600\n");
    put("for Reader only");
    send_in(snoop, true);
    send_in(reader, true);

    if (msgctl(queue, IPC_RMID, NULL) == -1)
        err(1, "msgctl IPC_RMID");
    queue = -1;
    if (ferror(stdout))
        errx(1, "not all could be written to stdout");
    return 0;
}
