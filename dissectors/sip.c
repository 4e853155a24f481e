/*
 *  INVITE sip:bob@example.com SIP/2.0 CRLF     Request-Line, or Status-Line: SIP/2.0 200 OK CRLF
 *  Name: value CRLF                            header fields; one that goes on begins its next line with a blank
 *  CRLF
 *  body                                        Content-Length bytes of it
 */
#include "sip_plain.h"

enum header_id {
#define X(id, name, compact, times, take) HDR_##id,
#include "sip_hdr.def"
#undef X
    HDR_IDS
};

/* The message under way, its start (faults are offsets from there), and which of the listed headers stood in it. */
struct parse {
    struct sip_msg *m;
    struct faults *why;
    const uint8_t *start;
    uint32_t seen;
    bool stream;
    bool overflowed; /* more headers or Vias than are kept: told once */
};

__attribute__((cold)) static void fault(const struct parse *p, enum fault_id id, const uint8_t *at)
{
    fault_add(p->why, id, (size_t)(at - p->start));
}

/* Whether that header stood earlier in the message, with a value: the first one counts. */
static bool seen(const struct parse *p, enum header_id id)
{
    return p->seen >> id & 1;
}

/* ---- header values ---- */

static void too_many(struct parse *p, const uint8_t *at)
{
    if (!p->overflowed)
        fault(p, FAULT_SIP_HEADER_COUNT, at);
    p->overflowed = true;
}

static void take_via(struct parse *p, struct span v)
{
    const uint8_t *at = v.p;
    bool sound = v.n > 0;

    while (v.n) {
        struct sip_via unkept, *via = p->m->vias < SIP_VIAS_KEPT ? &p->m->via[p->m->vias] : &unkept;

        sound = sip_via_next(&v, via) && sound;
        if (via->host.n && via == &unkept)
            too_many(p, at);
        else if (via->host.n)
            p->m->vias++;
    }
    if (!sound)
        fault(p, FAULT_SIP_VIA, at);
}

/* Of a list the first: From and To hold one value, Contact tells first where the sender wants requests. */
static void take_party(const struct parse *p, struct span v, bool list, struct sip_party *out)
{
    if (!sip_party(v, list, out))
        fault(p, FAULT_SIP_ADDRESS, v.p);
}

static void take_from(struct parse *p, struct span v)
{
    take_party(p, v, false, &p->m->from);
}

static void take_to(struct parse *p, struct span v)
{
    take_party(p, v, false, &p->m->to);
}

static void take_contact(struct parse *p, struct span v)
{
    if (!seen(p, HDR_CONTACT))
        take_party(p, v, true, &p->m->contact);
}

static void take_call_id(struct parse *p, struct span v)
{
    p->m->call_id = v;
}

/* RFC 3261 §8.1.1.5: below 2^31, and of a request its own method. */
static void take_cseq(struct parse *p, struct span v)
{
    const uint8_t *at = v.p;
    struct sip_msg *m = p->m;
    struct span number = sip_until(&v, SIP_LWS);
    uint64_t n = 0;
    bool sound = span_u64(number, INT32_MAX, &n);

    sip_lws(&v);
    m->cseq = (uint32_t)n;
    if (m->request) {
        sound = sound && span_eq(v, m->method_name);
    } else {
        m->method_name = sip_token(&v);
        m->method = sip_method_of(m->method_name);
        sound = sound && m->method_name.n && v.n == 0;
    }
    if (!sound)
        fault(p, FAULT_SIP_CSEQ, at);
}

static void take_content_length(struct parse *p, struct span v)
{
    uint64_t n = 0;

    if (!span_u64(v, UINT32_MAX, &n) || (p->m->has_content_length && p->m->content_length != n)) {
        fault(p, FAULT_SIP_CONTENT_LENGTH, v.p);
        return;
    }
    p->m->has_content_length = true;
    p->m->content_length = (size_t)n;
}

static void take_content_type(struct parse *p, struct span v)
{
    p->m->content_type = v;
}

static void take_user_agent(struct parse *p, struct span v)
{
    p->m->user_agent = v;
}

static void take_server(struct parse *p, struct span v)
{
    if (!seen(p, HDR_USER_AGENT))
        p->m->user_agent = v;
}

/* Of a header field that is only kept. */
static void take_nothing(const struct parse *p, struct span v)
{
    (void)p;
    (void)v;
}

/* ---- header fields ---- */

enum { ONCE, AGAIN };

static const struct header_def {
    const char *name;
    uint8_t compact;
} header_defs[HDR_IDS] = {
#define X(id, name, compact, times, take) { name, compact },
#include "sip_hdr.def"
#undef X
};

/* Apart from the rest, for a search of all of them to stay within one cache line. */
static const uint8_t header_lengths[HDR_IDS + 1] = {
#define X(id, name, compact, times, take) [HDR_##id] = sizeof(name) - 1,
#include "sip_hdr.def"
#undef X
};

_Static_assert(HDR_IDS <= 32, "parse.seen has a bit for each");

