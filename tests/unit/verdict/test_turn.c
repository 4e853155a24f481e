/* TURN: relays that are refused, let nobody through, expire or die, and those that do not (SPEC §4; rtpwatch/verdict/turn.c). */
#include <criterion/criterion.h>

#include "support/story_turn.h"

#define TO_W   "wfrag:dfrag"
#define TO_D   "dfrag:wfrag"
#define W_SAYS SAYS(W_RTP, .ufrag = "wfrag", .cand = { { SDP_CAND_HOST, W_RTP_HOME, NULL }, { SDP_CAND_SRFLX, W_RTP, NULL } })
/* D offers its host address, what its STUN server said of it, and its relay. */
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

TestSuite(turn, .init = setup, .fini = teardown);

static void refuse(const char *server, uint16_t error, bool credentials)
{
    story_turn_ask(s, &(struct turns){ STUN_ALLOCATE, D_RTP, server, .credentials = credentials, .error = error });
}

/* D checks what W offered, and nobody answers. */
static void checks_in_vain(void)
{
    story_checks(s, D_RTP, W_RTP, TO_W, NULL);
    story_checks(s, D_RTP, W_RTP_HOME, TO_W, NULL);
    story_pass(s, 12 * 1000);
    story_bye(s, CALLER);
}

static bool told(const char *words)
{
    for (size_t i = 0; i < s->found->evidence_n; i++)
        if (strstr(s->found->evidence[i].text, words))
            return true;
    return false;
}

static bool warned(const char *words)
{
    for (size_t i = 0; i < s->found->warnings_n; i++)
        if (strcmp(s->found->warning[i].kind, "turn_refused") == 0 && strstr(s->found->warning[i].text, words))
            return true;
    return false;
}

/* ---- no relay is given ---- */

struct refused_case {
    uint16_t error;
    unsigned times;
    const char *words;
};

static void refused_with(const struct refused_case *c)
{
    refuse(TURN, 401, false);
    for (unsigned i = 0; i < c->times; i++)
        refuse(TURN, c->error, true);
    story_up(s, D_SAYS, W_SAYS);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_TURN_FAILED, .least = CONFIDENCE_LIKELY, .most = CONFIDENCE_LIKELY,
           .server = TURN);
    cr_expect(told(c->words), "%u is not told by \"%s\"", c->error, c->words);
}

Test(turn, refused_and_why)
{
    static const struct refused_case cases[] = {
        { 401, 1, "refused the allocation: 401 Unauthorized: the user name or the password is wrong." },
        { 401, 9, "401 Unauthorized: the user name or the password is wrong (9 times)." },
        { 403, 1, "403 Forbidden" },
        { 437, 1, "437 Allocation Mismatch: an older allocation of the same port" },
        { 438, 4, "438 Stale Nonce (4 times)" },
        { 441, 1, "441 Wrong Credentials" },
        { 442, 1, "442 Unsupported Transport Protocol" },
        { 486, 1, "TURN server 192.0.2.90:3478 refused the allocation: 486 Allocation Quota Reached" },
        { 508, 1, "508 Insufficient Capacity: it has no relay address left" },
        { 699, 1, "refused the allocation: 699." },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        teardown();
        setup();
        refused_with(&cases[i]);
    }
}

Test(turn, refused_and_sent_elsewhere)
{
    story_turn_ask(s, &(struct turns){ STUN_ALLOCATE, D_RTP, TURN, .error = 300, .alternate = TURN2 });
    story_up(s, D_SAYS, W_SAYS);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_TURN_FAILED);
    cr_expect(told("sent the client to another server, 192.0.2.91:3478 (300 Try Alternate), which was never asked"));
}

Test(turn, sent_elsewhere_and_given_there)
{
    story_turn_ask(s, &(struct turns){ STUN_ALLOCATE, D_RTP, TURN, .error = 300, .alternate = TURN2 });
    story_allocate(s, D_RTP, TURN2, RELAYED);
    story_up(s, D_SAYS, W_SAYS);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED);
    cr_expect_eq(story_server(s, TURN).refused, 0);
}

Test(turn, no_credentials_are_sent)
{
    refuse(TURN, 401, false);
    story_up(s, D_SAYS, W_SAYS);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_TURN_FAILED);
    cr_expect(told("asked for credentials to give a relay (401 Unauthorized), and none were sent"));
}

