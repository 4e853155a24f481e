/*
 * IP fragments put together, for both versions. What was received is kept as a bitmap of eight-byte units, the unit that
 * fragment offsets count in (RFC 791 §3.1, RFC 8200 §4.5), so that an overlap is seen wherever it lies.
 *
 * Overlaps: a repeated fragment is harmless and the first bytes stand. One with other bytes is an attack or two packets under one
 * identification; the packet and all its later fragments are given up (RFC 5722 §4, RFC 8200 §4.5).
 *
 * Snap length: a fragment whose end was not captured ends the usable packet there; what lies behind counts as not captured.
 */
#include <stdlib.h>

#include "net/net_private.h"

enum { UNIT = 8, PACKET_MAX = 65535, UNITS = (PACKET_MAX + UNIT) / UNIT, ROOM_FIRST = 4096 };

struct frag {
    uint8_t *bytes;
    size_t room;
    size_t end;      /* of what was received so far; with `last`, of the packet */
    size_t captured; /* nothing at or behind this offset can be used */
    size_t units;    /* in `seen` */
    int64_t born_ns;
    uint64_t frame; /* of the first fragment to come */
    uint8_t next;
    bool last; /* the fragment without "more" came */
    bool dead; /* given up; kept so that its other fragments are not taken for a new packet */
    uint8_t seen[UNITS / 8 + 1];
};

bool frags_init(struct frags *f)
{
    f->slot = calloc(NET_FRAGMENTED_KEPT + 1, sizeof *f->slot);
    return table_init(&f->table, NET_FRAGMENTED_KEPT) && f->slot;
}

void frags_free(struct frags *f)
{
    for (size_t i = 0; f->slot && i <= f->table.used; i++)
        free(f->slot[i].bytes);
    free(f->slot);
    free(f->done);
    table_free(&f->table);
}

static void frag_forget(struct frags *f, uint32_t slot)
{
    free(f->slot[slot].bytes);
    f->slot[slot] = (struct frag){ 0 };
    table_remove(&f->table, slot);
}

static void frag_time_out(struct net *n, uint32_t slot)
{
    const struct frag *p = &n->frags.slot[slot];

    if (!p->dead)
        fault_log_one(n->faults, FAULT_FRAG_TIMEOUT, p->frame);
    frag_forget(&n->frags, slot);
}

static void frags_expire(struct net *n, int64_t ts_ns)
{
    struct frags *f = &n->frags;
    uint32_t slot;

    if (ts_ns > f->now_ns)
        f->now_ns = ts_ns;
    while ((slot = table_oldest(&f->table)) != 0 && f->slot[slot].born_ns < f->now_ns - SECONDS(NET_FRAGMENT_TIMEOUT_S))
        frag_time_out(n, slot);
}

void frags_flush(struct net *n)
{
    uint32_t slot;

    while ((slot = table_oldest(&n->frags.table)) != 0)
        frag_time_out(n, slot);
}

static uint32_t frag_find(struct decode *d, const struct key *key)
{
    struct frags *f = &d->net->frags;
    uint32_t slot = table_find(&f->table, key);

    if (slot)
        return slot;
    slot = table_add(&f->table, key);
    if (!slot) {
        (void)net_fault(d, FAULT_FRAG_TABLE_FULL, NET_BAD);
        frag_forget(f, table_oldest(&f->table));
        slot = table_add(&f->table, key);
    }
    f->slot[slot] = (struct frag){ .born_ns = f->now_ns, .frame = d->frame->id, .captured = SIZE_MAX };
    return slot;
}

static enum net_kind frag_give_up(struct decode *d, struct frag *p, enum fault_id why)
{
    free(p->bytes);
    p->bytes = NULL;
    p->dead = true;
    return net_fault(d, why, NET_BAD);
}

static bool frag_room(struct frag *p, size_t need)
{
    size_t room = p->room ? p->room : ROOM_FIRST;
    uint8_t *bytes;

    while (room < need)
        room *= 2;
    if (room == p->room)
        return true;
    bytes = realloc(p->bytes, room);
    if (!bytes)
        return false;
    memset(bytes + p->room, 0, room - p->room);
    p->bytes = bytes;
    p->room = room;
    return true;
}

/* One unit of a fragment, or what is left of it at the packet's end or the cut. False: other bytes were there before. */
static bool unit_put(struct frag *p, size_t at, struct span unit)
{
    uint8_t *seen = &p->seen[at / UNIT / 8], bit = (uint8_t)(1u << at / UNIT % 8);
    size_t known = p->captured > at ? p->captured - at : 0;

    if (*seen & bit)
        return memcmp(p->bytes + at, unit.p, unit.n < known ? unit.n : known) == 0;
    *seen |= bit;
    p->units++;
    if (unit.n)
        memcpy(p->bytes + at, unit.p, unit.n);
    return true;
}

static bool units_put(struct frag *p, const struct fragment *g)
{
    struct span bytes = rd_rest(&g->body);
    size_t wire = rd_wire_left(&g->body);

    for (size_t at = 0; at < wire; at += UNIT) {
        struct span unit = span_part(bytes, at, UNIT);

        if (!unit_put(p, g->offset + at, unit.n ? unit : (struct span){ bytes.p, 0 }))
            return false;
    }
    if (g->body.uncap && g->offset + bytes.n < p->captured)
        p->captured = g->offset + bytes.n;
    return true;
}

/* Two ends for one packet, or bytes behind its end, overlap as surely as bytes do. */
static bool end_fits(struct frag *p, const struct fragment *g, size_t end)
{
    bool fits = g->more ? !p->last || end <= p->end : p->last ? end == p->end : end >= p->end;

    p->last = p->last || !g->more;
    p->end = end > p->end ? end : p->end;
    return fits;
}

static bool frag_complete(const struct frag *p)
{
    return p->last && p->units == (p->end + UNIT - 1) / UNIT;
}

static void frag_finish(struct decode *d, uint32_t slot, struct rd *whole, uint8_t *next)
{
    struct frags *f = &d->net->frags;
    struct frag *p = &f->slot[slot];
    size_t usable = p->captured < p->end ? p->captured : p->end;

    free(f->done);
    f->done = p->bytes;
    p->bytes = NULL;
    *whole = rd_init((struct span){ f->done, usable }, p->end);
    *next = p->next;
    frag_forget(f, slot);
    d->net->stats.reassembled++;
}

enum net_kind frags_add(struct decode *d, const struct fragment *g, struct rd *whole, uint8_t *next)
{
    size_t wire = rd_wire_left(&g->body), end = g->offset + wire;
    uint32_t slot;
    struct frag *p;

    d->net->stats.fragments++;
    frags_expire(d->net, d->frame->ts_ns);
    if (g->more && (wire == 0 || wire % UNIT != 0))
        return net_fault(d, FAULT_IP_HEADER, NET_BAD);
    slot = frag_find(d, &g->key);
    p = &d->net->frags.slot[slot];
    d->out->since = p->frame;
    if (p->dead)
        return NET_BAD;
    if (end > PACKET_MAX)
        return frag_give_up(d, p, FAULT_FRAG_TOO_LARGE);
    if (!frag_room(p, end))
        return frag_give_up(d, p, FAULT_FRAG_TABLE_FULL);
    if (!end_fits(p, g, end) || !units_put(p, g))
        return frag_give_up(d, p, FAULT_FRAG_OVERLAP);
    if (g->offset == 0)
        p->next = g->next;
    if (!frag_complete(p))
        return NET_FRAGMENT;
    frag_finish(d, slot, whole, next);
    return NET_KINDS;
}
