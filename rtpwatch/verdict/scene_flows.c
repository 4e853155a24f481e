/*
 * The flows of a session's socket that are the session's. One socket may serve many sessions at a time (a media server with one port for
 * all), and what it exchanges with another session's party says nothing of this one: neither that media goes astray nor that it arrives.
 */
#include "verdict/flow_index.h"
#include "verdict/verdict_private.h"

enum {
    AT_ONE_TIME = 64, /* flows of one socket that are looked at, of those that last when the scene does */
    STEPS = 4096,     /* and of all */
    FEW = 64,         /* most sockets have no more: a list is gone through one by one so far, and then by the index */
};

/* The next one of the list that need be looked at, of those that last when the call begins or later; `steps` were looked at. */
static uint32_t next_since(const struct scene *s, const struct flow *f, bool out, unsigned steps)
{
    return steps > FEW && s->v->flows ? flow_index_since(s->v->flows, f, out, s->call->started.ns) : flow_older(f, out);
}

static bool gives_fragment(const struct call *c, struct span ufrag)
{
    for (const struct sdp_fact *f = c->sdps; f; f = f->next)
        for (size_t i = 0; i < f->medias; i++)
            if (ufrag.n && span_eq(span_str(f->media[i].ufrag), ufrag))
                return true;
    return false;
}

/*
 * "PEER:OWN" (RFC 8445 §7.1.2): does the call's description give one of the two? A session without signalling is known by both: a
 * restart may pair a new fragment with an old one, for a while, beside the session that media takes.
 */
static bool names_fragment(const struct call *c, const char *username)
{
    struct span own = span_str(username), peer = span_until(&own, ':');

    return c->kind == SESSION_ICE ? gives_fragment(c, own) && gives_fragment(c, peer)
                                  : gives_fragment(c, own) || gives_fragment(c, peer);
}

/* Checks with username fragments of nobody here. Those of a session without signalling may have changed on the way. */
static bool checked_by_another(const struct scene *s, const struct flow *f)
{
    const struct check *c = f ? track_check_at(s->v->t, f->checks) : NULL;

    return c && c->username && strchr(c->username, ':') && !s->call->ice_restarts && !names_fragment(s->call, c->username) &&
           !(c->username_before && names_fragment(s->call, c->username_before));
}

static bool describes(const struct sdp_fact *f, const struct addr *a)
{
    for (size_t i = 0; i < f->medias; i++) {
        struct addr beside = addr_with_port(f->from, f->media[i].addr.port); /* the sender's own, behind a NAT */

        if (addr_eq(&f->media[i].addr, a) || addr_eq(&beside, a))
            return true;
    }
    for (size_t i = 0; i < f->cands; i++)
        if (addr_eq(&f->cand[i].addr, a) || addr_eq(&f->cand[i].raddr, a))
            return true;
    return false;
}

static bool names_one_of(const struct call *c, const struct side *x)
{
    for (const struct sdp_fact *f = c->sdps; f; f = f->next)
        for (size_t i = 0; addr_ip_eq(&f->from, &x->sdp->from) && i < x->own_n; i++)
            if (describes(f, &x->own[i]))
                return true;
    return false;
}

/*
 * Another call names both ends: the address at the other end, and one of this party's own. A B2BUA that connects two calls' parties
 * directly names them in both, but does not speak from this party's host.
 */
static bool named_by_another(const struct scene *s, enum party p, const struct socket *far)
{
    const struct call *c = far && far->described_in.gen ? pool_get(&s->v->t->calls, far->described_in) : NULL;

    return c && c != s->call && names_one_of(c, &s->side[p]);
}

static bool of_another(const struct scene *s, enum party p, const struct flow *f, bool out)
{
    const struct track *t = s->v->t;
    const struct socket *far = track_socket(t, out ? f->dst_socket : f->src_socket);
    struct addr rtp = addr_with_port(far->addr, (uint16_t)(far->addr.port - 1));

    if (side_has(&s->side[other_party(p)], &far->addr))
        return false;
    if (named_by_another(s, p, far) || (f->rtcps != POOL_NONE && !side_has(&s->side[other_party(p)], &rtp) &&
                                        named_by_another(s, p, track_find_socket(t, &rtp))))
        return true;
    return s->ice && (checked_by_another(s, f) || checked_by_another(s, track_find_flow(t, &f->dst, &f->src)));
}

/* of_another(), asked once for each flow. A note is the flow, the party and the direction, then the answer, plus one; 0: none. */
static bool noted_of_another(const struct scene *s, enum party p, const struct flow *f, bool out)
{
    uint32_t key = f->slot << 3 | (p == CALLEE ? 4u : 0u) | (out ? 2u : 0u), *note;

    if (!s->noted)
        return of_another(s, p, f, out);
    note = &s->noted[(key * 0x9e3779b1u >> 16) % SCENE_NOTES]; /* one socket's flows may lie at any distance */
    if (((*note - 1) & ~1u) != key)
        *note = (key | of_another(s, p, f, out)) + 1;
    return (*note - 1) & 1;
}

