/* Rule files: what is taken, and what is said of each mistake and where. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "rule/place.h"
#include "rule/ruleset.h"

struct said {
    char text[8000];
    unsigned lines;
};

static void say(void *self, const char *line)
{
    struct said *s = self;
    size_t n = strlen(s->text);

    snprintf(s->text + n, sizeof s->text - n, "%s\n", line);
    s->lines++;
}

static struct ruleset *parse(const char *text, struct said *s)
{
    struct problems p = { say, s, 0 };
    struct ruleset *set = calloc(1, sizeof *set);

    ruleset_parse(set, "my.json", span_str(text), &p);
    ruleset_link(set, &p);
    return set;
}

static void expect_fine(const char *text)
{
    struct said s = { 0 };

    ruleset_free(parse(text, &s));
    cr_assert_str_eq(s.text, "", "%s", s.text);
}

/* `text` has a ^ before the place of the mistake (taken out); `said`: what the first line says behind it. */
static void expect_wrong(const char *text, const char *said)
{
    struct span whole = span_str(text);
    size_t at = span_find(whole, '^');
    struct strbuf without = { 0 }, want = { 0 };
    unsigned line = 1, column = 1;
    struct said s = { 0 };

    for (size_t i = 0; i < at; i++) {
        column = text[i] == '\n' ? 1 : column + ((text[i] & 0xc0) != 0x80);
        line += text[i] == '\n';
    }
    strbuf_span(&without, span_part(whole, 0, at));
    strbuf_span(&without, span_part(whole, at + 1, whole.n));
    strbuf_fmt(&want, "my.json:%u:%u: %s\n", line, column, said);
    ruleset_free(parse(strbuf_str(&without), &s));
    cr_assert_eq(strncmp(s.text, want.p, want.n), 0, "of %s\n  wanted %s\n  got    %s", text, want.p, s.text);
    strbuf_done(&without);
    strbuf_done(&want);
}

#define RULE(fields) "{\"rules\":[{" fields "}]}"
#define MINIMAL      "\"name\":\"a\",\"on\":\"stun.silent\",\"message\":\"m\""
#define WITH(fields) RULE(MINIMAL "," fields)
#define WHERE(cond)  WITH("\"where\":" cond)

Test(parse, the_least_rule)
{
    struct said s = { 0 };
    struct ruleset *set = parse(RULE(MINIMAL), &s);
    const struct rule *r = &set->rule[0];

    cr_assert_str_eq(s.text, "");
    cr_assert_eq(set->n, 1);
    cr_assert_str_eq(r->name, "a");
    cr_assert(r->enabled);
    cr_assert_eq(r->count, 1);
    cr_assert_eq(r->severity, SEVERITY_WARNING);
    cr_assert_str_eq(facility_word(r->facility), "daemon");
    cr_assert_eq(r->quiet_ns, SECONDS(600));
    cr_assert_not(r->recovers);
    ruleset_free(set);
}

Test(parse, everything_at_once)
{
    expect_fine(
        "{\"$schema\":\"x\",\"description\":\"d\",\"lists\":{\"ours\":[\"a\",\"192.0.2.0/24\"]},\"rules\":[{"
        "\"name\":\"a\",\"on\":[\"stun.*\",\"session.ended\"],\"message\":\"m\",\"description\":\"d\",\"enabled\":false,"
        "\"where\":{\"and\":[{\"or\":[{\"field\":\"session.cause\",\"equals\":\"muted\"},{\"field\":\"session.directions[*]."
        "loss\","
        "\"ge\":1,\"lt\":5.5}]},{\"not\":{\"field\":\"stun_server.address|session.stun_server.address\",\"listed\":\"@ours\"}},"
        "[{\"field\":\"dialer\",\"cidr\":[\"10.0.0.0/8\",\"2001:db8::/32\",\"192.0.2.1\"]}],"
        "{\"field\":\"stun_server.name\",\"glob\":\"*.google.com\",\"exists\":true},"
        "{\"field\":\"stun_server.verdict\",\"one_of\":[\"bad\",\"suspect\"]}]},"
        "\"count\":3,\"within\":\"5m\",\"share\":{\"percent\":20,\"of\":\"session.*\",\"where\":null},"
        "\"group_by\":[\"dialer\"],\"needs\":[\"ours\"],\"cooldown\":\"1h\",\"update_every\":\"30s\",\"max_per_minute\":5,"
        "\"recover_on\":{\"on\":[\"stun.answers\",\"session.answered\"],\"where\":{\"field\":\"dialer\",\"exists\":true},"
        "\"quiet\":\"1d\"},"
        "\"severity\":\"crit\",\"facility\":\"local3\"}]}");
    expect_fine("{}");
    expect_fine("\xef\xbb\xbf {\"rules\":[]}\n");
}

