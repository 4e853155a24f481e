#include "gen_call.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define IP4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
enum { DIALERS = 10, WEBPHONES = 200, PORTS = 20000, DNS_EVERY = 200 };
enum { TRAVEL = 15 * MS, REPORT_EVERY_S = 5 };

static const int64_t first_ns = INT64_C(1704704400) * SECOND; /* Monday 2024-01-08 09:00 UTC */
static const struct sock proxy = { IP4(192, 0, 2, 5), 5060 }, resolver = { IP4(192, 0, 2, 53), 53 };
const struct server honest = { { IP4(192, 0, 2, 10), 3478 }, "stun1.example.net" };
const struct server liar = { { IP4(192, 0, 2, 11), 19302 }, "stun2.example.net" };

/* ---- choices: SplitMix64's finalizer as a hash ---- */

enum choice { IS_BAD, IS_ICE, DELAY, TAG, SSRC, FIRST_SEQ, LOSS, JITTER, TRANSACTION, SECRET, VOICE };

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t choose(const struct gen *g, uint32_t call, enum choice what, uint64_t n)
{
    return mix(mix(mix(g->opt.seed) ^ call) ^ ((uint64_t)what << 56) ^ n);
}

static bool chance(const struct gen *g, uint32_t call, enum choice what, uint64_t n, double share)
{
    return (double)(choose(g, call, what, n) >> 11) < share * 9007199254740992.0; /* 2^53 */
}

/* ---- the parties of call `id` ---- */

static struct sock dialer_rtp(uint32_t id)
{
    return (struct sock){ IP4(10, 0, 1 + id % DIALERS, 10), (uint16_t)(10000 + 2 * (id / DIALERS % PORTS)) };
}

static struct sock dialer_outside(uint32_t id)
{
    return (struct sock){ IP4(203, 0, 113, 1 + id % DIALERS), dialer_rtp(id).port };
}

static struct sock webphone_rtp(uint32_t id)
{
    return (struct sock){ IP4(198, 51, 100, 1 + id % WEBPHONES), (uint16_t)(20000 + 2 * (id / WEBPHONES % PORTS)) };
}

static const struct server *server_of(const struct gen *g, uint32_t id)
{
    return g->calls[id].bad ? &liar : &honest;
}

/* What the call's STUN server says of the dialer's RTP socket. */
static struct sock mapped(const struct gen *g, uint32_t id)
{
    struct sock s = dialer_outside(id);

    if (g->calls[id].bad)
        s.ip = IP4(192, 0, 2, 128 + id % 100);
    return s;
}

static struct sock up(struct sock s, unsigned component)
{
    s.port = (uint16_t)(s.port + component);
    return s;
}

static uint32_t ssrc(const struct gen *g, uint32_t id, enum side side)
{
    return (uint32_t)choose(g, id, SSRC, side) | 1; /* never 0, which stands for none */
}

const char *call_id(const struct gen *g, uint32_t id, char buf[CALL_ID_TEXT])
{
    (void)snprintf(buf, CALL_ID_TEXT, "%016" PRIx64 "-%" PRIu32 "@dialer%u", choose(g, id, TAG, 1), id, 1 + id % DIALERS);
    return buf;
}

static struct dialog dialog_of(const struct gen *g, uint32_t id)
{
    struct dialog d = {
        .dialer = 1 + id % DIALERS,
        .webphone = 1 + id % WEBPHONES,
        .tag = (uint32_t)choose(g, id, TAG, 0),
        .local = { dialer_rtp(id).ip, 5060 },
        .outside = { dialer_outside(id).ip, 5060 },
        .contact = { IP4(192, 168, 1, 50), 5060 },
    };

    (void)call_id(g, id, d.call_id);
    return d;
}

static struct session session_of(const struct gen *g, uint32_t id, enum side side)
{
    struct session s = {
        .version = 1 + id,
        .host = side == DIALER ? dialer_rtp(id) : (struct sock){ IP4(192, 168, 1, 50), webphone_rtp(id).port },
        .mapped = side == DIALER ? mapped(g, id) : webphone_rtp(id),
        .ice = side == DIALER ? !g->opt.no_media : g->calls[id].ice,
    };

    (void)snprintf(s.ufrag, sizeof s.ufrag, "%c%07" PRIx64, side == DIALER ? 'd' : 'w', choose(g, id, SECRET, side) >> 36);
    (void)snprintf(s.pwd, sizeof s.pwd, "%016" PRIx64 "%08x", choose(g, id, SECRET, 2 + side), id);
    return s;
}

