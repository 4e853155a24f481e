/* The start line of a SIP message, RFC 3261 §7.1 and §7.2, and the methods. */
#include "sip_parse.h"

enum { METHOD_LONGEST = 64, VERSION_LENGTH = 7, METHOD_SLOTS = 64 };

/* X(method, its second letter) */
#define METHODS(X)                                                                                                               \
    X(INVITE, 'N')                                                                                                               \
    X(ACK, 'C')                                                                                                                  \
    X(BYE, 'Y')                                                                                                                  \
    X(CANCEL, 'A')                                                                                                               \
    X(REGISTER, 'E')                                                                                                             \
    X(OPTIONS, 'P')                                                                                                              \
    X(PRACK, 'R')                                                                                                                \
    X(UPDATE, 'P')                                                                                                               \
    X(INFO, 'N')                                                                                                                 \
    X(REFER, 'E')                                                                                                                \
    X(MESSAGE, 'E')                                                                                                              \
    X(SUBSCRIBE, 'U')                                                                                                            \
    X(NOTIFY, 'O')                                                                                                               \
    X(PUBLISH, 'U')

/* A method is found by its length and second letter, which no two share. */
#define METHOD_SLOT(length, second) (((length)*7u + (second)) % METHOD_SLOTS)

static const uint8_t method_slots[METHOD_SLOTS] = {
#define X(method, second) [METHOD_SLOT(sizeof(#method) - 1, second)] = SIP_##method,
    METHODS(X)
#undef X
};

static const char method_names[][LANE + 1] = { [SIP_OTHER] = "other",
#define X(method, second) [SIP_##method] = #method,
                                               METHODS(X)
#undef X
};

const char *sip_method_name(enum sip_method m)
{
    return method_names[m <= SIP_PUBLISH ? m : SIP_OTHER];
}

/* Methods are case-sensitive: RFC 3261 §7.1. */
enum sip_method sip_method_of(struct span name)
{
    enum sip_method m = name.n > 1 ? method_slots[METHOD_SLOT(name.n, name.p[1])] : SIP_OTHER;

    return m != SIP_OTHER && span_eq(name, span_str(method_names[m])) ? m : SIP_OTHER;
}

enum sip_method sip_method_at(const uint8_t *p, size_t *n)
{
    unsigned low = lane_low(p) | 1u << LANE, before = (low & -low) - 1; /* the bytes before the first low one */
    enum sip_method m;

    *n = (unsigned)__builtin_ctz(low);
    m = method_slots[METHOD_SLOT(*n, p[1])];
    return (lane_same(p, method_names[m]) & before) == before && method_names[m][*n] == 0 ? m : SIP_OTHER;
}

static bool digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* SIP-Version of any number, in any case (RFC 3261 §7.1). */
static bool other_version(struct span s)
{
    return s.n == VERSION_LENGTH && s.p[5] == '.' && digit(s.p[4]) && digit(s.p[6]) && span_starts_nocase(s, SPAN("SIP/"));
}

static inline bool is_version(struct span s)
{
    return span_eq(s, SPAN("SIP/2.0")) || other_version(s);
}

static inline bool is_version_2(struct span s)
{
    return span_eq_nocase(s, SPAN("SIP/2.0"));
}

/* Three digits, 100 to 699; 0 where it is none. */
static unsigned status_of(struct span code)
{
    unsigned n;

    if (code.n != 3 || !digit(code.p[0]) || !digit(code.p[1]) || !digit(code.p[2]))
        return 0;
    n = (code.p[0] - '0') * 100u + (code.p[1] - '0') * 10u + (code.p[2] - '0');
    return n >= 100 && n <= 699 ? n : 0;
}

/* `rest` is what follows the version. The blank behind the code is there even without a reason: RFC 3261 §7.2. */
static bool status_line(struct sip_msg *m, struct span rest)
{
    bool one_blank = rest.n > 1 && rest.p[0] == ' ' && digit(rest.p[1]);

    sip_lws(&rest);
    m->status = status_of(sip_until(&rest, SIP_LWS));
    m->reason = span_part(rest, 1, rest.n);
    return m->status && one_blank && rest.n;
}

/* `rest` is what follows the method. The version is found from the end, for a Request-URI may wrongly hold blanks. */
static bool request_line(struct sip_msg *m, struct span rest)
{
    struct span tail = sip_trim(rest), version = SPAN_NONE;

    if (tail.n >= VERSION_LENGTH)
        version = span_part(tail, tail.n - VERSION_LENGTH, VERSION_LENGTH);
    if (!is_version(version) || !sip_blank(version.p[-1]))
        return false;
    m->uri = sip_trim(span_part(tail, 0, tail.n - VERSION_LENGTH));
    return true;
}

