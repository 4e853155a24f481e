#include <stddef.h>

#include "verdict/verdict_private.h"

#define MAPPING_AGE_NS SECONDS(7200) /* older answers are not what an SDP was made from */
#define STILL_NS       SECONDS(1)    /* what was sent so shortly before the end of a span was sent until its end */

bool addr_usable(const struct addr *a)
{
    return a->port != 0 && !addr_is_none(a);
}

static size_t own_number(const struct side *x, const struct addr *a)
{
    size_t i = 0;

    while (i < x->own_n && !addr_eq(&x->own[i], a))
        i++;
    return i;
}

bool side_has(const struct side *x, const struct addr *a)
{
    return own_number(x, a) < x->own_n;
}

const struct socket *side_socket(const struct scene *s, enum party p, const struct addr *a)
{
    const struct side *x = &s->side[p];
    size_t i = own_number(x, a);

    return i < x->own_n ? x->at[i] : view_media_at(s->v, a);
}

/* `k`: what passed there, where that is known; NULL: it is looked up. */
static void own_add(struct scene *s, struct side *x, const struct addr *a, const struct socket *k)
{
    if (!addr_usable(a) || x->own_n == SIDE_SOCKETS || side_has(x, a))
        return;
    if (!k)
        k = view_media_at(s->v, a);
    flows_begin(s, k, x->begin[x->own_n]);
    x->at[x->own_n] = k;
    x->own[x->own_n++] = *a;
    if (!x->local && view_has(s->v, a) && (k || track_find_socket(s->v->t, a))) {
        x->local = true;
        x->home = *a;
    }
}

uint32_t mapping_at(const struct view *v, const struct socket *m, int64_t ns)
{
    const struct stun_tx *x;

    for (uint32_t i = m ? m->claimed : POOL_NONE; (x = track_tx_at(v->t, i)) != NULL; i = x->next_claimed)
        if (x->answer.ns <= ns && ns - x->answer.ns <= MAPPING_AGE_NS)
            return i;
    return POOL_NONE;
}

uint32_t mapping_behind(const struct view *v, const struct addr *mapped, int64_t ns)
{
    return mapping_at(v, view_media_at(v, mapped), ns);
}

/* The sockets that STUN servers told this address to: usually the one behind it. */
static void bases_add(struct scene *s, struct side *x, const struct socket *m)
{
    const struct stun_tx *tx;

    for (uint32_t i = m ? m->claimed : POOL_NONE; x->own_n < SIDE_SOCKETS && (tx = track_tx_at(s->v->t, i)) != NULL;
         i = tx->next_claimed)
        if (tx->answer.ns <= x->sdp->at.ns && x->sdp->at.ns - tx->answer.ns <= MAPPING_AGE_NS) {
            const struct socket *base = track_socket(s->v->t, tx->socket);

            own_add(s, x, &base->addr, base);
        }
}

/* A proxy on the other party's host sends this one's SDP as well: what the other party names is the other party's. */
static bool advertises(const struct sdp_fact *sdp, uint8_t media, const struct addr *a)
{
    if (media < sdp->medias && addr_eq(&sdp->media[media].addr, a))
        return true;
    for (size_t i = 0; i < sdp->cands; i++)
        if (addr_eq(&sdp->cand[i].addr, a) || addr_eq(&sdp->cand[i].raddr, a))
            return true;
    return false;
}

static void side_outline(struct scene *s, enum party p)
{
    struct side *x = &s->side[p];

    memset(x, 0, offsetof(struct side, own)); /* the lists are large */
    x->sdp = s->agreement->by[p];
    x->media = s->media < x->sdp->medias ? &x->sdp->media[s->media] : NULL;
    if (x->media)
        x->transport = &x->sdp->media[s->transport];
}

/*
 * The party described that very host before, so it knows the host's address, and the one that it describes is another host's: the call was
 * transferred, or is held with music from elsewhere. A private address may have been replaced by what a NAT makes of it.
 */
static bool moved_away(const struct scene *s, const struct side *x, const struct addr *beside)
{
    if (addr_is_unroutable(beside) != addr_is_unroutable(&x->transport->addr))
        return false;
    for (const struct sdp_fact *f = s->call->sdps; f && f->at.ns < x->sdp->at.ns; f = f->next)
        if (f->party == x->sdp->party && s->transport < f->medias && addr_ip_eq(&f->media[s->transport].addr, beside))
            return true;
    return false;
}

/* A socket with that port on the host that sent the SDP. */
static void beside_add(struct scene *s, enum party p, uint16_t port)
{
    struct side *x = &s->side[p];
    struct addr beside = addr_with_port(x->sdp->from, port);

    if (!x->local && view_has(s->v, &beside) && !advertises(s->agreement->by[other_party(p)], s->transport, &beside) &&
        !moved_away(s, x, &beside))
        own_add(s, x, &beside, NULL);
}

static bool is_of_rtp(const struct scene *s, const struct cand_desc *c)
{
    return c->media == s->transport && c->component == 1 && !c->tcp;
}