union header_names {
#define X(id, name, compact, times, take) char id[sizeof(name)];
#include "sip_hdr.def"
#undef X
};

enum { NAME_LONGEST = (int)sizeof(union header_names) }; /* with the colon behind it */

static enum header_id compact_id(uint8_t letter)
{
    enum header_id i = 0;

    while (i < HDR_IDS && (!header_defs[i].compact || (letter | 32) != header_defs[i].compact))
        i++;
    return i;
}

/* The row of a header name in either form; HDR_IDS where it is not listed. */
static enum header_id header_id(struct span name)
{
    if (name.n == 1)
        return compact_id(name.p[0]);
    for (enum header_id i = 0; i < HDR_IDS; i++)
        if (name.n == header_lengths[i] && bytes_eq_nocase(name.p, (const uint8_t *)header_defs[i].name, name.n))
            return i;
    return HDR_IDS;
}

/*
 * The row whose name, as it is usually written, and a colon stand in front: a comparison of a few words each, which spares most headers the
 * search of their name's end and its comparison in any case. Names have no line end, so the message may go on behind the line.
 */
static inline enum header_id usual_id(const uint8_t *p, const uint8_t *end)
{
    if (end - p < NAME_LONGEST)
        return HDR_IDS;
#define X(id, name, compact, times, take)                                                                                        \
    if (memcmp(p, name ":", sizeof(name)) == 0)                                                                                  \
        return HDR_##id;
#include "sip_hdr.def"
#undef X
    return HDR_IDS;
}

bool sip_header_is(const struct sip_header *h, struct span name)
{
    enum header_id id = h->name.n == 1 ? header_id(h->name) : HDR_IDS;

    return span_eq_nocase(h->name, name) || (id < HDR_IDS && span_eq_nocase(span_str(header_defs[id].name), name));
}

struct span sip_header(const struct sip_msg *m, struct span name)
{
    for (size_t i = 0; i < m->headers; i++)
        if (sip_header_is(&m->header[i], name))
            return m->header[i].value;
    return SPAN_NONE;
}

/* The name, and its colon; NULL where there is no name or no colon behind it. */
__attribute__((noinline)) static const uint8_t *any_name(const uint8_t *p, const uint8_t *end, enum header_id *id,
                                                         struct span *name)
{
    struct span line = { p, (size_t)(end - p) };

    *name = sip_token(&line);
    while (line.n && sip_blank(line.p[0]))
        (void)sip_take(&line, 1);
    if (name->n == 0 || line.n == 0 || line.p[0] != ':')
        return NULL;
    *id = header_id(*name);
    return line.p;
}

/*
 * What stands behind the colon, without the blanks around it. Those at its end are read backwards, and end at the colon at the latest.
 * Nearly all are sent as ": value CRLF"; where the CRLF is there and `from` is a blank, a byte of the line stands behind it.
 */
static inline struct span value_of(const uint8_t *colon, const uint8_t *end)
{
    const uint8_t *from = colon + 1, *to = end;

    if (memcmp(end - 2, "\r\n", 2) == 0 && end[-3] > ' ' && from[0] == ' ' && from[1] > ' ')
        return (struct span){ from + 1, (size_t)(end - from) - 3 };
    while (sip_in(SIP_LWS, to[-1]))
        to--;
    if (from == to)
        return (struct span){ end, 0 };
    while (sip_in(SIP_LWS, *from))
        from++;
    return (struct span){ from, (size_t)(to - from) };
}

