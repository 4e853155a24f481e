/*
 * Is what a STUN server said of a socket true? Held against what other servers and peers said of the same socket, and, more weakly,
 * against what is known of its host (SPEC §3). The same IP with another port is an address-dependent NAT and no lie (RFC 4787 §4.1).
 */
#include <stddef.h>

#include "verdict/outsides.h"
#include "verdict/verdict_private.h"

#define SAME_TIME_NS SECONDS(5)   /* two sockets cannot hold one mapping at once */
#define NEAR_TIME_NS SECONDS(600) /* a NAT keeps an address that long */
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

static bool same_claim_kind(const struct stun_tx *x)
{
    return x->success && !addr_is_none(&x->mapped);
}

/* Servers of one site fail together: they are one witness. */
static bool one_operator(const struct view *v, const struct stun_tx *a, const struct stun_tx *b)
{
    return addr_same_site(&track_server_at(v->t, a->server)->addr, &track_server_at(v->t, b->server)->addr);
}

static struct proof said_by(const struct view *v, const struct stun_tx *x, enum proof_kind kind)
{
    return (struct proof){ kind, x->answer, track_server_at(v->t, x->server)->addr, x->mapped, x->server };
}

/* Another server, asked from the same socket. */
static void other_servers(const struct view *v, const struct stun_tx *x, struct claim *c)
{
    const struct stun_tx *o;

    unsigned steps = 0;

    for (uint32_t i = track_socket(v->t, x->socket)->asked; steps++ < LIST_STEPS && (o = track_tx_at(v->t, i)) != NULL;
         i = o->next_asked) {
        if (o->server == x->server || !same_claim_kind(o) || !near(o->answer.ns, x->answer.ns, NEAR_TIME_NS))
            continue;
        if (!addr_ip_eq(&o->mapped, &x->mapped)) {
            against(c, said_by(v, o, PROOF_SERVER));
            continue;
        }
        if (!one_operator(v, o, x))
            in_favour(c, said_by(v, o, PROOF_SERVER));
        c->port_depends |= o->mapped.port != x->mapped.port;
    }
}

/*
 * The peers' answers to checks that this socket sent. A peer on the same network sees the socket itself and tells nothing of the
 * outside; so only what another network saw counts.
 */
static void checks_answered(const struct view *v, const struct stun_tx *x, struct claim *c)
{
    const struct socket *base = track_socket(v->t, x->socket);
    const struct flow *f;
    unsigned steps = 0;

    for (uint32_t i = v->t->checks.used ? base->flows_out : POOL_NONE;
         steps++ < LIST_STEPS && (f = track_flow_at(v->t, i)) != NULL; i = f->next_out) {
        const struct check *k = track_check_at(v->t, f->checks);
        struct proof p = { .kind = PROOF_CHECK, .server = POOL_NONE };

        if (!k || !k->mapped_at.frame || addr_is_unroutable(&k->mapped) || addr_is_unroutable(&f->dst) ||
            !holds_at(x->answer.ns, k->mapped_since_ns, k->mapped_at.ns))
            continue;
        p.at = k->mapped_at;
        p.by = f->dst;
        p.said = k->mapped;
        if (!addr_ip_eq(&k->mapped, &x->mapped)) {
            against(c, p);
            continue;
        }
        in_favour(c, p);
        c->port_depends |= k->mapped.port != x->mapped.port;
    }
}

/* What the SIP of the same host shows: received= in the replies that it got. Another socket, so weaker. */
static void via_of_host(const struct view *v, const struct stun_tx *x, const struct outsides *all, struct claim *host)
{
    const struct addr *base = &track_socket(v->t, x->socket)->addr;
    uint32_t next;

    for (uint32_t i = all ? outsides_first(all, base) : 0; i < v->t->outsides.used; i = next) {
        const struct outside_fact *o = pool_at(&v->t->outsides, i);

        next = all ? outsides_next(all, i) : i + 1;
        if (!addr_ip_eq(&o->host, base) || addr_is_unroutable(&o->outside) ||
            !holds_at(x->answer.ns, o->at.first.ns, o->at.last.ns))
            continue;
        (addr_ip_eq(&o->outside, &x->mapped) ? in_favour : against)(
            host, (struct proof){ PROOF_VIA, o->at.first, o->teller, o->outside, POOL_NONE });
    }
}

/*
 * The user's word on where local hosts are seen from outside. It is of the host and not of the socket, so it never proves by itself. A
 * server inside, and an address of the other family, it says nothing of.
 */
static void public_ip(const struct view *v, const struct stun_tx *x, struct claim *host)
{
    const struct view_options *o = &v->options;
    struct proof p = { PROOF_PUBLIC, { 0 }, ADDR_NONE, ADDR_NONE, POOL_NONE };

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
    if (!addr_is_none(&p.said))
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
    enum search search;
};