Test(turn, does_not_answer)
{
    story_turn_ask(s, &(struct turns){ STUN_ALLOCATE, D_RTP, TURN, .silent = 4 });
    story_up(s, D_SAYS, W_SAYS);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_TURN_FAILED, .server = TURN);
    cr_expect(told("was asked for a relay 4 times and never answered"));
}

/* A challenge met, and an old nonce replaced, are how authentication goes (RFC 8489 §9.2). */
Test(turn, challenged_and_stale_and_then_given)
{
    struct server_finding row;

    refuse(TURN, 401, false);
    refuse(TURN, 438, true);
    story_allocate(s, D_RTP, TURN, RELAYED);
    story_up(s, D_SAYS, W_SAYS);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED);
    row = story_server(s, TURN);
    cr_expect(row.refused == 0 && row.errors == 0 && row.allocations == 1);
}

/* As aioice asks: each server from a socket of its own, which no description names unless a relay comes of it. */
#define D_ASKS D_HOST ":47570"

static void refuse_beside(uint16_t error)
{
    story_turn_ask(s, &(struct turns){ STUN_ALLOCATE, D_ASKS, TURN, .error = 401 });
    story_turn_ask(s, &(struct turns){ STUN_ALLOCATE, D_ASKS, TURN, .credentials = true, .error = error });
}

Test(turn, refused_to_a_socket_of_its_own)
{
    refuse_beside(486);
    story_up(s, D_SAYS, W_SAYS);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_TURN_FAILED, .least = CONFIDENCE_LIKELY, .most = CONFIDENCE_LIKELY,
           .server = TURN);
    cr_expect(told("486"));
}

Test(turn, refused_to_another_socket_long_before)
{
    refuse_beside(486);
    story_pass(s, 30 * 1000);
    story_up(s, D_SAYS, W_SAYS);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_SUSPECTED);
}

Test(turn, refused_to_another_socket_and_two_calls_begin)
{
    refuse_beside(486);
    story_up(s, D_SAYS, W_SAYS);
    story_call(s, "another@story", D_HOST ":5060", PROXY ":5060");
    story_request(s, CALLER, SIP_INVITE, SAYS(D_HOST ":12000"));
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED, .most = CONFIDENCE_SUSPECTED);
}

Test(turn, one_server_refuses_and_another_gives)
{
    refuse(TURN2, 486, true);
    story_allocate(s, D_RTP, TURN, RELAYED);
    story_up(s, D_SAYS_RELAY, W_SAYS);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED);
}

/* Of what two servers say the code tells more than the silence. */
Test(turn, one_server_refuses_and_another_is_silent)
{
    refuse(TURN2, 508, true);
    story_turn_ask(s, &(struct turns){ STUN_ALLOCATE, D_RTP, TURN, .silent = 4 });
    story_up(s, D_SAYS, W_SAYS);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_TURN_FAILED, .server = TURN2);
}

/* The relay of an earlier call on the same port was given back: it is none of this call's. */
Test(turn, refused_where_an_earlier_call_had_one)
{
    story_allocate(s, D_RTP, TURN, RELAYED);
    story_refresh(s, 0);
    story_pass(s, 5000);
    refuse(TURN, 486, true);
    story_up(s, D_SAYS, W_SAYS);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_TURN_FAILED, .server = TURN);
}

/* W has a relay, and that did not help either. */
Test(turn, refused_where_the_other_party_has_one)
{
    refuse(TURN, 486, true);
    story_up(s, D_SAYS,
             SAYS(W_RTP, .ufrag = "wfrag", .cand = { { SDP_CAND_SRFLX, W_RTP, NULL }, { SDP_CAND_RELAY, TURN2, NULL } }));
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_TURN_FAILED, .most = CONFIDENCE_SUSPECTED, .server = TURN);
}

/* A STUN server lied: that is the reason, and who else refused is not. */
Test(turn, refused_where_a_stun_server_lies)
{
    story_stun(s, &(struct asks){ D_RTP, LIAR, .mapped = STRANGER ":10000" });
    refuse(TURN, 486, true);
    story_up(s,
             SAYS(STRANGER ":10000", .ufrag = "dfrag",
                  .cand = { { SDP_CAND_HOST, D_RTP, NULL }, { SDP_CAND_SRFLX, STRANGER ":10000", D_RTP } }),
             W_SAYS);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_BAD_CANDIDATE, .least = CONFIDENCE_PROVEN, .server = LIAR);
}

