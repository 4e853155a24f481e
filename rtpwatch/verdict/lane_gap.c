/*
 * Did media that arrives stop in mid call and come back? A sender that pauses (mute, silence suppression) goes on with the next sequence
 * number; what was lost on the way leaves a hole in them as long as the silence (RFC 3550 §5.1). Only the hole is worth a warning.
 */
#include <stdlib.h>

#include "verdict/lane_private.h"

#define GAP_NS  SECONDS(3)
#define WARN_NS SECONDS(5)
enum {
    RECORDS = 128,
    STEADY = 50, /* packets without a pause: one second of voice */
};

static int by_first(const void *a, const void *b)
{
    const struct stream *x = *(const struct stream *const *)a, *y = *(const struct stream *const *)b;

    if (x->packets.first.ns != y->packets.first.ns)
        return (x->packets.first.ns > y->packets.first.ns) - (x->packets.first.ns < y->packets.first.ns);
    return (x->packets.first.frame > y->packets.first.frame) - (x->packets.first.frame < y->packets.first.frame);
}

/* What arrives at the receiver's home socket within the span, whoever sends it. */
static size_t gather(const struct lane *l, const struct stream **out)
{
    const struct track *t = l->s->v->t;
    struct flows w = flows_at(l->s, l->to, &l->s->side[l->to].home, false);
    const struct stream *s;
    const struct flow *f;
    size_t n = 0;

    while ((f = flows_next(&w)) != NULL)
        for (uint32_t j = f->streams; n < RECORDS && (s = track_stream_at(t, j)) != NULL; j = s->next)
            if (s->believed && s->packets.first.ns >= l->s->when.from_ns && s->packets.first.ns < l->s->when.to_ns &&
                scene_owns(l->s, s))
                out[n++] = s;
    qsort(out, n, sizeof(const struct stream *), by_first);
    return n;
}

/* A stream that suppresses silence pauses often: its pauses mean nothing. */
static bool steady(const struct stream *s)
{
    return s->packets.n >= STEADY && s->noise == 0 && s->longest_gap_ns < NS_PER_S;
}

/* How many packets are missing between two records of one stream; 0 where that cannot be known. */
static unsigned missing(const struct stream *before, const struct stream *after)
{
    uint16_t ahead = (uint16_t)(after->base_seq - before->max_seq);

    return before->ssrc == after->ssrc && ahead > 0 && ahead < 0x8000 ? ahead - 1u : 0;
}

/* Is that about as much as the stream would have sent in that time? */
static bool lost_on_the_way(const struct stream *before, const struct stream *after, unsigned lost)
{
    int64_t each = (before->packets.last.ns - before->packets.first.ns) / (int64_t)(before->packets.n - 1);

    return each > 0 && (int64_t)lost * 2 >= (after->packets.first.ns - before->packets.last.ns) / each;
}

static void tell(const struct lane *l, const struct stream *before, const struct stream *after, struct session_finding *f)
{
    const char *who = party_name(l->s->call, l->from, f);
    double gap = (double)(after->packets.first.ns - before->packets.last.ns) / NS_PER_S;
    unsigned lost = missing(before, after);
    struct strbuf b = { 0 };

    if (f->brief) {
        warn_add(f, "interrupted", POOL_NONE, "");
        return;
    }
    strbuf_fmt(
        &b,
        "Media of %s did not arrive for %.1f s, from %.1f s to %.1f s after the beginning, and came back; %u packets were lost.",
        who, gap, (double)(before->packets.last.ns - l->s->call->started.ns) / NS_PER_S,
        (double)(after->packets.first.ns - l->s->call->started.ns) / NS_PER_S, lost);
    warn_add(f, "interrupted", POOL_NONE, text_keep(f, &b));
    evidence_add(f, before->packets.last, "media", "The last packet of %s before a silence of %.1f s.", who, gap);
    evidence_add(f, after->packets.first, "media", "Media of %s is back; by its sequence numbers %u packets were lost.", who,
                 lost);
}

void lane_gap(const struct lane *l, struct direction_finding *out, struct session_finding *f)
{
    const struct stream *s[RECORDS], *before = NULL, *after = NULL, *latest;
    size_t n = l->s->side[l->to].local ? gather(l, s) : 0;
    int64_t longest = GAP_NS, gap;

    latest = n ? s[0] : NULL;
    for (size_t i = 1; i < n; i++) {
        gap = s[i]->packets.first.ns - latest->packets.last.ns;
        if (gap >= longest && steady(latest) && s[i]->noise == 0) {
            longest = gap;
            before = latest;
            after = s[i];
        }
        if (s[i]->packets.last.ns > latest->packets.last.ns)
            latest = s[i];
    }
    if (!before || out->stopped.frame)
        return;
    out->stopped = before->packets.last;
    out->resumed = after->packets.first;
    if (longest >= WARN_NS && !l->s->v->options.dropped && lost_on_the_way(before, after, missing(before, after)))
        tell(l, before, after, f);
}
