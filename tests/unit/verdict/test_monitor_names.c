/* DNS answers as they come and are used: each is told once, its neighbour is not. */
#include <criterion/criterion.h>

#include "support/watching.h"

#define RESOLVER  "172.31.0.2:53"
#define OTHER     "198.18.0.53:53"
#define NAME      "stun.example.net"
#define HONEST_IP "192.0.2.30"
#define LIAR_IP   "192.0.2.19"

static void ask(struct watching *w)
{
    story_stun(w->s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
}

/* An INVITE to the proxy, as the pipeline takes it. */
static void invite(struct watching *w)
{
    struct addr from, to;

    story_request(w->s, CALLER, SIP_INVITE, SAYS(D_RTP_OUT));
    cr_assert(addr_parse(span_str(D_HOST ":5060"), &from) && addr_parse(span_str(PROXY ":5060"), &to));
    track_find_flow(w->s->track, &from, &to)->contains |= FLOW_SIP;
}

/* ---- dns.answer ---- */

Test(monitor_names, an_answer_is_told_once)
{
    struct watching *w = watching_new();

    watch_dns(w, NAME, HONEST_IP, RESOLVER, 300);
    watch_pass(w, 3);
    watch_dns(w, NAME, HONEST_IP, RESOLVER, 300); /* the same again */
    watch_pass(w, 3);
    EXPECT_HEARD(w, EVENT_DNS_ANSWER, 1);
    watch_dns(w, NAME, LIAR_IP, RESOLVER, 300); /* another address */
    watch_pass(w, 3);
    watch_dns(w, NAME, LIAR_IP, OTHER, 300); /* another resolver */
    watch_pass(w, 3);
    watch_end(w);
    EXPECT_HEARD(w, EVENT_DNS_ANSWER, 3);
    cr_expect(heard_nth(w, EVENT_DNS_ANSWER, 1)->changed_from == heard_nth(w, EVENT_DNS_ANSWER, 0)->name);
    EXPECT_HEARD(w, EVENT_DNS_USED, 0);
    watching_free(w);
}

/* ---- dns.used ---- */

Test(monitor_names, a_stun_server_by_name)
{
    struct watching *w = watching_new();
    const struct heard *h;

    watch_dns(w, NAME, HONEST_IP, RESOLVER, 300);
    watch_pass(w, 7);
    ask(w);
    watch_pass(w, 3);
    ask(w);
    watch_pass(w, 70);
    watch_end(w);
    EXPECT_HEARD(w, EVENT_DNS_USED, 1);
    h = heard_nth(w, EVENT_DNS_USED, 0);
    cr_expect_eq(h->use.as, USE_STUN);
    cr_expect_eq(h->use.age_ns / NS_PER_S, 7);
    cr_expect_eq(h->use.at.frame, 2);
    EXPECT_HEARD(w, EVENT_DNS_STALE, 0);
    watching_free(w);
}

/* The address was in use before anybody looked the name up; and another host's question is not ours. */
Test(monitor_names, a_use_that_the_answer_did_not_make)
{
    struct watching *w = watching_new();

    ask(w);
    watch_dns(w, NAME, HONEST_IP, RESOLVER, 300);
    story_stun(w->s, &(struct asks){ W_RTP, HONEST, .mapped = W_RTP });
    watch_pass(w, 70);
    watch_end(w);
    EXPECT_HEARD(w, EVENT_DNS_USED, 0);
    watching_free(w);
}

Test(monitor_names, a_proxy_by_name)
{
    struct watching *w = watching_new();

    watch_dns(w, "sip.example.net", "192.0.2.60", RESOLVER, 3600);
    story_call(w->s, "a@b", D_HOST ":5060", PROXY ":5060");
    invite(w);
    watch_pass(w, 70);
    EXPECT_HEARD(w, EVENT_DNS_USED, 1);
    cr_expect_eq(heard_nth(w, EVENT_DNS_USED, 0)->use.as, USE_SIP);
    cr_expect_eq(heard_nth(w, EVENT_DNS_USED, 0)->use.at.frame, 2);
    watching_free(w);
}

Test(monitor_names, media_to_a_name)
{
    struct watching *w = watching_new();

    watch_dns(w, "media.example.net", W_OUT, RESOLVER, 60);
    story_up(w->s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(w->s, D_RTP, W_RTP, 1);
    watch_pass(w, 5);
    watch_end(w);
    EXPECT_HEARD(w, EVENT_DNS_USED, 1);
    cr_expect_eq(heard_nth(w, EVENT_DNS_USED, 0)->use.as, USE_MEDIA);
    watching_free(w);
}

/* ---- dns.stale ---- */

Test(monitor_names, an_address_that_is_kept_too_long)
{
    struct watching *w = watching_new();

    watch_dns(w, NAME, HONEST_IP, RESOLVER, 300);
    for (unsigned i = 0; i < 6; i++) { /* up to 350 s: within the slack */
        ask(w);
        watch_pass(w, 58);
    }
    EXPECT_HEARD(w, EVENT_DNS_STALE, 0);
    for (unsigned i = 0; i < 25; i++) {
        watch_pass(w, 58);
        ask(w);
    }
    EXPECT_HEARD(w, EVENT_DNS_STALE, 1);
    cr_expect_lt(heard_nth(w, EVENT_DNS_STALE, 0)->use.age_ns, SECONDS(480));
    for (unsigned i = 0; i < 10; i++) {
        watch_pass(w, 58);
        ask(w);
    }
    watch_pass(w, 2);
    EXPECT_HEARD(w, EVENT_DNS_STALE, 2); /* told again, half an hour later */
    cr_expect_geq(heard_nth(w, EVENT_DNS_STALE, 1)->use.age_ns, SECONDS(1800));
    EXPECT_HEARD(w, EVENT_DNS_USED, 1);
    watching_free(w);
}

/* Looked up anew in time, here by another resolver, it is as young as that answer. */
Test(monitor_names, an_address_that_is_looked_up_again)
{
    struct watching *w = watching_new();

    watch_dns(w, NAME, HONEST_IP, RESOLVER, 300);
    for (unsigned i = 0; i < 5; i++) {
        watch_pass(w, 250);
        watch_dns(w, NAME, HONEST_IP, i % 2 ? RESOLVER : OTHER, 300);
        watch_pass(w, 50);
        ask(w);
    }
    watch_pass(w, 70);
    EXPECT_HEARD(w, EVENT_DNS_STALE, 0);
    watching_free(w);
}

/* A flow to a proxy goes on for hours; its latest packet counts, not its first. */
Test(monitor_names, a_proxy_that_is_kept_too_long)
{
    struct watching *w = watching_new();

    watch_dns(w, "sip.example.net", "192.0.2.60", RESOLVER, 300);
    story_call(w->s, "a@b", D_HOST ":5060", PROXY ":5060");
    invite(w);
    watch_pass(w, 500);
    EXPECT_HEARD(w, EVENT_DNS_STALE, 0); /* nothing more was sent */
    invite(w);
    watch_pass(w, 70);
    EXPECT_HEARD(w, EVENT_DNS_STALE, 1);
    cr_expect_eq(heard_nth(w, EVENT_DNS_STALE, 0)->use.as, USE_SIP);
    watching_free(w);
}

/* ---- dns.disagrees ---- */

Test(monitor_names, two_resolvers_with_nothing_in_common)
{
    struct watching *w = watching_new();

    watch_dns(w, NAME, HONEST_IP, RESOLVER, 300);
    watch_pass(w, 3);
    watch_dns(w, NAME, LIAR_IP, OTHER, 300);
    watch_pass(w, 3);
    EXPECT_HEARD(w, EVENT_DNS_DISAGREES, 1);
    cr_expect(heard_nth(w, EVENT_DNS_DISAGREES, 0)->other == heard_nth(w, EVENT_DNS_ANSWER, 0)->name);
    cr_expect(heard_nth(w, EVENT_DNS_DISAGREES, 0)->name == heard_nth(w, EVENT_DNS_ANSWER, 1)->name);
    watch_dns(w, NAME, "192.0.2.18", OTHER, 300); /* one of those whose answers turn round */
    watch_pass(w, 3);
    EXPECT_HEARD(w, EVENT_DNS_DISAGREES, 1);
    watching_free(w);
}

Test(monitor_names, resolvers_that_agree)
{
    struct watching *w = watching_new();

    watch_dns(w, NAME, HONEST_IP, RESOLVER, 300);
    watch_dns(w, NAME, HONEST_IP, OTHER, 300);
    watch_dns(w, NAME, LIAR_IP, OTHER, 300);                  /* one in common */
    watch_dns(w, "other.example.net", LIAR_IP, RESOLVER, 30); /* of another name */
    watch_pass(w, 100);
    watch_dns(w, "other.example.net", HONEST_IP, OTHER, 30); /* when the other's time was over */
    watch_pass(w, 3);
    watch_end(w);
    EXPECT_HEARD(w, EVENT_DNS_DISAGREES, 0);
    watching_free(w);
}

/* ---- a notebook that was made smaller ---- */

Test(monitor_names, slots_that_change_tell_nothing_anew)
{
    struct watching *w = watching_new();

    watch_dns(w, NAME, HONEST_IP, RESOLVER, 300);
    watch_dns(w, NAME, LIAR_IP, OTHER, 300);
    ask(w);
    watch_pass(w, 20);
    for (unsigned i = 0; i < 3; i++) {
        watch_compact(w);
        ask(w);
        watch_pass(w, 20);
    }
    watch_end(w);
    EXPECT_HEARD(w, EVENT_DNS_ANSWER, 2);
    EXPECT_HEARD(w, EVENT_DNS_USED, 1);
    EXPECT_HEARD(w, EVENT_DNS_DISAGREES, 1);
    watch_dns(w, "new.example.net", "192.0.2.31", RESOLVER, 300);
    watch_pass(w, 2);
    EXPECT_HEARD(w, EVENT_DNS_ANSWER, 3);
    watching_free(w);
}
