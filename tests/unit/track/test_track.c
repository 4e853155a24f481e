/* track.c: sockets, flows, ICMP. */
#include <stdio.h>

#include "messages.h"
#include "track/track_private.h"

TestSuite(flow, .init = setup, .fini = teardown);
TestSuite(icmp_fact, .init = setup, .fini = teardown);

static struct flow *datagram_between(const char *src, const char *dst)
{
    struct datagram d = next_frame(src, dst);

    return track_flow(t, &d);
}

Test(flow, nothing_is_known_at_first)
{
    cr_assert_null(flow_between(CALLER_MEDIA, CALLEE_MEDIA));
    cr_assert_null(socket_at(CALLER_MEDIA));
    cr_assert_null(track_socket(t, POOL_NONE));
    cr_assert_null(track_flow_at(t, POOL_NONE));
    cr_assert_eq(t->first.frame, 0);
    track_free(NULL);
}

Test(flow, datagrams_of_one_direction_are_one_flow)
{
    struct flow *f = datagram_between(CALLER_MEDIA, CALLEE_MEDIA);
    int64_t first_ns = t->last.ns;

    cr_assert_not_null(f);
    wait_ms(20);
    cr_assert_eq(datagram_between(CALLER_MEDIA, CALLEE_MEDIA), f);
    cr_assert_eq(f->packets.n, 2);
    cr_assert_eq(f->packets.first.frame, 1);
    cr_assert_eq(f->packets.last.frame, 2);
    cr_assert_eq(f->packets.last.ns - f->packets.first.ns, 20 * NS_PER_MS);
    cr_assert_eq(f->ttl, 64);
    cr_assert_eq(f->streams, POOL_NONE);
    cr_assert_eq(flow_between(CALLER_MEDIA, CALLEE_MEDIA), f);
    cr_assert_eq(t->first.frame, 1);
    cr_assert_eq(t->first.ns, first_ns);
    cr_assert_eq(t->last.frame, 2);
}

Test(flow, the_way_back_and_other_ports_are_other_flows)
{
    struct flow *f = datagram_between(CALLER_MEDIA, CALLEE_MEDIA), *back = datagram_between(CALLEE_MEDIA, CALLER_MEDIA);
    struct flow *rtcp = datagram_between("192.0.2.10:10001", "198.51.100.20:20001");

    cr_assert(f && back && rtcp && f != back && f != rtcp);
    cr_assert_eq(f->packets.n, 1);
    cr_assert_eq(t->flows.live, 3);
    cr_assert_eq(t->sockets.live, 4, "two flows share their sockets");
    cr_assert_eq(f->src_socket, back->dst_socket);
    cr_assert_eq(f->dst_socket, back->src_socket);
}

Test(flow, a_socket_lists_its_flows)
{
    struct flow *a = datagram_between(CALLER_MEDIA, "198.51.100.20:20000"),
                *b = datagram_between(CALLER_MEDIA, "198.51.100.21:20000");
    struct flow *in = datagram_between("198.51.100.22:9", CALLER_MEDIA);
    struct socket *s = socket_at(CALLER_MEDIA);

    cr_assert(s && addr_is(&s->addr, CALLER_MEDIA));
    cr_assert_eq(s->flows_out, b->slot, "newest first");
    cr_assert_eq(b->next_out, a->slot);
    cr_assert_eq(a->next_out, POOL_NONE);
    cr_assert_eq(s->flows_in, in->slot);
    cr_assert_eq(in->next_in, POOL_NONE);
    cr_assert_eq(track_find_socket(t, &a->dst)->flows_in, a->slot);
    cr_assert_eq(track_find_socket(t, &a->dst)->flows_out, POOL_NONE);
}

Test(flow, both_families)
{
    struct flow *f = datagram_between("[2001:db8::1]:5000", "[2001:db8::2]:6000");

    cr_assert_not_null(f);
    cr_assert_eq(flow_between("[2001:db8::1]:5000", "[2001:db8::2]:6000"), f);
    cr_assert_null(flow_between("[2001:db8::2]:6000", "[2001:db8::1]:5000"));
}

Test(flow, thousands)
{
    char text[32];

    for (unsigned i = 0; i < 3000; i++) {
        snprintf(text, sizeof text, "10.0.%u.%u:%u", i / 250, i % 250, 10000 + i);
        cr_assert_not_null(datagram_between(text, CALLEE_MEDIA));
    }
    for (unsigned i = 0; i < 3000; i++) {
        struct flow *f;

        snprintf(text, sizeof text, "10.0.%u.%u:%u", i / 250, i % 250, 10000 + i);
        f = flow_between(text, CALLEE_MEDIA);
        cr_assert(f && f->slot == i && f->packets.n == 1);
    }
    cr_assert_eq(t->sockets.live, 3001);
}

Test(flow, neighbouring_ports_have_their_cells_together)
{
    struct addr a = addr_of(CALLER_MEDIA), b;

    for (uint16_t port = 0; port < SOCKET_NEIGHBOURS; port++) {
        b = addr_with_port(a, a.port + port);
        cr_assert_eq(hmap_home(socket_hash(&a), 1023) / SOCKET_NEIGHBOURS, hmap_home(socket_hash(&b), 1023) / SOCKET_NEIGHBOURS);
        cr_assert(port == 0 || socket_hash(&a) >> 32 != socket_hash(&b) >> 32);
    }
    b = addr_with_port(a, a.port + SOCKET_NEIGHBOURS);
    cr_assert_neq(socket_hash(&a) >> 34, socket_hash(&b) >> 34);
}

