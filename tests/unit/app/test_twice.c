/* One packet in two files of one place: see rtpwatch/app/twice.h. */
#include "app/twice.h"

#include <criterion/criterion.h>
#include <string.h>

#include "app/pipeline.h"
#include "base/clock.h"

enum { ETHERNET = 1, COOKED = 113, RAW = 101, ETHERNET_HEADER = 14, COOKED_HEADER = 16, PACKET = 48, FRAME = 96 };

static struct twice *t;
static uint64_t number;

static void setup(void)
{
    t = twice_new();
    cr_assert_not_null(t);
    number = 0;
}

static void teardown(void)
{
    twice_free(t);
}

TestSuite(twice, .init = setup, .fini = teardown);

/* An IPv4 UDP packet, told apart by its IP identification, behind a link header and before some padding. */
static struct frame frame(uint8_t bytes[FRAME], unsigned input, int link, uint8_t id, int64_t ns)
{
    size_t header = link == ETHERNET ? ETHERNET_HEADER : link == COOKED ? COOKED_HEADER : 0;
    uint8_t *ip = bytes + header;

    memset(bytes, 0, FRAME);
    memset(bytes, (int)input + 1, header); /* MAC addresses and the like differ from file to file */
    if (header)
        memcpy(ip - 2, "\x08\x00", 2);
    memcpy(ip, "\x45\x00\x00\x30\x00", 5);
    ip[5] = id;
    ip[8] = 64;
    ip[9] = 17;
    memcpy(ip + 12, "\xc0\x00\x02\x01\xc0\x00\x02\x02\x9c\x40\x9c\x42\x00\x1c", 14);
    return (struct frame){ .ts_ns = ns,
                           .id = frame_id(input, ++number),
                           .link = link,
                           .bytes = { bytes, header + PACKET + (input ? 4 : 0) },
                           .wire = header + PACKET + (input ? 4 : 0) };
}

static bool seen(unsigned input, int link, uint8_t id, int64_t ns)
{
    uint8_t bytes[FRAME];
    struct frame f = frame(bytes, input, link, id, ns);

    return twice_seen(t, &f);
}

Test(twice, in_two_files)
{
    cr_expect(!seen(0, ETHERNET, 1, 1000));
    cr_expect(seen(1, ETHERNET, 1, 1000));
    cr_expect(seen(2, ETHERNET, 1, 1000));
}

Test(twice, another_packet)
{
    cr_expect(!seen(0, ETHERNET, 1, 1000));
    cr_expect(!seen(1, ETHERNET, 2, 1000));
}

/* `any` beside eth0: another link header, a few microseconds apart, the padding of short frames. */
Test(twice, framed_in_another_way)
{
    cr_expect(!seen(0, ETHERNET, 1, 1000));
    cr_expect(seen(1, COOKED, 1, 5000));
    cr_expect(!seen(0, RAW, 2, 6000));
    cr_expect(seen(1, COOKED, 2, 6000));
}

/* A mirror port shows a packet twice in one file: both stay, and the other file's both go. */
Test(twice, in_one_file)
{
    cr_expect(!seen(0, ETHERNET, 1, 1000));
    cr_expect(!seen(0, ETHERNET, 1, 2000));
    cr_expect(seen(1, ETHERNET, 1, 1000));
    cr_expect(seen(1, ETHERNET, 1, 2000));
}

/* The same bytes again, later: a retransmission by a host that counts no IP identification. */
Test(twice, much_later)
{
    cr_expect(!seen(0, ETHERNET, 1, 1000));
    cr_expect(!seen(1, ETHERNET, 1, 1000 + TWICE_NS + 1));
}

Test(twice, what_is_no_ip)
{
    uint8_t arp[ETHERNET_HEADER + 28] = { [12] = 0x08, [13] = 0x06 };
    struct frame f = { .id = frame_id(0, 1), .link = ETHERNET, .bytes = { arp, sizeof arp }, .wire = sizeof arp };

    cr_expect(!twice_seen(t, &f));
    f.id = frame_id(1, 1);
    cr_expect(!twice_seen(t, &f), "it is counted where it was");
}

Test(twice, cut_to_nothing)
{
    uint8_t bytes[FRAME];
    struct frame f = frame(bytes, 0, ETHERNET, 1, 1000);

    for (size_t n = 0; n < PACKET + ETHERNET_HEADER; n++) {
        f.bytes.n = n;
        (void)twice_seen(t, &f);
    }
}

/* Nothing vanishes uncounted; and with a single input nothing is looked for. */
Test(twice, is_counted)
{
    struct pipeline *p = pipeline_new();
    uint8_t bytes[FRAME];
    struct frame f = frame(bytes, 0, ETHERNET, 1, 1000);

    cr_assert_not_null(p);
    cr_assert(pipeline_inputs(p, 1));
    cr_expect_null(p->twice);
    cr_assert(pipeline_inputs(p, 2));
    pipeline_frame(p, &f);
    f = frame(bytes, 1, ETHERNET, 1, 1000);
    pipeline_frame(p, &f);
    pipeline_finish(p);
    cr_expect_eq(p->packets, 2);
    cr_expect_eq(p->done[DONE_DUPLICATE], 1);
    cr_expect_eq(p->done[DONE_UNEXPLAINED], 1);
    cr_expect_str_eq(disposition_name(DONE_DUPLICATE), "duplicate");
    pipeline_free(p);
}

/* Voice through one tunnel: the packets differ only where their own RTP headers do. */
static bool tunnelled(unsigned input, uint8_t proto, uint8_t seq, int64_t ns)
{
    uint8_t bytes[160] = { 0 };
    uint8_t *ip = bytes + ETHERNET_HEADER;

    memcpy(ip - 2, "\x08\x00\x45\x00\x00\x92", 6);
    ip[9] = proto;
    memcpy(ip + 20, "\xc0\x00\x12\xb5\x00\x7e", 6); /* to port 4789; to GRE any bytes */
    ip[100] = seq;
    return twice_seen(t, &(struct frame){ ns, frame_id(input, ++number), ETHERNET, { bytes, sizeof bytes }, sizeof bytes });
}

Test(twice, packets_of_one_tunnel)
{
    static const uint8_t protos[] = { 4, 17, 47 };

    for (size_t i = 0; i < sizeof protos; i++) {
        cr_expect_not(tunnelled(0, protos[i], 1, 1));
        cr_expect_not(tunnelled(1, protos[i], 2, 2), "protocol %u: another packet", protos[i]);
        cr_expect(tunnelled(1, protos[i], 1, 3), "protocol %u: the same packet", protos[i]);
    }
}
