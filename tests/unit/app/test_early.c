/* STUN answers that stand before their requests in the file: see rtpwatch/app/early.h. */
#include "app/early.h"

#include "app/pipeline.h"
#include "unit/app/wire.h"

#define ASKER  "172.31.16.10:10000"
#define SERVER "192.0.2.30:3478"

static struct wire *w;
static struct pipeline *p;

static void setup(void)
{
    w = calloc(1, sizeof *w);
    p = pipeline_new();
    cr_assert(w && p);
}

static void teardown(void)
{
    pipeline_free(p);
    free(w);
}

TestSuite(early, .init = setup, .fini = teardown);

static void ask(uint8_t id)
{
    uint8_t m[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, [19] = id };

    wire_udp(w, ASKER, SERVER, m, sizeof m);
}

/* XOR-MAPPED-ADDRESS 203.0.113.10:10000 */
static void answer(uint8_t id)
{
    uint8_t m[32] = { 1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42, [19] = id };

    memcpy(m + 20, "\0\x20\0\x08\0\1\x06\x02\xea\x12\xd5\x48", 12);
    wire_udp(w, SERVER, ASKER, m, sizeof m);
}

/* Frames are 10 ms apart, or `apart_ns`. */
static const struct stun_tx *first_told(int64_t apart_ns)
{
    for (size_t i = 0; i < w->n; i++) {
        w->frame[i].ts_ns = SECONDS(1000) + (int64_t)i * apart_ns;
        pipeline_frame(p, &w->frame[i]);
    }
    cr_assert_eq(p->track->stun_txs.used > 0, true);
    return track_tx_at(p->track, 0);
}

Test(early, an_answer_before_its_request)
{
    const struct stun_tx *x;

    answer(1);
    ask(1);
    x = first_told(10 * NS_PER_MS);
    cr_expect(x->success);
    cr_expect_eq(x->answer.frame, 1);
    cr_expect_eq(x->answer.ns, x->requests.first.ns);
    cr_expect_eq(x->mapped.port, 10000);
    cr_expect_eq(track_server_at(p->track, x->server)->responses, 1);
}

Test(early, an_answer_behind_its_request_counts_once)
{
    const struct stun_tx *x;

    answer(1);
    ask(1);
    answer(1);
    x = first_told(10 * NS_PER_MS);
    cr_expect_eq(x->answer.frame, 1);
    cr_expect_eq(track_server_at(p->track, x->server)->responses, 1);
}

Test(early, another_request)
{
    answer(2);
    ask(1);
    cr_expect_not(first_told(10 * NS_PER_MS)->answer.frame);
}

Test(early, too_long_before)
{
    answer(1);
    ask(1);
    cr_expect_not(first_told(2 * EARLY_NS)->answer.frame);
}

Test(early, more_than_are_kept)
{
    answer(1);
    for (unsigned i = 0; i < EARLY_KEPT; i++)
        answer((uint8_t)(2 + i));
    ask(1);
    ask(2);
    cr_expect_not(first_told(NS_PER_MS)->answer.frame);
    cr_expect(track_tx_at(p->track, 1)->answer.frame);
}
