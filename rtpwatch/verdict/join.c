#include "verdict/join.h"

#include "verdict/verdict_private.h"

static const char *keep(struct session_finding *into, const char *text)
{
    return arena_str(&into->arena, span_str(text));
}

/* ---- directions ---- */

static const struct direction_finding *find(const struct session_finding *f, const struct direction_finding *like)
{
    for (size_t i = 0; i < f->directions_n; i++) {
        const struct direction_finding *d = &f->direction[i];

        if (d->media == like->media && d->from == like->from)
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
    at->stopped = at->resumed = (struct seen){ 0 };
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
        d->sent_at = more->sent_at;
        d->sent_from = more->sent_from;
        d->sent_to_n = more->sent_to_n;
        memcpy(d->sent_to, more->sent_to, sizeof d->sent_to);
    }
    if (got_there) {
        d->received = more->received;
        d->received_seen = true;
        d->received_at = more->received_at;
        d->awaited_at = more->awaited_at;
        d->received_from_n = more->received_from_n;
        memcpy(d->received_from, more->received_from, sizeof d->received_from);
        d->has_quality = more->has_quality;
        d->loss_percent = more->loss_percent;
        if (d->verdict == DIR_RECEIVED && more->verdict == DIR_RECEIVED) {
            d->stopped = more->stopped;
            d->resumed = more->resumed;
        }
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

static void candidates_join(struct session_finding *into, const struct session_finding *more)
{
    for (size_t i = 0; i < more->candidates_n; i++) {
        const struct candidate_finding *c = &more->candidate[i];
        struct candidate_finding *same = NULL;

        for (size_t j = 0; j < into->candidates_n && !same; j++) {
            struct candidate_finding *o = &into->candidate[j];

            if (o->party == c->party && o->media == c->media && o->component == c->component && addr_eq(&o->addr, &c->addr) &&
                strcmp(o->type, c->type) == 0)
                same = o;
        }
        if (!same) {
            if (into->candidates_n == CANDIDATES_KEPT)
                continue;
            same = &into->candidate[into->candidates_n++];
            *same = *c;
            same->host = keep(into, c->host);
            continue;
        }
        if (same->server == POOL_NONE) {
            same->server = c->server;
            same->tx = c->tx;
            same->told_at = c->told_at;
            same->base = c->has_base ? c->base : same->base;
            same->has_base |= c->has_base;
        }
        same->wrong |= c->wrong;
        same->confirmed |= c->confirmed;
        same->checks_sent = c->checks_sent > same->checks_sent ? c->checks_sent : same->checks_sent;
        same->checks_answered = c->checks_answered > same->checks_answered ? c->checks_answered : same->checks_answered;
        same->rtp_packets = c->rtp_packets > same->rtp_packets ? c->rtp_packets : same->rtp_packets;
        same->status = c->status > same->status ? c->status : same->status;
    }
}

static void whereabouts_join(struct session_finding *into, const struct session_finding *more)
{
    for (enum party p = CALLER; p < PARTIES; p++) {
        if (into->here[p] || (!more->here[p] && !addr_is_none(&into->whereabouts[p])))
            continue;
        into->whereabouts[p] = more->whereabouts[p];
        into->here[p] = more->here[p];
    }
}

/* The description in that frame; NULL: it holds none of this call. */
static const struct sdp_fact *sdp_in(const struct call *c, uint64_t frame)
{
    for (const struct sdp_fact *f = c->sdps; f; f = f->next)
        if (f->at.frame == frame)
            return f;
    return NULL;
}

static bool same_description(const struct call *a, uint64_t frame_a, const struct call *b, uint64_t frame_b)
{
    const struct sdp_fact *x = sdp_in(a, frame_a), *y = sdp_in(b, frame_b);

    return x && y && x->party == y->party && x->cseq == y->cseq;
}

/* Both sentences end with one transport address. */
static bool same_address(const char *a, const char *b)
{
    const char *x = strrchr(a, ' '), *y = strrchr(b, ' ');

    return x && y && strchr(x, ':') && strcmp(x, y) == 0;
}

/* Is it what another vantage told already: the same words, or the same address in the same SIP message? */
static bool told_there(const struct session_finding *into, size_t told, const struct call *into_call,
                       const struct session_finding *more, const struct evidence *e)
{
    for (size_t i = 0; i < told; i++) {
        const struct evidence *o = &into->evidence[i];

        if (strcmp(o->kind, e->kind) != 0 || !o->at.frame)
            continue;
        if (strcmp(o->text, e->text) == 0)
            return true;
        if (strcmp(e->kind, "sdp") == 0 && same_address(o->text, e->text) &&
            same_description(into_call, o->at.frame, more->call, e->at.frame))
            return true;
    }
    return false;
}

static void evidence_join(struct session_finding *into, const struct call *into_call, const struct session_finding *more)
{
    size_t told = into->evidence_n;

    for (size_t i = 0; i < more->evidence_n; i++) {
        const struct evidence *e = &more->evidence[i];
        size_t n = into->evidence_n;

        if (!e->at.frame || told_there(into, told, into_call, more, e))
            continue;
        evidence_add(into, e->at, e->kind, "%s", e->text);
        if (e->unsent && into->evidence_n > n)
            evidence_unsent(into, e->by);
    }
    evidence_sort(into);
}

static void evidence_drop(struct session_finding *f, bool (*drop)(const struct session_finding *, const struct evidence *))
{
    size_t kept = 0;

    for (size_t i = 0; i < f->evidence_n; i++)
        if (!drop(f, &f->evidence[i]))
            f->evidence[kept++] = f->evidence[i];
    f->evidence_n = kept;
}

/* That a party sends nothing, where its own vantage sees it send. */
static bool disproved(const struct session_finding *f, const struct evidence *e)
{
    for (size_t i = 0; e->unsent && i < f->directions_n; i++)
        if (f->direction[i].from == e->by && f->direction[i].sent_seen && f->direction[i].sent)
            return true;
    return false;
}

static bool is_note(const struct session_finding *f, const struct evidence *e)
{
    (void)f;
    return !e->at.frame && strcmp(e->kind, "note") == 0;
}

void notes_drop(struct session_finding *f)
{
    evidence_drop(f, is_note);
}

/* A place that saw the handshake finish knows more than one that did not. */
static void handshakes_join(struct session_finding *into, const struct session_finding *more)
{
    if (!more->dtls.seen || into->dtls.completed || (into->dtls.seen && !more->dtls.completed))
        return;
    into->dtls = more->dtls;
}

static void warnings_join(struct session_finding *into, const struct session_finding *more)
{
    for (size_t i = 0; i < more->warnings_n; i++)
        warn_add(into, more->warning[i].kind, more->warning[i].server, keep(into, more->warning[i].text));
}

/* It comes from where it was sent to: a media relay on the way sends in its own name, and tells nothing of the sender's address. */
static bool through_relay(const struct direction_finding *d, const struct addr *from)
{
    for (size_t i = 0; i < d->sent_to_n; i++)
        if (addr_same_site(&d->sent_to[i].addr, from))
            return true;
    return false;
}

void finding_prove(struct session_finding *f)
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
        if (wrong->has_base && !addr_eq(&wrong->base, &d->sent_from))
            continue; /* another socket's packets */
        if (addr_ip_eq(from, &wrong->addr) || addr_same_site(from, &wrong->addr) || through_relay(d, from))
            continue;
        f->confidence = CONFIDENCE_PROVEN;
        evidence_add(f, d->received_from[0].first, "media", "At the other vantage the packets of that socket arrive from %s.",
                     addr_keep(f, from));
        evidence_sort(f);
    }
}

