#include "app/pipeline_private.h"

#include <stdlib.h>

#include "app/twice.h"
#include "dissectors/icmp.h"
#include "tls/tls.h"

#define LEAP_NS     SECONDS(86400)
#define NOT_INLINED __attribute__((noinline))

const char *disposition_name(enum disposition d)
{
#define X(id, name) name,
    static const char *const names[] = { DISPOSITIONS(X) };
#undef X

    return names[d];
}

struct datagram pipeline_datagram(const struct net_packet *p)
{
    return (struct datagram){
        .at = { p->ts_ns, p->frame },
        .since = p->since,
        .src = p->src,
        .dst = p->dst,
        .size = rd_wire_left(&p->payload),
        .ttl = p->ttl,
        .left_here = p->direction == NET_DIR_OUT,
    };
}

/* ---- SIP ---- */

void pipeline_sip(struct pipeline *p, const struct datagram *d, const struct sip_msg *m, size_t uncaptured, struct faults *why)
{
    struct span body = sip_sdp(m, why);
    struct rd r = rd_init(body, body.n + uncaptured);
    const struct sdp *sdp = NULL;

    if (body.n) {
        enum dis got = sdp_dissect(&r, &p->msg.sdp, why);

        if ((got == DIS_OK || got == DIS_CUT) && p->msg.sdp.medias)
            sdp = &p->msg.sdp;
    }
    fault_log_all(&p->faults, why, d->at.frame);
    track_sip(p->track, d, m, sdp, body);
    if (p->watch.sip)
        p->watch.sip(p->watch.self, d, m, sdp);
}

static struct sip_read *sip_read(struct sip_read *out, struct rd r)
{
    out->why.n = 0; /* nothing of it counts but what `n` says */
    out->got = sip_dissect(&r, false, &out->msg, &out->why);
    return out;
}

/* `m`: of this datagram, read before its turn, or NULL. */
static bool udp_sip(struct pipeline *p, const struct datagram *d, const struct rd *r, struct sip_read *m)
{
    if (!m)
        m = sip_read(&p->msg.sip, *r);
    if (m->got == DIS_NOT_MINE)
        return false;
    if (m->got == DIS_CUT)
        fault_log_one(&p->faults, FAULT_SIP_CUT, d->at.frame);
    if (m->got == DIS_OK || m->got == DIS_CUT)
        pipeline_sip(p, d, &m->msg, r->uncap, &m->why);
    else
        fault_log_all(&p->faults, &m->why, d->at.frame);
    return true;
}

/* ---- what comes over UDP ---- */

static NOT_INLINED enum disposition unexplained(struct pipeline *p, struct flow *f, const struct datagram *d, struct span s)
{
    if (f) {
        f->contains |= FLOW_OTHER;
        f->other++;
        if (f->other <= HINTS_PACKETS)
            hints_feed(p->hints, f->slot, &d->src, &d->dst, s, d->at.ns);
    }
    return DONE_UNEXPLAINED;
}

/* What a datagram is, with what was found out of it before its turn. */
struct content {
    enum kind kind;
    struct sip_read *sip;           /* NULL: not yet read, or no SIP */
    const struct flow_ahead *ahead; /* what track was told of it beforehand, or NULL */
};
static enum disposition udp_content(struct pipeline *p, struct flow *f, const struct datagram *d, const struct rd *r,
                                    const struct content *c);

static void tell_relayed(struct pipeline *p, const struct flow *inner, struct span data)
{
    if (p->watch.relayed)
        p->watch.relayed(p->watch.self, inner, data);
}

/* What came through a TURN relay is judged like any other datagram, between the relayed address and the peer; once, not deeper. */
static void relayed(struct pipeline *p, const struct flow *f, const struct datagram *d, const struct addr *peer, struct span data,
                    size_t wire)
{
    struct datagram inner;
    struct content c = { .kind = classify(data, wire, peer->port, 0) };
    struct rd r = rd_init(data, wire);
    struct flow *g;

    if (c.kind == KIND_DNS || c.kind == KIND_TURN_CHANNEL)
        return;
    if (!track_turn_data(p->track, f, d, peer, wire, &inner)) {
        tell_relayed(p, NULL, data);
        return;
    }
    g = track_flow(p->track, &inner);
    if (!g)
        return;
    tell_relayed(p, g, data);
    if (g->alloc != POOL_NONE)
        return;
    g->contains |= FLOW_RELAYED;
    udp_content(p, g, &inner, &r, &c);
}

