/*
 * TURN: whose doing it is that a relay is of no use. A server is named for what it refused or lost; what its client left undone is nobody's
 * fault but the client's, and steps that the client took (401, 438, 300) are no faults (rtpwatch/verdict/turn.c, turn_end.c).
 */
#include <criterion/criterion.h>

#include "support/story_turn.h"

#define TO_W   "wfrag:dfrag"
#define TO_D   "dfrag:wfrag"
#define W_SAYS SAYS(W_RTP, .ufrag = "wfrag", .cand = { { SDP_CAND_HOST, W_RTP_HOME, NULL }, { SDP_CAND_SRFLX, W_RTP, NULL } })
#define D_SAYS SAYS(D_RTP_OUT, .ufrag = "dfrag", .cand = { { SDP_CAND_HOST, D_RTP, NULL }, { SDP_CAND_SRFLX, D_RTP_OUT, D_RTP } })
#define D_SAYS_RELAY                                                                                                             \
    SAYS(RELAYED, .ufrag = "dfrag",                                                                                              \
         .cand = {                                                                                                               \
             { SDP_CAND_HOST, D_RTP, NULL }, { SDP_CAND_SRFLX, D_RTP_OUT, D_RTP }, { SDP_CAND_RELAY, RELAYED, D_RTP_OUT } })

static struct story *s;

static void setup(void)
{
    s = story_new(D_HOST);
    s->received[CALLER] = D_OUT;
    story_stun(s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
}

static void teardown(void)
{
    story_free(s);
}

TestSuite(turn_whose, .init = setup, .fini = teardown);

static bool told(const char *words)
{
    for (size_t i = 0; i < s->found->evidence_n; i++)
        if (strstr(s->found->evidence[i].text, words))
            return true;
    return false;
}

/* ---- no relay ---- */

static void allocate(const char *server, uint16_t error, unsigned silent)
{
    story_turn_ask(s, &(struct turns){ STUN_ALLOCATE, D_RTP, server, .credentials = true, .error = error, .silent = silent,
                                       .alternate = error == 300 ? TURN2 : NULL });
}

static void checks_in_vain(const struct says *d)
{
    story_up(s, d, W_SAYS);
    story_checks(s, D_RTP, W_RTP, TO_W, NULL);
    story_checks(s, D_RTP, W_RTP_HOME, TO_W, NULL);
    story_pass(s, 12 * 1000);
    story_bye(s, CALLER);
}

static void no_relay(const char *server, const char *words)
{
    checks_in_vain(D_SAYS);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_TURN_FAILED, .least = CONFIDENCE_LIKELY, .server = server);
    cr_expect(told(words), "\"%s\" is not told", words);
}

Test(turn_whose, sent_elsewhere_where_nobody_answers)
{
    allocate(TURN, 300, 0);
    allocate(TURN2, 0, 4);
    no_relay(TURN2, "TURN server 192.0.2.91:3478 was asked for a relay 4 times and never answered");
    cr_expect_not(told("300"));
}

Test(turn_whose, sent_elsewhere_and_refused_there)
{
    allocate(TURN, 300, 0);
    allocate(TURN2, 508, 0);
    no_relay(TURN2, "508 Insufficient Capacity");
}

Test(turn_whose, a_new_nonce_and_then_silence)
{
    allocate(TURN, 438, 0);
    allocate(TURN, 0, 4);
    no_relay(TURN, "was asked for a relay 4 times and never answered");
    cr_expect_not(told("438"));
}

Test(turn_whose, a_new_nonce_that_the_client_does_not_use)
{
    allocate(TURN, 438, 0);
    no_relay(NULL, "asked for a new nonce to give a relay (438 Stale Nonce), and the request was not repeated with it");
}

/* ---- it lets nobody through ---- */

static void permission(const char *peer, uint16_t error)
{
    story_turn_ask(s, &(struct turns){ STUN_CREATE_PERMISSION, D_RTP, TURN, .credentials = true, .peer = peer, .error = error });
}

/* What it permits for an address inside W's network is of no use to a relay outside. */
Test(turn_whose, the_outside_address_is_forbidden_and_the_inside_one_is_not)
{
    story_allocate(s, D_RTP, TURN, RELAYED);
    permission(W_RTP_HOME, 0);
    permission(W_RTP, 403);
    checks_in_vain(D_SAYS_RELAY);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_TURN_FAILED, .least = CONFIDENCE_LIKELY, .server = TURN);
    cr_expect(told("refused the permission for 198.51.100.20: 403 Forbidden"));
}

/* It was granted at the second time of asking. */
Test(turn_whose, forbidden_and_then_granted)
{
    story_allocate(s, D_RTP, TURN, RELAYED);
    permission(W_RTP, 403);
    permission(W_RTP, 0);
    checks_in_vain(D_SAYS_RELAY);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED);
}

/* ---- it ends in mid call ---- */

enum { FROM_D = 2, FROM_W = 3 };

static void talk_through_the_relay(unsigned ms)
{
    story_allocate(s, D_RTP, TURN, RELAYED);
    story_up(s, D_SAYS_RELAY, W_SAYS);
    story_permit(s, W_RTP);
    story_checks(s, RELAYED, W_RTP, TO_W, RELAYED);
    story_checks(s, W_RTP, RELAYED, TO_D, W_RTP);
    story_pass(s, 600);
    s->act[0].over = s->act[1].over = true;
    story_play(s, RELAYED, W_RTP, 1);
    story_play(s, W_RTP, RELAYED, 2);
    story_report(s, W_RTP, RELAYED, 2, 1);
    story_pass(s, ms);
}

static void refresh(uint16_t error)
{
    story_turn_ask(s, &(struct turns){ STUN_REFRESH, D_RTP, TURN, .credentials = true, .error = error });
}

