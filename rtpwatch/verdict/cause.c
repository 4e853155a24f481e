/*
 * Why it failed: one function a cause, strongest first. A STUN server is named only where claim.c finds its word wrong; what merely
 * looks like a lie and cannot be tied to a server is a bad candidate whose server is not known.
 */
#include "verdict/verdict_private.h"

static void set(struct direction_finding *out, enum cause c, enum confidence f)
{
    out->cause = c;
    out->confidence = f;
}

/* ---- where is a party really? ---- */

struct whereabouts {
    bool known, matches, same_site, of_media; /* of_media: told by media or checks, not by its SIP */
    struct seen at;
    struct addr addr;
};

static void compare(struct whereabouts *w, const struct addr *x, const struct addr *real, struct seen at, bool of_media)
{
    if (addr_is_unroutable(real) && !addr_is_unroutable(x)) /* seen from inside, it tells nothing of its outside address */
        return;
    if (addr_ip_eq(x, real)) {
        w->matches = true;
    } else if (!w->known) {
        w->at = at;
        w->addr = *real;
        w->of_media = of_media;
    }
    w->same_site |= addr_same_site(x, real);
    w->known = true;
}

/* The address of its TURN relay (RFC 8445 §5.1.1.2), where the party itself never is. */
static bool is_relay(const struct scene *s, enum party p, const struct addr *x)
{
    const struct socket *k = track_find_socket(s->v->t, x);
    const struct sdp_fact *sdp = s->side[p].sdp;

    for (size_t i = 0; i < sdp->cands; i++)
        if (sdp->cand[i].type == SDP_CAND_RELAY && addr_eq(&sdp->cand[i].addr, x))
            return true;
    return k && k->relay != POOL_NONE;
}

/*
 * Where a party is seen from: its media and checks, its own public address, the Via of its SIP, its direct SIP. Its SIP says nothing of a
 * media relay that a proxy put into its description (rtpengine).
 */
static struct whereabouts find(const struct scene *s, enum party p, const struct addr *x)
{
    const struct side *side = &s->side[p];
    bool relayed =
        !side->local && !side->sdp->direct && addr_same_site(x, &side->sdp->from); /* beside the proxy that sent the SDP */
    const struct call_outside *via = s->call->outside[p];
    struct whereabouts w = { 0 };

    if (is_relay(s, p, x))
        return w;
    for (size_t i = 0; i < side->seen_n && !side->local; i++)
        compare(&w, x, &side->seen[i].addr, side->seen[i].first, true);
    if (side->local && !addr_is_unroutable(&side->home)) /* no NAT: the host's own address is its outside one */
        compare(&w, x, &side->home, side->sdp->at, true);
    if (!w.known && via && !relayed && !addr_is_unroutable(&via->outside))
        compare(&w, x, &via->outside, via->at, false);
    if (!w.known && side->sdp->direct && !side->local && !addr_is_unroutable(&side->sdp->from))
        compare(&w, x, &side->sdp->from, side->sdp->at, false);
    return w;
}

/*
 * The address is the sender's own outside address, and truly so: both are behind one NAT, which does not turn packets round (RFC 4787
 * §6, hairpinning).
 */
static bool hairpin(const struct scene *s, enum party to, const struct addr *x)
{
    const struct side *from = &s->side[other_party(to)];
    const struct side *side = &s->side[to];
    enum confidence sure;

    for (size_t i = 0; i < side->seen_n && !side->local && !addr_is_unroutable(x); i++)
        if (addr_is_unroutable(&side->seen[i].addr) && addr_same_site(&side->seen[i].addr, &from->home))
            return true; /* it is next door, and was given its outside address */
    for (size_t i = 0; i < from->own_n; i++) {
        uint32_t tx = addr_ip_eq(&from->own[i], x) && !view_is_local(s->v, x)
                          ? mapping_behind(s->v, &from->own[i], from->sdp->at.ns)
                          : POOL_NONE;

        if (tx != POOL_NONE && claim_status(s->v, tx, false, &sure) != CLAIM_WRONG)
            return true;
    }
    return false;
}

/* ---- the candidate was wrong ---- */

/* A private address is advertised because the STUN server that was to tell the outside one did not. */
static void for_want_of_stun(const struct scene *s, enum party to, struct direction_finding *out, struct session_finding *f)
{
    struct blame b;

    if (!stun_in_vain(s, to, &b, f))
        return;
    set(out, b.cause, b.sure);
    out->server = b.server;
}

