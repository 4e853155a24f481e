/* pick.c with messages.c and cut.c: of frames on the wire, those of one call and not of its neighbour, and how much of each. */
#include "app/pick.h"

#include "unit/app/wire.h"

#define OWN      "192.0.2.10:10000"
#define PEER     "198.51.100.20:40000"
#define OTHER    "192.0.2.10:10002"
#define OTHER_TO "198.51.100.20:40002"
#define SIP_A    "192.0.2.1:5060"
#define SIP_B    "192.0.2.2:5060"
#define INVITE   "INVITE sip:b@example.com SIP/2.0"

enum { RTP_KEPT = WIRE_IP + WIRE_UDP + 12 };

static struct wire *w;
static struct pipeline *p;
static struct messages messages;
static struct selection selection;
static struct kept kept[WIRE_FRAMES + 1]; /* of each frame, by number; no bytes: none */
static unsigned times[WIRE_FRAMES + 1];
static bool audio;

static void setup(void)
{
    w = calloc(1, sizeof *w);
    p = pipeline_new();
    cr_assert(w && p);
    p->watch = (struct pipeline_watch){ .self = &messages, .sip = messages_note };
}

static void teardown(void)
{
    selection_done(&selection);
    messages_done(&messages);
    pipeline_free(p);
    free(w);
}

TestSuite(pick, .init = setup, .fini = teardown);

static void wanted(void *self, uint64_t token, struct kept keep, const uint32_t *sessions, size_t n)
{
    (void)self;
    cr_assert(n == 1 && sessions[0] == 7);
    kept[token] = keep;
    times[token]++;
}

/* Reads all that was sent, and again for the first call. */
static void pick_first(void)
{
    struct pick *pick = pick_new(&(struct pick_options){ .audio = audio, .wanted = wanted });
    struct view *v = calloc(1, sizeof *v);
    struct unsignalled none = { 0 };
    struct owners all;

    for (size_t i = 0; i < w->n; i++)
        pipeline_frame(p, &w->frame[i]);
    pipeline_finish(p);
    cr_assert(pick && v && p->track->calls.used);
    view_make(v, p->track, &(struct view_options){ 0 }, p->clock.now_ns);
    owners_make(&all, v, &none);
    selection_add(&selection, v, &all, track_call_at(p->track, 0), 7);
    selection_ready(&selection, v);
    cr_assert(pick_select(pick, &selection, &messages));
    for (size_t i = 0; i < w->n; i++)
        pick_frame(pick, &w->frame[i], w->frame[i].id);
    owners_done(&all);
    pick_free(pick);
    free(v);
}

static void expect(uint64_t frame, size_t bytes)
{
    cr_expect_eq(kept[frame].n, bytes, "frame %llu: %zu bytes are kept, not %zu", (unsigned long long)frame, kept[frame].n,
                 bytes);
    cr_expect_leq(times[frame], 1, "frame %llu is told once", (unsigned long long)frame);
}

static void expect_whole(uint64_t frame)
{
    expect(frame, w->frame[frame - 1].bytes.n);
}

static uint64_t invite(const char *call_id, const char *rtp)
{
    char m[WIRE_MAX];
    size_t n = wire_sip(m, INVITE, "INVITE", call_id, rtp);

    return wire_udp(w, SIP_A, SIP_B, m, n);
}

static uint64_t ok(const char *call_id, const char *rtp)
{
    char m[WIRE_MAX];
    size_t n = wire_sip(m, "SIP/2.0 200 OK", "INVITE", call_id, rtp);

    return wire_udp(w, SIP_B, SIP_A, m, n);
}

Test(pick, one_call_and_not_its_neighbour_over_the_same_proxy)
{
    uint64_t a = invite("one", OWN), b = invite("two", OTHER), c = ok("one", PEER), d = ok("two", OTHER_TO);
    uint64_t e = wire_rtp(w, OWN, PEER, 1), f = wire_rtp(w, OTHER, OTHER_TO, 1), g = wire_rtp(w, PEER, OWN, 1);

    pick_first();
    expect_whole(a);
    expect_whole(c);
    expect(b, 0);
    expect(d, 0);
    expect(e, RTP_KEPT);
    expect(g, RTP_KEPT);
    expect(f, 0);
}

Test(pick, voice_where_it_is_wanted)
{
    uint64_t e;

    audio = true;
    invite("one", OWN);
    ok("one", PEER);
    e = wire_rtp(w, OWN, PEER, 1);
    pick_first();
    expect_whole(e);
}

Test(pick, all_fragments_of_a_message)
{
    char m[WIRE_MAX];
    size_t n = wire_sip(m, INVITE, "INVITE", "one", OWN);
    uint64_t a = wire_fragments(w, SIP_A, SIP_B, m, n, 256), c;

    n = wire_sip(m, INVITE, "INVITE", "two", OTHER);
    c = wire_fragments(w, SIP_A, SIP_B, m, n, 256);
    pick_first();
    expect_whole(a);
    expect_whole(a + 1);
    expect(c, 0);
    expect(c + 1, 0);
}

Test(pick, fragments_of_voice_hold_none_of_it)
{
    uint8_t rtp[12 + 900] = { 0x80, 0, 0, 1, [11] = 7 };
    uint64_t a;

    memset(rtp + 12, 0xd5, 900);
    invite("one", OWN);
    ok("one", PEER);
    a = wire_fragments(w, OWN, PEER, rtp, sizeof rtp, 480);
    pick_first();
    expect(a, RTP_KEPT);
    expect(a + 1, WIRE_IP);
}

