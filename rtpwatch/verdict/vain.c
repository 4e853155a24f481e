/* A STUN server that was asked in vain, and a party that had no outside address to offer for it. */
#include "verdict/operator.h"
#include "verdict/verdict_private.h"

struct vain {
    uint32_t tx;  /* the last one; POOL_NONE: none, or one was answered well */
    bool several; /* of several operators: then something on the way to all of them is likelier */
};

/* Somebody told it an outside address, whether that answer was captured or not. */
static bool knows_outside(const struct sdp_fact *sdp)
{
    for (size_t i = 0; i < sdp->cands; i++)
        if (sdp->cand[i].type == SDP_CAND_SRFLX && !sdp->cand[i].tcp)
            return true;
    return false;
}

/* What the party's own sockets asked of STUN servers in vain. A capture with drops may have missed the answers. */
static struct vain asked_in_vain(const struct scene *s, enum party p)
{
    const struct side *side = &s->side[p];
    const struct stun_tx *x;
    struct vain vain = { POOL_NONE, false };

    for (size_t k = 0; side->local && view_sees_silence(s->v) && !knows_outside(side->sdp) && k < side->own_n; k++) {
        const struct socket *own = view_has(s->v, &side->own[k]) ? track_find_socket(s->v->t, &side->own[k]) : NULL;

        for (uint32_t i = own ? own->asked : POOL_NONE; (x = track_tx_at(s->v->t, i)) != NULL; i = x->next_asked) {
            if (x->method != STUN_BINDING || x->requests.first.ns > s->when.to_ns || server_is_peer(s->v, x->server))
                continue;
            if (x->success)
                return (struct vain){ POOL_NONE, false };
            if (vain.tx == POOL_NONE)
                vain.tx = i;
            vain.several |= !x->answer.frame && !one_operator(s->v->t, NULL, track_tx_at(s->v->t, vain.tx)->server, x->server);
        }
    }
    return vain;
}

static void tell_vain(const struct scene *s, const struct vain *vain, struct session_finding *f)
{
    const struct stun_tx *x = track_tx_at(s->v->t, vain->tx);
    struct strbuf who = { 0 };

    if (f->brief)
        return;
    server_text(s->v, x->server, &who);
    if (x->answer.frame)
        evidence_add(f, x->answer, "stun", "STUN server %s answered with error %u%s%s.", strbuf_str(&who), x->error,
                     stun_error_name(x->error) ? " " : "", stun_error_name(x->error) ? stun_error_name(x->error) : "");
    else
        evidence_add(f, x->requests.first, "stun", "STUN server %s was asked %llu time%s and never answered.", strbuf_str(&who),
                     (unsigned long long)x->requests.n, x->requests.n == 1 ? "" : "s");
    if (vain->several)
        evidence_note(
            f, (struct seen){ 0 },
            "Nor did a server of another operator answer: most likely something on the way drops what is sent to them.");
    strbuf_done(&who);
}

bool stun_in_vain(const struct scene *s, enum party p, struct blame *out, struct session_finding *f)
{
    struct vain vain = asked_in_vain(s, p);

    if (vain.tx == POOL_NONE)
        return false;
    out->cause = track_tx_at(s->v->t, vain.tx)->answer.frame ? CAUSE_STUN_ERROR : CAUSE_STUN_UNANSWERED;
    out->sure = vain.several ? CONFIDENCE_SUSPECTED : CONFIDENCE_LIKELY;
    out->server = track_tx_at(s->v->t, vain.tx)->server;
    tell_vain(s, &vain, f);
    return true;
}
