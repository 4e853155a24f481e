#include "dissectors/ws.h"

#include <criterion/criterion.h>

#include "support/sweep.h"

#define MASK   0x37, 0xfa, 0x21, 0x3d /* RFC 6455 §5.7 */
#define INVITE "INVITE sip:bob@example.com SIP/2.0\r\n"

static const uint8_t mask[WS_KEY] = { MASK };

static struct span bytes_of(const void *p, size_t n)
{
    return (struct span){ p, n };
}
#define BYTES(array) bytes_of(array, sizeof(array))

/* Bytes of a connection under construction. */
struct stream {
    uint8_t b[4096];
    size_t n;
};

static void put(struct stream *s, const void *p, size_t n)
{
    cr_assert(s->n + n <= sizeof s->b);
    memcpy(s->b + s->n, p, n);
    s->n += n;
}

/* A frame with the shortest form of its length; `key` NULL: not masked. */
static void put_frame(struct stream *s, uint8_t first, const uint8_t *key, struct span payload)
{
    uint8_t length[] = { (uint8_t)payload.n, (uint8_t)(payload.n >> 8), (uint8_t)payload.n }, plain[1024];

    cr_assert(payload.n <= sizeof plain);
    length[0] = (uint8_t)((payload.n > 125 ? 126 : length[0]) | (key ? 0x80 : 0));
    put(s, &first, 1);
    put(s, length, payload.n > 125 ? 3 : 1);
    if (key) {
        put(s, key, WS_KEY);
        ws_unmask(payload, key, 0, plain); /* its own inverse; the RFC's vectors vouch for it */
        payload.p = plain;
    }
    put(s, payload.p, payload.n);
}

static enum dis frame_of(struct span captured, size_t wire, struct ws_frame *f, struct faults *why)
{
    struct rd r = rd_init(captured, wire), before = r;
    enum dis d;

    *why = (struct faults){ .n = 0 };
    d = ws_frame(&r, f, why);
    cr_assert_eq(r.p == before.p, d != DIS_OK, "the reader moves on DIS_OK and on nothing else");
    cr_assert(d != DIS_SHORT || why->n == 0, "the same bytes come again");
    return d;
}

