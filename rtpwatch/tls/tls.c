#include "tls/tls.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/hmap.h"
#include "dissectors/tls.h"
#include "tls/connection.h"

enum { NOBODY = HMAP_NONE };

struct slot {
    struct tls_connection connection;
    uint32_t newer, older; /* by when it was last heard; of free ones `older` is the next */
};

struct tls {
    struct tls_around around;
    struct hmap map; /* by both ends, whichever asks */
    struct slot *slot;
    uint32_t used, free, newest, oldest;
};

struct tls *tls_new(struct keylog *keys, struct fault_log *faults)
{
    struct tls *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->slot = calloc(TLS_CONNECTIONS, sizeof *t->slot);
    if (!t->slot) {
        free(t);
        return NULL;
    }
    t->around.keys = keys;
    t->around.faults = faults;
    t->free = t->newest = t->oldest = NOBODY;
    return t;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->used; i++)
        connection_done(&t->slot[i].connection, &t->around);
    OPENSSL_cleanse(t->around.room, sizeof t->around.room);
    hmap_done(&t->map);
    free(t->slot);
    free(t);
}

/* ---- which connection ---- */

/* The same for both directions. */
static uint64_t hash_of(const struct addr *a, const struct addr *b)
{
    return addr_hash(a) + addr_hash(b);
}

struct ends {
    const struct addr *src, *dst;
};

static bool has_ends(const void *self, uint32_t slot, const void *key)
{
    const struct tls_connection *c = &((const struct tls *)self)->slot[slot].connection;
    const struct ends *e = key;

    return (addr_eq(&c->end[TLS_CLIENT], e->src) && addr_eq(&c->end[TLS_SERVER], e->dst)) ||
           (addr_eq(&c->end[TLS_CLIENT], e->dst) && addr_eq(&c->end[TLS_SERVER], e->src));
}

static uint32_t find(const struct tls *t, const struct tls_segment *s)
{
    return hmap_find(&t->map, hash_of(s->src, s->dst), has_ends, t, &(struct ends){ s->src, s->dst });
}

/* ---- who was heard when ---- */

static void unlink_slot(struct tls *t, uint32_t i)
{
    struct slot *s = &t->slot[i];

    *(s->newer == NOBODY ? &t->newest : &t->slot[s->newer].older) = s->older;
    *(s->older == NOBODY ? &t->oldest : &t->slot[s->older].newer) = s->newer;
}

static void link_newest(struct tls *t, uint32_t i)
{
    t->slot[i].newer = NOBODY;
    t->slot[i].older = t->newest;
    *(t->newest == NOBODY ? &t->oldest : &t->slot[t->newest].newer) = i;
    t->newest = i;
}

/* ---- beginning and end ---- */

static void evict_oldest(struct tls *t, uint64_t frame)
{
    uint32_t i = t->oldest;
    struct tls_connection *c = &t->slot[i].connection;

    fault_log_one(t->around.faults, FAULT_TLS_TABLE_FULL, frame);
    hmap_del(&t->map, hash_of(&c->end[TLS_CLIENT], &c->end[TLS_SERVER]), i);
    connection_done(c, &t->around);
    unlink_slot(t, i);
    t->slot[i].older = t->free;
    t->free = i;
}

static uint32_t slot_take(struct tls *t, uint64_t frame)
{
    uint32_t i = t->free;

    if (i == NOBODY && t->used < TLS_CONNECTIONS)
        return t->used++;
    if (i == NOBODY) {
        evict_oldest(t, frame);
        i = t->free;
    }
    t->free = t->slot[i].older;
    return i;
}

/* NOBODY without memory. */
static uint32_t slot_add(struct tls *t, const struct tls_segment *s)
{
    uint32_t i = slot_take(t, s->frame);

    if (hmap_put(&t->map, hash_of(s->src, s->dst), i)) {
        link_newest(t, i);
        return i;
    }
    t->slot[i].older = t->free;
    t->free = i;
    return NOBODY;
}

/* `i`: the connection of these ends that is over, or NOBODY. */
static uint32_t begin(struct tls *t, uint32_t i, const struct tls_segment *s, struct span random)
{
    struct tls_connection *c;

    if (i == NOBODY && (i = slot_add(t, s)) == NOBODY)
        return NOBODY;
    c = &t->slot[i].connection;
    connection_done(c, &t->around);
    c->end[TLS_CLIENT] = *s->src;
    c->end[TLS_SERVER] = *s->dst;
    memcpy(c->client_random, random.p, TLS_RANDOM);
    return i;
}

/* A ClientHello begins a connection, unless it is the second one of it (RFC 8446 §4.1.2) or was not yet taken whole. */
static bool is_new(const struct tls *t, uint32_t i, struct span random)
{
    return i == NOBODY || memcmp(t->slot[i].connection.client_random, random.p, TLS_RANDOM) != 0;
}

void tls_finish(struct tls *t)
{
    for (uint32_t i = 0; i < t->used; i++)
        connection_finish(&t->slot[i].connection, &t->around);
}

size_t tls_data(struct tls *t, const struct tls_segment *s, struct span bytes, bool after_gap, struct tls_sink sink)
{
    uint32_t i = find(t, s);
    struct span random = tls_peek_random(bytes);
    struct tls_connection *c;
    size_t used;

    if (tls_looks_like_hello(bytes)) {
        if (!random.n)
            return 0;
        if (is_new(t, i, random))
            i = begin(t, i, s, random);
    }
    if (i == NOBODY)
        return TLS_NOT;
    unlink_slot(t, i);
    link_newest(t, i);
    c = &t->slot[i].connection;
    used =
        connection_data(c, addr_eq(&c->end[TLS_CLIENT], s->src) ? TLS_CLIENT : TLS_SERVER, &t->around, s, bytes, after_gap, sink);
    while (t->around.memory > TLS_MEMORY && t->oldest != i)
        evict_oldest(t, s->frame);
    return used;
}
