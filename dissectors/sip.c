/*
 *  INVITE sip:bob@example.com SIP/2.0 CRLF     Request-Line, or Status-Line: SIP/2.0 200 OK CRLF
 *  Name: value CRLF                            header fields; one that goes on begins its next line with a blank
 *  CRLF
 *  body                                        Content-Length bytes of it
 */
#include "sip_names.h"
#include "sip_parse.h"

/* The message under way, its start (faults are offsets from there), and which of the listed headers stood in it. */
struct parse {
    struct sip_msg *m;
    struct faults *why;
    const uint8_t *start, *end;
    const uint8_t *last; /* where its last LANES bytes begin; NULL where it has fewer */
    size_t uncap;        /* what the snap length took behind the end */
    uint32_t seen;
    bool stream;
    bool overflowed;            /* more headers or Vias than are kept: told once */
    struct sip_header *next;    /* where the next one is kept */
    struct span value[HDR_IDS]; /* of those that were seen, the first one with a value */
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

__attribute__((noinline)) static void take_via(struct parse *p, struct span v)
{
    const uint8_t *at = v.p;
    bool sound = v.n > 0;

    while (v.n) {
        struct sip_via unkept, *via = p->m->vias < SIP_VIAS_KEPT ? &p->m->via[p->m->vias] : &unkept;

        sound = sip_via_next(&v, p->last, via) && sound;
        if (via->host.n && via == &unkept)
            too_many(p, at);
        else if (via->host.n)
            p->m->vias++;
    }
    if (!sound)
        fault(p, FAULT_SIP_VIA, at);
}

/* The method that ends a CSeq. */
static enum sip_method cseq_method(const struct parse *p, struct span *v, struct span *name)
{
    enum sip_method m = SIP_OTHER;
    size_t n = 0;

