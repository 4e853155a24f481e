/*
 * Is what a STUN server said of a socket true? Held against what other servers and peers said of the same socket, and, more weakly,
 * against what is known of its host (SPEC §3). The same IP with another port is an address-dependent NAT and no lie (RFC 4787 §4.1).
 */
#include <stddef.h>

#include "verdict/claim_private.h"

#define SAME_TIME_NS  SECONDS(5)        /* two sockets cannot hold one mapping at once */
#define NEAR_TIME_NS  SECONDS(600)      /* a NAT keeps an address that long, mostly */
#define WRONG_PORT_NS (100 * NS_PER_MS) /* they come in, at least: a mirror may show each packet several times */
enum { WRONG_PORT_PACKETS = 3, HOST_STEPS = 64, LIST_STEPS = 1024, CLAIMS_AHEAD = 8 };

/* How much of what speaks for and against a claim is looked for. */
enum search {
    SEARCH_ALL,     /* every proof, to be told */
    SEARCH_SETTLED, /* until its status is known */
    SEARCH_WRONG,   /* until it is known whether it is wrong */
};

static void put(struct proof *list, size_t *n, struct proof p)
{
    if (*n < PROOFS_KEPT)
        list[(*n)++] = p;
}

static void against(struct claim *c, struct proof p)
{
    put(c->against, &c->against_n, p);
}

static void in_favour(struct claim *c, struct proof p)
{
    put(c->in_favour, &c->for_n, p);
}

static bool near(int64_t a, int64_t b, int64_t within)
{
    return a - b <= within && b - a <= within;
}

/* What was seen from `first` to `last`: a NAT that got another address before or after was not wrong then. */
static bool holds_at(int64_t ns, int64_t first, int64_t last)
{
    return ns >= first - NEAR_TIME_NS && ns <= last + NEAR_TIME_NS;
}

/* What somebody in another network answered in the server's place is not the server's word. */
static bool same_claim_kind(const struct stun_tx *x)
{
    return x->success && !x->elsewhere && !addr_is_none(&x->mapped);
}

/*
 * Is the other address one that the answer's cannot be true beside? Who sees the socket itself sees it through no NAT and is right; a
 * server inside the network, and one behind a translator between the families (RFC 6146), see it otherwise than the outside does.
 */
static bool contradicts(const struct view *v, const struct stun_tx *x, const struct addr *said)
{
    return addr_is_v4(said) == addr_is_v4(&x->mapped) && !addr_is_unroutable(said) && !addr_is_unroutable(&x->mapped) &&
           !addr_ip_eq(said, &x->mapped) && !addr_ip_eq(&x->mapped, &track_socket(v->t, x->socket)->addr);
}

static struct proof said_by(const struct view *v, const struct stun_tx *x, enum proof_kind kind)
{
    return (struct proof){ .kind = kind,
                           .at = x->answer,
                           .by = track_server_at(v->t, x->server)->addr,
                           .said = x->mapped,
                           .server = x->server,
                           .from_ns = x->answer.ns,
                           .until_ns = x->answer.ns };
}

/* Another server, asked from the same socket. */
static void other_servers(const struct view *v, const struct stun_tx *x, const struct known *known, struct claim *c)
{
    const struct stun_tx *o;

    unsigned steps = 0;

    for (uint32_t i = track_socket(v->t, x->socket)->asked; steps++ < LIST_STEPS && (o = track_tx_at(v->t, i)) != NULL;
         i = o->next_asked) {
        if (o->server == x->server || !same_claim_kind(o) || !near(o->answer.ns, x->answer.ns, NEAR_TIME_NS))
            continue;
        if (contradicts(v, x, &o->mapped))
            against(c, said_by(v, o, PROOF_SERVER));
        if (!addr_ip_eq(&o->mapped, &x->mapped))
            continue;
        if (!claims_one_operator(v, known, o->server, x->server))
            in_favour(c, said_by(v, o, PROOF_SERVER));
        c->port_depends |= o->mapped.port != x->mapped.port;
    }
}

/* How the peer saw the socket when the server answered; what it saw later than that is the NAT's next address. */
static struct proof seen_by_peer(const struct check *k, const struct addr *peer, const struct stun_tx *x)
{
    struct proof p = { .kind = PROOF_CHECK, .by = *peer, .server = POOL_NONE };
    bool before = k->mapped_before_at.frame && x->answer.ns < k->mapped_since_ns;

