/*
 * ipcbench - what a message costs, and how many fit into a second
 *
 * This file reads the options, makes the list of what is to be measured, and
 * goes through it in rounds: each round visits each row once, so that a slow
 * minute of the machine hits all of them. See README.md for the rest.
 */
#define _GNU_SOURCE
#ifndef __linux__
#error "ipcbench needs Linux: futex, vmsplice, eventfd, CPU affinity"
#endif
#include <err.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "ipcbench.h"

enum { MAX_SIZES = 16, LARGEST = 65536 };

static const char usage[] =
    "usage: ipcbench [latency|throughput|all|ladder] [OPTION...] "
    "[MECHANISM...]\n"
    "  --size N      of a message, in bytes; may be given several times\n"
    "  --pin same|split|none  both processes on one core, on two, or where\n"
    "                they happen to be; with none, all three are shown\n"
    "  --rounds N    how often each is measured; medians are shown [3]\n"
    "  --ms N        how long, in milliseconds [60]\n"
    "  --messages N  measures that number of messages instead\n"
    "  --rate N      latency in an open loop: N messages a second, timed\n"
    "                from when each had to leave\n"
    "  --limit N     seconds until a mechanism that does not end is stuck "
    "[10]\n"
    "  --full        all sizes, pins and percentiles; 5 rounds, 150 ms\n"
    "  --csv, --json for other programs; times are ns";

static struct report report;
static const char *words[64]; /* the mechanisms that were asked for */
static size_t sizes[MAX_SIZES];
static int word_count, size_count;
static unsigned modes;
static bool ladder, pins[3];
static enum format format;

/* ---- the options ---------------------------------------------------- */

static int number(const char *word, int max)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (*end || end == word || n < 1 || n > max)
        errx(2, "not a number from 1 to %d: %s\n%s", max, word, usage);
    return (int)n;
}

static _Noreturn void help(void)
{
    printf("%s\nmechanisms:\n", usage);
    for (int i = 0; families[i]; i++)
        for (const struct mechanism *m = families[i]; m->name; m++)
            printf("  %-15s %s\n", m->name, m->calls);
    exit(0);
}

static void add_size(const char *word)
{
    if (size_count == MAX_SIZES)
        errx(2, "more than %d sizes\n%s", MAX_SIZES, usage);
    sizes[size_count++] = (size_t)number(word, LARGEST);
}

static void add_pin(const char *word)
{
    if (strcmp(word, "same") == 0)
        pins[SAME] = true;
    else if (strcmp(word, "split") == 0)
        pins[SPLIT] = true;
    else if (strcmp(word, "none") == 0) /* never alone: see README.md */
        pins[SAME] = pins[SPLIT] = pins[NONE] = true;
    else
        errx(2, "not same, split or none: %s\n%s", word, usage);
}

static void read_options(int argc, char *argv[])
{
    static const struct option options[] = {
        { "size", required_argument, NULL, 's' },
        { "pin", required_argument, NULL, 'p' },
        { "rounds", required_argument, NULL, 'r' },
        { "ms", required_argument, NULL, 't' },
        { "messages", required_argument, NULL, 'm' },
        { "rate", required_argument, NULL, 'o' },
        { "limit", required_argument, NULL, 'l' },
        { "full", no_argument, NULL, 'f' },
        { "csv", no_argument, NULL, 'c' },
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int opt;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 's')
            add_size(optarg);
        else if (opt == 'p')
            add_pin(optarg);
        else if (opt == 'r')
            report.rounds = number(optarg, MAX_ROUNDS);
        else if (opt == 't')
            plan.ms = number(optarg, 60000);
        else if (opt == 'm')
            plan.count = number(optarg, 1000000000);
        else if (opt == 'o')
            plan.rate = number(optarg, 10000000);
        else if (opt == 'l')
            plan.limit = number(optarg, 3600);
        else if (opt == 'f')
            report.full = true;
        else if (opt == 'c')
            format = CSV;
        else if (opt == 'j')
            format = JSON;
        else if (opt == 'h')
            help();
        else
            errx(2, "%s", usage);
    }
}

