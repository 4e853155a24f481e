/* Incidents: one alert, its updates, one recovery, and state that does not grow. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "rule/eval_private.h"
#include "support/alerts.h"

#define RULES(fields)   "{\"rules\":[{\"name\":\"r\"," fields "}]}"
#define SILENT(server)  "{\"event\":\"stun.silent\",\"stun_server\":{\"address\":\"" server "\",\"requests\":7}}"
#define ANSWERS(server) "{\"event\":\"stun.answers\",\"stun_server\":{\"address\":\"" server "\"}}"
#define BY_SERVER       "\"on\":\"stun.silent\",\"message\":\"m\",\"group_by\":[\"stun_server.address\"]"

Test(eval, one_incident_one_alert_one_recovery)
{
    struct alerts a;

    alerts_begin(&a, RULES(BY_SERVER ",\"recover_on\":{\"quiet\":\"5m\"}"));
    for (unsigned s = 0; s < 600; s += 60)
        alerts_event(&a, s, SILENT("a"));
    alerts_expect(&a, "alert r [a] 1: m\n");
    alerts_tick(&a, 540 + 299);
    alerts_expect(&a, "");
    alerts_tick(&a, 540 + 300);
    alerts_expect(&a, "recovery r [a] 10: quiet for 5m after 10 events in 9m: m\n");
    alerts_tick(&a, 100000);
    alerts_expect(&a, "");
    alerts_end(&a);
}

Test(eval, an_event_ends_it_too)
{
    struct alerts a;

    alerts_begin(&a, RULES(BY_SERVER ",\"recover_on\":{\"on\":\"stun.answers\"}"));
    alerts_event(&a, 0, ANSWERS("a"));
    alerts_event(&a, 1, SILENT("a"));
    alerts_event(&a, 2, SILENT("b"));
    alerts_expect(&a, "alert r [a] 1: m\nalert r [b] 1: m\n");
    alerts_event(&a, 90000, ANSWERS("a"));
    alerts_event(&a, 90001, ANSWERS("a"));
    alerts_expect(&a, "recovery r [a] 1: over (stun.answers) after 1 event in 0s: m\n");
    cr_assert_eq(rules_count(a.rules).incidents, 1);
    alerts_end(&a);
}

Test(eval, without_recover_on_it_ends_in_silence)
{
    struct alerts a;

    alerts_begin(&a, RULES(BY_SERVER ",\"cooldown\":\"1m\""));
    alerts_event(&a, 0, SILENT("a"));
    alerts_event(&a, 599, SILENT("a"));
    alerts_expect(&a, "alert r [a] 1: m\n");
    alerts_tick(&a, 599 + 600);
    alerts_expect(&a, "");
    cr_assert_eq(rules_count(a.rules).incidents, 0);
    alerts_event(&a, 599 + 600 + 59, SILENT("a"));
    alerts_expect(&a, "");
    alerts_event(&a, 599 + 600 + 60, SILENT("a"));
    alerts_expect(&a, "alert r [a] 1: m\n");
    alerts_end(&a);
}

Test(eval, so_many_within_a_time)
{
    struct alerts a;

    alerts_begin(&a, RULES(BY_SERVER ",\"count\":3,\"within\":\"1m\",\"recover_on\":{\"quiet\":\"2m\"}"));
    alerts_event(&a, 0, SILENT("a"));
    alerts_event(&a, 1, SILENT("a"));
    alerts_event(&a, 2, SILENT("b"));
    alerts_event(&a, 61, SILENT("a")); /* the first is 61 s old */
    alerts_expect(&a, "");
    alerts_event(&a, 61, SILENT("a"));
    alerts_expect(&a, "alert r [a] 3: m\n");
    alerts_event(&a, 121, SILENT("a")); /* the third of a minute: it goes on */
    alerts_event(&a, 240, SILENT("a")); /* single ones do not keep it up */
    alerts_tick(&a, 241);
    alerts_expect(&a, "recovery r [a] 5: quiet for 2m after 5 events in 2m: m\n");
    alerts_end(&a);
}

