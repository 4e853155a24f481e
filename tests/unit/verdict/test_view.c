/* Who is local: given, told by the capture, or inferred from TTLs and from who takes part in all there is (SPEC §2, vantage). */
#include <criterion/criterion.h>

#include "support/story.h"

static bool is_local(struct story *s, const char *ip)
{
    struct addr a;

    cr_assert(addr_parse_ip(span_str(ip), 0, &a));
    view_make(&s->view, s->track, &s->options, s->now_ns);
    return view_is_local(&s->view, &a);
}

/* D talks to a peer for a second. */
static void talk(struct story *s, const char *peer)
{
    struct act *out = story_play(s, D_RTP, peer, 1), *in = story_play(s, peer, D_RTP, 2);

    story_pass(s, 1000);
    out->over = in->over = true;
}

Test(view, nothing_was_seen)
{
    struct story *s = story_new(NULL);

    cr_expect(!is_local(s, D_HOST));
    cr_expect(s->view.locals_inferred);
    story_free(s);
}

/* Its packets still have the TTL that they left with. */
Test(view, a_host_whose_packets_passed_no_router)
{
    struct story *s = story_new(D_HOST);

    talk(s, W_RTP);
    cr_expect(is_local(s, D_HOST));
    cr_expect(!is_local(s, W_OUT));
    story_free(s);
}

/* A neighbour's TTL is whole as well; but the host that takes part in nearly all of it is where the capture was taken. */
Test(view, a_host_among_neighbours)
{
    struct story *s = story_new(D_HOST);

    s->ttl_far = 64;
    talk(s, "172.31.16.20:40000");
    talk(s, "172.31.16.21:40000");
    talk(s, "172.31.16.22:40000");
    cr_expect(is_local(s, D_HOST));
    cr_expect(!is_local(s, "172.31.16.20"));
    story_free(s);
}

/* Two hosts on one wire and nothing else: either may be it. */
Test(view, two_neighbours_alone)
{
    struct story *s = story_new(D_HOST);

    s->ttl_far = 64;
    talk(s, "172.31.16.20:40000");
    cr_expect(is_local(s, D_HOST));
    story_free(s);
}

/* A mirror port in front of several dialers: none takes part in nearly all. */
Test(view, several_hosts_at_a_mirror_port)
{
    struct story *s = story_new(D_HOST);

    talk(s, W_RTP);
    s->here.ip[15] = 11;
    story_play(s, "172.31.16.11:10000", "198.51.100.40:40000", 3);
    story_play(s, "198.51.100.40:40000", "172.31.16.11:10000", 4);
    story_pass(s, 1000);
    cr_expect(is_local(s, D_HOST));
    cr_expect(is_local(s, "172.31.16.11"));
    cr_expect(!is_local(s, W_OUT));
    cr_expect(!is_local(s, "198.51.100.40"));
    story_free(s);
}

/* Between routers nobody is local. */
Test(view, nobody_at_a_router)
{
    struct story *s = story_new(NULL);

    talk(s, W_RTP);
    cr_expect(!is_local(s, D_HOST));
    cr_expect(!is_local(s, W_OUT));
    story_free(s);
}

/* Linux cooked headers say what left the host: better than any TTL. */
Test(view, the_capture_tells)
{
    struct story *s = story_new(D_HOST);

    s->cooked = true;
    s->ttl_far = 64;
    talk(s, "172.31.16.20:40000");
    cr_expect(is_local(s, D_HOST));
    cr_expect(!is_local(s, "172.31.16.20"));
    story_free(s);
}

/* What the user says stands above all. */
Test(view, the_user_tells)
{
    static const struct local_net nets[] = { { { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 16 }, 0 }, 124 } };
    struct story *s = story_new(D_HOST);

    s->options.locals = nets;
    s->options.locals_n = 1;
    talk(s, W_RTP);
    cr_expect(!is_local(s, D_HOST));
    cr_expect(is_local(s, W_OUT), "198.51.100.16/28 holds .20");
    cr_expect(!is_local(s, "198.51.100.32"));
    cr_expect(!s->view.locals_inferred);
    story_free(s);
}

/* IPv6 nets compare by bits too. */
Test(view, the_user_tells_an_ipv6_net)
{
    static const struct local_net nets[] = { { { { 0x20, 0x01, 0x0d, 0xb8, 0, 1 }, 0 }, 48 } };
    struct story *s = story_new(NULL);

    s->options.locals = nets;
    s->options.locals_n = 1;
    cr_expect(is_local(s, "2001:db8:1:99::7"));
    cr_expect(!is_local(s, "2001:db8:2::7"));
    story_free(s);
}

/* Outside a NAT: its own DNS questions have a whole TTL, and all that it forwards has its address and a lowered one. */
Test(view, nobody_outside_a_nat)
{
    struct story *s = story_new(W_OUT);

    story_play(s, W_OUT ":53000", "192.0.2.53:53", 9);
    story_pass(s, 100);
    story_hush(s);
    s->here = ADDR_NONE;
    talk(s, W_RTP);
    cr_expect(!is_local(s, W_OUT));
    cr_expect(!is_local(s, D_HOST));
    story_free(s);
}

/* With several vantages --local means those whose hosts it names. */
static const struct local_net d_alone[] = { { { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 172, 31, 16, 10 }, 0 }, 128 } };

Test(view, the_user_tells_of_this_vantage)
{
    struct story *s = story_new(D_HOST);

    s->options = (struct view_options){ .locals = d_alone, .locals_n = 1, .several = true };
    talk(s, W_RTP);
    cr_expect(is_local(s, D_HOST));
    cr_expect(!s->view.locals_inferred);
    story_free(s);
}

Test(view, the_user_tells_of_another_vantage)
{
    struct story *s = story_new(W_OUT);

    s->options = (struct view_options){ .locals = d_alone, .locals_n = 1, .several = true };
    talk(s, W_RTP);
    cr_expect(is_local(s, W_OUT));
    cr_expect(!is_local(s, D_HOST), "it is seen here from afar");
    cr_expect(s->view.locals_inferred);
    story_free(s);
}

/* D is named, and is local at no vantage: then where its packets pass, though a router has lowered their TTL. */
Test(view, the_user_tells_of_a_mirror_port_behind_a_router)
{
    struct story *mirror = story_new(NULL), *phone = story_new(W_OUT);
    struct view *views[] = { &mirror->view, &phone->view };
    struct view_options o = { .locals = d_alone, .locals_n = 1, .several = true };
    struct addr d;

    cr_assert(addr_parse_ip(SPAN(D_HOST), 0, &d));
    mirror->options = phone->options = o;
    talk(mirror, W_RTP);
    talk(phone, "192.0.2.99:30000");
    cr_expect(!is_local(mirror, D_HOST));
    cr_expect(!is_local(phone, D_HOST));
    view_given_nowhere(views, 2, &o);
    cr_expect(view_is_local(&mirror->view, &d));
    cr_expect(!view_is_local(&phone->view, &d));
    story_free(mirror);
    story_free(phone);
}
