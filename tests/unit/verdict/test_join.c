/* One call told at two or three places at once: what left here and did not arrive there (SPEC §2, vantage). */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/story.h"
#include "verdict/report.h"

#define NAT_HOST NULL
#define RELAY_D  "192.0.2.80:30000" /* a B2BUA's two sides */
#define RELAY_W  "192.0.2.80:30002"
#define D_SSRC   0xd0d0d0d0u
#define W_SSRC   0xa0a0a0a0u
#define TO_W     "wfrag:dfrag"
#define TO_D     "dfrag:wfrag"

enum { DIALER, PHONE, NAT, PLACES };

/* The dialer's host, the webphone's, and where asked for the way between them, outside the webphone's NAT. */
struct world {
    size_t n;
    struct story *at[PLACES];
    struct report report;
    struct session_finding found;
    bool judged;
};

static struct world *world_new(size_t n)
{
    static const char *const hosts[PLACES] = { D_HOST, W_HOME, NAT_HOST };
    struct world *w = calloc(1, sizeof *w);

    cr_assert_not_null(w);
    w->n = n;
    for (size_t i = 0; i < n; i++) {
        w->at[i] = story_new(hosts[i]);
        w->at[i]->frame = (uint64_t)i << 40; /* frame_id() of another input */
    }
    story_call(w->at[DIALER], "call-1@dialer", D_HOST ":5060", PROXY ":5060");
    story_call(w->at[PHONE], "call-1@dialer", PROXY ":5060", W_HOME ":5060");
    if (n > NAT)
        story_call(w->at[NAT], "call-1@dialer", PROXY ":5060", W_OUT ":5060");
    return w;
}

static void world_free(struct world *w)
{
    if (w->judged)
        session_finding_done(&w->found);
    report_done(&w->report);
    for (size_t i = 0; i < w->n; i++)
        story_free(w->at[i]);
    free(w);
}

static void up(struct world *w, const struct says *caller, const struct says *callee)
{
    for (size_t i = 0; i < w->n; i++)
        story_up(w->at[i], caller, callee);
}

static void pass(struct world *w, unsigned ms)
{
    for (size_t i = 0; i < w->n; i++)
        story_pass(w->at[i], ms);
}

static void hush(struct world *w)
{
    for (size_t i = 0; i < w->n; i++)
        story_hush(w->at[i]);
}

static void bye(struct world *w)
{
    for (size_t i = 0; i < w->n; i++)
        story_bye(w->at[i], CALLER);
}

/* D's media, as it leaves, as it passes and as it arrives. */
static void d_plays(struct world *w, bool arrives)
{
    story_play(w->at[DIALER], D_RTP, W_RTP, D_SSRC);
    if (w->n > NAT)
        story_play(w->at[NAT], D_RTP_OUT, W_RTP, D_SSRC);
    if (arrives)
        story_play(w->at[PHONE], D_RTP_OUT, W_RTP_HOME, D_SSRC);
}

static void w_plays(struct world *w, bool arrives)
{
    story_play(w->at[PHONE], W_RTP_HOME, D_RTP_OUT, W_SSRC);
    if (w->n > NAT)
        story_play(w->at[NAT], W_RTP, D_RTP_OUT, W_SSRC);
    if (arrives)
        story_play(w->at[DIALER], W_RTP, D_RTP, W_SSRC);
}

static const struct session_finding *judge(struct world *w, uint32_t session)
{
    static const char *const names[PLACES] = { "dialer", "phone", "nat" };
    struct vantage_input in[PLACES];

    for (size_t i = 0; i < w->n; i++)
        in[i] = (struct vantage_input){
            .name = names[i], .track = w->at[i]->track, .options = { .several = true }, .now_ns = w->at[i]->now_ns
        };
    if (w->judged)
        session_finding_done(&w->found);
    report_done(&w->report);
    cr_assert(report_make(&w->report, in, w->n));
    cr_assert_lt(session, w->report.sessions);
    report_judge(&w->report, session, &w->found);
    w->judged = true;
    return &w->found;
}

static size_t times_told(const struct session_finding *f, const char *words)
{
    size_t n = 0;

    for (size_t i = 0; i < f->evidence_n; i++)
        n += strstr(f->evidence[i].text, words) != NULL;
    return n;
}

/* Fails with all that was told. */
static void expect_told(struct world *w, const char *words, size_t n)
{
    struct strbuf all = { 0 };

    for (size_t i = 0; i < w->found.evidence_n; i++)
        strbuf_fmt(&all, "\n%s", w->found.evidence[i].text);
    cr_expect_eq(times_told(&w->found, words), n, "'%s' is not told %zu times:%s", words, n, strbuf_str(&all));
    strbuf_done(&all);
}

