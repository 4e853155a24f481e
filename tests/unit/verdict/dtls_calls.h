/* Calls of the DTLS tests: a webphone calls the dialer, ICE connects, and then there is DTLS, or is not. */
#ifndef RW_TESTS_DTLS_CALLS_H
#define RW_TESTS_DTLS_CALLS_H

#include <criterion/criterion.h>

#include "support/story.h"

#define TO_W   "wfrag:dfrag"
#define TO_D   "dfrag:wfrag"
#define D_CERT "the dialer's certificate"
#define W_CERT "the webphone's certificate"
#define W_ELSE W_OUT ":41000"

enum { RETRIES = 5, RETRY_MS = 900 };

/* W calls and D answers, so D is the DTLS client (RFC 8842 §5.3). A test changes what it needs before the call. */
static inline struct says w_says(void)
{
    return (struct says){ .rtp = W_RTP,
                          .ufrag = "wfrag",
                          .cand = { { SDP_CAND_SRFLX, W_RTP, NULL } },
                          .fingerprint = story_fingerprint(W_CERT),
                          .setup = "actpass" };
}

static inline struct says d_says(void)
{
    return (struct says){ .rtp = D_RTP,
                          .ufrag = "dfrag",
                          .cand = { { SDP_CAND_HOST, D_RTP, NULL } },
                          .fingerprint = story_fingerprint(D_CERT),
                          .setup = "active" };
}

static inline void webphone_calls(struct story *s, const struct says *w, const struct says *d)
{
    story_call(s, "call-1@webphone", PROXY ":5060", D_HOST ":5060");
    story_up(s, w, d);
}

/* ICE connects at once, and its checks go on. */
static inline void connect(struct story *s)
{
    story_checks(s, D_RTP, W_RTP, TO_W, D_RTP_OUT);
    story_checks(s, W_RTP, D_RTP, TO_D, W_RTP)->nominates = true;
    story_pass(s, 600);
}

static inline struct story *connected_as(const struct says *w, const struct says *d)
{
    struct story *s = story_new(D_HOST);

    webphone_calls(s, w, d);
    connect(s);
    return s;
}

static inline struct story *connected(void)
{
    struct says w = w_says(), d = d_says();

    return connected_as(&w, &d);
}

static inline struct story *without_ice(void)
{
    struct story *s = story_new(D_HOST);

    webphone_calls(s, SAYS(W_RTP, .fingerprint = story_fingerprint(W_CERT)),
                   SAYS(D_RTP, .fingerprint = story_fingerprint(D_CERT)));
    return s;
}

static inline void again(struct story *s, const char *from, const char *to, enum flight flight)
{
    for (unsigned i = 0; i < RETRIES; i++) {
        DTLS(s, from, to, flight);
        story_pass(s, RETRY_MS);
    }
}

/* Each sends its flight, and neither gets further. */
static inline void both_again(struct story *s, struct says_dtls d, struct says_dtls w)
{
    for (unsigned i = 0; i < RETRIES; i++) {
        story_dtls(s, &d);
        story_dtls(s, &w);
        story_pass(s, RETRY_MS);
    }
}
#define D_SENDS(...) ((struct says_dtls){ .from = D_RTP, W_RTP, __VA_ARGS__ })
#define W_SENDS(...) ((struct says_dtls){ .from = W_RTP, D_RTP, __VA_ARGS__ })

static inline void hang_up(struct story *s)
{
    story_pass(s, 5000);
    story_bye(s, CALLER);
}

static inline void talk(struct story *s)
{
    story_play(s, D_RTP, W_RTP, 1);
    story_play(s, W_RTP, D_RTP, 2);
    story_pass(s, 5000);
}

static inline bool is_told(const struct story *s, const char *kind, const char *part)
{
    for (size_t i = 0; i < s->found->evidence_n; i++)
        if (strcmp(s->found->evidence[i].kind, kind) == 0 && strstr(s->found->evidence[i].text, part))
            return true;
    return false;
}

static inline void ends_as_failed(struct story *s, enum confidence how)
{
    hang_up(s);
    EXPECT(s, .verdict = VERDICT_SETUP_FAILED, .cause = CAUSE_DTLS_FAILED, .least = how, .most = how);
    EXPECT_DIRECTION(s, CALLER, DIR_NOT_SENT);
    EXPECT_DIRECTION(s, CALLEE, DIR_NOT_SENT);
}

/* Whatever else is said of it. */
static inline void is_no_dtls_failure(struct story *s)
{
    story_judge(s, 0);
    cr_expect_neq(s->found->cause, CAUSE_DTLS_FAILED);
    cr_expect_neq(s->found->verdict, VERDICT_SETUP_FAILED);
    story_free(s);
}

static inline void ends_otherwise(struct story *s)
{
    hang_up(s);
    is_no_dtls_failure(s);
}

#endif
