#include "dissectors/stun.h"

#include <stddef.h>

#define X(code, id, name, form, lo, hi) ATTR_##id = code,
enum {
#include "dissectors/stun_attr.def"
};
#undef X

const struct stun_def *stun_def(uint16_t code)
{
    switch (code) {
#define X(code, id, name, form, lo, hi)                                                                                          \
    case code: {                                                                                                                 \
        static const struct stun_def def = { code, lo, hi, STUN_##form, name };                                                  \
        return &def;                                                                                                             \
    }
#include "dissectors/stun_attr.def"
#undef X
    default: return NULL;
    }
}

const char *stun_method_name(uint16_t method)
{
    switch (method) {
    case STUN_BINDING: return "Binding";
    case STUN_SHARED_SECRET: return "Shared Secret";
    case STUN_ALLOCATE: return "Allocate";
    case STUN_REFRESH: return "Refresh";
    case STUN_SEND: return "Send";
    case STUN_DATA: return "Data";
    case STUN_CREATE_PERMISSION: return "CreatePermission";
    case STUN_CHANNEL_BIND: return "ChannelBind";
    case STUN_CONNECT: return "Connect";
    case 0x00b: return "ConnectionBind";    /* RFC 6062 §6.1 */
    case 0x00c: return "ConnectionAttempt"; /* RFC 6062 §6.1 */
    case 0x080: return "GOOG-PING";
    default: return "unknown";
    }
}

/* RFC 8489 §14.2. Without a cookie the first four bytes of the id stand in for it, as the drafts before RFC 5389 had it. */
bool stun_attr_addr(const struct stun_msg *m, const struct stun_attr *a, struct addr *out)
{
    struct rd r = rd_init(a->val, a->val.n);
    uint8_t family, ip[16] = { 0 }, mask[STUN_TID] = { 0 };
    struct span bytes;
    uint16_t port;

    if (!a->def || (a->def->form != STUN_ADDR && a->def->form != STUN_XADDR))
        return false;
    if (a->def->form == STUN_XADDR)
        memcpy(mask, m->tid, sizeof mask);
    (void)rd_u8(&r); /* "ignored by receivers" */
    family = rd_u8(&r);
    port = (uint16_t)(rd_u16(&r) ^ (mask[0] << 8 | mask[1]));
    bytes = rd_rest(&r);
    if (r.err || !((family == 1 && bytes.n == 4) || (family == 2 && bytes.n == 16)))
        return false;
    for (size_t i = 0; i < bytes.n; i++)
        ip[i] = bytes.p[i] ^ mask[i];
    *out = family == 1 ? addr_v4(ip, port) : addr_v6(ip, port);
    return true;
}

/* Sets *out where nothing has set it: OTHER-ADDRESS and CHANGED-ADDRESS, for one, share a field. */
static void decode_addr(const struct stun_msg *m, const struct stun_attr *a, size_t at, bool *has, struct addr *out,
                        struct faults *why)
{
    if (*has)
        return;
    *has = stun_attr_addr(m, a, out);
    if (!*has)
        fault_add(why, a->val.p[1] == 1 || a->val.p[1] == 2 ? FAULT_STUN_ATTR_LENGTH : FAULT_STUN_ATTR_FAMILY, at);
}

/* An Allocate response from before RFC 5766 names the allocated address so ([MS-TURN] §2.2.2.1): no claim about the client. */
static void decode_mapped(struct stun_msg *m, const struct stun_attr *a, size_t at, struct faults *why)
{
    if (m->method == STUN_ALLOCATE)
        decode_addr(m, a, at, &m->has_relayed, &m->relayed, why);
    else
        decode_addr(m, a, at, &m->has_mapped, &m->mapped, why);
}

/* RFC 8489 §14.8. The reserved bits are ignored; a class or number outside 300..699 is no error code. */
static void decode_error(struct stun_msg *m, struct span val)
{
    struct rd r = rd_init(val, val.n);
    unsigned hundreds, number;

    (void)rd_u16(&r);
    hundreds = rd_u8(&r) & 7u;
    number = rd_u8(&r);
    m->reason = rd_rest(&r);
    if (hundreds >= 3 && hundreds <= 6 && number <= 99)
        m->error = (uint16_t)(hundreds * 100 + number);
}

static void decode_number(struct stun_msg *m, const struct stun_attr *a)
{
    struct rd r = rd_init(a->val, a->val.n);

    switch (a->code) {
    case ATTR_CHANGE_REQUEST: m->change_request = (rd_u32(&r) & 6) != 0; break; /* RFC 5780 §7.2: change IP, change port */
    case ATTR_PRIORITY:
        m->has_priority = true;
        m->priority = rd_u32(&r);
        break;
    case ATTR_ICE_CONTROLLED:
    case ATTR_ICE_CONTROLLING:
        *(a->code == ATTR_ICE_CONTROLLED ? &m->controlled : &m->controlling) = true;
        m->tie_breaker = rd_u64(&r);
        break;
    case ATTR_LIFETIME:
        m->has_lifetime = true;
        m->lifetime_s = rd_u32(&r);
        break;
    case ATTR_CHANNEL_NUMBER:
        m->has_channel = true;
        m->channel = rd_u16(&r);
        break;
    case ATTR_REQUESTED_TRANSPORT: m->requested_transport = rd_u8(&r); break;
    default: break;
    }
}

/* The value's length is within the bounds of its row. */
static void decode(struct stun_msg *m, const struct stun_attr *a, size_t at, struct faults *why)
{
    switch (a->code) {
    case ATTR_MAPPED_ADDRESS: decode_mapped(m, a, at, why); break;
    case ATTR_MS_XOR_MAPPED_ADDRESS:
    case ATTR_XOR_MAPPED_ADDRESS: decode_addr(m, a, at, &m->has_xor_mapped, &m->xor_mapped, why); break;
    case ATTR_XOR_RELAYED_ADDRESS: decode_addr(m, a, at, &m->has_relayed, &m->relayed, why); break;
    case ATTR_XOR_PEER_ADDRESS: decode_addr(m, a, at, &m->has_peer, &m->peer, why); break;
    case ATTR_CHANGED_ADDRESS:
    case ATTR_OTHER_ADDRESS: decode_addr(m, a, at, &m->has_other, &m->other, why); break;
    case ATTR_SOURCE_ADDRESS:
    case ATTR_RESPONSE_ORIGIN: decode_addr(m, a, at, &m->has_origin, &m->origin, why); break;
    case ATTR_ALTERNATE_SERVER: decode_addr(m, a, at, &m->has_alternate, &m->alternate, why); break;
    case ATTR_USERNAME: m->username = a->val; break;
    case ATTR_USERHASH: m->has_userhash = true; break;
    case ATTR_REALM: m->realm = a->val; break;
    case ATTR_NONCE: m->nonce = a->val; break;
    case ATTR_SOFTWARE: m->software = a->val; break;
    case ATTR_DATA:
        m->data = a->val;
        m->data_wire = a->val.n;
        break;
    case ATTR_ERROR_CODE: decode_error(m, a->val); break;
    case ATTR_USE_CANDIDATE: m->use_candidate = true; break;
    case ATTR_MESSAGE_INTEGRITY:
        m->has_integrity = true;
        m->integrity_at = at;
        break;
    case ATTR_FINGERPRINT:
        m->has_fingerprint = true;
        m->fingerprint_at = at;
        break;
    default: decode_number(m, a); break;
    }
}

/*
 * Of attributes that repeat the first counts (RFC 8489 §14). What stands behind MESSAGE-INTEGRITY is not protected by it and is
 * ignored, but for MESSAGE-INTEGRITY-SHA256 and FINGERPRINT; behind FINGERPRINT, the last one, is nothing (§14.5 to §14.7).
 */
static bool counts(const struct stun_msg *m, uint16_t code)
{
    for (size_t i = 0; i < m->attrs; i++) {
        uint16_t before = m->attr[i].code;

        if (before == code || before == ATTR_FINGERPRINT)
            return false;
        if (before == ATTR_MESSAGE_INTEGRITY_SHA256 && code != ATTR_FINGERPRINT)
            return false;
        if (before == ATTR_MESSAGE_INTEGRITY && code != ATTR_FINGERPRINT && code != ATTR_MESSAGE_INTEGRITY_SHA256)
            return false;
    }
    return true;
}

/* The first STUN_ATTRS_KEPT are kept; what comes behind them is told as a fault and not decoded. */
static void keep_attr(struct stun_msg *m, uint16_t code, struct span val, size_t at, struct faults *why)
{
    struct stun_attr a = { code, stun_def(code), val };

    if (m->attrs == STUN_ATTRS_KEPT) {
        fault_add(why, FAULT_STUN_ATTR_COUNT, at);
        return;
    }
    if (a.def && (val.n < a.def->lo || val.n > a.def->hi))
        fault_add(why, FAULT_STUN_ATTR_LENGTH, at);
    else if (counts(m, code))
        decode(m, &a, at, why);
    m->attr[m->attrs++] = a;
}

/* What a relay carries is looked into as far as it was captured. */
static void keep_front(struct stun_msg *m, uint16_t code, struct rd val)
{
    if (code != ATTR_DATA || !counts(m, code))
        return;
    m->data = rd_rest(&val);
    m->data_wire = rd_wire_left(&val);
}

/* RFC 3489 §11.2: its own codes, and those that an agent may ignore. */
static bool classic_code(uint16_t code)
{
    return (code >= ATTR_MAPPED_ADDRESS && code <= ATTR_REFLECTED_FROM) || code >= 0x8000;
}

/* Values are padded to four bytes (RFC 8489 §14), but not in MS-TURN, whose first attribute is MAGIC-COOKIE. */
static size_t alignment(struct rd body)
{
    return rd_u16(&body) == ATTR_MAGIC_COOKIE ? 1 : 4;
}

static enum dis read_attrs(struct rd body, struct stun_msg *out, struct faults *why)
{
    size_t whole = STUN_HEADER + rd_wire_left(&body), align = alignment(body);

    while (rd_wire_left(&body)) {
        size_t at = whole - rd_wire_left(&body);
        uint16_t code = rd_u16(&body), n = rd_u16(&body);
        struct rd front = body;
        struct span val = rd_take(&body, n);

        if (body.err == RD_CUT) {
            keep_front(out, code, rd_sub(&front, n));
            return DIS_CUT;
        }
        if (body.err) {
            fault_add(why, FAULT_STUN_ATTR_OVERRUN, at);
            return DIS_BAD;
        }
        if (out->classic && !classic_code(code))
            return DIS_NOT_MINE;
        keep_attr(out, code, val, at, why);
        /* The last value's padding may be missing: such a length is no multiple of four and told already. */
        (void)rd_take(&body, (align - n % align) % align);
    }
    return body.err == RD_CUT ? DIS_CUT : DIS_OK;
}

/* RFC 3489 has nothing that names it, so all that can be asked is: type, length. Only a Binding request may be empty. */
static bool classic_header(uint16_t type, size_t len, size_t wire)
{
    switch (type) {
    case 0x0001: break;
    case 0x0101:
    case 0x0111:
    case 0x0002:
    case 0x0102:
    case 0x0112:
        if (len)
            break;
        return false;
    default: return false;
    }
    return len % 4 == 0 && wire == STUN_HEADER + len;
}

/* RFC 8489 §5: M11..M7 C1 M6..M4 C0 M3..M0. */
static void split_type(uint16_t type, struct stun_msg *out)
{
    static const enum stun_class classes[] = { STUN_REQUEST, STUN_INDICATION, STUN_SUCCESS, STUN_ERROR };

    out->cls = classes[(type >> 7 & 2) | (type >> 4 & 1)];
    out->method = (uint16_t)((type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80));
}

/* As many of the header's bytes as there are decide; DIS_OK: all are, and *r stands behind them. */
static enum dis read_header(struct rd *r, bool stream, struct stun_msg *out, uint16_t *len, struct faults *why)
{
    static const uint8_t cookie[4] = { 0x21, 0x12, 0xa4, 0x42 };
    struct span seen = rd_rest(r), there = span_part(seen, 4, sizeof cookie), tid;
    size_t wire = rd_wire_left(r);
    uint16_t type = rd_u16(r);

    *len = rd_u16(r);
    tid = rd_take(r, STUN_TID);
    split_type(type, out);
    out->classic = there.n && memcmp(there.p, cookie, there.n) != 0;
    if (seen.n && seen.p[0] >> 6)
        return DIS_NOT_MINE;
    if (out->classic && (stream || !classic_header(type, *len, wire)))
        return DIS_NOT_MINE;
    if (!stream && wire < 4 + sizeof cookie)
        return DIS_NOT_MINE;
    if (r->err == RD_CUT)
        return DIS_CUT;
    if (r->err) {
        if (!stream)
            fault_add(why, FAULT_STUN_LENGTH, 0);
        return DIS_SHORT;
    }
    memcpy(out->tid, tid.p, STUN_TID);
    return DIS_OK;
}

/* A datagram that goes on behind its message is told, and tolerated where the attributes parse. */
static enum dis read_body(struct rd *r, bool stream, uint16_t len, struct stun_msg *out, struct faults *why)
{
    struct rd body = rd_sub(r, len);

    if (r->err && stream)
        return DIS_SHORT;
    if (r->err || len % alignment(body) || (!stream && rd_wire_left(r)))
        fault_add(why, FAULT_STUN_LENGTH, 2);
    return r->err ? DIS_SHORT : read_attrs(body, out, why);
}

enum dis stun_dissect(struct rd *in, bool stream, struct stun_msg *out, struct faults *why)
{
    struct rd r = *in;
    size_t faults_before = why->n;
    uint16_t len;
    enum dis d;

    memset(out, 0, offsetof(struct stun_msg, attr));
    d = read_header(&r, stream, out, &len, why);
    out->whole = span_part(rd_rest(in), 0, d == DIS_OK ? (size_t)STUN_HEADER + len : STUN_HEADER);
    if (d == DIS_OK)
        d = read_body(&r, stream, len, out, why);
    if (out->classic && d != DIS_OK && d != DIS_CUT) {
        why->n = faults_before; /* weakly typed: what does not parse was never STUN */
        return DIS_NOT_MINE;
    }
    if (d == DIS_OK)
        *in = r;
    return d;
}
