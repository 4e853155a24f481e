/*
 * TCP streams in order (RFC 9293), each direction for itself.
 *
 *   0 source port · 2 destination port · 4 sequence number · 8 acknowledgment number · 12 data offset 4 bits, reserved 4 bits ·
 *   13 flags · 14 window · 16 checksum · 18 urgent pointer · 20 options
 *
 * Sequence numbers wrap: they are only ever compared by their signed difference (§3.4).
 */
#include <stdlib.h>

#include "net/net_private.h"

enum {
    TCP_HEADER = 20,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_FIN = 0x01,
    TCP_ACK = 0x10,
    TCP_FAR = 1 << 24,        /* further from what is expected than any window in use: another connection, its SYN not seen */
    TCP_MEMORY = 64 << 20,    /* bytes held by all streams together */
    TCP_ROOM_FIRST = 2 * 1024 /* a SIP message fits */
};

/* A segment behind a hole. */
struct tcp_wait {
    struct tcp_wait *after;
    struct net_packet seen;
    uint32_t seq;
    size_t n, lost; /* captured, and cut off by the snap length */
    uint8_t bytes[];
};

struct tcp_stream {
    uint8_t *buf; /* in order and not consumed */
    size_t n, room;
    struct tcp_wait *waiting; /* by sequence number */
    unsigned n_waiting;
    uint32_t first, next; /* sequence numbers: of the first byte, of the byte expected next */
    uint64_t since;       /* the earliest frame with a part of what is not consumed */
    bool begun, ignored;
    bool gap; /* what comes next stands behind a hole */
};

struct segment {
    uint32_t seq, ack;
    unsigned flags;
    struct span bytes; /* data that was captured */
    size_t lost;       /* data behind it that was not */
};

bool tcp_init(struct tcp *t)
{
    t->slot = calloc(NET_TCP_KEPT + 1, sizeof *t->slot);
    return table_init(&t->table, NET_TCP_KEPT) && t->slot;
}

static void wait_free(struct tcp *t, struct tcp_wait *w)
{
    t->memory -= sizeof *w + w->n;
    t->waiting--;
    free(w);
}

static struct tcp_wait *wait_pop(struct tcp_stream *s)
{
    struct tcp_wait *w = s->waiting;

    s->waiting = w->after;
    s->n_waiting--;
    return w;
}

static void stream_release(struct tcp *t, struct tcp_stream *s)
{
    while (s->waiting)
        wait_free(t, wait_pop(s));
    t->memory -= s->room;
    free(s->buf);
    s->buf = NULL;
    s->n = s->room = 0;
}

void tcp_free(struct tcp *t)
{
    for (size_t i = 0; t->slot && i <= t->table.used; i++)
        stream_release(t, &t->slot[i]);
    free(t->slot);
    table_free(&t->table);
}

static void tcp_evict(struct net *n, uint64_t frame)
{
    uint32_t slot = table_oldest(&n->tcp.table);

    fault_log_one(n->faults, FAULT_TCP_TABLE_FULL, frame);
    stream_release(&n->tcp, &n->tcp.slot[slot]);
    n->tcp.slot[slot] = (struct tcp_stream){ 0 };
    table_remove(&n->tcp.table, slot);
}

/* Whoever asks is the newest of the table and can never hold TCP_MEMORY by itself, so that it is not the one to go. */
static void memory_claim(struct net *n, size_t bytes, uint64_t frame)
{
    while (n->tcp.memory + bytes > TCP_MEMORY)
        tcp_evict(n, frame);
    n->tcp.memory += bytes;
}

static void stream_gap(struct net *n, struct tcp_stream *s, uint64_t frame)
{
    fault_log_one(n->faults, FAULT_TCP_GAP, frame);
    n->stats.tcp_gaps++;
    s->n = 0; /* the rest of that message will not come */
    s->gap = true;
}

