#include "dissectors/ws.h"

#include "dissectors/sip.h"

/* ---- the upgrade ---- */

/* What RFC 6455 §4.1 (request) and §4.2.2 (response) require besides what is told. */
struct handshake {
    bool websocket, connection;
    struct span key, version, accept;
};

/* Whether `s` is, or may yet become, something that starts with `want`. */
static bool may_start(struct span s, struct span want)
{
    return span_eq(span_part(s, 0, want.n), span_part(want, 0, s.n));
}

/* The line up to its end, taken off; false where the end is not there. A lone LF ends a line too: RFC 9112 §2.2. */
static bool next_line(struct span *rest, struct span *line)
{
    size_t n = span_find(*rest, '\n');

    if (n == rest->n)
        return false;
    *line = span_part(*rest, 0, n && rest->p[n - 1] == '\r' ? n - 1 : n);
    *rest = span_part(*rest, n + 1, rest->n);
    return true;
}

/* A comma-separated list with that element, its parameters left out: RFC 9110 §5.6.1, RFC 6455 §9.1. */
static bool lists(struct span list, struct span token)
{
    while (list.n) {
        struct span element = span_until(&list, ',');

        if (span_eq_nocase(span_trim(span_until(&element, ';')), token))
            return true;
    }
    return false;
}

static void header_field(struct ws_upgrade *out, struct handshake *h, struct span line)
{
    struct span value = line, name = span_until(&value, ':');
    const struct {
        struct span name, *value;
    } kept[] = {
        { SPAN("Host"), &out->host },
        { SPAN("Origin"), &out->origin },
        { SPAN("User-Agent"), &out->user_agent },
        { SPAN("X-Forwarded-For"), &out->forwarded_for },
        { SPAN("X-Real-IP"), &out->real_ip },
        { SPAN("Sec-WebSocket-Key"), &h->key },
        { SPAN("Sec-WebSocket-Version"), &h->version },
        { SPAN("Sec-WebSocket-Accept"), &h->accept },
    };
    const struct {
        struct span name, token;
        bool *there;
    } lists_of[] = {
        { SPAN("Upgrade"), SPAN("websocket"), &h->websocket },
        { SPAN("Connection"), SPAN("Upgrade"), &h->connection },
        { SPAN("Sec-WebSocket-Protocol"), SPAN("sip"), &out->sip },
        { SPAN("Sec-WebSocket-Extensions"), SPAN("permessage-deflate"), &out->deflate },
    };

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (span_eq_nocase(name, kept[i].name) && !kept[i].value->n)
            *kept[i].value = span_trim(value);
    for (size_t i = 0; i < sizeof lists_of / sizeof *lists_of; i++)
        if (span_eq_nocase(name, lists_of[i].name) && lists(value, lists_of[i].token))
            *lists_of[i].there = true;
}

/* GET target HTTP/1.1, or HTTP/1.1 101 reason. Older versions cannot upgrade: RFC 6455 §4.1. */
static bool start_line(struct span line, bool *request)
{
    static const char get[] = "GET ", version[] = " HTTP/1.1", status[] = "HTTP/1.1 101";
    size_t tail = sizeof version - 1;

    *request = span_starts(line, SPAN(get));
    if (*request)
        return line.n > sizeof get - 1 + tail && span_eq(span_part(line, line.n - tail, tail), SPAN(version));
    return span_starts(line, SPAN(status)) && (line.n == sizeof status - 1 || line.p[sizeof status - 1] == ' ');
}

static bool required(const struct ws_upgrade *up, const struct handshake *h)
{
    if (!h->connection)
        return false;
    return up->request ? up->host.n && h->key.n && span_eq(h->version, SPAN("13")) : h->accept.n > 0;
}

enum dis ws_upgrade(struct rd *in, struct ws_upgrade *out, struct faults *why)
{
    struct rd r = *in;
    struct span rest = span_part(rd_rest(in), 0, WS_UPGRADE_MAX), line = SPAN_NONE;
    struct handshake h = { .websocket = false };
    bool ended = false, started, over = rd_left(in) >= WS_UPGRADE_MAX || in->uncap;

