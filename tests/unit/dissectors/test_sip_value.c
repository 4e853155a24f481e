#include "sip_support.h"

#define OF(via) START "Via: " via "\r\n" TAIL END
#define TO(to)                                                                                                                   \
    START VIA "From: <sip:a@example.org>;tag=1\r\nTo: " to "\r\nCall-ID: c1\r\nCSeq: 7 INVITE\r\nMax-Forwards: 70\r\n" END
#define CON(con) START VIA TAIL "Contact: " con "\r\n" END

/* ---- Via ---- */

Test(sip_value, via_values_may_share_a_line)
{
    cr_assert_eq(datagram(OF("SIP/2.0/UDP a;x=\"1,2;3\";branch=b1,SIP/2.0/TLS b:5061 ;branch=b2 , SIP / 2.0 / SCTP\r\n c : 9")),
                 DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(m.vias, 3);
    cr_assert(is(m.via[0].branch, "b1"));
    cr_assert(is(m.via[1].transport, "TLS"));
    cr_assert_eq(m.via[1].port, 5061);
    cr_assert(is(m.via[1].branch, "b2"));
    cr_assert(is(m.via[2].transport, "SCTP"));
    cr_assert(is(m.via[2].host, "c"));
    cr_assert_eq(m.via[2].port, 9);
}

Test(sip_value, via_received_comes_bare)
{
    static const char *const received[] = { "2001:db8::9:255", "[2001:db8::9:255]", "\"2001:db8::9:255\"",
                                            "\"[2001:db8::9:255]\"" };
    char text[500];

    for (size_t i = 0; i < sizeof received / sizeof *received; i++) {
        snprintf(text, sizeof text, START "Via: SIP/2.0/UDP [2001:db8::1];Received = %s;RPORT\r\n" TAIL END, received[i]);
        cr_assert_eq(datagram(text), DIS_OK);
        cr_assert_eq(why.n, 0);
        cr_assert(is(m.via[0].received, "2001:db8::9:255"));
        cr_assert(is(m.via[0].host, "[2001:db8::1]"));
        cr_assert_eq(m.via[0].port, 0);
        cr_assert_eq(m.via[0].rport, 0);
    }
}

Test(sip_value, via_rport_with_and_without_value)
{
    cr_assert_eq(datagram(OF("SIP/2.0/UDP h;rport;branch=b")), DIS_OK);
    cr_assert_eq(m.via[0].rport, 0);
    cr_assert(is(m.via[0].branch, "b"));
    cr_assert_eq(datagram(OF("SIP/2.0/UDP h;rport=65535;branch=b")), DIS_OK);
    cr_assert_eq(m.via[0].rport, 65535);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(datagram(OF("SIP/2.0/UDP h;rport=65536;branch=b")), DIS_OK);
    cr_assert_eq(m.via[0].rport, 0);
    cr_assert(faulty(FAULT_SIP_VIA));
    cr_assert(is(m.via[0].branch, "b"), "what is sound is decoded");
}

Test(sip_value, via_outside_the_grammar_is_a_fault)
{
    static const char *const bad[] = {
        "",
        "SIP/2.0",
        "SIP/2.0/UDP",
        "SIP/2.0/ h",
        "SIP/2.0/UDP h:x",
        "SIP/2.0/UDP h:70000",
        "SIP 2.0 UDP h",
        "SIP/2.0/UDP h;;x",
        "SIP/2.0/UDP h junk",
        "SIP/2.0/UDP h;branch=1;branch=2",
        "SIP/2.0/UDP [2001:db8::1;branch=1",

        "SIP/2.0/UDP h;a=\"b",
        ",SIP/2.0/UDP h",
        "SIP/2.0/UDP ;branch=x",
    };
    char text[400];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, START "Via: %s\r\n" VIA TAIL END, bad[i]);
        cr_assert_eq(datagram(text), DIS_OK);
        cr_assert(faulty(FAULT_SIP_VIA), "%s", bad[i]);
        cr_assert(is(m.via[m.vias - 1].branch, "z9hG4bK1"), "the next Via line is read all the same");
    }
}

