/*
 * Honest servers that look like liars: networks in which what a STUN server truly saw differs from what others see. Each test tells who
 * said what, and asks about an honest answer: the first one, where nothing else is told.
 */
#include <criterion/criterion.h>

#include "support/story.h"
#include "verdict/verdict_private.h"

#define SERVER_A "192.0.2.30:3478"
#define SERVER_B "198.18.40.1:3478"
#define SERVER_C "198.19.7.3:3478"
#define UPLINK_2 "198.18.200.9" /* the site's other outside address */

static struct story *s;

static void setup(void)
{
    s = story_new(D_HOST);
}

static void teardown(void)
{
    story_free(s);
}

TestSuite(claim_honest, .init = setup, .fini = teardown);

static void at_host(const char *here)
{
    story_free(s);
    s = story_new(here);
}

static void ask(const char *from, const char *server, const char *mapped)
{
    story_stun(s, &(struct asks){ from, server, .mapped = mapped });
}

static void sip_shows(const char *outside)
{
    s->received[CALLER] = outside;
    story_request(s, CALLER, SIP_INVITE, NULL);
    story_reply(s, 180, NULL);
}

/* How surely an answer is called wrong. */
static enum confidence blamed(uint32_t tx)
{
    struct claim c;

    view_make(&s->view, s->track, &s->options, s->now_ns);
    claim_judge(&s->view, tx, false, &c);
    return c.status == CLAIM_WRONG ? c.confidence : CONFIDENCE_NONE;
}

static void expect_blamed(uint32_t tx, enum confidence least, enum confidence most)
{
    enum confidence sure = blamed(tx);

    cr_expect(sure >= least && sure <= most, "answer %u: %s", tx, sure ? confidence_word(sure) : "not blamed");
}

static void expect_honest(uint32_t tx)
{
    expect_blamed(tx, CONFIDENCE_NONE, CONFIDENCE_NONE);
}

/* ---- two families of one host ---- */

#define D6     "2001:db8:1::10"
#define D6_RTP "[2001:db8:1::10]:10000"
#define NAT64  "[64:ff9b::c000:21e]:3478" /* 192.0.2.30 as an IPv6-only network reaches it (RFC 6146) */

/* An IPv6-only host: servers with IPv6 see its own address, one that has IPv4 alone sees the translator's. */
Test(claim_honest, a_server_behind_nat64_among_native_ones)
{
    at_host(D6);
    ask(D6_RTP, NAT64, D_RTP_OUT);
    ask(D6_RTP, "[2001:db8:a::1]:3478", D6_RTP);
    ask(D6_RTP, "[2001:db8:b::1]:3478", D6_RTP);
    expect_honest(0);
    expect_honest(1);
}

Test(claim_honest, a_server_behind_nat64_and_a_native_peer)
{
    at_host(D6);
    ask(D6_RTP, NAT64, D_RTP_OUT);
    story_checks(s, D6_RTP, "[2001:db8:77::5]:40000", "w:d", D6_RTP);
    story_pass(s, 600);
    expect_honest(0);
}

Test(claim_honest, a_native_server_and_sip_through_nat64)
{
    at_host(D6);
    story_call(s, "call-1@dialer", "[" D6 "]:5060", "[64:ff9b::c000:23c]:5060");
    s->via[CALLER] = "[" D6 "]";
    ask(D6_RTP, "[2001:db8:a::1]:3478", D6_RTP);
    sip_shows(D_OUT);
    expect_honest(0);
}

/* ---- servers inside ---- */

/* A server inside sees the host as it is, those outside see its NAT: all are right. */
Test(claim_honest, one_server_inside_and_two_outside)
{
    ask(D_RTP, "172.31.0.53:3478", D_RTP);
    ask(D_RTP, SERVER_A, D_RTP_OUT);
    ask(D_RTP, SERVER_B, D_RTP_OUT);
    sip_shows(D_OUT);
    expect_honest(0);
    expect_honest(1);
}

