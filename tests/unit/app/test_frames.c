/* Frames that come together leave the same facts as one by one: see pipeline_frames() in rtpwatch/app/pipeline.h. */
#include <criterion/criterion.h>

#include "app/pipeline.h"
#include "support/rtp_frames.h"

enum { STREAMS = 40, ROUNDS = 12, FRAMES = STREAMS * ROUNDS };

static uint8_t bytes[FRAMES][RTP_FRAME];
static struct frame frame[FRAMES];

enum { PAYLOAD_AT = 42, CALLS = 7 };

static const char invite[] =
    "INVITE sip:b@c SIP/2.0\r\nFrom: <sip:a@c>;tag=1\r\nTo: <sip:b@c>\r\nCSeq: 1 INVITE\r\nCall-ID: 0\r\n\r\n";

/* One of some calls begins, or is asked for again. */
static void make_invite(uint8_t *payload, uint32_t i)
{
    memcpy(payload, invite, sizeof invite - 1);
    payload[sizeof invite - 6] = (uint8_t)('0' + i % CALLS);
}

/* Voice, and now and then what is none: cut frames, another link layer's rubbish, fragments, an ARP, STUN, SIP whole, cut and broken. */
static void make_frames(void)
{
    for (uint32_t i = 0; i < FRAMES; i++) {
        frame[i] = rtp_frame(bytes[i], i % STREAMS, i / STREAMS, i + 1);
        switch (i % 29) {
        case 3: frame[i].bytes.n = 30; break;
        case 7: bytes[i][13] = 6; break;
        case 11: bytes[i][21] = 1; break;
        case 13: frame[i].link = 113; break;
        case 17: memcpy(bytes[i] + 42, "\0\1\0\0\x21\x12\xa4\x42 transaction", 20); break;
        case 19: bytes[i][42] = 0x41; break;
        case 21:
        case 22: make_invite(bytes[i] + PAYLOAD_AT, i); break;
        case 23:
            make_invite(bytes[i] + PAYLOAD_AT, i);
            frame[i].bytes.n = PAYLOAD_AT + 60;
            break;
        case 24: memcpy(bytes[i] + PAYLOAD_AT, "INVITE sip:b@c NOSIP\r\n", 22); break;
        default: break;
        }
    }
}

static struct pipeline *played(size_t together, size_t inputs)
{
    struct pipeline *p = pipeline_new();

    cr_assert_not_null(p);
    cr_assert(pipeline_inputs(p, inputs));
    for (size_t i = 0; i < FRAMES; i += together)
        pipeline_frames(p, &frame[i], together < FRAMES - i ? together : FRAMES - i);
    pipeline_finish(p);
    return p;
}

static void expect_same_records(const struct pool *a, const struct pool *b, const char *what)
{
    cr_assert_eq(a->used, b->used, "%s", what);
    for (uint32_t i = 0; i < a->used; i++)
        cr_assert_eq(memcmp(pool_at(a, i), pool_at(b, i), a->size), 0, "%s %u", what, i);
}

static void expect_same(const struct pipeline *a, const struct pipeline *b)
{
    for (unsigned i = 0; i < DISPOSITIONS_N; i++)
        cr_assert_eq(a->done[i], b->done[i], "%s: %lu and %lu", disposition_name((enum disposition)i), (unsigned long)a->done[i],
                     (unsigned long)b->done[i]);
    cr_assert_eq(a->packets, b->packets);
    cr_assert_eq(memcmp(&a->faults, &b->faults, sizeof a->faults), 0);
    expect_same_records(&a->track->flows, &b->track->flows, "flow");
    expect_same_records(&a->track->streams, &b->track->streams, "stream");
    expect_same_records(&a->track->sockets, &b->track->sockets, "socket");
    cr_assert_eq(a->track->calls.used, b->track->calls.used);
    for (uint32_t i = 0; i < a->track->calls.used; i++)
        cr_assert_eq(track_call_at(a->track, i)->messages, track_call_at(b->track, i)->messages);
}

Test(frames, together_or_one_by_one, .init = make_frames)
{
    static const size_t sizes[] = { 2, 3, 16, PIPELINE_FRAMES };
    struct pipeline *singly = played(1, 1);

    cr_expect_eq(singly->track->streams.used, STREAMS);
    cr_expect_gt(singly->done[DONE_RTP], 0);
    cr_expect_gt(singly->done[DONE_STUN], 0);
    cr_expect_gt(singly->done[DONE_SIP], 0);
    cr_expect_eq(singly->track->calls.used, CALLS);
    cr_expect_gt(singly->faults.count[FAULT_SIP_CUT], 0);
    cr_expect_gt(singly->done[DONE_FRAGMENT], 0);
    cr_expect_gt(singly->done[DONE_NOT_IP], 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct pipeline *together = played(sizes[i], 1);

        expect_same(singly, together);
        pipeline_free(together);
    }
    pipeline_free(singly);
}

/* A copy among them is left out, and the frames after it keep their own datagrams. */
Test(frames, a_copy_among_them, .init = make_frames)
{
    struct pipeline *singly, *together;

    for (uint32_t i = 10; i < FRAMES; i += 10) {
        frame[i] = frame[i - 1];
        frame[i].id = frame_id(1, i);
    }
    singly = played(1, 2);
    together = played(PIPELINE_FRAMES, 2);
    cr_expect_gt(singly->done[DONE_DUPLICATE], FRAMES / 20);
    expect_same(singly, together);
    pipeline_free(singly);
    pipeline_free(together);
}