    p.at = before ? k->mapped_before_at : k->mapped_at;
    p.said = before ? k->mapped_before : k->mapped;
    p.from_ns = before ? k->answers.first.ns : k->mapped_since_ns;
    p.until_ns = p.at.ns;
    return p;
}

/*
 * The peers' answers to checks that this socket sent. A peer on the same network sees the socket itself and tells nothing of the
 * outside; so only what another network saw counts. And one that sees an address of its own network sees its own balancer.
 */
static void checks_answered(const struct view *v, const struct stun_tx *x, struct claim *c)
{
    const struct socket *base = track_socket(v->t, x->socket);
    const struct flow *f;
    unsigned steps = 0;

    for (uint32_t i = v->t->checks.used ? base->flows_out : POOL_NONE;
         steps++ < LIST_STEPS && (f = track_flow_at(v->t, i)) != NULL; i = f->next_out) {
        const struct check *k = track_check_at(v->t, f->checks);
        struct proof p;

        if (!k || !k->mapped_at.frame || addr_is_unroutable(&f->dst))
            continue;
        p = seen_by_peer(k, &f->dst, x);
        if (addr_is_unroutable(&p.said) || !holds_at(x->answer.ns, p.from_ns, p.until_ns))
            continue;
        if (contradicts(v, x, &p.said) && !addr_same_site(&p.said, &f->dst))
            against(c, p);
        if (!addr_ip_eq(&p.said, &x->mapped))
            continue;
        in_favour(c, p);
        c->port_depends |= p.said.port != x->mapped.port;
    }
}

/* What the SIP of the same host shows: received= in the replies that it got. Another socket, so weaker. */
static void via_of_host(const struct view *v, const struct stun_tx *x, const struct outsides *all, struct claim *host)
{
    const struct addr *base = &track_socket(v->t, x->socket)->addr;
    struct proof p = { .kind = PROOF_VIA, .server = POOL_NONE };
    uint32_t next;

    for (uint32_t i = all ? outsides_first(all, base) : 0; i < v->t->outsides.used; i = next) {
        const struct outside_fact *o = pool_at(&v->t->outsides, i);

        next = all ? outsides_next(all, i) : i + 1;
        if (!addr_ip_eq(&o->host, base) || addr_is_unroutable(&o->outside) ||
            !holds_at(x->answer.ns, o->at.first.ns, o->at.last.ns))
            continue;
        p.kind = addr_ip_eq(&o->outside, base) ? PROOF_VIA_SAME : PROOF_VIA;
        p.at = o->at.first;
        p.by = o->teller;
        p.said = o->outside;
        p.from_ns = o->at.first.ns;
        p.until_ns = o->at.last.ns;
        if (addr_ip_eq(&o->outside, &x->mapped))
            in_favour(host, p);
        else if (contradicts(v, x, &o->outside))
            against(host, p);
    }
}

/*
 * The user's word on where local hosts are seen from outside. It is of the host and not of the socket, so it never proves by itself. A
 * server inside, and an address of the other family, it says nothing of.
 */
static void public_ip(const struct view *v, const struct stun_tx *x, struct claim *host)
{
    const struct view_options *o = &v->options;
    struct proof p = { .kind = PROOF_PUBLIC, .server = POOL_NONE, .from_ns = x->answer.ns, .until_ns = x->answer.ns };

    if (!o->public_ips_n || !view_is_local(v, &track_socket(v->t, x->socket)->addr) ||
        addr_is_unroutable(&track_server_at(v->t, x->server)->addr))
        return;
    for (size_t i = 0; i < o->public_ips_n; i++) {
        if (addr_is_v4(&o->public_ips[i]) != addr_is_v4(&x->mapped))
            continue;
        p.said = o->public_ips[i];
        if (addr_ip_eq(&p.said, &x->mapped)) {
            in_favour(host, p);
            return;
        }
    }
    if (contradicts(v, x, &p.said))
        against(host, p);
}

/* One moment of one host: its RTP and RTCP sockets ask together, and count once. */
static bool same_moment(const struct stun_tx *a, const struct stun_tx *b)
{
    return a->server == b->server && near(a->answer.ns, b->answer.ns, SAME_TIME_NS);
}

