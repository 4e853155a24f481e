/* What the notebook takes of memory, table by table. */
#include "track/compact.h"

static size_t index_bytes(const struct track *t)
{
    const struct hmap *const maps[] = {
        &t->by_socket, &t->by_flow,    &t->by_call_id, &t->by_tid,  &t->by_old_tid,     &t->by_server, &t->by_name,
        &t->by_ufrag,  &t->by_outside, &t->by_conn,    &t->by_dtls, &t->by_certificate, NULL
    };
    size_t bytes = t->wakes.room * sizeof *t->wakes.slot;

    for (const struct hmap *const *m = maps; *m; m++)
        bytes += hmap_bytes(*m);
    return bytes;
}

static size_t call_text_bytes(const struct track *t)
{
    size_t bytes = pool_bytes(&t->call_rooms);

    for (uint32_t i = 0; i < t->calls.used; i++)
        bytes += track_call_at(t, i)->arena.bytes;
    return bytes;
}

size_t track_memory(const struct track *t, void (*each)(void *self, const char *table, size_t bytes), void *self)
{
    const struct {
        const char *table;
        size_t bytes;
    } parts[] = {
#define X(name) { #name, pool_bytes(&t->name) },
        COMPACT_POOLS(X)
#undef X
            { "indexes", index_bytes(t) },
        { "what calls describe", call_text_bytes(t) },
        { "other texts", t->arena.bytes + t->shared.arena.bytes },
        { "itself", sizeof *t },
    };
    size_t sum = 0;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        sum += parts[i].bytes;
        if (each)
            each(self, parts[i].table, parts[i].bytes);
    }
    return sum;
}
