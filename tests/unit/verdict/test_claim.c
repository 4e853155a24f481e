/*
 * Is what a STUN server said of a socket true? Each test tells who said what, and asks about the first answer (SPEC §3). The
 * addresses of independent servers lie in different networks, as those of different operators do.
 */
#include <criterion/criterion.h>

#include "support/story.h"
#include "verdict/verdict_private.h"

#define SERVER_A "192.0.2.30:3478"
#define SERVER_B "198.18.40.1:3478"
#define SERVER_C "198.19.7.3:3478"

enum { FIRST = 0, SECOND = 1, THIRD = 2 };

static void ask(struct story *s, const char *from, const char *server, const char *mapped)
{
    story_stun(s, &(struct asks){ from, server, .mapped = mapped });
}

/* Who needs no proofs is told the same, whether it is asked for now or was kept. */
static void expect_status(struct story *s, uint32_t tx, bool media_arrives, const struct claim *c)
{
    uint8_t kept[64];
    enum confidence sure;

    cr_assert_leq(s->track->stun_txs.used, sizeof kept);
    claims_judge(&s->view, kept);
    for (unsigned i = 0; i < 2; i++) {
        s->view.claims = i ? kept : NULL;
        cr_expect_eq(claim_status(&s->view, tx, media_arrives, &sure), c->status, "without its proofs it is judged otherwise");
        cr_expect_eq(sure, c->confidence);
    }
    if (!media_arrives)
        cr_expect_eq(claim_is_wrong(&s->view, tx), c->status == CLAIM_WRONG);
    s->view.claims = NULL;
}

static struct claim judge(struct story *s, uint32_t tx, bool media_arrives)
{
    struct claim c;

    view_make(&s->view, s->track, &s->options, s->now_ns);
    for (unsigned i = 0; i < 2; i++) {
        claim_judge(&s->view, tx, i, &c);
        expect_status(s, tx, i, &c);
    }
    claim_judge(&s->view, tx, media_arrives, &c);
    return c;
}

/* SIP replies that say where the dialer is seen from. */
static void sip_shows(struct story *s, const char *outside)
{
    s->received[CALLER] = outside;
    story_request(s, CALLER, SIP_INVITE, NULL);
    story_reply(s, 180, NULL);
}

static void expect(struct story *s, uint32_t tx, enum claim_status status, enum confidence least, enum confidence most)
{
    static const char *const words[] = { [CLAIM_OPEN] = "open", [CLAIM_FINE] = "fine", [CLAIM_WRONG] = "wrong" };
    struct claim c = judge(s, tx, false);

    cr_expect_eq(c.status, status, "answer %u is %s, expected %s", tx, words[c.status], words[status]);
    if (status == CLAIM_WRONG)
        cr_expect(c.confidence >= least && c.confidence <= most, "%s", confidence_word(c.confidence));
    story_free(s);
}

static void expect_open(struct story *s)
{
    expect(s, FIRST, CLAIM_OPEN, CONFIDENCE_NONE, CONFIDENCE_NONE);
}

static void expect_fine(struct story *s)
{
    expect(s, FIRST, CLAIM_FINE, CONFIDENCE_NONE, CONFIDENCE_NONE);
}

static void expect_proven(struct story *s)
{
    expect(s, FIRST, CLAIM_WRONG, CONFIDENCE_PROVEN, CONFIDENCE_PROVEN);
}

/* ---- nobody else speaks ---- */

Test(claim, alone)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    expect_open(s);
}

Test(claim, alone_and_media_arrives)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    cr_expect_eq(judge(s, FIRST, true).status, CLAIM_FINE);
    story_free(s);
}

/* ---- other servers ---- */

Test(claim, another_server_says_the_same)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    ask(s, D_RTP, SERVER_B, D_RTP_OUT);
    expect_fine(s);
}

/* One IP and two ports: a NAT that gives each destination another one (RFC 4787 §4.1). */
Test(claim, another_server_sees_another_port)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_OUT ":61000");
    ask(s, D_RTP, SERVER_B, D_OUT ":61001");
    cr_expect(judge(s, FIRST, false).port_depends);
    expect_fine(s);
}

Test(claim, one_server_against_another)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, STRANGER ":10000");
    ask(s, D_RTP, SERVER_B, D_RTP_OUT);
    cr_expect_eq(judge(s, SECOND, false).status, CLAIM_OPEN);
    expect_open(s);
}

Test(claim, two_servers_against_one)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, STRANGER ":10000");
    ask(s, D_RTP, SERVER_B, D_RTP_OUT);
    ask(s, D_RTP, SERVER_C, D_RTP_OUT);
    cr_expect_eq(judge(s, SECOND, false).status, CLAIM_FINE);
    cr_expect_eq(judge(s, THIRD, false).status, CLAIM_FINE);
    expect_proven(s);
}

