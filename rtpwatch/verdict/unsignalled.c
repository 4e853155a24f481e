#include "verdict/unsignalled.h"

#include "verdict/verdict_private.h"

enum { CANDS_KEPT = 24 };

/* "PEER:OWN", as the sender of a check writes it (RFC 8445 §7.1.2). */
struct ufrags {
    struct span own, peer;
};

static bool ufrags_of(const struct check *c, struct ufrags *out)
{
    struct span rest = span_str(c->username);

    out->peer = span_until(&rest, ':');
    out->own = rest;
    return out->peer.n > 0 && out->own.n > 0;
}

/* An SDP gave one of the two: the checks belong to that call. */
static bool signalled(const struct track *t, const struct ufrags *u)
{
    return track_knows_ufrag(t, u->own) || track_knows_ufrag(t, u->peer);
}

static bool ufrags_eq(const void *self, uint32_t slot, const void *key)
{
    const struct unsignalled *u = self;
    const struct call *c = pool_at(&u->calls, slot);
    const struct ufrags *k = key;
    struct span a = span_str(c->sdps->media->ufrag), b = span_str(c->sdps->next->media->ufrag);

    return (span_eq(a, k->own) && span_eq(b, k->peer)) || (span_eq(a, k->peer) && span_eq(b, k->own));
}

static uint64_t ufrags_hash(const struct ufrags *u)
{
    return hash_bytes(u->own.p, u->own.n) ^ hash_bytes(u->peer.p, u->peer.n); /* the same from both sides */
}

static struct sdp_fact *side_make(struct call *c, enum party p, struct span ufrag, struct seen at)
{
    struct sdp_fact *f = arena_take(&c->arena, sizeof *f);

    if (!f)
        return NULL;
    f->media = arena_take(&c->arena, sizeof *f->media);
    f->cand = arena_take(&c->arena, CANDS_KEPT * sizeof *f->cand);
    if (!f->media || !f->cand)
        return NULL;
    f->party = p;
    f->at = at;
    f->medias = 1;
    *f->media = (struct media_desc){
        .kind = SDP_OTHER, .dir = SDP_SENDRECV, .ice = true, .rtcp_mux = true, .host = "", .mid = "", .pwd = "", .codec = ""
    };
    f->media->ufrag = arena_str(&c->arena, ufrag);
    return f;
}

static struct call *session_make(struct unsignalled *u, const struct ufrags *key, struct seen at)
{
    uint32_t slot;
    struct call *c = pool_new(&u->calls, &slot);
    struct agreement *a;

    if (!c)
        return NULL;
    a = arena_take(&c->arena, sizeof *a);
    c->sdps = side_make(c, CALLER, key->own, at);
    if (!a || !c->sdps || !(c->sdps->next = side_make(c, CALLEE, key->peer, at)) ||
        !hmap_put(&u->by_ufrags, ufrags_hash(key), slot))
        return NULL;
    c->kind = SESSION_ICE;
    c->call_id = c->from_uri = c->to_uri = c->from_tag = c->agent[CALLER] = c->agent[CALLEE] = "";
    c->state = CALL_UP;
    c->started = c->answered = at;
    a->by[CALLER] = c->sdps;
    a->by[CALLEE] = c->sdps->next;
    a->since = at;
    a->confirmed = true;
    c->agreements = a;
    return c;
}

static void cand_add(struct sdp_fact *f, const struct addr *a, enum sdp_cand_type type, const struct addr *base)
{
    for (size_t i = 0; i < f->cands; i++)
        if (addr_eq(&f->cand[i].addr, a))
            return;
    if (f->cands == CANDS_KEPT || !addr_usable(a))
        return;
    f->cand[f->cands++] =
        (struct cand_desc){ .component = 1, .type = type, .addr = *a, .raddr = base ? *base : ADDR_NONE, .host = "" };
}

