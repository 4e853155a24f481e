#include "verdict/dns_index.h"

#include <stdlib.h>

static bool ip_eq(const void *self, uint32_t slot, const void *key)
{
    return addr_ip_eq(&dns_fact_at(((const struct dns_index *)self)->t, slot)->addr, key);
}

static bool name_eq(const void *self, uint32_t slot, const void *key)
{
    const struct dns_fact *n = dns_fact_at(((const struct dns_index *)self)->t, slot), *like = key;

    return n->type == like->type && strcmp(n->name, like->name) == 0;
}

static uint64_t ip_hash(const struct addr *a)
{
    struct addr ip = addr_with_port(*a, 0);

    return addr_hash(&ip);
}

static uint64_t name_hash(const struct dns_fact *n)
{
    return hash_bytes(n->name, strlen(n->name)) ^ n->type;
}

uint32_t dns_index_ip(const struct dns_index *x, const struct addr *a)
{
    return hmap_find(&x->by_ip, ip_hash(a), ip_eq, x, a);
}

uint32_t dns_index_name(const struct dns_index *x, const struct dns_fact *like)
{
    return hmap_find(&x->by_name, name_hash(like), name_eq, x, like);
}

/* Behind the first one alike, or as the first. */
static bool enter(struct hmap *map, uint64_t hash, uint32_t head, uint32_t *next, uint32_t slot)
{
    next[slot] = HMAP_NONE;
    if (head == HMAP_NONE)
        return hmap_put(map, hash, slot);
    next[slot] = next[head];
    next[head] = slot;
    return true;
}

static bool grow(struct dns_index *x, uint32_t used)
{
    uint32_t room = x->room * 2 > used ? x->room * 2 : used;
    uint32_t *ip, *name;

    if (used <= x->room)
        return true;
    ip = realloc(x->next_ip, room * sizeof *ip);
    if (ip)
        x->next_ip = ip;
    name = realloc(x->next_name, room * sizeof *name);
    if (name)
        x->next_name = name;
    if (ip && name)
        x->room = room;
    return ip && name;
}

bool dns_index_extend(struct dns_index *x, const struct track *t)
{
    x->t = t;
    if (!grow(x, t->names.used))
        return false;
    for (; x->n < t->names.used; x->n++) {
        const struct dns_fact *n = dns_fact_at(t, x->n);

        x->next_ip[x->n] = HMAP_NONE;
        if (n->type != DNS_SRV && !enter(&x->by_ip, ip_hash(&n->addr), dns_index_ip(x, &n->addr), x->next_ip, x->n))
            return false;
        if (!enter(&x->by_name, name_hash(n), dns_index_name(x, n), x->next_name, x->n))
            return false;
    }
    return true;
}

void dns_index_done(struct dns_index *x)
{
    hmap_done(&x->by_ip);
    hmap_done(&x->by_name);
    free(x->next_ip);
    free(x->next_name);
    *x = (struct dns_index){ 0 };
}
