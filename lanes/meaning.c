/*
 * meaning.c - what each system call means: THE table is at the end
 *
 * A call that only has to be drawn is a row of the table. One that changes
 * what is open where, or that feeds another, has functions for its entry
 * (what others can see from then on) and its return (what it got).
 */
#include "meaning.h"
#include "proc.h"
#include <stdlib.h>
#include <string.h>

/* ---- what is wanted before it is there -------------------------------- */

static bool failed(const struct call *call, const char *name)
{
    return call->err && strcmp(call->err, name) == 0;
}

/* It has connected to an address, or sent to it: was anybody there? */
static void reach(struct process *p, const struct call *call,
                  const char *address)
{
    struct object *name = bound_name(address);
    struct object *o =
        name && name->peer && name->peer->readers > 0 ? name->peer : name;
    bool refused = failed(call, "ECONNREFUSED");

    if (!o)
        return;
    if (!call->err)
        name->early.who = o->early.who = NULL;
    else if (strcmp(call->name, "connect") != 0 && failed(call, "ENOENT"))
        too_early(p, o, "sent to it before it was bound");
    else if (!o->listens && (refused || failed(call, "ENOENT")))
        too_early(p, o,
                  refused ? "tried to connect before it listened"
                          : "tried to connect before it was bound");
}

/* It has opened what has a name, or has tried to. */
static void open_early(struct process *p, const struct call *call,
                       struct object *o, const char *flags)
{
    bool w = strstr(flags, "O_WRONLY") || strstr(flags, "O_RDWR");
    bool own = o->early.who && o->early.who->leader == p->leader;

    if (failed(call, "ENOENT"))
        too_early(p, o, "tried to open it before it was made");
    else if (failed(call, "ENXIO") && o->kind == FIFO)
        too_early(p, o, "opened it to write before anybody read it");
    else if (!call->err &&
             (own || (!strstr(flags, "O_CREAT") && (w || o->kind != FIFO))))
        o->early.who = NULL;
}

/* ---- bytes: read, write and all their kin ----------------------------- */

static void enter_read(struct process *p, struct call *call)
{
    struct file *file;

    p->target = see(p, arg(call, 0), NULL, &file);
    if (file && !file->r && !file->w)
        file_ends(file, true, false); /* now we know which end it is */
}

/* By whose doing is it the end of the file: it closed last, or closes now. */
static void end_of_file(struct process *p, struct object *o)
{
    struct object *other = outbox(o);
    struct process *who = other->w;

    p->own_close = false;
    if (o->kind != PIPE && o->kind != FIFO && o->kind != SOCKET)
        return;
    if (other->writers > 0) {
        who = NULL; /* someone who holds it is at its end, unsaid yet */
        for (struct process *q = processes; q; q = q->next) {
            bool closing = q->inside && q->in == IN_EXEC;

            if (alive(q) && q != p && !q->thread && (closing || !who) &&
                holds(q, other, true))
                who = q;
        }
    }
    p->own_close = who == p;
    tie(p, LAST_W, who, other->writers > 0 ? -1 : other->w_seq,
        other->writers > 1,
        o->kind == SOCKET ? "closed" : "last writer gone");
}

static void leave_read(struct process *p, struct call *call)
{
    struct object *o = p->target;
    const char *rank = arg(call, 3); /* of a message in a queue */

    if (!o || call->value < 0)
        return;
    if (o->kind == EVENT && strstr(o->key, "signalfd")) {
        struct message *m = p->leader->signals.first;

        if (m) {
            tie(p, SIGNAL_, m->from, m->seq, false, "signal");
            message_remove(&p->leader->signals, m);
        }
        memcpy(p->leader->came, p->leader->sent, sizeof p->leader->came);
    } else if (o->kind == MQ) {
        receive(p, o, data_of(call, 1), call->value, true,
                *rank == '[' ? strtol(rank + 1, NULL, 10) : -1);
    } else if (call->value == 0 && !o->datagrams) {
        end_of_file(p, o);
    } else if (o->kind != FILE_ && o->kind != TTY && o->kind != DEVICE) {
        receive(p, o, data_of(call, 1), call->value,
                o->kind == EVENT || o->datagrams, -1);
    }
}

static void enter_write(struct process *p, struct call *call)
{
    struct file *file;
    struct object *o = see(p, arg(call, 0), NULL, &file);
    long n = strtol(arg(call, 2), NULL, 10);

    p->target = o;
    if (!o || o->kind == FILE_ || o->kind == TTY || o->kind == DEVICE)
        return;
    if (file && !file->r && !file->w)
        file_ends(file, false, true);
    o = addressee(o, strcmp(call->name, "sendto") == 0 ? arg(call, 4) : "");
    if (*arg(call, 1) == '[') /* writev: how much, is known at its return */
        n = iov_bytes(arg(call, 1));
    send_message(p, o, data_of(call, 1), n,
                 o->kind == MQ ? strtol(arg(call, 3), NULL, 10) : 0);
}

static void last_reader(struct process *p, const struct object *o)
{
    const struct object *end =
        o && o->kind == SOCKET && o->peer ? o->peer : o;

    if (o)
        tie(p, LAST_R, end == o ? o->r : end->w,
            end == o ? o->r_seq : end->w_seq, false, "last reader gone");
}

