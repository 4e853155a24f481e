#include <criterion/criterion.h>
#include <stdio.h>

#include "out/syslog_private.h"

/* 2003-10-11T22:14:15.003Z, the time of RFC 5424 §6.5 */
#define AT_NS (INT64_C(1065910455003) * NS_PER_MS)

static const struct syslog_form form = {
    .host = "mymachine.example.com", .app = "rtpwatch", .sd_id = "rtpwatch@32473", .pid = 12, .most = 8192
};

static struct syslog_message message(const char *text, const struct syslog_param *params, size_t n)
{
    return (struct syslog_message){ SYSLOG_WARNING, SYSLOG_DAEMON, "alert", span_str(text), params, n };
}

static void expect(const struct syslog_form *f, const struct syslog_message *m, uint32_t sequence, int64_t at_ns,
                   const char *want)
{
    struct strbuf b = { 0 };

    syslog_format(f, m, sequence, at_ns, &b);
    cr_assert_str_eq(strbuf_str(&b), want);
    cr_assert_eq(b.n, strlen(want));
    strbuf_done(&b);
}

static void expect_part(const struct syslog_form *f, const struct syslog_message *m, const char *want)
{
    struct strbuf b = { 0 };

    syslog_format(f, m, 1, AT_NS, &b);
    cr_assert_not_null(strstr(strbuf_str(&b), want), "'%s' is not in '%s'", want, strbuf_str(&b));
    strbuf_done(&b);
}

Test(syslog_format, the_first_example_of_the_rfc)
{
    const struct syslog_form f = { .host = "mymachine.example.com", .app = "su", .most = 8192 };
    const struct syslog_message m = { SYSLOG_CRITICAL, 4, "ID47", SPAN("'su root' failed for lonvick on /dev/pts/8"), NULL, 0 };

    expect(&f, &m, 0, AT_NS,
           "<34>1 2003-10-11T22:14:15.003000Z mymachine.example.com su - ID47 - 'su root' failed for lonvick on /dev/pts/8");
}

Test(syslog_format, the_second_example_of_the_rfc_has_a_process_and_no_message_id)
{
    const struct syslog_form f = { .host = "192.0.2.1", .app = "myproc", .pid = 8710, .most = 8192 };
    const struct syslog_message m = { SYSLOG_NOTICE, 20, NULL, SPAN("%% It's time to make the do-nuts."), NULL, 0 };

    expect(&f, &m, 0, INT64_C(1061727255000003) * NS_PER_US,
           "<165>1 2003-08-24T12:14:15.000003Z 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.");
}

Test(syslog_format, the_third_example_of_the_rfc_has_structured_data_and_the_fourth_has_that_alone)
{
    const struct syslog_form f = {
        .host = "mymachine.example.com", .app = "evntslog", .sd_id = "exampleSDID@32473", .most = 8192
    };
    const struct syslog_param params[] = { { "iut", SPAN("3") },
                                           { "eventSource", SPAN("Application") },
                                           { "eventID", SPAN("1011") } };
    struct syslog_message m = { SYSLOG_NOTICE, 20, "ID47", SPAN("An application event log entry..."), params, 3 };

    expect(&f, &m, 0, AT_NS,
           "<165>1 2003-10-11T22:14:15.003000Z mymachine.example.com evntslog - ID47 "
           "[exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"] An application event log entry...");
    m.text = SPAN_NONE;
    expect(&f, &m, 0, AT_NS,
           "<165>1 2003-10-11T22:14:15.003000Z mymachine.example.com evntslog - ID47 "
           "[exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"]");
}

Test(syslog_format, the_sequence_number_stands_in_meta)
{
    const struct syslog_param one = { "rule", SPAN("bad-stun") };
    struct syslog_message m = message("hello", &one, 1);

    expect(&form, &m, 2147483647, AT_NS,
           "<28>1 2003-10-11T22:14:15.003000Z mymachine.example.com rtpwatch 12 alert "
           "[meta sequenceId=\"2147483647\"][rtpwatch@32473 rule=\"bad-stun\"] hello");
}

Test(syslog_format, text_beyond_ascii_begins_with_a_bom_and_ascii_does_not)
{
    struct syslog_message m = message("M\xc3\xbcller", NULL, 0);

    expect_part(&form, &m, "] \xef\xbb\xbfM\xc3\xbcller");
    m.text = SPAN("Mueller");
    expect_part(&form, &m, "] Mueller");
}

Test(syslog_format, quotes_backslashes_and_brackets_are_escaped_in_values_and_not_in_the_text)
{
    const struct syslog_param one = { "v", SPAN("a\"b\\c]d[e") };
    struct syslog_message m = message("a\"b\\c]d", &one, 1);

    expect_part(&form, &m, " v=\"a\\\"b\\\\c\\]d[e\"] a\"b\\c]d");
}

Test(syslog_format, what_is_no_printable_utf8_is_replaced)
{
    const struct syslog_param one = { "v", SPAN("a\nb\r\0c\x1b[31m\x7f\xff\xc3(\xe2\x80\xae.\xc2\x85") };
    struct syslog_message m = message("one\ntwo", &one, 1);

#define R "\xef\xbf\xbd"
    expect_part(&form, &m, " v=\"a" R "b" R R "c" R "[31m" R R R "(" R "." R "\"] \xef\xbb\xbfone" R "two");
}

