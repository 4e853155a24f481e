/* What messages that come together will look for, asked of memory in steps: all cells, then all records, then what these name. */
#include "base/ahead.h"
#include "track/track_private.h"

AHEAD const struct hmap *map_of(const struct track *t, const struct message_ahead *m)
{
    return m->asker ? &t->by_tid : &t->by_call_id;
}

AHEAD void ask_for_record(const struct track *t, bool sip, uint32_t slot)
{
    if (sip)
        ask_to_write(track_call_at(t, slot), CALL_EACH_MESSAGE);
    else if (slot & TID_IS_CHECK)
        ask_to_write(track_check_at(t, slot & ~(uint32_t)TID_IS_CHECK), sizeof(struct check));
    else
        ask_to_write(track_tx_at(t, slot), sizeof(struct stun_tx));
}

AHEAD void ask_for_named(const struct track *t, bool sip, uint32_t slot)
{
    if (sip) {
        const struct call *c = track_call_at(t, slot);

        __builtin_prefetch(c->from_tag); /* which stands before the Call-ID */
        __builtin_prefetch(c->call_id + c->call_id_n);
        __builtin_prefetch(c->leg);
    } else if (!(slot & TID_IS_CHECK)) {
        __builtin_prefetch(track_socket(t, track_tx_at(t, slot)->socket));
    }
}

void track_ahead_messages(const struct track *t, struct message_ahead *m, size_t n)
{
    uint32_t slot[TRACK_AHEAD];

    for (size_t i = 0; i < n; i++) {
        m[i].hash = m[i].asker ? tid_hash(m[i].name.p, m[i].asker) : hash_bytes(m[i].name.p, m[i].name.n);
        hmap_prefetch(map_of(t, &m[i]), m[i].hash);
    }
    for (size_t i = 0; i < n; i++) {
        slot[i] = hmap_first(map_of(t, &m[i]), m[i].hash);
        if (slot[i] != HMAP_NONE)
            ask_for_record(t, !m[i].asker, slot[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (slot[i] != HMAP_NONE)
            ask_for_named(t, !m[i].asker, slot[i]);
}
