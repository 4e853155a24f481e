#include "tls/connection.h"

#include <openssl/crypto.h>

#include "base/clock.h"

enum { MESSAGE_MOST = 16 * 1024 /* of a handshake message that is looked at */ };

/* One call of connection_data(), for what it calls. */
struct reading {
    struct tls_connection *c;
    struct tls_half *half;
    enum tls_side side;
    struct tls_around *around;
    const struct tls_segment *segment;
    struct tls_sink sink;
};

enum step { STEP_TAKEN, STEP_WAIT, STEP_END };

/* ---- giving up ---- */

static void drop(struct strbuf *b, struct tls_around *around)
{
    around->memory -= b->room;
    strbuf_done(b);
}

static bool keep(struct strbuf *b, struct span more, struct tls_around *around)
{
    around->memory -= b->room;
    strbuf_span(b, more);
    around->memory += b->room;
    return !b->failed;
}

static void half_give_up(struct tls_half *h, struct tls_around *around)
{
    drop(&h->plain, around);
    drop(&h->message, around);
    tls_keys_done(&h->keys);
    *h = (struct tls_half){ .stage = TLS_GIVEN_UP };
}

static enum step give_up(struct reading *r, enum fault_id why)
{
    if (!r->c->told)
        fault_log_one(r->around->faults, why, r->segment->frame);
    r->c->told = true;
    half_give_up(r->half, r->around);
    return STEP_END;
}

void connection_finish(struct tls_connection *c, struct tls_around *around)
{
    for (unsigned side = 0; side < 2; side++) {
        if (!c->half[side].waits_ns || c->told)
            continue;
        fault_log_one(around->faults, FAULT_TLS_NO_KEY, c->half[side].waits);
        c->told = true;
    }
}

void connection_done(struct tls_connection *c, struct tls_around *around)
{
    half_give_up(&c->half[TLS_CLIENT], around);
    half_give_up(&c->half[TLS_SERVER], around);
    *c = (struct tls_connection){ 0 };
}

/* ---- keys ---- */

static struct span secret_find(const struct reading *r, enum keylog_label label)
{
    struct span random = { r->c->client_random, TLS_RANDOM }, secret = keylog_find(r->around->keys, label, random);

    if (secret.n)
        return secret;
    keylog_read_on(r->around->keys, r->segment->ts_ns);
    return keylog_find(r->around->keys, label, random);
}

/* From its first record on that needs a key, a key log that grows is asked for a while. */
static enum step key_missing(struct reading *r)
{
    struct tls_half *h = r->half;
    int64_t now_ns = r->segment->ts_ns;

    if (!h->waits_ns) {
        h->waits_ns = now_ns;
        h->waits = r->segment->frame;
    }
    if (!keylog_grows(r->around->keys) || now_ns - h->waits_ns > SECONDS(TLS_KEY_WAIT_S))
        return give_up(r, FAULT_TLS_NO_KEY);
    return STEP_WAIT;
}

static enum step keys_use(struct reading *r, enum tls_stage stage, bool fine)
{
    if (!fine)
        return give_up(r, FAULT_TLS_SECRET);
    r->half->stage = stage;
    r->half->waits_ns = 0;
    return STEP_TAKEN;
}

/* RFC 5246 §7.1: what follows a ChangeCipherSpec is under what was agreed. */
static enum step keys_of_master(struct reading *r)
{
    const struct tls_connection *c = r->c;
    struct tls_master m = { .suite = c->suite,
                            .encrypt_then_mac = c->encrypt_then_mac,
                            .secret = secret_find(r, KEYLOG_MASTER),
                            .client_random = { c->client_random, TLS_RANDOM },
                            .server_random = { c->server_random, TLS_RANDOM } };

    if (!m.secret.n)
        return key_missing(r);
    return keys_use(r, TLS_OPEN, tls_keys_master(&r->half->keys, &m, r->side == TLS_SERVER));
}

static void seek(struct tls_half *h, unsigned window)
{
    h->seeking = true;
    h->window = window;
}

static enum step keys_of_traffic(struct reading *r)
{
    struct span secret = secret_find(r, r->side == TLS_SERVER ? KEYLOG_SERVER_TRAFFIC : KEYLOG_CLIENT_TRAFFIC);

    if (!secret.n)
        return key_missing(r);
    return keys_use(r, TLS_OPEN, tls_keys_traffic(&r->half->keys, r->c->suite, secret));
}