Test(eval, an_incident_that_goes_on_is_told_again)
{
    struct alerts a;

    alerts_begin(&a, RULES(BY_SERVER ",\"update_every\":\"10m\",\"recover_on\":{\"quiet\":\"30m\"}"));
    alerts_event(&a, 0, SILENT("a"));
    alerts_tick(&a, 601); /* nothing more happened: nothing to tell */
    alerts_expect(&a, "alert r [a] 1: m\n");
    alerts_event(&a, 700, SILENT("a"));
    alerts_tick(&a, 701);
    alerts_tick(&a, 702);
    alerts_expect(&a, "update r [a] 2: still, for 11m, 2 events: m\n");
    alerts_end(&a);
    /* Where only an event ends it, it goes on without any. */
    alerts_begin(&a, RULES(BY_SERVER ",\"update_every\":\"10m\",\"recover_on\":{\"on\":\"stun.answers\"}"));
    alerts_event(&a, 0, SILENT("a"));
    alerts_tick(&a, 600);
    alerts_expect(&a, "alert r [a] 1: m\nupdate r [a] 1: still, for 10m, 1 event: m\n");
    alerts_end(&a);
}

Test(eval, a_cooldown_holds_back_the_next)
{
    struct alerts a;

    alerts_begin(&a, RULES(BY_SERVER ",\"cooldown\":\"10m\",\"recover_on\":{\"quiet\":\"1m\"}"));
    alerts_event(&a, 0, SILENT("a"));
    alerts_tick(&a, 60);
    alerts_event(&a, 61, SILENT("a"));
    alerts_event(&a, 62, SILENT("b"));
    alerts_expect(&a, "alert r [a] 1: m\nrecovery r [a] 1: quiet for 60s after 1 event in 0s: m\nalert r [b] 1: m\n");
    alerts_event(&a, 660, SILENT("a"));
    alerts_expect(&a, "recovery r [b] 1: quiet for 60s after 1 event in 0s: m\nalert r [a] 1: m\n");
    alerts_end(&a);
}

#define ENDED(verdict) "{\"event\":\"session.ended\",\"dialer\":\"d\",\"session\":{\"verdict\":\"" verdict "\"}}"
#define SHARE                                                                                                                    \
    RULES(                                                                                                                       \
        "\"on\":\"session.ended\",\"where\":{\"field\":\"session.verdict\",\"equals\":\"no_media\"},\"group_by\":[\"dialer\"],"  \
        "\"count\":5,\"within\":\"16m\",\"share\":{\"percent\":20,\"of\":\"session.ended\"},\"message\":\"m\","                  \
        "\"recover_on\":{\"quiet\":\"5m\"}")

Test(eval, a_share_of_all)
{
    struct alerts a;

    alerts_begin(&a, SHARE);
    for (unsigned i = 0; i < 100; i++) /* one of ten */
        alerts_event(&a, i, i % 10 ? ENDED("ok") : ENDED("no_media"));
    alerts_expect(&a, "");
    for (unsigned i = 100; i < 200; i++) /* one of two: 10 and n of 100 and 2 n */
        alerts_event(&a, i, i % 2 ? ENDED("ok") : ENDED("no_media"));
    cr_assert_eq(a.n, 1);
    cr_assert(strncmp(strbuf_str(&a.lines), "alert r [d] 27: m\n", 10) == 0, "%s", strbuf_str(&a.lines));
    alerts_end(&a);
    /* Old ones are forgotten: 4 of 4 are fewer than 5. */
    alerts_begin(&a, SHARE);
    for (unsigned i = 0; i < 8; i++)
        alerts_event(&a, i < 4 ? i : 2000 + i, ENDED("no_media"));
    alerts_expect(&a, "");
    alerts_event(&a, 2010, ENDED("no_media"));
    alerts_expect(&a, "alert r [d] 5: m\n");
    alerts_end(&a);
}