static void leave_write(struct process *p, struct call *call)
{
    sent(p, call->value);
    if (failed(call, "EPIPE"))
        last_reader(p, see(p, arg(call, 0), NULL, NULL));
    if (strncmp(call->name, "send", 4) == 0) /* sendto, sendmsg */
        reach(p, call, arg(call, call->name[4] == 't' ? 4 : 1));
}

/* Into which descriptor do they copy, from which other, and how much? */
static void splices(struct process *p, const struct call *call,
                    struct object **in, struct object **out, long *size)
{
    bool file = strcmp(call->name, "sendfile") == 0;
    bool tee = strcmp(call->name, "tee") == 0;

    *in = see(p, arg(call, file), NULL, NULL);
    *out = see(p, arg(call, file ? 0 : tee ? 1 : 2), NULL, NULL);
    *size = strtol(arg(call, file ? 3 : tee ? 2 : 4), NULL, 10);
}

static bool carries(const struct object *o)
{
    return o && (o->kind == PIPE || o->kind == FIFO || o->kind == SOCKET);
}

static void enter_splice(struct process *p, struct call *call)
{
    struct object *in, *out;
    long size;

    splices(p, call, &in, &out, &size);
    if (carries(out))
        send_message(p, outbox(out), NULL, size, 0);
    p->target = in;
}

static void leave_splice(struct process *p, struct call *call)
{
    struct object *in, *out;
    long size;

    splices(p, call, &in, &out, &size);
    sent(p, call->value);
    if (call->err && strcmp(call->err, "EPIPE") == 0)
        last_reader(p, out);
    else if (call->value == 0 && in)
        end_of_file(p, in);
    else if (call->value > 0 && carries(in) && strcmp(call->name, "tee") != 0)
        receive(p, in, NULL, call->value, false, -1);
    else if (call->value > 0 && in && in->first) /* they stay there */
        tie(p, BYTES, in->first->from, in->first->seq, false, "%ld bytes",
            call->value);
}

/* ---- descriptors ------------------------------------------------------ */

static void enter_close(struct process *p, struct call *call)
{
    int fd;
    struct file *file;

    p->target = see(p, arg(call, 0), &fd, &file);
    p->closed = !file || file->r == file->w ? "" : file->w ? ".w" : ".r";
    if (fd != -1)
        slot_close(p, fd);
}

static void leave_dup(struct process *p, struct call *call)
{
    int fd = (int)call->value;
    struct file *file;

    p->target = see(p, arg(call, 0), NULL, &file);
    if (fd < 0 || !file)
        return;
    file->refs++;
    slot_set(p, fd, file,
             has(call, 2, "O_CLOEXEC") || has(call, 1, "DUPFD_CLOEXEC"));
}

/* What was there has one holder less from now; the new comes at the end. */
static void enter_dup2(struct process *p, struct call *call)
{
    char what[400];
    int from = descriptor(arg(call, 0), what, sizeof what);
    int to = descriptor(arg(call, 1), what, sizeof what);
    struct slot *old = slot_of(p, to);

    p->target = see(p, arg(call, 0), NULL, NULL);
    if (to != from && p->target && old && old->file &&
        old->file->object->kind != TTY && old->file->object->kind != FILE_)
        slot_close(p, to);
}

static void leave_dup2(struct process *p, struct call *call)
{
    char what[400];

    if (call->value != descriptor(arg(call, 0), what, sizeof what))
        leave_dup(p, call);
}

/* Whichever waits at it may go on from here. */
static void give(struct object *o, struct process *p)
{
    o->user = p;
    o->used = p->seq;
    o->given = true;
}

static void lock(struct process *p, bool take, bool flock)
{
    struct object *o = p->target;

    if (!o)
        return;
    if (p->waits && take)
        tie(p, WAKE, o->user, o->used, false, "unlocked");
    o->holder = take ? p : o->holder == p ? NULL : o->holder;
    o->flocked = flock;
}

static void enter_lock(struct process *p, struct call *call)
{
    if (p->target && (has(call, 1, "LOCK_UN") ||
                      (has(call, 1, "SETLK") && has(call, 2, "F_UNLCK"))))
        give(p->target, p);
}

static void leave_fcntl(struct process *p, struct call *call)
{
    int fd;
    struct file *file;
    struct object *o = see(p, arg(call, 0), &fd, &file);
    struct slot *slot = fd == -1 ? NULL : slot_of(p, fd);

    if (call->err)
        return;
    if (has(call, 1, "F_DUPFD"))
        leave_dup(p, call);
    else if (has(call, 1, "F_SETFD") && slot)
        slot->cloexec = has(call, 2, "FD_CLOEXEC");
    else if (has(call, 1, "F_SETFL") && file)
        file->nonblocking = has(call, 2, "O_NONBLOCK");
    else if (has(call, 1, "SETPIPE_SZ") && o)
        o->capacity = call->value;
    else if (has(call, 1, "SETLK"))
        lock(p, !has(call, 2, "F_UNLCK"), false);
    else if (has(call, 1, "F_GETFL") && call->value >= 0 && o && file &&
             !file->r && !file->w)
        file_ends(file, strstr(call->result, "O_RDONLY"),
                  strstr(call->result, "O_WRONLY"));
}

static void leave_flock(struct process *p, struct call *call)
{
    if (!call->err)
        lock(p, !has(call, 1, "LOCK_UN"), true);
}

