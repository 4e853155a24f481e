#include "verdict/monitor.h"

#include <stdlib.h>

#include "verdict/monitor_private.h"
#include "verdict/verdict_private.h"

enum { SILENT_ASKED = 3 /* requests to one server, all of them unanswered */ };
#define DOUBT_NS SECONDS(30) /* what is not proven may still be refuted by media that arrives */

const char *event_word(enum event_kind k)
{
#define X(id, word) word,
    static const char *const words[] = { EVENTS(X) };
#undef X

    return words[k];
}

const char *use_word(enum use_as u)
{
#define X(id, word) word,
    static const char *const words[] = { USES(X) };
#undef X

    return words[u];
}

/* ---- what STUN servers answered ---- */

struct told_claim {
    uint64_t frame; /* of the answer */
    int64_t ns;
    int64_t wrong_ns; /* since when it is found wrong; 0: it is not */
    bool told;
};

static bool claim_eq(const void *self, uint32_t slot, const void *key)
{
    return ((const struct told_claim *)pool_at(&((const struct monitor *)self)->claims, slot))->frame == *(const uint64_t *)key;
}

/* Those that are too old to be judged again need not be remembered. */
static void claims_purge(struct monitor *m, int64_t now_ns)
{
    for (uint32_t i = 0; i < m->claims.used; i++) {
        struct told_claim *c = record_in(&m->claims, i);

        if (!c || now_ns - c->ns <= MONITOR_RECENT_NS * 2)
            continue;
        hmap_del(&m->by_claim, hash_bytes(&c->frame, sizeof c->frame), i);
        pool_free(&m->claims, i);
    }
}

static struct told_claim *claim_find(const struct monitor *m, struct seen answer)
{
    uint32_t slot = hmap_find(&m->by_claim, hash_bytes(&answer.frame, sizeof answer.frame), claim_eq, m, &answer.frame);

    return slot == HMAP_NONE ? NULL : pool_at(&m->claims, slot);
}

/* NULL: without memory; then nothing is told, rather than again and again. */
static struct told_claim *claim_new(struct monitor *m, struct seen answer, int64_t now_ns)
{
    uint32_t slot;
    struct told_claim *c = pool_new(&m->claims, &slot);

    if (!c)
        return NULL;
    *c = (struct told_claim){ .frame = answer.frame, .ns = answer.ns, .wrong_ns = now_ns };
    if (hmap_put(&m->by_claim, hash_bytes(&answer.frame, sizeof answer.frame), slot))
        return c;
    pool_free(&m->claims, slot);
    return NULL;
}

static void contradiction_tell(const struct tick *t, uint32_t tx, const struct claim *c)
{
    struct session_finding *why = t->m->finding;
    struct server_finding f;
    struct event e = {
        .kind = EVENT_STUN_CONTRADICTION, .at_ns = t->v->now_ns, .server = &f, .tx = tx, .confidence = c->confidence, .why = why
    };

    memset(why, 0, offsetof(struct session_finding, direction)); /* the lists are large */
    why->brief = t->m->options.brief;
    evidence_claim(t->v, tx, c, why);
    evidence_sort(why);
    server_begin(t->v, track_tx_at(t->v->t, tx)->server, &f);
    t->tell(t->self, &e);
    session_finding_done(why);
}

/* It must stay wrong for a while: another observer may yet take its side. */
static bool is_certain(const struct tick *t, const struct stun_tx *x, const struct told_claim *told, const struct claim *c)
{
    int64_t wrong = t->v->now_ns - told->wrong_ns, age = t->v->now_ns - x->answer.ns;

    return t->last || (wrong >= MONITOR_HOLD_NS && (c->confidence == CONFIDENCE_PROVEN || age >= DOUBT_NS));
}

static void claim(const struct tick *t, uint32_t tx)
{
    const struct stun_tx *x = track_tx_at(t->v->t, tx);
    struct told_claim *told = claim_find(t->m, x->answer);
    struct claim c;

    if (told ? told->told : !claim_is_wrong(t->v, tx)) /* nearly all of them are right: the cheapest question comes first */
        return;
    claim_judge(t->v, tx, claim_media_arrives(t->v, tx), &c);
    if (c.status != CLAIM_WRONG) {
        if (told)
            told->wrong_ns = 0;
        return;
    }
    if (!told)
        told = claim_new(t->m, x->answer, t->v->now_ns);
    else if (!told->wrong_ns)
        told->wrong_ns = t->v->now_ns;
    if (!told || !is_certain(t, x, told, &c))
        return;
    told->told = true;
    contradiction_tell(t, tx, &c);
}

/* Judging each answer every second would cost too much on a full dialer: it is done at these ages. */
static bool is_due(int64_t age_before, int64_t age)
{
    static const int64_t ages[] = { 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 32, 45, 60 };

    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++)
        if (age_before < SECONDS(ages[i]) && age >= SECONDS(ages[i]))
            return true;
    return false;
}

/* ---- whether they answer ---- */

/* Of one server, within MONITOR_RECENT_NS. */
struct heard {
    uint64_t unanswered; /* requests that had their time */
    bool answered;
};

static bool silent_eq(const void *self, uint32_t slot, const void *key)
{
    return addr_eq(pool_at(&((const struct monitor *)self)->silent, slot), key);
}

