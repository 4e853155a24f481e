/* links.c: headers that name another call. */
#include "messages.h"

TestSuite(links, .init = setup, .fini = teardown);

static void with(struct sip_msg *m, const char *name, const char *value)
{
    m->header[m->headers++] = (struct sip_header){ span_str(name), span_str(value) };
}

static void invite_with(const char *name, const char *value)
{
    struct sip_msg m = sip_request(SIP_INVITE, 1, "a", "");

    with(&m, name, value);
    caller_says(m, NULL);
}

static const struct link_fact *fact(size_t n)
{
    const struct link_fact *f = the_call()->links;

    while (n-- && f)
        f = f->next;
    return f;
}

Test(links, a_header_is_kept_with_its_frame)
{
    invite_with("x-call-id", " other@pbx\r\n ");
    cr_assert_not_null(fact(0));
    cr_assert_str_eq(fact(0)->header, "X-Call-ID");
    cr_assert_str_eq(fact(0)->value, "other@pbx");
    cr_assert_eq(fact(0)->at.frame, 1);
    cr_assert(fact(0)->names && fact(0)->shared && fact(0)->legs);
    cr_assert_null(the_call()->session_id);
}

Test(links, other_headers_are_not_kept)
{
    invite_with("X-Callers", "other@pbx");
    cr_assert_null(fact(0));
}

Test(links, only_an_invite_and_its_success_count)
{
    struct sip_msg ringing = sip_reply(180, SIP_INVITE, 1, "a", "b"), fine = sip_reply(200, SIP_INVITE, 1, "a", "b"),
                   bye = sip_request(SIP_BYE, 2, "a", "b");

    invite(1, CALLER_MEDIA);
    with(&ringing, "X-CID", "ringing@pbx");
    callee_says(ringing, NULL);
    with(&bye, "X-CID", "bye@pbx");
    caller_says(bye, NULL);
    cr_assert_null(fact(0));
    with(&fine, "X-CID", "fine@pbx");
    callee_says(fine, NULL);
    cr_assert_str_eq(fact(0)->value, "fine@pbx");
}

Test(links, a_retransmission_adds_nothing)
{
    invite_with("X-CID", "other@pbx");
    invite_with("X-CID", "other@pbx");
    cr_assert_null(fact(1));
    cr_assert_eq(fact(0)->at.frame, 1);
}

Test(links, a_call_id_is_taken_out_of_its_parameters)
{
    struct sip_msg m = sip_request(SIP_INVITE, 1, "a", "");

    with(&m, "Replaces", "98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff");
    with(&m, "In-Reply-To", "70710@saturn.bell-tel.com, 17320@saturn.bell-tel.com");
    with(&m, "P-Charging-Vector", "orig-ioi=home1.net; icid-value=\"AyretyU0dm+6O2IrT5tAFrbHLso=\" ;icid-generated-at=192.0.6.8");
    with(&m, "P-Charging-Vector", "orig-ioi=home1.net");
    caller_says(m, NULL);
    cr_assert_str_eq(fact(0)->value, "98732@sip.example.com");
    cr_assert(fact(0)->names && !fact(0)->shared && !fact(0)->legs, "it takes over a call, it is no leg of it");
    cr_assert_str_eq(fact(1)->value, "70710@saturn.bell-tel.com");
    cr_assert_str_eq(fact(2)->value, "AyretyU0dm+6O2IrT5tAFrbHLso=");
    cr_assert(!fact(2)->names && fact(2)->shared);
    cr_assert_null(fact(3), "without an icid-value");
}

Test(links, a_header_that_the_user_names)
{
    cr_assert(track_link_header(t, "X-Trunk-Call"));
    cr_assert(track_link_header(t, "replaces"));
    invite_with("X-TRUNK-CALL", "one;two");
    invite_with("Replaces", "98732@sip.example.com;to-tag=1");
    cr_assert_str_eq(fact(0)->value, "one;two");
    cr_assert_str_eq(fact(1)->value, "98732@sip.example.com");
    cr_assert(fact(1)->legs && fact(1)->shared, "the user says so");
}

Test(links, the_users_headers_have_a_bound)
{
    for (size_t i = 0; i < TRACK_LINK_HEADERS; i++)
        cr_assert(track_link_header(t, "X-Trunk-Call"));
    cr_assert_not(track_link_header(t, "X-One-More"));
}

/* Two that are cut could be equal where the whole ones are not. */
Test(links, a_value_that_is_too_long_is_not_kept)
{
    char value[LINK_VALUE_MAX + 2];

    memset(value, 'x', sizeof value);
    value[LINK_VALUE_MAX + 1] = '\0';
    invite_with("X-CID", value);
    cr_assert_null(fact(0));
    cr_assert_eq(faults.count[FAULT_SESSION_FACT_LIMIT], 1);
    value[LINK_VALUE_MAX] = '\0';
    invite_with("X-CID", value);
    cr_assert_eq(strlen(fact(0)->value), LINK_VALUE_MAX);
}

