#include "base/strbuf.h"

#include <criterion/criterion.h>

static void expect_safe(struct span s, size_t max, const char *want)
{
    struct strbuf b = { 0 };

    strbuf_safe(&b, s, max);
    cr_assert_str_eq(strbuf_str(&b), want);
    cr_assert_eq(b.n, strlen(want));
    cr_assert_not(b.failed);
    strbuf_done(&b);
}

#define SAFE(in, want) expect_safe(SPAN(in), 1000, want)

Test(strbuf, nothing_is_an_empty_string)
{
    struct strbuf b = { 0 };

    cr_assert_str_eq(strbuf_str(&b), "");
    strbuf_span(&b, SPAN_NONE);
    cr_assert_str_eq(strbuf_str(&b), "");
    strbuf_add(&b, "");
    cr_assert_eq(b.n, 0);
    strbuf_done(&b);
    strbuf_done(&b);
    cr_assert_str_eq(strbuf_str(&b), "");
}

Test(strbuf, pieces_are_joined)
{
    struct strbuf b = { 0 };

    strbuf_add(&b, "frame ");
    strbuf_fmt(&b, "%u of %s", 31u, "a.pcap");
    strbuf_span(&b, SPAN(", cut"));
    cr_assert_str_eq(strbuf_str(&b), "frame 31 of a.pcap, cut");
    cr_assert_eq(b.n, strlen(b.p));
    strbuf_clear(&b);
    cr_assert_str_eq(strbuf_str(&b), "");
    cr_assert_gt(b.room, 0, "the room is kept");
    strbuf_fmt(&b, "%%");
    cr_assert_str_eq(strbuf_str(&b), "%");
    strbuf_done(&b);
}

Test(strbuf, grows_a_byte_at_a_time_and_in_leaps)
{
    static char long_text[5000];
    struct strbuf b = { 0 };

    memset(long_text, 'x', sizeof long_text - 1);
    for (size_t i = 0; i < 1000; i++)
        strbuf_add(&b, i % 2 ? "b" : "a");
    cr_assert_eq(b.n, 1000);
    cr_assert_eq(b.p[998], 'a');
    cr_assert_eq(b.p[999], 'b');
    strbuf_fmt(&b, "%s", long_text);
    cr_assert_eq(b.n, 1000 + sizeof long_text - 1);
    cr_assert_eq(b.p[b.n], 0);
    cr_assert_eq(b.p[b.n - 1], 'x');
    cr_assert_eq(b.p[999], 'b');
    strbuf_done(&b);
}

/* ---- text from the network ---- */

Test(strbuf_safe, plain_text_stays)
{
    SAFE("sip:alice@example.com;tag=1", "sip:alice@example.com;tag=1");
    SAFE("", "");
    SAFE(" ~", " ~");
    SAFE("Jürgen Ωμέγα 通話 😀", "Jürgen Ωμέγα 通話 😀");
}

Test(strbuf_safe, terminal_escapes_are_shown_not_obeyed)
{
    SAFE("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m");
    SAFE("\x1b]0;title\x07", "\\x1b]0;title\\x07");
    SAFE("a\r\nb", "a\\x0d\\x0ab");
    SAFE("tab\there", "tab\\x09here");
    SAFE("del\x7f", "del\\x7f");
    SAFE("nul\0after", "nul\\x00after");
}

Test(strbuf_safe, c1_controls_are_shown_raw_and_in_utf8)
{
    SAFE("\x9b"
         "31m",
         "\\x9b31m"); /* CSI as one byte: broken UTF-8 */
    SAFE("\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"); /* the same, well formed */
    SAFE("\xc2\x80\xc2\x9f", "\\xc2\\x80\\xc2\\x9f");
    SAFE("\xc2\xa0", "\xc2\xa0"); /* the first behind them */
}

Test(strbuf_safe, a_backslash_cannot_pretend_to_be_an_escape)
{
    SAFE("\\", "\\\\");
    SAFE("\\x1b", "\\\\x1b");
    SAFE("a\\\\b", "a\\\\\\\\b");
}

Test(strbuf_safe, line_and_paragraph_separators)
{
    SAFE("a\xe2\x80\xa8"
         "b",
         "a\\xe2\\x80\\xa8"
         "b");
    SAFE("a\xe2\x80\xa9"
         "b",
         "a\\xe2\\x80\\xa9"
         "b");
    SAFE("\xc2\x85", "\\xc2\\x85"); /* NEL */
}