void flows_begin(const struct scene *s, const struct socket *k, uint32_t begin[2])
{
    begin[0] = begin[1] = POOL_NONE;
    if (!k)
        return;
    for (unsigned out = 0; out < 2; out++) {
        uint32_t i = out ? k->flows_out : k->flows_in;
        const struct flow *f;

        for (unsigned n = 0; n < STEPS && (f = track_flow_at(s->v->t, i)) != NULL && f->packets.first.ns >= s->when.to_ns; n++)
            i = n > FEW && s->v->flows ? flow_index_before(s->v->flows, f, out, s->when.to_ns) : flow_older(f, out);
        begin[out] = i;
    }
}

static struct flows walk(const struct scene *s, enum party p, const struct addr *a, bool out, uint32_t begin)
{
    return (struct flows){ .s = s, .p = p, .at = a, .out = out, .next = s->quiet ? POOL_NONE : begin, .last = POOL_NONE };
}

struct flows flows_of(const struct scene *s, enum party p, size_t i, bool out)
{
    return walk(s, p, &s->side[p].own[i], out, s->side[p].begin[i][out]);
}

struct flows flows_of_rtcp(const struct scene *s, enum party p, size_t i, bool out)
{
    return walk(s, p, &s->side[p].rtcp[i], out, s->side[p].rtcp_begin[i][out]);
}

struct flows flows_at(const struct scene *s, enum party p, const struct addr *a, bool out)
{
    const struct side *x = &s->side[p];
    struct flows w = walk(s, p, a, out, POOL_NONE);
    uint32_t begin[2];

    for (size_t i = 0; i < x->own_n; i++)
        if (addr_eq(&x->own[i], a))
            return flows_of(s, p, i, out);
    flows_begin(s, view_media_at(s->v, a), begin);
    w.next = begin[out];
    return w;
}

static bool is_of_that_time(const struct scene *s, const struct flow *f)
{
    return f->packets.first.ns < s->when.to_ns && f->packets.last.ns >= s->call->started.ns;
}

/* What anybody asks of a session's flow; that of a STUN server's answers, and what nothing explains, have none of it. */
static bool is_of_media(const struct flow *f)
{
    return f->streams != POOL_NONE || f->rtcps != POOL_NONE || f->checks != POOL_NONE || (f->contains & FLOW_DTLS);
}

/* Goes through the list, newest first, as far as that is worth it. */
static const struct flow *next_listed(struct flows *w)
{
    const struct flow *f;

    while ((f = track_flow_at(w->s->v->t, w->next)) != NULL) {
        if (w->steps++ == STEPS || w->looked_at == AT_ONE_TIME) {
            w->cut = true;
            w->next = POOL_NONE;
            break;
        }
        w->next = next_since(w->s, f, w->out, w->steps);
        w->last = f->slot;
        if (!is_of_that_time(w->s, f))
            continue;
        w->looked_at++;
        if (is_of_media(f) && !noted_of_another(w->s, w->p, f, w->out))
            return f;
    }
    return NULL;
}

/* Of a list that is too long at least what is exchanged with the other party's own addresses. */
static const struct flow *next_paired(struct flows *w)
{
    const struct side *other = &w->s->side[other_party(w->p)];

    while (w->cut && w->paired < other->own_n) {
        const struct addr *far = &other->own[w->paired++];
        const struct flow *f = w->out ? track_find_flow(w->s->v->t, w->at, far) : track_find_flow(w->s->v->t, far, w->at);

        if (f && f->slot < w->last) /* older than those that were listed: slots are given in order */
            return f;
    }
    return NULL;
}

const struct flow *flows_next(struct flows *w)
{
    const struct flow *f = next_listed(w);

    return f ? f : next_paired(w);
}

/* True: some were not looked at. */
static bool survey(struct scene *s, uint32_t begin, bool out)
{
    unsigned steps = 0, looked_at = 0;
    const struct flow *f;

    for (uint32_t i = begin; (f = track_flow_at(s->v->t, i)) != NULL; i = next_since(s, f, out, steps)) {
        if (steps++ == STEPS || looked_at == AT_ONE_TIME) {
            s->quiet = false;
            return true;
        }
        if (!is_of_that_time(s, f))
            continue;
        looked_at++;
        s->quiet &= !is_of_media(f);
    }
    return false;
}

void flows_survey(struct scene *s)
{
    bool cut = false;

    s->quiet = true;
    for (enum party p = CALLER; p < PARTIES; p++) {
        const struct side *x = &s->side[p];

        for (size_t i = 0; i < x->own_n; i++)
            for (unsigned out = 0; out < 2; out++) {
                cut |= survey(s, x->begin[i][out], out);
                survey(s, x->rtcp_begin[i][out], out);
            }
    }
    s->crowded = cut;
}
