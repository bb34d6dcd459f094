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

/* It has connected to an address, or sent to it: was anybody there? */
static void reach(struct process *p, const struct call *call,
                  const char *address)
{
    struct object *name = bound_name(p->target, address), *o = name;
    bool refused = failed_with(call, "ECONNREFUSED");

    if (!name)
        return;
    if (name->peer && name->peer->readers > 0 &&
        !failed_with(call, "ENOENT")) /* that is another of its name */
        o = name->peer;
    if (!call->err || failed_with(call, "EINPROGRESS"))
        name->early.who = o->early.who = NULL;
    else if (!o->listens && (refused || failed_with(call, "ENOENT")))
        too_early(p, o,
                  strcmp(call->name, "connect") != 0
                      ? "tried to send to it before it was bound"
                  : refused && !(p->target && p->target->datagrams)
                      ? "tried to connect before it listened"
                      : "tried to connect before it was bound");
}

/* The process that came too early for what p makes now, unless it was p. */
static struct early before(const struct process *p, const struct object *o)
{
    struct early early = o->early;

    if (early.who && early.who->leader == p->leader)
        early.who = NULL;
    return early;
}

/* It has opened what has a name, or has tried to. */
static void open_early(struct process *p, const struct call *call,
                       struct object *o, const char *flags)
{
    bool w = strstr(flags, "O_WRONLY") || strstr(flags, "O_RDWR");
    bool own = o->early.who && o->early.who->leader == p->leader;

    if (failed_with(call, "ENOENT"))
        too_early(p, o, "tried to open it before it was made");
    else if (failed_with(call, "ENXIO") && o->kind == FIFO)
        too_early(p, o, "tried to open it to write while nobody read it");
    else if (!call->err &&
             (own || (!strstr(flags, "O_CREAT") &&
                      (w || o->kind != FIFO || o->early.reads))))
        o->early.who = NULL;
    if (call->err && o->early.who == p)
        o->early.reads = !w;
}

/* ---- bytes: read, write and all their kin ----------------------------- */

/* Its use tells which end it is, if that was not known. */
static void is_end(struct file *file, bool r, bool w)
{
    if (file && !file->r && !file->w)
        file_ends(file, r, w);
}

static void enter_read(struct process *p, struct call *call)
{
    struct file *file;

    p->target = see(p, arg(call, 0), NULL, &file);
    is_end(file, true, false);
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

/* The message whose files have come along, or NULL. */
static struct message *take(struct process *p, const struct call *call)
{
    struct object *o = p->target;
    const char *rank = arg(call, 3); /* of a message in a queue */

    if (!o)
        return NULL;
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
        return receive(p, o, data_of(call, 1), call->value,
                       o->kind == EVENT || o->datagrams, -1);
    }
    return NULL;
}

static void leave_read(struct process *p, struct call *call)
{
    take(p, call);
}

/* To whom, if the call says so. */
static const char *sent_to(const struct call *call)
{
    return strcmp(call->name, "sendto") == 0    ? arg(call, 4)
           : strcmp(call->name, "sendmsg") == 0 ? arg(call, 1)
                                                : "";
}

static void tried_send(struct process *p, struct call *call)
{
    reach(p, call, sent_to(call));
}

/* The message that is on its way now, or NULL. */
static struct message *post(struct process *p, const struct call *call)
{
    struct file *file;
    struct object *o = see(p, arg(call, 0), NULL, &file);
    bool buffers = strspn(arg(call, 1), "[{"); /* of writev, of a msghdr */

    p->target = o;
    if (!o || o->kind == FILE_ || o->kind == TTY || o->kind == DEVICE)
        return NULL;
    is_end(file, false, true);
    return send_message(p, addressee(o, sent_to(call)), data_of(call, 1),
                        buffers ? iov_bytes(arg(call, 1))
                                : arg_number(call, 2),
                        o->kind == MQ ? arg_number(call, 3) : 0);
}

static void enter_write(struct process *p, struct call *call)
{
    post(p, call);
}

