/* dns_finding.c: how old an address was when it was used, what changed, and who says something else. */
#include "verdict/dns_finding.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/story.h"

#define R1   "172.31.0.2"
#define R2   "172.31.0.3"
#define NAME "stun.example.net"
#define A1   "192.0.2.19"
#define A2   "192.0.2.20"
#define A3   "192.0.2.21"
#define TTL  300

static struct story *s;
static struct dns_finding *found;

static void setup(void)
{
    s = story_new(D_HOST);
}

static void teardown(void)
{
    free(found);
    found = NULL;
    story_free(s);
}

TestSuite(dns_finding, .init = setup, .fini = teardown);

static void later(unsigned seconds)
{
    s->now_ns += SECONDS((int64_t)seconds);
}

static struct addr at(const char *text)
{
    struct addr a;

    cr_assert(addr_parse(span_str(text), &a));
    return a;
}

/* One answer with one or two addresses. */
static void answers(const char *resolver, const char *client, const char *ip, const char *ip2)
{
    struct dns_msg *m = calloc(1, sizeof *m);
    struct datagram d = { .at = { s->now_ns, ++s->frame }, .src = at(resolver), .dst = at(client) };

    cr_assert_not_null(m);
    m->response = true;
    m->questions = 1;
    m->records = m->answers = ip2 ? 2 : 1;
    m->question[0] = (struct dns_question){ NAME, DNS_A };
    m->record[0] = (struct dns_record){ .name = NAME, .type = DNS_A, .ttl_s = TTL, .addr = at(ip) };
    if (ip2)
        m->record[1] = (struct dns_record){ .name = NAME, .type = DNS_A, .ttl_s = TTL, .addr = at(ip2) };
    track_dns(s->track, &d, m);
    free(m);
}

static void says(const char *resolver, const char *ip)
{
    answers(resolver, D_HOST, ip, NULL);
}

static void asks(const char *from, const char *server)
{
    story_stun(s, &(struct asks){ .from = from, .server = server, .mapped = D_RTP_OUT });
}

/* What is found of the answer that names `ip`; of the first resolver where several do. */
static const struct dns_finding *about(const char *ip)
{
    struct addr a = at(ip);

    free(found);
    found = calloc(s->track->names.used + 1u, sizeof *found);
    cr_assert_not_null(found);
    view_make(&s->view, s->track, &s->options, s->now_ns);
    cr_assert(dns_findings(&s->view, found));
    for (uint32_t i = 0; i < s->track->names.used; i++)
        if (addr_ip_eq(&found[i].fact->addr, &a) && found[i].fact->type != DNS_SRV)
            return &found[i];
    cr_assert_fail("no answer names %s", ip);
    return NULL;
}

/* ---- age ---- */

Test(dns_finding, used_within_its_time)
{
    const struct dns_finding *f;

    says(R1, A1);
    later(299);
    asks(D_RTP, A1 ":3478");
    f = about(A1);
    cr_expect(f->used_as_stun_server);
    cr_expect_eq(f->age_ns / NS_PER_S, 299);
    cr_expect_not(f->outlived || f->stale);
}

Test(dns_finding, used_after_its_time)
{
    const struct dns_finding *f;

    says(R1, A1);
    later(7 * 3600);
    asks(D_RTP, A1 ":3478");
    f = about(A1);
    cr_expect(f->outlived && f->stale);
    cr_expect_eq(f->age_ns / NS_PER_S, 7 * 3600);
}

Test(dns_finding, a_few_seconds_after_its_time_is_nothing_to_speak_of)
{
    const struct dns_finding *f;

    says(R1, A1);
    later(TTL + 20);
    asks(D_RTP, A1 ":3478");
    f = about(A1);
    cr_expect(f->outlived);
    cr_expect_not(f->stale);
}

Test(dns_finding, it_was_asked_for_again)
{
    says(R1, A1);
    later(7 * 3600);
    says(R1, A1);
    asks(D_RTP, A1 ":3478");
    cr_expect_not(about(A1)->outlived);
    cr_expect_eq(about(A1)->fact->answers, 2, "one row for the same answer");
}

Test(dns_finding, another_resolver_said_it_again)
{
    says(R1, A1);
    later(7 * 3600);
    says(R2, A1);
    asks(D_RTP, A1 ":3478");
    cr_expect_not(about(A1)->outlived);
}

Test(dns_finding, used_between_answers_whose_times_are_not_kept)
{
    says(R1, A1);
    later(400);
    says(R1, A1);
    later(10);
    asks(D_RTP, A1 ":3478");
    later(400);
    says(R1, A1);
    cr_expect_eq(about(A1)->age_ns, -1);
    cr_expect_not(about(A1)->outlived);
}

Test(dns_finding, another_host_may_know_it_from_elsewhere)
{
    says(R1, A1);
    later(7 * 3600);
    asks("172.31.16.99:10000", A1 ":3478");
    cr_expect_not(about(A1)->used_as_stun_server);
    cr_expect_not(about(A1)->outlived);
}

Test(dns_finding, a_resolver_on_the_host_itself)
{
    answers("127.0.0.53", "127.0.0.1", A1, NULL);
    asks(D_RTP, A1 ":3478");
    cr_expect(about(A1)->used_as_stun_server);
}