Test(eval, a_share_forgets_slice_by_slice)
{
    struct alerts a;

    alerts_begin(&a, SHARE);
    for (unsigned i = 0; i < 4; i++)
        alerts_event(&a, i, ENDED("no_media"));
    for (unsigned s = 100; s < 1200; s += 300)
        alerts_event(&a, s, ENDED("ok"));
    alerts_event(&a, 1200, ENDED("no_media")); /* the fifth, and the four are 20 minutes old */
    alerts_expect(&a, "");
    alerts_end(&a);
}

Test(eval, alternatives_and_messages)
{
    struct alerts a;

    alerts_begin(&a,
                 RULES("\"on\":\"stun.*\",\"group_by\":[\"stun_server.name|stun_server.address\",\"stun_server.verdict\"],"
                       "\"message\":\"{stun_server.name|stun_server.address}: {stun_server.requests} {stun_server.rtt_ms.median} "
                       "{stun_server.software} {alert.rule} {alert.count}\""));
    alerts_event(
        &a, 0,
        "{\"event\":\"stun.silent\",\"stun_server\":{\"address\":\"a\",\"name\":null,\"requests\":7,\"verdict\":\"bad\"}}");
    alerts_event(&a, 0,
                 "{\"event\":\"stun.silent\",\"stun_server\":{\"address\":\"a\",\"name\":\"n\",\"rtt_ms\":{\"median\":1.25}}}");
    alerts_expect(&a, "alert r [a, bad] 1: a: 7 - - r 1\nalert r [n, -] 1: n: - 1.25 - r 1\n");
    alerts_end(&a);
}

/* ---- conditions ---- */

static bool fires(const char *where, const char *server)
{
    struct strbuf rule = { 0 }, event = { 0 };
    struct alerts a;
    bool fired;

    strbuf_fmt(&rule, RULES("\"on\":\"stun.silent\",\"message\":\"m\",\"where\":%s"), where);
    strbuf_fmt(&event, "{\"event\":\"stun.silent\",\"stun_server\":%s}", server);
    alerts_begin(&a, strbuf_str(&rule));
    alerts_event(&a, 0, strbuf_str(&event));
    fired = a.n == 1;
    alerts_end(&a);
    strbuf_done(&rule);
    strbuf_done(&event);
    return fired;
}

#define ADDRESS(op) "{\"field\":\"stun_server.address\"," op "}"
#define COUNT(op)   "{\"field\":\"stun_server.requests\"," op "}"

Test(conditions, equals_and_one_of)
{
    cr_assert(fires(ADDRESS("\"equals\":\"x\""), "{\"address\":\"x\"}"));
    cr_assert_not(fires(ADDRESS("\"equals\":\"x\""), "{\"address\":\"X\"}"));
    cr_assert_not(fires(ADDRESS("\"equals\":\"5\""), "{\"address\":5}"));
    cr_assert_not(fires(ADDRESS("\"equals\":\"x\""), "{}"));
    cr_assert(fires(ADDRESS("\"one_of\":[\"x\",5,true]"), "{\"address\":5}"));
    cr_assert(fires(ADDRESS("\"one_of\":[\"x\",5,true]"), "{\"address\":true}"));
    cr_assert_not(fires(ADDRESS("\"one_of\":[\"x\",5,true]"), "{\"address\":1}"));
    cr_assert_not(fires(ADDRESS("\"one_of\":[]"), "{\"address\":1}"));
}

Test(conditions, numbers)
{
    cr_assert(fires(COUNT("\"ge\":5,\"lt\":6"), "{\"requests\":5}"));
    cr_assert_not(fires(COUNT("\"ge\":5,\"lt\":6"), "{\"requests\":6}"));
    cr_assert_not(fires(COUNT("\"gt\":5"), "{\"requests\":5}"));
    cr_assert(fires(COUNT("\"le\":5"), "{\"requests\":5}"));
    cr_assert_not(fires(COUNT("\"le\":5"), "{\"requests\":\"4\"}"));
    cr_assert_not(fires(COUNT("\"le\":5"), "{}"));
}

