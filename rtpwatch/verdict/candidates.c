/* The table of what each party advertised, held against the checks that went there and where RTP flowed. */
#include "verdict/verdict_private.h"

void warn_add(struct session_finding *s, const char *kind, uint32_t server, const char *text)
{
    for (size_t i = 0; i < s->warnings_n; i++)
        if (s->warning[i].server == server && strcmp(s->warning[i].kind, kind) == 0 &&
            (server != POOL_NONE || strcmp(s->warning[i].text, text) == 0)) /* of one server, once */
            return;
    if (s->warnings_n < WARNINGS_KEPT)
        s->warning[s->warnings_n++] = (struct warning){ kind, text, server };
}

/*
 * Behind a NAT all candidates of one base arrive at the same socket. What comes from a private address came by the inside way, to the
 * host candidate; what comes from outside, to a candidate that the outside can reach.
 */
static bool meant_for(const struct candidate_finding *c, const struct addr *src)
{
    bool inside = addr_is_unroutable(src), host = strcmp(c->type, "host") == 0;

    if (!c->has_base || addr_eq(&c->base, &c->addr))
        return !host || inside || !addr_is_unroutable(&c->addr);
    return !inside && !c->wrong;
}

static bool from_other_party(const struct scene *s, const struct side *other, const struct candidate_finding *c,
                             const struct addr *src)
{
    if (!other->local)
        return true;
    return view_has(s->v, src) && (c->component != 1 || side_has(other, src));
}

/* What was sent to this address, or to the local socket behind it, by the other party. */
static void reached(const struct scene *s, enum party p, struct candidate_finding *c, bool again)
{
    const struct side *side = &s->side[p], *other = &s->side[other_party(p)];
    bool behind_nat = c->has_base && view_has(s->v, &c->base) && strcmp(c->type, "relay") != 0;
    const struct addr *at = behind_nat ? &c->base : &c->addr;
    struct flows w = flows_at(s, p, at, false);
    const struct flow *f;

    while ((f = flows_next(&w)) != NULL) {
        const struct check *check = track_check_at(s->v->t, f->checks);

        if (!from_other_party(s, other, c, &f->src) || (side->local && view_has(s->v, at) && !meant_for(c, &f->src)))
            continue;
        c->rtp_packets += scene_rtp(s, f, s->when, NULL);
        if (!again && check && check->requests.first.ns < s->when.to_ns && check->requests.last.ns >= s->when.from_ns) {
            c->checks_sent += check->requests.n;
            c->checks_answered += check->answers.n;
        }
    }
    for (size_t i = 0; i < side->seen_n && !side->local; i++)
        c->seen |= addr_eq(&side->seen[i].addr, &c->addr);
}

static struct candidate_finding *listed(struct session_finding *f, const struct candidate_finding *c)
{
    for (size_t i = 0; i < f->candidates_n; i++) {
        struct candidate_finding *o = &f->candidate[i];

        if (o->party == c->party && o->media == c->media && o->component == c->component && o->tcp == c->tcp &&
            addr_eq(&o->addr, &c->addr) && (strcmp(o->type, c->type) == 0 || strcmp(c->type, "sdp") == 0) &&
            strcmp(o->host, c->host) == 0)
            return o;
    }
    return NULL;
}

/* Who supplied it: the STUN server whose answer it is, or the TURN server whose relay. */
static void supplied(const struct scene *s, enum party p, struct candidate_finding *c)
{
    const struct socket *k = side_socket(s, p, &c->addr);
    const struct turn_alloc *relay = k ? track_alloc_at(s->v->t, k->relay) : NULL;
    enum confidence sure;

    c->server = c->tx = POOL_NONE;
    if (strcmp(c->type, "relay") == 0) {
        c->server = relay ? relay->server : POOL_NONE;
        return;
    }
    if (strcmp(c->type, "host") == 0 || !addr_usable(&c->addr))
        return;
    c->tx = mapping_at(s->v, k, s->side[p].sdp->at.ns);
    if (c->tx == POOL_NONE)
        return;
    c->server = track_tx_at(s->v->t, c->tx)->server;
    c->base = track_socket(s->v->t, track_tx_at(s->v->t, c->tx)->socket)->addr;
    c->has_base = true;
    /* As if all arrived: what is wrong even then was never used. */
    c->wrong = claim_status(s->v, c->tx, true, &sure) == CLAIM_WRONG;
}

