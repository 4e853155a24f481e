/* STUN and TURN servers: who is asked, how they answer in each minute, what they refuse. Each is told once, its neighbour is not. */
#include <criterion/criterion.h>

#include "support/story_turn.h"
#include "support/watching.h"

static void ask(struct watching *w, const char *from, const char *server, const char *mapped)
{
    story_stun(w->s, &(struct asks){ from, server, .mapped = mapped });
}

/* ---- stun.asked ---- */

Test(monitor_servers, each_server_is_told_when_it_is_first_asked)
{
    struct watching *w = watching_new();
    struct addr honest;

    ask(w, D_RTP, HONEST, D_RTP_OUT);
    watch_pass(w, 2);
    EXPECT_HEARD(w, EVENT_STUN_ASKED, 1);
    cr_assert(addr_parse(span_str(HONEST), &honest));
    cr_expect(addr_eq(&heard_nth(w, EVENT_STUN_ASKED, 0)->server.addr, &honest));
    cr_expect_eq(heard_nth(w, EVENT_STUN_ASKED, 0)->frame, 1);
    ask(w, D_HOST ":10002", HONEST, D_OUT ":10002");
    watch_pass(w, 5);
    EXPECT_HEARD(w, EVENT_STUN_ASKED, 1);
    ask(w, D_RTP, LIAR, D_RTP_OUT);
    watch_pass(w, 5);
    watch_end(w);
    EXPECT_HEARD(w, EVENT_STUN_ASKED, 2);
    watching_free(w);
}

Test(monitor_servers, a_server_is_new_after_an_hour_without)
{
    struct watching *w = watching_new();

    ask(w, D_RTP, HONEST, D_RTP_OUT);
    watch_pass(w, 3000);
    ask(w, D_RTP, HONEST, D_RTP_OUT);
    watch_pass(w, 3000); /* since the latest question it is not an hour */
    ask(w, D_RTP, HONEST, D_RTP_OUT);
    watch_pass(w, 3);
    EXPECT_HEARD(w, EVENT_STUN_ASKED, 1);
    watch_pass(w, 3601);
    ask(w, D_RTP, HONEST, D_RTP_OUT);
    watch_pass(w, 3);
    EXPECT_HEARD(w, EVENT_STUN_ASKED, 2);
    watching_free(w);
}

Test(monitor_servers, what_a_stranger_asks_is_not_told)
{
    struct watching *w = watching_new();

    ask(w, W_RTP, HONEST, W_RTP);
    watch_pass(w, 5);
    watch_end(w);
    EXPECT_HEARD(w, EVENT_STUN_ASKED, 0);
    watching_free(w);
}

