/* Evidence: one plain sentence each, with its frame. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "verdict/verdict_private.h"

enum { SENTENCE = 480 };

const char *text_keep(struct session_finding *s, struct strbuf *b)
{
    const char *kept = arena_str(&s->arena, span_str(strbuf_str(b)));

    strbuf_done(b);
    return kept;
}

const char *addr_keep(struct session_finding *s, const struct addr *a)
{
    char buf[ADDR_TEXT];

    return arena_str(&s->arena, span_str(addr_text(a, buf)));
}

static bool told_already(const struct session_finding *s, struct seen at, const char *text)
{
    for (size_t i = 0; i < s->evidence_n; i++)
        if (s->evidence[i].at.frame == at.frame && strcmp(s->evidence[i].text, text) == 0)
            return true;
    return false;
}

static void append(struct session_finding *s, struct seen at, const char *kind, const char *text)
{
    s->evidence[s->evidence_n] = (struct evidence){ .at = at, .order = (unsigned)s->evidence_n, .kind = kind, .text = text };
    s->evidence_n++;
}

void evidence_write(struct session_finding *s, struct seen at, const char *kind, const char *fmt, ...)
{
    char text[SENTENCE];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (s->evidence_n < EVIDENCE_KEPT && !told_already(s, at, text))
        append(s, at, kind, arena_str(&s->arena, span_str(text)));
}

void evidence_note(struct session_finding *s, struct seen at, const char *text)
{
    if (s->evidence_n < EVIDENCE_KEPT && !told_already(s, at, text))
        append(s, at, "note", text);
}

void evidence_unsent(struct session_finding *s, enum party by)
{
    if (!s->evidence_n || s->brief)
        return;
    s->evidence[s->evidence_n - 1].unsent = true;
    s->evidence[s->evidence_n - 1].by = by;
}

struct span uri_user(struct span uri)
{
    struct span rest = uri;

    if (span_find(uri, ':') < uri.n)
        span_until(&rest, ':');
    return span_find(rest, '@') < rest.n ? span_part(rest, 0, span_find(rest, '@')) : SPAN_NONE;
}

/* What the party is called where its URI tells nothing; else NULL, and `user` is what it is called. */
static const char *role_name(const struct call *c, enum party p, struct span *user)
{
    if (c->kind != SESSION_SIP)
        return p == CALLER ? "party a" : "party b";
    *user = uri_user(span_str(p == CALLER ? c->from_uri : c->to_uri));
    if (!user->n || strcmp(c->from_uri, c->to_uri) == 0)
        return p == CALLER ? "the caller" : "the callee";
    return NULL;
}

void party_text(const struct call *c, enum party p, struct strbuf *out)
{
    struct span user;
    const char *role = role_name(c, p, &user);

    if (role)
        strbuf_add(out, role);
    else
        strbuf_safe(out, user, 40);
}

const char *party_name(const struct call *c, enum party p, struct session_finding *s)
{
    struct strbuf b = { 0 };
    struct span user;
    const char *role = s->brief ? "" : role_name(c, p, &user);

    if (role)
        return role;
    strbuf_safe(&b, user, 40);
    return text_keep(s, &b);
}

/* In the order of the capture; what belongs to no single frame stands last. */
static int by_time(const void *a, const void *b)
{
    const struct evidence *x = a, *y = b;

    if ((x->at.frame == 0) != (y->at.frame == 0))
        return (x->at.frame == 0) - (y->at.frame == 0);
    if (x->at.ns != y->at.ns)
        return (x->at.ns > y->at.ns) - (x->at.ns < y->at.ns);
    if (x->at.frame != y->at.frame)
        return (x->at.frame > y->at.frame) - (x->at.frame < y->at.frame);
    return (x->order > y->order) - (x->order < y->order);
}

void evidence_sort(struct session_finding *s)
{
    if (s->evidence_n > 1)
        qsort(s->evidence, s->evidence_n, sizeof *s->evidence, by_time);
}

