/*
 * TURN (RFC 8656) where it keeps a call from its media: the relay was refused, its permissions were, it expired, or it died. A server that
 * refuses is not one that lies: what is blamed here makes no STUN server bad.
 */
#include "verdict/verdict_private.h"

#define PATIENCE_NS  SECONDS(2)  /* a request unanswered for less may still be: RFC 8489 §6.2.1 waits for 39.5 s */
#define GATHERING_NS SECONDS(10) /* how long an agent may gather candidates before it describes them */
#define ABOUT_NS     SECONDS(2)  /* what is on the way when a relay ends */
#define STEADY_NS    SECONDS(5)  /* media came this close to the end of its relay: it is the end that stopped it */
#define GONE_NS      SECONDS(3)
enum {
    DROPPED_LEAST = 25,        /* half a second of audio that no permission covered */
    CALLS_LOOKED_AT = 1 << 16, /* the latest ones */
    CALLS_AT_HAND = 64,        /* of these one is the host's where it is busy: they are looked at first */
};

/* ---- what a server said ---- */

/* IANA's "STUN Error Codes", and what a code means to who reads of it. */
struct refusal {
    uint16_t error;
    const char *name, *meaning;
};

static const struct refusal refusals[] = {
    { 300, "Try Alternate", "" },
    { 400, "Bad Request", "" },
    { 401, "Unauthorized", ": the user name or the password is wrong" },
    { 403, "Forbidden", ": its rules do not allow it" },
    { 420, "Unknown Attribute", "" },
    { 437, "Allocation Mismatch", "" },
    { 438, "Stale Nonce", "" },
    { 440, "Address Family not Supported", "" },
    { 441, "Wrong Credentials", ": the allocation was made with others" },
    { 442, "Unsupported Transport Protocol", "" },
    { 443, "Peer Address Family Mismatch", "" },
    { 486, "Allocation Quota Reached", ": the user has all relays that it may have" },
    { 500, "Server Error", "" },
    { 508, "Insufficient Capacity", ": it has no relay address left" },
};

static const char *method_object(uint16_t method)
{
    switch (method) {
    case STUN_ALLOCATE: return "the allocation";
    case STUN_REFRESH: return "to refresh the relay";
    case STUN_CREATE_PERMISSION: return "a permission";
    case STUN_CHANNEL_BIND: return "a channel";
    default: return "a request";
    }
}

static const char *mismatch(uint16_t method)
{
    return method == STUN_ALLOCATE ? ": an older allocation of the same port is still there" : ": it knows no such allocation";
}

static bool challenge(const struct stun_tx *x)
{
    return x->error == 401 && !x->credentials;
}

bool turn_is_refusal(const struct stun_tx *x)
{
    bool turn = x->method == STUN_ALLOCATE || x->method == STUN_REFRESH || x->method == STUN_CREATE_PERMISSION ||
                x->method == STUN_CHANNEL_BIND;

    return turn && x->error && x->error != 438 && x->error != 300 && !challenge(x);
}

const char *stun_error_name(uint16_t error)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].error == error)
            return refusals[i].name;
    return NULL;
}

/* "486 Allocation Quota Reached: the user ..." */
static void error_text(uint16_t error, uint16_t method, struct strbuf *out)
{
    strbuf_fmt(out, "%u", error);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].error == error)
            strbuf_fmt(out, " %s%s", refusals[i].name, error == 437 ? mismatch(method) : refusals[i].meaning);
}

static void refusal_text(const struct view *v, const struct stun_tx *x, unsigned times, struct strbuf *out)
{
    char buf[ADDR_TEXT];

    strbuf_add(out, "TURN server ");
    server_text(v, x->server, out);
    if (challenge(x)) {
        strbuf_fmt(out, " asked for credentials to %s (401 Unauthorized), and none were sent",
                   x->method == STUN_ALLOCATE ? "give a relay" : "go on");
        return;
    }
    strbuf_fmt(out, " refused %s: ", method_object(x->method));
    error_text(x->error, x->method, out);
    if (x->error == 300 && !addr_is_none(&x->more->alternate))
        strbuf_fmt(out, ", another server: %s", addr_text(&x->more->alternate, buf));
    if (times > 1)
        strbuf_fmt(out, " (%u times)", times);
}

