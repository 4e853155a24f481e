/* names.c: what DNS said. */
#include "messages.h"

TestSuite(name_fact, .init = setup, .fini = teardown);

#define RESOLVER "192.0.2.53:53"
#define CLIENT   "192.0.2.10:40000"

static struct dns_msg answer_about(const char *name, uint16_t type)
{
    return (struct dns_msg){ .response = true, .questions = 1, .question[0] = { name, type } };
}

static void add(struct dns_msg *m, struct dns_record r)
{
    m->record[m->records++] = r;
    m->answers = m->records;
}

static struct dns_record a_record(const char *name, const char *ip, uint32_t ttl_s)
{
    return (struct dns_record){ .name = name, .type = DNS_A, .ttl_s = ttl_s, .addr = addr_of(ip) };
}

static void told_by(const char *resolver, const struct dns_msg *m)
{
    struct datagram d = next_frame(resolver, CLIENT);

    track_dns(t, &d, m);
}

static struct dns_fact *fact(uint32_t slot)
{
    cr_assert_lt(slot, t->names.used);
    return pool_at(&t->names, slot);
}

static void expect_fact(uint32_t slot, const char *name, const char *addr, uint32_t ttl_s, const char *via)
{
    struct dns_fact *n = fact(slot);

    cr_assert_str_eq(n->name, name);
    cr_assert(addr_is(&n->addr, addr));
    cr_assert_eq(n->ttl_s, ttl_s);
    cr_assert_str_eq(n->via, via);
}

Test(name_fact, an_address)
{
    struct dns_msg m = answer_about("stun.example.com", DNS_A);

    add(&m, a_record("stun.example.com", "203.0.113.78", 300));
    told_by(RESOLVER, &m);
    cr_assert_eq(t->names.live, 1);
    expect_fact(0, "stun.example.com", "203.0.113.78:0", 300, "");
    cr_assert_eq(fact(0)->type, DNS_A);
    cr_assert(addr_is(&fact(0)->resolver, RESOLVER));
    cr_assert(addr_is(&fact(0)->client, CLIENT));
    cr_assert_eq(fact(0)->at.frame, 1);
    cr_assert_eq(fact(0)->answers, 1);
}

Test(name_fact, the_same_again_is_counted)
{
    struct dns_msg m = answer_about("stun.example.com", DNS_A);

    add(&m, a_record("stun.example.com", "203.0.113.78", 300));
    told_by(RESOLVER, &m);
    m.record[0].ttl_s = 120;
    wait_ms(180000);
    told_by(RESOLVER, &m);
    cr_assert_eq(t->names.live, 1);
    cr_assert_eq(fact(0)->answers, 2);
    cr_assert_eq(fact(0)->at.frame, 1);
    cr_assert_eq(fact(0)->last.frame, 2);
    cr_assert_eq(fact(0)->ttl_s, 120, "of the latest");
}

Test(name_fact, two_resolvers_are_two_facts)
{
    struct dns_msg m = answer_about("stun.example.com", DNS_A);

    add(&m, a_record("stun.example.com", "203.0.113.78", 300));
    told_by(RESOLVER, &m);
    m.record[0].addr = addr_of("198.51.100.66");
    told_by("192.0.2.54:53", &m);
    m.record[0].addr = addr_of("203.0.113.78");
    told_by("192.0.2.54:53", &m);
    cr_assert_eq(t->names.live, 3);
}

Test(name_fact, several_addresses_and_families)
{
    struct dns_msg m = answer_about("stun.example.com", DNS_AAAA);

    add(&m, a_record("stun.example.com", "203.0.113.78", 300));
    add(&m, a_record("stun.example.com", "203.0.113.79", 300));
    add(&m, (struct dns_record){ .name = "stun.example.com", .type = DNS_AAAA, .ttl_s = 9, .addr = addr_of("2001:db8::78") });
    told_by(RESOLVER, &m);
    cr_assert_eq(t->names.live, 3);
    expect_fact(2, "stun.example.com", "[2001:db8::78]:0", 9, "");
}

