/*
 * DTLS-SRTP (RFC 5763, RFC 5764): did the handshake give the parties their keys, and if not, who did not do what?
 */
#include "verdict/handshakes.h"

enum { FINGERPRINT_SHOWN = 11 /* "AB:CD:EF:01" */, LARGE_DATAGRAM = 1200 /* bytes: it may not pass where small ones do */ };

#define REFUSED_WITHIN_NS SECONDS(2) /* an alert this soon after the handshake is about the handshake */

/* ---- telling ---- */

static const char *name(const struct handshakes *h, enum party p, struct session_finding *f)
{
    return party_name(h->s->call, p, f);
}

static const char *times(uint64_t n, struct session_finding *f)
{
    struct strbuf b = { 0 };

    if (n < 3)
        return n == 1 ? "once" : "twice";
    strbuf_fmt(&b, "%llu times", (unsigned long long)n);
    return text_keep(f, &b);
}

static double seconds(int64_t ns)
{
    return (double)ns / NS_PER_S;
}

/* A ClientHello that brings a cookie (RFC 6347 §4.2.1) is no repetition. */
static void tell_began(const struct handshakes *h, struct session_finding *f)
{
    const struct tally *hello = &h->of[h->client].client_hello;
    uint64_t n = hello->n - (h->of[other_party(h->client)].verify.n && hello->n > 1);
    const char *from = addr_keep(f, &h->from), *to = addr_keep(f, &h->to);

    if (n == 1)
        evidence_add(f, h->began, "dtls", "%s began the DTLS handshake as client, from %s to %s.", name(h, h->client, f), from,
                     to);
    else
        evidence_add(f, h->began, "dtls", "%s began the DTLS handshake as client, from %s to %s: ClientHello %s in %.1f s.",
                     name(h, h->client, f), from, to, times(n, f), seconds(hello->last.ns - hello->first.ns));
}

/* Four bytes of a fingerprint, from the one on where it differs from the other. */
static const char *part_of(const char *fingerprint, size_t at, struct session_finding *f)
{
    struct strbuf b = { 0 };

    strbuf_safe(&b, span_part(span_str(fingerprint), at, FINGERPRINT_SHOWN), FINGERPRINT_SHOWN);
    return text_keep(f, &b);
}

/* Where the byte begins in which the two differ; both are of one length. The end of the text shows no less than four. */
static size_t first_difference(const char *a, const char *b)
{
    size_t n = strlen(a), i = 0;

    while (i + FINGERPRINT_SHOWN < n && span_eq_nocase(span_part(span_str(a), i, 2), span_part(span_str(b), i, 2)))
        i += 3;
    return i;
}

static void tell_mismatch(const struct handshakes *h, enum party p, const char *is, struct session_finding *f)
{
    const struct dtls_desc *m = h->s->side[p].media->dtls;
    size_t at = first_difference(m->fingerprint, is);

    evidence_add(f, h->s->side[p].sdp->at, "sdp",
                 "The description of %s names a certificate whose %s fingerprint has %s from byte %zu on.", name(h, p, f),
                 m->hash, part_of(m->fingerprint, at, f), at / 3 + 1);
    evidence_add(f, h->certificate[p]->certificate_at, "dtls",
                 "In the handshake %s shows another certificate, with %s there: the other party must refuse it.", name(h, p, f),
                 part_of(is, at, f));
}

static void tell_alert(const struct handshakes *h, enum party p, struct session_finding *f)
{
    const struct dtls_alert *a = &h->of[p].alert;

    evidence_add(f, a->at, "dtls", "%s broke the handshake off with a fatal alert: %s (%u).", name(h, p, f),
                 dtls_alert_name(a->description), a->description);
}

/* ---- what went wrong, once it began ---- */

static void blame(struct session_finding *f, enum confidence c)
{
    f->cause = CAUSE_DTLS_FAILED;
    f->confidence = c;
    f->server = POOL_NONE;
}

/* Are both still heard from between those two addresses, long enough after it began for the handshake to have finished? */
static bool both_alive(const struct handshakes *h)
{
    const struct flow *f = track_find_flow(h->s->v->t, &h->from, &h->to), *back = track_find_flow(h->s->v->t, &h->to, &h->from);
    int64_t late = h->began.ns + JUDGE_MIN_NS;

    return f && back && f->packets.last.ns >= late && back->packets.last.ns >= late;
}

