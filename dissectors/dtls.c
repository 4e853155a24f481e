#include "dissectors/dtls.h"

enum { RANDOM = 32, EXT_SERVER_NAME = 0, EXT_USE_SRTP = 14, EXT_SUPPORTED_VERSIONS = 43, SNI_HOST_NAME = 0 };
enum { EPOCH_HANDSHAKE = 2, EPOCH_APPLICATION = 3 };           /* RFC 9147 §6.1 */
enum { CIPHERTEXT_LEAST = 16, CIPHERTEXT_ALERT = 2 + 1 + 16 }; /* RFC 9147 §4.2.3 */

/* The datagram under way and its start: faults are offsets from there. */
struct parse {
    struct dtls_msg *m;
    struct faults *why;
    const uint8_t *start;
};

static void fault(const struct parse *p, enum fault_id id, const uint8_t *at)
{
    fault_add(p->why, id, (size_t)(at - p->start));
}

/* What went wrong in a part went wrong in the whole. */
static void inherit(struct rd *r, const struct rd *part)
{
    if (!r->err)
        r->err = part->err;
}

/* A vector with its length in front, of one or two bytes: RFC 5246 §4.3. */
static struct rd vector_8(struct rd *r)
{
    return rd_sub(r, rd_u8(r));
}

static struct rd vector_16(struct rd *r)
{
    return rd_sub(r, rd_u16(r));
}

/* ---- hello messages ---- */

/* A list of 16-bit values; the first `room` are kept. */
static size_t read_codes(struct rd *r, uint16_t *out, size_t room)
{
    size_t n = 0;

    while (rd_wire_left(r)) {
        uint16_t code = rd_u16(r);

        if (!r->err && n < room)
            out[n++] = code;
    }
    return n;
}

/* RFC 5764 §4.1.1. The MKI behind the profiles is passed over. */
static void read_use_srtp(struct rd *r, struct dtls_hello *h)
{
    struct rd profiles = vector_16(r);

    (void)vector_8(r);
    h->has_use_srtp = true;
    h->profiles = read_codes(&profiles, h->profile, DTLS_PROFILES_KEPT);
    inherit(r, &profiles);
}

/* RFC 8446 §4.2.1: a client lists them, a server names the one. */
static void read_supported_versions(struct rd *r, bool client, struct dtls_hello *h)
{
    struct rd versions = client ? vector_8(r) : rd_sub(r, 2);

    h->versions = read_codes(&versions, h->supported, DTLS_VERSIONS_KEPT);
    inherit(r, &versions);
}

/* RFC 6066 §3. A server that took the name answers with nothing in it. */
static void read_server_name(struct rd *r, struct dtls_hello *h)
{
    struct rd list = rd_wire_left(r) ? vector_16(r) : *r;

    while (rd_wire_left(&list)) {
        uint8_t type = rd_u8(&list);
        struct span name = rd_take(&list, rd_u16(&list));

        if (type == SNI_HOST_NAME && !h->sni.n)
            h->sni = name;
    }
    inherit(r, &list);
}

/* RFC 5246 §7.4.1.4. What went wrong in one ends the list. */
static void read_extensions(struct rd *r, bool client, struct dtls_hello *h)
{
    struct rd list = vector_16(r);

    while (rd_wire_left(&list)) {
        uint16_t type = rd_u16(&list);
        struct rd body = vector_16(&list);

        switch (type) {
        case EXT_SERVER_NAME: read_server_name(&body, h); break;
        case EXT_USE_SRTP: read_use_srtp(&body, h); break;
        case EXT_SUPPORTED_VERSIONS: read_supported_versions(&body, client, h); break;
        default: break;
        }
        inherit(&list, &body);
    }
    inherit(r, &list);
}

/* What follows the fields that every hello has may be missing altogether: RFC 5246 §7.4.1.2. */
static void read_hello(const struct parse *p, struct rd r, bool client, struct dtls_hello *h)
{
    const uint8_t *at = r.p;
    struct rd part;

    *h = (struct dtls_hello){ .version = rd_u16(&r) };
    (void)rd_take(&r, RANDOM);
    part = vector_8(&r);
    h->session_id_length = rd_wire_left(&part);
    if (client) {
        part = vector_8(&r);
        h->cookie = rd_rest(&part);
        (void)vector_16(&r); /* cipher suites */
        (void)vector_8(&r);  /* compression methods */
    } else {
        h->cipher_suite = rd_u16(&r);
        (void)rd_u8(&r);
    }
    if (rd_wire_left(&r))
        read_extensions(&r, client, h);
    if (r.err == RD_SHORT)
        fault(p, FAULT_DTLS_HELLO, at);
}

