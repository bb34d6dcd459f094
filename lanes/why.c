/*
 * why.c - the verdict: a sentence for each thread, and the circles
 *
 * What a thread waits for is kinds.c's to say; here all threads of a tree
 * are looked at, and those that could end their waiting.
 */
#include "why.h"
#include "circles.h"
#include "ends.h"
#include "image.h"
#include "sock.h"
#include "stack.h"
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1000, TOLD = 200 };

static struct node { /* a thread, and its waiting */
    struct waiting w;
    struct thread first, last; /* as it was, and a moment later */
    long reads;                /* that it had made at first; -1: not known */
    bool moved;                /* it went on while it was looked at */
    bool gone;                 /* or even ended */
    char *rest;                /* of its sentence, behind its name */
    struct node *like;         /* an earlier one, of which the same is true */
    int more;                  /* how many are like this one */
} * nodes[MOST];
static int many;
static FILE *out;
static int width;                     /* 0: no terminal */
static bool closed[MOST], told[MOST]; /* see circles.h */

/* ---- lines ------------------------------------------------------------ */

/*
 * A paragraph, whose lines are indented but for the first. Where nobody reads
 * it on a terminal it is one line, which is easier to find things in.
 */
static void paragraph(const char *text)
{
    int column = 0;

    while (width && *text) {
        int n = (int)strcspn(text, " ");

        if (column > 4 && column + 1 + n > width) {
            fputs("\n    ", out);
            column = 4;
        } else if (column > 0) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", n, text);
        column += n;
        text += n;
        text += strspn(text, " ");
    }
    fprintf(out, "%s\n", text);
}

/* ---- who is there ----------------------------------------------------- */

static void take(struct seen *p)
{
    if (p->taken)
        return;
    p->taken = true;
    look_threads(p);
    for (int i = 0; i < p->threads && many < MOST; i++) {
        nodes[many] = zeros(1, sizeof **nodes);
        wait_explain(&p->thread[i], &nodes[many++]->w);
    }
}

/* Those outside of the tree that could end a wait in it. */
static void take_givers(void)
{
    for (int i = 0; i < many; i++)
        for (int j = 0; j < nodes[i]->w.givers; j++)
            if (nodes[i]->w.giver[j].p->pid > 1)
                take(nodes[i]->w.giver[j].p);
}

static void forget(void)
{
    for (int i = 0; i < many; i++) {
        free(nodes[i]->rest);
        free(nodes[i]);
    }
    many = 0;
    memset(told, 0, sizeof told);
    sock_end();
    image_end();
    look_end();
}

/* ---- those that move -------------------------------------------------- */

static bool differs(const struct thread *a, const struct thread *b)
{
    return a->state != b->state || a->call != b->call || a->sp != b->sp ||
           a->switches != b->switches ||
           (a->state == 'R' && b->user + b->kernel_ > a->user + a->kernel_);
}

/* What one does that runs. */
static void busy(struct node *n, double seconds)
{
    struct waiting *w = &n->w;
    double tick = 1000.0 / (double)sysconf(_SC_CLK_TCK), all = seconds * 1000;
    double user = (double)(n->last.user - n->first.user) * tick;
    double kernel = (double)(n->last.kernel_ - n->first.kernel_) * tick;
    long reads = n->reads < 0 ? 0 : look_reads(w->who->of) - n->reads;
    unsigned long switches = n->last.switches - n->first.switches;

    w->known = true;
    *w->text = '\0';
    if (reads > 50 && ends_never_wait(w))
        wait_add(w, ", and it made %ld reads in %.0f ms", reads, all);
    else if (reads > 50)
        wait_add(w, " is at work: %ld reads, %.0f ms of CPU in %.0f ms",
                 reads, user + kernel, all);
    else if (user + kernel == 0 && switches > 1)
        wait_add(w, " goes on: it has waited %lu times in this moment",
                 switches);
    else if (user + kernel == 0)
        wait_add(w, " runs, or waits for a CPU");
    else if (kernel > user && kernel > 2 * tick)
        wait_add(w,
                 " spins: %.0f ms of CPU in %.0f ms, most of it in system"
                 " calls that do not wait",
                 user + kernel, all);
    else
        wait_add(w, " computes: %.0f ms of CPU in %.0f ms", user + kernel,
                 all);
}

