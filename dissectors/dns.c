/*
 * The header (RFC 1035 §4.1.1; AD and CD: RFC 4035 §3), behind which stand the questions and three sections of records:
 *
 *   0                   1
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
 *  |              ID               |
 *  |Q|Opcode |A|T|R|R|Z|A|C| RCODE |
 *  |R|       |A|C|D|A| |D|D|       |
 *  |  QDCOUNT, ANCOUNT, NSCOUNT,   |
 *  |            ARCOUNT            |
 */
#include "dissectors/dns.h"

#include <stddef.h>

enum { HEADER = 12, LABEL_MAX = 63, LABELS_MAX = 127, OCTETS_MAX = 255, POINTER = 0xc0, OPCODE_MAX = 5 };
enum { CLASS_IN = 1, CLASS_ANY = 255, MDNS_BIT = 0x8000 }; /* RFC 6762 §5.4 unicast response wanted, §10.2 cache flush */

struct reader {
    struct span msg;
    struct rd r;
    bool full; /* something had to be left out; told once a message */
    struct dns_msg *out;
    struct faults *why;
};

/* The name in hand, written out behind the names already kept. */
struct text {
    char *p;
    size_t n, room;
    size_t octets; /* its length on the wire without compression and without the root */
};

static size_t offset_of(const struct reader *d, const struct rd *r)
{
    return (size_t)(r->p - d->msg.p);
}

static void put(struct text *t, unsigned c)
{
    if (t->n < t->room)
        t->p[t->n] = (char)c;
    t->n++;
}

/* RFC 4343 §2.1. A dot or backslash inside a label is escaped like an octet that cannot be printed, so that labels stay apart. */
static void put_octet(struct text *t, uint8_t c)
{
    if (c > 0x20 && c < 0x7f && c != '.' && c != '\\') {
        put(t, c >= 'A' && c <= 'Z' ? c + 32u : c);
    } else {
        put(t, '\\');
        put(t, '0' + c / 100u);
        put(t, '0' + c / 10u % 10u);
        put(t, '0' + c % 10u);
    }
}

static void put_label(struct text *t, struct span label)
{
    if (t->n)
        put(t, '.');
    for (size_t i = 0; i < label.n; i++)
        put_octet(t, label.p[i]);
    t->octets += 1 + label.n;
}

enum run { RUN_ROOT, RUN_POINTER, RUN_BAD };

/* Labels up to the root or a pointer (RFC 1035 §4.1.4). The label types 01 and 10 are not in use (RFC 6891 §5). */
static enum run read_labels(struct rd *r, struct text *t, size_t *target)
{
    while (t->octets < OCTETS_MAX) {
        uint8_t n = rd_u8(r);

        if (n >= POINTER) {
            *target = (size_t)(n - POINTER) << 8 | rd_u8(r);
            return r->err ? RUN_BAD : RUN_POINTER;
        }
        if (r->err || n > LABEL_MAX)
            return RUN_BAD;
        if (n == 0)
            return RUN_ROOT;
        put_label(t, rd_take(r, n));
    }
    return RUN_BAD;
}

/* A pointer leads to a prior name (RFC 1035 §4.1.4): what it leads to must lie wholly before the labels that end in it. */
static bool follow(const struct reader *d, size_t start, size_t target, struct text *t)
{
    for (unsigned pointers = 0; pointers < LABELS_MAX; pointers++) {
        struct rd prior;
        enum run run;

        if (target < HEADER || target >= start)
            return false;
        prior = rd_init(span_part(d->msg, target, start - target), 0);
        start = target;
        run = read_labels(&prior, t, &target);
        if (run != RUN_POINTER)
            return run == RUN_ROOT;
    }
    return false;
}

enum name {
    NAME_FINE,
    NAME_LONG, /* good, but written out it does not fit DNS_NAME or what is left of dns_msg.names */
    NAME_BAD,  /* where it ends is known */
    NAME_LOST, /* where it ends is not known, or the bytes ended: see r->err */
};