/* Two addresses of one operator fail together: they are one witness, and cannot outvote an honest server. */
Test(claim, two_addresses_of_one_operator_against_one)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_B, D_RTP_OUT);
    ask(s, D_RTP, "192.0.2.19:19302", STRANGER ":10000");
    ask(s, D_RTP, "192.0.2.20:19302", STRANGER ":10000");
    expect_open(s);
}

/* ... nor do they vouch for one another, against a server of somebody else's and the host's SIP. */
Test(claim, two_addresses_of_one_operator_tell_one_lie)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, "192.0.2.19:19302", STRANGER ":10000");
    ask(s, D_RTP, "192.0.2.20:19302", STRANGER ":10000");
    ask(s, D_RTP, SERVER_B, D_RTP_OUT);
    sip_shows(s, D_OUT);
    cr_expect_eq(judge(s, THIRD, false).status, CLAIM_FINE);
    expect(s, FIRST, CLAIM_WRONG, CONFIDENCE_LIKELY, CONFIDENCE_PROVEN);
}

/* Two servers against one another, and the SIP of the host takes a side. */
Test(claim, one_server_and_the_sip_against_another)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, STRANGER ":10000");
    ask(s, D_RTP, SERVER_B, D_RTP_OUT);
    sip_shows(s, D_OUT);
    cr_expect_eq(judge(s, SECOND, false).status, CLAIM_FINE);
    expect_proven(s);
}

/* What another server said of the socket long ago was said of another NAT binding. */
Test(claim, another_server_long_ago)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    story_pass(s, 1200 * 1000);
    ask(s, D_RTP, SERVER_B, "192.0.2.140:10000");
    ask(s, D_RTP, SERVER_C, "192.0.2.140:10000");
    expect_open(s);
}

/* ---- the peer's word in the answer to a check ---- */

Test(claim, the_peer_saw_another_address)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, STRANGER ":10000");
    story_checks(s, D_RTP, W_RTP, "w:d", D_RTP_OUT);
    story_pass(s, 600);
    expect(s, FIRST, CLAIM_WRONG, CONFIDENCE_LIKELY, CONFIDENCE_PROVEN);
}

Test(claim, the_peer_saw_the_same_address)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    story_checks(s, D_RTP, W_RTP, "w:d", D_RTP_OUT);
    story_pass(s, 600);
    expect_fine(s);
}

/* A neighbour sees the socket itself, from inside. */
Test(claim, a_neighbour_saw_the_inside)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    story_checks(s, D_RTP, "172.31.16.20:40000", "w:d", D_RTP);
    story_pass(s, 600);
    expect_open(s);
}

/* A pool of outside addresses, or an old mapping of the same site: never more than a suspicion. */
Test(claim, the_peer_saw_a_neighbouring_address)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    story_checks(s, D_RTP, W_RTP, "w:d", "203.0.113.11:10000");
    story_pass(s, 600);
    expect(s, FIRST, CLAIM_WRONG, CONFIDENCE_SUSPECTED, CONFIDENCE_SUSPECTED);
}

/* ---- the host's SIP: another socket, so never proof, and nothing against media that arrives ---- */

Test(claim, the_sip_shows_another_address)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, STRANGER ":10000");
    sip_shows(s, D_OUT);
    cr_expect_neq(judge(s, FIRST, true).status, CLAIM_WRONG, "media arrives there");
    expect(s, FIRST, CLAIM_WRONG, CONFIDENCE_SUSPECTED, CONFIDENCE_LIKELY);
}

Test(claim, the_sip_shows_the_same_address)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    sip_shows(s, D_OUT);
    expect_fine(s);
}

/* ---- the host's other sockets ---- */

/* `when`: seconds between one question and the next; each from another socket. */
static struct story *asked_before(const char *first, const char *second, unsigned when)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, STRANGER ":10000");
    story_pass(s, when * 1000);
    ask(s, D_HOST ":10100", SERVER_A, first);
    story_pass(s, when * 1000);
    ask(s, D_HOST ":10200", SERVER_A, second);
    return s;
}

Test(claim, other_sockets_have_another_address_at_two_moments)
{
    expect(asked_before(D_OUT ":10100", D_OUT ":10200", 30), FIRST, CLAIM_WRONG, CONFIDENCE_SUSPECTED, CONFIDENCE_LIKELY);
}

/* RTP and RTCP ask at one moment: that is one observation, not two. */
Test(claim, other_sockets_have_another_address_at_one_moment)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, STRANGER ":10000");
    story_pass(s, 30 * 1000);
    ask(s, D_HOST ":10100", SERVER_A, D_OUT ":10100");
    ask(s, D_HOST ":10101", SERVER_A, D_OUT ":10101");
    expect_open(s);
}

