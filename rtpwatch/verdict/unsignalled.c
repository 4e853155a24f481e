#include "verdict/unsignalled_private.h"

#define RESTART_NS SECONDS(30) /* old and new fragments follow each other within that: as long as consent lasts (RFC 7675 §5.1) */
enum { CANDS_ICE = 24, CANDS_RTP = 8, RESTARTS_FOLLOWED = 64 };

/* "PEER:OWN", as the sender of a check writes it (RFC 8445 §7.1.2). */
struct ufrags {
    struct span own, peer;
};

static bool ufrags_of(const char *username, struct ufrags *out)
{
    struct span rest = span_str(username);

    out->peer = span_until(&rest, ':');
    out->own = rest;
    return out->peer.n > 0 && out->own.n > 0;
}

/* An SDP gave one of the fragments, or one of those before an ICE restart: the checks belong to that call. */
static bool signalled(const struct track *t, const struct check *c)
{
    const char *const users[] = { c->username, c->username_before };
    struct ufrags u;

    for (size_t i = 0; i < 2; i++)
        if (ufrags_of(users[i], &u) && (track_knows_ufrag(t, u.own) || track_knows_ufrag(t, u.peer)))
            return true;
    return false;
}

bool unsignalled_check(const struct track *t, const struct check *c)
{
    struct ufrags u;

    return c->requests.n && !c->given_up && ufrags_of(c->username, &u) && !signalled(t, c);
}

/* ---- ICE restarts (RFC 8445 §9) ---- */

static bool same_pair(const struct ufrags *a, const struct ufrags *b)
{
    return (span_eq(a->own, b->own) && span_eq(a->peer, b->peer)) || (span_eq(a->own, b->peer) && span_eq(a->peer, b->own));
}

static uint64_t ufrags_hash(const struct ufrags *u)
{
    return hash_bytes(u->own.p, u->own.n) ^ hash_bytes(u->peer.p, u->peer.n); /* the same from both sides */
}

static bool restart_eq(const void *self, uint32_t slot, const void *key)
{
    const struct ice_restart *r = pool_at(&((const struct view *)self)->t->restarts, slot);
    struct ufrags before;

    return ufrags_of(r->before, &before) && same_pair(&before, key);
}

/* Both agents chose anew, at once, on the same two addresses. One new fragment is another peer: a fork, or the next call. */
static bool is_restart(const struct ice_restart *r, struct ufrags *before)
{
    struct ufrags after;

    return ufrags_of(r->before, before) && ufrags_of(r->after, &after) && !span_eq(before->own, after.own) &&
           !span_eq(before->peer, after.peer) && r->first_after.ns - r->last_before.ns <= RESTART_NS;
}

static void restarts_index(struct unsignalled *u, const struct view *v)
{
    for (uint32_t i = 0; i < v->t->restarts.used; i++) {
        struct ufrags before;

        if (is_restart(pool_at(&v->t->restarts, i), &before) &&
            hmap_find(&u->by_restart, ufrags_hash(&before), restart_eq, v, &before) == HMAP_NONE)
            hmap_put(&u->by_restart, ufrags_hash(&before), i);
    }
}

/* The fragments that the session had at its end; how often they changed until then. */
static unsigned follow(const struct unsignalled *u, const struct view *v, struct ufrags *key)
{
    unsigned n = 0;

    for (; n < RESTARTS_FOLLOWED; n++) {
        uint32_t slot = hmap_find(&u->by_restart, ufrags_hash(key), restart_eq, v, key);
        const struct ice_restart *r = slot == HMAP_NONE ? NULL : pool_at(&v->t->restarts, slot);
        struct ufrags before, after;

        if (!r || !ufrags_of(r->before, &before) || !ufrags_of(r->after, &after))
            break;
        *key = span_eq(before.own, key->own) ? after : (struct ufrags){ after.peer, after.own };
    }
    return n;
}

/* ---- sessions ---- */

static bool ufrags_eq(const void *self, uint32_t slot, const void *key)
{
    const struct unsignalled *u = self;
    const struct call *c = pool_at(&u->calls, slot);
    struct ufrags own = { span_str(c->sdps->media->ufrag), span_str(c->sdps->next->media->ufrag) };

    return same_pair(&own, key);
}

static uint8_t room_of(const struct media_desc *m)
{
    return m->ice ? CANDS_ICE : CANDS_RTP;
}

static struct sdp_fact *side_make(struct call *c, enum session_kind kind, enum party p, struct seen at)
{
    struct sdp_fact *f = arena_take(&c->arena, sizeof *f);
    bool ice = kind == SESSION_ICE;

    if (!f || !(f->media = arena_take(&c->arena, sizeof *f->media)))
        return NULL;
    *f->media = (struct media_desc){ .kind = SDP_OTHER, .dir = SDP_SENDRECV, .ice = ice, .rtcp_mux = ice };
    f->media->host = f->media->mid = f->media->ufrag = f->media->pwd = f->media->codec = "";
    f->cand = arena_take(&c->arena, room_of(f->media) * sizeof *f->cand);
    f->party = (uint8_t)p;
    f->at = at;
    f->medias = 1;
    return f->cand ? f : NULL;
}

struct call *unsignalled_session(struct unsignalled *u, enum session_kind kind, struct seen at, uint32_t *slot)
{
    struct call *c = pool_new(&u->calls, slot);
    struct agreement *a;

