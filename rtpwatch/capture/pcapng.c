/*
 * A pcapng file is a row of blocks, each:   type 4 · total length 4 · body, padded to 4 · total length 4 again
 *
 *   Section header (SHB)         byte-order magic 4 · version 2+2 · section length 8 · options; all before it is forgotten
 *   Interface description (IDB)  link type 2 · reserved 2 · snap length 4 · options; numbered from 0 in its section
 *   Enhanced packet (EPB)        interface 4 · time 4+4 · captured 4 · original 4 · bytes, padded · options
 *   Simple packet (SPB)          original 4 · bytes; interface 0, no time
 *   Packet (PB, obsolete)        interface 2 · drops 2 · time 4+4 · captured 4 · original 4 · bytes, padded · options
 *   Statistics (ISB)             interface 4 · time 4+4 · options
 *   Decryption secrets (DSB)     secrets type 4 · length 4 · secrets, padded · options
 *
 * An option is: code 2 · length 2 · value, padded to 4. Code 0 ends them.
 */
#include "capture/pcapng.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/rd.h"

enum {
    BLOCK_IDB = 1,
    BLOCK_PB = 2,
    BLOCK_SPB = 3,
    BLOCK_ISB = 5,
    BLOCK_EPB = 6,
    BLOCK_DSB = 10,
    SECRETS_TLS = 0x544c534b, /* an NSS key log */
    BLOCK_SHB = 0x0a0d0d0a,   /* the same in both byte orders */
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    OPTION_IF_TSRESOL = 9,
    OPTION_IF_TSOFFSET = 14,
    OPTION_ISB_IFDROP = 5,
    BLOCK_HEADER = 8,
    BLOCK_TRAILER = 4,
    SECTION_ORDER = 8,    /* of a section header's body: byte order and version, */
    SECTION_FIXED = 16,   /* and the section's length */
    BLOCK_MAX = 16 << 20, /* of those that are looked into; libpcap's bound too */
    SKIP_STEP = 16 << 10,
    INTERFACES_MAX = 4096,
    LINKTYPE_RAW = 101,
    DLT_RAW_LINUX = 12,
    RESOLUTION_US = 6,
    UNIT_MOST = 19 /* finer than 10^-19 s, 64 bits do not last two seconds */
};

struct interface {
    int link;
    uint32_t snap;    /* 0: no limit */
    uint8_t tsresol;  /* as in the file: 10^-n, or 2^-n with the first bit set */
    uint64_t unit;    /* ticks of a second, 10^n; 0: it has no 64 bits, or 2^n counts */
    uint64_t tick_ns; /* 0: less than one */
    int64_t offset_s; /* added to each time */
    uint64_t dropped;
};

struct pcapng {
    struct feed *feed;
    struct secrets *secrets;
    struct interface *interfaces;
    size_t n, n_room;
    bool big, in_section;
    uint64_t dropped;
    int64_t last_ns;
    const char *why;
};

struct pcapng *pcapng_new(struct feed *f, struct secrets *secrets)
{
    struct pcapng *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->feed = f;
    p->secrets = secrets;
    return p;
}

void pcapng_free(struct pcapng *p)
{
    if (!p)
        return;
    free(p->interfaces);
    free(p);
}

const char *pcapng_error(const struct pcapng *p)
{
    return p->why;
}

uint64_t pcapng_dropped(const struct pcapng *p)
{
    return p->dropped;
}

static bool broken(struct pcapng *p, const char *why)
{
    p->why = why;
    return false;
}

static uint32_t swapped(uint32_t v)
{
    return v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
}

static uint32_t get32(const struct pcapng *p, struct rd *r)
{
    uint32_t v = rd_u32(r);

    return p->big ? v : swapped(v);
}

static uint16_t get16(const struct pcapng *p, struct rd *r)
{
    uint16_t v = rd_u16(r);

    if (p->big)
        return v;
    return (uint16_t)(v >> 8 | v << 8);
}

static uint64_t get64(const struct pcapng *p, struct rd *r)
{
    uint64_t a = get32(p, r), b = get32(p, r);

    return p->big ? a << 32 | b : b << 32 | a;
}

