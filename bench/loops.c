/*
 * loops.c - the timed parts: round trips, a stream of messages, an open loop
 *
 * Both processes know what message number n is: a part of the pattern. So
 * each byte of each message is compared where it arrives. The clock is read
 * once for a round trip. Nothing here prints, sleeps or allocates while the
 * time runs.
 */
#define _GNU_SOURCE
#include <err.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ipcbench.h"

enum {
    VARIANTS = 16, /* of a message, one after the other */
    PAGE = 4096,
    FINE = 1024,  /* steps in an octave of the histogram */
    EXACT = 2048, /* ns: below, each has a bin of its own */
    BINS = 32 * FINE,
    WARM_UP = 6, /* a sixth of the time that is measured */
    NEVER = -1
};

static struct board { /* what the two processes and ipcbench share */
    _Alignas(64) _Atomic uint64_t last; /* message: it has an answer */
    _Atomic uint64_t final;             /* after it there is none */
    _Atomic uint64_t began;             /* the open loop */
    _Alignas(64) uint64_t count, min, max, sum, elapsed;
    double no_clock, switches[2];
    uint32_t bin[BINS];
} * board;

struct plan plan;
const struct job *current;
static const struct mechanism *m;
static size_t size, stride;
static unsigned char *pattern, *buffer, *spare;
static uint64_t spoilt = (uint64_t)NEVER;

/* ---- messages ------------------------------------------------------- */

static const unsigned char *message(uint64_t n)
{
    return pattern + n % VARIANTS * stride;
}

/* No byte is 0, which an eventfd could not carry. */
static void make_pattern(void)
{
    size_t bytes;
    uint64_t random = 88172645463325252;

    size = m->flags & ONE_BIT ? 1 : current->size;
    stride = size < PAGE ? 64 : PAGE;
    bytes = (size + VARIANTS * stride + PAGE - 1) / PAGE * PAGE;
    pattern = aligned_alloc(PAGE, bytes);
    buffer = aligned_alloc(PAGE, (size + PAGE - 1) / PAGE * PAGE);
    spare = malloc(size);
    if (!pattern || !buffer || !spare)
        err(1, "malloc");
    for (size_t i = 0; i < bytes; i++) {
        random ^= random << 13; /* Marsaglia's xorshift */
        random ^= random >> 7;
        random ^= random << 17;
        pattern[i] = (unsigned char)(random >> 32) | 1;
        if (m->flags & ONE_BIT)
            pattern[i] &= 3;
    }
}

static void say(enum way way, uint64_t n)
{
    const unsigned char *bytes = message(n);

    if (n == spoilt && way == THERE) { /* for the tests */
        memcpy(spare, bytes, size);
        spare[16 % size] ^= 2;
        bytes = spare;
    }
    m->send(way, bytes, size);
}

static _Noreturn void wrong(uint64_t n)
{
    const unsigned char *expected = message(n);
    size_t i = 0;

    while (buffer[i] == expected[i])
        i++;
    errx(1, "byte %zu of message %" PRIu64 " is wrong", i + 1, n + 1);
}

static void hear(enum way way, uint64_t n)
{
    m->receive(way, buffer, size);
    if (memcmp(buffer, message(n), size) != 0)
        wrong(n);
}

/* ---- what is noted -------------------------------------------------- */

/* Exact below 2,048 ns, above to a thousandth. */
static unsigned bin_of(uint64_t ns)
{
    unsigned octave = 0;

    if (ns >= EXACT)
        octave = 53 - (unsigned)__builtin_clzll(ns);
    if (octave > 30)
        return BINS - 1;
    return octave * FINE + (unsigned)(ns >> octave);
}

static double ns_of(unsigned bin)
{
    unsigned octave = bin < EXACT ? 0 : bin / FINE - 1;

    return (double)((uint64_t)(bin - octave * FINE) << octave);
}

static void note(uint64_t ns)
{
    board->bin[bin_of(ns)]++;
    board->count++;
    board->sum += ns;
    if (ns < board->min)
        board->min = ns;
    if (ns > board->max)
        board->max = ns;
}

static double switches(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_nvcsw + usage.ru_nivcsw);
}

/* ---- round trips ---------------------------------------------------- */