Test(conditions, networks)
{
    cr_assert(fires(ADDRESS("\"cidr\":\"198.51.100.0/24\""), "{\"address\":\"198.51.100.7:3478\"}"));
    cr_assert_not(fires(ADDRESS("\"cidr\":\"198.51.100.0/24\""), "{\"address\":\"198.51.101.7:3478\"}"));
    cr_assert(fires(ADDRESS("\"cidr\":\"198.51.100.0/23\""), "{\"address\":\"198.51.101.7\"}"));
    cr_assert(fires(ADDRESS("\"cidr\":[\"10.0.0.0/8\",\"2001:db8::/33\"]"), "{\"address\":\"[2001:db8:7fff::1]:3478\"}"));
    cr_assert_not(fires(ADDRESS("\"cidr\":[\"10.0.0.0/8\",\"2001:db8::/33\"]"), "{\"address\":\"[2001:db8:8000::1]:3478\"}"));
    cr_assert_not(fires(ADDRESS("\"cidr\":\"0.0.0.0/0\""), "{\"address\":\"2001:db8::1\"}"));
    cr_assert_not(fires(ADDRESS("\"cidr\":\"0.0.0.0/0\""), "{\"address\":\"no address\"}"));
    cr_assert(fires(ADDRESS("\"listed\":[\"*.example\",\"10.0.0.0/8\"]"), "{\"address\":\"10.1.2.3:4\"}"));
    cr_assert(fires(ADDRESS("\"listed\":[\"*.example\",\"10.0.0.0/8\"]"), "{\"address\":\"stun.EXAMPLE\"}"));
    cr_assert_not(fires(ADDRESS("\"listed\":[\"*.example\",\"10.0.0.0/8\"]"), "{\"address\":\"11.1.2.3:4\"}"));
}

Test(conditions, whether_it_is_there)
{
    cr_assert(fires(ADDRESS("\"exists\":true"), "{\"address\":\"\"}"));
    cr_assert_not(fires(ADDRESS("\"exists\":true"), "{\"address\":null}"));
    cr_assert(fires(ADDRESS("\"exists\":false"), "{\"address\":null}"));
    cr_assert(fires(ADDRESS("\"exists\":false"), "{}"));
    cr_assert_not(fires(ADDRESS("\"exists\":true,\"glob\":\"x*\""), "{\"address\":\"y\"}"));
}

Test(conditions, joined)
{
    cr_assert(fires("{\"not\":" ADDRESS("\"equals\":\"x\"") "}", "{}"));
    cr_assert(fires("{\"or\":[" ADDRESS("\"equals\":\"x\"") "," COUNT("\"gt\":1") "]}", "{\"requests\":2}"));
    cr_assert_not(fires("{\"and\":[" ADDRESS("\"equals\":\"x\"") "," COUNT("\"gt\":1") "]}", "{\"requests\":2}"));
    cr_assert_not(fires("[" ADDRESS("\"equals\":\"x\"") "," COUNT("\"gt\":1") "]", "{\"requests\":2}"));
    cr_assert(fires("[" ADDRESS("\"equals\":\"x\"") "," COUNT("\"gt\":1") "]", "{\"requests\":2,\"address\":\"x\"}"));
    cr_assert(fires("{\"not\":[" ADDRESS("\"equals\":\"x\"") "," COUNT("\"gt\":1") "]}", "{\"requests\":2}"));
}

