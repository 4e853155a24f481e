#include "verdict/monitor.h"

#include <stdlib.h>

#include "verdict/unsignalled.h"
#include "verdict/verdict_private.h"

enum { SILENT_ASKED = 3 /* requests of one server that were all unanswered */ };
#define SILENT_AFTER_NS                                                                                                          \
    SECONDS(10) /* RFC 8489 §6.2.1: the last retransmission is given up after 39.5 s, media does not wait so long */
#define CLAIM_FIRST_NS SECONDS(1) /* what speaks against an answer comes a little later */
#define CLAIM_LAST_NS  SECONDS(60)
#define UNSIGNALLED_NS SECONDS(5) /* how often sessions without signalling are gathered anew */

const char *event_word(enum event_kind k)
{
#define X(id, word) word,
    static const char *const words[] = { EVENTS(X) };
#undef X

    return words[k];
}

/* What was told of one session so far. */
struct watched {
    uint64_t key;
    struct seen started; /* with the key its identity */
    int64_t due_ns;      /* when it is judged next */
    int64_t changed_ns;  /* since when the verdict differs from what was told; 0: it does not */
    bool missing;        /* media_missing was told, and no recovery since */
    bool answered, done;
    bool present; /* still in the notebook */
};

static uint64_t key_of(const struct call *c)
{
    const char *a, *b;

    if (c->kind == SESSION_SIP)
        return hash_bytes(c->call_id, strlen(c->call_id));
    a = c->sdps->media->ufrag;
    b = c->sdps->next->media->ufrag;
    return (hash_bytes(a, strlen(a)) ^ hash_bytes(b, strlen(b)) ^ addr_hash(&c->sdps->media->addr)) | 1;
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

struct tick {
    struct monitor *m;
    const struct view *v;
    void (*tell)(void *self, const struct event *e);
    void *self;
    bool last; /* the end of input */
};

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

static void end(const struct tick *t, struct watched *w, const struct call *c)
{
    struct session_finding *f = t->m->finding;

    w->done = true;
    judge_call(t->v, c, f);
    t->m->by_verdict[f->verdict]++;
    t->m->by_cause[f->cause]++;
    if (!w->missing && verdict_is_failure(f->verdict) && c->answered.frame) {
        struct event e = { .kind = EVENT_SESSION_MEDIA_MISSING, .at_ns = t->v->now_ns, .session = f, .tx = POOL_NONE };

        w->missing = true;
        t->tell(t->self, &e);
    }
    tell_session(t, EVENT_SESSION_ENDED, c, true);
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
    if (t->last || (c->ended.frame && t->v->now_ns - c->ended.ns >= MONITOR_AFTER_NS))
        end(t, w, c);
    else if (w->answered && !c->ended.frame && t->v->now_ns >= w->due_ns)
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
        struct watched *w = pool_at(&m->watched, i);

        if (!w->key)
            continue;
        if (!w->present && w->done) {
            hmap_del(&m->by_session, w->key, i);
            w->key = 0;
            pool_free(&m->watched, i);
        }
        w->present = false;
    }
}

/* ---- STUN servers ---- */

struct told_claim {
    uint64_t frame;
    int64_t ns;
};

static bool claim_eq(const void *self, uint32_t slot, const void *key)
{
    return ((const struct told_claim *)pool_at(&((const struct monitor *)self)->claims, slot))->frame == *(const uint64_t *)key;
}

/* Those that are too old to be judged again need not be remembered. */
static void claims_purge(struct monitor *m, int64_t now_ns)
{
    for (uint32_t i = 0; i < m->claims.used; i++) {
        struct told_claim *c = pool_at(&m->claims, i);

        if (!c->frame || now_ns - c->ns <= CLAIM_LAST_NS * 2)
            continue;
        hmap_del(&m->by_claim, hash_bytes(&c->frame, sizeof c->frame), i);
        c->frame = 0;
        pool_free(&m->claims, i);
    }
}