static enum name read_name(struct reader *d, struct rd *r, const char **name)
{
    size_t start = offset_of(d, r), target = 0, left = DNS_NAMES_BYTES - d->out->names_used;
    struct text t = { .p = d->out->names + d->out->names_used, .room = left < DNS_NAME ? left : DNS_NAME };
    enum run run = read_labels(r, &t, &target);

    if (run == RUN_BAD || r->err)
        return NAME_LOST;
    if (run == RUN_POINTER && !follow(d, start, target, &t))
        return NAME_BAD;
    if (t.n >= t.room)
        return NAME_LONG;
    t.p[t.n] = '\0';
    *name = t.p;
    d->out->names_used += t.n + 1;
    return NAME_FINE;
}

static void left_out(struct reader *d, size_t at)
{
    if (!d->full)
        fault_add(d->why, FAULT_DNS_RECORD_COUNT, at);
    d->full = true;
}

static bool name_fits(struct reader *d, enum name name, size_t at)
{
    if (name == NAME_LONG)
        left_out(d, at);
    else if (name != NAME_FINE)
        fault_add(d->why, FAULT_DNS_NAME, at);
    return name == NAME_FINE;
}

/* What the failure of d->r means for the message. */
static enum dis ran_out(struct reader *d, enum fault_id id, size_t at)
{
    if (d->r.err == RD_CUT)
        return DIS_CUT;
    fault_add(d->why, id, at);
    return DIS_SHORT;
}

static bool is_class(uint16_t class, uint16_t wanted)
{
    return (class & ~MDNS_BIT) == wanted;
}

static enum dis read_question(struct reader *d)
{
    size_t at = offset_of(d, &d->r);
    struct dns_question q = { NULL, 0 };
    enum name name = read_name(d, &d->r, &q.name);
    uint16_t class;

    q.type = rd_u16(&d->r);
    class = rd_u16(&d->r);
    if (d->r.err)
        return ran_out(d, FAULT_DNS_HEADER, at);
    if (name == NAME_BAD || name == NAME_LOST || !(is_class(class, CLASS_IN) || is_class(class, CLASS_ANY)))
        return DIS_NOT_MINE;
    if (name_fits(d, name, at))
        d->out->question[d->out->questions++] = q;
    return DIS_OK;
}

static bool read_address(struct rd *data, size_t n, struct addr *out)
{
    struct span ip = rd_take(data, n);

    if (ip.p)
        *out = n == 4 ? addr_v4(ip.p, 0) : addr_v6(ip.p, 0);
    return ip.p;
}

static bool read_target(struct reader *d, struct rd *data, const char **target)
{
    size_t at = offset_of(d, data);
    enum name name = read_name(d, data, target);

    return !data->err && name_fits(d, name, at);
}

/* RFC 2782: the target must not be compressed, which many do all the same. */
static bool read_srv(struct reader *d, struct rd *data, struct dns_record *rec)
{
    rec->priority = rd_u16(data);
    rec->weight = rd_u16(data);
    rec->port = rd_u16(data);
    return read_target(d, data, &rec->target);
}

/* The data of types that are not decoded is passed over. False where it cannot be read; the faults say why. */
static bool read_data(struct reader *d, struct rd *data, struct dns_record *rec)
{
    size_t at = offset_of(d, data);
    bool fine;

    switch (rec->type) {
    case DNS_A: fine = read_address(data, 4, &rec->addr); break;
    case DNS_AAAA: fine = read_address(data, 16, &rec->addr); break;
    case DNS_CNAME: fine = read_target(d, data, &rec->target); break;
    case DNS_SRV: fine = read_srv(d, data, rec); break;
    default: return true;
    }
    if (data->err == RD_SHORT || (fine && rd_wire_left(data))) {
        fault_add(d->why, FAULT_DNS_RECORD, at);
        return false;
    }
    return fine;
}