Test(claim_honest, two_servers_inside_and_one_outside)
{
    ask(D_RTP, SERVER_A, D_RTP_OUT);
    ask(D_RTP, "172.31.0.53:3478", D_RTP);
    ask(D_RTP, "10.8.0.53:3478", D_RTP);
    expect_honest(0);
    expect_honest(1);
}

/* The company's own server has a public address, and is reached from inside without a NAT. */
Test(claim_honest, a_public_server_reached_without_a_nat)
{
    ask(D_RTP, SERVER_A, D_RTP);
    ask(D_RTP, SERVER_B, D_RTP_OUT);
    ask(D_RTP, SERVER_C, D_RTP_OUT);
    expect_honest(0);
}

/* The carrier's own server, before its NAT (RFC 6598): it sees the subscriber's router, and is right. Useless, but no liar. */
Test(claim_honest, a_carriers_server_before_its_nat)
{
    at_host(W_HOME);
    ask(W_RTP_HOME, SERVER_A, "100.64.3.10:40000");
    expect_blamed(0, CONFIDENCE_NONE, CONFIDENCE_LIKELY);
}

Test(claim_honest, a_carriers_server_before_its_nat_and_two_behind)
{
    at_host(W_HOME);
    ask(W_RTP_HOME, SERVER_A, "100.64.3.10:40000");
    ask(W_RTP_HOME, SERVER_B, W_RTP);
    ask(W_RTP_HOME, SERVER_C, W_RTP);
    expect_blamed(0, CONFIDENCE_NONE, CONFIDENCE_LIKELY);
}

/* A server in the same office, reached at the office's outside address: the NAT turns the question round (RFC 4787 §6). */
Test(claim_honest, a_server_behind_the_same_nat)
{
    ask(D_RTP, D_OUT ":3478", D_OUT ":61000");
    expect_blamed(0, CONFIDENCE_NONE, CONFIDENCE_LIKELY);
}

Test(claim_honest, a_server_behind_the_same_nat_and_one_outside)
{
    ask(D_RTP, D_OUT ":3478", D_OUT ":61000");
    ask(D_RTP, SERVER_A, D_RTP_OUT);
    expect_honest(0);
}

Test(claim_honest, a_server_behind_the_same_nat_and_the_sip)
{
    ask(D_RTP, D_OUT ":3478", D_OUT ":61000");
    sip_shows(D_OUT);
    expect_honest(0);
}

/* The same, where the router puts its inside address in place of the sender's. */
Test(claim_honest, a_server_behind_the_same_nat_sees_the_router)
{
    ask(D_RTP, D_OUT ":3478", "172.31.16.1:61000");
    sip_shows(D_OUT);
    expect_blamed(0, CONFIDENCE_NONE, CONFIDENCE_LIKELY);
}

/* ... while no NAT gives a host with a public address a private one, nor anybody this one. */
Test(claim_honest, not_so_a_private_address_for_a_host_with_a_public_one)
{
    at_host("198.51.100.40");
    ask("198.51.100.40:10000", SERVER_A, "10.9.8.7:10000");
    expect_blamed(0, CONFIDENCE_PROVEN, CONFIDENCE_PROVEN);
}

Test(claim_honest, not_so_a_loopback_address)
{
    ask(D_RTP, SERVER_A, "127.0.0.1:10000");
    expect_blamed(0, CONFIDENCE_PROVEN, CONFIDENCE_PROVEN);
}

Test(claim_honest, not_so_the_servers_own_address_where_the_sip_shows_another)
{
    ask(D_RTP, SERVER_A, "192.0.2.30:10000");
    sip_shows(D_OUT);
    expect_blamed(0, CONFIDENCE_PROVEN, CONFIDENCE_PROVEN);
}

/* ---- NATs that write into the answer ---- */

/* Two NATs in a row, and the outer one writes the inner one's address into MAPPED-ADDRESS (RFC 8489 §14.2). */
Test(claim_honest, a_carriers_nat_rewrites_the_plain_address)
{
    story_stun(s, &(struct asks){ D_RTP, SERVER_A, .mapped = D_RTP_OUT, .plain = "100.64.3.10:10000" });
    expect_honest(0);
}

