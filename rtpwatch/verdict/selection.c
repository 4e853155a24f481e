#include "verdict/selection.h"

#include <stdlib.h>

#include "verdict/verdict_private.h"

enum { FIRST_ROOM = 64, SOCKETS = 2 * SIDE_SOCKETS, ASKED_LOOKED_AT = 64 };

/* ---- lists ---- */

/* Room for one more of `size` bytes; false, and `failed`, without memory. */
static bool room_for(struct selection *s, void **list, size_t n, size_t *room, size_t size)
{
    size_t more = *room ? *room * 2 : FIRST_ROOM;
    void *p;

    if (n < *room)
        return true;
    p = realloc(*list, more * size);
    if (!p) {
        s->failed = true;
        return false;
    }
    *list = p;
    *room = more;
    return true;
}

static void key_add(struct selection *s, struct kept_keys *k, struct kept_key add)
{
    void *list = k->list;

    if (!room_for(s, &list, k->n, &k->room, sizeof *k->list))
        return;
    k->list = list;
    k->list[k->n++] = add;
}

static int by_key(const void *a, const void *b)
{
    const struct kept_key *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->session > y->session) - (x->session < y->session);
}

static void keys_sort(struct kept_keys *k)
{
    if (k->n)
        qsort(k->list, k->n, sizeof *k->list, by_key);
}

static void keys_unique(struct kept_keys *k)
{
    size_t n = 0;

    for (size_t i = 0; i < k->n; i++)
        if (!n || by_key(&k->list[n - 1], &k->list[i]) != 0)
            k->list[n++] = k->list[i];
    k->n = n;
}

static size_t session_put(uint32_t *sessions, size_t n, uint32_t session)
{
    for (size_t i = 0; i < n; i++)
        if (sessions[i] == session)
            return n;
    if (n < SELECTION_SESSIONS)
        sessions[n++] = session;
    return n;
}