static void others_count(const struct view *v, struct others *n, const struct stun_tx *x, const struct stun_tx *o)
{
    if (!same_claim_kind(o) || o->socket == x->socket || same_moment(o, x) || !near(o->answer.ns, x->answer.ns, NEAR_TIME_NS))
        return;
    if (addr_ip_eq(&o->mapped, &x->mapped)) {
        n->same++;
        if (!one_operator(v, o, x))
            n->last_same = o;
        return;
    }
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
static void rest_of_host(const struct view *v, const struct stun_tx *x, enum search search, struct claim *host)
{
    struct others n = { .stable = true, .search = search };
    const struct stun_tx *o;
    unsigned steps = 0;

    for (uint32_t i = x->older_of_host; steps < HOST_STEPS && !others_decide(&n) && (o = track_tx_at(v->t, i)) != NULL;
         i = o->older_of_host, steps++)
        others_count(v, &n, x, o);
    steps = 0;
    for (uint32_t i = x->newer_of_host; steps < HOST_STEPS && !others_decide(&n) && (o = track_tx_at(v->t, i)) != NULL;
         i = o->newer_of_host, steps++)
        others_count(v, &n, x, o);
    o = n.last_same;
    if (o)
        in_favour(host, said_by(v, o, PROOF_EARLIER));
    o = n.last_other;
    if (o && !n.same && n.other >= 2 && n.stable)
        against(host, said_by(v, o, PROOF_EARLIER));
}

/*
 * One server gave one address to two sockets at one time. The same transaction from two sockets is one request, seen before and after a
 * NAT on the way: a capture on all interfaces of a host with containers shows that.
 */
static void shared(const struct view *v, uint32_t tx, struct claim *c)
{
    const struct stun_tx *x = track_tx_at(v->t, tx), *o;
    const struct socket *m = track_find_socket(v->t, &x->mapped);

    unsigned steps = 0;

    for (uint32_t i = m ? m->claimed : POOL_NONE; steps++ < LIST_STEPS && (o = track_tx_at(v->t, i)) != NULL; i = o->next_claimed)
        if (i != tx && o->server == x->server && o->socket != x->socket && memcmp(o->tid, x->tid, sizeof o->tid) != 0 &&
            near(o->answer.ns, x->answer.ns, SAME_TIME_NS)) {
            against(c, (struct proof){ PROOF_SHARED, o->answer, track_socket(v->t, o->socket)->addr, o->mapped, o->server });
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
        packets += f->packets.last.ns >= x->answer.ns && track_find_flow(v->t, base, &f->src) ? f->packets.n : 0;
        if (packets >= WRONG_PORT_PACKETS) {
            against(c, (struct proof){ PROOF_WRONG_PORT, f->packets.first, f->src, stray, POOL_NONE });
            return;
        }
    }
}

/* What the answer itself shows. */
static void answer_alone(const struct view *v, const struct stun_tx *x, struct claim *c)
{
    const struct addr *base = &track_socket(v->t, x->socket)->addr, *server = &track_server_at(v->t, x->server)->addr;

    /* A NAT's helper that rewrites the plain attribute into the inside address is why XOR- was invented (RFC 8489 §14.2). */
    if (x->mapped_differs && !addr_ip_eq(&x->more->plain, &x->mapped) && !addr_ip_eq(&x->more->plain, base))
        against(c, (struct proof){ PROOF_XOR_DIFFERS, x->answer, *server, x->more->plain, x->server });
    if (addr_is_unroutable(&x->mapped) && !addr_is_unroutable(server) && !addr_ip_eq(&x->mapped, base))
        against(c, said_by(v, x, PROOF_PRIVATE));
    /* A NAT between the families would have changed the server's address as well (RFC 6146). */
    if (addr_is_v4(base) && addr_is_v4(server) && !addr_is_v4(&x->mapped))
        against(c, said_by(v, x, PROOF_FAMILY));
    if (addr_ip_eq(&x->mapped, server) && !addr_ip_eq(base, server))
        against(c, said_by(v, x, PROOF_OWN));
}

static bool of_server(const struct proof *p)
{
    return p->kind == PROOF_SERVER || p->kind == PROOF_EARLIER;
}

static bool same_witness(const struct proof *a, const struct proof *b)
{
    return of_server(a) && of_server(b) ? addr_same_site(&a->by, &b->by) : a->kind == b->kind && addr_ip_eq(&a->by, &b->by);
}

/* Do at least two independent observers name that IP? */
static bool corroborated(const struct claim *socket, const struct claim *host, const struct addr *ip)
{
    const struct proof *lists[] = { socket->against, host->against };
    size_t counts[] = { socket->against_n, host->against_n }, n = 0;

    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < counts[l]; i++) {
            bool twice = false;

            for (size_t j = 0; j < i; j++)
                twice |= same_witness(&lists[l][i], &lists[l][j]);
            for (size_t j = 0; l && j < counts[0]; j++)
                twice |= same_witness(&lists[1][i], &lists[0][j]);
            n += !twice && addr_ip_eq(&lists[l][i].said, ip);
        }
    return n >= 2;
}