/* The first header with a value counts of those that may stand once. */
static void take_value(struct parse *p, enum header_id id, struct span value, const uint8_t *line)
{
    switch (id) {
#define X(id, name, compact, times, take)                                                                                        \
    case HDR_##id:                                                                                                               \
        if (times == ONCE && seen(p, HDR_##id))                                                                                  \
            fault(p, FAULT_SIP_REPEATED, line);                                                                                  \
        else                                                                                                                     \
            take(p, value);                                                                                                      \
        if (value.n)                                                                                                             \
            p->seen |= UINT32_C(1) << HDR_##id;                                                                                  \
        break;
#include "sip_hdr.def"
#undef X
    case HDR_IDS: break;
    }
}

/* One header field, with its continuations and line end: RFC 3261 §7.3.1. */
static void header_field(struct parse *p, const uint8_t *line, const uint8_t *end, enum header_id id)
{
    struct sip_msg *m = p->m;
    struct span name = { line, header_lengths[id] }, value;
    const uint8_t *colon = line + name.n;

    if (id == HDR_IDS && (colon = any_name(line, end, &id, &name)) == NULL) {
        fault(p, FAULT_SIP_HEADER, line);
        return;
    }
    value = value_of(colon, end);
    if (m->headers == SIP_HEADERS_KEPT) {
        too_many(p, line);
    } else {
        struct sip_header *h = &m->header[m->headers++];

        h->name = name;
        h->value = value;
    }
    take_value(p, id, value, line);
}

/* Length of the empty line that ends the headers; 0 where another stands here. */
static inline size_t empty_line(const uint8_t *p, const uint8_t *end)
{
    if (*p > '\r')
        return 0;
    if (*p == '\n')
        return 1;
    return end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

/* Where the line begins that does not continue the header field in [p, end); NULL where that is not there. */
static inline const uint8_t *field_end(const uint8_t *p, const uint8_t *end)
{
    while ((p = lane_find(p, end, '\n')) != NULL && ++p < end)
        if (*p > ' ' || !sip_blank(*p))
            return p;
    return NULL;
}

static bool is_blank(const uint8_t *p, const uint8_t *end)
{
    return sip_trim((struct span){ p, (size_t)(end - p) }).n == 0;
}

/* RFC 3261 §8.1.1; of a response §8.2.6.2, which copies them without Max-Forwards. */
static void check_required(struct parse *p, const uint8_t *at)
{
    uint32_t need = 1u << HDR_VIA | 1u << HDR_FROM | 1u << HDR_TO | 1u << HDR_CALL_ID | 1u << HDR_CSEQ;

    if (p->m->request)
        need |= 1u << HDR_MAX_FORWARDS;
    if ((p->seen & need) != need)
        fault(p, FAULT_SIP_MISSING, at);
}

static enum dis headers(struct parse *p, struct rd *r)
{
    bool last = r->uncap == 0 && !p->stream; /* where a datagram ends, its last line does */
    const uint8_t *at = r->p, *end = r->end;
    size_t empty = 0;

    while (at < end && (empty = empty_line(at, end)) == 0) {
        enum header_id id = usual_id(at, end);
        const uint8_t *next = field_end(at + header_lengths[id], end);

        if (!next && last && !is_blank(at, end))
            next = end;
        if (!next)
            break;
        header_field(p, at, next, id);
        at = next;
    }
    if (empty == 0 && !last)
        return r->uncap ? DIS_CUT : DIS_SHORT;
    if (empty == 0)
        fault(p, FAULT_SIP_HEADERS_END, end);
    (void)rd_take(r, empty ? (size_t)(at - r->p) + empty : rd_left(r));
    check_required(p, r->p);
    return DIS_OK;
}

/* ---- start line ---- */

/* The beginning of a line of text, as far as it has come over a stream. */
static bool may_begin(struct span s)
{
    if (s.n && !sip_in(SIP_TOKEN, s.p[0]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < ' ' && s.p[i] != '\t' && s.p[i] != '\r') || s.p[i] == 0x7f)
            return false;
    return true;
}

static enum dis start_line(struct parse *p, struct rd *r)
{
    const uint8_t *feed;
    struct span line;
    bool sound;
    enum dis d;

    while (rd_left(r) && (r->p[0] == '\r' || r->p[0] == '\n'))
        (void)rd_u8(r);
    line = rd_rest(r);
    feed = line.n ? lane_find(line.p, line.p + line.n, '\n') : NULL;
    if (!feed && r->uncap) {
        if (!sip_looks_like(line))
            return DIS_NOT_MINE;
        sip_start_line_cut(line, p->m);
        return DIS_CUT;
    }
    if (!feed && p->stream)
        return may_begin(line) ? DIS_SHORT : DIS_NOT_MINE;
    line.n = feed ? (size_t)(feed - line.p) : line.n;
    (void)rd_take(r, feed ? line.n + 1 : line.n);
    line.n -= line.n && line.p[line.n - 1] == '\r';
    d = sip_start_line(line, p->m, &sound);
    if (d == DIS_OK && !sound)
        fault(p, FAULT_SIP_START_LINE, line.p);
    return d;
}

/* ---- body ---- */

/* RFC 3261 §18.3: a stream needs Content-Length; a datagram may leave it out, and what it does not count is discarded. */
static enum dis body(struct parse *p, struct rd *r)
{
    struct sip_msg *m = p->m;
    size_t wire = rd_wire_left(r), n = p->stream ? 0 : wire;

    if (m->has_content_length)
        n = m->content_length;
    if (p->stream ? !m->has_content_length : n > wire) {
        fault(p, FAULT_SIP_CONTENT_LENGTH, r->p);
        n = p->stream ? 0 : wire;
    }
    m->body = span_part(rd_rest(r), 0, n);
    (void)rd_take(r, n);
    return r->err == RD_FINE ? DIS_OK : r->err == RD_CUT ? DIS_CUT : DIS_SHORT;
}

enum dis sip_dissect(struct rd *in, bool stream, struct sip_msg *out, struct faults *why)
{
    struct rd r = *in;
    struct parse p = { .m = out, .why = why, .start = in->p, .stream = stream };
    size_t known = why->n;
    enum dis d;

    memset(out, 0, offsetof(struct sip_msg, via)); /* the lists are large, and written entry by entry */
    d = start_line(&p, &r);
    if (d == DIS_OK)
        d = headers(&p, &r);
    if (d == DIS_OK)
        d = body(&p, &r);
    if (d == DIS_OK)
        *in = r;
    else if (d == DIS_SHORT)
        why->n = known; /* the same bytes will come again, with more behind them */
    return d;
}