static bool carries(const struct object *o)
{
    return o && (o->kind == PIPE || o->kind == FIFO || o->kind == SOCKET);
}

/* From one descriptor into another: splice, tee, sendfile. */
static void enter_splice(struct process *p, struct call *call)
{
    bool file = strcmp(call->name, "sendfile") == 0;
    bool tee = strcmp(call->name, "tee") == 0;
    struct object *in = see(p, arg(call, file), NULL, NULL);
    struct object *out = see(p,
                             arg(call, file  ? 0
                                       : tee ? 1
                                             : 2),
                             NULL, NULL);

    if (carries(out))
        send_message(p, outbox(out), NULL,
                     arg_number(call, file  ? 3
                                      : tee ? 2
                                            : 4),
                     0);
    p->target = in;
}

static void leave_splice(struct process *p, struct call *call)
{
    struct object *in = p->target;

    if (call->value == 0 && in)
        end_of_file(p, in);
    else if (carries(in) && strcmp(call->name, "tee") != 0)
        receive(p, in, NULL, call->value, false, -1);
    else if (in && in->first) /* they stay there */
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
    struct file *file;

    p->target = see(p, arg(call, 0), NULL, &file);
    if (!file)
        return;
    file->refs++;
    slot_set(p, (int)call->value, file,
             has(call, 2, "O_CLOEXEC") || has(call, 1, "DUPFD_CLOEXEC"));
}

/* What was there has one holder less from now; the new comes at the end. */
static void enter_dup2(struct process *p, struct call *call)
{
    int to = (int)arg_number(call, 1);
    struct slot *old = slot_of(p, to);

    if (to != arg_number(call, 0) && p->target && old && old->file &&
        old->file->object->kind != TTY && old->file->object->kind != FILE_)
        slot_close(p, to);
}

static void leave_dup2(struct process *p, struct call *call)
{
    if (call->value != arg_number(call, 0))
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
    struct slot *slot = slot_of(p, fd);

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
    else if (has(call, 1, "F_GETFL"))
        is_end(file, strstr(call->result, "O_RDONLY"),
               strstr(call->result, "O_WRONLY"));
}

static void leave_flock(struct process *p, struct call *call)
{
    lock(p, !has(call, 1, "LOCK_UN"), true);
}