static void sound(struct span s, struct ws_frame *f)
{
    struct faults why;

    cr_assert_eq(frame_of(s, s.n, f, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
}

static void faulty(struct span s, enum fault_id id)
{
    struct faults why;
    struct ws_frame f;

    cr_assert_eq(frame_of(s, s.n, &f, &why), DIS_OK);
    cr_assert_eq(why.n, 1);
    cr_assert_eq(why.v[0].id, id);
}

static void bad(struct span s)
{
    struct faults why;
    struct ws_frame f;

    cr_assert_eq(frame_of(s, s.n, &f, &why), DIS_BAD);
    cr_assert_eq(why.n, 1);
    cr_assert_eq(why.v[0].id, FAULT_WS_LENGTH);
}

/* ---- the examples of RFC 6455 §5.7 ---- */

Test(ws_frame, rfc6455_unmasked_text)
{
    static const uint8_t b[] = { 0x81, 0x05, 'H', 'e', 'l', 'l', 'o' };
    struct ws_frame f;

    sound(BYTES(b), &f);
    cr_assert(f.fin && !f.masked && f.rsv == 0 && f.opcode == WS_TEXT && f.length == 5);
    cr_assert(span_eq(f.payload, SPAN("Hello")));
}

Test(ws_frame, rfc6455_masked_text)
{
    static const uint8_t b[] = { 0x81, 0x85, MASK, 0x7f, 0x9f, 0x4d, 0x51, 0x58 };
    struct ws_frame f;
    uint8_t plain[5];

    sound(BYTES(b), &f);
    cr_assert(f.fin && f.masked && f.opcode == WS_TEXT && f.length == 5 && f.payload.p == b + 6);
    cr_assert_arr_eq(f.key, mask, WS_KEY);
    ws_unmask(f.payload, f.key, 0, plain);
    cr_assert(span_eq(BYTES(plain), SPAN("Hello")));
}

Test(ws_frame, rfc6455_fragmented)
{
    static const uint8_t b[] = { 0x01, 0x03, 'H', 'e', 'l', 0x80, 0x02, 'l', 'o' };
    struct ws_frame f;

    sound(BYTES(b), &f);
    cr_assert(!f.fin && f.opcode == WS_TEXT && span_eq(f.payload, SPAN("Hel")));
    sound(bytes_of(b + 5, 4), &f);
    cr_assert(f.fin && f.opcode == WS_CONTINUATION && span_eq(f.payload, SPAN("lo")));
}

Test(ws_frame, rfc6455_ping_and_pong)
{
    static const uint8_t ping[] = { 0x89, 0x05, 'H', 'e', 'l', 'l', 'o' };
    static const uint8_t pong[] = { 0x8a, 0x85, MASK, 0x7f, 0x9f, 0x4d, 0x51, 0x58 };
    struct ws_frame f;

    sound(BYTES(ping), &f);
    cr_assert(f.fin && f.opcode == WS_PING && f.length == 5);
    sound(BYTES(pong), &f);
    cr_assert(f.fin && f.opcode == WS_PONG && f.masked);
}

Test(ws_frame, rfc6455_longer_lengths)
{
    static uint8_t b256[4 + 256] = { 0x82, 0x7e, 0x01, 0x00 };
    static uint8_t b64k[10 + 65536] = { 0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0 };
    struct ws_frame f;

    sound(BYTES(b256), &f);
    cr_assert(f.opcode == WS_BINARY && f.length == 256 && f.payload.p == b256 + 4 && f.payload.n == 256);
    sound(BYTES(b64k), &f);
    cr_assert(f.opcode == WS_BINARY && f.length == 65536 && f.payload.p == b64k + 10 && f.payload.n == 65536);
}

/* ---- frames in a stream ---- */

/* Frame behind frame, and all of it arriving byte by byte: DIS_SHORT up to a frame's last byte, DIS_OK with it. */
Test(ws_frame, split_at_every_byte)
{
    static const uint8_t opcodes[] = { WS_TEXT, WS_PING, WS_BINARY, WS_CLOSE };
    struct stream s = { .n = 0 };
    size_t from = 0, ends[4], done = 0;
    struct faults why;
    struct ws_frame f;

    for (size_t i = 0; i < 4; i++) {
        static const uint8_t zeros[300];

        put_frame(&s, 0x80 | opcodes[i], i % 2 ? NULL : mask, bytes_of(zeros, i == 2 ? 300 : i * 7));
        ends[i] = s.n;
    }
    for (size_t n = 0; n <= s.n; n++) {
        bool whole = n == ends[done];

        cr_assert_eq(frame_of(bytes_of(s.b + from, n - from), n - from, &f, &why), whole ? DIS_OK : DIS_SHORT);
        if (!whole)
            continue;
        cr_assert_eq(f.opcode, opcodes[done]);
        from = ends[done++];
    }
    cr_assert_eq(done, 4);
}

Test(ws_frame, cut_keeps_what_was_captured)
{
    struct stream s = { .n = 0 };
    struct faults why;
    struct ws_frame f;

    put_frame(&s, 0x81, mask, SPAN(INVITE));
    cr_assert_eq(frame_of(bytes_of(s.b, 10), s.n, &f, &why), DIS_CUT);
    cr_assert(f.fin && f.masked && f.opcode == WS_TEXT && f.length == sizeof INVITE - 1 && f.payload.n == 4);
}

Test(ws_frame, empty_payload)
{
    static const uint8_t plain[] = { 0x88, 0x00 }, masked[] = { 0x88, 0x80, MASK };
    struct ws_frame f;

    sound(BYTES(plain), &f);
    cr_assert(f.length == 0 && f.payload.n == 0 && !f.masked);
    sound(BYTES(masked), &f);
    cr_assert(f.length == 0 && f.payload.n == 0 && f.masked);
}

/* ---- what must not be ---- */

Test(ws_frame, reserved_opcodes)
{
    for (unsigned opcode = 0; opcode < 16; opcode++) {
        const uint8_t b[] = { (uint8_t)(0x80 | opcode), 0x00 };
        struct ws_frame f;

        if (opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG))
            sound(BYTES(b), &f);
        else
            faulty(BYTES(b), FAULT_WS_FRAME);
    }
}

/* RSV1 marks compression (RFC 7692 §6), of messages only; nothing defines the others. */
Test(ws_frame, reserved_bits)
{
    static const uint8_t rsv1[] = { 0xc1, 0x00 }, rsv2[] = { 0xa1, 0x00 }, rsv3[] = { 0x91, 0x00 }, ping[] = { 0xc9, 0x00 };
    struct ws_frame f;

    sound(BYTES(rsv1), &f);
    cr_assert_eq(f.rsv, WS_RSV1);
    faulty(BYTES(rsv2), FAULT_WS_FRAME);
    faulty(BYTES(rsv3), FAULT_WS_FRAME);
    faulty(BYTES(ping), FAULT_WS_FRAME);
}

Test(ws_frame, control_frames_are_short_and_whole)
{
    static const uint8_t fragment[] = { 0x09, 0x00 };
    static uint8_t longest[2 + 125] = { 0x89, 125 }, too_long[4 + 126] = { 0x89, 126, 0, 126 };
    struct ws_frame f;

    faulty(BYTES(fragment), FAULT_WS_FRAME);
    sound(BYTES(longest), &f);
    faulty(BYTES(too_long), FAULT_WS_LENGTH);
}

/* RFC 6455 §5.2: "the minimal number of bytes MUST be used". */
Test(ws_frame, length_in_more_bytes_than_needed)
{
    static uint8_t sixteen[4 + 125] = { 0x81, 126, 0, 125 }, sixty_four[10 + 65535] = { 0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

    faulty(BYTES(sixteen), FAULT_WS_LENGTH);
    faulty(BYTES(sixty_four), FAULT_WS_LENGTH);
}

/* Said at once, not after the payload has come. */
Test(ws_frame, too_large)
{
    static const uint8_t most[] = { 0x82, 127, 0, 0, 0, 0, 0, 4, 0, 0 }, more[] = { 0x82, 127, 0, 0, 0, 0, 0, 4, 0, 1 };
    static const uint8_t top_bit[] = { 0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 1 };
    static const uint8_t all[] = { 0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    struct faults why;
    struct ws_frame f;

    cr_assert_eq(WS_PAYLOAD_MAX, 0x40000);
    cr_assert_eq(frame_of(BYTES(most), sizeof most, &f, &why), DIS_SHORT);
    cr_assert_eq(f.length, WS_PAYLOAD_MAX);
    bad(BYTES(more));
    bad(BYTES(top_bit));
    bad(BYTES(all));
}

/* ---- masks ---- */

/* A payload unmasked in two parts is the same as in one, wherever it is parted. */
Test(ws_unmask, in_parts)
{
    static const char text[] = "Hello, mask";
    uint8_t masked[sizeof text - 1], plain[sizeof text - 1];

    ws_unmask(SPAN(text), mask, 0, masked);
    for (size_t at = 0; at <= sizeof masked; at++) {
        ws_unmask(bytes_of(masked, at), mask, 0, plain);
        ws_unmask(bytes_of(masked + at, sizeof masked - at), mask, at, plain + at);
        cr_assert(span_eq(BYTES(plain), SPAN(text)));
    }
}

Test(ws_unmask, without_a_mask)
{
    static const uint8_t b[] = { 0x81, 0x02, 'H', 'i' };
    struct ws_frame f;
    uint8_t plain[2];

    sound(BYTES(b), &f);
    ws_unmask(f.payload, f.key, 0, plain);
    cr_assert(span_eq(BYTES(plain), SPAN("Hi")));
}

/* A message in three frames with a ping between, as ws.h says to put it together. */
Test(ws_unmask, a_fragmented_message)
{
    static const uint8_t other[WS_KEY] = { 1, 2, 3, 4 };
    struct stream s = { .n = 0 };
    uint8_t message[64];
    size_t have = 0;
    struct rd r;

    put_frame(&s, 0x01, mask, SPAN("INVITE sip:"));
    put_frame(&s, 0x00, other, SPAN("bob@example.com "));
    put_frame(&s, 0x89, mask, SPAN("are you there"));
    put_frame(&s, 0x80, mask, SPAN("SIP/2.0\r\n"));
    r = rd_init(bytes_of(s.b, s.n), s.n);
    while (rd_left(&r)) {
        struct faults why = { .n = 0 };
        struct ws_frame f;

        cr_assert_eq(ws_frame(&r, &f, &why), DIS_OK);
        if (f.opcode >= WS_CLOSE)
            continue;
        ws_unmask(f.payload, f.key, 0, message + have);
        have += f.length;
        cr_assert_eq(f.fin, rd_left(&r) == 0);
    }
    cr_assert(span_eq(bytes_of(message, have), SPAN(INVITE)));
}

/* ---- frames of connections whose upgrade was not seen ---- */

static bool looks(uint8_t first, const uint8_t *key, struct span payload)
{
    struct stream s = { .n = 0 };

    put_frame(&s, first, key, payload);
    return ws_looks_like_frame(bytes_of(s.b, s.n));
}

Test(ws_looks_like_frame, sip)
{
    cr_assert(looks(0x81, mask, SPAN(INVITE)));
    cr_assert(looks(0x81, NULL, SPAN(INVITE)));
    cr_assert(looks(0x82, mask, SPAN(INVITE)));
    cr_assert(looks(0x01, mask, SPAN(INVITE)), "the first frame of a message");
    cr_assert(looks(0x81, NULL, SPAN("SIP/2.0 200 OK\r\n")));
    cr_assert(looks(0x81, mask, SPAN("\r\n" INVITE)));
}

Test(ws_looks_like_frame, not_sip)
{
    cr_assert(!looks(0x81, mask, SPAN("Hello")));
    cr_assert(!looks(0x81, mask, SPAN("{\"type\":\"offer\"}")));
    cr_assert(!looks(0x81, mask, SPAN("\r\n\r\n")), "a keep-alive");
    cr_assert(!looks(0x81, mask, SPAN("")));
    cr_assert(!looks(0x80, mask, SPAN(INVITE)), "a continuation");
    cr_assert(!looks(0x89, mask, SPAN(INVITE)), "a ping");
    cr_assert(!looks(0x83, mask, SPAN(INVITE)), "reserved");
    cr_assert(!looks(0xc1, mask, SPAN(INVITE)), "compressed");
    cr_assert(!ws_looks_like_frame(SPAN(INVITE)), "SIP over TCP");
    cr_assert(!ws_looks_like_frame(SPAN("GET / HTTP/1.1\r\n")));
    cr_assert(!ws_looks_like_frame(SPAN_NONE));
}

/* The first segment of a long frame is enough; a few bytes are not. */
Test(ws_looks_like_frame, as_it_arrives)
{
    struct stream s = { .n = 0 };
    bool looked = false;

    put_frame(&s, 0x81, mask, SPAN(INVITE INVITE INVITE INVITE));
    for (size_t n = 0; n <= s.n; n++) {
        bool now = ws_looks_like_frame(bytes_of(s.b, n));

        cr_assert(n >= 8 + sizeof "INVITE sip" || !now);
        cr_assert(now || !looked, "once it does it goes on to");
        looked = now;
    }
    cr_assert(looked);
}

Test(ws_looks_like_frame, lengths)
{
    static const uint8_t too_large[] = { 0x81, 127, 0, 0, 0, 0, 0, 4, 0, 1, 'B', 'Y', 'E', ' ', 's', 'i', 'p', ':', 'x' };
    static const uint8_t large[] = { 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 1, 'B', 'Y', 'E', ' ', 's', 'i', 'p', ':', 'x' };
    static const uint8_t not_minimal[] = { 0x81, 126, 0, 9, 'B', 'Y', 'E', ' ', 's', 'i', 'p', ':', 'x' };
    static const uint8_t ends_first[] = { 0x81, 3, 'B', 'Y', 'E', ' ', 's', 'i', 'p', ':', 'x' };

    cr_assert(!ws_looks_like_frame(BYTES(too_large)));
    cr_assert(ws_looks_like_frame(BYTES(large)));
    cr_assert(!ws_looks_like_frame(BYTES(not_minimal)));
    cr_assert(!ws_looks_like_frame(BYTES(ends_first)), "what stands behind the frame is none of it");
}

/* ---- sweeps ---- */

static void sweep_one(struct rd r, bool full, void *self)
{
    struct rd in = r;
    struct faults why = { .n = 0 };
    struct ws_frame f;
    uint8_t plain[512];
    enum dis d = ws_frame(&in, &f, &why);

    (void)self;
    (void)ws_looks_like_frame(rd_rest(&r));
    cr_assert(d == DIS_OK ? in.p > r.p : in.p == r.p);
    cr_assert_neq(d, DIS_NOT_MINE);
    if (full)
        cr_assert(d == DIS_OK && why.n == 0 && ws_looks_like_frame(rd_rest(&r)));
    if (r.uncap)
        cr_assert(d == DIS_CUT && why.n == 0);
    if (d != DIS_OK && d != DIS_CUT)
        return;
    cr_assert(f.payload.n <= sizeof plain && f.payload.n <= f.length);
    if (f.payload.n)
        cr_assert(f.payload.p > r.p && f.payload.p + f.payload.n <= r.end, "a span outside the input");
    ws_unmask(f.payload, f.key, 0, plain);
}

Test(ws_sweep, masked)
{
    struct stream s = { .n = 0 };

    put_frame(&s, 0x81, mask, SPAN(INVITE));
    sweep(bytes_of(s.b, s.n), sweep_one, NULL);
}

Test(ws_sweep, unmasked_with_a_longer_length)
{
    struct stream s = { .n = 0 };

    put_frame(&s, 0x82, NULL, SPAN(INVITE INVITE INVITE INVITE));
    cr_assert_eq(s.b[1], 126);
    sweep(bytes_of(s.b, s.n), sweep_one, NULL);
}