Test(syslog_format, a_long_value_is_cut_between_characters)
{
    static char value[2000], want[2100];
    struct syslog_param one = { "v", SPAN_NONE };
    struct syslog_message m = message("t", &one, 1);

    memset(value, 'x', sizeof value);
    memcpy(value + SYSLOG_VALUE - 1, "\xc3\xbc", 2);
    one.value = (struct span){ (const uint8_t *)value, sizeof value };
    snprintf(want, sizeof want, " v=\"%.*s…\"]", SYSLOG_VALUE - 1, value);
    expect_part(&form, &m, want);
    one.value.n = SYSLOG_VALUE + 1; /* the last character needs one byte more than there is */
    expect_part(&form, &m, want);
    memset(value, 'x', sizeof value);
    one.value.n = SYSLOG_VALUE;
    snprintf(want, sizeof want, " v=\"%.*s\"]", SYSLOG_VALUE, value);
    expect_part(&form, &m, want);
}

static size_t length(const struct syslog_form *f, const struct syslog_message *m)
{
    struct strbuf b = { 0 };
    size_t n;

    syslog_format(f, m, 2147483647, AT_NS, &b);
    n = b.n;
    strbuf_done(&b);
    return n;
}

Test(syslog_format, no_message_is_longer_than_its_bound_and_what_is_left_out_is_counted)
{
    static char hostile[4000], name[400];
    struct syslog_param params[40] = { { "", SPAN_NONE } };
    struct syslog_form f = form;
    struct syslog_message m = message(NULL, params, 40);

    memset(hostile, '"', sizeof hostile);
    memset(name, 'n', sizeof name - 1);
    m.id = f.host = f.app = f.sd_id = name;
    f.pid = UINT32_MAX;
    m.text = (struct span){ (const uint8_t *)hostile, sizeof hostile };
    for (size_t most = SYSLOG_DATAGRAM; most <= SYSLOG_MESSAGE; most += 971)
        for (size_t each = 0; each < 600; each += 73) {
            for (size_t i = 0; i < 40; i++)
                params[i] = (struct syslog_param){ name, { (const uint8_t *)hostile, each } };
            f.most = most;
            f.local = false;
            cr_assert_leq(length(&f, &m), most);
            f.local = true;
            cr_assert_leq(length(&f, &m), most);
        }
    f.local = false;
    f.most = SYSLOG_DATAGRAM;
    expect_part(&f, &m, " omitted=\"40\"]");
}

Test(syslog_format, what_fits_stays_where_a_larger_one_before_it_does_not)
{
    static char large[512];
    struct syslog_param params[] = {
        { "a", SPAN("1") }, { "b", SPAN_NONE }, { "c", SPAN_NONE }, { "d", SPAN_NONE }, { "e", SPAN("5") }
    };
    struct syslog_form f = form;
    struct syslog_message m = message("text", params, 5);

    memset(large, 'x', sizeof large);
    for (size_t i = 1; i < 4; i++)
        params[i].value = (struct span){ (const uint8_t *)large, sizeof large };
    f.most = SYSLOG_DATAGRAM;
    expect_part(&f, &m, " e=\"5\" omitted=\"1\"] text");
}

Test(syslog_format, names_are_made_names)
{
    const struct syslog_param one = { "a b=]\"c\xc3\xbc", SPAN("v") };
    struct syslog_form f = form;
    struct syslog_message m = message("t", &one, 1);

    expect_part(&form, &m, " a_b___c__=\"v\"]");
    f.host = "my host\n";
    m.id = "";
    expect_part(&f, &m, "Z my_host_ rtpwatch 12 - [");
}

Test(syslog_format, times_before_1970_and_at_the_ends_of_time_are_written)
{
    struct syslog_message m = message("", NULL, 0);

    expect(&form, &m, 0, -1, "<28>1 1969-12-31T23:59:59.999999Z mymachine.example.com rtpwatch 12 alert -");
    expect(&form, &m, 0, 0, "<28>1 1970-01-01T00:00:00.000000Z mymachine.example.com rtpwatch 12 alert -");
    expect(&form, &m, 0, INT64_MAX, "<28>1 2262-04-11T23:47:16.854775Z mymachine.example.com rtpwatch 12 alert -");
    expect(&form, &m, 0, INT64_MIN, "<28>1 1677-09-21T00:12:43.145224Z mymachine.example.com rtpwatch 12 alert -");
}

Test(syslog_format, a_facility_that_is_none_is_daemon)
{
    struct syslog_message m = message("", NULL, 0);

    m.facility = SYSLOG_FACILITIES;
    expect_part(&form, &m, "<28>1 ");
    m.facility = 23;
    m.severity = SYSLOG_DEBUG;
    expect_part(&form, &m, "<191>1 ");
}

Test(syslog_format, a_stream_has_the_octet_count_in_front)
{
    struct syslog_form f = { .host = "h", .app = "rtpwatch", .most = 8192, .counted = true };
    struct syslog_message m = message("\xc3\xbc", NULL, 0);

    expect(&f, &m, 0, 0, "60 <28>1 1970-01-01T00:00:00.000000Z h rtpwatch - alert - \xef\xbb\xbf\xc3\xbc");
}

Test(syslog_format, the_local_log_gets_what_syslog_of_the_c_library_writes)
{
    const struct syslog_param one = { "server", SPAN("stun.example:3478") };
    struct syslog_form f = form;
    struct syslog_message m = message("M\xc3\xbcller has no audio\n", &one, 1);

    f.local = true;
    expect(&f, &m, 3, AT_NS,
           "<28>rtpwatch[12]: M\xc3\xbcller has no audio" R
           " [rtpwatch@32473 msgid=\"alert\" sequenceId=\"3\" server=\"stun.example:3478\"]");
    f.pid = 0;
    m.text = SPAN_NONE;
    m.n = 0;
    expect(&f, &m, 4, AT_NS, "<28>rtpwatch: [rtpwatch@32473 msgid=\"alert\" sequenceId=\"4\"]");
}
