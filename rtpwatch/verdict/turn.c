/*
 * TURN (RFC 8656) where it keeps a call from its media: the relay was refused, its permissions were, it expired, or it died. A server that
 * refuses is not one that lies: what is blamed here makes no STUN server bad.
 */
#include "verdict/turn_private.h"

#define PATIENCE_NS  SECONDS(2)  /* a request unanswered for less may still be: RFC 8489 §6.2.1 waits for 39.5 s */
#define GATHERING_NS SECONDS(10) /* how long an agent may gather candidates before it describes them */
enum {
    CALLS_LOOKED_AT = 1 << 16, /* the latest ones */
    CALLS_AT_HAND = 64,        /* of these one is the host's where it is busy: they are looked at first */
};

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

/* A refusal tells more than silence, and a step that the client did not take tells least; of two the later one. */
static int telling(const struct stun_tx *x)
{
    return !x->answer.frame ? 1 : turn_is_step(x) ? 0 : 2;
}

static void asked_add(const struct scene *s, uint32_t tx, struct asking *out)
{
    const struct stun_tx *x = track_tx_at(s->v->t, tx), *best = track_tx_at(s->v->t, out->vain);
    const struct turn_alloc *a = x->success ? alloc_of(s->v, &x->more->relayed) : NULL;

    if (x->success) {
        out->given |= !a || turn_alloc_end(a) >= s->call->started.ns; /* else it is of an earlier call on this port */
        return;
    }
    if (!x->answer.frame && (!view_sees_silence(s->v) || s->when.to_ns - x->requests.first.ns < PATIENCE_NS))
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
        turn_tell_answer(s->v, x, asked.times, f);
        turn_refusal_text(s->v, x, asked.times, &b);
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

/* A relay outside cannot reach an address inside some network, whatever it permits. */
static bool of_use(const struct turn_alloc *a, const struct turn_peer *p)
{
    return addr_is_unroutable(&a->relayed) || !addr_is_unroutable(&p->peer);
}

/* What became of the permissions that were asked for the other party's addresses. */
struct permissions {
    bool let_through, granted;       /* for an address where it can be reached; for any */
    const struct turn_peer *refused; /* best one that is not inside some network; NULL: none */
};

static struct permissions permissions_of(const struct scene *s, const struct turn_alloc *a, const struct side *other)
{
    struct permissions out = { 0 };
    const struct turn_peer *p;

    for (uint32_t i = a->peers; (p = track_turn_peer_at(s->v->t, i)) != NULL; i = p->next) {
        if (!is_of(other, &p->peer))
            continue;
        out.granted |= p->granted.n > 0;
        out.let_through |= p->granted.n && of_use(a, p);
        if (p->refused.n && !p->granted.n && (!out.refused || of_use(a, p)))
            out.refused = p;
    }
    if (out.let_through || (out.granted && out.refused && !of_use(a, out.refused)))
        out.refused = NULL;
    return out;
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

static enum doing no_permission(const struct scene *s, enum party p, const struct turn_alloc *a, struct session_finding *f)
{
    struct permissions asked = permissions_of(s, a, &s->side[other_party(p)]);
    const struct flow *tried = asked.refused || asked.let_through ? NULL : knocks(s, a);
    char text[ADDR_TEXT];

    if (asked.refused) {
        turn_tell_kept_out(s, a, asked.refused, f);
        return DOING_SERVERS;
    }
    if (!tried || !view_sees_silence(s->v))
        return DOING_NONE;
    evidence_add(f, tried->packets.first, "stun",
                 "%s sends to the relay %s, and no permission for it was asked: the server drops it.", addr_keep(f, &tried->src),
                 addr_text(&a->relayed, text));
    return DOING_CLIENTS;
}

static bool offers_relay(const struct scene *s, enum party p)
{
    const struct sdp_fact *sdp = s->side[p].sdp;

    for (size_t i = 0; i < sdp->cands; i++)
        if (sdp->cand[i].type == SDP_CAND_RELAY)
            return true;
    return false;
}

/* A client that leaves undone what the server asks of it, once, is what fails. */
static enum doing whose(const struct stun_tx *x, unsigned times)
{
    return turn_is_step(x) && times == 1 ? DOING_CLIENTS : DOING_SERVERS;
}

bool turn_of_setup(const struct scene *s, enum party p, struct session_finding *f)
{
    struct asking asked = asked_relays(s, p);
    const struct stun_tx *x = track_tx_at(s->v->t, asked.vain);
    const struct turn_alloc *a;
    enum doing doing;
    struct seen last;

    if (x && (x->answer.frame || !offers_relay(s, p))) { /* else an answer came, and was not captured */
        turn_tell_answer(s->v, x, asked.times, f);
        /* The other party's relay did not connect either: more than this one was missing. */
        f->confidence = offers_relay(s, other_party(p)) ? CONFIDENCE_SUSPECTED : CONFIDENCE_LIKELY;
        f->cause = CAUSE_TURN_FAILED;
        f->server = whose(x, asked.times) == DOING_SERVERS ? x->server : POOL_NONE;
        return true;
    }
    for (size_t i = 0; s->side[p].local && i < s->side[p].own_n; i++) {
        a = alloc_of(s->v, &s->side[p].own[i]);
        if (!a || !view_is_local(s->v, &a->client))
            continue;
        f->confidence = CONFIDENCE_LIKELY;
        doing = no_permission(s, p, a, f);
        if (doing == DOING_NONE && turn_died(s, a, &last, f, &f->confidence))
            doing = DOING_SERVERS;
        if (doing == DOING_NONE)
            continue;
        f->cause = CAUSE_TURN_FAILED;
        f->server = doing == DOING_SERVERS ? a->server : POOL_NONE;
        return true;
    }
    f->confidence = CONFIDENCE_NONE;
    return false;
}

/* ---- media went through it, and stopped ---- */

static bool relay_lost(const struct scene *s, enum party p, const struct addr *peer, struct direction_finding *out,
                       struct session_finding *f)
{
    const struct turn_alloc *a = s->side[p].local && s->v->t->relays_asked ? alloc_of(s->v, &s->side[p].home) : NULL;
    enum confidence how = CONFIDENCE_LIKELY;
    struct seen last = { 0 };
    enum doing doing;

    if (!a || !view_is_local(s->v, &a->client))
        return false;
    doing = turn_ended(s, a, out, f);
    if (doing == DOING_NONE)
        doing = turn_lapsed(s, a, peer, out, f);
    if (doing != DOING_NONE) {
        how = out->confidence;
    } else if (turn_died(s, a, &last, f, &how)) {
        doing = DOING_SERVERS;
        out->stopped = a->data_in.n ? last : out->stopped;
    } else if (p == out->to && !out->received) {
        doing = no_permission(s, p, a, f);
    }
    if (doing == DOING_NONE)
        return false;
    out->confidence = how;
    out->cause = CAUSE_TURN_FAILED;
    out->server = doing == DOING_SERVERS ? a->server : POOL_NONE;
    return true;
}

bool turn_of_loss(const struct scene *s, struct direction_finding *out, struct session_finding *f)
{
    const struct addr *there = out->sent_to_n ? &out->sent_to[0].addr : NULL;
    const struct addr *from = out->received_from_n ? &out->received_from[0].addr : NULL;

    return relay_lost(s, out->to, from, out, f) || relay_lost(s, out->from, there, out, f);
}

bool turn_closed(const struct scene *s, enum party to, const struct addr *x, const struct icmp_about *icmp,
                 struct session_finding *f)
{
    const struct sdp_fact *sdp = s->side[to].sdp;
    char text[ADDR_TEXT];

    for (size_t i = 0; i < sdp->cands; i++) {
        if (sdp->cand[i].type != SDP_CAND_RELAY || !addr_eq(&sdp->cand[i].addr, x) || !addr_ip_eq(&icmp->reporter, x))
            continue;
        evidence_add(f, icmp->errors.first, "icmp",
                     "%s is the relay of %s, and its server answers that nobody listens there: it has ended.", addr_text(x, text),
                     party_name(s->call, to, f));
        return true;
    }
    return false;
}