/* ---- times ---- */

void seen_shift(struct seen *s, int64_t ns)
{
    if (s->frame)
        s->ns += ns;
}

void finding_shift(struct session_finding *f, int64_t ns)
{
    seen_shift(&f->started, ns);
    seen_shift(&f->answered, ns);
    seen_shift(&f->ended, ns);
    for (size_t i = 0; i < f->evidence_n; i++)
        seen_shift(&f->evidence[i].at, ns);
    for (size_t i = 0; i < f->candidates_n; i++)
        seen_shift(&f->candidate[i].at, ns);
    for (size_t i = 0; i < f->directions_n; i++) {
        struct direction_finding *d = &f->direction[i];

        seen_shift(&d->since, ns);
        seen_shift(&d->stopped, ns);
        for (size_t k = 0; k < d->sent_to_n; k++)
            seen_shift(&d->sent_to[k].first, ns);
        for (size_t k = 0; k < d->received_from_n; k++)
            seen_shift(&d->received_from[k].first, ns);
    }
}

static void earliest(struct seen *into, const struct seen *more)
{
    if (more->frame && (!into->frame || more->ns < into->ns))
        *into = *more;
}

/* When it began is told by who saw it begin. */
static void times_join(struct session_finding *into, const struct call *into_call, const struct session_finding *more)
{
    if (into_call->seen_from_start == more->call->seen_from_start)
        earliest(&into->started, &more->started);
    else if (more->call->seen_from_start)
        into->started = more->started;
    earliest(&into->answered, &more->answered);
    earliest(&into->ended, &more->ended);
    into->state = more->state > into->state ? more->state : into->state;
}

