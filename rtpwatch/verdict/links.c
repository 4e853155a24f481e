#include "verdict/links.h"

#include <stdlib.h>

#include "verdict/links_private.h"

const char *link_by_word(enum link_by by)
{
    static const char *const words[LINK_BYS] = { "header", "call_id", "session_id", "media" };

    return words[by];
}

const struct link *link_first(const struct links *l, uint32_t session)
{
    return l->first && l->first[session] != POOL_NONE ? &l->link[l->first[session]] : NULL;
}

const struct link *link_next(const struct links *l, const struct link *k)
{
    return k->next != POOL_NONE ? &l->link[k->next] : NULL;
}

/* ---- the list ---- */

static struct link *link_between(const struct links *l, uint32_t a, uint32_t b)
{
    for (uint32_t i = l->first[a]; i != POOL_NONE; i = l->link[i].next)
        if (l->link[i].other == b)
            return &l->link[i];
    return NULL;
}

static bool full(const struct links *l, uint32_t session)
{
    size_t n = 0;

    for (uint32_t i = l->first[session]; i != POOL_NONE; i = l->link[i].next)
        n++;
    return n >= LINKS_KEPT;
}

static void append(struct links *l, uint32_t session, const struct link *k)
{
    uint32_t *end = &l->first[session];

    while (*end != POOL_NONE)
        end = &l->link[*end].next;
    l->link[l->n] = *k;
    l->link[l->n].next = POOL_NONE;
    *end = l->n++;
}

static bool room_for_two(struct links *l, const struct report *r)
{
    struct link *more;
    uint32_t room = l->room ? l->room * 2 : 64;

    if (!l->first) {
        l->first = malloc((r->sessions + 1u) * sizeof *l->first);
        for (uint32_t i = 0; l->first && i < r->sessions; i++)
            l->first[i] = POOL_NONE;
    }
    if (!l->first || l->n + 2 <= l->room)
        return l->first != NULL;
    more = realloc(l->link, room * sizeof *more);
    if (!more)
        return false;
    l->link = more;
    l->room = room;
    return true;
}

bool link_add(struct links *l, const struct report *r, uint32_t a, uint32_t b, const struct link *k)
{
    struct link one = *k, back = *k;
    struct link *known;

    if (!room_for_two(l, r))
        return false;
    known = link_between(l, a, b);
    if (known && (!k->legs || known->legs))
        return true;
    if (known) { /* related before, and legs of one path now */
        struct link *there = link_between(l, b, a);

        known->legs = there->legs = true;
        known->end = there->other_end = k->end;
        known->other_end = there->end = k->other_end;
        return true;
    }
    if (full(l, a) || full(l, b)) {
        l->dropped++;
        return true;
    }
    one.other = b;
    back.other = a;
    back.end = k->other_end;
    back.other_end = k->end;
    append(l, a, &one);
    append(l, b, &back);
    return true;
}

/* ---- two calls side by side ---- */

/* Two sessions as one vantage sees them where there is one that sees both, since the clocks of two need not agree. */
struct pair {
    const struct view *view;
    const struct call *call[2];
};

static struct pair pair_of(const struct report *r, uint32_t a, uint32_t b)
{
    struct pair p = { 0 };

    for (size_t v = 0; v < r->vantages; v++) {
        const struct call *x = report_call(r, a, v), *y = report_call(r, b, v);

        if (x && y)
            return (struct pair){ &r->vantage[v].view, { x, y } };
        p.view = p.view ? p.view : &r->vantage[v].view;
        p.call[0] = p.call[0] ? p.call[0] : x;
        p.call[1] = p.call[1] ? p.call[1] : y;
    }
    return p;
}

static bool at_one_time(const struct report *r, const struct pair *p)
{
    int64_t end[2];

    for (size_t i = 0; i < 2; i++)
        end[i] = p->call[i]->ended.frame ? p->call[i]->ended.ns : r->now_ns;
    return p->call[0]->started.ns <= end[1] && p->call[1]->started.ns <= end[0];
}

static bool one_host(const struct pair *p, enum party x, enum party y)
{
    const struct addr *a = &p->call[0]->signalling[x], *b = &p->call[1]->signalling[y];

    return a->port && b->port && addr_ip_eq(a, b);
}

static bool local_host(const struct pair *p, enum party x)
{
    return view_is_local(p->view, &p->call[0]->signalling[x]);
}

/*
 * Where two calls meet: at the host that is callee of the earlier and caller of the later; or that has called, or was called by, both
 * parties, and both were answered (a dialer that joins an agent and a customer; a conference).
 */
