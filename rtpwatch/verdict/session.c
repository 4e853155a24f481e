/* One call: its agreements in time, each m-line and direction of each, and what follows for the whole. */
#include <stddef.h>

#include "verdict/verdict_private.h"

#define CONSENT_NS    SECONDS(6)
#define AT_ONCE_NS    SECONDS(1) /* hung up within that, nobody waited for media */
#define NOMINATION_NS SECONDS(5) /* a controlling agent that waits for better pairs nominates one long before that */

/* The agreements of the leg that counts: the answered one, or while none is answered the latest early one. */
static const struct agreement *next_of_leg(const struct call *c, const struct agreement *a)
{
    while (a && c->answered.frame && (a->leg != c->answered_leg || (!a->confirmed && a->since.ns >= c->answered.ns)))
        a = a->next;
    return a;
}

static bool same_place(const struct media_desc *a, const struct media_desc *b)
{
    return addr_eq(&a->addr, &b->addr) && a->dir == b->dir && a->rejected == b->rejected;
}

/* New username fragments of both begin ICE anew, and with it another span (RFC 8445 §9, RFC 8839 §4.4.1.1). */
static bool ice_restarts(const struct agreement *a, const struct agreement *b)
{
    for (enum party p = CALLER; p < PARTIES; p++)
        for (size_t i = 0; i < a->by[p]->medias && i < b->by[p]->medias; i++) {
            const char *old = a->by[p]->media[i].ufrag, *new = b->by[p]->media[i].ufrag;

            if (*old && *new &&strcmp(old, new) != 0)
                return true;
        }
    return false;
}

/* A re-INVITE that changes nothing that matters here (a session refresh, RFC 4028). */
static bool changes_nothing(const struct agreement *a, const struct agreement *b)
{
    for (enum party p = CALLER; p < PARTIES; p++) {
        if (a->by[p]->medias != b->by[p]->medias || a->by[p]->cands != b->by[p]->cands)
            return false;
        for (size_t i = 0; i < a->by[p]->medias; i++)
            if (!same_place(&a->by[p]->media[i], &b->by[p]->media[i]))
                return false;
    }
    return !ice_restarts(a, b);
}

static int64_t call_end(const struct view *v, const struct call *c)
{
    return c->ended.frame ? c->ended.ns : v->now_ns;
}

/* ---- one direction over all spans ---- */

static int severity(const struct direction_finding *d)
{
    static const int order[] = {
        [DIR_NOT_EXPECTED] = 0, [DIR_UNKNOWN] = 1, [DIR_RECEIVED] = 2, [DIR_NOT_SENT] = 3, [DIR_NOT_RECEIVED] = 4
    };

    return order[d->verdict];
}

static bool fails(const struct direction_finding *d)
{
    return d->verdict == DIR_NOT_RECEIVED || (d->verdict == DIR_NOT_SENT && d->cause != CAUSE_MUTED);
}

static void places_join(struct place *into, size_t *n, const struct place *more, size_t more_n)
{
    for (size_t i = 0; i < more_n; i++) {
        size_t j = 0;

        while (j < *n && !addr_eq(&into[j].addr, &more[i].addr))
            j++;
        if (j < *n)
            into[j].packets += more[i].packets;
        else if (*n < PLACES_KEPT)
            into[(*n)++] = more[i];
    }
}

/* What was counted in both spans; what follows from it comes with the one that speaks for the direction. */
static void counts_join(struct direction_finding *d, struct direction_finding *span)
{
    quality_join(&span->quality, &d->quality);
    places_join(d->sent_to, &d->sent_to_n, span->sent_to, span->sent_to_n);
    places_join(d->received_from, &d->received_from_n, span->received_from, span->received_from_n);
    d->quality = span->quality;
    d->sent = span->sent += d->sent;
    d->received = span->received += d->received;
    d->expected_packets = span->expected_packets += d->expected_packets;
    d->expected = span->expected |= d->expected;
}

/*
 * What a direction is over several spans: the worst of those that were long enough; but a short beginning that failed before
 * ICE or a re-INVITE mended it does not condemn the call. `ns`: how long the spans in `d` were.
 */