static bool option_next(const struct pcapng *p, struct rd *r, uint16_t *code, struct rd *value)
{
    uint16_t length;

    *code = get16(p, r);
    length = get16(p, r);
    *value = rd_sub(r, length);
    (void)rd_take(r, (4u - length % 4u) % 4u);
    return !r->err && *code != 0;
}

/* Keeps times where the distance of any two fits 64 bits of nanoseconds: the years 1827 to 2112. */
static int64_t seconds_held(int64_t s)
{
    static const int64_t most = 4500000000;

    return s > most ? most : s < -most ? -most : s;
}

static uint64_t power_of_ten(unsigned n)
{
    uint64_t v = 1;

    while (n--)
        v *= 10;
    return v;
}

/* The part of a second that `ticks` of 2^-n are. 34 bits are enough for a nanosecond and leave room to multiply. */
static int64_t binary_fraction(uint64_t ticks, unsigned n)
{
    unsigned surplus = n > 34 ? n - 34 : 0;

    return (int64_t)((surplus < 64 ? ticks >> surplus : 0) * NS_PER_S >> (n - surplus));
}

static int64_t packet_time(const struct interface *i, uint64_t ticks)
{
    unsigned n = i->tsresol & 0x7f;
    uint64_t seconds = 0;
    int64_t ns = 0;

    if (i->tsresol & 0x80) {
        seconds = n < 64 ? ticks >> n : 0;
        ns = binary_fraction(n < 64 ? ticks - (seconds << n) : ticks, n);
    } else if (i->unit) {
        seconds = ticks / i->unit;
        ticks %= i->unit;
        ns = (int64_t)(i->tick_ns ? ticks * i->tick_ns : ticks / (i->unit / NS_PER_S));
    }
    if (seconds > INT64_MAX)
        seconds = INT64_MAX;
    return seconds_held(seconds_held((int64_t)seconds) + i->offset_s) * NS_PER_S + ns;
}

static bool interface_add(struct pcapng *p, const struct interface *i)
{
    if (p->n == INTERFACES_MAX)
        return broken(p, "more interfaces than are kept");
    if (p->n == p->n_room) {
        size_t room = p->n_room ? p->n_room * 2 : 4;
        struct interface *grown = realloc(p->interfaces, room * sizeof *grown);

        if (!grown)
            return broken(p, "out of memory");
        p->interfaces = grown;
        p->n_room = room;
    }
    p->interfaces[p->n++] = *i;
    return true;
}

static bool read_idb(struct pcapng *p, struct rd r)
{
    struct interface i = { .link = get16(p, &r), .tsresol = RESOLUTION_US };
    struct rd value;
    uint16_t code;

    (void)get16(p, &r);
    i.snap = get32(p, &r);
    if (r.err)
        return broken(p, "interface description too short");
    if (i.link == LINKTYPE_RAW)
        i.link = DLT_RAW_LINUX; /* where libpcap's DLT_ value is not what files say */
    while (rd_left(&r) && option_next(p, &r, &code, &value)) {
        if (code == OPTION_IF_TSRESOL && rd_left(&value) == 1)
            i.tsresol = rd_u8(&value);
        if (code == OPTION_IF_TSOFFSET && rd_left(&value) == 8)
            i.offset_s = seconds_held((int64_t)get64(p, &value));
    }
    i.unit = i.tsresol <= UNIT_MOST ? power_of_ten(i.tsresol) : 0;
    i.tick_ns = i.unit ? NS_PER_S / i.unit : 0;
    return interface_add(p, &i);
}

/* Statistics count from the start of the capture, so that a later block replaces an earlier one. */
static void read_isb(struct pcapng *p, struct rd r)
{
    uint32_t id = get32(p, &r);
    struct rd value;
    uint16_t code;

    (void)get64(p, &r);
    while (rd_left(&r) && option_next(p, &r, &code, &value)) {
        uint64_t dropped = code == OPTION_ISB_IFDROP ? get64(p, &value) : 0;

        if (id >= p->n || dropped <= p->interfaces[id].dropped || dropped == UINT64_MAX)
            continue;
        p->dropped += dropped - p->interfaces[id].dropped;
        p->interfaces[id].dropped = dropped;
    }
}