static void tell_answer(const struct view *v, const struct stun_tx *x, unsigned times, struct session_finding *f)
{
    struct strbuf b = { 0 };

    if (f->brief)
        return;
    if (x->answer.frame) {
        refusal_text(v, x, times, &b);
        evidence_add(f, x->answer, "stun", "%s.", strbuf_str(&b));
    } else {
        server_text(v, x->server, &b);
        evidence_add(f, x->requests.first, "stun", "TURN server %s was asked for %s %llu time%s and never answered.",
                     strbuf_str(&b), x->method == STUN_ALLOCATE ? "a relay" : stun_method_name(x->method),
                     (unsigned long long)x->requests.n, x->requests.n == 1 ? "" : "s");
    }
    strbuf_done(&b);
}

/* ---- no relay was given ---- */

/* What a party's sockets asked of TURN servers. */
struct asking {
    bool given;     /* it has a relay */
    uint32_t vain;  /* of the Allocates in vain the one that tells most, POOL_NONE: none */
    unsigned times; /* how often that server refused so */
};

static const struct turn_alloc *alloc_of(const struct view *v, const struct addr *relayed)
{
    const struct socket *k = track_find_socket(v->t, relayed);

    return k ? track_alloc_at(v->t, k->relay) : NULL;
}

/* A code tells more than silence, and a challenge that was never met tells least; of two the later one. */
static int telling(const struct stun_tx *x)
{
    return !x->answer.frame ? 1 : challenge(x) ? 0 : 2;
}

static void asked_add(const struct scene *s, uint32_t tx, struct asking *out)
{
    const struct stun_tx *x = track_tx_at(s->v->t, tx), *best = track_tx_at(s->v->t, out->vain);
    const struct turn_alloc *a = x->success ? alloc_of(s->v, &x->more->relayed) : NULL;

    if (x->success) {
        out->given |= !a || turn_alloc_end(a) >= s->call->started.ns; /* else it is of an earlier call on this port */
        return;
    }
    if (!x->answer.frame && s->when.to_ns - x->requests.first.ns < PATIENCE_NS)
        return;
    if (best && best->server == x->server && best->error == x->error && best->credentials == x->credentials && best->answer.frame)
        out->times++;
    if (!best || telling(x) > telling(best) || (telling(x) == telling(best) && x->requests.first.ns > best->requests.first.ns)) {
        out->times = best && best->server == x->server && best->error == x->error ? out->times : 1;
        out->vain = tx;
    }
}