/* ---- handshake messages ---- */

/* RFC 8446 §4.1.3: a ServerHello with this random, the SHA-256 of "HelloRetryRequest". */
static bool is_retry(struct rd r)
{
    static const uint8_t retry[RANDOM] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                           0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                           0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };

    (void)rd_u16(&r);
    return span_eq(rd_take(&r, RANDOM), (struct span){ retry, RANDOM });
}

/* RFC 5246 §7.4.2. A client without one sends an empty list. */
static void read_certificate(const struct parse *p, struct rd r)
{
    const uint8_t *at = r.p;
    struct rd list = rd_sub(&r, rd_u24(&r));
    struct span first = rd_wire_left(&list) ? rd_take(&list, rd_u24(&list)) : SPAN_NONE;

    inherit(&r, &list);
    if (r.err == RD_SHORT)
        fault(p, FAULT_DTLS_HANDSHAKE, at);
    else
        p->m->certificate = first;
}

/* `whole` reads the message from its beginning; what other fragments hold looks to it as if it were not captured. */
static void read_message(const struct parse *p, uint8_t type, struct rd whole)
{
    switch (type) {
    case DTLS_CLIENT_HELLO: read_hello(p, whole, true, &p->m->client_hello); break;
    case DTLS_SERVER_HELLO: read_hello(p, whole, false, &p->m->server_hello); break;
    case DTLS_CERTIFICATE: read_certificate(p, whole); break;
    default: break;
    }
}

static void flag_message(struct dtls_msg *m, uint8_t type, bool retry)
{
    m->has_client_hello |= type == DTLS_CLIENT_HELLO;
    m->has_server_hello |= type == DTLS_SERVER_HELLO && !retry;
    m->has_hello_retry_request |= type == DTLS_SERVER_HELLO && retry;
    m->has_hello_verify_request |= type == DTLS_HELLO_VERIFY_REQUEST;
    m->has_certificate |= type == DTLS_CERTIFICATE;
    m->has_server_hello_done |= type == DTLS_SERVER_HELLO_DONE;
}

static void keep_handshake(const struct parse *p, const struct dtls_handshake *h, const uint8_t *at)
{
    if (p->m->handshakes == DTLS_HANDSHAKES_KEPT)
        fault(p, FAULT_DTLS_COUNT, at);
    else
        p->m->handshake[p->m->handshakes++] = *h;
}

/* RFC 6347 §4.2.2. False where no more can be read of this record. */
static bool read_handshake(const struct parse *p, struct rd *r)
{
    const uint8_t *at = r->p;
    struct dtls_handshake h = { .type = rd_u8(r) };
    struct rd body, whole;

    h.length = rd_u24(r);
    h.seq = rd_u16(r);
    h.offset = rd_u24(r);
    h.fragment_length = rd_u24(r);
    body = rd_sub(r, h.fragment_length);
    h.body = rd_rest(&body);
    if (r->err == RD_CUT)
        return false;
    if (r->err || h.offset > h.length || h.fragment_length > h.length - h.offset) {
        fault(p, FAULT_DTLS_HANDSHAKE, at);
        return false;
    }
    whole = rd_init(h.body, h.length);
    flag_message(p->m, h.type, h.offset == 0 && is_retry(whole));
    keep_handshake(p, &h, at);
    if (h.offset == 0)
        read_message(p, h.type, whole);
    return true;
}

/* Several may share a record; none may be empty (RFC 5246 §6.2.1). */
static void read_handshakes(const struct parse *p, struct rd r)
{
    while (read_handshake(p, &r) && rd_wire_left(&r))
        ;
}

/* ---- fragments ---- */

static bool is_decoded(uint8_t type)
{
    return type == DTLS_CLIENT_HELLO || type == DTLS_SERVER_HELLO || type == DTLS_CERTIFICATE;
}

/* True with the last part of its message. The first part begins anew, for it may be sent again. */
static bool take_fragment(struct dtls_join *j, const struct dtls_handshake *h)
{
    uint32_t end = h->offset + h->fragment_length;

    if (h->length > DTLS_JOIN_ROOM || h->fragment_length == h->length || h->body.n < h->fragment_length)
        return false;
    if (h->offset == 0) {
        j->type = h->type;
        j->seq = h->seq;
        j->length = h->length;
        j->have = 0;
    }
    if (j->type != h->type || j->seq != h->seq || j->length != h->length || h->offset > j->have || end <= j->have)
        return false;
    memcpy(j->bytes + h->offset, h->body.p, h->fragment_length);
    j->have = end;
    return end == h->length;
}

