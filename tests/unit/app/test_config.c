/* The command line and the configuration file: one table of options, mistakes told with file, line and what was probably meant. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/config.h"
#include "app/options.h"

static char path[] = "/tmp/rtpwatch-config-XXXXXX";

static void setup(void)
{
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    close(fd);
}

static void teardown(void)
{
    unlink(path);
}

TestSuite(config, .init = setup, .fini = teardown);

static void say(const char *text)
{
    FILE *f = fopen(path, "w");

    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* What is told of the file; freed by the caller. */
static char *mistakes(const char *text, bool *fine)
{
    struct cli c = { 0 };
    char error[CLI_ERROR] = "", *told = NULL;
    size_t n;
    FILE *wrong = open_memstream(&told, &n);

    say(text);
    *fine = config_read(&c, path, wrong, error);
    fclose(wrong);
    cr_expect_eq(*fine, !*error);
    cli_done(&c);
    return told;
}

static void expect_mistake(const char *text, unsigned line, const char *what)
{
    char place[64], *told;
    bool fine;

    snprintf(place, sizeof place, "%s:%u: ", path, line);
    told = mistakes(text, &fine);
    cr_expect(!fine, "%s", text);
    cr_expect(strstr(told, place) && strstr(told, what), "expected %s%s, told: %s", place, what, told);
    free(told);
}

static bool parse(struct cli *c, const char *const *words, char error[CLI_ERROR])
{
    char *argv[16] = { (char *)"rtpwatch" };
    int n = 1;

    for (; words[n - 1]; n++)
        argv[n] = (char *)words[n - 1];
    return cli_parse(c, n, argv, error);
}

#define PARSE(c, error, ...) parse(c, (const char *const[]){ __VA_ARGS__, NULL }, error)

Test(config, says_what_the_command_line_can_say)
{
    struct cli c;
    char error[CLI_ERROR];

    say("# a comment\n"
        "\n"
        "  interface = eth0   # the first\n"
        "interface=eth1\n"
        "format = ndjson\n"
        "local = 10.0.0.0/8\n"
        "public-ip = 203.0.113.10\n"
        "filter = \"udp port 5060 # no comment\"\n"
        "full-packets\n"
        "promiscuous = no\n"
        "grace = 7\r\n");
    cr_assert(PARSE(&c, error, "--config", path), "%s", error);
    cr_expect_eq(c.interfaces, 2);
    cr_expect_str_eq(c.interface[0], "eth0");
    cr_expect_str_eq(c.interface[1], "eth1");
    cr_expect_eq(c.format, FORMAT_NDJSON);
    cr_expect_eq(c.locals, 1);
    cr_expect_eq(c.public_ips, 1);
    cr_expect_str_eq(c.filter, "udp port 5060 # no comment");
    cr_expect(c.full_packets && !c.promiscuous);
    cr_expect_eq(c.grace_s, 7);
    cli_done(&c);
}

Test(config, the_command_line_holds_against_it_and_adds_to_it)
{
    struct cli c;
    char error[CLI_ERROR];

    say("interface = eth0\nformat = ndjson\nlocal = 10.0.0.1\n");
    cr_assert(PARSE(&c, error, "--format", "json", "--config", path, "--local", "10.0.0.2", "udp", "and", "host 1.2.3.4"), "%s",
              error);
    cr_expect_eq(c.format, FORMAT_JSON);
    cr_expect_eq(c.locals, 2);
    cr_expect_str_eq(c.filter, "udp and host 1.2.3.4");
    cli_done(&c);
}

/* A unit for one interface shares the file of the one for all. */
Test(config, interfaces_of_the_command_line_take_their_place)
{
    struct cli c;
    char error[CLI_ERROR];

    say("interface = any\ninterface = eth0\n");
    cr_assert(PARSE(&c, error, "--config", path, "-i", "eth1", "-i", "eth2"), "%s", error);
    cr_expect_eq(c.interfaces, 2);
    cr_expect_str_eq(c.interface[0], "eth1");
    cr_expect_str_eq(c.interface[1], "eth2");
    cli_done(&c);
}

Test(config, mistakes)
{
    expect_mistake("interface = eth0\n\nfromat = json\n", 3, "'fromat' is no option; did you mean 'format'?");
    expect_mistake("xyzzy = 1\n", 1, "'rtpwatch --help' lists them");
    expect_mistake("format = yaml\n", 1, "format 'yaml': expected text, json or ndjson");
    expect_mistake("local = example.com\n", 1, "local 'example.com': expected an address");
    expect_mistake("public-ip = 10.0.0.1\n", 1, "a public address");
    expect_mistake("grace = 0\n", 1, "a number from 1 to 600");
    expect_mistake("grace = 5 s\n", 1, "a number from 1 to 600");
    expect_mistake("nice = 20\n", 1, "a number from 0 to 19");
    expect_mistake("promiscuous = maybe\n", 1, "yes or no");
    expect_mistake("output\n", 1, "'output' needs a value");
    expect_mistake("output =\n", 1, "expected FILE");
    expect_mistake("output = a\noutput = b\n", 2, "'output' stands in line 1 already");
    expect_mistake("config = other\n", 1, "give it on the command line");
    expect_mistake("help\n", 1, "give it on the command line");
    expect_mistake("\033[31m = 1\n", 1, "\\x1b");
}

/* All mistakes are told, not the first alone. */
Test(config, several_mistakes)
{
    bool fine;
    char *told = mistakes("a = 1\nlocal = 10.0.0.1\nb = 2\n", &fine);

    cr_expect(!fine && strstr(told, ":1: ") && strstr(told, ":3: ") && !strstr(told, ":2: "), "%s", told);
    free(told);
}