/* [3<pipe:[5]>, 4<pipe:[5]>], in which a pipe's read end comes first. */
static void leave_pair(struct process *p, struct call *call)
{
    bool pipe = *arg(call, 0) == '[';
    const char *list = arg(call, pipe ? 0 : 3);
    char one[220], what[200];
    int fd;

    if (*list++ != '[' || call->err)
        return;
    for (int i = 0;
         i < 2 && (fd = next_descriptor(&list, one, sizeof one)) != -1; i++) {
        descriptor(one, what, sizeof what);
        if (pipe && !*what)
            return; /* without -yy there is nothing to tell pipes apart */
        p->target = seen_object(what);
        if (!pipe)
            p->target->side = i == 0 ? 'a' : 'b';
        slot_set(p, fd, file_new(p->target, !pipe || i == 0, !pipe || i == 1),
                 has(call, 1, "CLOEXEC"));
        slot_of(p, fd)->file->nonblocking = has(call, 1, "NONBLOCK");
    }
}

/* A call that returns a new descriptor: "= 3<...>". */
static struct object *returned(struct process *p, const struct call *call,
                               bool r, bool w)
{
    char what[512];
    int fd;
    struct object *o;

    if (call->err || call->value < 0)
        return NULL;
    fd = descriptor(call->result, what, sizeof what);
    if (fd == -1)
        return NULL;
    if (strncmp(what, "anon_inode:", 11) == 0) {
        static int made;
        char key[64], name[40];

        snprintf(name, sizeof name, "%.30s", what + 11 + (what[11] == '['));
        name[strcspn(name, "]")] = '\0';
        snprintf(key, sizeof key, "%s#%d", name, ++made);
        o = object_by(EVENT, key);
        copy(o->name, sizeof o->name, name);
    } else {
        o = seen_object(*what ? what : "?");
    }
    slot_set(p, fd, file_new(o, r, w), false);
    for (int i = 0; i < call->args; i++)
        if (*arg(call, i) != '"') { /* flags, not a path */
            slot_of(p, fd)->cloexec |= has(call, i, "CLOEXEC");
            slot_of(p, fd)->file->nonblocking |= has(call, i, "NONBLOCK");
        }
    p->target = o;
    return o;
}

static void leave_new(struct process *p, struct call *call)
{
    returned(p, call, true, true);
}

static void enter_open(struct process *p, struct call *call)
{
    char path[512];
    struct object *o = object_of(open_path(call, path, sizeof path));

    if (o->kind == FILE_ && call->open && proc_is_fifo(p->pid, path))
        o->kind = FIFO;
    p->target = o->kind == FIFO ? o : NULL;
    if (p->target) /* whoever waits at the other side may go on from now */
        o->user = p;
}

static void leave_open(struct process *p, struct call *call)
{
    const char *flags = open_flags(call);
    bool rw = strstr(flags, "O_RDWR"), w = strstr(flags, "O_WRONLY");
    char path[512];
    struct object *o;

    open_early(p, call, object_of(open_path(call, path, sizeof path)), flags);
    if (call->err)
        return;
    o = returned(p, call, !w, rw || w);
    if (o)
        o->own |= own_file(p, call);
    if (o && strstr(flags, "O_CREAT"))
        o->made = true;
    else if (o)
        o->found = !o->made;
    if (o && o->kind != FIFO) /* perhaps reached by another name */
        o = object_of(open_path(call, path, sizeof path));
    if (!o || o->kind != FIFO || !p->waits || rw)
        return;
    for (struct process *q = processes; q; q = q->next) {
        if (q == p || !alive(q))
            continue;
        if (holds(q, o, !w) || (q->inside && q->in == IN_OPEN &&
                                q->target == o && q->seq > p->seq)) {
            tie(p, WAKE, q, q->seq, false, "has opened");
            break;
        }
    }
}

static void leave_mknod(struct process *p, struct call *call)
{
    char path[512];
    struct early early;

    if (!call->err && strstr(open_flags(call), "S_IFIFO")) {
        early = object_of(open_path(call, path, sizeof path))->early;
        object_by(FIFO, path)->early = early;
        p->target = NULL;
    }
}

static void leave_unlink(struct process *p, struct call *call)
{
    char path[512];
    struct object *o;

    (void)p;
    if (call->err)
        return;
    o = object_of(open_path(call, path, sizeof path));
    o->gone = o->kind == FIFO || o->kind == MQ; /* the name is free again */
}

/* So the C library makes a named semaphore: whole, then by its name. */
static void leave_link(struct process *p, struct call *call)
{
    char from[300], to[300];
    int n = string_bytes(arg(call, 0), from, sizeof from - 1),
        m = string_bytes(arg(call, 1), to, sizeof to - 1);
    struct early early;

    (void)p;
    if (call->err || n < 0 || m < 0)
        return;
    from[n] = to[m] = '\0';
    early = object_of(to)->early;
    object_rename(object_of(from), to);
    object_of(to)->early = early;
    object_of(to)->made = true;
}

/* ---- processes -------------------------------------------------------- */

static void enter_exit(struct process *p, struct call *call)
{
    bool all = strcmp(call->name, "exit_group") == 0 ||
               (p->leader == p && last_thread(p));

    for (struct process *q = processes; q; q = q->next)
        if (q == p || (all && q->leader == p->leader && q->state == ALIVE)) {
            q->inside = false;
            ends(q);
        }
}

