/* DNS answers, kept by name and address, so that an address can be named and its age told. */
#include "track/track_private.h"

struct name_key {
    const char *name;
    const struct addr *addr, *resolver;
    const char *target; /* of an SRV record, "" else */
    uint16_t type;
};

static uint64_t name_hash(const struct name_key *k)
{
    struct addr resolver = addr_with_port(*k->resolver, 0);

    return hash_bytes(k->name, strlen(k->name)) ^ addr_hash(k->addr) ^ (addr_hash(&resolver) >> 7) ^ k->type ^
           hash_bytes(k->target, strlen(k->target));
}

static bool name_eq(const void *self, uint32_t slot, const void *key)
{
    const struct track *t = self;
    const struct dns_fact *n = pool_at(&t->names, slot);
    const struct name_key *k = key;

    return n->type == k->type && addr_eq(&n->addr, k->addr) && addr_ip_eq(&n->resolver, k->resolver) &&
           strcmp(n->name, k->name) == 0 && (k->type != DNS_SRV || strcmp(n->via, k->target) == 0);
}

static void name_add(struct track *t, const struct datagram *d, const char *name, const struct dns_record *r, uint32_t ttl_s)
{
    struct addr addr = addr_with_port(r->addr, r->port);
    struct name_key k = { name, &addr, &d->src, r->type == DNS_SRV && r->target ? r->target : "", r->type };
    uint32_t slot = hmap_find(&t->by_name, name_hash(&k), name_eq, t, &k);
    struct dns_fact *n;

    if (slot != HMAP_NONE) {
        n = pool_at(&t->names, slot);
    } else {
        n = pool_new(&t->names, &slot);
        if (!n || !hmap_put(&t->by_name, name_hash(&k), slot)) {
            fault_log_one(t->faults, FAULT_NAME_TABLE_FULL, d->at.frame);
            return;
        }
        *n = (struct dns_fact){ .type = r->type, .addr = addr, .resolver = d->src, .client = d->dst, .at = d->at };
        n->name = arena_str(&t->arena, span_str(name));
        n->via = arena_str(&t->arena, span_str(r->target ? r->target : strcmp(r->name, name) ? r->name : ""));
    }
    n->ttl_s = ttl_s;
    n->answers++;
    n->last = d->at;
}

/* Follows the CNAMEs of the answer from the name that was asked; the smallest TTL on the way counts (RFC 2181 §5.2). */
static const char *follow(const struct dns_msg *m, const char *name, uint32_t *ttl_s)
{
    for (size_t step = 0; step < m->answers; step++) {
        size_t i;

        for (i = 0; i < m->answers; i++)
            if (m->record[i].type == DNS_CNAME && strcmp(m->record[i].name, name) == 0)
                break;
        if (i == m->answers)
            break;
        if (m->record[i].ttl_s < *ttl_s)
            *ttl_s = m->record[i].ttl_s;
        name = m->record[i].target;
    }
    return name;
}

void track_dns(struct track *t, const struct datagram *d, const struct dns_msg *m)
{
    uint32_t chain_ttl = UINT32_MAX;
    const char *asked, *end;

    if (!m->response || m->rcode || m->questions == 0)
        return;
    asked = m->question[0].name;
    end = follow(m, asked, &chain_ttl);
    for (size_t i = 0; i < m->records; i++) {
        const struct dns_record *r = &m->record[i];
        bool address = r->type == DNS_A || r->type == DNS_AAAA;

        if (i < m->answers && address && strcmp(r->name, end) == 0)
            name_add(t, d, asked, r, r->ttl_s < chain_ttl ? r->ttl_s : chain_ttl);
        else if (address || (r->type == DNS_SRV && i < m->answers))
            name_add(t, d, r->name, r, r->ttl_s); /* an SRV, or the address of its target */
    }
}