static void server(const struct tick *t, uint32_t i, const struct heard *h)
{
    struct monitor *m = t->m;
    const struct addr *a = &track_server_at(t->v->t, i)->addr;
    uint32_t slot = hmap_find(&m->by_silent, addr_hash(a), silent_eq, m, a);
    bool told = slot != HMAP_NONE;
    struct server_finding f;
    struct event e = {
        .kind = told ? EVENT_STUN_ANSWERS : EVENT_STUN_SILENT, .at_ns = t->v->now_ns, .server = &f, .tx = POOL_NONE
    };
    struct addr *kept;

    if (told ? !h->answered : h->answered || h->unanswered < SILENT_ASKED || !view_sees_silence(t->v))
        return;
    server_begin(t->v, i, &f);
    if (f.peer)
        return;
    if (told) {
        hmap_del(&m->by_silent, addr_hash(a), slot);
        pool_free(&m->silent, slot);
    } else {
        kept = pool_new(&m->silent, &slot);
        if (!kept)
            return;
        *kept = *a;
        if (!hmap_put(&m->by_silent, addr_hash(kept), slot)) {
            pool_free(&m->silent, slot);
            return;
        }
    }
    t->tell(t->self, &e);
}

/* ---- both ---- */

static void hear(const struct tick *t, const struct stun_tx *x, struct heard *h)
{
    h->answered |= x->answer.frame != 0;
    if (!x->answer.frame && t->v->now_ns - x->requests.first.ns >= MONITOR_SILENT_NS)
        h->unanswered += x->requests.n;
}

static void servers(const struct tick *t)
{
    const struct track *k = t->v->t;
    struct monitor *m = t->m;
    struct heard *heard = calloc(k->servers.used + 1u, sizeof *heard);
    int64_t before = m->ticked_ns;
    bool old = true;

    claims_purge(m, t->v->now_ns);
    for (uint32_t i = m->recent_from; heard && i < k->stun_txs.used; i++) {
        const struct stun_tx *x = track_tx_at(k, i);

        old &= t->v->now_ns - x->requests.last.ns > MONITOR_RECENT_NS + SECONDS(5);
        m->recent_from += old;
        if (t->v->now_ns - x->requests.last.ns <= MONITOR_RECENT_NS)
            hear(t, x, &heard[x->server]);
        if (x->success && !addr_is_none(&x->mapped) && (t->last || is_due(before - x->answer.ns, t->v->now_ns - x->answer.ns)))
            claim(t, i);
    }
    for (uint32_t i = 0; heard && i < k->servers.used; i++)
        server(t, i, &heard[i]);
    free(heard);
}

/* ---- the whole ---- */

bool monitor_init(struct monitor *m, const struct monitor_options *o)
{
    *m = (struct monitor){ 0 };
    if (o)
        m->options = *o;
    if (!m->options.grace_ns)
        m->options.grace_ns = MONITOR_GRACE_NS;
    monitor_sessions_init(m);
    pool_init(&m->claims, sizeof(struct told_claim), MONITOR_CLAIMS);
    pool_init(&m->silent, sizeof(struct addr), TRACK_SERVERS);
    monitor_servers_init(m);
    monitor_names_init(m);
    monitor_icmp_init(m);
    m->finding = malloc(sizeof *m->finding);
    return m->finding != NULL;
}

void monitor_done(struct monitor *m)
{
    monitor_sessions_done(m);
    pool_done(&m->claims);
    pool_done(&m->silent);
    hmap_done(&m->by_claim);
    hmap_done(&m->by_silent);
    monitor_servers_done(m);
    monitor_names_done(m);
    monitor_icmp_done(m);
    free(m->finding);
    m->finding = NULL;
}

/* The first minute begins with the first look, and takes in all that was before. */
static void minute(struct tick *t)
{
    struct monitor *m = t->m;

    t->minute = t->last || (m->minute_ns && t->v->now_ns >= m->minute_ns);
    t->since_ns = m->minute_from_ns;
    if (t->minute)
        m->minute_from_ns = t->v->now_ns;
    if (t->minute || !m->minute_ns)
        m->minute_ns = t->v->now_ns + MONITOR_MINUTE_NS;
}

static void run(struct tick *t)
{
    minute(t);
    monitor_names(t);
    monitor_servers(t);
    monitor_sessions(t);
    servers(t);
    monitor_icmp(t);
    t->m->ticked_ns = t->v->now_ns;
}

void monitor_renumbered(struct monitor *m)
{
    m->recent_from = m->asked_from = m->refused_from = m->measured_from = m->used_from = 0;
    m->names.moved = m->icmps.moved = true;
    monitor_sessions_renumbered(m);
    dns_index_done(&m->answers);
}

void monitor_tick(struct monitor *m, const struct view *v, void (*tell)(void *self, const struct event *e), void *self)
{
    run(&(struct tick){ .m = m, .v = v, .tell = tell, .self = self });
}

void monitor_finish(struct monitor *m, const struct view *v, void (*tell)(void *self, const struct event *e), void *self)
{
    run(&(struct tick){ .m = m, .v = v, .tell = tell, .self = self, .last = true });
}