Test(dns_finding, used_before_it_was_answered)
{
    asks(D_RTP, A1 ":3478");
    later(10);
    says(R1, A1);
    cr_expect_not(about(A1)->used_as_stun_server);
    cr_expect_eq(about(A1)->age_ns, -1);
}

Test(dns_finding, a_sip_server_is_used_as_well)
{
    says(R1, PROXY);
    later(10);
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    cr_expect(about(PROXY)->last_used.frame);
    cr_expect_not(about(PROXY)->used_as_stun_server);
}

/* ---- other answers ---- */

Test(dns_finding, the_address_changes)
{
    says(R1, A1);
    later(400);
    says(R1, A2);
    cr_assert_not_null(about(A2)->changed_from);
    cr_expect(addr_ip_eq(&about(A2)->changed_from->addr, &about(A1)->fact->addr));
    cr_expect_null(about(A1)->changed_from);
}

Test(dns_finding, a_list_that_turns_round_is_no_change)
{
    answers(R1, D_HOST, A1, A2);
    later(400);
    answers(R1, D_HOST, A2, A3);
    cr_expect_null(about(A3)->changed_from);
}

Test(dns_finding, another_resolvers_answer_is_no_change)
{
    says(R1, A1);
    later(400);
    says(R2, A2);
    cr_expect_null(about(A2)->changed_from);
}

Test(dns_finding, two_resolvers_disagree)
{
    says(R1, A1);
    later(10);
    says(R2, A2);
    cr_assert_not_null(about(A1)->disagrees_with);
    cr_expect(addr_ip_eq(&about(A1)->disagrees_with->resolver, &about(A2)->fact->resolver));
    cr_assert_not_null(about(A2)->disagrees_with);
}

Test(dns_finding, two_resolvers_with_one_address_in_common)
{
    answers(R1, D_HOST, A1, A2);
    later(10);
    answers(R2, D_HOST, A2, A3);
    cr_expect_null(about(A1)->disagrees_with);
    cr_expect_null(about(A3)->disagrees_with);
}

Test(dns_finding, two_resolvers_at_two_times)
{
    says(R1, A1);
    later(3600);
    says(R2, A2);
    cr_expect_null(about(A1)->disagrees_with);
}

Test(dns_finding, names_with_many_addresses_are_not_compared)
{
    char ip[32];

    for (unsigned i = 0; i < DNS_COMPARED; i++) {
        snprintf(ip, sizeof ip, "192.0.2.%u", 100 + i);
        says(R1, ip);
    }
    says(R2, A1);
    cr_expect_null(about(A1)->disagrees_with);
}

/* ---- SRV ---- */

static void srv(const char *name, const char *target, uint16_t port)
{
    struct dns_msg *m = calloc(1, sizeof *m);
    struct datagram d = { .at = { s->now_ns, ++s->frame }, .src = at(R1), .dst = at(D_HOST) };

    cr_assert_not_null(m);
    m->response = true;
    m->questions = m->records = m->answers = 1;
    m->question[0] = (struct dns_question){ name, DNS_SRV };
    m->record[0] = (struct dns_record){ .name = name, .type = DNS_SRV, .ttl_s = TTL, .target = target, .port = port };
    track_dns(s->track, &d, m);
    free(m);
}

Test(dns_finding, an_srv_record_leads_to_its_targets_address)
{
    srv("_stun._udp.example.net", NAME, 3478);
    srv("_stun._udp.example.net", "other.example.net", 3478);
    says(R1, A1);
    asks(D_RTP, A1 ":3478");
    about(A1);
    cr_assert_eq(found[0].fact->type, DNS_SRV);
    cr_assert_eq(found[0].targets_n, 1);
    cr_expect_eq(found[0].target[0], about(A1)->fact);
    cr_expect(found[0].used_as_stun_server);
    cr_expect_eq(found[1].targets_n, 0);
    cr_expect_not(found[1].used_as_stun_server);
}

/* ---- the evidence of a session ---- */

static const char *dns_evidence(void)
{
    for (size_t i = 0; i < s->found->evidence_n; i++)
        if (strcmp(s->found->evidence[i].kind, "dns") == 0)
            return s->found->evidence[i].text;
    return "";
}

static void the_server_lies_after(unsigned seconds)
{
    says(R1, A1);
    later(seconds);
    s->received[CALLER] = D_OUT;
    story_stun(s, &(struct asks){ .from = D_RTP, .server = LIAR, .mapped = STRANGER ":10000" });
    story_stun(s, &(struct asks){ .from = D_RTP, .server = HONEST, .mapped = D_RTP_OUT });
    story_up(s, SAYS(STRANGER ":10000"), SAYS(W_RTP));
    story_play(s, D_RTP, W_RTP, 1);
    story_pass(s, 8000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_BAD_CANDIDATE, .server = LIAR);
}

Test(dns_finding, a_bad_candidate_of_a_stale_address)
{
    the_server_lies_after(7 * 3600);
    cr_expect_str_eq(dns_evidence(),
                     "The address of stun.example.net was 7 h old (TTL 300 s) when it was asked: the latest answer here "
                     "is that of resolver 172.31.0.2.");
}

Test(dns_finding, a_bad_candidate_of_a_fresh_address)
{
    the_server_lies_after(60);
    cr_expect_str_eq(dns_evidence(), "");
}