Test(parse, broken_json_says_where_and_what)
{
    expect_wrong("^", "this is no JSON: expected a value: an object, a list, a string, a number, true, false or null");
    expect_wrong("{\n  \"rules\": [\n  ],\n^}",
                 "this is no JSON: expected a field name (no comma may stand before a closing bracket)");
    expect_wrong("{\n ^// no\n}", "this is no JSON: expected a field name (JSON has no comments; use \"description\")");
    expect_wrong("{\"rules\" ^[]}", "this is no JSON: expected a colon after the field name");
    expect_wrong("{\"rules\":[1 ^2]}", "this is no JSON: expected a comma or a closing ]");
    expect_wrong("{\"a\":1 ^\"b\":2}", "this is no JSON: expected a comma or a closing }");
    expect_wrong("{\"a\":^'x'}", "this is no JSON: expected a value (strings stand in double quotes)");
    expect_wrong("{\"a\":\"x^\n\"}", "this is no JSON: expected a closing double quote");
    expect_wrong("{\"a\":\"\\^q\"}", "this is no JSON: expected one of \" \\ / b f n r t u after a backslash");
    expect_wrong("{\"a\":\"\\u00^zz\"}", "this is no JSON: expected four hexadecimal digits after \\u");
    expect_wrong("{\"a\":\"\\u0000^\"}", "this is no JSON: expected a character other than \\u0000");
    expect_wrong("{\"a\":1.^}", "this is no JSON: expected a digit");
    expect_wrong("{\"a\":[1,^]}", "this is no JSON: expected a value (no comma may stand before a closing bracket)");
    expect_wrong("{} ^{}", "this is no JSON: expected the end of the file: one object is all");
}

Test(parse, depth_has_a_bound)
{
    char text[200] = "";

    memset(text, '[', 100);
    text[32] = '^';
    expect_wrong(text, "this is no JSON: expected fewer levels of brackets: at most 32");
}

Test(parse, an_unknown_field_is_told_with_the_nearest)
{
    expect_wrong("{^\"rulez\":[]}", "rulez: no such field; did you mean \"rules\"?");
    expect_wrong(WITH("^\"severty\":\"crit\""), "rules[0].severty: no such field; did you mean \"severity\"?");
    expect_wrong(WITH("^\"xyzzy\":1"), "rules[0].xyzzy: no such field");
    expect_wrong(WHERE("{^\"feild\":\"dialer\",\"exists\":true}"),
                 "rules[0].where.feild: no such field; did you mean \"field\"?");
}

Test(parse, lines_and_columns_count_characters)
{
    expect_wrong("{\n\t\"rules\": [\n  { \"name\": ^\"Ω\", \"on\": \"stun.silent\", \"message\": 5 }]}",
                 "rules[0].name: expected a name of a-z, 0-9, - _ and . (such as bad-stun-server)");
    expect_wrong("{\"description\": \"ΩΩ\", \"rules\": ^5}", "rules: expected a list [ ] of rules");
}

