#include "support/tls_ear.h"

#include <criterion/criterion.h>

#include "base/clock.h"

void ear_open(struct tls_ear *e, struct span keys)
{
    *e = (struct tls_ear){ .keys = keylog_new(), .now_ns = SECONDS(1000) };
    keylog_text(e->keys, keys);
    e->tls = tls_new(e->keys, &e->faults);
    cr_assert_not_null(e->tls);
    cr_assert(addr_parse_ip(SPAN("192.0.2.1"), 40000, &e->end[SESSION_CLIENT]));
    cr_assert(addr_parse_ip(SPAN("192.0.2.2"), 443, &e->end[SESSION_SERVER]));
}

static size_t hear(void *self, uint64_t since, struct span bytes)
{
    struct tls_ear *e = self;
    size_t n = e->most && e->most < bytes.n ? e->most : bytes.n;

    cr_assert(since && since <= e->frame);
    strbuf_span(&e->heard[e->speaks], span_part(bytes, 0, n));
    return n;
}

static void segment(struct tls_ear *e, unsigned from, struct span bytes)
{
    struct strbuf *w = &e->wire[from];
    struct tls_segment s = { &e->end[from], &e->end[!from], e->now_ns, ++e->frame, e->frame };
    size_t used;

    e->speaks = from;
    strbuf_span(w, bytes);
    used = tls_data(e->tls, &s, (struct span){ (const uint8_t *)w->p, w->n }, e->gap[from], (struct tls_sink){ e, hear });
    if (used == TLS_GIVE_UP || used == TLS_NOT) {
        e->over[from] = used == TLS_GIVE_UP;
        used = w->n;
    }
    cr_assert_leq(used, w->n);
    e->gap[from] &= used == 0;
    w->n -= used;
    if (used && w->n)
        memmove(w->p, w->p + used, w->n);
}

void ear_take(struct tls_ear *e, unsigned from, struct span bytes, size_t step)
{
    for (size_t n; bytes.n && !e->over[from]; bytes = span_part(bytes, n, bytes.n)) {
        n = step && step < bytes.n ? step : bytes.n;
        segment(e, from, span_part(bytes, 0, n));
    }
}

void ear_hole(struct tls_ear *e, unsigned from)
{
    e->wire[from].n = 0;
    e->gap[from] = true;
}

void ear_take_all(struct tls_ear *e, const struct tls_session *s, size_t step)
{
    for (size_t i = 0; i < s->flights; i++)
        ear_take(e, s->flight[i].from, s->flight[i].bytes, step);
}

bool ear_heard(const struct tls_ear *e, unsigned from, const char *text)
{
    return strcmp(strbuf_str(&e->heard[from]), text) == 0;
}

void ear_close(struct tls_ear *e)
{
    tls_free(e->tls);
    keylog_free(e->keys);
    for (unsigned side = 0; side < 2; side++) {
        strbuf_done(&e->wire[side]);
        strbuf_done(&e->heard[side]);
    }
}
