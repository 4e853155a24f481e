/* What a notebook that is written for days must keep: the sessions that last, and all that a verdict on them may look at. */
#include "track/compact.h"
#include "track/track_private.h"

#define ENDED_NS   SECONDS(60)   /* a call that has ended: late packets, and whoever tells of it */
#define SILENT_NS  SECONDS(600)  /* a call without an end, of which nothing more is seen */
#define FLOW_NS    SECONDS(60)   /* between addresses that no call names */
#define ANSWER_NS  SECONDS(900)  /* a STUN answer: others of its host are held against it for 10 minutes (claim.c) */
#define MAPPING_NS SECONDS(7200) /* a STUN answer to a socket that lives on: as long as an SDP may be made from it (scene.c) */
enum { ASKED_BEFORE = 4 };       /* of a socket, such answers: of some servers, of a question that was asked again */
#define SELDOM_NS SECONDS(24 * 3600) /* names and the like, once their table is half full */

/* ---- calls, and the addresses that they name ---- */

static void name(struct sweep *s, const struct addr *a, int64_t since_ns)
{
    uint32_t slot = socket_find(s->t, a);

    if (slot == POOL_NONE)
        return;
    s->keep_sockets[slot] = true;
    s->named_ns[slot] = since_ns < s->named_ns[slot] ? since_ns : s->named_ns[slot];
}

static void keep_socket(struct sweep *s, const struct addr *a)
{
    uint32_t slot = socket_find(s->t, a);

    if (slot != POOL_NONE)
        s->keep_sockets[slot] = true;
}

/* The RTCP socket beside an RTP one (RFC 3550 §11). */
static void name_pair(struct sweep *s, const struct addr *a, int64_t since_ns)
{
    struct addr rtcp = addr_with_port(*a, (uint16_t)(a->port + 1));

    name(s, a, since_ns);
    name(s, &rtcp, since_ns);
}

static void name_all(struct sweep *s, const struct call *c)
{
    int64_t since = c->started.ns;

    for (const struct sdp_fact *d = c->sdps; d; d = d->next) {
        for (size_t i = 0; i < d->medias; i++) {
            struct addr beside = addr_with_port(d->from, d->media[i].addr.port);

            name_pair(s, &d->media[i].addr, since);
            name_pair(s, &d->media[i].rtcp, since);
            name_pair(s, &beside, since); /* a socket whose outside address was set by hand */
        }
        for (size_t i = 0; i < d->cands; i++) {
            name_pair(s, &d->cand[i].addr, since);
            name_pair(s, &d->cand[i].raddr, since);
        }
    }
}

/* Asked newest first: where very many lasted, one of the first still does. */
static bool lasts_at(const struct sweep *s, const struct addr *a)
{
    const struct socket *k = track_find_socket(s->t, a);
    const struct flow *f;

    for (uint32_t i = k ? k->flows_out : POOL_NONE; (f = track_flow_at(s->t, i)) != NULL; i = f->next_out)
        if (s->now_ns - SILENT_NS <= f->packets.last.ns)
            return true;
    for (uint32_t i = k ? k->flows_in : POOL_NONE; (f = track_flow_at(s->t, i)) != NULL; i = f->next_in)
        if (s->now_ns - SILENT_NS <= f->packets.last.ns)
            return true;
    return false;
}

static bool media_lasts(const struct sweep *s, const struct call *c)
{
    for (const struct sdp_fact *d = c->sdps; d; d = d->next) {
        for (size_t i = 0; i < d->medias; i++)
            if (lasts_at(s, &d->media[i].addr))
                return true;
        for (size_t i = 0; i < d->cands; i++)
            if (lasts_at(s, &d->cand[i].addr))
                return true;
    }
    return false;
}

/* A call whose end was not seen ends when nothing more is seen of it; it is given up one time later, so that its end is told. */
static bool call_stays(const struct sweep *s, struct call *c)
{
    if (c->ended.frame)
        return s->now_ns - c->ended.ns <= ENDED_NS || s->now_ns - c->last.ns <= ENDED_NS;
    if (s->now_ns - c->last.ns <= SILENT_NS || media_lasts(s, c))
        return true;
    c->ended = c->last;
    c->ended.ns = s->now_ns; /* as far as is known */
    c->state = CALL_OVER;
    return true;
}

static void mark_calls(struct sweep *s)
{
    for (uint32_t i = 0; i < s->t->calls.used; i++) {
        struct call *c = track_call_at(s->t, i);

        s->keep_calls[i] = call_stays(s, c);
        if (s->keep_calls[i])
            name_all(s, c);
    }
    for (uint32_t i = 0; i < s->t->sockets.used; i++) { /* from here on only what stays has named it, and flows to it */
        struct socket *k = track_socket(s->t, i);

        k->advertised = k->advertised && s->named_ns[i] != INT64_MAX;
        k->takes_media = false;
    }
}

/* ---- what STUN servers answered ---- */

/* Since when a call that stays has named it. */
static int64_t named_since(const struct sweep *s, uint32_t socket)
{
    return socket == POOL_NONE ? INT64_MAX : s->named_ns[socket];
}