/* 600 s after it was granted. The permission is kept. */
static void until_it_expires(void)
{
    for (unsigned i = 0; i < 2; i++) {
        story_pass(s, 4 * 60 * 1000);
        story_permit(s, W_RTP);
    }
    story_pass(s, 118 * 1000);
}

static void w_is_lost(unsigned ms)
{
    s->act[FROM_W].over = s->act[FROM_W + 1].over = true;
    story_pass(s, ms);
}

static void both_are_lost(enum confidence how, const char *server)
{
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_TURN_FAILED, .least = how, .most = how, .server = server);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_RECEIVED);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
}

/* W reported that it hears D, as long as the relay passed anything on. */
Test(turn_whose, it_expires_and_both_directions_are_lost)
{
    talk_through_the_relay(1000);
    until_it_expires();
    w_is_lost(30 * 1000);
    both_are_lost(CONFIDENCE_LIKELY, NULL);
    cr_expect(told("the client sent no Refresh in that time"));
}

Test(turn_whose, the_server_says_that_it_expired)
{
    talk_through_the_relay(1000);
    until_it_expires();
    w_is_lost(30 * 1000);
    refresh(437);
    both_are_lost(CONFIDENCE_PROVEN, NULL);
    cr_expect(told("The TURN server answers that there is no such allocation (437)."));
}

/* Why it expired is told, and not only what the server said when it had. */
Test(turn_whose, the_refresh_is_refused_and_then_it_is_gone)
{
    talk_through_the_relay(1000);
    refresh(441);
    until_it_expires();
    w_is_lost(30 * 1000);
    refresh(437);
    both_are_lost(CONFIDENCE_PROVEN, TURN);
    cr_expect(told("no later Refresh was granted"));
    cr_expect(told("refused to refresh the relay: 441 Wrong Credentials"));
    cr_expect_not(told("refused to refresh the relay: 437"));
}

/* It asked for the nonce that the Refresh then did not bring. */
Test(turn_whose, the_refresh_is_not_repeated_with_the_new_nonce)
{
    talk_through_the_relay(1000);
    refresh(438);
    until_it_expires();
    w_is_lost(30 * 1000);
    both_are_lost(CONFIDENCE_LIKELY, NULL);
    cr_expect(told("asked for a new nonce to go on (438 Stale Nonce)"));
}

Test(turn_whose, the_refresh_is_not_answered)
{
    talk_through_the_relay(1000);
    story_turn_ask(s, &(struct turns){ STUN_REFRESH, D_RTP, TURN, .credentials = true, .silent = 2 });
    until_it_expires();
    w_is_lost(30 * 1000);
    both_are_lost(CONFIDENCE_LIKELY, TURN);
    cr_expect(told("was asked for Refresh 2 times and never answered"));
}

/* The first time that the server says so is what counts; at the end of the call it says so again. */
Test(turn_whose, it_is_disowned_twice)
{
    talk_through_the_relay(60 * 1000);
    refresh(437);
    w_is_lost(30 * 1000);
    refresh(437);
    both_are_lost(CONFIDENCE_PROVEN, TURN);
    cr_expect(told("refused to refresh the relay: 437 Allocation Mismatch: it knows no such allocation"));
}

/* At the end of a call that went well it is given back twice, and the second time it is gone. */
Test(turn_whose, it_is_given_back_twice_at_the_end)
{
    talk_through_the_relay(60 * 1000);
    story_bye(s, CALLER);
    story_refresh(s, 0);
    refresh(437);
    EXPECT(s, .verdict = VERDICT_OK);
    EXPECT_DIRECTION(s, CALLER, DIR_RECEIVED);
    cr_expect_eq(s->found->warnings_n, 0);
}

Test(turn_whose, its_permission_is_refused_when_it_is_renewed)
{
    talk_through_the_relay(240 * 1000);
    permission(W_RTP, 403);
    story_pass(s, 60 * 1000);
    w_is_lost(30 * 1000);
    both_are_lost(CONFIDENCE_LIKELY, TURN);
    cr_expect(told("refused the permission for 198.51.100.20: 403 Forbidden"));
}

/* A second Allocate on the 5-tuple is refused (RFC 8656 §7.2), and the first goes on. */
Test(turn_whose, a_second_relay_is_refused_in_mid_call)
{
    talk_through_the_relay(20 * 1000);
    allocate(TURN, 437, 0);
    story_pass(s, 20 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_eq(s->found->warnings_n, 0);
}

/* ---- seen from the other side ---- */

static void w_hears_from_the_relays_port(const char *reporter)
{
    story_up(s, D_SAYS_RELAY, W_SAYS);
    story_play(s, W_RTP_HOME, RELAYED, 1);
    story_play(s, RELAYED, W_RTP_HOME, 2);
    story_pass(s, 10 * 1000);
    s->act[1].over = true;
    for (int i = 0; i < 3; i++)
        story_icmp(s, reporter, W_RTP_HOME, RELAYED, ICMP_PORT_UNREACHABLE);
    story_pass(s, 20 * 1000);
    story_bye(s, CALLEE);
}

/* The server closes the port of a relay that ended. Why it did is not seen at W. */
Test(turn_whose, the_other_partys_relay_is_closed)
{
    teardown();
    s = story_new(W_HOME);
    w_hears_from_the_relays_port("192.0.2.90");
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_TURN_FAILED, .least = CONFIDENCE_PROVEN);
    cr_expect(told("192.0.2.90:49152 is the relay of"));
}

/* Somebody else says so: a firewall in between, of which the relay knows nothing. */
Test(turn_whose, another_host_says_that_the_other_partys_relay_is_closed)
{
    teardown();
    s = story_new(W_HOME);
    w_hears_from_the_relays_port("192.0.2.1");
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PORT_UNREACHABLE);
}