static void side_make(struct scene *s, enum party p)
{
    struct side *x = &s->side[p];

    if (!x->media)
        return;
    own_add(s, x, &x->transport->addr, NULL);
    for (size_t i = 0; i < x->sdp->cands; i++)
        if (is_of_rtp(s, &x->sdp->cand[i])) {
            own_add(s, x, &x->sdp->cand[i].addr, NULL);
            own_add(s, x, &x->sdp->cand[i].raddr, NULL);
        }
    for (size_t i = 0, n = x->own_n; i < n; i++)
        bases_add(s, x, x->at[i]);
    /* An address that was set by hand, or that a NAT maps one to one, or of which a browser tells the port and a name (mDNS). */
    beside_add(s, p, x->transport->addr.port);
    for (size_t i = 0; i < x->sdp->cands; i++)
        if (is_of_rtp(s, &x->sdp->cand[i]) && x->sdp->cand[i].type == SDP_CAND_HOST && addr_is_none(&x->sdp->cand[i].addr))
            beside_add(s, p, x->sdp->cand[i].addr.port);
}

/* The RTCP socket that goes with an RTP one: the same with rtcp-mux, else the next port or what a=rtcp says (RFC 3605, RFC 5761). */
static struct addr rtcp_of(const struct side *x, const struct addr *rtp)
{
    if (x->transport->rtcp.port && addr_eq(rtp, &x->transport->addr))
        return addr_is_none(&x->transport->rtcp) ? addr_with_port(*rtp, x->transport->rtcp.port) : x->transport->rtcp;
    return addr_with_port(*rtp, (uint16_t)(rtp->port + 1));
}

static void rtcp_make(const struct scene *s, struct side *x)
{
    for (size_t i = 0; i < x->own_n; i++) {
        x->rtcp[i] = rtcp_of(x, &x->own[i]);
        flows_begin(s, view_media_at(s->v, &x->rtcp[i]), x->rtcp_begin[i]);
    }
}

void place_add(struct place *list, size_t *n, const struct addr *a, const struct tally *t)
{
    for (size_t i = 0; i < *n; i++)
        if (addr_eq(&list[i].addr, a)) {
            list[i].packets += t->n;
            return;
        }
    if (*n < PLACES_KEPT)
        list[(*n)++] = (struct place){ *a, t->n, t->first };
}

bool scene_owns(const struct scene *s, const struct stream *x)
{
    struct stream_owner owner;

    if (!s->choose)
        return true;
    owner = stream_owner(s->agreement, s->media, x, track_ids_at(s->v->t, x->ids));
    return owner.media == s->media && !owner.repair;
}

/* `scene`: NULL, all streams count; else those that are its own, or those that are not. */
static uint64_t count_rtp(const struct view *v, const struct flow *f, const struct scene *scene, bool own,
                          struct span_of_time when, struct tally *out)
{
    const struct stream *s;
    uint64_t n = 0;

    for (uint32_t i = f->streams; (s = track_stream_at(v->t, i)) != NULL; i = s->next) {
        if (!s->believed || s->packets.first.ns < when.from_ns || s->packets.first.ns >= when.to_ns)
            continue;
        if (scene && scene_owns(scene, s) != own)
            continue;
        n += s->packets.n;
        if (!out)
            continue;
        if (!out->n || s->packets.first.ns < out->first.ns)
            out->first = s->packets.first;
        if (s->packets.last.ns > out->last.ns)
            out->last = s->packets.last;
        out->n += s->packets.n;
    }
    return n;
}

uint64_t flow_rtp(const struct view *v, const struct flow *f, struct span_of_time when, struct tally *out)
{
    return count_rtp(v, f, NULL, true, when, out);
}

uint64_t scene_rtp(const struct scene *s, const struct flow *f, struct span_of_time when, struct tally *out)
{
    return count_rtp(s->v, f, s, true, when, out);
}

uint64_t scene_rtp_beside(const struct scene *s, const struct flow *f, struct span_of_time when, struct tally *out)
{
    return s->choose ? count_rtp(s->v, f, s, false, when, out) : 0;
}

static bool touches(const struct flow *f, struct span_of_time when)
{
    return f->packets.first.ns < when.to_ns && f->packets.last.ns >= when.from_ns;
}

/* Where the party's packets come from, as the other party's sockets see them: the local one where there is one. */
static void seen_make(struct scene *s, enum party p)
{
    struct side *x = &s->side[p], *other = &s->side[other_party(p)];
    const struct flow *f;

    if (x->local) {
        x->seen[x->seen_n++] = (struct place){ x->home, 0, { 0 } };
        return;
    }
    for (size_t k = 0; k < other->own_n && !s->quiet; k++) {
        if (other->local && !view_has(s->v, &other->own[k]))
            continue;
        for (struct flows w = flows_of(s, other_party(p), k, false); (f = flows_next(&w)) != NULL;) {
            const struct check *c = track_check_at(s->v->t, f->checks);
            struct tally rtp = { 0 };

            if (!touches(f, s->when) || x->seen_n == PLACES_KEPT)
                continue;
            flow_rtp(s->v, f, s->when, &rtp);
            if (rtp.n || (c && c->requests.n))
                x->seen[x->seen_n++] = (struct place){ f->src, rtp.n, rtp.n ? rtp.first : f->packets.first };
        }
    }
}