/*
 * Two more looks, the second of them only if something has moved: it may have
 * come to its wait just then, and will stay in it. One that still runs, or
 * still goes from call to call, is said to do so.
 */
static void look_on(void)
{
    double began = monotonic();
    bool moves = true;

    for (int i = 0; i < many; i++) {
        struct node *n = nodes[i];

        look_now(n->w.who, &n->first);
        n->reads = n->w.how == RUNS ? look_reads(n->w.who->of) : -1;
    }
    for (int round = 0; round < 2 && moves; round++) {
        struct timespec pause = { 0, 20000000 };

        for (int i = 0; i < many; i++) {
            struct node *n = nodes[i];

            if (n->moved) {
                look_again(n->w.who);
                wait_explain(n->w.who, &n->w);
            }
            if (n->w.how == RUNS)
                pause.tv_nsec = 50000000;
        }
        nanosleep(&pause, NULL);
        moves = false;
        for (int i = 0; i < many; i++) {
            struct node *n = nodes[i];

            n->gone = !look_now(n->w.who, &n->last);
            n->moved =
                !n->gone && n->w.how != ENDED && differs(n->w.who, &n->last);
            moves |= n->moved;
        }
    }
    take_givers();
    for (int i = 0; i < many; i++)
        if (nodes[i]->w.how == RUNS)
            busy(nodes[i], monotonic() - began);
}

/* ---- sentences -------------------------------------------------------- */

/* Names of a call of which no more need be said than the name. */
static const char same_call[] =
    "read write readv writev recv recvfrom recvmsg send sendto sendmsg accept"
    " accept4 connect open open64 openat openat64 creat poll ppoll select"
    " pselect epoll_wait epoll_pwait wait wait3 wait4 waitpid waitid sleep"
    " usleep nanosleep clock_nanosleep pause sigsuspend sigwait sigwaitinfo"
    " sigtimedwait semop semtimedop msgrcv msgsnd mq_receive mq_timedreceive"
    " mq_send mq_timedsend flock fcntl fcntl64 splice vfork syscall sendfile"
    " tee vmsplice futex";

/* "read(0)", under the name that the programmer wrote. */
static void call_text(const struct waiting *w, char *text, size_t size)
{
    size_t base = strcspn(w->call, "(");
    const char *name = w->place.name;
    bool known =
        *name && strncmp(name, w->call, base) == 0 && strlen(name) == base;

    if (!*name || known || strcmp(name, "syscall") == 0 ||
        (w->place.inner && has_word(same_call, name)))
        snprintf(text, size, "%s", w->call);
    else if (strcmp(name, "waitpid") == 0 && !w->call[base])
        snprintf(text, size, "waitpid(-1)");
    else if (has_word(same_call, name))
        snprintf(text, size, "%s%s", name, w->call + base);
    else
        snprintf(text, size, "%s, called by %s", w->call, name);
}

static void stopped_text(const struct waiting *w, char *text, size_t size)
{
    const struct seen *p = w->who->of;
    const struct seen *tracer;
    char status[4096];

    look_text(status, sizeof status, p->door, "status");
    tracer = look_pid((pid_t)look_number(status, "\nTracerPid:", 10));
    if (w->who->state == 't' || tracer)
        snprintf(text, size, " is held by a tracer, %s",
                 tracer ? wait_name(tracer) : "which is not known");
    else if (p->terminal && p->foreground > 0 && p->foreground != p->group)
        snprintf(text, size,
                 " is stopped, in the background of its terminal (it may have"
                 " read it, SIGTTIN, or ^Z): fg, or kill -CONT %d",
                 (int)p->pid);
    else
        snprintf(text, size, " is stopped: kill -CONT %d lets it go on",
                 (int)p->pid);
}

