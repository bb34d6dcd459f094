/*
 * trace.c - a line of strace's log is a step of the world, and perhaps a row
 *
 * Order is the order of the log. A call's entry is always logged before the
 * return of the call that it feeds. So a write counts when it is entered,
 * and so do close and exit; what a read got counts when it returns.
 */
#include "trace.h"
#include "proc.h"
#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

long unknown_lines;
struct row *next_row;
void (*before_effect)(bool last);
bool more_lines;

/* ---- rows ------------------------------------------------------------- */

static bool is_drawn(struct process *p)
{
    const struct meaning *m = traced(p)->meaning;

    return m && (opt.all || worth_a_row(p, &traced(p)->call, m));
}

/* As its row begins. */
static void call_name(struct process *p, char *name, size_t size)
{
    expand(traced(p)->meaning->shown, p, &traced(p)->call, name, size);
    name[strcspn(name, "(< ")] = '\0';
}

/* Not write(1,"hi") [tty]: what the user sees. */
static bool call_prints(struct process *p, const struct meaning *m,
                        const struct call *call, struct row *row)
{
    long fd = arg_number(call, 0);

    if (m->need != NEEDS_ROOM || !p->target || p->target->kind != TTY)
        return false;
    expand("prints $s1", p, call, row->text, sizeof row->text);
    if (fd == 2)
        copy(row->tag, sizeof row->tag, "stderr");
    else if (fd != 1)
        snprintf(row->tag, sizeof row->tag, "fd %ld", fd);
    return true;
}

static void call_text(struct process *p, struct row *row)
{
    const struct meaning *m = traced(p)->meaning;
    const struct call *call = &traced(p)->call;
    bool prints = row->kind != ROW_RETURN && call_prints(p, m, call, row);

    if (row->kind == ROW_RETURN)
        call_name(p, row->text, sizeof row->text);
    else if (!prints)
        expand(m->shown, p, call, row->text, sizeof row->text);
    if (!prints)
        tag_of(p, call, row->tag, sizeof row->tag);
    row->plain = m->flags & ON_FD && p->target && p->target->kind == FILE_ &&
                 (m->need == NEEDS_DATA || m->need == NEEDS_ROOM) &&
                 system_path(p->exe);
    if (call->open)
        return;
    if (m->result) /* there is something to predict */
        expand(m->shown, p, call, row->ask, sizeof row->ask);
    if (call->err) {
        row->failed = true;
        append(row->text, sizeof row->text, " = %s", call->err);
    } else if (m->result) {
        char result[120];

        expand(m->result, p, call, result, sizeof result);
        if (*result)
            append(row->text, sizeof row->text, " = %s", result);
    }
}

/* Is it in a call that will have a row, and has none yet? */
static bool is_pending(struct process *p)
{
    struct traced *t = traced(p);

    return p->inside && !t->drawn && t->meaning &&
           !(t->meaning->flags & QUIET) && is_drawn(p);
}

/* The row of a call that is still on its way. */
static void draw_pending(struct process *p)
{
    bool waits = traced(p)->must_wait;
    struct row row;

    if (!is_pending(p))
        return;
    traced(p)->drawn = true;
    row_begin(&row, waits ? ROW_WAIT : ROW_CALL, p);
    call_text(p, &row);
    *row.ask = '\0';
    show(&row);
    p->waits = waits; /* not before, for others may have a row first */
}

/* No row comes before that of a call which it may have waited for. */
static void draw_all_pending(const struct process *but)
{
    struct process *first;

    do {
        first = NULL;
        for (struct process *p = processes; p; p = p->next)
            if (p != but && alive(p) && is_pending(p) &&
                (traced(p)->must_wait || traced(p)->meaning->flags & FEEDS) &&
                (!first || p->seq < first->seq))
                first = p;
        if (first)
            draw_pending(first);
    } while (first && traced(first)->drawn);
}

void draw_waiting(void)
{
    for (struct process *p = processes; p; p = p->next)
        if (p->inside && traced(p)->meaning && traced(p)->meaning->need &&
            (!p->run || p->run == 'S' || p->run == 'D'))
            traced(p)->must_wait = true;
    draw_all_pending(NULL);
}