static void leave_exec(struct process *p, struct call *call)
{
    const char *argv = arg(call, 1);
    char path[256], word[256];
    int n;

    if (call->err)
        return;
    n = string_bytes(arg(call, 0), path, sizeof path - 1);
    path[n < 0 ? 0 : n] = '\0';
    n = string_bytes(argv + (*argv == '['), word, sizeof word - 1);
    word[n < 0 ? 0 : n] = '\0';
    if (strncmp(argv, "[\"", 2) != 0)
        copy(word, sizeof word, path);
    if (*word)
        name_process(p, word);
    new_program(p, path);
    if (!p->parent && strstr(argv, "\"--launch\""))
        hide(p);
}

static void leave_wait(struct process *p, struct call *call)
{
    struct process *child;
    long pid = call->value;
    const char *status = arg(call, 1);
    char si_pid[16];

    if (strcmp(call->name, "waitid") == 0 && call->value == 0 &&
        field(arg(call, 2), "si_pid", si_pid, sizeof si_pid))
        pid = strtol(si_pid, NULL, 10);
    if (call->err || pid <= 0)
        return;
    child = process_of((pid_t)pid);
    if (!child || child == p)
        return;
    if (strstr(status, "WIFSTOPPED")) {
        tie(p, STATUS, child, 0, false, "stopped");
        return;
    }
    if (strstr(status, "WIFCONTINUED"))
        return;
    if (child->killer[0])
        tie(p, STATUS, child, 0, false, "%s", signal_shown(child->killer));
    else if (strstr(status, "WTERMSIG"))
        tie(p, STATUS, child, 0, false, "killed");
    else
        tie(p, STATUS, child, 0, false, "exit %d", child->status);
    if (!has(call, 3, "WNOWAIT"))
        child->state = GONE;
}

/* ---- signals ---------------------------------------------------------- */

static void enter_kill(struct process *p, struct call *call)
{
    int at = strcmp(call->name, "tgkill") == 0;
    struct process *to = process_of((pid_t)strtol(arg(call, at), NULL, 10));
    if (!to || strcmp(arg(call, at + 1), "0") == 0)
        return;
    to->leader->sent[signal_number(arg(call, at + 1))]++;
    send_message(p, &to->leader->signals, NULL, 0,
                 signal_number(arg(call, at + 1)));
    p->target = NULL;
}

static void leave_sigaction(struct process *p, struct call *call)
{
    int n = signal_number(arg(call, 0));

    if (!call->err && *arg(call, 1) == '{')
        p->leader->handled[n] =
            has(call, 1, "_handler=0x") || has(call, 1, "sa_sigaction=0x");
}

static void enter_sigmask(struct process *p, struct call *call)
{
    if (p->unblocked || (has(call, 0, "SIG_BLOCK") && few_signals(call)))
        *p->blocked = '\0';
    p->unblocked = false;
}

static void leave_sigmask(struct process *p, struct call *call)
{
    if (!call->err && has(call, 0, "SIG_BLOCK") && few_signals(call))
        copy(p->blocked, sizeof p->blocked, arg(call, 1));
    else
        p->unblocked = has(call, 0, "SIG_UNBLOCK") || unblocks(p, call);
}

static void leave_sigwait(struct process *p, struct call *call)
{
    char pid[16];
    struct process *from;

    if (call->value > 0 && call->value < 65)
        p->leader->came[call->value]++;
    if (call->err || !field(arg(call, 1), "si_pid", pid, sizeof pid))
        return;
    from = anyone((pid_t)strtol(pid, NULL, 10));
    tie(p, SIGNAL_, from, signal_came(p, from, (int)call->value), false, "%s",
        "");
}

static void leave_signalfd(struct process *p, struct call *call)
{
    leave_new(p, call);
    if (!call->err && p->target)
        copy(p->target->takes, sizeof p->target->takes, arg(call, 1));
}

/* ---- sockets ---------------------------------------------------------- */

static void leave_socket(struct process *p, struct call *call)
{
    leave_new(p, call);
    if (!call->err && p->target)
        p->target->datagrams = has(call, 1, "SOCK_DGRAM");
}

static void enter_bind(struct process *p, struct call *call)
{
    struct object *name = bound_name(arg(call, 1));

    if (name && p->target)
        name->peer = p->target;
}

static void leave_bind(struct process *p, struct call *call)
{
    struct object *name = bound_name(arg(call, 1));

    if (!p->target || call->err)
        return;
    p->target->bound = true;
    if (name)
        p->target->early = name->early;
}

static void enter_listen(struct process *p, struct call *call)
{
    if (!p->target)
        return;
    p->target->capacity = strtol(arg(call, 1), NULL, 10);
    p->target->listens = true;
}

static void leave_connect(struct process *p, struct call *call)
{
    struct object *listener = bound_to(arg(call, 1));

    reach(p, call, arg(call, 1));
    if (listener && !listener->datagrams && !call->err)
        listener->queued++; /* until it is accepted */
}

static void enter_connect(struct process *p, struct call *call)
{
    if (p->target)
        p->target->user = p;
    if (p->target && p->target->datagrams && udp_name(arg(call, 1)))
        p->target->peer = udp_name(arg(call, 1));
    if (p->target && has(call, 1, "/nscd/"))
        p->target->dull = true;
}

static void leave_accept(struct process *p, struct call *call)
{
    struct process *who = NULL;
    struct object *o, *listener;

    listener = see(p, arg(call, 0), NULL, NULL);
    o = returned(p, call, true, true);
    if (!o)
        return;
    if (listener && listener->queued > 0)
        listener->queued--;
    if (o->peer) {
        who = o->peer->user;
        messages_move(o->peer, o); /* it has written, and was not accepted */
    }
    if (!who && !strncmp(o->key, "tcp", 3)) { /* one that is in connect */
        int n = 0;

        for (struct process *q = processes; q; q = q->next)
            if (q->in == IN_CONNECT) {
                who = q;
                n++;
            }
        if (n != 1)
            who = NULL;
    }
    tie(p, WAKE, who, -1, false, "connect");
}