static size_t keys_find(const struct kept_keys *k, uint64_t key, int64_t ns, uint32_t *sessions, size_t n)
{
    size_t low = 0, high = k->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (k->list[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < k->n && k->list[low].key == key; low++)
        if (k->list[low].from_ns <= ns && ns <= k->list[low].to_ns)
            n = session_put(sessions, n, k->list[low].session);
    return n;
}

static void keys_drop(struct kept_keys *k, uint32_t session)
{
    size_t n = 0;

    for (size_t i = 0; i < k->n; i++)
        if (k->list[i].session != session)
            k->list[n++] = k->list[i];
    k->n = n;
}

void selection_done(struct selection *s)
{
    free(s->flow);
    free(s->frames.list);
    free(s->calls.list);
    free(s->names.list);
    hmap_done(&s->by_pair);
    *s = (struct selection){ 0 };
}

void selection_drop(struct selection *s, uint32_t session)
{
    size_t n = 0;

    for (size_t i = 0; i < s->flows; i++)
        if (s->flow[i].session != session)
            s->flow[n++] = s->flow[i];
    s->flows = n;
    keys_drop(&s->frames, session);
    keys_drop(&s->calls, session);
    keys_drop(&s->names, session);
}

/* ---- one session's addresses ---- */

struct own_socket {
    const struct socket *socket;
    bool rtcp; /* beside the RTP's (RFC 3550 §11): only RTCP and what goes with it counts, since anything else may be there */
};

/* One session while its packets are gathered. */
struct gather {
    struct selection *s;
    const struct view *v;
    const struct owners *all;
    const struct call *c;
    uint32_t session;
    struct span_of_time when;
    size_t first; /* of the flows, its own begin here */
    size_t sockets;
    struct own_socket socket[SOCKETS];
};

static const struct own_socket *own_find(const struct gather *g, const struct socket *k)
{
    for (size_t i = 0; i < g->sockets; i++)
        if (g->socket[i].socket == k)
            return &g->socket[i];
    return NULL;
}

static void own_put(struct gather *g, const struct socket *k, bool rtcp)
{
    if (k && !own_find(g, k) && g->sockets < SOCKETS)
        g->socket[g->sockets++] = (struct own_socket){ k, rtcp };
}

/*
 * An address and the socket that it was made from. Only the latest to which a STUN server told it: one that tells everybody the same
 * would make all calls one.
 */
static void own_address(struct gather *g, const struct addr *a, int64_t ns)
{
    const struct stun_tx *x;

    if (!addr_usable(a))
        return;
    own_put(g, track_find_socket(g->v->t, a), false);
    x = track_tx_at(g->v->t, mapping_behind(g->v, a, ns));
    if (x)
        own_put(g, track_socket(g->v->t, x->socket), false);
}

static void own_description(struct gather *g, const struct sdp_fact *f)
{
    for (size_t i = 0; i < f->medias; i++) {
        struct addr beside = addr_with_port(f->from, f->media[i].addr.port); /* the sender's own, behind a NAT */

        own_address(g, &f->media[i].addr, f->at.ns);
        own_address(g, &beside, f->at.ns);
    }
    for (size_t i = 0; i < f->cands; i++) {
        own_address(g, &f->cand[i].addr, f->at.ns);
        own_address(g, &f->cand[i].raddr, f->at.ns);
    }
}

static void own_rtcp(struct gather *g)
{
    for (size_t i = 0, n = g->sockets; i < n; i++) {
        struct addr beside = addr_with_port(g->socket[i].socket->addr, (uint16_t)(g->socket[i].socket->addr.port | 1));

        own_put(g, track_find_socket(g->v->t, &beside), true);
    }
    for (const struct sdp_fact *f = g->c->sdps; f; f = f->next)
        for (size_t i = 0; i < f->medias; i++)
            if (addr_usable(&f->media[i].rtcp))
                own_put(g, track_find_socket(g->v->t, &f->media[i].rtcp), true);
}

/* ---- what flows there ---- */

static bool names_fragment(const struct call *c, struct span ufrag)
{
    for (const struct sdp_fact *f = c->sdps; f; f = f->next)
        for (size_t i = 0; i < f->medias; i++)
            if (ufrag.n && span_eq(span_str(f->media[i].ufrag), ufrag))
                return true;
    return false;
}

/* The checks of that flow name two fragments (RFC 8445 §7.1.2), and neither is this session's. */
static bool checks_of_others(const struct gather *g, const struct flow *f)
{
    const struct check *c = f ? track_check_at(g->v->t, f->checks) : NULL;
    const char *const users[] = { c ? c->username : "", c ? c->username_before : "" };
    bool named = false;

    for (size_t i = 0; i < 2; i++) {
        struct span rest = span_str(users[i]), peer = span_until(&rest, ':');

        if (names_fragment(g->c, peer) || names_fragment(g->c, rest))
            return false;
        named |= peer.n && rest.n;
    }
    return named;
}

static bool ice_of_others(const struct gather *g, const struct flow *f)
{
    return checks_of_others(g, f) || checks_of_others(g, track_find_flow(g->v->t, &f->dst, &f->src));
}

/* `far`: the end that is not the session's. */
static bool flow_belongs(const struct gather *g, const struct own_socket *own, const struct flow *f, const struct socket *far)
{
    int64_t from = g->when.from_ns, to = g->when.to_ns;

    if (f->packets.first.ns > to || f->packets.last.ns < from)
        return false;
    if (own->rtcp && !(f->contains & (FLOW_RTCP | FLOW_STUN_SERVER | FLOW_CHECK)))
        return false;
    if (own_find(g, far))
        return true;
    if (ice_of_others(g, f))
        return false;
    return !owners_at(g->all, own->socket, from, to, g->c) || !owners_at(g->all, far, from, to, g->c);
}

static void flow_add(struct gather *g, const struct flow *f)
{
    struct selection *s = g->s;
    void *list = s->flow;

    for (size_t i = g->first; i < s->flows; i++)
        if (addr_eq(&s->flow[i].src, &f->src) && addr_eq(&s->flow[i].dst, &f->dst))
            return;
    if (!room_for(s, &list, s->flows, &s->room, sizeof *s->flow))
        return;
    s->flow = list;
    s->flow[s->flows++] = (struct kept_flow){ f->src, f->dst, g->when.from_ns, g->when.to_ns, g->session, POOL_NONE };
}

static void flows_gather(struct gather *g, const struct own_socket *own)
{
    const struct flow *f;

    for (uint32_t i = own->socket->flows_out; (f = track_flow_at(g->v->t, i)) != NULL; i = f->next_out)
        if (flow_belongs(g, own, f, track_socket(g->v->t, f->dst_socket)))
            flow_add(g, f);
    for (uint32_t i = own->socket->flows_in; (f = track_flow_at(g->v->t, i)) != NULL; i = f->next_in)
        if (flow_belongs(g, own, f, track_socket(g->v->t, f->src_socket)))
            flow_add(g, f);
}

/* ---- STUN servers and their names ---- */

static uint64_t name_key(const char *name)
{
    return hash_bytes(name, strlen(name));
}

static void name_add(struct gather *g, const char *name)
{
    int64_t from = g->when.from_ns > INT64_MIN + SELECTION_NAMES_NS ? g->when.from_ns - SELECTION_NAMES_NS : INT64_MIN;
    struct kept_key k = { name_key(name), from, g->when.to_ns, g->session };

    if (!*name)
        return;
    for (size_t i = g->s->names.n; i-- > 0 && g->s->names.list[i].session == g->session;)
        if (g->s->names.list[i].key == k.key)
            return;
    key_add(g->s, &g->s->names, k);
}

static void server_names(struct gather *g, const struct stun_tx *x)
{
    const struct stun_server *server = track_server_at(g->v->t, x->server);
    const struct dns_fact *n = server ? dns_name_of(g->v->t, &server->addr, x->requests.first.ns) : NULL;

    if (!n)
        return;
    name_add(g, n->name);
    name_add(g, n->via);
    selection_cite(g->s, n->at.frame, g->session);
    if (n->last.ns <= g->when.to_ns)
        selection_cite(g->s, n->last.frame, g->session);
}

static void exchange_add(struct gather *g, const struct stun_tx *x)
{
    selection_cite(g->s, x->requests.first.frame, g->session);
    selection_cite(g->s, x->requests.last.frame, g->session);
    selection_cite(g->s, x->answer.frame, g->session);
    server_names(g, x);
}

static bool asked_for_it(const struct gather *g, const struct stun_tx *x)
{
    return x->requests.first.ns >= g->c->started.ns - SELECTION_LEAD_NS && x->requests.first.ns <= g->when.to_ns;
}

/* The session begins, for this, when its sockets asked. */
static void questions_gather(struct gather *g)
{
    const struct stun_tx *x;

    for (size_t k = 0; k < g->sockets; k++) {
        unsigned steps = 0;

        for (uint32_t i = g->socket[k].socket->asked; steps++ < ASKED_LOOKED_AT && (x = track_tx_at(g->v->t, i)) != NULL;
             i = x->next_asked) {
            if (!asked_for_it(g, x))
                continue;
            server_names(g, x);
            if (x->requests.first.ns < g->when.from_ns)
                g->when.from_ns = x->requests.first.ns;
        }
    }
}

/* An older answer that an advertised address was made from, however long ago. */
static void mapping_add(struct gather *g, const struct addr *a, int64_t ns)
{
    const struct stun_tx *x = track_tx_at(g->v->t, mapping_behind(g->v, a, ns));

    if (x && !asked_for_it(g, x))
        exchange_add(g, x);
}

static void mappings_gather(struct gather *g)
{
    for (const struct sdp_fact *f = g->c->sdps; f; f = f->next) {
        for (size_t i = 0; i < f->medias; i++)
            mapping_add(g, &f->media[i].addr, f->at.ns);
        for (size_t i = 0; i < f->cands; i++)
            mapping_add(g, &f->cand[i].addr, f->at.ns);
    }
}

/* ---- signalling that cannot be read ---- */

/*
 * Its connection shows where the other party is. With several peers of the host nobody knows whose the session is, and what other peers say
 * is theirs.
 */
static void connection_add(struct gather *g, const struct addr *host)
{
    const struct conn_fact *found = NULL;

    for (uint32_t i = 0; i < g->v->t->conns.used; i++) {
        const struct conn_fact *c = pool_at(&g->v->t->conns, i);
        bool out = addr_ip_eq(&c->client, host), in = addr_ip_eq(&c->server, host);

        if ((!out && !in) || c->opened.first.ns > g->when.to_ns)
            continue;
        if (found &&
            !addr_ip_eq(out ? &c->server : &c->client, addr_ip_eq(&found->client, host) ? &found->server : &found->client))
            return;
        found = c;
    }
    if (found)
        selection_cite(g->s, found->opened.first.frame, g->session);
}

static void connections_gather(struct gather *g)
{
    for (size_t i = 0; i < g->sockets; i++)
        if (view_is_local(g->v, &g->socket[i].socket->addr))
            connection_add(g, &g->socket[i].socket->addr);
}

/* ---- all of one session ---- */

uint64_t selection_call_key(struct span call_id)
{
    return hash_bytes(call_id.p, call_id.n);
}

void selection_add(struct selection *s, const struct view *v, const struct owners *all, const struct call *c, uint32_t session)
{
    bool from_start = c->kind != SESSION_SIP || c->seen_from_start;
    struct gather g = { .s = s, .v = v, .all = all, .c = c, .session = session, .first = s->flows };

    g.when.from_ns = from_start ? c->started.ns : INT64_MIN;
    g.when.to_ns = c->ended.frame ? c->ended.ns + SELECTION_AFTER_NS : INT64_MAX;
    if (c->kind == SESSION_SIP && *c->call_id)
        key_add(s, &s->calls, (struct kept_key){ selection_call_key(span_str(c->call_id)), INT64_MIN, INT64_MAX, session });
    for (const struct sdp_fact *f = c->sdps; f; f = f->next)
        own_description(&g, f);
    own_rtcp(&g);
    questions_gather(&g);
    mappings_gather(&g);
    if (c->kind != SESSION_SIP)
        connections_gather(&g);
    for (size_t i = 0; i < g.sockets; i++)
        flows_gather(&g, &g.socket[i]);
}

void selection_cite(struct selection *s, uint64_t frame, uint32_t session)
{
    if (frame)
        key_add(s, &s->frames, (struct kept_key){ frame, INT64_MIN, INT64_MAX, session });
}

/* ---- asking ---- */

/* An answer without its request is nobody's word. */
static void requests_add(struct selection *s, const struct view *v)
{
    size_t cited = s->frames.n;

    for (uint32_t i = 0; cited && i < v->t->stun_txs.used; i++) {
        const struct stun_tx *x = track_tx_at(v->t, i);
        const struct kept_keys sorted = { s->frames.list, cited, cited };
        uint32_t sessions[SELECTION_SESSIONS];
        size_t n = x->answer.frame ? keys_find(&sorted, x->answer.frame, 0, sessions, 0) : 0;

        for (size_t k = 0; k < n; k++) {
            selection_cite(s, x->requests.first.frame, sessions[k]);
            selection_cite(s, x->requests.last.frame, sessions[k]);
        }
    }
    keys_sort(&s->frames);
    keys_unique(&s->frames);
}

static uint64_t pair_hash(const struct addr *src, const struct addr *dst)
{
    return addr_hash(src) * 3 + addr_hash(dst);
}

struct pair {
    const struct addr *src, *dst;
};

static bool pair_eq(const void *self, uint32_t slot, const void *key)
{
    const struct kept_flow *f = &((const struct selection *)self)->flow[slot];
    const struct pair *p = key;

    return addr_eq(&f->src, p->src) && addr_eq(&f->dst, p->dst);
}

static void pairs_index(struct selection *s)
{
    hmap_done(&s->by_pair);
    for (size_t i = 0; i < s->flows; i++) {
        struct kept_flow *f = &s->flow[i];
        uint64_t hash = pair_hash(&f->src, &f->dst);
        uint32_t head = hmap_find(&s->by_pair, hash, pair_eq, s, &(struct pair){ &f->src, &f->dst });

        f->next = POOL_NONE;
        if (head != HMAP_NONE) {
            f->next = s->flow[head].next;
            s->flow[head].next = (uint32_t)i;
        } else if (!hmap_put(&s->by_pair, hash, (uint32_t)i)) {
            s->failed = true;
        }
    }
}

void selection_ready(struct selection *s, const struct view *v)
{
    keys_sort(&s->frames);
    keys_sort(&s->calls);
    keys_sort(&s->names);
    requests_add(s, v);
    pairs_index(s);
}

size_t selection_of_flow(const struct selection *s, const struct addr *src, const struct addr *dst, int64_t ns,
                         uint32_t sessions[SELECTION_SESSIONS], size_t n)
{
    uint32_t head = hmap_find(&s->by_pair, pair_hash(src, dst), pair_eq, s, &(struct pair){ src, dst });

    for (uint32_t i = head == HMAP_NONE ? POOL_NONE : head; i != POOL_NONE; i = s->flow[i].next)
        if (s->flow[i].from_ns <= ns && ns <= s->flow[i].to_ns)
            n = session_put(sessions, n, s->flow[i].session);
    return n;
}

size_t selection_of_frame(const struct selection *s, uint64_t frame, uint32_t sessions[SELECTION_SESSIONS], size_t n)
{
    return keys_find(&s->frames, frame, 0, sessions, n);
}

size_t selection_of_call(const struct selection *s, uint64_t call, uint32_t sessions[SELECTION_SESSIONS], size_t n)
{
    return keys_find(&s->calls, call, 0, sessions, n);
}

size_t selection_of_name(const struct selection *s, const char *name, int64_t ns, uint32_t sessions[SELECTION_SESSIONS], size_t n)
{
    return keys_find(&s->names, name_key(name), ns, sessions, n);
}