/* First what the others did, then what came of it. */
static void take_ties(struct row *row)
{
    struct tie own[MAX_TIES];
    int n = tied;

    memcpy(own, ties, sizeof own);
    tied = 0;
    for (int i = 0; i < n; i++) {
        draw_pending(own[i].from);
        row_arrow(row, &own[i]);
    }
}

void show(struct row *row)
{
    take_ties(row);
    if (row->who && row->who->hidden)
        return;
    draw_all_pending(row->who);
    if (row->who && !*row->source)
        copy(row->source, sizeof row->source, traced(row->who)->source);
    row_end(row);
}

static void draw_failed_exec(struct process *p)
{
    struct traced *t = traced(p);
    struct row row;

    if (!*t->failed_exec)
        return;
    row_begin(&row, ROW_CALL, p);
    copy(row.text, sizeof row.text, t->failed_exec);
    copy(p->no_exec, sizeof p->no_exec, t->failed_exec);
    row.failed = true;
    *t->failed_exec = '\0';
    show(&row);
}

static void keep_failed_exec(struct process *p)
{
    struct traced *t = traced(p);

    *t->failed_exec = '\0';
    if (!t->call.err)
        return;
    expand("exec$v1", p, &t->call, t->failed_exec, 200);
    append(t->failed_exec, sizeof t->failed_exec, " = %s", t->call.err);
}

/* ---- processes -------------------------------------------------------- */

/*
 * In a pid namespace of its own a process calls its child by a number that
 * is not the log's. If its fork returns first, the child has none of ours
 * until it does something itself.
 */
enum { NO_PID = 1 << 30 };

static struct process *awaited(pid_t pid)
{
    struct process *found = NULL;
    pid_t real = -1;

    for (struct process *p = processes; p; p = p->next) {
        if (p->pid < NO_PID || !alive(p))
            continue;
        if (real == -1)
            real = proc_parent(pid);
        if (!real || (p->thread ? p : p->parent)->leader->pid == real)
            found = p; /* the first that was born */
    }
    if (found)
        found->pid = pid;
    return found;
}

/*
 * A process is there. Its parent is the one that is in a fork; if several
 * are, /proc knows, and without it the one that has waited longest.
 */
static struct process *birth(pid_t pid, struct process *parent)
{
    struct process *p = parent ? NULL : awaited(pid);
    pid_t real = parent ? 0 : proc_parent(pid);
    bool sure = parent;
    int candidates = 0;
    const char *flags = "";
    struct row row;

    if (p)
        return p;
    for (struct process *q = sure ? NULL : processes; q; q = q->next) {
        bool is = real && q->leader->pid == real;

        if (!alive(q) || !q->inside || q->in != IN_FORK || q->born)
            continue;
        candidates++;
        if (!sure || is)
            parent = q; /* the list has the newest first */
        sure |= is;
    }
    if (parent) {
        const struct call *call = &traced(parent)->call;

        parent->born = pid;
        for (int i = 0; i < call->args; i++)
            if (has(call, i, "CLONE_"))
                flags = arg(call, i);
    }
    p = process_new(pid, parent, strstr(flags, "CLONE_THREAD"),
                    strstr(flags, "CLONE_FILES"));
    if (strstr(flags, "CLONE_NEWPID"))
        p->ns = p->child_ns = new_ns();
    if (parent && p->ns != parent->ns && p->ns > 0 && !called(p, 1, true))
        p->own = 1;
    if (!parent)
        proc_name(pid, p->name, sizeof p->name);
    if (!parent && opt.attached)
        proc_adopt(p);
    if (parent ? parent->hidden : !opt.attached && p->number == 0)
        return p;
    row_begin(&row, ROW_START, p);
    snprintf(row.text, sizeof row.text, "%s%s", p->name,
             p->thread ? " thread" : "");
    if (parent) {
        tie(p, FORK, parent, 0, !sure && candidates > 1,
            p->thread ? "thread" : "fork");
        copy(row.source, sizeof row.source, traced(parent)->source);
    }
    row.by = parent;
    show(&row);
    return p;
}

