/* The values of SIP header fields: parameters, Via, and the addresses of From, To and Contact. */
#include "sip_parse.h"

enum { SCHEME_LONGEST = 64, IPV6_REFERENCE_LONGEST = 64 };

bool sip_quoted(struct span *s, struct span *inner)
{
    if (s->n == 0 || s->p[0] != '"')
        return false;
    for (size_t i = 1; i < s->n; i++) {
        if (s->p[i] == '\\') {
            i++;
        } else if (s->p[i] == '"') {
            *inner = span_part(*s, 1, i - 1);
            (void)sip_take(s, i + 1);
            return true;
        }
    }
    return false;
}

/* Over the comma that ends a list's value; false where anything stands before it. */
static bool end_of_value(struct span *list)
{
    struct span quoted;
    bool clean;

    sip_lws(list);
    clean = list->n == 0 || list->p[0] == ',';
    while (list->n && list->p[0] != ',') {
        if (list->p[0] != '"')
            (void)sip_take(list, 1);
        else if (!sip_quoted(list, &quoted))
            (void)sip_take(list, list->n); /* never closed, so every later quote belongs to it */
    }
    (void)sip_separator(list, ',');
    return clean;
}

/* hostname, IPv4address or IPv6reference; the last keeps its brackets, and is none without both. */
static struct span host(struct span *s, enum sip_set ends)
{
    size_t close;

    if (s->n == 0 || s->p[0] != '[')
        return sip_until(s, ends);
    close = span_find(span_part(*s, 0, IPV6_REFERENCE_LONGEST), ']');
    return close < s->n && s->p[close] == ']' ? sip_take(s, close + 1) : SPAN_NONE;
}

static bool is_token(struct span s)
{
    return sip_token(&s).n > 0 && s.n == 0;
}

/* sent-protocol of RFC 3261 §25.1; other names and versions than SIP/2.0 are within its grammar, and blanks around each slash. */
static bool sent_protocol(struct span *s, struct sip_via *out)
{
    sip_lws(s);
    if (sip_token(s).n == 0 || !sip_separator(s, '/') || sip_token(s).n == 0 || !sip_separator(s, '/'))
        return false;
    out->transport = sip_token(s);
    return out->transport.n > 0;
}

static bool sent_by(struct span *s, struct sip_via *out)
{
    struct span port;
    uint64_t number = 0;

    sip_lws(s);
    out->host = host(s, SIP_HOST_END);
    if (!sip_separator(s, ':'))
        return out->host.n > 0;
    port = sip_until(s, SIP_VALUE_END);
    if (!span_u64(port, UINT16_MAX, &number)) {
        /* An IPv6 address without its brackets: nobody can tell where its port begins (RFC 5118 §4.3). */
        if (span_find(port, ':') < port.n)
            out->host.n = (size_t)(port.p + port.n - out->host.p);
        return false;
    }
    out->port = (uint16_t)number;
    return out->host.n > 0;
}

/* A parameter may stand once (RFC 3261 §7.3.1); of several the first counts. */
static inline bool set_once(struct span *field, struct span value)
{
    if (field->p)
        return false;
    *field = value;
    return true;
}

/* Some bracket the IPv6 address in received, against the grammar: RFC 5118 §4.5 wants that borne. */
static struct span without_brackets(struct span v)
{
    return v.n >= 2 && v.p[0] == '[' && v.p[v.n - 1] == ']' ? span_part(v, 1, v.n - 2) : v;
}

static inline bool via_param(const struct sip_param *param, struct sip_via *out)
{
    uint64_t port = 0;

    if (span_eq_nocase(param->name, SPAN("branch")))
        return set_once(&out->branch, param->value);
    if (span_eq_nocase(param->name, SPAN("received")))
        return set_once(&out->received, without_brackets(param->value));
    if (!span_eq_nocase(param->name, SPAN("rport")))
        return is_token(param->name);
    if (param->value.n == 0)
        return true;
    if (!span_u64(param->value, UINT16_MAX, &port))
        return false;
    out->rport = (uint16_t)port;
    return true;
}

/*
 * Values as nearly all are sent, without blanks, quotes and commas between their parts, are read from one mark to the next (lane_marks:
 * what may end a part); what lies between is not looked at. Places count from the value's begin, and its end is a mark, too: a blank or a
 * line's end stands there. Where anything else is met, or no mark is near, the value is not plain and is read by the whole grammar.
 */
static inline bool next_mark(uint64_t *marks, size_t *at)
{
    if (*marks == 0)
        return false;
    *at = lanes_next(marks);
    return true;
}

