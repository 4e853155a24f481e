/* transfer.c: REFER within a call, its reply, and the NOTIFY that tells what became of it (RFC 3515). */
#include "messages.h"

#include "base/strbuf.h"

TestSuite(transfer, .init = setup, .fini = teardown);

static void with(struct sip_msg *m, const char *name, const char *value)
{
    m->header[m->headers++] = (struct sip_header){ span_str(name), span_str(value) };
}

/* The callee asks; its tag is "b". */
static void refer(uint32_t cseq, const char *refer_to)
{
    struct sip_msg m = sip_request(SIP_REFER, cseq, "b", "a");

    with(&m, "Refer-To", refer_to);
    callee_says(m, NULL);
}

static void refer_gets(unsigned status, uint32_t cseq)
{
    caller_says(sip_reply(status, SIP_REFER, cseq, "b", "a"), NULL);
}

static void notify(const char *event, const char *body)
{
    struct sip_msg m = sip_request(SIP_NOTIFY, 100, "a", "b");

    with(&m, "Event", event);
    m.body = span_str(body);
    caller_says(m, NULL);
}

static const struct transfer_fact *latest(void)
{
    const struct transfer_fact *x = call_transfers(the_call());

    cr_assert_not_null(x);
    return x;
}

Test(transfer, a_call_without)
{
    cr_expect_null(call_transfers(answered_call()));
}

Test(transfer, asked_agreed_and_told)
{
    answered_call();
    refer(7, "\"Bob\" <sip:bob@example.net?Replaces=x%40y>;early-only");
    refer_gets(202, 7);
    notify("refer", "SIP/2.0 100 Trying\r\n");
    cr_expect_eq(latest()->status, 0);
    notify("refer;id=7", "SIP/2.0 200 OK\r\n");
    cr_expect_eq(latest()->by, CALLEE);
    cr_expect_eq(latest()->asked.frame, 5);
    cr_expect_eq(latest()->accepted.frame, 6);
    cr_expect_eq(latest()->told.frame, 8);
    cr_expect_eq(latest()->status, 200);
    cr_expect_str_eq(latest()->target, "sip:bob@example.net");
}

Test(transfer, a_bare_uri_and_the_compact_header)
{
    struct sip_msg m = sip_request(SIP_REFER, 7, "b", "a");

    answered_call();
    with(&m, "r", " sip:bob@example.net ");
    callee_says(m, NULL);
    cr_expect_str_eq(latest()->target, "sip:bob@example.net");
}

Test(transfer, refused)
{
    answered_call();
    refer(7, "<sip:bob@example.net>");
    refer_gets(603, 7);
    cr_expect_eq(latest()->accepted.frame, 0);
}

/* Sent again for want of an answer: one wish, and its first reply counts. */
Test(transfer, repeated)
{
    answered_call();
    refer(7, "<sip:bob@example.net>");
    refer(7, "<sip:bob@example.net>");
    refer_gets(202, 7);
    refer_gets(202, 7);
    cr_expect_null(latest()->next);
    cr_expect_eq(latest()->asked.frame, 5);
    cr_expect_eq(latest()->accepted.frame, 7);
}

/* What is told belongs to the REFER that it names, else to the latest one of whoever is told (RFC 3515 §2.4.6). */
Test(transfer, two_of_them)
{
    answered_call();
    refer(7, "<sip:bob@example.net>");
    refer_gets(202, 7);
    refer(8, "<sip:carol@example.net>");
    refer_gets(202, 8);
    notify("refer;id=7", "SIP/2.0 486 Busy Here");
    notify("refer", "SIP/2.0 200 OK");
    cr_expect_eq(latest()->status, 200);
    cr_assert_not_null(latest()->next);
    cr_expect_eq(latest()->next->status, 486);
}

Test(transfer, the_first_final_status_counts)
{
    answered_call();
    refer(7, "<sip:bob@example.net>");
    notify("refer", "SIP/2.0 503 Service Unavailable");
    notify("refer", "SIP/2.0 200 OK");
    cr_expect_eq(latest()->status, 503);
}

Test(transfer, what_is_no_status_line_tells_nothing)
{
    static const char *const bodies[] = { "", "SIP/2.0 ", "SIP/2.0 2", "SIP/2.0 abc", "SIP/2.0 999 ?", "<dialog-info/>" };

    answered_call();
    notify("refer", "SIP/2.0 200 OK"); /* nobody asked */
    refer(7, "<sip:bob@example.net>");
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        notify("refer;id=", bodies[i]);
    cr_expect_eq(latest()->status, 0);
}

/* The caller's own NOTIFY tells the callee of the callee's REFER, not of its own. */
Test(transfer, both_ask)
{
    struct sip_msg m = sip_request(SIP_REFER, 3, "a", "b");

    answered_call();
    refer(7, "<sip:bob@example.net>");
    with(&m, "Refer-To", "<sip:carol@example.net>");
    caller_says(m, NULL);
    notify("refer", "SIP/2.0 200 OK");
    cr_expect_eq(latest()->by, CALLER);
    cr_expect_eq(latest()->status, 0);
    cr_expect_eq(latest()->next->status, 200);
}

Test(transfer, without_a_target_or_with_a_long_one)
{
    struct strbuf b = { 0 };

    answered_call();
    refer(7, "");
    cr_expect_str_eq(latest()->target, "");
    for (size_t i = 0; i < 500; i++)
        strbuf_add(&b, "x");
    refer(8, strbuf_str(&b));
    cr_expect_eq(strlen(latest()->target), TRANSFER_TARGET);
    strbuf_done(&b);
}

Test(transfer, more_than_are_kept)
{
    answered_call();
    for (uint32_t i = 1; i <= CALL_TRANSFERS_KEPT + 2; i++)
        refer(i, "<sip:bob@example.net>");
    cr_expect_eq(latest()->cseq, CALL_TRANSFERS_KEPT);
    cr_expect_eq(faults.count[FAULT_SESSION_FACT_LIMIT], 2);
}