static bool stream_room(struct net *n, struct tcp_stream *s, size_t need, uint64_t frame)
{
    size_t room = s->room ? s->room : TCP_ROOM_FIRST;
    uint8_t *buf;

    while (room < need)
        room *= 2;
    if (room == s->room)
        return true;
    memory_claim(n, room - s->room, frame);
    buf = realloc(s->buf, room);
    if (!buf) {
        n->tcp.memory -= room - s->room;
        return false;
    }
    s->buf = buf;
    s->room = room;
    return true;
}

/* Adds bytes behind what waits to be consumed. A message too large to keep is given up: what comes next is told as after a gap. */
static bool stream_keep(struct net *n, struct tcp_stream *s, struct span bytes, uint64_t frame)
{
    if (s->n + bytes.n > NET_TCP_BUFFER || !stream_room(n, s, s->n + bytes.n, frame)) {
        fault_log_one(n->faults, FAULT_TCP_BUFFER_FULL, frame);
        s->n = 0;
        s->gap = true;
        return false;
    }
    memcpy(s->buf + s->n, bytes.p, bytes.n);
    s->n += bytes.n;
    return true;
}

/* Numbers of one input count up with time. */
static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The sink sees the packet's own bytes where nothing waits before them; only what it leaves is copied. */
static void stream_deliver(struct net *n, struct tcp_stream *s, const struct net_packet *packet, struct span bytes)
{
    struct net_packet from = *packet;
    bool kept = s->n && stream_keep(n, s, bytes, packet->frame);
    struct span all = kept ? (struct span){ s->buf, s->n } : bytes;
    size_t used;

    from.since = kept ? earlier(s->since, packet->since) : packet->since;
    used = n->sink.data(n->sink.self, &from, all, s->gap);
    s->since = used ? packet->since : from.since;

    if (used == TCP_IGNORE) {
        s->ignored = true;
        stream_release(&n->tcp, s);
        return;
    }
    if (used > all.n)
        used = all.n;
    if (used)
        s->gap = false;
    if (!kept) {
        if (used < all.n)
            (void)stream_keep(n, s, span_part(all, used, all.n), packet->frame);
        return;
    }
    s->n -= used;
    if (used && s->n)
        memmove(s->buf, s->buf + used, s->n);
}

/* A segment that begins at or before the expected byte; what is old of it is trimmed. */
static void stream_take(struct net *n, struct tcp_stream *s, const struct net_packet *packet, const struct segment *g)
{
    size_t wire = g->bytes.n + g->lost, old = (uint32_t)(s->next - g->seq);
    struct span fresh = span_part(g->bytes, old, g->bytes.n);

    if (old >= wire)
        return;
    s->next = g->seq + (uint32_t)wire;
    if (fresh.n)
        stream_deliver(n, s, packet, fresh);
    if (g->lost && !s->ignored)
        stream_gap(n, s, packet->frame);
}

/* Takes the waiting segments that have become due. `by`: the one that closed the hole; NULL: each stands for itself. */
static void stream_drain(struct net *n, struct tcp_stream *s, const struct net_packet *by)
{
    while (s->waiting && (int32_t)(s->waiting->seq - s->next) <= 0) {
        struct tcp_wait *w = wait_pop(s);
        struct segment g = { .seq = w->seq, .bytes = { w->bytes, w->n }, .lost = w->lost };
        struct net_packet seen = by ? *by : w->seen;

        seen.since = earlier(seen.since, w->seen.since);
        stream_take(n, s, &seen, &g);
        wait_free(&n->tcp, w);
    }
}

static void stream_skip_hole(struct net *n, struct tcp_stream *s)
{
    stream_gap(n, s, s->waiting->seen.frame);
    s->next = s->waiting->seq;
    stream_drain(n, s, NULL);
}

static void stream_skip_holes(struct net *n, struct tcp_stream *s)
{
    while (s->waiting)
        stream_skip_hole(n, s);
}

void tcp_flush(struct net *n)
{
    for (uint32_t slot = 1; slot <= NET_TCP_KEPT && n->tcp.waiting; slot++) {
        if (!n->tcp.slot[slot].waiting)
            continue;
        table_touch(&n->tcp.table, slot);
        stream_skip_holes(n, &n->tcp.slot[slot]);
    }
}