/* Without a secret for the handshake, the first record that the application's opens is found by trial. */
static enum step keys_of_handshake(struct reading *r)
{
    struct span secret = secret_find(r, r->side == TLS_SERVER ? KEYLOG_SERVER_HANDSHAKE : KEYLOG_CLIENT_HANDSHAKE);
    enum step step;

    if (secret.n)
        return keys_use(r, TLS_HANDSHAKE_KEY, tls_keys_traffic(&r->half->keys, r->c->suite, secret));
    step = keys_of_traffic(r);
    if (step == STEP_TAKEN)
        seek(r->half, 1);
    return step;
}

static enum step keys_due(struct reading *r)
{
    if (!r->c->has_server_hello)
        return STEP_WAIT;
    return r->c->version == TLS_1_3 ? keys_of_traffic(r) : keys_of_master(r);
}

/* ---- handshake messages ---- */

static enum step client_hello(struct reading *r, struct span body)
{
    struct tls_hello h;

    if (tls_hello(body, true, &h) != DIS_OK)
        return give_up(r, FAULT_TLS_HELLO);
    if (memcmp(h.random.p, r->c->client_random, TLS_RANDOM) != 0) /* renegotiation, RFC 5246 §7.4.1.2 */
        r->c->has_server_hello = false;
    memcpy(r->c->client_random, h.random.p, TLS_RANDOM);
    return STEP_TAKEN;
}

static enum step server_hello(struct reading *r, struct span body)
{
    struct tls_connection *c = r->c;
    struct tls_hello h;

    if (tls_hello(body, false, &h) != DIS_OK)
        return give_up(r, FAULT_TLS_HELLO);
    c->version = h.version;
    c->suite = tls_suite_find(h.suite);
    if ((c->version != TLS_1_2 && c->version != TLS_1_3) || !c->suite || (c->version == TLS_1_3) != (h.suite >> 8 == 0x13)) {
        half_give_up(&c->half[TLS_CLIENT], r->around);
        return give_up(r, FAULT_TLS_SUITE);
    }
    memcpy(c->server_random, h.random.p, TLS_RANDOM);
    c->encrypt_then_mac = h.encrypt_then_mac;
    c->has_server_hello = !h.retry;
    return STEP_TAKEN;
}

static bool is_looked_at(const struct reading *r, uint8_t type)
{
    switch (type) {
    case TLS_CLIENT_HELLO: return r->side == TLS_CLIENT;
    case TLS_SERVER_HELLO: return r->side == TLS_SERVER;
    case TLS_FINISHED: return r->half->stage == TLS_HANDSHAKE_KEY;
    case TLS_KEY_UPDATE: return r->half->stage == TLS_OPEN && r->half->keys.tls13;
    default: return false;
    }
}

static enum step message_take(struct reading *r, uint8_t type, struct span body)
{
    switch (type) {
    case TLS_CLIENT_HELLO: return client_hello(r, body);
    case TLS_SERVER_HELLO: return server_hello(r, body);
    case TLS_FINISHED: r->half->stage = TLS_KEY_DUE; return STEP_TAKEN;
    default: return tls_keys_update(&r->half->keys) ? STEP_TAKEN : give_up(r, FAULT_TLS_SECRET); /* RFC 8446 §4.6.3 */
    }
}

/* Moves bytes until the message has `n` of them. */
static bool message_have(struct reading *r, size_t n, struct span *bytes)
{
    struct strbuf *m = &r->half->message;
    struct span more = span_part(*bytes, 0, m->n < n ? n - m->n : 0);

    if (more.n)
        (void)keep(m, more, r->around); /* without memory the message is never whole */
    *bytes = span_part(*bytes, more.n, bytes->n);
    return m->n >= n;
}

static size_t message_length(const struct strbuf *m)
{
    struct rd r = rd_init((struct span){ (const uint8_t *)m->p, m->n }, m->n);

    (void)rd_u8(&r);
    return rd_u24(&r);
}

/* A part of the handshake, which has no regard for records. */
static enum step handshake_take(struct reading *r, struct span bytes)
{
    struct strbuf *m = &r->half->message;
    enum step step = STEP_TAKEN;

