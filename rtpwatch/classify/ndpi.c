/* The only place that knows nDPI. Written against 4.2 (Debian 12). */
#include <ndpi_api.h>
#include <ndpi_main.h>
#include <stdlib.h>
#include <string.h>

#include "classify/classify.h"

enum { PACKET_MAX = 1500, IP4_HEADER = 20, IP6_HEADER = 40, UDP_HEADER = 8, PROTOCOLS_KEPT = 64 };

struct hint_flow {
    uint32_t number, packets;
    struct ndpi_flow_struct *flow; /* NULL: settled, the slot stays taken by `number` */
    bool taken;
};

struct hints {
    struct ndpi_detection_module_struct *ndpi; /* set up with the first packet: most captures need none */
    bool broken;
    size_t protocols;
    struct {
        char name[HINTS_NAME];
        uint64_t flows;
    } protocol[PROTOCOLS_KEPT];
    struct hint_flow flow[HINTS_FLOWS];
};

struct hints *hints_new(void)
{
    return calloc(1, sizeof(struct hints));
}

static bool start(struct hints *h)
{
    NDPI_PROTOCOL_BITMASK all;

    if (h->ndpi || h->broken)
        return h->ndpi != NULL;
    h->ndpi = ndpi_init_detection_module(ndpi_no_prefs);
    h->broken = !h->ndpi;
    if (h->broken)
        return false;
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(h->ndpi, &all);
    ndpi_finalize_initialization(h->ndpi);
    return true;
}

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* nDPI wants a whole IP packet; ours may have come in fragments, so one is made around the payload. */
static size_t packet_make(uint8_t *out, const struct addr *src, const struct addr *dst, struct span payload)
{
    bool v4 = addr_is_v4(src) && addr_is_v4(dst);
    size_t ip = v4 ? IP4_HEADER : IP6_HEADER, room = PACKET_MAX - ip - UDP_HEADER, n = payload.n < room ? payload.n : room;
    uint8_t *udp = out + ip;

    memset(out, 0, ip + UDP_HEADER);
    out[0] = v4 ? 0x45 : 0x60;
    if (v4) {
        put16(out + 2, ip + UDP_HEADER + n);
        out[8] = 64;
        out[9] = 17;
        memcpy(out + 12, src->ip + 12, 4);
        memcpy(out + 16, dst->ip + 12, 4);
    } else {
        put16(out + 4, UDP_HEADER + n);
        out[6] = 17;
        out[7] = 64;
        memcpy(out + 8, src->ip, 16);
        memcpy(out + 24, dst->ip, 16);
    }
    put16(udp, src->port);
    put16(udp + 2, dst->port);
    put16(udp + 4, UDP_HEADER + n);
    memcpy(udp + UDP_HEADER, payload.p, n);
    return ip + UDP_HEADER + n;
}

static void count(struct hints *h, ndpi_protocol p)
{
    char name[HINTS_NAME];
    size_t i;

    if (!ndpi_is_protocol_detected(h->ndpi, p))
        return;
    ndpi_protocol2name(h->ndpi, p, name, sizeof name);
    for (i = 0; i < h->protocols && strcmp(h->protocol[i].name, name) != 0; i++)
        ;
    if (i == PROTOCOLS_KEPT)
        return;
    if (i == h->protocols) {
        memcpy(h->protocol[i].name, name, sizeof name);
        h->protocols++;
    }
    h->protocol[i].flows++;
}

static void settle(struct hints *h, struct hint_flow *f, ndpi_protocol p)
{
    count(h, p);
    ndpi_free_flow(f->flow);
    f->flow = NULL;
}

static void give_up(struct hints *h, struct hint_flow *f)
{
    uint8_t guessed = 0;

    settle(h, f, ndpi_detection_giveup(h->ndpi, f->flow, 0, &guessed));
}

void hints_feed(struct hints *h, uint32_t number, const struct addr *src, const struct addr *dst, struct span payload,
                int64_t ts_ns)
{
    uint8_t packet[PACKET_MAX];
    struct hint_flow *f = h ? &h->flow[number % HINTS_FLOWS] : NULL;
    ndpi_protocol p;
    size_t n;

    if (!f || (f->taken && (f->number != number || !f->flow)) || !payload.n || !start(h))
        return;
    if (!f->taken) {
        f->flow = ndpi_flow_malloc(SIZEOF_FLOW_STRUCT);
        if (!f->flow)
            return;
        memset(f->flow, 0, SIZEOF_FLOW_STRUCT);
        f->taken = true;
        f->number = number;
    }
    n = packet_make(packet, src, dst, payload);
    p = ndpi_detection_process_packet(h->ndpi, f->flow, packet, (unsigned short)n, (uint64_t)(ts_ns / 1000000));
    if (ndpi_is_protocol_detected(h->ndpi, p))
        settle(h, f, p);
    else if (++f->packets == HINTS_PACKETS)
        give_up(h, f);
}

void hints_renumbered(struct hints *h)
{
    for (size_t i = 0; h && i < HINTS_FLOWS; i++) {
        if (h->flow[i].flow)
            ndpi_free_flow(h->flow[i].flow);
        h->flow[i] = (struct hint_flow){ 0 };
    }
}

void hints_each(struct hints *h, void (*each)(void *self, const char *protocol, uint64_t flows), void *self)
{
    bool told[PROTOCOLS_KEPT] = { false };

    if (!h)
        return;
    for (size_t i = 0; i < HINTS_FLOWS; i++)
        if (h->flow[i].flow)
            give_up(h, &h->flow[i]);
    for (size_t n = 0; n < h->protocols; n++) {
        size_t best = PROTOCOLS_KEPT;

        for (size_t i = 0; i < h->protocols; i++)
            if (!told[i] && (best == PROTOCOLS_KEPT || h->protocol[i].flows > h->protocol[best].flows))
                best = i;
        told[best] = true;
        each(self, h->protocol[best].name, h->protocol[best].flows);
    }
}

void hints_free(struct hints *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < HINTS_FLOWS; i++)
        if (h->flow[i].flow)
            ndpi_free_flow(h->flow[i].flow);
    if (h->ndpi)
        ndpi_exit_detection_module(h->ndpi);
    free(h);
}