static void spans_join(struct direction_finding *d, int64_t ns, struct direction_finding *span, int64_t span_ns)
{
    bool both = d->verdict == DIR_RECEIVED && span->verdict == DIR_RECEIVED;
    bool mended = fails(d) && span->verdict == DIR_RECEIVED && ns < JUDGE_MIN_NS * 2 && span_ns > ns;
    bool stronger = both && d->weak && !span->weak;
    bool worse = stronger || (severity(span) > severity(d) && !(fails(span) && span_ns < JUDGE_MIN_NS));

    counts_join(d, span);
    d->heard = span->heard = d->heard || d->verdict == DIR_RECEIVED || span->verdict == DIR_RECEIVED;
    if (both && span->resumed.frame) {
        d->stopped = span->stopped;
        d->resumed = span->resumed;
    } else if (both) {
        span->stopped = d->stopped;
        span->resumed = d->resumed;
    }
    if (worse || mended)
        memcpy(d, span, offsetof(struct direction_finding, sent_to_n));
}

/* ---- spans ---- */

struct work {
    const struct view *v;
    const struct call *c;
    struct session_finding *out;
    bool settled; /* see is_settled() */
    bool ice_used, connected, rtp_seen;
    int64_t ice_ns;                     /* how long it was tried */
    int64_t judged_ns[DIRECTIONS_KEPT]; /* how long the spans of each direction were together */
    const struct scene *last;           /* of the main m-line, in the last span; NULL: there is none */
    struct ice_result ice;              /* the same; with `last` */
    struct direction_finding span;      /* of a direction that an earlier span has as well */
    struct scene scene[2], other;       /* of the main m-line in turn, and of another one */
};

static bool judged_media(enum sdp_kind k)
{
    return k == SDP_AUDIO || k == SDP_VIDEO || k == SDP_OTHER;
}

/* What a direction is in its first span. One that failed in a span too short to tell is not held against it. */
static void span_first(struct work *w, struct direction_finding *d, int64_t ns)
{
    if (fails(d) && ns < JUDGE_MIN_NS) {
        d->verdict = DIR_NOT_EXPECTED;
        d->why = "too short to tell";
        d->cause = CAUSE_NONE;
        d->confidence = CONFIDENCE_NONE;
        d->server = POOL_NONE;
        d->stopped = d->resumed = (struct seen){ 0 };
    }
    w->judged_ns[w->out->directions_n++] = ns;
}

static void direction_judge(struct work *w, const struct scene *s, const struct ice_result *ice, enum party from, int64_t ns)
{
    struct direction_finding *all = w->out->direction, *d;
    size_t i = 0, n = w->out->directions_n;

    while (i < n && !(all[i].media == s->media && all[i].from == from))
        i++;
    if (i == DIRECTIONS_KEPT)
        return;
    d = i < n ? &w->span : &all[i];
    lane_judge(s, ice, from, d, w->out);
    w->rtp_seen |= d->sent + d->received > 0;
    if (i == n) {
        span_first(w, d, ns);
    } else {
        spans_join(&all[i], w->judged_ns[i], d, ns);
        w->judged_ns[i] += ns;
    }
}

/* The main m-line's agreement says how ICE went. */
static void main_take(struct work *w, const struct scene *s, const struct ice_result *ice, int64_t ns)
{
    unsigned restarts = w->out->ice.restarts;

    w->last = s;
    w->ice = *ice;
    if (!s->ice)
        return;
    w->ice_used = true;
    w->ice_ns += ns;
    if (ice->sent[CALLER] + ice->sent[CALLEE] || !w->out->ice.used)
        w->out->ice = ice->roles;
    w->out->ice.used = true;
    w->out->ice.restarts = restarts > ice->roles.restarts ? restarts : ice->roles.restarts;
}

