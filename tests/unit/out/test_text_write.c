/* Words, lines and tables of the text report. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "out/text_private.h"

/* ---- words ---- */

static bool is(struct strbuf *b, const char *want)
{
    bool same = true;
    const char *have = strbuf_str(b);

    for (size_t i = 0; same && (have[i] || want[i]); i++)
        same = (have[i] == HARD_BLANK[0] ? ' ' : have[i]) == want[i];
    if (!same)
        printf("have '%s', want '%s'\n", have, want);
    strbuf_done(b);
    return same;
}

Test(text_write, numbers_have_separators)
{
    static const struct {
        uint64_t n;
        const char *want;
    } cases[] = {
        { 0, "0" },        { 7, "7" },          { 999, "999" },           { 1000, "1,000" },
        { 1219, "1,219" }, { 10005, "10,005" }, { 1000000, "1,000,000" }, { UINT64_MAX, "18,446,744,073,709,551,615" }
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct strbuf b = { 0 };

        text_number(&b, cases[i].n);
        cr_expect(is(&b, cases[i].want));
    }
}

Test(text_write, one_and_many)
{
    struct strbuf b = { 0 };

    text_count(&b, 0, "packet", NULL);
    cr_expect(is(&b, "0 packets"));
    text_count(&b, 1, "packet", NULL);
    cr_expect(is(&b, "1 packet"));
    text_count(&b, 1219, "packet", NULL);
    cr_expect(is(&b, "1,219 packets"));
    text_count(&b, 1, "more", "more");
    cr_expect(is(&b, "1 more"));
    text_count(&b, 2, "more", "more");
    cr_expect(is(&b, "2 more"));
}

Test(text_write, durations)
{
    static const struct {
        int64_t ns;
        const char *want;
    } cases[] = { { -SECONDS(5), "0.0 s" },
                  { 0, "0.0 s" },
                  { 400 * NS_PER_MS, "0.4 s" },
                  { NS_PER_S - 1, "0.9 s" },
                  { SECONDS(1), "1 s" },
                  { SECONDS(12) + NS_PER_S / 2, "13 s" },
                  { SECONDS(59) + 400 * NS_PER_MS, "59 s" },
                  { SECONDS(59) + 600 * NS_PER_MS, "1 min" },
                  { SECONDS(185), "3 min 5 s" },
                  { SECONDS(3600), "1 h" },
                  { SECONDS(7200 + 4 * 60 + 30), "2 h 4 min" },
                  { SECONDS(3 * 86400 + 3600), "3 d 1 h" } };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct strbuf b = { 0 };

        text_duration(&b, cases[i].ns);
        cr_expect(is(&b, cases[i].want));
    }
}

Test(text_write, times_are_utc_and_have_the_day_where_it_matters)
{
    struct text t = { .width = 100 };
    struct strbuf b = { 0 };
    int64_t ns = SECONDS(1700000000) + 999 * (int64_t)NS_PER_MS;

    text_clock(&t, &b, ns);
    cr_expect(is(&b, "22:13:20 UTC"));
    t.with_day = true;
    text_clock(&t, &b, ns);
    cr_expect(is(&b, "2023-11-14 22:13:20 UTC"));
}

Test(text_write, long_identifiers_keep_their_host)
{
    struct strbuf b = { 0 };

    text_shortened(&b, "5f3c86867de1f123fd67@172.31.16.10", 33);
    cr_expect(is(&b, "5f3c86867de1f123fd67@172.31.16.10"));
    text_shortened(&b, "5f3c86867de1f123fd67@172.31.16.10", 32);
    cr_expect(is(&b, "5f3c86867de1f123...@172.31.16.10"));
    text_shortened(&b, "5f3c@a.very.long.host.name.that.nobody.wants.to.read.example.net", 32);
    cr_expect(is(&b, "5f3c@a.very.long.host.name.th..."));
    text_shortened(&b, "no at sign in this identifier at all", 20);
    cr_expect(is(&b, "no at sign in thi..."));
}

Test(text_write, identifiers_are_made_safe)
{
    struct strbuf b = { 0 };

    text_shortened(&b, "a\x1b[2Jb\\", 32);
    cr_expect(is(&b, "a\\x1b[2Jb\\\\"));
    text_shortened(&b, "\x1b\x1b\x1b\x1b", 4);
    cr_expect(is(&b, "\\x1b\\x1b\\x1b\\x1b"));
    text_shortened(&b, "0123456789\xc3\xa4", 11); /* cut inside of a character */
    cr_expect(is(&b, "01234567..."));
}