Test(conditions, some_item_of_a_list)
{
    struct alerts a;

    alerts_begin(&a, RULES("\"on\":\"session.ended\",\"message\":\"{session.directions[*].loss}\",\"where\":"
                           "{\"field\":\"session.directions[*].loss\",\"ge\":5,\"lt\":10}"));
    alerts_event(&a, 0, "{\"event\":\"session.ended\",\"session\":{\"directions\":[{\"loss\":1},{\"loss\":11},{}]}}");
    alerts_expect(&a, "");
    alerts_event(&a, 0, "{\"event\":\"session.ended\",\"session\":{\"directions\":[{\"loss\":null},{\"loss\":6}]}}");
    alerts_expect(&a, "alert r [] 1: 6\n");
    alerts_end(&a);
}

/* ---- what comes from the network ---- */

Test(hostile, nothing_of_an_event_breaks_the_line)
{
    struct alerts a;
    const cJSON *alert;

    alerts_begin(&a, RULES("\"on\":\"session.ended\",\"group_by\":\"session.from\",\"message\":\"{session.from}|{session.to}\""));
    alerts_event(&a, 0,
                 "{\"event\":\"session.ended\",\"session\":{\"from\":\"a\\nb\\u001b[31m\\u001f\",\"to\":\"\\\\x0a\\u202e\","
                 "\"evidence\":[{\"frame\":\"1\\r\"}]}}");
    alerts_expect(&a, "alert r [a\\x0ab\\x1b[31m\\x1f] 1: a\\x0ab\\x1b[31m\\x1f|\\x0a\\xe2\\x80\\xae\n");
    alert = cJSON_GetObjectItem(a.latest, "alert");
    cr_assert_str_eq(cJSON_GetObjectItem(alert, "frames")->child->valuestring, "1\\x0d");
    cr_assert_str_eq(cJSON_GetObjectItem(cJSON_GetObjectItem(alert, "fields"), "from")->valuestring, "a\\x0ab\\x1b[31m\\x1f");
    alerts_end(&a);
}

Test(hostile, not_even_the_word_of_an_event)
{
    struct alerts a;

    alerts_begin(&a, RULES("\"on\":\"*\",\"message\":\"m\",\"recover_on\":{\"on\":\"*\"},\"cooldown\":null"));
    rules_explain(a.rules, "r", alerts_say, &a);
    alerts_event(&a, 0, "{\"event\":\"x\\u0001\\n\"}");
    alerts_event(&a, 1, "{\"event\":\"x\\u0001\\n\"}");
    alerts_expect(&a, "alert r [] 1: m\nrecovery r [] 1: over (x\\x01\\x0a) after 1 event in 0s: m\nalert r [] 1: m\n");
    cr_assert_not(strchr(strbuf_str(&a.said), 1));
    alerts_end(&a);
}

Test(hostile, long_values_are_cut)
{
    struct strbuf event = { 0 };
    struct alerts a;

    alerts_begin(&a,
                 RULES("\"on\":\"session.ended\",\"group_by\":\"session.from\",\"message\":\""
                       "{session.from}{session.from}{session.from}{session.from}{session.from}{session.from}{session.from}\""));
    strbuf_add(&event, "{\"event\":\"session.ended\",\"session\":{\"from\":\"");
    for (unsigned i = 0; i < 5000; i++)
        strbuf_add(&event, i % 2 ? "\\\\" : "\\u0001");
    strbuf_add(&event, "\"}}");
    alerts_event(&a, 0, strbuf_str(&event));
    cr_assert_eq(a.n, 1);
    cr_assert_leq(strlen(cJSON_GetObjectItem(cJSON_GetObjectItem(a.latest, "alert"), "message")->valuestring), ALERT_MESSAGE);
    cr_assert_lt(a.lines.n, ALERT_MESSAGE + 300);
    strbuf_done(&event);
    alerts_end(&a);
}

