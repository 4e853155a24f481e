/* The NSS key log format, RFC 9850. */
#include <criterion/criterion.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "support/scratch.h"
#include "tls/keylog.h"
#include "unit/tls/keylog_lines.h"

static struct keylog *k;

static void setup(void)
{
    k = keylog_new();
    cr_assert_not_null(k);
}

static void teardown(void)
{
    keylog_free(k);
    scratch_remove();
}

TestSuite(keylog, .init = setup, .fini = teardown);

static const uint8_t random_a[32] = { 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
                                      0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
                                      0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa };

static struct span find(enum keylog_label label)
{
    return keylog_find(k, label, (struct span){ random_a, sizeof random_a });
}

static const char *told(void)
{
    static char text[1024];
    FILE *to = fmemopen(text, sizeof text, "w");

    text[0] = 0;
    keylog_tell(k, to);
    fclose(to);
    return text;
}

Test(keylog, every_label)
{
    keylog_text(k, SPAN("CLIENT_RANDOM " A32 " " B48 "\nCLIENT_HANDSHAKE_TRAFFIC_SECRET " A32 " " C32
                        "\nSERVER_HANDSHAKE_TRAFFIC_SECRET " A32 " " D32 "\nCLIENT_TRAFFIC_SECRET_0 " A32 " " B48
                        "\nSERVER_TRAFFIC_SECRET_0 " A32 " " C32 "\nEXPORTER_SECRET " A32 " " C32 "\n"));
    cr_expect_eq(find(KEYLOG_MASTER).n, 48);
    cr_expect_eq(find(KEYLOG_CLIENT_HANDSHAKE).n, 32);
    cr_expect_eq(find(KEYLOG_CLIENT_HANDSHAKE).p[31], 0xcc);
    cr_expect_eq(find(KEYLOG_SERVER_HANDSHAKE).p[0], 0xdd);
    cr_expect_eq(find(KEYLOG_CLIENT_TRAFFIC).n, 48);
    cr_expect_eq(find(KEYLOG_SERVER_TRAFFIC).n, 32);
    cr_expect_eq(keylog_find(k, KEYLOG_MASTER, SPAN("another random, not in the table")).n, 0);
    cr_expect_str_empty(told());
}

Test(keylog, either_case_and_either_line_break)
{
    keylog_text(
        k, SPAN("# a comment\r\n\r\nCLIENT_RANDOM AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa " B48 "\r\n"));
    cr_expect_eq(find(KEYLOG_MASTER).n, 48);
    cr_expect_str_empty(told());
}

Test(keylog, the_last_line_needs_no_end)
{
    keylog_text(k, SPAN("CLIENT_RANDOM " A32 " " B48));
    cr_expect_eq(find(KEYLOG_MASTER).n, 48);
}

Test(keylog, broken_lines_are_told_and_do_not_stop_it)
{
    static const char *const broken[] = { "CLIENT_RANDOM",
                                          "CLIENT_RANDOM " A32,
                                          "CLIENT_RANDOM " A32 " " C32, /* a master secret has 48 */
                                          "CLIENT_TRAFFIC_SECRET_0 " A32 " cc",
                                          "CLIENT_RANDOM aa " B48,
                                          "CLIENT_RANDOM " A32 " " B48 "bb",
                                          "CLIENT_RANDOM " A32 " x" B48,
                                          "no key log at all",
                                          "\x7f\x45LF\x01 \x02 \x03" };

    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char text[1024];

        teardown();
        setup();
        snprintf(text, sizeof text, "# one\n\n%s\n%s\nCLIENT_RANDOM " A32 " " B48 "\n", broken[i], broken[i]);
        keylog_text(k, span_str(text));
        cr_expect_eq(find(KEYLOG_MASTER).n, 48, "%s", broken[i]);
        cr_expect(strstr(told(), "line 3 is not") && strstr(told(), "so were 1 more") == NULL, "once alone");
    }
}

Test(keylog, broken_lines_are_counted_and_no_secret_is_told)
{
    keylog_text(k, SPAN("CLIENT_RANDOM " A32 " bbbb\nCLIENT_RANDOM x\n"));
    cr_expect_str_eq(
        told(), "rtpwatch: the secrets in the capture: line 1 is not LABEL, client random and secret in hexadecimal, and was "
                "passed over; so were 1 more\n");
    cr_expect_str_empty(told());
}

