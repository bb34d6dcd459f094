/*
 * why.c - the verdict: a sentence for each thread, and the circles
 *
 * What a thread waits for is kinds.c's to say; here all threads of a tree
 * are looked at, and those that could end their waiting.
 */
#include "why.h"
#include "circles.h"
#include "image.h"
#include "kinds.h"
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
    struct measure {
        struct thread t;
        long reads; /* -1: not known */
    } first;
    bool moved;        /* it went on while it was looked at */
    bool gone;         /* or even ended */
    struct node *like; /* an earlier one, of which the same is true */
    int more;          /* how many are like this one */
} * nodes[MOST];
static int many;
static bool closed[MOST], told[MOST]; /* see circles.h */

/* ---- lines ------------------------------------------------------------ */

/*
 * A paragraph, whose lines are indented but for the first. Where nobody reads
 * it on a terminal it is one line, which is easier to find things in.
 */
static void paragraph(FILE *out, int width, const char *text)
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

static struct node *node_of(const struct thread *t)
{
    for (int i = 0; i < many; i++)
        if (nodes[i]->w.who == t)
            return nodes[i];
    return NULL;
}

static void take(struct seen *p)
{
    look_threads(p);
    for (int i = 0; i < p->threads && many < MOST; i++) {
        if (node_of(&p->thread[i]))
            continue;
        nodes[many] = zeros(1, sizeof **nodes);
        wait_explain(&p->thread[i], &nodes[many]->w);
        many++;
    }
}

static void take_givers(void)
{
    for (int i = 0; i < many; i++)
        for (int j = 0; j < nodes[i]->w.givers; j++)
            if (nodes[i]->w.giver[j].p->pid > 1)
                take(nodes[i]->w.giver[j].p);
}

/* The tree, and those outside of it that could end a wait in it. */
static void collect(void)
{
    for (struct seen *p = look_each(NULL); p; p = look_each(p))
        if (p->asked_for && p->pid != getpid())
            take(p);
    take_givers();
}

static void forget(void)
{
    for (int i = 0; i < many; i++)
        free(nodes[i]);
    many = 0;
    memset(told, 0, sizeof told);
    sock_end();
    image_end();
    look_end();
}

/* ---- those that move -------------------------------------------------- */

static void nap(int milliseconds)
{
    struct timespec t = { 0, milliseconds * 1000000L };

    nanosleep(&t, NULL);
}

static struct measure measure(const struct waiting *w)
{
    struct measure m = { .t = *w->who, .reads = -1 };

    look_now(w->who, &m.t);
    if (w->how == RUNS)
        m.reads = look_reads(w->who->of);
    return m;
}

static bool differs(const struct thread *a, const struct thread *b)
{
    return a->state != b->state || a->call != b->call || a->sp != b->sp ||
           a->switches != b->switches ||
           (a->state == 'R' && b->user + b->kernel_ > a->user + a->kernel_);
}

/* What one does that runs. */
static void busy(struct waiting *w, const struct measure *first,
                 const struct measure *last, double seconds)
{
    double tick = 1000.0 / (double)sysconf(_SC_CLK_TCK);
    double user = (double)(last->t.user - first->t.user) * tick;
    double kernel = (double)(last->t.kernel_ - first->t.kernel_) * tick;
    long reads = first->reads < 0 ? 0 : last->reads - first->reads;
    unsigned long switches = last->t.switches - first->t.switches;

    w->known = true;
    *w->text = '\0';
    if (reads > 50 && ends_never_wait(w)) {
        wait_add(w, ", and it made %ld reads in %.0f ms", reads,
                 seconds * 1000);
    } else if (reads > 50) {
        wait_add(w, " is at work: %ld reads, %.0f ms of CPU in %.0f ms",
                 reads, user + kernel, seconds * 1000);
    } else if (user + kernel == 0 && switches > 1) {
        wait_add(w, " goes on: it has waited %lu times in this moment",
                 switches);
    } else if (user + kernel == 0) {
        wait_add(w, " runs, or waits for a CPU");
    } else if (kernel > user && kernel > 2 * tick) {
        wait_add(w,
                 " spins: %.0f ms of CPU in %.0f ms, most of it in system"
                 " calls that do not wait",
                 user + kernel, seconds * 1000);
    } else {
        wait_add(w, " computes: %.0f ms of CPU in %.0f ms", user + kernel,
                 seconds * 1000);
    }
}