/* [3<pipe:[5]>, 4<pipe:[5]>], in which a pipe's read end comes first. */
static void leave_pair(struct process *p, struct call *call)
{
    bool pipe = *arg(call, 0) == '[';
    const char *list = arg(call, pipe ? 0 : 3);
    char one[220], what[200];
    int fd;

    if (*list++ != '[')
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
    static int made;
    char what[512], key[64];
    int fd = descriptor(call->result, what, sizeof what);
    struct object *o;

    if (fd == -1)
        return NULL;
    if (begins(what, "anon_inode:")) { /* all are called the same */
        copy(key, 31, what + 11 + (what[11] == '['));
        key[strcspn(key, "]")] = '\0';
        append(key, sizeof key, "#%d", ++made);
        o = object_by(EVENT, key);
        o->name[strcspn(o->name, "#")] = '\0';
    } else {
        o = seen_object(*what ? what : "?");
        if (strcmp(call->name, "memfd_create") == 0 && o->made) {
            append(what, sizeof what, "#%d", ++made); /* another */
            o = seen_object(what);
        }
        o->made |= strcmp(call->name, "memfd_create") == 0;
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

static void tried_open(struct process *p, struct call *call)
{
    char path[512];

    open_early(p, call, object_of(open_path(call, path, sizeof path)),
               open_flags(call));
}

static void leave_open(struct process *p, struct call *call)
{
    const char *flags = open_flags(call);
    bool rw = strstr(flags, "O_RDWR"), w = strstr(flags, "O_WRONLY");
    char path[512];
    struct object *o = returned(p, call, !w, rw || w);

    if (!o)
        return;
    o->own |= own_file(p, call);
    o->made |= strstr(flags, "O_CREAT") != NULL;
    o->found |= !o->made;
    if (o->kind != FIFO) /* perhaps reached by another name */
        o = object_of(open_path(call, path, sizeof path));
    if (o->kind != FIFO || !p->waits || rw)
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
    struct object *o = object_of(open_path(call, path, sizeof path));

    if (strstr(open_flags(call), "S_IFIFO"))
        object_by(FIFO, path)->early = before(p, o);
}

static void leave_unlink(struct process *p, struct call *call)
{
    char path[512];
    struct object *o = object_of(open_path(call, path, sizeof path));

    (void)p;
    o->gone = o->kind == FIFO || o->kind == MQ; /* the name is free again */
}

/* So the C library makes a named semaphore: whole, then by its name. */
static void leave_link(struct process *p, struct call *call)
{
    char from[300], to[300];
    struct early early;

    if (!string_of(arg(call, 0), from, sizeof from) ||
        !string_of(arg(call, 1), to, sizeof to))
        return;
    early = before(p, object_of(to));
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

/* Its children will be in a pid namespace where others know their numbers by
   another name. */
static void leave_unshare(struct process *p, struct call *call)
{
    bool joins = strcmp(call->name, "setns") == 0;

    if (has(call, joins, "CLONE_NEWPID") || (joins && has(call, 0, "pid:[")))
        p->child_ns = joins ? -new_ns() : new_ns();
}

/* So each program learns its number, as the C library begins. */
static void leave_own(struct process *p, struct call *call)
{
    if (p->ns && call->value > 0)
        p->own = (pid_t)call->value;
}

static void leave_chdir(struct process *p, struct call *call)
{
    static int made;

    (void)call;
    p->leader->dir = ++made;
}

static void leave_exec(struct process *p, struct call *call)
{
    const char *argv = arg(call, 1);
    char path[256], word[256];

    string_of(arg(call, 0), path, sizeof path);
    if (*argv != '[' || !string_of(argv + 1, word, sizeof word))
        copy(word, sizeof word, path);
    if (*word)
        name_process(p, word);
    new_program(p, path);
    if (!p->parent && strstr(argv, "\"--launch\""))
        hide(p);
}

static void leave_wait(struct process *p, struct call *call)
{
    long pid = call->value;
    const char *status = arg(call, 1);
    struct process *child;
    char text[24];

    if (strcmp(call->name, "waitid") == 0 && pid == 0)
        pid = field_number(arg(call, 2), "si_pid");
    child = called(p, pid, false);
    if (!child || child == p || strstr(status, "WIFCONTINUED"))
        return;
    snprintf(text, sizeof text, "exit %d", child->status);
    tie(p, STATUS, child, 0, false, "%s",
        strstr(status, "WIFSTOPPED") ? "stopped"
        : *child->killer             ? signal_shown(child->killer)
        : strstr(status, "WTERMSIG") ? "killed"
                                     : text);
    if (!strstr(status, "WIFSTOPPED") && !has(call, 3, "WNOWAIT"))
        child->state = GONE;
}

/* ---- signals ---------------------------------------------------------- */

static void enter_kill(struct process *p, struct call *call)
{
    int at = strcmp(call->name, "tgkill") == 0;
    struct process *to = called(p, arg_number(call, at), false);
    int signal = signal_number(arg(call, at + 1));

    if (!to || signal == 0)
        return;
    to->leader->sent[signal]++;
    send_message(p, &to->leader->signals, NULL, 0, signal);
    p->target = NULL;
}

static void leave_sigaction(struct process *p, struct call *call)
{
    if (*arg(call, 1) == '{')
        p->leader->handled[signal_number(arg(call, 0))] =
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
    if (has(call, 0, "SIG_BLOCK") && few_signals(call))
        copy(p->blocked, sizeof p->blocked, arg(call, 1));
    else
        p->unblocked = has(call, 0, "SIG_UNBLOCK") || unblocks(p, call);
}

static void leave_sigwait(struct process *p, struct call *call)
{
    long pid = field_number(arg(call, 1), "si_pid");
    struct process *from = called(p, pid, true);
    int signal = (int)call->value;

    if (signal > 0 && signal < 65)
        p->leader->came[signal]++;
    if (pid)
        tie(p, SIGNAL_, from, signal_came(p, from, signal), false, "%s", "");
}

static void leave_signalfd(struct process *p, struct call *call)
{
    struct object *o = returned(p, call, true, true);

    if (o)
        copy(o->takes, sizeof o->takes, arg(call, 1));
}

/* ---- sockets ---------------------------------------------------------- */

static void leave_socket(struct process *p, struct call *call)
{
    struct object *o = returned(p, call, true, true);

    if (o)
        o->datagrams = has(call, 1, "SOCK_DGRAM");
}

static void enter_bind(struct process *p, struct call *call)
{
    struct object *name = bound_name(p->target, arg(call, 1));

    if (name && p->target) {
        name->peer = p->target;
        p->target->named = name;
    }
}

static void leave_bind(struct process *p, struct call *call)
{
    struct object *name = bound_name(p->target, arg(call, 1));
    bool relative =
        has(call, 1, "sun_path=\"") && !has(call, 1, "sun_path=\"/");

    if (!p->target)
        return;
    p->target->bound = true;
    if (name && !(relative && name->early.who &&
                  name->early.who->leader->dir != p->leader->dir))
        p->target->early = before(p, name);
}

static void enter_listen(struct process *p, struct call *call)
{
    if (!p->target)
        return;
    p->target->capacity = arg_number(call, 1);
    p->target->listens = true;
}

static void tried_connect(struct process *p, struct call *call)
{
    reach(p, call, arg(call, 1));
}

static void leave_connect(struct process *p, struct call *call)
{
    struct object *listener = bound_to(p->target, arg(call, 1));

    if (!p->target || !listener || listener->datagrams)
        return;
    listener->queued++; /* until it is accepted */
    p->target->named = listener->named;
}

static void enter_connect(struct process *p, struct call *call)
{
    struct object *o = p->target;

    if (!o)
        return;
    o->user = p;
    if (o->datagrams && udp_name(arg(call, 1)))
        o->peer = udp_name(arg(call, 1));
    o->dull |= has(call, 1, "/nscd/");
}

static void leave_accept(struct process *p, struct call *call)
{
    struct process *who = NULL;
    struct object *listener = see(p, arg(call, 0), NULL, NULL);
    struct object *o = returned(p, call, true, true);
    int connecting = 0;

    if (!o)
        return;
    if (listener && listener->queued > 0)
        listener->queued--;
    if (o->peer) {
        who = o->peer->user;
        messages_move(o->peer, o); /* it has written, and was not accepted */
    }
    for (struct process *q = processes; q; q = q->next)
        connecting += q->in == IN_CONNECT;
    if (!who && begins(o->key, "tcp") && connecting == 1)
        for (who = processes; who->in != IN_CONNECT; who = who->next)
            ;
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
    struct message *m = post(p, call);
    const char *list = passed_list(call);
    char one[300];
    int fd;

    while (m && m->files < 4 &&
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
    struct message *m = take(p, call);
    const char *list = passed_list(call);
    char one[300], what[300];
    int fd, n = 0;

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
    char key[302] = "/";

    string_of(arg(call, 0), key + 1, sizeof key - 1);
    return object_by(MQ, key);
}

static void tried_mq_open(struct process *p, struct call *call)
{
    open_early(p, call, queue_of(call), arg(call, 1));
}

static void leave_mq_open(struct process *p, struct call *call)
{
    char what[300];
    int fd = descriptor(call->result, what, sizeof what);
    struct object *o;

    if (fd == -1)
        return;
    o = object_by(MQ, what);
    if (field(arg(call, 3), "mq_maxmsg", what, sizeof what))
        o->capacity = strtol(what, NULL, 10);
    returned(p, call, !has(call, 1, "O_WRONLY"), !has(call, 1, "O_RDONLY"));
    slot_of(p, fd)->cloexec = true;
}

static void leave_mq_unlink(struct process *p, struct call *call)
{
    (void)p;
    queue_of(call)->gone = true;
}

/* System V's objects have a number; of which kind, the call's name says. */
static struct object *by_id(const struct call *call, const char *id)
{
    bool sem = begins(call->name, "sem"), msg = begins(call->name, "msg");
    char key[64];

    snprintf(key, sizeof key, "%s %ld",
             sem   ? "semset"
             : msg ? "queue"
                   : "shm",
             strtol(id, NULL, 10));
    return object_by(sem ? SEMSET : msg ? MSGQ : SHM, key);
}

static void leave_get(struct process *p, struct call *call)
{
    p->target = by_id(call, call->result);
    p->target->made |= has(call, 0, "IPC_PRIVATE") || has(call, 2, "CREAT");
    if (p->target->kind != MSGQ) /* bytes, or how many semaphores */
        p->target->capacity = arg_number(call, 1);
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

    for (const char *c = arg(call, 1); next_operation(&c, &n, &by);) {
        struct object *o = semaphore(p->target, n);

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
    if (p->waits)
        tie(p, WAKE, waker, -1, false, "wake-up");
}

static void enter_ctl(struct process *p, struct call *call)
{
    enter_id(p, call);
    if (has(call, 1, "IPC_RMID") || has(call, 2, "IPC_RMID") ||
        has(call, 2, "SETALL"))
        give(p->target, p);
    else if (has(call, 2, "SETVAL"))
        give(semaphore(p->target, arg_number(call, 1)), p);
}

static void leave_ctl(struct process *p, struct call *call)
{
    if (has(call, 2, "SETVAL"))
        semaphore(p->target, arg_number(call, 1))->queued =
            arg_number(call, 3);
    if (has(call, 2, "SETALL"))
        for (long n = 0; n < p->target->capacity && n < 64; n++)
            semaphore(p->target, n)->unknown = true;
    if (has(call, 1, "IPC_RMID") || has(call, 2, "IPC_RMID"))
        for (struct object *o = p->target; o; o = o->peer)
            o->gone = true; /* a set, and its semaphores */
}

static void enter_msgsnd(struct process *p, struct call *call)
{
    enter_id(p, call);
    send_message(p, p->target, data_of(call, 1), arg_number(call, 2),
                 field_number(arg(call, 1), "mtype"));
}

static void leave_msgrcv(struct process *p, struct call *call)
{
    receive(p, p->target, data_of(call, 1), call->value, true,
            field_number(arg(call, 1), "mtype"));
}

static unsigned long pages(const struct call *call)
{
    return ((unsigned long)arg_number(call, 1) + 4095) / 4096 * 4096;
}

static void leave_mmap(struct process *p, struct call *call)
{
    static int made;
    char key[32];
    struct object *o;

    map_remove(p, (unsigned long)call->value, pages(call));
    if (!has(call, 3, "MAP_SHARED"))
        return;
    if (has(call, 3, "ANONYMOUS") || has(call, 4, "</dev/zero")) {
        snprintf(key, sizeof key, "shared %d", ++made);
        o = object_by(SHM, key);
    } else {
        o = see(p, arg(call, 4), NULL, NULL);
    }
    if (!o)
        return;
    map_add(p, (unsigned long)call->value, (unsigned long)arg_number(call, 1),
            o, (unsigned long)arg_number(call, 5));
    p->target = o;
}

static void leave_truncate(struct process *p, struct call *call)
{
    struct object *o = see(p, arg(call, 0), NULL, NULL);

    if (!o)
        return;
    o->given = true;
    o->capacity = arg_number(call, 1);
    if (strcmp(call->name, "fallocate") == 0)
        o->capacity = arg_number(call, 2) + arg_number(call, 3);
}

static void leave_munmap(struct process *p, struct call *call)
{
    map_remove(p, (unsigned long)arg_number(call, 0),
               call->args > 1 ? pages(call) : 0); /* shmdt has no size */
}

static void leave_shmat(struct process *p, struct call *call)
{
    map_add(p, (unsigned long)call->value,
            p->target->capacity ? (unsigned long)p->target->capacity : 4096,
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
    if (!has(call, 1, "WAIT") || (!p->waits && o->used < p->seq))
        return;
    if (o->user && o->user != p) {
        tie(p, WAKE, o->user, o->used, false, "wake-up");
        return;
    }
    for (struct process *q = processes; q; q = q->next)
        if (q->thread &&
            is_called(p, q, arg_number(call, 2))) { /* pthread_join */
            tie(p, WAKE, q, 0, false, "ended");
            return;
        }
}

/* ---- the return of any call ------------------------------------------- */

void leave_call(struct process *p, struct call *call, const struct meaning *m)
{
    bool sends = p->sending && p->sending->seq == p->seq;
    struct object *to = sends ? p->sent_to : NULL;
    bool whole = to && (to->kind == MQ || to->kind == MSGQ);

    if (to)
        sent(p, whole && !call->err ? p->sending->size : call->value);
    if (m && m->tried)
        m->tried(p, call);
    if (to && failed_with(call, "EPIPE"))
        tie(p, LAST_R, to->kind == SOCKET ? to->w : to->r,
            to->kind == SOCKET ? to->w_seq : to->r_seq, false,
            "last reader gone");
    else if (p->waits && p->target && failed_with(call, "EIDRM"))
        tie(p, WAKE, p->target->user, -1, false, "removed");
    else if (m && m->leave && !call->err)
        m->leave(p, call);
}

/* ---- the table -------------------------------------------------------- */

static const struct meaning meanings[] = {
    /* bytes */
    { "read readv", "$n($f0)", "$d1", ON_FD, .enter = enter_read,
      .leave = leave_read, .need = NEEDS_DATA },
    { "write writev vmsplice", "$n($f0,$s1)", .flags = ON_FD | FEEDS,
      .enter = enter_write, .need = NEEDS_ROOM },
    { "splice", "splice($f0,$f2)", "$r", ON_FD | FEEDS, .enter = enter_splice,
      .leave = leave_splice, .need = NEEDS_DATA },
    { "tee", "tee($f0,$f1)", "$r", ON_FD | FEEDS, .enter = enter_splice,
      .leave = leave_splice, .need = NEEDS_DATA },
    { "sendfile", "sendfile($f0,$f1)", "$r", ON_FD | FEEDS,
      .enter = enter_splice, .leave = leave_splice },
    /* descriptors */
    { "close", "close($f0)", .flags = ON_FD | FEEDS | IPC_ONLY,
      .enter = enter_close, .worth = closes },
    { "dup", "dup($f0)", "$r", ON_FD | IPC_ONLY, .leave = leave_dup },
    { "dup2 dup3", "dup2($f0, $f1)", .flags = ON_FD | FEEDS,
      .enter = enter_dup2, .leave = leave_dup2 },
    { "fcntl", "fcntl($f0, $l1)", .flags = ON_FD, .enter = enter_lock,
      .leave = leave_fcntl, .need = NEEDS_LOCK,
      .only = "SETLK SETPIPE_SZ F_DUPFD" },
    { "flock", "flock($f0, $1)", .flags = ON_FD, .enter = enter_lock,
      .leave = leave_flock, .need = NEEDS_LOCK },
    { "pipe pipe2", "pipe()", "$k0", .leave = leave_pair },
    { "open openat", "open($B)", "$r", IN_OPEN, .enter = enter_open,
      .leave = leave_open, .need = NEEDS_PARTNER, .worth = is_opened,
      .tried = tried_open },
    { "creat", "creat($b0)", "$r", .leave = leave_new, .worth = is_opened },
    { "mknod mknodat", "mkfifo($B)", .leave = leave_mknod,
      .only = "S_IFIFO" },
    { "unlink unlinkat", "unlink($B)", .flags = QUIET, .leave = leave_unlink,
      .worth = is_unlinked },
    { "link", "sem_open makes $b1", .leave = leave_link,
      .only = "/dev/shm/sem." },
    { "eventfd2", "eventfd($0)", "$r", .leave = leave_new },
    { "timerfd_create", "timerfd()", "$r", .leave = leave_new },
    { "epoll_create1", "epoll_create()", "$r", QUIET, .leave = leave_new },
    { "pidfd_open", "pidfd_open($p0)", "$r", .leave = leave_new },
    { "memfd_create", "memfd_create($b0)", "$r", .leave = leave_new },
    /* processes */
    { "fork clone clone3", "fork()", .flags = QUIET | IN_FORK },
    { "vfork", "vfork()", .flags = QUIET | IN_FORK },
    { "execve", "exec$v1", .flags = IN_EXEC, .leave = leave_exec,
      .worth = succeeds },
    { "exit exit_group", "exit $0", .flags = QUIET | EXITS,
      .enter = enter_exit },
    { "chdir fchdir", "$n($0)", .flags = QUIET, .leave = leave_chdir },
    { "unshare setns", "$n($0)", .flags = QUIET, .leave = leave_unshare },
    { "set_tid_address", "set_tid_address()", .flags = QUIET,
      .leave = leave_own },
    { "wait4 waitpid", "waitpid($p0)", "$P", .leave = leave_wait,
      .need = NEEDS_CHILD, .worth = has_children },
    { "waitid", "waitid($p1)", "$P", .leave = leave_wait, .need = NEEDS_CHILD,
      .worth = has_children },
    /* signals */
    { "kill tkill", "kill($p0, $g1)", .flags = FEEDS, .enter = enter_kill },
    { "tgkill", "kill($p1, $g2)", .flags = FEEDS, .enter = enter_kill },
    { "rt_sigqueueinfo", "sigqueue($p0, $i2)", .flags = FEEDS,
      .enter = enter_kill },
    { "pidfd_send_signal", "pidfd_send_signal($f0, $g1)", .flags = FEEDS },
    { "rt_sigaction", "sigaction($g0, $h1)", .leave = leave_sigaction,
      .worth = has_handler },
    { "rt_sigprocmask", "$u1", .enter = enter_sigmask, .leave = leave_sigmask,
      .worth = changes_mask },
    { "rt_sigsuspend", "sigsuspend()", .need = NEEDS_SIGNAL },
    { "pause", "pause()", .need = NEEDS_SIGNAL },
    { "rt_sigtimedwait", "sigwait()", "$i1", .leave = leave_sigwait,
      .need = NEEDS_SIGNAL, .limit = 2 },
    { "signalfd4", "signalfd($1)", "$r", .leave = leave_signalfd },
    { "alarm", "alarm($0)", .flags = 0 },
    { "setitimer", "setitimer()", .flags = 0 },
    { "nanosleep", "nanosleep($c0)", .need = NEEDS_TIME },
    { "clock_nanosleep", "nanosleep($c2)", .need = NEEDS_TIME },
    /* many descriptors */
    { "poll ppoll", "poll($w0)", "$R", .need = NEEDS_ONE_OF, .limit = 2 },
    { "select pselect6", "select($t1)", "$R", .need = NEEDS_ONE_OF,
      .limit = 4 },
    { "epoll_wait epoll_pwait", "epoll_wait($f0)", "$r", .need = NEEDS_ONE_OF,
      .limit = 3 },
    /* sockets */
    { "socket", "socket()", "$r", .leave = leave_socket,
      .worth = is_own_socket },
    { "socketpair", "socketpair()", "$k3", .leave = leave_pair },
    { "bind", "bind($f0, $a1)", .flags = ON_FD, .enter = enter_bind,
      .leave = leave_bind },
    { "listen", "listen($f0)", .flags = ON_FD, .enter = enter_listen },
    { "connect", "connect($f0, $a1)", .flags = ON_FD | FEEDS | IN_CONNECT,
      .enter = enter_connect, .leave = leave_connect, .need = NEEDS_ACCEPT,
      .tried = tried_connect },
    { "accept accept4", "accept($f0)", "$r", ON_FD, .enter = enter_read,
      .leave = leave_accept, .need = NEEDS_DATA },
    { "shutdown", "shutdown($f0, $1)", .flags = ON_FD | FEEDS,
      .enter = enter_shutdown },
    { "sendto", "send($f0,$s1)", .flags = ON_FD | FEEDS, .enter = enter_write,
      .need = NEEDS_ROOM, .tried = tried_send },
    { "recvfrom", "recv($f0)", "$d1", ON_FD, .enter = enter_read,
      .leave = leave_read, .need = NEEDS_DATA },
    { "sendmsg", "sendmsg($f0,$s1)", .flags = ON_FD | FEEDS,
      .enter = enter_sendmsg, .need = NEEDS_ROOM, .tried = tried_send },
    { "recvmsg", "recvmsg($f0)", "$d1", ON_FD, .enter = enter_read,
      .leave = leave_recvmsg, .need = NEEDS_DATA },
    /* POSIX message queues */
    { "mq_open", "mq_open($B)", "$r", .leave = leave_mq_open,
      .tried = tried_mq_open },
    { "mq_unlink", "mq_unlink($B)", .leave = leave_mq_unlink },
    { "mq_timedsend", "mq_send($f0,$s1, prio $3)", .flags = ON_FD | FEEDS,
      .enter = enter_write, .need = NEEDS_ROOM, .limit = 4 },
    { "mq_timedreceive", "mq_receive($f0)", "$d1$y3", ON_FD,
      .enter = enter_read, .leave = leave_read, .need = NEEDS_DATA,
      .limit = 4 },
    { "mq_notify", "mq_notify($f0)", .flags = ON_FD },
    /* System V */
    { "semget", "semget()", "$r", .leave = leave_get },
    { "semop semtimedop", "semop($o1)", .flags = FEEDS, .enter = enter_semop,
      .leave = leave_semop, .need = NEEDS_SEMAPHORE, .limit = 3 },
    { "semctl", "semctl($j2)", .flags = FEEDS, .enter = enter_ctl,
      .leave = leave_ctl, .only = "SETVAL SETALL IPC_SET IPC_RMID" },
    { "msgget", "msgget()", "$r", .leave = leave_get },
    { "msgsnd", "msgsnd($q1)", .flags = FEEDS, .enter = enter_msgsnd,
      .need = NEEDS_ROOM },
    { "msgrcv", "msgrcv($3)", "$z1 $q1", .enter = enter_id,
      .leave = leave_msgrcv, .need = NEEDS_MESSAGE },
    { "msgctl", "msgctl($j1)", .flags = FEEDS, .enter = enter_ctl,
      .leave = leave_ctl, .only = "IPC_SET IPC_RMID" },
    { "shmget", "shmget()", "$r", .leave = leave_get },
    { "shmat", "shmat()", .enter = enter_id, .leave = leave_shmat },
    { "shmdt", "shmdt()", .flags = QUIET, .leave = leave_munmap },
    { "shmctl", "shmctl($j1)", .enter = enter_ctl, .leave = leave_ctl,
      .only = "IPC_SET IPC_RMID" },
    /* shared memory and what is in it */
    { "mmap", "mmap(MAP_SHARED)", .leave = leave_mmap, .worth = is_shared },
    { "ftruncate", "ftruncate($f0)", .flags = QUIET,
      .leave = leave_truncate },
    { "fallocate", "fallocate($f0)", .flags = QUIET,
      .leave = leave_truncate },
    { "munmap", "munmap()", .flags = QUIET, .leave = leave_munmap },
    { "futex", "$x1", .flags = WAITED, .enter = enter_futex,
      .leave = leave_futex, .need = NEEDS_WAKE, .limit = 3,
      .worth = waits_or_wakes },
};

const struct meaning *meaning_of(const char *name)
{
    for (size_t i = 0; name && i < sizeof meanings / sizeof *meanings; i++)
        if (has_word(meanings[i].names, name))
            return &meanings[i];
    return NULL;
}
