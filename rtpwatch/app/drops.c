#include "app/drops.h"

#include "base/clock.h"

bool drops_look(struct drops *d, const struct capture_input *in, int64_t now_ns, uint64_t *packets, uint64_t *dropped)
{
    if (lost_too_many(in->packets - d->packets, in->dropped - d->dropped))
        d->doubt_until_ns = now_ns + DROPS_DOUBT_NS;
    d->packets = in->packets;
    d->dropped = in->dropped;
    *packets = in->packets - d->told_packets;
    *dropped = in->dropped - d->told_dropped;
    if (!*dropped || (d->told_dropped && now_ns - d->told_ns < DROPS_TOLD_EVERY_NS))
        return false;
    d->told_packets = in->packets;
    d->told_dropped = in->dropped;
    d->told_ns = now_ns;
    return true;
}