static void proof_tell(const struct view *v, const struct proof *p, bool agrees, struct session_finding *s)
{
    char by[ADDR_TEXT], said[ADDR_TEXT];
    struct strbuf who = { 0 };
    const char *also = agrees ? "the same address: " : "";

    addr_text(&p->by, by);
    addr_text(&p->said, said);
    if (p->kind == PROOF_SERVER || p->kind == PROOF_EARLIER)
        server_text(v, p->server, &who);
    switch (p->kind) {
    case PROOF_SERVER:
        evidence_add(s, p->at, "mapping", "For the same socket %s answered %s%s.", strbuf_str(&who), also, said);
        break;
    case PROOF_CHECK:
        evidence_add(s, p->at, "check", "The peer at %s saw the same socket come from %s%s (its answer to an ICE check).", by,
                     also, said);
        break;
    case PROOF_VIA:
        evidence_add(s, p->at, "sip", "The SIP server saw this host come from %s%s (received= in a Via).", also,
                     addr_ip_text(&p->said, said));
        break;
    case PROOF_VIA_SAME:
        evidence_add(s, p->at, "sip", "The SIP server saw this host come from %sits own address, %s (its Via).", also,
                     addr_ip_text(&p->said, said));
        break;
    case PROOF_EARLIER:
        evidence_add(s, p->at, "mapping", "For another socket of this host %s answered %s%s.", strbuf_str(&who), also, said);
        break;
    case PROOF_PUBLIC:
        evidence_add(s, p->at, "note", "From outside this host is seen at %s%s (--public-ip).", also,
                     addr_ip_text(&p->said, said));
        break;
    case PROOF_XOR_DIFFERS:
        evidence_add(s, p->at, "mapping", "The same answer says %s in MAPPED-ADDRESS and another address in XOR-MAPPED-ADDRESS.",
                     said);
        break;
    case PROOF_PRIVATE: evidence_add(s, p->at, "mapping", "%s is no address that the internet can reach.", said); break;
    case PROOF_FAMILY:
        evidence_add(s, p->at, "mapping", "%s is an IPv6 address, and both the socket and the server speak IPv4.", said);
        break;
    case PROOF_OWN: evidence_add(s, p->at, "mapping", "%s is the STUN server's own address.", said); break;
    case PROOF_SHARED:
        evidence_add(s, p->at, "mapping", "At the same time the server gave %s to another socket, %s.", said, by);
        break;
    case PROOF_WRONG_PORT:
        evidence_add(s, p->at, "media",
                     "What is sent to the claimed port arrives at %s, where nobody listens, and not at the socket that asked.",
                     said);
        break;
    }
    strbuf_done(&who);
}

/* Who else could have brought it about, where it is not proven; NULL: nobody. */
static const char *doubt(const struct claim *c)
{
    if (c->status != CLAIM_WRONG || c->confidence == CONFIDENCE_PROVEN)
        return NULL;
    for (size_t i = 0; i < c->against_n; i++)
        switch (c->against[i].kind) {
        case PROOF_PRIVATE:
            return "Not proven: a server that is inside this network sees that and is right, and is then the wrong one to ask; "
                   "or a "
                   "NAT on the way rewrote it.";
        case PROOF_OWN: return "Not proven: a server behind the same NAT as this host sees that and is right.";
        case PROOF_WRONG_PORT:
            return "Not proven: a NAT that changes ports, and a rule that hands this one on to the host, look the same.";
        default: break;
        }
    return "Not proven: a host with two ways out (uplinks, a VPN, a pool of addresses), or a new address since, looks the same.";
}

void evidence_claim(const struct view *v, uint32_t tx, const struct claim *c, struct session_finding *s)
{
    const struct stun_tx *x = track_tx_at(v->t, tx);
    char base[ADDR_TEXT], mapped[ADDR_TEXT];
    struct strbuf who = { 0 };

    if (s->brief)
        return;
    server_text(v, x->server, &who);
    evidence_add(s, x->requests.first, "stun", "%s asked STUN server %s for its outside address%s.",
                 addr_text(&track_socket(v->t, x->socket)->addr, base), strbuf_str(&who),
                 x->classic ? " (RFC 3489 style, no magic cookie)" : "");
    evidence_add(s, x->answer, "mapping", "STUN server %s answered %s.", strbuf_str(&who), addr_text(&x->mapped, mapped));
    strbuf_done(&who);
    for (size_t i = 0; i < c->against_n; i++)
        proof_tell(v, &c->against[i], false, s);
    for (size_t i = 0; i < c->for_n; i++)
        proof_tell(v, &c->in_favour[i], true, s);
    if (doubt(c))
        evidence_note(s, (struct seen){ 0 }, doubt(c));
}
