/* report.c with factors.c and suspicion.c: many calls of a dialer through two STUN servers, told event by event. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/story.h"
#include "verdict/report.h"

#define OTHER "192.0.2.77:3478" /* nobody contradicts it */

static struct story *s;
static struct report r;
static unsigned calls;

static void setup(void)
{
    s = story_new(D_HOST);
    calls = 0;
}

static void teardown(void)
{
    report_done(&r);
    story_free(s);
}

TestSuite(shared, .init = setup, .fini = teardown);

/* A call of six seconds through one STUN server, which tells the truth; what W sends arrives or not. */
static void call_on(const char *host, const char *server, bool arrives)
{
    unsigned port = 10000 + 2 * calls, peer = 40000 + 2 * calls;
    static char id[32], sip[64]; /* the story borrows them */
    char rtp[64], out[64], w[64];

    snprintf(id, sizeof id, "call-%u@dialer", calls++);
    snprintf(sip, sizeof sip, "%s:5060", host);
    snprintf(rtp, sizeof rtp, "%s:%u", host, port);
    snprintf(out, sizeof out, D_OUT ":%u", port);
    snprintf(w, sizeof w, W_OUT ":%u", peer);
    cr_assert(addr_parse_ip(span_str(host), 0, &s->here));
    s->acts = 0;
    story_call(s, id, sip, PROXY ":5060");
    story_stun(s, &(struct asks){ .from = rtp, .server = server, .mapped = out });
    story_up(s, SAYS(out), SAYS(w));
    story_play(s, rtp, w, 2 * calls);
    if (arrives)
        story_play(s, w, rtp, 2 * calls + 1);
    story_pass(s, 6000);
    story_bye(s, CALLER);
}

static void report(void)
{
    static struct local_net locals[2];
    struct vantage_input in = { .name = "", .track = s->track, .now_ns = s->now_ns };

    cr_assert(addr_parse_ip(SPAN(D_HOST), 0, &locals[0].net) && addr_parse_ip(SPAN("172.31.16.11"), 0, &locals[1].net));
    locals[0].bits = locals[1].bits = 128;
    in.options = (struct view_options){ .locals = locals, .locals_n = 2 };
    cr_assert(report_make(&r, &in, 1));
}

static const struct server_finding *row(const char *server)
{
    struct addr a;

    cr_assert(addr_parse(span_str(server), &a));
    for (uint32_t i = 0; i < r.servers; i++)
        if (addr_eq(&r.server[i].addr, &a))
            return &r.server[i];
    cr_assert_fail("nobody asked %s", server);
    return NULL;
}

Test(shared, calls_of_one_dialer_fail_with_one_server_alone)
{
    for (unsigned i = 0; i < 21; i++)
        call_on(D_HOST, i % 3 ? HONEST : OTHER, i % 3);
    report();
    cr_assert_eq(r.factors.shared_n, 1);
    cr_expect_eq(
        strncmp(r.factors.shared[0].text, "7 of 7 calls with a candidate from " OTHER " failed; 0 of 14 others did (p = ", 80), 0,
        "%s", r.factors.shared[0].text);
    cr_expect_eq(row(OTHER)->verdict, SERVER_SUSPECT, "%s", server_verdict_word(row(OTHER)->verdict));
    cr_assert_not_null(row(OTHER)->suspicion);
    cr_expect_str_eq(row(OTHER)->suspicion,
                     "No answer of it is contradicted, but 7 of 7 calls with a candidate from it failed while 0 of 12 "
                     "others at that time did, those of the same hosts among them.");
    cr_expect_eq(row(HONEST)->verdict, SERVER_GOOD);
    cr_expect_null(row(HONEST)->suspicion);
    cr_expect_eq(row(OTHER)->failed_sessions, 7);
    cr_expect(row(OTHER)->first_failed.frame && row(OTHER)->last_failed.ns > row(OTHER)->first_failed.ns);
}

Test(shared, the_dialer_behind_a_shut_firewall_has_a_server_of_its_own)
{
    for (unsigned i = 0; i < 21; i++)
        call_on(i % 3 ? D_HOST : "172.31.16.11", i % 3 ? HONEST : OTHER, i % 3);
    report();
    cr_assert_eq(r.factors.shared_n, 1);
    cr_expect_not_null(strstr(r.factors.shared[0].text, "calls of local host 172.31.16.11"), "%s", r.factors.shared[0].text);
    cr_expect_not_null(strstr(r.factors.shared[0].text, "do not tell"), "%s", r.factors.shared[0].text);
    cr_expect_neq(row(OTHER)->verdict, SERVER_SUSPECT);
    cr_expect_null(row(OTHER)->suspicion);
}

Test(shared, too_few_calls_claim_nothing)
{
    for (unsigned i = 0; i < 9; i++)
        call_on(D_HOST, i % 3 ? HONEST : OTHER, i % 3);
    report();
    cr_expect_eq(r.factors.shared_n, 0);
    cr_expect_neq(row(OTHER)->verdict, SERVER_SUSPECT);
}

Test(shared, all_calls_are_well)
{
    for (unsigned i = 0; i < 12; i++)
        call_on(D_HOST, i % 3 ? HONEST : OTHER, true);
    report();
    cr_expect_eq(r.factors.shared_n, 0);
    cr_expect_eq(r.by_verdict[VERDICT_OK], 12);
}