Test(parse, a_field_that_no_event_has_is_a_mistake)
{
    expect_wrong(WHERE("{\"field\":^\"session.verdct\",\"exists\":true}"),
                 "rules[0].where.field: no event has the field \"session.verdct\"; did you mean \"session.verdict\"?");
    expect_wrong(WITH("\"group_by\":[^\"stun_server.adress\"]"),
                 "rules[0].group_by[0]: no event has the field \"stun_server.adress\"; did you mean \"stun_server.address\"?");
    expect_wrong(RULE("\"name\":\"a\",\"on\":\"stun.silent\",\"message\":^\"{sesion.id}\""),
                 "rules[0].message: no event has the field \"sesion.id\"; did you mean \"session.id\"?");
    expect_wrong(WHERE("{\"field\":^\"session.directions.verdict\",\"exists\":true}"),
                 "rules[0].where.field: no event has the field \"session.directions.verdict\"; did you mean "
                 "\"session.directions[*].verdict\"?");
}

Test(parse, an_event_that_there_is_not_is_a_mistake)
{
    expect_wrong(RULE("\"name\":\"a\",\"on\":^\"session.media_mising\",\"message\":\"m\""),
                 "rules[0].on: there is no event \"session.media_mising\"; did you mean \"session.media_missing\"?");
    expect_fine(RULE("\"name\":\"a\",\"on\":\"session.*\",\"message\":\"m\""));
    expect_wrong(RULE("\"name\":\"a\",\"on\":^\"rule.alert\",\"message\":\"m\""),
                 "rules[0].on: there is no event \"rule.alert\"; the man page lists them, at EVENTS");
}

Test(parse, a_misspelt_pattern_of_events_is_told_with_what_was_meant)
{
    expect_wrong(RULE("\"name\":\"a\",\"on\":^\"sesion.*\",\"message\":\"m\""),
                 "rules[0].on: there is no event \"sesion.*\"; did you mean \"session.*\"?");
    expect_wrong(RULE("\"name\":\"a\",\"on\":[\"stun.*\",^\"*.sillent\"],\"message\":\"m\""),
                 "rules[0].on[1]: there is no event \"*.sillent\"; did you mean \"*.silent\"?");
    expect_wrong(RULE("\"name\":\"a\",\"on\":^\"stun.contra?iction?\",\"message\":\"m\""),
                 "rules[0].on: there is no event \"stun.contra?iction?\"; did you mean \"stun.contradiction\"?");
    expect_wrong(RULE("\"name\":\"a\",\"on\":^\"session\",\"message\":\"m\""),
                 "rules[0].on: there is no event \"session\"; did you mean \"session.*\"?");
    expect_wrong(RULE("\"name\":\"a\",\"on\":\"stun.silent\",\"recover_on\":{\"on\":^\"stn.answers\"},\"message\":\"m\""),
                 "rules[0].recover_on.on: there is no event \"stn.answers\"; did you mean \"stun.answers\"?");
    expect_wrong(RULE("\"name\":\"a\",\"on\":^\"xyzzy*\",\"message\":\"m\""),
                 "rules[0].on: there is no event \"xyzzy*\"; the man page lists them, at EVENTS");
}