Test(links, so_many_and_no_more)
{
    static const char *const values[] = { "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8" };

    _Static_assert(sizeof values / sizeof *values == CALL_LINKS_KEPT + 1, "one too many");
    for (size_t i = 0; i <= CALL_LINKS_KEPT; i++)
        invite_with("X-CID", values[i]);
    cr_assert_str_eq(fact(CALL_LINKS_KEPT - 1)->value, "c7");
    cr_assert_null(fact(CALL_LINKS_KEPT));
    cr_assert_eq(faults.count[FAULT_SESSION_FACT_LIMIT], 1);
}

Test(links, a_null_byte_is_no_value)
{
    struct sip_msg m = sip_request(SIP_INVITE, 1, "a", "");

    m.header[m.headers++] = (struct sip_header){ SPAN("X-CID"), SPAN("abcdef\0ghi") };
    caller_says(m, NULL);
    cr_assert_null(fact(0));
}

/* ---- REFER ---- */

static void refer(const char *refer_to)
{
    struct sip_msg m = sip_request(SIP_REFER, 2, "a", "b");

    with(&m, "Refer-To", refer_to);
    caller_says(m, NULL);
}

/* An attended transfer (RFC 5589 §7): the escaped Call-ID of the call that the new one is to replace. */
Test(links, a_refer_names_the_call_that_is_replaced)
{
    invite(1, CALLER_MEDIA);
    refer("\"Who?\" "
          "<sip:bob@192.0.2.4?Accept-Contact=x&replaces=090459243588173445%40192.0.2.4%3Bto-tag%3D9m2n3wq%3Bfrom-tag%3D7>");
    cr_assert_not_null(fact(0));
    cr_assert_str_eq(fact(0)->header, "Refer-To");
    cr_assert_str_eq(fact(0)->value, "090459243588173445@192.0.2.4");
    cr_assert_eq(fact(0)->at.frame, 2);
    cr_assert(fact(0)->names && !fact(0)->shared && !fact(0)->legs);
}

Test(links, a_refer_that_names_none)
{
    static const char *const values[] = { "",
                                          "<sip:bob@192.0.2.4>",
                                          "<sip:bob@192.0.2.4?>",
                                          "<sip:bob@192.0.2.4?Replaces=>",
                                          "<sip:bob@192.0.2.4?Replaces=%00%3B>",
                                          "<sip:bob@192.0.2.4>?Replaces=x%40y" };

    invite(1, CALLER_MEDIA);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        refer(values[i]);
    cr_assert_null(fact(0));
}

Test(links, a_refer_with_what_is_no_escape)
{
    invite(1, CALLER_MEDIA);
    refer("sip:bob@192.0.2.4?Replaces=a%zzb%4;to-tag=%");
    cr_assert_str_eq(fact(0)->value, "a%zzb%4");
}

/* ---- Session-ID ---- */

#define UUID_A "ab30317f1a784dc48ff824d0d3715d86"
#define UUID_B "47755a9de7794ba387653f2099600ef2"
#define NOBODY "00000000000000000000000000000000"

Test(links, session_id_of_both_parties)
{
    struct sip_msg fine = sip_reply(200, SIP_INVITE, 1, "a", "b");
    const struct session_id_fact *f;

    invite_with("Session-ID", UUID_A ";remote=" NOBODY);
    f = the_call()->session_id;
    cr_assert_not_null(f);
    cr_assert(f->known[CALLER] && !f->known[CALLEE]);
    cr_assert_eq(f->uuid[CALLER][0], 0xab);
    cr_assert_eq(f->uuid[CALLER][15], 0x86);
    with(&fine, "Session-ID", UUID_B " ; remote=" UUID_A);
    callee_says(fine, NULL);
    cr_assert(f->known[CALLEE]);
    cr_assert_eq(f->uuid[CALLEE][0], 0x47);
    cr_assert_eq(f->uuid[CALLER][0], 0xab);
    cr_assert_eq(f->at.frame, 1);
    cr_assert_null(fact(0));
}

Test(links, a_session_id_that_is_none)
{
    invite_with("Session-ID", NOBODY ";remote=" NOBODY);
    invite_with("Session-ID", "0123");
    invite_with("Session-ID", UUID_A "00");
    invite_with("Session-ID", "zz30317f1a784dc48ff824d0d3715d86;remote=");
    cr_assert_not_null(the_call()->session_id);
    cr_assert(!the_call()->session_id->known[CALLER] && !the_call()->session_id->known[CALLEE]);
}