/* To the mark `byte`, or to what makes the value not plain. */
static inline bool mark_of(uint8_t byte, const uint8_t *p, uint64_t *marks, size_t *at)
{
    do
        if (!next_mark(marks, at))
            return false;
    while (p[*at] != byte && p[*at] >= ':' && p[*at] <= '@');
    return true;
}

/* From the ';' at `at` on; a long value's parameters are within reach of their own ';'. */
static inline bool plain_params(const uint8_t *p, size_t n, const uint8_t *last, uint64_t marks, size_t at, struct sip_via *out)
{
    while (p[at] == ';') {
        struct sip_param param = { .value = SPAN_NONE };

        if (n >= LANES) {
            p += at;
            n -= at;
            at = 0;
            marks = lanes_of(p, last, lane_marks) & ~UINT64_C(1);
        }
        param.name.p = p + at + 1;
        if (!next_mark(&marks, &at))
            return false;
        param.name.n = (size_t)(p + at - param.name.p);
        if (p[at] == '=') {
            param.value.p = p + at + 1;
            if (!mark_of(';', p, &marks, &at))
                return false;
            param.value.n = (size_t)(p + at - param.value.p);
        }
        if (!via_param(&param, out))
            return false;
    }
    return at == n;
}

/* "SIP/2.0/UDP host:port;name=value…" in which all is sound. */
static bool plain_via(const uint8_t *p, size_t n, const uint8_t *last, struct sip_via *out)
{
    size_t name = 8, blank, at;
    uint64_t marks, port = 0;

    if (!last || n <= name || p + n == last + LANES || memcmp(p, "SIP/2.0/", name) != 0)
        return false;
    marks = lanes_of(p, last, lane_marks) & UINT64_MAX << name;
    if (!next_mark(&marks, &blank) || p[blank] != ' ' || blank == n || !next_mark(&marks, &at))
        return false;
    out->transport = (struct span){ p + name, blank - name };
    out->host = (struct span){ p + blank + 1, at - blank - 1 };
    if (out->host.n == 0 || out->host.p[0] == '[' || !(span_eq(out->transport, SPAN("UDP")) || is_token(out->transport)))
        return false;
    if (p[at] == ':') {
        struct span digits = { p + at + 1, 0 };

        if (!next_mark(&marks, &at))
            return false;
        digits.n = (size_t)(p + at - digits.p);
        if (!span_u64(digits, UINT16_MAX, &port))
            return false;
    }
    out->port = (uint16_t)port;
    return plain_params(p, n, last, marks, at, out);
}

__attribute__((noinline)) static bool any_via(struct span *list, struct sip_via *out)
{
    struct sip_param param;
    bool sound;

    *out = (struct sip_via){ .port = 0 };
    sound = sent_protocol(list, out) && sent_by(list, out);
    while (sip_param_next(list, &param))
        sound = via_param(&param, out) && sound;
    return end_of_value(list) && sound;
}

bool sip_via_next(struct span *list, const uint8_t *last, struct sip_via *out)
{
    *out = (struct sip_via){ .port = 0 };
    if (!plain_via(list->p, list->n, last, out))
        return any_via(list, out);
    (void)sip_take(list, list->n);
    return true;
}

/* The length of the scheme at the front; 0 without one. */
static size_t scheme_length(struct span uri)
{
    size_t n = 0;

    while (n < uri.n && n < SCHEME_LONGEST && sip_in(SIP_TOKEN, uri.p[n]))
        n++;
    return n < uri.n && uri.p[n] == ':' && ((uri.p[0] | 32) >= 'a' && (uri.p[0] | 32) <= 'z') ? n : 0;
}

bool sip_has_scheme(struct span uri)
{
    return scheme_length(uri) > 0;
}

/* A userinfo may hold ';' and '?', so '@' is looked for first (RFC 3261 §19.1.1). */
static bool split_uri(struct sip_party *out)
{
    struct span rest = out->uri, scheme;
    size_t n = scheme_length(out->uri), at;

    if (n == 0)
        return span_eq(out->uri, SPAN("*")); /* Contact of a REGISTER: RFC 3261 §10.2.2 */
    scheme = sip_take(&rest, n);
    (void)sip_take(&rest, 1);
    if (span_eq_nocase(scheme, SPAN("tel"))) {
        out->user = span_until(&rest, ';');
        return true;
    }
    if (!span_eq_nocase(scheme, SPAN("sip")) && !span_eq_nocase(scheme, SPAN("sips")))
        return true;
    at = span_find(rest, '@');
    if (at < rest.n) {
        struct span userinfo = sip_take(&rest, at);

        out->user = span_until(&userinfo, ':');
        (void)sip_take(&rest, 1);
    }
    out->host = host(&rest, SIP_URI_HOST_END);
    return out->host.n > 0;
}