Test(sip_value, via_with_a_bare_ipv6_address_is_a_fault_and_kept)
{
    cr_assert_eq(datagram(OF("SIP/2.0/UDP 2001:db8::9:1;branch=b")), DIS_OK);
    cr_assert(faulty(FAULT_SIP_VIA));
    cr_assert(is(m.via[0].host, "2001:db8::9:1"));
    cr_assert_eq(m.via[0].port, 0);
    cr_assert(is(m.via[0].branch, "b"));
}

/* ---- From, To, Contact ---- */

struct party_case {
    const char *value, *display, *uri, *user, *host, *tag;
    bool sound;
};

static const struct party_case party_cases[] = {
    { "sip:b@c", "", "sip:b@c", "b", "c", "", true },
    { "sip:b@c;tag=1;x=y", "", "sip:b@c", "b", "c", "1", true },
    { "<sip:b@c;tag=no>;TAG=yes", "", "sip:b@c;tag=no", "b", "c", "yes", true },
    { "<sip:c:5070;lr>", "", "sip:c:5070;lr", "", "c", "", true },
    { "<sips:b@[2001:db8::1]:5061;lr>", "", "sips:b@[2001:db8::1]:5061;lr", "b", "[2001:db8::1]", "", true },
    { "<sip:b;par=u%40x?y@c?subject=z>", "", "sip:b;par=u%40x?y@c?subject=z", "b;par=u%40x?y", "c", "", true },
    { "<tel:+1-800-555;phone-context=x>", "", "tel:+1-800-555;phone-context=x", "+1-800-555", "", "", true },
    { "<tel:*67>", "", "tel:*67", "*67", "", "", true },
    { "<im:b@c>", "", "im:b@c", "", "", "", true },
    { "Bob<sip:b@c>;tag=2", "Bob", "sip:b@c", "b", "c", "2", true },
    { "Bob\t Two \r\n <sip:b@c>\r\n ; tag \t= 2", "Bob\t Two", "sip:b@c", "b", "c", "2", true },
    { "\"<sip:no@no>;tag=0\" <sip:b@c>", "<sip:no@no>;tag=0", "sip:b@c", "b", "c", "", true },
    { "\"\" <sip:b@c>", "", "sip:b@c", "b", "c", "", true },
    { "\"a\\\"b\\\\\" <sip:b@c>", "a\\\"b\\\\", "sip:b@c", "b", "c", "", true },
    { "<sip:b@c>;p=\";tag=no\";tag=3", "", "sip:b@c", "b", "c", "3", true },
    { "<sip:b@c>;tag", "", "sip:b@c", "b", "c", "", true },
    { "Bell, Al <sip:b@c>;tag=4", "Bell, Al", "sip:b@c", "b", "c", "4", false },
    { "J\xc3\xb6rg <sip:b@c>", "J\xc3\xb6rg", "sip:b@c", "b", "c", "", false },
    { "\"Al <sip:b@c>;tag=5", "\"Al", "sip:b@c", "b", "c", "5", false },
    { "< sip:b@c >;tag=6", "", "sip:b@c", "b", "c", "6", false },
    { "<sip:b@c", "", "sip:b@c", "b", "c", "", false },
    { "\"Al\" sip:b@c", "Al", "sip:b@c", "b", "c", "", false },
    { "sip:b@c?x=y", "", "sip:b@c?x=y", "b", "c", "", false },
    { "b", "", "b", "", "", "", false },
    { "<>", "", "", "", "", "", false },
    { "sip:", "", "sip:", "", "", "", false },
    { "<sip:b@>", "", "sip:b@", "b", "", "", false },
    { "<sip:b@[2001:db8::1>", "", "sip:b@[2001:db8::1", "b", "", "", false },
    { "<sip:b@c>;tag=7;tag=8", "", "sip:b@c", "b", "c", "7", false },
    { "<sip:b@c>;;tag=7", "", "sip:b@c", "b", "c", "7", false },
    { "<sip:b@c> junk", "", "sip:b@c", "b", "c", "", false },
};