static void tell_elsewhere(const struct scene *s, uint32_t tx, struct session_finding *f)
{
    const struct stun_tx *x = track_tx_at(s->v->t, tx);
    char server[ADDR_TEXT];

    evidence_add(
        f, x->answer, "mapping",
        "The answer that %s came from is not from %s, which was asked, but from another network: nobody can say whose it is.",
        addr_keep(f, &x->mapped), addr_text(&track_server_at(s->v->t, x->server)->addr, server));
}

/* Its proofs are gathered only where they are told. */
static void tell_contradicted(const struct scene *s, uint32_t tx, bool media_arrives, struct session_finding *f)
{
    struct claim claim;

    if (f->brief)
        return;
    claim_judge(s->v, tx, media_arrives, &claim);
    evidence_claim(s->v, tx, &claim, f);
}

/* A STUN server's answer made it, and is contradicted. */
static bool bad_mapping(const struct scene *s, enum party to, const struct addr *x, struct direction_finding *out,
                        struct session_finding *f)
{
    uint32_t tx = mapping_behind(s->v, x, s->side[to].sdp->at.ns);
    enum confidence sure;
    bool arrives;

    if (tx == POOL_NONE)
        return false;
    if (track_tx_at(s->v->t, tx)->elsewhere)
        tell_elsewhere(s, tx, f);
    arrives = claim_media_arrives(s->v, tx);
    if (claim_status(s->v, tx, arrives, &sure) != CLAIM_WRONG)
        return false;
    set(out, CAUSE_BAD_CANDIDATE, sure);
    out->server = track_tx_at(s->v->t, tx)->server;
    evidence_add(f, s->side[to].sdp->at, "sdp", "%s told the other party to send to %s.", party_name(s->call, to, f),
                 addr_keep(f, x));
    tell_contradicted(s, tx, arrives, f);
    return true;
}

/* With ICE the other party has all candidates to try: a lie beside a true one of the same socket is not why none of them works. */
static bool true_beside(const struct scene *s, enum party p, const struct addr *x)
{
    const struct sdp_fact *sdp = s->side[p].sdp;
    uint32_t lie = mapping_behind(s->v, x, sdp->at.ns);
    enum confidence sure;

    for (size_t i = 0; lie != POOL_NONE && s->ice && i < sdp->cands; i++) {
        const struct cand_desc *c = &sdp->cand[i];
        uint32_t tx = c->type == SDP_CAND_SRFLX && !c->tcp ? mapping_behind(s->v, &c->addr, sdp->at.ns) : POOL_NONE;

        if (tx != POOL_NONE && track_tx_at(s->v->t, tx)->socket == track_tx_at(s->v->t, lie)->socket &&
            claim_status(s->v, tx, false, &sure) == CLAIM_FINE)
            return true;
    }
    return false;
}

/* A bad candidate that the other party had nothing better than. */
static bool bad_and_needed(const struct scene *s, enum party to, const struct addr *x, struct direction_finding *out,
                           struct session_finding *f)
{
    return !true_beside(s, to, x) && bad_mapping(s, to, x, out, f);
}

/* It calls that address its own NAT's (RFC 8445 §5.1.1.2), which a relay's would not be. */
static bool is_reflexive(const struct sdp_fact *sdp, const struct addr *x)
{
    for (size_t i = 0; i < sdp->cands; i++)
        if (sdp->cand[i].type == SDP_CAND_SRFLX && addr_eq(&sdp->cand[i].addr, x))
            return true;
    return false;
}

/* The party advertised an address and is seen to be elsewhere; who supplied it is not in this capture. */
static bool bad_address(const struct scene *s, enum party to, const struct addr *x, struct direction_finding *out,
                        struct session_finding *f)
{
    struct whereabouts w = find(s, to, x);
    char real[ADDR_TEXT];
    const char *who = party_name(s->call, to, f);
    bool relay_likely = !w.of_media && !s->side[to].local && !is_reflexive(s->side[to].sdp, x);

