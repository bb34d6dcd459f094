/*
 * rows.c - what happened becomes rows: columns, arrows, captions, and the
 * folding of what comes again and again
 *
 * A row is complete when it goes to the painter, in the order of the log.
 */
#include "rows.h"
#include <err.h>
#include <regex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct options opt;
const struct painter *painter;
static long numbered;
static bool muted;

void rows_mute(void)
{
    muted = true;
}

/* ---- columns ---------------------------------------------------------- */

/*
 * A process keeps its column. A new one gets one of its own while there is
 * room for it, then that of one that is gone, so that arrows stay readable.
 */
/* -m: a lane that is nobody's. */
static struct process memory = { .number = -1 };

static struct drawn *drawn(struct process *p)
{
    if (!p->drawn) {
        p->drawn = zeros(1, sizeof *p->drawn);
        p->drawn->column = -1;
    }
    return p->drawn;
}

static int column_of(struct process *p)
{
    bool taken[MAX_COLUMNS] = { false }, used[MAX_COLUMNS] = { false };
    int columns = opt.lanes ? opt.lanes : MAX_COLUMNS;
    int roomy = opt.lanes ? opt.lanes : (opt.width - opt.margin - 5) / 18;
    int *column = &drawn(p)->column;

    if (*column != -1)
        return *column;
    if (drawn(&memory)->column != -1)
        used[memory.drawn->column] = taken[memory.drawn->column] = true;
    for (struct process *q = processes; q; q = q->next)
        if (drawn(q)->column != -1) {
            used[q->drawn->column] = true;
            taken[q->drawn->column] |= q->state != GONE;
        }
    for (*column = 0; *column < columns && *column < roomy; ++*column)
        if (!used[*column])
            return *column;
    for (*column = 0; *column < columns - 1; ++*column)
        if (!taken[*column])
            break;
    return *column;
}

static void head(struct lane *lane, int number, const char *name)
{
    lane->number = number;
    copy(lane->name, sizeof lane->name, name);
}

static void lanes_now(struct row *row)
{
    static struct lane last[MAX_COLUMNS];
    bool taken[MAX_COLUMNS] = { false };

    memcpy(row->lane, last, sizeof last);
    row->lanes = row->column + 1;
    for (int i = 0; i < MAX_COLUMNS; i++)
        row->lane[i].state = ' ';
    for (struct process *p = processes; p; p = p->next) {
        int column = drawn(p)->column;

        if (column == -1 || !alive(p) || p->hidden)
            continue;
        if (taken[column] && p != row->who)
            continue; /* a shared column shows the newest, or the row's own */
        taken[column] = true;
        head(&row->lane[column], p->number, p->name);
        row->lane[column].state = '|';
        if (p->state == ENDING)
            row->lane[column].state = ' ';
        else if (p->waits && p != row->who)
            row->lane[column].state = ':';
        if (row->lanes <= column)
            row->lanes = column + 1;
    }
    if (drawn(&memory)->column != -1 && !taken[memory.drawn->column])
        head(&row->lane[memory.drawn->column], -1, "memory");
    row->renamed = false;
    for (int i = 0; i < MAX_COLUMNS; i++)
        row->renamed |= row->lane[i].number != last[i].number ||
                        strcmp(row->lane[i].name, last[i].name) != 0;
    memcpy(last, row->lane, sizeof last);
}

int next_lane(const struct row *row, int lanes)
{
    int i = row->column + 1;

    while (i < lanes && row->lane[i].state == ' ')
        i++;
    return i;
}

/* The last one, where there are more processes than columns. */
bool lane_shared(int column)
{
    int columns = opt.lanes ? opt.lanes : MAX_COLUMNS;
    const struct process *p = processes;

    while (p && p->number < columns) /* those outside have none */
        p = p->next;
    return p && column == columns - 1;
}

const char *lane_head(const struct lane *lane)
{
    static char text[64];

    if (lane->number == -1) /* nobody's: shared memory */
        return lane->name;
    snprintf(text, sizeof text, "%s %s", letter_of(lane->number), lane->name);
    return text;
}

/* ---- captions --------------------------------------------------------- */

static struct caption {
    regex_t regex;
    char *text;
} * caption;
static int captions;

void captions_read(const char *path)
{
    FILE *in = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;

    if (!in)
        err(2, "%s", path);
    while (getline(&line, &room, in) != -1) {
        char *tab = strchr(line, '\t'), message[128];
        int code;

        line[strcspn(line, "\n")] = '\0';
        if (*line == '#' || *line == '\0')
            continue;
        if (!tab)
            errx(2, "%s: no tab between pattern and text: %s", path, line);
        *tab = '\0';
        caption = resize(caption, (size_t)captions + 1, sizeof *caption);
        code =
            regcomp(&caption[captions].regex, line, REG_EXTENDED | REG_NOSUB);
        if (code != 0) {
            regerror(code, &caption[captions].regex, message, sizeof message);
            errx(2, "%s: %s: %s", path, line, message);
        }
        caption[captions++].text = same(tab + 1);
    }
    free(line);
    fclose(in);
}

