/*
 * export.c - the same figures for programs: CSV and JSON
 *
 * Times are ns. A figure that a row does not have is empty in CSV and left
 * out in JSON.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <string.h>

#include "ipcbench.h"

static const struct field {
    const char *name;
    unsigned modes;
    size_t offset;
} fields[] = {
    { "messages", BOTH, offsetof(struct figures, messages) },
    { "min", LATENCY, offsetof(struct figures, min) },
    { "p50", LATENCY, offsetof(struct figures, p50) },
    { "p90", LATENCY, offsetof(struct figures, p90) },
    { "p99", LATENCY, offsetof(struct figures, p99) },
    { "p999", LATENCY, offsetof(struct figures, p999) },
    { "max", LATENCY, offsetof(struct figures, max) },
    { "mean", LATENCY, offsetof(struct figures, mean) },
    { "no_clock", LATENCY, offsetof(struct figures, no_clock) },
    { "switches", BOTH, offsetof(struct figures, switches) },
    { "bytes_s", THROUGHPUT, offsetof(struct figures, bytes_s) },
    { "messages_s", THROUGHPUT, offsetof(struct figures, messages_s) },
};

enum { FIELDS = sizeof fields / sizeof *fields };

static const char *const pins[] = { "same", "split", "none" };

static const char *kind(const struct job *job)
{
    return plan.rate              ? "open"
           : job->mode == LATENCY ? "latency"
                                  : "throughput";
}

static const char *status_word(int status)
{
    return status == 0 ? "ok" : status == STUCK ? "stuck" : "failed";
}

static double value_of(const struct row *row, const struct field *field)
{
    double value;

    memcpy(&value, (const char *)&row->middle + field->offset, sizeof value);
    return value;
}

static bool has(const struct row *row, const struct field *field)
{
    return row->status == 0 && row->job.mode & field->modes;
}

void print_csv(const struct report *report)
{
    printf("kind,pin,size,name,rounds,status,spread,to_pipe,lost");
    for (int i = 0; i < FIELDS; i++)
        printf(",%s", fields[i].name);
    printf("\n");

    for (int i = 0; i < report->covariate_count; i++) {
        const struct covariate *c = &report->covariates[i];
        double least, mid, most;

        extremes(c, &least, &mid, &most);
        printf("covariate,%s,%zu,%s,%d,%s,%.3f,,,,%.1f,%.1f,,,,%.1f,,,,,\n",
               pins[c->job.pin], c->job.size, c->name, c->values,
               status_word(c->status), least > 0 ? most / least : 1, least,
               mid, most);
    }
    for (size_t i = 0; i < report->count; i++) {
        const struct row *row = &report->rows[i];

        printf("%s,%s,%zu,%s,%d,%s,%.3f,%.3f,", kind(&row->job),
               pins[row->job.pin], row->job.size, row->job.mechanism->name,
               row->rounds, status_word(row->status), row->spread,
               to_pipe(report, row));
        for (int f = 0; f < FIELDS; f++) {
            printf(",");
            if (has(row, &fields[f]))
                printf("%.3f", value_of(row, &fields[f]));
        }
        printf("\n");
    }
    for (int i = 0; i < report->rung_count; i++) {
        const struct rung *r = &report->rungs[i];

        printf("ladder,%s,8,%s,%d,%s,%.3f,,%.6f,,,,,,,,,,,,%.0f\n",
               plan.cpus > 1 ? "split" : "same", r->name, r->rounds,
               status_word(r->status), r->spread, r->lost, r->added);
    }
}

static void json_rows(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct row *row = &report->rows[i];

        printf("%s\n    {\"kind\": \"%s\", \"pin\": \"%s\", \"size\": %zu, "
               "\"name\": \"%s\", \"rounds\": %d, \"status\": \"%s\"",
               i ? "," : "", kind(&row->job), pins[row->job.pin],
               row->job.size, row->job.mechanism->name, row->rounds,
               status_word(row->status));
        if (row->status == 0)
            printf(",\n     \"spread\": %.3f, \"to_pipe\": %.3f", row->spread,
                   to_pipe(report, row));
        for (int f = 0; f < FIELDS; f++)
            if (has(row, &fields[f]))
                printf(", \"%s\": %.3f", fields[f].name,
                       value_of(row, &fields[f]));
        printf("}");
    }
}

void print_json(const struct report *report)
{
    printf("{\n  \"clock_ns\": %.1f, \"loop_ns\": %.1f, \"load\": %.2f,\n"
           "  \"rounds\": %d, \"cpus\": [%d, %d],\n  \"covariates\": [",
           plan.clock, plan.loop, plan.load, report->rounds, plan.cpu[0],
           plan.cpu[1]);
    for (int i = 0; i < report->covariate_count; i++) {
        const struct covariate *c = &report->covariates[i];

        printf("%s\n    {\"name\": \"%s\", \"moved\": %s, \"ns\": [",
               i ? "," : "", c->name, moved(c) ? "true" : "false");
        for (int n = 0; n < c->values; n++)
            printf("%s%.1f", n ? ", " : "", c->ns[n]);
        printf("]}");
    }
    printf("],\n  \"rows\": [");
    json_rows(report);
    printf("],\n  \"ladder\": [");
    for (int i = 0; i < report->rung_count; i++)
        printf("%s\n    {\"name\": \"%s\", \"status\": \"%s\", "
               "\"added_s\": %.0f, \"lost\": %.6f}",
               i ? "," : "", report->rungs[i].name,
               status_word(report->rungs[i].status), report->rungs[i].added,
               report->rungs[i].lost);
    printf("]\n}\n");
}