void pipeline_channel(struct pipeline *p, struct flow *f, const struct datagram *d, struct rd r)
{
    uint16_t number = rd_u16(&r), length = rd_u16(&r);
    struct rd data = rd_sub(&r, length);
    struct addr peer;

    f->contains |= FLOW_TURN_DATA;
    if (!r.err && track_turn_channel(p->track, f, number, &peer))
        relayed(p, f, d, &peer, rd_rest(&data), length);
    else
        tell_relayed(p, NULL, rd_rest(&data));
}

bool pipeline_stun(struct pipeline *p, struct flow *f, const struct datagram *d, enum dis got, struct faults *why)
{
    enum stun_role role;

    if (got != DIS_OK && got != DIS_CUT) {
        fault_log_all(&p->faults, why, d->at.frame);
        return false;
    }
    if (got == DIS_CUT)
        p->msg.stun.has_integrity = p->msg.stun.has_fingerprint = false; /* cannot be checked */
    if (stun_check_fingerprint(&p->msg.stun) == STUN_WRONG) {
        fault_add(why, FAULT_STUN_FINGERPRINT, p->msg.stun.fingerprint_at);
        fault_log_all(&p->faults, why, d->at.frame);
        return true; /* corrupt, or no STUN: counted, and no evidence */
    }
    if (got == DIS_CUT && p->msg.stun.cls == STUN_REQUEST && !p->msg.stun.username.n)
        return true; /* a server's question or a peer's check: the snap length took what would tell */
    role = track_stun(p->track, f, d, &p->msg.stun);
    if (role == STUN_OF_NOBODY && p->msg.stun.classic)
        return false; /* without a cookie and without its request it may be anything */
    if (role == STUN_OF_NOBODY) {
        fault_add(why, FAULT_STUN_UNMATCHED, 0);
        early_keep(&p->early, d, &p->msg.stun);
    }
    fault_log_all(&p->faults, why, d->at.frame);
    if (p->watch.stun)
        p->watch.stun(p->watch.self, d, &p->msg.stun, role);
    if (p->msg.stun.cls == STUN_INDICATION && p->msg.stun.has_peer && p->msg.stun.data.n) {
        struct addr peer = p->msg.stun.peer; /* the message's struct is used again for what is inside */

        relayed(p, f, d, &peer, p->msg.stun.data, p->msg.stun.data_wire);
    }
    return true;
}

static bool udp_stun(struct pipeline *p, struct flow *f, const struct datagram *d, struct rd r)
{
    struct faults why; /* nothing of it counts but what `n` says */
    enum dis got;

    why.n = 0;
    got = stun_dissect(&r, false, &p->msg.stun, &why);
    if (!pipeline_stun(p, f, d, got, &why))
        return false;
    if (p->early.kept && p->msg.stun.cls == STUN_REQUEST)
        pipeline_early_answer(p, d);
    return true;
}

static NOT_INLINED bool udp_dns(struct pipeline *p, const struct datagram *d, struct rd r)
{
    struct faults why = { 0 };
    enum dis got = dns_dissect(&r, &p->msg.dns, &why);

    if (got == DIS_NOT_MINE)
        return false;
    fault_log_all(&p->faults, &why, d->at.frame);
    if (got == DIS_OK || got == DIS_CUT) {
        track_dns(p->track, d, &p->msg.dns);
        if (p->watch.dns)
            p->watch.dns(p->watch.self, d, &p->msg.dns);
    }
    return true;
}

static bool udp_dtls(struct pipeline *p, struct flow *f, const struct datagram *d, struct rd r)
{
    struct faults why = { 0 };
    enum dis got = dtls_dissect(&r, &p->msg.dtls, &why);

    if (got == DIS_NOT_MINE)
        return false;
    f->contains |= FLOW_DTLS;
    if (got == DIS_OK || got == DIS_CUT)
        track_dtls(p->track, d, &p->msg.dtls, got == DIS_CUT, &why);
    fault_log_all(&p->faults, &why, d->at.frame);
    return true;
}

static bool udp_rtcp(struct pipeline *p, struct flow *f, const struct datagram *d, struct rd r)
{
    struct faults why = { 0 };
    enum dis got = rtcp_dissect(&r, &p->msg.rtcp, &why);

    if (got != DIS_OK && got != DIS_CUT)
        return false;
    fault_log_all(&p->faults, &why, d->at.frame);
    track_rtcp(p->track, f, d, &p->msg.rtcp);
    return true;
}