/* Only class IN is kept, and not OPT, whose class is a size (RFC 6891 §6.1.2). */
static bool keep_record(struct reader *d, const struct dns_record *rec, uint16_t class, struct rd *data)
{
    struct dns_record *slot = &d->out->record[d->out->records];

    if (rec->type == DNS_OPT || !is_class(class, CLASS_IN))
        return false;
    if (d->out->records == DNS_RECORDS_KEPT) {
        left_out(d, offset_of(d, data));
        return false;
    }
    *slot = *rec;
    if (!read_data(d, data, slot))
        return false;
    d->out->records++;
    return true;
}

static enum dis read_record(struct reader *d)
{
    size_t at = offset_of(d, &d->r), names_used = d->out->names_used;
    struct dns_record rec = { .name = NULL };
    enum name name = read_name(d, &d->r, &rec.name);
    struct rd data;
    uint16_t class;

    if (!d->r.err && !name_fits(d, name, at) && name == NAME_LOST)
        return DIS_BAD;
    rec.type = rd_u16(&d->r);
    class = rd_u16(&d->r);
    rec.ttl_s = rd_u32(&d->r);
    if (rec.ttl_s > INT32_MAX) /* RFC 2181 §8 */
        rec.ttl_s = 0;
    data = rd_sub(&d->r, rd_u16(&d->r));
    if (d->r.err)
        return ran_out(d, FAULT_DNS_RECORD, at);
    if (name != NAME_FINE || !keep_record(d, &rec, class, &data))
        d->out->names_used = names_used;
    return data.err == RD_CUT ? DIS_CUT : DIS_OK;
}

static enum dis read_sections(struct reader *d, unsigned questions, unsigned answers, unsigned records)
{
    enum dis dis = DIS_OK;

    for (unsigned i = 0; i < questions && dis == DIS_OK; i++)
        dis = read_question(d);
    for (unsigned i = 0; i < records && dis == DIS_OK; i++) {
        if (!rd_wire_left(&d->r)) {
            fault_add(d->why, FAULT_DNS_HEADER, d->msg.n);
            break;
        }
        dis = read_record(d);
        if (i < answers)
            d->out->answers = d->out->records;
    }
    return dis;
}

static void read_flags(uint16_t flags, struct dns_msg *out)
{
    out->response = flags >> 15;
    out->opcode = flags >> 11 & 15;
    out->authoritative = flags >> 10 & 1;
    out->truncated = flags >> 9 & 1;
    out->rcode = flags & 15;
}

enum dis dns_dissect(struct rd *in, struct dns_msg *out, struct faults *why)
{
    struct reader d = { .msg = rd_rest(in), .r = *in, .out = out, .why = why };
    unsigned flags, questions, answers, authority, additional;
    enum dis dis;

    memset(out, 0, offsetof(struct dns_msg, question)); /* the lists are large, and cleared entry by entry */
    out->answers = out->names_used = 0;
    out->id = rd_u16(&d.r);
    flags = rd_u16(&d.r);
    questions = rd_u16(&d.r);
    answers = rd_u16(&d.r);
    authority = rd_u16(&d.r);
    additional = rd_u16(&d.r);
    if (d.r.err)
        return ran_out(&d, FAULT_DNS_HEADER, 0);
    read_flags((uint16_t)flags, out);
    if (out->opcode > OPCODE_MAX || questions > DNS_QUESTIONS_KEPT || flags & 0x40)
        return DIS_NOT_MINE;
    dis = read_sections(&d, questions, answers, answers + authority + additional);
    if (dis != DIS_OK)
        return dis;
    if (rd_wire_left(&d.r))
        fault_add(why, FAULT_DNS_HEADER, offset_of(&d, &d.r));
    (void)rd_sub(&d.r, rd_wire_left(&d.r));
    *in = d.r;
    return DIS_OK;
}