static void read_secrets(struct pcapng *p, struct rd r)
{
    uint32_t type = get32(p, &r), length = get32(p, &r);
    struct span lines = rd_take(&r, length);

    if (!r.err && type == SECRETS_TLS)
        secrets_add(p->secrets, lines);
}

static bool read_packet(struct pcapng *p, uint32_t type, struct rd r, struct frame *out)
{
    uint32_t id = type == BLOCK_EPB ? get32(p, &r) : get16(p, &r), captured, original;
    uint64_t high, low;

    if (type == BLOCK_PB)
        (void)get16(p, &r);
    high = get32(p, &r);
    low = get32(p, &r);
    captured = get32(p, &r);
    original = get32(p, &r);
    if (r.err || id >= p->n)
        return broken(p, r.err ? "packet block too short" : "packet of an interface that is not described");
    *out = (struct frame){ .link = p->interfaces[id].link, .bytes = rd_take(&r, captured), .wire = original };
    if (r.err)
        return broken(p, "packet longer than its block");
    out->ts_ns = p->last_ns = packet_time(&p->interfaces[id], high << 32 | low);
    return true;
}

/* Without a time of its own a packet gets the one before it, so that it stays in its place. */
static bool read_simple_packet(struct pcapng *p, struct rd r, struct frame *out)
{
    uint32_t original = get32(p, &r), captured = original;

    if (r.err || p->n == 0)
        return broken(p, r.err ? "packet block too short" : "packet of an interface that is not described");
    if (p->interfaces[0].snap && captured > p->interfaces[0].snap)
        captured = p->interfaces[0].snap;
    if (captured > rd_left(&r))
        captured = (uint32_t)rd_left(&r);
    *out = (struct frame){ .ts_ns = p->last_ns, .link = p->interfaces[0].link, .bytes = rd_take(&r, captured), .wire = original };
    return true;
}

/* Makes the next `n` bytes stand in memory. */
static bool load(struct pcapng *p, size_t n)
{
    if (feed_have(p->feed, n))
        return true;
    return broken(p, p->feed->error ? "read error" : "the file ends inside a block");
}

static bool skip(struct pcapng *p, size_t n)
{
    for (size_t step; n; n -= step, p->feed->at += step) {
        step = n < SKIP_STEP ? n : SKIP_STEP;
        if (!load(p, step))
            return false;
    }
    return true;
}

static bool known(uint32_t type)
{
    return type == BLOCK_EPB || type == BLOCK_SPB || type == BLOCK_PB || type == BLOCK_IDB || type == BLOCK_ISB ||
           type == BLOCK_DSB;
}

/* The length a block states, in whole words: some writers forget the padding there (as Wireshark found). */
static bool block_length(struct pcapng *p, uint32_t stated, size_t *body)
{
    size_t length = ((size_t)stated + 3) / 4 * 4;

    if (length < BLOCK_HEADER + BLOCK_TRAILER)
        return broken(p, "block with an impossible length");
    *body = length - BLOCK_HEADER - BLOCK_TRAILER;
    return true;
}

/* A section header's byte order is told behind its length: `stated` is as in the file, read as big-endian. */
static bool section_begin(struct pcapng *p, uint32_t stated)
{
    struct rd r;
    uint32_t magic;
    size_t body;

    if (!load(p, BLOCK_HEADER + SECTION_ORDER))
        return false;
    r = rd_init((struct span){ feed_at(p->feed) + BLOCK_HEADER, SECTION_ORDER }, SECTION_ORDER);
    magic = rd_u32(&r);
    if (magic != BYTE_ORDER_MAGIC && magic != swapped(BYTE_ORDER_MAGIC))
        return broken(p, "section header without its byte-order magic");
    p->big = magic == BYTE_ORDER_MAGIC;
    if (get16(p, &r) != 1)
        return broken(p, "a version of pcapng that is not known");
    if (!block_length(p, p->big ? stated : swapped(stated), &body))
        return false;
    if (body < SECTION_FIXED)
        return broken(p, "section header too short");
    p->n = 0;
    p->in_section = true;
    return skip(p, BLOCK_HEADER + body + BLOCK_TRAILER);
}

