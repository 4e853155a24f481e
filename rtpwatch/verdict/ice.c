#include "verdict/verdict_private.h"

/* Checks that leave from a socket of this party, and what came back. */
static void checks_from(const struct scene *s, enum party p, struct ice_result *out)
{
    const struct side *x = &s->side[p];
    const struct flow *f;

    for (size_t i = 0; i < x->own_n; i++) {
        const struct socket *k = track_find_socket(s->v->t, &x->own[i]);

        for (uint32_t j = k ? k->flows_out : POOL_NONE; (f = track_flow_at(s->v->t, j)) != NULL; j = f->next_out) {
            const struct check *c = track_check_at(s->v->t, f->checks);

            if (!c || c->requests.first.ns >= s->when.to_ns || c->requests.last.ns < s->when.from_ns)
                continue;
            out->sent[p] += c->requests.n;
            out->answered[p] += c->answers.n;
            out->connected |= c->answers.n > 0;
            out->routable_tried |= !addr_is_unroutable(&f->dst) || addr_same_site(&f->dst, &f->src);
            if (!out->first.frame || c->requests.first.ns < out->first.ns)
                out->first = c->requests.first;
            if (c->requests.last.ns > out->last.ns)
                out->last = c->requests.last;
        }
    }
}

/* Checks that reach the other party's local socket from an address that this party never named: peer-reflexive (RFC 8445 §7.3.1.3). */
static void checks_reflexive(const struct scene *s, enum party p, struct ice_result *out)
{
    const struct side *x = &s->side[p], *other = &s->side[other_party(p)];
    const struct flow *f;

    for (size_t i = 0; other->local && i < other->own_n; i++) {
        const struct socket *at = view_has(s->v, &other->own[i]) ? track_find_socket(s->v->t, &other->own[i]) : NULL;

        for (uint32_t j = at ? at->flows_in : POOL_NONE; (f = track_flow_at(s->v->t, j)) != NULL; j = f->next_in) {
            const struct check *c = track_check_at(s->v->t, f->checks);

            if (!c || side_has(x, &f->src) || c->requests.first.ns >= s->when.to_ns || c->requests.last.ns < s->when.from_ns)
                continue;
            out->sent[p] += c->requests.n;
            out->answered[p] += c->answers.n;
            out->connected |= c->answers.n > 0;
        }
    }
}

void ice_judge(const struct scene *s, struct ice_result *out)
{
    *out = (struct ice_result){ 0 };
    for (enum party p = CALLER; p < PARTIES; p++) {
        checks_from(s, p, out);
        checks_reflexive(s, p, out);
    }
}
