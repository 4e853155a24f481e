/*
 * run.c: packets packed and applied, or recorded anew, leave what recording each of them leaves. The records are compared as bytes, so
 * that a member which is forgotten is found.
 */
#include "messages.h"
#include "track/run.h"

enum { SSRC = 0x5eed, OTHER = 0x0dd, PACKETS = 64, LEAD = 8 };
#define SRC "192.0.2.10:10000"
#define DST "198.51.100.20:20000"

static struct track *direct, *packed; /* one sees each packet, the other the first ones and runs */
static struct fault_log direct_faults, packed_faults;
static struct run run;
static uint8_t bytes[RUN_BYTES];

static void both(void)
{
    direct = track_new(&direct_faults);
    packed = track_new(&packed_faults);
    cr_assert(direct && packed);
}

static void neither(void)
{
    track_free(direct);
    track_free(packed);
}

TestSuite(run, .init = both, .fini = neither);

static struct flow *flow_in(const struct track *in)
{
    struct addr src = addr_of(SRC), dst = addr_of(DST);

    return track_find_flow(in, &src, &dst);
}

static struct stream *stream_in(const struct track *in, uint32_t ssrc)
{
    struct stream *s;

    for (uint32_t i = flow_in(in)->streams; (s = track_stream_at(in, i)) != NULL; i = s->next)
        if (s->ssrc == ssrc)
            return s;
    return NULL;
}

static enum rtp_taken record(struct track *in, const struct run_packet *p)
{
    struct datagram d = { .at = p->at, .src = addr_of(SRC), .dst = addr_of(DST), .size = p->size, .ttl = 64 };
    struct rtp_msg m = { .pt = p->pt, .seq = p->seq, .timestamp = p->timestamp, .ssrc = p->ssrc };

    return track_rtp(in, track_flow(in, &d), &d, &m);
}

/* Voice of every kind that a run may hold: lost, late, twice, of other sizes and types, with pauses, past the end of the numbers. */
static struct run_packet packet(uint32_t ssrc, unsigned n)
{
    struct run_packet p = { .at = { SECONDS(1700000000) + n * 20 * (int64_t)NS_PER_MS + n % 3 * 1001, n + 1 },
                            .size = 172,
                            .ssrc = ssrc,
                            .timestamp = 0xfffff000u + n * 160,
                            .seq = (uint16_t)(0xfff0 + n) };

    if (n % 16 == 9)
        p.seq = (uint16_t)(p.seq - 3);
    if (n % 16 == 11)
        p.seq = (uint16_t)(p.seq - 1);
    if (n % 16 == 14)
        p.pt = 13;
    if (n % 32 == 30)
        p.pt = 8;
    if (n > 40)
        p.size = 52 + n;
    if (n > 44)
        p.at.ns += 150 * NS_PER_MS;
    if (n == 50)
        p.timestamp += 100000;
    if (n > 55)
        p.seq = (uint16_t)(p.seq + 20000); /* began anew */
    return p;
}

static void record_one(struct track *in, unsigned n)
{
    struct run_packet p = packet(SSRC, n);

    record(in, &p);
}

static void record_both(uint32_t ssrc, unsigned from, unsigned to)
{
    for (unsigned n = from; n < to; n++) {
        struct run_packet p = packet(ssrc, n);

        cr_assert_neq(record(direct, &p), RTP_REFUSED);
        cr_assert_neq(record(packed, &p), RTP_REFUSED);
    }
}

/* The direct track records packets [from, to), and a run is made of them. */
static struct run_told pack(uint32_t ssrc, unsigned from, unsigned to)
{
    struct run_told told;

    run_begin(&run, stream_in(direct, ssrc));
    for (unsigned n = from; n < to; n++) {
        struct run_packet p = packet(ssrc, n);

        cr_assert_eq(record(direct, &p), RTP_KNOWN);
        cr_assert(run_add(&run, stream_in(direct, ssrc), &p), "packet %u", n);
    }
    cr_assert(run_read((struct span){ bytes, run_pack(&run, flow_in(direct), bytes) }, &told));
    return told;
}