/* False: it was told before, or cannot be remembered. */
static bool claim_remember(struct monitor *m, struct seen answer)
{
    uint64_t hash = hash_bytes(&answer.frame, sizeof answer.frame);
    struct told_claim *c;
    uint32_t slot;

    if (hmap_find(&m->by_claim, hash, claim_eq, m, &answer.frame) != HMAP_NONE)
        return false;
    c = pool_new(&m->claims, &slot);
    if (!c)
        return false;
    *c = (struct told_claim){ answer.frame, answer.ns };
    return hmap_put(&m->by_claim, hash, slot);
}

static void claims(const struct tick *t)
{
    const struct track *k = t->v->t;
    bool old = true;

    claims_purge(t->m, t->v->now_ns);
    for (uint32_t i = t->m->claims_from; i < k->stun_txs.used; i++) {
        const struct stun_tx *x = track_tx_at(k, i);
        int64_t age = t->v->now_ns - x->requests.last.ns;
        struct claim c;

        old &= age > CLAIM_LAST_NS;
        t->m->claims_from += old;
        if (old || !x->success || addr_is_none(&x->mapped) || (age < CLAIM_FIRST_NS && !t->last))
            continue;
        claim_judge(t->v, i, false, &c);
        if (c.status == CLAIM_WRONG && claim_remember(t->m, x->answer)) {
            struct server_finding f;
            struct event e = { EVENT_STUN_CONTRADICTION, t->v->now_ns, NULL, &f, i, c.confidence };

            server_begin(t->v, x->server, &f);
            t->tell(t->self, &e);
        }
    }
}

static bool silent_eq(const void *self, uint32_t slot, const void *key)
{
    return addr_eq(pool_at(&((const struct monitor *)self)->silent, slot), key);
}

static void server(const struct tick *t, uint32_t i)
{
    struct monitor *m = t->m;
    const struct stun_server *s = track_server_at(t->v->t, i);
    uint32_t slot = hmap_find(&m->by_silent, addr_hash(&s->addr), silent_eq, m, &s->addr);
    bool told = slot != HMAP_NONE, silent = !s->responses && s->requests + s->retransmissions >= SILENT_ASKED &&
                                            t->v->now_ns - s->asked.first.ns >= SILENT_AFTER_NS;
    struct server_finding f;
    struct event e = { silent ? EVENT_STUN_SILENT : EVENT_STUN_ANSWERS, t->v->now_ns, NULL, &f, POOL_NONE, CONFIDENCE_NONE };
    struct addr *kept;

    if (told == silent || (told && !s->responses))
        return;
    server_begin(t->v, i, &f);
    if (f.peer)
        return;
    if (told) {
        hmap_del(&m->by_silent, addr_hash(&s->addr), slot);
        pool_free(&m->silent, slot);
    } else if ((kept = pool_new(&m->silent, &slot)) != NULL) {
        *kept = s->addr;
        if (!hmap_put(&m->by_silent, addr_hash(kept), slot))
            return;
    }
    t->tell(t->self, &e);
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
    free(m->finding);
    m->finding = NULL;
}

static void run(const struct tick *t)
{
    bool all = t->last || t->v->now_ns >= t->m->unsignalled_due_ns;

    for (uint32_t i = 0; i < t->v->t->calls.used; i++)
        session(t, track_call_at(t->v->t, i));
    unsignalled(t);
    if (all)
        forget(t->m);
    claims(t);
    for (uint32_t i = 0; i < t->v->t->servers.used; i++)
        server(t, i);
}

void monitor_tick(struct monitor *m, const struct view *v, void (*tell)(void *self, const struct event *e), void *self)
{
    run(&(struct tick){ m, v, tell, self, false });
}

void monitor_finish(struct monitor *m, const struct view *v, void (*tell)(void *self, const struct event *e), void *self)
{
    run(&(struct tick){ m, v, tell, self, true });
}