/* Where what a fragment carries begins is not told inside a tunnel. */
Test(pick, fragments_of_voice_in_a_tunnel_hold_none_of_it)
{
    uint8_t rtp[32 + 900] = { 0x90, 0, 0, 1, [11] = 7, [15] = 4 /* words of header extension */ };
    struct addr from = wire_addr("10.9.0.1:0"), to = wire_addr("10.9.0.2:0");
    struct wire *inner = calloc(1, sizeof *inner);
    uint64_t a, i;

    cr_assert_not_null(inner);
    invite("one", OWN);
    ok("one", PEER);
    i = wire_fragments(inner, OWN, PEER, rtp, sizeof rtp, 480);
    a = wire_ip(w, 4, from, to, 0, inner->frame[i - 1].bytes.p, inner->frame[i - 1].bytes.n);
    wire_ip(w, 4, from, to, 0, inner->frame[i].bytes.p, inner->frame[i].bytes.n);
    pick_first();
    expect(a, 0);
    expect(a + 1, 0);
    free(inner);
}

Test(pick, icmp_without_the_voice_that_it_quotes)
{
    uint64_t e, f, g, h;

    invite("one", OWN);
    ok("one", PEER);
    e = wire_rtp(w, OWN, PEER, 1);
    f = wire_rtp(w, OTHER, OTHER_TO, 1);
    g = wire_icmp(w, PEER, OWN, e);
    h = wire_icmp(w, OTHER_TO, OTHER, f);
    pick_first();
    expect(g, WIRE_IP + 8 + RTP_KEPT);
    expect(h, 0);
}

/* As coturn writes it: DATA, XOR-PEER-ADDRESS. The voice between is blank, in what quotes it too. */
Test(pick, the_peer_of_an_indication_behind_its_voice)
{
    enum { BEFORE = WIRE_IP + WIRE_UDP + 24, VOICE_N = 160, PEER_N = 12 };
    uint8_t m[24 + 12 + VOICE_N + PEER_N] = { 0, 0x17, 0, 4 + 12 + VOICE_N + PEER_N, 0x21, 0x12, 0xa4, 0x42 };
    uint8_t *rtp = m + 24, *peer = rtp + 12 + VOICE_N;
    uint64_t a, b;

    m[21] = 0x13;
    m[23] = 12 + VOICE_N;
    rtp[0] = 0x80;
    memset(rtp + 12, 0xd5, VOICE_N);
    peer[1] = 0x12;
    peer[3] = 8;
    invite("one", OWN);
    ok("one", PEER);
    a = wire_udp(w, PEER, OWN, m, sizeof m);
    b = wire_icmp(w, OWN, PEER, a);
    pick_first();
    expect_whole(a);
    cr_expect(kept[a].blank == BEFORE + 12 && kept[a].blank_end == BEFORE + 12 + VOICE_N);
    expect_whole(b);
    cr_expect(kept[b].blank == WIRE_IP + 8 + BEFORE + 12 && kept[b].blank_end == WIRE_IP + 8 + BEFORE + 12 + VOICE_N);
}

/* Two calls' messages over one connection: the second begins in the segment in which the first ends. */
Test(pick, segments_with_a_part_of_its_messages)
{
    char m[2 * WIRE_MAX], other[WIRE_MAX];
    size_t n = wire_sip(m, INVITE, "INVITE", "one", OWN), k = wire_sip(other, INVITE, "INVITE", "two", OTHER);
    uint64_t a, b, c, d;

    memcpy(m + n, other, k);
    a = wire_tcp(w, SIP_A, SIP_B, 1, m, 100);
    b = wire_tcp(w, SIP_A, SIP_B, 101, m + 100, n - 100 + 50);
    c = wire_tcp(w, SIP_A, SIP_B, (uint32_t)n + 51, m + n + 50, k - 50);
    d = wire_tcp(w, SIP_A, SIP_B, (uint32_t)(n + k) + 1, other, k);
    pick_first();
    expect_whole(a);
    expect_whole(b);
    expect(c, 0);
    expect(d, 0);
}

/* The first segment comes last, and completes the message. */
Test(pick, segments_out_of_order)
{
    char m[WIRE_MAX];
    size_t n = wire_sip(m, "OPTIONS sip:b@example.com SIP/2.0", "OPTIONS", "none", NULL), k;
    uint64_t first, a, b;

    first = wire_tcp(w, SIP_A, SIP_B, 1, m, n); /* the connection is known */
    k = wire_sip(m, INVITE, "INVITE", "one", OWN);
    b = wire_tcp(w, SIP_A, SIP_B, (uint32_t)n + 201, m + 200, k - 200);
    a = wire_tcp(w, SIP_A, SIP_B, (uint32_t)n + 1, m, 200);
    pick_first();
    expect(first, 0);
    expect_whole(a);
    expect_whole(b);
}

Test(pick, sip_on_a_media_address_goes_by_its_call)
{
    char m[WIRE_MAX];
    size_t n;
    uint64_t a;

    invite("one", OWN);
    ok("one", PEER);
    n = wire_sip(m, INVITE, "INVITE", "two", OTHER);
    a = wire_udp(w, OWN, PEER, m, n);
    pick_first();
    expect(a, 0);
}

Test(pick, nothing_of_a_frame_that_is_cut_or_broken)
{
    invite("one", OWN);
    ok("one", PEER);
    wire_rtp(w, OWN, PEER, 1);
    for (size_t n = 0; n < 3; n++) {
        uint64_t a = wire_rtp(w, OWN, PEER, 2);

        w->frame[a - 1].bytes.n = WIRE_IP + WIRE_UDP + 4 * n; /* up to within the RTP header */
    }
    pick_first();
    for (size_t i = 1; i <= w->n; i++)
        cr_expect_leq(kept[i].n, w->frame[i - 1].bytes.n);
}
