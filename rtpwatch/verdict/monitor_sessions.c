/*
 * Sessions as they begin, fail, recover and end. A call of the notebook is followed from when it is first seen until it is over, and not
 * looked at again; those without signalling are gathered anew every few seconds. What nobody hears of is not judged, and sentences are
 * written only where they are told.
 */
#include <stdlib.h>

#include "verdict/hosts.h"
#include "verdict/monitor_private.h"
#include "verdict/owner.h"
#include "verdict/verdict_private.h"

#define UNSIGNALLED_NS        SECONDS(5)   /* how often sessions without signalling are gathered anew */
#define UNSIGNALLED_ACTIVE_NS SECONDS(20)  /* what had a packet since is looked at for them: longer than flows take to doze */
#define UNSIGNALLED_KEPT_NS   SECONDS(120) /* nothing is left to tell of one that ended so long ago */
#define UNSIGNALLED_AFTER_NS  SECONDS(30)  /* RFC 7675 §5.1: consent lasts so long, and only then is such a session over */

/* What was told of one session so far. */
struct watched {
    uint64_t key;
    struct seen started; /* with the key its identity */
    int64_t due_ns;      /* when it is judged next */
    int64_t changed_ns;  /* since when the verdict differs from what was told; 0: it does not */
    bool missing;        /* media_missing was told, and no recovery since */
    bool answered, done;
    bool present;           /* found in the notebook since it was last renumbered, or the sessions were last gathered */
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
    const struct watched *w = pool_at(&((const struct sessions *)self)->watched, slot);
    const struct identity *k = key;

    return w->key == k->key && w->started.frame == k->frame;
}

/* What is known of it; else, with `fresh`, a new record. POOL_NONE without memory. */
static uint32_t watch(struct sessions *s, const struct call *c, bool *fresh)
{
    struct identity k = { key_of(c), c->started.frame };
    uint32_t slot = hmap_find(&s->by_key, k.key, watched_eq, s, &k);
    struct watched *w;

    *fresh = slot == HMAP_NONE;
    if (!*fresh)
        return slot;
    w = pool_new(&s->watched, &slot);
    if (!w)
        return POOL_NONE;
    w->key = k.key;
    w->started = c->started;
    if (hmap_put(&s->by_key, k.key, slot))
        return slot;
    pool_free(&s->watched, slot);
    return POOL_NONE;
}

/* ---- judging and telling ---- */

static bool is_heard(const struct tick *t, enum event_kind kind)
{
    return !(t->m->options.unheard >> kind & 1);
}

/* Into t->m->finding. `brief`: its verdict, and no sentences. */
static void judge(const struct tick *t, const struct call *c, bool brief)
{
    t->m->judged++;
    (brief ? judge_call_briefly : judge_call)(t->v, c, t->m->finding);
}

/* The session is judged. */
static void tell_judged(const struct tick *t, enum event_kind kind, const struct call *c)
{
    struct event e = { .kind = kind, .at_ns = t->v->now_ns, .session = t->m->finding, .tx = POOL_NONE };

    if (!is_heard(t, kind))
        return;
    if (t->m->finding->brief && !t->m->options.brief) {
        session_finding_done(t->m->finding);
        judge(t, c, false);
    }
    t->tell(t->self, &e);
}

static void tell_session(const struct tick *t, enum event_kind kind, const struct call *c)
{
    if (!is_heard(t, kind))
        return;
    judge(t, c, t->m->options.brief);
    tell_judged(t, kind, c);
    session_finding_done(t->m->finding);
}

/* What differs from what was told: told at once where it is proven, else once it has lasted. */
static void changed(const struct tick *t, struct watched *w, const struct call *c, bool failed, bool proven)
{
    if (!w->changed_ns && !proven) {
        w->changed_ns = t->v->now_ns;
        w->due_ns = t->v->now_ns + MONITOR_HOLD_NS;
    } else if (proven || t->v->now_ns - w->changed_ns >= MONITOR_HOLD_NS) {
        w->missing = failed;
        w->changed_ns = 0;
        tell_judged(t, failed ? EVENT_SESSION_MEDIA_MISSING : EVENT_SESSION_RECOVERED, c);
    } else {
        w->due_ns = w->changed_ns + MONITOR_HOLD_NS;
    }
}