    if (!w.known || w.matches || addr_is_unroutable(x) || !side_has(&s->side[to], x) ||
        mapping_behind(s->v, x, s->side[to].sdp->at.ns) != POOL_NONE)
        return false;
    set(out, CAUSE_BAD_CANDIDATE, w.same_site || relay_likely ? CONFIDENCE_SUSPECTED : CONFIDENCE_LIKELY);
    evidence_add(f, s->side[to].sdp->at, "sdp", "%s advertised %s.", who, addr_keep(f, x));
    evidence_add(f, w.at, w.of_media ? "media" : "sip", "%s is seen to come from %s%s.", who, addr_ip_text(&w.addr, real),
                 w.of_media ? "" : " (its SIP)");
    if (w.same_site)
        evidence_add(f, (struct seen){ 0 }, "note",
                     "Both are in one network: a NAT with several outside addresses does that without any server's fault.");
    else if (relay_likely)
        evidence_add(f, (struct seen){ 0 }, "note",
                     "Not proven: a media relay at that address, which a proxy put into the description, looks the same.");
    if (s->side[to].local)
        evidence_add(f, (struct seen){ 0 }, "note",
                     "No STUN answer in this capture supplied that address: it was configured, or learned before.");
    else
        evidence_add(f, (struct seen){ 0 }, "note",
                     "Who supplied that address is outside this capture: a capture at %s would show its STUN exchange.", who);
    return true;
}

bool known_elsewhere(const struct scene *s, enum party to, const struct addr *x)
{
    struct whereabouts w = find(s, to, x);

    return w.known && !w.matches && !w.same_site;
}

/* An address that only its own network can reach, described to somebody outside it (RFC 1918). */
static bool private_address(const struct scene *s, enum party to, const struct addr *x, struct direction_finding *out,
                            struct session_finding *f)
{
    const struct side *from = &s->side[other_party(to)];
    const struct addr *peer = from->local    ? &from->home
                              : from->seen_n ? &from->seen[0].addr
                              : from->media  ? &from->transport->addr
                                             : NULL;
    struct whereabouts w = find(s, to, x);

    if (!addr_is_unroutable(x) || addr_is_none(x) || !peer || addr_same_site(peer, x))
        return false;
    if (addr_is_unroutable(peer) && !w.known) /* two private networks may know a way to each other */
        return false;
    set(out, CAUSE_PRIVATE_ADDRESS, CONFIDENCE_LIKELY);
    if (w.known && !w.matches)
        evidence_add(f, w.at, w.of_media ? "media" : "sip", "%s is seen to come from %s%s.", party_name(s->call, to, f),
                     addr_keep(f, &w.addr), w.of_media ? "" : " (its SIP)");
    evidence_add(f, s->side[to].sdp->at, "sdp", "%s advertised %s, which only its own network can reach.",
                 party_name(s->call, to, f), addr_keep(f, x));
    return true;
}

/* Media goes where no description says that the receiver is, nor where it is seen. */
static bool unadvertised(const struct scene *s, enum party to, const struct addr *x, struct direction_finding *out,
                         struct session_finding *f)
{
    struct whereabouts w = find(s, to, x);

    if (side_has(&s->side[to], x) || w.matches)
        return false;
    set(out, CAUSE_UNADVERTISED_DESTINATION, CONFIDENCE_LIKELY);
    evidence_add(f, s->side[to].sdp->at, "sdp", "What %s advertised here does not hold %s.", party_name(s->call, to, f),
                 addr_keep(f, x));
    return true;
}

static const struct icmp_about *icmp_for(const struct scene *s, enum party to, const struct addr *x)
{
    const struct side *from = &s->side[other_party(to)];
    const struct flow *f = from->local ? track_find_flow(s->v->t, &from->home, x) : NULL;
    const struct icmp_about *i = f ? track_icmp_at(s->v->t, f->icmp) : NULL;

    return i && i->errors.first.ns < s->when.to_ns ? i : NULL;
}

static bool same_ip_other_port(const struct scene *s, enum party to, const struct addr *x)
{
    const struct side *side = &s->side[to];
    bool same_ip = false;

    for (size_t i = 0; i < side->seen_n && !side->local; i++) {
        if (addr_eq(&side->seen[i].addr, x))
            return false;
        same_ip |= addr_ip_eq(&side->seen[i].addr, x);
    }
    return same_ip;
}

/* What shows that the address is right, so that nobody looks for a STUN server to blame. */
static void tell_right(const struct scene *s, enum party to, const struct addr *x, struct session_finding *f)
{
    struct claim claim = { 0 };
    struct whereabouts w;
    uint32_t tx;

    if (f->brief)
        return;
    tx = mapping_behind(s->v, x, s->side[to].sdp->at.ns);
    w = find(s, to, x);
    if (tx != POOL_NONE)
        claim_judge(s->v, tx, false, &claim);
    if (claim.status == CLAIM_FINE)
        evidence_claim(s->v, tx, &claim, f);
    else if (w.matches)
        evidence_add(f, s->side[to].sdp->at, "sdp", "%s advertised %s, and that is where it is.", party_name(s->call, to, f),
                     addr_keep(f, x));
}

