/*
 * What comes over TCP: SIP (RFC 3261 §18.3), SIP over WebSocket (RFC 7118), STUN and TURN (RFC 8489 §6.2.2, RFC 8656 §12.5), and the
 * first bytes of TLS, and what is inside TLS where its keys are known. Told by content, on any port. No state of its own: the net layer
 * keeps what was not consumed (tls/ what was decrypted), so each call begins where a message or frame begins.
 */
#include "app/pipeline_private.h"
#include "dissectors/ws.h"
#include "tls/tls.h"

/* RFC 8446 §5.1, §4: a handshake record of TLS with a ClientHello. */
static bool hello_begins(struct span s)
{
    return s.n >= 6 && s.p[0] == 22 && s.p[1] == 3 && s.p[5] == 1;
}

/* What one look at the front of the bytes gave. */
enum look { LOOK_DONE /* something was taken */, LOOK_WAIT /* more must come */, LOOK_OTHER /* not this */ };

static enum look look_upgrade(struct pipeline *p, const struct datagram *d, struct rd *r)
{
    struct faults why = { 0 };
    struct ws_upgrade up;
    enum dis got = ws_upgrade(r, &up, &why);

    if (got == DIS_SHORT)
        return LOOK_WAIT;
    if (got != DIS_OK)
        return LOOK_OTHER;
    fault_log_all(&p->faults, &why, d->at.frame);
    if (up.request)
        track_connection(p->track, d);
    track_connection_read(p->track, d);
    return LOOK_DONE;
}

/* Takes one frame's payload, unmasked, behind what the message already has. */
static bool message_add(struct pipeline *p, size_t *n, const struct ws_frame *f)
{
    if (f->payload.n > sizeof p->ws - *n)
        return false;
    ws_unmask(f->payload, f->key, 0, p->ws + *n);
    *n += f->payload.n;
    return true;
}

/*
 * One whole message: its frames up to the one with FIN, control frames between them passed over (RFC 6455 §5.4). Only what begins
 * like SIP is followed, since any bytes can be a frame.
 */
static enum look look_message(struct pipeline *p, const struct datagram *d, struct rd *r)
{
    struct rd at = *r;
    struct faults why = { 0 };
    struct ws_frame f;
    size_t n = 0;

    do {
        enum dis got = ws_frame(&at, &f, &why);

        if (got == DIS_SHORT)
            return LOOK_WAIT;
        if (got != DIS_OK || (f.opcode < WS_CLOSE && !message_add(p, &n, &f)))
            return LOOK_OTHER;
    } while (!f.fin || f.opcode >= WS_CLOSE);
    *r = at;
    at = rd_init((struct span){ p->ws, n }, n);
    fault_log_all(&p->faults, &why, d->at.frame);
    why = (struct faults){ 0 };
    if (sip_dissect(&at, false, &p->msg.sip.msg, &why) == DIS_OK) {
        p->tcp_done = DONE_SIP;
        pipeline_sip(p, d, &p->msg.sip.msg, 0, &why);
    }
    return LOOK_DONE;
}

/* A ping, pong or close that stands alone: small, whole, and with a sound length. */
static enum look look_control(struct rd *r)
{
    struct rd at = *r;
    struct faults why = { 0 };
    struct ws_frame f;
    struct span s = rd_rest(r);

    if (s.n < 2 || (s.p[0] & 0xf8) != 0x88 || (s.p[1] & 0x7f) > WS_CONTROL_MAX)
        return LOOK_OTHER;
    switch (ws_frame(&at, &f, &why)) {
    case DIS_OK: break;
    case DIS_SHORT: return LOOK_WAIT;
    default: return LOOK_OTHER;
    }
    *r = at;
    return why.n ? LOOK_OTHER : LOOK_DONE;
}

static enum look look_sip(struct pipeline *p, const struct datagram *d, struct rd *r)
{
    struct faults why = { 0 };
    enum dis got = sip_dissect(r, true, &p->msg.sip.msg, &why);

    if (got == DIS_SHORT)
        return LOOK_WAIT;
    if (got != DIS_OK) {
        fault_log_all(&p->faults, &why, d->at.frame);
        return LOOK_OTHER;
    }
    p->tcp_done = DONE_SIP;
    pipeline_sip(p, d, &p->msg.sip.msg, 0, &why);
    return LOOK_DONE;
}

/* ---- STUN and TURN ---- */

enum { COOKIE_AT = 4, COOKIE = 4, FRAMED = 2 /* RFC 4571 §2: each packet's length stands before it */, CHANNEL_HEADER = 4 };

/* Does STUN begin `at` bytes in? Its magic cookie tells; while that is not all there, more must come. */
static enum look stun_begins(struct span s, size_t at)
{
    static const uint8_t cookie[COOKIE] = { 0x21, 0x12, 0xa4, 0x42 };
    struct span there = span_part(s, at + COOKIE_AT, COOKIE);

    if ((s.n > at && s.p[at] >> 6) || (there.n && memcmp(there.p, cookie, there.n) != 0))
        return LOOK_OTHER;
    return there.n < COOKIE ? LOOK_WAIT : LOOK_DONE;
}

/*
 * To track a flow is its two transport addresses: TCP and UDP between the same ones are taken for one. Clients choose their ports, so that
 * hardly happens.
 */
static enum look stun_take(struct pipeline *p, const struct datagram *d, struct rd *r, bool stream)
{
    struct faults why = { 0 };
    enum dis got = stun_dissect(r, stream, &p->msg.stun, &why);
    struct flow *f = got == DIS_OK ? track_flow(p->track, d) : NULL;