static void span_judge(struct work *w, const struct agreement *a, struct span_of_time when, int64_t counted_from)
{
    size_t medias = a->by[CALLER]->medias < a->by[CALLEE]->medias ? a->by[CALLER]->medias : a->by[CALLEE]->medias;
    int64_t ns = when.to_ns - counted_from;
    bool main_done = false;

    for (size_t m = 0; m < medias; m++) {
        struct scene *s = main_done ? &w->other : w->last == &w->scene[0] ? &w->scene[1] : &w->scene[0];
        struct ice_result ice;

        if (!judged_media(a->by[CALLER]->media[m].kind))
            continue;
        if (w->settled) {
            scene_outline(s, w->v, w->c, a, (uint8_t)m, when);
            candidates_list(s, w->out);
            continue;
        }
        scene_make(s, w->v, w->c, a, (uint8_t)m, when, w->last && w->last->media == m ? w->last : NULL);
        ice_judge(s, &ice);
        for (enum party from = CALLER; from < PARTIES; from++)
            direction_judge(w, s, &ice, from, ns);
        candidates_list(s, w->out);
        w->connected |= ice.connected;
        if (!main_done)
            main_take(w, s, &ice, ns);
        main_done = true;
    }
}

static void spans_judge(struct work *w)
{
    const struct call *c = w->c;
    const struct agreement *a = next_of_leg(c, c->agreements), *before = NULL;
    int64_t end = call_end(w->v, c), from = c->started.ns;

    while (a) {
        const struct agreement *next = next_of_leg(c, a->next);
        int64_t counted;

        while (next && changes_nothing(a, next))
            next = next_of_leg(c, next->next);
        if (before || a != c->agreements)
            from = a->since.ns;
        w->out->ice.restarts += before && ice_restarts(before, a);
        counted = c->answered.frame && c->answered.ns > a->since.ns ? c->answered.ns : a->since.ns;
        span_judge(w, a, until_transferred(c, (struct span_of_time){ from, next ? next->since.ns : end }), counted);
        before = a;
        a = next;
    }
}

/* ---- the whole ---- */

static void take_cause(struct session_finding *f, const struct direction_finding *d)
{
    static const int weight[CAUSES_N] = { [CAUSE_BAD_CANDIDATE] = 9,    [CAUSE_TURN_FAILED] = 8,
                                          [CAUSE_STUN_UNANSWERED] = 8,  [CAUSE_STUN_ERROR] = 8,
                                          [CAUSE_DTLS_FAILED] = 8,      [CAUSE_PRIVATE_ADDRESS] = 7,
                                          [CAUSE_PORT_UNREACHABLE] = 6, [CAUSE_UNADVERTISED_DESTINATION] = 5,
                                          [CAUSE_PEER_GONE] = 4,        [CAUSE_SYMMETRIC_NAT] = 3,
                                          [CAUSE_PATH_BLOCKED] = 2,     [CAUSE_UNKNOWN] = 1 };
    bool more = weight[d->cause] > weight[f->cause];
    bool same = weight[d->cause] == weight[f->cause] && d->cause != CAUSE_NONE;

    if (more || (same && d->server != POOL_NONE && (f->server == POOL_NONE || d->confidence > f->confidence))) {
        f->cause = d->cause;
        f->confidence = d->confidence;
        f->server = d->server;
    }
}

/* Why ICE left one party without a way. The session's own cause follows from its directions afterwards. */
static void unsent_by_ice(struct work *w, struct direction_finding *d)
{
    cause_of_setup(w->last, &w->ice, w->out);
    d->cause = w->out->cause;
    d->confidence = w->out->confidence;
    d->server = w->out->server;
    d->why = "ICE found no way for the sender, so it never sends";
}

/*
 * A party that sends nothing: muted where its reports come and the path works; else ICE found it no way; else it just does not send,
 * which is one-way audio all the same.
 */
static void judge_unsent(struct work *w, struct direction_finding *d)
{
    bool both_answered = (w->ice.answered[CALLER] || w->ice.lite[CALLER]) && (w->ice.answered[CALLEE] || w->ice.lite[CALLEE]);

    if (d->verdict != DIR_NOT_SENT || d->cause != CAUSE_NONE)
        return;
    if (w->ice_used && w->ice.sent[d->from] + w->ice.sent[d->to] > 0 && !both_answered) {
        unsent_by_ice(w, d);
    } else if (d->sender_reports) {
        d->cause = CAUSE_MUTED;
        d->confidence = CONFIDENCE_LIKELY;
        d->why = "the sender sends reports and no media: muted";
    } else {
        d->cause = CAUSE_UNKNOWN;
        d->why = w->ice_used ? "the sender sends nothing although its checks were answered"
                             : "the sender sends nothing, not even reports";
    }
}