static void sentence(struct node *n)
{
    static char text[3000];
    const struct waiting *w = &n->w;
    long times = (long)(n->last.switches - n->first.switches);
    const struct seen *parent = look_pid(w->who->of->parent);
    char call[160];

    *text = '\0';
    call_text(w, call, sizeof call);
    if (w->how == ENDED && w->who->of->threads > 1)
        append(text, sizeof text, " has ended");
    else if (w->how == ENDED)
        append(text, sizeof text, " has ended, and %s has not waited for it",
               parent ? wait_name(parent) : "its parent");
    else if (w->how == STOPPED)
        stopped_text(w, text, sizeof text);
    else if (w->how == RUNS)
        append(text, sizeof text, "%s", w->text);
    else if (n->moved && times > 1)
        append(text, sizeof text,
               " goes on: it has waited %ld times in this moment, at first in"
               " %s",
               times, call);
    else if (n->moved)
        append(text, sizeof text, " goes on: it was in %s", call);
    else
        append(text, sizeof text, "%s%s%s%s%s%s",
               *call ? " is in " : " waits", call,
               !*w->place.line       ? ""
               : w->place.in_handler ? " in a signal handler, which came at "
                                     : " at ",
               w->place.line,
               strstr(call, ", called by") && *w->text == ' ' ? "," : "",
               w->text);
    n->rest = same(text);
}

/* Equal but for the pid: told once. */
static void fold(void)
{
    for (int i = 0; i < many; i++)
        for (int j = 0; j < i && !nodes[i]->like; j++)
            if (!nodes[j]->like && nodes[i]->gone == nodes[j]->gone &&
                strcmp(nodes[i]->w.who->of->name,
                       nodes[j]->w.who->of->name) == 0 &&
                strcmp(nodes[i]->rest, nodes[j]->rest) == 0) {
                nodes[i]->like = nodes[j];
                nodes[j]->more++;
            }
}

static void say_like(const struct node *n, char *text, size_t size)
{
    int said = 0;

    append(text, size, "; so %s ",
           n->w.how == ENDED ? (n->more == 1 ? "has" : "have")
           : n->more == 1    ? "is"
                             : "are");
    for (int i = 0; i < many; i++)
        if (nodes[i]->like == n)
            list_item(text, size, said++, n->more,
                      wait_thread_name(nodes[i]->w.who));
}

static void say_threads(void)
{
    static char text[4096];
    int told = 0, left = 0;

    for (int i = 0; i < many; i++) {
        const struct node *n = nodes[i];
        const struct waiting *w = &n->w;

        if (n->like || n->gone || (w->how == WAITS && !*w->call && !*w->text))
            continue;
        if (w->how == ENDED && w->who->of->threads < 2 &&
            w->who->of->parent == getpid())
            continue; /* we will wait for it ourselves */
        if (told == TOLD) {
            left++;
            continue;
        }
        told++;
        snprintf(text, sizeof text, "%s%s", wait_thread_name(w->who),
                 n->rest);
        if (n->more)
            say_like(n, text, sizeof text);
        append(text, sizeof text, ".");
        paragraph(text);
    }
    if (left)
        fprintf(out, "And %d more.\n", left);
}

/* Those that may not be read: why no more is known, and what would help. */
static void say_unknown(void)
{
    int some = 0, all = 0;
    char text[300], scope = '0';
    FILE *in;

    for (int i = 0; i < many; i++)
        if (nodes[i]->w.how == WAITS && !nodes[i]->moved &&
            nodes[i]->w.who->known == CALL_HIDDEN) {
            some += *nodes[i]->w.call != '\0';
            all += *nodes[i]->w.call == '\0';
        }
    if (!some && !all)
        return;
    if ((in = fopen("/proc/sys/kernel/yama/ptrace_scope", "re"))) {
        scope = (char)fgetc(in);
        fclose(in);
    }
    if (all)
        snprintf(text, sizeof text, "%d wait%s in calls that may not be read",
                 all, all == 1 ? "s" : "");
    else
        snprintf(text, sizeof text, "Of %d of them more may not be read",
                 some);
    append(text, sizeof text, "%s%s%s.",
           scope > '0' ? " (kernel.yama.ptrace_scope)" : "",
           geteuid() == 0 ? ": that needs CAP_SYS_PTRACE" : ": ask as root",
           scope == '1' ? ", or start the command with lanes -w -t SEC" : "");
    paragraph(text);
}

