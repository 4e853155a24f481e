#include "app/twice.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hmap.h"
#include "net/net.h"

/* Each packet has one place, and a later one takes it: within TWICE_NS that is rare, and then a copy is counted as before. */
struct twice {
    struct twice_entry entry[TWICE_KEPT];
};

struct twice *twice_new(void)
{
    return calloc(1, sizeof(struct twice));
}

void twice_free(struct twice *t)
{
    free(t);
}

static struct twice_entry *entry_of(struct twice *t, uint64_t hash)
{
    return &t->entry[(hash >> 32) % TWICE_KEPT];
}

const struct twice_entry *twice_entry(const struct twice *t, size_t i)
{
    return i < TWICE_KEPT ? &t->entry[i] : NULL;
}

void twice_put(struct twice *t, const struct twice_entry *e)
{
    if (e->hash)
        *entry_of(t, e->hash) = *e;
}

bool twice_seen(struct twice *t, const struct frame *f)
{
    struct span ip = net_ip_bytes(f);
    size_t most = net_ip_tunnels(ip) ? TWICE_TUNNEL_BYTES : TWICE_BYTES;
    uint64_t hash = ip.n ? hash_fixed(ip.p, ip.n < most ? ip.n : most) : 0;
    struct twice_entry *e = entry_of(t, hash);
    unsigned input = frame_input(f->id);

    if (!hash)
        return false;
    if (e->hash == hash && e->input != input && f->ts_ns - e->ns <= TWICE_NS)
        return true;
    *e = (struct twice_entry){ hash, f->ts_ns, input };
    return false;
}