/* What was awaited and never came, told once for all spans. */
static void tell_absence(struct work *w, const struct direction_finding *d)
{
    const char *who = party_name(w->c, d->from, w->out);

    if (w->c->kind == SESSION_RTP) /* no description awaits anything */
        return;
    if (d->verdict == DIR_NOT_SENT && !d->sent) {
        evidence_add(w->out, d->since, "sdp", "From here on %s should send media, and sends none.", who);
        evidence_unsent(w->out, d->from);
    } else if (d->verdict == DIR_NOT_RECEIVED && d->received_seen && !d->received && !d->sent) {
        if (d->expected_packets)
            evidence_add(w->out, d->since, "sdp", "From here on media of %s is expected at %s: about %llu packets; none came.",
                         who, addr_keep(w->out, &d->awaited_at), (unsigned long long)d->expected_packets);
        else
            evidence_add(w->out, d->since, "sdp", "From here on media of %s is expected at %s; none came.", who,
                         addr_keep(w->out, &d->awaited_at));
    }
}

void session_from_directions(struct session_finding *f)
{
    size_t failed = 0, fine = 0, unknown = 0;

    f->cause = CAUSE_NONE;
    f->confidence = CONFIDENCE_NONE;
    f->server = POOL_NONE;
    for (size_t i = 0; i < f->directions_n; i++) {
        const struct direction_finding *d = &f->direction[i];

        if (fails(d)) {
            failed++;
            take_cause(f, d);
        }
        fine += d->verdict == DIR_RECEIVED || (d->verdict == DIR_NOT_SENT && d->cause == CAUSE_MUTED);
        fine += fails(d) && (d->heard || (d->stopped.frame && d->received)); /* it was heard until then */
        unknown += d->verdict == DIR_UNKNOWN;
    }
    if (failed) {
        f->verdict = fine || unknown || failed == 1 ? VERDICT_ONE_WAY : VERDICT_NO_MEDIA;
        f->cause = f->cause == CAUSE_NONE ? CAUSE_UNKNOWN : f->cause;
        if (f->cause == CAUSE_DTLS_FAILED && !fine)
            f->verdict = VERDICT_SETUP_FAILED;
    } else {
        bool one_side = f->call->kind == SESSION_RTP && unknown; /* the other side may be captured elsewhere */

        f->verdict = fine && !one_side ? VERDICT_OK : unknown ? VERDICT_UNKNOWN : VERDICT_NOT_EXPECTED;
    }
}

static void whole_media(struct work *w)
{
    for (size_t i = 0; i < w->out->directions_n; i++) {
        judge_unsent(w, &w->out->direction[i]);
        tell_absence(w, &w->out->direction[i]);
    }
    session_from_directions(w->out);
}

static bool setup_failed(const struct work *w)
{
    return w->ice_used && !w->last->crowded && !w->connected && !w->rtp_seen && w->ice.sent[CALLER] + w->ice.sent[CALLEE] > 0 &&
           w->ice_ns >= JUDGE_MIN_NS;
}

static void set_unsent(struct work *w, const char *why)
{
    for (size_t i = 0; i < w->out->directions_n; i++) {
        struct direction_finding *d = &w->out->direction[i];

        if (d->verdict == DIR_NOT_EXPECTED)
            continue;
        d->verdict = DIR_NOT_SENT;
        d->cause = w->out->cause;
        d->confidence = w->out->confidence;
        d->why = why;
    }
}

/* Was it there before the capture? Then its nomination may have been as well: consent is asked for every 6 s at least (RFC 7675 §5.1). */
static bool ice_from_start(const struct work *w)
{
    return w->c->kind == SESSION_SIP ? w->c->seen_from_start : w->c->started.ns - w->v->t->first.ns > CONSENT_NS;
}

/* Some pair works, and the controlling agent never chose one: ICE did not complete (RFC 8445 §8.1.1), and DTLS never began. */
static bool never_nominated(const struct work *w)
{
    return ice_from_start(w) && !w->last->crowded && !w->ice.beyond && w->ice_used && w->connected && !w->rtp_seen &&
           w->ice.roles.has_controlling && !w->ice.nominating && w->ice.last.ns - w->ice.first.ns >= NOMINATION_NS &&
           view_sees_silence(w->v);
}

