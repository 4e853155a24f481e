/* --explain-rule and --check-rules: what they say. */
#include <criterion/criterion.h>

#include "support/alerts.h"

#define RULE                                                                                                                     \
    "{\"lists\":{\"ours\":[\"good.example\"]},\"rules\":[{\"name\":\"bad-server\",\"on\":\"stun.silent\",\"count\":2,"           \
    "\"within\":\"1m\",\"where\":[{\"not\":{\"field\":\"stun_server.name\",\"listed\":\"@ours\"}},"                              \
    "{\"field\":\"stun_server.requests\",\"ge\":3}],\"group_by\":\"stun_server.name\",\"severity\":\"err\","                     \
    "\"message\":\"{stun_server.name} is silent\",\"recover_on\":{\"on\":\"stun.answers\",\"quiet\":\"10m\"}}]}"
#define SILENT(name, n) "{\"event\":\"stun.silent\",\"stun_server\":{\"name\":\"" name "\",\"requests\":" n "}}"

static void expect_said(struct alerts *a, const char *want)
{
    cr_assert_str_eq(strbuf_str(&a->said), want, "wanted:\n%sgot:\n%s", want, strbuf_str(&a->said));
    strbuf_clear(&a->said);
}

Test(explain, every_step_is_told)
{
    struct alerts a;

    alerts_begin(&a, RULE);
    cr_assert(rules_explain(a.rules, "bad-server", alerts_say, &a));
    cr_assert(strstr(strbuf_str(&a.said), "bad-server: daemon.err, in force\n"));
    strbuf_clear(&a.said);
    alerts_event(&a, 0, SILENT("good.example", "7"));
    expect_said(&a, "2023-11-14T22:13:20.000000Z stun.silent\n"
                    "  where:\n"
                    "        yes  stun_server.name listed @ours: it is \"good.example\"\n"
                    "      no   not: none of the above\n"
                    "      yes  stun_server.requests ge 3: it is 7\n"
                    "    no   and: all of the above\n"
                    "  so nothing happens\n");
    alerts_event(&a, 1, "{\"event\":\"session.ended\"}");
    expect_said(&a, "");
    alerts_event(&a, 2, SILENT("x\\u001b", "5"));
    expect_said(&a, "2023-11-14T22:13:22.000000Z stun.silent\n"
                    "  where:\n"
                    "        no   stun_server.name listed @ours: it is \"x\\x1b\"\n"
                    "      yes  not: none of the above\n"
                    "      yes  stun_server.requests ge 3: it is 5\n"
                    "    yes  and: all of the above\n"
                    "  group stun_server.name: x\\x1b\n"
                    "  counted: 1 of 2\n");
    alerts_event(&a, 3, SILENT("x\\u001b", "5"));
    cr_assert(strstr(strbuf_str(&a.said), "  counted: 2 of 2\n  alert: bad-server daemon.err: x\\x1b is silent\n"), "%s",
              strbuf_str(&a.said));
    strbuf_clear(&a.said);
    alerts_tick(&a, 1000);
    expect_said(&a, "2023-11-14T22:30:00.000000Z no more events\n"
                    "  recovery: bad-server daemon.notice: quiet for 10m after 2 events in 1s: x\\x1b is silent\n");
    rules_explain(a.rules, "bad-server", NULL, NULL);
    alerts_event(&a, 1001, SILENT("y", "5"));
    expect_said(&a, "");
    alerts_end(&a);
}

Test(explain, a_name_that_there_is_not)
{
    struct alerts a;

    alerts_begin(&a, RULE);
    cr_assert_not(rules_explain(a.rules, "bad-sever", alerts_say, &a));
    expect_said(&a, "there is no rule \"bad-sever\"; did you mean \"bad-server\"?\n");
    alerts_event(&a, 0, SILENT("x", "5"));
    expect_said(&a, "");
    alerts_end(&a);
}

Test(explain, the_summary_of_a_check)
{
    const char *folder = RW_SOURCE_DIR "/rules";
    struct alerts a;

    alerts_begin(&a, NULL);
    cr_assert(rules_check(&folder, 1, true, alerts_say, &a), "%s", strbuf_str(&a.said));
    cr_assert(strstr(strbuf_str(&a.said), "bad-stun-server: daemon.crit, in force\n"), "%s", strbuf_str(&a.said));
    cr_assert(strstr(strbuf_str(&a.said),
                     "stun-not-ours: daemon.warning, resting until a list that it needs has entries: our_stun_servers\n"));
    cr_assert(strstr(strbuf_str(&a.said), "dns-disagrees: daemon.warning, not enabled\n"));
    alerts_end(&a);
}

Test(explain, a_check_that_finds_mistakes)
{
    const char *none = "/nonexistent/rules.json";
    struct alerts a;

    alerts_begin(&a, NULL);
    cr_assert_not(rules_check(&none, 1, true, alerts_say, &a));
    expect_said(&a, "/nonexistent/rules.json: cannot be read: No such file or directory\n");
    alerts_end(&a);
}