/* The socket that sent, and what STUN servers told it before. */
static void sender_add(const struct view *v, struct sdp_fact *f, const struct flow *flow)
{
    const struct socket *k = track_socket(v->t, flow->src_socket);
    const struct stun_tx *x;

    cand_add(f, &flow->src, view_has(v, &flow->src) ? SDP_CAND_HOST : SDP_CAND_PRFLX, NULL);
    for (uint32_t i = k->asked; (x = track_tx_at(v->t, i)) != NULL; i = x->next_asked)
        if (x->success && x->answer.ns <= track_check_at(v->t, flow->checks)->requests.last.ns) {
            cand_add(f, &x->mapped, SDP_CAND_SRFLX, &flow->src);
            f->at = x->answer.ns > f->at.ns ? (struct seen){ x->answer.ns, f->at.frame } : f->at;
        }
}

/* What it tried: an address that the other side must have advertised, though only its kind can be guessed. */
static void tried_add(struct sdp_fact *f, const struct addr *dst)
{
    cand_add(f, dst, addr_is_unroutable(dst) ? SDP_CAND_HOST : SDP_CAND_UNKNOWN, NULL);
}

static void session_add(const struct view *v, struct unsignalled *u, const struct check *c)
{
    const struct flow *flow = track_flow_at(v->t, c->flow);
    struct ufrags key;
    struct call *s;
    uint32_t slot;

    if (!ufrags_of(c, &key) || signalled(v->t, &key))
        return;
    slot = hmap_find(&u->by_ufrags, ufrags_hash(&key), ufrags_eq, u, &key);
    s = slot == HMAP_NONE ? session_make(u, &key, c->requests.first) : pool_at(&u->calls, slot);
    if (!s)
        return;
    if (c->requests.first.ns < s->started.ns)
        s->started = s->answered = s->agreements->since = c->requests.first;
    if (flow->packets.last.ns > s->last.ns)
        s->last = flow->packets.last;
    if (span_eq(span_str(s->sdps->media->ufrag), key.own)) {
        sender_add(v, s->sdps, flow);
        tried_add(s->sdps->next, &flow->dst);
    } else {
        sender_add(v, s->sdps->next, flow);
        tried_add(s->sdps, &flow->dst);
    }
}

/* The default address: what the outside was told, else the host's own. */
static void default_choose(struct sdp_fact *f)
{
    const struct cand_desc *best = f->cands ? &f->cand[0] : NULL;

    for (size_t i = 0; i < f->cands; i++)
        if (f->cand[i].type == SDP_CAND_SRFLX || (!addr_is_unroutable(&f->cand[i].addr) && addr_is_unroutable(&best->addr)))
            best = &f->cand[i];
    if (best)
        f->media->addr = best->addr;
}

/* It ends with its last packet, unless that is the end of what was seen. */
static void session_close(const struct view *v, struct call *c)
{
    default_choose(c->sdps);
    default_choose(c->sdps->next);
    if (v->now_ns - c->last.ns > JUDGE_MIN_NS) {
        c->ended = c->last;
        c->state = CALL_OVER;
    }
}

bool unsignalled_make(struct unsignalled *u, const struct view *v)
{
    *u = (struct unsignalled){ 0 };
    pool_init(&u->calls, sizeof(struct call), UNSIGNALLED_KEPT);
    for (uint32_t i = 0; i < v->t->checks.used; i++)
        if (track_check_at(v->t, i)->requests.n)
            session_add(v, u, track_check_at(v->t, i));
    for (uint32_t i = 0; i < u->calls.used; i++)
        if (((struct call *)pool_at(&u->calls, i))->agreements)
            session_close(v, pool_at(&u->calls, i));
    return true;
}

void unsignalled_turn(struct call *c)
{
    struct sdp_fact *first = c->sdps, *second = first->next;

    c->sdps = second;
    second->next = first;
    first->next = NULL;
    second->party = CALLER;
    first->party = CALLEE;
    c->agreements->by[CALLER] = second;
    c->agreements->by[CALLEE] = first;
}

void unsignalled_done(struct unsignalled *u)
{
    for (uint32_t i = 0; i < u->calls.used; i++)
        arena_done(&((struct call *)pool_at(&u->calls, i))->arena);
    pool_done(&u->calls);
    hmap_done(&u->by_ufrags);
}