static void enter_shutdown(struct process *p, struct call *call)
{
    if (p->target && (has(call, 1, "SHUT_WR") || has(call, 1, "SHUT_RDWR"))) {
        p->target->w = p;
        p->target->writers = 0;
    }
}

/* Files that are sent stay open on their way, whatever the sender closes. */
static void enter_sendmsg(struct process *p, struct call *call)
{
    struct object *o = see(p, arg(call, 0), NULL, NULL);
    const char *list = passed_list(call);
    char length[24], one[300];
    struct message *m;
    int fd;

    p->target = o;
    if (!o)
        return;
    field(arg(call, 1), "iov_len", length, sizeof length);
    m = send_message(p, addressee(o, arg(call, 1)), data_of(call, 1),
                     strtol(length, NULL, 10), 0);
    while (m->files < 4 &&
           (fd = next_descriptor(&list, one, sizeof one)) != -1) {
        struct file *file;

        see(p, one, NULL, &file);
        if (!file)
            break;
        file->refs++;
        m->passed[m->files] = file;
        m->passed_fd[m->files++] = fd;
    }
}

/* The files that come along get new numbers, and are the same files. */
static void leave_recvmsg(struct process *p, struct call *call)
{
    struct object *o = p->target;
    const char *list = passed_list(call);
    char one[300], what[300];
    struct message *m;
    int fd, n = 0;

    if (!o || call->err)
        return;
    if (call->value == 0 && !o->datagrams) {
        end_of_file(p, o);
        return;
    }
    m = receive(p, o, data_of(call, 1), call->value, o->datagrams, -1);
    p->truncated |= has(call, 1, "MSG_CTRUNC");
    while ((fd = next_descriptor(&list, one, sizeof one)) != -1) {
        bool known = m && n < m->files;

        descriptor(one, what, sizeof what);
        slot_set(p, fd,
                 known ? m->passed[n]
                       : file_new(seen_object(what), true, true),
                 has(call, 2, "CLOEXEC"));
        if (known)
            tie(p, PASSED, m->from, m->seq, false, "fd %d as fd %d",
                m->passed_fd[n], fd);
        n++;
    }
    for (int i = 0; m && i < m->files; i++) /* the rest is not its own */
        m->passed[i] = i + n < m->files ? m->passed[i + n] : NULL;
    if (m)
        m->files = n < m->files ? m->files - n : 0;
}

/* ---- message queues, semaphores, shared memory ------------------------ */

static struct object *queue_of(const struct call *call)
{
    char name[300], key[302];
    int n = string_bytes(arg(call, 0), name, sizeof name - 1);

    name[n < 0 ? 0 : n] = '\0';
    snprintf(key, sizeof key, "/%s", name);
    return object_by(MQ, key);
}

static void leave_mq_open(struct process *p, struct call *call)
{
    char what[300], most[24];
    struct object *o;
    int fd =
        call->value < 0 ? -1 : descriptor(call->result, what, sizeof what);

    open_early(p, call, queue_of(call), arg(call, 1));
    if (fd == -1)
        return;
    o = object_by(MQ, what);
    if (field(arg(call, 3), "mq_maxmsg", most, sizeof most))
        o->capacity = strtol(most, NULL, 10);
    slot_set(
        p, fd,
        file_new(o, !has(call, 1, "O_WRONLY"), !has(call, 1, "O_RDONLY")),
        true);
    p->target = o;
}

static void leave_mq_unlink(struct process *p, struct call *call)
{
    (void)p;
    if (!call->err)
        queue_of(call)->gone = true;
}

static void leave_mq_send(struct process *p, struct call *call)
{
    struct message *m = p->sending;

    if (m)
        sent(p, call->err ? -1 : m->size);
}

/* System V's objects have a number; of which kind, the call's name says. */
static struct object *by_id(const struct call *call, const char *id)
{
    bool sem = strncmp(call->name, "sem", 3) == 0;
    bool msg = strncmp(call->name, "msg", 3) == 0;
    char key[64];
    struct object *o;

    snprintf(key, sizeof key, "%s %ld",
             sem   ? "semset"
             : msg ? "queue"
                   : "shm",
             strtol(id, NULL, 10));
    o = object_by(sem ? SEMSET : msg ? MSGQ : SHM, key);
    copy(o->name, sizeof o->name, key);
    return o;
}

static void leave_get(struct process *p, struct call *call)
{
    if (call->value < 0)
        return;
    p->target = by_id(call, call->result);
    p->target->made |= has(call, 0, "IPC_PRIVATE") || has(call, 2, "CREAT");
    if (p->target->kind != MSGQ) /* bytes, or how many semaphores */
        p->target->capacity = strtol(arg(call, 1), NULL, 10);
}

static void enter_id(struct process *p, struct call *call)
{
    p->target = by_id(call, arg(call, 0));
}

static void enter_semop(struct process *p, struct call *call)
{
    long n, by;

    enter_id(p, call);
    for (const char *c = arg(call, 1); next_operation(&c, &n, &by);)
        if (by > 0)
            give(semaphore(p->target, n), p);
}

