/* Which STUN servers are one operator's. */
#include <criterion/criterion.h>

#include "support/story.h"
#include "verdict/operator.h"

static struct story *s;

static void setup(void)
{
    s = story_new(D_HOST);
}

static void teardown(void)
{
    story_free(s);
}

TestSuite(operators, .init = setup, .fini = teardown);

static bool is_domain(const char *name, const char *domain)
{
    return span_eq(domain_of(name), span_str(domain));
}

Test(operators, the_domain_of_a_name)
{
    cr_expect(is_domain("stun1.l.example.net", "example.net"));
    cr_expect(is_domain("stun.example.net.", "example.net"), "the root's dot is no label");
    cr_expect(is_domain("stun.example.co.uk", "example.co.uk"));
    cr_expect(is_domain("stun.sip.de", "sip.de"));
    cr_expect(is_domain("example.net", "example.net"));
    cr_expect(is_domain("stun", "stun"));
    cr_expect_eq(domain_of("").n, 0);
}

/* The same with names that are looked up once, and each time. */
static bool one(const char *a, const char *b)
{
    struct operators known;
    bool found, looked_up;

    story_stun(s, &(struct asks){ D_RTP, a, .mapped = D_RTP_OUT });
    story_stun(s, &(struct asks){ D_RTP, b, .mapped = D_RTP_OUT });
    operators_make(&known, s->track);
    found = one_operator(s->track, &known, 0, 1);
    looked_up = one_operator(s->track, NULL, 0, 1);
    operators_done(&known);
    cr_expect_eq(found, looked_up);
    return found;
}

Test(operators, one_network)
{
    cr_expect(one("192.0.2.19:3478", "192.0.2.20:5349"));
}

Test(operators, two_networks)
{
    cr_expect_not(one("192.0.2.19:3478", "198.18.40.1:3478"));
}

Test(operators, an_unusual_port)
{
    cr_expect(one("192.0.2.19:19302", "198.18.40.1:19302"));
}

/* Kamailio answers STUN on SIP's port, whoever runs it. */
Test(operators, a_port_that_many_use)
{
    cr_expect_not(one("192.0.2.19:5060", "198.18.40.1:5060"));
}

Test(operators, names_of_one_domain)
{
    story_dns(s, "stun1.Example.net", "192.0.2.19");
    story_dns(s, "stun.l.example.net", "198.18.40.1");
    cr_expect(one("192.0.2.19:3478", "198.18.40.1:3478"));
}

Test(operators, names_of_two_domains)
{
    story_dns(s, "stun.one.co.uk", "192.0.2.19");
    story_dns(s, "stun.two.co.uk", "198.18.40.1");
    cr_expect_not(one("192.0.2.19:3478", "198.18.40.1:3478"));
}

Test(operators, one_of_them_has_no_name)
{
    story_dns(s, "stun.example.net", "192.0.2.19");
    cr_expect_not(one("192.0.2.19:3478", "198.18.40.1:3478"));
}