static void connect_and_talk(const char *d, const char *d_outside, unsigned ms)
{
    story_checks(s, d, W_RTP, TO_W, d_outside);
    story_checks(s, W_RTP, d, TO_D, W_RTP);
    story_pass(s, 600);
    s->act[0].over = s->act[1].over = true;
    story_play(s, d, W_RTP, 1);
    story_play(s, W_RTP, d, 2);
    story_pass(s, ms);
}

Test(turn, refused_and_not_needed)
{
    refuse(TURN, 401, false);
    refuse(TURN, 486, true);
    story_up(s, D_SAYS, W_SAYS);
    connect_and_talk(D_RTP, D_RTP_OUT, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect(warned("486 Allocation Quota Reached: the user has all relays that it may have; the call did not need it."));
}

Test(turn, given_and_not_needed)
{
    refuse(TURN2, 486, true);
    story_allocate(s, D_RTP, TURN, RELAYED);
    story_up(s, D_SAYS_RELAY, W_SAYS);
    connect_and_talk(D_RTP, D_RTP_OUT, 10 * 1000);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_OK);
    cr_expect_eq(s->found->warnings_n, 0);
}

/* ---- its row ---- */

Test(turn, who_refuses_does_not_lie)
{
    struct server_finding row[4];

    refuse(TURN, 401, false);
    refuse(TURN, 401, true);
    refuse(TURN, 401, true);
    story_up(s, D_SAYS, W_SAYS);
    checks_in_vain();
    story_judge(s, 0);
    cr_assert(s->track->servers.used <= 4 && s->found->server != POOL_NONE);
    judge_servers(&s->view, row);
    server_add_session(row, s->found);
    server_conclude(&row[s->found->server]);
    cr_expect_eq(row[s->found->server].verdict, SERVER_UNKNOWN);
    cr_expect_eq(row[s->found->server].refused, 2);
    cr_expect_eq(row[s->found->server].failed_sessions, 1);
    cr_expect_eq(row[s->found->server].sessions, 1);
}

/* ---- it lets nobody through ---- */

static void permission(const char *peer, uint16_t error)
{
    story_turn_ask(s, &(struct turns){ STUN_CREATE_PERMISSION, D_RTP, TURN, .credentials = true, .peer = peer, .error = error });
}

Test(turn, permission_refused)
{
    story_allocate(s, D_RTP, TURN, RELAYED);
    story_up(s, D_SAYS_RELAY, W_SAYS);
    permission(W_RTP, 403);
    permission(W_RTP_HOME, 403);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_TURN_FAILED, .least = CONFIDENCE_LIKELY, .server = TURN);
    cr_expect(told("refused the permission for 198.51.100.20: 403 Forbidden: its rules do not allow it."));
}

/* A server that lets no private address through does right. */
Test(turn, permission_refused_for_the_inside_address)
{
    story_allocate(s, D_RTP, TURN, RELAYED);
    story_up(s, D_SAYS_RELAY, W_SAYS);
    permission(W_RTP_HOME, 403);
    permission(W_RTP, 438);
    permission(W_RTP, 0);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED);
}

/* Seen beyond the relay as well: W's checks reach it, and it has no permission for W. */
Test(turn, permission_never_asked)
{
    story_allocate(s, D_RTP, TURN, RELAYED);
    story_up(s, D_SAYS_RELAY, W_SAYS);
    s->beyond_relay = true;
    story_checks(s, W_RTP, RELAYED, TO_D, NULL);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_TURN_FAILED, .least = CONFIDENCE_LIKELY);
    cr_expect(told("no permission for it was asked"));
}

Test(turn, permission_asked_and_given)
{
    story_allocate(s, D_RTP, TURN, RELAYED);
    story_up(s, D_SAYS_RELAY, W_SAYS);
    story_permit(s, W_RTP);
    s->beyond_relay = true;
    story_checks(s, W_RTP, RELAYED, TO_D, NULL);
    checks_in_vain();
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_PATH_BLOCKED);
}

/* ---- media went through it ---- */

enum { FROM_D = 2, FROM_W = 3 }; /* acts of connect_and_talk() */

/* A call through D's relay that has gone on for so long. */
static void talk_through_the_relay(unsigned ms)
{
    story_allocate(s, D_RTP, TURN, RELAYED);
    story_up(s, D_SAYS_RELAY, W_SAYS);
    story_permit(s, W_RTP);
    connect_and_talk(RELAYED, RELAYED, ms);
}

/* From here on W is no more heard, for whatever reason; D goes on. */
static void w_is_lost(unsigned ms)
{
    s->act[FROM_W].over = true;
    story_pass(s, ms);
}