Test(text_write, columns_are_what_a_terminal_shows)
{
    cr_expect_eq(text_columns(""), 0);
    cr_expect_eq(text_columns("abc"), 3);
    cr_expect_eq(text_columns("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), 3); /* two, three and four bytes */
    cr_expect_eq(text_columns("\x1b[1;31mNO\x1b[0m"), 2);
    cr_expect_eq(text_columns("\x1b[1"), 0);
}

Test(text_write, ink_only_where_it_is_wanted)
{
    struct text t = { .colour = false };
    struct strbuf b = { 0 };

    text_ink(&t, &b, INK_FAILED, "NO");
    cr_expect(is(&b, "NO"));
    t.colour = true;
    text_ink(&t, &b, INK_FAILED, "NO");
    cr_expect(is(&b, "\x1b[1;31mNO\x1b[0m"));
    text_ink(&t, &b, INK_BOLD, "");
    cr_expect(is(&b, ""));
}

/* ---- lines and tables ---- */

Test(text_write, paragraphs_hang)
{
    struct text t = { .width = 20 };

    text_paragraph(&t, "  Why", 7, "one two three four five");
    cr_expect(is(&t.out, "  Why  one two three\n"
                         "       four five\n"));
    text_paragraph(&t, "", 2, "aaaaaaaaaaaaaaaaaa bb");
    cr_expect(is(&t.out, "  aaaaaaaaaaaaaaaaaa\n"
                         "  bb\n"));
    text_paragraph(&t, "", 2, "a word-that-is-longer-than-a-line b");
    cr_expect(is(&t.out, "  a\n"
                         "  word-that-is-longer-than-a-line\n"
                         "  b\n"));
    text_paragraph(&t, "a longer lead", 7, "x   y  ");
    cr_expect(is(&t.out, "a longer lead  x   y\n"));
    text_paragraph(&t, "lead", 7, "  ");
    cr_expect(is(&t.out, "lead\n"));
}

Test(text_write, hard_blanks_hold_together)
{
    struct text t = { .width = 20 };

    text_paragraph(&t, "", 0, "it was said (frame" HARD_BLANK "812).");
    cr_expect(is(&t.out, "it was said\n"
                         "(frame 812).\n"));
}

Test(text_write, colour_takes_no_columns)
{
    struct text t = { .width = 11, .colour = true };
    struct strbuf b = { 0 };

    text_ink(&t, &b, INK_BOLD, "agent1");
    strbuf_add(&b, " here");
    text_paragraph(&t, "", 0, strbuf_str(&b));
    strbuf_done(&b);
    cr_expect(is(&t.out, "\x1b[1magent1\x1b[0m here"
                         "\n"));
}

static const struct text_column three[] = { { .title = "name" },
                                            { .title = "n", .right = true, .zero_hides = true },
                                            { .title = "what" } };

static void row(struct text_table *x, const char *name, uint64_t n, const char *what)
{
    table_cell(x, name);
    table_number(x, n);
    table_cell(x, what);
}

Test(text_write, tables_align)
{
    struct text t = { .width = 60 };
    struct text_table x;

    table_begin(&x, three, 3);
    row(&x, "stun", 5, "fine");
    row(&x, "\xc3\xa4", 1219, "");
    table_print(&t, &x, 2);
    cr_expect(is(&t.out, "\n"
                         "  name      n  what\n"
                         "  stun      5  fine\n"
                         "  \xc3\xa4     1,219\n"));
}

Test(text_write, tables_hide_what_says_nothing)
{
    struct text t = { .width = 60 };
    struct text_table x;

    table_begin(&x, three, 3);
    row(&x, "a", 0, "x");
    row(&x, "b", 0, "y");
    table_print(&t, &x, 0);
    cr_expect(is(&t.out, "\n"
                         "name  what\n"
                         "a     x\n"
                         "b     y\n"));
    table_begin(&x, three, 3);
    table_print(&t, &x, 0);
    cr_expect(is(&t.out, ""));
}

Test(text_write, tables_wrap_their_last_column)
{
    struct text t = { .width = 40 };
    struct text_table x;

    table_begin(&x, three, 3);
    row(&x, "key", 1, "a sentence that is longer than its line");
    table_print(&t, &x, 0);
    cr_expect(is(&t.out, "\n"
                         "name  n  what\n"
                         "key   1  a sentence that is longer than\n"
                         "         its line\n"));
}

Test(text_write, tables_drop_columns_that_do_not_fit)
{
    static const struct text_column columns[] = {
        { .title = "a" }, { .title = "b", .drop = 2 }, { .title = "c", .drop = 1 }, { .title = "d" }
    };
    struct text t = { .width = 20 };
    struct text_table x;

    table_begin(&x, columns, 4);
    table_cell(&x, "aaaaa");
    table_cell(&x, "bbbbb");
    table_cell(&x, "ccccc");
    table_cell(&x, "d");
    table_print(&t, &x, 0);
    cr_expect(is(&t.out, "\n"
                         "a      b      d\n"
                         "aaaaa  bbbbb  d\n"));
}

Test(text_write, tables_have_an_end)
{
    struct text t = { .width = 60 };
    struct text_table x;

    table_begin(&x, three, 3);
    for (size_t i = 0; i < TABLE_ROWS + 5; i++) {
        cr_expect_eq(table_full(&x), i >= TABLE_ROWS);
        row(&x, "a", 1, "b");
    }
    table_print(&t, &x, 0);
    cr_expect_eq(t.out.n, strlen("\nname  n  what\n") + TABLE_ROWS * strlen("a     1  b\n"));
    strbuf_done(&t.out);
}
