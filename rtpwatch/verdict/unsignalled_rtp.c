/*
 * Sessions of RTP alone: two transport addresses that exchange media which no description and no ICE check explains (SPEC §2). What is
 * sent from a local socket to one address and what comes to it from another is one session too, where nothing else is at that
 * socket: so looks a call whose one side was told a wrong address.
 */
#include <stdlib.h>

#include "verdict/owner.h"
#include "verdict/unsignalled_private.h"

/*
 * A longer silence of both sides ends a session, since no BYE is seen: media servers give up a silent call after 30 s or more, and no
 * port is given to the next call sooner than to one that still has its own.
 */
#define PAUSE_NS       SECONDS(30)
#define LAST_REPORT_NS SECONDS(10) /* RTCP this soon after the last packet is the session's (RFC 3550 §6.2: 5 s apart) */
enum {
    PACKETS_MIN = 25, /* half a second of voice: fewer may be anything that looks like RTP */
    AT_SOCKET = 16,   /* more one-way streams at one socket: it serves many, and who belongs to whom is not known */
};

/* What two addresses exchanged without a long pause. */
struct talk {
    struct addr a, b; /* a: at this vantage where one of the two is; else it sent first */
    uint64_t out, in; /* packets of a, of b */
    uint32_t ssrc[PARTIES];
    uint8_t pt;
    struct seen first, last;
    struct addr from;   /* with joined: b's packets come from here, and a's go to b */
    bool joined, taken; /* taken: it is part of another talk */
    uint32_t next;      /* one-way talks at the same socket */
};

struct talks {
    const struct view *v;
    struct pool list;
    struct hmap by_socket; /* of one-way talks, by the end that is here */
    struct owners owners;
    const struct stream **record; /* of the pair in hand */
    size_t room;
};

/* ---- gathering ---- */

static int by_first(const void *a, const void *b)
{
    const struct stream *x = *(const struct stream *const *)a, *y = *(const struct stream *const *)b;

    if (x->packets.first.ns != y->packets.first.ns)
        return (x->packets.first.ns > y->packets.first.ns) - (x->packets.first.ns < y->packets.first.ns);
    return (x->packets.first.frame > y->packets.first.frame) - (x->packets.first.frame < y->packets.first.frame);
}

static bool record_add(struct talks *t, size_t n, const struct stream *s)
{
    if (n == t->room) {
        size_t room = t->room ? 2 * t->room : 64;
        const struct stream **more = realloc(t->record, room * sizeof(const struct stream *));

        if (!more) {
            t->list.refused++;
            return false;
        }
        t->record = more;
        t->room = room;
    }
    t->record[n] = s;
    return true;
}

static size_t gather(struct talks *t, const struct flow *f, size_t n)
{
    const struct stream *s;

    for (uint32_t i = f ? f->streams : POOL_NONE; (s = track_stream_at(t->v->t, i)) != NULL; i = s->next)
        if (s->believed && !s->given_up && !owners_have(&t->owners, t->v, f, s->packets.first.ns, s->packets.last.ns))
            n += record_add(t, n, s);
    return n;
}

static struct talk *talk_new(struct talks *t, const struct flow *f, const struct stream *first)
{
    bool reverse = !view_has(t->v, &f->src) && view_has(t->v, &f->dst);
    uint32_t slot;
    struct talk *k = pool_new(&t->list, &slot);

    if (!k)
        return NULL;
    k->a = reverse ? f->dst : f->src;
    k->b = reverse ? f->src : f->dst;
    k->first = k->last = first->packets.first;
    k->next = POOL_NONE;
    k->pt = first->pt;
    return k;
}

static void talk_add(const struct talks *t, struct talk *k, const struct stream *s)
{
    bool out = addr_eq(&track_flow_at(t->v->t, s->flow)->src, &k->a);
    enum party p = out ? CALLER : CALLEE;

    if (!k->ssrc[p])
        k->ssrc[p] = s->ssrc;
    k->out += out ? s->packets.n : 0;
    k->in += out ? 0 : s->packets.n;
    if (s->packets.last.ns > k->last.ns)
        k->last = s->packets.last;
}

/* An ICE check names its session by its username fragments: what flows beside it is that session's. */
static bool checked(const struct view *v, const struct flow *f)
{
    const struct check *c = f ? track_check_at(v->t, f->checks) : NULL;

    return c && strchr(c->username, ':');
}