/* A rival address in the same /24 may be another address of one NAT's pool (RFC 4787 §4.1, "arbitrary" pooling): hedged. */
static enum confidence hedge(const struct claim *c, const struct addr *mapped, enum confidence most)
{
    for (size_t i = 0; i < c->against_n; i++)
        if (c->against[i].kind <= PROOF_PUBLIC && addr_same_site(&c->against[i].said, mapped))
            return CONFIDENCE_SUSPECTED;
    return most;
}

static bool contradicts_itself(const struct claim *c)
{
    for (size_t i = 0; i < c->against_n; i++)
        if (c->against[i].kind > PROOF_PUBLIC)
            return true;
    return false;
}

/* The order of weight: the answer itself, the same socket, then the host. */
static void weigh(const struct stun_tx *x, struct claim *c, const struct claim *host, bool media_arrives)
{
    if (contradicts_itself(c)) {
        c->status = CLAIM_WRONG;
        c->confidence = CONFIDENCE_PROVEN;
    } else if (c->for_n || host->for_n) {
        c->status = CLAIM_FINE;
    } else if (c->against_n) {
        bool sure = corroborated(c, host, &c->against[0].said);

        if (!sure && c->against[0].kind == PROOF_SERVER)
            return; /* one server against another, and nothing tells which of them is right */
        c->status = CLAIM_WRONG;
        c->confidence = hedge(c, &x->mapped, sure ? CONFIDENCE_PROVEN : CONFIDENCE_LIKELY);
    } else if (host->against_n && !media_arrives) {
        c->status = CLAIM_WRONG;
        c->confidence = hedge(host, &x->mapped, CONFIDENCE_LIKELY);
    } else if (media_arrives) {
        c->status = CLAIM_FINE;
    }
}

static void begin(struct claim *c)
{
    memset(c, 0, offsetof(struct claim, against)); /* the lists are large */
}

/* `outsides`: NULL, they are searched. False: it is no claim. */
static bool gather(const struct view *v, uint32_t tx, enum search search, const struct outsides *outsides, struct claim *socket,
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
    if (search != SEARCH_ALL && contradicts_itself(socket))
        return true;
    other_servers(v, x, socket);
    checks_answered(v, x, socket);
    if (search != SEARCH_ALL && socket->for_n)
        return true;
    public_ip(v, x, host);
    via_of_host(v, x, outsides, host);
    if (search == SEARCH_WRONG && (socket->against_n || host->against_n))
        search = SEARCH_SETTLED; /* then a word in its favour counts as well */
    if (search == SEARCH_ALL || !host->for_n)
        rest_of_host(v, x, search, host);
    return true;
}

void claim_judge(const struct view *v, uint32_t tx, bool media_arrives, struct claim *out)
{
    struct claim host;

    if (!gather(v, tx, SEARCH_ALL, NULL, out, &host))
        return;
    weigh(track_tx_at(v->t, tx), out, &host, media_arrives);
    for (size_t i = 0; i < host.against_n; i++) /* told as well, after what was said of the socket itself */
        put(out->against, &out->against_n, host.against[i]);
    for (size_t i = 0; i < host.for_n; i++)
        put(out->in_favour, &out->for_n, host.in_favour[i]);
}

/* What claim_status() says where media is not known to arrive, and where it is: status and confidence of each, two bits. */
static unsigned note_of(const struct view *v, uint32_t tx, const struct outsides *outsides)
{
    struct claim socket, host;
    unsigned note = 0;

    if (!gather(v, tx, SEARCH_SETTLED, outsides, &socket, &host))
        return 0;
    for (unsigned arrives = 0; arrives < 2; arrives++) {
        socket.status = CLAIM_OPEN;
        socket.confidence = CONFIDENCE_NONE;
        weigh(track_tx_at(v->t, tx), &socket, &host, arrives);
        note |= ((unsigned)socket.status | (unsigned)socket.confidence << 2) << 4 * arrives;
    }
    return note;
}

bool claim_is_wrong(const struct view *v, uint32_t tx)
{
    struct claim socket, host;

    if (!gather(v, tx, SEARCH_WRONG, NULL, &socket, &host))
        return false;
    weigh(track_tx_at(v->t, tx), &socket, &host, false);
    return socket.status == CLAIM_WRONG;
}

void claims_judge(const struct view *v, uint8_t *claims)
{
    uint32_t n = v->t->stun_txs.used;
    struct outsides outsides;
    bool indexed = outsides_make(&outsides, v->t);

    for (uint32_t i = 0; i < n; i++) {
        if (i + CLAIMS_AHEAD < n)
            track_find_socket_ahead(v->t, &track_tx_at(v->t, i + CLAIMS_AHEAD)->mapped);
        claims[i] = (uint8_t)note_of(v, i, indexed ? &outsides : NULL);
    }
    outsides_done(&outsides);
}

enum claim_status claim_status(const struct view *v, uint32_t tx, bool media_arrives, enum confidence *confidence)
{
    unsigned note = (v->claims ? v->claims[tx] : note_of(v, tx, NULL)) >> (media_arrives ? 4 : 0);

    *confidence = (enum confidence)(note >> 2 & 3);
    return (enum claim_status)(note & 3);
}