static void round_trip(uint64_t n)
{
    say(THERE, n);
    if (m->flags & ALONE) {
        hear(THERE, n);
        say(BACK, n);
    }
    hear(BACK, n);
}

/* Is a clock reading a good part of most round trips? */
static bool is_fast(void)
{
    uint64_t fast = 0;

    for (unsigned ns = 0; ns < 1000; ns++)
        fast += board->bin[ns];
    return 2 * fast > board->count;
}

/* So in lots as well: the clock is read once for each lot. */
static uint64_t without_clock(uint64_t n)
{
    static double lots[1000];
    uint64_t trips = MIN(board->count, 64), began;
    int count = (int)MIN(board->count / trips, 1000);

    for (int lot = 0; lot < count; lot++) {
        began = clock_ns();
        for (uint64_t i = 0; i < trips; i++)
            round_trip(n++);
        lots[lot] = (double)(clock_ns() - began) / (double)trips;
    }
    board->no_clock = middle(lots, count);
    return n;
}

static void latency_sender(void)
{
    uint64_t n = 0, left = (uint64_t)plan.count, before, now, end;
    double switched;

    end = clock_ns() + (uint64_t)plan.ms * 1000000 / WARM_UP;
    while (plan.count ? n < left / WARM_UP : clock_ns() < end)
        round_trip(n++);

    switched = switches();
    now = clock_ns();
    end = now + (uint64_t)plan.ms * 1000000;
    do {
        before = now;
        round_trip(n++);
        now = clock_ns();
        note(now - before);
    } while (plan.count ? --left > 0 : now < end);
    board->switches[SENDER] = (switches() - switched) / (double)board->count;

    if (is_fast())
        n = without_clock(n);
    atomic_store(&board->final, n);
    round_trip(n);
}

static void latency_receiver(void)
{
    uint64_t n = 0, final;

    do {
        hear(THERE, n);
        final = atomic_load(&board->final);
        say(BACK, n);
    } while (n++ != final);
    board->switches[RECEIVER] = switches() / (double)n;
}

/* ---- a stream of messages ------------------------------------------- */

/* Sends messages from n on, the last of which is acknowledged. */
static uint64_t stream(uint64_t n, uint64_t count, uint64_t ns, bool final)
{
    uint64_t first = n, end = clock_ns() + ns;
    bool last;

    do {
        /* Reading the clock takes longer than sending a short message. */
        last = count ? n - first == count - 1
                     : n % 32 == 31 && clock_ns() >= end;
        if (last) {
            atomic_store(&board->last, n);
            if (final)
                atomic_store(&board->final, n);
        }
        say(THERE, n);
        if (m->flags & ALONE)
            hear(THERE, n);
        n++;
    } while (!last);
    if (!(m->flags & ALONE))
        hear(BACK, n - 1);
    return n;
}

static void throughput_sender(void)
{
    uint64_t count = (uint64_t)plan.count, ns = (uint64_t)plan.ms * 1000000;
    uint64_t n = 0, began;
    double switched;

    if (!plan.count || count >= WARM_UP)
        n = stream(n, count / WARM_UP, ns / WARM_UP, false);
    switched = switches();
    board->count = n;
    began = clock_ns();
    n = stream(n, count, ns, true);
    board->elapsed = clock_ns() - began;
    board->count = n - board->count;
    board->switches[SENDER] = (switches() - switched) / (double)board->count;
}

static void throughput_receiver(void)
{
    uint64_t n = 0;

    for (;; n++) {
        hear(THERE, n);
        if (n != atomic_load(&board->last))
            continue;
        say(BACK, n);
        if (n == atomic_load(&board->final))
            break;
    }
    board->switches[RECEIVER] = switches() / (double)(n + 1);
}

/* ---- the open loop -------------------------------------------------- */

/*
 * When message n has to leave, whether those before it have arrived or not.
 * Its time counts from here, so a delay is counted for each message that it
 * holds up.
 */
static uint64_t due(uint64_t n)
{
    return atomic_load(&board->began) + n * 1000000000 / (uint64_t)plan.rate;
}

static uint64_t open_count(void)
{
    uint64_t count = (uint64_t)(plan.rate * plan.ms / 1000);

    if (plan.count)
        count = (uint64_t)plan.count;
    return count ? count : 1;
}