/* The first word may be a mode; the others are mechanisms. */
static void read_words(char *word[])
{
    static const struct {
        const char *name;
        unsigned modes;
    } known[] = { { "latency", LATENCY },
                  { "throughput", THROUGHPUT },
                  { "all", BOTH },
                  { "ladder", 0 } };

    modes = plan.rate ? LATENCY : BOTH;
    for (size_t i = 0; *word && i < sizeof known / sizeof *known; i++) {
        if (strcmp(*word, known[i].name) != 0)
            continue;
        modes = known[i].modes;
        ladder = modes == 0;
        word++;
        break;
    }
    for (; *word; word++) {
        if (!mechanism_of(*word) || ladder)
            errx(2, "there is no mechanism %s here\n%s", *word, usage);
        if (word_count == sizeof words / sizeof *words)
            errx(2, "too many words\n%s", usage);
        words[word_count++] = *word;
    }
    if (plan.rate && modes != LATENCY)
        errx(2, "--rate is for latency\n%s", usage);
}

/* ---- where ---------------------------------------------------------- */

static int topology(int cpu, const char *what)
{
    char path[80];
    int n = -1;
    FILE *file;

    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/%s",
             cpu, what);
    file = fopen(path, "re");
    if (!file)
        return cpu;
    if (fscanf(file, "%d", &n) != 1)
        n = cpu;
    fclose(file);
    return n;
}

static bool same_core(int a, int b)
{
    return topology(a, "core_id") == topology(b, "core_id") &&
           topology(a, "physical_package_id") ==
               topology(b, "physical_package_id");
}

/*
 * The first CPU that we may use, and the first one on another core. Where
 * there is but one core, two threads of it have to do.
 */
static void choose_cpus(void)
{
    cpu_set_t set;
    int thread = -1;

    if (sched_getaffinity(0, sizeof set, &set) == -1)
        err(1, "sched_getaffinity");
    for (int cpu = 0; cpu < CPU_SETSIZE && plan.cpus < 2; cpu++) {
        if (!CPU_ISSET((unsigned)cpu, &set))
            continue;
        if (plan.cpus == 0 || !same_core(plan.cpu[0], cpu))
            plan.cpu[plan.cpus++] = cpu;
        else if (thread == -1)
            thread = cpu;
    }
    if (plan.cpus == 2)
        return;
    plan.threads = thread != -1;
    plan.cpu[1] = plan.threads ? thread : plan.cpu[0];
    plan.cpus += plan.threads;
}

/* ---- what is measured ----------------------------------------------- */

bool is_wanted(const struct mechanism *m)
{
    for (int i = 0; i < word_count; i++)
        if (strcmp(words[i], m->name) == 0)
            return true;
    return word_count == 0;
}

static bool fits(const struct job *job)
{
    const struct mechanism *m = job->mechanism;

    if (!(m->flags & job->mode) || !is_wanted(m))
        return false;
    if (m->largest && job->size > m->largest)
        return false;
    if (m->flags & SPINS && job->pin != SPLIT)
        return false;
    if (plan.rate) /* Sender looks at the clock all the time */
        return m->flags & THROUGHPUT && !(m->flags & ALONE);
    return true;
}

static void add_table(unsigned mode, enum pin pin, size_t size)
{
    for (int i = 0; families[i]; i++) {
        for (const struct mechanism *m = families[i]; m->name; m++) {
            struct job job = {
                .mechanism = m, .mode = mode, .pin = pin, .size = size
            };

            if (!fits(&job))
                continue;
            report.rows = realloc(report.rows,
                                  (report.count + 1) * sizeof *report.rows);
            if (!report.rows)
                err(1, "realloc");
            memset(&report.rows[report.count], 0, sizeof *report.rows);
            report.rows[report.count++].job = job;
        }
    }
}

static void add_mode(unsigned mode)
{
    static const size_t all[] = { 8, 64, 1024, 4096, 65536 };
    bool latency = mode == LATENCY;
    bool chosen = pins[SAME] || pins[SPLIT];

    for (enum pin pin = SAME; pin <= NONE; pin++) {
        bool usual = report.full || pin == SPLIT || (pin == SAME && latency);

        if (plan.rate)
            usual = pin == SPLIT;
        else if (plan.cpus == 1)
            usual = pin == SAME;
        if (chosen ? !pins[pin] : !usual)
            continue;
        if (pin == SPLIT && plan.cpus == 1)
            continue;
        for (int i = 0; i < size_count; i++)
            add_table(mode, pin, sizes[i]);
        for (int i = 0; i < 5 && size_count == 0; i++)
            if (report.full ? latency || i > 0 : latency ? i == 0 : i > 2)
                add_table(mode, pin, all[i]);
    }
}