static void settle(const struct tick *t, struct watched *w, const struct call *c)
{
    const struct session_finding *f = t->m->finding;
    bool failed;

    judge(t, c, true);
    failed = verdict_is_failure(f->verdict);
    w->due_ns = t->v->now_ns + MONITOR_EVERY_NS;
    if (failed == w->missing || (!failed && f->verdict != VERDICT_OK))
        w->changed_ns = 0;
    else
        changed(t, w, c, failed, failed && f->confidence == CONFIDENCE_PROVEN);
    session_finding_done(t->m->finding);
}

/* The last word: what was missing to the end, or came back at last, is told before it. */
static void end(const struct tick *t, struct watched *w, const struct call *c)
{
    struct session_finding *f = t->m->finding;
    bool failed;

    w->done = true;
    judge(t, c, t->m->options.brief || !is_heard(t, EVENT_SESSION_ENDED));
    failed = verdict_is_failure(f->verdict);
    t->m->by_verdict[f->verdict]++;
    t->m->by_cause[f->cause]++;
    w->verdict = (uint8_t)f->verdict;
    w->cause = (uint8_t)f->cause;
    if (c->answered.frame && (w->missing ? f->verdict == VERDICT_OK : failed)) {
        w->missing = failed;
        tell_judged(t, failed ? EVENT_SESSION_MEDIA_MISSING : EVENT_SESSION_RECOVERED, c);
    }
    tell_judged(t, EVENT_SESSION_ENDED, c);
    session_finding_done(f);
}

/* Without a BYE a session is over when nothing is heard of it any more. */
static bool is_over(const struct tick *t, const struct call *c)
{
    return c->ended.frame && t->v->now_ns - c->ended.ns >= (c->kind == SESSION_SIP ? MONITOR_AFTER_NS : UNSIGNALLED_AFTER_NS);
}

/* `fresh`: it is seen for the first time. */
static void session(const struct tick *t, struct watched *w, const struct call *c, bool fresh)
{
    if (fresh)
        tell_session(t, EVENT_SESSION_STARTED, c);
    if (c->answered.frame && !w->answered) {
        w->answered = true;
        w->due_ns = c->answered.ns + t->m->options.grace_ns;
        if (c->kind == SESSION_SIP)
            tell_session(t, EVENT_SESSION_ANSWERED, c);
    }
    if (t->last || is_over(t, c))
        end(t, w, c);
    else if (w->answered && t->v->now_ns >= w->due_ns && (!c->ended.frame || c->kind != SESSION_SIP))
        settle(t, w, c);
}

/* ---- calls of the notebook ---- */

/* Those that came since; false without memory: then they are taken later. */
static bool calls_take(struct monitor *m, const struct track *t)
{
    uint32_t n = m->going_n + t->calls.used - m->calls_from, room = n + n / 2;
    struct going *more = n > m->going_room ? realloc(m->going, room * sizeof *more) : m->going;

    if (n && !more)
        return false;
    if (n > m->going_room)
        m->going_room = room;
    m->going = more;
    while (m->calls_from < t->calls.used)
        m->going[m->going_n++] = (struct going){ m->calls_from++, POOL_NONE };
    return true;
}

/* False: there is nothing more to say of it. */
static bool call_goes_on(const struct tick *t, struct going *g)
{
    const struct call *c = track_call_at(t->v->t, g->call);
    bool fresh = false;
    struct watched *w;

    if (g->watched == POOL_NONE)
        g->watched = watch(&t->m->signalled, c, &fresh);
    if (g->watched == POOL_NONE)
        return true;
    w = pool_at(&t->m->signalled.watched, g->watched);
    w->present = true;
    if (!w->done)
        session(t, w, c, fresh);
    return !w->done;
}

