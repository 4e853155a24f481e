/*
 * Which frames belong to the sessions of a selection, and how much of each is kept (cut.h). Frames go in as the pipeline had them; of each
 * that is wanted the caller is told, of a fragment as soon as its packet is complete.
 *
 * SIP goes by its Call-ID alone, whatever addresses it is between; over TCP that is the segments with a part of such a message, whole.
 * ICMP goes by what it quotes, DNS by the name that is asked for.
 */
#ifndef RW_APP_PICK_H
#define RW_APP_PICK_H

#include "app/messages.h"
#include "capture/dump.h"
#include "verdict/selection.h"

enum { PICK_PARTS = 2048 }; /* fragments whose packets are not complete; beyond it the oldest are not told of */

struct pick_options {
    bool audio; /* nothing is cut */
    /* `token`: the caller's of that frame. `keep`: of its bytes. */
    void (*wanted)(void *self, uint64_t token, struct kept keep, const uint32_t *sessions, size_t n);
    void *self;
};

struct pick;
struct pick *pick_new(const struct pick_options *o); /* NULL without memory */
void pick_free(struct pick *p);                      /* NULL: nothing */

/* From here on it is about these; both are borrowed. What came before is forgotten. False without memory. */
bool pick_select(struct pick *p, const struct selection *s, const struct messages *m);
/* More messages have come meanwhile. */
bool pick_messages(struct pick *p, const struct messages *m);
void pick_frame(struct pick *p, const struct frame *f, uint64_t token);

#endif