/* Asked newest first: of those before the calls that stay, only the latest can have been told in their descriptions. */
static bool tx_stays(struct sweep *s, const struct stun_tx *x)
{
    int64_t age = s->now_ns - x->requests.last.ns, since, mapped;

    if (age <= ANSWER_NS)
        return true;
    since = named_since(s, x->socket);
    mapped = addr_is_none(&x->mapped) ? INT64_MAX : named_since(s, socket_find(s->t, &x->mapped));
    since = mapped < since ? mapped : since;
    if (since == INT64_MAX || age > MAPPING_NS)
        return false;
    return x->requests.last.ns >= since || s->asked_before[x->socket]++ < ASKED_BEFORE;
}

static void mark_answer(struct sweep *s, uint32_t i)
{
    const struct stun_tx *x = track_tx_at(s->t, i);

    s->keep_sockets[x->socket] = true;
    s->keep_servers[x->server] = true;
    if (x->success && x->more != &stun_no_more)
        keep_socket(s, &x->more->relayed);
}

/* The addresses that were told, and the hosts that asked: who has a list of answers of which some stay. */
static void mark_heads(struct sweep *s)
{
    for (uint32_t i = 0; i < s->t->sockets.used; i++) {
        const struct socket *k = track_socket(s->t, i);

        s->keep_sockets[i] |= COMPACT_STAYING(s, stun_txs, k->claimed, stun_tx, next_claimed) != POOL_NONE ||
                              COMPACT_STAYING(s, stun_txs, k->latest_of_host, stun_tx, older_of_host) != POOL_NONE;
    }
}

static void mark_answers(struct sweep *s)
{
    for (uint32_t i = s->t->stun_txs.used; i-- > 0;)
        s->keep_stun_txs[i] = tx_stays(s, track_tx_at(s->t, i));
    for (uint32_t i = 0; i < s->t->stun_txs.used; i++)
        if (s->keep_stun_txs[i])
            mark_answer(s, i);
    mark_heads(s);
    for (uint32_t i = 0; i < s->t->servers.used; i++)
        s->keep_servers[i] |= s->t->servers.used < TRACK_SERVERS / 2;
}

/* ---- flows and what hangs on them ---- */

static bool relays(const struct sweep *s, const struct flow *f)
{
    const struct turn_alloc *a = track_alloc_at(s->t, f->alloc);

    return a && turn_alloc_end(a) + FLOW_NS >= s->now_ns;
}

static void mark_stream(struct sweep *s, uint32_t i)
{
    const struct stream *x = track_stream_at(s->t, i);

    s->keep_streams[i] = true;
    if (x->ids != POOL_NONE)
        s->keep_stream_ids[x->ids] = true;
}

static void mark_rtcp(struct sweep *s, uint32_t i)
{
    const struct rtcp_about *a;

    s->keep_rtcps[i] = true;
    for (uint32_t k = track_rtcp_at(s->t, i)->reports; (a = track_about_at(s->t, k)) != NULL; k = a->next)
        s->keep_abouts[k] = true;
}

static void mark_alloc(struct sweep *s, uint32_t i)
{
    const struct turn_alloc *a = track_alloc_at(s->t, i);
    const struct turn_peer *p;

    s->keep_allocs[i] = true;
    s->keep_servers[a->server] = true;
    keep_socket(s, &a->relayed);
    for (uint32_t k = a->peers; (p = track_turn_peer_at(s->t, k)) != NULL; k = p->next)
        s->keep_turn_peers[k] = true;
}

/*
 * Between two addresses that calls name, since the later of these began. Of an address that a call names and one that none does, as long as
 * such a call is waited for: ports are used again, and a gateway may have one for all calls.
 */
static bool in_use(const struct sweep *s, const struct flow *f, int64_t last_ns)
{
    int64_t src = s->named_ns[f->src_socket], dst = s->named_ns[f->dst_socket];

    if (src == INT64_MAX || dst == INT64_MAX)
        return src != dst && s->now_ns - last_ns <= SILENT_NS;
    return last_ns >= (src > dst ? src : dst) - FLOW_NS;
}

/* Of a flow that stays: what the calls before left on it goes. */
static bool media_stays(const struct sweep *s, const struct flow *f, int64_t last_ns)
{
    return s->now_ns - last_ns <= FLOW_NS || in_use(s, f, last_ns);
}

/* Where no call names its ends, a session lasts as long as no long silence ends it, and its beginning is what it is known by. */
static bool unnamed(const struct sweep *s, const struct flow *f)
{
    return s->named_ns[f->src_socket] == INT64_MAX && s->named_ns[f->dst_socket] == INT64_MAX;
}

static void mark_streams(struct sweep *s, const struct flow *f)
{
    int64_t next_ns = unnamed(s, f) ? s->now_ns : INT64_MAX;
    const struct stream *x;

    for (uint32_t k = f->streams; (x = track_stream_at(s->t, k)) != NULL; k = x->next) {
        bool follows = !x->given_up && next_ns != INT64_MAX && next_ns - x->packets.last.ns <= SILENT_NS;

        if (follows || media_stays(s, f, x->packets.last.ns))
            mark_stream(s, k);
        if (follows && x->packets.first.ns < next_ns)
            next_ns = x->packets.first.ns;
    }
}