static void fork_returns(struct process *p, const struct call *call)
{
    struct process *child = p->born ? anyone(p->born) : NULL;
    const char *ours = /* if strace was asked for it */
        call->result ? strstr(call->result, "/* ") : NULL;
    long pid = ours         ? strtol(ours + 3, NULL, 10)
               : p->ns == 0 ? call->value
                            : NO_PID + call->value;

    if (!p->born)
        child = process_of((pid_t)pid);
    if (!p->born && !child)
        child = birth((pid_t)pid, p);
    if (!child)
        return; /* forgotten already */
    child->parent_own = (pid_t)call->value;
    if (child->ns == p->ns)
        child->own = child->parent_own;
}

static void draw_exit(struct process *p)
{
    const struct call *call = &traced(p)->call;
    struct row row;

    row_begin(&row, ROW_EVENT, p);
    row.exits = true;
    if (p->thread && strcmp(call->name, "exit_group") != 0)
        copy(row.text, sizeof row.text, "thread ends");
    else
        expand("exit $0", p, call, row.text, sizeof row.text);
    p->inside = false;
    show(&row);
}

/* ---- calls ------------------------------------------------------------ */

/* It has a row that says that it is back in the call. */
static void draw_again(struct process *p)
{
    struct row row;

    if (!traced(p)->drawn || !traced(p)->meaning)
        return;
    row_begin(&row, ROW_RETURN, p);
    call_name(p, row.text, sizeof row.text);
    append(row.text, sizeof row.text, ": again (SA_RESTART)");
    show(&row);
}

static void set_call(struct traced *t, const struct call *call)
{
    call_free(&t->call);
    t->call = *call;
    t->meaning = meaning_of(call->name);
}

static void enter(struct process *p, const char *body, const char *source)
{
    struct traced *t = traced(p);
    struct call call;
    const struct meaning *m;
    bool again;

    call_parse(body, &call);
    if (p->again == 0 || !t->call.name ||
        strcmp(call.name, t->call.name) != 0) {
        p->again = 0;
        p->since = time_now;
    }
    again = p->restarts && t->call.name &&
            (strcmp(call.name, t->call.name) == 0 ||
             strcmp(call.name, "restart_syscall") == 0);
    if (again && strcmp(call.name, "restart_syscall") == 0) {
        /* resuming: it is the same call, with the arguments that it had */
        t->call.open = p->inside = true;
        p->restarts = false;
        call_free(&call);
        return;
    }
    if (again && t->resumed) {
        draw_again(p);
        p->waits = t->drawn;
    }
    p->restarts = t->resumed = false;
    if (p->inside)
        unknown_lines++; /* how it left the last one, was not said */
    if (!again) {
        t->drawn = p->waits = false;
        copy(t->source, sizeof t->source, source);
    }
    if (!begins(call.name, "execve"))
        draw_failed_exec(p);
    set_call(t, &call);
    m = t->meaning;
    t->call.open = p->inside = true;
    p->seq = now;
    if (!again)
        p->target = NULL;
    p->born = 0;
    if (!p->target && m && m->flags & ON_FD)
        p->target = see(p, arg(&call, 0), NULL, NULL);
    p->in =
        m ? m->flags & (IN_FORK | IN_EXEC | IN_OPEN | IN_CONNECT) : SOME_CALL;
    if (m && m->flags & EXITS)
        draw_exit(p);
    if (m && m->enter)
        m->enter(p, &t->call);
    t->must_wait = has_to_wait(p);
}

/* What the call did is known; is there a row, and of what kind? */
static void draw_return(struct process *p, struct row *row)
{
    const struct meaning *m = traced(p)->meaning;
    struct call *call = &traced(p)->call;

    if (!m && opt.all && !traced(p)->drawn) {
        snprintf(row->text, sizeof row->text, "%s = %s", call->name,
                 call->err      ? call->err
                 : call->result ? call->result
                                : "?");
        row->failed = call->err;
        show(row);
        return;
    }
    if (!m || (m->flags & QUIET && !opt.all && !call->err))
        return;
    row->note = note_of(p, call);
    if (traced(p)->drawn) {
        row->kind = ROW_RETURN;
        if (!call->err && !row->arrows && !p->waits)
            return;
    } else if (!row->arrows && !row->note &&
               ((m->flags & WAITED && !opt.all) || !is_drawn(p))) {
        return;
    }
    call_text(p, row);
    show(row);
}