const char *row_tag(const struct row *row)
{
    static char text[sizeof row->tag + 4];

    *text = '\0';
    if (*row->tag)
        snprintf(text, sizeof text, " [%s]", row->tag);
    return text;
}

/* A pattern sees "A read = "hi" [P1.r]", then the arrows' texts. */
static const char *caption_of(const struct row *row)
{
    char text[700];

    if (captions == 0 || !row->who)
        return NULL;
    snprintf(text, sizeof text, "%s %s%s", letter(row->who), row->text,
             row_tag(row));
    for (int i = 0; i < row->arrows; i++)
        append(text, sizeof text, " <- %s", row->arrow[i].tie.text);
    for (int i = 0; i < captions; i++)
        if (regexec(&caption[i].regex, text, 0, NULL, 0) == 0)
            return caption[i].text;
    return NULL;
}

/* ---- rows ------------------------------------------------------------- */

void row_begin(struct row *row, enum row_kind kind, struct process *who)
{
    memset(row, 0, sizeof *row);
    row->kind = kind;
    row->who = who;
}

void row_arrow(struct row *row, const struct tie *tie)
{
    if (row->arrows < MAX_TIES)
        row->arrow[row->arrows++].tie = *tie;
}

bool arrow_solid(const struct arrow *arrow)
{
    return arrow->tie.kind == BYTES || arrow->tie.kind == PASSED;
}

bool arrow_from_afar(const struct row *row, const struct arrow *arrow)
{
    return arrow->tie.kind != FORK && arrow->from_row > 0 &&
           arrow->from_row < row->number - 1;
}

/* The row of a call, if it has not been folded. */
static long row_of(struct process *p, long seq)
{
    const struct drawn *d = drawn(p);

    for (int i = 0; i < REMEMBERED && seq; i++)
        if (d->call[i].seq == seq)
            return d->call[i].row;
    return seq ? 0 : d->row;
}

static void remember(struct process *p, long number)
{
    struct drawn *d = drawn(p);

    d->row = number;
    d->call[d->calls].seq = p->seq;
    d->call[d->calls].row = number;
    d->calls = (d->calls + 1) % REMEMBERED;
}

/*
 * strace tells a call's source line when the call has returned. Until then
 * its row is held, and all that come after it.
 */
enum { HELD = 256 };
static struct row held[HELD];
static int first, holding;

static void release(bool all)
{
    while (holding > 0) {
        const struct row *row = &held[first];

        if (!all && holding < HELD && !*row->source && row->by &&
            row->by->seq == row->seq && (row->by->inside || row->exits))
            return;
        first = (first + 1) % HELD;
        holding--;
        painter->row(row);
    }
}

bool rows_held(void)
{
    return holding > 0;
}

void rows_source(const struct process *p, const char *source)
{
    for (int i = 0; p && i < holding; i++) {
        struct row *row = &held[(first + i) % HELD];

        if (row->by != p || row->seq != p->seq)
            continue;
        if (!*row->source)
            copy(row->source, sizeof row->source, source);
        row->by = NULL; /* even if it has none */
    }
    release(false);
}

static void paint(struct row *row)
{
    if (muted)
        return;
    row->number = ++numbered;
    if (row->who && row->kind != ROW_FOLDED)
        remember(row->who, row->number);
    row->caption = caption_of(row);
    if (!row->caption)
        row->caption = row->note;
    held[(first + holding++) % HELD] = *row;
    release(!opt.hold);
}

/*
 * Folding: a row that says what one of the last rows said is only counted.
 * So a gigabyte through a pipe is a few rows. Four the same are drawn; what
 * is repeated with other data is folded after a good while, a compiler's
 * work on its files at once. The count comes before the next row of the same
 * process.
 */
enum { WINDOW = 16, SAME = 4, ENOUGH = 24 };

static struct seen {
    char key[480];
    struct row row; /* the last of them */
    struct process *who;
    int times, folded;
} window[WINDOW];
static int oldest;

/* The length of the call's name; what changes in memory has none. */
static int name_length(const struct seen *s)
{
    return s->who == &memory ? 0 : (int)strcspn(s->row.text, "( ");
}

/* " = EINTR", " = 0  EOF"; "" where it brought something. */
static const char *end_of(const struct row *row)
{
    const char *end = row->failed || strstr(row->text, "EOF")
                          ? strstr(row->text, " = ")
                          : NULL;

    return end ? end : "";
}