/* Exactly one SP between the parts, none after, and a URI without blanks or angle brackets: RFC 3261 §7.1. */
static bool request_line_sound(const struct sip_msg *m, struct span line)
{
    return line.n == m->method_name.n + 1 + m->uri.n + 1 + VERSION_LENGTH && m->uri.p[-1] == ' ' && m->uri.p[m->uri.n] == ' ' &&
           is_version_2(span_part(line, line.n - VERSION_LENGTH, VERSION_LENGTH)) && sip_has_scheme(m->uri) &&
           !sip_has_lws(m->uri);
}

enum dis sip_start_line(struct span line, struct sip_msg *m, bool *sound)
{
    struct span rest = line, version = span_part(line, 0, VERSION_LENGTH);

    if (is_version(version) && (line.n == VERSION_LENGTH || sip_blank(line.p[VERSION_LENGTH]))) {
        *sound = status_line(m, span_part(line, VERSION_LENGTH, line.n)) && is_version_2(version);
    } else {
        m->method_name = sip_token(&rest);
        if (m->method_name.n == 0 || rest.n == 0 || !sip_blank(rest.p[0]) || !request_line(m, rest))
            return DIS_NOT_MINE;
        m->request = true;
        m->method = sip_method_of(m->method_name);
        *sound = request_line_sound(m, line);
    }
    return DIS_OK;
}

/* "SIP/2.0 200 reason CRLF" */
static const uint8_t *plain_status_line(const uint8_t *p, uint64_t low, struct sip_msg *m)
{
    const uint8_t *reason = p + 12, *end = p;

    m->status = status_of((struct span){ p + 8, 3 });
    low &= UINT64_MAX << 12 & UINT64_MAX >> 1; /* for the line feed behind it to be there */
    if (!m->status || p[11] != ' ')
        return NULL;
    while (low && *end != '\r' && *end != '\n')
        end = p + lanes_next(&low);
    if (*end != '\r' || end[1] != '\n')
        return NULL;
    m->reason = (struct span){ reason, (size_t)(end - reason) };
    return end + 2;
}

const uint8_t *sip_plain_start(const uint8_t *p, const uint8_t *last, struct sip_msg *m)
{
    uint64_t low = lanes_of(p, p, lane_low);
    const uint8_t *block = p, *end;
    size_t n;

    if (memcmp(p, "SIP/2.0 ", 8) == 0)
        return plain_status_line(p, low, m);
    m->method = sip_method_at(p, &n);
    if (m->method == SIP_OTHER || p[n] != ' ' || memcmp(p + n + 1, "sip:", 4) != 0)
        return NULL;
    for (low &= low - 1; !low; low = lanes_of(block, block, lane_low))
        if ((block += LANES) > last)
            return NULL;
    end = block + lanes_next(&low);
    if (last + LANES - end < 10 || memcmp(end, " SIP/2.0", 8) != 0 || memcmp(end + 8, "\r\n", 2) != 0)
        return NULL;
    m->request = true;
    m->method_name = (struct span){ p, n };
    m->uri = (struct span){ p + n + 1, (size_t)(end - p) - n - 1 };
    return end + 10;
}

bool sip_looks_like(struct span s)
{
    struct span method;
    size_t n;

    if (s.n >= LANES && (memcmp(s.p, "SIP/2.0 ", 8) == 0 ||
                         (sip_method_at(s.p, &n) != SIP_OTHER && s.p[n] == ' ' && memcmp(s.p + n + 1, "sip:", 4) == 0)))
        return true;
    while (s.n && (s.p[0] == '\r' || s.p[0] == '\n'))
        (void)sip_take(&s, 1);
    if (is_version(span_part(s, 0, VERSION_LENGTH)))
        return s.n > VERSION_LENGTH && s.p[VERSION_LENGTH] == ' ';
    method = span_part(s, 0, METHOD_LONGEST);
    n = sip_token(&method).n;
    if (n == 0 || n == s.n || !sip_blank(s.p[n]))
        return false;
    (void)sip_take(&s, n);
    sip_lws(&s);
    if (s.n && s.p[0] == '<') /* wrong there, yet seen: RFC 4475 §3.1.2.7 */
        (void)sip_take(&s, 1);
    return sip_has_scheme(s);
}

void sip_start_line_cut(struct span line, struct sip_msg *m)
{
    if (is_version(span_part(line, 0, VERSION_LENGTH))) {
        if (!status_line(m, span_part(line, VERSION_LENGTH, line.n)))
            m->status = 0;
        m->reason = SPAN_NONE;
        return;
    }
    m->request = true;
    m->method_name = sip_token(&line);
    m->method = sip_method_of(m->method_name);
}
