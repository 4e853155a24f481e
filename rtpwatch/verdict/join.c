#include "verdict/join.h"

#include "verdict/verdict_private.h"

static const char *keep(struct session_finding *into, const char *text)
{
    return arena_str(&into->arena, span_str(text));
}

/* ---- directions ---- */

static const struct direction_finding *find(const struct session_finding *f, const struct direction_finding *like, bool swapped)
{
    for (size_t i = 0; i < f->directions_n; i++) {
        const struct direction_finding *d = &f->direction[i];

        if (d->media == like->media && (d->from == like->from) != swapped)
            return d;
    }
    return NULL;
}

static void cause_take(struct direction_finding *into, const struct direction_finding *d)
{
    bool better = d->cause == CAUSE_BAD_CANDIDATE && (into->cause != CAUSE_BAD_CANDIDATE || into->server == POOL_NONE);

    if (d->cause != CAUSE_NONE &&
        (into->cause == CAUSE_NONE || into->cause == CAUSE_UNKNOWN || into->cause == CAUSE_MUTED || better)) {
        into->cause = d->cause;
        into->confidence = d->confidence;
        into->server = d->server;
    }
}

/* Sent here, and seen not to arrive there. */
static void lost_between(struct direction_finding *at, const struct direction_finding *sent, const struct direction_finding *got)
{
    at->verdict = DIR_NOT_RECEIVED;
    at->why = got->received ? "part of what was sent did not arrive at the other vantage"
                            : "sent at one vantage, and nothing of it arrived at the other";
    at->stopped = got->stopped;
    cause_take(at, sent);
    cause_take(at, got);
    if (at->cause == CAUSE_NONE || at->cause == CAUSE_UNKNOWN || at->cause == CAUSE_MUTED || at->cause == CAUSE_PEER_GONE) {
        at->cause = CAUSE_PATH_BLOCKED;
        at->confidence = CONFIDENCE_PROVEN;
        at->server = POOL_NONE;
    }
}

/* `sent`: as the sender's vantage says; `got`: as the receiver's does. */
static void direction_weigh(struct direction_finding *at, const struct direction_finding *sent,
                            const struct direction_finding *got)
{
    uint64_t missing = sent->sent > got->received ? sent->sent - got->received : 0;

    at->cause = CAUSE_NONE;
    at->confidence = CONFIDENCE_NONE;
    at->server = POOL_NONE;
    at->stopped = (struct seen){ 0 };
    if (got->verdict == DIR_RECEIVED && !(sent->verdict == DIR_NOT_RECEIVED && missing * 4 > sent->sent)) {
        at->verdict = DIR_RECEIVED;
        at->why = got->why;
        at->weak = false;
    } else if (sent->sent && (got->verdict == DIR_NOT_RECEIVED || got->verdict == DIR_NOT_SENT || got->verdict == DIR_RECEIVED)) {
        lost_between(at, sent, got);
    } else {
        const struct direction_finding *of = sent->verdict == DIR_UNKNOWN || sent->verdict == DIR_NOT_EXPECTED ? got : sent;

        at->verdict = of->verdict;
        at->why = of->why;
        cause_take(at, sent);
        cause_take(at, got);
    }
}

static void direction_join(struct session_finding *into, struct direction_finding *d, const struct direction_finding *more)
{
    struct direction_finding one = *d;
    bool sent_there = more->sent_seen && !d->sent_seen, got_there = more->received_seen && !d->received_seen;
    const struct direction_finding *sent = sent_there ? more : &one, *got = got_there ? more : &one;

    d->expected |= more->expected;
    if (sent_there) {
        d->sent = more->sent;
        d->sent_seen = true;
        d->sent_to_n = more->sent_to_n;
        memcpy(d->sent_to, more->sent_to, sizeof d->sent_to);
    }
    if (got_there) {
        d->received = more->received;
        d->received_seen = true;
        d->received_from_n = more->received_from_n;
        memcpy(d->received_from, more->received_from, sizeof d->received_from);
        d->has_quality = more->has_quality;
        d->loss_percent = more->loss_percent;
        d->jitter_ms = more->jitter_ms;
        d->quality = more->quality;
        d->mos = more->mos;
        d->mos_assumed = more->mos > 0 ? keep(into, more->mos_assumed) : NULL;
    }
    if (d->verdict == DIR_NOT_EXPECTED && more->verdict == DIR_NOT_EXPECTED)
        return;
    if (d->sent_seen && d->received_seen && sent != got) {
        direction_weigh(d, sent, got);
    } else if (d->verdict == DIR_UNKNOWN || (d->verdict == DIR_NOT_EXPECTED && more->verdict != DIR_UNKNOWN)) {
        d->verdict = more->verdict;
        d->why = more->why;
        cause_take(d, more);
    }
}

/* ---- the rest ---- */