static void check_party(const struct sip_party *p, const struct party_case *want)
{
    cr_assert(is(p->display, want->display), "%s", want->value);
    cr_assert(is(p->uri, want->uri), "%s", want->value);
    cr_assert(is(p->user, want->user), "%s", want->value);
    cr_assert(is(p->host, want->host), "%s", want->value);
    cr_assert(is(p->tag, want->tag), "%s", want->value);
    cr_assert_eq(faulty(FAULT_SIP_ADDRESS), !want->sound, "%s", want->value);
}

Test(sip_value, parties)
{
    char text[500];

    for (size_t i = 0; i < sizeof party_cases / sizeof *party_cases; i++) {
        snprintf(text, sizeof text, TO("%s"), party_cases[i].value);
        cr_assert_eq(datagram(text), DIS_OK);
        check_party(&m.to, &party_cases[i]);
        snprintf(text, sizeof text, CON("%s"), party_cases[i].value);
        cr_assert_eq(datagram(text), DIS_OK);
        check_party(&m.contact, &party_cases[i]);
    }
}

/* What is usual is read in one pass, the rest in several: a scheme in capitals, which means the same, is not usual. */
Test(sip_value, one_pass_finds_what_several_do)
{
    static const char *const uris[] = {
        "sip:bob@example.org>",
        "sip:bob@example.org:5060>",
        "sip:bob@example.org;transport=tcp>;tag=9",
        "sip:b-o_b.1@10.0.0.1:5060;lr>;tag=9;x=y",
        "sip:bob:pw@example.org>",
        "sip:bob@[2001:db8::1]:5060>;tag=9",
        "sip:example.org>",
        "sip:bob@>",
        "sip:@example.org>",
        "sip:bob@example.org?a=b>",
        "sip:bob@exa mple.org>",
        "sip:bob@example.org;a b>",
        "sip:bob@example.org",
        "sip:bo%20b@example.org>x",
        "sip:bob@example.org>;tag",
        "sip:bob@@example.org>",
        "sip:bob@example.org:>",
        "sip:bob@exa&mple.org>;tag=1;tag=2",
        "sip:b;x=y@example.org>",
        "sip:b\r\n @example.org>",
        "sip:bob@example.org >",
        "sip:bob@example.org;x=\t>",
        "sip:",
        "sip:bob",
    };
    char text[500];

    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        struct sip_party one;
        size_t faults, at;

        snprintf(text, sizeof text, TO("<%s"), uris[i]);
        cr_assert_eq(datagram(text), DIS_OK);
        one = m.to;
        faults = why.n;
        at = why.v[0].at;
        memcpy(strstr(text, "To: <sip:") + 5, "SIP", 3);
        cr_assert_eq(datagram(text), DIS_OK);
        cr_assert_eq(why.n, faults, "%s", uris[i]);
        cr_assert(!faults || why.v[0].at == at, "%s", uris[i]);
        cr_assert(one.uri.p == m.to.uri.p && one.uri.n == m.to.uri.n, "%s", uris[i]);
        cr_assert(span_eq(one.user, m.to.user) && span_eq(one.host, m.to.host), "%s", uris[i]);
        cr_assert(span_eq(one.tag, m.to.tag) && one.display.n == m.to.display.n, "%s", uris[i]);
    }
}

Test(sip_value, to_is_no_list)
{
    cr_assert_eq(datagram(TO("<sip:b@c>, <sip:d@e>")), DIS_OK);
    cr_assert(faulty(FAULT_SIP_ADDRESS));
    cr_assert(is(m.to.host, "c"));
}

Test(sip_value, contact_star_is_sound)
{
    cr_assert_eq(datagram(CON("*")), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(is(m.contact.uri, "*"));
}

Test(sip_value, contact_lists_give_the_first)
{
    cr_assert_eq(datagram(CON("sip:b@c, \"x,y\" <sip:d@e>;q=0.1\r\nm: <sip:f@g>")), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(is(m.contact.uri, "sip:b@c"));
}