static void nobody_is_blamed(void)
{
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PEER_GONE);
}

static void the_relay_is_why(enum confidence how, const char *server)
{
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_TURN_FAILED, .least = how, .most = how, .server = server);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
    cr_expect(story_direction(s, CALLEE)->stopped.frame);
}

static void keep(unsigned minutes)
{
    for (unsigned i = 0; i < minutes; i += 4) {
        story_pass(s, 4 * 60 * 1000);
        story_permit(s, W_RTP);
    }
}

Test(turn, a_good_call_through_a_relay)
{
    talk_through_the_relay(1000);
    keep(8);
    story_turn_ask(s, &(struct turns){ STUN_REFRESH, D_RTP, TURN, .credentials = true, .error = 438 });
    story_refresh(s, 600);
    keep(8);
    story_bye(s, CALLER);
    story_refresh(s, 0);
    EXPECT(s, .verdict = VERDICT_OK);
    EXPECT_DIRECTION(s, CALLER, DIR_RECEIVED);
    EXPECT_DIRECTION(s, CALLEE, DIR_RECEIVED);
    cr_expect_eq(s->found->warnings_n, 0);
}

Test(turn, it_expires)
{
    talk_through_the_relay(1000);
    keep(8);
    story_pass(s, 119 * 1000);
    w_is_lost(30 * 1000);
    the_relay_is_why(CONFIDENCE_LIKELY, NULL);
    cr_expect(told("granted the relay for 600 s here, and the client sent no Refresh in that time"));
}

Test(turn, the_other_party_goes_and_then_it_expires)
{
    talk_through_the_relay(1000);
    keep(8);
    w_is_lost(150 * 1000);
    nobody_is_blamed();
}

Test(turn, it_is_refreshed_and_the_other_party_goes)
{
    talk_through_the_relay(1000);
    keep(8);
    story_refresh(s, 600);
    story_pass(s, 119 * 1000);
    w_is_lost(30 * 1000);
    nobody_is_blamed();
}

Test(turn, it_is_disowned)
{
    talk_through_the_relay(60 * 1000);
    story_turn_ask(s, &(struct turns){ STUN_REFRESH, D_RTP, TURN, .credentials = true, .error = 437 });
    w_is_lost(30 * 1000);
    the_relay_is_why(CONFIDENCE_PROVEN, TURN);
    cr_expect(told("refused to refresh the relay: 437 Allocation Mismatch: it knows no such allocation"));
}

/* A 437 to some other request than the allocation's own, and media goes on. */
Test(turn, it_is_disowned_and_goes_on)
{
    talk_through_the_relay(60 * 1000);
    story_turn_ask(s, &(struct turns){ STUN_REFRESH, D_RTP, TURN, .credentials = true, .error = 437 });
    story_pass(s, 60 * 1000);
    w_is_lost(30 * 1000);
    nobody_is_blamed();
}

Test(turn, the_refresh_is_refused_until_it_expires)
{
    talk_through_the_relay(1000);
    keep(8);
    story_turn_ask(s, &(struct turns){ STUN_REFRESH, D_RTP, TURN, .credentials = true, .error = 441 });
    story_pass(s, 119 * 1000);
    w_is_lost(30 * 1000);
    the_relay_is_why(CONFIDENCE_PROVEN, TURN);
    cr_expect(told("441 Wrong Credentials"));
}

/* What else the server refuses in that time, rightly, is not the reason. */
Test(turn, it_expires_and_something_else_is_refused)
{
    talk_through_the_relay(1000);
    keep(8);
    permission(W_RTP_HOME, 403);
    story_pass(s, 119 * 1000);
    w_is_lost(30 * 1000);
    the_relay_is_why(CONFIDENCE_LIKELY, NULL);
    cr_expect_not(told("403"));
}

Test(turn, it_is_given_back_too_early)
{
    talk_through_the_relay(20 * 1000);
    story_refresh(s, 0);
    w_is_lost(30 * 1000);
    the_relay_is_why(CONFIDENCE_LIKELY, NULL);
    cr_expect(told("gave the relay back"));
}

Test(turn, it_dies)
{
    talk_through_the_relay(30 * 1000);
    w_is_lost(2000);
    story_turn_ask(s, &(struct turns){ STUN_REFRESH, D_RTP, TURN, .credentials = true, .silent = 5 });
    story_pass(s, 20 * 1000);
    the_relay_is_why(CONFIDENCE_LIKELY, TURN);
    cr_expect(told("last packet of TURN server"));
}

