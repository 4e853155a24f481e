/*
 * Private to sip*.c: the lexical rules of RFC 3261 §25.1. A cursor is a span that shrinks from its front;
 * every separator of that grammar may have blanks and folded line ends on both sides.
 */
#ifndef RW_DISSECTORS_SIP_PARSE_H
#define RW_DISSECTORS_SIP_PARSE_H

#include "lane.h"
#include "sip.h"

/* Sets of characters, as bits of sip_class[]. */
enum sip_set {
    SIP_TOKEN = 1,         /* what a token is made of */
    SIP_LWS = 2,           /* blanks and line ends */
    SIP_VALUE_END = 4,     /* blanks, line ends, ';' and ',' */
    SIP_PARAM_END = 8,     /* those and '"' */
    SIP_HOST_END = 16,     /* those of a value and ':' */
    SIP_URI_HOST_END = 32, /* those of a host and '?' */
    SIP_NAME_END = 64,     /* '<' and ':' */
    SIP_ANGLE_END = 128,   /* blanks, line ends and '>' */
};

extern const uint8_t sip_class[256];

struct sip_param {
    struct span name, value; /* value without its quotes; empty where there is none */
};

static inline bool sip_in(enum sip_set set, uint8_t c)
{
    return sip_class[c] & set;
}

static inline bool sip_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static inline struct span sip_take(struct span *s, size_t n)
{
    struct span head = { s->p, n };

    if (n)
        s->p += n;
    s->n -= n;
    return head;
}

/* What stands before the first byte of `ends`, or all. */
static inline struct span sip_until(struct span *s, enum sip_set ends)
{
    size_t n = 0;

    while (n < s->n && !sip_in(ends, s->p[n]))
        n++;
    return sip_take(s, n);
}

static inline struct span sip_token(struct span *s)
{
    size_t n = 0;

    while (n < s->n && sip_in(SIP_TOKEN, s->p[n]))
        n++;
    return sip_take(s, n);
}

static inline void sip_lws(struct span *s)
{
    size_t n = 0;

    while (n < s->n && sip_in(SIP_LWS, s->p[n]))
        n++;
    (void)sip_take(s, n);
}

/* Without blanks and line ends at both ends. */
static inline struct span sip_trim(struct span s)
{
    sip_lws(&s);
    while (s.n && sip_in(SIP_LWS, s.p[s.n - 1]))
        s.n--;
    return s;
}

static inline bool sip_has_lws(struct span s)
{
    while (s.n >= LANE && lane_low(s.p) == 0)
        (void)sip_take(&s, LANE);
    (void)sip_until(&s, SIP_LWS);
    return s.n > 0;
}

/* SEMI, COMMA, EQUAL, SLASH, COLON, LAQUOT: taken with the blanks around it; false, and nothing moved, where another byte stands. */
static inline bool sip_separator(struct span *s, uint8_t c)
{
    struct span rest = *s;

    sip_lws(&rest);
    if (rest.n == 0 || rest.p[0] != c)
        return false;
    (void)sip_take(&rest, 1);
    sip_lws(&rest);
    *s = rest;
    return true;
}

/* A quoted-string, `inner` without its quotes (escapes as sent); false, and nothing moved, where none is closed. */
bool sip_quoted(struct span *s, struct span *inner);
/* The next ";name=value"; false where none follows. */
static inline bool sip_param_next(struct span *s, struct sip_param *out)
{
    if (!sip_separator(s, ';'))
        return false;
    out->name = sip_token(s);
    out->value = SPAN_NONE;
    if (sip_separator(s, '=') && !(s->n && s->p[0] == '"' && sip_quoted(s, &out->value)))
        out->value = sip_until(s, SIP_PARAM_END); /* an unclosed quote stays: what follows the value is not sound then */
    return true;
}

/* A line without its end; *sound: nothing of it is outside RFC 3261 §7.1 and §7.2. DIS_NOT_MINE where it is no start line of SIP. */
enum dis sip_start_line(struct span line, struct sip_msg *out, bool *sound);
/* What the snap length left of a start line: the method or the status, where a blank ends it. */
void sip_start_line_cut(struct span line, struct sip_msg *out);
enum sip_method sip_method_of(struct span name);
/* The method at `p`, where LANE bytes are, and that a blank or a line end follows; *n is the length of what stands before such a byte. */
enum sip_method sip_method_at(const uint8_t *p, size_t *n);
/* `last` is that of the message (lane.h); NULL, but for a start line, where that has less than LANES bytes. */
/*
 * A start line as nearly all are sent, in which all is sound, at `p`, where LANES bytes are. What follows it; NULL, and nothing of *out
 * means anything, where it is not so.
 */
const uint8_t *sip_plain_start(const uint8_t *p, const uint8_t *last, struct sip_msg *out);
/* The next value of a Via list, and the comma behind it; false where it is outside RFC 3261 §20.42. Always moves. */
bool sip_via_next(struct span *list, const uint8_t *last, struct sip_via *out);
/* The value of a From, To or Contact, of a `list` the first; false where it is outside RFC 3261 §20.10. */
bool sip_party(struct span value, const uint8_t *last, bool list, struct sip_party *out);
/* A scheme and its colon at the front. */
bool sip_has_scheme(struct span uri);

#endif