static void add(const struct scene *s, enum party p, struct candidate_finding *c, struct session_finding *f)
{
    struct candidate_finding *before = listed(f, c);

    if (before) {
        if (before->counted != s->agreement)
            reached(s, p, before, true);
        before->counted = s->agreement;
        return;
    }
    if (f->candidates_n == CANDIDATES_KEPT)
        return;
    c->at = s->side[p].sdp->at;
    c->counted = s->agreement;
    supplied(s, p, c);
    if (addr_usable(&c->addr) && s->v->voice_captured)
        reached(s, p, c, false);
    f->candidate[f->candidates_n++] = *c;
}

static void list_party(const struct scene *s, enum party p, struct session_finding *f)
{
    const struct side *x = &s->side[p];

    for (size_t i = 0; i < x->sdp->cands; i++) {
        const struct cand_desc *d = &x->sdp->cand[i];
        struct candidate_finding c = { .party = p,
                                       .media = d->media,
                                       .component = d->component,
                                       .type = sdp_cand_type_name(d->type),
                                       .host = sdp_cand_host(x->sdp, i),
                                       .addr = d->addr,
                                       .base = d->raddr,
                                       .tcp = d->tcp,
                                       .has_base = addr_usable(&d->raddr),
                                       .priority = d->priority };

        if (d->media == s->media)
            add(s, p, &c, f);
    }
    if (x->media && s->transport == s->media && !x->media->rejected) { /* bundled, its own address is not used */
        struct candidate_finding c = {
            .party = p, .media = s->media, .component = 1, .type = "sdp", .addr = x->media->addr, .host = x->media->host
        };

        add(s, p, &c, f);
    }
}

void candidates_list(const struct scene *s, struct session_finding *session)
{
    list_party(s, CALLER, session);
    list_party(s, CALLEE, session);
}

/* Did what went to that party get there? */
static enum dir_verdict direction_to(const struct session_finding *f, const struct candidate_finding *c)
{
    for (size_t i = 0; i < f->directions_n; i++)
        if (f->direction[i].to == c->party && f->direction[i].media == c->media)
            return f->direction[i].verdict;
    return DIR_UNKNOWN;
}

static enum candidate_status status(const struct session_finding *f, const struct candidate_finding *c)
{
    if (c->rtp_packets)
        return direction_to(f, c) == DIR_NOT_RECEIVED && !c->checks_answered ? CANDIDATE_UNREACHABLE : CANDIDATE_USED;
    if (f->ice.nominated.frame && c->checks_answered && (addr_eq(&c->addr, &f->ice.local) || addr_eq(&c->addr, &f->ice.remote)))
        return CANDIDATE_USED;
    if (c->checks_answered || c->seen)
        return CANDIDATE_REACHABLE;
    return c->checks_sent ? CANDIDATE_UNREACHABLE : CANDIDATE_UNTESTED;
}

/* A candidate that was wrong although it is not the cause: the next call may need it. */
static void warn_wrong(const struct view *v, const struct candidate_finding *c, bool arrives, struct session_finding *f)
{
    struct strbuf b = { 0 }, who = { 0 };
    struct claim claim;

    if (f->brief) {
        warn_add(f, "bad_candidate", c->server, "");
        return;
    }
    claim_judge(v, c->tx, arrives, &claim);
    server_text(v, c->server, &who);
    strbuf_fmt(&b, "STUN server %s supplied %s, which is wrong (%s)%s.", strbuf_str(&who), addr_keep(f, &c->addr),
               confidence_word(claim.confidence), f->verdict == VERDICT_OK ? "; the call went another way" : "");
    warn_add(f, "bad_candidate", c->server, text_keep(f, &b));
    strbuf_done(&who);
    evidence_claim(v, c->tx, &claim, f);
}

void candidates_conclude(const struct view *v, struct session_finding *session)
{
    for (size_t i = 0; i < session->candidates_n; i++) {
        struct candidate_finding *c = &session->candidate[i];
        enum confidence sure;
        enum claim_status claim;
        bool arrives;

        c->status = status(session, c);
        c->wrong = c->confirmed = false;
        if (c->tx == POOL_NONE)
            continue;
        arrives = c->rtp_packets > 0 && view_has(v, &c->base);
        claim = claim_status(v, c->tx, arrives, &sure);
        c->wrong = claim == CLAIM_WRONG;
        c->confirmed = claim == CLAIM_FINE;
        if (c->wrong && session->verdict != VERDICT_UNKNOWN &&
            !(verdict_is_failure(session->verdict) && session->server == c->server))
            warn_wrong(v, c, arrives, session);
    }
}
