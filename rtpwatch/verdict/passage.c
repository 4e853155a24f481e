#include "verdict/passage.h"

#include <stdlib.h>

#include "verdict/verdict_private.h"

#define SLACK_NS SECONDS(2) /* what the clocks may still differ by, and the way's delay */

enum {
    ROWS = 2 /* streams told of each direction */,
    PACKETS_LEAST = 10,
    NAMESAKES = 256 /* more streams of one SSRC mean nothing */
};

/* One stream as it leaves its sender, or as it is seen elsewhere. Times are by the report's clock. */
struct row {
    uint32_t ssrc;
    uint8_t pt;
    struct addr from, to;
    uint64_t packets;
    struct seen first, last;
};

struct work {
    const struct passage_place *place;
    size_t places;
    struct session_finding *f;
    bool settled; /* a direction was open, and is no more */
};

/* ---- by SSRC ---- */

static int by_ssrc(const void *a, const void *b)
{
    const struct ssrc_entry *x = a, *y = b;

    if (x->ssrc != y->ssrc)
        return (x->ssrc > y->ssrc) - (x->ssrc < y->ssrc);
    return (x->stream > y->stream) - (x->stream < y->stream);
}

bool ssrc_index_make(struct ssrc_index *x, const struct track *t)
{
    *x = (struct ssrc_index){ .v = calloc(t->streams.used + 1u, sizeof *x->v) };
    if (!x->v)
        return false;
    for (uint32_t i = 0; i < t->streams.used; i++)
        if (track_stream_at(t, i)->believed)
            x->v[x->n++] = (struct ssrc_entry){ track_stream_at(t, i)->ssrc, i };
    qsort(x->v, x->n, sizeof *x->v, by_ssrc);
    return true;
}

void ssrc_index_done(struct ssrc_index *x)
{
    free(x->v);
    *x = (struct ssrc_index){ 0 };
}