static void same(void)
{
    cr_assert_eq(direct->streams.used, packed->streams.used);
    for (uint32_t i = 0; i < direct->streams.used; i++)
        cr_assert_arr_eq(track_stream_at(direct, i), track_stream_at(packed, i), sizeof(struct stream), "stream %u", i);
    cr_assert_arr_eq(flow_in(direct), flow_in(packed), sizeof(struct flow));
    cr_assert_eq(direct->last.ns, packed->last.ns);
    cr_assert_eq(direct->last.frame, packed->last.frame);
}

static enum run_fit apply(const struct run_told *told)
{
    struct stream *s;
    struct flow *f;
    enum run_fit fit = run_fits(packed, told, &f, &s);

    if (fit == RUN_GOES_ON)
        run_apply(packed, f, s, told);
    return fit;
}

static void anew(const struct run_told *told)
{
    struct run_list list = run_list(told);
    struct run_packet p;

    while (run_next(&list, &p))
        cr_assert_eq(record(packed, &p), RTP_KNOWN);
    cr_assert_eq(list.n, 0);
}

Test(run, goes_on)
{
    struct run_told told;

    record_both(SSRC, 0, LEAD);
    told = pack(SSRC, LEAD, PACKETS);
    cr_assert_eq(apply(&told), RUN_GOES_ON);
    same();
    cr_assert_gt(stream_in(packed, SSRC)->reordered, 0);
    cr_assert_gt(stream_in(packed, SSRC)->duplicated, 0);
    cr_assert_gt(stream_in(packed, SSRC)->noise, 0);
    cr_assert_gt(stream_in(packed, SSRC)->expected_before, 0);
}

/* Each run is told from where the one before ended, so that each member matters as the state before one, too. */
Test(run, goes_on_in_pieces)
{
    record_both(SSRC, 0, LEAD);
    for (unsigned n = LEAD; n < PACKETS - 4; n += 4) {
        struct run_told told = pack(SSRC, n, n + 3);

        cr_assert_eq(apply(&told), RUN_GOES_ON, "from packet %u", n);
        same();
        record_both(SSRC, n + 3, n + 4);
    }
}

Test(run, lists_its_packets)
{
    struct run_told told;
    struct run_list list;
    struct run_packet p;

    record_both(SSRC, 0, LEAD);
    told = pack(SSRC, LEAD, PACKETS);
    list = run_list(&told);
    for (unsigned n = LEAD; n < PACKETS; n++) {
        struct run_packet expected = packet(SSRC, n);

        cr_assert(run_next(&list, &p));
        cr_assert_eq(p.at.ns, expected.at.ns, "packet %u", n);
        cr_assert_eq(p.at.frame, expected.at.frame);
        cr_assert_eq(p.size, expected.size);
        cr_assert_eq(p.ssrc, expected.ssrc);
        cr_assert_eq(p.timestamp, expected.timestamp);
        cr_assert_eq(p.seq, expected.seq);
        cr_assert_eq(p.pt, expected.pt);
    }
    cr_assert_not(run_next(&list, &p));
}

/* The run was made where the stream seemed to begin with packet 20; here it is older. */
Test(run, is_recorded_anew_in_an_older_stream)
{
    struct track *part = track_new(&direct_faults), *whole = direct;
    struct run_told told;

    record_both(SSRC, 0, 20);
    record_both(SSRC, 20, 20 + LEAD);
    direct = part;
    for (unsigned n = 20; n < 20 + LEAD; n++)
        record_one(part, n);
    told = pack(SSRC, 20 + LEAD, PACKETS);
    direct = whole;
    for (unsigned n = 20 + LEAD; n < PACKETS; n++)
        record_one(direct, n);
    cr_assert_eq(apply(&told), RUN_ANEW);
    anew(&told);
    same();
    track_free(part);
}