    *out = (struct ws_upgrade){ .request = false };
    if (!may_start(rest, SPAN("GET ")) && !may_start(rest, SPAN("HTTP/1.1 101")))
        return DIS_NOT_MINE;
    started = next_line(&rest, &line);
    if (started && !start_line(line, &out->request))
        return DIS_NOT_MINE;
    while (started && !ended && next_line(&rest, &line)) {
        ended = line.n == 0;
        header_field(out, &h, line);
    }
    if (!ended && !over)
        return DIS_SHORT;
    if (!h.websocket || (!ended && !in->uncap))
        return DIS_NOT_MINE;
    if (!ended)
        return DIS_CUT;
    (void)rd_take(&r, (size_t)(rest.p - r.p));
    if (!required(out, &h))
        fault_add(why, FAULT_WS_UPGRADE, 0);
    *in = r;
    return DIS_OK;
}

/* ---- frames ---- */

/* RFC 6455 §5.2. A length in more bytes than it needs is told by `minimal`. */
static uint64_t read_length(struct rd *r, uint8_t seven, bool *minimal)
{
    uint64_t n = seven;

    *minimal = true;
    if (seven == 126) {
        n = rd_u16(r);
        *minimal = n > 125;
    } else if (seven == 127) {
        n = rd_u64(r);
        *minimal = n > UINT16_MAX;
    }
    return n;
}

static bool is_control(uint8_t opcode)
{
    return opcode & 8;
}

/* RFC 6455 §5.2 and §5.5; RSV1 belongs to messages, not to control frames: RFC 7692 §6. */
static bool flags_sound(const struct ws_frame *f)
{
    if (is_control(f->opcode))
        return f->opcode <= WS_PONG && f->fin && !f->rsv;
    return f->opcode <= WS_BINARY && !(f->rsv & (WS_RSV2 | WS_RSV3));
}

/* Up to the payload; `minimal` as of read_length(). False where the length is none that is followed. */
static bool read_header(struct rd *r, struct ws_frame *out, bool *minimal)
{
    uint8_t first = rd_u8(r), second = rd_u8(r);
    uint64_t length = read_length(r, second & 0x7f, minimal);
    struct span key;

    *out = (struct ws_frame){ .fin = first >> 7, .rsv = first >> 4 & 7, .opcode = first & 15, .masked = second >> 7 };
    if (length > WS_PAYLOAD_MAX)
        return false;
    out->length = (size_t)length;
    key = rd_take(r, out->masked ? WS_KEY : 0);
    if (key.n)
        memcpy(out->key, key.p, WS_KEY);
    return true;
}

enum dis ws_frame(struct rd *in, struct ws_frame *out, struct faults *why)
{
    struct rd r = *in;
    bool minimal;

    if (!read_header(&r, out, &minimal)) {
        fault_add(why, FAULT_WS_LENGTH, 0);
        return DIS_BAD;
    }
    out->payload = span_part(rd_rest(&r), 0, out->length);
    (void)rd_take(&r, out->length);
    if (r.err)
        return r.err == RD_CUT ? DIS_CUT : DIS_SHORT;
    if (!flags_sound(out))
        fault_add(why, FAULT_WS_FRAME, 0);
    if (!minimal || (is_control(out->opcode) && out->length > WS_CONTROL_MAX))
        fault_add(why, FAULT_WS_LENGTH, 1);
    *in = r;
    return DIS_OK;
}

void ws_unmask(struct span payload, const uint8_t key[WS_KEY], size_t offset, uint8_t *out)
{
    for (size_t i = 0; i < payload.n; i++)
        out[i] = payload.p[i] ^ key[(offset + i) % WS_KEY];
}

bool ws_looks_like_frame(struct span s)
{
    enum { LOOK = 96 }; /* a method of some length, a blank and the scheme of a URI */
    struct rd r = rd_init(s, s.n);
    struct ws_frame f;
    uint8_t plain[LOOK];
    bool minimal, mine = read_header(&r, &f, &minimal);

    if (!mine || r.err || !minimal || f.rsv || (f.opcode != WS_TEXT && f.opcode != WS_BINARY))
        return false;
    f.payload = span_part(rd_rest(&r), 0, f.length < LOOK ? f.length : LOOK);
    ws_unmask(f.payload, f.key, 0, plain);
    return sip_looks_like((struct span){ plain, f.payload.n });
}