Test(flow, a_full_table_refuses_what_is_new_and_goes_on_with_the_rest)
{
    struct flow *f;

    t->flows.cap = 1;
    f = datagram_between(CALLER_MEDIA, CALLEE_MEDIA);
    cr_assert_not_null(f);
    cr_assert_null(datagram_between(CALLEE_MEDIA, CALLER_MEDIA));
    cr_assert_eq(faults.count[FAULT_FLOW_TABLE_FULL], 1);
    cr_assert_eq(faults.first_frame[FAULT_FLOW_TABLE_FULL], 2);
    cr_assert_null(flow_between(CALLEE_MEDIA, CALLER_MEDIA));
    cr_assert_eq(datagram_between(CALLER_MEDIA, CALLEE_MEDIA), f);
    cr_assert_eq(f->packets.n, 2);
}

Test(flow, a_full_socket_table)
{
    t->sockets.cap = 1;
    cr_assert_null(datagram_between(CALLER_MEDIA, CALLEE_MEDIA));
    cr_assert_eq(faults.count[FAULT_SOCKET_TABLE_FULL], 1);
    cr_assert_null(datagram_between(CALLER_MEDIA, CALLEE_MEDIA));
    cr_assert_eq(t->flows.live, 0);
}

/* ---- connections ---- */

Test(flow, a_connection_is_known_by_both_its_ends)
{
    struct datagram first = next_frame("192.0.2.30:50000", "198.51.100.20:443"),
                    again = next_frame("192.0.2.30:50000", "198.51.100.20:443"),
                    other = next_frame("192.0.2.30:50001", "198.51.100.20:443");
    const struct conn_fact *c;

    track_connection(t, &first);
    track_connection(t, &again);
    track_connection(t, &other);
    cr_assert_eq(t->conns.live, 2);
    c = pool_at(&t->conns, 0);
    cr_assert(addr_is(&c->client, "192.0.2.30:50000") && addr_is(&c->server, "198.51.100.20:443"));
    cr_assert_eq(c->opened.n, 2);
    cr_assert_eq(c->opened.first.frame, 1);
    cr_assert_eq(t->flows.live, 0, "a connection is no flow of datagrams");
}

Test(flow, segments_are_counted_for_their_connection_each_way)
{
    struct datagram hello = next_frame("192.0.2.30:50000", "198.51.100.20:443"),
                    back = next_frame("198.51.100.20:443", "192.0.2.30:50000"),
                    stranger = next_frame("198.51.100.20:443", "192.0.2.30:50001");
    const struct conn_fact *c;

    track_segment(t, &hello);
    track_connection(t, &hello);
    track_segment(t, &hello);
    track_segment(t, &back);
    track_segment(t, &back);
    track_segment(t, &stranger);
    track_connection_read(t, &stranger);
    c = pool_at(&t->conns, 0);
    cr_assert(t->conns.live == 1 && c->from_client.n == 1 && c->from_server.n == 2 && !c->read);
    track_connection_read(t, &back);
    cr_assert(c->read);
}

/* ---- ICMP ---- */

static void icmp_about_media(enum icmp_what what, uint8_t proto, const char *src, const char *dst)
{
    struct datagram d = next_frame("203.0.113.99:0", CALLER_MEDIA);
    struct icmp_msg m = { .what = what, .quotes = true, .quoted_proto = proto, .src = addr_of(src), .dst = addr_of(dst) };

    track_icmp(t, &d, &m);
}

Test(icmp_fact, an_error_belongs_to_the_flow_that_it_quotes)
{
    struct flow *f;
    struct icmp_about *i;

    (void)datagram_between("192.0.2.10:4", "192.0.2.10:5");
    f = datagram_between(CALLER_MEDIA, CALLEE_MEDIA);
    cr_assert_null(track_icmp_at(t, f->icmp));
    icmp_about_media(ICMP_HOST_UNREACHABLE, 17, CALLER_MEDIA, CALLEE_MEDIA);
    icmp_about_media(ICMP_PORT_UNREACHABLE, 17, CALLER_MEDIA, CALLEE_MEDIA);
    i = track_icmp_at(t, f->icmp);
    cr_assert_not_null(i);
    cr_assert_eq(i->what, ICMP_PORT_UNREACHABLE, "the latest");
    cr_assert_eq(i->errors.n, 2);
    cr_assert_eq(i->errors.first.frame, 3);
    cr_assert_eq(i->errors.last.frame, 4);
    cr_assert(addr_is(&i->reporter, "203.0.113.99:0"));
    cr_assert_eq(i->flow, f->slot);
    cr_assert_eq(f->packets.n, 1, "an error is no packet of the flow");
    cr_assert_eq(t->icmp_unmatched, 0);
}

Test(icmp_fact, what_quotes_nothing_of_ours_is_counted)
{
    struct datagram d = next_frame("203.0.113.99:0", CALLER_MEDIA);
    struct icmp_msg blind = { .what = ICMP_HOST_UNREACHABLE };
    struct flow *f = datagram_between(CALLER_MEDIA, CALLEE_MEDIA);

    track_icmp(t, &d, &blind);
    icmp_about_media(ICMP_PORT_UNREACHABLE, 17, CALLEE_MEDIA, CALLER_MEDIA); /* the way back */
    icmp_about_media(ICMP_PORT_UNREACHABLE, 17, "192.0.2.10:10002", CALLEE_MEDIA);
    icmp_about_media(ICMP_PORT_UNREACHABLE, 6, CALLER_MEDIA, CALLEE_MEDIA); /* TCP */
    cr_assert_eq(t->icmp_unmatched, 4);
    icmp_about_media(ICMP_NO_ERROR, 17, CALLER_MEDIA, CALLEE_MEDIA);
    cr_assert_eq(t->icmp_unmatched, 4, "a ping is no error");
    cr_assert_eq(f->icmp, POOL_NONE);
}
