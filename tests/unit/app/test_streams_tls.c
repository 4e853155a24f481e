/* SIP inside TLS, with and without WebSocket, from frames on: see rtpwatch/app/streams.c. */
#include "app/pipeline.h"

#include <criterion/criterion.h>

#include "support/tls_session.h"
#include "tls/keylog.h"

enum { LINK_RAW_IP = 101, HEADERS = 40, FRAME_MAX = 66000, HEARD = 16 };

static struct pipeline *p;
static struct keylog *keys;
static uint64_t frames;
static uint32_t sent[2]; /* bytes in each direction */
static struct {
    size_t n;
    uint64_t frame[HEARD], since[HEARD];
    unsigned port[HEARD];
    char call_id[HEARD][32];
} heard;

static void note(void *self, const struct datagram *d, const struct sip_msg *m, const struct sdp *sdp)
{
    (void)self, (void)sdp;
    cr_assert_lt(heard.n, HEARD);
    heard.frame[heard.n] = d->at.frame;
    heard.since[heard.n] = d->since;
    heard.port[heard.n] = d->src.port;
    snprintf(heard.call_id[heard.n++], sizeof heard.call_id[0], "%.*s", (int)m->call_id.n, (const char *)m->call_id.p);
}

static void setup(void)
{
    p = pipeline_new();
    keys = keylog_new();
    cr_assert(p && keys);
    p->watch = (struct pipeline_watch){ .sip = note };
}

static void teardown(void)
{
    pipeline_free(p);
    keylog_free(keys);
}

TestSuite(streams_tls, .init = setup, .fini = teardown);

