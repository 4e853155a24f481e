/*
 * Offer and answer (RFC 3264) in SIP: in INVITE and its replies, in a reply and its ACK or PRACK (the late offer), in UPDATE
 * (RFC 3261 §13.2.1, RFC 3262 §5, RFC 3311 §5). What comes out is a list of agreements, each with the time from which it holds.
 */
#include "track/track_private.h"

/* What was sent before an agreement belongs to the one before it; before a call's first, to another call that had the same ports. */
static void split(struct track *t, const struct call *c, const struct sdp_fact *f)
{
    int64_t ns = c->agreements ? INT64_MAX : c->started.ns;

    if (!t->streams.used) /* a place where no voice passes: nothing to look for */
        return;
    for (size_t i = 0; i < f->medias; i++) {
        struct addr beside = addr_with_port(f->from, f->media[i].addr.port); /* the sender's own, behind a NAT */

        socket_split_streams(t, &f->media[i].addr, ns);
        socket_split_streams(t, &beside, ns);
    }
    for (size_t i = 0; i < f->cands; i++)
        socket_split_streams(t, &f->cand[i].addr, ns);
}

/* The agreement that this answer made before, to an offer of the other party under that CSeq: a retransmission finds it again. */
static struct agreement *agreement_find(struct call *c, uint32_t cseq, uint16_t leg, const struct sdp_fact *answer)
{
    for (struct agreement *a = c->agreements; a; a = a->next)
        if (a->cseq == cseq && a->leg == leg && a->offerer != answer->party && a->by[answer->party] == answer)
            return a;
    return NULL;
}

static void agree(struct track *t, struct call *c, const struct datagram *d, uint16_t leg, const struct sdp_fact *answer,
                  bool confirmed)
{
    struct agreement *a = agreement_find(c, c->offer_cseq, leg, answer), **end = &c->agreements;

    if (a) {
        a->confirmed |= confirmed;
        return;
    }
    a = arena_take(&c->arena, sizeof *a);
    if (!a)
        return;
    a->by[c->offer->party] = c->offer;
    a->by[answer->party] = answer;
    a->since = d->at;
    a->offerer = c->offer->party;
    a->cseq = c->offer_cseq;
    a->leg = leg;
    a->confirmed = confirmed;
    split(t, c, c->offer);
    split(t, c, answer);
    while (*end)
        end = &(*end)->next;
    *end = a;
}

static void offer_set(struct call *c, const struct sdp_fact *sdp, uint32_t cseq, bool in_response)
{
    c->offer = sdp;
    c->offer_cseq = cseq;
    c->offer_in_response = in_response;
}

/* A 2xx without SDP of its own confirms what a reliable provisional reply agreed. */
static void confirm(struct call *c, uint32_t cseq, uint16_t leg)
{
    for (struct agreement *a = c->agreements; a; a = a->next)
        if (a->cseq == cseq && a->leg == leg)
            a->confirmed = true;
}

static void offer_in_reply(struct track *t, struct call *c, const struct datagram *d, const struct sip_msg *m, uint16_t leg,
                           struct sdp_fact *sdp)
{
    bool final = m->status >= 200 && m->status < 300;
    struct agreement *before = sdp && !c->offer_in_response ? agreement_find(c, m->cseq, leg, sdp) : NULL;

    if (m->status >= 300) {
        if (c->offer && c->offer_cseq == m->cseq && c->answered.frame)
            c->offer = NULL; /* a re-INVITE that was refused changes nothing (RFC 3261 §14.1) */
        return;
    }
    if (!sdp) {
        if (final && m->method == SIP_INVITE)
            confirm(c, m->cseq, leg);
        return;
    }
    if (before)
        before->confirmed |= final;
    else if (c->offer && c->offer_cseq == m->cseq && c->offer->party != sdp->party && !c->offer_in_response)
        agree(t, c, d, leg, sdp, final || (c->answered.frame && c->answered_leg == leg));
    else if (!c->offer || c->offer_cseq != m->cseq)
        offer_set(c, sdp, m->cseq, true);
}

void offer_message(struct track *t, struct call *c, const struct datagram *d, const struct sip_msg *m, uint16_t leg,
                   struct sdp_fact *sdp)
{
    bool carries = m->method == SIP_INVITE || m->method == SIP_UPDATE || m->method == SIP_ACK || m->method == SIP_PRACK;

    if (!carries)
        return;
    if (!m->request)
        offer_in_reply(t, c, d, m, leg, sdp);
    else if (!sdp)
        return;
    else if ((m->method == SIP_ACK || m->method == SIP_PRACK) && c->offer && c->offer_in_response)
        agree(t, c, d, leg, sdp, m->method == SIP_ACK);
    else if (m->method != SIP_ACK)
        offer_set(c, sdp, m->cseq, false);
}
