#include "verdict/dns_finding.h"

#include <stdlib.h>

#include "verdict/verdict_private.h"

enum { CHAIN_STEPS = 64 };

/* Did the answer go to that host? One to the host itself (127.0.0.53) serves all of its programs. */
bool dns_answered_to(const struct dns_fact *n, const struct addr *host)
{
    return addr_ip_eq(&n->client, host) || addr_is_loopback(&n->client);
}

/* The latest answer at or before `ns`, of those whose times are kept: the first and the last; 0 where that is not known. */
int64_t dns_answered_before(const struct dns_fact *n, int64_t ns)
{
    if (n->last.ns <= ns)
        return n->last.ns;
    return n->answers <= 2 && n->at.ns <= ns ? n->at.ns : 0;
}

/* ---- use ---- */

static void used(const struct dns_index *x, const struct addr *server, const struct addr *by, struct seen at, bool stun,
                 struct dns_finding *out)
{
    unsigned steps = 0;

    for (uint32_t i = dns_index_ip(x, server); i != HMAP_NONE && steps++ < CHAIN_STEPS; i = x->next_ip[i]) {
        if (!dns_answered_to(out[i].fact, by) || at.ns < out[i].fact->at.ns)
            continue;
        out[i].used_as_stun_server |= stun;
        if (at.ns > out[i].last_used.ns)
            out[i].last_used = at;
    }
}

static void uses(const struct dns_index *x, struct dns_finding *out)
{
    const struct track *t = x->t;

    for (uint32_t i = 0; i < t->stun_txs.used; i++) {
        const struct stun_tx *q = track_tx_at(t, i);

        used(x, &track_server_at(t, q->server)->addr, &track_socket(t, q->socket)->addr, q->requests.last, true, out);
    }
    for (uint32_t i = 0; i < t->flows.used; i++) {
        const struct flow *f = track_flow_at(t, i);

        if (f->contains & FLOW_SIP)
            used(x, &f->dst, &f->src, f->packets.last, false, out);
    }
}

static bool fresh(const struct dns_fact *n, int64_t ns, int64_t slack_ns)
{
    int64_t at = dns_answered_before(n, ns);

    return n->at.ns <= ns && (at == 0 || ns - at <= SECONDS((int64_t)n->ttl_s) + slack_ns);
}

bool dns_any_fresh(const struct dns_index *x, const struct addr *ip, int64_t ns, int64_t slack_ns)
{
    unsigned steps = 0;

    for (uint32_t i = dns_index_ip(x, ip); i != HMAP_NONE; i = x->next_ip[i])
        if (steps++ == CHAIN_STEPS || fresh(dns_fact_at(x->t, i), ns, slack_ns))
            return true;
    return false;
}

static void ages(const struct dns_index *x, struct dns_finding *out)
{
    for (uint32_t i = 0; i < x->t->names.used; i++) {
        struct dns_finding *f = &out[i];
        int64_t at = f->last_used.frame ? dns_answered_before(f->fact, f->last_used.ns) : 0;

        if (at == 0)
            continue;
        f->age_ns = f->last_used.ns - at;
        f->outlived = !dns_any_fresh(x, &f->fact->addr, f->last_used.ns, 0);
        f->stale = !dns_any_fresh(x, &f->fact->addr, f->last_used.ns, DNS_STALE_SLACK_NS);
    }
}

/* ---- other answers for the same name ---- */

static int order(const void *a, const void *b)
{
    const struct dns_finding *const *px = a, *const *py = b;
    const struct dns_fact *x = (*px)->fact, *y = (*py)->fact;
    int n = strcmp(x->name, y->name);

    if (n)
        return n;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    n = addr_cmp(&x->resolver, &y->resolver);
    if (n)
        return n;
    if (x->at.ns != y->at.ns)
        return x->at.ns < y->at.ns ? -1 : 1;
    return *px < *py ? -1 : *px > *py;
}

static bool same_resolver(const struct dns_fact *a, const struct dns_fact *b)
{
    return addr_ip_eq(&a->resolver, &b->resolver);
}

/* Both could be in use at one time. */
static bool overlap(const struct dns_fact *a, const struct dns_fact *b)
{
    return a->at.ns <= b->last.ns + SECONDS((int64_t)b->ttl_s) && b->at.ns <= a->last.ns + SECONDS((int64_t)a->ttl_s);
}

/* Where some address stays, it is a list that turns round. */
const struct dns_fact *dns_replaced(const struct dns_fact *const *group, size_t n, const struct dns_fact *by)
{
    const struct dns_fact *gone = NULL;

    for (size_t i = 0; i < n; i++) {
        const struct dns_fact *o = group[i];

        if (!same_resolver(o, by) || o->at.ns >= by->at.ns)
            continue;
        if (o->last.ns >= by->at.ns)
            return NULL;
        if (!gone || o->last.ns > gone->last.ns)
            gone = o;
    }
    return gone;
}

static bool have_one_in_common(const struct dns_fact *const *group, size_t n, const struct dns_fact *a, const struct dns_fact *b)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (same_resolver(group[i], a) && same_resolver(group[j], b) && overlap(group[i], group[j]) &&
                addr_ip_eq(&group[i]->addr, &group[j]->addr))
                return true;
    return false;
}