static void whole_unnominated(struct work *w)
{
    struct session_finding *f = w->out;
    unsigned long long sent = w->ice.sent[CALLER] + w->ice.sent[CALLEE], answered = w->ice.answered[CALLER];

    answered += w->ice.answered[CALLEE];
    f->verdict = VERDICT_SETUP_FAILED;
    f->cause = CAUSE_UNKNOWN;
    f->evidence_n = 0;
    evidence_add(
        f, w->ice.first, "check",
        "ICE checks from this frame on were answered (%llu of %llu), and %s, which is controlling, never nominated a pair: "
        "setup never finished, and no media was ever sent.",
        answered, sent, party_name(w->c, w->ice.roles.controlling, f));
    if (w->ice.conflicts)
        evidence_add(f, (struct seen){ 0 }, "note", "%llu checks were answered with a role conflict (487).",
                     (unsigned long long)w->ice.conflicts);
    set_unsent(w, "no pair was nominated");
}

static void whole_setup(struct work *w)
{
    struct session_finding *f = w->out;

    f->verdict = VERDICT_SETUP_FAILED;
    f->evidence_n = 0; /* that media was expected and none came is a consequence, and told by the directions */
    ice_tell_unconnected(&w->ice, f);
    cause_of_setup(w->last, &w->ice, f);
    set_unsent(w, "ICE never connected");
}

static bool any_expected(const struct work *w)
{
    for (size_t i = 0; i < w->out->directions_n; i++)
        if (w->out->direction[i].verdict != DIR_NOT_EXPECTED)
            return true;
    return false;
}

/* The pair works, and DTLS on it does not. Always asked, since the handshake is told of every session. */
static bool dtls_failed(struct work *w)
{
    bool held_back = w->rtp_seen || setup_failed(w) || !any_expected(w) || (w->last && w->last->crowded);

    if (!w->last || !dtls_judge(w->last, held_back, w->out))
        return false;
    w->out->verdict = VERDICT_SETUP_FAILED;
    set_unsent(w, "the DTLS handshake failed, so there are no keys to send with");
    return true;
}

/* Neither party's media can be seen here: a proxy's or a registrar's vantage. */
static bool media_elsewhere(const struct work *w)
{
    if (!w->v->media_captured)
        return true;
    return w->last && !w->rtp_seen && !w->last->side[CALLER].local && !w->last->side[CALLEE].local &&
           w->ice.sent[CALLER] + w->ice.sent[CALLEE] == 0;
}

/* No answer came to it: it was refused, given up, or rings on. Else its answer may have come before the capture. */
static bool was_refused(const struct call *c)
{
    return !c->answered.frame && (c->seen_from_start || c->status >= 300);
}

static void conclude(struct work *w)
{
    struct session_finding *f = w->out;
    const struct call *c = w->c;

    if (!c->answered.frame) {
        f->verdict = was_refused(c) ? VERDICT_NOT_EXPECTED : VERDICT_UNKNOWN;
        if (!c->seen_from_start)
            evidence_note(f, c->started, "The call began before the capture: its descriptions are not known.");
    } else if (!w->last) {
        f->verdict = VERDICT_UNKNOWN;
        evidence_note(f, c->answered, "No offer and answer of this call are in the capture.");
    } else if (dtls_failed(w)) {
        ; /* all is said */
    } else if (media_elsewhere(w)) {
        f->verdict = VERDICT_UNKNOWN;
        f->evidence_n = 0;
        evidence_note(f, (struct seen){ 0 },
                      w->v->media_captured ? "The media of this call does not pass this place."
                                           : "The capture holds signalling alone: no media, STUN or DTLS at all.");
        for (size_t i = 0; i < f->directions_n; i++)
            if (f->direction[i].verdict != DIR_NOT_EXPECTED) {
                f->direction[i].verdict = DIR_UNKNOWN;
                f->direction[i].why = "media is not captured here";
            }
    } else if (setup_failed(w)) {
        if (!hidden_judge(w->last, w->out))
            whole_setup(w);
    } else if (never_nominated(w)) {
        whole_unnominated(w);
    } else {
        whole_media(w);
    }
    if (call_end(w->v, c) - c->answered.ns < AT_ONCE_NS && c->answered.frame &&
        (verdict_is_failure(f->verdict) || (c->ended.frame && f->verdict == VERDICT_UNKNOWN)))
        f->verdict = VERDICT_NOT_EXPECTED;
    if (verdict_is_failure(f->verdict) && f->cause == CAUSE_NONE)
        f->cause = CAUSE_UNKNOWN;
    hidden_hedge(w->v, c, f);
    if (!verdict_is_failure(f->verdict)) {
        f->cause = CAUSE_NONE;
        f->confidence = CONFIDENCE_NONE;
        f->server = POOL_NONE;
    }
}

