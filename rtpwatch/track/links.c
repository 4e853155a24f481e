/* What the headers of a call say of other calls: a B2BUA makes two calls of one, and many of them leave a trace of the other. */
#include "track/track_private.h"

enum link_form {
    LINK_WHOLE, /* the value is the key */
    LINK_FIRST, /* a Call-ID, then parameters or more of them (RFC 3891 §6.1, RFC 3261 §20.21) */
    LINK_ICID,  /* its icid-value (RFC 7315 §5.6) */
};

struct link_header {
    const char *name;
    enum link_form form;
    bool names, shared, legs; /* as in struct link_fact */
};

/* The X- ones are habits of dial plans and of tools that join calls; the rest have a specification or a vendor. */
static const struct link_header known[] = {
    { "X-Call-ID", LINK_WHOLE, true, true, true },
    { "X-CID", LINK_WHOLE, true, true, true },
    { "XCallID", LINK_WHOLE, true, true, true },
    { "X-Original-Call-ID", LINK_WHOLE, true, true, true },
    { "X-Asterisk-Call-ID", LINK_WHOLE, true, true, true },
    { "X-Correlation-ID", LINK_WHOLE, true, true, true },
    { "Cisco-Guid", LINK_WHOLE, false, true, true },
    { "Av-Global-Session-ID", LINK_WHOLE, false, true, true },
    { "P-Charging-Vector", LINK_ICID, false, true, true },
    { "Replaces", LINK_FIRST, true, false, false },
    { "In-Reply-To", LINK_FIRST, true, false, false },
};
enum { KNOWN = sizeof known / sizeof *known };

static const char session_id[] = "Session-ID";

/* A bit that tells most names from those that link, by length and first letter; of those that an INVITE usually has, all. */
static uint64_t name_bit(struct span name)
{
    return name.n ? UINT64_C(1) << (((name.p[0] | 0x20u) - 9u * name.n) & 63) : 0;
}

void links_init(struct track *t)
{
    for (size_t i = 0; i < KNOWN; i++)
        t->link_names |= name_bit(span_str(known[i].name));
    t->link_names |= name_bit(span_str(session_id));
}

bool track_link_header(struct track *t, const char *name)
{
    if (t->link_headers == TRACK_LINK_HEADERS)
        return false;
    t->link_header[t->link_headers++] = name;
    t->link_names |= name_bit(span_str(name));
    return true;
}

/* What the user names makes legs of its calls, whatever the table says of it. */
static RARE bool header_known(const struct track *t, struct span name, struct link_header *out)
{
    bool found = false;

    for (size_t i = 0; i < KNOWN && !found; i++)
        if (span_eq_nocase(name, span_str(known[i].name))) {
            *out = known[i];
            found = true;
        }
    for (size_t i = 0; i < t->link_headers; i++)
        if (span_eq_nocase(name, span_str(t->link_header[i]))) {
            *out =
                (struct link_header){ found ? out->name : t->link_header[i], found ? out->form : LINK_WHOLE, true, true, true };
            return true;
        }
    return found;
}

static struct span first_word(struct span s)
{
    size_t n = 0;

    while (n < s.n && !strchr(" \t\r\n;,", s.p[n]))
        n++;
    return span_part(s, 0, n);
}

static struct span icid(struct span s)
{
    struct span rest = s;

    while (rest.n) {
        struct span part = span_trim(span_until(&rest, ';'));

        if (!span_starts_nocase(part, SPAN("icid-value=")))
            continue;
        part = span_part(part, 11, part.n);
        if (part.n > 1 && part.p[0] == '"' && part.p[part.n - 1] == '"')
            part = span_part(part, 1, part.n - 2);
        return part;
    }
    return SPAN_NONE;
}

static RARE struct span key_of(const struct link_header *h, struct span value)
{
    value = span_trim(value);
    return h->form == LINK_FIRST ? first_word(value) : h->form == LINK_ICID ? icid(value) : value;
}

/* A key that is too long is not kept at all: what is left of two of them could be equal where they are not. */
static RARE void key_keep(struct track *t, struct call *c, struct seen at, const struct link_header *h, struct span key)
{
    struct link_fact **end = &c->links, *f;
    size_t n = 0;

    for (; *end; end = &(*end)->next, n++)
        if (strcmp((*end)->header, h->name) == 0 && span_eq(span_str((*end)->value), key))
            return;
    f = n < CALL_LINKS_KEPT && key.n <= LINK_VALUE_MAX ? arena_take(&c->arena, sizeof *f) : NULL;
    if (!f) {
        fault_log_one(t->faults, FAULT_SESSION_FACT_LIMIT, at.frame);
        return;
    }
    *f = (struct link_fact){ h->name, arena_str(&c->arena, key), at, h->names, h->shared, h->legs, NULL };
    *end = f;
}