/* Could it do something, now or later? */
static bool able(const struct giver *g)
{
    int seen = 0;

    for (int i = 0; i < many; i++) {
        const struct thread *t = nodes[i]->w.who;

        if (g->t ? t != g->t : t->of != g->p)
            continue;
        seen++;
        if (!closed[i] && nodes[i]->w.how != ENDED)
            return true;
    }
    return seen < (g->t ? 1 : g->p->threads) || seen == 0;
}

static bool can_end(int i)
{
    for (int j = 0; j < nodes[i]->w.givers; j++)
        if (able(&nodes[i]->w.giver[j]))
            return true;
    return false;
}

static bool waits_for(int a, int b)
{
    const struct waiting *w = &nodes[a]->w;
    const struct thread *other = nodes[b]->w.who;

    for (int i = 0; i < w->givers; i++)
        if (w->giver[i].t ? w->giver[i].t == other
                          : w->giver[i].p == other->of)
            return true;
    return false;
}

static const char *name(int i, bool alone)
{
    (void)alone;
    return wait_thread_name(nodes[i]->w.who);
}

/* With strangers, who could come from outside, or without. */
static void say_circles(bool strangers)
{
    static char text[4096];
    static int member[MOST];
    const struct graph g = { many, closed, told, can_end, waits_for, name };
    int n;

    for (int i = 0; i < many; i++) {
        const struct waiting *w = &nodes[i]->w;

        closed[i] = w->how == WAITS && !nodes[i]->moved && w->known &&
                    !w->timed && w->givers > 0 && !(strangers && w->open);
    }
    circles_close(&g);
    while ((n = circles_next(&g, member))) {
        circles_text(&g, member, n, text, sizeof text - 100);
        append(text, sizeof text, "%s.",
               strangers ? "" : ", unless others come from outside");
        paragraph(text);
    }
}

/* Is there one, of those that were asked for, whose waiting is explained? */
static bool one_waits(void)
{
    for (int i = 0; i < many; i++) {
        const struct node *n = nodes[i];

        if (n->w.who->of->asked_for && !n->moved && !n->gone && n->w.known &&
            (n->w.how == WAITS || n->w.how == STOPPED))
            return true;
    }
    return false;
}

static bool tell(FILE *to, int columns)
{
    struct place *places[MOST];
    struct winsize size;
    bool stuck;

    out = to;
    width = columns;
    if (!width && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
        width = size.ws_col > 20 ? size.ws_col - 1 : 79;
    for (struct seen *p = look_each(NULL); p; p = look_each(p))
        if (p->asked_for && p->pid != getpid())
            take(p);
    take_givers();
    look_on();
    for (int i = 0; i < many; i++)
        places[i] = &nodes[i]->w.place;
    lines_find(places, many);
    for (int i = 0; i < many; i++)
        sentence(nodes[i]);
    fold();
    say_threads();
    say_unknown();
    say_circles(true);
    say_circles(false);
    stuck = one_waits();
    forget();
    return stuck;
}

void why_descendants(FILE *to, int columns)
{
    look_begin();
    look_tree(getpid());
    tell(to, columns);
}

int why_pids(char *pids[], int columns)
{
    bool any = false;

    look_begin();
    for (char **word = pids; *word; word++) {
        char *end;
        long pid = strtol(*word, &end, 10);

        if (end == *word || *end || pid <= 0 || pid > 1 << 22)
            errx(2, "-w: not a process: %s", *word);
        if (!look_pid((pid_t)pid)) {
            warnx("%ld: there is no such process", pid);
            continue;
        }
        look_tree((pid_t)pid);
        any = true;
    }
    return any && tell(stdout, columns) ? 0 : 1;
}
