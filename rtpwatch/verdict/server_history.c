/* A STUN server's answers in time: when it was wrong, when it was right again, and where one socket was told another address. */
#include "verdict/join.h"
#include "verdict/verdict_private.h"

enum { STEPS = 64, HEALED_LEAST = 2 };

static const struct stun_tx *mapped_at(const struct view *v, uint32_t tx)
{
    const struct stun_tx *x = track_tx_at(v->t, tx);

    return x->success && !addr_is_none(&x->mapped) ? x : NULL;
}

/* What the same server told the same socket before; POOL_NONE: nothing. */
static uint32_t told_before(const struct view *v, const struct stun_tx *x)
{
    const struct stun_tx *o;
    unsigned steps = 0;

    for (uint32_t i = x->next_asked; steps++ < STEPS && (o = track_tx_at(v->t, i)) != NULL; i = o->next_asked)
        if (o->server == x->server && mapped_at(v, i) && o->answer.ns <= x->answer.ns)
            return i;
    return POOL_NONE;
}

/* The newest stay. */
static void change_add(struct server_finding *f, const struct mapping_change *c)
{
    if (f->changes_n == CHANGES_KEPT) {
        memmove(f->change, f->change + 1, (CHANGES_KEPT - 1) * sizeof *f->change);
        f->changes_n--;
    }
    f->change[f->changes_n++] = *c;
    f->changes++;
}

static enum claim_status claim_of(const struct view *v, uint32_t tx)
{
    enum confidence sure;

    return claim_of_answer(v, tx, &sure);
}

static void change_find(const struct view *v, uint32_t tx, struct server_finding *f)
{
    const struct stun_tx *x = track_tx_at(v->t, tx), *o;
    uint32_t before = told_before(v, x);
    struct mapping_change c;

    if (before == POOL_NONE)
        return;
    o = track_tx_at(v->t, before);
    if (addr_eq(&o->mapped, &x->mapped))
        return;
    c = (struct mapping_change){ .socket = track_socket(v->t, x->socket)->addr,
                                 .from = o->mapped,
                                 .to = x->mapped,
                                 .before = o->answer,
                                 .at = x->answer,
                                 .wrong = claim_of(v, tx) == CLAIM_WRONG };
    change_add(f, &c);
    if (c.wrong && claim_of(v, before) != CLAIM_WRONG && !f->turned.at.frame)
        f->turned = c;
}

/* That server lied to that host before. */
static bool lied_to(const struct view *v, const struct stun_tx *x)
{
    const struct stun_tx *o;
    unsigned steps = 0;

    for (uint32_t i = x->older_of_host; steps++ < STEPS && (o = track_tx_at(v->t, i)) != NULL; i = o->older_of_host)
        if (o->server == x->server && claim_of(v, i) == CLAIM_WRONG)
            return true;
    return false;
}

void server_history(const struct view *v, struct server_finding *out)
{
    for (uint32_t i = 0; i < v->t->stun_txs.used; i++) {
        const struct stun_tx *x = mapped_at(v, i);
        struct server_finding *f = x ? &out[x->server] : NULL;

        if (!x)
            continue;
        change_find(v, i, f);
        if (x->answer.ns < f->first_bad.ns && claim_of(v, i) == CLAIM_FINE)
            f->right_before = x->answer;
        if (!f->last_bad.frame || x->answer.ns <= f->last_bad.ns)
            continue;
        if (claim_of(v, i) != CLAIM_FINE && !lied_to(v, x))
            continue;
        if (!f->right_since++)
            f->healed = x->answer;
    }
    for (uint32_t i = 0; i < v->t->servers.used; i++)
        if (out[i].right_since < HEALED_LEAST)
            out[i].healed = (struct seen){ 0 };
}

static bool earlier(const struct seen *a, const struct seen *b)
{
    return a->frame && (!b->frame || a->ns < b->ns);
}

void server_history_shift(struct server_finding *f, int64_t ns)
{
    seen_shift(&f->first_bad, ns);
    seen_shift(&f->last_bad, ns);
    seen_shift(&f->right_before, ns);
    seen_shift(&f->healed, ns);
    seen_shift(&f->turned.before, ns);
    seen_shift(&f->turned.at, ns);
    for (size_t i = 0; i < f->changes_n; i++) {
        seen_shift(&f->change[i].before, ns);
        seen_shift(&f->change[i].at, ns);
    }
}

void server_history_join(struct server_finding *into, const struct server_finding *f)
{
    if (earlier(&f->first_bad, &into->first_bad))
        into->first_bad = f->first_bad;
    if (f->last_bad.ns > into->last_bad.ns)
        into->last_bad = f->last_bad;
    if (f->right_before.ns > into->right_before.ns)
        into->right_before = f->right_before;
    if (into->right_before.ns >= into->first_bad.ns)
        into->right_before = (struct seen){ 0 };
    if (earlier(&f->healed, &into->healed))
        into->healed = f->healed;
    if (into->healed.frame && into->healed.ns <= into->last_bad.ns)
        into->healed = f->healed.ns > into->last_bad.ns ? f->healed : (struct seen){ 0 };
    if (earlier(&f->turned.at, &into->turned.at))
        into->turned = f->turned;
    for (size_t i = 0; into->changes == 0 && i < f->changes_n; i++)
        into->change[into->changes_n++] = f->change[i];
    into->changes = into->changes > f->changes ? into->changes : f->changes; /* two places may see one answer */
}
