/*
 * A STUN server that nothing contradicts but the calls that used it (SPEC §3). Such calls have more in common than their STUN server: a
 * site's firewall, one bad network, one program. So a server is suspected only where calls of the same time, from the same hosts, go well
 * without it, and where nothing else that the failed calls share explains them as well.
 */
#include <math.h>
#include <stdlib.h>

#include "verdict/factors.h"

/* With it fail at least nine of ten, without it at most one of ten. */
enum { MOSTLY = 9, TEN = 10 };

struct window {
    int64_t from_ns, to_ns;
};

/* What one session is to the question: does a STUN server's word make calls fail? */
struct part {
    bool counts, with, failed;
};

static uint32_t find(const struct factors *fs, const struct factor_session *s, uint32_t value)
{
    for (uint32_t k = 0; k < s->values_n; k++)
        if ((fs->values_of[s->value + k] & ~FACTOR_CLEARED) == value)
            return fs->values_of[s->value + k];
    return POOL_NONE;
}

/* A session that failed by somebody else's proven fault tells nothing; one whose address was right speaks for the server. */
static struct part part_of(const struct factors *fs, const struct factor_session *s, uint32_t value)
{
    uint32_t found = find(fs, s, value);
    bool with = found != POOL_NONE, cleared = with && (found & FACTOR_CLEARED);

    return (struct part){ .counts = !s->failed || s->open, .with = with, .failed = s->open && !cleared };
}

static bool window_find(const struct factors *fs, uint32_t value, struct window *w)
{
    bool any = false;

    *w = (struct window){ INT64_MAX, INT64_MIN };
    for (size_t i = 0; i < fs->sessions; i++) {
        const struct factor_session *s = &fs->session[i];
        struct part p = part_of(fs, s, value);

        if (!p.with || !p.failed)
            continue;
        any = true;
        w->from_ns = s->ns < w->from_ns ? s->ns : w->from_ns;
        w->to_ns = s->ns > w->to_ns ? s->ns : w->to_ns;
    }
    return any;
}

static bool within(const struct window *w, const struct factor_session *s)
{
    return s->ns >= w->from_ns && s->ns <= w->to_ns;
}

static void table_add(struct fourfold *t, const struct part *p)
{
    t->with += p->with;
    t->without += !p->with;
    t->failed_with += p->with && p->failed;
    t->failed_without += !p->with && p->failed;
}

/* ---- strata: sessions that have the same values of one factor ---- */

struct stratum {
    uint64_t key;
    struct fourfold n;
};

struct strata {
    struct hmap by_key;
    struct stratum *list;
    size_t n, room;
};

static bool stratum_eq(const void *self, uint32_t slot, const void *key)
{
    return ((const struct strata *)self)->list[slot].key == *(const uint64_t *)key;
}

static struct fourfold *stratum_get(struct strata *x, uint64_t key)
{
    uint64_t hash = hash_bytes(&key, sizeof key);
    uint32_t slot = hmap_find(&x->by_key, hash, stratum_eq, x, &key);

    if (slot != HMAP_NONE)
        return &x->list[slot].n;
    if (x->n == x->room) {
        struct stratum *more = realloc(x->list, (x->room ? 2 * x->room : 64) * sizeof *more);

        if (!more)
            return NULL;
        x->list = more;
        x->room = x->room ? 2 * x->room : 64;
    }
    if (!hmap_put(&x->by_key, hash, (uint32_t)x->n))
        return NULL;
    x->list[x->n] = (struct stratum){ .key = key };
    return &x->list[x->n++].n;
}

/* The session's values of the factor, whatever their order. */
static uint64_t values_key(const struct factors *fs, const struct factor_session *s, unsigned factor)
{
    uint64_t key = 0;

    for (uint32_t k = 0; k < s->values_n; k++) {
        uint32_t v = fs->values_of[s->value + k] & ~FACTOR_CLEARED;

        if (factor_value_at(fs, v)->factor == factor)
            key += hash_bytes(&v, sizeof v) | 1;
    }
    return key;
}

/* A rival explanation: the values of `factor`, or, for another STUN server, whether the session has `rival`. */
struct rival {
    unsigned factor;
    uint32_t server; /* FACTOR_STUN_SERVER: its value */
};

