#include <stdlib.h>

#include "net/net_private.h"

struct net *net_new(struct tcp_sink sink, struct fault_log *faults)
{
    struct net *n = calloc(1, sizeof *n);

    if (!n)
        return NULL;
    n->sink = sink;
    n->faults = faults;
    if (!frags_init(&n->frags) || !tcp_init(&n->tcp)) {
        net_free(n);
        return NULL;
    }
    return n;
}

void net_free(struct net *n)
{
    if (!n)
        return;
    frags_free(&n->frags);
    tcp_free(&n->tcp);
    free(n);
}

enum net_kind net_fault(const struct decode *d, enum fault_id id, enum net_kind kind)
{
    fault_log_one(d->net->faults, id, d->frame->id);
    return kind;
}

bool net_plain(struct net *n, const struct frame *f, struct net_packet *out)
{
    if (!plain_udp(f, out))
        return false;
    out->ts_ns = f->ts_ns;
    out->frame = out->since = f->id;
    n->stats.kinds[NET_UDP]++;
    return true;
}

enum net_kind net_frame(struct net *n, const struct frame *f, struct net_packet *out)
{
    struct decode d = { .net = n, .frame = f, .out = out };
    struct rd r = rd_init(f->bytes, f->wire);
    enum net_kind kind;

    if (net_plain(n, f, out))
        return NET_UDP;
    out->ts_ns = f->ts_ns;
    out->frame = out->since = f->id;
    out->direction = NET_DIR_UNKNOWN;
    out->inside = false;
    kind = link_input(&d, &r);
    n->stats.kinds[kind]++;
    return kind;
}

void net_flush(struct net *n)
{
    frags_flush(n);
    tcp_flush(n);
}

const struct net_stats *net_stats(const struct net *n)
{
    return &n->stats;
}
