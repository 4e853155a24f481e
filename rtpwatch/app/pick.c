#include "app/pick.h"

#include <stdlib.h>

#include "app/cut.h"

/* Frames from the first to the last with a part of one message of a session. */
struct piece {
    uint64_t way, since, frame;
    uint32_t session;
};

/* A fragment that waits for the rest of its packet. */
struct part {
    uint64_t since, frame, token;
    size_t header, whole; /* bytes of the frame: up to what its IP packet carries, and all */
    bool begins;          /* the UDP header is in it */
};

struct pick {
    struct pick_options o;
    const struct selection *s;
    struct net *net;
    struct fault_log faults; /* counted by the pipeline already */
    struct piece *piece;
    size_t pieces, room;
    uint64_t parts; /* ever seen */
    struct part part[PICK_PARTS];
    struct dns_msg dns;
};

enum { UDP_HEADER = 8, TLS_HANDSHAKE = 22 /* RFC 8446 §5.1 */ };

struct hits {
    uint32_t session[SELECTION_SESSIONS];
    size_t n;
};

/* ---- SIP: by frames ---- */

static int by_way(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;

    if (x->way != y->way)
        return x->way < y->way ? -1 : 1;
    return (x->frame > y->frame) - (x->frame < y->frame);
}

static bool piece_add(struct pick *p, const struct message *m, uint32_t session)
{
    if (p->pieces == p->room) {
        size_t room = p->room ? p->room * 2 : 256;
        struct piece *list = realloc(p->piece, room * sizeof *list);

        if (!list)
            return false;
        p->piece = list;
        p->room = room;
    }
    p->piece[p->pieces++] = (struct piece){ m->way, m->since, m->frame, session };
    return true;
}

/* What a finding cites of another call is that call's affair; of a registration it is not. */
static bool pieces_make(struct pick *p, const struct messages *all)
{
    bool fine = true;

    p->pieces = 0;
    for (size_t i = 0; i < all->n && fine; i++) {
        const struct message *m = &all->list[i];
        struct hits h = { .n = 0 };

        h.n = selection_of_call(p->s, m->call, h.session, 0);
        if (!m->in_call)
            h.n = selection_of_frame(p->s, m->frame, h.session, h.n);
        for (size_t k = 0; k < h.n && fine; k++)
            fine = piece_add(p, m, h.session[k]);
    }
    if (p->pieces)
        qsort(p->piece, p->pieces, sizeof *p->piece, by_way);
    return fine;
}