static int hex_digit(uint8_t x)
{
    if (x >= '0' && x <= '9')
        return x - '0';
    x |= 0x20;
    return x >= 'a' && x <= 'f' ? x - 'a' + 10 : -1;
}

/* 32 hex digits (RFC 7989 §5); the null UUID says that it is not known yet. */
static bool uuid_parse(struct span s, uint8_t out[SESSION_UUID])
{
    bool null = true;

    if (s.n != 2 * SESSION_UUID)
        return false;
    for (size_t i = 0; i < SESSION_UUID; i++) {
        int high = hex_digit(s.p[2 * i]), low = hex_digit(s.p[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
        null &= out[i] == 0;
    }
    return !null;
}

static void uuid_keep(struct session_id_fact *f, enum party p, struct span s)
{
    uint8_t uuid[SESSION_UUID];

    if (!uuid_parse(s, uuid))
        return;
    memcpy(f->uuid[p], uuid, SESSION_UUID);
    f->known[p] = true;
}

/* "local;remote=..." as its sender sees it (RFC 7989 §5). The callee's end changes where another one takes the call. */
static RARE void session_id_keep(struct call *c, struct seen at, struct span value, enum party from)
{
    struct span rest = span_trim(value), local = span_trim(span_until(&rest, ';'));

    if (!c->session_id)
        c->session_id = arena_take(&c->arena, sizeof *c->session_id);
    if (!c->session_id)
        return;
    if (!c->session_id->at.frame)
        c->session_id->at = at;
    uuid_keep(c->session_id, from, local);
    while (rest.n) {
        struct span part = span_trim(span_until(&rest, ';'));

        if (span_starts_nocase(part, SPAN("remote=")))
            uuid_keep(c->session_id, other_party(from), span_part(part, 7, part.n));
    }
}

/* The header "Replaces" of the URI in a Refer-To, still escaped (RFC 3261 §19.1.1). */
static struct span replaces_of(struct span refer_to)
{
    struct span rest = refer_to;

    if (span_find(rest, '<') < rest.n)
        span_until(&rest, '<');
    rest = span_until(&rest, '>');
    span_until(&rest, '?');
    while (rest.n) {
        struct span part = span_until(&rest, '&');

        if (span_starts_nocase(part, SPAN("Replaces=")))
            return span_part(part, 9, part.n);
    }
    return SPAN_NONE;
}

/* The byte that "%40" stands for; -1: `s` begins with none such. */
static int escaped(struct span s)
{
    int high = s.n > 2 && s.p[0] == '%' ? hex_digit(s.p[1]) : -1, low = high < 0 ? -1 : hex_digit(s.p[2]);

    return low < 0 ? -1 : high * 16 + low;
}

/* As many bytes as fit; with more there are too many to be kept. */
static struct span unescape(struct span s, uint8_t room[LINK_VALUE_MAX + 1])
{
    size_t n = 0;

    while (s.n && n <= LINK_VALUE_MAX) {
        int byte = escaped(s);

        room[n++] = (uint8_t)(byte < 0 ? s.p[0] : byte);
        s = span_part(s, byte < 0 ? 1 : 3, s.n);
    }
    return (struct span){ room, n };
}

/* An attended transfer: the call that is asked for replaces one that the asker has with the same party (RFC 5589 §7). */
static RARE void refer_keep(struct track *t, struct call *c, struct seen at, struct span refer_to)
{
    static const struct link_header refer = { "Refer-To", LINK_FIRST, true, false, false };
    uint8_t room[LINK_VALUE_MAX + 1];
    struct span key = key_of(&refer, unescape(replaces_of(refer_to), room));

    if (key.n && !memchr(key.p, 0, key.n))
        key_keep(t, c, at, &refer, key);
}

void links_message(struct track *t, struct call *c, const struct datagram *d, const struct sip_msg *m, enum party from)
{
    if (m->method == SIP_REFER && m->request)
        refer_keep(t, c, d->at, sip_header(m, SPAN("Refer-To")));
    if (m->method != SIP_INVITE || (!m->request && (m->status < 200 || m->status > 299)))
        return;
    for (size_t i = 0; i < m->headers; i++) {
        struct span name = m->header[i].name, key;
        struct link_header h;

        if (!(t->link_names & name_bit(name)))
            continue;
        if (span_eq_nocase(name, span_str(session_id))) {
            session_id_keep(c, d->at, m->header[i].value, from);
        } else if (header_known(t, name, &h)) {
            key = key_of(&h, m->header[i].value);
            if (key.n && !memchr(key.p, 0, key.n))
                key_keep(t, c, d->at, &h, key);
        }
    }
}