/* ---- the script of a call ---- */

/* Somewhere within its share of time, so that calls start in the order of their numbers. */
static int64_t start_of(const struct gen *g, uint32_t id)
{
    const double fraction = (double)(choose(g, id, DELAY, 0) & 0xffff) / 0x10000;

    return first_ns + (int64_t)((id + fraction) / g->opt.rate * SECOND);
}

static void dns(struct gen *g, uint32_t id, int64_t at, const struct server *s, bool answer)
{
    const struct sock from = { dialer_rtp(id).ip, (uint16_t)(40000 + id % 20000) };
    struct msg m;

    if (id / DIALERS % DNS_EVERY)
        return;
    dns_message(&m, (unsigned)choose(g, id, TRANSACTION, s->sock.ip) & 0xffff, s->name, answer ? &s->sock.ip : NULL, 300);
    pcap_udp(&g->out, at, answer ? resolver : from, answer ? from : resolver, &m);
}

static void dns_ask_honest(struct gen *g, uint32_t id, int64_t at)
{
    dns(g, id, at, &honest, false);
}

static void dns_tell_honest(struct gen *g, uint32_t id, int64_t at)
{
    dns(g, id, at, &honest, true);
}

static void dns_ask_liar(struct gen *g, uint32_t id, int64_t at)
{
    dns(g, id, at, &liar, false);
}

static void dns_tell_liar(struct gen *g, uint32_t id, int64_t at)
{
    dns(g, id, at, &liar, true);
}

/* One query a component (0 RTP, 1 RTCP) from the media socket itself, as Asterisk and baresip do. */
static void stun_ask(struct gen *g, uint32_t id, int64_t at, unsigned component)
{
    struct msg m;

    stun_begin(&m, BINDING_REQUEST, choose(g, id, TRANSACTION, component));
    pcap_udp(&g->out, at, up(dialer_rtp(id), component), server_of(g, id)->sock, &m);
}

static void stun_tell(struct gen *g, uint32_t id, int64_t at, unsigned component)
{
    struct msg m;

    stun_begin(&m, BINDING_SUCCESS, choose(g, id, TRANSACTION, component));
    stun_xor_mapped(&m, up(mapped(g, id), component));
    stun_attr(&m, ATTR_SOFTWARE, "bench", 5);
    pcap_udp(&g->out, at, server_of(g, id)->sock, up(dialer_rtp(id), component), &m);
}

static void stun_ask_rtp(struct gen *g, uint32_t id, int64_t at)
{
    stun_ask(g, id, at, 0);
}

static void stun_ask_rtcp(struct gen *g, uint32_t id, int64_t at)
{
    stun_ask(g, id, at, 1);
}

static void stun_tell_rtp(struct gen *g, uint32_t id, int64_t at)
{
    stun_tell(g, id, at, 0);
}

static void stun_tell_rtcp(struct gen *g, uint32_t id, int64_t at)
{
    stun_tell(g, id, at, 1);
}

static void request(struct gen *g, uint32_t id, int64_t at, const char *method, unsigned cseq, bool tagged, const struct msg *sdp)
{
    const struct dialog d = dialog_of(g, id);
    struct msg m;

    sip_request(&m, &d, method, cseq, tagged, sdp);
    pcap_udp(&g->out, at, d.local, proxy, &m);
}

static void reply(struct gen *g, uint32_t id, int64_t at, const char *status, const char *method, unsigned cseq, bool tagged,
                  const struct msg *sdp)
{
    const struct dialog d = dialog_of(g, id);
    struct msg m;

    sip_reply(&m, &d, status, method, cseq, tagged, sdp);
    pcap_udp(&g->out, at, proxy, d.local, &m);
}

static void invite(struct gen *g, uint32_t id, int64_t at)
{
    const struct session offer = session_of(g, id, DIALER);
    struct msg sdp;

    sdp_text(&sdp, &offer);
    request(g, id, at, "INVITE", 1, false, &sdp);
}

static void trying(struct gen *g, uint32_t id, int64_t at)
{
    reply(g, id, at, "100 Trying", "INVITE", 1, false, NULL);
}

static void ringing(struct gen *g, uint32_t id, int64_t at)
{
    reply(g, id, at, "180 Ringing", "INVITE", 1, true, NULL);
}