static const struct direction_finding *from(const struct session_finding *f, enum party p)
{
    for (size_t i = 0; i < f->directions_n; i++)
        if (f->direction[i].from == p)
            return &f->direction[i];
    return NULL;
}

/* ---- what left here and did not arrive there ---- */

Test(join, arrives_at_both)
{
    struct world *w = world_new(2);
    const struct session_finding *f;

    up(w, SAYS(D_RTP_OUT), SAYS(W_RTP));
    d_plays(w, true);
    w_plays(w, true);
    pass(w, 10000);
    hush(w);
    bye(w);
    f = judge(w, 0);
    cr_expect_eq(w->report.sessions, 1);
    cr_expect_eq(f->verdict, VERDICT_OK);
    expect_told(w, "none arrived", 0);
    expect_told(w,
                "500 packets of SSRC 0xd0d0d0d0 left " D_RTP " for " W_RTP " (dialer); 500 arrived at " W_RTP_HOME
                " from " D_RTP_OUT " (phone).",
                1);
    cr_expect_eq(from(f, CALLER)->sent, 500);
    cr_expect_eq(from(f, CALLER)->received, 500);
    world_free(w);
}

Test(join, lost_between)
{
    struct world *w = world_new(2);
    const struct session_finding *f;

    up(w, SAYS(D_RTP_OUT), SAYS(W_RTP));
    d_plays(w, true);
    w_plays(w, false);
    pass(w, 10000);
    hush(w);
    bye(w);
    f = judge(w, 0);
    cr_expect_eq(f->verdict, VERDICT_ONE_WAY);
    cr_expect_eq(f->cause, CAUSE_PATH_BLOCKED);
    cr_expect_eq(from(f, CALLEE)->verdict, DIR_NOT_RECEIVED);
    expect_told(w, "500 packets of SSRC 0xa0a0a0a0 left " W_RTP_HOME " for " D_RTP_OUT " (phone); none arrived at dialer.", 1);
    world_free(w);
}

/* At the phone it looks as if the dialer were mute, since its reports come; the dialer's own vantage takes that back. */
Test(join, who_is_seen_to_send_is_not_mute)
{
    struct world *w = world_new(2);
    const struct session_finding *f;

    up(w, SAYS(D_RTP_OUT), SAYS(W_RTP));
    d_plays(w, false);
    w_plays(w, true);
    story_report(w->at[DIALER], D_HOST ":10001", W_OUT ":40001", D_SSRC, W_SSRC)->srtcp = true;
    story_report(w->at[PHONE], D_OUT ":10001", W_HOME ":40001", D_SSRC, W_SSRC)->srtcp = true;
    pass(w, 10000);
    hush(w);
    bye(w);
    f = judge(w, 0);
    cr_expect_eq(f->verdict, VERDICT_ONE_WAY);
    cr_expect_eq(from(f, CALLER)->verdict, DIR_NOT_RECEIVED);
    expect_told(w, "sends no media", 0);
    expect_told(w, "none arrived at phone", 1);
    world_free(w);
}

Test(join, who_is_mute_at_its_own_vantage_stays_so)
{
    struct world *w = world_new(2);
    const struct session_finding *f;

    up(w, SAYS(D_RTP_OUT), SAYS(W_RTP));
    w_plays(w, true);
    story_report(w->at[DIALER], D_HOST ":10001", W_OUT ":40001", D_SSRC, W_SSRC)->srtcp = true;
    story_report(w->at[PHONE], D_OUT ":10001", W_HOME ":40001", D_SSRC, W_SSRC)->srtcp = true;
    pass(w, 10000);
    hush(w);
    bye(w);
    f = judge(w, 0);
    cr_expect_eq(f->verdict, VERDICT_OK);
    cr_expect_eq(from(f, CALLER)->verdict, DIR_NOT_SENT);
    world_free(w);
}

/* ---- what the server told, and to whom ---- */

/* The phone's server lies to it. At the dialer the lie is seen and not who told it; at the phone it is the other way round. */
static void phone_is_lied_to(struct world *w)
{
    story_stun(w->at[PHONE], &(struct asks){ W_RTP_HOME, LIAR, .mapped = STRANGER ":40000" });
    up(w, SAYS(D_RTP_OUT), SAYS(STRANGER ":40000"));
    story_play(w->at[DIALER], D_RTP, STRANGER ":40000", D_SSRC);
    w_plays(w, true);
    pass(w, 10000);
    bye(w);
}

