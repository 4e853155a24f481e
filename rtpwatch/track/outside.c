/*
 * Where a SIP sender is seen from: a server writes received= and rport= into the Via of the request that it got (RFC 3261 §18.2.1,
 * RFC 3581), and sends that Via back in its replies and on with the request.
 */
#include "track/track_private.h"

struct outside_key {
    const struct addr *host, *outside;
};

/* Of the two IPs alone. */
static uint64_t outside_hash(const struct outside_key *k)
{
    uint8_t both[32];

    memcpy(both, k->host->ip, 16);
    memcpy(both + 16, k->outside->ip, 16);
    return hash_bytes(both, sizeof both);
}

static bool outside_eq(const void *self, uint32_t slot, const void *key)
{
    const struct track *t = self;
    const struct outside_fact *o = pool_at(&t->outsides, slot);
    const struct outside_key *k = key;

    return addr_ip_eq(&o->host, k->host) && addr_ip_eq(&o->outside, k->outside);
}

/*
 * Replies say the same again and again: a fact is found by what the first one said, too, so that its addresses need not be read once
 * more.
 */
static uint64_t as_sent_hash(const struct sip_via *v)
{
    return hash_bytes(v->host.p, v->host.n) * 31 + hash_bytes(v->received.p, v->received.n);
}

static bool as_sent_eq(const void *self, uint32_t slot, const void *key)
{
    const struct track *t = self;
    const struct outside_fact *o = pool_at(&t->outsides, slot);
    const struct sip_via *v = key;

    return text_is(o->as_sent, o->host_n, v->host) && text_is(o->as_sent + o->host_n, o->received_n, v->received);
}

static struct outside_fact *find_as_sent(const struct track *t, const struct sip_via *v)
{
    uint32_t slot = hmap_find(&t->by_outside, as_sent_hash(v), as_sent_eq, t, v);

    return slot == HMAP_NONE ? NULL : pool_at(&t->outsides, slot);
}

static void keep_as_sent(struct track *t, uint32_t slot, const struct sip_via *v)
{
    struct outside_fact *o = pool_at(&t->outsides, slot);

    if (!v->host.n || v->host.n + v->received.n > OUTSIDE_TEXT || find_as_sent(t, v) ||
        !hmap_put(&t->by_outside, as_sent_hash(v), slot))
        return;
    o->host_n = (uint8_t)v->host.n;
    o->received_n = (uint8_t)v->received.n;
    memcpy(o->as_sent, v->host.p, v->host.n);
    if (v->received.n)
        memcpy(o->as_sent + v->host.n, v->received.p, v->received.n);
}

static RARE void outside_add(struct track *t, const struct datagram *d, const struct sip_via *v, const struct addr *host,
                             const struct addr *outside)
{
    struct outside_key k = { host, outside };
    uint64_t hash = outside_hash(&k);
    uint32_t slot = hmap_find(&t->by_outside, hash, outside_eq, t, &k);
    struct outside_fact *o;

    if (slot == HMAP_NONE) {
        o = pool_new(&t->outsides, &slot);
        if (!o || !hmap_put(&t->by_outside, hash, slot))
            return;
        o->host = addr_with_port(*host, 0);
        o->outside = *outside;
        o->teller = d->src;
        o->told = d->dst;
        keep_as_sent(t, slot, v);
    }
    o = pool_at(&t->outsides, slot);
    tally_add(&o->at, d->at);
}

/* A reply without proxies in between that says what a known fact says: counted. False: the Via has to be read. */
static bool said_again(const struct track *t, const struct datagram *d, const struct sip_msg *m, struct addr *host,
                       struct addr *outside)
{
    struct outside_fact *o = m->request || m->vias != 1 ? NULL : find_as_sent(t, m->via);

    if (!o || !addr_ip_eq(&o->host, &d->dst))
        return false;
    *host = o->host;
    *outside = addr_with_port(o->outside, m->via->rport);
    tally_add(&o->at, d->at);
    return true;
}

/*
 * No received= in a reply to the very host that the Via names: the server would have written it had it seen the request come from
 * elsewhere (RFC 3261 §18.2.1).
 */
static RARE bool said_by_silence(const struct datagram *d, const struct sip_msg *m, struct addr *host, struct addr *outside)
{
    if (m->request || m->vias != 1 || m->via->rport || addr_is_unroutable(&d->dst) || !addr_parse_ip(m->via->host, 0, host) ||
        !addr_ip_eq(host, &d->dst))
        return false;
    *outside = *host;
    return true;
}

/* False: it tells no address. */
static RARE bool said(struct track *t, const struct datagram *d, const struct sip_msg *m, const struct sip_via *v,
                      struct addr *host, struct addr *outside)
{
    if (!v->received.n ? !said_by_silence(d, m, host, outside) : !addr_parse_ip(v->received, v->rport, outside))
        return false;
    if (!addr_parse_ip(v->host, 0,
                       host)) { /* a name, such as a webphone's "x.invalid" (RFC 7118 §5): known only where it is told */
        *host = m->request || m->vias != 1 ? ADDR_NONE : addr_with_port(d->dst, 0);
    }
    if (!m->request && addr_ip_eq(host, &d->dst)) /* told to that very host: its private address is not somebody else's */
        outside_add(t, d, v, host, outside);
    return true;
}

/*
 * In a reply the last Via is the asker's own, and in a request that came through a proxy as well: the first hop's. Only there does
 * received= tell of the party itself and not of a proxy. A request tells nothing but whose call it is.
 */
void outside_message(struct track *t, struct call *c, const struct datagram *d, const struct sip_msg *m, enum party asker)
{
    const struct sip_via *v = m->vias ? &m->via[m->vias - 1] : NULL;
    struct addr host, outside;

    if (!v || (m->request && (!v->received.n || !c || c->outside[asker])))
        return;
    if (!said_again(t, d, m, &host, &outside) && !said(t, d, m, v, &host, &outside))
        return;
    if (!c || c->outside[asker])
        return;
    c->outside[asker] = arena_take(&c->arena, sizeof *c->outside[asker]);
    if (c->outside[asker])
        *c->outside[asker] = (struct call_outside){ host, outside, d->at };
}