static void right_address(const struct scene *s, enum party to, const struct addr *x, struct direction_finding *out,
                          struct session_finding *f)
{
    const struct icmp_about *icmp = icmp_for(s, to, x);

    if (icmp && icmp->what == ICMP_PORT_UNREACHABLE && icmp->errors.n > 1) {
        set(out, turn_closed(s, to, x, icmp, f) ? CAUSE_TURN_FAILED : CAUSE_PORT_UNREACHABLE, CONFIDENCE_PROVEN);
    } else if (same_ip_other_port(s, to, x)) {
        set(out, CAUSE_SYMMETRIC_NAT, CONFIDENCE_LIKELY);
    } else if (!s->v->voice_captured) {
        evidence_note(f, s->call->answered, "No media of any call is in the capture: nobody sends any, or a filter kept it out.");
        out->cause = CAUSE_UNKNOWN;
    } else {
        set(out, CAUSE_PATH_BLOCKED, out->stopped.frame || s->v->one_way ? CONFIDENCE_SUSPECTED : CONFIDENCE_LIKELY);
        if (s->v->one_way && !view_is_one_sided(s->v))
            evidence_note(f, s->call->answered, "Nothing but SIP goes that way in the whole capture: a mirror may not show it.");
        tell_right(s, to, x, f);
    }
}

/* The address that a sender without ICE uses. */
static const struct addr *default_address(const struct scene *s, enum party p)
{
    return &s->side[p].transport->addr;
}

/*
 * Of RTP alone, nothing tells what a party advertised: only that media is sent there. Where it comes from another network than it is sent
 * to, the address was most likely wrong; who told it is not seen.
 */
static void cause_of_rtp(const struct scene *s, enum party to, const struct addr *x, struct direction_finding *out,
                         struct session_finding *f)
{
    struct whereabouts w = x ? find(s, to, x) : (struct whereabouts){ 0 };
    uint32_t tx = x ? mapping_behind(s->v, x, s->when.to_ns) : POOL_NONE;
    enum confidence sure;

    set(out, CAUSE_PATH_BLOCKED, CONFIDENCE_SUSPECTED);
    if (tx != POOL_NONE && claim_status(s->v, tx, false, &sure) == CLAIM_WRONG) {
        set(out, CAUSE_BAD_CANDIDATE, sure);
        out->server = track_tx_at(s->v->t, tx)->server;
        tell_contradicted(s, tx, false, f);
    } else if (w.known && !w.matches && !addr_is_unroutable(x)) {
        set(out, CAUSE_BAD_CANDIDATE, CONFIDENCE_SUSPECTED);
        evidence_add(f, w.at, "media", "Media of %s comes from %s; what is sent to it goes to %s.", party_name(s->call, to, f),
                     addr_keep(f, &w.addr), addr_keep(f, x));
        evidence_add(f, (struct seen){ 0 }, "note", "No signalling is seen, so who told that address is not known.");
    } else if (x) {
        right_address(s, to, x, out, f);
    }
}

void cause_of_loss(const struct scene *s, enum party to, const struct addr *x, struct direction_finding *out,
                   struct session_finding *f)
{
    const struct addr *dst = x ? x : default_address(s, to);

    out->server = POOL_NONE;
    if (s->call->kind == SESSION_RTP) {
        cause_of_rtp(s, to, x, out, f);
        return;
    }
    if (out->moved) {
        set(out, CAUSE_UNADVERTISED_DESTINATION, CONFIDENCE_LIKELY);
        return;
    }
    if (x ? bad_mapping(s, to, dst, out, f) : bad_and_needed(s, to, dst, out, f))
        return;
    if (!x && s->ice) /* which of its candidates the other party tried is not seen: a bad one is reason enough */
        for (size_t i = 0; i < s->side[to].sdp->cands; i++)
            if (bad_and_needed(s, to, &s->side[to].sdp->cand[i].addr, out, f))
                return;
    if (hairpin(s, to, dst)) {
        set(out, CAUSE_PATH_BLOCKED, CONFIDENCE_LIKELY);
        evidence_add(
            f, s->side[to].sdp->at, "note",
            "Both are on one network, and %s is outside it: what is sent there would have to be turned round by the NAT.",
            addr_keep(f, dst));
        return;
    }
    if (private_address(s, to, dst, out, f)) {
        for_want_of_stun(s, to, out, f);
        return;
    }
    if (bad_address(s, to, dst, out, f) || (x && unadvertised(s, to, dst, out, f)))
        return;
    right_address(s, to, dst, out, f);
}

