/*
 * report.c - medians of the rounds, and tables for people
 *
 * A table is the rows that differ in nothing but the mechanism. Its bars are
 * drawn to one scale, on which the longest row has the whole width.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/utsname.h>

#include "ipcbench.h"

enum { WIDTH = 80 };

static const char bars[] = "########################################";

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double middle(double *values, int n)
{
    if (n == 0)
        return 0;
    qsort(values, (size_t)n, sizeof *values, by_size);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* The median of one of the figures; *spread is most / least. */
static double median(const struct row *row, size_t offset, double *spread)
{
    double values[MAX_ROUNDS], m;

    for (int i = 0; i < row->rounds; i++)
        memcpy(&values[i], (const char *)&row->round[i] + offset,
               sizeof values[i]);
    m = middle(values, row->rounds);
    *spread = values[0] > 0 ? values[row->rounds - 1] / values[0] : 1;
    return m;
}

/* Medians, but for the least and the most, which are those of all rounds. */
static void summarize(struct row *row)
{
    struct figures *all = &row->middle;
    double spread;

    if (row->rounds == 0)
        return;
    for (size_t at = 0; at < sizeof *all; at += sizeof(double)) {
        double m = median(row, at, &spread);

        memcpy((char *)all + at, &m, sizeof m);
        if (at == offsetof(struct figures, p50) ||
            at == offsetof(struct figures, bytes_s))
            if (m > 0)
                row->spread = spread;
    }
    for (int i = 0; i < row->rounds; i++) {
        all->min = MIN(all->min, row->round[i].min);
        all->max = MAX(all->max, row->round[i].max);
    }
}

static bool same_table(const struct row *a, const struct row *b)
{
    return a->job.mode == b->job.mode && a->job.pin == b->job.pin &&
           a->job.size == b->job.size;
}

static double main_figure(const struct row *row)
{
    return row->job.mode == THROUGHPUT ? row->middle.bytes_s
                                       : row->middle.p50;
}

/* What a row is to the pipe's in the same table; 0: there is none. */
double to_pipe(const struct report *report, const struct row *row)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct row *pipe = &report->rows[i];

        if (strcmp(pipe->job.mechanism->name, "pipe") == 0 &&
            same_table(pipe, row) && pipe->status == 0)
            return main_figure(row) / main_figure(pipe);
    }
    return 0;
}

void extremes(const struct covariate *c, double *least, double *mid,
              double *most)
{
    double values[MAX_ROUNDS + 1];

    memcpy(values, c->ns, sizeof values);
    *mid = middle(values, c->values);
    *least = c->values ? values[0] : 0;
    *most = c->values ? values[c->values - 1] : 0;
}

/* More than a fifth: something else ran, or a CPU has changed its speed. */
bool moved(const struct covariate *c)
{
    double least, mid, most;

    extremes(c, &least, &mid, &most);
    return most > 1.2 * least;
}

/* ---- tables --------------------------------------------------------- */

static const char *us(double ns)
{
    static char text[8][24]; /* for several in one printf */
    static int n;
    int digits = ns < 100000 ? 2 : ns < 1000000;

    n = (n + 1) % 8;
    snprintf(text[n], sizeof text[n], "%.*f", digits, ns / 1000);
    return text[n];
}

static void bar(double share, int width)
{
    int n = (int)(share * width + 0.5);

    if (n > 0)
        printf(" %.*s", n, bars);
    printf("\n");
}

static const char *place(enum pin pin)
{
    return pin == SAME    ? "on one core"
           : pin == SPLIT ? "on two cores"
                          : "not pinned";
}

static void title(const struct row *row, const struct report *report)
{
    const struct job *job = &row->job;

    if (plan.rate)
        printf("\nOne way of %zu bytes %s, in µs: an open loop, %ld a "
               "second\n",
               job->size, place(job->pin), plan.rate);
    else if (job->mode == LATENCY)
        printf("\nRound trip of %zu bytes %s, in µs: a closed loop\n",
               job->size, place(job->pin));
    else
        printf("\nThroughput of messages of %zu bytes %s\n", job->size,
               place(job->pin));
    if (job->mode == THROUGHPUT)
        printf("%-15s%9s%12s%8s%8s%9s\n", "", "MB/s", "messages/s", "spread",
               "/ pipe", "switches");
    else if (report->full)
        printf("%-14s%8s%8s%8s%8s%8s%8s%8s%9s\n", "", "min", "p50", "p90",
               "p99", "p99.9", "max", "mean", "switches");
    else
        printf("%-15s%8s%8s%8s%8s%9s\n", "", "p50", "p99", "spread", "/ pipe",
               "switches");
}

static void ratio(double value)
{
    if (value > 0)
        printf("%8.3f", value);
    else
        printf("%8s", "-");
}