struct others {
    unsigned same, other; /* moments at which the host's other sockets were given this IP, another IP */
    bool stable;          /* all those others were one IP */
    const struct stun_tx *last_same, *last_other;
    int64_t from_ns, until_ns; /* of the others */
    enum search search;
};

static void others_count(const struct view *v, const struct known *known, struct others *n, const struct stun_tx *x,
                         const struct stun_tx *o)
{
    if (!same_claim_kind(o) || o->socket == x->socket || same_moment(o, x) || !near(o->answer.ns, x->answer.ns, NEAR_TIME_NS))
        return;
    if (addr_ip_eq(&o->mapped, &x->mapped)) {
        n->same++;
        if ((!n->last_same || n->last_same->server != o->server) && !claims_one_operator(v, known, o->server, x->server))
            n->last_same = o;
        return;
    }
    if (!contradicts(v, x, &o->mapped))
        return;
    n->from_ns = !n->last_other || o->answer.ns < n->from_ns ? o->answer.ns : n->from_ns;
    n->until_ns = !n->last_other || o->answer.ns > n->until_ns ? o->answer.ns : n->until_ns;
    n->stable &= !n->last_other || addr_ip_eq(&n->last_other->mapped, &o->mapped);
    n->other += !n->last_other || !same_moment(n->last_other, o);
    n->last_other = o;
}

static bool others_decide(const struct others *n)
{
    switch (n->search) {
    case SEARCH_ALL: return false;
    case SEARCH_SETTLED: return n->last_same;
    default: return n->same || !n->stable; /* they can speak in favour only, from here on */
    }
}

/*
 * What was said of the host's other sockets, shortly before and after. It speaks against a mapping only where it was stable: one
 * address, at two moments or more, and the claimed one never.
 */
static void rest_of_host(const struct view *v, const struct stun_tx *x, enum search search, const struct known *known,
                         struct claim *host)
{
    struct others n = { .stable = true, .search = search };
    struct proof p;
    const struct stun_tx *o;
    unsigned steps = 0;

    for (uint32_t i = x->older_of_host; steps < HOST_STEPS && !others_decide(&n) && (o = track_tx_at(v->t, i)) != NULL;
         i = o->older_of_host, steps++)
        others_count(v, known, &n, x, o);
    steps = 0;
    for (uint32_t i = x->newer_of_host; steps < HOST_STEPS && !others_decide(&n) && (o = track_tx_at(v->t, i)) != NULL;
         i = o->newer_of_host, steps++)
        others_count(v, known, &n, x, o);
    o = n.last_same;
    if (o)
        in_favour(host, said_by(v, o, PROOF_EARLIER));
    o = n.last_other;
    if (!o || n.same || n.other < 2 || !n.stable)
        return;
    p = said_by(v, o, PROOF_EARLIER);
    p.from_ns = n.from_ns;
    p.until_ns = n.until_ns;
    against(host, p);
}

/* It is told the address that it has: no NAT is between it and the server. */
static bool own_address(const struct view *v, const struct stun_tx *x)
{
    return addr_eq(&track_socket(v->t, x->socket)->addr, &x->mapped);
}

/*
 * One server gave one address to two sockets at one time. The same transaction from two sockets is one request, seen before and after a
 * NAT on the way: a capture on all interfaces of a host with containers shows that, and a mirror of both sides of a NAT. There the socket
 * that is told its own address is the outside of the other one.
 */
static void shared(const struct view *v, uint32_t tx, struct claim *c)
{
    const struct stun_tx *x = track_tx_at(v->t, tx), *o;
    const struct socket *m = track_find_socket(v->t, &x->mapped);

    unsigned steps = 0;

    for (uint32_t i = m ? m->claimed : POOL_NONE; steps++ < LIST_STEPS && (o = track_tx_at(v->t, i)) != NULL; i = o->next_claimed)
        if (i != tx && o->socket != x->socket && o->server == x->server && same_claim_kind(o) && !own_address(v, x) &&
            !own_address(v, o) && memcmp(o->tid, x->tid, sizeof o->tid) != 0 && near(o->answer.ns, x->answer.ns, SAME_TIME_NS)) {
            struct proof p = said_by(v, o, PROOF_SHARED);

            p.by = track_socket(v->t, o->socket)->addr;
            against(c, p);
            return;
        }
}

