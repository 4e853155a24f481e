/*
 * What the judging of the next sessions will look at, asked of memory in steps while it judges this one: each step reads what the one
 * before asked for. Of a hundred thousand sessions nothing is in the caches.
 */
#ifndef RW_VERDICT_SESSIONS_AHEAD_H
#define RW_VERDICT_SESSIONS_AHEAD_H

#include "base/ahead.h"
#include "track/track.h"

/* Each step is taken so many sessions before its turn: the call, what it describes, the sockets that this names, who told these. */
enum ahead { AHEAD_CALL = 12, AHEAD_DESCRIPTIONS = 10, AHEAD_CELLS = 8, AHEAD_SOCKETS = 6, AHEAD_ANSWERS = 4, AHEAD_BASES = 2 };

AHEAD void address_ahead(const struct track *t, const struct addr *a, enum ahead step)
{
    uint32_t slot = step == AHEAD_CELLS ? HMAP_NONE : hmap_first(&t->by_socket, socket_hash(a));
    const struct socket *k = slot == HMAP_NONE ? NULL : track_socket(t, slot);
    const struct stun_tx *x = k && step < AHEAD_SOCKETS ? track_tx_at(t, k->claimed) : NULL;

    if (step == AHEAD_CELLS)
        track_find_socket_ahead(t, a);
    else if (step == AHEAD_SOCKETS && k)
        ask_to_read(k, sizeof *k);
    else if (step == AHEAD_ANSWERS && x)
        ask_to_read(x, sizeof *x);
    else if (step == AHEAD_BASES && x)
        ask_to_read(track_socket(t, x->socket), sizeof *k);
}

AHEAD void session_ahead(const struct track *t, const struct call *c, enum ahead step)
{
    if (step == AHEAD_CALL)
        ask_to_read(c, sizeof *c);
    else if (step == AHEAD_DESCRIPTIONS && c->sdps)
        ask_to_read(c->sdps, TRACK_CALL_ROOM / 4 * 3); /* the first of them stands near the beginning of its room */
    for (const struct sdp_fact *f = step < AHEAD_DESCRIPTIONS ? c->sdps : NULL; f; f = f->next)
        for (size_t m = 0; m < f->medias; m++)
            address_ahead(t, &f->media[m].addr, step);
}

#endif
