/* stun.c: ICE connectivity checks (RFC 8445 §7) and their integrity (RFC 8489 §9.1). */
#include "unit/dissectors/stun_sample.h"

#include "messages.h"

TestSuite(check_fact, .init = setup, .fini = teardown);

#define A "192.0.2.10:10000"
#define B "198.51.100.20:20000"

static struct check *check_between(const char *src, const char *dst)
{
    struct flow *f = flow_between(src, dst);

    return f ? track_check_at(t, f->checks) : NULL;
}

static struct stun_msg check_of(uint8_t id)
{
    struct stun_msg m = stun_of(STUN_REQUEST, id);

    m.username = SPAN("bbbb:aaaa");
    m.has_priority = m.controlling = true;
    return m;
}

Test(check_fact, check_and_answer)
{
    struct check *c;

    cr_assert_eq(stun_between(A, B, check_of(1)), STUN_OF_CHECK);
    c = check_between(A, B);
    cr_assert_not_null(c);
    cr_assert_eq(c->requests.n, 1);
    cr_assert_eq(c->answers.n, 0);
    cr_assert_eq(c->flow, flow_between(A, B)->slot);
    cr_assert(c->controlling);
    cr_assert_str_eq(c->username, "bbbb:aaaa");
    cr_assert_eq(stun_between(B, A, stun_answer(1, "203.0.113.10:33333")), STUN_OF_CHECK);
    cr_assert_eq(c->answers.n, 1);
    cr_assert_eq(c->answers.first.frame, 2);
    cr_assert(addr_is(&c->mapped, "203.0.113.10:33333"));
    cr_assert_eq(c->mapped_at.frame, 2);
    cr_assert_not(c->mapped_verified, "no password was seen");
    cr_assert_null(check_between(B, A), "the answer is no check of the way back");
    cr_assert(flow_between(A, B)->contains & FLOW_CHECK);
    cr_assert(flow_between(B, A)->contains & FLOW_CHECK);
    cr_assert_eq(t->servers.live, 0, "who answers checks is no STUN server");
    cr_assert_null(socket_at("203.0.113.10:33333"), "nor is it a claim of one");
}

Test(check_fact, each_pair_has_its_own_checks)
{
    stun_between(A, B, check_of(1));
    stun_between(A, "198.51.100.20:20001", check_of(2));
    stun_between(B, A, check_of(3));
    stun_between("198.51.100.20:20001", A, stun_answer(2, A));
    cr_assert_eq(t->checks.live, 3);
    cr_assert_eq(check_between(A, B)->answers.n, 0);
    cr_assert_eq(check_between(A, "198.51.100.20:20001")->answers.n, 1);
    cr_assert_eq(check_between(B, A)->answers.n, 0);
}

Test(check_fact, retransmissions_are_requests_and_each_answer_counts)
{
    stun_between(A, B, check_of(1));
    stun_between(A, B, check_of(1));
    stun_between(A, B, check_of(2));
    cr_assert_eq(check_between(A, B)->requests.n, 3);
    stun_between(B, A, stun_answer(1, A));
    stun_between(B, A, stun_answer(2, A));
    cr_assert_eq(check_between(A, B)->answers.n, 2);
    cr_assert_eq(check_between(A, B)->answers.last.frame, 5);
}

Test(check_fact, nomination)
{
    struct stun_msg nominating = check_of(2);
    struct check *c;

    nominating.use_candidate = true;
    stun_between(A, B, check_of(1));
    stun_between(B, A, stun_answer(1, A));
    c = check_between(A, B);
    cr_assert_eq(c->nominated.frame, 0);
    cr_assert_eq(c->nominated_ok.frame, 0);
    stun_between(A, B, nominating);
    cr_assert_eq(c->nominated.frame, 3);
    cr_assert_eq(c->nominated_ok.frame, 0, "not before its answer");
    stun_between(B, A, stun_answer(2, A));
    cr_assert_eq(c->nominated_ok.frame, 4);
    nominating.tid[15] = 3;
    stun_between(A, B, nominating);
    stun_between(B, A, stun_answer(3, A));
    cr_assert_eq(c->nominated.frame, 3, "the first");
    cr_assert_eq(c->nominated_ok.frame, 4);
}

Test(check_fact, an_error_is_no_answer)
{
    struct stun_msg error = stun_of(STUN_ERROR, 1);

    error.error = 487; /* role conflict */
    stun_between(A, B, check_of(1));
    cr_assert_eq(stun_between(B, A, error), STUN_OF_CHECK);
    cr_assert_eq(check_between(A, B)->errors, 1);
    cr_assert_eq(check_between(A, B)->answers.n, 0);
    cr_assert_eq(check_between(A, B)->mapped_at.frame, 0);
}

