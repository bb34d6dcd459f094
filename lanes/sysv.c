/*
 * sysv.c - System V's semaphores and queues, asked by their numbers
 */
#include "ends.h"
#include <errno.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>

static bool other_ipc(struct waiting *w)
{
    if (!look_foreign(w->who->of, "ipc"))
        return false;
    wait_open(
        w, ": it is in another IPC namespace, so the object cannot be asked");
    return true;
}

/* No process is known to have taken it. Which others wait at the set? */
static void others_on(struct waiting *w, int id)
{
    for (struct seen *q = look_each(NULL); q; q = look_each(q)) {
        if (!q->asked_for || q == w->who->of)
            continue;
        look_threads(q);
        for (int i = 0; i < q->threads; i++)
            if (q->thread[i].known == CALL_KNOWN &&
                (q->thread[i].call == SYS_semop ||
                 q->thread[i].call == SYS_semtimedop) &&
                (int)q->thread[i].arg[0] == id)
                wait_giver(w, q, &q->thread[i]);
    }
}

static void add_last(struct waiting *w, pid_t pid, const char *what)
{
    const struct seen *q = pid > 0 ? look_pid(pid) : NULL;

    if (q)
        wait_add(w, "; %s %s", what,
                 q == w->who->of ? "itself" : wait_name(q));
    else if (pid > 0)
        wait_add(w, "; %s %d, which has ended", what, (int)pid);
}

void kind_semop(struct waiting *w)
{
    int id = (int)w->who->arg[0];
    struct sembuf op[16];
    size_t n = w->who->arg[2] < 16 ? w->who->arg[2] : 16;
    bool said = false;

    if (other_ipc(w))
        return;
    wait_add(w, " on set %d", id);
    if (!wait_reads(w, 1, op, n * sizeof *op))
        return;
    w->known = w->open = true;
    for (size_t i = 0; i < n; i++) {
        int value = semctl(id, op[i].sem_num, GETVAL);
        int last = semctl(id, op[i].sem_num, GETPID);
        struct seen *q = last > 0 ? look_pid(last) : NULL;

        if (value == -1) {
            wait_add(w,
                     errno == EACCES ? ": its values may not be read" : "");
            break;
        }
        if (op[i].sem_op == 0 ? value == 0 : value >= -op[i].sem_op)
            continue; /* this one could be done */
        wait_add(w, "%s semaphore %d has the value %d, and must %s %d",
                 said ? ";" : ":", op[i].sem_num, value,
                 op[i].sem_op == 0 ? "be" : "have", -op[i].sem_op);
        said = true;
        if (last == 0)
            wait_add(w, "; no process has used it yet");
        add_last(w, last, "used last by");
        if (q && q != w->who->of)
            wait_giver(w, q, NULL);
    }
    if (!w->givers)
        others_on(w, id);
}

/* A queue that could be asked. */
static bool queue(struct waiting *w, struct msqid_ds *q)
{
    int id = (int)w->who->arg[0];

    if (other_ipc(w))
        return false;
    w->known = w->open = true;
    wait_add(w, " on queue %d", id);
    if (msgctl(id, IPC_STAT, q) == 0)
        return true;
    wait_add(w, ": it may not be asked");
    return false;
}

void kind_msgrcv(struct waiting *w)
{
    enum { COPY = 040000 }; /* MSG_COPY: without taking any */
    int id = (int)w->who->arg[0];
    long type = (long)w->who->arg[3];
    struct msqid_ds q;
    struct {
        long type;
        char text[8192];
    } m;

    if (!queue(w, &q))
        return;
    if (q.msg_qnum == 0) {
        wait_add(w, ": it is empty");
    } else {
        wait_add(w, ": it wants %s %ld, and in the queue are types ",
                 type < 0 ? "a type up to" : "type", type < 0 ? -type : type);
        for (int n = 0;
             n < 8 && msgrcv(id, &m, sizeof m.text, n,
                             COPY | IPC_NOWAIT | MSG_NOERROR) != -1;
             n++)
            wait_add(w, "%s%ld", n ? ", " : "", m.type);
    }
    add_last(w, q.msg_lspid, "sent last:");
}

void kind_msgsnd(struct waiting *w)
{
    struct msqid_ds q;

    if (!queue(w, &q))
        return;
    wait_add(w, ": it is full, %lu message%s of %lu bytes in all",
             (unsigned long)q.msg_qnum, q.msg_qnum == 1 ? "" : "s",
             (unsigned long)q.__msg_cbytes);
    add_last(w, q.msg_lrpid, "received last:");
}
