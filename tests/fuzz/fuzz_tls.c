/*
 * A TLS connection with its key log: the file is the key log, a byte 0, and then segments, each a byte (1: from the server, 2: behind a
 * hole), its length in two bytes, and its bytes. Plaintext goes to a reader that takes part of it.
 */
#include <stdlib.h>

#include "base/rd.h"
#include "tls/keylog.h"
#include "tls/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WIRE = 1 << 18 };

struct way {
    uint8_t bytes[WIRE]; /* not used yet, as the net layer would keep them */
    size_t n;
    bool over, gap;
};

struct session {
    struct fault_log faults;
    struct keylog *keys;
    struct tls *tls;
    struct way way[2];
    uint64_t frame;
};

static size_t take(void *self, uint64_t since, struct span bytes)
{
    (void)self;
    return since && bytes.n > 3 ? bytes.n - bytes.p[0] % 4 : bytes.n;
}

static void segment(struct session *s, unsigned from, struct span bytes)
{
    static const struct addr end[2] = { { .port = 1 }, { .port = 2 } };
    struct way *w = &s->way[from];
    struct tls_segment g = { &end[from], &end[!from], (int64_t)s->frame * 1000000, ++s->frame, 1 };
    size_t used;

    if (w->over || bytes.n > WIRE - w->n)
        return;
    if (bytes.n)
        memcpy(w->bytes + w->n, bytes.p, bytes.n);
    w->n += bytes.n;
    used = tls_data(s->tls, &g, (struct span){ w->bytes, w->n }, w->gap, (struct tls_sink){ s, take });
    w->over = used == TLS_GIVE_UP;
    used = used == TLS_GIVE_UP || used == TLS_NOT ? w->n : used;
    if (used > w->n)
        abort();
    w->gap &= used == 0;
    w->n -= used;
    memmove(w->bytes, w->bytes + used, w->n);
}

static void play(struct session *s, struct rd *r)
{
    while (rd_left(r)) {
        uint8_t flags = rd_u8(r);
        struct span bytes = rd_take(r, rd_u16(r));

        if (flags & 2) {
            s->way[flags & 1].n = 0;
            s->way[flags & 1].gap = true;
        }
        if (!r->err)
            segment(s, flags & 1, bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = { data, size };
    size_t keys = span_find(all, 0);
    struct rd r = rd_init(span_part(all, keys + 1, size), size > keys ? size - keys - 1 : 0);
    struct session *s = calloc(1, sizeof *s);

    if (!s)
        return 0;
    s->keys = keylog_new();
    s->tls = tls_new(s->keys, &s->faults);
    if (s->keys && s->tls) {
        keylog_text(s->keys, span_part(all, 0, keys));
        play(s, &r);
    }
    tls_free(s->tls);
    keylog_free(s->keys);
    free(s);
    return 0;
}