/* The carrier uses somebody else's public addresses inside; a peer confirms what the XORed one says. */
Test(claim_honest, the_plain_address_is_rewritten_and_the_peer_confirms_the_other)
{
    story_stun(s, &(struct asks){ D_RTP, SERVER_A, .mapped = D_RTP_OUT, .plain = "198.18.1.2:10000" });
    story_checks(s, D_RTP, W_RTP, "w:d", D_RTP_OUT);
    story_pass(s, 600);
    expect_honest(0);
}

/* ---- one operator under several addresses ---- */

/* Google's servers lie at addresses of several networks: one operator, one witness (here told by its port, 19302). */
Test(claim_honest, against_two_servers_of_one_operator_on_its_own_port)
{
    ask(D_RTP, SERVER_B, D_RTP_OUT);
    ask(D_RTP, "192.0.2.19:19302", STRANGER ":10000");
    ask(D_RTP, "198.19.7.3:19302", STRANGER ":10000");
    expect_honest(0);
}

Test(claim_honest, against_two_servers_of_one_operator_by_name)
{
    story_dns(s, "stun1.example.net", "192.0.2.19");
    story_dns(s, "stun2.example.net", "198.19.7.3");
    story_dns(s, "stun.example.org", "198.18.40.1");
    ask(D_RTP, SERVER_B, D_RTP_OUT);
    ask(D_RTP, "192.0.2.19:3478", STRANGER ":10000");
    ask(D_RTP, "198.19.7.3:3478", STRANGER ":10000");
    expect_honest(0);
}

/* ... nor do they vouch for one another. */
Test(claim_honest, two_servers_of_one_operator_do_not_vouch_for_one_another)
{
    story_dns(s, "stun1.example.net", "192.0.2.19");
    story_dns(s, "stun2.example.net", "198.19.7.3");
    ask(D_RTP, "192.0.2.19:3478", STRANGER ":10000");
    ask(D_RTP, "198.19.7.3:3478", STRANGER ":10000");
    sip_shows(D_OUT);
    expect_blamed(0, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY);
}

/* ---- several ways out ---- */

/* Each destination by another uplink: three servers, three addresses, and two of them agree. */
Test(claim_honest, one_address_by_each_uplink)
{
    ask(D_RTP, SERVER_A, D_RTP_OUT);
    ask(D_RTP, SERVER_B, UPLINK_2 ":10000");
    ask(D_RTP, SERVER_C, UPLINK_2 ":10000");
    ask(D_RTP, "198.51.100.53:3478", "192.0.2.200:10000");
    expect_blamed(0, CONFIDENCE_NONE, CONFIDENCE_SUSPECTED);
    expect_blamed(3, CONFIDENCE_NONE, CONFIDENCE_SUSPECTED);
    expect_honest(1);
}

/* The uplink fails a minute into the call, and ICE goes on: the peer sees the old address, and then the new one. */
Test(claim_honest, the_uplink_fails_in_mid_call)
{
    struct act *checks;

    ask(D_RTP, SERVER_A, D_RTP_OUT);
    checks = story_checks(s, D_RTP, W_RTP, "w:d", D_RTP_OUT);
    story_pass(s, 60 * 1000);
    cr_assert(addr_parse(SPAN(UPLINK_2 ":10000"), &checks->seen_as));
    story_pass(s, 60 * 1000);
    expect_honest(0);
}

/* The uplink fails soon after: the next calls' sockets have another address, by the word of the same server. */
Test(claim_honest, the_uplink_failed_before_the_next_calls)
{
    ask(D_RTP, SERVER_A, D_RTP_OUT);
    story_pass(s, 240 * 1000);
    ask(D_HOST ":10020", SERVER_A, UPLINK_2 ":10020");
    story_pass(s, 60 * 1000);
    ask(D_HOST ":10040", SERVER_A, UPLINK_2 ":10040");
    expect_blamed(0, CONFIDENCE_NONE, CONFIDENCE_SUSPECTED);
}

