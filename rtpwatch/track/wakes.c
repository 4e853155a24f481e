#include <stdlib.h>

#include "track/track_private.h"

void track_note_wakes(struct track *t)
{
    t->wakes.noted = true;
}

void track_miss_wakes(struct track *t)
{
    t->wakes.missed = true;
}

RARE void flow_wakes(struct track *t, const struct flow *f)
{
    struct flow_wakes *w = &t->wakes;

    if (!w->noted)
        return;
    if (w->n == w->room) {
        uint32_t room = w->room ? 2 * w->room : 256;
        uint32_t *more = room > w->room ? realloc(w->slot, room * sizeof *more) : NULL;

        if (!more) {
            w->missed = true;
            return;
        }
        w->slot = more;
        w->room = room;
    }
    w->slot[w->n++] = f->slot;
}

void wakes_done(struct flow_wakes *w)
{
    free(w->slot);
    *w = (struct flow_wakes){ .noted = w->noted };
}