Test(parse, values_say_what_was_expected)
{
    expect_wrong(WITH("\"count\":^0"), "rules[0].count: expected a whole number from 1 to 1000");
    expect_wrong(WITH("\"count\":^2.5"), "rules[0].count: expected a whole number from 1 to 1000");
    expect_wrong(WITH("\"count\":^null"), "rules[0].count: expected a value, not null");
    expect_wrong(WITH("\"enabled\":^\"yes\""), "rules[0].enabled: expected true or false");
    expect_wrong(WITH("\"cooldown\":^\"5 minutes\""),
                 "rules[0].cooldown: expected a time such as \"30s\", \"5m\", \"2h\" or \"1d\", at most \"30d\"");
    expect_wrong(WITH("\"cooldown\":^\"99999d\""),
                 "rules[0].cooldown: expected a time such as \"30s\", \"5m\", \"2h\" or \"1d\", at most \"30d\"");
    expect_wrong(WITH("\"severity\":^\"critical\""),
                 "rules[0].severity: expected one of emerg, alert, crit, err, warning, notice, info, debug");
    expect_wrong(WHERE("^5"), "rules[0].where: expected a condition { }, or a list [ ] of conditions that must all hold");
    expect_wrong(WHERE("^{\"field\":\"dialer\"}"),
                 "rules[0].where: expected what the field must be: equals, one_of, glob, cidr, listed, lt, le, gt, ge or exists");
    expect_wrong(WHERE("{\"field\":\"dialer\",\"cidr\":^\"10.0.0.0/33\"}"),
                 "rules[0].where.cidr: expected a network such as \"198.51.100.0/24\" or \"2001:db8::/32\", or one address");
    expect_wrong(WHERE("{\"field\":\"dialer\",\"lt\":^\"5\"}"), "rules[0].where.lt: expected a number");
    expect_wrong(WHERE("{\"field\":\"dialer\",\"one_of\":^\"5\"}"),
                 "rules[0].where.one_of: expected a list of values, or \"@NAME\"");
    expect_wrong(WHERE("{^\"and\":[{\"field\":\"dialer\",\"exists\":true}],\"field\":\"dialer\"}"),
                 "rules[0].where.and: expected nothing beside it: put \"and\" into an object of its own");
    expect_wrong(WHERE("{\"or\":^[]}"), "rules[0].where.or: expected at least one condition");
}

Test(parse, fields_that_belong_together)
{
    expect_wrong("{\"rules\":[^{\"name\":\"a\",\"message\":\"m\"}]}", "rules[0]: expected \"on\": the events that it listens to");
    expect_wrong("{\"rules\":[^{\"name\":\"a\",\"on\":\"stun.silent\"}]}", "rules[0]: expected \"message\": what the alert says");
    expect_wrong("{\"rules\":[^{\"on\":\"stun.silent\",\"message\":\"m\"}]}", "rules[0]: expected \"name\"");
    expect_wrong("{\"rules\":[^{" MINIMAL ",\"count\":5}]}",
                 "rules[0]: expected \"within\" (such as \"5m\") beside \"count\" or \"share\"");
    expect_wrong("{\"rules\":[^{" MINIMAL ",\"within\":\"5m\"}]}",
                 "rules[0]: expected \"count\" of 2 or more, or \"share\", beside \"within\"");
    expect_wrong(WITH("\"recover_on\":^{}"), "rules[0].recover_on: expected \"on\", \"quiet\", or both");
    expect_wrong(WITH("\"share\":^{\"percent\":5}"),
                 "rules[0].share: expected \"percent\" and \"of\" (the events that it is a share of)");
    expect_wrong(RULE("\"name\":\"a\",\"on\":\"stun.silent\",\"message\":^\"{dialer\""),
                 "rules[0].message: expected a closing } after {dialer");
}

Test(parse, names_may_not_be_given_twice)
{
    expect_wrong(WITH("^\"name\":\"b\""), "rules[0].name: given twice");
    expect_wrong("{\"rules\":[{" MINIMAL "},\n{\"name\":^\"a\"}]}",
                 "rules[1].name: my.json:1:11 has a rule of that name; to change it, write \"override\" instead of \"name\"");
}

Test(parse, one_field_of_a_rule_is_overridden)
{
    struct said s = { 0 };
    struct ruleset *set = parse("{\"rules\":[{" MINIMAL ",\"severity\":\"crit\",\"cooldown\":\"1h\"},"
                                "{\"override\":\"a\",\"severity\":\"info\",\"enabled\":false}]}",
                                &s);

    cr_assert_str_eq(s.text, "");
    cr_assert_eq(set->n, 1);
    cr_assert_eq(set->rule[0].severity, SEVERITY_INFO);
    cr_assert_not(set->rule[0].enabled);
    cr_assert_eq(set->rule[0].cooldown_ns, SECONDS(3600));
    cr_assert_str_eq(set->rule[0].on.on[0], "stun.silent");
    ruleset_free(set);
    expect_wrong("{\"rules\":[{" MINIMAL "},{\"override\":^\"b\"}]}", "rules[1].override: no file before this one has that rule");
}