Test(hostile, a_flood_of_groups_neither_grows_nor_pushes_out_incidents)
{
    char event[200];
    struct rules_counts c;
    struct alerts a;

    alerts_begin(&a, RULES(BY_SERVER ",\"count\":2,\"within\":\"1h\",\"recover_on\":{\"quiet\":\"12h\"}"));
    alerts_event(&a, 0, SILENT("a"));
    alerts_event(&a, 1, SILENT("a"));
    for (unsigned i = 0; i < 3 * GROUPS_PER_RULE; i++) {
        snprintf(event, sizeof event, SILENT("flood%u"), i);
        alerts_event(&a, 2, event);
    }
    c = rules_count(a.rules);
    cr_assert_eq(c.groups, GROUPS_PER_RULE);
    cr_assert_eq(c.evicted, 2 * GROUPS_PER_RULE + 1);
    cr_assert_eq(c.evicted_firing, 0);
    cr_assert_eq(c.incidents, 1);
    alerts_event(&a, 3, SILENT("a"));
    alerts_expect(&a, "alert r [a] 2: m\n");
    alerts_end(&a);
}

Test(hostile, an_incident_that_is_held_back_counts_once_a_minute)
{
    struct alerts a;

    alerts_begin(&a, RULES(BY_SERVER ",\"max_per_minute\":1"));
    alerts_event(&a, 0, SILENT("told"));
    for (unsigned i = 1; i <= 30; i++)
        alerts_event(&a, 0, SILENT("held back"));
    cr_assert_eq(rules_count(a.rules).held_back, 1);
    alerts_event(&a, 120, SILENT("held back"));
    cr_assert_eq(rules_count(a.rules).held_back, 1);
    cr_assert_eq(cJSON_GetObjectItem(cJSON_GetObjectItem(a.latest, "alert"), "held_back")->valuedouble, 1);
    alerts_end(&a);
}

Test(hostile, a_flood_of_incidents_is_told_up_to_a_bound)
{
    char event[200];
    struct alerts a;

    alerts_begin(&a, RULES(BY_SERVER ",\"max_per_minute\":10"));
    for (unsigned i = 0; i < 2 * GROUPS_PER_RULE; i++) {
        snprintf(event, sizeof event, SILENT("flood%u"), i);
        alerts_event(&a, 30, event);
    }
    cr_assert_eq(a.n, 10);
    cr_assert_eq(rules_count(a.rules).held_back, 2 * GROUPS_PER_RULE - 10);
    alerts_event(&a, 90, SILENT("later"));
    cr_assert_eq(a.n, 11);
    cr_assert_eq(cJSON_GetObjectItem(cJSON_GetObjectItem(a.latest, "alert"), "held_back")->valuedouble, 2 * GROUPS_PER_RULE - 10);
    alerts_end(&a);
}

Test(hostile, when_all_have_incidents_the_oldest_is_given_up)
{
    char event[200];
    struct rules_counts c;
    struct alerts a;

    alerts_begin(&a, RULES(BY_SERVER ",\"max_per_minute\":6000"));
    for (unsigned i = 0; i < GROUPS_PER_RULE + 5; i++) {
        snprintf(event, sizeof event, SILENT("flood%u"), i);
        alerts_event(&a, 30, event);
    }
    c = rules_count(a.rules);
    cr_assert_eq(c.evicted_firing, 5);
    cr_assert_eq(c.incidents, GROUPS_PER_RULE);
    alerts_end(&a);
}

Test(hostile, events_of_any_shape)
{
    struct alerts a;

    alerts_begin(&a, RULES("\"on\":\"*\",\"group_by\":[\"dialer\",\"session.directions[*].loss\"],\"message\":\"{session.from}\","
                           "\"where\":{\"field\":\"session.evidence[*].frame\",\"exists\":false}"));
    alerts_event(&a, 0, "{}");
    alerts_event(&a, 0, "[]");
    alerts_event(&a, 0, "5");
    alerts_event(&a, 0, "{\"event\":5}");
    alerts_event(&a, 0, "{\"event\":\"rule.alert\"}");
    alerts_expect(&a, "");
    alerts_event(&a, 0,
                 "{\"event\":\"x\",\"dialer\":{\"a\":1},\"session\":{\"from\":[1],\"directions\":5,\"evidence\":{\"frame\":1}}}");
    alerts_expect(&a, "alert r [-, -] 1: -\n");
    alerts_end(&a);
}