    if (p->last && v->p <= p->last)
        m = sip_method_at(v->p, &n);
    *name = m != SIP_OTHER && n == v->n ? sip_take(v, n) : sip_token(v);
    return m != SIP_OTHER && n == name->n ? m : sip_method_of(*name);
}

/* RFC 3261 §8.1.1.5: below 2^31, and of a request its own method. */
static void take_cseq(struct parse *p, struct span v)
{
    const uint8_t *at = v.p;
    struct sip_msg *m = p->m;
    struct span name;
    enum sip_method method;
    uint64_t n = 0;
    bool sound = span_take_u64(&v, INT32_MAX, &n) && (v.n == 0 || sip_in(SIP_LWS, v.p[0]));

    if (sound)
        m->cseq = (uint32_t)n;
    else
        (void)sip_until(&v, SIP_LWS);
    sip_lws(&v);
    method = cseq_method(p, &v, &name);
    if (m->request) {
        sound = sound && v.n == 0 && method == m->method && (method != SIP_OTHER || span_eq(name, m->method_name));
    } else {
        m->method = method;
        m->method_name = name;
        sound = sound && name.n && v.n == 0;
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

static inline void take_party(const struct parse *p, enum header_id id, struct sip_party *out)
{
    if (!seen(p, id))
        *out = (struct sip_party){ .uri = SPAN_NONE };
    else if (!sip_party(p->value[id], p->last, id == HDR_CONTACT, out))
        fault(p, FAULT_SIP_ADDRESS, p->value[id].p);
}

/* What the fields say that stand once, when all were met: in one order, whatever that of their lines is. */
static void take_values(struct parse *p)
{
    struct sip_msg *m = p->m;

    take_party(p, HDR_FROM, &m->from);
    take_party(p, HDR_TO, &m->to);
    take_party(p, HDR_CONTACT, &m->contact); /* of a list the first: where the sender wants requests */
    if (seen(p, HDR_CSEQ))
        take_cseq(p, p->value[HDR_CSEQ]);
    if (seen(p, HDR_CALL_ID))
        m->call_id = p->value[HDR_CALL_ID];
    if (seen(p, HDR_CONTENT_TYPE))
        m->content_type = p->value[HDR_CONTENT_TYPE];
    if (seen(p, HDR_USER_AGENT))
        m->user_agent = p->value[HDR_USER_AGENT];
    else if (seen(p, HDR_SERVER))
        m->user_agent = p->value[HDR_SERVER];
}

/* ---- header fields ---- */

enum { ONCE, AGAIN, EACH };

/* A bit for each header of that kind, as in parse.seen. */
#define X(id, name, second, compact, times) | (uint32_t)(times == ONCE) << HDR_##id
static const uint32_t once = 0
#include "sip_hdr.def"
    ;
#undef X
#define X(id, name, second, compact, times) | (uint32_t)(times == EACH) << HDR_##id
static const uint32_t each = 0
#include "sip_hdr.def"
    ;
#undef X
_Static_assert(HDR_IDS <= 32, "parse.seen has a bit for each");

/* Whether that header has to be looked at once its line is met: each is decoded as it comes, or another stood before. */
static inline bool at_once(uint32_t seen, enum header_id id)
{
    return (seen | each) >> id & 1;
}

/* Of those that may stand once the first one with a value counts; `again`: it stood before. */
static void take_at_once(struct parse *p, enum header_id id, struct span value, bool again, const uint8_t *line)
{
    if (id == HDR_VIA)
        take_via(p, value);
    else if (id == HDR_CONTENT_LENGTH)
        take_content_length(p, value);
    else if (again && once >> id & 1)
        fault(p, FAULT_SIP_REPEATED, line);
    else if (!again && id <= HDR_CONTACT)
        fault(p, FAULT_SIP_ADDRESS, value.p);
    else if (!again && id == HDR_CSEQ)
        fault(p, FAULT_SIP_CSEQ, value.p);
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

/* What stands behind the colon, without the blanks around it. Those at its end are read backwards, and end at the colon at the latest. */
static struct span value_of(const uint8_t *colon, const uint8_t *end)
{
    const uint8_t *from = colon + 1, *to = end;

    while (sip_in(SIP_LWS, to[-1]))
        to--;
    if (from == to)
        return (struct span){ end, 0 };
    while (sip_in(SIP_LWS, *from))
        from++;
    return (struct span){ from, (size_t)(to - from) };
}

/* One header field, with its continuations and line end: RFC 3261 §7.3.1. */
static void any_field(struct parse *p, const uint8_t *line, const uint8_t *end)
{
    enum header_id id;
    struct span name, value;
    const uint8_t *colon = any_name(line, end, &id, &name);

    if (!colon) {
        fault(p, FAULT_SIP_HEADER, line);
        return;
    }
    value = value_of(colon, end);
    if (p->next == p->m->header + SIP_HEADERS_KEPT)
        too_many(p, line);
    else
        *p->next++ = (struct sip_header){ name, value };
    if (id == HDR_IDS)
        return;
    if (value.n == 0 || at_once(p->seen, id))
        take_at_once(p, id, value, seen(p, id), line);
    else
        p->value[id] = value;
    p->seen |= (uint32_t)(value.n > 0) << id;
}

/* Whether the line behind that line feed goes on with the field. */
static inline bool continued(const uint8_t *feed)
{
    return feed[1] <= ' ' && sip_blank(feed[1]);
}

/* "Name: value CRLF" with a listed name in its usual case, as nearly all are sent; false, and nothing done, where it is not so. */
static inline bool plain_field(struct parse *p, const uint8_t *line, const uint8_t *feed)
{
    size_t id = header_usual(line), length = header_table.lengths[id];
    struct span value = { line + length + 2, (size_t)(feed - line) - length - 3 };
    struct sip_header *h = p->next;

    if (id == HDR_IDS || h == p->m->header + SIP_HEADERS_KEPT || value.p[0] <= ' ' || feed[-1] != '\r' || feed[-2] <= ' ')
        return false;
    *h = (struct sip_header){ { line, length }, value };
    p->next = h + 1;
    if (at_once(p->seen, id))
        take_at_once(p, id, value, seen(p, id), line);
    else
        p->value[id] = value;
    p->seen |= UINT32_C(1) << id;
    return true;
}

/*
 * The fields from `line` on that are a line each and not the last ones. Where the first begins that is not. Line feeds are looked for block
 * by block, wherever lines begin: to find the next ones need not wait for the last.
 */
__attribute__((noinline)) static const uint8_t *lines(struct parse *p, const uint8_t *line)
{
    const uint8_t *const last = p->last, *const near = p->end - LANE, *const end = p->end - 1, *block = line, *feed;
    uint64_t feeds = line < near ? lanes_of(line, last, lane_feeds) : 0;

    for (; line < near && line[0] > ' '; line = feed + 1) {
        while (!feeds && (block += LANES) < end)
            feeds = lanes_of(block, last, lane_feeds);
        if (!feeds)
            break;
        feed = block + lanes_next(&feeds);
        if (feed >= end || continued(feed))
            break;
        if (!plain_field(p, line, feed))
            any_field(p, line, feed + 1);
    }
    return line;
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

static enum dis headers(struct parse *p, const uint8_t **start)
{
    bool last = p->uncap == 0 && !p->stream; /* where a datagram ends, its last line does */
    const uint8_t *at = *start, *end = p->end;
    size_t empty = 0;

    while ((at = p->last ? lines(p, at) : at) < end && (empty = empty_line(at, end)) == 0) {
        const uint8_t *next = field_end(at, end);

        if (!next && last && !is_blank(at, end))
            next = end;
        if (!next)
            break;
        any_field(p, at, next);
        at = next;
    }
    p->m->headers = (size_t)(p->next - p->m->header);
    take_values(p);
    if (empty == 0 && !last)
        return p->uncap ? DIS_CUT : DIS_SHORT;
    if (empty == 0)
        fault(p, FAULT_SIP_HEADERS_END, end);
    *start = empty ? at + empty : end;
    check_required(p, *start);
    return DIS_OK;
}

/* ---- start line ---- */

/*
 * All but the lists, which are large and written entry by entry, and the parties, which are set in any case. A new member of struct
 * sip_msg is to be cleared here: one by one, for gcc makes a slow rep stos of a memset() of them all.
 */
static inline void clear(struct sip_msg *m)
{
    m->request = false;
    m->method = SIP_OTHER;
    m->method_name = SPAN_NONE;
    m->uri = SPAN_NONE;
    m->reason = SPAN_NONE;
    m->status = 0;
    m->call_id = SPAN_NONE;
    m->cseq = 0;
    m->user_agent = SPAN_NONE;
    m->content_type = SPAN_NONE;
    m->has_content_length = false;
    m->content_length = 0;
    m->body = SPAN_NONE;
    m->vias = 0;
    m->headers = 0;
}

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

RARE static enum dis any_start_line(struct parse *p, const uint8_t **at)
{
    const uint8_t *begin = *at, *feed;
    struct span line;
    bool sound;
    enum dis d;

    while (begin < p->end && (*begin == '\r' || *begin == '\n'))
        begin++;
    line = (struct span){ begin, (size_t)(p->end - begin) };
    feed = line.n ? lane_find(line.p, p->end, '\n') : NULL;
    if (!feed && p->uncap) {
        if (!sip_looks_like(line))
            return DIS_NOT_MINE;
        sip_start_line_cut(line, p->m);
        return DIS_CUT;
    }
    if (!feed && p->stream)
        return may_begin(line) ? DIS_SHORT : DIS_NOT_MINE;
    line.n = feed ? (size_t)(feed - line.p) : line.n;
    *at = feed ? feed + 1 : p->end;
    line.n -= line.n && line.p[line.n - 1] == '\r';
    d = sip_start_line(line, p->m, &sound);
    if (d == DIS_OK && !sound)
        fault(p, FAULT_SIP_START_LINE, line.p);
    return d;
}

static inline enum dis start_line(struct parse *p, const uint8_t **at)
{
    const uint8_t *next = p->last ? sip_plain_start(*at, p->last, p->m) : NULL;

    if (!next) { /* what it may have set counts no more; and perhaps no header field will come */
        clear(p->m);
        memset(&p->m->from, 0, sizeof p->m->from);
        memset(&p->m->to, 0, sizeof p->m->to);
        memset(&p->m->contact, 0, sizeof p->m->contact);
        return any_start_line(p, at);
    }
    *at = next;
    return DIS_OK;
}

/* ---- body ---- */

/* RFC 3261 §18.3: a stream needs Content-Length; a datagram may leave it out, and what it does not count is discarded. */
static inline enum dis body(struct parse *p, const uint8_t **at)
{
    struct sip_msg *m = p->m;
    size_t left = (size_t)(p->end - *at), wire = left + p->uncap, n = p->stream ? 0 : wire;

    if (m->has_content_length)
        n = m->content_length;
    if (p->stream ? !m->has_content_length : n > wire) {
        fault(p, FAULT_SIP_CONTENT_LENGTH, *at);
        n = p->stream ? 0 : wire;
    }
    m->body.p = *at;
    m->body.n = n < left ? n : left;
    if (n > left)
        return n > wire ? DIS_SHORT : DIS_CUT;
    *at += n;
    return DIS_OK;
}

enum dis sip_dissect(struct rd *in, bool stream, struct sip_msg *out, struct faults *why)
{
    struct parse p;
    const uint8_t *at = in->p;
    size_t known = why->n, left = rd_left(in);
    enum dis d;

    p.m = out;
    p.why = why;
    p.start = at;
    p.end = left ? at + left : at;
    p.last = left < LANES ? NULL : p.end - LANES;
    p.uncap = in->uncap;
    p.seen = 0;
    p.stream = stream;
    p.overflowed = false;
    p.next = out->header;
    clear(out);
    d = start_line(&p, &at);
    if (d == DIS_OK)
        d = headers(&p, &at);
    if (d == DIS_OK)
        d = body(&p, &at);
    if (d == DIS_OK)
        in->p = at;
    else if (d == DIS_SHORT)
        why->n = known; /* the same bytes will come again, with more behind them */
    return d;
}
