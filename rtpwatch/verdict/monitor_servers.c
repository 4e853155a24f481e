/* STUN and TURN servers as they are asked: by whom first, how they answered in each minute, what they refused. */
#include <stdlib.h>

#include "verdict/monitor_private.h"
#include "verdict/verdict_private.h"

static void tell(const struct tick *t, enum event_kind kind, const struct server_finding *f, uint32_t tx)
{
    t->tell(t->self, &(struct event){ .kind = kind, .at_ns = t->v->now_ns, .server = f, .tx = tx });
}

/* ---- who is asked ---- */

struct asked {
    struct addr server;
    int64_t ns; /* the latest request of a local host */
};

static bool asked_eq(const void *self, uint32_t slot, const void *key)
{
    return addr_eq(&((const struct asked *)pool_at(&((const struct monitor *)self)->asked, slot))->server, key);
}

/* True: nothing was known of it. Without memory, or where too many are asked, nothing is told. */
static bool asked_new(struct monitor *m, const struct addr *server, int64_t ns)
{
    uint32_t slot;
    struct asked *a = pool_new(&m->asked, &slot);

    if (!a)
        return false;
    *a = (struct asked){ *server, ns };
    if (hmap_put(&m->by_asked, addr_hash(server), slot))
        return true;
    pool_free(&m->asked, slot);
    return false;
}

static bool asked_first(struct monitor *m, const struct addr *server, int64_t ns)
{
    uint32_t slot = hmap_find(&m->by_asked, addr_hash(server), asked_eq, m, server);
    struct asked *a;
    bool first;

    if (slot == HMAP_NONE)
        return asked_new(m, server, ns);
    a = pool_at(&m->asked, slot);
    first = ns - a->ns >= MONITOR_ASKED_AGAIN_NS;
    a->ns = ns > a->ns ? ns : a->ns;
    return first;
}

/* Of those that would be new again nothing need be remembered. */
static void asked_purge(struct monitor *m, int64_t now_ns)
{
    for (uint32_t i = 0; i < m->asked.used; i++) {
        struct asked *a = record_in(&m->asked, i);

        if (!a || now_ns - a->ns <= MONITOR_ASKED_AGAIN_NS)
            continue;
        hmap_del(&m->by_asked, addr_hash(&a->server), i);
        pool_free(&m->asked, i);
    }
}

static void asked(const struct tick *t)
{
    const struct track *k = t->v->t;
    struct server_finding f;

    for (uint32_t *i = &t->m->asked_from; *i < k->stun_txs.used; ++*i) {
        const struct stun_tx *x = track_tx_at(k, *i);

        if (!is_recent(t, x->requests.first.ns) || !view_is_local(t->v, &track_socket(k, x->socket)->addr) ||
            !asked_first(t->m, &track_server_at(k, x->server)->addr, x->requests.first.ns))
            continue;
        server_begin(t->v, x->server, &f);
        if (!f.peer)
            tell(t, EVENT_STUN_ASKED, &f, *i);
    }
}

/* ---- what is refused ---- */

struct refusal {
    struct seen answer;
};

static bool refusal_eq(const void *self, uint32_t slot, const void *key)
{
    const struct refusal *r = pool_at(&((const struct monitor *)self)->refusals, slot);

    return r->answer.frame == *(const uint64_t *)key;
}

static uint64_t refusal_hash(const struct seen *answer)
{
    return hash_bytes(&answer->frame, sizeof answer->frame);
}

/* False: it was told, or nothing more can be remembered; then nothing is told, rather than again and again. */
static bool refusal_new(struct monitor *m, const struct seen *answer)
{
    uint32_t slot = hmap_find(&m->by_refusal, refusal_hash(answer), refusal_eq, m, &answer->frame);
    struct refusal *r = slot == HMAP_NONE ? pool_new(&m->refusals, &slot) : NULL;

    if (!r)
        return false;
    r->answer = *answer;
    if (hmap_put(&m->by_refusal, refusal_hash(answer), slot))
        return true;
    pool_free(&m->refusals, slot);
    return false;
}

static void refusals_purge(struct monitor *m, int64_t now_ns)
{
    for (uint32_t i = 0; i < m->refusals.used; i++) {
        struct refusal *r = record_in(&m->refusals, i);

        if (!r || now_ns - r->answer.ns <= 2 * MONITOR_RECENT_NS)
            continue;
        hmap_del(&m->by_refusal, refusal_hash(&r->answer), i);
        pool_free(&m->refusals, i);
    }
}

static void refused(const struct tick *t)
{
    const struct track *k = t->v->t;
    struct server_finding f;
    bool settled = true;

    for (uint32_t i = t->m->refused_from; i < k->stun_txs.used; i++) {
        const struct stun_tx *x = track_tx_at(k, i);

        settled &= x->answer.frame || !is_recent(t, x->requests.last.ns);
        t->m->refused_from += settled;
        if (!turn_is_refusal(x) || x->error < 300 || x->error > 699 || /* RFC 8489 §14.8 */
            !is_recent(t, x->answer.ns) || !refusal_new(t->m, &x->answer))
            continue;
        server_begin(t->v, x->server, &f);
        tell(t, EVENT_TURN_REFUSED, &f, i);
    }
}