/* How many calls began at or before `ns`: slots are given in order of time. */
static uint32_t calls_until(const struct track *t, int64_t ns)
{
    uint32_t low = 0, high = t->calls.used;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (track_call_at(t, middle)->started.ns <= ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/*
 * Has another call a description from that host in the time in which the relay was asked for? Then it may have been for that one. The
 * latest `most` calls are looked at; where these are none, the rest may hold one: `unsure`.
 */
static bool another_call(const struct scene *s, const struct addr *host, int64_t from_ns, int64_t to_ns, uint32_t most,
                         bool unsure)
{
    uint32_t until = calls_until(s->v->t, to_ns);

    for (uint32_t n = 0; n < until; n++) {
        const struct call *c = track_call_at(s->v->t, until - 1 - n);

        if (n == most)
            return unsure;
        if (c == s->call || c->last.ns < from_ns)
            continue;
        for (const struct sdp_fact *d = c->sdps; d; d = d->next)
            if (d->at.ns >= from_ns && d->at.ns <= to_ns && addr_ip_eq(&d->from, host))
                return true;
    }
    return false;
}

/* The host's latest request at or before `ns` of those since `from_ns`; POOL_NONE: none. Slots are given in order of time. */
static uint32_t asked_until(const struct track *t, const struct addr *host, int64_t from_ns, int64_t ns)
{
    uint32_t low = 0, high = t->stun_txs.used;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (track_tx_at(t, middle)->requests.first.ns <= ns)
            low = middle + 1;
        else
            high = middle;
    }
    while (low-- > 0 && track_tx_at(t, low)->requests.first.ns >= from_ns)
        if (addr_ip_eq(&track_socket(t, track_tx_at(t, low)->socket)->addr, host))
            return low;
    return POOL_NONE;
}

/*
 * Some agents ask for their relay from a socket of its own, which only the relay candidate would name. Of a relay that was not given the
 * host and the time tell: it was asked for just before the party's description was made, by a socket that no description names.
 */
static void asked_beside(const struct scene *s, enum party p, struct asking *out)
{
    const struct side *side = &s->side[p];
    const struct track *t = s->v->t;
    struct addr host = addr_with_port(side->home, 0);
    int64_t made = side->sdp->at.ns, from = made - GATHERING_NS;
    const struct stun_tx *x;

    if (!side->local || !t->relays_asked || another_call(s, &host, made, made + GATHERING_NS, CALLS_AT_HAND, false))
        return;
    for (uint32_t i = asked_until(t, &host, from, made); (x = track_tx_at(t, i)) != NULL && x->requests.first.ns >= from;
         i = x->older_of_host)
        if (x->method == STUN_ALLOCATE && !track_socket(t, x->socket)->advertised)
            asked_add(s, i, out);
    x = track_tx_at(t, out->vain);
    if (x && !out->given && another_call(s, &host, x->requests.first.ns, made + GATHERING_NS, CALLS_LOOKED_AT, true))
        out->vain = POOL_NONE;
}

static struct asking asked_relays(const struct scene *s, enum party p)
{
    const struct side *side = &s->side[p];
    struct asking out = { .vain = POOL_NONE };
    const struct stun_tx *x;

    for (size_t k = 0; side->local && k < side->own_n; k++) {
        const struct socket *own = view_has(s->v, &side->own[k]) ? track_find_socket(s->v->t, &side->own[k]) : NULL;

        out.given |= own && own->relay != POOL_NONE;
        for (uint32_t i = own ? own->asked : POOL_NONE; (x = track_tx_at(s->v->t, i)) != NULL; i = x->next_asked)
            if (x->method == STUN_ALLOCATE && x->requests.first.ns <= s->when.to_ns)
                asked_add(s, i, &out);
    }
    if (!out.given && out.vain == POOL_NONE)
        asked_beside(s, p, &out);
    if (out.given)
        out.vain = POOL_NONE;
    return out;
}

void turn_warn(const struct scene *s, struct session_finding *f)
{
    for (enum party p = CALLER; p < PARTIES; p++) {
        struct asking asked = asked_relays(s, p);
        const struct stun_tx *x = track_tx_at(s->v->t, asked.vain);
        struct strbuf b = { 0 };

        if (!x || !x->answer.frame)
            continue;
        if (f->brief) {
            warn_add(f, "turn_refused", x->server, "");
            continue;
        }
        tell_answer(s->v, x, asked.times, f);
        refusal_text(s->v, x, asked.times, &b);
        strbuf_add(&b, "; the call did not need it.");
        warn_add(f, "turn_refused", x->server, text_keep(f, &b));
    }
}

/* ---- it was given and let nobody through ---- */

/* That party's packets come from that IP, or it named it as its own. */
static bool is_of(const struct side *x, const struct addr *ip)
{
    for (size_t i = 0; i < x->own_n; i++)
        if (addr_ip_eq(&x->own[i], ip))
            return true;
    for (size_t i = 0; i < x->seen_n; i++)
        if (addr_ip_eq(&x->seen[i].addr, ip))
            return true;
    return false;
}

/* Some address of the other party was let through: then the relay had its use. */
static bool let_through(const struct scene *s, const struct turn_alloc *a, const struct side *other)
{
    const struct turn_peer *p;

    for (uint32_t i = a->peers; (p = track_turn_peer_at(s->v->t, i)) != NULL; i = p->next)
        if (p->granted.n && is_of(other, &p->peer))
            return true;
    return false;
}

/* All permissions that were asked for this party were refused: such a peer, best one that is not inside some network. */
static const struct turn_peer *kept_out(const struct scene *s, const struct turn_alloc *a, const struct side *other)
{
    const struct turn_peer *p, *found = NULL;

    if (let_through(s, a, other))
        return NULL;
    for (uint32_t i = a->peers; (p = track_turn_peer_at(s->v->t, i)) != NULL; i = p->next)
        if (p->refused.n && is_of(other, &p->peer) && (!found || addr_is_unroutable(&found->peer)))
            found = p;
    return found;
}

static void tell_kept_out(const struct scene *s, const struct turn_alloc *a, const struct turn_peer *p, struct session_finding *f)
{
    struct strbuf who = { 0 }, why = { 0 };
    char text[ADDR_TEXT];

    if (f->brief)
        return;
    server_text(s->v, a->server, &who);
    error_text(p->error, STUN_CREATE_PERMISSION, &why);
    evidence_add(f, p->refused.last, "stun", "TURN server %s refused the permission for %s: %s.", strbuf_str(&who),
                 addr_ip_text(&p->peer, text), strbuf_str(&why));
    strbuf_done(&who);
    strbuf_done(&why);
}

/* Somebody is seen to send to the relayed address, outside the relay, whom no permission covers: the server drops it (RFC 8656 §11.3). */
static const struct flow *knocks(const struct scene *s, const struct turn_alloc *a)
{
    const struct socket *k = track_find_socket(s->v->t, &a->relayed);
    const struct flow *f;

    for (uint32_t i = k && !a->not_kept ? k->flows_in : POOL_NONE; (f = track_flow_at(s->v->t, i)) != NULL; i = f->next_in) {
        const struct turn_peer *p = track_turn_peer(s->v->t, a, &f->src);

        if (!(f->contains & FLOW_RELAYED) && (f->contains & (FLOW_CHECK | FLOW_RTP)) && f->packets.first.ns < s->when.to_ns &&
            f->packets.last.ns >= s->when.from_ns && !(p && (p->granted.n || p->in.n)))
            return f;
    }
    return NULL;
}

static bool no_permission(const struct scene *s, enum party p, const struct turn_alloc *a, struct session_finding *f)
{
    const struct side *other = &s->side[other_party(p)];
    const struct turn_peer *refused = kept_out(s, a, other);
    const struct flow *tried = refused || let_through(s, a, other) ? NULL : knocks(s, a);
    char text[ADDR_TEXT];

    if (refused) {
        tell_kept_out(s, a, refused, f);
        return true;
    }
    if (!tried || s->v->options.dropped)
        return false;
    evidence_add(f, tried->packets.first, "stun",
                 "%s sends to the relay %s, and no permission for it was asked: the server drops it.", addr_keep(f, &tried->src),
                 addr_text(&a->relayed, text));
    return true;
}

/* ---- it died ---- */

enum { ANY_METHOD = 0 };

/* The latest request of the allocation's client to its server that is about the allocation, of those after `ns`; NULL: none. */
static const struct stun_tx *asked_after(const struct view *v, const struct turn_alloc *a, int64_t ns, uint16_t method)
{
    const struct socket *k = track_find_socket(v->t, &a->client);
    const struct stun_tx *x;

    for (uint32_t i = k ? k->asked : POOL_NONE; (x = track_tx_at(v->t, i)) != NULL; i = x->next_asked)
        if (x->server == a->server && x->requests.first.ns > ns && x->method != STUN_ALLOCATE && x->method != STUN_BINDING &&
            (method == ANY_METHOD || x->method == method))
            return x;
    return NULL;
}

/* The first request of the client that its server never answered, of those after `ns`, and how many were sent in all; NULL: none. */
static const struct stun_tx *unanswered_after(const struct view *v, const struct turn_alloc *a, int64_t ns, uint64_t *sent)
{
    const struct socket *k = track_find_socket(v->t, &a->client);
    const struct stun_tx *x, *first = NULL;

    *sent = 0;
    for (uint32_t i = k ? k->asked : POOL_NONE; (x = track_tx_at(v->t, i)) != NULL; i = x->next_asked)
        if (x->server == a->server && x->requests.first.ns > ns && !x->answer.frame) {
            first = x;
            *sent += x->requests.n;
        }
    return first;
}

/* Nothing at all comes from the server any more, although the client asks it and goes on sending. */
static bool died(const struct scene *s, const struct turn_alloc *a, struct seen *last, struct session_finding *f,
                 enum confidence *how)
{
    const struct addr *server = &track_server_at(s->v->t, a->server)->addr;
    const struct flow *out = track_find_flow(s->v->t, &a->client, server), *in = track_find_flow(s->v->t, server, &a->client);
    const struct icmp_about *icmp = out ? track_icmp_at(s->v->t, out->icmp) : NULL;
    uint64_t sent = 0;
    const struct stun_tx *x = in ? unanswered_after(s->v, a, in->packets.last.ns, &sent) : NULL;
    char text[ADDR_TEXT];

    if (!in || !out || out->packets.last.ns - in->packets.last.ns < STEADY_NS || s->when.to_ns - in->packets.last.ns < STEADY_NS)
        return false;
    if (icmp && (icmp->errors.n < 2 || icmp->errors.first.ns < in->packets.last.ns || icmp->what != ICMP_PORT_UNREACHABLE))
        icmp = NULL;
    if (!icmp && (sent < 2 || s->v->options.dropped))
        return false;
    evidence_add(f, in->packets.last, "stun", "This is the last packet of TURN server %s; what is sent to it goes on.",
                 addr_text(server, text));
    if (icmp)
        evidence_add(f, icmp->errors.first, "icmp", "%s answers that nobody listens there any more.",
                     addr_ip_text(&icmp->reporter, text));
    else
        tell_answer(s->v, x, 1, f);
    *last = in->packets.last;
    *how = icmp                                                                ? CONFIDENCE_PROVEN
           : host_hears(s, &a->client, server, in->packets.last.ns + ABOUT_NS) ? CONFIDENCE_LIKELY
                                                                               : CONFIDENCE_SUSPECTED;
    return true;
}

/* The other party offered a relay and that did not connect either: more than this one relay was missing. */
static bool other_has_relay(const struct scene *s, enum party p)
{
    const struct sdp_fact *sdp = s->side[other_party(p)].sdp;

    for (size_t i = 0; i < sdp->cands; i++)
        if (sdp->cand[i].type == SDP_CAND_RELAY)
            return true;
    return false;
}

bool turn_of_setup(const struct scene *s, enum party p, struct session_finding *f)
{
    struct asking asked = asked_relays(s, p);
    const struct stun_tx *x = track_tx_at(s->v->t, asked.vain);
    const struct turn_alloc *a;
    struct seen last;

    if (x) {
        tell_answer(s->v, x, asked.times, f);
        f->confidence = other_has_relay(s, p) ? CONFIDENCE_SUSPECTED : CONFIDENCE_LIKELY;
        f->cause = CAUSE_TURN_FAILED;
        f->server = x->server;
        return true;
    }
    for (size_t i = 0; s->side[p].local && i < s->side[p].own_n; i++) {
        a = alloc_of(s->v, &s->side[p].own[i]);
        if (!a || !view_is_local(s->v, &a->client))
            continue;
        f->confidence = CONFIDENCE_LIKELY;
        if (!no_permission(s, p, a, f) && !died(s, a, &last, f, &f->confidence))
            continue;
        f->cause = CAUSE_TURN_FAILED;
        f->server = a->server;
        return true;
    }
    f->confidence = CONFIDENCE_NONE;
    return false;
}

/* ---- media went through it, and stopped ---- */

/* The server says that it has no such allocation, which was not given back, and nothing comes through it from then on. */
static const struct stun_tx *disowned(const struct scene *s, const struct turn_alloc *a)
{
    const struct stun_tx *x = asked_after(s->v, a, a->made.ns, ANY_METHOD);

    if (!x || x->error != 437 || a->deleted.frame)
        return NULL;
    return a->data_in.last.ns <= x->answer.ns + ABOUT_NS && s->when.to_ns - x->answer.ns >= GONE_NS ? x : NULL;
}

/* Its time ran out, or it was given back, while media went through it in both ways, and from then on none came. */
static bool ran_out(const struct scene *s, const struct turn_alloc *a)
{
    int64_t end = turn_alloc_end(a);

    return a->late_out.n >= DROPPED_LEAST && a->data_in.n && s->when.to_ns - end >= GONE_NS &&
           a->data_in.last.ns <= end + ABOUT_NS && a->data_in.last.ns >= end - STEADY_NS;
}

static bool ended(const struct scene *s, const struct turn_alloc *a, struct direction_finding *out, struct session_finding *f)
{
    const struct stun_tx *x = disowned(s, a), *refresh = x ? x : asked_after(s->v, a, a->refreshed.ns, STUN_REFRESH);

    if (!x && (!ran_out(s, a) || (s->v->options.dropped && !(refresh && refresh->error))))
        return false;
    out->stopped = a->data_in.last;
    out->confidence = refresh && refresh->error ? CONFIDENCE_PROVEN : CONFIDENCE_LIKELY;
    if (refresh && !refresh->success)
        tell_answer(s->v, refresh, 1, f);
    if (a->deleted.frame)
        evidence_add(f, a->deleted, "stun", "The client gave the relay back here (Refresh with lifetime 0).");
    else if (!x)
        evidence_add(f, a->refreshed, "stun", "The relay was granted for %u s here, and no later Refresh was granted.",
                     a->lifetime_s);
    if (a->late_out.n)
        evidence_add(f, a->late_out.first, "media",
                     "%llu packets are still sent through the relay %s after its end; nothing comes.",
                     (unsigned long long)a->late_out.n, addr_keep(f, &a->relayed));
    return true;
}

/* What is sent to that peer through the relay is covered by no permission, so the server drops it, and drops what the peer sends. */
static bool lapsed(const struct scene *s, const struct turn_alloc *a, const struct addr *peer, struct direction_finding *out,
                   struct session_finding *f)
{
    const struct turn_peer *p = peer ? track_turn_peer(s->v->t, a, peer) : NULL;
    char text[ADDR_TEXT];

    if (!p || p->unpermitted.n < DROPPED_LEAST || p->in.last.ns > p->unpermitted.first.ns + ABOUT_NS || s->v->options.dropped ||
        p->unpermitted.first.ns >= s->when.to_ns || (p->granted.n && p->granted.last.ns > p->unpermitted.last.ns))
        return false;
    out->confidence = CONFIDENCE_LIKELY;
    addr_ip_text(&p->peer, text);
    if (p->granted.n) {
        out->stopped = p->in.n ? p->in.last : p->unpermitted.first;
        evidence_add(f, p->granted.last, "stun", "The permission for %s was granted here for the last time, for 300 s.", text);
    } else if (p->refused.n) {
        tell_kept_out(s, a, p, f);
    } else {
        evidence_add(f, p->out.first, "stun", "No permission for %s was asked of the TURN server.", text);
    }
    evidence_add(f, p->unpermitted.first, "media",
                 "From here on %llu packets are sent through the relay to %s without a permission: "
                 "the server drops them.",
                 (unsigned long long)p->unpermitted.n, text);
    return true;
}

static bool relay_lost(const struct scene *s, enum party p, const struct addr *peer, struct direction_finding *out,
                       struct session_finding *f)
{
    const struct turn_alloc *a = s->side[p].local ? alloc_of(s->v, &s->side[p].home) : NULL;
    struct seen last = { 0 };
    enum confidence how;

    if (!a || !view_is_local(s->v, &a->client))
        return false;
    if (ended(s, a, out, f) || lapsed(s, a, peer, out, f)) {
        how = out->confidence;
    } else if (died(s, a, &last, f, &how)) {
        out->stopped = a->data_in.n ? last : out->stopped;
    } else if (p == out->to && !out->received && no_permission(s, p, a, f)) {
        how = CONFIDENCE_LIKELY;
    } else {
        return false;
    }
    out->confidence = how;
    out->cause = CAUSE_TURN_FAILED;
    out->server = a->server;
    return true;
}

bool turn_of_loss(const struct scene *s, struct direction_finding *out, struct session_finding *f)
{
    const struct addr *there = out->sent_to_n ? &out->sent_to[0].addr : NULL;
    const struct addr *from = out->received_from_n ? &out->received_from[0].addr : NULL;

    return relay_lost(s, out->to, from, out, f) || relay_lost(s, out->from, there, out, f);
}