static void open_sender(void)
{
    uint64_t count = open_count(), warm = count / WARM_UP;
    double switched = switches();

    atomic_store(&board->final, warm + count - 1);
    atomic_store(&board->began, clock_ns() + 1000000);
    for (uint64_t n = 0; n < warm + count; n++) {
        while (clock_ns() < due(n))
            relax(1);
        say(THERE, n);
    }
    hear(BACK, warm + count - 1);
    board->switches[SENDER] =
        (switches() - switched) / (double)(count + warm);
}

static void open_receiver(void)
{
    uint64_t warm = open_count() / WARM_UP, n = 0, now;

    do {
        hear(THERE, n);
        now = clock_ns();
        if (n >= warm)
            note(now > due(n) ? now - due(n) : 0);
    } while (n++ != atomic_load(&board->final));
    say(BACK, n - 1);
    board->switches[RECEIVER] = switches() / (double)n;
}

/* ---- one measurement ------------------------------------------------ */

static void prepare(void)
{
    const char *name = getenv("IPCBENCH_SPOIL");

    make_pattern();
    m->open();
    if (name && strcmp(name, m->name) == 0)
        spoilt = 2;
}

/* Touched before the time runs: a first touch is a page fault. */
static void touch(void)
{
    memset(buffer, 0, size);
    memset(spare, 0, size);
    for (unsigned i = 0; i < BINS; i += PAGE / sizeof board->bin[0])
        __atomic_fetch_add(&board->bin[i], 0, __ATOMIC_RELAXED);
}

static void sender(void)
{
    touch();
    if (plan.rate)
        open_sender();
    else if (current->mode == LATENCY)
        latency_sender();
    else
        throughput_sender();
}

static void receiver(void)
{
    touch();
    if (plan.rate)
        open_receiver();
    else if (current->mode == LATENCY)
        latency_receiver();
    else
        throughput_receiver();
}

/* The time within which this part of a million messages came. */
static double percentile(uint64_t millionths)
{
    uint64_t seen = 0, want = (board->count * millionths + 999999) / 1000000;

    for (unsigned i = 0; i < BINS; i++) {
        seen += board->bin[i];
        if (seen >= want)
            return ns_of(i);
    }
    return (double)board->max;
}

static void read_board(struct figures *f)
{
    double count = (double)board->count;

    memset(f, 0, sizeof *f);
    f->messages = count;
    f->switches = board->switches[SENDER] + board->switches[RECEIVER];
    if (current->mode == THROUGHPUT) {
        f->messages_s = count * 1e9 / (double)board->elapsed;
        f->bytes_s = f->messages_s * (double)current->size;
        return;
    }
    f->min = (double)board->min;
    f->p50 = percentile(500000);
    f->p90 = percentile(900000);
    f->p99 = percentile(990000);
    f->p999 = percentile(999000);
    f->max = (double)board->max;
    f->mean = (double)board->sum / count;
    f->no_clock = board->no_clock;
}

int measure(const struct job *job, struct figures *figures)
{
    struct pair pair = { .name = job->mechanism->name,
                         .limit = plan.limit + (int)(2 * plan.ms / 1000),
                         .alone = job->mechanism->flags & ALONE,
                         .open = prepare,
                         .close = job->mechanism->close,
                         .role = { sender, receiver } };
    int status;

    if (!board)
        board = share(sizeof *board);
    memset(board, 0, sizeof *board);
    board->min = UINT64_MAX;
    atomic_store(&board->last, (uint64_t)NEVER);
    atomic_store(&board->final, (uint64_t)NEVER);
    current = job;
    m = job->mechanism;
    pair.cpu[SENDER] = job->pin == NONE ? -1 : plan.cpu[0];
    pair.cpu[RECEIVER] = job->pin == NONE   ? -1
                         : job->pin == SAME ? plan.cpu[0]
                                            : plan.cpu[1];
    status = run_pair(&pair);
    if (status == 0)
        read_board(figures);
    return status;
}

/* The least of several lots: others may run, too. */
double cost_of_clock(void)
{
    enum { LOTS = 20, READINGS = 1000 };
    double least = 1e9;

    for (int lot = 0; lot < LOTS; lot++) {
        uint64_t began = clock_ns(), now = began;

        for (int i = 0; i < READINGS; i++)
            now = clock_ns();
        least = MIN(least, (double)(now - began) / READINGS);
    }
    return least;
}
