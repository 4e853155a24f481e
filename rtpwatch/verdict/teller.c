#include "verdict/teller.h"

#include "verdict/join.h"
#include "verdict/verdict_private.h"

static bool sent_to(const struct direction_finding *d, const struct addr *a)
{
    for (size_t i = 0; i < d->sent_to_n; i++)
        if (addr_eq(&d->sent_to[i].addr, a))
            return true;
    return false;
}

/* The candidate that it was lost to, where a STUN server's answer to the receiver made it, and nobody there confirms it. */
static struct candidate_finding *candidate_of(struct session_finding *f, const struct direction_finding *d)
{
    for (size_t i = 0; i < f->candidates_n; i++) {
        struct candidate_finding *c = &f->candidate[i];

        if (c->party == d->to && c->component == 1 && c->server != POOL_NONE && c->tx != POOL_NONE && !c->confirmed &&
            sent_to(d, &c->addr))
            return c;
    }
    return NULL;
}

static void tell(const struct passage_place *p, uint32_t tx, struct session_finding *f)
{
    struct claim nothing_else = { .status = CLAIM_OPEN };
    size_t before = f->evidence_n;

    evidence_claim(p->view, tx, &nothing_else, f);
    for (size_t i = before; i < f->evidence_n; i++)
        seen_shift(&f->evidence[i].at, -p->clock_ns);
    evidence_sort(f);
}

void teller_find(const struct passage_place *place, struct session_finding *f)
{
    bool found = false;

    if (f->cause != CAUSE_BAD_CANDIDATE || f->server != POOL_NONE || f->verdict == VERDICT_SETUP_FAILED)
        return;
    for (size_t i = 0; i < f->directions_n; i++) {
        struct direction_finding *d = &f->direction[i];
        bool blames = d->verdict == DIR_NOT_RECEIVED && d->cause == CAUSE_BAD_CANDIDATE && d->server == POOL_NONE;
        struct candidate_finding *c = blames ? candidate_of(f, d) : NULL;

        if (!c)
            continue;
        d->server = c->server;
        c->wrong = true;
        tell(&place[c->told_at], c->tx, f);
        found = true;
    }
    if (!found)
        return;
    session_from_directions(f);
    notes_drop(f);
    finding_prove(f);
}