static void stream_begin(struct net *n, struct tcp_stream *s, uint32_t first, bool gap)
{
    stream_skip_holes(n, s);
    stream_release(&n->tcp, s);
    *s = (struct tcp_stream){ .begun = true, .first = first, .next = first, .gap = gap };
}

static struct tcp_wait *wait_new(struct net *n, const struct net_packet *packet, const struct segment *g)
{
    size_t kept = g->bytes.n < NET_TCP_BUFFER ? g->bytes.n : NET_TCP_BUFFER;
    struct tcp_wait *w = malloc(sizeof *w + kept);

    if (!w)
        return NULL;
    memory_claim(n, sizeof *w + kept, packet->frame);
    n->tcp.waiting++;
    *w = (struct tcp_wait){ .seen = *packet, .seq = g->seq, .n = kept, .lost = g->lost + g->bytes.n - kept };
    w->seen.payload = (struct rd){ 0 }; /* dies with its frame */
    if (kept)
        memcpy(w->bytes, g->bytes.p, kept);
    return w;
}

static void stream_wait(struct net *n, struct tcp_stream *s, const struct net_packet *packet, const struct segment *g)
{
    struct tcp_wait **at = &s->waiting, *w;

    while (*at && (int32_t)((*at)->seq - g->seq) < 0)
        at = &(*at)->after;
    if (*at && (*at)->seq == g->seq && (*at)->n + (*at)->lost >= g->bytes.n + g->lost) {
        n->stats.tcp_retransmitted++;
        return;
    }
    w = wait_new(n, packet, g);
    if (!w)
        return; /* as if not captured */
    w->after = *at;
    *at = w;
    n->stats.tcp_out_of_order++;
    if (++s->n_waiting > NET_TCP_OUT_OF_ORDER)
        stream_skip_hole(n, s);
}

static void stream_data(struct net *n, struct tcp_stream *s, const struct net_packet *packet, const struct segment *g)
{
    size_t wire = g->bytes.n + g->lost;
    int32_t ahead = (int32_t)(g->seq - s->next);

    if (s->begun && (ahead > TCP_FAR || ahead < -TCP_FAR)) {
        stream_gap(n, s, packet->frame);
        s->begun = false;
    }
    if (!s->begun) { /* RFC 9293 has no such thing; captures do: the connection is older than the capture */
        stream_begin(n, s, g->seq, true);
        ahead = 0;
    }
    if (ahead > 0) {
        stream_wait(n, s, packet, g);
        return;
    }
    if (ahead < 0 && !(ahead == -1 && wire == 1)) /* a keep-alive repeats one byte, RFC 9293 §3.8.4 */
        n->stats.tcp_retransmitted++;
    stream_take(n, s, packet, g);
    stream_drain(n, s, packet);
}

static uint32_t stream_slot(struct net *n, const struct key *key, uint64_t frame)
{
    uint32_t slot = table_find(&n->tcp.table, key);

    if (slot) {
        table_touch(&n->tcp.table, slot);
        return slot;
    }
    slot = table_add(&n->tcp.table, key);
    if (!slot) {
        tcp_evict(n, frame);
        slot = table_add(&n->tcp.table, key);
    }
    n->tcp.slot[slot] = (struct tcp_stream){ 0 };
    return slot;
}

static struct tcp_stream *stream_back(struct net *n, const struct key *key)
{
    struct key back = { key->dst, key->src, 0, PROTO_TCP };
    uint32_t slot = table_find(&n->tcp.table, &back);

    if (!slot)
        return NULL;
    table_touch(&n->tcp.table, slot);
    return &n->tcp.slot[slot];
}

/*
 * A SYN that is not the one we know (repeated, or captured behind its first data) begins a new connection; without ACK it is the
 * first of its connection, so that the other direction is an old one's.
 */
