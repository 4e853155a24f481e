#include "support/story_turn.h"

#include <criterion/criterion.h>

enum { TTL_CLIENT = 64, RTT_MS = 20 };

static struct addr at(const char *text)
{
    struct addr a;

    cr_assert(addr_parse(span_str(text), &a), "no address: %s", text);
    return a;
}

static struct datagram outer(struct story *s, struct addr from, struct addr to)
{
    bool near = addr_ip_eq(&from, &s->here);

    return (struct datagram){ .at = { s->now_ns, ++s->frame }, .src = from, .dst = to, .ttl = near ? TTL_CLIENT : s->ttl_far };
}

static void tell(struct story *s, const char *from, const char *to, const struct stun_msg *m)
{
    struct datagram d = outer(s, at(from), at(to));
    struct flow *f = track_flow(s->track, &d);

    cr_assert_not_null(f);
    track_stun(s->track, f, &d, m);
}

static struct stun_msg request_of(struct story *s, const struct turns *a)
{
    struct stun_msg m = { .cls = STUN_REQUEST, .method = a->method };

    memset(m.tid, 0xa5, sizeof m.tid);
    memcpy(m.tid, &s->frame, sizeof s->frame);
    if (a->credentials)
        m.username = SPAN("agent1");
    if (a->peer) {
        m.has_peer = true;
        m.peer = at(a->peer);
    }
    m.has_channel = a->channel != 0;
    m.channel = a->channel;
    return m;
}

static void answer_make(struct stun_msg *m, const struct turns *a)
{
    m->cls = a->error ? STUN_ERROR : STUN_SUCCESS;
    m->error = a->error;
    m->username = SPAN_NONE;
    m->has_peer = m->has_channel = false;
    m->has_relayed = a->relayed != NULL;
    if (a->relayed)
        m->relayed = at(a->relayed);
    m->has_alternate = a->alternate != NULL;
    if (a->alternate)
        m->alternate = at(a->alternate);
    m->has_lifetime = a->has_lifetime;
    m->lifetime_s = a->lifetime_s;
}

void story_turn_ask(struct story *s, const struct turns *a)
{
    struct stun_msg m = request_of(s, a);

    for (unsigned i = 0; i < (a->silent ? a->silent : 1); i++) {
        tell(s, a->from, a->server, &m);
        story_pass(s, a->silent ? 1000 : RTT_MS);
    }
    if (a->silent)
        return;
    answer_make(&m, a);
    tell(s, a->server, a->from, &m);
    story_pass(s, RTT_MS);
}

void story_allocate(struct story *s, const char *from, const char *server, const char *relayed)
{
    story_turn_ask(s, &(struct turns){ STUN_ALLOCATE, from, server, .error = 401 });
    story_turn_ask(s, &(struct turns){ STUN_ALLOCATE, from, server, .credentials = true, .relayed = relayed, .has_lifetime = true,
                                       .lifetime_s = 600 });
}

void story_permit(struct story *s, const char *peer)
{
    story_turn_ask(s, &(struct turns){ STUN_CREATE_PERMISSION, D_RTP, TURN, .credentials = true, .peer = peer });
}

void story_refresh(struct story *s, unsigned lifetime_s)
{
    story_turn_ask(
        s, &(struct turns){ STUN_REFRESH, D_RTP, TURN, .credentials = true, .has_lifetime = true, .lifetime_s = lifetime_s });
}

static const struct turn_alloc *relay_of(const struct story *s, const struct addr *a)
{
    const struct socket *k = track_find_socket(s->track, a);

    return k ? track_alloc_at(s->track, k->relay) : NULL;
}

bool story_relayed(struct story *s, const struct addr *from, const struct addr *to, size_t size, struct datagram *inner)
{
    const struct turn_alloc *out = relay_of(s, from), *in = relay_of(s, to), *a = out ? out : in;
    struct addr server;
    struct datagram d;

    if (!a || s->beyond_relay || !addr_ip_eq(&a->client, &s->here))
        return false;
    server = track_server_at(s->track, a->server)->addr;
    d = out ? outer(s, a->client, server) : outer(s, server, a->client);
    return track_turn_data(s->track, track_flow(s->track, &d), &d, out ? to : from, size, inner);
}
