/* factors.c and suspicion.c: what failing sessions share, and when a STUN server may be suspected for it. */
#include "verdict/factors.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#define X 1 /* rows of STUN servers */
#define Y 2

struct told {
    bool failed;
    enum cause cause;         /* path_blocked where not told */
    uint32_t server, server2; /* 0: none */
    bool arrives;             /* media arrives at the address that `server` gave */
    const char *host, *peer;  /* D_HOST, and a peer of one network, where not told */
    const char *account, *agent, *codec, *header;
    unsigned at_s;
    enum verdict verdict; /* in place of ok and one_way */
};

#define D_HOST "10.0.0.5"
#define D2     "10.0.0.6"
#define W      "198.51.100.20:4000"

static const char *const labels[] = { "X-Campaign" };
static struct factors fs;

static void name_of(const void *self, uint32_t row, struct strbuf *out)
{
    (void)self;
    strbuf_fmt(out, "stun%u.example.net:3478", row);
}

static void setup(void)
{
    factors_init(&fs, labels, 1, name_of, NULL);
}

static void teardown(void)
{
    factors_done(&fs);
}

TestSuite(factors, .init = setup, .fini = teardown);
TestSuite(suspicion, .init = setup, .fini = teardown);

static void candidate(struct session_finding *f, uint32_t server, bool arrives)
{
    if (server)
        f->candidate[f->candidates_n++] = (struct candidate_finding){
            .type = "srflx", .host = "", .server = server, .tx = 7, .confirmed = arrives, .status = CANDIDATE_UNTESTED
        };
}

static void calls_of(unsigned n, const struct told *w)
{
    static struct session_finding f;
    const char *label[] = { w->header ? w->header : "" };
    struct call c = { .kind = SESSION_SIP, .to_uri = "sip:18005550100@example.com", .label = label };
    struct strbuf uri = { 0 };

    strbuf_fmt(&uri, "sip:%s@example.com", w->account ? w->account : "dialer");
    c.from_uri = strbuf_str(&uri);
    c.agent[CALLER] = "Asterisk";
    c.agent[CALLEE] = w->agent ? w->agent : "";
    c.started.ns = SECONDS(1700000000 + w->at_s);
    memset(&f, 0, offsetof(struct session_finding, direction));
    f.call = &c;
    f.verdict = w->verdict ? w->verdict : w->failed ? VERDICT_ONE_WAY : VERDICT_OK;
    f.cause = !w->failed ? CAUSE_NONE : w->cause ? w->cause : CAUSE_PATH_BLOCKED;
    f.server = POOL_NONE;
    candidate(&f, w->server, w->arrives);
    candidate(&f, w->server2, false);
    f.directions_n = 1;
    f.direction[0].codec = w->codec ? w->codec : "PCMU";
    f.here[CALLER] = true;
    cr_assert(addr_parse(span_str(w->host ? w->host : D_HOST), &f.whereabouts[CALLER]));
    cr_assert(addr_parse(span_str(w->peer ? w->peer : W), &f.whereabouts[CALLEE]));
    for (unsigned i = 0; i < n; i++)
        factors_add(&fs, &f);
    strbuf_done(&uri);
}

#define CALLS(n, ...) calls_of(n, &(struct told){ __VA_ARGS__ })
#define FAIL          .failed = true

static void claims(size_t n, unsigned factor, const char *value)
{
    const struct factor_value *v;

    factors_share(&fs);
    cr_assert_eq(fs.shared_n, n, "%zu claims, the first: %s", fs.shared_n, fs.shared_n ? fs.shared[0].text : "none");
    v = n ? factor_value_at(&fs, fs.shared[0].value) : NULL;
    cr_expect(!v || (v->factor == factor && strcmp(v->text, value) == 0), "%s", n ? fs.shared[0].text : "");
}

static void nothing_claimed(void)
{
    claims(0, 0, "");
}

Test(factors, the_incident)
{
    CALLS(21, FAIL, .server = X);
    CALLS(60, .server = Y);
    claims(1, FACTOR_STUN_SERVER, "stun1.example.net:3478");
    cr_expect_str_eq(fs.shared[0].text, "21 of 21 calls with a candidate from stun1.example.net:3478 failed; 0 of 60 others did "
                                        "(p = 1e-19).");
    cr_expect_eq(fs.shared[0].same_n, 0);
    cr_expect_str_eq(factor_word(FACTOR_STUN_SERVER), "stun_server");
}

Test(factors, all_fail)
{
    CALLS(30, FAIL, .server = X);
    nothing_claimed();
}

Test(factors, all_are_well)
{
    CALLS(15, .server = X);
    CALLS(15, .server = Y);
    nothing_claimed();
}

Test(factors, four_failures_are_too_few)
{
    CALLS(4, FAIL, .server = X);
    CALLS(1000, .server = Y);
    nothing_claimed();
}