static void talks_of_pair(struct talks *t, const struct flow *f, const struct flow *back)
{
    size_t n = gather(t, back, gather(t, f, 0));
    const struct stream **s = t->record;
    struct talk *k = NULL;

    if (n)
        qsort(s, n, sizeof(const struct stream *), by_first);
    for (size_t i = 0; i < n; i++) {
        if (!k || s[i]->packets.first.ns - k->last.ns > PAUSE_NS)
            k = talk_new(t, track_flow_at(t->v->t, s[i]->flow), s[i]);
        if (!k)
            return;
        talk_add(t, k, s[i]);
    }
}

static void talks_gather(struct talks *t)
{
    for (uint32_t i = 0; i < t->v->t->flows.used; i++) {
        const struct flow *f = track_flow_at(t->v->t, i), *back;

        if (!(f->contains & FLOW_RTP))
            continue;
        back = track_find_flow(t->v->t, &f->dst, &f->src);
        if (back && (back->contains & FLOW_RTP) && back->slot <= f->slot)
            continue; /* looked at from its other end */
        if (!checked(t->v, f) && !checked(t->v, back))
            talks_of_pair(t, f, back);
    }
}

/* ---- what a local socket joins ---- */

static bool one_way(const struct talk *k)
{
    return !k->out != !k->in;
}

static bool overlap(const struct talk *x, const struct talk *y)
{
    return x->first.ns <= y->last.ns && y->first.ns <= x->last.ns;
}

static bool at_socket_eq(const void *self, uint32_t slot, const void *key)
{
    const struct talk *k = pool_at(&((const struct talks *)self)->list, slot);

    return addr_eq(&k->a, key);
}

/* Puts it into the list of its local socket, whose head the map knows. */
static void index_add(struct talks *t, uint32_t slot)
{
    struct talk *k = pool_at(&t->list, slot);
    uint32_t head = hmap_find(&t->by_socket, addr_hash(&k->a), at_socket_eq, t, &k->a);

    if (head == HMAP_NONE) {
        hmap_put(&t->by_socket, addr_hash(&k->a), slot);
        return;
    }
    k->next = ((struct talk *)pool_at(&t->list, head))->next;
    ((struct talk *)pool_at(&t->list, head))->next = slot;
}

/* The only talk of the other direction at the same socket and the same time; NULL: none, or several. */
static struct talk *counterpart(const struct talks *t, const struct talk *k)
{
    uint32_t i = hmap_find(&t->by_socket, addr_hash(&k->a), at_socket_eq, t, &k->a);
    struct talk *found = NULL;
    unsigned steps = 0;

    for (; i != POOL_NONE; steps++) {
        struct talk *o = pool_at(&t->list, i);

        i = o->next;
        if (steps == AT_SOCKET)
            return NULL;
        if (o == k || o->taken || o->joined || !o->out == !k->out || !overlap(o, k))
            continue;
        if (found)
            return NULL;
        found = o;
    }
    return found;
}

static void talks_join(struct talks *t)
{
    for (uint32_t i = 0; i < t->list.used; i++) {
        const struct talk *k = pool_at(&t->list, i);

        if (one_way(k) && view_has(t->v, &k->a) && !view_has(t->v, &k->b))
            index_add(t, i);
    }
    for (uint32_t i = 0; i < t->list.used; i++) {
        struct talk *k = pool_at(&t->list, i), *in;

        if (!one_way(k) || !k->out || !view_has(t->v, &k->a) || view_has(t->v, &k->b) || addr_is_multicast(&k->b))
            continue;
        in = counterpart(t, k);
        if (!in || counterpart(t, in) != k)
            continue;
        in->taken = k->joined = true;
        k->from = in->b;
        k->in = in->in;
        k->ssrc[CALLEE] = in->ssrc[CALLEE];
        k->first = in->first.ns < k->first.ns ? in->first : k->first;
        k->last = in->last.ns > k->last.ns ? in->last : k->last;
    }
}

/* ---- sessions ---- */

/* RFC 3551 §6 */
static enum sdp_kind kind_of(uint8_t pt)
{
    uint32_t hz;
    bool video = pt == 25 || pt == 26 || pt == 28 || (pt >= 31 && pt <= 34);

    return video ? SDP_VIDEO : pt < 35 && rtp_static_encoding(pt, &hz) ? SDP_AUDIO : SDP_OTHER;
}