Test(config, a_file_that_is_not_there)
{
    struct cli c;
    char error[CLI_ERROR];

    cr_expect(!PARSE(&c, error, "--config", "/nonexistent/rtpwatch.conf"));
    cr_expect(strstr(error, "/nonexistent/rtpwatch.conf: cannot be read"), "%s", error);
    cli_done(&c);
}

/* SIGHUP reads it again while packets come: nobody may be waited for. */
Test(config, a_fifo_is_refused_and_not_waited_for, .timeout = 10)
{
    struct cli c;
    char error[CLI_ERROR];

    cr_assert(unlink(path) == 0 && mkfifo(path, 0600) == 0);
    cr_expect(!PARSE(&c, error, "--config", path));
    cr_expect(strstr(error, "cannot be read: it is no regular file: save what it gives to one"), "%s", error);
    cli_done(&c);
}

/* SIGHUP parses the same words again. */
Test(config, twice)
{
    struct cli c;
    char error[CLI_ERROR], *argv[] = { (char *)"rtpwatch", (char *)"udp", (char *)"-i", (char *)"eth0", NULL };

    for (unsigned i = 0; i < 2; i++) {
        cr_assert(cli_parse(&c, 4, argv, error), "%s", error);
        cr_expect_str_eq(c.filter, "udp");
        cli_done(&c);
    }
}

Test(config, what_is_wrong_when_it_is_read_again_is_told_where_was_asked)
{
    struct cli c;
    char error[CLI_ERROR], *argv[] = { (char *)"rtpwatch", (char *)"-i", (char *)"eth0", (char *)"--config", path, NULL };
    char *told = NULL;
    size_t n;
    FILE *wrong = open_memstream(&told, &n);

    say("fromat = json\n");
    cr_expect(!cli_parse_again(&c, 5, argv, wrong, error));
    fclose(wrong);
    cr_expect(strstr(told, ":1: 'fromat' is no option"), "%s", told);
    cli_done(&c);
    free(told);
}

Test(cli, inputs)
{
    struct cli c;
    char error[CLI_ERROR];

    cr_expect(!PARSE(&c, error, "--format", "json") && strstr(error, "no input"));
    cli_done(&c);
    cr_expect(!PARSE(&c, error, "-i", "eth0", "-r", "a.pcap") && strstr(error, "give one of them"));
    cli_done(&c);
    cr_expect(PARSE(&c, error, "-r", "a.pcap", "b.pcap", "--vantage", "x=c.pcap"));
    cr_expect(c.files_n == 3 && c.vantage[1] && strcmp(c.vantage[1], "x") == 0 && !c.vantage[2]);
    cli_done(&c);
    cr_expect(PARSE(&c, error, "-i", "eth0", "--filter", "udp", "port", "5060"));
    cr_expect_str_eq(c.filter, "(udp) and (port 5060)");
    cli_done(&c);
}

Test(cli, mistakes)
{
    struct cli c;
    char error[CLI_ERROR];

    cr_expect(!PARSE(&c, error, "--fromat", "json") && strstr(error, "did you mean '--format'?"), "%s", error);
    cli_done(&c);
    cr_expect(!PARSE(&c, error, "--local") && strstr(error, "expected a value after it"), "%s", error);
    cli_done(&c);
    cr_expect(!PARSE(&c, error, "--tls-keylog", "", "a.pcap") && strstr(error, "a file of TLS secrets"), "%s", error);
    cli_done(&c);
    cr_expect(!PARSE(&c, error, "--tls-keylog", "k", "--reduce", "b", "a.pcap") && strstr(error, "--reduce reads no TLS"), "%s",
              error);
    cli_done(&c);
}

Test(cli, key_logs)
{
    struct cli c;
    char error[CLI_ERROR];
    char *argv[2 * KEYLOG_FILES + 5] = { (char *)"rtpwatch", (char *)"a.pcap" };

    for (size_t i = 0; i <= KEYLOG_FILES; i++) {
        argv[2 * i + 2] = (char *)"--tls-keylog";
        argv[2 * i + 3] = (char *)"keys.log";
    }
    cr_expect(cli_parse(&c, 2 * KEYLOG_FILES + 2, argv, error) && c.tls_keylogs == KEYLOG_FILES && c.files_n == 1);
    cli_done(&c);
    cr_expect(!cli_parse(&c, 2 * KEYLOG_FILES + 4, argv, error) && strstr(error, "no more than 16"), "%s", error);
    cli_done(&c);
}

Test(cli, another_key_log_needs_a_restart)
{
    struct cli now = { .tls_keylog = { "a" }, .tls_keylogs = 1 }, same = now, other = { .tls_keylog = { "b" }, .tls_keylogs = 1 };

    cr_expect(!cli_needs_restart(&now, &same) && cli_needs_restart(&now, &other) && cli_needs_restart(&now, &(struct cli){ 0 }));
}

Test(cli, names_that_are_near)
{
    cr_expect_str_eq(options_nearest("interfaces"), "interface");
    cr_expect_str_eq(options_nearest("public_ip"), "public-ip");
    cr_expect_str_eq(options_nearest("colour"), "color");
    cr_expect_null(options_nearest("xyzzy"));
    cr_expect_null(options_nearest("a-name-that-is-longer-than-any-option-can-be-and-more"));
}

/* What the row of an option says is what the parser, the file and the help make of it. */
Test(cli, the_table_is_sound)
{
    for (size_t i = 0; i < options_count(); i++) {
        const struct option_row *o = options_row(i);

        cr_expect(o->take && o->help && *o->help, "%s", o->name);
        cr_expect_eq(options_find(o->name), o, "%s stands twice", o->name);
        cr_expect(!o->letter || options_of_letter(o->letter) == o, "-%c stands twice", o->letter);
    }
}