Test(factors, nine_sessions_are_too_few)
{
    CALLS(5, FAIL, .server = X);
    CALLS(4, .server = Y);
    nothing_claimed();
}

Test(factors, five_of_ten_may_be_chance)
{
    CALLS(5, FAIL, .server = X);
    CALLS(5, .server = Y);
    nothing_claimed();
}

Test(factors, failures_everywhere_are_nobodys)
{
    CALLS(10, FAIL, .server = X);
    CALLS(10, FAIL, .server = Y);
    CALLS(20, .server = X);
    CALLS(20, .server = Y);
    nothing_claimed();
}

Test(factors, a_little_more_often_is_no_explanation)
{
    CALLS(2000, FAIL, .server = X);
    CALLS(8000, .server = X);
    CALLS(1000, FAIL, .server = Y);
    CALLS(9000, .server = Y);
    nothing_claimed();
}

Test(factors, with_many_values_one_is_bound_to_look_bad)
{
    char account[16];

    for (unsigned i = 0; i < 200; i++) {
        snprintf(account, sizeof account, "user%u", i);
        CALLS(i == 77 ? 1 : 5, .account = account);
        CALLS(i == 77 ? 4 : 0, FAIL, .account = account);
        CALLS(i % 20 == 0, FAIL, .account = account);
    }
    CALLS(1, FAIL, .account = "user77");
    factors_share(&fs);
    cr_expect_eq(fs.shared_n, 1, "five of six, where one in a hundred fails");
    cr_expect_gt(fs.shared[0].ln_p, fisher_ln_p(&fs.shared[0].n) + log(150), "corrected for the values that were tested");
}

Test(factors, unanswered_and_unknown_calls_do_not_count)
{
    CALLS(21, FAIL, .server = X);
    CALLS(60, .server = Y);
    CALLS(50, .server = X, .verdict = VERDICT_NOT_EXPECTED);
    CALLS(50, .server = X, .verdict = VERDICT_UNKNOWN);
    claims(1, FACTOR_STUN_SERVER, "stun1.example.net:3478");
    cr_expect_eq(fs.shared[0].n.with, 21);
    cr_expect_eq(fs.sessions, 81);
}

Test(factors, each_kind_of_factor)
{
    static const struct {
        struct told with;
        unsigned factor;
        const char *value, *text;
    } kinds[] = {
        { { FAIL, .host = D2 }, FACTOR_LOCAL_ADDRESS, D2, "20 of 20 calls of local host 10.0.0.6 failed; 0 of 40 others did" },
        { { FAIL, .peer = "203.0.113.9:5" }, FACTOR_PEER_NETWORK, "203.0.113.0/24", "with a party in 203.0.113.0/24 failed" },
        { { FAIL, .peer = "[2001:db8:7:8::9]:5" },
          FACTOR_PEER_NETWORK,
          "2001:db8:7::/48",
          "with a party in 2001:db8:7::/48 failed" },
        { { FAIL, .account = "trunk2" }, FACTOR_ACCOUNT, "trunk2", "calls of account trunk2 failed" },
        { { FAIL, .agent = "Phone 1.0" }, FACTOR_USER_AGENT, "Phone 1.0", "calls with user agent Phone 1.0 failed" },
        { { FAIL, .codec = "opus" }, FACTOR_CODEC, "opus", "calls with codec opus failed" },
        { { FAIL, .header = "winter" }, FACTOR_HEADER, "winter", "calls with X-Campaign: winter failed" },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        teardown();
        setup();
        calls_of(20, &kinds[i].with);
        CALLS(40, .header = "summer");
        claims(1, kinds[i].factor, kinds[i].value);
        cr_expect_not_null(strstr(fs.shared[0].text, kinds[i].text), "%s", fs.shared[0].text);
    }
    cr_expect_str_eq(factor_label(&fs, FACTOR_HEADER), "X-Campaign");
    cr_expect_null(factor_label(&fs, FACTOR_CODEC));
}

Test(factors, two_that_coincide_cannot_be_told_apart)
{
    CALLS(21, FAIL, .server = X, .host = D2);
    CALLS(60, .server = Y);
    claims(1, FACTOR_STUN_SERVER, "stun1.example.net:3478");
    cr_assert_eq(fs.shared[0].same_n, 1);
    cr_expect_eq(factor_value_at(&fs, fs.shared[0].same[0])->factor, FACTOR_LOCAL_ADDRESS);
    cr_expect_not_null(strstr(fs.shared[0].text,
                              "The very same, and no others, are calls of local host 10.0.0.6: the counts alone do not "
                              "tell which of them it is."),
                       "%s", fs.shared[0].text);
}

