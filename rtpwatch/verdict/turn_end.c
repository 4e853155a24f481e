/* A relay that ends while media goes through it (RFC 8656 §7, §9): that it did, and by whose doing. */
#include "verdict/turn_private.h"

#define ABOUT_NS  SECONDS(2) /* what is on the way when a relay ends */
#define STEADY_NS SECONDS(5) /* media came this close to the end of its relay: it is the end that stopped it */
#define GONE_NS   SECONDS(3)
enum { DROPPED_LEAST = 25 }; /* half a second of audio that no permission covered */

/* The requests of the allocation's client that are about the allocation, newest first; `i` begins at the client's `asked`. */
static const struct stun_tx *next_about(const struct view *v, const struct turn_alloc *a, uint32_t *i)
{
    const struct stun_tx *x;

    while ((x = track_tx_at(v->t, *i)) != NULL) {
        *i = x->next_asked;
        if (x->server == a->server && x->requests.first.ns > a->made.ns && x->method != STUN_ALLOCATE &&
            x->method != STUN_BINDING)
            return x;
    }
    return NULL;
}

static uint32_t asked_by_client(const struct view *v, const struct turn_alloc *a)
{
    const struct socket *k = track_find_socket(v->t, &a->client);

    return k ? k->asked : POOL_NONE;
}

/* The first answer after `ns` that there is no such allocation (437); NULL: none. */
static const struct stun_tx *denied_after(const struct view *v, const struct turn_alloc *a, int64_t ns)
{
    const struct stun_tx *x, *first = NULL;

    for (uint32_t i = asked_by_client(v, a); (x = next_about(v, a, &i)) != NULL;)
        if (x->error == 437 && x->answer.ns > ns)
            first = x;
    return first;
}

/* The last Refresh that was asked for while the allocation's time ran out, and how often it ended so; NULL: none was asked for. */
static const struct stun_tx *refresh_in_vain(const struct view *v, const struct turn_alloc *a, unsigned *times)
{
    const struct stun_tx *x, *last = NULL;

    *times = 0;
    for (uint32_t i = asked_by_client(v, a); (x = next_about(v, a, &i)) != NULL;) {
        if (x->method != STUN_REFRESH || x->success || x->requests.first.ns <= a->refreshed.ns ||
            x->requests.first.ns > turn_alloc_end(a))
            continue;
        last = last ? last : x;
        *times += x->error == last->error;
    }
    return last;
}

/* The server says that it has no such allocation, which was not given back, and nothing comes through it from then on. */
static const struct stun_tx *disowned(const struct scene *s, const struct turn_alloc *a)
{
    const struct stun_tx *x = a->deleted.frame ? NULL : denied_after(s->v, a, a->made.ns);

    if (!x || x->answer.ns > turn_alloc_end(a))
        return NULL;
    return a->data_in.last.ns <= x->answer.ns + ABOUT_NS && s->when.to_ns - x->answer.ns >= GONE_NS ? x : NULL;
}

/* Its time ran out, or it was given back, while media went through it in both ways, and from then on none came. */
static bool ran_out(const struct scene *s, const struct turn_alloc *a)
{
    int64_t end = turn_alloc_end(a);

    return a->late_out.n >= DROPPED_LEAST && a->data_in.n && s->when.to_ns - end >= GONE_NS &&
           a->data_in.last.ns <= end + ABOUT_NS && a->data_in.last.ns >= end - STEADY_NS;
}

/* ---- it ended ---- */

static void tell_granted(const struct scene *s, const struct turn_alloc *a, bool asked, struct session_finding *f)
{
    struct strbuf who = { 0 };

    if (f->brief)
        return;
    server_text(s->v, a->server, &who);
    evidence_add(f, a->refreshed, "stun", "TURN server %s granted the relay for %u s here, and %s.", strbuf_str(&who),
                 a->lifetime_s, asked ? "no later Refresh was granted" : "the client sent no Refresh in that time");
    strbuf_done(&who);
}

static void tell_after(const struct turn_alloc *a, const struct stun_tx *denied, struct session_finding *f)
{
    if (denied)
        evidence_add(f, denied->answer, "stun", "The TURN server answers that there is no such allocation (437).");
    if (a->late_out.n)
        evidence_add(f, a->late_out.first, "media",
                     "%llu packets are still sent through the relay %s after its end; nothing comes.",
                     (unsigned long long)a->late_out.n, addr_keep(f, &a->relayed));
}

enum doing turn_ended(const struct scene *s, const struct turn_alloc *a, struct direction_finding *out, struct session_finding *f)
{
    unsigned times = 1;
    bool dropped = !view_sees_silence(s->v);
    const struct stun_tx *gone = disowned(s, a);
    const struct stun_tx *vain = gone ? gone : refresh_in_vain(s->v, a, &times);
    const struct stun_tx *denied = gone ? NULL : denied_after(s->v, a, turn_alloc_end(a));
    bool said = denied || (vain && turn_is_refusal(vain));