    if (got == DIS_SHORT && stream)
        return LOOK_WAIT;
    if (got != DIS_OK)
        fault_log_all(&p->faults, &why, d->at.frame);
    if (!f || !pipeline_stun(p, f, d, got, &why))
        return LOOK_OTHER;
    p->tcp_done = DONE_STUN;
    return LOOK_DONE;
}

/* One packet of ICE-TCP, where it is STUN (RFC 6544 §3); media that is framed so is not followed. */
static enum look look_framed_stun(struct pipeline *p, const struct datagram *d, struct rd *r)
{
    struct rd at = *r;
    size_t n = rd_u16(&at);
    struct span packet = span_part(rd_rest(&at), 0, n);
    enum look found;

    if (packet.n < n)
        return n < STUN_HEADER ? LOOK_OTHER : LOOK_WAIT;
    at = rd_init(packet, n);
    found = stun_take(p, d, &at, false);
    if (found == LOOK_DONE)
        (void)rd_take(r, FRAMED + n);
    return found;
}

/*
 * ChannelData begins like letters (RFC 5766 §11: 0x4000 to 0x7fff), so it is only looked for where the connection holds an allocation,
 * which SIP does not. Over TCP it is padded to four bytes (RFC 8656 §12.5).
 */
static enum look look_channel(struct pipeline *p, const struct datagram *d, struct rd *r)
{
    struct span s = rd_rest(r);
    struct flow *f = s.n && s.p[0] >> 6 == 1 ? track_find_flow(p->track, &d->src, &d->dst) : NULL;
    struct rd at = *r;
    size_t n;

    if (!f || f->alloc == POOL_NONE)
        return LOOK_OTHER;
    (void)rd_u16(&at);
    n = CHANNEL_HEADER + (size_t)rd_u16(&at);
    if (at.err || s.n < (n + 3) / 4 * 4)
        return LOOK_WAIT;
    tally_add(&f->packets, d->at);
    pipeline_channel(p, f, d, rd_init(span_part(s, 0, n), n));
    (void)rd_take(r, (n + 3) / 4 * 4);
    p->tcp_done = DONE_TURN_DATA;
    return LOOK_DONE;
}

/* What has spoken STUN before goes on to: a few bytes of it wait for the rest. Elsewhere they are passed over. */
static enum look stun_cut(struct pipeline *p, const struct datagram *d)
{
    const struct flow *f = track_find_flow(p->track, &d->src, &d->dst);

    return f && f->contains & (FLOW_STUN_SERVER | FLOW_CHECK) ? LOOK_WAIT : LOOK_OTHER;
}

/* ---- one message after the other ---- */

static enum look look_signalling(struct pipeline *p, const struct datagram *d, struct rd *r)
{
    enum look found = look_control(r);

    if (found == LOOK_OTHER && ws_looks_like_frame(rd_rest(r)))
        found = look_message(p, d, r);
    if (found == LOOK_OTHER)
        found = look_upgrade(p, d, r);
    return found == LOOK_OTHER ? look_sip(p, d, r) : found;
}

static enum look look(struct pipeline *p, const struct datagram *d, struct rd *r)
{
    enum look plain = stun_begins(rd_rest(r), 0), framed = stun_begins(rd_rest(r), FRAMED), found;

    if (plain == LOOK_DONE)
        return stun_take(p, d, r, true);
    if (framed == LOOK_DONE)
        return look_framed_stun(p, d, r);
    found = look_channel(p, d, r);
    if (found == LOOK_OTHER)
        found = look_signalling(p, d, r);
    return found == LOOK_OTHER && (plain == LOOK_WAIT || framed == LOOK_WAIT) ? stun_cut(p, d) : found;
}

/*
 * Bytes that begin nothing known are passed over up to the next segment: a capture may begin, and a stream may have a hole, in the
 * middle of a message.
 */
static size_t messages(struct pipeline *p, const struct datagram *d, struct span bytes)
{
    struct rd r = rd_init(bytes, bytes.n);

    while (rd_left(&r)) {
        enum look found = look(p, d, &r);

        if (found == LOOK_WAIT)
            break;
        if (found == LOOK_OTHER)
            return bytes.n;
    }
    return bytes.n - rd_left(&r);
}

/* ---- TLS ---- */

struct inside {
    struct pipeline *p;
    struct datagram d; /* the segment that completed the record */
};

static size_t plain_data(void *self, uint64_t since, struct span bytes)
{
    struct inside *in = self;

    in->d.since = since;
    track_connection_read(in->p->track, &in->d);
    return messages(in->p, &in->d, bytes);
}

static size_t tls_inside(struct pipeline *p, const struct datagram *d, struct span bytes, bool after_gap)
{
    struct inside in = { p, *d };
    struct tls_segment s = { &d->src, &d->dst, d->at.ns, d->at.frame, d->since };

    return tls_data(p->tls, &s, bytes, after_gap, (struct tls_sink){ &in, plain_data });
}

size_t streams_data(void *self, const struct net_packet *segment, struct span bytes, bool after_gap)
{
    struct pipeline *p = self;
    struct datagram d = pipeline_datagram(segment);
    size_t used = TLS_NOT;

    if (hello_begins(bytes))
        track_connection(p->track, &d);
    if (p->tls)
        used = tls_inside(p, &d, bytes, after_gap);
    return used == TLS_NOT ? messages(p, &d, bytes) : used == TLS_GIVE_UP ? TCP_IGNORE : used;
}