/* ---- ICE never connected ---- */

static void better(struct session_finding *f, const struct direction_finding *d)
{
    if (d->cause == CAUSE_NONE)
        return;
    if (f->cause == CAUSE_BAD_CANDIDATE && f->server != POOL_NONE && (d->server == POOL_NONE || d->confidence <= f->confidence))
        return;
    f->cause = d->cause;
    f->confidence = d->confidence;
    f->server = d->server;
}

static void bad_candidates(const struct scene *s, enum party p, struct session_finding *f)
{
    const struct sdp_fact *sdp = s->side[p].sdp;

    for (size_t i = 0; i <= sdp->cands; i++) {
        struct direction_finding d = { .server = POOL_NONE };
        const struct addr *x = i < sdp->cands ? &sdp->cand[i].addr : default_address(s, p);

        if (i < sdp->cands && (sdp->cand[i].tcp || sdp->cand[i].type == SDP_CAND_HOST || sdp->cand[i].type == SDP_CAND_RELAY))
            continue;
        if (addr_is_none(x) || addr_is_unroutable(x))
            continue;
        if (bad_and_needed(s, p, x, &d, f) || bad_address(s, p, x, &d, f))
            better(f, &d);
    }
}

/* One base, one outside IP, several outside ports (RFC 4787 §4.1): what a server saw is not what a peer needs. */
static bool symmetric(const struct scene *s, enum party p, struct session_finding *f)
{
    const struct sdp_fact *sdp = s->side[p].sdp;

    for (size_t i = 0; i < sdp->cands; i++)
        for (size_t j = 0; j < i; j++) {
            const struct cand_desc *a = &sdp->cand[i], *b = &sdp->cand[j];

            if (a->type != SDP_CAND_SRFLX || b->type != SDP_CAND_SRFLX || a->media != b->media || a->component != b->component ||
                a->tcp || b->tcp || !addr_ip_eq(&a->addr, &b->addr) || a->addr.port == b->addr.port ||
                !addr_eq(&a->raddr, &b->raddr))
                continue;
            evidence_add(f, sdp->at, "sdp",
                         "%s has one outside IP with several ports, %s and %s: its NAT gives each destination another port.",
                         party_name(s->call, p, f), addr_keep(f, &b->addr), addr_keep(f, &a->addr));
            return true;
        }
    return false;
}

/*
 * Where the other party's signalling shows it to be, when all connections of this host tell of one place only. `direct`: it connects to
 * this very host; else this host connects to a server, which need not be where the other party is. ADDR_NONE: nothing, or not one.
 */
static struct addr peer_by_connection(const struct scene *s, enum party local, bool *direct)
{
    const struct addr *home = &s->side[local].home;
    struct addr one = ADDR_NONE;

    for (uint32_t i = 0; s->side[local].local && i < s->v->t->conns.used; i++) {
        const struct conn_fact *c = pool_at(&s->v->t->conns, i);
        bool out = addr_ip_eq(&c->client, home), in = addr_ip_eq(&c->server, home);
        const struct addr *peer = out ? &c->server : &c->client;

        if ((!out && !in) || c->opened.first.ns > s->when.to_ns || addr_is_unroutable(peer))
            continue;
        if (!addr_is_none(&one) && !addr_ip_eq(&one, peer))
            return ADDR_NONE;
        *direct = in;
        one = addr_with_port(*peer, 0);
    }
    return one;
}

/* RFC 1918's three blocks: a site that uses one of them seldom uses another. */
static unsigned private_block(const struct addr *a)
{
    return !addr_is_v4(a) || !addr_is_private(a) ? 0 : a->ip[12];
}

/* Both name a private host, and in different blocks: behind one NAT they would most likely share one. */
static bool different_sites(const struct sdp_fact *a, const struct sdp_fact *b)
{
    unsigned x = 0, y = 0;

    for (size_t i = 0; i < a->cands; i++)
        x = x ? x : private_block(&a->cand[i].addr);
    for (size_t i = 0; i < b->cands; i++)
        y = y ? y : private_block(&b->cand[i].addr);
    return x && y && x != y;
}

