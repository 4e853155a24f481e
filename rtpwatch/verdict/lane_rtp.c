/*
 * One direction of a session of which only the RTP is seen. Nothing says that media is expected, nor where; so silence alone tells nothing:
 * a party may be mute, on hold, listening only, or captured elsewhere. What counts is what somebody says or shows of the media itself.
 */
#include "verdict/lane_private.h"

#define ASKED_AFTER_NS SECONDS(1)    /* a mapping learned while media flows is not what the other party was told before */
#define MAPPING_AGE_NS SECONDS(7200) /* the same as for a description */
#define TALKED_NS      SECONDS(5)
#define RATE_NS        SECONDS(2) /* such errors come one a second at most (RFC 1812 §4.3.2.8, and Linux) */
#define STILL_NS       SECONDS(5) /* ICMP for less than that may only mean that the other party hung up first */

/* ---- nobody listens ---- */

/*
 * ICMP about it for as long as it is sent, or for 5 s and until its end, and no report after it began. Less may only mean that the other
 * party opened its socket late, or hung up first.
 */
static bool refused(struct lane *l, struct direction_finding *out, struct session_finding *f)
{
    const struct icmp_about *i = l->main_flow ? track_icmp_at(l->s->v->t, l->main_flow->icmp) : NULL;
    int64_t lasted = i ? i->errors.last.ns - i->errors.first.ns : 0;
    bool always = i && i->errors.first.ns <= l->sent.first.ns + NS_PER_S && lasted >= JUDGE_MIN_NS;
    char by[ADDR_TEXT];

    if (!i || i->errors.n < 2 || i->errors.first.ns < l->s->when.from_ns || (!always && lasted < STILL_NS) ||
        l->sent.last.ns - i->errors.last.ns > (lasted < STILL_NS ? RATE_NS : STILL_NS) || l->reported.ns >= i->errors.first.ns)
        return false;
    conclude(out, DIR_NOT_RECEIVED, "ICMP says that it does not arrive");
    evidence_add(f, i->errors.first, "icmp", "%s: ICMP %s from %s for what is sent to %s (%llu times).",
                 party_name(l->s->call, l->to, f), icmp_what_name(i->what), addr_ip_text(&i->reporter, by),
                 addr_keep(f, &l->main_dst), (unsigned long long)i->errors.n);
    if (i->what == ICMP_PORT_UNREACHABLE) {
        out->cause = CAUSE_PORT_UNREACHABLE;
        out->confidence = CONFIDENCE_PROVEN;
    }
    return true;
}

/* ---- the receiver is here and nothing arrives ---- */

/* Does anything but a STUN server's answer reach the socket within the time? */
static bool reached(const struct lane *l, const struct addr *at)
{
    const struct track *t = l->s->v->t;
    const struct socket *k = track_find_socket(t, at);
    const struct flow *f;

    for (uint32_t i = k ? k->flows_in : POOL_NONE; (f = track_flow_at(t, i)) != NULL; i = f->next_in)
        if (f->packets.last.ns >= l->s->when.from_ns && f->packets.first.ns < l->s->when.to_ns &&
            (f->contains & ~(unsigned)FLOW_STUN_SERVER))
            return true;
    return false;
}

/* What the receiver's socket sends to the other party in this session. */
static void sent_by_receiver(const struct lane *l, struct tally *sent, struct addr *to)
{
    const struct track *t = l->s->v->t;
    const struct socket *k = track_find_socket(t, &l->s->side[l->to].home);
    const struct flow *f;

    *sent = (struct tally){ 0 };
    for (uint32_t i = k ? k->flows_out : POOL_NONE; (f = track_flow_at(t, i)) != NULL; i = f->next_out)
        if (side_has(&l->s->side[l->from], &f->dst) && flow_rtp(l->s->v, f, l->s->when, sent))
            *to = f->dst;
}

/* The mapping that the receiver's socket was given last before it began to send. `others`: some server gave it one that is not wrong. */
static uint32_t mapping_of(const struct lane *l, int64_t began_ns, struct claim *claim, bool *others)
{
    const struct view *v = l->s->v;
    const struct socket *k = track_find_socket(v->t, &l->s->side[l->to].home);
    const struct stun_tx *x;
    uint32_t last = POOL_NONE;

    *others = false;
    for (uint32_t i = k ? k->asked : POOL_NONE; (x = track_tx_at(v->t, i)) != NULL; i = x->next_asked) {
        struct claim c;

        if (!x->success || addr_is_none(&x->mapped) || x->answer.ns > began_ns + ASKED_AFTER_NS ||
            began_ns - x->answer.ns > MAPPING_AGE_NS)
            continue;
        claim_judge(v, i, false, &c);
        if (last == POOL_NONE) {
            last = i;
            *claim = c;
        } else {
            *others |= c.status != CLAIM_WRONG;
        }
    }
    return last;
}