/* Nothing else reaches the host either: it may be its own network. */
Test(turn, it_dies_or_the_clients_network_does)
{
    talk_through_the_relay(30 * 1000);
    w_is_lost(2000);
    story_turn_ask(s, &(struct turns){ STUN_REFRESH, D_RTP, TURN, .credentials = true, .silent = 5 });
    story_pass(s, 20 * 1000);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_TURN_FAILED, .most = CONFIDENCE_SUSPECTED, .server = TURN);
}

/* It gave the relay, and never did anything with it: ChannelBind and Refresh, each sent once, are not answered. */
Test(turn, it_dies_before_it_relays_anything)
{
    story_allocate(s, D_RTP, TURN, RELAYED);
    story_up(s, D_SAYS_RELAY, W_SAYS);
    story_turn_ask(
        s, &(struct turns){ STUN_CHANNEL_BIND, D_RTP, TURN, .credentials = true, .peer = W_RTP, .channel = 0x4000, .silent = 1 });
    story_play(s, RELAYED, W_RTP, 1);
    story_pass(s, 10 * 1000);
    story_turn_ask(s, &(struct turns){ STUN_REFRESH, D_RTP, TURN, .credentials = true, .silent = 1 });
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_TURN_FAILED, .least = CONFIDENCE_LIKELY, .server = TURN);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_RECEIVED);
}

/* The same, but it answers: the other party is the silent one. */
Test(turn, it_lives_and_has_nothing_to_relay)
{
    story_allocate(s, D_RTP, TURN, RELAYED);
    story_up(s, D_SAYS_RELAY, W_SAYS);
    story_permit(s, W_RTP);
    story_play(s, RELAYED, W_RTP, 1);
    story_pass(s, 10 * 1000);
    story_refresh(s, 600);
    story_bye(s, CALLER);
    EXPECT(s, .verdict = VERDICT_ONE_WAY, .cause = CAUSE_PATH_BLOCKED);
}

Test(turn, it_dies_and_its_host_says_so)
{
    talk_through_the_relay(30 * 1000);
    w_is_lost(100);
    for (int i = 0; i < 3; i++)
        story_icmp(s, "192.0.2.90", D_RTP, TURN, ICMP_PORT_UNREACHABLE);
    story_pass(s, 20 * 1000);
    the_relay_is_why(CONFIDENCE_PROVEN, TURN);
}

/* The relay answers: it is the other party that is gone. */
Test(turn, it_lives_and_the_other_party_goes)
{
    talk_through_the_relay(30 * 1000);
    w_is_lost(2000);
    story_refresh(s, 600);
    story_pass(s, 20 * 1000);
    nobody_is_blamed();
}

/* One request in a capture that lost packets says little. */
Test(turn, it_seems_to_die_in_a_capture_with_drops)
{
    talk_through_the_relay(30 * 1000);
    w_is_lost(2000);
    story_turn_ask(s, &(struct turns){ STUN_REFRESH, D_RTP, TURN, .credentials = true, .silent = 5 });
    story_pass(s, 20 * 1000);
    story_bye(s, CALLER);
    s->options.dropped = true;
    cr_expect_neq(story_judge(s, 0)->cause, CAUSE_TURN_FAILED);
}

/* Five minutes after it was asked for the last time, the permission ends (RFC 8656 §9). */
Test(turn, its_permission_lapses)
{
    talk_through_the_relay(300 * 1000);
    w_is_lost(30 * 1000);
    the_relay_is_why(CONFIDENCE_LIKELY, NULL);
    cr_expect(told("without a permission"));
}

/* D sends before it asks; then it asks, and is granted. W is silent for another reason. */
Test(turn, its_permission_comes_late)
{
    story_allocate(s, D_RTP, TURN, RELAYED);
    story_up(s, D_SAYS_RELAY, W_SAYS);
    connect_and_talk(RELAYED, RELAYED, 1000);
    w_is_lost(100);
    story_permit(s, W_RTP);
    story_pass(s, 30 * 1000);
    nobody_is_blamed();
}

Test(turn, its_permission_is_kept_by_a_channel)
{
    talk_through_the_relay(240 * 1000);
    story_turn_ask(s, &(struct turns){ STUN_CHANNEL_BIND, D_RTP, TURN, .credentials = true, .peer = W_RTP, .channel = 0x4000 });
    story_pass(s, 60 * 1000);
    w_is_lost(30 * 1000);
    nobody_is_blamed();
}