static void candidates_join(struct session_finding *into, const struct session_finding *more, bool swapped)
{
    for (size_t i = 0; i < more->candidates_n; i++) {
        const struct candidate_finding *c = &more->candidate[i];
        enum party p = swapped ? other_party(c->party) : c->party;
        struct candidate_finding *same = NULL;

        for (size_t j = 0; j < into->candidates_n && !same; j++) {
            struct candidate_finding *o = &into->candidate[j];

            if (o->party == p && o->media == c->media && o->component == c->component && addr_eq(&o->addr, &c->addr) &&
                strcmp(o->type, c->type) == 0)
                same = o;
        }
        if (!same) {
            if (into->candidates_n == CANDIDATES_KEPT)
                continue;
            same = &into->candidate[into->candidates_n++];
            *same = *c;
            same->party = p;
            same->host = keep(into, c->host);
            continue;
        }
        if (same->server == POOL_NONE) {
            same->server = c->server;
            same->base = c->has_base ? c->base : same->base;
            same->has_base |= c->has_base;
        }
        same->wrong |= c->wrong;
        same->checks_sent = c->checks_sent > same->checks_sent ? c->checks_sent : same->checks_sent;
        same->checks_answered = c->checks_answered > same->checks_answered ? c->checks_answered : same->checks_answered;
        same->rtp_packets = c->rtp_packets > same->rtp_packets ? c->rtp_packets : same->rtp_packets;
        same->status = c->status > same->status ? c->status : same->status;
    }
}

static void evidence_join(struct session_finding *into, const struct session_finding *more)
{
    for (size_t i = 0; i < more->evidence_n; i++)
        if (more->evidence[i].at.frame)
            evidence_add(into, more->evidence[i].at, more->evidence[i].kind, "%s", more->evidence[i].text);
    evidence_sort(into);
}

static void warnings_join(struct session_finding *into, const struct session_finding *more)
{
    for (size_t i = 0; i < more->warnings_n; i++)
        warn_add(into, more->warning[i].kind, more->warning[i].server, keep(into, more->warning[i].text));
}

/*
 * The stream that left the socket in question arrived at the other vantage from another IP than the STUN server had named: the
 * socket's own packets contradict it (SPEC §3), unless both IPs may belong to one NAT.
 */
static void prove(struct session_finding *f)
{
    const struct candidate_finding *wrong = NULL;

    if (f->cause != CAUSE_BAD_CANDIDATE || f->server == POOL_NONE || f->confidence != CONFIDENCE_LIKELY)
        return;
    for (size_t i = 0; i < f->candidates_n; i++)
        if (f->candidate[i].wrong && f->candidate[i].server == f->server && f->candidate[i].component == 1)
            wrong = &f->candidate[i];
    for (size_t i = 0; wrong && i < f->directions_n; i++) {
        const struct direction_finding *d = &f->direction[i];
        const struct addr *from = d->received_from_n ? &d->received_from[0].addr : NULL;

        if (d->from != wrong->party || !d->sent_seen || !d->received_seen || !from || addr_is_unroutable(from))
            continue;
        if (addr_ip_eq(from, &wrong->addr) || addr_same_site(from, &wrong->addr))
            continue;
        f->confidence = CONFIDENCE_PROVEN;
        evidence_add(f, d->received_from[0].first, "media", "At the other vantage the packets of that socket arrive from %s.",
                     addr_keep(f, from));
        evidence_sort(f);
    }
}

/* What one vantage could not know and the other tells. */
static void notes_drop(struct session_finding *f)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->evidence_n; i++)
        if (f->evidence[i].at.frame || strcmp(f->evidence[i].kind, "note") != 0)
            f->evidence[kept++] = f->evidence[i];
    f->evidence_n = kept;
}

static bool is_base(const struct session_finding *f)
{
    return f->call->answered.frame && f->directions_n;
}

void findings_join(struct session_finding *into, const struct session_finding *more)
{
    bool swapped = into->call->kind == SESSION_ICE && strcmp(into->call->sdps->media->ufrag, more->call->sdps->media->ufrag) != 0;

    warnings_join(into, more);
    if (!is_base(more)) { /* the other vantage saw no answer: it has nothing to say of the media */
        evidence_join(into, more);
        return;
    }
    if (!is_base(into)) {
        into->call = more->call;
        into->directions_n = 0;
    }
    for (size_t i = 0; i < more->directions_n; i++) {
        const struct direction_finding *m = &more->direction[i];
        const struct direction_finding *have = find(into, m, swapped);

        if (have) {
            direction_join(into, &into->direction[have - into->direction], m);
        } else if (into->directions_n < DIRECTIONS_KEPT) {
            struct direction_finding *d = &into->direction[into->directions_n++];

            *d = *m;
            d->why = keep(into, m->why);
            d->mos_assumed = m->mos > 0 ? keep(into, m->mos_assumed) : NULL;
            if (swapped) {
                d->from = other_party(d->from);
                d->to = other_party(d->to);
            }
        }
    }
    candidates_join(into, more, swapped);
    evidence_join(into, more);
    if (into->verdict == VERDICT_SETUP_FAILED && more->verdict == VERDICT_SETUP_FAILED) {
        if (more->cause == CAUSE_BAD_CANDIDATE &&
            (into->cause != CAUSE_BAD_CANDIDATE || into->server == POOL_NONE || more->confidence > into->confidence)) {
            into->cause = more->cause;
            into->confidence = more->confidence;
            into->server = more->server;
        } else if (into->cause == CAUSE_UNKNOWN || into->cause == CAUSE_PATH_BLOCKED) {
            into->cause = more->cause;
            into->confidence = more->confidence;
            into->server = more->server;
        }
        return;
    }
    session_from_directions(into);
    if (into->server != POOL_NONE)
        notes_drop(into);
    prove(into);
}
