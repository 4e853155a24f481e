/* TURN allocations (RFC 8656): made by Allocate, kept by Refresh, used through Send and Data indications and channels. */
#include "track/track_private.h"

static struct turn_alloc *alloc_find(struct track *t, const struct addr *client, const struct addr *server)
{
    const struct flow *f = track_find_flow(t, client, server);

    return f ? track_alloc_at(t, f->alloc) : NULL;
}

static void alloc_make(struct track *t, const struct stun_tx *x, const struct datagram *d, const struct stun_msg *m)
{
    struct flow *out = track_find_flow(t, &d->dst, &d->src), *in = track_find_flow(t, &d->src, &d->dst);
    uint32_t slot, relay = socket_get(t, &m->relayed);
    struct turn_alloc *a = out && in && relay != POOL_NONE ? pool_new(&t->allocs, &slot) : NULL;

    if (!a)
        return;
    a->client = d->dst;
    a->relayed = m->relayed;
    a->server = x->server;
    a->made = a->refreshed = d->at;
    a->lifetime_s = m->lifetime_s;
    out->alloc = in->alloc = slot;
    track_socket(t, relay)->relay = slot;
}

void turn_request(struct track *t, const struct flow *f, const struct stun_msg *m)
{
    struct turn_alloc *a = track_alloc_at(t, f->alloc);
    struct addr known;

    if (!a || m->method != STUN_CHANNEL_BIND || !m->has_channel || !m->has_peer || a->channels == TURN_CHANNELS_KEPT)
        return;
    if (!track_turn_channel(t, f, m->channel, &known))
        a->channel[a->channels++] = (struct turn_channel){ m->channel, m->peer };
}

void turn_answer(struct track *t, const struct stun_tx *x, const struct datagram *d, const struct stun_msg *m)
{
    struct turn_alloc *a;

    if (m->cls != STUN_SUCCESS)
        return;
    if (m->method == STUN_ALLOCATE && m->has_relayed) {
        alloc_make(t, x, d, m);
    } else if (m->method == STUN_REFRESH && (a = alloc_find(t, &d->dst, &d->src)) != NULL) {
        a->refreshed = d->at;
        a->lifetime_s = m->has_lifetime ? m->lifetime_s : a->lifetime_s;
    }
}

bool track_turn_channel(const struct track *t, const struct flow *f, uint16_t number, struct addr *peer)
{
    const struct turn_alloc *a = track_alloc_at(t, f->alloc);

    for (uint8_t i = 0; a && i < a->channels; i++)
        if (a->channel[i].number == number) {
            *peer = a->channel[i].peer;
            return true;
        }
    return false;
}

bool track_turn_data(struct track *t, const struct flow *f, const struct datagram *d, const struct addr *peer, size_t size,
                     struct datagram *inner)
{
    struct turn_alloc *a = track_alloc_at(t, f->alloc);
    bool out = a && addr_eq(&d->src, &a->client);

    if (!a)
        return false;
    tally_add(out ? &a->data_out : &a->data_in, d->at);
    *inner = (struct datagram){
        .at = d->at, .src = out ? a->relayed : *peer, .dst = out ? *peer : a->relayed, .size = size, .relayed = true
    };
    return true;
}