/*
 * The first packet of a stream is looked at whole: a broken header is told once, and not for each of its packets; and its extension may
 * tell the m-line of a stream that shares its path with others.
 */
static NOT_INLINED void rtp_first(struct pipeline *p, const struct flow *f, const struct datagram *d, struct rd r)
{
    struct faults why = { 0 };
    struct rtp_msg m;

    if (rtp_dissect(&r, &m, &why) != DIS_OK)
        return;
    track_rtp_ids(p->track, f, &m);
    if (!m.padding) /* under SRTP the padding count is encrypted */
        fault_log_all(&p->faults, &why, d->at.frame);
}

/* The path that nearly every packet takes: no dispatch, no allocation, no call object. */
static bool udp_rtp(struct pipeline *p, struct flow *f, const struct datagram *d, const struct rd *r)
{
    struct rtp_msg m;
    enum rtp_taken taken;

    if (!rtp_peek(rd_rest(r), &m))
        return false;
    taken = track_rtp(p->track, f, d, &m);
    if (taken == RTP_FIRST)
        rtp_first(p, f, d, *r);
    return taken != RTP_REFUSED;
}

/* RFC 5766 §11 had channels up to 0x7fff, which RFC 7983 does not tell from other things: only where that number is bound. */
static enum disposition old_channel(struct pipeline *p, struct flow *f, const struct datagram *d, struct rd r)
{
    struct rd at = r;
    uint16_t number = rd_u16(&at);
    struct addr peer;

    if (f->alloc == POOL_NONE || !track_turn_channel(p->track, f, number, &peer)) {
        (void)rd_u16(&at);
        tell_relayed(p, NULL, rd_rest(&at));
        return unexplained(p, f, d, rd_rest(&r));
    }
    pipeline_channel(p, f, d, r);
    return DONE_TURN_DATA;
}

/* Out of line, like DNS: their code would stand between what every packet of voice takes. */
static NOT_INLINED enum disposition other_content(struct pipeline *p, struct flow *f, const struct datagram *d,
                                                  const struct rd *r, const struct content *c)
{
    struct span s = rd_rest(r);

    switch (c->kind) {
    case KIND_RTCP: return udp_rtcp(p, f, d, *r) ? DONE_RTCP : unexplained(p, f, d, s);
    case KIND_STUN: return udp_stun(p, f, d, *r) ? DONE_STUN : unexplained(p, f, d, s);
    case KIND_SIP: f->contains |= FLOW_SIP; return udp_sip(p, d, r, c->sip) ? DONE_SIP : unexplained(p, f, d, s);
    case KIND_DTLS: return udp_dtls(p, f, d, *r) ? DONE_DTLS : unexplained(p, f, d, s);
    case KIND_TURN_CHANNEL: pipeline_channel(p, f, d, *r); return DONE_TURN_DATA;
    case KIND_KEEPALIVE: return DONE_KEEPALIVE;
    default: return old_channel(p, f, d, *r);
    }
}

static enum disposition udp_content(struct pipeline *p, struct flow *f, const struct datagram *d, const struct rd *r,
                                    const struct content *c)
{
    if (c->kind != KIND_RTP)
        return other_content(p, f, d, r, c);
    return udp_rtp(p, f, d, r) ? DONE_RTP : unexplained(p, f, d, rd_rest(r));
}

static enum kind kind_of(const struct net_packet *n)
{
    return classify(rd_rest(&n->payload), rd_wire_left(&n->payload), n->src.port, n->dst.port);
}

static enum disposition udp(struct pipeline *p, const struct net_packet *n, const struct content *c)
{
    struct datagram d = pipeline_datagram(n);
    struct flow *f;

    if (c->kind == KIND_DNS)
        return udp_dns(p, &d, n->payload) ? DONE_DNS : unexplained(p, NULL, &d, rd_rest(&n->payload));
    f = c->ahead ? track_flow_announced(p->track, &d, c->ahead) : track_flow(p->track, &d);
    return f ? udp_content(p, f, &d, &n->payload, c) : DONE_UNEXPLAINED;
}

static enum disposition icmp(struct pipeline *p, const struct net_packet *n)
{
    struct datagram d = pipeline_datagram(n);
    struct rd r = n->payload;
    struct faults why = { 0 };
    struct icmp_msg m;
    enum dis got = icmp_dissect(&r, n->v6, &m, &why);