Test(join, the_server_is_named_at_the_other_place)
{
    struct world *w = world_new(2);
    const struct session_finding *f;

    phone_is_lied_to(w);
    f = judge(w, 0);
    cr_expect_eq(f->cause, CAUSE_BAD_CANDIDATE);
    cr_expect_eq(f->confidence, CONFIDENCE_PROVEN, "packets of that socket arrive at the dialer from elsewhere");
    expect_told(w, "STUN server " LIAR " answered " STRANGER ":40000.", 1);
    expect_told(w, "outside this capture", 0);
    cr_assert_neq(f->server, POOL_NONE);
    cr_expect_eq(w->report.server[f->server].addr.port, 19302);
    expect_told(w, "none arrived at phone", 1);
    world_free(w);
}

/* Another operator's server told the phone the same: its NAT has two outside addresses, and nobody lied. */
Test(join, a_server_that_another_one_confirms)
{
    struct world *w = world_new(2);

    story_stun(w->at[PHONE], &(struct asks){ W_RTP_HOME, "198.18.40.1:3478", .mapped = STRANGER ":40000" });
    phone_is_lied_to(w);
    cr_expect_eq(judge(w, 0)->server, POOL_NONE);
    world_free(w);
}

/* The address in the SDP was set by hand: the server that told the phone another one is not the teller. */
Test(join, a_server_that_told_another_address)
{
    struct world *w = world_new(2);
    const struct session_finding *f;

    story_stun(w->at[PHONE], &(struct asks){ W_RTP_HOME, HONEST, .mapped = W_RTP });
    up(w, SAYS(D_RTP_OUT), SAYS(STRANGER ":40000"));
    story_play(w->at[DIALER], D_RTP, STRANGER ":40000", D_SSRC);
    w_plays(w, true);
    pass(w, 10000);
    hush(w);
    bye(w);
    f = judge(w, 0);
    cr_expect_eq(f->cause, CAUSE_BAD_CANDIDATE);
    cr_expect_eq(f->server, POOL_NONE);
    cr_expect_neq(w->report.server[0].verdict, SERVER_BAD);
    world_free(w);
}

