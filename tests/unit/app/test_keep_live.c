/* keep_live.c: frames of a call that is found to fail, those before and those after, once each; nothing of others. */
#include "app/keep_live.h"

#include <sys/stat.h>
#include <unistd.h>

#include "unit/app/wire.h"

#define OWN      "192.0.2.10:10000"
#define PEER     "198.51.100.20:40000"
#define OTHER    "192.0.2.10:10002"
#define OTHER_TO "198.51.100.20:40002"
#define SIP_A    "192.0.2.1:5060"
#define SIP_B    "192.0.2.2:5060"
#define INVITE   "INVITE sip:b@example.com SIP/2.0"
#define BYE      "BYE sip:b@example.com SIP/2.0"
#define OK       "SIP/2.0 200 OK"

static struct wire *w;
static struct pipeline *p;
static struct keep_live *k;
static struct view *v;
static char folder[] = "/tmp/test-keep-XXXXXX", path[64], error[CAPTURE_ERROR];
static size_t fed;

static void begin(unsigned mib)
{
    w = calloc(1, sizeof *w);
    v = calloc(1, sizeof *v);
    p = pipeline_new();
    cr_assert(w && v && p && mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out.pcap", folder);
    k = keep_live_open(&(struct keep_live_options){ .to = { .path = path }, .memory_mib = mib }, error);
    cr_assert(k, "%s", error);
    p->watch = (struct pipeline_watch){ .self = keep_live_messages(k), .sip = messages_note };
}

static void end(void)
{
    cr_expect(keep_live_close(k));
    unlink(path);
    rmdir(folder);
    pipeline_free(p);
    free(v);
    free(w);
}

static void feed(void)
{
    for (; fed < w->n; fed++) {
        enum disposition d = pipeline_frame(p, &w->frame[fed]);

        keep_live_frame(k, &w->frame[fed], d == DONE_RTP);
    }
}

static uint64_t sip(const char *start, const char *method, const char *call_id, const char *rtp)
{
    char m[WIRE_MAX];
    size_t n = wire_sip(m, start, method, call_id, rtp);

    return wire_udp(w, *start == 'S' ? SIP_B : SIP_A, *start == 'S' ? SIP_A : SIP_B, m, n);
}

static void look(void)
{
    feed();
    view_make(v, p->track, &(struct view_options){ 0 }, p->clock.now_ns);
}

static void judged(uint32_t call, bool failed)
{
    struct session_finding *f = calloc(1, sizeof *f);

    look();
    judge_call(v, track_call_at(p->track, call), f);
    keep_live_session(k, v, f, failed);
    session_finding_done(f);
    free(f);
}

static void tick(void)
{
    look();
    cr_assert(keep_live_tick(k, v));
}

/* The frames in the file are those, by their times, in this order. */
static void expect_written(const uint64_t *numbers, size_t n)
{
    const char *paths[] = { path };
    struct capture *c = capture_open_files(paths, 1, NULL, error);
    struct frame f;
    size_t i = 0;

    for (; capture_next(c, &f); i++)
        if (i < n)
            cr_expect_eq(f.ts_ns, w->frame[numbers[i] - 1].ts_ns, "written as number %zu: not frame %llu", i + 1,
                         (unsigned long long)numbers[i]);
    cr_expect_eq(i, n);
    capture_close(c);
}

Test(keep_live, before_and_after_it_is_found_to_fail)
{
    uint64_t want[8];
    size_t n = 0;

    begin(1);
    want[n++] = sip(INVITE, "INVITE", "one", OWN);
    sip(INVITE, "INVITE", "two", OTHER);
    want[n++] = sip(OK, "INVITE", "one", PEER);
    want[n++] = wire_rtp(w, OWN, PEER, 1);
    wire_rtp(w, OTHER, OTHER_TO, 1);
    tick();
    expect_written(NULL, 0);
    judged(0, true);
    tick();
    expect_written(want, n);
    want[n++] = wire_rtp(w, OWN, PEER, 2);
    wire_rtp(w, OTHER, OTHER_TO, 2);
    tick();
    want[n++] = sip(BYE, "BYE", "one", NULL);
    tick();
    expect_written(want, n);
    judged(0, false);
    tick();
    cr_expect_eq(keep_live_counts(k)->frames, n, "each once, although they were looked at again");
    expect_written(want, n);
    end();
}

Test(keep_live, one_that_does_not_fail)
{
    begin(1);
    sip(INVITE, "INVITE", "one", OWN);
    sip(OK, "INVITE", "one", PEER);
    judged(0, false);
    tick();
    expect_written(NULL, 0);
    end();
}

/* As coturn writes it: DATA, XOR-PEER-ADDRESS. Of the voice between nothing is written, and of the peer all. */
Test(keep_live, an_indication_without_its_voice)
{
    enum { VOICE_AT = WIRE_IP + WIRE_UDP + 24 + 12, VOICE_N = 40 };
    uint8_t m[24 + 12 + VOICE_N + 12] = { 0, 0x17, 0, 4 + 12 + VOICE_N + 12, 0x21, 0x12, 0xa4, 0x42 };
    const char *paths[] = { path };
    struct capture *c;
    struct frame f;

    begin(1);
    m[21] = 0x13;
    m[23] = 12 + VOICE_N;
    m[24] = 0x80;
    memset(m + 36, 0xd5, VOICE_N);
    memcpy(m + 36 + VOICE_N, (uint8_t[]){ 0, 0x12, 0, 8, 0, 1, 7, 7, 7, 7, 7, 7 }, 12);
    sip(INVITE, "INVITE", "one", OWN);
    sip(OK, "INVITE", "one", PEER);
    wire_udp(w, PEER, OWN, m, sizeof m);
    judged(0, true);
    tick();
    c = capture_open_files(paths, 1, NULL, error);
    for (size_t i = 0; i < 3; i++)
        cr_assert(capture_next(c, &f));
    cr_assert_eq(f.bytes.n, WIRE_IP + WIRE_UDP + sizeof m);
    for (size_t i = 0; i < f.bytes.n; i++)
        cr_expect_eq(f.bytes.p[i], i >= VOICE_AT && i < VOICE_AT + VOICE_N ? 0 : w->frame[2].bytes.p[i], "byte %zu", i);
    capture_close(c);
    end();
}

/* Much voice of other calls since: the signalling is there all the same. */
Test(keep_live, voice_does_not_drive_out_signalling)
{
    uint64_t want[2];
    enum { MUCH = 5000 };

    begin(1);
    want[0] = sip(INVITE, "INVITE", "one", OWN);
    want[1] = sip(OK, "INVITE", "one", PEER);
    wire_rtp(w, OTHER, OTHER_TO, 1);
    feed();
    for (unsigned i = 0; i < MUCH; i++)
        keep_live_frame(k, &w->frame[2], true);
    judged(0, true);
    tick();
    expect_written(want, 2);
    end();
}

/* A fragment was held against the selection before the rest of its packet came. */
Test(keep_live, a_packet_in_two_looks)
{
    char m[WIRE_MAX];
    size_t n;
    uint64_t want[5];

    begin(1);
    want[0] = sip(INVITE, "INVITE", "one", OWN);
    want[1] = sip(OK, "INVITE", "one", PEER);
    judged(0, true);
    tick();
    n = wire_sip(m, BYE, "BYE", "one", NULL);
    want[2] = wire_fragments(w, SIP_A, SIP_B, m, n, 96);
    want[3] = want[2] + 1;
    w->n--; /* the second comes later */
    tick();
    expect_written(want, 2);
    w->n++;
    tick();
    expect_written(want, 4);
    end();
}

Test(keep_live, it_ends)
{
    uint64_t want[8];
    size_t n = 0;

    begin(1);
    want[n++] = sip(INVITE, "INVITE", "one", OWN);
    want[n++] = sip(OK, "INVITE", "one", PEER);
    judged(0, true);
    want[n++] = sip(BYE, "BYE", "one", NULL);
    judged(0, true);
    tick();
    for (size_t i = 0; i < 2; i++) { /* long after its end, on the same ports */
        uint64_t late = wire_rtp(w, OWN, PEER, (unsigned)i);

        w->frame[late - 1].ts_ns += SECONDS(60);
        tick();
    }
    expect_written(want, n);
    end();
}
