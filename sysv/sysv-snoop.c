/*
 * sysv-snoop - an id is no secret: the mode alone protects a queue
 *
 * usage: sysv-snoop
 *
 * Owner sends Reader a message, but others may read the queue, too. Snoop,
 * another user, knows no key. It finds the id in /proc/sysvipc/msg, where
 * anybody may look, and takes the message before Reader comes. Then Owner
 * sets the mode to 0600, and sends again.
 *
 * Watch   Snoop calls msgrcv, but never msgget: no key is asked for.
 * Try     run it as root, and as yourself: whom does mode 0600 stop?
 * Read    sysvipc(7), msgop(2), msgctl(2); Kerrisk, TLPI, 45.3; APUE, 15.7
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "sysv-snoop needs Linux: /proc/sysvipc"
#endif
#include <err.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

struct message {
    long type;
    char text[40];
};

static int queue;

/* Nobody else would remove the queue. */
static _Noreturn void fail(const char *call)
{
    warn("%s", call);
    msgctl(queue, IPC_RMID, NULL);
    exit(1);
}

static void take(const char *who, int id)
{
    struct message m;
    ssize_t n = msgrcv(id, &m, sizeof m.text, 0, IPC_NOWAIT);

    if (n == -1 && errno != EACCES && errno != ENOMSG)
        err(1, "msgrcv");
    if (n == -1)
        printf("%s: msgrcv: %s\n", who, strerror(errno));
    else
        printf("%s takes: %.*s\n", who, (int)n, m.text);
}

static void become_nobody(void)
{
    if (setgroups(0, NULL) == -1)
        err(1, "setgroups");
    if (setgid(NOBODY) == -1)
        err(1, "setgid");
    if (setuid(NOBODY) == -1)
        err(1, "setuid");
}

/* Finds the queue that Owner was the last to send to. */
static void snoop(void)
{
    FILE *list = fopen("/proc/sysvipc/msg", "r");
    char line[300];
    unsigned mode;
    int id, last;

    if (!list)
        err(1, "/proc/sysvipc/msg");
    /* The columns: key, msqid, perms, cbytes, qnum (1 message), lspid. */
    do {
        if (!fgets(line, sizeof line, list))
            errx(1, "/proc/sysvipc/msg does not show the queue");
    } while (sscanf(line, "%*d %d %o %*d 1 %d", &id, &mode, &last) != 3 ||
             last != getppid());
    printf("Snoop finds a queue of mode 0%o\n", mode);
    if (geteuid() == 0)
        become_nobody();
    take("Snoop", id);
}

int main(int argc, char *argv[])
{
    key_t key = 0x1bc50000 | (getpid() & 0xffff); /* each run has its own */
    struct message m = { .type = 1, .text = "for Reader only" };
    struct msqid_ds now;
    int status, failed = 0;

    if (argc > 1)
        errx(2, "unexpected argument: %s\nusage: sysv-snoop", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    queue = msgget(key, IPC_CREAT | IPC_EXCL | 0604);
    if (queue == -1)
        err(1, "msgget");
    if (msgctl(queue, IPC_STAT, &now) == -1)
        fail("msgctl: IPC_STAT");
    now.msg_perm.mode = 0600; /* for the IPC_SET below */

    /*
     * Two rounds. In each, Owner sends; then Snoop tries to take the message
     * (i is 0 and 2), then Reader (1 and 3). Between them the mode changes.
     */
    for (int i = 0; i < 4; i++) {
        if (i % 2 == 0 && msgsnd(queue, &m, strlen(m.text), IPC_NOWAIT) == -1)
            fail("msgsnd");
        switch (fork()) {
        case -1:
            fail("fork");
        case 0:
            if (i % 2 == 0)
                snoop();
            else
                take("Reader", queue);
            exit(0);
        }
        if (wait(&status) == -1)
            fail("wait");
        failed |= status;
        if (i == 1 && msgctl(queue, IPC_SET, &now) == -1)
            fail("msgctl: IPC_SET");
    }
    if (msgctl(queue, IPC_RMID, NULL) == -1)
        err(1, "msgctl: IPC_RMID");
    if (geteuid() != 0)
        printf("Owner: Snoop is the same user: only root can show more\n");
    return failed != 0;
}