/* Every member that a packet is measured against: where it differs, the run does not go on. */
Test(run, goes_on_only_from_the_same_state)
{
    struct stream *s, before;
    struct run_told told;

    record_both(SSRC, 0, LEAD);
    told = pack(SSRC, LEAD, PACKETS);
    s = stream_in(packed, SSRC);
    before = *s;
#define DIFFERS(member)                                                                                                          \
    do {                                                                                                                         \
        struct flow *f;                                                                                                          \
        struct stream *found;                                                                                                    \
        s->member ^= 1;                                                                                                          \
        cr_assert_eq(run_fits(packed, &told, &f, &found), RUN_ANEW, #member);                                                    \
        *s = before;                                                                                                             \
    } while (0)
    DIFFERS(expected_before);
    DIFFERS(reordered);
    DIFFERS(duplicated);
    DIFFERS(gaps);
    DIFFERS(longest_gap_ms);
    DIFFERS(noise);
    DIFFERS(packets.n);
    DIFFERS(packets.last.ns);
    DIFFERS(bytes);
    DIFFERS(longest_gap_ns);
    DIFFERS(pt);
    DIFFERS(believed);
    DIFFERS(in_sequence);
    DIFFERS(max_seq);
    DIFFERS(base_seq);
    DIFFERS(cycles);
    DIFFERS(clock_hz);
    DIFFERS(transit);
    DIFFERS(jitter_x16);
    cr_assert_eq(apply(&told), RUN_GOES_ON);
}

Test(run, of_two_streams_of_a_flow_overlap)
{
    struct run a, b;
    struct run_told told;

    record_both(SSRC, 0, LEAD);
    record_both(OTHER, 0, LEAD);
    run_begin(&a, stream_in(direct, SSRC));
    run_begin(&b, stream_in(direct, OTHER));
    for (unsigned n = LEAD; n < 30; n++) {
        struct run_packet p = packet(SSRC, n), q = packet(OTHER, n);

        q.at.ns += NS_PER_MS;
        record(direct, &p);
        cr_assert(run_add(&a, stream_in(direct, SSRC), &p));
        record(direct, &q);
        cr_assert(run_add(&b, stream_in(direct, OTHER), &q));
    }
    cr_assert(run_read((struct span){ bytes, run_pack(&b, flow_in(direct), bytes) }, &told));
    cr_assert_eq(apply(&told), RUN_GOES_ON);
    cr_assert(run_read((struct span){ bytes, run_pack(&a, flow_in(direct), bytes) }, &told));
    cr_assert_eq(apply(&told), RUN_GOES_ON);
    flow_in(packed)->hot = flow_in(direct)->hot; /* where the next packet is looked for first; nothing else */
    same();
}

/* ---- what is no run ---- */

Test(run, takes_no_packet_after_a_pause)
{
    struct run_packet p = packet(SSRC, LEAD);

    record_both(SSRC, 0, LEAD);
    run_begin(&run, stream_in(direct, SSRC));
    p.at.ns += STREAM_GAP_NS;
    record(direct, &p);
    cr_assert_not(run_add(&run, stream_in(direct, SSRC), &p));
}

Test(run, takes_no_packet_behind_one_that_it_missed)
{
    struct run_packet p = packet(SSRC, LEAD), q = packet(SSRC, LEAD + 1);

    record_both(SSRC, 0, LEAD);
    run_begin(&run, stream_in(direct, SSRC));
    record(direct, &p);
    record(direct, &q);
    cr_assert_not(run_add(&run, stream_in(direct, SSRC), &q));
}

Test(run, ends_when_it_is_full)
{
    unsigned n = LEAD;
    struct run_packet p = packet(SSRC, 0);
    struct run_told told;

    record_both(SSRC, 0, LEAD);
    run_begin(&run, stream_in(direct, SSRC));
    do {
        p = packet(SSRC, 0);
        p.at.ns += n * 20 * (int64_t)NS_PER_MS;
        p.at.frame = n + 1;
        p.seq = (uint16_t)(p.seq + n);
        record(direct, &p);
    } while (run_add(&run, stream_in(direct, SSRC), &p) && ++n < RUN_LIST);
    cr_assert_lt(n, RUN_LIST);
    cr_assert(run_read((struct span){ bytes, run_pack(&run, flow_in(direct), bytes) }, &told));
    cr_assert_eq(told.n, n - LEAD);
    cr_assert_eq(apply(&told), RUN_GOES_ON);
}

Test(run, does_not_fit_a_stream_that_was_split_in_its_middle)
{
    struct run_told told;

    record_both(SSRC, 0, LEAD);
    told = pack(SSRC, LEAD, PACKETS);
    stream_in(packed, SSRC)->closed = true;
    cr_assert_eq(apply(&told), RUN_UNFIT);
}

Test(run, does_not_fit_without_the_packet_before_it)
{
    struct run_told told;

    record_both(SSRC, 0, LEAD);
    record_one(direct, LEAD);
    told = pack(SSRC, LEAD + 1, PACKETS);
    cr_assert_eq(apply(&told), RUN_UNFIT);
    told.after.ssrc = OTHER;
    cr_assert_eq(apply(&told), RUN_UNFIT);
    told.src.port++;
    cr_assert_eq(apply(&told), RUN_UNFIT);
}

/* One packet of each of as many SSRCs as a flow may begin within a minute, so long before the others. */
static void crowd(int64_t ago_ns)
{
    for (uint32_t ssrc = 1; ssrc <= TRACK_STREAMS_PER_FLOW; ssrc++) {
        struct run_packet p = packet(ssrc, 0);

        p.at.ns -= ago_ns;
        cr_assert_eq(record(packed, &p), RTP_FIRST);
    }
}

/* A flow with too many SSRCs is none of RTP; one with too many records goes on in closed ones. */
Test(run, is_counted_where_the_flow_has_no_room)
{
    struct run_told told;

    record_both(SSRC, 0, LEAD);
    told = pack(SSRC, LEAD, PACKETS);
    stream_in(packed, SSRC)->closed = true;
    told.after.ssrc = OTHER;
    cr_assert_eq(apply(&told), RUN_UNFIT);
    for (uint32_t ssrc = 1; ssrc < TRACK_STREAMS_PER_FLOW; ssrc++) {
        struct run_packet p = packet(ssrc, LEAD);

        cr_assert_eq(record(packed, &p), RTP_FIRST);
    }
    cr_assert_eq(apply(&told), RUN_ANEW);
    told.after.ssrc = SSRC;
    cr_assert_eq(apply(&told), RUN_ANEW);
    told.lead.frame++; /* a stream that is known loses none */
    cr_assert_eq(apply(&told), RUN_UNFIT);
}

/* The streams of an earlier time refuse none of today: what is not there is missing. */
Test(run, does_not_fit_where_the_flow_had_many_streams_long_ago)
{
    struct run_told told;

    crowd(SECONDS(90));
    record_both(SSRC, 0, LEAD);
    told = pack(SSRC, LEAD, PACKETS);
    told.lead.frame++;
    cr_assert_eq(apply(&told), RUN_UNFIT);
    told.lead.frame--;
    stream_in(packed, SSRC)->closed = true;
    cr_assert_eq(apply(&told), RUN_UNFIT);
    told.after.ssrc = OTHER;
    cr_assert_eq(apply(&told), RUN_UNFIT);
}

/* Every prefix and every byte changed: refused, or the track holds together. */
Test(run, damaged)
{
    struct run_told told = { 0 }, broken;
    uint8_t copy[RUN_BYTES];
    size_t size;

    record_both(SSRC, 0, LEAD);
    (void)pack(SSRC, LEAD, PACKETS);
    size = run_pack(&run, flow_in(direct), bytes);
    for (size_t n = 0; n < size - run.list_n; n++)
        cr_assert_not(run_read((struct span){ bytes, n }, &told));
    for (size_t i = 0; i < size * 8; i++) {
        struct stream before = *stream_in(packed, SSRC), *s = stream_in(packed, SSRC);
        struct run_list list;
        struct run_packet p;

        memcpy(copy, bytes, size);
        copy[i / 8] ^= (uint8_t)(1u << i % 8);
        if (!run_read((struct span){ copy, size }, &broken))
            continue;
        if (apply(&broken) == RUN_GOES_ON) {
            cr_assert_eq(s->flow, before.flow);
            cr_assert_eq(s->next, before.next);
            cr_assert_eq(s->ids, before.ids);
            cr_assert_eq(s->clock_hz, before.clock_hz);
            cr_assert_eq(s->packets.n, before.packets.n + broken.n);
            *s = before;
        }
        list = run_list(&broken);
        while (run_next(&list, &p))
            cr_assert(p.size <= UINT16_MAX && p.pt < 128);
    }
}