static void answered(struct gen *g, uint32_t id, int64_t at)
{
    const struct session answer = session_of(g, id, WEBPHONE);
    struct msg sdp;

    sdp_text(&sdp, &answer);
    reply(g, id, at, "200 OK", "INVITE", 1, true, &sdp);
}

static void ack(struct gen *g, uint32_t id, int64_t at)
{
    request(g, id, at, "ACK", 1, true, NULL);
}

static void bye(struct gen *g, uint32_t id, int64_t at)
{
    request(g, id, at, "BYE", 2, true, NULL);
}

static void bye_ok(struct gen *g, uint32_t id, int64_t at)
{
    reply(g, id, at, "200 OK", "BYE", 2, true, NULL);
}

/* RFC 8445 §7.1: `from` asks, under the other side's password; the dialer made the offer, so it controls. */
static void check_request(struct gen *g, uint32_t id, int64_t at, enum side from, struct sock to, bool nominate)
{
    const struct session own = session_of(g, id, from), other = session_of(g, id, from == DIALER ? WEBPHONE : DIALER);
    char username[2 * UFRAG_TEXT];
    struct msg m;

    (void)snprintf(username, sizeof username, "%s:%s", other.ufrag, own.ufrag);
    stun_begin(&m, BINDING_REQUEST, choose(g, id, TRANSACTION, 2 + ++g->calls[id].checks));
    stun_attr(&m, ATTR_USERNAME, username, strlen(username));
    stun_attr_u32(&m, ATTR_PRIORITY, 1862270975); /* that of a peer-reflexive candidate, type preference 110 */
    stun_attr_u64(&m, from == DIALER ? ATTR_CONTROLLING : ATTR_CONTROLLED, choose(g, id, SECRET, 4 + from));
    if (nominate)
        stun_attr(&m, ATTR_USE_CANDIDATE, NULL, 0);
    stun_integrity(&m, other.pwd);
    stun_fingerprint(&m);
    pcap_udp(&g->out, at, from == DIALER ? dialer_rtp(id) : webphone_rtp(id), to, &m);
}

/* The answer to the latest check, with the address that the asker's packets came from. */
static void check_answer(struct gen *g, uint32_t id, int64_t at, enum side from)
{
    const struct session own = session_of(g, id, from);
    struct msg m;

    stun_begin(&m, BINDING_SUCCESS, choose(g, id, TRANSACTION, 2 + g->calls[id].checks));
    stun_xor_mapped(&m, from == DIALER ? webphone_rtp(id) : dialer_outside(id));
    stun_integrity(&m, own.pwd);
    stun_fingerprint(&m);
    pcap_udp(&g->out, at, from == DIALER ? dialer_rtp(id) : webphone_rtp(id), from == DIALER ? webphone_rtp(id) : dialer_rtp(id),
             &m);
}

/* The webphone's host candidate is in its own home network, so this one is never answered. */
static void check_host(struct gen *g, uint32_t id, int64_t at)
{
    check_request(g, id, at, DIALER, session_of(g, id, WEBPHONE).host, false);
}

static void check_ours(struct gen *g, uint32_t id, int64_t at)
{
    check_request(g, id, at, DIALER, webphone_rtp(id), false);
}

static void check_nominate(struct gen *g, uint32_t id, int64_t at)
{
    check_request(g, id, at, DIALER, webphone_rtp(id), true);
}

static void check_theirs(struct gen *g, uint32_t id, int64_t at)
{
    check_request(g, id, at, WEBPHONE, dialer_rtp(id), false);
}

static void webphone_answers(struct gen *g, uint32_t id, int64_t at)
{
    check_answer(g, id, at, WEBPHONE);
}

static void dialer_answers(struct gen *g, uint32_t id, int64_t at)
{
    check_answer(g, id, at, DIALER);
}