/*
 * Two more looks, the second of them only if something has moved: it may have
 * come to its wait just then, and will stay in it. One that still runs, or
 * still goes from call to call, is said to do so.
 */
static void look_on(void)
{
    enum { PAUSE = 20, LONGER = 50 };
    double began = monotonic();
    bool moves = false, runs = false;

    for (int i = 0; i < many; i++)
        nodes[i]->first = measure(&nodes[i]->w);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < many; i++)
            runs |= nodes[i]->w.how == RUNS;
        nap(runs ? LONGER : PAUSE);
        moves = false;
        for (int i = 0; i < many; i++) {
            struct node *n = nodes[i];
            struct thread now;

            n->gone = !look_now(n->w.who, &now);
            n->moved =
                !n->gone && n->w.how != ENDED && differs(n->w.who, &now);
            moves |= n->moved;
        }
        for (int i = 0; moves && round == 0 && i < many; i++)
            if (nodes[i]->moved) {
                look_again(nodes[i]->w.who);
                wait_explain(nodes[i]->w.who, &nodes[i]->w);
            }
        if (!moves)
            break;
    }
    take_givers();
    for (int i = 0; i < many; i++) {
        struct waiting *w = &nodes[i]->w;
        struct measure last = measure(w), *first = &nodes[i]->first;

        if (w->how == RUNS)
            busy(w, first, &last, monotonic() - began);
        else if (nodes[i]->moved)
            snprintf(w->text, sizeof w->text, "%ld",
                     (long)(last.t.switches - first->t.switches));
    }
}

/* ---- sentences -------------------------------------------------------- */

/* Other names of the call itself, where no more need be said than the name.
 */
static bool same_call(const char *name)
{
    static const char names[] =
        "read write readv writev recv recvfrom recvmsg send sendto sendmsg"
        " accept accept4 connect open open64 openat openat64 creat poll ppoll"
        " select pselect epoll_wait epoll_pwait wait wait3 wait4 waitpid"
        " waitid sleep usleep nanosleep clock_nanosleep pause sigsuspend"
        " sigwait sigwaitinfo sigtimedwait semop semtimedop msgrcv msgsnd"
        " mq_receive mq_timedreceive mq_send mq_timedsend flock fcntl fcntl64"
        " splice vfork syscall sendfile tee vmsplice futex";

    return has_word(names, name);
}

/* "read(0)", under the name that the programmer wrote. */
static void call_text(const struct waiting *w, char *text, size_t size)
{
    size_t base = strcspn(w->call, "(");
    const char *name = w->place.name;
    bool known =
        *name && strncmp(name, w->call, base) == 0 && strlen(name) == base;

    if (!*name || known || strcmp(name, "syscall") == 0 ||
        (w->place.inner && same_call(name)))
        snprintf(text, size, "%s", w->call);
    else if (strcmp(name, "waitpid") == 0 && !w->call[base])
        snprintf(text, size, "waitpid(-1)");
    else if (same_call(name))
        snprintf(text, size, "%s%s", name, w->call + base);
    else
        snprintf(text, size, "%s, called by %s", w->call, name);
}