static bool strata_make(struct strata *x, const struct factors *fs, uint32_t value, const struct window *w, struct rival r)
{
    for (size_t i = 0; i < fs->sessions; i++) {
        const struct factor_session *s = &fs->session[i];
        struct part p = part_of(fs, s, value);
        struct fourfold *t;

        if (!p.counts || !within(w, s))
            continue;
        t = stratum_get(x, r.factor == FACTOR_STUN_SERVER ? find(fs, s, r.server) != POOL_NONE : values_key(fs, s, r.factor));
        if (!t)
            return false;
        table_add(t, &p);
    }
    return true;
}

/* How the sessions spread over the groups. */
struct spread {
    size_t failing, well;       /* groups in which some failed with the server, went well without it */
    uint64_t failed, went_well; /* and those sessions */
    size_t telling;
    double sum_ln_p;
};

static struct spread spread_of(const struct strata *x)
{
    struct spread s = { 0 };

    for (size_t i = 0; i < x->n; i++) {
        const struct fourfold *t = &x->list[i].n;

        s.failing += t->failed_with > 0;
        s.failed += t->failed_with;
        s.well += t->without > t->failed_without;
        s.went_well += t->without - t->failed_without;
        s.telling += fourfold_tells(t);
        s.sum_ln_p += fisher_ln_p(t);
    }
    return s;
}

/* Nearly each call has a value of its own, those that fail and those that do not: there would have to be as many causes as calls. */
static bool explains_nothing(const struct spread *s)
{
    return 2 * s->failing > s->failed && 2 * s->well > s->went_well;
}

/* Within groups that are alike in the rival, do calls still fail with the server and go well without it? */
static bool outweighs(const struct factors *fs, uint32_t value, const struct window *w, struct rival r)
{
    bool always = r.factor == FACTOR_LOCAL_ADDRESS || r.factor == FACTOR_STUN_SERVER;
    struct strata x = { 0 };
    bool made = strata_make(&x, fs, value, w, r);
    struct spread s = spread_of(&x);

    hmap_done(&x.by_key);
    free(x.list);
    return made && ((!always && explains_nothing(&s)) || fisher_combine(s.sum_ln_p, s.telling) < log(FACTOR_P_MOST));
}

/* Other STUN servers that more than half of the failed calls used as well. */
static bool outweighs_servers(const struct factors *fs, uint32_t value, const struct window *w, uint32_t failed)
{
    uint32_t *both = calloc(fs->value.used, sizeof *both);
    bool fine = both != NULL;

    for (size_t i = 0; both && i < fs->sessions; i++) {
        const struct factor_session *s = &fs->session[i];
        struct part p = part_of(fs, s, value);

        for (uint32_t k = 0; within(w, s) && p.with && p.failed && k < s->values_n; k++)
            both[fs->values_of[s->value + k] & ~FACTOR_CLEARED]++;
    }
    for (uint32_t v = 0; fine && v < fs->value.used; v++)
        if (v != value && factor_value_at(fs, v)->factor == FACTOR_STUN_SERVER && 2 * both[v] > failed)
            fine = outweighs(fs, value, w, (struct rival){ FACTOR_STUN_SERVER, v });
    free(both);
    return fine;
}

bool factors_suspect(const struct factors *fs, uint32_t value, struct fourfold *out)
{
    struct window w;

    *out = (struct fourfold){ 0 };
    if (fs->broken || !window_find(fs, value, &w))
        return false;
    for (size_t i = 0; i < fs->sessions; i++) {
        struct part p = part_of(fs, &fs->session[i], value);

        if (p.counts && within(&w, &fs->session[i]))
            table_add(out, &p);
    }
    if (out->failed_with < FACTOR_FAILED_LEAST || out->with + out->without < FACTOR_JUDGED_LEAST)
        return false;
    if (out->failed_with * (uint64_t)TEN < out->with * (uint64_t)MOSTLY ||
        out->failed_without * (uint64_t)TEN > out->without * (uint64_t)(TEN - MOSTLY) || fisher_ln_p(out) >= log(FACTOR_P_MOST))
        return false;
    for (unsigned factor = FACTOR_LOCAL_ADDRESS; factor < FACTORS_N; factor++)
        if (!outweighs(fs, value, &w, (struct rival){ .factor = factor }))
            return false;
    return outweighs_servers(fs, value, &w, out->failed_with);
}