static bool meet(const struct pair *p, enum party *x, enum party *y)
{
    bool second_later = p->call[0]->started.ns <= p->call[1]->started.ns;
    enum party first[] = { second_later ? CALLEE : CALLER, second_later ? CALLER : CALLEE };
    bool both_up = p->call[0]->answered.frame && p->call[1]->answered.frame, called, calling;

    for (size_t i = 0; i < 2; i++)
        if (one_host(p, first[i], other_party(first[i]))) {
            *x = first[i];
            *y = other_party(first[i]);
            return true;
        }
    calling = both_up && one_host(p, CALLER, CALLER);
    called = both_up && one_host(p, CALLEE, CALLEE);
    *x = *y = calling && !(called && local_host(p, CALLEE) && !local_host(p, CALLER)) ? CALLER : CALLEE;
    return calling || called;
}

/* Calls that a header joins may meet at a host with two addresses: the later one then begins where the earlier one ends. */
static void meet_in_turn(const struct pair *p, enum party *x, enum party *y)
{
    bool second_later = p->call[0]->started.ns <= p->call[1]->started.ns;

    *x = second_later ? CALLEE : CALLER;
    *y = other_party(*x);
}

/* ---- one names the other ---- */

struct naming {
    struct links *l;
    const struct report *r;
    struct hmap by_call_id; /* sessions; made when first asked */
    bool indexed;
    struct hmap by_key;
    struct group *group;
    uint32_t groups, room;
};

static struct span call_id_of(const struct call *c)
{
    return (struct span){ (const uint8_t *)c->call_id, c->call_id_n };
}

static bool session_eq(const void *self, uint32_t slot, const void *key)
{
    return span_eq(call_id_of(report_any_call(self, slot)), *(const struct span *)key);
}

static bool index_make(struct naming *n)
{
    for (uint32_t i = 0; i < n->r->sip_sessions && !n->indexed; i++) {
        struct span id = call_id_of(report_any_call(n->r, i));

        if (!hmap_put(&n->by_call_id, hash_bytes(id.p, id.n), i))
            return false;
    }
    return n->indexed = true;
}

static uint32_t session_named(struct naming *n, struct span call_id)
{
    uint32_t i =
        index_make(n) ? hmap_find(&n->by_call_id, hash_bytes(call_id.p, call_id.n), session_eq, n->r, &call_id) : HMAP_NONE;

    return i == HMAP_NONE ? POOL_NONE : i;
}

static bool join_named(struct naming *n, uint32_t a, uint32_t b, enum link_by by, const struct link_fact *f)
{
    struct pair p = pair_of(n->r, a, b);
    struct link k = { .by = by, .header = f ? f->header : "", .at = f ? f->at : p.call[0]->started };

    k.legs = (!f || f->legs) && at_one_time(n->r, &p);
    if (k.legs && !meet(&p, &k.end, &k.other_end))
        meet_in_turn(&p, &k.end, &k.other_end);
    return link_add(n->l, n->r, a, b, &k);
}

/* "…_b2b-1", "…_pbx-1", "…_xfer-2": what is before the last such suffix; SPAN_NONE without one. */
static struct span call_id_before(struct span id)
{
    static const char *const suffixes[] = { "_b2b-", "_pbx-", "_xfer-" };
    size_t digits = 0;

    while (digits < 3 && digits < id.n && id.p[id.n - digits - 1] >= '0' && id.p[id.n - digits - 1] <= '9')
        digits++;
    for (size_t i = 0; digits && i < sizeof suffixes / sizeof *suffixes; i++) {
        struct span suffix = span_str(suffixes[i]);
        size_t tail = suffix.n + digits;

        if (id.n > tail && span_eq(span_part(id, id.n - tail, suffix.n), suffix))
            return span_part(id, 0, id.n - tail);
    }
    return SPAN_NONE;
}

static bool by_call_id(struct naming *n, uint32_t i)
{
    struct span id = call_id_before(call_id_of(report_any_call(n->r, i)));
    uint32_t other = id.n ? session_named(n, id) : POOL_NONE;

    return other == POOL_NONE || join_named(n, i, other, LINK_BY_CALL_ID, NULL);
}

/* ---- both carry the same ---- */

/* Sessions that carry one value in one header; `header` NULL: a UUID of Session-ID. */
struct group {
    const char *header;
    struct span value;
    size_t n; /* all of them, also those not kept */
    uint32_t session[LINK_SHARED_MAX];
    struct seen at[LINK_SHARED_MAX];
};

static uint64_t group_hash(const struct group *g)
{
    return hash_bytes(g->value.p, g->value.n) ^ (g->header ? hash_bytes(g->header, strlen(g->header)) : 0);
}

static bool group_eq(const void *self, uint32_t slot, const void *key)
{
    const struct group *a = &((const struct naming *)self)->group[slot], *b = key;

    if (!a->header != !b->header || (a->header && strcmp(a->header, b->header) != 0))
        return false;
    return span_eq(a->value, b->value);
}

static struct group *group_get(struct naming *n, const struct group *like)
{
    uint32_t slot = hmap_find(&n->by_key, group_hash(like), group_eq, n, like), room = n->room ? n->room * 2 : 64;
    struct group *more;

