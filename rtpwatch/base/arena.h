/* A region: what lives with one call sits in its arena and is freed once, with it. */
#ifndef RW_BASE_ARENA_H
#define RW_BASE_ARENA_H

#include "base/span.h"

struct arena_block;
struct arena {
    struct arena_block *blocks;
    size_t left, bytes; /* bytes: all that was taken from the system */
};

enum { ARENA_ROOM_LEAST = 128 };

/* An arena that is all zero begins in the caller's n zeroed bytes: aligned to 8, ARENA_ROOM_LEAST or more, and there until it is done. */
void arena_begin(struct arena *a, void *room, size_t n);
void *arena_take(struct arena *a, size_t n); /* zeroed, aligned to 8; NULL without memory */
/* A copy of the span, NUL-terminated; "" for an empty one or without memory, so it can always be printed. */
const char *arena_str(struct arena *a, struct span s);
struct span arena_span(struct arena *a, struct span s); /* a copy; SPAN_NONE without memory */
void arena_done(struct arena *a);

#endif