/* Every character of Unicode's Bidi_Control property, and what is invisible beside them. */
Test(strbuf_safe, bidirectional_controls)
{
    SAFE("\xd8\x9c", "\\xd8\\x9c");                                     /* U+061C */
    SAFE("\xe2\x80\x8e\xe2\x80\x8f", "\\xe2\\x80\\x8e\\xe2\\x80\\x8f"); /* U+200E, U+200F */
    SAFE("\xe2\x80\xaa\xe2\x80\xae", "\\xe2\\x80\\xaa\\xe2\\x80\\xae"); /* U+202A, U+202E */
    SAFE("\xe2\x81\xa6\xe2\x81\xa9", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9"); /* U+2066, U+2069 */
    SAFE("\xe2\x80\x8b\xef\xbb\xbf", "\\xe2\\x80\\x8b\\xef\\xbb\\xbf"); /* zero-width space, byte order mark */
    SAFE("\xe2\x80\x90\xe2\x80\xaf", "\xe2\x80\x90\xe2\x80\xaf");       /* the neighbours stay */
}

Test(strbuf_safe, broken_utf8)
{
    SAFE("\x80", "\\x80");          /* a tail without its head */
    SAFE("\xc3", "\\xc3");          /* a head at the end */
    SAFE("\xc3(", "\\xc3(");        /* a head without its tail */
    SAFE("\xe2\x82", "\\xe2\\x82"); /* two thirds */
    SAFE("\xf0\x9f\x98", "\\xf0\\x9f\\x98");
    SAFE("\xe2(\xa1", "\\xe2(\\xa1");
    SAFE("\xff\xfe", "\\xff\\xfe");
    SAFE("\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"); /* five bytes: no longer UTF-8 */
}

Test(strbuf_safe, overlong_forms)
{
    SAFE("\xc0\x9b", "\\xc0\\x9b"); /* ESC in two bytes */
    SAFE("\xc1\xbf", "\\xc1\\xbf");
    SAFE("\xe0\x80\x9b", "\\xe0\\x80\\x9b");
    SAFE("\xe0\x9f\xbf", "\\xe0\\x9f\\xbf");
    SAFE("\xf0\x80\x80\x9b", "\\xf0\\x80\\x80\\x9b");
    SAFE("\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf");
    SAFE("\xe0\xa0\x80", "\xe0\xa0\x80");         /* the least of three bytes */
    SAFE("\xf0\x90\x80\x80", "\xf0\x90\x80\x80"); /* of four */
}

Test(strbuf_safe, surrogates_and_beyond_unicode)
{
    SAFE("\xed\xa0\x80", "\\xed\\xa0\\x80");
    SAFE("\xed\xbf\xbf", "\\xed\\xbf\\xbf");
    SAFE("\xed\x9f\xbf", "\xed\x9f\xbf"); /* U+D7FF */
    SAFE("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
    SAFE("\xf4\x8f\xbf\xbd", "\xf4\x8f\xbf\xbd"); /* U+10FFFD */
}

Test(strbuf_safe, what_is_too_long_is_cut_and_says_so)
{
    expect_safe(SPAN("0123456789"), 8, "01234567…");
    expect_safe(SPAN("01234567"), 8, "01234567"); /* it fits */
    expect_safe(SPAN("0"), 0, "…");
    expect_safe(SPAN(""), 0, "");
    expect_safe(SPAN("ab\x01"), 5, "ab…"); /* an escape is whole or not at all */
    expect_safe(SPAN("abc通"), 5, "abc…"); /* and so is a character */
}

/* Whatever comes, no more than `max` bytes are written before the "…". */
Test(strbuf_safe, the_bound_holds_for_every_kind_of_byte)
{
    static const char *const hostile[] = { "\x1b\x1b\x1b\x1b\x1b\x1b",
                                           "\\\\\\\\\\\\\\\\",
                                           "\xe2\x80\xae\xe2\x80\xae\xe2\x80\xae",
                                           "\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
                                           "\xc2\x9b\xc2\x9b\xc2\x9b\xc2\x9b",
                                           "ab\xe2\x80\xae",
                                           "abcd\xc2\x9b" };

    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++)
        for (size_t max = 0; max < 40; max++) {
            struct strbuf b = { 0 };
            size_t n;

            strbuf_safe(&b, span_str(hostile[i]), max);
            n = b.n >= 3 && strcmp(b.p + b.n - 3, "…") == 0 ? b.n - 3 : b.n;
            cr_assert_leq(n, max, "text %zu, max %zu: %s", i, max, strbuf_str(&b));
            strbuf_done(&b);
        }
}

Test(strbuf_safe, the_bound_counts_from_where_the_text_begins)
{
    struct strbuf b = { 0 };

    strbuf_add(&b, "Call-ID ");
    strbuf_safe(&b, SPAN("abcdef"), 4);
    cr_assert_str_eq(strbuf_str(&b), "Call-ID abcd…");
    strbuf_done(&b);
}

static void expect_take(struct span s, size_t n, bool printable)
{
    bool is_printable;

    cr_assert_eq(utf8_take(s, &is_printable), n);
    cr_assert_eq(is_printable, printable);
}

Test(strbuf, a_character_is_taken_whole_and_a_broken_one_byte_by_byte)
{
    expect_take(SPAN("ab"), 1, true);
    expect_take(SPAN("\\"), 1, true);
    expect_take(SPAN("\n"), 1, false);
    expect_take(SPAN("\xc3\xbcx"), 2, true);
    expect_take(SPAN("\xc2\x85"), 2, false);
    expect_take(SPAN("\xe2\x80\xae"), 3, false);
    expect_take(SPAN("\xf0\x9f\x8e\xa7"), 4, true);
    expect_take(SPAN("\xf0\x9f\x8e"), 1, false);
    expect_take(SPAN("\xff"), 1, false);
}