/* When in a call, in milliseconds from its start; RTP begins at MEDIA_MS and the last two come when the time is up. */
enum { ALWAYS, WITH_MEDIA, WITH_ICE }; /* with --no-media only ALWAYS: 7 SIP messages and 4 of STUN */
enum { MEDIA_MS = 1500 };
static const struct step {
    int ms;
    int when;
    void (*play)(struct gen *g, uint32_t id, int64_t at);
} script[] = {
    { 0, WITH_MEDIA, dns_ask_honest },
    { 8, WITH_MEDIA, dns_tell_honest },
    { 9, WITH_MEDIA, dns_ask_liar },
    { 17, WITH_MEDIA, dns_tell_liar },
    { 20, ALWAYS, stun_ask_rtp },
    { 21, ALWAYS, stun_ask_rtcp },
    { 45, ALWAYS, stun_tell_rtp },
    { 46, ALWAYS, stun_tell_rtcp },
    { 50, ALWAYS, invite },
    { 60, ALWAYS, trying },
    { 250, ALWAYS, ringing },
    { 1250, ALWAYS, answered },
    { 1252, ALWAYS, ack },
    { 1255, WITH_ICE, check_host },
    { 1270, WITH_ICE, check_ours },
    { 1300, WITH_ICE, webphone_answers },
    { 1310, WITH_ICE, check_theirs },
    { 1311, WITH_ICE, dialer_answers },
    { 1320, WITH_ICE, check_nominate },
    { 1350, WITH_ICE, webphone_answers },
    { 1500, ALWAYS, bye },
    { 1530, ALWAYS, bye_ok },
};
enum { STEPS = sizeof script / sizeof *script, BYE_STEP = STEPS - 2 };

/* What repeats while the call is up. */
enum medium { RTP_SENT = STEPS, RTP_CAME, RTCP_SENT, RTCP_CAME, CONSENT, CONSENT_ANSWER };

static int64_t step_time(const struct gen *g, uint32_t id, uint32_t step)
{
    return start_of(g, id) + script[step].ms * (int64_t)MS + (step >= BYE_STEP ? g->opt.duration_ns : 0);
}

/* ---- media ---- */

static int64_t media_start(const struct gen *g, uint32_t id)
{
    return start_of(g, id) + MEDIA_MS * (int64_t)MS;
}

/* The n-th packet of a side as it passes the capture: the dialer's own keep time, the webphone's have travelled. */
static int64_t rtp_time(const struct gen *g, uint32_t id, enum side side, uint32_t n)
{
    const int64_t jitter = side == DIALER ? MS / 10 : 3 * MS;

    return media_start(g, id) + (side == DIALER ? 0 : TRAVEL) + n * (int64_t)PCMU_NS +
           (int64_t)(choose(g, id, JITTER, (uint64_t)n << 1 | side) % (uint64_t)jitter);
}

static void rtp(struct gen *g, uint32_t id, int64_t at, enum side side)
{
    struct stream *s = &g->calls[id].stream[side];
    const uint64_t start = choose(g, id, FIRST_SEQ, side);
    const bool lost = chance(g, id, LOSS, (uint64_t)s->sent << 1 | side, g->opt.loss);
    struct msg m;

    s->lost += lost;
    if (side == DIALER || !lost) {
        rtp_packet(&m, s->sent == 0, (uint16_t)((start & 0x3fff) + s->sent), (uint32_t)(start >> 32) + s->sent * PCMU_BYTES,
                   ssrc(g, id, side), g->voice[(s->sent + id) % 64]);
        pcap_udp(&g->out, at, side == DIALER ? dialer_rtp(id) : webphone_rtp(id),
                 side == DIALER ? webphone_rtp(id) : dialer_rtp(id), &m);
    }
    s->sent++;
    schedule(g, rtp_time(g, id, side, s->sent), id, side == DIALER ? RTP_SENT : RTP_CAME);
}

/* RFC 3550 §6.4.1: what `side` says of itself and of the other's stream; the dialer of a bad call hears nobody. */
static struct rtcp_side report_of(struct gen *g, uint32_t id, enum side side)
{
    struct call *c = &g->calls[id];
    struct stream *own = &c->stream[side], *heard = &c->stream[side == DIALER ? WEBPHONE : DIALER];
    const uint32_t sent = heard->sent - heard->sent_at_report, lost = heard->lost - heard->lost_at_report;
    struct rtcp_side r = { .ssrc = ssrc(g, id, side), .packets = own->sent };

    if (c->bad && side == WEBPHONE) /* its RTP is sent where nobody sees it, and so its packets are not played here */
        r.packets = c->stream[DIALER].sent;
    r.octets = r.packets * PCMU_BYTES;
    r.rtp_time = (uint32_t)(choose(g, id, FIRST_SEQ, side) >> 32) + r.octets;
    if (c->bad && side == DIALER)
        return r;
    r.about = ssrc(g, id, side == DIALER ? WEBPHONE : DIALER);
    r.highest_seq = (uint32_t)(choose(g, id, FIRST_SEQ, side == DIALER ? WEBPHONE : DIALER) & 0x3fff) + heard->sent - 1;
    r.lost = heard->lost;
    r.fraction_lost = sent ? lost * 255 / sent : 0;
    heard->sent_at_report = heard->sent;
    heard->lost_at_report = heard->lost;
    return r;
}

