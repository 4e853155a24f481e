/*
 * Private to sip*.c: the lexical rules of RFC 3261 §25.1. A cursor is a span that shrinks from its front;
 * every separator of that grammar may have blanks and folded line ends on both sides.
 */
#ifndef RW_DISSECTORS_SIP_PARSE_H
#define RW_DISSECTORS_SIP_PARSE_H

#include "sip.h"

/* A set of characters below '@', as bits. */
#define SIP_SET(c)    (UINT64_C(1) << (c))
#define SIP_LWS       (SIP_SET(' ') | SIP_SET('\t') | SIP_SET('\r') | SIP_SET('\n'))
#define SIP_VALUE_END (SIP_LWS | SIP_SET(';') | SIP_SET(','))

struct sip_param {
    struct span name, value; /* value without its quotes; empty where there is none */
};

static inline bool sip_in(uint64_t set, uint8_t c)
{
    return c < 64 && (set >> c & 1);
}

static inline bool sip_is_token(uint8_t c)
{
    const uint64_t digits = UINT64_C(0x3ff) << '0', letters = UINT64_C(0x07fffffe) << 32 | UINT64_C(0x07fffffe);
    const uint64_t below =
        digits | SIP_SET('-') | SIP_SET('.') | SIP_SET('!') | SIP_SET('%') | SIP_SET('*') | SIP_SET('+') | SIP_SET('\'');
    const uint64_t above = letters | SIP_SET('_' - 64) | SIP_SET('`' - 64) | SIP_SET('~' - 64);

    return c < 64 ? below >> c & 1 : c < 128 && (above >> (c - 64) & 1);
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
static inline struct span sip_until(struct span *s, uint64_t ends)
{
    size_t n = 0;

    while (n < s->n && !sip_in(ends, s->p[n]))
        n++;
    return sip_take(s, n);
}

static inline struct span sip_token(struct span *s)
{
    size_t n = 0;

    while (n < s->n && sip_is_token(s->p[n]))
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

static inline bool sip_has_lws(struct span s)
{
    (void)sip_until(&s, SIP_LWS);
    return s.n > 0;
}

/* SEMI, COMMA, EQUAL, SLASH, COLON, LAQUOT: taken with the blanks around it; false, and nothing moved, where another byte stands. */
bool sip_separator(struct span *s, uint8_t c);
/* A quoted-string, `inner` without its quotes (escapes as sent); false, and nothing moved, where none is closed. */
bool sip_quoted(struct span *s, struct span *inner);
/* The next ";name=value"; false where none follows. */
bool sip_param_next(struct span *s, struct sip_param *out);
/* The next value of a Via list, and the comma behind it; false where it is outside RFC 3261 §20.42. Always moves. */
bool sip_via_next(struct span *list, struct sip_via *out);
/* The next value of a From, To or Contact, and the comma behind it; false where it is outside RFC 3261 §20.10. */
bool sip_party_next(struct span *list, struct sip_party *out);
/* A scheme and its colon at the front. */
bool sip_has_scheme(struct span uri);

#endif