/* The latest answer to an ICE check between the two, during the call; frame 0: none. */
static struct seen check_answered(const struct handshakes *h)
{
    const struct track *t = h->s->v->t;
    const struct flow *f[2] = { track_find_flow(t, &h->from, &h->to), track_find_flow(t, &h->to, &h->from) };
    struct seen last = { 0 };

    for (unsigned i = 0; i < 2; i++) {
        const struct check *c = f[i] ? track_check_at(t, f[i]->checks) : NULL;
        struct seen at = { 0 };

        if (c && c->answers.n)
            at = c->answers.last.ns <= h->s->when.to_ns ? c->answers.last : c->answers.first;
        if (at.frame && at.ns >= h->s->call->started.ns && at.ns <= h->s->when.to_ns && at.ns >= last.ns)
            last = at;
    }
    return last;
}

static void tell_checks(const struct handshakes *h, struct session_finding *f)
{
    struct seen answered = check_answered(h);

    if (answered.frame)
        evidence_add(f, answered, "check", "ICE checks between the same two addresses are answered, so the path works.");
}

/* The sender repeats its flight, the other one its own, and the datagrams are large: small ones pass, and these may not. */
static void tell_large(const struct handshakes *h, enum party sender, struct session_finding *f)
{
    const struct handshake_party *x = &h->of[sender];
    const struct addr *to = sender == h->client ? &h->to : &h->from;

    if (x->largest >= LARGE_DATAGRAM && x->again.n && h->of[other_party(sender)].again.n && !view_has(h->s->v, to))
        evidence_add(
            f, x->again.last, "dtls",
            "What %s repeats is large (up to %u bytes in a datagram), and small packets pass: a path that drops large or "
            "fragmented packets looks like this (MTU).",
            name(h, sender, f), (unsigned)x->largest);
}

static const char *setup_of(const struct handshakes *h, enum party p)
{
    const struct media_desc *m = h->s->side[p].media;

    return m && m->dtls ? m->dtls->setup : "";
}

/* Neither answers the other's ClientHello: each takes itself for the client (RFC 5763 §5). */
static void tell_two_clients(const struct handshakes *h, struct session_finding *f)
{
    enum party other = other_party(h->client);

    evidence_add(f, h->of[other].client_hello.first, "dtls",
                 "%s sends a ClientHello too: both take themselves for the DTLS client, and neither answers as server.",
                 name(h, other, f));
    for (enum party p = CALLER; p < PARTIES; p++)
        if (strcmp(setup_of(h, p), "active") == 0)
            evidence_add(f, h->s->side[p].sdp->at, "sdp", "The description of %s says a=setup:active.", name(h, p, f));
}

/* The server never says a word of DTLS: the path must be known to work, or it is the path that failed. */
static bool never_answered(const struct handshakes *h, struct session_finding *f)
{
    const struct handshake_party *c = &h->of[h->client];

    if (!check_answered(h).frame)
        return false;
    f->evidence_n = 0;
    tell_began(h, f);
    evidence_add(f, c->client_hello.last, "dtls", "%s never answers the ClientHello.", name(h, other_party(h->client), f));
    tell_checks(h, f);
    return true;
}

static void got_stuck(const struct handshakes *h, struct session_finding *f)
{
    enum party server = other_party(h->client);
    const struct handshake_party *c = &h->of[h->client], *s = &h->of[server];
    const struct tally *answer = s->server_hello.n ? &s->server_hello : &s->datagrams;

    f->evidence_n = 0;
    tell_began(h, f);
    if (s->client_hello.n && !s->server_hello.n) {
        tell_two_clients(h, f);
    } else if (handshakes_client_went_on(h)) {
        const struct tally *flight = c->finished.n ? &c->finished : &c->key_exchange;

        evidence_add(f, flight->last, "dtls", "%s sent the rest of its part %s; %s never confirms it%s.", name(h, h->client, f),
                     times(flight->n, f), name(h, server, f), s->again.n ? " and repeats its own" : "");
        tell_large(h, h->client, f);
    } else if (c->alert.at.frame) {
        evidence_add(f, c->alert.at, "dtls", "%s answers (%s), and %s ends the handshake with an alert, which is encrypted.",
                     name(h, server, f), times(answer->n, f), name(h, h->client, f));
    } else if (s->server_hello.n ? c->client_hello.last.ns > s->server_hello.first.ns : c->again.n) {
        evidence_add(f, answer->last, "dtls", "%s answers (%s), and %s goes on repeating its ClientHello as if it heard nothing.",
                     name(h, server, f), times(answer->n, f), name(h, h->client, f));
        tell_large(h, server, f);
    } else {
        evidence_add(f, answer->last, "dtls", "%s answers (%s), and %s never goes on.", name(h, server, f), times(answer->n, f),
                     name(h, h->client, f));
        tell_large(h, server, f);
    }
    tell_checks(h, f);
}

