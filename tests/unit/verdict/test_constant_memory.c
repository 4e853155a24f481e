/*
 * Memory is what the calls of the last minutes need, however long the input: the pools, maps and texts of notebook and monitor, after some
 * time of a load and after four times as long.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/story.h"
#include "verdict/monitor.h"

enum {
    CALL_EVERY_S = 5,
    CALL_S = 2,
    PORTS = 8, /* used again by the next call but seven, as long as what flowed there is remembered */
    FORGET_EVERY_S = 60,
    LOAD_S = 25 * 60 /* longer than an answer of a STUN server is kept */
};

static struct story *s;
static struct monitor m;
static uint64_t ended;

static size_t map_bytes(const struct hmap *h)
{
    return (h->mask + 1) * sizeof *h->cell;
}

static size_t monitor_bytes(void)
{
    const struct pool *pools[] = { &m.signalled.watched, &m.unsignalled.watched, &m.claims, &m.silent, &m.asked, &m.refusals };
    const struct hmap *maps[] = { &m.signalled.by_key, &m.unsignalled.by_key, &m.by_claim,
                                  &m.by_silent,        &m.by_asked,           &m.by_refusal };
    size_t n = m.names.room * m.names.size + m.icmps.room * m.icmps.size;

    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        n += pool_bytes(pools[i]) + map_bytes(maps[i]);
    return n;
}

static void hear(void *self, const struct event *e)
{
    (void)self;
    ended += e->kind == EVENT_SESSION_ENDED;
}

static void second(unsigned now_s)
{
    struct view v;

    story_pass(s, 1000);
    view_make(&v, s->track, &s->options, s->now_ns);
    monitor_tick(&m, &v, hear, NULL);
    if (now_s % FORGET_EVERY_S)
        return;
    monitor_renumbered(&m);
    cr_assert(track_compact(s->track, s->now_ns));
}

static void call_begin(unsigned number)
{
    static char id[32]; /* the story borrows it */
    char rtp[32], out[32];

    snprintf(id, sizeof id, "call-%u", number);
    snprintf(rtp, sizeof rtp, D_HOST ":%u", 10000 + 2 * (number % PORTS));
    snprintf(out, sizeof out, D_OUT ":%u", 10000 + 2 * (number % PORTS));
    story_call(s, id, D_HOST ":5060", PROXY ":5060");
    story_stun(s, &(struct asks){ rtp, HONEST, .mapped = out });
    story_up(s, SAYS(out), SAYS(W_RTP));
    story_play(s, rtp, W_RTP, number);
    story_play(s, W_RTP, rtp, number + 100000);
}

/* A load from second `from` to second `to`. */
static void load(unsigned from, unsigned to)
{
    for (unsigned at = from; at < to; at++) {
        if (at % CALL_EVERY_S == 0)
            call_begin(at / CALL_EVERY_S);
        if (at % CALL_EVERY_S == CALL_S) {
            story_bye(s, CALLER);
            s->acts = 0;
        }
        second(at + 1);
    }
}

Test(constant_memory, four_times_as_long_takes_no_more)
{
    size_t once, four;

    s = story_new(D_HOST);
    s->received[CALLER] = D_OUT;
    cr_assert(monitor_init(&m, NULL));
    load(0, LOAD_S);
    once = track_memory(s->track, NULL, NULL) + monitor_bytes();
    load(LOAD_S, 4 * LOAD_S);
    four = track_memory(s->track, NULL, NULL) + monitor_bytes();
    cr_expect_leq(four, once + once / 10, "%zu bytes, and %zu after a quarter of the time", four, once);
    cr_expect_geq(ended, 4 * LOAD_S / CALL_EVERY_S - 2, "only %lu sessions were told", (unsigned long)ended);
    cr_expect_geq(m.forgotten.sessions, ended - 30, "only %lu were given up", (unsigned long)m.forgotten.sessions);
    cr_expect_eq(m.forgotten.sessions, m.forgotten.by_verdict[VERDICT_OK]);
    monitor_done(&m);
    story_free(s);
}
