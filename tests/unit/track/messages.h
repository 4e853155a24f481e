/* A track, a clock and messages made by hand: what the dissectors would have handed over. */
#ifndef RW_TESTS_TRACK_MESSAGES_H
#define RW_TESTS_TRACK_MESSAGES_H

#include <criterion/criterion.h>

#include "track/track.h"

/* The parties of the tests' call, and where they want their media. */
#define CALLER_SIP   "192.0.2.10:5060"
#define CALLEE_SIP   "198.51.100.20:5060"
#define CALLER_MEDIA "192.0.2.10:10000"
#define CALLEE_MEDIA "198.51.100.20:20000"

static struct track *t;
static struct fault_log faults;
static uint64_t frame_now;
static int64_t us_now;

static inline void setup(void)
{
    t = track_new(&faults);
    cr_assert_not_null(t);
}

static inline void teardown(void)
{
    track_free(t);
}

static inline void wait_ms(int64_t ms)
{
    us_now += ms * 1000;
}

static inline struct addr addr_of(const char *text)
{
    struct addr a = ADDR_NONE;

    cr_assert(addr_parse(span_str(text), &a), "%s", text);
    return a;
}

static inline bool addr_is(const struct addr *a, const char *text)
{
    struct addr b = addr_of(text);

    return addr_eq(a, &b);
}

/* The next frame, now. */
static inline struct datagram next_frame(const char *src, const char *dst)
{
    return (struct datagram){
        .at = { SECONDS(1700000000) + us_now * NS_PER_US, ++frame_now },
        .src = addr_of(src),
        .dst = addr_of(dst),
        .size = 172,
        .ttl = 64,
    };
}

static inline struct flow *flow_between(const char *src, const char *dst)
{
    struct addr a = addr_of(src), b = addr_of(dst);

    return track_find_flow(t, &a, &b);
}

static inline struct socket *socket_at(const char *text)
{
    struct addr a = addr_of(text);

    return track_find_socket(t, &a);
}

/* ---- RTP ---- */

static inline bool rtp_of(const char *src, const char *dst, uint32_t ssrc, uint16_t seq, uint8_t pt)
{
    struct datagram d = next_frame(src, dst);
    struct rtp_msg m = { .pt = pt, .seq = seq, .timestamp = seq * 160u, .ssrc = ssrc };
    struct flow *f = track_flow(t, &d);

    cr_assert_not_null(f);
    return track_rtp(t, f, &d, &m);
}

/* Voice of the caller, 20 ms after what was before it. */
static inline bool voice(uint32_t ssrc, uint16_t seq)
{
    wait_ms(20);
    return rtp_of(CALLER_MEDIA, CALLEE_MEDIA, ssrc, seq, 0);
}

static inline struct stream *newest_stream(void)
{
    const struct flow *f = flow_between(CALLER_MEDIA, CALLEE_MEDIA);

    cr_assert_not_null(f);
    return track_stream_at(t, f->streams);
}

/* ---- SDP ---- */

struct made_sdp {
    struct sdp sdp;
    struct span bytes; /* stands for what was sent: equal bytes are a repetition */
};

/* One audio line, PCMU at `addr`; the description that follows overwrites it. */
static inline struct made_sdp *audio(const char *addr)
{
    static struct made_sdp made;
    struct sdp_media *m = made.sdp.media;

    memset(&made, 0, sizeof made);
    made.bytes = span_str(addr);
    made.sdp.medias = 1;
    *m = (struct sdp_media){ .kind = SDP_AUDIO, .kind_name = SPAN("audio"), .proto = SPAN("RTP/AVP"), .addr = addr_of(addr) };
    m->port = m->addr.port;
    m->host = span_part(made.bytes, 0, span_find(made.bytes, ':'));
    m->formats = 1;
    m->format[0] = (struct sdp_format){ .pt = 0, .encoding = SPAN("PCMU"), .clock_hz = 8000 };
    return &made;
}