    fault_log_all(&p->faults, &why, d.at.frame);
    if (got != DIS_OK && got != DIS_CUT)
        return DONE_ICMP;
    track_icmp(p->track, &d, &m);
    if (p->watch.icmp && m.what != ICMP_NO_ERROR)
        p->watch.icmp(p->watch.self, &d, &m);
    return DONE_ICMP;
}

/* ---- one frame through all stages ---- */

struct pipeline *pipeline_new(void)
{
    struct pipeline *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->net = net_new((struct tcp_sink){ p, streams_data }, &p->faults);
    p->track = track_new(&p->faults);
    p->hints = hints_new();
    if (!p->net || !p->track) {
        pipeline_free(p);
        return NULL;
    }
    return p;
}

bool pipeline_inputs(struct pipeline *p, size_t n)
{
    if (n > 1 && !p->twice)
        p->twice = twice_new();
    return n <= 1 || p->twice;
}

bool pipeline_keys(struct pipeline *p, struct keylog *keys)
{
    if (!p->tls)
        p->tls = tls_new(keys, &p->faults);
    return p->tls;
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    net_free(p->net);
    track_free(p->track);
    hints_free(p->hints);
    twice_free(p->twice);
    tls_free(p->tls);
    free(p);
}

static RARE void time_back(struct pipeline *p, const struct frame *f, int64_t newest_ns)
{
    fault_log_one(&p->faults, FAULT_TIME_BACKWARDS, f->id);
    if (newest_ns - f->ts_ns > TRACK_LATE_NS)
        track_miss_wakes(p->track);
}

static void tell_time(struct pipeline *p, const struct frame *f)
{
    int64_t before = p->clock.now_ns;

    if (f->ts_ns < before)
        time_back(p, f, before);
    else if (before && f->ts_ns - before > LEAP_NS)
        fault_log_one(&p->faults, FAULT_TIME_LEAP, f->id);
    clock_feed(&p->clock, f->ts_ns);
}

static enum disposition segment(struct pipeline *p, const struct net_packet *n)
{
    if (rd_wire_left(&n->payload)) {
        struct datagram d = pipeline_datagram(n);

        track_segment(p->track, &d);
    }
    return p->tcp_done;
}

/* A frame that is no plain datagram. */
static enum disposition other_frame(struct pipeline *p, const struct frame *f)
{
    p->tcp_done = DONE_TCP;
    p->other_kind = net_frame(p->net, f, &p->other);
    switch (p->other_kind) {
    case NET_UDP: return udp(p, &p->other, &(struct content){ .kind = kind_of(&p->other) });
    case NET_ICMP: return icmp(p, &p->other);
    case NET_TCP: return segment(p, &p->other);
    case NET_FRAGMENT: return DONE_FRAGMENT;
    case NET_NOT_IP: return DONE_NOT_IP;
    case NET_OTHER_IP: return DONE_OTHER_IP;
    case NET_UNSUPPORTED: return DONE_UNSUPPORTED;
    default: return DONE_MALFORMED;
    }
}

/* The plain datagrams of frames that come together, in their order. */
struct plain {
    size_t n, next;
    size_t at[PIPELINE_FRAMES]; /* which of the frames */
    struct net_packet packet[PIPELINE_FRAMES];
    struct content content[PIPELINE_FRAMES];
    struct flow_ahead ahead[PIPELINE_FRAMES];
};

static struct message_ahead sip_named(const struct sip_read *m)
{
    return (struct message_ahead){ .name = m->got == DIS_OK || m->got == DIS_CUT ? m->msg.call_id : SPAN_NONE };
}

static struct message_ahead stun_named(const struct net_packet *n)
{
    bool answers;
    const uint8_t *tid = stun_peek(rd_rest(&n->payload), &answers);

    return (struct message_ahead){ .name = { tid, tid ? STUN_TID : 0 }, .asker = answers ? &n->dst : &n->src };
}

/* So that each stage's code stays in the processor's caches, and it is known early what track will be asked for. */
static void read_ahead(struct pipeline *p, struct plain *plain)
{
    struct message_ahead message[PIPELINE_FRAMES];
    size_t sips = 0, messages = 0;

    for (size_t i = 0; i < plain->n; i++) {
        const struct net_packet *n = &plain->packet[i];
        struct content *c = &plain->content[i];

        if (c->kind == KIND_SIP)
            message[messages] = sip_named(c->sip = sip_read(&p->sip[sips++], n->payload));
        else if (c->kind == KIND_STUN)
            message[messages] = stun_named(n);
        else
            continue;
        messages += message[messages].name.n > 0;
    }
    track_ahead_messages(p->track, message, messages);
}