    if (!c) {
        u->refused++;
        return NULL;
    }
    c->call_id = c->from_uri = c->to_uri = c->from_tag = c->agent[CALLER] = c->agent[CALLEE] = "";
    c->state = CALL_UP;
    c->started = c->answered = c->last = at;
    a = arena_take(&c->arena, sizeof *a);
    if (!a || !(c->sdps = side_make(c, kind, CALLER, at)) || !(c->sdps->next = side_make(c, kind, CALLEE, at))) {
        u->refused++; /* what is left is a call without any description */
        return NULL;
    }
    c->kind = (uint8_t)kind;
    a->by[CALLER] = c->sdps;
    a->by[CALLEE] = c->sdps->next;
    a->since = at;
    a->confirmed = true;
    c->agreements = a;
    return c;
}

static struct call *session_make(struct unsignalled *u, const struct ufrags *key, struct seen at)
{
    uint32_t slot;
    struct call *c = unsignalled_session(u, SESSION_ICE, at, &slot);

    if (!c)
        return NULL;
    c->sdps->media->ufrag = arena_str(&c->arena, key->own);
    c->sdps->next->media->ufrag = arena_str(&c->arena, key->peer);
    return hmap_put(&u->by_ufrags, ufrags_hash(key), slot) ? c : NULL;
}

void unsignalled_candidate(struct sdp_fact *f, const struct addr *a, enum sdp_cand_type type, const struct addr *base)
{
    for (size_t i = 0; i < f->cands; i++)
        if (addr_eq(&f->cand[i].addr, a))
            return;
    if (f->cands == room_of(f->media) || !addr_usable(a))
        return;
    f->cand[f->cands++] =
        (struct cand_desc){ .component = 1, .type = (uint8_t)type, .addr = *a, .raddr = base ? *base : ADDR_NONE };
}

void unsignalled_sender(const struct view *v, struct sdp_fact *f, const struct addr *src, enum sdp_cand_type type, int64_t ns)
{
    const struct socket *k = track_find_socket(v->t, src);
    const struct stun_tx *x;

    unsignalled_candidate(f, src, type, NULL);
    for (uint32_t i = k ? k->asked : POOL_NONE; (x = track_tx_at(v->t, i)) != NULL; i = x->next_asked)
        if (x->success && x->answer.ns <= ns) {
            unsignalled_candidate(f, &x->mapped, SDP_CAND_SRFLX, src);
            f->at = x->answer.ns > f->at.ns ? (struct seen){ x->answer.ns, f->at.frame } : f->at;
        }
}

/* What it tried: an address that the other side must have advertised, though only its kind can be guessed. */
static void tried_add(struct sdp_fact *f, const struct addr *dst)
{
    unsignalled_candidate(f, dst, addr_is_unroutable(dst) ? SDP_CAND_HOST : SDP_CAND_UNKNOWN, NULL);
}

static void session_add(const struct view *v, struct unsignalled *u, const struct check *c)
{
    const struct flow *flow = track_flow_at(v->t, c->flow);
    enum sdp_cand_type type = view_has(v, &flow->src) ? SDP_CAND_HOST : SDP_CAND_PRFLX;
    struct sdp_fact *own, *peer;
    struct ufrags key;
    struct call *s;
    uint32_t slot;

    if (!unsignalled_check(v->t, c) || !ufrags_of(c->username, &key))
        return;
    follow(u, v, &key);
    slot = hmap_find(&u->by_ufrags, ufrags_hash(&key), ufrags_eq, u, &key);
    s = slot == HMAP_NONE ? session_make(u, &key, c->requests.first) : pool_at(&u->calls, slot);
    if (!s)
        return;
    if (c->requests.first.ns < s->started.ns)
        s->started = s->answered = s->agreements->since = c->requests.first;
    if (flow->packets.last.ns > s->last.ns)
        s->last = flow->packets.last;
    own = span_eq(span_str(s->sdps->media->ufrag), key.own) ? s->sdps : s->sdps->next;
    peer = own == s->sdps ? s->sdps->next : s->sdps;
    unsignalled_sender(v, own, &flow->src, type, c->requests.last.ns);
    tried_add(peer, &flow->dst);
}

static void restarts_count(struct unsignalled *u, const struct view *v)
{
    for (uint32_t i = 0; i < v->t->restarts.used; i++) {
        struct ufrags key;
        unsigned n = is_restart(pool_at(&v->t->restarts, i), &key) ? follow(u, v, &key) : 0;
        uint32_t slot = n ? hmap_find(&u->by_ufrags, ufrags_hash(&key), ufrags_eq, u, &key) : HMAP_NONE;
        struct call *c = slot == HMAP_NONE ? NULL : pool_at(&u->calls, slot);

        if (c && n > c->ice_restarts)
            c->ice_restarts = (uint16_t)n;
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

void unsignalled_close(const struct view *v, struct call *c)
{
    if (v->now_ns - c->last.ns > JUDGE_MIN_NS) {
        c->ended = c->last;
        c->state = CALL_OVER;
    }
}

void unsignalled_make(struct unsignalled *u, const struct view *v)
{
    *u = (struct unsignalled){ 0 };
    pool_init(&u->calls, sizeof(struct call), UNSIGNALLED_KEPT);
    restarts_index(u, v);
    for (uint32_t i = 0; i < v->t->checks.used; i++)
        session_add(v, u, track_check_at(v->t, i));
    restarts_count(u, v);
    for (uint32_t i = 0; i < u->calls.used; i++) {
        struct call *c = pool_at(&u->calls, i);

        if (!c->agreements)
            continue;
        default_choose(c->sdps);
        default_choose(c->sdps->next);
        unsignalled_close(v, c);
    }
    unsignalled_rtp(u, v);
}

void unsignalled_turn(struct call *c)
{
    struct sdp_fact *first = c->sdps, *second = first->next;
    uint32_t ssrc = c->ssrc[CALLER];

    c->ssrc[CALLER] = c->ssrc[CALLEE];
    c->ssrc[CALLEE] = ssrc;
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
    hmap_done(&u->by_restart);
}