static void tcp_syn(struct net *n, const struct key *key, uint64_t frame, const struct segment *g)
{
    struct tcp_stream *s = &n->tcp.slot[stream_slot(n, key, frame)], *back;

    if (s->begun && s->first == g->seq)
        return;
    stream_begin(n, s, g->seq, false);
    if (g->flags & TCP_ACK)
        return;
    back = stream_back(n, key);
    if (back) {
        stream_begin(n, back, 0, false);
        back->begun = false;
    }
}

/* What the other side has acknowledged it has: a hole there is the capture's, and nothing will fill it. */
static void tcp_ack(struct net *n, const struct key *key, const struct segment *g)
{
    struct tcp_stream *back = stream_back(n, key);

    while (back && back->waiting && (int32_t)(g->ack - back->waiting->seq) >= 0 && (int32_t)(g->ack - back->next) <= TCP_FAR)
        stream_skip_hole(n, back);
}

static void tcp_rst(struct net *n, const struct key *key)
{
    uint32_t slot = table_find(&n->tcp.table, key);
    struct tcp_stream *back = stream_back(n, key);

    if (back)
        stream_skip_holes(n, back);
    if (!slot)
        return;
    table_touch(&n->tcp.table, slot);
    stream_skip_holes(n, &n->tcp.slot[slot]);
}

static void tcp_data(struct net *n, const struct key *key, const struct net_packet *packet, const struct segment *g)
{
    struct tcp_stream *s = &n->tcp.slot[stream_slot(n, key, packet->frame)];

    if (!s->ignored)
        stream_data(n, s, packet, g);
}

/* With all before it in order, nothing more will come: a message that is unfinished now stays so. */
static void tcp_fin(struct net *n, const struct key *key, const struct segment *g)
{
    uint32_t slot = table_find(&n->tcp.table, key);
    struct tcp_stream *s = &n->tcp.slot[slot];

    if (slot && !s->waiting && s->next == g->seq + (uint32_t)(g->bytes.n + g->lost))
        stream_release(&n->tcp, s);
}

/* The header, and the data as far as it was captured. False: not a TCP header. */
static bool segment_read(struct rd *r, struct segment *g, struct net_packet *out)
{
    struct span h = rd_take(r, TCP_HEADER);
    struct rd fixed = rd_init(h, h.n);
    size_t header, wire = rd_wire_left(r);

    if (!h.p)
        return false;
    out->src.port = rd_u16(&fixed);
    out->dst.port = rd_u16(&fixed);
    g->seq = rd_u32(&fixed);
    g->ack = rd_u32(&fixed);
    header = (size_t)(rd_u8(&fixed) >> 4) * 4;
    g->flags = rd_u8(&fixed);
    if (header < TCP_HEADER || header - TCP_HEADER > wire)
        return false;
    wire -= header - TCP_HEADER;
    (void)rd_take(r, header - TCP_HEADER);
    out->payload = *r;
    g->bytes = rd_rest(r);
    g->lost = wire - g->bytes.n; /* all of it where the options are cut already */
    return true;
}

enum net_kind tcp_input(struct decode *d, struct rd *r)
{
    struct net *n = d->net;
    struct segment g;
    struct key key;

    if (!segment_read(r, &g, d->out))
        return net_fault(d, FAULT_TCP_HEADER, NET_BAD);
    key = (struct key){ d->out->src, d->out->dst, 0, PROTO_TCP };
    if ((g.flags & TCP_ACK) && n->tcp.waiting)
        tcp_ack(n, &key, &g);
    if (g.flags & TCP_RST) { /* its data is a reason in words, not the stream's, RFC 9293 §3.5.3 */
        tcp_rst(n, &key);
        return NET_TCP;
    }
    if (g.flags & TCP_SYN) {
        g.seq++; /* the SYN itself counts as one, RFC 9293 §3.4 */
        tcp_syn(n, &key, d->frame->id, &g);
    }
    if (g.bytes.n || g.lost)
        tcp_data(n, &key, d->out, &g);
    if (g.flags & TCP_FIN)
        tcp_fin(n, &key, &g);
    return NET_TCP;
}