/* The messages of one direction end in the order in which they begin, but for what came out of order: a few are looked at. */
static void hits_of_message(const struct pick *p, const struct net_packet *n, struct hits *h)
{
    struct piece key = { .way = message_way(&n->src, &n->dst), .frame = n->frame };
    size_t low = 0, high = p->pieces;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (by_way(&p->piece[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i < p->pieces && i < low + SELECTION_SESSIONS && p->piece[i].way == key.way; i++) {
        bool there = false;

        for (size_t k = 0; k < h->n; k++)
            there |= h->session[k] == p->piece[i].session;
        if (p->piece[i].since <= n->frame && !there && h->n < SELECTION_SESSIONS)
            h->session[h->n++] = p->piece[i].session;
    }
}

/* ---- fragments ---- */

static void part_add(struct pick *p, const struct frame *f, const struct net_packet *n, uint64_t token)
{
    struct part *x = &p->part[p->parts++ % PICK_PARTS];
    struct span ip = net_ip_bytes(f);

    *x = (struct part){ .since = n->since, .frame = f->id, .token = token, .whole = f->bytes.n };
    x->header = n->inside ? 0 : ip_header(ip, &x->begins); /* inside a tunnel the fragment's header is elsewhere */
    if (x->header)
        x->header += (size_t)(ip.p - f->bytes.p);
}

/* From the latest back to the first of that packet. */
static void parts_tell(struct pick *p, const struct net_packet *n, struct kept payload, bool whole, const struct hits *h)
{
    for (uint64_t i = p->parts; i-- > 0 && p->parts - i <= PICK_PARTS;) {
        const struct part *x = &p->part[i % PICK_PARTS];
        struct kept keep = { .n = whole ? x->whole : x->header };

        if (x->since != n->since)
            continue;
        if (!whole && x->begins && !n->inside) /* else the payload begins farther behind */
            keep = cut_behind(x->header + UDP_HEADER, payload);
        p->o.wanted(p->o.self, x->token, keep, h->session, h->n);
        if (x->frame == n->since)
            return;
    }
}

/* ---- one frame ---- */

/* `payload`: what is kept of n->payload. What several frames made is told of each of them. */
static void tell(struct pick *p, const struct frame *f, const struct net_packet *n, uint64_t token, struct kept payload,
                 const struct hits *h)
{
    bool blank = payload.blank < payload.blank_end;
    bool whole = p->o.audio || (!blank && payload.n >= (size_t)(n->payload.end - n->payload.p));
    struct kept all = { .n = f->bytes.n };

    if (!h->n)
        return;
    if (n->since != n->frame) {
        part_add(p, f, n, token);
        parts_tell(p, n, payload, whole, h);
        return;
    }
    p->o.wanted(p->o.self, token, whole ? all : cut_behind((size_t)(n->payload.p - f->bytes.p), payload), h->session, h->n);
}

static void udp(struct pick *p, const struct frame *f, const struct net_packet *n, uint64_t token)
{
    struct span s = rd_rest(&n->payload);
    enum kind kind = classify(s, s.n, n->src.port, n->dst.port);
    struct rd r = n->payload;
    struct faults why = { 0 };
    struct hits h = { .n = 0 };
    enum dis got = kind == KIND_DNS ? dns_dissect(&r, &p->dns, &why) : DIS_NOT_MINE;

    if (kind == KIND_SIP) {
        hits_of_message(p, n, &h);
    } else {
        h.n = selection_of_frame(p->s, n->frame, h.session, 0);
        if (kind != KIND_DNS)
            h.n = selection_of_flow(p->s, &n->src, &n->dst, n->ts_ns, h.session, h.n);
        else if ((got == DIS_OK || got == DIS_CUT) && p->dns.questions)
            h.n = selection_of_name(p->s, p->dns.question[0].name, n->ts_ns, h.session, h.n);
    }
    tell(p, f, n, token, cut_datagram(s, kind), &h);
}

static void icmp(struct pick *p, const struct frame *f, const struct net_packet *n, uint64_t token)
{
    struct span s = rd_rest(&n->payload);
    struct rd r = n->payload;
    struct faults why = { 0 };
    struct icmp_msg m;
    struct hits h = { .n = 0 };
    enum dis got = icmp_dissect(&r, n->v6, &m, &why);

    h.n = selection_of_frame(p->s, n->frame, h.session, 0);
    if (got != DIS_OK && got != DIS_CUT)
        m.quotes = false;
    if (m.quotes)
        h.n = selection_of_flow(p->s, &m.src, &m.dst, n->ts_ns, h.session, h.n);
    tell(p, f, n, token, m.quotes ? cut_icmp(s, &m) : (struct kept){ .n = s.n }, &h);
}

static void tcp(struct pick *p, const struct frame *f, const struct net_packet *n, uint64_t token)
{
    struct span s = rd_rest(&n->payload);
    struct hits h = { .n = 0 };
    struct kept keep = { .n = s.n };

    if (!s.n && !n->payload.uncap)
        return;
    hits_of_message(p, n, &h);
    if (!h.n) {
        h.n = selection_of_frame(p->s, n->frame, h.session, 0);
        if (!h.n || !s.n || s.p[0] != TLS_HANDSHAKE)
            keep = cut_segment(s);
        h.n = selection_of_flow(p->s, &n->src, &n->dst, n->ts_ns, h.session, h.n);
    }
    tell(p, f, n, token, keep, &h);
}

void pick_frame(struct pick *p, const struct frame *f, uint64_t token)
{
    struct net_packet n = { 0 };

    switch (net_frame(p->net, f, &n)) {
    case NET_UDP: udp(p, f, &n, token); break;
    case NET_ICMP: icmp(p, f, &n, token); break;
    case NET_TCP: tcp(p, f, &n, token); break;
    case NET_FRAGMENT: part_add(p, f, &n, token); break;
    default: break;
    }
}

/* ---- beginning and end ---- */

/* What the streams say is known: only their segments are looked at. */
static size_t ignore(void *self, const struct net_packet *segment, struct span bytes, bool after_gap)
{
    (void)self;
    (void)segment;
    (void)bytes;
    (void)after_gap;
    return TCP_IGNORE;
}

struct pick *pick_new(const struct pick_options *o)
{
    struct pick *p = calloc(1, sizeof *p);

    if (p)
        p->o = *o;
    return p;
}

void pick_free(struct pick *p)
{
    if (!p)
        return;
    net_free(p->net);
    free(p->piece);
    free(p);
}

bool pick_messages(struct pick *p, const struct messages *m)
{
    return pieces_make(p, m);
}

bool pick_select(struct pick *p, const struct selection *s, const struct messages *m)
{
    net_free(p->net);
    p->net = net_new((struct tcp_sink){ p, ignore }, &p->faults);
    p->parts = 0;
    p->s = s;
    return p->net && pieces_make(p, m);
}