/*
 * The shape of a dialer whose SIP is inside TLS: it asks a STUN server from its RTP socket, gets a wrong address, tells it to the other
 * party, sends media, and never hears anything. The only address that such a socket can have told is what STUN gave it last. `sends`: the
 * other party says that it sends, by RTCP; then only RTP is missing.
 */
static bool told_wrong(struct lane *l, bool sends, struct direction_finding *out, struct session_finding *f)
{
    const struct addr *home = &l->s->side[l->to].home;
    struct addr rtcp = addr_with_port(*home, (uint16_t)(home->port + 1)), dst = ADDR_NONE;
    struct claim claim;
    struct tally sent;
    uint32_t tx;
    bool others;

    sent_by_receiver(l, &sent, &dst);
    if (!sent.n || sent.last.ns - sent.first.ns < TALKED_NS || addr_is_multicast(&dst) || addr_same_site(&dst, home))
        return false;
    if (reached(l, home) || (!sends && reached(l, &rtcp)))
        return false;
    tx = mapping_of(l, sent.first.ns, &claim, &others);
    if (tx == POOL_NONE || claim.status != CLAIM_WRONG)
        return false;
    out->cause = CAUSE_BAD_CANDIDATE;
    out->confidence = others && claim.confidence == CONFIDENCE_PROVEN ? CONFIDENCE_LIKELY : claim.confidence;
    out->server = track_tx_at(l->s->v->t, tx)->server;
    conclude(out, DIR_NOT_RECEIVED, "the socket that waits for it was given a wrong outside address");
    evidence_add(f, sent.first, "media", "From here on %s sends media from %s to %s; nothing ever comes to that socket.",
                 party_name(l->s->call, l->to, f), addr_keep(f, home), addr_keep(f, &dst));
    evidence_claim(l->s->v, tx, &claim, f);
    evidence_add(f, (struct seen){ 0 }, "note",
                 "No signalling is seen: that this address was passed on is concluded from the socket that asked for it.");
    return true;
}

static void at_receiver(struct lane *l, struct direction_finding *out, struct session_finding *f)
{
    const char *who = party_name(l->s->call, l->from, f);

    if (l->arrived.n) {
        conclude(out, DIR_RECEIVED, "packets seen at the receiver's own host");
        evidence_add(f, l->arrived.first, "media", "%llu packets of %s arrive at %s.", (unsigned long long)l->arrived.n, who,
                     addr_keep(f, &l->s->side[l->to].home));
    } else if (l->s->when.to_ns - l->s->when.from_ns < JUDGE_MIN_NS) {
        conclude(out, DIR_UNKNOWN, "too short to tell");
    } else if (l->s->v->options.dropped) {
        conclude(out, DIR_UNKNOWN, "the capture lost packets, so silence proves nothing");
    } else if (l->sr_advance > SR_SLACK) {
        conclude(out, DIR_NOT_RECEIVED, "the sender's own reports say that it sends");
        evidence_add(f, l->sr_at, "rtcp",
                     "%s reports that it has sent %u packets, %u of them while this was captured; none arrived.", who,
                     l->sr_packets, l->sr_advance);
        told_wrong(l, true, out, f);
    } else {
        conclude(out, DIR_UNKNOWN, "no description says that media is expected");
    }
}

/* ---- the sender is seen, the receiver is elsewhere ---- */

static void at_sender(struct lane *l, struct direction_finding *out, struct session_finding *f)
{
    const struct side *to = &l->s->side[l->to];

    if (lane_told_by_reports(l, out, f))
        return;
    for (size_t i = 0; i < to->seen_n; i++)
        if (addr_eq(&to->seen[i].addr, &l->main_dst)) {
            out->weak = true;
            conclude(out, DIR_RECEIVED, "the other party's packets come from exactly that address (weak)");
            return;
        }
    conclude(out, DIR_UNKNOWN,
             to->seen_n ? "the other party's media comes from another address, and no description tells which is right"
                        : "nothing comes back that would tell");
}

void lane_weigh_rtp(struct lane *l, struct direction_finding *out, struct session_finding *f)
{
    bool here = l->s->side[l->to].local, waits = here && !l->arrived.n && !l->s->v->options.dropped;

    if (waits && told_wrong(l, false, out, f))
        out->expected = true;
    else if (refused(l, out, f))
        out->expected = true;
    else if (here)
        at_receiver(l, out, f);
    else if (l->sent.n)
        at_sender(l, out, f);
    else
        conclude(out, DIR_UNKNOWN, "neither its sender nor its receiver is at this vantage");
    out->expected = l->sent.n > 0 || l->arrived.n > 0 || out->verdict == DIR_NOT_RECEIVED;
    out->expected_packets = 0;
}
