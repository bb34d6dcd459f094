/*
 * message.c - what one process has sent and no other has received yet
 */
#include "world.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct tie ties[MAX_TIES];
int tied;

void message_remove(struct object *o, struct message *m)
{
    struct message **at = &o->first, *before = NULL;

    while (*at && *at != m) {
        before = *at;
        at = &(*at)->next;
    }
    if (!*at)
        return;
    *at = m->next;
    if (o->last == m)
        o->last = before;
    passed_close(m);
    if (m->done)
        free(m);
    else
        m->gone = true; /* its sender is still in the call, and frees it */
}

struct message *send_message(struct process *p, struct object *to,
                             const struct data *data, long size, long rank)
{
    struct message *m = zeros(1, sizeof *m);

    if (p->sending) /* how that ended, was not said */
        sent(p, p->sending->size);
    if (size < 0 || size > 0x7ffff000) /* no write is longer */
        size = size < 0 ? 0 : 0x7ffff000;
    *m = (struct message){
        .from = p, .size = size, .left = size, .rank = rank, .seq = now
    };
    if (data)
        m->data = *data;
    if (m->data.known > size)
        m->data.known = (int)size;
    if (to->last)
        to->last->next = m;
    else
        to->first = m;
    to->last = m;
    to->queued += size;
    p->sending = m;
    p->sent_to = to;
    p->target = to;
    return m;
}

/* The call returns: only now is it known how much was taken. */
void sent(struct process *p, long n)
{
    struct message *m = p->sending;
    long missing;

    p->sending = NULL;
    if (!m)
        return;
    m->done = now;
    missing = m->size - (n < 0 ? 0 : n);
    if (missing > 0) {
        m->left -= missing < m->left ? missing : m->left;
        if (!m->gone)
            p->sent_to->queued -= missing;
    }
    if (m->gone)
        free(m);
    else if (m->left == 0 && m->size > 0)
        message_remove(p->sent_to, m);
}

static bool fits(const struct message *m, const char *bytes, int known)
{
    long skipped = m->size - m->left;
    int n = m->data.known - (int)skipped;

    if (skipped >= m->data.known)
        return true; /* we do not know the bytes so far in */
    if (n > known)
        n = known;
    return memcmp(m->data.bytes + skipped, bytes, (size_t)n) == 0;
}

static struct message got; /* what receive gives out */

/*
 * n bytes have come. From a pipe or a stream (whole = false) as many messages
 * as they are made of; else one message, of that rank if rank is not -1.
 * Where two were being written at once, their content decides; if it does
 * not, the arrow is unsure.
 */
struct message *receive(struct process *p, struct object *from,
                        const struct data *data, long n, bool whole,
                        long rank)
{
    int known = data ? data->known : 0, at = 0;

    got = (struct message){ 0 };
    if (n < 0)
        return NULL;
    if (known > n && !whole)
        known = (int)n;
    do {
        struct message *m = NULL;
        struct process *others = NULL;
        long taken;
        int matches = 0;

        for (struct message *c = from->first; c; c = c->next) {
            if (c->left <= 0 && c->size > 0)
                continue;
            /* Only what was begun before the first was finished can have
               overtaken it. */
            if (!whole && from->first->done && c->seq > from->first->done)
                break;
            if (rank != -1 && c->rank != rank)
                continue;
            if (known && !fits(c, data->bytes + at, known - at))
                continue;
            if (!m)
                m = c;
            else if (c->from != m->from)
                others = c->from;
            matches++;
            if (whole && rank == -1 && c->done)
                break;
        }
        if (!m)
            m = from->first;
        if (!m)
            return got.from ? &got : NULL;
        taken = whole || m->left < n ? m->left : n;
        if (taken < 0)
            taken = 0;
        passed_close(&got);
        got = *m;
        m->files = 0; /* they are the receiver's now */
        tie(p, BYTES, m->from, m->seq, others && matches > 1,
            whole && from->kind == EVENT ? "value" : "%ld byte%s", taken,
            taken == 1 ? "" : "s");
        from->queued -= taken;
        m->left -= taken;
        n -= taken;
        at += (int)(taken < known - at ? taken : known - at);
        if (m->left <= 0)
            message_remove(from, m);
    } while (n > 0 && !whole);
    return &got;
}

/* What has been sent before it was known to whom. */
void messages_move(struct object *from, struct object *to)
{
    if (!from->first || to->first)
        return;
    to->first = from->first;
    to->last = from->last;
    to->queued = from->queued;
    from->first = from->last = NULL;
    from->queued = 0;
    for (struct process *p = processes; p; p = p->next)
        if (p->sent_to == from)
            p->sent_to = to;
}

/*
 * The signal has come: of which call, -1 if that is not known. Until then
 * all that were sent were one, unless it is a real-time signal.
 */
long signal_came(struct process *p, struct process *from, int number)
{
    struct object *signals = &p->leader->signals;
    long seq = -1;

    for (struct message *m = signals->first, *next; m; m = next) {
        next = m->next;
        if (m->rank != number || (seq == -1 && m->from != from) ||
            (seq != -1 && number > 31))
            continue;
        if (seq == -1)
            seq = m->seq;
        message_remove(signals, m);
    }
    return seq;
}

void received(void)
{
    passed_close(&got);
}

/* ---- what comes from another process ---------------------------------- */

void tie(const struct process *to, enum tie_kind kind, struct process *from,
         long seq, bool unsure, const char *format, ...)
{
    char text[sizeof ties[0].text];
    va_list list;

    if (!from || from == to || from->hidden)
        return;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    for (int i = 0; i < tied; i++)
        if (ties[i].from == from && kind == BYTES && ties[i].kind == BYTES) {
            /* several writes, read as one */
            snprintf(ties[i].text, sizeof text, "%ld bytes",
                     strtol(ties[i].text, NULL, 10) + strtol(text, NULL, 10));
            return;
        }
    if (tied == MAX_TIES)
        return;
    ties[tied] = (struct tie){ .kind = kind, .from = from, .seq = seq };
    copy(ties[tied].text, sizeof text, text);
    append(ties[tied++].text, sizeof text, "%s", unsure ? " ?" : "");
}