/* One SIP message seen twice is told once: at the phone in other words than at the dialer. */
Test(join, one_message_is_told_once)
{
    struct world *w = world_new(2);

    story_stun(w->at[DIALER], &(struct asks){ D_RTP, LIAR, .mapped = STRANGER ":10000" });
    story_stun(w->at[DIALER], &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
    w->at[DIALER]->received[CALLER] = D_OUT;
    up(w, SAYS(STRANGER ":10000"), SAYS(W_RTP));
    d_plays(w, true);
    story_play(w->at[PHONE], W_RTP_HOME, STRANGER ":10000", W_SSRC);
    pass(w, 10000);
    hush(w);
    bye(w);
    judge(w, 0);
    expect_told(w, "dialer told the other party to send to " STRANGER ":10000.", 1);
    expect_told(w, "dialer advertised " STRANGER ":10000.", 0);
    world_free(w);
}

/* The same STUN question seen on its way is one question. */
Test(join, one_question_at_two_places)
{
    struct world *w = world_new(3);

    story_stun(w->at[PHONE], &(struct asks){ W_RTP_HOME, HONEST, .mapped = W_RTP });
    w->at[NAT]->frame = w->at[PHONE]->frame - 2; /* the story makes transaction ids of frame numbers */
    story_stun(w->at[NAT], &(struct asks){ W_RTP, HONEST, .mapped = W_RTP });
    up(w, SAYS(D_RTP_OUT), SAYS(W_RTP));
    d_plays(w, true);
    w_plays(w, true);
    pass(w, 5000);
    judge(w, 0);
    cr_assert_eq(w->report.servers, 1);
    cr_expect_eq(w->report.server[0].requests, 1);
    cr_expect_eq(w->report.server[0].responses, 1);
    cr_expect_eq(w->report.server[0].mappings, 1);
    cr_expect_eq(w->report.server[0].unanswered, 0);
    world_free(w);
}

/* Two places ask one server: two questions. */
Test(join, two_questions_at_two_places)
{
    struct world *w = world_new(2);

    story_stun(w->at[PHONE], &(struct asks){ W_RTP_HOME, HONEST, .mapped = W_RTP });
    story_stun(w->at[DIALER], &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
    up(w, SAYS(D_RTP_OUT), SAYS(W_RTP));
    judge(w, 0);
    cr_assert_eq(w->report.servers, 1);
    cr_expect_eq(w->report.server[0].requests, 2);
    cr_expect_eq(w->report.server[0].responses, 2);
    world_free(w);
}

/* ---- a place between ---- */

Test(join, passed_and_did_not_arrive)
{
    struct world *w = world_new(3);
    const struct session_finding *f;

    up(w, SAYS(D_RTP_OUT), SAYS(W_RTP));
    d_plays(w, false);
    w_plays(w, true);
    pass(w, 10000);
    hush(w);
    bye(w);
    f = judge(w, 0);
    cr_expect_eq(f->verdict, VERDICT_ONE_WAY);
    expect_told(w, "500 packets of SSRC 0xd0d0d0d0 passed nat, from " D_RTP_OUT " to " W_RTP ", and did not arrive at phone.", 1);
    expect_told(w, "0xa0a0a0a0 passed nat", 0);
    world_free(w);
}

Test(join, lost_before_the_place_between)
{
    struct world *w = world_new(3);
    const struct session_finding *f;

    up(w, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(w->at[DIALER], D_RTP, W_RTP, D_SSRC);
    w_plays(w, true);
    pass(w, 10000);
    hush(w);
    bye(w);
    f = judge(w, 0);
    cr_expect_eq(f->verdict, VERDICT_ONE_WAY);
    expect_told(w, "none is seen to pass nat.", 1);
    expect_told(w, "passed nat", 0);
    world_free(w);
}

/* What passes between is no arrival, and the ends decide: in whatever order the files are given. */
Test(join, a_place_between_receives_nothing)
{
    struct world *w = world_new(3);
    struct story *nat = w->at[NAT];
    const struct session_finding *f;

    up(w, SAYS(D_RTP_OUT), SAYS(W_RTP));
    d_plays(w, true);
    w_plays(w, true);
    pass(w, 10000);
    bye(w);
    w->at[NAT] = w->at[DIALER];
    w->at[DIALER] = nat;
    f = judge(w, 0);
    cr_expect_eq(f->verdict, VERDICT_OK);
    cr_expect(from(f, CALLEE)->received_seen);
    cr_expect_eq(from(f, CALLEE)->received_at, NAT, "where the dialer is now");
    world_free(w);
}

/* ---- clocks ---- */

static void phone_is_ahead(struct world *w, int64_t ns)
{
    w->at[PHONE]->now_ns += ns;
}

Test(join, clocks_that_differ)
{
    struct world *w = world_new(2);
    const struct session_finding *f;
    int64_t before = 0;

    phone_is_ahead(w, 3200 * (int64_t)NS_PER_MS);
    up(w, SAYS(D_RTP_OUT), SAYS(W_RTP));
    d_plays(w, true);
    w_plays(w, false);
    pass(w, 10000);
    hush(w);
    bye(w);
    f = judge(w, 0);
    cr_expect_eq(w->report.vantage[PHONE].offset.ns, 3200 * (int64_t)NS_PER_MS);
    cr_expect(offset_counts(&w->report.vantage[PHONE].offset));
    cr_expect_eq(f->verdict, VERDICT_ONE_WAY);
    cr_expect_eq(f->started.ns, w->at[DIALER]->track->first.ns, "by the dialer's clock, and not by the phone's");
    cr_expect_eq(f->answered.ns, ((struct call *)track_call_at(w->at[DIALER]->track, 0))->answered.ns);
    for (size_t i = 0; i < f->evidence_n; i++) {
        if (!f->evidence[i].at.frame)
            continue;
        cr_expect_geq(f->evidence[i].at.ns, before, "told in time");
        before = f->evidence[i].at.ns;
        cr_expect_leq(before, w->at[DIALER]->now_ns);
    }
    expect_told(w, "none arrived at dialer", 1);
    cr_expect_eq(w->report.now_ns, w->at[DIALER]->now_ns);
    world_free(w);
}

Test(join, clocks_that_agree)
{
    struct world *w = world_new(2);

    up(w, SAYS(D_RTP_OUT), SAYS(W_RTP));
    d_plays(w, true);
    w_plays(w, true);
    pass(w, 5000);
    judge(w, 0);
    cr_expect_eq(w->report.vantage[PHONE].offset.ns, 0);
    cr_expect(w->report.vantage[PHONE].offset.known);
    cr_expect(!offset_counts(&w->report.vantage[PHONE].offset));
    world_free(w);
}

/* The dialer's BYE does not reach the phone: the call has ended all the same, and began where it began. */
Test(join, an_end_that_one_place_saw)
{
    struct world *w = world_new(2);
    const struct session_finding *f;

    up(w, SAYS(D_RTP_OUT), SAYS(W_RTP));
    d_plays(w, true);
    w_plays(w, true);
    pass(w, 5000);
    story_bye(w->at[DIALER], CALLER);
    f = judge(w, 0);
    cr_expect_neq(f->ended.frame, 0);
    cr_expect_eq(f->state, CALL_OVER);
    world_free(w);
}

/* ---- without signalling ---- */

/* W's check is the first that is seen at W, and D's at D: each place calls another party a. */
static void unsignalled(struct world *w, bool d_arrives)
{
    struct story *d = w->at[DIALER], *p = w->at[PHONE];

    story_checks(d, D_RTP, W_RTP, TO_W, D_RTP_OUT);
    story_checks(p, W_RTP_HOME, D_RTP_OUT, TO_D, W_RTP);
    pass(w, 40);
    story_checks(d, W_RTP, D_RTP, TO_D, W_RTP);
    story_checks(p, D_RTP_OUT, W_RTP_HOME, TO_W, D_RTP_OUT);
    pass(w, 600);
    d_plays(w, d_arrives);
    w_plays(w, true);
    pass(w, 10000);
}

Test(join, parties_without_names)
{
    struct world *w = world_new(2);
    const struct session_finding *f;

    unsignalled(w, true);
    f = judge(w, 0);
    cr_expect_eq(w->report.sessions, 1);
    cr_expect_eq(f->verdict, VERDICT_OK);
    cr_expect_eq(f->directions_n, 2);
    cr_expect_str_eq(f->call->sdps->media->ufrag, "dfrag", "a is who is a at the first place");
    expect_told(w, "packets of party a arrive at " W_RTP_HOME, 1);
    expect_told(w, "packets of party b arrive at " D_RTP, 1);
    expect_told(w, "packets of party a arrive at " D_RTP, 0);
    expect_told(w, "packets of party b arrive at " W_RTP_HOME, 0);
    world_free(w);
}

/* ---- another Call-ID there ---- */

/* A B2BUA between the two: each leg has its own Call-ID and its own addresses, and the media keeps its SSRC. */
static struct world *b2bua(void)
{
    struct world *w = world_new(2);

    story_call(w->at[PHONE], "call-2@b2bua", PROXY ":5060", W_HOME ":5060");
    story_up(w->at[DIALER], SAYS(D_RTP_OUT), SAYS(RELAY_D));
    story_up(w->at[PHONE], SAYS(RELAY_W), SAYS(W_RTP));
    story_play(w->at[DIALER], D_RTP, RELAY_D, D_SSRC);
    story_play(w->at[DIALER], RELAY_D, D_RTP, W_SSRC);
    story_play(w->at[PHONE], RELAY_W, W_RTP_HOME, D_SSRC);
    story_play(w->at[PHONE], W_RTP_HOME, RELAY_W, W_SSRC);
    return w;
}

Test(join, one_stream_in_calls_with_two_names)
{
    struct world *w = b2bua();
    const struct session_finding *f;

    pass(w, 10000);
    hush(w);
    bye(w);
    f = judge(w, 0);
    cr_expect_eq(w->report.sessions, 2, "they are two calls");
    cr_expect_eq(f->verdict, VERDICT_OK);
    cr_expect_eq(from(f, CALLER)->verdict, DIR_RECEIVED);
    cr_expect(!from(f, CALLER)->weak, "it is seen where it arrives");
    expect_told(w, "left " D_RTP " for " RELAY_D " (dialer); 500 arrived at " W_RTP_HOME " from " RELAY_W " (phone).", 1);
    world_free(w);
}

/* Two sockets there receive that SSRC at that time (a load generator gives all its calls one): nobody knows which. */
Test(join, one_ssrc_in_two_calls_there)
{
    struct world *w = b2bua();
    const struct session_finding *f;

    story_play(w->at[PHONE], RELAY_W, W_HOME ":40010", D_SSRC);
    pass(w, 10000);
    hush(w);
    bye(w);
    f = judge(w, 0);
    cr_expect(from(f, CALLER)->weak);
    expect_told(w, "arrived at", 0);
    world_free(w);
}

/* The SSRC was used there before, and not now. */
Test(join, one_ssrc_at_another_time)
{
    struct world *w = world_new(2);
    struct act *early;

    story_up(w->at[DIALER], SAYS(D_RTP_OUT), SAYS(RELAY_D));
    early = story_play(w->at[PHONE], RELAY_W, W_RTP_HOME, D_SSRC);
    pass(w, 3000);
    early->over = true;
    pass(w, 30000);
    story_play(w->at[DIALER], D_RTP, RELAY_D, D_SSRC);
    pass(w, 5000);
    judge(w, 0);
    expect_told(w, "arrived at", 0);
    world_free(w);
}
