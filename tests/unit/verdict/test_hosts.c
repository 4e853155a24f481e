/* What is kept from view to view is what would be counted anew, whoever dozes and wakes; and only what had packets is looked at. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "verdict/hosts.h"
#include "verdict/verdict.h"

enum { FLOWS = 60, MINUTES = 5 };

struct world {
    struct track *track;
    struct fault_log faults;
    struct hosts kept;
    uint64_t frame;
    uint32_t dice;
};

static uint32_t roll(struct world *w, uint32_t n)
{
    w->dice = w->dice * 1664525u + 1013904223u;
    return (w->dice >> 8) % n;
}

static struct addr addr_of(unsigned host, unsigned port)
{
    char text[32];
    struct addr a;

    snprintf(text, sizeof text, "10.0.%u.%u", host / 200, 1 + host % 200);
    cr_assert(addr_parse_ip(span_str(text), (uint16_t)port, &a));
    return a;
}

static void packet(struct world *w, unsigned flow, int64_t ns)
{
    struct datagram d = { .src = addr_of(flow % 7, 4000 + flow), .dst = addr_of(20 + flow % 11, 5000), .size = 100 };

    d.ttl = flow % 5 == 0 ? 57 : flow % 13 == 0 ? 0 : 64;
    d.at = (struct seen){ ns, ++w->frame };
    cr_assert(track_flow(w->track, &d));
}

static void begin(struct world *w, bool noted)
{
    *w = (struct world){ .dice = 7 };
    w->track = track_new(&w->faults);
    cr_assert(w->track);
    if (noted)
        track_note_wakes(w->track);
    hosts_init(&w->kept);
}

static void done(struct world *w)
{
    hosts_done(&w->kept);
    track_free(w->track);
}

static void expect_same(const struct hosts *kept, const struct hosts *anew)
{
    cr_assert_eq(kept->pool.used, anew->pool.used);
    cr_assert_eq(kept->packets, anew->packets);
    cr_assert_eq(kept->contains, anew->contains);
    for (uint32_t i = 0; i < anew->pool.used; i++) {
        const struct host *a = pool_at(&kept->pool, i), *b = pool_at(&anew->pool, i);

        cr_assert(addr_eq(&a->ip, &b->ip), "their order is another");
        cr_assert_eq(a->packets, b->packets);
        cr_assert_eq(a->fresh, b->fresh);
        cr_assert_eq(a->worn, b->worn);
    }
}

static void look(struct world *w, int64_t now_ns)
{
    struct hosts anew;

    hosts_init(&anew);
    hosts_count_all(&anew, w->track);
    hosts_count_more(&w->kept, w->track, now_ns);
    expect_same(&w->kept, &anew);
    hosts_done(&anew);
}

/* Flows that begin one after the other, and each is silent for longer than it takes to doze, again and again. */
static void live(struct world *w, int64_t from_ns)
{
    for (unsigned s = 0; s < 60 * MINUTES; s++) {
        for (unsigned n = roll(w, 6); n; n--)
            packet(w, roll(w, 1 + s * FLOWS / (60 * MINUTES)), from_ns + s * SECONDS(1) + roll(w, 1000) * 1000);
        if (roll(w, 4)) /* some seconds are not looked at */
            look(w, from_ns + (s + 1) * SECONDS(1));
    }
}

Test(hosts, what_is_kept_is_what_would_be_counted)
{
    struct world w;

    begin(&w, true);
    live(&w, SECONDS(1700000000));
    cr_expect_gt(w.track->flows.used, FLOWS / 2);
    cr_expect_gt(w.track->wakes.n, 20, "hardly anybody dozed");
    done(&w);
}

/* A capture may begin at the epoch. */
Test(hosts, time_begins_at_nought)
{
    struct world w;

    begin(&w, true);
    live(&w, 0);
    done(&w);
}

Test(hosts, where_no_wakes_are_noted_all_is_counted_anew)
{
    struct world w;

    begin(&w, false);
    live(&w, SECONDS(1000));
    cr_expect_eq(w.kept.flows, 0);
    done(&w);
}

Test(hosts, without_memory_for_the_wakes_all_is_counted_anew)
{
    struct world w;

    begin(&w, true);
    live(&w, SECONDS(1000));
    w.track->wakes.missed = true;
    live(&w, SECONDS(2000));
    done(&w);
}

Test(hosts, the_notebook_is_made_smaller)
{
    struct world w;

    begin(&w, true);
    for (unsigned i = 0; i < 4; i++) {
        live(&w, SECONDS(1000 + 400 * i));
        cr_assert(track_compact(w.track, SECONDS(1000 + 400 * i + 390)));
        cr_expect_eq(w.track->wakes.n, 0);
        hosts_done(&w.kept);
        hosts_init(&w.kept);
    }
    done(&w);
}

/* What it is for: of a thousand flows that are silent none is looked at. */
Test(hosts, who_dozes_is_left_alone)
{
    struct world w;

    begin(&w, true);
    for (unsigned i = 0; i < 1000; i++)
        packet(&w, i, SECONDS(100));
    look(&w, SECONDS(101));
    cr_expect_eq(w.kept.awake_n, 1000);
    look(&w, SECONDS(120));
    cr_expect_eq(w.kept.awake_n, 0);
    packet(&w, 500, SECONDS(130));
    look(&w, SECONDS(131));
    cr_expect_eq(w.kept.awake_n, 1);
    done(&w);
}

/* The view itself: it is the same as one that is made at once. */
Test(hosts, a_view_made_again)
{
    struct view_options o = { .locals_n = 0 };
    struct view kept, anew;
    struct world w;

    begin(&w, true);
    for (unsigned s = 0; s < 60; s++) {
        packet(&w, roll(&w, 1 + s), SECONDS(1000 + s));
        view_make_again(&kept, &w.kept, w.track, &o, SECONDS(1001 + s));
        view_make(&anew, w.track, &o, SECONDS(1001 + s));
        cr_assert_eq(kept.locals_n, anew.locals_n);
        cr_assert_eq(kept.locals_inferred, anew.locals_inferred);
        for (size_t i = 0; i < anew.locals_n; i++)
            cr_assert(addr_eq(&kept.local[i], &anew.local[i]));
    }
    cr_expect_gt(anew.locals_n, 0);
    done(&w);
}
