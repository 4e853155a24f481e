/* DNS answers as they come, and their use: the first, the one that comes too late, and resolvers that disagree. */
#include "verdict/monitor_private.h"

enum { CHAIN_STEPS = 64 /* answers that give one address */ };

/* Of one answer. */
struct name_told {
    uint64_t key;
    int64_t stale_ns; /* the use after its time that was told last; 0: none */
    bool used, disagrees;
};

static uint64_t name_key(const void *self, uint32_t slot)
{
    const struct dns_fact *n = dns_fact_at(self, slot);
    uint64_t name = hash_bytes(n->name, strlen(n->name)), via = hash_bytes(n->via, strlen(n->via));

    return hash_bytes(&n->at.frame, sizeof n->at.frame) ^ addr_hash(&n->addr) ^ name ^ (via >> 7) ^ n->type;
}

static struct name_told *told_of(const struct tick *t, uint32_t slot)
{
    return slot < t->m->names.n ? ledger_at(&t->m->names, slot) : NULL;
}

static void tell(const struct tick *t, struct event *e)
{
    e->at_ns = t->v->now_ns;
    e->tx = POOL_NONE;
    t->tell(t->self, e);
}

/* ---- new answers ---- */

/* All answers for one name and record type. */
struct group {
    uint32_t n;
    uint32_t slot[DNS_COMPARED];
    const struct dns_fact *fact[DNS_COMPARED];
};

/* With more than can be compared it is empty. */
static void group_make(const struct dns_index *x, const struct dns_fact *of, struct group *g)
{
    g->n = 0;
    for (uint32_t i = of->type == DNS_SRV ? HMAP_NONE : dns_index_name(x, of); i != HMAP_NONE; i = x->next_name[i]) {
        if (g->n == DNS_COMPARED) {
            g->n = 0;
            return;
        }
        g->slot[g->n] = i;
        g->fact[g->n++] = dns_fact_at(x->t, i);
    }
}

/* A resolver that gives other addresses each time would be told each time. */
static bool disagreed_before(const struct tick *t, const struct group *g, const struct dns_fact *n)
{
    for (uint32_t i = 0; i < g->n; i++)
        if (addr_ip_eq(&g->fact[i]->resolver, &n->resolver) && told_of(t, g->slot[i]) && told_of(t, g->slot[i])->disagrees)
            return true;
    return false;
}

static void answer(const struct tick *t, uint32_t slot)
{
    const struct dns_fact *n = dns_fact_at(t->v->t, slot);
    struct dns_finding f = { .fact = n, .age_ns = -1 }, other = { .age_ns = -1 };
    struct group g;

    group_make(&t->m->answers, n, &g);
    f.changed_from = dns_replaced(g.fact, g.n, n);
    f.disagrees_with = other.fact = dns_rival(g.fact, g.n, n);
    tell(t, &(struct event){ .kind = EVENT_DNS_ANSWER, .dns = &f });
    /* The newer answer is the one that disagrees. */
    if (!other.fact || other.fact->at.ns > n->at.ns || disagreed_before(t, &g, n))
        return;
    told_of(t, slot)->disagrees = true;
    tell(t, &(struct event){ .kind = EVENT_DNS_DISAGREES, .dns = &f, .other = &other });
}

static void answers(const struct tick *t)
{
    const struct track *k = t->v->t;
    struct ledger *l = &t->m->names;

    for (uint32_t i = l->n; i < t->m->answers.n && ledger_add(l, name_key(k, i)); i++)
        answer(t, i);
}

/* ---- their use ---- */

static void use_tell(const struct tick *t, enum event_kind kind, const struct dns_fact *n, struct event_use *u)
{
    int64_t at_ns = dns_answered_before(n, u->at.ns);
    struct dns_finding f = { .fact = n, .last_used = u->at, .used_as_stun_server = u->as == USE_STUN || u->as == USE_TURN };

    u->age_ns = f.age_ns = u->at.ns - (at_ns ? at_ns : n->at.ns);
    f.outlived = !dns_any_fresh(&t->m->answers, &n->addr, u->at.ns, 0);
    tell(t, &(struct event){ .kind = kind, .dns = &f, .use = u });
}

/* Of any answer that gave the address to the host that uses it. `first`: when that began, `u->at` the latest. */
static void use(const struct tick *t, struct event_use *u, struct seen first)
{
    const struct dns_index *x = &t->m->answers;
    unsigned steps = 0;

    for (uint32_t i = dns_index_ip(x, &u->address); i != HMAP_NONE && steps++ < CHAIN_STEPS; i = x->next_ip[i]) {
        const struct dns_fact *n = dns_fact_at(x->t, i);
        struct name_told *told = told_of(t, i);

        if (!told || !dns_answered_to(n, &u->by) || u->at.ns < n->at.ns)
            continue;
        if (!told->used) {
            struct event_use began = *u;

            told->used = true;
            began.at = first.ns >= n->at.ns ? first : u->at;
            use_tell(t, EVENT_DNS_USED, n, &began);
        }
        if ((told->stale_ns && u->at.ns - told->stale_ns < MONITOR_STALE_AGAIN_NS) ||
            dns_any_fresh(x, &u->address, u->at.ns, DNS_STALE_SLACK_NS))
            continue;
        told->stale_ns = u->at.ns;
        use_tell(t, EVENT_DNS_STALE, n, u);
    }
}

static void servers_used(const struct tick *t)
{
    const struct track *k = t->v->t;

    for (uint32_t *i = &t->m->used_from; *i < k->stun_txs.used; ++*i) {
        const struct stun_tx *x = track_tx_at(k, *i);
        struct event_use u = { .as = x->method == STUN_BINDING ? USE_STUN : USE_TURN, .at = x->requests.first };

        u.address = track_server_at(k, x->server)->addr;
        u.by = track_socket(k, x->socket)->addr;
        if (is_recent(t, u.at.ns))
            use(t, &u, u.at);
    }
}

/* What flows to SIP servers and takes media: with the minute, since a flow goes on and on. */
static void flows_used(const struct tick *t)
{
    const struct track *k = t->v->t;

    for (uint32_t i = 0; i < k->flows.used; i++) {
        const struct flow *f = track_flow_at(k, i);
        struct event_use u = { .as = f->contains & FLOW_SIP ? USE_SIP : USE_MEDIA, .address = f->dst, .by = f->src };

        u.at = f->packets.last;
        if (f->contains & (FLOW_SIP | FLOW_RTP) && u.at.ns >= t->since_ns)
            use(t, &u, f->packets.first);
    }
}

/* ---- the whole ---- */

void monitor_names_init(struct monitor *m)
{
    ledger_init(&m->names, sizeof(struct name_told));
}

void monitor_names_done(struct monitor *m)
{
    ledger_done(&m->names);
    dns_index_done(&m->answers);
}

void monitor_names(const struct tick *t)
{
    struct monitor *m = t->m;

    ledger_follow(&m->names, t->v->t->names.used, name_key, t->v->t);
    if (!dns_index_extend(&m->answers, t->v->t)) {
        dns_index_done(&m->answers);
        return;
    }
    answers(t);
    servers_used(t);
    if (t->minute && m->answers.n)
        flows_used(t);
}
