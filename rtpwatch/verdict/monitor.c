#include "verdict/monitor.h"

#include <stdlib.h>

#include "verdict/monitor_private.h"
#include "verdict/unsignalled.h"
#include "verdict/verdict_private.h"

enum { SILENT_ASKED = 3 /* requests to one server, all of them unanswered */ };
#define DOUBT_NS             SECONDS(30) /* what is not proven may still be refuted by media that arrives */
#define UNSIGNALLED_NS       SECONDS(5)  /* how often sessions without signalling are gathered anew */
#define UNSIGNALLED_AFTER_NS SECONDS(30) /* RFC 7675 §5.1: consent lasts so long, and only then is such a session over */

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

/* What was told of one session so far. */
struct watched {
    uint64_t key;
    struct seen started; /* with the key its identity */
    int64_t due_ns;      /* when it is judged next */
    int64_t changed_ns;  /* since when the verdict differs from what was told; 0: it does not */
    bool missing;        /* media_missing was told, and no recovery since */
    bool answered, done;
    bool present;           /* still in the notebook */
    uint8_t verdict, cause; /* the last ones, once it is done */
};

static uint64_t key_of(const struct call *c)
{
    const char *a, *b;

    if (c->kind == SESSION_SIP)
        return hash_bytes(c->call_id, strlen(c->call_id));
    a = c->sdps->media->ufrag;
    b = c->sdps->next->media->ufrag;
    /* Their order may change; those that are known by their RTP alone have none, and their beginning is part of the identity anyway. */
    return hash_bytes(a, strlen(a)) ^ hash_bytes(b, strlen(b)) ^ hash_bytes(&c->started.frame, sizeof c->started.frame);
}

struct identity {
    uint64_t key;
    uint64_t frame;
};

static bool watched_eq(const void *self, uint32_t slot, const void *key)
{
    const struct watched *w = pool_at(&((const struct monitor *)self)->watched, slot);
    const struct identity *k = key;

    return w->key == k->key && w->started.frame == k->frame;
}

/* ---- sessions ---- */

static struct watched *watch(struct monitor *m, const struct call *c, bool *fresh)
{
    struct identity k = { key_of(c), c->started.frame };
    uint32_t slot = hmap_find(&m->by_session, k.key, watched_eq, m, &k);
    struct watched *w;

    *fresh = slot == HMAP_NONE;
    if (!*fresh)
        return pool_at(&m->watched, slot);
    w = pool_new(&m->watched, &slot);
    if (!w)
        return NULL;
    w->key = k.key;
    w->started = c->started;
    if (hmap_put(&m->by_session, k.key, slot))
        return w;
    pool_free(&m->watched, slot);
    return NULL;
}

static void tell_session(const struct tick *t, enum event_kind kind, const struct call *c, bool judged)
{
    struct event e = { .kind = kind, .at_ns = t->v->now_ns, .session = t->m->finding, .tx = POOL_NONE };

    if (!judged)
        judge_call(t->v, c, t->m->finding);
    t->tell(t->self, &e);
    session_finding_done(t->m->finding);
}

static void settle(const struct tick *t, struct watched *w, const struct call *c)
{
    struct session_finding *f = t->m->finding;
    bool failed, proven;

    judge_call(t->v, c, f);
    failed = verdict_is_failure(f->verdict);
    proven = f->confidence == CONFIDENCE_PROVEN;
    w->due_ns = t->v->now_ns + MONITOR_EVERY_NS;
    if (failed == w->missing || (!failed && f->verdict != VERDICT_OK)) {
        w->changed_ns = 0;
    } else if (!w->changed_ns && !(failed && proven)) {
        w->changed_ns = t->v->now_ns;
        w->due_ns = t->v->now_ns + MONITOR_HOLD_NS;
    } else if ((failed && proven) || t->v->now_ns - w->changed_ns >= MONITOR_HOLD_NS) {
        w->missing = failed;
        w->changed_ns = 0;
        tell_session(t, failed ? EVENT_SESSION_MEDIA_MISSING : EVENT_SESSION_RECOVERED, c, true);
        return;
    } else {
        w->due_ns = w->changed_ns + MONITOR_HOLD_NS;
    }
    session_finding_done(f);
}

/* The last word: what was missing to the end, or came back at last, is told before it. */
static void end(const struct tick *t, struct watched *w, const struct call *c)
{
    struct session_finding *f = t->m->finding;
    struct event e = { .at_ns = t->v->now_ns, .session = f, .tx = POOL_NONE };
    bool failed;

    w->done = true;
    judge_call(t->v, c, f);
    failed = verdict_is_failure(f->verdict);
    t->m->by_verdict[f->verdict]++;
    t->m->by_cause[f->cause]++;
    w->verdict = (uint8_t)f->verdict;
    w->cause = (uint8_t)f->cause;
    if (c->answered.frame && (w->missing ? f->verdict == VERDICT_OK : failed)) {
        w->missing = failed;
        e.kind = failed ? EVENT_SESSION_MEDIA_MISSING : EVENT_SESSION_RECOVERED;
        t->tell(t->self, &e);
    }
    tell_session(t, EVENT_SESSION_ENDED, c, true);
}

/* Without a BYE a session is over when nothing is heard of it any more. */
static bool is_over(const struct tick *t, const struct call *c)
{
    return c->ended.frame && t->v->now_ns - c->ended.ns >= (c->kind == SESSION_SIP ? MONITOR_AFTER_NS : UNSIGNALLED_AFTER_NS);
}