static void last_report(const struct view *v, const struct addr *src, const struct addr *dst, struct seen *last)
{
    const struct flow *f = track_find_flow(v->t, src, dst);
    const struct rtcp_sender *r;

    for (uint32_t i = f ? f->rtcps : POOL_NONE; (r = track_rtcp_at(v->t, i)) != NULL; i = r->next)
        if (r->packets.last.ns > last->ns && r->packets.last.ns - last->ns <= LAST_REPORT_NS)
            *last = r->packets.last;
}

/* Its RTCP ends it, on the same ports or the next ones (RFC 3550 §11). */
static struct seen end_of(const struct view *v, const struct talk *k)
{
    struct seen last = k->last;

    for (uint16_t next = 0; next < 2; next++) {
        struct addr a = addr_with_port(k->a, (uint16_t)(k->a.port + next)),
                    b = addr_with_port(k->b, (uint16_t)(k->b.port + next));
        struct addr from = addr_with_port(k->from, (uint16_t)(k->from.port + next));

        last_report(v, &a, &b, &last);
        last_report(v, k->joined ? &from : &b, &a, &last);
    }
    return last;
}

static void describe(const struct talk *k, struct media_desc *m)
{
    uint32_t hz = 0;
    const char *codec = rtp_static_encoding(k->pt, &hz);

    m->kind = (uint8_t)kind_of(k->pt);
    m->codec = codec ? codec : "";
}

static enum sdp_cand_type type_of(const struct view *v, const struct addr *a)
{
    return view_has(v, a) ? SDP_CAND_HOST : SDP_CAND_UNKNOWN;
}

static void session_of(struct unsignalled *u, const struct view *v, const struct talk *k)
{
    uint32_t slot;
    struct call *c = unsignalled_session(u, SESSION_RTP, k->first, &slot);

    if (!c)
        return;
    c->last = end_of(v, k);
    memcpy(c->ssrc, k->ssrc, sizeof c->ssrc);
    describe(k, c->sdps->media);
    describe(k, c->sdps->next->media);
    unsignalled_sender(v, c->sdps, &k->a, type_of(v, &k->a), k->last.ns);
    unsignalled_sender(v, c->sdps->next, &k->b, type_of(v, &k->b), k->last.ns);
    if (k->joined)
        unsignalled_sender(v, c->sdps->next, &k->from, type_of(v, &k->from), k->last.ns);
    unsignalled_close(v, c);
    c->sdps->media->addr = k->a;
    c->sdps->next->media->addr = k->b;
}

static int talk_by_time(const void *a, const void *b)
{
    const struct talk *x = *(const struct talk *const *)a, *y = *(const struct talk *const *)b;

    if (x->first.ns != y->first.ns)
        return (x->first.ns > y->first.ns) - (x->first.ns < y->first.ns);
    return (x->first.frame > y->first.frame) - (x->first.frame < y->first.frame);
}

static void sessions_make(struct unsignalled *u, struct talks *t)
{
    const struct talk **sorted = malloc((t->list.used + 1u) * sizeof(const struct talk *));
    size_t n = 0;

    for (uint32_t i = 0; sorted && i < t->list.used; i++) {
        const struct talk *k = pool_at(&t->list, i);

        if (!k->taken && k->out + k->in >= PACKETS_MIN)
            sorted[n++] = k;
    }
    u->refused += sorted ? 0 : t->list.used;
    if (n)
        qsort(sorted, n, sizeof(const struct talk *), talk_by_time);
    for (size_t i = 0; i < n; i++)
        session_of(u, t->v, sorted[i]);
    free(sorted);
}

static bool any_rtp(const struct track *t)
{
    for (uint32_t i = 0; i < t->streams.used; i++)
        if (track_stream_at(t, i)->believed)
            return true;
    return false;
}

void unsignalled_rtp(struct unsignalled *u, const struct view *v)
{
    struct talks t = { .v = v };

    if (!any_rtp(v->t))
        return;
    pool_init(&t.list, sizeof(struct talk), UNSIGNALLED_KEPT);
    owners_make(&t.owners, v, u);
    talks_gather(&t);
    talks_join(&t);
    sessions_make(u, &t);
    u->refused += t.list.refused;
    owners_done(&t.owners);
    free(t.record);
    pool_done(&t.list);
    hmap_done(&t.by_socket);
}