void dtls_join(struct dtls_join *j, struct dtls_msg *m, struct faults *why)
{
    const struct parse p = { m, why, j->bytes };

    for (size_t i = 0; i < m->handshakes; i++)
        if (is_decoded(m->handshake[i].type) && take_fragment(j, &m->handshake[i]))
            read_message(&p, j->type, rd_init((struct span){ j->bytes, j->length }, j->length));
}

/* ---- records ---- */

static void read_alert(const struct parse *p, const struct dtls_record *rec, struct rd r)
{
    struct dtls_msg *m = p->m;
    bool first = !m->has_alert;

    m->has_alert = true;
    if (first)
        m->alert_encrypted = rec->epoch > 0;
    if (rec->epoch)
        return;
    if (rd_wire_left(&r) != 2) {
        fault(p, FAULT_DTLS_ALERT, r.p);
    } else if (first) {
        m->alert_level = rd_u8(&r);
        m->alert_description = rd_u8(&r);
    }
}

/* RFC 5246 §7.1: one byte, 1, in the clear; a renegotiation's is encrypted. */
static void read_change_cipher_spec(const struct parse *p, const struct dtls_record *rec, struct rd r)
{
    const uint8_t *at = r.p;

    p->m->has_change_cipher_spec = true;
    if (rec->epoch == 0 && (rd_wire_left(&r) != 1 || (rd_u8(&r) != 1 && !r.err)))
        fault(p, FAULT_DTLS_RECORD, at);
}

/*
 * RFC 9147 §4: what it is is encrypted as well, but not how long. An alert is two bytes, its type and the tag; as short is only an ACK of
 * nothing (§7), which is sent for want of anything to acknowledge.
 */
static void read_encrypted(const struct parse *p, const struct dtls_record *rec, struct rd body)
{
    if (rec->epoch && rd_wire_left(&body) == CIPHERTEXT_ALERT) {
        read_alert(p, rec, body);
        return;
    }
    p->m->has_finished_like |= rec->epoch == EPOCH_HANDSHAKE;
    p->m->has_application_data |= rec->epoch == EPOCH_APPLICATION;
}

static void read_content(const struct parse *p, const struct dtls_record *rec, struct rd body)
{
    struct dtls_msg *m = p->m;

    switch (rec->type) {
    case DTLS_CHANGE_CIPHER_SPEC: read_change_cipher_spec(p, rec, body); break;
    case DTLS_ALERT: read_alert(p, rec, body); break;
    case DTLS_APPLICATION_DATA: m->has_application_data = true; break;
    case DTLS_HANDSHAKE:
        if (rec->epoch)
            m->has_finished_like = true;
        else
            read_handshakes(p, body);
        break;
    case DTLS_CIPHERTEXT: read_encrypted(p, rec, body); break;
    default: break;
    }
}

static bool known_type(uint8_t type)
{
    return type >= DTLS_CHANGE_CIPHER_SPEC && type <= DTLS_ACK;
}

/* A connection id hides where the length is, so such a record takes the rest of its datagram. */
static bool read_plaintext(struct rd *r, struct dtls_record *out, struct rd *body)
{
    *out = (struct dtls_record){ .type = rd_u8(r) };
    out->version = rd_u16(r);
    out->epoch = rd_u16(r);
    out->seq = (uint64_t)rd_u16(r) << 32;
    out->seq |= rd_u32(r);
    *body = rd_sub(r, out->type == DTLS_CID ? rd_wire_left(r) : rd_u16(r));
    return known_type(out->type) && (out->version == DTLS_1_0 || out->version == DTLS_1_2);
}

/* RFC 9147 §4. */
static bool read_ciphertext(struct rd *r, struct dtls_record *out, struct rd *body)
{
    enum { CID = 0x10, SEQ_16 = 0x08, LENGTH = 0x04, EPOCH = 0x03 };
    uint8_t flags = rd_u8(r);

    *out = (struct dtls_record){ .type = DTLS_CIPHERTEXT, .version = DTLS_1_3, .epoch = flags & EPOCH };
    if (!(flags & CID)) {
        (void)rd_take(r, flags & SEQ_16 ? 2 : 1);
        *body = rd_sub(r, flags & LENGTH ? rd_u16(r) : rd_wire_left(r));
    } else {
        *body = rd_sub(r, rd_wire_left(r));
    }
    return rd_wire_left(body) >= CIPHERTEXT_LEAST;
}