static void make_list(void)
{
    if (modes & LATENCY)
        add_mode(LATENCY);
    if (modes & THROUGHPUT)
        add_mode(THROUGHPUT);
    for (int w = 0; w < word_count; w++) {
        bool there = false;

        for (size_t i = 0; i < report.count; i++)
            there |= report.rows[i].job.mechanism == mechanism_of(words[w]);
        if (!there)
            errx(2, "%s: nothing to measure that way\n%s", words[w], usage);
    }
    if (report.count == 0 && !ladder)
        errx(2, "nothing to measure on %d core\n%s", plan.cpus, usage);
}

/* ---- the rounds ----------------------------------------------------- */

static void progress(int round, const char *name)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (name)
        fprintf(stderr, "\rround %d of %d: %-20s", round, report.rounds,
                name);
    else
        fprintf(stderr, "\r%40s\r", "");
}

/* What the machine itself does, so that a disturbed run is known. */
static struct covariate covariates[] = {
    { .name = "cache-line",
      .what = "two cores: to the other and back",
      .job = { .mode = LATENCY, .pin = SPLIT, .size = 8 },
      .share = 1 },
    { .name = "switch",
      .what = "one core: half a round trip by futex",
      .job = { .mode = LATENCY, .pin = SAME, .size = 8 },
      .share = 0.5 },
    { .name = "wake-up",
      .what = "two cores: half a round trip by futex",
      .job = { .mode = LATENCY, .pin = SPLIT, .size = 8 },
      .share = 0.5 },
};

enum { COVARIATES = sizeof covariates / sizeof *covariates };

static void look_at_machine(void)
{
    struct plan before = plan;
    struct figures f;

    plan.rate = 0;
    plan.ms = MIN(plan.ms, 20);
    plan.count = MIN(plan.count, 1000);
    for (int i = 0; i < COVARIATES; i++) {
        struct covariate *c = &covariates[i];

        c->job.mechanism = mechanism_of(i == 0 ? "cache-line" : "futex");
        if (c->status != 0 || (c->job.pin == SPLIT && plan.cpus == 1))
            continue;
        c->status = measure(&c->job, &f);
        if (c->status == 0)
            c->ns[c->values++] = f.p50 * c->share;
    }
    plan = before;
}

static void look_at_ourselves(void)
{
    struct job job = { .mechanism = mechanism_of("memcpy"),
                       .mode = LATENCY,
                       .pin = SAME,
                       .size = 8 };
    struct plan before = plan;
    struct figures f;

    plan.rate = 0;
    plan.ms = MIN(plan.ms, 10);
    plan.count = MIN(plan.count, 1000);
    plan.clock = cost_of_clock();
    plan.loop = measure(&job, &f) == 0 ? f.p50 : 0;
    before.clock = plan.clock;
    before.loop = plan.loop;
    plan = before;
}

static void measure_row(struct row *row)
{
    if (row->status != 0) /* once is enough */
        return;
    row->status = measure(&row->job, &row->round[row->rounds]);
    if (row->status == 0)
        row->rounds++;
}

static void measure_all(void)
{
    report.covariates = covariates;
    report.covariate_count = COVARIATES;
    for (int round = 1; round <= report.rounds; round++) {
        progress(round, "the machine");
        look_at_machine();
        for (size_t i = 0; i < report.count; i++) {
            progress(round, report.rows[i].job.mechanism->name);
            measure_row(&report.rows[i]);
        }
        if (ladder) {
            progress(round, "ladder");
            climb(&report);
        }
    }
    look_at_machine();
    progress(0, NULL);
}

static int worst(void)
{
    int status = 0;

    for (size_t i = 0; i < report.count; i++)
        if (report.rows[i].status > status)
            status = report.rows[i].status;
    for (int i = 0; i < report.rung_count; i++)
        if (report.rungs[i].status > status)
            status = report.rungs[i].status;
    for (int i = 0; i < COVARIATES; i++)
        if (covariates[i].status > status)
            status = covariates[i].status;
    return status;
}

int main(int argc, char *argv[])
{
    plan.limit = 10;
    read_options(argc, argv);
    read_words(argv + optind);
    if (report.rounds == 0)
        report.rounds = report.full ? 5 : 3;
    if (plan.ms == 0)
        plan.ms = report.full ? 150 : plan.rate ? 300 : 60;
    signal(SIGCHLD,
           SIG_DFL); /* ignored, there would be nothing to wait for */
    choose_cpus();
    make_list();
    getloadavg(&plan.load, 1); /* 0, if it is not known */

    look_at_ourselves();
    measure_all();
    print_report(&report, format);
    if (fflush(stdout) == EOF || ferror(stdout))
        err(1, "stdout");
    return worst();
}
