/* Findings as they happen: what is told, when, and that it is told once. A story passes second by second, as the service runs. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/story.h"
#include "verdict/hosts.h"
#include "verdict/monitor.h"
#include "verdict/verdict_private.h"

#define SECOND_RTP     D_HOST ":10002"
#define SECOND_RTP_OUT D_OUT ":10002"
#define LIE            "198.18.7.9:10000"
#define THIRD          "198.19.7.3:3478"

enum { TOLD = 64 };

struct told {
    enum event_kind kind;
    int64_t at_ns;
    enum verdict verdict;
    enum cause cause;
    enum confidence confidence;
    size_t evidence;
};

struct watching {
    struct story *s;
    struct monitor m;
    struct hosts hosts;
    bool keeps; /* what is counted of flows, from view to view */
    size_t n;
    struct told told[TOLD];
};

static void hear(void *self, const struct event *e)
{
    struct watching *w = self;
    struct told *t = &w->told[w->n];

    if (e->kind > EVENT_STUN_ANSWERS)
        return; /* test_monitor_servers.c, test_monitor_names.c, test_monitor_icmp.c */
    cr_assert(w->n < TOLD, "too many events");
    w->n++;
    *t = (struct told){ .kind = e->kind, .at_ns = e->at_ns, .confidence = e->confidence };
    cr_expect_eq(e->session != NULL, e->kind < EVENT_STUN_CONTRADICTION);
    cr_expect_eq(e->server != NULL, e->kind >= EVENT_STUN_CONTRADICTION);
    if (e->session) {
        t->verdict = e->session->verdict;
        t->cause = e->session->cause;
        t->evidence = e->session->evidence_n;
    }
    if (e->why)
        t->evidence = e->why->evidence_n;
}

static void begin(struct watching *w)
{
    *w = (struct watching){ .s = story_new(D_HOST) };
    cr_assert(monitor_init(&w->m, NULL));
}

static void done(struct watching *w)
{
    monitor_done(&w->m);
    hosts_done(&w->hosts);
    story_free(w->s);
}

static void look(struct watching *w, bool last)
{
    struct view v;

    if (w->keeps)
        view_make_again(&v, &w->hosts, w->s->track, &w->s->options, w->s->now_ns);
    else
        view_make(&v, w->s->track, &w->s->options, w->s->now_ns);
    (last ? monitor_finish : monitor_tick)(&w->m, &v, hear, w);
}

static void pass(struct watching *w, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        story_pass(w->s, 1000);
        look(w, false);
    }
}

static unsigned count(const struct watching *w, enum event_kind kind)
{
    unsigned n = 0;

    for (size_t i = 0; i < w->n; i++)
        n += w->told[i].kind == kind;
    return n;
}

static const struct told *told(const struct watching *w, enum event_kind kind)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->told[i].kind == kind)
            return &w->told[i];
    cr_assert_fail("%s was not told", event_word(kind));
    return NULL;
}

#define EXPECT_TOLD(w, kind, times)                                                                                              \
    cr_expect_eq(count(w, kind), times, "%s was told %u times, expected %u", event_word(kind), count(w, kind), times)

