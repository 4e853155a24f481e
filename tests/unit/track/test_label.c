/* call.c: the headers that --label names. */
#include "messages.h"

TestSuite(label, .init = setup, .fini = teardown);

static const char *const names[] = { "X-Campaign", "Subject", "x-none", "4", "5", "6", "7", "8", "9" };

static struct sip_msg with_header(struct sip_msg m, const char *name, const char *value)
{
    m.header[m.headers++] = (struct sip_header){ span_str(name), span_str(value) };
    return m;
}

Test(label, the_invites_headers_are_kept)
{
    struct sip_msg m = with_header(sip_request(SIP_INVITE, 1, "a", ""), "x-campaign", " winter \r\n");

    track_labels(t, names, 3);
    caller_says(with_header(m, "s", "hello"), audio(CALLER_MEDIA));
    cr_assert_str_eq(the_call()->label[0], "winter", "in any case, without blanks");
    cr_assert_str_eq(the_call()->label[1], "hello", "in its compact form");
    cr_assert_str_eq(the_call()->label[2], "");
}

Test(label, without_names_nothing_is_kept)
{
    caller_says(with_header(sip_request(SIP_INVITE, 1, "a", ""), "X-Campaign", "winter"), audio(CALLER_MEDIA));
    cr_assert_null(the_call()->label);
}

Test(label, the_first_invite_that_has_it_counts)
{
    track_labels(t, names, 1);
    invite(1, CALLER_MEDIA);
    cr_assert_str_eq(the_call()->label[0], "");
    caller_says(with_header(sip_request(SIP_INVITE, 2, "a", ""), "X-Campaign", "winter"), audio(CALLER_MEDIA));
    caller_says(with_header(sip_request(SIP_INVITE, 3, "a", ""), "X-Campaign", "summer"), audio(CALLER_MEDIA));
    cr_assert_str_eq(the_call()->label[0], "winter");
}

Test(label, other_messages_do_not_count)
{
    track_labels(t, names, 1);
    invite(1, CALLER_MEDIA);
    callee_says(with_header(sip_reply(200, SIP_INVITE, 1, "a", "b"), "X-Campaign", "of the answer"), audio(CALLEE_MEDIA));
    caller_says(with_header(sip_request(SIP_BYE, 2, "a", "b"), "X-Campaign", "of the BYE"), NULL);
    cr_assert_str_eq(the_call()->label[0], "");
}

Test(label, long_values_are_cut)
{
    char value[TRACK_LABEL_VALUE + 9];

    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    track_labels(t, names, 1);
    caller_says(with_header(sip_request(SIP_INVITE, 1, "a", ""), "X-Campaign", value), NULL);
    cr_assert_eq(strlen(the_call()->label[0]), TRACK_LABEL_VALUE);
}

Test(label, no_more_than_the_cap)
{
    track_labels(t, names, 9);
    cr_assert_eq(t->labels, TRACK_LABELS);
    caller_says(with_header(sip_request(SIP_INVITE, 1, "a", ""), "8", "eight"), NULL);
    cr_assert_str_eq(the_call()->label[TRACK_LABELS - 1], "eight");
}