/* ---- the whole ---- */

static void blame_take(struct session_finding *into, const struct session_finding *more)
{
    into->cause = more->cause;
    into->confidence = more->confidence;
    into->server = more->server;
}

/* ICE never connected, as both say: the better cause of the two. */
static void setup_join(struct session_finding *into, const struct session_finding *more)
{
    bool names = more->cause == CAUSE_BAD_CANDIDATE &&
                 (into->cause != CAUSE_BAD_CANDIDATE || into->server == POOL_NONE || more->confidence > into->confidence);

    if (names || into->cause == CAUSE_UNKNOWN || into->cause == CAUSE_PATH_BLOCKED)
        blame_take(into, more);
}

static void directions_join(struct session_finding *into, const struct session_finding *more)
{
    for (size_t i = 0; i < more->directions_n; i++) {
        const struct direction_finding *m = &more->direction[i], *have = find(into, m);

        if (have) {
            direction_join(into, &into->direction[have - into->direction], m);
        } else if (into->directions_n < DIRECTIONS_KEPT) {
            struct direction_finding *d = &into->direction[into->directions_n++];

            *d = *m;
            d->why = keep(into, m->why);
            d->mos_assumed = m->mos > 0 ? keep(into, m->mos_assumed) : NULL;
        }
    }
}

/* Neither party is there: what passes is seen, and what is missing may have passed elsewhere. */
static bool only_passes(const struct session_finding *f)
{
    for (size_t i = 0; i < f->directions_n; i++)
        if (f->direction[i].sent_seen || f->direction[i].received_seen)
            return false;
    return true;
}

/* A place that media passes has its say where the ends cannot tell, and where it names the server that they miss. */
static bool adds_nothing(const struct session_finding *into, const struct session_finding *more)
{
    return only_passes(more) && !only_passes(into) && into->verdict != VERDICT_UNKNOWN &&
           !(more->server != POOL_NONE && into->cause == CAUSE_BAD_CANDIDATE && into->server == POOL_NONE);
}

static bool is_base(const struct session_finding *f)
{
    return f->call->answered.frame && f->directions_n;
}

void findings_join(struct session_finding *into, const struct session_finding *more)
{
    const struct call *call = into->call;

    times_join(into, call, more);
    if (is_base(into) && is_base(more) && adds_nothing(into, more))
        return;
    warnings_join(into, more);
    if (!is_base(more)) { /* the other vantage saw no answer: it has nothing to say of the media */
        evidence_join(into, call, more);
        return;
    }
    if (!is_base(into)) {
        into->call = more->call;
        into->directions_n = 0;
    }
    directions_join(into, more);
    whereabouts_join(into, more);
    candidates_join(into, more);
    evidence_join(into, call, more);
    evidence_drop(into, disproved);
    handshakes_join(into, more);
    if (into->verdict == VERDICT_SETUP_FAILED && more->verdict == VERDICT_SETUP_FAILED) {
        setup_join(into, more);
        return;
    }
    session_from_directions(into);
    if (into->server != POOL_NONE)
        notes_drop(into);
    finding_prove(into);
}