/* Of From, To and Contact the tag is kept. */
static inline bool party_param(const struct sip_param *param, struct sip_party *out)
{
    return span_eq_nocase(param->name, SPAN("tag")) ? set_once(&out->tag, param->value) : is_token(param->name);
}

/* Behind a '>' that stands before `p`: nothing, or a tag and no more. `marks` are those of the `n` bytes, or of some at their front. */
static inline bool plain_tag(const uint8_t *p, size_t n, uint64_t marks, struct span *tag)
{
    size_t end;

    *tag = SPAN_NONE;
    if (n == 0)
        return true;
    if (n < 5 || memcmp(p, ";tag", 4) != 0 || p[4] != '=')
        return false;
    *tag = (struct span){ p + 5, n - 5 };
    marks &= UINT64_MAX << 5;
    return next_mark(&marks, &end) && end == n;
}

/* "<sip:user@host…>", perhaps without a user, and perhaps ";tag=value" behind it, in which all is sound. */
__attribute__((always_inline)) static inline bool plain_party(const uint8_t *p, size_t n, const uint8_t *last,
                                                              struct sip_party *out)
{
    size_t host = 5, at;
    uint64_t marks;

    if (!last || n <= host || p + n == last + LANES || memcmp(p, "<sip", 4) != 0 || p[4] != ':')
        return false;
    marks = lanes_of(p, last, lane_marks) & UINT64_MAX << host;
    if (!next_mark(&marks, &at))
        return false;
    out->user = SPAN_NONE;
    if (p[at] == '@') {
        out->user = (struct span){ p + host, at - host };
        host = at + 1;
        if (!next_mark(&marks, &at))
            return false;
    }
    out->host = (struct span){ p + host, at - host };
    if (at == host || p[host] == '[' || p[at] == '<' || p[at] == '=')
        return false;
    while (p[at] != '>')
        if (p[at] < ':' || p[at] > '?' || !next_mark(&marks, &at))
            return false;
    out->uri = (struct span){ p + 1, at - 1 };
    p += at + 1;
    n -= at + 1;
    marks = n + at < LANES - 1 ? marks >> at >> 1 : lanes_of(p, last, lane_marks);
    return plain_tag(p, n, marks, &out->tag);
}

static bool only_tokens(struct span s)
{
    while (s.n) {
        if (sip_token(&s).n == 0)
            return false;
        sip_lws(&s);
    }
    return true;
}

/* Up to the '<' or the URI. A display name that is not quoted has no colon; a URI has one before any '<'. */
__attribute__((noinline)) static bool display_name(struct span *s, struct sip_party *out)
{
    struct span rest = *s, name;

    out->display = SPAN_NONE;
    sip_lws(&rest);
    if (sip_quoted(&rest, &out->display)) {
        sip_lws(&rest);
        *s = rest;
        return true;
    }
    name = sip_until(&rest, SIP_NAME_END);
    if (rest.n == 0 || rest.p[0] == ':')
        return true;
    out->display = span_trim(name);
    *s = rest;
    return only_tokens(out->display);
}

static bool addr_spec(struct span *s, struct sip_party *out)
{
    size_t close;
    bool sound;

    if (!sip_separator(s, '<')) {
        sip_lws(s);
        out->uri = sip_until(s, SIP_VALUE_END);
        /* Neither a display name nor a '?' without angle brackets: RFC 3261 §20.10. */
        return out->display.p == NULL && span_find(out->uri, '?') == out->uri.n;
    }
    close = span_find(*s, '>');
    sound = close < s->n && !sip_has_lws(span_part(*s, 0, close));
    out->uri = span_trim(sip_take(s, close));
    *s = span_part(*s, 1, s->n);
    return sound;
}

/* By the whole grammar. */
__attribute__((noinline)) static bool any_party(struct span value, bool list, struct sip_party *out)
{
    struct sip_param param;
    bool sound = display_name(&value, out);

    out->user = out->host = out->tag = SPAN_NONE;
    sound = addr_spec(&value, out) && sound;
    sound = split_uri(out) && sound;
    while (sip_param_next(&value, &param))
        sound = party_param(&param, out) && sound;
    return end_of_value(&value) && sound && (list || value.n == 0);
}

/* A display name is quoted or of tokens, and what follows it may be plain. */
__attribute__((noinline)) static bool named_party(struct span value, const uint8_t *last, bool list, struct sip_party *out)
{
    struct span rest = value;
    bool sound = display_name(&rest, out);

    return plain_party(rest.p, rest.n, last, out) ? sound : any_party(value, list, out);
}

bool sip_party(struct span value, const uint8_t *last, bool list, struct sip_party *out)
{
    out->display = (struct span){ value.p, 0 };
    return plain_party(value.p, value.n, last, out) || named_party(value, last, list, out);
}