/* Has it got nothing, once more? */
static void count_in_vain(struct process *p, const struct meaning *m,
                          const struct call *call)
{
    p->vain = failed_with(call, "EAGAIN") ? "EAGAIN"
              : m && m->need == NEEDS_DATA && call->value == 0 && p->target &&
                      p->target->kind != FILE_ && !has_messages(p->target)
                  ? "EOF"
                  : NULL;
    p->again = p->vain ? p->again + 1 : 0;
    if (p->again < 2)
        p->since = time_now;
}

/* Has it waited, though no row of another has come meanwhile? */
static bool was_long(struct traced *t, const struct call *call)
{
    const struct meaning *m = t->meaning;

    if (!m || !m->need)
        return false;
    if (call->err && begins(call->err, "ERESTART"))
        return t->must_wait = true;
    return t->must_wait && !call->err &&
           (m->need == NEEDS_TIME || m->need == NEEDS_PARTNER ||
            m->need == NEEDS_LOCK || m->need == NEEDS_SEMAPHORE ||
            (call->result && strstr(call->result, "Timeout")));
}

/* ---- handlers --------------------------------------------------------- */

/* A handler begins; what it interrupts is kept until it returns. */
static void handler_begins(struct process *p)
{
    struct traced *t = traced(p);
    struct interrupted *in = t->interrupted;

    if (t->handlers == 4) { /* one has jumped out of them */
        call_free(&in[0].call);
        memmove(in, in + 1, 3 * sizeof *in);
        t->handlers--;
    }
    in += t->handlers++;
    *in = (struct interrupted){ .target = p->target, .drawn = t->drawn };
    if (!p->restarts)
        return;
    in->call = t->call;
    t->call = (struct call){ 0 };
    t->meaning = NULL;
    p->restarts = t->drawn = p->waits = false;
}

/* It has returned: the call has failed, or it begins again. */
static void handler_returns(struct process *p, bool failed)
{
    struct traced *t = traced(p);
    struct interrupted *in;
    struct row row;

    if (t->handlers == 0)
        return;
    in = &t->interrupted[--t->handlers];
    if (!in->call.name)
        return;
    set_call(t, &in->call);
    p->target = in->target;
    t->drawn = in->drawn;
    if (!failed) {
        p->restarts = t->resumed = true;
        return;
    }
    p->waits = t->drawn;
    t->call.err = "EINTR";
    t->call.open = false;
    row_begin(&row, ROW_CALL, p);
    draw_return(p, &row);
    t->drawn = p->waits = false;
}

/* ---- the return of a call --------------------------------------------- */

