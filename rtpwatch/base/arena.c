#include "base/arena.h"

#include <stdlib.h>

#include "base/poison.h"

/* Records are taken from the front, aligned; texts from the back, so that they need no padding. */
struct arena_block {
    struct arena_block *next;
    uint32_t front;
    bool lent; /* the caller's */
    _Alignas(8) uint8_t bytes[];
};

/*
 * Room of a block. With malloc()'s word and its head the first is a whole number of cache lines; the next ones are a fraction of what
 * there is, so that little stays empty and large arenas have few. What is ARENA_ALONE or more and does not fit has a block of its own:
 * the rest of the latest one serves what is small.
 */
enum { ARENA_FIRST = 832 - 24, ARENA_NEXT = 128 - 24, ARENA_LARGEST = 64 * 1024, ARENA_ALONE = 96 };

static struct arena_block *block_new(struct arena *a, struct arena_block **at, size_t room)
{
    struct arena_block *b = calloc(1, sizeof *b + room);

    if (!b)
        return NULL;
    b->next = *at;
    *at = b;
    a->bytes += sizeof *b + room;
    return b;
}

void arena_begin(struct arena *a, void *room, size_t n)
{
    struct arena_block *b = room;

    b->lent = true;
    a->blocks = b;
    a->left = n - sizeof *b - POISON_GAP;
    POISON((uint8_t *)room + n - POISON_GAP, POISON_GAP);
}

static size_t next_room(const struct arena *a)
{
    size_t room = a->bytes / 16;

    if (!a->blocks)
        return ARENA_FIRST;
    return room < ARENA_NEXT ? ARENA_NEXT : room > ARENA_LARGEST ? ARENA_LARGEST : room;
}

/* The latest block has no room for n bytes: another one has, which is the latest from here on if it has room for more. */
static struct arena_block *arena_grow(struct arena *a, size_t n)
{
    size_t room = next_room(a);
    struct arena_block *b;

    if (a->blocks && n >= ARENA_ALONE)
        return block_new(a, &a->blocks->next, n);
    b = block_new(a, &a->blocks, n > room ? n : room);
    a->left = b ? (n > room ? n : room) : a->left;
    return b;
}

void *arena_take(struct arena *a, size_t n)
{
    struct arena_block *b = a->blocks;
    uint8_t *p;

    n = n ? (n + 7) & ~(size_t)7 : 8;
    if (n > a->left && (b = arena_grow(a, n)) == NULL)
        return NULL;
    p = b->bytes + b->front;
    b->front += (uint32_t)n;
    if (b == a->blocks)
        a->left -= n;
    return p;
}

static uint8_t *arena_text(struct arena *a, size_t n)
{
    struct arena_block *b = a->blocks;

    if (n > a->left && (b = arena_grow(a, n)) == NULL)
        return NULL;
    if (b != a->blocks)
        return b->bytes;
    a->left -= n;
    return b->bytes + b->front + a->left;
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
    struct arena_block *b = a->bytes ? a->blocks : NULL, *next; /* nothing of the system's: what is lent is not looked at */

    for (; b; b = next) {
        next = b->next;
        if (!b->lent)
            free(b);
    }
    *a = (struct arena){ 0 };
}