static void leave_semop(struct process *p, struct call *call)
{
    struct process *waker = NULL;
    long n, by;

    if (!p->target)
        return;
    for (const char *c = arg(call, 1); next_operation(&c, &n, &by);) {
        struct object *o = semaphore(p->target, n);

        if (call->err)
            continue;
        o->queued += by;   /* its value */
        if (o->queued < 0) /* it had one that was not known */
            o->queued = 0;
        o->unknown = false;
        if (by <= 0 && o->used > p->seq)
            waker = o->user;
        o->undone = has(call, 1, "SEM_UNDO");
        if (by < 0)
            o->holder = p;
        else if (by > 0 && o->holder == p)
            o->holder = NULL;
    }
    if (call->err && strcmp(call->err, "EIDRM") == 0)
        waker = p->target->user;
    if (p->waits)
        tie(p, WAKE, waker, -1, false, call->err ? "removed" : "wake-up");
}

static void enter_ctl(struct process *p, struct call *call)
{
    enter_id(p, call);
    if (has(call, 1, "IPC_RMID") || has(call, 2, "IPC_RMID") ||
        has(call, 2, "SETALL"))
        give(p->target, p);
    else if (has(call, 2, "SETVAL"))
        give(semaphore(p->target, strtol(arg(call, 1), NULL, 10)), p);
}

static void leave_ctl(struct process *p, struct call *call)
{
    if (!call->err && p->target && has(call, 2, "SETVAL"))
        semaphore(p->target, strtol(arg(call, 1), NULL, 10))->queued =
            strtol(arg(call, 3), NULL, 0);
    if (!call->err && p->target && has(call, 2, "SETALL"))
        for (long n = 0; n < p->target->capacity && n < 64; n++)
            semaphore(p->target, n)->unknown = true;
    if (!call->err && (has(call, 1, "IPC_RMID") || has(call, 2, "IPC_RMID")))
        for (struct object *o = p->target; o; o = o->peer)
            o->gone = true; /* a set, and its semaphores */
}

static void enter_msgsnd(struct process *p, struct call *call)
{
    char type[24];

    enter_id(p, call);
    field(arg(call, 1), "mtype", type, sizeof type);
    send_message(p, p->target, data_of(call, 1),
                 strtol(arg(call, 2), NULL, 10), strtol(type, NULL, 10));
}

static void leave_msgrcv(struct process *p, struct call *call)
{
    char type[24];

    if (call->err || !p->target)
        return;
    field(arg(call, 1), "mtype", type, sizeof type);
    receive(p, p->target, data_of(call, 1), call->value, true,
            strtol(type, NULL, 10));
}

static void leave_mmap(struct process *p, struct call *call)
{
    struct object *o;

    if (call->err || !has(call, 3, "MAP_SHARED"))
        return;
    if (has(call, 3, "ANONYMOUS")) {
        static int made;
        char key[32];

        snprintf(key, sizeof key, "shared %d", ++made);
        o = object_by(SHM, key);
    } else {
        o = see(p, arg(call, 4), NULL, NULL);
    }
    if (!o)
        return;
    map_add(p, (unsigned long)call->value, strtoul(arg(call, 1), NULL, 0), o,
            strtoul(arg(call, 5), NULL, 0));
    p->target = o;
}

static void leave_truncate(struct process *p, struct call *call)
{
    struct object *o = see(p, arg(call, 0), NULL, NULL);

    if (!o || call->err)
        return;
    o->given = true;
    o->capacity = strtol(arg(call, 1), NULL, 10);
    if (strcmp(call->name, "fallocate") == 0)
        o->capacity =
            strtol(arg(call, 2), NULL, 10) + strtol(arg(call, 3), NULL, 10);
}

static void leave_munmap(struct process *p, struct call *call)
{
    if (!call->err)
        map_remove(p, strtoul(arg(call, 0), NULL, 0));
}

static void leave_shmat(struct process *p, struct call *call)
{
    if (!call->err && p->target)
        map_add(p, (unsigned long)call->value,
                p->target->capacity ? (unsigned long)p->target->capacity
                                    : 4096,
                p->target, 0);
}

/* One word of memory, which may have another address in another process. */
static struct object *futex_object(struct process *p, const char *address)
{
    unsigned long at = strtoul(address, NULL, 0), offset = 0;
    struct object *in = mapped(p, at, &offset), *o;
    char key[400];

    if (in)
        snprintf(key, sizeof key, "futex %.300s+%lu", in->key, offset);
    else
        snprintf(key, sizeof key, "futex %d:%lx", (int)p->leader->pid, at);
    o = object_by(FUTEX, key);
    o->in = in;
    if (in && in->kind == FILE_)
        snprintf(o->name, sizeof o->name, "%.40s", in->name);
    else if (in)
        snprintf(o->name, sizeof o->name, "shared+%lu", offset);
    else
        snprintf(o->name, sizeof o->name, "%lx", at & 0xffff);
    return o;
}

/*
 * Is it sem_wait? It asks for a 0 in just these words; pthread_cond_wait may,
 * too, but its word is 40 bytes into a pthread_cond_t, and this one so near
 * the beginning of a mapping that there is no room for that.
 */
static bool of_semaphore(const struct object *o, const struct call *call)
{
    return o->in && (strstr(o->key, "/dev/shm/sem.") ||
                     (atol(strrchr(o->key, '+')) < 40 &&
                      has(call, 1, "FUTEX_WAIT_BITSET") &&
                      has(call, 1, "|FUTEX_CLOCK_REALTIME") &&
                      strcmp(arg(call, 2), "0") == 0));
}

