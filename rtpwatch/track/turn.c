/*
 * TURN (RFC 8656): allocations, made by Allocate and kept by Refresh; the peers that permissions and channels let through; and what goes
 * through, in Send and Data indications and in channels.
 */
#include "track/track_private.h"

#define PERMISSION_GRACE_NS SECONDS(5) /* a server's timers are not sharp, and a permission counts from when it has the request */
enum { LIFETIME_S = 600 };             /* where the answer names none (RFC 8656 §3.2) */

static struct turn_alloc *alloc_find(struct track *t, const struct addr *client, const struct addr *server)
{
    const struct flow *f = track_find_flow(t, client, server);

    return f ? track_alloc_at(t, f->alloc) : NULL;
}

int64_t turn_alloc_end(const struct turn_alloc *a)
{
    return a->deleted.frame ? a->deleted.ns : a->refreshed.ns + (int64_t)a->lifetime_s * NS_PER_S;
}

static RARE void alloc_make(struct track *t, const struct stun_tx *x, const struct datagram *d, const struct stun_msg *m)
{
    struct flow *out = track_find_flow(t, &d->dst, &d->src), *in = track_find_flow(t, &d->src, &d->dst);
    uint32_t slot, relay = socket_get(t, &m->relayed);
    struct turn_alloc *a = out && in && relay != POOL_NONE ? pool_new(&t->allocs, &slot) : NULL;

    track_server_at(t, x->server)->allocations++;
    if (!a)
        return;
    a->client = d->dst;
    a->relayed = m->relayed;
    a->server = x->server;
    a->made = a->refreshed = d->at;
    a->lifetime_s = m->has_lifetime ? m->lifetime_s : LIFETIME_S;
    a->peers = POOL_NONE;
    out->alloc = in->alloc = slot;
    track_socket(t, relay)->relay = slot;
}

static RARE void alloc_refresh(struct turn_alloc *a, const struct datagram *d, const struct stun_msg *m)
{
    a->refreshed = d->at;
    a->lifetime_s = m->has_lifetime ? m->lifetime_s : a->lifetime_s;
    if (!a->lifetime_s) /* RFC 8656 §7.2 */
        a->deleted = d->at;
}

/* ---- peers ---- */

struct turn_peer *track_turn_peer(const struct track *t, const struct turn_alloc *a, const struct addr *peer)
{
    struct turn_peer *p;

    for (uint32_t i = a->peers; (p = track_turn_peer_at(t, i)) != NULL; i = p->next)
        if (addr_ip_eq(&p->peer, peer))
            return p;
    return NULL;
}

static struct turn_peer *peer_get(struct track *t, struct turn_alloc *a, const struct addr *peer)
{
    struct turn_peer *p = track_turn_peer(t, a, peer);
    uint32_t slot;

    if (p)
        return p;
    p = a->peers_n < TURN_PEERS_KEPT ? pool_new(&t->turn_peers, &slot) : NULL;
    if (!p) {
        a->not_kept++;
        return NULL;
    }
    p->peer = *peer;
    p->tx[0] = p->tx[1] = POOL_NONE;
    p->next = a->peers;
    a->peers = slot;
    a->peers_n++;
    return p;
}

static void permission_asked(struct track *t, struct turn_alloc *a, const struct addr *peer, struct seen at, uint32_t tx)
{
    struct turn_peer *p = peer_get(t, a, peer);
    const struct stun_tx *x = track_tx_at(t, tx);

    if (!p)
        return;
    tally_add(&p->asked, at);
    if (x)
        p->tx[x->method == STUN_CHANNEL_BIND] = tx;
}

/* One request may name several peers (RFC 8656 §9.1). */
static RARE void permissions_asked(struct track *t, struct turn_alloc *a, const struct stun_msg *m, struct seen at, uint32_t tx)
{
    struct addr more;

    permission_asked(t, a, &m->peer, at, tx);
    for (size_t i = 0; i < m->attrs; i++)
        if (m->attr[i].code == STUN_XOR_PEER_ADDRESS && stun_attr_addr(m, &m->attr[i], &more) && !addr_ip_eq(&more, &m->peer))
            permission_asked(t, a, &more, at, tx);
}

/* What was answered counts for all the peers that the request named. */
static RARE void permissions_answered(struct track *t, struct turn_alloc *a, uint32_t tx, const struct stun_msg *m,
                                      struct seen at)
{
    struct turn_peer *p;

    for (uint32_t i = a->peers; (p = track_turn_peer_at(t, i)) != NULL; i = p->next) {
        if (p->tx[0] != tx && p->tx[1] != tx)
            continue;
        if (m->cls == STUN_SUCCESS) {
            tally_add(&p->granted, at);
        } else if (m->error != 438) {
            tally_add(&p->refused, at);
            p->error = m->error;
        }
    }
}