/*
 * The socket that a party sent from before, and still does at the end, is its own whatever its new description names: an address where it
 * is not, or one that it only receives at. What stops sooner was under way when the media moved to another host, in a transfer.
 */
static void home_keep(struct scene *s, enum party p, const struct side *before)
{
    struct side *x = &s->side[p];
    const struct flow *f;

    if (!before->local)
        return;
    for (struct flows w = flows_at(s, p, &before->home, true); (f = flows_next(&w)) != NULL;) {
        struct tally rtp = { 0 };

        if (flow_rtp(s->v, f, s->when, &rtp) && rtp.last.ns >= s->when.to_ns - STILL_NS &&
            (!x->local || side_has(&s->side[other_party(p)], &f->dst))) {
            own_add(s, x, &before->home, NULL);
            return;
        }
    }
}

static uint64_t rtp_of_socket(const struct scene *s, enum party p, size_t i)
{
    struct flows out = flows_of(s, p, i, true), in = flows_of(s, p, i, false);
    const struct flow *f;
    uint64_t n = 0;

    while ((f = flows_next(&out)) != NULL || (f = flows_next(&in)) != NULL)
        n += flow_rtp(s->v, f, s->when, NULL);
    return n;
}

/* Of several sockets at this vantage the one that is used: a host's own, or its relay's. */
static void home_choose(struct scene *s, enum party p)
{
    struct side *x = &s->side[p];
    uint64_t most = 0;

    for (size_t i = 0; x->local && i < x->own_n; i++) {
        const struct socket *k = x->at[i] && view_has(s->v, &x->own[i]) ? x->at[i] : NULL;
        uint64_t n = k && !s->quiet ? rtp_of_socket(s, p, i) : 0;
        bool host = k && n == most && k->relay == POOL_NONE && !view_is_local(s->v, &x->home);

        if (k && (n > most || host)) {
            most = n;
            x->home = x->own[i];
        }
    }
}

void scene_outline(struct scene *s, const struct view *v, const struct call *c, const struct agreement *a, uint8_t media,
                   struct span_of_time when)
{
    s->v = v;
    s->call = c;
    s->agreement = a;
    s->media = media;
    s->when = when;
    s->noted = NULL;
    s->quiet = s->crowded = s->choose = s->ice = false;
    s->transport = media_transport(a, media);
    side_outline(s, CALLER);
    side_outline(s, CALLEE);
}

void scene_make(struct scene *s, const struct view *v, const struct call *c, const struct agreement *a, uint8_t media,
                struct span_of_time when, const struct scene *before)
{
    scene_outline(s, v, c, a, media, when);
    s->choose = v->media_captured && media_must_choose(a, media);
    side_make(s, CALLER);
    side_make(s, CALLEE);
    s->ice = s->side[CALLER].media && s->side[CALLEE].media && s->side[CALLER].transport->ice && s->side[CALLEE].transport->ice;
    for (enum party p = CALLER; before && p < PARTIES; p++)
        home_keep(s, p, &before->side[p]);
    for (enum party p = CALLER; p < PARTIES; p++)
        rtcp_make(s, &s->side[p]);
    flows_survey(s);
    home_choose(s, CALLER);
    home_choose(s, CALLEE);
    seen_make(s, CALLER);
    seen_make(s, CALLEE);
    memset(s->note, 0, sizeof s->note);
    s->noted = s->note; /* the sides are known, and the same flows are asked for by all that judges */
}

static bool wants(enum sdp_dir d, bool sending)
{
    return d == SDP_SENDRECV || d == (sending ? SDP_SENDONLY : SDP_RECVONLY);
}

/*
 * Whoever names no address holds, in the old way (RFC 3264 §8.4). But not with port 9: then ICE has no default, its candidates come
 * later or are names (RFC 8840 §4.1.1).
 */
static bool is_nowhere(const struct media_desc *m)
{
    enum { DISCARD = 9 };

    return addr_is_none(&m->addr) && !(m->ice && m->addr.port == DISCARD);
}

bool scene_expects(const struct scene *s, enum party p)
{
    const struct side *from = &s->side[p], *to = &s->side[other_party(p)];

    return from->media && to->media && !media_rejected(s->agreement, s->media) && wants(from->media->dir, true) &&
           wants(to->media->dir, false) && !(is_nowhere(to->transport) && addr_is_v4(&to->transport->addr));
}

bool scene_held(const struct scene *s, enum party p)
{
    const struct side *from = &s->side[p], *to = &s->side[other_party(p)];

    return is_nowhere(from->transport) || from->media->dir == SDP_SENDONLY || to->media->dir == SDP_RECVONLY;
}