    if (slot != HMAP_NONE)
        return &n->group[slot];
    if (n->groups == n->room) {
        more = realloc(n->group, room * sizeof *more);
        if (!more)
            return NULL;
        n->group = more;
        n->room = room;
    }
    if (!hmap_put(&n->by_key, group_hash(like), n->groups))
        return NULL;
    n->group[n->groups] = *like;
    return &n->group[n->groups++];
}

static bool carry(struct naming *n, const struct group *like, uint32_t session, struct seen at)
{
    struct group *g = group_get(n, like);

    if (!g)
        return false;
    for (size_t i = 0; i < g->n && i < LINK_SHARED_MAX; i++)
        if (g->session[i] == session)
            return true;
    if (g->n < LINK_SHARED_MAX) {
        g->session[g->n] = session;
        g->at[g->n] = at;
    }
    g->n++;
    return true;
}

/* A key that names a session joins to it alone: who else carries the key is joined to that one as well. */
static bool by_headers(struct naming *n, uint32_t i, const struct call *c)
{
    bool fine = true;

    for (const struct link_fact *f = c->links; fine && f; f = f->next) {
        struct span value = span_str(f->value);
        uint32_t other = f->names ? session_named(n, value) : POOL_NONE;

        if (other != POOL_NONE)
            fine = other == i || join_named(n, i, other, LINK_BY_HEADER, f);
        else if (f->shared && value.n >= LINK_VALUE_MIN)
            fine = carry(n, &(struct group){ .header = f->header, .value = value }, i, f->at);
    }
    return fine;
}

static bool by_session_id(struct naming *n, uint32_t i, const struct call *c)
{
    const struct session_id_fact *s = c->session_id;
    bool fine = true;

    for (enum party p = CALLER; s && fine && p < PARTIES; p++)
        if (s->known[p])
            fine = carry(n, &(struct group){ .value = { s->uuid[p], SESSION_UUID } }, i, s->at);
    return fine;
}

static bool uuid_of(const struct session_id_fact *s, const uint8_t *uuid)
{
    for (enum party p = CALLER; p < PARTIES; p++)
        if (s->known[p] && memcmp(s->uuid[p], uuid, SESSION_UUID) == 0)
            return true;
    return false;
}

/* One session end to end: neither knows an end that the other does not, unless that one knows only one (RFC 7989 §6). */
static bool one_session(const struct call *a, const struct call *b)
{
    const struct session_id_fact *x = a->session_id, *y = b->session_id;

    if (!x || !y)
        return false;
    if (!x->known[CALLER] || !x->known[CALLEE] || !y->known[CALLER] || !y->known[CALLEE])
        return true;
    return uuid_of(y, x->uuid[CALLER]) && uuid_of(y, x->uuid[CALLEE]) && uuid_of(x, y->uuid[CALLER]) &&
           uuid_of(x, y->uuid[CALLEE]);
}

/*
 * Two that carry the same are legs where one comes in at a host and the other leaves it, at the same time. Where just two carry it, they
 * may also both have been called by it, or both have called it; of more such calls nobody knows which belong together.
 */
static bool join_shared(struct naming *n, const struct group *g, size_t a, size_t b)
{
    struct pair p = pair_of(n->r, g->session[a], g->session[b]);
    struct link k = { .by = g->header ? LINK_BY_HEADER : LINK_BY_SESSION_ID, .at = g->at[b], .legs = true };
    bool met = meet(&p, &k.end, &k.other_end);

    k.header = g->header ? g->header : "";
    if (!at_one_time(n->r, &p))
        return true;
    if (!g->header) {
        if (!one_session(p.call[0], p.call[1]))
            return true;
        if (!met)
            meet_in_turn(&p, &k.end, &k.other_end);
    } else if (!met || (g->n > 2 && k.end == k.other_end)) {
        return true;
    }
    return link_add(n->l, n->r, g->session[a], g->session[b], &k);
}

static bool by_groups(struct naming *n)
{
    bool fine = true;

    for (uint32_t i = 0; i < n->groups; i++) {
        const struct group *g = &n->group[i];

        for (size_t b = 1; b < g->n && g->n <= LINK_SHARED_MAX; b++)
            for (size_t a = 0; fine && a < b; a++)
                fine = join_shared(n, g, a, b);
    }
    return fine;
}

static bool by_signalling(struct naming *n)
{
    for (uint32_t i = 0; i < n->r->sip_sessions; i++) {
        if (!by_call_id(n, i))
            return false;
        for (size_t v = 0; v < n->r->vantages; v++) {
            const struct call *c = report_call(n->r, i, v);

            if (c && !(by_headers(n, i, c) && by_session_id(n, i, c)))
                return false;
        }
    }
    return by_groups(n);
}

bool links_make(struct links *l, const struct report *r)
{
    struct naming n = { .l = l, .r = r };
    bool fine = by_signalling(&n) && links_by_media(l, r);

    hmap_done(&n.by_call_id);
    hmap_done(&n.by_key);
    free(n.group);
    return fine;
}

void links_done(struct links *l)
{
    free(l->link);
    free(l->first);
    *l = (struct links){ 0 };
}