/* A new lease between two calls: the first answer of the new address is as right as those of the old one. */
Test(claim_honest, a_new_lease_and_one_more_call)
{
    ask(D_HOST ":10020", SERVER_A, UPLINK_2 ":10020");
    story_pass(s, 60 * 1000);
    ask(D_HOST ":10040", SERVER_A, UPLINK_2 ":10040");
    story_pass(s, 240 * 1000);
    ask(D_RTP, SERVER_A, D_RTP_OUT);
    expect_blamed(2, CONFIDENCE_NONE, CONFIDENCE_SUSPECTED);
}

/* The same socket asks again after the uplink failed, other servers: they tell of the new address. */
Test(claim_honest, the_uplink_failed_before_others_were_asked)
{
    ask(D_RTP, SERVER_A, D_RTP_OUT);
    story_pass(s, 300 * 1000);
    ask(D_RTP, SERVER_B, UPLINK_2 ":10000");
    ask(D_RTP, SERVER_C, UPLINK_2 ":10000");
    expect_blamed(0, CONFIDENCE_NONE, CONFIDENCE_SUSPECTED);
}

/* The carrier's line gets a new address each night; the SIP showed the old one five minutes before. */
Test(claim_honest, the_sip_showed_the_address_of_before)
{
    sip_shows(UPLINK_2);
    story_pass(s, 300 * 1000);
    ask(D_RTP, SERVER_A, D_RTP_OUT);
    expect_blamed(0, CONFIDENCE_NONE, CONFIDENCE_SUSPECTED);
}

/* Each flow by one of two uplinks, as it falls out: three saw the other one, and two of them are what other sockets were told. */
Test(claim_honest, each_flow_takes_one_of_two_uplinks)
{
    ask(D_RTP, SERVER_A, D_RTP_OUT);
    ask(D_RTP, SERVER_B, UPLINK_2 ":10000");
    story_pass(s, 30 * 1000);
    ask(D_HOST ":10020", SERVER_A, UPLINK_2 ":10020");
    story_pass(s, 30 * 1000);
    ask(D_HOST ":10040", SERVER_A, UPLINK_2 ":10040");
    expect_blamed(0, CONFIDENCE_NONE, CONFIDENCE_LIKELY);
}

/* ---- what the peer sees ---- */

/* The peer stands behind a balancer that puts an address of its own network in place of the sender's. */
Test(claim_honest, the_peers_balancer_hides_where_it_comes_from)
{
    ask(D_RTP, SERVER_A, D_RTP_OUT);
    story_checks(s, D_RTP, W_RTP, "w:d", "198.51.100.77:31000");
    story_pass(s, 600);
    expect_honest(0);
}

/* ---- ports ---- */

/* The NAT gives random ports, and the router hands a range of ports to the host: what hits it arrives where nobody listens. */
Test(claim_honest, random_ports_and_a_range_that_is_forwarded)
{
    ask(D_HOST ":10020", SERVER_A, D_OUT ":41777");
    ask(D_RTP, SERVER_A, D_OUT ":10777");
    ask(D_RTP, SERVER_B, D_OUT ":33333");
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_HOST ":10777", 2);
    story_pass(s, 1000);
    expect_honest(1);
}

Test(claim_honest, a_range_that_is_forwarded_and_one_answer)
{
    ask(D_RTP, SERVER_A, D_OUT ":10777");
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_HOST ":10777", 2);
    story_pass(s, 1000);
    expect_blamed(0, CONFIDENCE_NONE, CONFIDENCE_LIKELY);
}

/* ... and where another server sees the socket keep its port, the claimed one is wrong. */
Test(claim_honest, a_port_that_another_server_sees_kept)
{
    ask(D_RTP, SERVER_A, D_OUT ":10777");
    ask(D_RTP, SERVER_B, D_RTP_OUT);
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_HOST ":10777", 2);
    story_pass(s, 1000);
    expect_blamed(0, CONFIDENCE_PROVEN, CONFIDENCE_PROVEN);
}