const struct dns_fact *dns_rival(const struct dns_fact *const *group, size_t n, const struct dns_fact *of)
{
    for (size_t i = 0; i < n; i++) {
        const struct dns_fact *o = group[i];

        if (!same_resolver(o, of) && overlap(o, of) && !have_one_in_common(group, n, of, o))
            return o;
    }
    return NULL;
}

static void compare(struct dns_finding *const *group, size_t n)
{
    const struct dns_fact *fact[DNS_COMPARED];

    if (n > DNS_COMPARED || group[0]->fact->type == DNS_SRV)
        return;
    for (size_t i = 0; i < n; i++)
        fact[i] = group[i]->fact;
    for (size_t i = 0; i < n; i++) {
        group[i]->changed_from = dns_replaced(fact, n, fact[i]);
        group[i]->disagrees_with = dns_rival(fact, n, fact[i]);
    }
}

static bool same_question(const struct dns_finding *a, const struct dns_finding *b)
{
    return a->fact->type == b->fact->type && strcmp(a->fact->name, b->fact->name) == 0;
}

/* ---- SRV ---- */

/* The first whose name is not before `name`. */
static size_t lower(struct dns_finding *const *sorted, size_t n, const char *name)
{
    size_t low = 0;

    while (n) {
        size_t half = n / 2;

        if (strcmp(sorted[low + half]->fact->name, name) < 0) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return low;
}

static void targets(struct dns_finding *const *sorted, size_t n, struct dns_finding *srv)
{
    const char *name = srv->fact->via;

    for (size_t i = lower(sorted, n, name); i < n && strcmp(sorted[i]->fact->name, name) == 0; i++) {
        const struct dns_finding *a = sorted[i];

        if (a->fact->type == DNS_SRV || srv->targets_n == DNS_TARGETS_KEPT)
            continue;
        srv->target[srv->targets_n++] = a->fact;
        srv->used_as_stun_server |= a->used_as_stun_server;
        if (a->last_used.ns > srv->last_used.ns)
            srv->last_used = a->last_used;
    }
}

static bool join(struct dns_finding *out, size_t n)
{
    struct dns_finding **sorted = malloc((n + 1) * sizeof(void *));

    if (!sorted)
        return false;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &out[i];
    qsort(sorted, n, sizeof(void *), order);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && same_question(sorted[from], sorted[to]);)
            to++;
        compare(sorted + from, to - from);
    }
    for (size_t i = 0; i < n; i++)
        if (out[i].fact->type == DNS_SRV)
            targets(sorted, n, &out[i]);
    free(sorted);
    return true;
}

bool dns_findings(const struct view *v, struct dns_finding *out)
{
    struct dns_index x = { 0 };
    bool fine;

    for (uint32_t i = 0; i < v->t->names.used; i++)
        out[i] = (struct dns_finding){ .fact = dns_fact_at(v->t, i), .age_ns = -1 };
    if (v->t->names.used == 0)
        return true;
    fine = dns_index_extend(&x, v->t);
    if (fine) {
        uses(&x, out);
        ages(&x, out);
        fine = join(out, v->t->names.used);
    }
    dns_index_done(&x);
    return fine;
}

/* ---- the evidence ---- */

/* The freshest answer that the asking host had for the server's address; NULL: none, or how old it was is not known. */
static const struct dns_fact *answer_behind(const struct view *v, const struct stun_tx *x)
{
    const struct addr *server = &track_server_at(v->t, x->server)->addr, *host = &track_socket(v->t, x->socket)->addr;
    int64_t asked = x->requests.first.ns;
    const struct dns_fact *best = NULL;

    for (uint32_t i = 0; i < v->t->names.used; i++) {
        const struct dns_fact *n = dns_fact_at(v->t, i);

        if (n->type == DNS_SRV || !addr_ip_eq(&n->addr, server))
            continue;
        if (fresh(n, asked, DNS_STALE_SLACK_NS))
            return NULL;
        if (n->at.ns <= asked && dns_answered_to(n, host) &&
            (!best || dns_answered_before(n, asked) > dns_answered_before(best, asked)))
            best = n;
    }
    return best;
}

static void put_age(int64_t ns, struct strbuf *b)
{
    long long s = (long long)(ns / NS_PER_S);

    if (s < 600)
        strbuf_fmt(b, "%lld s", s);
    else if (s < 2 * 3600)
        strbuf_fmt(b, "%lld min", s / 60);
    else
        strbuf_fmt(b, "%lld h", s / 3600);
}

void evidence_dns(const struct view *v, uint32_t tx, struct session_finding *s)
{
    const struct stun_tx *x = track_tx_at(v->t, tx);
    const struct dns_fact *n = s->brief ? NULL : answer_behind(v, x);
    struct strbuf name = { 0 }, age = { 0 };
    char resolver[ADDR_TEXT];

    if (!n)
        return;
    strbuf_safe(&name, span_str(n->name), 128);
    put_age(x->requests.first.ns - dns_answered_before(n, x->requests.first.ns), &age);
    evidence_add(s, n->last.ns <= x->requests.first.ns ? n->last : n->at, "dns",
                 "The address of %s was %s old (TTL %u s) when it was asked: the latest answer here is that of resolver %s.",
                 strbuf_str(&name), strbuf_str(&age), n->ttl_s, addr_ip_text(&n->resolver, resolver));
    strbuf_done(&name);
    strbuf_done(&age);
}