/* The body of the block that comes next, which is in memory whole, once its two lengths are found to be the same. */
static bool block_body(struct pcapng *p, size_t body, uint32_t stated, struct rd *r)
{
    size_t n = body + BLOCK_TRAILER;
    struct rd trailer = rd_init((struct span){ feed_at(p->feed) + BLOCK_HEADER, n }, n);

    *r = rd_sub(&trailer, body);
    if (get32(p, &trailer) != stated)
        return broken(p, "block whose two lengths differ");
    return true;
}

/* A block of a kind that is known. */
static bool block_take(struct pcapng *p, uint32_t type, struct rd r, struct frame *out, bool *frame)
{
    if (type == BLOCK_IDB)
        return read_idb(p, r);
    if (type == BLOCK_ISB || type == BLOCK_DSB) {
        (type == BLOCK_ISB ? read_isb : read_secrets)(p, r);
        return true;
    }
    *frame = true;
    return type == BLOCK_SPB ? read_simple_packet(p, r, out) : read_packet(p, type, r, out);
}

/* One block; *frame tells whether it was a packet. False: the end, or broken. */
static bool block_next(struct pcapng *p, struct frame *out, bool *frame)
{
    struct rd r;
    uint32_t type, stated;
    size_t body;

    *frame = false;
    if (!feed_have(p->feed, BLOCK_HEADER) && feed_left(p->feed) == 0 && !p->feed->error)
        return false;
    if (!load(p, BLOCK_HEADER))
        return false;
    r = rd_init((struct span){ feed_at(p->feed), BLOCK_HEADER }, BLOCK_HEADER);
    type = get32(p, &r);
    if (type == BLOCK_SHB)
        return section_begin(p, rd_u32(&r));
    if (!p->in_section)
        return broken(p, "no section header");
    stated = get32(p, &r);
    if (!block_length(p, stated, &body))
        return false;
    if (!known(type))
        return skip(p, BLOCK_HEADER + body + BLOCK_TRAILER);
    if (body > BLOCK_MAX)
        return broken(p, "block with an impossible length");
    if (!load(p, BLOCK_HEADER + body + BLOCK_TRAILER) || !block_body(p, body, stated, &r) || !block_take(p, type, r, out, frame))
        return false;
    p->feed->at += BLOCK_HEADER + body + BLOCK_TRAILER;
    return true;
}

enum pcapng_got pcapng_next(struct pcapng *p, struct frame *out)
{
    bool frame = false;

    while (!p->why && block_next(p, out, &frame))
        if (frame)
            return PCAPNG_FRAME;
    return p->why ? PCAPNG_BROKEN : PCAPNG_END;
}

/* The length of the enhanced packet block that comes next; 0: it is none, is not in memory whole, or broken, which pcapng_next() tells. */
static size_t packet_ahead(struct pcapng *p, struct frame *out)
{
    struct rd r = rd_init((struct span){ feed_at(p->feed), feed_left(p->feed) }, feed_left(p->feed));
    uint32_t type = get32(p, &r), stated = get32(p, &r);
    size_t body;

    if (r.err || type != BLOCK_EPB || !block_length(p, stated, &body) || body + BLOCK_TRAILER > rd_left(&r) ||
        !block_body(p, body, stated, &r) || !read_packet(p, type, r, out)) {
        p->why = NULL;
        return 0;
    }
    return BLOCK_HEADER + body + BLOCK_TRAILER;
}

size_t pcapng_more(struct pcapng *p, struct frame *out, size_t n, int64_t due_ns)
{
    size_t got = 0, length;

    for (; !p->why && got < n && (length = packet_ahead(p, &out[got])) > 0 && out[got].ts_ns < due_ns; got++)
        p->feed->at += length;
    return got;
}