static bool refuses(const struct handshakes *h, enum party p)
{
    return !handshakes_complete(h) && alert_is_fatal(&h->of[p].alert);
}

/* What proves it: an alert in the clear, or a certificate that is not the one that was promised. */
static bool proven(const struct handshakes *h, struct session_finding *f)
{
    char is[PARTIES][DTLS_FINGERPRINT_ROOM];
    bool wrong[PARTIES] = { handshakes_mismatch(h, CALLER, is[CALLER]), handshakes_mismatch(h, CALLEE, is[CALLEE]) };

    if (!wrong[CALLER] && !wrong[CALLEE] && !refuses(h, CALLER) && !refuses(h, CALLEE))
        return false;
    f->evidence_n = 0;
    tell_began(h, f);
    for (enum party p = CALLER; p < PARTIES; p++) {
        if (wrong[p])
            tell_mismatch(h, p, is[p], f);
        if (refuses(h, p))
            tell_alert(h, p, f);
    }
    /* One that finished was refused afterwards, if at all: that is not seen. */
    blame(f, handshakes_complete(h) ? CONFIDENCE_LIKELY : CONFIDENCE_PROVEN);
    return true;
}

/*
 * It finished, and one party ended it at once and sends nothing: what it saw did not please it. Why is encrypted, so this is no more than
 * suspected; and only where descriptions say that media was wanted.
 */
static bool refused_after(const struct handshakes *h, struct session_finding *f)
{
    int64_t done = h->of[CALLER].finished.first.ns > h->of[CALLEE].finished.first.ns ? h->of[CALLER].finished.first.ns
                                                                                     : h->of[CALLEE].finished.first.ns;

    for (enum party p = CALLER; handshakes_flights_of_both(h) && p < PARTIES; p++) {
        const struct dtls_alert *a = &h->of[p].alert;

        if (!a->at.frame || !a->encrypted || a->at.ns < done || a->at.ns - done > REFUSED_WITHIN_NS ||
            h->s->when.to_ns - a->at.ns < JUDGE_MIN_NS || !h->s->side[p].media->dtls || h->of[CALLER].application.n ||
            h->of[CALLEE].application.n)
            continue;
        f->evidence_n = 0;
        tell_began(h, f);
        evidence_add(f, a->at, "dtls",
                     "The handshake finished, and %.3f s later %s ended it with an alert, which is encrypted; no media follows.",
                     seconds(a->at.ns - done), name(h, p, f));
        blame(f, CONFIDENCE_SUSPECTED);
        return true;
    }
    return false;
}

/* Who waits sends its flight again (RFC 6347 §4.2.4). Where nobody does, what is missing may be missing from the capture alone. */
static bool is_repeated(const struct handshakes *h)
{
    return h->of[CALLER].again.n || h->of[CALLEE].again.n;
}

static bool judge_begun(const struct handshakes *h, struct session_finding *f)
{
    bool from_start = h->began.frame && h->began.frame == h->first.frame;

    if (!from_start || handshakes_one_way(h) || h->s->when.to_ns - h->began.ns < JUDGE_MIN_NS)
        return false;
    if (proven(h, f))
        return true;
    if (handshakes_complete(h) || handshakes_flights_of_both(h)) /* DTLS 1.3: the last step is encrypted, and may be there */
        return refused_after(h, f);
    if (!h->of[other_party(h->client)].datagrams.n) {
        if (!never_answered(h, f))
            return false;
    } else {
        got_stuck(h, f);
    }
    blame(f, both_alive(h) && is_repeated(h) ? CONFIDENCE_LIKELY : CONFIDENCE_SUSPECTED);
    return true;
}

