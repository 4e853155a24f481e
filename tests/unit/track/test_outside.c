/* outside.c: received= and rport= of a Via (RFC 3261 §18.2.1, RFC 3581). */
#include "messages.h"

TestSuite(outside, .init = setup, .fini = teardown);

/* A reply to an INVITE of the caller, whose Via the server has filled in. */
static struct sip_msg seen_from(const char *host, const char *received, uint16_t rport)
{
    struct sip_msg m = sip_reply(100, SIP_INVITE, 1, "a", "");

    m.vias = 1;
    m.via[0].host = span_str(host);
    m.via[0].received = span_str(received);
    m.via[0].rport = rport;
    return m;
}

static struct outside_fact *fact(uint32_t slot)
{
    cr_assert_lt(slot, t->outsides.used);
    return pool_at(&t->outsides, slot);
}

Test(outside, a_reply_tells_its_asker_from_where_it_is_seen)
{
    invite(1, CALLER_MEDIA);
    callee_says(seen_from("192.0.2.10", "203.0.113.10", 31000), NULL);
    cr_assert_eq(t->outsides.live, 1);
    cr_assert(addr_is(&fact(0)->host, "192.0.2.10:0"));
    cr_assert(addr_is(&fact(0)->outside, "203.0.113.10:31000"));
    cr_assert(addr_is(&fact(0)->teller, CALLEE_SIP));
    cr_assert(addr_is(&fact(0)->told, CALLER_SIP));
    cr_assert_eq(fact(0)->at.n, 1);
    cr_assert(addr_is(&the_call()->outside[CALLER]->host, "192.0.2.10"));
    cr_assert(addr_is(&the_call()->outside[CALLER]->outside, "203.0.113.10:31000"));
    cr_assert_eq(the_call()->outside[CALLER]->at.frame, 2);
    cr_assert_null(the_call()->outside[CALLEE]);
}

Test(outside, the_same_again_is_counted)
{
    invite(1, CALLER_MEDIA);
    callee_says(seen_from("192.0.2.10", "203.0.113.10", 31000), NULL);
    callee_says(seen_from("192.0.2.10", "203.0.113.10", 31001), NULL);
    callee_says(seen_from("192.0.2.10", "203.0.113.11", 31000), NULL);
    cr_assert_eq(t->outsides.live, 2, "one host, two outside addresses");
    cr_assert_eq(fact(0)->at.n, 2);
    cr_assert_eq(fact(1)->at.n, 1);
}

/* Two hosts of one name, each seen from another place: the words are the same, and who is told is not. */
Test(outside, the_same_words_to_another_host)
{
    struct sip_msg m = seen_from("phone.invalid", "203.0.113.10", 31000);

    sip_between(CALLEE_SIP, CALLER_SIP, m, NULL);
    sip_between(CALLEE_SIP, "192.0.2.11:5060", m, NULL);
    sip_between(CALLEE_SIP, "192.0.2.11:5060", m, NULL);
    sip_between(CALLEE_SIP, CALLER_SIP, m, NULL);
    cr_assert_eq(t->outsides.live, 2);
    cr_assert(addr_is(&fact(0)->host, "192.0.2.10:0") && addr_is(&fact(1)->host, "192.0.2.11:0"));
    cr_assert_eq(fact(0)->at.n, 2);
    cr_assert_eq(fact(1)->at.n, 2);
    cr_assert_eq(fact(0)->at.last.frame, 4);
}

/* A name tells only with no proxy in between, also where its words are known. */
Test(outside, the_same_words_through_a_proxy)
{
    struct sip_msg m = seen_from("phone.invalid", "203.0.113.10", 31000);

    callee_says(m, NULL);
    m.vias = 2;
    m.via[1] = m.via[0];
    m.via[0] = (struct sip_via){ .host = SPAN("198.51.100.1") };
    callee_says(m, NULL);
    cr_assert_eq(t->outsides.live, 1);
    cr_assert_eq(fact(0)->at.n, 1);
}

Test(outside, words_that_are_long_are_read_each_time)
{
    const char *longest = "2001:0db8:0000:0000:0000:0000:0000:0001";

    for (unsigned i = 0; i < 3; i++)
        sip_between(CALLEE_SIP, "[2001:db8::1]:5060", seen_from(longest, longest, 31000), NULL);
    cr_assert_eq(t->outsides.live, 1);
    cr_assert_eq(fact(0)->at.n, 3);
    cr_assert_eq(fact(0)->host_n, 0);
}

/* 192.168.1.5 is somebody else's address as well: only what that very host is told says something of it. */
Test(outside, a_reply_to_somebody_else_says_nothing_of_the_host)
{
    invite(1, CALLER_MEDIA);
    callee_says(seen_from("192.168.1.5", "203.0.113.10", 31000), NULL);
    cr_assert_eq(t->outsides.live, 0);
    cr_assert(addr_is(&the_call()->outside[CALLER]->host, "192.168.1.5"), "within the call it is the caller's");
}

