#include "verdict/outsides.h"

#include <stdlib.h>

static bool host_eq(const void *self, uint32_t slot, const void *key)
{
    const struct outside_fact *o = pool_at(&((const struct outsides *)self)->t->outsides, slot);

    return addr_ip_eq(&o->host, key);
}

uint32_t outsides_first(const struct outsides *o, const struct addr *host)
{
    struct addr ip = addr_with_port(*host, 0);
    uint32_t slot = hmap_find(&o->by_host, addr_hash(&ip), host_eq, o, &ip);

    return slot == HMAP_NONE ? POOL_NONE : slot;
}

static bool fact_add(struct outsides *o, uint32_t fact)
{
    const struct addr *host = &((const struct outside_fact *)pool_at(&o->t->outsides, fact))->host;
    uint32_t first = outsides_first(o, host);

    o->next[fact] = POOL_NONE;
    if (first == POOL_NONE) {
        o->last[fact] = fact;
        return hmap_put(&o->by_host, addr_hash(host), fact); /* a host has no port */
    }
    o->next[o->last[first]] = fact;
    o->last[first] = fact;
    return true;
}

bool outsides_make(struct outsides *o, const struct track *t)
{
    uint32_t n = t->outsides.used;
    bool fine;

    *o = (struct outsides){ .t = t, .next = malloc((n + 1u) * sizeof *o->next), .last = malloc((n + 1u) * sizeof *o->last) };
    fine = o->next && o->last;
    for (uint32_t i = 0; fine && i < n; i++)
        fine = fact_add(o, i);
    return fine;
}

void outsides_done(struct outsides *o)
{
    hmap_done(&o->by_host);
    free(o->next);
    free(o->last);
    *o = (struct outsides){ 0 };
}