/* Two uplinks or a pool: a set that changes speaks against nothing. */
Test(claim, other_sockets_have_several_addresses)
{
    expect_open(asked_before(D_OUT ":10100", "192.0.2.140:10200", 30));
}

/* A set that holds it does not speak against it; nor for it, where it is the same server that speaks. */
Test(claim, other_sockets_have_the_same_address)
{
    struct story *s = asked_before(D_OUT ":10100", STRANGER ":10200", 30);

    cr_expect_neq(judge(s, FIRST, false).status, CLAIM_WRONG);
    story_free(s);
}

Test(claim, other_sockets_have_the_same_address_from_another_server)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    story_pass(s, 30 * 1000);
    ask(s, D_HOST ":10100", SERVER_B, D_OUT ":10100");
    expect_fine(s);
}

/* Who lies to every socket does not become honest by it: a server's own word is no witness for its word. */
Test(claim, the_same_lie_for_every_socket)
{
    struct story *s = asked_before(STRANGER ":10100", STRANGER ":10200", 30);

    sip_shows(s, D_OUT);
    expect(s, FIRST, CLAIM_WRONG, CONFIDENCE_SUSPECTED, CONFIDENCE_LIKELY);
}

/* The host moved half an hour later: what its sockets have now says nothing of then. */
Test(claim, other_sockets_have_another_address_much_later)
{
    expect_open(asked_before(D_OUT ":10100", D_OUT ":10200", 1800));
}

/* ---- what the answer itself shows ---- */

Test(claim, xor_and_plain_name_two_addresses)
{
    struct story *s = story_new(D_HOST);

    story_stun(s, &(struct asks){ D_RTP, SERVER_A, .mapped = STRANGER ":10000", .plain = D_RTP_OUT });
    expect_proven(s);
}

Test(claim, plain_is_the_inside_address)
{
    struct story *s = story_new(D_HOST);

    story_stun(s, &(struct asks){ D_RTP, SERVER_A, .mapped = D_RTP_OUT, .plain = D_RTP });
    expect_open(s);
}

/* The server may stand inside, before the last NAT; the answer is of no use all the same. */
Test(claim, a_private_address)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, "10.9.8.7:10000");
    expect(s, FIRST, CLAIM_WRONG, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY);
}

/* A carrier's NAT (RFC 6598) sits before the server's network: a server inside it answers with what it sees. */
Test(claim, a_private_address_from_a_server_inside)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, "100.64.0.5:3478", "100.64.3.10:10000");
    expect_open(s);
}

Test(claim, the_servers_own_address)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, "192.0.2.30:10000");
    expect(s, FIRST, CLAIM_WRONG, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY);
}

/* The server runs on the very host that asks. */
Test(claim, the_servers_own_host_asks)
{
    struct story *s = story_new("192.0.2.30");

    ask(s, "192.0.2.30:10000", SERVER_A, "192.0.2.30:10000");
    expect_open(s);
}

Test(claim, one_address_for_two_sockets_at_once)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    ask(s, D_HOST ":10001", SERVER_A, D_RTP_OUT);
    expect_proven(s);
}

static void say(struct story *s, const char *from, const char *to, const struct stun_msg *m)
{
    struct datagram d = { .at = { s->now_ns, ++s->frame }, .size = 40, .ttl = 64 };

    cr_assert(addr_parse(span_str(from), &d.src) && addr_parse(span_str(to), &d.dst));
    track_stun(s->track, track_flow(s->track, &d), &d, m);
}

/* A capture on all interfaces of a host with containers: one request, before and after the host's own NAT. */
Test(claim, one_request_seen_before_and_after_a_nat)
{
    struct story *s = story_new(D_HOST);
    struct stun_msg m = { .cls = STUN_REQUEST, .method = STUN_BINDING, .tid = { 0x21, 0x12, 0xa4, 0x42, 7 } };

    say(s, "172.17.0.2:10000", SERVER_A, &m);
    say(s, D_RTP, SERVER_A, &m);
    m.cls = STUN_SUCCESS;
    m.has_xor_mapped = addr_parse(span_str(D_RTP_OUT), &m.xor_mapped);
    say(s, SERVER_A, D_RTP, &m);
    say(s, SERVER_A, "172.17.0.2:10000", &m);
    expect_open(s);
}

/* The first socket was closed, and the NAT gave its port to the next. */
Test(claim, one_address_for_two_sockets_in_turn)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    story_pass(s, 120 * 1000);
    ask(s, D_HOST ":10001", SERVER_A, D_RTP_OUT);
    cr_expect_neq(judge(s, FIRST, false).status, CLAIM_WRONG);
    story_free(s);
}

