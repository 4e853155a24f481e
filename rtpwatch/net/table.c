#include <stdlib.h>

#include "net/net_private.h"

static uint32_t bucket_of(const struct table *t, const struct key *k)
{
    uint64_t h = addr_hash(&k->src) * 3 + addr_hash(&k->dst);

    h = (h ^ ((uint64_t)k->proto << 32 | k->id)) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 40) & t->mask;
}

bool table_init(struct table *t, uint32_t cap)
{
    uint32_t buckets = 1;

    while (buckets < cap)
        buckets *= 2;
    *t = (struct table){ .cap = cap, .mask = buckets - 1 };
    t->link = calloc((size_t)cap + 1, sizeof *t->link);
    t->bucket = calloc(buckets, sizeof *t->bucket);
    return t->link && t->bucket;
}

void table_free(struct table *t)
{
    free(t->link);
    free(t->bucket);
    *t = (struct table){ 0 };
}

uint32_t table_find(const struct table *t, const struct key *k)
{
    uint32_t slot = t->bucket[bucket_of(t, k)];

    while (slot && memcmp(&t->link[slot].key, k, sizeof *k) != 0)
        slot = t->link[slot].next;
    return slot;
}

static void ring_out(struct table *t, uint32_t slot)
{
    struct table_link *l = &t->link[slot];

    t->link[l->older].newer = l->newer;
    t->link[l->newer].older = l->older;
}

static void ring_in(struct table *t, uint32_t slot)
{
    uint32_t newest = t->link[0].older;

    t->link[slot].older = newest;
    t->link[slot].newer = 0;
    t->link[newest].newer = slot;
    t->link[0].older = slot;
}

void table_touch(struct table *t, uint32_t slot)
{
    if (t->link[0].older == slot)
        return;
    ring_out(t, slot);
    ring_in(t, slot);
}

/* Slots that were never used come last, so that an idle table touches little memory. */
static uint32_t slot_take(struct table *t)
{
    uint32_t slot = t->free;

    if (slot)
        t->free = t->link[slot].next;
    else if (t->used < t->cap)
        slot = ++t->used;
    return slot;
}

uint32_t table_add(struct table *t, const struct key *k)
{
    uint32_t slot = slot_take(t), *head = &t->bucket[bucket_of(t, k)];

    if (!slot)
        return 0;
    t->link[slot].key = *k;
    t->link[slot].next = *head;
    *head = slot;
    ring_in(t, slot);
    return slot;
}

void table_remove(struct table *t, uint32_t slot)
{
    uint32_t *at = &t->bucket[bucket_of(t, &t->link[slot].key)];

    while (*at != slot)
        at = &t->link[*at].next;
    *at = t->link[slot].next;
    ring_out(t, slot);
    t->link[slot].next = t->free;
    t->free = slot;
}