/* No grant is in force, and none is under way or was lost on it: what is sent to that peer is dropped. */
static bool forbidden(const struct track *t, const struct turn_peer *p, int64_t ns)
{
    const struct stun_tx *a = track_tx_at(t, p->tx[0]), *b = track_tx_at(t, p->tx[1]);

    if (p->granted.n && ns <= p->granted.last.ns + TURN_PERMISSION_NS + PERMISSION_GRACE_NS)
        return false;
    return (!a || a->answer.frame) && (!b || b->answer.frame);
}

/* ---- channels ---- */

static struct turn_channel *channel_find(struct turn_alloc *a, uint16_t number)
{
    for (uint8_t i = 0; i < a->channels; i++)
        if (a->channel[i].number == number)
            return &a->channel[i];
    return NULL;
}

/* Used from the request on, since its answer may not be in the capture; bound to another peer only when it is free (RFC 8656 §12). */
static RARE void channel_asked(struct turn_alloc *a, const struct stun_msg *m, struct seen at)
{
    struct turn_channel *c = channel_find(a, m->channel);

    if (!c && a->channels < TURN_CHANNELS_KEPT) {
        c = &a->channel[a->channels++];
        *c = (struct turn_channel){ m->channel, m->peer, at };
    } else if (!c) {
        a->not_kept++;
    } else if (addr_eq(&c->peer, &m->peer) || at.ns - c->asked.ns > TURN_CHANNEL_NS) {
        c->peer = m->peer;
        c->asked = at;
    }
}

bool track_turn_channel(const struct track *t, const struct flow *f, uint16_t number, struct addr *peer)
{
    struct turn_alloc *a = track_alloc_at(t, f->alloc);
    const struct turn_channel *c = a ? channel_find(a, number) : NULL;

    if (c)
        *peer = c->peer;
    return c != NULL;
}

/* ---- messages ---- */

void turn_request(struct track *t, const struct flow *f, const struct datagram *d, const struct stun_msg *m, uint32_t tx)
{
    struct turn_alloc *a = track_alloc_at(t, f->alloc);

    t->relays_asked += m->method == STUN_ALLOCATE;
    if (!a || !m->has_peer || (m->method != STUN_CREATE_PERMISSION && m->method != STUN_CHANNEL_BIND))
        return;
    if (m->method == STUN_CHANNEL_BIND && m->has_channel)
        channel_asked(a, m, d->at);
    permissions_asked(t, a, m, d->at, tx);
}

static RARE void turn_refused(struct track *t, const struct stun_tx *x)
{
    bool turn = x->method == STUN_ALLOCATE || x->method == STUN_REFRESH || x->method == STUN_CREATE_PERMISSION ||
                x->method == STUN_CHANNEL_BIND;

    if (turn && x->error != 438 && x->error != 300 && (x->error != 401 || x->credentials))
        track_server_at(t, x->server)->turn_refused++;
}

void turn_answer(struct track *t, uint32_t tx, const struct datagram *d, const struct stun_msg *m)
{
    const struct stun_tx *x = track_tx_at(t, tx);
    struct turn_alloc *a;

    if (m->cls == STUN_ERROR)
        turn_refused(t, x);
    if (m->method == STUN_BINDING) /* no method of TURN's */
        return;
    a = alloc_find(t, &d->dst, &d->src);
    if (m->method == STUN_ALLOCATE && m->cls == STUN_SUCCESS && m->has_relayed)
        alloc_make(t, x, d, m);
    else if (m->method == STUN_REFRESH && m->cls == STUN_SUCCESS && a)
        alloc_refresh(a, d, m);
    else if ((m->method == STUN_CREATE_PERMISSION || m->method == STUN_CHANNEL_BIND) && a)
        permissions_answered(t, a, tx, m, d->at);
}

static void data_count(struct track *t, struct turn_alloc *a, const struct addr *peer, bool out, struct seen at)
{
    struct turn_peer *p = peer_get(t, a, peer);

    tally_add(out ? &a->data_out : &a->data_in, at);
    if (at.ns > turn_alloc_end(a))
        tally_add(out ? &a->late_out : &a->late_in, at);
    if (!p)
        return;
    if (out && forbidden(t, p, at.ns))
        tally_add(&p->unpermitted, at);
    tally_add(out ? &p->out : &p->in, at);
}

bool track_turn_data(struct track *t, const struct flow *f, const struct datagram *d, const struct addr *peer, size_t size,
                     struct datagram *inner)
{
    struct turn_alloc *a = track_alloc_at(t, f->alloc);
    bool out = a && addr_eq(&d->src, &a->client);

    if (!a)
        return false;
    data_count(t, a, peer, out, d->at);
    *inner = (struct datagram){
        .at = d->at, .src = out ? a->relayed : *peer, .dst = out ? *peer : a->relayed, .size = size, .relayed = true
    };
    return true;
}