static void stopped_text(const struct waiting *w, char *text, size_t size)
{
    const struct seen *p = w->who->of;
    const struct seen *tracer = NULL;
    char status[4096];

    if (look_text(status, sizeof status, p->door, "status"))
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

static void sentence(const struct node *n, char *text, size_t size)
{
    const struct waiting *w = &n->w;
    const char *who = wait_thread_name(w->who);
    char call[160], rest[400];
    const struct seen *parent;

    call_text(w, call, sizeof call);
    switch (w->how) {
    case ENDED:
        parent = look_pid(w->who->of->parent);
        if (w->who->of->threads > 1)
            snprintf(text, size, "%s has ended", who);
        else
            snprintf(text, size, "%s has ended, and %s has not waited for it",
                     who, parent ? wait_name(parent) : "its parent");
        break;
    case STOPPED:
        stopped_text(w, rest, sizeof rest);
        snprintf(text, size, "%s%s", who, rest);
        break;
    case RUNS:
        snprintf(text, size, "%s%s", who, *w->text ? w->text : " runs");
        break;
    default:
        if (n->moved) {
            long times = strtol(w->text, NULL, 10);

            if (times > 1)
                snprintf(text, size,
                         "%s goes on: it has waited %ld times in this moment,"
                         " at first in %s",
                         who, times, call);
            else
                snprintf(text, size, "%s goes on: it was in %s", who, call);
        } else {
            bool pause = strstr(call, ", called by") && *w->text == ' ';
            const char *at = w->place.in_handler
                                 ? " in a signal handler, which came at "
                                 : " at ";

            snprintf(text, size, "%s %s%s%s%s%s%s", who,
                     *call ? "is in " : "waits", call,
                     *w->place.line ? at : "", w->place.line,
                     pause ? "," : "", w->text);
        }
    }
}

/* Equal but for the pid: told once. */
static void fold(void)
{
    for (int i = 0; i < many; i++)
        for (int j = 0; j < i; j++)
            if (!nodes[j]->like && nodes[i]->gone == nodes[j]->gone &&
                nodes[i]->w.how == nodes[j]->w.how &&
                nodes[i]->moved == nodes[j]->moved &&
                strcmp(nodes[i]->w.who->of->name,
                       nodes[j]->w.who->of->name) == 0 &&
                strcmp(nodes[i]->w.call, nodes[j]->w.call) == 0 &&
                strcmp(nodes[i]->w.text, nodes[j]->w.text) == 0 &&
                strcmp(nodes[i]->w.place.line, nodes[j]->w.place.line) == 0) {
                nodes[i]->like = nodes[j];
                nodes[j]->more++;
                break;
            }
}

static void say_like(const struct node *n, char *text, size_t size)
{
    int said = 0;

    snprintf(text, size, "; so %s ",
             n->w.how == ENDED ? (n->more == 1 ? "has" : "have")
             : n->more == 1    ? "is"
                               : "are");
    for (int i = 0; i < many; i++)
        if (nodes[i]->like == n)
            list_item(text, size, said++, n->more,
                      wait_thread_name(nodes[i]->w.who));
}

/* Why no more is known, and what would help. */
static void say_hidden(FILE *out, int width, int some, int all)
{
    char text[300], scope[8] = "0";
    FILE *in = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");

    if (in && !fgets(scope, sizeof scope, in))
        *scope = '0';
    if (in)
        fclose(in);
    if (all)
        snprintf(text, sizeof text, "%d wait%s in calls that may not be read",
                 all, all == 1 ? "s" : "");
    else
        snprintf(text, sizeof text, "Of %d of them more may not be read",
                 some);
    if (*scope > '0')
        append(text, sizeof text, " (kernel.yama.ptrace_scope)");
    append(text, sizeof text, "%s",
           geteuid() == 0 ? ": that needs CAP_SYS_PTRACE" : ": ask as root");
    if (*scope == '1')
        append(text, sizeof text,
               ", or start the command with lanes -w -t SEC");
    append(text, sizeof text, ".");
    paragraph(out, width, text);
}

static void say_threads(FILE *out, int width)
{
    static char text[4096], like[600];
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
        sentence(n, text, sizeof text - sizeof like - 2);
        if (n->more) {
            say_like(n, like, sizeof like);
            append(text, sizeof text, "%s", like);
        }
        append(text, sizeof text, ".");
        paragraph(out, width, text);
    }
    if (left)
        fprintf(out, "And %d more.\n", left);
}

static void say_unknown(FILE *out, int width)
{
    int some = 0, all = 0;

    for (int i = 0; i < many; i++)
        if (nodes[i]->w.how == WAITS && !nodes[i]->moved &&
            nodes[i]->w.who->known == CALL_HIDDEN) {
            some += *nodes[i]->w.call != '\0';
            all += *nodes[i]->w.call == '\0';
        }
    if (some + all)
        say_hidden(out, width, some, all);
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
static void say_circles(FILE *out, int width, bool strangers)
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
        paragraph(out, width, text);
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

static bool say_all(FILE *out, int width)
{
    struct place *places[MOST];

    for (int i = 0; i < many; i++)
        places[i] = &nodes[i]->w.place;
    lines_find(places, many);
    fold();
    say_threads(out, width);
    say_unknown(out, width);
    say_circles(out, width, true);
    say_circles(out, width, false);
    return one_waits();
}

static bool tell(FILE *out, int width)
{
    struct winsize size;
    bool stuck;

    if (!width && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
        width = size.ws_col > 20 ? size.ws_col - 1 : 79;

    collect();
    look_on();
    stuck = say_all(out, width);
    forget();
    return stuck;
}

bool why_descendants(FILE *out, int width)
{
    look_begin();
    look_tree(getpid());
    return tell(out, width);
}

int why_pids(char *pids[], int width)
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
    return any && tell(stdout, width) ? 0 : 1;
}
