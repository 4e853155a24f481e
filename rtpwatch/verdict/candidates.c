/* The table of what each party advertised, held against the checks that went there and where RTP flowed. */
#include "verdict/verdict_private.h"

void warn_add(struct session_finding *s, const char *kind, uint32_t server, const char *text)
{
    for (size_t i = 0; i < s->warnings_n; i++)
        if (s->warning[i].server == server && strcmp(s->warning[i].kind, kind) == 0)
            return;
    if (s->warnings_n < WARNINGS_KEPT)
        s->warning[s->warnings_n++] = (struct warning){ kind, text, server };
}

/* What was sent to this address, or to the local socket behind it, by the other party. */
static void reached(const struct scene *s, enum party p, struct candidate_finding *c)
{
    const struct side *other = &s->side[other_party(p)];
    bool behind_nat = c->has_base && s->side[p].local && strcmp(c->type, "relay") != 0;
    const struct addr *at = behind_nat ? &c->base : &c->addr;
    const struct socket *k = track_find_socket(s->v->t, at);
    const struct flow *f;

    for (uint32_t i = k ? k->flows_in : POOL_NONE; (f = track_flow_at(s->v->t, i)) != NULL; i = f->next_in) {
        const struct check *check = track_check_at(s->v->t, f->checks);

        if (other->local && !view_has(s->v, &f->src))
            continue;
        if (other->local && !side_has(other, &f->src))
            continue;
        c->rtp_packets += flow_rtp(s->v, f, s->when, NULL);
        if (check && check->requests.first.ns < s->when.to_ns && check->requests.last.ns >= s->when.from_ns) {
            c->checks_sent += check->requests.n;
            c->checks_answered += check->answers.n;
        }
    }
}

static bool is_seen(const struct side *x, const struct addr *a)
{
    for (size_t i = 0; i < x->seen_n; i++)
        if (addr_eq(&x->seen[i].addr, a))
            return true;
    return false;
}

static void status(const struct scene *s, enum party p, struct candidate_finding *c)
{
    bool seen = is_seen(&s->side[p], &c->addr);

    if (c->rtp_packets && (seen || c->checks_answered || s->side[p].local))
        c->status = CANDIDATE_USED;
    else if (c->checks_answered || seen)
        c->status = CANDIDATE_REACHABLE;
    else if (c->checks_sent || c->rtp_packets)
        c->status = CANDIDATE_UNREACHABLE;
    else
        c->status = CANDIDATE_UNTESTED;
}

static bool listed(const struct session_finding *f, const struct candidate_finding *c)
{
    for (size_t i = 0; i < f->candidates_n; i++) {
        const struct candidate_finding *o = &f->candidate[i];

        if (o->party == c->party && o->media == c->media && o->component == c->component && o->tcp == c->tcp && addr_eq(&o->addr, &c->addr) &&
            (strcmp(o->type, c->type) == 0 || strcmp(c->type, "sdp") == 0) && strcmp(o->host, c->host) == 0)
            return true;
    }
    return false;
}

static void add(const struct scene *s, enum party p, struct candidate_finding *c, struct session_finding *f)
{
    const struct sdp_fact *sdp = s->side[p].sdp;

    if (listed(f, c) || f->candidates_n == CANDIDATES_KEPT)
        return;
    c->party = p;
    c->at = sdp->at;
    c->server = POOL_NONE;
    c->tx = addr_usable(&c->addr) && strcmp(c->type, "host") != 0 ? mapping_behind(s->v, &c->addr, sdp->at.ns) : POOL_NONE;
    if (c->tx != POOL_NONE) {
        const struct stun_tx *x = track_tx_at(s->v->t, c->tx);

        c->server = x->server;
        c->base = track_socket(s->v->t, x->socket)->addr;
        c->has_base = true;
    }
    if (strcmp(c->type, "relay") == 0) {
        const struct socket *k = track_find_socket(s->v->t, &c->addr);
        const struct turn_alloc *a = k ? track_alloc_at(s->v->t, k->relay) : NULL;

        c->server = a ? a->server : POOL_NONE;
    }
    if (addr_usable(&c->addr) && c->component == 1)
        reached(s, p, c);
    status(s, p, c);
    f->candidate[f->candidates_n++] = *c;
}

static void list_party(const struct scene *s, enum party p, struct session_finding *f)
{
    const struct side *x = &s->side[p];

    for (size_t i = 0; i < x->sdp->cands; i++) {
        const struct cand_desc *d = &x->sdp->cand[i];
        struct candidate_finding c = { .party = p, .media = d->media, .component = d->component, .type = sdp_cand_type_name(d->type),
                                       .host = addr_is_none(&d->addr) ? d->host : "", .addr = d->addr, .base = d->raddr, .tcp = d->tcp,
                                       .has_base = addr_usable(&d->raddr), .priority = d->priority };

        if (d->media == s->media)
            add(s, p, &c, f);
    }
    if (x->media && !x->media->rejected) {
        struct candidate_finding c = { .party = p, .media = s->media, .component = 1, .type = "sdp", .addr = x->media->addr,
                                       .host = addr_is_none(&x->media->addr) ? x->media->host : "" };

        add(s, p, &c, f);
    }
}

void candidates_list(const struct scene *s, struct session_finding *session)
{
    list_party(s, CALLER, session);
    list_party(s, CALLEE, session);
}

/* A candidate that was wrong although the call went well: the next call may need it. */
void candidates_warn(const struct scene *s, struct session_finding *session)
{
    for (size_t i = 0; i < session->candidates_n; i++) {
        struct candidate_finding *c = &session->candidate[i];
        struct strbuf b = { 0 }, who = { 0 };
        struct claim claim;

        if (c->tx == POOL_NONE || c->media != s->media)
            continue;
        claim_judge(s->v, c->tx, s->side[c->party].local && c->rtp_packets > 0, &claim);
        c->wrong = claim.status == CLAIM_WRONG;
        if (!c->wrong || (verdict_is_failure(session->verdict) && session->server == c->server))
            continue; /* right, or told as the cause already */
        server_text(s->v, c->server, &who);
        strbuf_fmt(&b, "STUN server %s supplied %s, which is wrong (%s)%s.", strbuf_str(&who), addr_keep(session, &c->addr),
                   confidence_word(claim.confidence), session->verdict == VERDICT_OK ? "; the call went another way" : "");
        warn_add(session, "bad_candidate", c->server, text_keep(session, &b));
        strbuf_done(&who);
        evidence_claim(s->v, c->tx, &claim, session);
    }
}