    while (step == STEP_TAKEN && bytes.n) {
        size_t skipped = bytes.n < r->half->skip ? bytes.n : r->half->skip, n;

        r->half->skip -= skipped;
        bytes = span_part(bytes, skipped, bytes.n);
        if (!message_have(r, TLS_HANDSHAKE_HEADER, &bytes))
            break;
        n = message_length(m);
        if (n > MESSAGE_MOST || !is_looked_at(r, (uint8_t)m->p[0])) {
            r->half->skip = n;
            drop(m, r->around);
            continue;
        }
        if (!message_have(r, TLS_HANDSHAKE_HEADER + n, &bytes))
            break;
        step = message_take(r, (uint8_t)m->p[0], (struct span){ (const uint8_t *)m->p + TLS_HANDSHAKE_HEADER, n });
        drop(m, r->around);
    }
    return step;
}

/* ---- application data ---- */

/* What the sink leaves waits, up to a bound. */
static void plain_keep(struct reading *r, struct span bytes)
{
    struct tls_half *h = r->half;

    if (!h->plain.n)
        h->since = r->segment->since;
    if (h->plain.n + bytes.n <= TLS_PLAIN_MOST && keep(&h->plain, bytes, r->around))
        return;
    fault_log_one(r->around->faults, FAULT_TCP_BUFFER_FULL, r->segment->frame);
    drop(&h->plain, r->around);
}

static void plain_take(struct reading *r, struct span bytes)
{
    struct tls_half *h = r->half;
    size_t used;

    if (!h->plain.n) {
        used = r->sink.plain(r->sink.self, r->segment->since, bytes);
        if (used < bytes.n)
            plain_keep(r, span_part(bytes, used, bytes.n));
        return;
    }
    plain_keep(r, bytes);
    used = r->sink.plain(r->sink.self, h->since, (struct span){ (const uint8_t *)h->plain.p, h->plain.n });
    if (used >= h->plain.n) {
        drop(&h->plain, r->around);
        return;
    }
    if (used)
        h->since = r->segment->since;
    h->plain.n -= used;
    memmove(h->plain.p, h->plain.p + used, h->plain.n);
}

/* ---- records ---- */

static enum step inside_take(struct reading *r, uint8_t type, struct span plain)
{
    if (type == TLS_APPLICATION_DATA)
        plain_take(r, plain);
    if (type == TLS_CHANGE_CIPHER_SPEC && !r->half->keys.tls13) /* renegotiation */
        r->half->stage = TLS_KEY_DUE;
    return type == TLS_HANDSHAKE ? handshake_take(r, plain) : STEP_TAKEN;
}

/* Tries to open a record with the number that is expected, or one of the window behind it. */
static bool record_open(struct reading *r, const struct tls_record *record, unsigned window, uint8_t *type, struct span *plain)
{
    struct tls_keys *k = &r->half->keys;

    for (unsigned i = 0; i < window && r->half->searched <= TLS_SEARCH_BYTES; i++) {
        if (tls_open(k, k->seq + i, record, r->around->room, type, plain)) {
            k->seq += i + 1;
            return true;
        }
        r->half->searched += record->fragment.n;
    }
    return false;
}

/* RFC 8446 §5: a ChangeCipherSpec in the clear means nothing there, nor does an alert before the keys are known to both. */
static bool passed_over(const struct tls_half *h, const struct tls_record *record)
{
    return h->keys.tls13 && record->type != TLS_APPLICATION_DATA;
}

/*
 * The next record under a key. One that does not open need not be the end: early data of TLS 1.3 (RFC 8446 §4.2.10) is under another key,
 * which is passed over as what stands before the first record of the handshake's.
 */
static enum step record_opened(struct reading *r, const struct tls_record *record)
{
    struct tls_half *h = r->half;
    struct span plain;
    uint8_t type;

    if (passed_over(h, record))
        return STEP_TAKEN;
    if (record_open(r, record, 1, &type, &plain))
        return inside_take(r, type, plain);
    if (h->stage == TLS_OPEN || r->side == TLS_SERVER)
        fault_log_one(r->around->faults, FAULT_TLS_RECORD, r->segment->frame);
    seek(h, h->stage == TLS_OPEN && h->keys.seq ? TLS_LOST_RECORDS + 1 : 1);
    return STEP_TAKEN;
}

static enum step record_in_clear(struct reading *r, const struct tls_record *record)
{
    bool known = r->c->has_server_hello;
    enum step step;