Test(outside, the_last_via_is_the_askers)
{
    struct sip_msg m = seen_from("198.51.100.1", "198.51.100.2", 5);

    m.vias = 2;
    m.via[1] = (struct sip_via){ .host = SPAN("192.0.2.10"), .received = SPAN("203.0.113.10") };
    invite(1, CALLER_MEDIA);
    callee_says(m, NULL);
    cr_assert_eq(t->outsides.live, 1);
    cr_assert(addr_is(&fact(0)->outside, "203.0.113.10:0"), "without rport there is no port");
}

Test(outside, a_request_that_a_proxy_passed_on)
{
    struct sip_msg m = sip_request(SIP_INVITE, 1, "a", "");

    m.vias = 2;
    m.via[0].host = SPAN("198.51.100.1");
    m.via[1] = (struct sip_via){ .host = SPAN("192.168.1.5"), .received = SPAN("203.0.113.10"), .rport = 6000 };
    sip_between("198.51.100.1:5060", CALLEE_SIP, m, NULL);
    cr_assert_eq(t->outsides.live, 0);
    cr_assert(addr_is(&the_call()->outside[CALLER]->outside, "203.0.113.10:6000"));
}

Test(outside, each_party_of_a_call)
{
    struct sip_msg m = sip_reply(200, SIP_BYE, 7, "b", "a");

    answered_call();
    callee_says(sip_request(SIP_BYE, 7, "b", "a"), NULL);
    m.vias = 1;
    m.via[0] = (struct sip_via){ .host = SPAN("198.51.100.20"), .received = SPAN("203.0.113.20"), .rport = 9 };
    caller_says(m, NULL);
    cr_assert(addr_is(&the_call()->outside[CALLEE]->outside, "203.0.113.20:9"), "the callee asked");
    cr_assert_null(the_call()->outside[CALLER]);
}

Test(outside, calls_are_not_needed)
{
    struct sip_msg m = seen_from("192.0.2.10", "203.0.113.10", 31000);

    m.method = SIP_REGISTER;
    callee_says(m, NULL);
    cr_assert_eq(t->outsides.live, 1);
    cr_assert_eq(t->calls.live, 0);
    cr_assert_eq(t->sip_outside_calls, 1);
}

Test(outside, what_is_no_address_says_nothing)
{
    callee_says(seen_from("192.0.2.10", "", 31000), NULL);
    callee_says(seen_from("192.0.2.10", "nonsense", 31000), NULL);
    callee_says(sip_reply(100, SIP_INVITE, 1, "a", ""), NULL);
    cr_assert_eq(t->outsides.live, 0);
}

/* A server writes received= where it sees another address than the Via names; without it, it saw that one. */
Test(outside, a_reply_without_received)
{
    callee_says(seen_from("192.0.2.10", "", 0), NULL);
    callee_says(seen_from("192.0.2.10", "", 0), NULL);
    cr_assert_eq(t->outsides.live, 1);
    cr_assert(addr_is(&fact(0)->host, "192.0.2.10:0"));
    cr_assert(addr_is(&fact(0)->outside, "192.0.2.10"));
    cr_assert_eq(fact(0)->at.n, 2);
}

Test(outside, a_reply_without_received_that_says_nothing)
{
    struct sip_msg two = seen_from("192.0.2.10", "", 0);

    callee_says(seen_from("192.0.2.11", "", 0), NULL); /* not the one that is told */
    callee_says(seen_from("phone.invalid", "", 0), NULL);
    two.vias = 2; /* a proxy's reply on its way */
    two.via[1].host = SPAN("192.0.2.10");
    callee_says(two, NULL);
    cr_assert_eq(t->outsides.live, 0);
}

/* A webphone's Via says "x.invalid" (RFC 7118 §5): whose it is shows only where it is told, with no proxy in between. */
Test(outside, a_name_is_who_is_told)
{
    struct sip_msg m = seen_from("df7jal23ls0d.invalid", "203.0.113.10", 31000);

    callee_says(m, NULL);
    cr_assert_eq(t->outsides.live, 1);
    cr_assert(addr_is(&fact(0)->host, "192.0.2.10:0"));
    m = seen_from("198.51.100.1", "", 0);
    m.vias = 2;
    m.via[1] = (struct sip_via){ .host = SPAN("df7jal23ls0d.invalid"), .received = SPAN("203.0.113.11") };
    callee_says(m, NULL);
    m = sip_request(SIP_INVITE, 1, "a", "");
    m.vias = 1;
    m.via[0] = (struct sip_via){ .host = SPAN("df7jal23ls0d.invalid"), .received = SPAN("203.0.113.12") };
    caller_says(m, NULL);
    cr_assert_eq(t->outsides.live, 1);
}

Test(outside, facts_beyond_the_cap)
{
    t->outsides.cap = 1;
    callee_says(seen_from("192.0.2.10", "203.0.113.10", 1), NULL);
    callee_says(seen_from("192.0.2.10", "203.0.113.11", 1), NULL);
    cr_assert_eq(t->outsides.live, 1);
    cr_assert_eq(t->outsides.refused, 1);
}