/*
 * What the socket's own peer sent to the claimed port arrives at the host on that very port, where nobody lives, and not on the socket's:
 * the NAT keeps ports and the claimed one is wrong. Anybody else's packets there have to do with another call.
 */
static void wrong_port(const struct view *v, const struct stun_tx *x, struct claim *c)
{
    const struct addr *base = &track_socket(v->t, x->socket)->addr;
    struct addr stray = addr_with_port(*base, x->mapped.port);
    const struct socket *s = x->mapped.port == base->port ? NULL : track_find_socket(v->t, &stray);
    const struct flow *f;
    uint64_t packets = 0;
    unsigned steps = 0;

    if (!s || s->flows_out != POOL_NONE || s->asked != POOL_NONE)
        return;
    for (uint32_t i = s->flows_in; steps++ < LIST_STEPS && (f = track_flow_at(v->t, i)) != NULL; i = f->next_in) {
        packets += f->packets.last.ns >= x->answer.ns && f->packets.last.ns - f->packets.first.ns >= WRONG_PORT_NS &&
                           track_find_flow(v->t, base, &f->src)
                       ? f->packets.n
                       : 0;
        if (packets >= WRONG_PORT_PACKETS) {
            against(c, (struct proof){ .kind = PROOF_WRONG_PORT,
                                       .at = f->packets.first,
                                       .by = f->src,
                                       .said = stray,
                                       .server = POOL_NONE,
                                       .doubtful = true });
            return;
        }
    }
}

static struct proof of_answer(const struct view *v, const struct stun_tx *x, enum proof_kind kind, bool doubtful)
{
    struct proof p = said_by(v, x, kind);

    p.doubtful = doubtful;
    if (kind == PROOF_XOR_DIFFERS)
        p.said = x->more->plain;
    return p;
}

/*
 * What the answer itself shows. A host behind a NAT may be seen at a private address by a server with a public one that stands before the
 * last NAT (a carrier's own, RFC 6598), and at the server's own address by one behind the same NAT (RFC 4787 §6, hairpinning).
 */
static void answer_alone(const struct view *v, const struct stun_tx *x, struct claim *c)
{
    const struct addr *base = &track_socket(v->t, x->socket)->addr, *server = &track_server_at(v->t, x->server)->addr;
    bool inside = addr_is_private(base);

    /* A NAT's helper that rewrites the plain attribute into an inside address is why XOR- was invented (RFC 8489 §14.2). */
    if (x->mapped_differs && !addr_ip_eq(&x->more->plain, &x->mapped) && !addr_ip_eq(&x->more->plain, base) &&
        !addr_is_private(&x->more->plain) && addr_is_v4(&x->more->plain) == addr_is_v4(&x->mapped))
        against(c, of_answer(v, x, PROOF_XOR_DIFFERS, false));
    if (addr_is_unroutable(&x->mapped) && !addr_is_unroutable(server) && !addr_ip_eq(&x->mapped, base))
        against(c, of_answer(v, x, PROOF_PRIVATE, inside && addr_is_private(&x->mapped)));
    /* A NAT between the families would have changed the server's address as well (RFC 6146). */
    if (addr_is_v4(base) && addr_is_v4(server) && !addr_is_v4(&x->mapped))
        against(c, of_answer(v, x, PROOF_FAMILY, false));
    if (addr_ip_eq(&x->mapped, server) && !addr_ip_eq(base, server))
        against(c, of_answer(v, x, PROOF_OWN, inside));
}

static void begin(struct claim *c)
{
    memset(c, 0, offsetof(struct claim, against)); /* the lists are large */
}

/* `known`: NULL, it is searched for. False: it is no claim. */
static bool gather(const struct view *v, uint32_t tx, enum search search, const struct known *known, struct claim *socket,
                   struct claim *host)
{
    const struct stun_tx *x = track_tx_at(v->t, tx);

    begin(socket);
    begin(host);
    if (!same_claim_kind(x))
        return false;
    answer_alone(v, x, socket);
    shared(v, tx, socket);
    wrong_port(v, x, socket);
    other_servers(v, x, known, socket);
    checks_answered(v, x, socket);
    if (search != SEARCH_ALL && socket->for_n)
        return true;
    public_ip(v, x, host);
    via_of_host(v, x, known && known->indexed ? &known->outsides : NULL, host);
    if (search == SEARCH_WRONG && (socket->against_n || host->against_n))
        search = SEARCH_SETTLED; /* then a word in its favour counts as well */
    if (search == SEARCH_ALL || !host->for_n)
        rest_of_host(v, x, search, known, host);
    return true;
}