/* The other reading of the incident (SPEC §3): the server's address was out of date. */
static void tell_stale_address(const struct view *v, struct session_finding *f)
{
    for (size_t i = 0; f->cause == CAUSE_BAD_CANDIDATE && f->server != POOL_NONE && i < f->candidates_n; i++)
        if (f->candidate[i].server == f->server && f->candidate[i].tx != POOL_NONE) {
            evidence_dns(v, f->candidate[i].tx, f);
            return;
        }
}

static void tell_whereabouts(const struct work *w)
{
    for (enum party p = CALLER; w->last && p < PARTIES; p++) {
        const struct side *x = &w->last->side[p];

        w->out->here[p] = x->local;
        w->out->whereabouts[p] = x->local           ? x->home
                                 : x->seen_n        ? x->seen[0].addr
                                 : w->c->outside[p] ? w->c->outside[p]->outside
                                 : x->media         ? x->media->addr
                                                    : ADDR_NONE;
    }
}

static void begin(struct work *w, const struct view *v, const struct call *c, bool brief, struct session_finding *out)
{
    memset(w, 0, offsetof(struct work, span)); /* what is behind is large, and written before it is read */
    w->v = v;
    w->c = c;
    w->out = out;
    memset(out, 0, offsetof(struct session_finding, direction));
    out->brief = brief;
    out->call = c;
    out->started = c->started;
    out->answered = c->answered;
    out->ended = c->ended;
    out->state = c->state;
    out->verdict = VERDICT_UNKNOWN;
    out->server = POOL_NONE;
}

/*
 * Refused, or hung up at once, and no voice in the capture: whatever its directions would be, the verdict is that no media was expected.
 * Its candidates still tell whom its servers told what. Where several places tell of one call, theirs are joined to its directions.
 */
static bool is_settled(const struct view *v, const struct call *c)
{
    bool at_once = c->ended.frame && c->ended.ns - c->answered.ns < AT_ONCE_NS;

    return !v->voice_captured && !v->options.several && (c->answered.frame ? at_once : was_refused(c));
}

static void judge(const struct view *v, const struct call *c, bool brief, struct session_finding *out)
{
    struct work w;

    begin(&w, v, c, brief, out);
    w.settled = brief && is_settled(v, c);
    if (!w.settled || v->media_captured)
        spans_judge(&w);
    tell_whereabouts(&w);
    conclude(&w);
    quality_conclude(out, v->options.dropped);
    candidates_conclude(v, out);
    if (out->verdict == VERDICT_OK && w.ice_used)
        turn_warn(w.last, out);
    tell_stale_address(v, out);
    tell_transfers(c, out);
    evidence_sort(out);
}

void judge_call(const struct view *v, const struct call *c, struct session_finding *out)
{
    judge(v, c, false, out);
}

void judge_call_briefly(const struct view *v, const struct call *c, struct session_finding *out)
{
    judge(v, c, true, out);
}

void session_finding_done(struct session_finding *f)
{
    arena_done(&f->arena);
}

const char *session_remedy(const struct session_finding *f)
{
    if (f->cause == CAUSE_BAD_CANDIDATE && f->server == POOL_NONE)
        return "Find out where the party that advertised that address got it: its STUN server (capture there, or look at its "
               "iceServers or stunaddr setting), or an outside address set by hand that is out of date (external_media_address, "
               "externaddr, ext-rtp-ip).";
    return cause_remedy(f->cause);
}