Test(hostile, time_that_goes_back_is_the_newest_one)
{
    struct alerts a;

    alerts_begin(&a, RULES(BY_SERVER ",\"recover_on\":{\"quiet\":\"5m\"}"));
    alerts_event(&a, 1000, SILENT("a"));
    alerts_event(&a, 0, SILENT("a"));
    alerts_tick(&a, 1299);
    alerts_expect(&a, "alert r [a] 1: m\n");
    alerts_tick(&a, 1300);
    alerts_expect(&a, "recovery r [a] 2: quiet for 5m after 2 events in 0s: m\n");
    alerts_end(&a);
}

/* ---- loading again ---- */

Test(reload, an_unchanged_rule_keeps_its_incidents)
{
    const char *text = RULES(BY_SERVER ",\"recover_on\":{\"quiet\":\"5m\"}"), *more[] = { text, "{\"lists\":{\"x\":[]}}" };
    struct alerts a;

    alerts_begin(&a, text);
    alerts_event(&a, 0, SILENT("a"));
    cr_assert(alerts_load_all(&a, more, 2));
    alerts_event(&a, 1, SILENT("a"));
    alerts_expect(&a, "alert r [a] 1: m\n");
    alerts_tick(&a, 301);
    alerts_expect(&a, "recovery r [a] 2: quiet for 5m after 2 events in 1s: m\n");
    alerts_end(&a);
}

Test(reload, a_changed_rule_begins_anew)
{
    struct alerts a;

    alerts_begin(&a, RULES(BY_SERVER));
    alerts_event(&a, 0, SILENT("a"));
    cr_assert(alerts_load(&a, RULES(BY_SERVER ",\"severity\":\"info\"")));
    alerts_event(&a, 1, SILENT("a"));
    alerts_expect(&a, "alert r [a] 1: m\nalert r [a] 1: m\n");
    alerts_end(&a);
}

Test(reload, a_bad_file_leaves_the_old_rules_in_force)
{
    const char *files[] = { RULES(BY_SERVER), "{\"rules\":[{\"override\":\"r\",\"count\":-1}]}" };
    struct alerts a;

    alerts_begin(&a, RULES(BY_SERVER));
    cr_assert_not(alerts_load_all(&a, files, 2));
    cr_assert(strstr(strbuf_str(&a.said), ":1:35: rules[0].count: expected a whole number from 1 to 1000"), "%s",
              strbuf_str(&a.said));
    cr_assert_not(rules_load(a.rules, &(const char *){ "/nonexistent/x.json" }, 1, alerts_say, &a));
    alerts_event(&a, 0, SILENT("a"));
    alerts_expect(&a, "alert r [a] 1: m\n");
    alerts_end(&a);
}

Test(reload, only_what_is_listened_to_need_be_made)
{
    struct alerts a;

    alerts_begin(&a, NULL);
    cr_assert_not(rules_listen(a.rules, "stun.silent"));
    alerts_event(&a, 0, SILENT("a"));
    alerts_tick(&a, 5);
    cr_assert(alerts_load(&a, RULES(BY_SERVER ",\"recover_on\":{\"on\":\"stun.answers\"}")));
    cr_assert(rules_listen(a.rules, "stun.silent"));
    cr_assert(rules_listen(a.rules, "stun.answers"));
    cr_assert_not(rules_listen(a.rules, "session.ended"));
    cr_assert(alerts_load(&a, RULES(BY_SERVER ",\"enabled\":false")));
    cr_assert_not(rules_listen(a.rules, "stun.silent"));
    alerts_end(&a);
}
