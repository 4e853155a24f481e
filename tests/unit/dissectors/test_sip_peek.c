/* What is peeked at must be what is read, or nothing; and no byte outside of the message is looked at. */
#include "sip_support.h"
#include "support/sweep.h"

#define OF(line) START VIA "From: <sip:a@example.org>;tag=1\r\n" line "\r\nCSeq: 7 INVITE\r\n" END

static struct span peeked(const char *text)
{
    return sip_peek_call_id(span_str(text));
}

Test(sip_peek, finds_what_is_read)
{
    static const char *const samples[] = { REQUEST, OF("Call-ID: a84b4c76e66710@10.0.0.5"), OF("call-id:x"),
                                           OF("CALL-ID: \t with blanks around\t "), "SIP/2.0 100 Trying\r\n" VIA TAIL END };

    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        datagram(samples[i]);
        cr_assert_gt(m.call_id.n, 0);
        cr_assert(span_eq(peeked(samples[i]), m.call_id), "%s", samples[i]);
    }
}

Test(sip_peek, sees_nothing_elsewhere)
{
    static const char *const samples[] = { "",
                                           "I",
                                           "INVITE sip:b@example.org SIP/2.0\r\n",
                                           OF("i: short"),
                                           OF("X-Call-ID: other"),
                                           "\x80\0INVITE\r\nCall-ID: x\r\n......................",
                                           "@\x41INVITE\r\nCall-ID: x\r\n......................" };

    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        cr_assert_eq(peeked(samples[i]).n, 0, "%s", samples[i]);
}

static void look(struct rd r, bool full, void *self)
{
    struct span s = rd_rest(&r), id = sip_peek_call_id(s);

    (void)full, (void)self;
    if (id.n)
        cr_assert(id.p >= s.p && id.p + id.n <= s.p + s.n, "a span outside the input");
}

Test(sip_peek, stays_inside)
{
    sweep(SPAN(OF("Call-ID: a84b4c76e66710@10.0.0.5")), look, NULL);
}