/* ICE calls multiplex RTCP (RFC 5761), the others use the port above. */
static void rtcp(struct gen *g, uint32_t id, int64_t at, enum side side)
{
    const struct rtcp_side r = report_of(g, id, side);
    const unsigned component = g->calls[id].ice ? 0 : 1;
    const struct sock dialer = up(dialer_rtp(id), component), webphone = up(webphone_rtp(id), component);
    struct msg m;

    rtcp_report(&m, at, &r);
    pcap_udp(&g->out, at, side == DIALER ? dialer : webphone, side == DIALER ? webphone : dialer, &m);
    schedule(g, at + REPORT_EVERY_S * (int64_t)SECOND, id, side == DIALER ? RTCP_SENT : RTCP_CAME);
}

/* RFC 7675: consent is asked for every five seconds. */
static void consent(struct gen *g, uint32_t id, int64_t at)
{
    check_ours(g, id, at);
    schedule(g, at + 2 * TRAVEL, id, CONSENT_ANSWER);
    schedule(g, at + 5 * (int64_t)SECOND, id, CONSENT);
}

static void start_media(struct gen *g, uint32_t id)
{
    const int64_t at = media_start(g, id);

    schedule(g, rtp_time(g, id, DIALER, 0), id, RTP_SENT);
    if (!g->calls[id].bad)
        schedule(g, rtp_time(g, id, WEBPHONE, 0), id, RTP_CAME);
    schedule(g, at + 2 * (int64_t)SECOND, id, RTCP_SENT);
    schedule(g, at + 2 * (int64_t)SECOND + 400 * MS, id, RTCP_CAME);
    if (g->calls[id].ice)
        schedule(g, at + 4 * (int64_t)SECOND, id, CONSENT);
}

/* ---- playing ---- */

bool calls_prepare(struct gen *g)
{
    g->calls = calloc(g->opt.calls, sizeof *g->calls);
    if (!g->calls)
        return false;
    for (uint32_t id = 0; id < g->opt.calls; id++) {
        g->calls[id].bad = !g->opt.no_media && chance(g, id, IS_BAD, 0, g->opt.bad);
        g->calls[id].ice = !g->opt.no_media && !g->calls[id].bad && chance(g, id, IS_ICE, 0, g->opt.ice);
    }
    for (size_t i = 0; i < sizeof g->voice; i++)
        g->voice[i / PCMU_BYTES][i % PCMU_BYTES] = (uint8_t)choose(g, 0, VOICE, i);
    schedule(g, step_time(g, 0, 0), 0, 0);
    return true;
}

static bool plays(const struct gen *g, uint32_t id, const struct step *s)
{
    return s->when == ALWAYS || (!g->opt.no_media && (s->when == WITH_MEDIA || g->calls[id].ice));
}

/* Plays a step of the script and schedules the next; the first also starts the next call. */
static void play_step(struct gen *g, const struct event *e)
{
    uint32_t next = e->step + 1;

    if (plays(g, e->call, &script[e->step]))
        script[e->step].play(g, e->call, e->at);
    if (e->step == 0 && e->call + 1 < g->opt.calls)
        schedule(g, step_time(g, e->call + 1, 0), e->call + 1, 0);
    if (next == BYE_STEP && !g->opt.no_media)
        start_media(g, e->call);
    if (next < STEPS)
        schedule(g, step_time(g, e->call, next), e->call, next);
}

static void play_medium(struct gen *g, const struct event *e)
{
    if (e->at >= step_time(g, e->call, BYE_STEP))
        return;
    switch ((enum medium)e->step) {
    case RTP_SENT: rtp(g, e->call, e->at, DIALER); break;
    case RTP_CAME: rtp(g, e->call, e->at, WEBPHONE); break;
    case RTCP_SENT: rtcp(g, e->call, e->at, DIALER); break;
    case RTCP_CAME: rtcp(g, e->call, e->at, WEBPHONE); break;
    case CONSENT: consent(g, e->call, e->at); break;
    case CONSENT_ANSWER: webphone_answers(g, e->call, e->at); break;
    }
}

void call_play(struct gen *g, const struct event *e)
{
    if (e->step < STEPS)
        play_step(g, e);
    else
        play_medium(g, e);
}