/* The first entry of that SSRC, or where it would stand. */
static uint32_t index_find(const struct ssrc_index *x, uint32_t ssrc)
{
    uint32_t low = 0, high = x->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (x->v[middle].ssrc < ssrc)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- looking at one place ---- */

static void row_take(struct row *into, const struct flow *f, const struct stream *s, int64_t clock_ns)
{
    struct seen first = s->packets.first, last = s->packets.last;

    first.ns -= clock_ns;
    last.ns -= clock_ns;
    if (!into->packets || first.ns < into->first.ns) {
        into->first = first;
        into->from = f->src;
        into->to = f->dst;
    }
    if (!into->packets || last.ns > into->last.ns)
        into->last = last;
    into->packets += s->packets.n;
}

/* Were they there at the same time, as far as the clocks can be trusted? */
static bool overlaps(const struct row *left, const struct stream *s, int64_t clock_ns)
{
    return s->packets.first.ns - clock_ns <= left->last.ns + SLACK_NS &&
           s->packets.last.ns - clock_ns >= left->first.ns - SLACK_NS;
}

static bool same_stream(const struct row *left, const struct stream *s, int64_t clock_ns)
{
    return s->believed && s->ssrc == left->ssrc && s->pt == left->pt && overlaps(left, s, clock_ns);
}

/* What of it comes to that address there. */
static void look_at_address(const struct passage_place *p, const struct addr *dst, const struct row *left, struct row *out)
{
    const struct track *t = p->view->t;
    const struct socket *k = track_find_socket(t, dst);
    const struct flow *f;
    const struct stream *s;

    for (uint32_t i = k ? k->flows_in : POOL_NONE; (f = track_flow_at(t, i)) != NULL; i = f->next_in)
        for (uint32_t j = f->streams; (s = track_stream_at(t, j)) != NULL; j = s->next)
            if (same_stream(left, s, p->clock_ns))
                row_take(out, f, s, p->clock_ns);
}

/* What of it arrives at any host of that place; false where two sockets receive such a stream, and which is meant is not known. */
static bool look_everywhere(const struct passage_place *p, const struct row *left, struct row *out)
{
    const struct track *t = p->view->t;
    uint32_t from = index_find(p->index, left->ssrc);

    for (uint32_t i = from; i < p->index->n && p->index->v[i].ssrc == left->ssrc; i++) {
        const struct stream *s = track_stream_at(t, p->index->v[i].stream);
        const struct flow *f = same_stream(left, s, p->clock_ns) ? track_flow_at(t, s->flow) : NULL;

        if (i - from >= NAMESAKES)
            return false;
        if (!f || !view_is_local(p->view, &f->dst) || view_is_local(p->view, &f->src))
            continue;
        if (out->packets && !addr_eq(&out->to, &f->dst))
            return false;
        row_take(out, f, s, p->clock_ns);
    }
    return out->packets > 0;
}

/* ---- what left ---- */

static struct row *row_of(struct row *rows, size_t *n, const struct flow *f, const struct stream *s)
{
    for (size_t i = 0; i < *n; i++)
        if (rows[i].ssrc == s->ssrc && rows[i].pt == s->pt && addr_eq(&rows[i].to, &f->dst))
            return &rows[i];
    if (*n == ROWS)
        return NULL;
    rows[*n] = (struct row){ .ssrc = s->ssrc, .pt = s->pt };
    return &rows[(*n)++];
}

/* The streams of the call that left the sender's socket, the oldest first. */
static size_t rows_left(const struct work *w, const struct direction_finding *d, struct row rows[ROWS])
{
    const struct passage_place *p = &w->place[d->sent_at];
    const struct track *t = p->view->t;
    int64_t end = w->f->ended.frame ? w->f->ended.ns : INT64_MAX;
    size_t n = 0;

    for (size_t i = 0; i < d->sent_to_n; i++) {
        const struct flow *f = track_find_flow(t, &d->sent_from, &d->sent_to[i].addr);
        const struct stream *s;

        for (uint32_t j = f ? f->streams : POOL_NONE; (s = track_stream_at(t, j)) != NULL; j = s->next) {
            int64_t first = s->packets.first.ns - p->clock_ns;
            struct row *r = s->believed && first >= w->f->started.ns && first <= end ? row_of(rows, &n, f, s) : NULL;

            if (r)
                row_take(r, f, s, p->clock_ns);
        }
    }
    return n;
}

/* ---- telling ---- */

static const char *name_keep(const struct work *w, size_t place)
{
    struct strbuf b = { 0 };

    strbuf_safe(&b, span_str(w->place[place].name), 64);
    return text_keep(w->f, &b);
}

static void put_left(const struct work *w, const struct direction_finding *d, const struct row *left, struct strbuf *b)
{
    char from[ADDR_TEXT], to[ADDR_TEXT];

    strbuf_fmt(b, "%llu packet%s of SSRC 0x%08x left %s for %s (%s); ", (unsigned long long)left->packets,
               left->packets == 1 ? "" : "s", left->ssrc, addr_text(&left->from, from), addr_text(&left->to, to),
               name_keep(w, d->sent_at));
}

static void tell_arrival(const struct work *w, const struct direction_finding *d, const struct row *left, size_t at,
                         const struct row *got)
{
    char from[ADDR_TEXT], to[ADDR_TEXT];
    struct strbuf b = { 0 };

    if (w->f->brief)
        return;
    put_left(w, d, left, &b);
    if (got->packets)
        strbuf_fmt(&b, "%llu arrived at %s from %s (%s).", (unsigned long long)got->packets, addr_text(&got->to, to),
                   addr_text(&got->from, from), name_keep(w, at));
    else
        strbuf_fmt(&b, "none arrived at %s.", name_keep(w, at));
    evidence_add(w->f, left->first, "passage", "%s", strbuf_str(&b));
    strbuf_done(&b);
}

/* On the way: a place between the two, where the packets still have the address that they were sent to. */
static void tell_passing(const struct work *w, const struct direction_finding *d, const struct row *left, size_t at, bool arrived)
{
    char from[ADDR_TEXT], to[ADDR_TEXT];
    struct row seen = { 0 };
    struct strbuf b = { 0 };

    if (w->f->brief)
        return;
    look_at_address(&w->place[at], &left->to, left, &seen);
    if (seen.packets) {
        strbuf_fmt(&b, "%llu packet%s of SSRC 0x%08x passed %s, from %s to %s", (unsigned long long)seen.packets,
                   seen.packets == 1 ? "" : "s", left->ssrc, name_keep(w, at), addr_text(&seen.from, from),
                   addr_text(&seen.to, to));
        if (!arrived && d->received_seen)
            strbuf_fmt(&b, ", and did not arrive at %s", name_keep(w, d->received_at));
        strbuf_add(&b, ".");
        evidence_add(w->f, seen.first, "passage", "%s", strbuf_str(&b));
    } else if (!arrived && w->place[at].has_session) {
        put_left(w, d, left, &b);
        strbuf_fmt(&b, "none is seen to pass %s.", name_keep(w, at));
        evidence_add(w->f, left->first, "passage", "%s", strbuf_str(&b));
    }
    strbuf_done(&b);
}

/* ---- a call by another name at the receiver's ---- */

/* It arrives where the call is not known by its Call-ID: a B2BUA between the two gave it another, and left the media alone. */
static void settle(struct work *w, struct direction_finding *d, const struct row *left, size_t at, const struct row *got)
{
    if (d->verdict != DIR_UNKNOWN && !(d->verdict == DIR_RECEIVED && d->weak))
        return;
    if (got->packets * 4 < left->packets * 3)
        return;
    d->verdict = DIR_RECEIVED;
    d->why = "packets of its SSRC arrive at another vantage";
    d->weak = false;
    d->received = got->packets;
    d->received_seen = true;
    d->received_at = at;
    d->received_from[0] = (struct place){ got->from, got->packets, got->first };
    d->received_from_n = 1;
    w->settled = true;
}

static bool tell_elsewhere(struct work *w, struct direction_finding *d, const struct row *left, bool settled)
{
    bool told = false;

    for (size_t k = 0; k < w->places && !told; k++) {
        struct row got = { 0 };

        if (k == d->sent_at || w->place[k].has_session || !look_everywhere(&w->place[k], left, &got))
            continue;
        tell_arrival(w, d, left, k, &got);
        if (!settled)
            settle(w, d, left, k, &got);
        told = true;
    }
    return told;
}

/* ---- one direction ---- */

static void direction_tell(struct work *w, struct direction_finding *d)
{
    struct row rows[ROWS];
    size_t n = rows_left(w, d, rows);
    bool two_places = d->received_seen && d->received_at != d->sent_at;

    for (size_t i = 0; i < n; i++) {
        struct row got = { 0 };
        bool arrived;

        if (rows[i].packets < PACKETS_LEAST)
            continue;
        if (two_places)
            look_at_address(&w->place[d->received_at], &d->awaited_at, &rows[i], &got);
        arrived = got.packets > 0;
        if (two_places && (arrived || d->verdict == DIR_NOT_RECEIVED))
            tell_arrival(w, d, &rows[i], d->received_at, &got);
        else if (!d->received_seen || d->received_at != d->sent_at)
            arrived |= tell_elsewhere(w, d, &rows[i], i > 0);
        for (size_t k = 0; k < w->places; k++)
            if (k != d->sent_at && !(two_places && k == d->received_at) && d->verdict == DIR_NOT_RECEIVED)
                tell_passing(w, d, &rows[i], k, arrived);
    }
}

void passage_tell(const struct passage_place *place, size_t n, struct session_finding *f)
{
    struct work w = { .place = place, .places = n, .f = f };

    for (size_t i = 0; i < f->directions_n; i++)
        if (f->direction[i].sent_seen && f->direction[i].sent)
            direction_tell(&w, &f->direction[i]);
    evidence_sort(f);
    if (w.settled && f->verdict == VERDICT_UNKNOWN)
        session_from_directions(f);
}