static void put16(uint8_t *at, size_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

/* A segment of which `cut` bytes at the end were not captured. */
static void tcp(unsigned from, struct span payload, size_t cut)
{
    static uint8_t b[FRAME_MAX];
    struct frame f = { .ts_ns = (int64_t)++frames * 1000, .id = frame_id(0, frames), .link = LINK_RAW_IP };

    memcpy(b, (const uint8_t[HEADERS]){ 0x45, [8] = 64, [9] = 6, [12] = 192, 0, 2, 1, 192, 0, 2, 1, [32] = 0x50, [33] = 0x18 },
           HEADERS);
    cr_assert_lt(HEADERS + payload.n, sizeof b);
    put16(b + 2, HEADERS + payload.n);
    b[from == SESSION_CLIENT ? 19 : 15] = 2;
    put16(b + 20, from == SESSION_CLIENT ? 40000 : 443);
    put16(b + 22, from == SESSION_CLIENT ? 443 : 40000);
    put16(b + 24, sent[from] >> 16);
    put16(b + 26, sent[from] & 0xffff);
    memcpy(b + HEADERS, payload.p, payload.n);
    sent[from] += (uint32_t)payload.n;
    f.bytes = (struct span){ b, HEADERS + payload.n - cut };
    f.wire = HEADERS + payload.n;
    pipeline_frame(p, &f);
}

/* Each flight in segments of `step` bytes at most. */
static void frames_of(const struct tls_session *s, size_t step)
{
    for (size_t i = 0; i < s->flights; i++)
        for (size_t at = 0; at < s->flight[i].bytes.n; at += step)
            tcp(s->flight[i].from, span_part(s->flight[i].bytes, at, step), 0);
}

static const char *bye(const char *call_id)
{
    static char text[512];

    snprintf(text, sizeof text,
             "BYE sip:a@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:b@192.0.2.1>;tag=1\r\n"
             "To: <sip:a@192.0.2.2>;tag=2\r\nCall-ID: %s\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
             call_id);
    return text;
}

static void say(struct tls_session *s, unsigned from, const char *text)
{
    session_say(s, from, text, strlen(text));
}

/* A WebSocket frame (RFC 6455 §5.2) of a server, which does not mask. */
static void say_frame(struct tls_session *s, unsigned opcode, const char *text, size_t n)
{
    uint8_t frame[600] = { (uint8_t)opcode, (uint8_t)(n < 126 ? n : 126), (uint8_t)(n >> 8), (uint8_t)n };
    size_t header = n < 126 ? 2 : 4;

    cr_assert_lt(header + n, sizeof frame);
    memcpy(frame + header, text, n);
    session_say(s, SESSION_SERVER, frame, header + n);
}

/* ---- with its keys ---- */

Test(streams_tls, sip)
{
    struct tls_session s;

    session_begin(&s, &(struct tls_session_options){ 0 });
    say(&s, SESSION_CLIENT, bye("one"));
    say(&s, SESSION_SERVER, bye("two"));
    keylog_text(keys, session_keys(&s));
    cr_assert(pipeline_keys(p, keys));
    frames_of(&s, FRAME_MAX);
    cr_assert_eq(heard.n, 2);
    cr_expect_str_eq(heard.call_id[0], "one");
    cr_expect_str_eq(heard.call_id[1], "two");
    cr_expect(heard.port[0] == 40000 && heard.port[1] == 443);
    cr_expect(heard.frame[0] == frames - 1 && heard.frame[1] == frames && heard.since[1] == frames);
    cr_expect(p->done[DONE_SIP] == 2 && p->track->conns.used == 1);
    session_end(&s);
}

/* A message in two records, each in several segments; two in one record. All frames that carried it are its. */
Test(streams_tls, messages_and_records_do_not_keep_step)
{
    struct tls_session s;
    const char *text = bye("parted");
    char both[1100];
    size_t handshake = 0;

    session_begin(&s, &(struct tls_session_options){ 0 });
    for (size_t i = 0; i < s.flights; i++)
        handshake += (s.flight[i].bytes.n + 99) / 100;
    session_say(&s, SESSION_CLIENT, text, 60);
    session_say(&s, SESSION_CLIENT, text + 60, strlen(text) - 60);
    snprintf(both, sizeof both, "%s", bye("first"));
    snprintf(both + strlen(both), sizeof both - strlen(both), "%s", bye("second"));
    say(&s, SESSION_CLIENT, both);
    keylog_text(keys, session_keys(&s));
    cr_assert(pipeline_keys(p, keys));
    frames_of(&s, 100);
    cr_assert_eq(heard.n, 3);
    cr_expect_str_eq(heard.call_id[0], "parted");
    cr_expect_str_eq(heard.call_id[1], "first");
    cr_expect_str_eq(heard.call_id[2], "second");
    cr_expect_eq(heard.since[0], handshake + 1, "%llu, not %zu", (unsigned long long)heard.since[0], handshake + 1);
    cr_expect(heard.frame[0] > heard.since[0] + 1 && heard.since[1] > heard.since[0]);
    session_end(&s);
}

/* RFC 7118 over TLS: the message stands in two frames, with a ping between them. */
Test(streams_tls, sip_in_websocket_fragments)
{
    struct tls_session s;
    const char *text = bye("web");

    session_begin(&s, &(struct tls_session_options){ .version = TLS1_2_VERSION });
    say_frame(&s, 1, text, 50);
    session_say(&s, SESSION_SERVER, "\x89\0", 2);
    say_frame(&s, 0x80, text + 50, strlen(text) - 50);
    keylog_text(keys, session_keys(&s));
    cr_assert(pipeline_keys(p, keys));
    frames_of(&s, 1460);
    cr_assert_eq(heard.n, 1);
    cr_expect_str_eq(heard.call_id[0], "web");
    session_end(&s);
}

/* The snap length took the end of a segment: the message in it is lost, and the next one is read. */
Test(streams_tls, behind_a_cut_segment)
{
    struct tls_session s;

    session_begin(&s, &(struct tls_session_options){ 0 });
    say(&s, SESSION_CLIENT, bye("whole"));
    say(&s, SESSION_CLIENT, bye("cut"));
    say(&s, SESSION_CLIENT, bye("next"));
    keylog_text(keys, session_keys(&s));
    cr_assert(pipeline_keys(p, keys));
    for (size_t i = 0; i < s.flights; i++)
        tcp(s.flight[i].from, s.flight[i].bytes, i == s.flights - 2 ? 10 : 0);
    cr_assert_eq(heard.n, 2);
    cr_expect_str_eq(heard.call_id[0], "whole");
    cr_expect_str_eq(heard.call_id[1], "next");
    cr_expect_eq(p->faults.count[FAULT_TCP_GAP], 1);
    session_end(&s);
}

/* ---- without ---- */

Test(streams_tls, of_another_connection)
{
    struct tls_session s, other;

    session_begin(&s, &(struct tls_session_options){ 0 });
    session_begin(&other, &(struct tls_session_options){ 0 });
    say(&s, SESSION_CLIENT, bye("one"));
    keylog_text(keys, session_keys(&other));
    cr_assert(pipeline_keys(p, keys));
    frames_of(&s, FRAME_MAX);
    cr_expect_eq(heard.n, 0);
    cr_expect_eq(p->faults.count[FAULT_TLS_NO_KEY], 1);
    cr_expect_eq(p->track->conns.used, 1, "that there is a connection is seen all the same");
    session_end(&s);
    session_end(&other);
}

Test(streams_tls, no_key_log)
{
    struct tls_session s;

    session_begin(&s, &(struct tls_session_options){ 0 });
    say(&s, SESSION_CLIENT, bye("one"));
    frames_of(&s, FRAME_MAX);
    cr_expect_eq(heard.n, 0);
    cr_expect_eq(p->track->conns.used, 1);
    for (size_t f = FAULT_TLS_NO_KEY; f <= FAULT_TLS_TABLE_FULL; f++)
        cr_expect_eq(p->faults.count[f], 0);
    session_end(&s);
}

/* SIP in the clear beside it is read as ever. */
Test(streams_tls, plain_sip_with_a_key_log)
{
    cr_assert(pipeline_keys(p, keys));
    tcp(SESSION_CLIENT, span_str(bye("plain")), 0);
    cr_assert_eq(heard.n, 1);
    cr_expect_str_eq(heard.call_id[0], "plain");
}
