#include "base/arena.h"

#include <stdlib.h>

/* With malloc()'s word a whole number of cache lines; a call with two plain descriptions fits into one. */
enum { ARENA_BLOCK = 880 - sizeof(size_t) - 2 * sizeof(void *) };

/* Records are taken from the front, aligned; texts from the back, so that they need no padding. */
struct arena_block {
    struct arena_block *next;
    size_t front;
    uint8_t bytes[];
};

/* Room for n more bytes in the latest block, or in a new one. */
static bool arena_room(struct arena *a, size_t n)
{
    size_t size = n > ARENA_BLOCK ? n : ARENA_BLOCK;
    struct arena_block *b;

    if (n <= a->left)
        return true;
    b = calloc(1, sizeof *b + size);
    if (!b)
        return false;
    b->next = a->blocks;
    a->blocks = b;
    a->left = size;
    a->bytes += sizeof *b + size;
    return true;
}

void *arena_take(struct arena *a, size_t n)
{
    uint8_t *p;

    n = n ? (n + 7) & ~(size_t)7 : 8;
    if (!arena_room(a, n))
        return NULL;
    p = a->blocks->bytes + a->blocks->front;
    a->blocks->front += n;
    a->left -= n;
    return p;
}

static uint8_t *arena_text(struct arena *a, size_t n)
{
    if (!arena_room(a, n))
        return NULL;
    a->left -= n;
    return a->blocks->bytes + a->blocks->front + a->left;
}

const char *arena_str(struct arena *a, struct span s)
{
    uint8_t *p = s.n ? arena_text(a, s.n + 1) : NULL;

    if (!p)
        return "";
    memcpy(p, s.p, s.n);
    return (const char *)p;
}

struct span arena_span(struct arena *a, struct span s)
{
    uint8_t *p = s.n ? arena_text(a, s.n) : NULL;

    if (!p)
        return SPAN_NONE;
    memcpy(p, s.p, s.n);
    return (struct span){ p, s.n };
}

void arena_done(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;

        free(a->blocks);
        a->blocks = next;
    }
    *a = (struct arena){ 0 };
}