static void session(const struct tick *t, const struct call *c)
{
    bool fresh;
    struct watched *w = watch(t->m, c, &fresh);

    if (!w)
        return;
    w->present = true;
    if (w->done)
        return;
    if (fresh)
        tell_session(t, EVENT_SESSION_STARTED, c, false);
    if (c->answered.frame && !w->answered) {
        w->answered = true;
        w->due_ns = c->answered.ns + t->m->options.grace_ns;
        if (c->kind == SESSION_SIP)
            tell_session(t, EVENT_SESSION_ANSWERED, c, false);
    }
    if (t->last || is_over(t, c))
        end(t, w, c);
    else if (w->answered && t->v->now_ns >= w->due_ns && (!c->ended.frame || c->kind != SESSION_SIP))
        settle(t, w, c);
}

static void unsignalled(const struct tick *t)
{
    struct unsignalled u;

    if (!t->last && t->v->now_ns < t->m->unsignalled_due_ns)
        return;
    t->m->unsignalled_due_ns = t->v->now_ns + UNSIGNALLED_NS;
    unsignalled_make(&u, t->v);
    for (uint32_t i = 0; i < u.calls.used; i++)
        if (((const struct call *)pool_at(&u.calls, i))->agreements)
            session(t, pool_at(&u.calls, i));
    unsignalled_done(&u);
}

/* Records of sessions that the notebook has given up. */
static void forget(struct monitor *m)
{
    for (uint32_t i = 0; i < m->watched.used; i++) {
        struct watched *w = record_in(&m->watched, i);

        if (!w)
            continue;
        if (w->present) {
            w->present = false;
            continue;
        }
        if (w->done) {
            m->forgotten.sessions++;
            m->forgotten.by_verdict[w->verdict]++;
            m->forgotten.by_cause[w->cause]++;
        }
        hmap_del(&m->by_session, w->key, i);
        pool_free(&m->watched, i);
    }
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

/* NULL: without memory; then nothing is told, rather than again and again. */
static struct told_claim *claim_remembered(struct monitor *m, struct seen answer)
{
    uint64_t hash = hash_bytes(&answer.frame, sizeof answer.frame);
    uint32_t slot = hmap_find(&m->by_claim, hash, claim_eq, m, &answer.frame);
    struct told_claim *c;

    if (slot != HMAP_NONE)
        return pool_at(&m->claims, slot);
    c = pool_new(&m->claims, &slot);
    if (!c)
        return NULL;
    *c = (struct told_claim){ .frame = answer.frame, .ns = answer.ns };
    if (hmap_put(&m->by_claim, hash, slot))
        return c;
    pool_free(&m->claims, slot);
    return NULL;
}

/* RTP comes to the socket that asked. Whether by the claimed address or not, the words of other sockets are then too weak. */
static void contradiction_tell(const struct tick *t, uint32_t tx, const struct claim *c)
{
    struct session_finding *why = t->m->finding;
    struct server_finding f;
    struct event e = {
        .kind = EVENT_STUN_CONTRADICTION, .at_ns = t->v->now_ns, .server = &f, .tx = tx, .confidence = c->confidence, .why = why
    };

    *why = (struct session_finding){ .evidence_n = 0 };
    evidence_claim(t->v, tx, c, why);
    evidence_sort(why);
    server_begin(t->v, track_tx_at(t->v->t, tx)->server, &f);
    t->tell(t->self, &e);
    session_finding_done(why);
}

/* It must stay wrong for a while: another observer may yet take its side. */
static void claim(const struct tick *t, uint32_t tx)
{
    const struct stun_tx *x = track_tx_at(t->v->t, tx);
    struct told_claim *told;
    struct claim c;

    claim_judge(t->v, tx, claim_media_arrives(t->v, tx), &c);
    if (c.status != CLAIM_WRONG && hmap_find(&t->m->by_claim, hash_bytes(&x->answer.frame, sizeof x->answer.frame), claim_eq,
                                             t->m, &x->answer.frame) == HMAP_NONE)
        return;
    told = claim_remembered(t->m, x->answer);
    if (!told || told->told)
        return;
    if (c.status != CLAIM_WRONG)
        told->wrong_ns = 0;
    else if (!told->wrong_ns)
        told->wrong_ns = t->v->now_ns;
    if (!told->wrong_ns || (!t->last && (t->v->now_ns - told->wrong_ns < MONITOR_HOLD_NS ||
                                         (c.confidence != CONFIDENCE_PROVEN && t->v->now_ns - x->answer.ns < DOUBT_NS))))
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

    if (told ? !h->answered : h->answered || h->unanswered < SILENT_ASKED || t->v->options.dropped)
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
    pool_init(&m->watched, sizeof(struct watched), MONITOR_SESSIONS);
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
    pool_done(&m->watched);
    pool_done(&m->claims);
    pool_done(&m->silent);
    hmap_done(&m->by_session);
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
    bool all = t->last || t->v->now_ns >= t->m->unsignalled_due_ns;

    minute(t);
    monitor_names(t);
    monitor_servers(t);

    for (uint32_t i = 0; i < t->v->t->calls.used; i++)
        session(t, track_call_at(t->v->t, i));
    unsignalled(t);
    if (all)
        forget(t->m);
    servers(t);
    monitor_icmp(t);
    t->m->ticked_ns = t->v->now_ns;
}

void monitor_renumbered(struct monitor *m)
{
    m->recent_from = m->asked_from = m->refused_from = m->measured_from = m->used_from = 0;
    m->names.moved = m->icmps.moved = true;
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