/* The server was asked over IPv4 and cannot have seen an IPv6 address. */
Test(claim, an_address_of_the_other_family)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, "[2001:db8:7::7]:10000");
    expect(s, FIRST, CLAIM_WRONG, CONFIDENCE_LIKELY, CONFIDENCE_PROVEN);
}

/* NAT64 (RFC 6146): the host has IPv6 alone, and the server sees the translator's IPv4 address. */
Test(claim, an_address_of_the_other_family_through_nat64)
{
    struct story *s = story_new("2001:db8:1::10");

    ask(s, "[2001:db8:1::10]:10000", "[64:ff9b::c000:21e]:3478", D_RTP_OUT);
    expect_open(s);
}

/* ---- the port ---- */

static struct story *stray_packets(unsigned ms)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_OUT ":10777");
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_HOST ":10777", 2);
    story_pass(s, ms);
    return s;
}

/* A NAT that changes ports may hand out a number that another call uses inside: its packets tell nothing of this socket. */
Test(claim, another_calls_packets_at_the_claimed_port)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_OUT ":10777");
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, "198.51.100.99:4000", D_HOST ":10777", 2);
    story_pass(s, 1000);
    expect_open(s);
}

Test(claim, what_goes_to_the_claimed_port_arrives_beside_the_socket)
{
    expect(stray_packets(1000), FIRST, CLAIM_WRONG, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY);
}

Test(claim, two_packets_beside_the_socket)
{
    expect_open(stray_packets(40));
}

/* The port belongs to another program, which has its own packets. */
Test(claim, what_arrives_beside_the_socket_has_its_own_socket)
{
    struct story *s = stray_packets(1000);

    story_play(s, D_HOST ":10777", W_RTP, 3);
    story_pass(s, 200);
    expect_open(s);
}

/* ---- two hosts ---- */

/* Two dialers behind one outside address, each with its own ports. */
Test(claim, two_hosts_behind_one_address)
{
    struct story *s = story_new(D_HOST);

    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    ask(s, "172.31.16.11:10000", SERVER_A, D_OUT ":1024");
    expect_open(s);
}

/* ---- what the user says (--public-ip) ---- */

static void user_says(struct story *s, const char *ip)
{
    static struct addr said;

    cr_assert(addr_parse_ip(span_str(ip), 0, &said));
    s->options.public_ips = &said;
    s->options.public_ips_n = 1;
}

Test(claim, the_user_says_another_address)
{
    struct story *s = story_new(D_HOST);

    user_says(s, D_OUT);
    ask(s, D_RTP, SERVER_A, "198.51.100.99:10000");
    cr_expect_eq(judge(s, FIRST, true).status, CLAIM_FINE, "two uplinks: media arrives there");
    expect(s, FIRST, CLAIM_WRONG, CONFIDENCE_LIKELY, CONFIDENCE_LIKELY);
}

Test(claim, the_user_says_the_same_address)
{
    struct story *s = story_new(D_HOST);

    user_says(s, D_OUT);
    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    expect_fine(s);
}

Test(claim, the_user_and_a_server_against_another)
{
    struct story *s = story_new(D_HOST);

    user_says(s, D_OUT);
    ask(s, D_RTP, SERVER_A, "198.51.100.99:10000");
    ask(s, D_RTP, SERVER_B, D_RTP_OUT);
    expect_proven(s);
}

Test(claim, the_user_says_a_neighbouring_address)
{
    struct story *s = story_new(D_HOST);

    user_says(s, "203.0.113.11");
    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    expect(s, FIRST, CLAIM_WRONG, CONFIDENCE_SUSPECTED, CONFIDENCE_SUSPECTED);
}

/* It is said of the local hosts, and of how the outside sees them. */
Test(claim, the_users_word_is_not_of_other_hosts)
{
    struct story *s = story_new(D_HOST);

    user_says(s, "198.51.100.99");
    ask(s, W_RTP_HOME, SERVER_A, W_RTP);
    expect_open(s);
}

Test(claim, the_users_word_is_not_of_a_server_inside)
{
    struct story *s = story_new(D_HOST);

    user_says(s, D_OUT);
    ask(s, D_RTP, "172.31.0.5:3478", "172.31.16.10:10000");
    expect_open(s);
}

Test(claim, the_users_word_is_not_of_the_other_family)
{
    struct story *s = story_new(D_HOST);

    user_says(s, "2001:db8::10");
    ask(s, D_RTP, SERVER_A, D_RTP_OUT);
    expect_open(s);
}