Test(check_fact, unmatched_answers)
{
    stun_between(A, B, check_of(1));
    cr_assert_eq(stun_between(B, A, stun_answer(2, A)), STUN_OF_NOBODY);
    cr_assert_eq(stun_between(B, "192.0.2.10:10002", stun_answer(1, A)), STUN_OF_NOBODY);
    cr_assert_eq(t->stun_unmatched, 2);
    cr_assert_eq(check_between(A, B)->answers.n, 0);
}

/* RFC 8445 §7.2.5.2.1: an answer must come from where the check was sent to, or the check has failed. */
Test(check_fact, an_answer_from_another_address_does_not_prove_the_path)
{
    stun_between(A, B, check_of(1));
    stun_between("198.51.100.20:30000", A, stun_answer(1, A));
    cr_assert_eq(check_between(A, B)->answers.n, 0);
    cr_assert_eq(check_between(A, B)->mapped_at.frame, 0);
}

Test(check_fact, server_and_check_on_one_socket_keep_apart)
{
    stun_between(A, "74.125.250.129:19302", stun_of(STUN_REQUEST, 1));
    stun_between(A, B, check_of(2));
    cr_assert_eq(stun_between("74.125.250.129:19302", A, stun_answer(1, "203.0.113.10:1")), STUN_OF_SERVER);
    cr_assert_eq(stun_between(B, A, stun_answer(2, "203.0.113.10:1")), STUN_OF_CHECK);
    cr_assert_eq(t->servers.live, 1);
    cr_assert_eq(t->checks.live, 1);
}

/* ---- integrity: the check and answer of RFC 5769, whose fragments are evtj (asked) and h6vY (asking) ---- */

static enum stun_role vector_between(const char *src, const char *dst, const uint8_t *bytes, size_t n)
{
    struct faults why = { 0 };
    struct stun_msg m;

    cr_assert_eq(dissect(bytes_of(bytes, n), &m, &why), DIS_OK);
    return stun_between(src, dst, m);
}

static void check_and_answer(void)
{
    cr_assert_eq(vector_between(A, B, request, sizeof request), STUN_OF_CHECK);
    cr_assert_eq(vector_between(B, A, response4, sizeof response4), STUN_OF_CHECK);
}

/* The callee's SDP: it is asked. */
static void password_told(const char *ufrag, const char *pwd)
{
    invite_gets(200, 1, "b", NULL);
    callee_says(sip_reply(200, SIP_INVITE, 1, "a", "b"), audio_ice(B, ufrag, pwd, B));
}

Test(check_fact, a_sound_answer_is_verified)
{
    password_told("evtj", "VOkJxbRl1RmTxUk/WvJxBt");
    check_and_answer();
    cr_assert_eq(check_between(A, B)->answers.n, 1);
    cr_assert(check_between(A, B)->mapped_verified);
    cr_assert(addr_is(&check_between(A, B)->mapped, "192.0.2.1:32853"));
    cr_assert_eq(check_between(A, B)->forged, 0);
}

Test(check_fact, a_forged_answer_is_counted_and_no_evidence)
{
    uint8_t forged[sizeof response4];

    memcpy(forged, response4, sizeof forged);
    forged[46] ^= 1; /* in XOR-MAPPED-ADDRESS */
    password_told("evtj", "VOkJxbRl1RmTxUk/WvJxBt");
    vector_between(A, B, request, sizeof request);
    cr_assert_eq(vector_between(B, A, forged, sizeof forged), STUN_OF_CHECK);
    cr_assert_eq(check_between(A, B)->forged, 1);
    cr_assert_eq(check_between(A, B)->answers.n, 0);
    cr_assert_eq(check_between(A, B)->errors, 0);
    cr_assert_eq(check_between(A, B)->mapped_at.frame, 0);
    cr_assert_eq(faults.count[FAULT_STUN_INTEGRITY], 1);
    cr_assert_eq(faults.first_frame[FAULT_STUN_INTEGRITY], frame_now);
    cr_assert_eq(vector_between(B, A, response4, sizeof response4), STUN_OF_CHECK);
    cr_assert_eq(check_between(A, B)->answers.n, 1, "the true one still counts");
}

Test(check_fact, a_forged_nomination_answer_nominates_nothing)
{
    struct stun_msg nominating = check_of(1), forged;
    struct faults why = { 0 };

    cr_assert_eq(dissect(BYTES(response4), &forged, &why), DIS_OK);
    memcpy(nominating.tid, forged.tid, STUN_TID);
    nominating.use_candidate = true;
    nominating.username = SPAN("evtj:h6vY");
    password_told("evtj", "another password of 22");
    stun_between(A, B, nominating);
    stun_between(B, A, forged);
    cr_assert_neq(check_between(A, B)->nominated.frame, 0);
    cr_assert_eq(check_between(A, B)->nominated_ok.frame, 0);
    cr_assert_eq(check_between(A, B)->forged, 1);
}

