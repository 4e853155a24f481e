/*
 * What comes over TCP: SIP (RFC 3261 §18.3), SIP over WebSocket (RFC 7118), and the first bytes of TLS. Told by content, on any port.
 * No state of its own: the net layer keeps what was not consumed, so each call begins where a message or frame begins.
 */
#include "app/pipeline_private.h"
#include "dissectors/ws.h"

/* RFC 8446 §5.1, §4: a handshake record of TLS with a ClientHello. */
static bool tls_hello(struct span s)
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
    if (sip_dissect(&at, false, &p->msg.sip, &why) == DIS_OK) {
        p->tcp_was_sip = true;
        pipeline_sip(p, d, 0, &why);
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
    enum dis got = sip_dissect(r, true, &p->msg.sip, &why);

    if (got == DIS_SHORT)
        return LOOK_WAIT;
    if (got != DIS_OK) {
        fault_log_all(&p->faults, &why, d->at.frame);
        return LOOK_OTHER;
    }
    p->tcp_was_sip = true;
    pipeline_sip(p, d, 0, &why);
    return LOOK_DONE;
}

static enum look look(struct pipeline *p, const struct datagram *d, struct rd *r)
{
    enum look found = look_control(r);

    if (found == LOOK_OTHER && ws_looks_like_frame(rd_rest(r)))
        found = look_message(p, d, r);
    if (found == LOOK_OTHER)
        found = look_upgrade(p, d, r);
    return found == LOOK_OTHER ? look_sip(p, d, r) : found;
}

/*
 * Bytes that begin nothing known are passed over up to the next segment: a capture may begin, and a stream may have a hole, in the
 * middle of a message.
 */
size_t streams_data(void *self, const struct net_packet *segment, struct span bytes, bool after_gap)
{
    struct pipeline *p = self;
    struct datagram d = pipeline_datagram(segment);
    struct rd r = rd_init(bytes, bytes.n);

    (void)after_gap;
    if (tls_hello(bytes))
        track_connection(p->track, &d);
    while (rd_left(&r)) {
        enum look found = look(p, &d, &r);

        if (found == LOOK_WAIT)
            break;
        if (found == LOOK_OTHER)
            return bytes.n;
    }
    return bytes.n - rd_left(&r);
}