    switch (record->type) {
    case TLS_HANDSHAKE: return handshake_take(r, record->fragment);
    case TLS_CHANGE_CIPHER_SPEC:
        if (r->c->version != TLS_1_3 && known)
            r->half->stage = TLS_KEY_DUE;
        return r->c->version == TLS_1_3 || known ? STEP_TAKEN : STEP_WAIT;
    case TLS_APPLICATION_DATA:
        if (!known)
            return STEP_WAIT;
        if (r->c->version != TLS_1_3)
            return give_up(r, FAULT_TLS_LOST);
        step = keys_of_handshake(r);
        return step == STEP_TAKEN && !r->half->seeking ? record_opened(r, record) : step;
    default: return STEP_TAKEN;
    }
}

static enum step record_next(struct reading *r, struct rd *in)
{
    struct rd at = *in;
    struct tls_record record;
    enum step step = r->half->stage == TLS_KEY_DUE ? keys_due(r) : STEP_TAKEN;

    if (step != STEP_TAKEN)
        return step;
    switch (tls_record(&at, &record)) {
    case DIS_OK: break;
    case DIS_SHORT: return STEP_WAIT;
    default:
        if (r->half->stage == TLS_CLEAR)
            return give_up(r, FAULT_TLS_RECORD);
        fault_log_one(r->around->faults, FAULT_TLS_RECORD, r->segment->frame);
        seek(r->half, TLS_LOST_RECORDS + 1);
        return STEP_TAKEN;
    }
    r->half->begun = true;
    step = r->half->stage == TLS_CLEAR ? record_in_clear(r, &record) : record_opened(r, &record);
    if (step != STEP_WAIT && !r->half->seeking)
        *in = at;
    return step;
}

/* ---- where records are missing ---- */

/*
 * Behind a hole, what waited will not be finished; before the first key, the key is what must be found. A connection whose SYN was not
 * captured begins like one, too.
 */
static enum step hole(struct reading *r)
{
    struct tls_half *h = r->half;
    enum step step = STEP_TAKEN;

    if (!h->begun)
        return STEP_TAKEN;
    drop(&h->plain, r->around);
    drop(&h->message, r->around);
    h->skip = 0;
    if (!r->c->has_server_hello)
        return give_up(r, FAULT_TLS_LOST);
    if (h->stage != TLS_OPEN)
        step = keys_due(r);
    if (step == STEP_TAKEN)
        seek(h, TLS_LOST_RECORDS + 1);
    return step;
}

/* A record that holds application data, as both versions begin one; others are not looked for. */
static bool could_begin(struct span s)
{
    static const uint8_t begins[] = { TLS_APPLICATION_DATA, 3, 3 };

    return memcmp(s.p, begins, s.n < sizeof begins ? s.n : sizeof begins) == 0;
}

/* Every place that could be the beginning of a record is tried, one a call. */
static enum step record_seek(struct reading *r, struct rd *in)
{
    struct rd at = *in;
    struct tls_record record;
    struct span plain;
    uint8_t type;
    enum dis got;

    if (r->half->searched > TLS_SEARCH_BYTES)
        return give_up(r, FAULT_TLS_LOST);
    got = could_begin(rd_rest(in)) ? tls_record(&at, &record) : DIS_NOT_MINE;
    if (got == DIS_SHORT)
        return STEP_WAIT;
    if (got == DIS_OK && record_open(r, &record, r->half->window, &type, &plain)) {
        r->half->seeking = false;
        *in = at;
        return inside_take(r, type, plain);
    }
    (void)rd_take(in, 1);
    return STEP_TAKEN;
}

size_t connection_data(struct tls_connection *c, enum tls_side side, struct tls_around *around, const struct tls_segment *s,
                       struct span bytes, bool after_gap, struct tls_sink sink)
{
    struct reading r = { c, &c->half[side], side, around, s, sink };
    struct rd in = rd_init(bytes, bytes.n);
    enum step step = r.half->stage == TLS_GIVEN_UP ? STEP_END : after_gap ? hole(&r) : STEP_TAKEN;

    while (step == STEP_TAKEN && rd_left(&in))
        step = r.half->seeking ? record_seek(&r, &in) : record_next(&r, &in);
    return step == STEP_END ? TLS_GIVE_UP : bytes.n - rd_left(&in);
}