/* The answer is signed by who was asked: the asker's own password is another one. */
Test(check_fact, the_askers_password_is_not_tried)
{
    password_told("h6vY", "another password of 22");
    check_and_answer();
    cr_assert_eq(check_between(A, B)->forged, 0);
    cr_assert_eq(check_between(A, B)->answers.n, 1);
    cr_assert_not(check_between(A, B)->mapped_verified);
}

Test(check_fact, an_unsigned_answer_is_no_forgery_and_not_verified)
{
    struct stun_msg m = stun_answer(1, A), asked = check_of(1);

    password_told("evtj", "VOkJxbRl1RmTxUk/WvJxBt");
    asked.username = SPAN("evtj:h6vY");
    stun_between(A, B, asked);
    stun_between(B, A, m);
    cr_assert_eq(check_between(A, B)->forged, 0);
    cr_assert_eq(check_between(A, B)->answers.n, 1);
    cr_assert_not(check_between(A, B)->mapped_verified);
}

/* A fragment may be four characters long: two agents can have the same. Then neither's answers can be called forged. */
Test(check_fact, an_ambiguous_fragment_verifies_nothing)
{
    password_told("evtj", "VOkJxbRl1RmTxUk/WvJxBt");
    password_told("evtj", "another password of 22");
    password_told("evtj", "VOkJxbRl1RmTxUk/WvJxBt");
    check_and_answer();
    cr_assert_eq(check_between(A, B)->forged, 0);
    cr_assert_eq(check_between(A, B)->answers.n, 1);
    cr_assert_not(check_between(A, B)->mapped_verified);
}

Test(check_fact, the_same_password_again_is_not_ambiguous)
{
    password_told("evtj", "VOkJxbRl1RmTxUk/WvJxBt");
    caller_says(sip_request(SIP_INVITE, 2, "a", "b"), audio_ice(A, "evtj", "VOkJxbRl1RmTxUk/WvJxBt", A));
    check_and_answer();
    cr_assert(check_between(A, B)->mapped_verified);
}

Test(check_fact, checks_beyond_the_cap)
{
    t->checks.cap = 1;
    cr_assert_eq(stun_between(A, B, check_of(1)), STUN_OF_CHECK);
    cr_assert_eq(stun_between(B, A, check_of(2)), STUN_OF_CHECK);
    cr_assert_null(check_between(B, A));
    cr_assert_eq(stun_between(A, B, stun_answer(2, B)), STUN_OF_NOBODY);
    cr_assert_eq(t->checks.refused, 1);
}

/* Consent is asked for again and again (RFC 7675): what was asked since the latest answer, retransmissions not counted. */
Test(check_fact, unanswered_since_the_latest_answer)
{
    struct check *c;

    stun_between(A, B, check_of(1));
    stun_between(B, A, stun_answer(1, A));
    c = check_between(A, B);
    cr_assert_eq(c->unanswered, 0);
    stun_between(A, B, check_of(2));
    stun_between(A, B, check_of(2));
    stun_between(A, B, check_of(3));
    cr_assert_eq(c->unanswered, 2);
    cr_assert_eq(c->unanswered_since.frame, 3);
    stun_between(B, A, stun_answer(2, A));
    cr_assert_eq(c->unanswered, 0);
}

Test(check_fact, a_role_conflict_is_counted)
{
    struct stun_msg m = stun_of(STUN_ERROR, 1);

    m.error = 487;
    stun_between(A, B, check_of(1));
    stun_between(B, A, m);
    cr_assert_eq(check_between(A, B)->errors, 1);
    cr_assert_eq(check_between(A, B)->conflicts, 1);
}

Test(check_fact, new_fragments_are_a_restart)
{
    struct stun_msg m = check_of(2);
    const struct ice_restart *r;

    stun_between(A, B, check_of(1));
    cr_assert_eq(t->restarts.used, 0);
    m.username = SPAN("dddd:cccc");
    stun_between(A, B, m);
    cr_assert_eq(t->restarts.used, 1);
    r = pool_at(&t->restarts, 0);
    cr_assert_eq(track_check_at(t, r->check), check_between(A, B));
    cr_assert_str_eq(r->before, "bbbb:aaaa");
    cr_assert_str_eq(r->after, "dddd:cccc");
    cr_assert_eq(r->last_before.frame, 1);
    cr_assert_eq(r->first_after.frame, 2);
}

/* Two agents that share the addresses take turns: no restart each time, and no memory either. */
Test(check_fact, names_that_take_turns)
{
    struct stun_msg other = check_of(0);

    other.username = SPAN("dddd:cccc");
    for (uint8_t i = 1; i < 100; i++) {
        other.tid[1] = i;
        stun_between(A, B, i % 2 ? check_of(i) : other);
    }
    cr_assert_eq(t->restarts.used, 1);
    cr_assert_str_eq(check_between(A, B)->username_before, "dddd:cccc");
}