/* ---- how they answer ---- */

enum { RTTS_KEPT = 64 };

/* One server in one minute. */
struct measure {
    uint64_t requests, responses, errors, unanswered, mappings, allocations, refused;
    uint32_t rtts, rtt_us[RTTS_KEPT];
};

/* From the request that the answer may be to: the latest before it. */
static void rtt_add(struct measure *m, const struct stun_tx *x)
{
    const struct tally *q = &x->requests;
    int64_t rtt = x->answer.ns - (q->last.ns <= x->answer.ns ? q->last.ns : q->first.ns);

    if (m->rtts < RTTS_KEPT)
        m->rtt_us[m->rtts++] = rtt > 0 ? (uint32_t)(rtt / NS_PER_US) : 0;
}

static void measure_add(const struct tick *t, struct measure *m, const struct stun_tx *x)
{
    bool challenge = x->error == 438 || (x->error == 401 && !x->credentials);

    m->requests++;
    m->unanswered += !x->answer.frame && t->v->now_ns - x->requests.first.ns >= MONITOR_SILENT_NS;
    if (!x->answer.frame)
        return;
    m->responses++;
    m->errors += !x->success && !challenge;
    m->refused += turn_is_refusal(x);
    m->allocations += x->success && x->method == STUN_ALLOCATE;
    m->mappings += x->success && !addr_is_none(&x->mapped);
    rtt_add(m, x);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void measure_tell(const struct tick *t, uint32_t server, struct measure *m)
{
    struct server_finding f;

    server_begin(t->v, server, &f);
    if (f.peer)
        return;
    f.requests = m->requests;
    f.responses = m->responses;
    f.errors = m->errors;
    f.unanswered = m->unanswered;
    f.mappings = m->mappings;
    f.allocations = m->allocations;
    f.refused = m->refused;
    qsort(m->rtt_us, m->rtts, sizeof *m->rtt_us, by_size);
    f.rtt_min_us = m->rtts ? m->rtt_us[0] : 0;
    f.rtt_median_us = m->rtts ? m->rtt_us[m->rtts / 2] : 0;
    f.rtt_max_us = m->rtts ? m->rtt_us[m->rtts - 1] : 0;
    tell(t, EVENT_STUN_MEASURED, &f, POOL_NONE);
}

/* Takes what was asked before `to_ns`. */
static void measure(const struct tick *t, int64_t to_ns)
{
    const struct track *k = t->v->t;
    struct measure *of = calloc(k->servers.used + 1u, sizeof *of);
    uint32_t *i = &t->m->measured_from;

    for (; of && *i < k->stun_txs.used && track_tx_at(k, *i)->requests.first.ns < to_ns; ++*i)
        if (track_tx_at(k, *i)->requests.first.ns >= t->m->measured_ns)
            measure_add(t, &of[track_tx_at(k, *i)->server], track_tx_at(k, *i));
    for (uint32_t s = 0; of && s < k->servers.used; s++)
        if (of[s].requests)
            measure_tell(t, s, &of[s]);
    free(of);
}

/* Whole minutes in which nothing more was asked are none. */
static void minutes_skip(const struct tick *t)
{
    const struct stun_tx *next = t->m->measured_from < t->v->t->stun_txs.used ? track_tx_at(t->v->t, t->m->measured_from) : NULL;
    int64_t until_ns = next ? next->requests.first.ns : t->v->now_ns - MONITOR_SILENT_NS;

    if (until_ns > t->m->measured_ns)
        t->m->measured_ns += (until_ns - t->m->measured_ns) / MONITOR_MINUTE_NS * MONITOR_MINUTE_NS;
}

/* A minute is told when its last question has had its time. */
static void measured(const struct tick *t)
{
    struct monitor *m = t->m;

    if (!m->measured_ns)
        m->measured_ns = t->v->t->first.frame ? t->v->t->first.ns : t->v->now_ns;
    while (t->v->now_ns - m->measured_ns >= MONITOR_MINUTE_NS + MONITOR_SILENT_NS) {
        measure(t, m->measured_ns + MONITOR_MINUTE_NS);
        m->measured_ns += MONITOR_MINUTE_NS;
        minutes_skip(t);
    }
    if (t->last)
        measure(t, INT64_MAX);
}

/* ---- the whole ---- */

void monitor_servers_init(struct monitor *m)
{
    pool_init(&m->asked, sizeof(struct asked), TRACK_SERVERS);
    pool_init(&m->refusals, sizeof(struct refusal), MONITOR_REFUSALS);
}

void monitor_servers_done(struct monitor *m)
{
    pool_done(&m->asked);
    pool_done(&m->refusals);
    hmap_done(&m->by_asked);
    hmap_done(&m->by_refusal);
}

void monitor_servers(const struct tick *t)
{
    if (t->minute) {
        asked_purge(t->m, t->v->now_ns);
        refusals_purge(t->m, t->v->now_ns);
    }
    asked(t);
    refused(t);
    measured(t);
}