static void leave(struct process *p, const char *body, const char *source)
{
    struct traced *t = traced(p);
    const struct meaning *m;
    struct row row;
    struct call call;
    long before;

    call_parse(body, &call);
    if (was_long(t, &call))
        draw_pending(p);
    if (strcmp(call.name, "restart_syscall") == 0 && t->call.name) {
        /* the same call, which has its arguments, now has its result */
        free(t->call.more);
        t->call.more = call.buffer;
        t->call.result = call.result;
        t->call.value = call.value;
        t->call.err = call.err;
        t->call.open = call.open;
    } else {
        set_call(t, &call);
    }
    m = t->meaning;
    copy(t->source, sizeof t->source, source);
    if (t->call.open && !(m && m->flags & EXITS))
        unknown_lines++;
    t->call.open = p->inside = false;
    if (!(m && m->flags & EXITS)) /* which has its line at the end */
        rows_source(p, source);
    if (t->call.err && begins(t->call.err, "ERESTART")) {
        p->restarts = true;
        if (p->sending)
            sent(p, -1);
        return;
    }
    if (t->call.result && *t->call.result == '?' && !t->call.err)
        return; /* killed in it: it never came back */
    if (m && m->flags & IN_FORK && t->call.value > 0)
        fork_returns(p, &t->call);
    /* The others' rows first: a table shown there must not know of this. */
    if (m && !(m->flags & (QUIET | WAITED)) && is_drawn(p))
        draw_all_pending(p);
    if (strcmp(t->call.name, "rt_sigreturn") == 0) {
        handler_returns(p, failed_with(&t->call, "EINTR"));
        return;
    }
    row_begin(&row, t->drawn ? ROW_RETURN : ROW_CALL, p);
    next_row = &row;
    tied = 0;
    missed = NULL;
    leave_call(p, &t->call, m);
    received();
    before = p->drawn ? p->drawn->row : 0;
    count_in_vain(p, m, &t->call);
    if (m && m->flags & IN_EXEC)
        keep_failed_exec(p);
    take_ties(&row);
    draw_return(p, &row);
    if (missed && p->drawn && p->drawn->row > before)
        missed->row = p->drawn->row;
    t->drawn = p->waits = false;
    next_row = NULL;
}

/* ---- signals and ends ------------------------------------------------- */

/* Behind the end of an object that it has made, or is there no memory? */
static void add_bus(struct process *p, const char *body, char *text,
                    size_t size)
{
    char address[32];
    unsigned long at;
    struct object *o;

    field(body, "si_addr", address, sizeof address);
    o = mapped(p, strtoul(address, NULL, 0), &at);
    if (o && o->made && begins(o->key, "/dev/shm/"))
        append(text, size, " at byte %lu of %s: %s", at, o->name,
               !o->given                ? "no ftruncate"
               : (long)at < o->capacity ? "no memory left"
                                        : "too short");
}

static void signal_line(struct process *p, const char *body,
                        const char *source)
{
    char name[16], value[24], code[24];
    struct process *from;
    struct row row;

    snprintf(name, sizeof name, "%.*s", (int)strcspn(body, " "), body);
    field(body, "si_code", code, sizeof code);
    from = called(p, field_number(body, "si_pid"), true);
    p->leader->came[signal_number(name)]++;
    if (p->leader->handled[signal_number(name)])
        handler_begins(p);
    if (*source) /* a crash has a line of its own */
        copy(traced(p)->source, sizeof traced(p)->source, source);
    draw_failed_exec(p);
    if (strcmp(name, "SIGCHLD") == 0 && !opt.all &&
        (!p->leader->handled[SIGCHLD] || system_path(p->exe)))
        return;
    if (strcmp(name, "SIGCONT") == 0 && !from)
        return;
    row_begin(&row, ROW_EVENT, p);
    copy(row.text, sizeof row.text, signal_shown(name));
    if (field(body, "si_int", value, sizeof value) ||
        field(body, "si_value", value, sizeof value))
        append(row.text, sizeof row.text, " %.20s", value);
    if (begins(code, "CLD_") && from)
        append(row.text, sizeof row.text, " from %s", letter(from));
    else if (begins(code, "SI_"))
        tie(p, SIGNAL_, from, signal_came(p, from, signal_number(name)),
            false, "%s", signal_shown(name));
    if (strcmp(name, "SIGPIPE") == 0)
        row.failed = true;
    if (strcmp(name, "SIGBUS") == 0)
        add_bus(p, body, row.text, sizeof row.text);
    show(&row);
}

static void ended(struct process *p, const struct line *line,
                  const char *source)
{
    bool killed = line->kind == LINE_KILLED;
    struct row row;

    draw_failed_exec(p);
    row_begin(&row, ROW_EVENT, p);
    row.failed = killed;
    if (killed) {
        copy(p->killer, sizeof p->killer, line->name);
        snprintf(row.text, sizeof row.text, "killed by %s",
                 signal_shown(line->name));
    } else {
        p->status = line->status;
        snprintf(row.text, sizeof row.text, "exit %d", line->status);
    }
    if (killed || (p->state == ALIVE && !p->thread)) {
        ends(p);
        show(&row);
    }
    ends(p);
    if (p->sending)
        sent(p, p->sending->size);
    trace_forget(p);
    *traced(p) = (struct traced){ 0 };
    p->inside = false;
    p->in = SOME_CALL;
    gone(p);
    rows_source(p, source);
}