static enum confidence weaker(enum confidence a, enum confidence b)
{
    return a < b ? a : b;
}

/*
 * The server gave this socket the very IP that the other party names as its own, and the two are in different networks, since their
 * signalling runs between other addresses: not both can be there. No other socket's word is stronger than likely (SPEC §3), nor than that
 * the candidate is bad, where that was found without a server: what was told of that, behind the first `told`, is told in this way instead.
 */
static bool one_address_for_both(const struct scene *s, enum party p, size_t told, struct session_finding *f)
{
    enum confidence most = f->cause == CAUSE_NONE ? CONFIDENCE_LIKELY : weaker(f->confidence, CONFIDENCE_LIKELY);
    const struct sdp_fact *mine = s->side[p].sdp, *theirs = s->side[other_party(p)].sdp;
    bool direct = false;
    struct addr peer = peer_by_connection(s, p, &direct);
    char text[ADDR_TEXT];

    if (!direct && !different_sites(mine, theirs))
        return false;
    for (size_t i = 0; !addr_is_none(&peer) && i < mine->cands; i++)
        for (size_t j = 0; j < theirs->cands; j++) {
            const struct addr *a = &mine->cand[i].addr, *b = &theirs->cand[j].addr;
            uint32_t tx = addr_is_unroutable(a) || !addr_ip_eq(a, b) || addr_ip_eq(a, &peer)
                              ? POOL_NONE
                              : mapping_behind(s->v, a, mine->at.ns);
            struct claim claim;

            if (tx == POOL_NONE)
                continue;
            claim_judge(s->v, tx, false, &claim);
            if (claim.status == CLAIM_FINE)
                continue;
            f->evidence_n = told;
            f->cause = CAUSE_BAD_CANDIDATE;
            f->confidence = direct && !addr_same_site(a, &peer) ? most : CONFIDENCE_SUSPECTED; /* in one /24 it may be a pool */
            f->server = track_tx_at(s->v->t, tx)->server;
            evidence_claim(s->v, tx, &claim, f);
            if (s->call->kind == SESSION_SIP)
                evidence_add(f, theirs->at, "sdp", "%s advertised %s: the very IP that a STUN server names for this host.",
                             party_name(s->call, other_party(p), f), addr_keep(f, b));
            else
                evidence_add(f, theirs->at, "check", "%s is tried at %s: the same IP as that answer names for this host.",
                             party_name(s->call, other_party(p), f), addr_keep(f, b));
            evidence_add(f, (struct seen){ 0 }, "note", "Signalling runs %s %s%s.", direct ? "here from" : "to",
                         addr_ip_text(&peer, text),
                         direct ? ", so the two are not in one network, unless it takes another way out than media (a VPN)"
                                : ", and both name private hosts of different kinds: most likely they are not in one network, "
                                  "unless both are behind one carrier's NAT (RFC 6598)");
            return true;
        }
    return false;
}

static bool stun_refused(const struct scene *s, enum party p, struct session_finding *f)
{
    struct blame b;

    if (!stun_in_vain(s, p, &b, f))
        return false;
    f->cause = b.cause;
    f->confidence = b.sure;
    f->server = b.server;
    return true;
}

void cause_of_setup(const struct scene *s, const struct ice_result *ice, struct session_finding *f)
{
    size_t told = f->evidence_n;

    f->cause = CAUSE_NONE;
    f->server = POOL_NONE;
    for (enum party p = CALLER; p < PARTIES; p++)
        bad_candidates(s, p, f);
    if (f->server != POOL_NONE || one_address_for_both(s, CALLER, told, f) || one_address_for_both(s, CALLEE, told, f) ||
        f->cause != CAUSE_NONE)
        return;
    if (turn_of_setup(s, CALLER, f) || turn_of_setup(s, CALLEE, f) || stun_refused(s, CALLER, f) || stun_refused(s, CALLEE, f))
        return;
    f->confidence = CONFIDENCE_LIKELY;
    if (symmetric(s, CALLER, f) || symmetric(s, CALLEE, f)) {
        f->cause = CAUSE_SYMMETRIC_NAT;
    } else if (ice->routable_tried) {
        f->cause = CAUSE_PATH_BLOCKED;
        f->confidence = CONFIDENCE_SUSPECTED;
    } else {
        f->cause = CAUSE_UNKNOWN;
        f->confidence = CONFIDENCE_NONE;
    }
}