/* ---- nobody began ---- */

static bool wants_dtls(const struct scene *s)
{
    return s->call->kind == SESSION_SIP && s->side[CALLER].media && s->side[CALLEE].media && s->side[CALLER].media->dtls &&
           s->side[CALLEE].media->dtls;
}

/* A pair that ICE chose (RFC 8445 §8.1.1) and that lives on: its checks were sent and answered 2 s later. */
static const struct check *chosen_pair(const struct scene *s)
{
    const struct track *t = s->v->t;

    for (enum party p = CALLER; p < PARTIES; p++)
        for (size_t i = 0; i < s->side[p].own_n; i++) {
            struct flows w = flows_of(s, p, i, true);
            const struct flow *f;

            while ((f = flows_next(&w)) != NULL) {
                const struct check *c = track_check_at(t, f->checks);

                if (c && c->nominated_ok.ns >= s->when.from_ns && c->answers.last.ns - c->nominated_ok.ns >= JUDGE_MIN_NS &&
                    c->answers.last.ns <= s->when.to_ns && ice_works(s->v, c) &&
                    pair_owner(s, p, &f->src, &f->dst) == PAIR_OF_SESSION)
                    return c;
            }
        }
    return NULL;
}

/* Who begins follows from the answer: active begins, passive waits (RFC 8842 §5.3). */
static enum party client_to_be(const struct scene *s)
{
    enum party answerer = other_party(s->agreement->offerer);

    return strcmp(s->side[answerer].media->dtls->setup, "passive") == 0 ? s->agreement->offerer : answerer;
}

static bool judge_unbegun(const struct handshakes *h, struct session_finding *f)
{
    const struct scene *s = h->s;
    const struct check *c =
        wants_dtls(s) && !h->earlier && (s->side[CALLER].local || s->side[CALLEE].local) ? chosen_pair(s) : NULL;
    bool both_wait = c && strcmp(setup_of(h, CALLER), "passive") == 0 && strcmp(setup_of(h, CALLEE), "passive") == 0;
    enum party client;

    if (!c)
        return false;
    client = client_to_be(s);
    f->evidence_n = 0;
    evidence_add(f, c->nominated_ok, "check", "ICE chose the pair %s and %s, and its checks go on being answered.",
                 addr_keep(f, &track_flow_at(s->v->t, c->flow)->src), addr_keep(f, &track_flow_at(s->v->t, c->flow)->dst));
    for (enum party p = CALLER; p < PARTIES; p++)
        if (both_wait)
            evidence_add(f, s->side[p].sdp->at, "sdp",
                         "The description of %s says a=setup:passive: it waits for the other to begin.", name(h, p, f));
    if (!both_wait)
        evidence_add(f, s->side[client].sdp->at, "dtls", "%s is to begin the DTLS handshake, and no ClientHello %s.",
                     name(h, client, f), s->side[client].local ? "leaves" : "of it arrives");
    blame(f, both_wait ? CONFIDENCE_LIKELY : CONFIDENCE_SUSPECTED);
    return true;
}

/* ---- the whole ---- */

static void find(const struct handshakes *h, struct dtls_finding *out)
{
    *out = (struct dtls_finding){ .seen = h->first.frame > 0, .client_known = h->began.frame > 0, .client = h->client };
    out->version = h->version;
    out->profile = h->profile;
    out->completed = handshakes_complete(h);
    out->retransmissions = h->of[CALLER].again.n + h->of[CALLEE].again.n;
    for (enum party p = CALLER; p < PARTIES && !out->alert_at.frame; p++)
        if (alert_is_fatal(&h->of[p].alert)) {
            out->alert_at = h->of[p].alert.at;
            out->alert_by = p;
            out->alert = h->of[p].alert.description;
        }
}

bool dtls_judge(const struct scene *s, bool media_seen, struct session_finding *f)
{
    struct handshakes h;

    if (s->quiet)
        return false;
    handshakes_gather(&h, s);
    find(&h, &f->dtls);
    if (media_seen || h.reports || h.cut || !view_sees_silence(s->v) || !s->side[CALLER].media || !s->side[CALLEE].media)
        return false;
    return h.first.frame ? judge_begun(&h, f) : judge_unbegun(&h, f);
}