/* A call in which the dialer is heard and the webphone may be. */
static struct act *up(struct watching *w, bool webphone_heard)
{
    story_up(w->s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_play(w->s, D_RTP, W_RTP, 1);
    story_report(w->s, W_RTP, D_RTP, 2, 1);
    return webphone_heard ? story_play(w->s, W_RTP, D_RTP, 2) : NULL;
}

/* ---- sessions ---- */

Test(monitor, a_call_that_is_well)
{
    struct watching w;

    begin(&w);
    up(&w, true);
    pass(&w, 30);
    story_bye(w.s, CALLER);
    pass(&w, 10);
    EXPECT_TOLD(&w, EVENT_SESSION_STARTED, 1);
    EXPECT_TOLD(&w, EVENT_SESSION_ANSWERED, 1);
    EXPECT_TOLD(&w, EVENT_SESSION_ENDED, 1);
    cr_expect_eq(w.n, 3);
    cr_expect_eq(told(&w, EVENT_SESSION_ENDED)->verdict, VERDICT_OK);
    cr_expect_eq(w.m.by_verdict[VERDICT_OK], 1);
    done(&w);
}

/* SPEC: a finding reaches the output within 10 seconds of the answer; and not before the grace is over. */
Test(monitor, media_is_missing_from_the_beginning)
{
    struct watching w;
    int64_t answered;

    begin(&w);
    answered = w.s->now_ns;
    up(&w, false);
    pass(&w, 4);
    EXPECT_TOLD(&w, EVENT_SESSION_MEDIA_MISSING, 0);
    pass(&w, 6);
    EXPECT_TOLD(&w, EVENT_SESSION_MEDIA_MISSING, 1);
    cr_expect_leq(told(&w, EVENT_SESSION_MEDIA_MISSING)->at_ns - answered, SECONDS(10));
    cr_expect_eq(told(&w, EVENT_SESSION_MEDIA_MISSING)->verdict, VERDICT_ONE_WAY);
    pass(&w, 30);
    story_bye(w.s, CALLER);
    pass(&w, 5);
    EXPECT_TOLD(&w, EVENT_SESSION_MEDIA_MISSING, 1);
    EXPECT_TOLD(&w, EVENT_SESSION_RECOVERED, 0);
    EXPECT_TOLD(&w, EVENT_SESSION_ENDED, 1);
    done(&w);
}

/* Its innocent neighbour: what comes late, and within the grace, was never missing. */
Test(monitor, media_comes_late)
{
    struct watching w;

    begin(&w);
    up(&w, false);
    pass(&w, 4);
    story_play(w.s, W_RTP, D_RTP, 2);
    pass(&w, 20);
    EXPECT_TOLD(&w, EVENT_SESSION_MEDIA_MISSING, 0);
    done(&w);
}

Test(monitor, the_grace_is_an_option)
{
    struct watching w;

    begin(&w);
    monitor_done(&w.m);
    cr_assert(monitor_init(&w.m, &(struct monitor_options){ .grace_ns = SECONDS(20) }));
    up(&w, false);
    pass(&w, 19);
    EXPECT_TOLD(&w, EVENT_SESSION_MEDIA_MISSING, 0);
    pass(&w, 5);
    EXPECT_TOLD(&w, EVENT_SESSION_MEDIA_MISSING, 1);
    done(&w);
}

/* A finding that does not last is none: the second look takes it back. */
Test(monitor, a_failure_for_a_moment)
{
    struct watching w;

    begin(&w);
    up(&w, false);
    pass(&w, 5);
    story_play(w.s, W_RTP, D_RTP, 2);
    pass(&w, 20);
    EXPECT_TOLD(&w, EVENT_SESSION_MEDIA_MISSING, 0);
    done(&w);
}

/* The webphone moves, so a re-INVITE begins a new span: what failed before stays a failure of the call. */
Test(monitor, missing_and_then_well)
{
    struct watching w;
    struct act *lost;

    begin(&w);
    story_up(w.s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    lost = story_play(w.s, D_RTP, W_RTP, 1);
    story_report(w.s, W_RTP, D_RTP, 2, 0);
    story_play(w.s, W_RTP, D_RTP, 2);
    pass(&w, 20);
    EXPECT_TOLD(&w, EVENT_SESSION_MEDIA_MISSING, 1);
    (void)lost;
    for (size_t i = 0; i < w.s->acts; i++)
        if (w.s->act[i].kind == ACT_RTCP)
            w.s->act[i].about = 1; /* its reports have a block: it is heard at last */
    pass(&w, 40);
    EXPECT_TOLD(&w, EVENT_SESSION_RECOVERED, 1);
    EXPECT_TOLD(&w, EVENT_SESSION_MEDIA_MISSING, 1);
    done(&w);
}

Test(monitor, a_short_call_is_judged_when_it_ends)
{
    struct watching w;

    begin(&w);
    up(&w, false);
    pass(&w, 4);
    story_bye(w.s, CALLER);
    pass(&w, 3);
    EXPECT_TOLD(&w, EVENT_SESSION_MEDIA_MISSING, 1);
    EXPECT_TOLD(&w, EVENT_SESSION_ENDED, 1);
    cr_expect_eq(w.told[w.n - 1].kind, EVENT_SESSION_ENDED);
    done(&w);
}

Test(monitor, a_call_that_is_busy)
{
    struct watching w;

    begin(&w);
    story_request(w.s, CALLER, SIP_INVITE, SAYS(D_RTP_OUT));
    story_reply(w.s, 486, NULL);
    pass(&w, 10);
    EXPECT_TOLD(&w, EVENT_SESSION_STARTED, 1);
    EXPECT_TOLD(&w, EVENT_SESSION_ANSWERED, 0);
    EXPECT_TOLD(&w, EVENT_SESSION_MEDIA_MISSING, 0);
    EXPECT_TOLD(&w, EVENT_SESSION_ENDED, 1);
    done(&w);
}

Test(monitor, the_end_of_input_ends_what_is_up)
{
    struct watching w;

    begin(&w);
    up(&w, true);
    pass(&w, 10);
    EXPECT_TOLD(&w, EVENT_SESSION_ENDED, 0);
    look(&w, true);
    EXPECT_TOLD(&w, EVENT_SESSION_ENDED, 1);
    done(&w);
}

/* Checks every five seconds, as consent has it (RFC 7675), are no end and no new beginning. */
Test(monitor, a_session_without_signalling_that_is_quiet)
{
    struct watching w;
    struct act *a, *b;

    begin(&w);
    pass(&w, 3); /* so that no check comes right before a look */
    a = story_checks(w.s, D_RTP, W_RTP, "wwww:dddd", D_RTP_OUT);
    b = story_checks(w.s, W_RTP, D_RTP, "dddd:wwww", W_RTP);
    a->every_ms = b->every_ms = 5000;
    pass(&w, 60);
    EXPECT_TOLD(&w, EVENT_SESSION_STARTED, 1);
    EXPECT_TOLD(&w, EVENT_SESSION_ENDED, 0);
    story_hush(w.s);
    pass(&w, 50);
    EXPECT_TOLD(&w, EVENT_SESSION_STARTED, 1);
    EXPECT_TOLD(&w, EVENT_SESSION_ENDED, 1);
    done(&w);
}

/* What a notebook that was made smaller no longer has is forgotten, with its records given back once and used again. */
Test(monitor, the_notebook_gives_up_its_sessions)
{
    struct watching w;

    begin(&w);
    for (unsigned round = 0; round < 3; round++) {
        struct story *full = w.s;

        for (unsigned i = 0; i < 4; i++) {
            char id[16];

            snprintf(id, sizeof id, "call-%u-%u", round, i);
            story_call(full, id, D_HOST ":5060", PROXY ":5060");
            story_request(full, CALLER, SIP_INVITE, SAYS(D_RTP_OUT));
            story_reply(full, 486, NULL);
        }
        pass(&w, 5);
        cr_expect_eq(w.m.signalled.watched.live, 4);
        w.s = story_new(D_HOST); /* nothing of it is left */
        w.s->now_ns = full->now_ns;
        w.s->frame = full->frame;
        story_free(full);
        monitor_renumbered(&w.m);
        pass(&w, 12);
        cr_expect_eq(w.m.signalled.watched.live, 0);
        w.n = 0;
    }
    cr_expect_leq(w.m.signalled.watched.used, 4);
    done(&w);
}

/* It is counted once it is gone, however soon after another sweep. */
Test(monitor, what_is_given_up_just_before_the_end_is_counted)
{
    struct watching w;
    struct story *full;

    begin(&w);
    full = w.s;
    story_call(full, "refused", D_HOST ":5060", PROXY ":5060");
    story_request(full, CALLER, SIP_INVITE, SAYS(D_RTP_OUT));
    story_reply(full, 486, NULL);
    pass(&w, 5);
    EXPECT_TOLD(&w, EVENT_SESSION_ENDED, 1);
    w.s = story_new(D_HOST);
    w.s->now_ns = full->now_ns;
    story_free(full);
    monitor_renumbered(&w.m);
    look(&w, true);
    cr_expect_eq(w.m.forgotten.sessions, 1);
    cr_expect_eq(w.m.signalled.watched.live, 0);
    done(&w);
}

/* ---- what it costs: how often sessions are judged ---- */

Test(monitor, a_call_is_judged_every_few_seconds_and_never_after_its_end)
{
    struct watching w;
    uint64_t judged;

    begin(&w);
    up(&w, true);
    pass(&w, 65);
    cr_expect_leq(w.m.judged, 15); /* begun, answered, then every five seconds */
    story_bye(w.s, CALLER);
    pass(&w, 5);
    EXPECT_TOLD(&w, EVENT_SESSION_ENDED, 1);
    judged = w.m.judged;
    pass(&w, 60);
    cr_expect_eq(w.m.judged, judged);
    cr_expect_eq(w.m.going_n, 0, "calls that are over are looked at every second");
    monitor_renumbered(&w.m);
    pass(&w, 10);
    cr_expect_eq(w.m.judged, judged);
    EXPECT_TOLD(&w, EVENT_SESSION_ENDED, 1);
    done(&w);
}

static void begin_keeping(struct watching *w)
{
    begin(w);
    w->keeps = true;
    track_note_wakes(w->s->track);
}

/* All media belongs to calls: then nobody looks for sessions without any. */
Test(monitor, media_of_calls_is_not_gathered_for_sessions_of_its_own)
{
    struct watching w;

    begin_keeping(&w);
    up(&w, true);
    pass(&w, 60);
    story_bye(w.s, CALLER);
    pass(&w, 60);
    cr_expect_eq(w.m.gathered, 0, "gathered %llu times", (unsigned long long)w.m.gathered);
    look(&w, true);
    cr_expect_eq(w.m.gathered, 1, "at the end all is looked at");
    EXPECT_TOLD(&w, EVENT_SESSION_STARTED, 1);
    done(&w);
}

/* The same session without signalling is told at the same seconds as where each flow is looked at every time. */
Test(monitor, sessions_without_signalling_are_gathered_while_they_last_and_end)
{
    struct watching w[2];
    struct act *out, *back;

    for (unsigned i = 0; i < 2; i++) {
        begin(&w[i]);
        if (i) {
            done(&w[i]);
            begin_keeping(&w[i]);
        }
        story_up(w[i].s, SAYS(D_RTP_OUT), SAYS(W_RTP));
        story_play(w[i].s, D_RTP, W_RTP, 1);
        story_play(w[i].s, W_RTP, D_RTP, 2);
        pass(&w[i], 20);
        out = story_play(w[i].s, D_HOST ":20000", "198.51.100.77:30000", 3);
        back = story_play(w[i].s, "198.51.100.77:30000", D_HOST ":20000", 4);
        pass(&w[i], 60);
        out->over = back->over = true;
        pass(&w[i], 400);
    }
    cr_expect_eq(w[0].n, w[1].n);
    for (size_t k = 0; k < w[0].n; k++) {
        cr_expect_eq(w[0].told[k].kind, w[1].told[k].kind);
        cr_expect_eq(w[0].told[k].at_ns, w[1].told[k].at_ns);
        cr_expect_eq(w[0].told[k].verdict, w[1].told[k].verdict);
    }
    EXPECT_TOLD(&w[1], EVENT_SESSION_STARTED, 2);
    cr_expect_lt(w[1].m.gathered, 60, "it goes on long after the session is over");
    done(&w[0]);
    done(&w[1]);
}

static void partly_heard(bool brief)
{
    struct watching w;

    begin(&w);
    w.m.options.brief = brief;
    w.m.options.unheard = 1u << EVENT_SESSION_STARTED | 1u << EVENT_SESSION_ANSWERED | 1u << EVENT_SESSION_ENDED;
    up(&w, false);
    pass(&w, 4);
    cr_expect_eq(w.m.judged, 0);
    pass(&w, 16);
    story_bye(w.s, CALLER);
    pass(&w, 5);
    cr_expect_eq(w.n, 1);
    cr_expect_eq(told(&w, EVENT_SESSION_MEDIA_MISSING)->evidence > 0, !brief, "it was judged without its sentences");
    cr_expect_eq(w.m.by_verdict[VERDICT_ONE_WAY], 1);
    cr_expect_leq(w.m.judged, brief ? 5 : 6);
    done(&w);
}

Test(monitor, what_nobody_hears_is_not_judged_for)
{
    partly_heard(false);
    partly_heard(true);
}

/* ---- STUN servers ---- */

static void ask(struct watching *w, const char *from, const char *server, const char *mapped)
{
    story_stun(w->s, &(struct asks){ from, server, .mapped = mapped });
}

Test(monitor, a_lie_is_told_once)
{
    struct watching w;
    int64_t asked;

    begin(&w);
    asked = w.s->now_ns;
    ask(&w, D_RTP, LIAR, LIE);
    ask(&w, D_RTP, HONEST, D_RTP_OUT);
    ask(&w, D_RTP, THIRD, D_RTP_OUT);
    pass(&w, 90);
    EXPECT_TOLD(&w, EVENT_STUN_CONTRADICTION, 1);
    cr_expect_eq(told(&w, EVENT_STUN_CONTRADICTION)->confidence, CONFIDENCE_PROVEN);
    cr_expect_leq(told(&w, EVENT_STUN_CONTRADICTION)->at_ns - asked, SECONDS(5));
    cr_expect_geq(told(&w, EVENT_STUN_CONTRADICTION)->evidence, 4, "the question, the answer and two that differ");
    look(&w, true);
    EXPECT_TOLD(&w, EVENT_STUN_CONTRADICTION, 1);
    done(&w);
}

Test(monitor, an_honest_answer)
{
    struct watching w;

    begin(&w);
    ask(&w, D_RTP, HONEST, D_RTP_OUT);
    ask(&w, D_RTP, THIRD, D_RTP_OUT);
    pass(&w, 70);
    look(&w, true);
    EXPECT_TOLD(&w, EVENT_STUN_CONTRADICTION, 0);
    done(&w);
}

/* What only the SIP socket's address speaks against is held back, and dropped where media arrives. */
static void lie_that_is_not_proven(struct watching *w)
{
    begin(w);
    w->s->received[CALLER] = D_OUT;
    ask(w, D_RTP, LIAR, LIE);
    story_up(w->s, SAYS(LIE), SAYS(W_RTP));
}

Test(monitor, a_doubt_that_stays)
{
    struct watching w;

    lie_that_is_not_proven(&w);
    pass(&w, 25);
    EXPECT_TOLD(&w, EVENT_STUN_CONTRADICTION, 0);
    pass(&w, 25);
    EXPECT_TOLD(&w, EVENT_STUN_CONTRADICTION, 1);
    cr_expect_eq(told(&w, EVENT_STUN_CONTRADICTION)->confidence, CONFIDENCE_LIKELY);
    done(&w);
}

Test(monitor, a_doubt_that_media_refutes)
{
    struct watching w;

    lie_that_is_not_proven(&w);
    pass(&w, 20);
    story_play(w.s, W_RTP, D_RTP, 2);
    pass(&w, 60);
    look(&w, true);
    EXPECT_TOLD(&w, EVENT_STUN_CONTRADICTION, 0);
    done(&w);
}

Test(monitor, a_server_falls_silent_and_answers_again)
{
    struct watching w;

    begin(&w);
    ask(&w, D_RTP, HONEST, D_RTP_OUT);
    pass(&w, 70);
    for (unsigned i = 0; i < 3; i++) {
        ask(&w, D_RTP, HONEST, NULL);
        pass(&w, 1);
    }
    pass(&w, 5);
    EXPECT_TOLD(&w, EVENT_STUN_SILENT, 0);
    pass(&w, 10);
    EXPECT_TOLD(&w, EVENT_STUN_SILENT, 1);
    pass(&w, 10);
    EXPECT_TOLD(&w, EVENT_STUN_ANSWERS, 0);
    ask(&w, D_RTP, HONEST, D_RTP_OUT);
    pass(&w, 10);
    EXPECT_TOLD(&w, EVENT_STUN_SILENT, 1);
    EXPECT_TOLD(&w, EVENT_STUN_ANSWERS, 1);
    done(&w);
}

Test(monitor, a_server_that_lost_two_questions)
{
    struct watching w;

    begin(&w);
    ask(&w, D_RTP, HONEST, NULL);
    ask(&w, SECOND_RTP, HONEST, NULL);
    pass(&w, 30);
    EXPECT_TOLD(&w, EVENT_STUN_SILENT, 0);
    ask(&w, SECOND_RTP, HONEST, SECOND_RTP_OUT);
    ask(&w, D_RTP, HONEST, NULL);
    pass(&w, 30);
    EXPECT_TOLD(&w, EVENT_STUN_SILENT, 0);
    done(&w);
}

/* What the capture itself loses is no silence of the server's. */
Test(monitor, a_server_that_is_silent_in_a_capture_with_drops)
{
    struct watching w;

    begin(&w);
    w.s->options.dropped = true;
    for (unsigned i = 0; i < 3; i++)
        ask(&w, D_RTP, HONEST, NULL);
    pass(&w, 30);
    EXPECT_TOLD(&w, EVENT_STUN_SILENT, 0);
    done(&w);
}

/* Records of answers are given back when they are old, and used again: days of lies take no more memory than minutes. */
Test(monitor, lies_for_a_long_time)
{
    struct watching w;

    begin(&w);
    for (unsigned i = 0; i < 8; i++) {
        ask(&w, D_RTP, LIAR, LIE);
        ask(&w, D_RTP, HONEST, D_RTP_OUT);
        ask(&w, D_RTP, THIRD, D_RTP_OUT);
        pass(&w, 130);
    }
    EXPECT_TOLD(&w, EVENT_STUN_CONTRADICTION, 8);
    cr_expect_leq(w.m.claims.used, 2);
    done(&w);
}
