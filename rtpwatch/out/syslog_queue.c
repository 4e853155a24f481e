#include <stdlib.h>

#include "out/syslog_private.h"

enum { PLACE = sizeof(void *) }; /* in the array */

bool syslog_queue_init(struct syslog_queue *q, size_t messages, size_t bytes)
{
    *q = (struct syslog_queue){ .most = messages, .bytes_most = bytes };
    q->v = calloc(messages + 1, PLACE); /* one more: a notice always finds room */
    return q->v != NULL;
}

void syslog_queue_done(struct syslog_queue *q)
{
    for (size_t i = 0; i < q->n; i++)
        free(q->v[i]);
    free(q->v);
    *q = (struct syslog_queue){ 0 };
}

static struct syslog_entry *new_entry(struct span bytes, uint32_t sequence, uint32_t stands_for)
{
    struct syslog_entry *e = calloc(1, sizeof *e + bytes.n);

    if (!e)
        return NULL;
    e->sequence = sequence;
    e->stands_for = stands_for;
    e->n = bytes.n;
    memcpy(e->bytes, bytes.p, bytes.n);
    return e;
}

static void insert(struct syslog_queue *q, size_t at, struct syslog_entry *e)
{
    memmove(q->v + at + 1, q->v + at, (q->n - at) * PLACE);
    q->v[at] = e;
    q->n++;
    q->bytes += e->n;
}

static void remove_at(struct syslog_queue *q, size_t at)
{
    q->bytes -= q->v[at]->n;
    free(q->v[at]);
    q->n--;
    memmove(q->v + at, q->v + at + 1, (q->n - at) * PLACE);
    if (at < q->sent)
        q->sent--;
}

/* ---- losing ---- */

static void count_lost(struct syslog_queue *q, uint32_t messages, uint32_t sequence)
{
    q->untold += messages;
    q->untold_seq = sequence;
}

void syslog_queue_lose(struct syslog_queue *q, uint32_t sequence)
{
    q->lost++;
    count_lost(q, 1, sequence);
}

void syslog_queue_drop_next(struct syslog_queue *q)
{
    const struct syslog_entry *e = q->v[q->sent];

    if (e->stands_for)
        count_lost(q, e->stands_for, e->sequence); /* they were counted; now they are untold again */
    else
        syslog_queue_lose(q, e->sequence);
    remove_at(q, q->sent);
}

static bool fits(const struct syslog_queue *q, size_t n)
{
    return q->n < q->most && q->bytes + n <= q->bytes_most;
}

/* First what is held only to be sure, then the oldest that waits. What is on its way cannot be called back, and is not forgotten. */
static bool make_room(struct syslog_queue *q, size_t n)
{
    while (!fits(q, n)) {
        if (q->sent && q->v[0]->end <= q->acked)
            remove_at(q, 0);
        else if (q->sent < q->n)
            syslog_queue_drop_next(q);
        else
            return false;
    }
    return true;
}

/* ---- the way of a message ---- */

bool syslog_queue_add(struct syslog_queue *q, struct span bytes, uint32_t sequence)
{
    struct syslog_entry *e = make_room(q, bytes.n) ? new_entry(bytes, sequence, 0) : NULL;

    if (e)
        insert(q, q->n, e);
    else
        syslog_queue_lose(q, sequence);
    return e != NULL;
}

/* With the one place beyond the bound where others wait; where all is on its way, an acknowledgement must come first. */
bool syslog_queue_can_tell(const struct syslog_queue *q)
{
    return q->untold && (q->sent < q->n ? q->n <= q->most : q->n < q->most);
}

bool syslog_queue_notice(struct syslog_queue *q, struct span bytes)
{
    struct syslog_entry *e = syslog_queue_can_tell(q) ? new_entry(bytes, q->untold_seq, q->untold) : NULL;

    if (!e)
        return false;
    insert(q, q->sent, e);
    q->untold = 0;
    return true;
}

struct syslog_entry *syslog_queue_next(const struct syslog_queue *q)
{
    return q->sent < q->n ? q->v[q->sent] : NULL;
}

void syslog_queue_left(struct syslog_queue *q, int64_t now_ns, uint64_t end)
{
    struct syslog_entry *e = q->v[q->sent++];

    e->sent_ns = now_ns;
    e->end = end;
    q->left += !e->left_before && !e->stands_for;
    q->again += e->left_before;
    e->left_before = true;
}

void syslog_queue_confirm(struct syslog_queue *q, uint64_t acked, int64_t now_ns, int64_t hold_ns)
{
    q->acked = acked;
    while (q->sent && q->v[0]->end <= acked) {
        int64_t age = now_ns - q->v[0]->sent_ns;

        if (age >= 0 && age < hold_ns) /* below 0 the clock was set back */
            return;
        remove_at(q, 0);
    }
}

void syslog_queue_again(struct syslog_queue *q)
{
    q->sent = 0;
    q->acked = 0;
}
