/* Is a host still reached? Then its own network is not what went away. */
#include "verdict/verdict_private.h"

enum { LOOKED_AT = 1024 }; /* flows and requests of one host, the newest first */

static bool one_of(unsigned *left)
{
    return *left && (*left)--;
}

/* Does anything come to the socket after `ns` that `but` did not send? */
static bool socket_hears(const struct view *v, const struct socket *k, const struct addr *but, int64_t ns, unsigned *left)
{
    const struct flow *f;

    for (uint32_t i = k ? k->flows_in : POOL_NONE; (f = track_flow_at(v->t, i)) != NULL && one_of(left); i = f->next_in)
        if (f->ttl && !addr_ip_eq(&f->src, but) && f->packets.last.ns > ns)
            return true;
    return false;
}

bool host_hears(const struct scene *s, const struct addr *host, const struct addr *but, int64_t ns)
{
    const struct track *t = s->v->t;
    struct addr ip = addr_with_port(*host, 0);
    const struct socket *k = track_find_socket(t, &ip);
    const struct stun_tx *x;
    unsigned left = LOOKED_AT;

    for (enum party p = CALLER; p < PARTIES; p++) {
        const struct addr *sip = &s->call->signalling[p];

        if (addr_ip_eq(sip, host) && socket_hears(s->v, track_find_socket(t, sip), but, ns, &left))
            return true;
    }
    for (uint32_t i = k ? k->latest_of_host : POOL_NONE; (x = track_tx_at(t, i)) != NULL && one_of(&left); i = x->older_of_host)
        if (socket_hears(s->v, track_socket(t, x->socket), but, ns, &left))
            return true;
    return false;
}