Test(factors, one_call_more_tells_them_apart)
{
    CALLS(21, FAIL, .server = X, .host = D2);
    CALLS(1, .server = Y, .host = D2);
    CALLS(60, .server = Y);
    claims(1, FACTOR_STUN_SERVER, "stun1.example.net:3478");
    cr_expect_eq(fs.shared[0].same_n, 0);
}

Test(factors, two_causes_are_two_claims)
{
    CALLS(21, FAIL, .server = X);
    CALLS(8, FAIL, .server = Y, .peer = "203.0.113.9:5");
    CALLS(60, .server = Y);
    claims(2, FACTOR_STUN_SERVER, "stun1.example.net:3478");
    cr_expect_eq(factor_value_at(&fs, fs.shared[1].value)->factor, FACTOR_PEER_NETWORK);
    cr_expect_eq(fs.shared[1].n.without, 60, "what the first explains is left out");
    cr_expect_eq(strncmp(fs.shared[1].text, "Of the rest, 8 of 8 calls with a party in 203.0.113.0/24 failed; 0 of 60 ", 70), 0,
                 "%s", fs.shared[1].text);
}

Test(factors, no_more_than_three)
{
    CALLS(20, FAIL, .server = X);
    CALLS(20, FAIL, .peer = "203.0.113.9:5");
    CALLS(20, FAIL, .codec = "opus");
    CALLS(20, FAIL, .agent = "Phone");
    CALLS(400, .server = Y);
    factors_share(&fs);
    cr_expect_eq(fs.shared_n, SHARED_KEPT);
}

Test(factors, the_order_of_calls_does_not_matter)
{
    char first[512];

    CALLS(10, FAIL, .agent = "a", .codec = "opus");
    CALLS(40, .server = Y);
    factors_share(&fs);
    cr_assert_eq(fs.shared_n, 1);
    snprintf(first, sizeof first, "%s", fs.shared[0].text);
    teardown();
    setup();
    CALLS(40, .server = Y);
    CALLS(10, FAIL, .agent = "a", .codec = "opus");
    factors_share(&fs);
    cr_expect_str_eq(fs.shared[0].text, first);
}

Test(factors, values_beyond_the_cap_are_counted)
{
    char account[16];

    for (unsigned i = 0; i < FACTOR_VALUES_KEPT + 9; i++) {
        snprintf(account, sizeof account, "user%u", i);
        CALLS(1, .account = account, .server = Y);
    }
    cr_expect_eq(fs.refused, 9);
    CALLS(21, FAIL, .server = X, .account = "user1");
    claims(1, FACTOR_STUN_SERVER, "stun1.example.net:3478");
}

Test(factors, what_the_network_says_is_made_safe)
{
    CALLS(20, FAIL, .agent = "\x1b[31mred\n");
    CALLS(40, .failed = false);
    factors_share(&fs);
    cr_assert_eq(fs.shared_n, 1);
    cr_expect_not_null(strstr(fs.shared[0].text, "\\x1b[31mred\\x0a"), "%s", fs.shared[0].text);
}

/* ---- suspicion ---- */

static bool suspected(uint32_t row)
{
    struct fourfold n;

    factors_share(&fs);
    for (uint32_t i = 0; i < fs.value.used; i++)
        if (factor_value_at(&fs, i)->server == row)
            return factors_suspect(&fs, i, &n);
    return false;
}

/* Calls of one host at one time, some through X and some through Y. */
Test(suspicion, calls_of_one_host_fail_with_it_and_go_well_without)
{
    CALLS(15, FAIL, .server = X);
    CALLS(30, .server = Y);
    cr_expect(suspected(X));
    cr_expect_not(suspected(Y));
}

Test(suspicion, calls_without_a_cause_count_too)
{
    CALLS(15, FAIL, .server = X, .cause = CAUSE_UNKNOWN);
    CALLS(30, .server = Y);
    cr_expect(suspected(X));
}

Test(suspicion, a_site_whose_firewall_is_shut_uses_one_server)
{
    CALLS(15, FAIL, .server = X, .host = D2);
    CALLS(30, .server = Y);
    cr_expect_not(suspected(X), "the server and the host coincide");
}

Test(suspicion, two_hosts_of_a_site_whose_firewall_is_shut_use_one_server)
{
    CALLS(15, FAIL, .server = X, .host = D2);
    CALLS(15, FAIL, .server = X, .host = "10.0.0.7");
    CALLS(30, .server = Y);
    cr_expect_not(suspected(X), "neither host coincides with the server, and each explains its own calls");
}

Test(suspicion, a_call_of_that_site_through_another_server_failed_as_well)
{
    CALLS(20, FAIL, .server = X, .host = D2);
    CALLS(1, FAIL, .server = Y, .host = D2);
    CALLS(1, FAIL, .server = X);
    CALLS(60, .server = Y);
    cr_expect_not(suspected(X));
}

