#include "base/arena.h"

#include <stdlib.h>

enum { ARENA_BLOCK = 1000 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    uint8_t bytes[];
};

void *arena_take(struct arena *a, size_t n)
{
    uint8_t *p;

    n = n ? (n + 7) & ~(size_t)7 : 8;
    if (n > a->left) {
        size_t size = n > ARENA_BLOCK ? n : ARENA_BLOCK;
        struct arena_block *b = calloc(1, sizeof *b + size);

        if (!b)
            return NULL;
        b->size = size;
        b->next = a->blocks;
        a->blocks = b;
        a->left = size;
        a->bytes += sizeof *b + size;
    }
    p = a->blocks->bytes + (a->blocks->size - a->left);
    a->left -= n;
    return p;
}

const char *arena_str(struct arena *a, struct span s)
{
    char *p = s.n ? arena_take(a, s.n + 1) : NULL;

    if (!p)
        return "";
    memcpy(p, s.p, s.n);
    return p;
}

struct span arena_span(struct arena *a, struct span s)
{
    uint8_t *p = s.n ? arena_take(a, s.n) : NULL;

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