/* What the process has changed in shared memory comes before this line. */
static void show_changes(const struct line *line)
{
    char name[32] = "exit";
    const struct meaning *m;

    if (line->kind == LINE_CALL || line->kind == LINE_UNFINISHED)
        snprintf(name, sizeof name, "%.*s", (int)strcspn(line->body, "("),
                 line->body);
    else if (line->kind != LINE_KILLED)
        return;
    m = meaning_of(name);
    if (m && (m->flags & (EXITS | IN_EXEC) || strcmp(name, "munmap") == 0))
        before_effect(true);
    else if (!more_lines &&
             (line->kind == LINE_UNFINISHED || (m && m->flags & FEEDS) ||
              strstr(line->body, "WAKE")))
        before_effect(false);
}

static void keep_body(struct traced *t, const char *body)
{
    free(t->body);
    t->body = same(body);
}

static bool no_result(const char *body)
{
    struct call call;
    bool open;

    call_parse(body, &call);
    open = call.open;
    call_free(&call);
    return open;
}

static void take_line(struct line *line, bool whole, const char *source)
{
    struct process *p;
    struct traced *t;
    char *joined;

    if (line->kind == LINE_UNKNOWN || line->kind == LINE_OTHER) {
        unknown_lines += line->kind == LINE_UNKNOWN && *line->body;
        return;
    }
    p = process_of(line->pid);
    if (!p && (line->kind == LINE_EXITED || line->kind == LINE_RESUMED)) {
        unknown_lines += line->kind == LINE_RESUMED;
        rows_source(anyone(line->pid), source);
        return;
    }
    if (!p)
        p = birth(line->pid, NULL);
    if (p->state == ENDING && line->kind != LINE_EXITED &&
        line->kind != LINE_KILLED) {
        p->inside = false; /* = ? of exit_group */
        return;
    }
    p->stopped = 0;
    if (before_effect)
        show_changes(line);
    t = traced(p);
    switch (line->kind) {
    case LINE_UNFINISHED:
        keep_body(t, line->body);
        if (t->partial && p->inside) {
            t->partial = false;
            break;
        }
        t->partial = !whole;
        enter(p, line->body, "");
        break;
    case LINE_CALL:
        if (!(t->partial && p->inside))
            enter(p, line->body, source);
        if (no_result(line->body)) { /* a log that was cut here */
            keep_body(t, line->body);
            break;
        }
        t->partial = false;
        leave(p, line->body, source);
        break;
    case LINE_RESUMED:
        if (!t->body || !p->inside ||
            (!begins(t->body, line->name) &&
             !begins(t->body, "restart_syscall"))) {
            unknown_lines++;
            break;
        }
        t->partial = false;
        if (asprintf(&joined, "%s%s", t->body, line->body) == -1)
            err(1, "asprintf");
        leave(p, joined, source);
        free(joined);
        break;
    case LINE_SIGNAL:
        signal_line(p, line->body, source);
        break;
    case LINE_STOPPED:
        p->stopped = signal_number(line->name);
        break;
    default:
        ended(p, line, source);
    }
}

/*
 * One line. One that has no end yet is a call that the process is in now;
 * when the end has come, the whole line comes again.
 */
void trace_line(char *text, bool whole, const char *source)
{
    struct line line;
    char *room = same(text);

    forget = trace_forget;
    line_parse(room, &line);
    if (whole || line.kind == LINE_CALL) {
        if (!whole)
            line.kind = LINE_UNFINISHED;
        now++;
        take_line(&line, whole, source);
    }
    free(room);
    if (crowded() && !opt.memory && rows_forgotten())
        sweep();
}

void trace_end(void)
{
    for (struct process *p = processes; p; p = p->next)
        draw_failed_exec(p);
    draw_waiting();
    rows_flush();
}