/* A STUN request to the other party's media address keeps a NAT open: no server is there. */
Test(monitor_servers, a_peer_that_is_asked_is_no_server)
{
    struct watching *w = watching_new();

    story_up(w->s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    ask(w, D_RTP, W_RTP, D_RTP_OUT);
    watch_pass(w, 80);
    EXPECT_HEARD(w, EVENT_STUN_ASKED, 0);
    EXPECT_HEARD(w, EVENT_STUN_MEASURED, 0);
    watching_free(w);
}

/* ---- stun.measured ---- */

Test(monitor_servers, each_minute_by_itself)
{
    struct watching *w = watching_new();
    const struct heard *h;

    ask(w, D_RTP, HONEST, D_RTP_OUT);
    ask(w, D_RTP, HONEST, D_RTP_OUT);
    ask(w, D_RTP, HONEST, NULL);
    watch_pass(w, 65);
    EXPECT_HEARD(w, EVENT_STUN_MEASURED, 0);
    ask(w, D_RTP, HONEST, D_RTP_OUT); /* belongs to the next one */
    watch_pass(w, 10);
    EXPECT_HEARD(w, EVENT_STUN_MEASURED, 1);
    h = heard_nth(w, EVENT_STUN_MEASURED, 0);
    cr_expect_eq(h->server.requests, 3);
    cr_expect_eq(h->server.responses, 2);
    cr_expect_eq(h->server.unanswered, 1);
    cr_expect_gt(h->server.rtt_median_us, 0);
    watch_pass(w, 200);
    EXPECT_HEARD(w, EVENT_STUN_MEASURED, 2);
    cr_expect_eq(heard_nth(w, EVENT_STUN_MEASURED, 1)->server.requests, 1);
    ask(w, D_RTP, HONEST, D_RTP_OUT); /* after minutes without, and then the end */
    watch_end(w);
    EXPECT_HEARD(w, EVENT_STUN_MEASURED, 3);
    cr_expect_eq(heard_nth(w, EVENT_STUN_MEASURED, 2)->server.responses, 1);
    watching_free(w);
}

/* A question that is still under way at the end of input is not unanswered. */
Test(monitor_servers, a_question_that_waits)
{
    struct watching *w = watching_new();

    ask(w, D_RTP, HONEST, NULL);
    watch_pass(w, 3);
    watch_end(w);
    EXPECT_HEARD(w, EVENT_STUN_MEASURED, 1);
    cr_expect_eq(heard_nth(w, EVENT_STUN_MEASURED, 0)->server.unanswered, 0);
    watching_free(w);
}

/* ---- turn.refused ---- */

static void allocate(struct watching *w, bool credentials, uint16_t error)
{
    story_turn_ask(
        w->s,
        &(struct turns){ .method = STUN_ALLOCATE, .from = D_RTP, .server = TURN, .credentials = credentials, .error = error });
}

Test(monitor_servers, a_quota_that_is_reached)
{
    struct watching *w = watching_new();

    allocate(w, false, 401);
    allocate(w, true, 486);
    watch_pass(w, 100);
    watch_end(w);
    EXPECT_HEARD(w, EVENT_TURN_REFUSED, 1);
    cr_expect_eq(heard_nth(w, EVENT_TURN_REFUSED, 0)->server.refused, 1);
    allocate(w, true, 401); /* with credentials it is no challenge */
    watch_pass(w, 3);
    EXPECT_HEARD(w, EVENT_TURN_REFUSED, 2);
    watching_free(w);
}

/* A challenge, a nonce that is old, another server to ask: all as it should be (RFC 8489 §9.2.4, §10). */
Test(monitor_servers, what_is_no_refusal)
{
    struct watching *w = watching_new();

    allocate(w, false, 401);
    allocate(w, true, 438);
    allocate(w, true, 300);
    allocate(w, true, 799);                                          /* no error code of RFC 8489 §14.8 */
    story_stun(w->s, &(struct asks){ D_RTP, HONEST, .error = 500 }); /* not TURN's */
    watch_pass(w, 100);
    watch_end(w);
    EXPECT_HEARD(w, EVENT_TURN_REFUSED, 0);
    watching_free(w);
}

/* ---- a notebook that was made smaller ---- */

Test(monitor_servers, slots_that_change_tell_nothing_anew)
{
    struct watching *w = watching_new();
    unsigned measured;

    ask(w, W_RTP, HONEST, W_RTP);
    ask(w, D_RTP, HONEST, D_RTP_OUT);
    allocate(w, true, 486);
    watch_pass(w, 75);
    measured = heard_count(w, EVENT_STUN_MEASURED);
    for (unsigned i = 0; i < 4; i++) {
        watch_compact(w);
        watch_pass(w, 50);
    }
    watch_end(w);
    EXPECT_HEARD(w, EVENT_STUN_ASKED, 2); /* HONEST and TURN */
    EXPECT_HEARD(w, EVENT_TURN_REFUSED, 1);
    EXPECT_HEARD(w, EVENT_STUN_MEASURED, measured);
    ask(w, D_RTP, LIAR, D_RTP_OUT);
    watch_pass(w, 3);
    EXPECT_HEARD(w, EVENT_STUN_ASKED, 3);
    watching_free(w);
}