Test(parse, a_word_that_a_field_never_is_is_a_mistake)
{
    expect_wrong(WHERE("{\"field\":\"session.verdict\",\"equals\":^\"oneway\"}"),
                 "rules[0].where.equals: session.verdict is never \"oneway\": expected one of no_media, not_expected, ok, "
                 "one_way, setup_failed, unknown");
    expect_wrong(WHERE("{\"field\":\"session.confidence|mapping.confidence\",\"one_of\":[\"proven\",^\"sure\"]}"),
                 "rules[0].where.one_of[1]: session.confidence|mapping.confidence is never \"sure\": expected one of likely, "
                 "proven, suspected");
    expect_wrong(WHERE("{\"field\":\"session.verdict\",\"equals\":^\"\"}"),
                 "rules[0].where.equals: session.verdict is never \"\": expected one of no_media, not_expected, ok, one_way, "
                 "setup_failed, unknown");
    expect_fine(WHERE("{\"field\":\"session.verdict|stun_server.address\",\"equals\":\"anything\"}"));
}

Test(parse, a_list_is_given_once_in_a_file)
{
    expect_wrong("{\"lists\":{\"ours\":[\"x\"],\n^\"ours\":[\"y\"]}}", "lists.ours: given twice");
    expect_wrong("{\"lists\":{^\"Our s\":[\"x\"]}}",
                 "lists.Our s: expected a name of a-z, 0-9, - _ and . (such as bad-stun-server)");
}

Test(parse, a_character_in_two_halves_needs_both)
{
    expect_fine("{\"description\":\"\\ud83c\\udfa7 \\u00e4\"}");
    expect_wrong("{\"description\":\"\\ud83c^\"}",
                 "this is no JSON: expected both halves of a character beyond U+FFFF, such as \\ud83c\\udfa7");
    expect_wrong("{\"description\":\"\\udfa7^\\ud83c\"}",
                 "this is no JSON: expected both halves of a character beyond U+FFFF, such as \\ud83c\\udfa7");
    expect_wrong("{\"description\":\"\\ud83c\\u0041^\"}",
                 "this is no JSON: expected both halves of a character beyond U+FFFF, such as \\ud83c\\udfa7");
}

#define OF_SILENT "{\"rules\":[^{\"name\":\"a\",\"on\":\"stun.silent\","
#define MESSAGE   "\"message\":\"m\"}]}"

Test(parse, a_field_that_none_of_its_events_has_is_a_mistake)
{
    expect_wrong(OF_SILENT "\"where\":{\"not\":{\"field\":\"session.id\",\"equals\":\"x\"}}," MESSAGE,
                 "rule a: no event in \"on\" has the field \"session.id\"");
    expect_wrong(OF_SILENT "\"where\":{\"field\":\"alert.count\",\"gt\":3}," MESSAGE,
                 "rule a: no event in \"on\" has the field \"alert.count\"");
    expect_wrong(OF_SILENT "\"group_by\":\"dialer\"," MESSAGE, "rule a: no event in \"on\" has the field \"dialer\"");
    expect_wrong(OF_SILENT "\"message\":\"{dns.name|session.id}\"}]}",
                 "rule a: no event in \"on\" has the field \"dns.name|session.id\"");
    expect_wrong(OF_SILENT "\"group_by\":\"stun_server.address\",\"recover_on\":{\"on\":\"session.ended\"}," MESSAGE,
                 "rule a: no event in \"recover_on.on\" has the field \"stun_server.address\"");
    expect_wrong(OF_SILENT "\"within\":\"5m\",\"share\":{\"percent\":5,\"of\":\"stun.measured\",\"where\":{\"field\":\"dialer\","
                           "\"exists\":true}}," MESSAGE,
                 "rule a: no event in \"share.of\" has the field \"dialer\"");
    expect_fine("{\"rules\":[{\"name\":\"a\",\"on\":[\"stun.silent\",\"session.*\"],\"group_by\":\"dialer\","
                "\"message\":\"{alert.count} {event} {session.id|stun_server.address}\"}]}");
}