static bool is_ciphertext(struct span s)
{
    return s.n && s.p[0] >> 5 == 1;
}

static bool read_record(struct rd *r, struct dtls_record *out, struct rd *body)
{
    bool sound = is_ciphertext(rd_rest(r)) ? read_ciphertext(r, out, body) : read_plaintext(r, out, body);

    out->fragment = rd_rest(body);
    return sound && !r->err;
}

/* As much of content type and version as was captured; ciphertext has neither, so its lengths must lead to the end. */
static bool begins(struct rd r)
{
    static const uint8_t major = DTLS_1_2 >> 8, minor_1_0 = DTLS_1_0 & 0xff, minor_1_2 = DTLS_1_2 & 0xff;
    enum { CID_WITHOUT_LENGTH = 0x14, LENGTH_WITHOUT_CID = 0x04 };
    struct span s = rd_rest(&r);
    struct dtls_record rec;
    struct rd body;

    if (!is_ciphertext(s))
        return rd_wire_left(&r) >= DTLS_RECORD_HEADER && (s.n < 1 || known_type(s.p[0])) && (s.n < 2 || s.p[1] == major) &&
               (s.n < 3 || s.p[2] == minor_1_0 || s.p[2] == minor_1_2);
    if ((s.p[0] & CID_WITHOUT_LENGTH) != LENGTH_WITHOUT_CID)
        return false;
    while (rd_wire_left(&r))
        if (!read_record(&r, &rec, &body))
            return false;
    return true;
}

bool dtls_looks_like(struct span s)
{
    return s.n >= DTLS_RECORD_HEADER && begins(rd_init(s, s.n));
}

static void take_record(const struct parse *p, const struct dtls_record *rec, struct rd body, const uint8_t *at)
{
    if (p->m->records == DTLS_RECORDS_KEPT)
        fault(p, FAULT_DTLS_COUNT, at);
    else
        p->m->record[p->m->records++] = *rec;
    read_content(p, rec, body);
}

enum dis dtls_dissect(struct rd *in, struct dtls_msg *out, struct faults *why)
{
    const struct parse p = { out, why, in->p };
    struct rd r = *in, body;
    struct dtls_record rec;

    *out = (struct dtls_msg){ 0 };
    if (!begins(r))
        return DIS_NOT_MINE;
    while (rd_wire_left(&r)) {
        const uint8_t *at = r.p;

        if (read_record(&r, &rec, &body)) {
            take_record(&p, &rec, body, at);
            continue;
        }
        if (r.err == RD_CUT)
            break;
        fault(&p, FAULT_DTLS_RECORD, at);
        if (!out->records)
            return DIS_SHORT;
        break;
    }
    if (in->uncap)
        return DIS_CUT;
    *in = (struct rd){ in->end, in->end, 0, RD_FINE };
    return DIS_OK;
}

const char *dtls_alert_name(uint8_t description)
{
    switch (description) {
    case 0: return "close_notify";
    case 10: return "unexpected_message";
    case 20: return "bad_record_mac";
    case 21: return "decryption_failed";
    case 22: return "record_overflow";
    case 30: return "decompression_failure";
    case 40: return "handshake_failure";
    case 41: return "no_certificate";
    case 42: return "bad_certificate";
    case 43: return "unsupported_certificate";
    case 44: return "certificate_revoked";
    case 45: return "certificate_expired";
    case 46: return "certificate_unknown";
    case 47: return "illegal_parameter";
    case 48: return "unknown_ca";
    case 49: return "access_denied";
    case 50: return "decode_error";
    case 51: return "decrypt_error";
    case 52: return "too_many_cids_requested"; /* RFC 9147 §9 */
    case 60: return "export_restriction";
    case 70: return "protocol_version";
    case 71: return "insufficient_security";
    case 80: return "internal_error";
    case 86: return "inappropriate_fallback"; /* RFC 7507 */
    case 90: return "user_canceled";
    case 100: return "no_renegotiation";
    case 109: return "missing_extension";
    case 110: return "unsupported_extension";
    case 111: return "certificate_unobtainable";
    case 112: return "unrecognized_name";
    case 113: return "bad_certificate_status_response";
    case 114: return "bad_certificate_hash_value";
    case 115: return "unknown_psk_identity";
    case 116: return "certificate_required";
    case 120: return "no_application_protocol";
    default: return "unknown";
    }
}