Test(keylog, a_line_without_end_is_broken_and_forgotten)
{
    static char line[3 * KEYLOG_LINE];

    memset(line, 'A', sizeof line);
    keylog_text(k, (struct span){ (const uint8_t *)line, sizeof line });
    keylog_text(k, SPAN("CLIENT_RANDOM " A32 " " B48 "\n"));
    cr_expect_eq(find(KEYLOG_MASTER).n, 48);
    cr_expect(strstr(told(), "line 1 is not"));
}

Test(keylog, the_latest_secret_holds)
{
    keylog_text(k, SPAN("CLIENT_TRAFFIC_SECRET_0 " A32 " " C32 "\nCLIENT_TRAFFIC_SECRET_0 " A32 " " D32 "\n"));
    cr_expect_eq(find(KEYLOG_CLIENT_TRAFFIC).p[0], 0xdd);
}

/* Those that were read first go. */
Test(keylog, more_than_are_kept)
{
    keylog_text(k, SPAN("CLIENT_RANDOM " A32 " " B48 "\n"));
    for (unsigned i = 0; i < KEYLOG_CONNECTIONS; i++) {
        char line[256];

        if (i == KEYLOG_CONNECTIONS - 1)
            cr_expect_eq(find(KEYLOG_MASTER).n, 48);
        snprintf(line, sizeof line, "CLIENT_RANDOM %064x " B48 "\n", i);
        keylog_text(k, span_str(line));
    }
    cr_expect_eq(find(KEYLOG_MASTER).n, 0);
    keylog_text(k, SPAN("CLIENT_RANDOM " A32 " " B48 "\n"));
    cr_expect_eq(find(KEYLOG_MASTER).n, 48);
}

/* ---- files ---- */

Test(keylog, files)
{
    char error[KEYLOG_ERROR];

    scratch_put("# made by hand\nCLIENT_RANDOM " A32 " " B48);
    cr_expect(keylog_file(k, scratch_path(), false, error));
    cr_expect_eq(find(KEYLOG_MASTER).n, 48);
    cr_expect(!keylog_grows(k));
}

Test(keylog, files_that_are_none)
{
    char error[KEYLOG_ERROR];

    cr_expect(!keylog_file(k, "/nonexistent/keys", false, error));
    cr_expect_str_eq(error, "--tls-keylog /nonexistent/keys: No such file or directory");
    cr_expect(!keylog_file(k, "/tmp", false, error));
    cr_expect(strstr(error, "it is a folder"));
    scratch_put("# nothing\nEXPORTER_SECRET " A32 " " C32 "\n");
    cr_expect(!keylog_file(k, scratch_path(), false, error));
    cr_expect(strstr(error, "no secret; expected lines such as CLIENT_RANDOM"), "%s", error);
}

Test(keylog, fifos_are_not_waited_for, .timeout = 10)
{
    char error[KEYLOG_ERROR];

    cr_assert_eq(mkfifo(scratch_path(), 0600), 0);
    cr_expect(!keylog_file(k, scratch_path(), true, error));
    cr_expect(strstr(error, "no regular file"), "%s", error);
}

/* As a program writes it: lines come in parts, and are read at most once a second. */
Test(keylog, files_that_grow)
{
    char error[KEYLOG_ERROR];

    scratch_put("CLIENT_RANDOM " A32);
    cr_assert(keylog_file(k, scratch_path(), true, error));
    cr_expect(keylog_grows(k));
    keylog_read_on(k, SECONDS(10));
    cr_expect_eq(find(KEYLOG_MASTER).n, 0);
    scratch_put("CLIENT_RANDOM " A32 " " B48 "\n");
    keylog_read_on(k, SECONDS(10) + 5);
    cr_expect_eq(find(KEYLOG_MASTER).n, 0, "once a second");
    keylog_read_on(k, SECONDS(11));
    cr_expect_eq(find(KEYLOG_MASTER).n, 48);
    scratch_put("CLIENT_TRAFFIC_SECRET_0 " A32 " " C32 "\n"); /* begun anew, and shorter */
    keylog_read_on(k, SECONDS(12));
    cr_expect_eq(find(KEYLOG_CLIENT_TRAFFIC).n, 32);
    cr_expect_str_empty(told());
}
