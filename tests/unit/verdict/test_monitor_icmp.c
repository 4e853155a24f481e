/* ICMP errors: those of each minute, one event for each host. */
#include <criterion/criterion.h>

#include "support/watching.h"

#define GONE W_OUT ":40002"

static void unreachable(struct watching *w, const char *to, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        story_packet(w->s, D_RTP, to, 172, &(struct datagram){ 0 });
        story_icmp(w->s, W_OUT, D_RTP, to, ICMP_PORT_UNREACHABLE);
    }
}

Test(monitor_icmp, each_minute_by_itself)
{
    struct watching *w = watching_new();
    const struct heard *h;

    watch_pass(w, 5);
    unreachable(w, W_RTP, 3);
    unreachable(w, GONE, 2); /* another port of the same host */
    watch_pass(w, 10);
    EXPECT_HEARD(w, EVENT_ICMP_ERRORS, 0);
    watch_pass(w, 60);
    EXPECT_HEARD(w, EVENT_ICMP_ERRORS, 1);
    h = heard_nth(w, EVENT_ICMP_ERRORS, 0);
    cr_expect_eq(h->icmp.errors, 5);
    cr_expect_eq(h->icmp.what, ICMP_PORT_UNREACHABLE);
    cr_expect_eq(h->icmp.last.frame, 10);
    watch_pass(w, 180);
    EXPECT_HEARD(w, EVENT_ICMP_ERRORS, 1);
    unreachable(w, W_RTP, 1);
    watch_end(w);
    EXPECT_HEARD(w, EVENT_ICMP_ERRORS, 2);
    cr_expect_eq(heard_nth(w, EVENT_ICMP_ERRORS, 1)->icmp.errors, 1);
    watching_free(w);
}

Test(monitor_icmp, two_hosts_are_two_events)
{
    struct watching *w = watching_new();

    unreachable(w, W_RTP, 2);
    unreachable(w, STRANGER ":9", 1);
    watch_end(w);
    EXPECT_HEARD(w, EVENT_ICMP_ERRORS, 2);
    watching_free(w);
}

/* An error that quotes nothing of this capture is about nobody. */
Test(monitor_icmp, an_error_that_quotes_nothing_that_was_sent)
{
    struct watching *w = watching_new();

    story_icmp(w->s, W_OUT, D_RTP, W_RTP, ICMP_PORT_UNREACHABLE);
    watch_pass(w, 70);
    watch_end(w);
    EXPECT_HEARD(w, EVENT_ICMP_ERRORS, 0);
    watching_free(w);
}

/* The flow stays or goes, its count is not told again; and what comes on top is counted right. */
Test(monitor_icmp, slots_that_change_count_nothing_twice)
{
    struct watching *w = watching_new();

    unreachable(w, STRANGER ":9", 4); /* is given up */
    watch_pass(w, 70);
    EXPECT_HEARD(w, EVENT_ICMP_ERRORS, 1);
    unreachable(w, W_RTP, 3); /* stays */
    watch_pass(w, 55);
    EXPECT_HEARD(w, EVENT_ICMP_ERRORS, 2);
    watch_compact(w);
    cr_assert_eq(w->s->track->icmps.used, 1);
    unreachable(w, W_RTP, 2);
    unreachable(w, GONE, 1);
    watch_pass(w, 70);
    EXPECT_HEARD(w, EVENT_ICMP_ERRORS, 3);
    cr_expect_eq(heard_nth(w, EVENT_ICMP_ERRORS, 2)->icmp.errors, 3);
    watching_free(w);
}