Test(parse, lists_are_found_and_replaced)
{
    struct said s = { 0 };
    struct ruleset *set = parse("{\"lists\":{\"ours\":[]},\"rules\":[{" MINIMAL ",\"needs\":\"ours\"}]}", &s);
    struct problems p = { say, &s, 0 };

    cr_assert(set->rule[0].resting);
    ruleset_parse(set, "b.json", span_str("{\"lists\":{\"ours\":[\"x\",\"192.0.2.0/24\"]}}"), &p);
    ruleset_link(set, &p);
    cr_assert_str_eq(s.text, "");
    cr_assert_not(set->rule[0].resting);
    cr_assert_eq(set->list[0].n, 2);
    ruleset_free(set);
    expect_wrong("{\"lists\":{\"ours\":[]},\"rules\":[^{" MINIMAL ",\"needs\":\"our\"}]}",
                 "rule a: no file has the list \"our\"; did you mean \"ours\"?");
    expect_wrong("{\"lists\":{\"ours\":[\"x\"]},\"rules\":[^{" MINIMAL ",\"where\":{\"field\":\"dialer\",\"cidr\":\"@ours\"}}]}",
                 "rule a: entry 1 of list \"ours\" is no network (use \"listed\" for names)");
}

Test(parse, mistakes_are_told_up_to_a_bound)
{
    struct said s = { 0 };
    struct strbuf b = { 0 };

    strbuf_add(&b, "{\"rules\":[");
    for (int i = 0; i < 5000; i++)
        strbuf_add(&b, i ? ",1" : "1");
    strbuf_add(&b, "]}");
    ruleset_free(parse(strbuf_str(&b), &s));
    cr_assert_eq(s.lines, PROBLEMS_TOLD + 1);
    strbuf_done(&b);
}

Test(parse, text_of_a_mistake_is_safe_to_print)
{
    struct said s = { 0 };

    ruleset_free(parse("{\"\\u001b[31m\":1}", &s));
    cr_assert_not(strchr(s.text, 0x1b));
}

/* Wherever a file is cut it is no JSON any more, and nothing breaks. */
Test(parse, every_prefix_is_refused)
{
    const char *text =
        WHERE("[{\"field\":\"dialer\",\"glob\":[\"a*\",\"\\u00e9\"]},{\"not\":{\"field\":\"dialer\",\"lt\":-1.5e3}}]");

    for (size_t n = 0; n < strlen(text); n++) {
        struct said s = { 0 };
        struct problems p = { say, &s, 0 };
        struct ruleset *set = calloc(1, sizeof *set);
        uint8_t *copy = malloc(n ? n : 1);

        memcpy(copy, text, n);
        ruleset_parse(set, "my.json", (struct span){ copy, n }, &p);
        cr_assert_eq(p.n, 1, "%zu", n);
        ruleset_free(set);
        free(copy);
    }
}

Test(glob, stars_and_questions)
{
    cr_assert(glob_match("*", ""));
    cr_assert(glob_match("session.*", "session.ended"));
    cr_assert_not(glob_match("session.*", "stun.silent"));
    cr_assert(glob_match("*.Google.com", "stun.l.google.com"));
    cr_assert(glob_match("a*b*c", "aXXbYYbc"));
    cr_assert_not(glob_match("a*b*c", "aXXbYYb"));
    cr_assert(glob_match("s?un", "stun"));
    cr_assert_not(glob_match("s?un", "sun"));
    cr_assert_not(glob_match("", "x"));
}

Test(net, addresses_and_networks)
{
    struct net n;

    cr_assert(net_parse("198.51.100.0/24", &n));
    cr_assert_eq(n.bits, 120);
    cr_assert(net_parse("::/0", &n));
    cr_assert_eq(n.bits, 0);
    cr_assert(net_parse("192.0.2.1", &n));
    cr_assert_eq(n.bits, 128);
    cr_assert_not(net_parse("192.0.2.1/", &n));
    cr_assert_not(net_parse("192.0.2.1/33", &n));
    cr_assert_not(net_parse("stun.example", &n));
    cr_assert_not(net_parse("", &n));
}