static void line(const struct report *report, const struct row *row,
                 double longest)
{
    const struct figures *f = &row->middle;
    double share = longest > 0 ? main_figure(row) / longest : 0;

    printf("%-*s", report->full && row->job.mode == LATENCY ? 14 : 15,
           row->job.mechanism->name);
    if (row->status != 0) {
        printf("%8s\n", row->status == STUCK ? "stuck" : "failed");
    } else if (row->job.mode == THROUGHPUT) {
        printf("%9.1f%12.0f%8.2f", f->bytes_s / 1e6, f->messages_s,
               row->spread);
        ratio(to_pipe(report, row));
        printf("%9.3f", f->switches);
        bar(share, WIDTH - 62);
    } else if (report->full) {
        printf("%8s%8s%8s%8s%8s%8s%8s%9.2f\n", us(f->min), us(f->p50),
               us(f->p90), us(f->p99), us(f->p999), us(f->max), us(f->mean),
               f->switches);
    } else {
        printf("%8s%8s%8.2f", us(f->p50), us(f->p99), row->spread);
        ratio(to_pipe(report, row));
        printf("%9.2f", f->switches);
        bar(share, WIDTH - 57);
    }
}

/* The fast ones again: the clock's own time is a part of their p50. */
static void without_the_clock(const struct report *report, size_t from,
                              size_t to)
{
    int column = 0;

    for (size_t i = from; i < to; i++) {
        const struct row *row = &report->rows[i];

        if (row->middle.no_clock <= 0)
            continue;
        if (!column)
            column = printf("without the clock:");
        column += printf("  %s %s", row->job.mechanism->name,
                         us(row->middle.no_clock));
    }
    if (column)
        printf("\n");
}

static void too_large(const struct row *row)
{
    const char *before = "";

    for (int i = 0; families[i]; i++) {
        for (const struct mechanism *m = families[i]; m->name; m++) {
            if (is_wanted(m) && m->flags & THROUGHPUT && m->largest &&
                m->largest < row->job.size) {
                printf("%s%s",
                       *before ? before : "takes no such message: ", m->name);
                before = ", ";
            }
        }
    }
    if (*before)
        printf("\n");
}

static void print_tables(const struct report *report)
{
    size_t from, to;

    for (from = 0; from < report->count; from = to) {
        const struct row *first = &report->rows[from];
        double longest = 0;

        for (to = from; to < report->count; to++) {
            if (!same_table(first, &report->rows[to]))
                break;
            longest = MAX(longest, main_figure(&report->rows[to]));
        }
        title(first, report);
        for (size_t i = from; i < to; i++)
            line(report, &report->rows[i], longest);
        without_the_clock(report, from, to);
        too_large(first);
    }
}

static void print_machine(const struct report *report)
{
    struct utsname name;

    uname(&name);
    printf("%s %s %s: ", name.sysname, name.release, name.machine);
    if (plan.cpus > 1)
        printf("one core is CPU %d, two are CPU %d and CPU %d\n", plan.cpu[0],
               plan.cpu[0], plan.cpu[1]);
    else
        printf("one core, CPU %d: what needs two is left out\n", plan.cpu[0]);
    if (plan.threads)
        printf("warning: these two CPUs are threads of one core\n");
    printf("clock_gettime takes %.0f ns, a round trip of this program's loop "
           "%.0f ns more\n",
           plan.clock, MAX(plan.loop - plan.clock, 0));
    printf("load average %.2f before; medians of %d round%s; spread: the "
           "slowest / the fastest\n",
           plan.load, report->rounds, report->rounds == 1 ? "" : "s");
}

static void print_covariates(const struct report *report)
{
    double least, mid, most;

    if (report->covariate_count == 0)
        return;
    printf("\n%-15s%8s%8s%8s\n", "Meanwhile", "least", "median", "most");
    for (int i = 0; i < report->covariate_count; i++) {
        const struct covariate *c = &report->covariates[i];

        if (c->values == 0)
            continue;
        extremes(c, &least, &mid, &most);
        printf("%-15s%8s%8s%8s  %s\n", c->name, us(least), us(mid), us(most),
               c->what);
    }
    for (int i = 0; i < report->covariate_count; i++)
        if (moved(&report->covariates[i]))
            printf("warning: %s moved by more than a fifth: does something "
                   "else run?\n",
                   report->covariates[i].name);
}

static void print_rungs(const struct report *report)
{
    double most = 0;

    if (report->rung_count == 0)
        return;
    printf("\nTwo processes add 1 to one number, %s\n",
           plan.cpus > 1 ? "on two cores" : "on one core");
    printf("%-15s%9s%10s%9s\n", "", "M adds/s", "lost", "spread");
    for (int i = 0; i < report->rung_count; i++)
        most = MAX(most, report->rungs[i].added);
    for (int i = 0; i < report->rung_count; i++) {
        const struct rung *rung = &report->rungs[i];

        printf("%-15s", rung->name);
        if (rung->status != 0) {
            printf("%9s\n", rung->status == STUCK ? "stuck" : "failed");
            continue;
        }
        printf("%9.2f%8.1f %%%9.2f", rung->added / 1e6, 100 * rung->lost,
               rung->spread);
        bar(most > 0 ? rung->added / most : 0, WIDTH - 44);
    }
}

void print_report(struct report *report, enum format format)
{
    for (size_t i = 0; i < report->count; i++)
        summarize(&report->rows[i]);
    for (int i = 0; i < report->rung_count; i++) {
        struct rung *rung = &report->rungs[i];

        rung->added = middle(rung->added_s, rung->rounds);
        if (rung->rounds > 0)
            rung->spread = rung->added_s[rung->rounds - 1] / rung->added_s[0];
    }
    if (format == CSV) {
        print_csv(report);
    } else if (format == JSON) {
        print_json(report);
    } else {
        print_machine(report);
        print_covariates(report);
        print_tables(report);
        print_rungs(report);
    }
}