/* Draws what of one process has only been counted, a row for each call. */
static void unfold(const struct process *who)
{
    for (int i = 0; i < WINDOW; i++) {
        struct seen *s = &window[(oldest + i) % WINDOW], *last = NULL;
        int times = 0, n = name_length(s);
        struct row row;

        if (s->who != who || s->folded == 0)
            continue;
        for (int j = i; j < WINDOW; j++) {
            struct seen *t = &window[(oldest + j) % WINDOW];

            if (t->who != who || t->folded == 0 || name_length(t) != n ||
                strncmp(t->row.text, s->row.text, (size_t)n) != 0)
                continue;
            if (t->row.kind != ROW_WAIT) { /* its return counts */
                if (last && strcmp(end_of(&last->row), end_of(&t->row)) != 0)
                    continue;
                times += t->folded;
                last = t;
            }
            t->folded = 0;
        }
        last = last ? last : s;
        row = last->row;
        if (times > 1) {
            row_begin(&row, ROW_FOLDED, row.who);
            row.column = column_of(last->who);
            snprintf(row.text, sizeof row.text, "%d more %.*s%s", times, n,
                     last->row.text, end_of(&last->row));
        }
        lanes_now(&row);
        paint(&row);
    }
}

/* Its own calls, what came of them, and the calls that others are in come
   before its next row. */
static void unfold_before(const struct process *who)
{
    unfold(who);
    for (int i = 0; i < WINDOW; i++) {
        const struct seen *s = &window[(oldest + i) % WINDOW];
        bool is_in = s->row.kind == ROW_WAIT && s->folded == 1;

        if ((is_in && s->who->waits) ||
            (s->folded && s->row.arrows && s->row.arrow[0].tie.from == who))
            unfold(s->who);
    }
}

void rows_flush(void)
{
    for (int i = 0; i < WINDOW; i++)
        unfold(window[(oldest + i) % WINDOW].who);
    memset(window, 0, sizeof window);
    release(true);
}

bool rows_forgotten(void)
{
    if (painter->forgets)
        rows_flush();
    return painter->forgets;
}

static bool folded(const struct row *row)
{
    struct process *who = row->who ? row->who : &memory;
    char key[480], loose[120];
    struct seen *s = NULL;
    int same = row->plain ? 1 : SAME, enough = row->plain ? 1 : ENOUGH;
    bool exact = false;

    if (opt.all || row->kind == ROW_START)
        return false;
    /* An error, the end of a file and another kind of arrow are not more of
       the same. */
    snprintf(loose, sizeof loose, "%d %d %d%.40s %.*s %s|", who->number,
             row->kind, row->arrows ? (int)row->arrow[0].tie.kind : -1,
             end_of(row), (int)strcspn(row->text, ",=\""), row->text,
             row->tag);
    snprintf(key, sizeof key, "%s%s|%s", loose, row->text,
             row->arrows ? row->arrow[0].tie.text : "");
    for (int i = 0; i < WINDOW; i++) {
        struct seen *other = &window[i];

        if (!other->who || !begins(other->key, loose) || exact)
            continue;
        exact = strcmp(other->key, key) == 0;
        if (!s || exact)
            s = other;
    }
    if (s && !exact && s->times < enough) { /* the same, with other data */
        unfold(who);
        s->times++;
        copy(s->key, sizeof s->key, key);
        s->row = *row;
        return false;
    }
    if (s) {
        if (++s->times <= same)
            return false;
        s->folded++;
        s->row = *row;
        return true;
    }
    s = &window[oldest];
    oldest = (oldest + 1) % WINDOW;
    unfold(s->who);
    *s = (struct seen){ .row = *row, .who = who, .times = 1 };
    copy(s->key, sizeof s->key, key);
    return false;
}

void row_end(struct row *row)
{
    struct process *who = row->who ? row->who : &memory;

    if (who->hidden)
        return;
    row->column = column_of(who);
    row->by = row->by ? row->by : row->who;
    row->seq = row->by ? row->by->seq : 0;
    row->ends = row->kind == ROW_EVENT && who->state == ENDING;
    for (int i = 0; i < row->arrows; i++) {
        struct arrow *arrow = &row->arrow[i];

        arrow->from = column_of(arrow->tie.from);
        arrow->to = row->column;
        arrow->from_row = row_of(arrow->tie.from, arrow->tie.seq);
    }
    if (folded(row)) {
        drawn(who)->row = numbered;
        return;
    }
    unfold_before(who);
    lanes_now(row);
    paint(row);
}

void say(const char *format, ...)
{
    char *text;
    va_list list;

    va_start(list, format);
    if (vasprintf(&text, format, list) == -1)
        err(1, "vasprintf");
    va_end(list);
    release(true);
    painter->text(text);
    free(text);
}
