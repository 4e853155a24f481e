/* Where that is which many calls say in the same words. */
#include <string.h>

#include "track/track_private.h"

const char *shared_text(struct track *t, struct arena *own, struct span s)
{
    struct shared_text *cell = &t->shared.text[hash_bytes(s.p, s.n) % TRACK_SHARED_TEXTS];

    if (!cell->text) {
        cell->text = arena_str(&t->shared.arena, s);
        cell->n = strlen(cell->text);
    }
    return text_is(cell->text, cell->n, s) ? cell->text : arena_str(own, s);
}

struct shared_formats *shared_formats_at(struct track *t, const struct sdp_media *m)
{
    uint8_t pts[SDP_FORMATS_KEPT];

    for (size_t i = 0; i < m->formats; i++)
        pts[i] = m->format[i].pt;
    return &t->shared.formats[hash_bytes(pts, m->formats) % TRACK_SHARED_FORMATS];
}