static void calls(const struct tick *t)
{
    struct monitor *m = t->m;
    uint32_t kept = 0;

    calls_take(m, t->v->t);
    for (uint32_t i = 0; i < m->going_n; i++)
        if (call_goes_on(t, &m->going[i]))
            m->going[kept++] = m->going[i];
    m->going_n = kept;
}

/* ---- sessions without signalling ---- */

/* Something that no call explains is going on, or was until lately. Where it is not known what is going on, it may be anything. */
static bool unsignalled_may_be(const struct tick *t)
{
    const struct hosts *h = t->v->hosts;
    int64_t now_ns = t->v->now_ns;
    bool found = !h;

    for (uint32_t i = 0; !found && i < h->awake_n; i++) {
        const struct flow *f = track_flow_at(t->v->t, h->awake[i]);

        found = f->contains & (FLOW_RTP | FLOW_CHECK) && may_be_unsignalled(t->v, f, now_ns - UNSIGNALLED_ACTIVE_NS);
    }
    if (found)
        t->m->unsignalled_until_ns = now_ns + UNSIGNALLED_KEPT_NS;
    return t->last || now_ns < t->m->unsignalled_until_ns;
}

static void unsignalled(const struct tick *t)
{
    struct sessions *s = &t->m->unsignalled;
    struct unsignalled u;

    t->m->gathered++;
    unsignalled_make(&u, t->v);
    for (uint32_t i = 0; i < u.calls.used; i++) {
        const struct call *c = pool_at(&u.calls, i);
        bool fresh = false;
        uint32_t slot = c->agreements ? watch(s, c, &fresh) : POOL_NONE;
        struct watched *w = slot == POOL_NONE ? NULL : pool_at(&s->watched, slot);

        if (!w)
            continue;
        w->present = true;
        if (!w->done)
            session(t, w, c, fresh);
    }
    unsignalled_done(&u);
}

/* ---- those that the notebook has given up ---- */

static void forget(struct monitor *m, struct sessions *s)
{
    for (uint32_t i = 0; i < s->watched.used; i++) {
        struct watched *w = record_in(&s->watched, i);

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
        hmap_del(&s->by_key, w->key, i);
        pool_free(&s->watched, i);
    }
}

/* ---- the whole ---- */

void monitor_sessions_init(struct monitor *m)
{
    pool_init(&m->signalled.watched, sizeof(struct watched), MONITOR_SESSIONS);
    pool_init(&m->unsignalled.watched, sizeof(struct watched), MONITOR_SESSIONS);
}

void monitor_sessions_done(struct monitor *m)
{
    pool_done(&m->signalled.watched);
    pool_done(&m->unsignalled.watched);
    hmap_done(&m->signalled.by_key);
    hmap_done(&m->unsignalled.by_key);
    free(m->going);
    m->going = NULL;
    m->going_n = m->going_room = 0;
}

/* All calls are looked up again, and those that are over are dropped again; what is not found is forgotten. */
void monitor_sessions_renumbered(struct monitor *m)
{
    m->going_n = m->calls_from = 0;
    m->calls_moved = true;
    for (uint32_t i = 0; i < m->signalled.watched.used; i++) {
        struct watched *w = record_in(&m->signalled.watched, i);

        if (w)
            w->present = false;
    }
}

void monitor_sessions(const struct tick *t)
{
    struct monitor *m = t->m;

    calls(t);
    if (m->calls_moved)
        forget(m, &m->signalled);
    m->calls_moved = false;
    if (!t->last && t->v->now_ns < m->unsignalled_due_ns)
        return;
    m->unsignalled_due_ns = t->v->now_ns + UNSIGNALLED_NS;
    if (!unsignalled_may_be(t))
        return;
    unsignalled(t);
    forget(m, &m->unsignalled);
}