void claim_judge(const struct view *v, uint32_t tx, bool media_arrives, struct claim *out)
{
    struct claim host;

    if (!gather(v, tx, SEARCH_ALL, NULL, out, &host))
        return;
    claim_weigh(v, tx, NULL, out, &host, media_arrives);
    for (size_t i = 0; i < host.against_n; i++) /* told as well, after what was said of the socket itself */
        put(out->against, &out->against_n, host.against[i]);
    for (size_t i = 0; i < host.for_n; i++)
        put(out->in_favour, &out->for_n, host.in_favour[i]);
}

/* What claim_status() says where media is not known to arrive, and where it is: status and confidence of each, two bits. */
static unsigned note_of(const struct view *v, uint32_t tx, const struct known *known)
{
    struct claim socket, host;
    unsigned note = 0;

    if (!gather(v, tx, SEARCH_SETTLED, known, &socket, &host))
        return 0;
    for (unsigned arrives = 0; arrives < 2; arrives++) {
        socket.status = CLAIM_OPEN;
        socket.confidence = CONFIDENCE_NONE;
        claim_weigh(v, tx, known, &socket, &host, arrives);
        note |= ((unsigned)socket.status | (unsigned)socket.confidence << 2) << 4 * arrives;
    }
    return note;
}

bool claim_is_wrong(const struct view *v, uint32_t tx)
{
    struct claim socket, host;

    if (!gather(v, tx, SEARCH_WRONG, NULL, &socket, &host))
        return false;
    claim_weigh(v, tx, NULL, &socket, &host, false);
    return socket.status == CLAIM_WRONG;
}

void claims_judge(const struct view *v, uint8_t *claims)
{
    uint32_t n = v->t->stun_txs.used;
    struct known known;

    known.indexed = outsides_make(&known.outsides, v->t);
    operators_make(&known.operators, v->t);
    for (uint32_t i = 0; i < n; i++) {
        if (i + CLAIMS_AHEAD < n)
            track_find_socket_ahead(v->t, &track_tx_at(v->t, i + CLAIMS_AHEAD)->mapped);
        claims[i] = (uint8_t)note_of(v, i, &known);
    }
    outsides_done(&known.outsides);
    operators_done(&known.operators);
}

/* When the socket was told another address, for its next call. */
static int64_t told_anew(const struct view *v, const struct stun_tx *x)
{
    int64_t ns = INT64_MAX;
    const struct stun_tx *o;
    unsigned steps = 0;

    for (uint32_t i = track_socket(v->t, x->socket)->asked; steps++ < LIST_STEPS && (o = track_tx_at(v->t, i)) != NULL && o != x;
         i = o->next_asked)
        if (same_claim_kind(o) && o->answer.ns > x->answer.ns + SAME_TIME_NS && !addr_eq(&o->mapped, &x->mapped))
            ns = o->answer.ns;
    return ns;
}

bool claim_media_arrives(const struct view *v, uint32_t tx)
{
    const struct stun_tx *x = track_tx_at(v->t, tx);
    int64_t until = told_anew(v, x);
    const struct socket *k = track_socket(v->t, x->socket);
    const struct flow *f;
    unsigned steps = 0;

    for (uint32_t i = k->takes_media ? k->flows_in : POOL_NONE; (f = track_flow_at(v->t, i)) != NULL; i = f->next_in)
        if ((f->contains & FLOW_RTP && f->packets.last.ns > x->answer.ns && f->packets.first.ns < until) || ++steps == LIST_STEPS)
            return true;
    return false;
}

enum claim_status claim_of_answer(const struct view *v, uint32_t tx, enum confidence *confidence)
{
    enum claim_status status = claim_status(v, tx, false, confidence);

    return status == CLAIM_WRONG && claim_media_arrives(v, tx) ? claim_status(v, tx, true, confidence) : status;
}

enum claim_status claim_status(const struct view *v, uint32_t tx, bool media_arrives, enum confidence *confidence)
{
    unsigned note = (v->claims ? v->claims[tx] : note_of(v, tx, NULL)) >> (media_arrives ? 4 : 0);

    *confidence = (enum confidence)(note >> 2 & 3);
    return (enum claim_status)(note & 3);
}