static void mark_flow(struct sweep *s, uint32_t i)
{
    const struct flow *f = track_flow_at(s->t, i);
    const struct rtcp_sender *r;

    s->keep_flows[i] = s->keep_sockets[f->src_socket] = s->keep_sockets[f->dst_socket] = true;
    if (f->contains & (FLOW_RTP | FLOW_RTCP))
        track_socket(s->t, f->dst_socket)->takes_media = true;
    mark_streams(s, f);
    for (uint32_t k = f->rtcps; (r = track_rtcp_at(s->t, k)) != NULL; k = r->next)
        if (media_stays(s, f, r->packets.n ? r->packets.last.ns : r->made_ns))
            mark_rtcp(s, k);
    if (f->checks != POOL_NONE)
        s->keep_checks[f->checks] = true;
    if (f->icmp != POOL_NONE)
        s->keep_icmps[f->icmp] = true;
    if (f->alloc != POOL_NONE)
        mark_alloc(s, f->alloc);
}

static void mark_flows(struct sweep *s)
{
    for (uint32_t i = 0; i < s->t->flows.used; i++) {
        const struct flow *f = track_flow_at(s->t, i);

        if (s->now_ns - f->packets.last.ns <= FLOW_NS || relays(s, f) || in_use(s, f, f->packets.last.ns))
            mark_flow(s, i);
    }
    for (uint32_t i = 0; i < s->t->restarts.used; i++)
        s->keep_restarts[i] = s->keep_checks[((const struct ice_restart *)pool_at(&s->t->restarts, i))->check];
}

static void mark_dtls_end(struct sweep *s, const struct dtls_end *e)
{
    if (e->join != POOL_NONE)
        s->keep_dtls_joins[e->join] = true;
    if (e->certificate != POOL_NONE)
        s->keep_certificates[e->certificate] = true;
}

static bool flow_stays(const struct sweep *s, const struct addr *src, const struct addr *dst)
{
    const struct flow *f = track_find_flow(s->t, src, dst);

    return f && s->keep_flows[f->slot];
}

static void mark_dtls(struct sweep *s)
{
    for (uint32_t i = 0; i < s->t->dtls.used; i++) {
        const struct dtls_assoc *a = track_dtls_at(s->t, i);

        s->keep_dtls[i] = flow_stays(s, &a->end[0].addr, &a->end[1].addr) || flow_stays(s, &a->end[1].addr, &a->end[0].addr);
        if (!s->keep_dtls[i])
            continue;
        mark_dtls_end(s, &a->end[0]);
        mark_dtls_end(s, &a->end[1]);
    }
}

/* ---- the rest ---- */

/* A table of things that hosts say seldom and that stay true for long: all of it, until it is half full. */
static bool seldom_stays(const struct sweep *s, const struct pool *p, int64_t last_ns)
{
    return p->used < p->cap / 2 || s->now_ns - last_ns <= SELDOM_NS;
}

static void mark_rest(struct sweep *s)
{
    const struct track *t = s->t;

    for (uint32_t i = 0; i < t->names.used; i++)
        s->keep_names[i] = seldom_stays(s, &t->names, ((const struct dns_fact *)pool_at(&t->names, i))->last.ns);
    for (uint32_t i = 0; i < t->outsides.used; i++)
        s->keep_outsides[i] = seldom_stays(s, &t->outsides, ((const struct outside_fact *)pool_at(&t->outsides, i))->at.last.ns);
    for (uint32_t i = 0; i < t->conns.used; i++)
        s->keep_conns[i] = seldom_stays(s, &t->conns, ((const struct conn_fact *)pool_at(&t->conns, i))->opened.last.ns);
    for (uint32_t i = 0; i < t->calls.used; i++)
        for (const struct sdp_fact *d = s->keep_calls[i] ? track_call_at(t, i)->sdps : NULL; d; d = d->next)
            for (size_t m = 0; m < d->medias; m++) {
                uint32_t slot = ice_password_find(t, span_str(d->media[m].ufrag));

                if (slot != POOL_NONE)
                    s->keep_passwords[slot] = true;
            }
}

static void count_disbelieved(struct sweep *s)
{
    for (uint32_t i = 0; i < s->t->streams.used; i++) {
        const struct stream *x = track_stream_at(s->t, i);

        if (!s->keep_streams[i] && !x->believed && !(track_flow_at(s->t, x->flow)->contains & FLOW_RELAYED))
            s->t->disbelieved += x->packets.n;
    }
}

bool compact_mark(struct sweep *s)
{
    mark_calls(s);
    if (!compact_give_up(s))
        return false;
    mark_answers(s);
    mark_flows(s);
    mark_dtls(s);
    mark_rest(s);
    count_disbelieved(s);
    return true;
}