Test(suspicion, the_peers_network_is_shut)
{
    CALLS(15, FAIL, .server = X, .peer = "203.0.113.9:5");
    CALLS(30, .server = Y);
    cr_expect_not(suspected(X));
}

Test(suspicion, one_program_uses_that_server)
{
    CALLS(15, FAIL, .server = X, .agent = "Phone 1.0");
    CALLS(30, .server = Y, .agent = "Phone 2.0");
    cr_expect_not(suspected(X));
}

Test(suspicion, one_codec_goes_with_that_server)
{
    CALLS(15, FAIL, .server = X, .codec = "opus");
    CALLS(30, .server = Y);
    cr_expect_not(suspected(X));
}

Test(suspicion, one_campaign_goes_with_that_server)
{
    CALLS(15, FAIL, .server = X, .header = "winter");
    CALLS(30, .server = Y, .header = "summer");
    cr_expect_not(suspected(X));
}

Test(suspicion, each_call_goes_to_another_network)
{
    char peer[32];

    for (unsigned i = 0; i < 45; i++) {
        snprintf(peer, sizeof peer, "198.18.%u.1:5", i);
        CALLS(i < 15, FAIL, .server = X, .peer = peer);
        CALLS(i >= 15, .server = Y, .peer = peer);
    }
    cr_expect(suspected(X), "fifteen networks do not fail at once");
}

Test(suspicion, only_the_carrier_is_let_through)
{
    char peer[32];

    for (unsigned i = 0; i < 15; i++) {
        snprintf(peer, sizeof peer, "198.18.%u.1:5", i);
        CALLS(1, FAIL, .server = X, .peer = peer);
    }
    CALLS(30, .server = Y, .peer = "203.0.113.9:5");
    cr_expect_not(suspected(X), "a firewall that lets one network through looks just so");
}

Test(suspicion, two_servers_supply_candidates_to_the_same_calls)
{
    CALLS(15, FAIL, .server = X, .server2 = Y);
    CALLS(30, .failed = false);
    cr_expect_not(suspected(X));
    cr_expect_not(suspected(Y));
}

Test(suspicion, another_server_was_used_beside_it_and_alone)
{
    CALLS(15, FAIL, .server = X, .server2 = Y);
    CALLS(30, .server = Y);
    cr_expect(suspected(X));
    cr_expect_not(suspected(Y));
}

Test(suspicion, media_arrives_at_the_addresses_that_it_gave)
{
    CALLS(15, FAIL, .server = X, .arrives = true);
    CALLS(30, .server = Y);
    cr_expect_not(suspected(X));
}

Test(suspicion, another_cause_is_proven)
{
    static const enum cause proven[] = { CAUSE_PRIVATE_ADDRESS, CAUSE_PEER_GONE,   CAUSE_PORT_UNREACHABLE, CAUSE_SYMMETRIC_NAT,
                                         CAUSE_TURN_FAILED,     CAUSE_DTLS_FAILED, CAUSE_STUN_UNANSWERED };

    for (size_t i = 0; i < sizeof proven / sizeof *proven; i++) {
        teardown();
        setup();
        CALLS(15, FAIL, .server = X, .cause = proven[i]);
        CALLS(30, .server = Y);
        cr_expect_not(suspected(X), "%s", cause_word(proven[i]));
    }
}

Test(suspicion, calls_that_failed_for_another_reason_tell_nothing)
{
    CALLS(15, FAIL, .server = X);
    CALLS(9, FAIL, .server = X, .cause = CAUSE_PRIVATE_ADDRESS);
    CALLS(9, FAIL, .server = Y, .cause = CAUSE_PEER_GONE);
    CALLS(30, .server = Y);
    cr_expect(suspected(X));
}

Test(suspicion, it_was_right_before_and_after)
{
    CALLS(40, .server = X, .at_s = 0);
    CALLS(15, FAIL, .server = X, .at_s = 1000);
    CALLS(30, .server = Y, .at_s = 1000);
    CALLS(40, .server = X, .at_s = 2000);
    cr_expect(suspected(X));
}

Test(suspicion, all_failed_at_that_time)
{
    CALLS(40, .server = Y, .at_s = 0);
    CALLS(15, FAIL, .server = X, .at_s = 1000);
    CALLS(40, .server = Y, .at_s = 2000);
    cr_expect_not(suspected(X), "nobody shows that calls without it went well then");
}

Test(suspicion, it_fails_half_of_the_time)
{
    CALLS(15, FAIL, .server = X);
    CALLS(15, .server = X);
    CALLS(60, .server = Y);
    cr_expect_not(suspected(X));
}

Test(suspicion, four_calls_are_too_few)
{
    CALLS(4, FAIL, .server = X);
    CALLS(60, .server = Y);
    cr_expect_not(suspected(X));
}