/* What depends on nothing but the bytes is done for all of them, stage by stage. */
static void look_ahead(struct pipeline *p, const struct frame *f, size_t n, struct plain *out)
{
    out->n = out->next = 0;
    for (size_t i = 0; i < n; i++) {
        struct net_packet *packet = &out->packet[out->n];

        if (!net_plain(p->net, &f[i], packet))
            continue;
        out->content[out->n] = (struct content){ kind_of(packet), NULL, &out->ahead[out->n] };
        out->ahead[out->n].src = &packet->src;
        out->ahead[out->n].dst = &packet->dst;
        out->at[out->n++] = i;
    }
    track_ahead(p->track, out->ahead, out->n);
    read_ahead(p, out);
}

static inline __attribute__((always_inline)) enum disposition one_frame(struct pipeline *p, const struct frame *f, size_t at,
                                                                        struct plain *plain)
{
    size_t i = plain->next;
    bool is_plain = i < plain->n && plain->at[i] == at;

    plain->next += is_plain;
    if (p->twice && twice_seen(p->twice, f))
        return DONE_DUPLICATE;
    return is_plain ? udp(p, &plain->packet[i], &plain->content[i]) : other_frame(p, f);
}

/* Both are inlined into both of what follows: who is not told pays nothing for it. */
static inline __attribute__((always_inline)) enum disposition
frames(struct pipeline *p, const struct frame *f, size_t n, void (*each)(void *, const struct pipeline_done *), void *self)
{
    enum disposition done = DONE_MALFORMED;
    struct plain plain;

    look_ahead(p, f, n, &plain);
    p->packets += n;
    for (size_t i = 0; i < n; i++) {
        int64_t before_ns = p->clock.now_ns;
        size_t next = plain.next;

        tell_time(p, &f[i]);
        done = one_frame(p, &f[i], i, &plain);
        p->done[done]++;
        if (each)
            each(self, &(struct pipeline_done){ &f[i], plain.next > next ? &plain.packet[next] : NULL, done, before_ns });
    }
    return done;
}

enum disposition pipeline_frames(struct pipeline *p, const struct frame *f, size_t n)
{
    return frames(p, f, n, NULL, NULL);
}

void pipeline_frames_told(struct pipeline *p, const struct frame *f, size_t n, void (*each)(void *, const struct pipeline_done *),
                          void *self)
{
    frames(p, f, n, each, self);
}

enum disposition pipeline_frame(struct pipeline *p, const struct frame *f)
{
    return pipeline_frames(p, f, 1);
}

void pipeline_copy(struct pipeline *p, const struct frame *f)
{
    p->packets++;
    tell_time(p, f);
    p->done[DONE_DUPLICATE]++;
}

void pipeline_outside(struct pipeline *p, size_t frames)
{
    p->packets += frames;
    p->done[DONE_OUTSIDE] += frames;
}

/* Tables whose refusals have no fault of their own. */
static void full_tables(struct pipeline *p)
{
    const struct track *t = p->track;

    p->faults.count[FAULT_TRACK_TABLE_FULL] = t->checks.refused + t->rtcps.refused + t->abouts.refused + t->icmps.refused +
                                              t->outsides.refused + t->passwords.refused + t->allocs.refused + t->conns.refused +
                                              t->servers.refused + t->turn_peers.refused + t->restarts.refused + t->dtls.refused +
                                              t->dtls_joins.refused + t->certificates.refused + t->stream_ids.refused;
}

bool pipeline_compact(struct pipeline *p, int64_t now_ns)
{
    uint64_t before = p->track->disbelieved;
    bool fine = track_compact(p->track, now_ns);

    p->done[DONE_RTP] -= p->track->disbelieved - before;
    p->done[DONE_UNEXPLAINED] += p->track->disbelieved - before;
    hints_renumbered(p->hints);
    return fine;
}

void pipeline_finish(struct pipeline *p)
{
    net_flush(p->net);
    if (p->tls)
        tls_finish(p->tls);
    full_tables(p);
    for (uint32_t i = 0; i < p->track->streams.used; i++) {
        const struct stream *s = track_stream_at(p->track, i);

        if (!s->believed && !(track_flow_at(p->track, s->flow)->contains & FLOW_RELAYED)) { /* those were counted as TURN data */
            p->done[DONE_RTP] -= s->packets.n;
            p->done[DONE_UNEXPLAINED] += s->packets.n;
        }
    }
}