/* The records may come in any order, and the shortest life on the way counts (RFC 2181 §5.2, RFC 1034 §3.6.2). */
Test(name_fact, a_chain_of_aliases)
{
    struct dns_msg m = answer_about("stun.example.com", DNS_A);

    add(&m, a_record("edge7.example.net", "203.0.113.78", 300));
    add(&m, (struct dns_record){ .name = "lb.example.net", .type = DNS_CNAME, .ttl_s = 60, .target = "edge7.example.net" });
    add(&m, (struct dns_record){ .name = "stun.example.com", .type = DNS_CNAME, .ttl_s = 86400, .target = "lb.example.net" });
    told_by(RESOLVER, &m);
    cr_assert_eq(t->names.live, 1);
    expect_fact(0, "stun.example.com", "203.0.113.78:0", 60, "edge7.example.net");
}

Test(name_fact, the_address_may_live_shorter_than_its_alias)
{
    struct dns_msg m = answer_about("stun.example.com", DNS_A);

    add(&m, (struct dns_record){ .name = "stun.example.com", .type = DNS_CNAME, .ttl_s = 86400, .target = "edge7.example.net" });
    add(&m, a_record("edge7.example.net", "203.0.113.78", 20));
    told_by(RESOLVER, &m);
    expect_fact(0, "stun.example.com", "203.0.113.78:0", 20, "edge7.example.net");
}

Test(name_fact, a_loop_of_aliases_ends)
{
    struct dns_msg m = answer_about("a.example", DNS_A);

    add(&m, (struct dns_record){ .name = "a.example", .type = DNS_CNAME, .ttl_s = 1, .target = "b.example" });
    add(&m, (struct dns_record){ .name = "b.example", .type = DNS_CNAME, .ttl_s = 1, .target = "a.example" });
    told_by(RESOLVER, &m);
    cr_assert_eq(t->names.live, 0);
}

/* An SRV answer with the addresses of its targets beside it (RFC 2782). */
Test(name_fact, srv_and_its_target)
{
    struct dns_msg m = answer_about("_stun._udp.example.com", DNS_SRV);

    add(&m, (struct dns_record){
                .name = "_stun._udp.example.com", .type = DNS_SRV, .ttl_s = 600, .target = "s1.example.com", .port = 3479 });
    m.record[m.records++] = a_record("s1.example.com", "203.0.113.78", 30); /* additional section */
    told_by(RESOLVER, &m);
    cr_assert_eq(t->names.live, 2);
    expect_fact(1, "s1.example.com", "203.0.113.78:0", 30, "");
    cr_assert_str_eq(fact(0)->name, "_stun._udp.example.com");
    cr_assert_str_eq(fact(0)->via, "s1.example.com");
    cr_assert_eq(fact(0)->type, DNS_SRV);
    cr_assert_eq(fact(0)->addr.port, 3479);
    cr_assert_eq(fact(0)->ttl_s, 600);
}

Test(name_fact, two_srv_targets_on_one_port)
{
    struct dns_msg m = answer_about("_stun._udp.example.com", DNS_SRV);

    add(&m, (struct dns_record){ .name = "_stun._udp.example.com", .type = DNS_SRV, .target = "s1.example.com", .port = 3478 });
    add(&m, (struct dns_record){ .name = "_stun._udp.example.com", .type = DNS_SRV, .target = "s2.example.com", .port = 3478 });
    told_by(RESOLVER, &m);
    cr_assert_eq(t->names.live, 2, "an SRV record has no address: its target tells it from others");
}

Test(name_fact, what_says_nothing)
{
    struct dns_msg m = answer_about("stun.example.com", DNS_A);

    add(&m, a_record("stun.example.com", "203.0.113.78", 300));
    m.response = false;
    told_by(RESOLVER, &m);
    m.response = true;
    m.rcode = 3;
    told_by(RESOLVER, &m);
    m.rcode = 0;
    m.questions = 0;
    told_by(RESOLVER, &m);
    cr_assert_eq(t->names.live, 0);
}

Test(name_fact, names_beyond_the_cap_are_refused_and_told)
{
    struct dns_msg m = answer_about("stun.example.com", DNS_A);

    t->names.cap = 1;
    add(&m, a_record("stun.example.com", "203.0.113.78", 300));
    add(&m, a_record("stun.example.com", "203.0.113.79", 300));
    told_by(RESOLVER, &m);
    told_by(RESOLVER, &m);
    cr_assert_eq(t->names.live, 1);
    cr_assert_eq(faults.count[FAULT_NAME_TABLE_FULL], 2);
    cr_assert_eq(fact(0)->answers, 2);
}
