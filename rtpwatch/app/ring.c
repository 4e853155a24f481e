#include "app/ring.h"

#include <stdlib.h>

enum { RECORD_ALIGN = 8, LEAST_ROOM = 4096 };

/* Records begin at multiples of 8, and so does the end: where no head fits before it, nothing begins. */
bool ring_init(struct ring *r, size_t bytes)
{
    size_t room = (bytes < LEAST_ROOM ? LEAST_ROOM : bytes) / RECORD_ALIGN * RECORD_ALIGN;

    *r = (struct ring){ .bytes = malloc(room), .room = room };
    return r->bytes != NULL;
}

void ring_done(struct ring *r)
{
    free(r->bytes);
    *r = (struct ring){ 0 };
}

static struct ring_frame *record(const struct ring *r, uint64_t at)
{
    return (struct ring_frame *)(void *)(r->bytes + at % r->room);
}

/* Bytes up to the end of the memory. */
static size_t left(const struct ring *r, uint64_t at)
{
    return r->room - (size_t)(at % r->room);
}

static void oldest_go(struct ring *r, uint64_t until)
{
    while (until - r->tail > r->room) {
        bool head = left(r, r->tail) >= sizeof(struct ring_frame);

        r->gone += head && !record(r, r->tail)->filler;
        r->tail += head ? record(r, r->tail)->size : left(r, r->tail);
    }
}

/* A record is in one piece: what is too short for it at the end of the memory is passed over. */
static void skip_end(struct ring *r)
{
    size_t end = left(r, r->head);

    oldest_go(r, r->head + end);
    if (end >= sizeof(struct ring_frame))
        *record(r, r->head) = (struct ring_frame){ .size = end, .filler = true };
    r->head += end;
}

void ring_add(struct ring *r, const struct frame *f, uint64_t order)
{
    size_t size = (sizeof(struct ring_frame) + f->bytes.n + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
    struct ring_frame *to;

    if (size > r->room / 2) {
        r->refused++;
        return;
    }
    if (left(r, r->head) < size)
        skip_end(r);
    oldest_go(r, r->head + size);
    to = record(r, r->head);
    *to = (struct ring_frame){
        .ts_ns = f->ts_ns, .id = f->id, .order = order, .size = size, .wire = f->wire, .n = f->bytes.n, .link = f->link
    };
    if (f->bytes.n)
        memcpy(to->bytes, f->bytes.p, f->bytes.n);
    r->head += size;
}

struct ring_frame *ring_at(const struct ring *r, uint64_t *at)
{
    if (*at < r->tail)
        *at = r->tail;
    while (*at < r->head) {
        bool head = left(r, *at) >= sizeof(struct ring_frame);

        if (head && !record(r, *at)->filler)
            return record(r, *at);
        *at += head ? record(r, *at)->size : left(r, *at);
    }
    return NULL;
}

struct frame ring_frame(const struct ring_frame *f)
{
    return (struct frame){ .ts_ns = f->ts_ns, .id = f->id, .link = f->link, .bytes = { f->bytes, f->n }, .wire = f->wire };
}