static void enter_futex(struct process *p, struct call *call)
{
    p->target = futex_object(p, arg(call, 0));
    p->target->semaphore |= of_semaphore(p->target, call);
    if (has(call, 1, "WAKE")) {
        p->target->user = p;
        p->target->used = p->seq;
    }
}

static void leave_futex(struct process *p, struct call *call)
{
    struct object *o = p->target;

    /* Without a row it may still have had to wait, if nobody had one. */
    if (call->err || !o || !has(call, 1, "WAIT") ||
        (!p->waits && o->used < p->seq))
        return;
    if (o->user && o->user != p) {
        tie(p, WAKE, o->user, o->used, false, "wake-up");
    } else {
        long pid =
            strtol(arg(call, 2), NULL, 10); /* pthread_join: a thread */

        for (struct process *q = processes; q; q = q->next)
            if (q->pid == pid && q->thread && q != p) {
                tie(p, WAKE, q, 0, false, "ended");
                break;
            }
    }
}

/* ---- the table -------------------------------------------------------- */

static const struct meaning meanings[] = {
    /* bytes */
    { "read readv", "$n($f0)", "$d1", ON_FD, .enter = enter_read,
      .leave = leave_read, .need = NEEDS_DATA },
    { "write writev vmsplice", "$n($f0,$s1)", .flags = ON_FD | FEEDS,
      .enter = enter_write, .leave = leave_write, .need = NEEDS_ROOM },
    { "splice", "splice($f0,$f2)", "$r", ON_FD | FEEDS, .enter = enter_splice,
      .leave = leave_splice, .need = NEEDS_DATA },
    { "tee", "tee($f0,$f1)", "$r", ON_FD | FEEDS, .enter = enter_splice,
      .leave = leave_splice, .need = NEEDS_DATA },
    { "sendfile", "sendfile($f0,$f1)", "$r", ON_FD | FEEDS,
      .enter = enter_splice, .leave = leave_splice },
    /* descriptors */
    { "close", "close($f0)", .flags = ON_FD | FEEDS | IPC_ONLY,
      .enter = enter_close },
    { "dup", "dup($f0)", "$r", ON_FD | IPC_ONLY, .leave = leave_dup },
    { "dup2 dup3", "dup2($f0, $f1)", .flags = ON_FD | FEEDS,
      .enter = enter_dup2, .leave = leave_dup2 },
    { "fcntl", "fcntl($f0, $l1)", .flags = ON_FD, .enter = enter_lock,
      .leave = leave_fcntl, .need = NEEDS_LOCK },
    { "flock", "flock($f0, $1)", .flags = ON_FD, .enter = enter_lock,
      .leave = leave_flock, .need = NEEDS_LOCK },
    { "pipe pipe2", "pipe()", "$k0", .leave = leave_pair },
    { "open openat", "open($B)", "$r", IN_OPEN, .enter = enter_open,
      .leave = leave_open, .need = NEEDS_PARTNER },
    { "creat", "creat($b0)", "$r", .leave = leave_new },
    { "mknod mknodat", "mkfifo($B)", .leave = leave_mknod },
    { "unlink unlinkat", "unlink($B)", .flags = QUIET,
      .leave = leave_unlink },
    { "link", "sem_open makes $b1", .leave = leave_link },
    { "eventfd2", "eventfd($0)", "$r", .leave = leave_new },
    { "timerfd_create", "timerfd()", "$r", .leave = leave_new },
    { "epoll_create1", "epoll_create()", "$r", QUIET, .leave = leave_new },
    { "pidfd_open", "pidfd_open($p0)", "$r", .leave = leave_new },
    { "memfd_create", "memfd_create($b0)", "$r", .leave = leave_new },
    /* processes */
    { "fork clone clone3", "fork()", .flags = QUIET | IN_FORK },
    { "vfork", "vfork()", .flags = QUIET | IN_FORK },
    { "execve", "exec$v1", .flags = IN_EXEC, .leave = leave_exec },
    { "exit exit_group", "exit $0", .flags = QUIET | EXITS,
      .enter = enter_exit },
    { "wait4 waitpid", "waitpid($p0)", "$P", .leave = leave_wait,
      .need = NEEDS_CHILD },
    { "waitid", "waitid($p1)", "$P", .leave = leave_wait,
      .need = NEEDS_CHILD },
    /* signals */
    { "kill tkill", "kill($p0, $g1)", .flags = FEEDS, .enter = enter_kill,
      .leave = leave_write },
    { "tgkill", "kill($p1, $g2)", .flags = FEEDS, .enter = enter_kill,
      .leave = leave_write },
    { "rt_sigqueueinfo", "sigqueue($p0, $i2)", .flags = FEEDS,
      .enter = enter_kill, .leave = leave_write },
    { "pidfd_send_signal", "pidfd_send_signal($f0, $g1)", .flags = FEEDS },
    { "rt_sigaction", "sigaction($g0, $h1)", .leave = leave_sigaction },
    { "rt_sigprocmask", "$u1", .enter = enter_sigmask,
      .leave = leave_sigmask },
    { "rt_sigsuspend", "sigsuspend()", .need = NEEDS_SIGNAL },
    { "pause", "pause()", .need = NEEDS_SIGNAL },
    { "rt_sigtimedwait", "sigwait()", "$i1", .leave = leave_sigwait,
      .need = NEEDS_SIGNAL, .limit = 2 },
    { "signalfd4", "signalfd($1)", "$r", .leave = leave_signalfd },
    { "alarm", "alarm($0)", .enter = NULL },
    { "setitimer", "setitimer()", .enter = NULL },
    { "nanosleep", "nanosleep($c0)", .need = NEEDS_TIME },
    { "clock_nanosleep", "nanosleep($c2)", .need = NEEDS_TIME },
    /* many descriptors */
    { "poll ppoll", "poll($w0)", "$R", .need = NEEDS_ONE_OF, .limit = 2 },
    { "select pselect6", "select($t1)", "$R", .need = NEEDS_ONE_OF,
      .limit = 4 },
    { "epoll_wait epoll_pwait", "epoll_wait($f0)", "$r", .need = NEEDS_ONE_OF,
      .limit = 3 },
    /* sockets */ { "socket", "socket()", "$r", .leave = leave_socket },
    { "socketpair", "socketpair()", "$k3", .leave = leave_pair },
    { "bind", "bind($f0, $a1)", .flags = ON_FD, .enter = enter_bind,
      .leave = leave_bind },
    { "listen", "listen($f0)", .flags = ON_FD, .enter = enter_listen },
    { "connect", "connect($f0, $a1)", .flags = ON_FD | FEEDS | IN_CONNECT,
      .enter = enter_connect, .leave = leave_connect, .need = NEEDS_ACCEPT },
    { "accept accept4", "accept($f0)", "$r", ON_FD, .enter = enter_read,
      .leave = leave_accept, .need = NEEDS_DATA },
    { "shutdown", "shutdown($f0, $1)", .flags = ON_FD | FEEDS,
      .enter = enter_shutdown },
    { "sendto", "send($f0,$s1)", .flags = ON_FD | FEEDS, .enter = enter_write,
      .leave = leave_write, .need = NEEDS_ROOM },
    { "recvfrom", "recv($f0)", "$d1", ON_FD, .enter = enter_read,
      .leave = leave_read, .need = NEEDS_DATA },
    { "sendmsg", "sendmsg($f0,$s1)", .flags = ON_FD | FEEDS,
      .enter = enter_sendmsg, .leave = leave_write, .need = NEEDS_ROOM },
    { "recvmsg", "recvmsg($f0)", "$d1", ON_FD, .enter = enter_read,
      .leave = leave_recvmsg, .need = NEEDS_DATA },
    /* POSIX message queues */
    { "mq_open", "mq_open($B)", "$r", .leave = leave_mq_open },
    { "mq_unlink", "mq_unlink($B)", .leave = leave_mq_unlink },
    { "mq_timedsend", "mq_send($f0,$s1, prio $3)", .flags = ON_FD | FEEDS,
      .enter = enter_write, .leave = leave_mq_send, .need = NEEDS_ROOM,
      .limit = 4 },
    { "mq_timedreceive", "mq_receive($f0)", "$d1$y3", ON_FD,
      .enter = enter_read, .leave = leave_read, .need = NEEDS_DATA,
      .limit = 4 },
    { "mq_notify", "mq_notify($f0)", .flags = ON_FD },
    /* System V */
    { "semget", "semget()", "$r", .leave = leave_get },
    { "semop semtimedop", "semop($o1)", .flags = FEEDS, .enter = enter_semop,
      .leave = leave_semop, .need = NEEDS_SEMAPHORE, .limit = 3 },
    { "semctl", "semctl($j2)", .flags = FEEDS, .enter = enter_ctl,
      .leave = leave_ctl },
    { "msgget", "msgget()", "$r", .leave = leave_get },
    { "msgsnd", "msgsnd($q1)", .flags = FEEDS, .enter = enter_msgsnd,
      .leave = leave_mq_send, .need = NEEDS_ROOM },
    { "msgrcv", "msgrcv($3)", "$z1 $q1", .enter = enter_id,
      .leave = leave_msgrcv, .need = NEEDS_MESSAGE },
    { "msgctl", "msgctl($1)", .flags = FEEDS, .enter = enter_ctl,
      .leave = leave_ctl },
    { "shmget", "shmget()", "$r", .leave = leave_get },
    { "shmat", "shmat()", .enter = enter_id, .leave = leave_shmat },
    { "shmdt", "shmdt()", .flags = QUIET, .leave = leave_munmap },
    { "shmctl", "shmctl($1)", .enter = enter_ctl, .leave = leave_ctl },
    /* shared memory and what is in it */
    { "mmap", "mmap(MAP_SHARED)", .leave = leave_mmap },
    { "ftruncate", "ftruncate($f0)", .flags = QUIET,
      .leave = leave_truncate },
    { "fallocate", "fallocate($f0)", .flags = QUIET,
      .leave = leave_truncate },
    { "munmap", "munmap()", .flags = QUIET, .leave = leave_munmap },
    { "futex", "$x1", .flags = WAITED, .enter = enter_futex,
      .leave = leave_futex, .need = NEEDS_WAKE, .limit = 3 },
};

const struct meaning *meaning_of(const char *name)
{
    size_t n = name ? strlen(name) : 0;

    for (size_t i = 0; n > 0 && i < sizeof meanings / sizeof *meanings; i++)
        for (const char *c = meanings[i].names; c; c = strchr(c, ' ')) {
            c += *c == ' ';
            if (strncmp(c, name, n) == 0 && (c[n] == '\0' || c[n] == ' '))
                return &meanings[i];
        }
    return NULL;
}