    if (!gone && (!ran_out(s, a) || (dropped && !said)))
        return DOING_NONE;
    out->stopped = a->data_in.last;
    out->confidence = said ? CONFIDENCE_PROVEN : CONFIDENCE_LIKELY;
    if (a->deleted.frame)
        evidence_add(f, a->deleted, "stun", "The client gave the relay back here (Refresh with lifetime 0).");
    else if (!gone)
        tell_granted(s, a, vain || dropped, f);
    if (vain)
        turn_tell_answer(s->v, vain, times, f);
    tell_after(a, denied, f);
    if (a->deleted.frame || (!vain && !dropped) || (vain && turn_is_step(vain) && times == 1))
        return DOING_CLIENTS;
    return DOING_SERVERS;
}

enum doing turn_lapsed(const struct scene *s, const struct turn_alloc *a, const struct addr *peer, struct direction_finding *out,
                       struct session_finding *f)
{
    const struct turn_peer *p = peer ? track_turn_peer(s->v->t, a, peer) : NULL;
    bool refused;
    char text[ADDR_TEXT];

    if (!p || p->unpermitted.n < DROPPED_LEAST || p->in.last.ns > p->unpermitted.first.ns + ABOUT_NS ||
        !view_sees_silence(s->v) || p->unpermitted.first.ns >= s->when.to_ns ||
        (p->granted.n && p->granted.last.ns > p->unpermitted.last.ns))
        return DOING_NONE;
    refused = p->refused.n && (!p->granted.n || p->refused.last.ns > p->granted.last.ns);
    out->confidence = CONFIDENCE_LIKELY;
    addr_ip_text(&p->peer, text);
    if (p->granted.n) {
        out->stopped = p->in.n ? p->in.last : p->unpermitted.first;
        evidence_add(f, p->granted.last, "stun", "The permission for %s was granted here for the last time, for 300 s.", text);
    } else if (!refused) {
        evidence_add(f, p->out.first, "stun", "No permission for %s was asked of the TURN server.", text);
    }
    if (refused)
        turn_tell_kept_out(s, a, p, f);
    evidence_add(f, p->unpermitted.first, "media",
                 "From here on %llu packets are sent through the relay to %s without a permission: "
                 "the server drops them.",
                 (unsigned long long)p->unpermitted.n, text);
    return refused ? DOING_SERVERS : DOING_CLIENTS;
}

/* ---- it died ---- */

/* The first request of the client that its server never answered, of those after `ns`, and how many were sent in all; NULL: none. */
static const struct stun_tx *unanswered_after(const struct view *v, const struct turn_alloc *a, int64_t ns, uint64_t *sent)
{
    const struct stun_tx *x, *first = NULL;

    *sent = 0;
    for (uint32_t i = asked_by_client(v, a); (x = track_tx_at(v->t, i)) != NULL; i = x->next_asked)
        if (x->server == a->server && x->requests.first.ns > ns && !x->answer.frame) {
            first = x;
            *sent += x->requests.n;
        }
    return first;
}

bool turn_died(const struct scene *s, const struct turn_alloc *a, struct seen *last, struct session_finding *f,
               enum confidence *how)
{
    const struct addr *server = &track_server_at(s->v->t, a->server)->addr;
    const struct flow *out = track_find_flow(s->v->t, &a->client, server), *in = track_find_flow(s->v->t, server, &a->client);
    const struct icmp_about *icmp = out ? track_icmp_at(s->v->t, out->icmp) : NULL;
    uint64_t sent = 0;
    const struct stun_tx *x = in ? unanswered_after(s->v, a, in->packets.last.ns, &sent) : NULL;
    char text[ADDR_TEXT];

    if (!in || !out || out->packets.last.ns - in->packets.last.ns < STEADY_NS || s->when.to_ns - in->packets.last.ns < STEADY_NS)
        return false;
    if (icmp && (icmp->errors.n < 2 || icmp->errors.first.ns < in->packets.last.ns || icmp->what != ICMP_PORT_UNREACHABLE))
        icmp = NULL;
    if (!icmp && (sent < 2 || !view_sees_silence(s->v)))
        return false;
    evidence_add(f, in->packets.last, "stun", "This is the last packet of TURN server %s; what is sent to it goes on.",
                 addr_text(server, text));
    if (icmp)
        evidence_add(f, icmp->errors.first, "icmp", "%s answers that nobody listens there any more.",
                     addr_ip_text(&icmp->reporter, text));
    else
        turn_tell_answer(s->v, x, 1, f);
    *last = in->packets.last;
    *how = icmp                                                                ? CONFIDENCE_PROVEN
           : host_hears(s, &a->client, server, in->packets.last.ns + ABOUT_NS) ? CONFIDENCE_LIKELY
                                                                               : CONFIDENCE_SUSPECTED;
    return true;
}