/* The same with ICE, and one candidate. */
static inline struct made_sdp *audio_ice(const char *addr, const char *ufrag, const char *pwd, const char *candidate)
{
    struct made_sdp *made = audio(addr);

    made->bytes = span_str(pwd);
    made->sdp.media[0].ufrag = span_str(ufrag);
    made->sdp.media[0].pwd = span_str(pwd);
    made->sdp.cands = 1;
    made->sdp.cand[0] = (struct sdp_cand){ .component = 1, .type = SDP_CAND_SRFLX, .priority = 5, .addr = addr_of(candidate) };
    return made;
}

/* ---- SIP ---- */

/* Tags of the tests' call: the caller's, and the callee's ("": none yet). */
static inline struct sip_msg sip_request(enum sip_method method, uint32_t cseq, const char *from_tag, const char *to_tag)
{
    return (struct sip_msg){
        .request = true,
        .method = method,
        .call_id = SPAN("5f3c@192.0.2.10"),
        .from = { .uri = SPAN("sip:agent1@example.com"), .tag = span_str(from_tag) },
        .to = { .uri = SPAN("sip:18005550100@example.com"), .tag = span_str(to_tag) },
        .cseq = cseq,
    };
}

static inline struct sip_msg sip_reply(unsigned status, enum sip_method method, uint32_t cseq, const char *from_tag,
                                       const char *to_tag)
{
    struct sip_msg m = sip_request(method, cseq, from_tag, to_tag);

    m.request = false;
    m.status = status;
    return m;
}

static inline void sip_between(const char *src, const char *dst, struct sip_msg m, const struct made_sdp *sdp)
{
    struct datagram d;

    wait_ms(1);
    d = next_frame(src, dst);
    track_sip(t, &d, &m, sdp ? &sdp->sdp : NULL, sdp ? sdp->bytes : SPAN_NONE);
}

static inline void caller_says(struct sip_msg m, const struct made_sdp *sdp)
{
    sip_between(CALLER_SIP, CALLEE_SIP, m, sdp);
}

static inline void callee_says(struct sip_msg m, const struct made_sdp *sdp)
{
    sip_between(CALLEE_SIP, CALLER_SIP, m, sdp);
}

static inline struct call *the_call(void)
{
    cr_assert_eq(t->calls.live, 1, "%u calls", t->calls.live);
    return track_call_at(t, 0);
}

static inline void invite(uint32_t cseq, const char *media)
{
    caller_says(sip_request(SIP_INVITE, cseq, "a", ""), media ? audio(media) : NULL);
}

static inline void invite_gets(unsigned status, uint32_t cseq, const char *to_tag, const char *media)
{
    callee_says(sip_reply(status, SIP_INVITE, cseq, "a", to_tag), media ? audio(media) : NULL);
}

static inline void ack(uint32_t cseq, const char *to_tag)
{
    caller_says(sip_request(SIP_ACK, cseq, "a", to_tag), NULL);
}

/* A call that is up, with one agreement. */
static inline struct call *answered_call(void)
{
    invite(1, CALLER_MEDIA);
    invite_gets(180, 1, "b", NULL);
    invite_gets(200, 1, "b", CALLEE_MEDIA);
    ack(1, "b");
    return the_call();
}

/* ---- STUN ---- */

/* A Binding message with the cookie and a transaction id of `id`. */
static inline struct stun_msg stun_of(enum stun_class cls, uint8_t id)
{
    return (struct stun_msg){ .cls = cls, .method = STUN_BINDING, .tid = { 0x21, 0x12, 0xa4, 0x42, [15] = id } };
}

static inline struct stun_msg stun_answer(uint8_t id, const char *mapped)
{
    struct stun_msg m = stun_of(STUN_SUCCESS, id);

    m.has_xor_mapped = true;
    m.xor_mapped = addr_of(mapped);
    return m;
}

static inline enum stun_role stun_between(const char *src, const char *dst, struct stun_msg m)
{
    struct datagram d = next_frame(src, dst);
    struct flow *f = track_flow(t, &d);

    cr_assert_not_null(f);
    return track_stun(t, f, &d, &m);
}

#endif
