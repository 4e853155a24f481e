/* Our own trouble: full tables, rules and log servers; told when it grows, and not again while nothing is new. */
#include "app/trouble.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>

#include "base/clock.h"
#include "rule/rule.h"

/* ---- full tables; what the input was like is not told ---- */

static unsigned told(struct fault_trouble *t, const struct fault_log *log, int64_t now_s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < FAULT_IDS; i++)
        n += fault_trouble_look(t, log, (enum fault_id)i, SECONDS(now_s));
    return n;
}

Test(trouble, a_full_table_once_a_minute)
{
    struct fault_trouble t = { 0 };
    struct fault_log log = { 0 };

    cr_expect_eq(told(&t, &log, 1000), 0);
    fault_log_one(&log, FAULT_FLOW_TABLE_FULL, 7);
    cr_expect_eq(told(&t, &log, 1001), 1);
    cr_expect_eq(told(&t, &log, 1002), 0, "it was told");
    fault_log_one(&log, FAULT_FLOW_TABLE_FULL, 8);
    fault_log_one(&log, FAULT_NAME_TABLE_FULL, 8);
    cr_expect_eq(told(&t, &log, 1003), 1, "the other key alone");
    cr_expect_eq(told(&t, &log, 1060), 0);
    cr_expect_eq(told(&t, &log, 1061), 1);
    cr_expect_eq(told(&t, &log, 2000), 0, "nothing more was met");
}

Test(trouble, what_was_told_to_nobody_is_told_again)
{
    struct fault_trouble t = { 0 };
    struct fault_log log = { 0 };

    fault_log_one(&log, FAULT_OUTPUT_FULL, 0);
    cr_expect_eq(told(&t, &log, 1000), 1);
    cr_expect_eq(told(&t, &log, 1001), 0);
    fault_trouble_again(&t, FAULT_OUTPUT_FULL);
    cr_expect_eq(told(&t, &log, 1002), 1);
    cr_expect_eq(told(&t, &log, 1003), 0);
}

/* Malformed input, and messages or sessions larger than is kept. */
Test(trouble, what_the_input_is_like)
{
    static const enum fault_id never[] = { FAULT_STUN_ATTR_LENGTH, FAULT_TCP_BUFFER_FULL, FAULT_SESSION_FACT_LIMIT,
                                           FAULT_SIP_HEADER_COUNT, FAULT_TIME_BACKWARDS,  FAULT_CAPTURE_FILE };
    struct fault_trouble t = { 0 };
    struct fault_log log = { 0 };

    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        fault_log_one(&log, never[i], 1);
    cr_expect_eq(told(&t, &log, 1000), 0);
}

/* ---- rules and log servers, with what the schema asks for ---- */

struct told {
    unsigned n;
    char key[64], text[300];
    double count;
};

static void tell(void *self, const cJSON *event, int64_t at_ns)
{
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(event, "self");
    struct told *t = self;

    (void)at_ns;
    t->n++;
    cr_assert_str_eq(cJSON_GetObjectItemCaseSensitive(event, "event")->valuestring, "self.trouble");
    cr_assert(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(o, "first_frame")));
    snprintf(t->key, sizeof t->key, "%s", cJSON_GetObjectItemCaseSensitive(o, "key")->valuestring);
    snprintf(t->text, sizeof t->text, "%s", cJSON_GetObjectItemCaseSensitive(o, "text")->valuestring);
    t->count = cJSON_GetObjectItemCaseSensitive(o, "count")->valuedouble;
}

Test(trouble, a_file_that_cannot_be_used)
{
    struct told t = { 0 };
    struct alert_trouble o = { .tell = tell, .self = &t };

    alert_trouble_tell(&o, TROUBLE_RULES_UNUSABLE, 1);
    alert_trouble_tell(&o, TROUBLE_RULES_UNUSABLE, 2);
    cr_assert_eq(t.n, 2);
    cr_assert_str_eq(t.key, "rules.unusable");
    cr_assert_eq(t.count, 2);
}

Test(trouble, rules_without_any)
{
    struct told t = { 0 };
    struct alert_trouble o = { .tell = tell, .self = &t };
    struct rules *r = rules_new(NULL, NULL);

    alert_trouble_of_rules(&o, r, 1);
    cr_assert_eq(t.n, 0);
    rules_free(r);
}

Test(trouble, a_log_server_that_cannot_be_reached)
{
    struct cli c = { .syslog = { "local:/nowhere/to/log" }, .syslogs = 1 };
    struct alert alert = { .rule = "r", .kind = ALERT_NEW, .severity = SEVERITY_ERR, .facility = 3, .message = "m", .count = 1 };
    struct told t = { 0 };
    struct alert_trouble o = { .tell = tell, .self = &t };
    struct alert_log l;
    char error[CAPTURE_ERROR];

    cr_assert(alert_log_open(&l, &c, stderr, error), "%s", error);
    alert_trouble_of_log(&o, &l, 1);
    cr_assert_eq(t.n, 0, "before it is tried there is no trouble");
    alert_log_send(&l, &alert);
    alert_log_run(&l, true);
    alert_trouble_of_log(&o, &l, 2);
    cr_assert_eq(t.n, 1);
    cr_assert_str_eq(t.key, "syslog.unreachable");
    cr_assert(strstr(t.text, "local:/nowhere/to/log cannot be reached: "), "%s", t.text);
    alert_trouble_of_log(&o, &l, 3);
    cr_assert_eq(t.n, 1, "nothing is new");
    alert_log_close(&l, 0, stderr);
}

Test(trouble, alerts_that_were_lost)
{
    struct cli c = { .syslog = { "local:/nowhere/to/log" }, .syslogs = 1 };
    struct alert alert = { .rule = "r", .kind = ALERT_NEW, .severity = SEVERITY_ERR, .facility = 3, .message = "m", .count = 1 };
    struct told t = { 0 };
    struct alert_trouble o = { .tell = tell, .self = &t };
    struct alert_log l;
    char error[CAPTURE_ERROR];

    cr_assert(alert_log_open(&l, &c, stderr, error), "%s", error);
    for (unsigned i = 0; i < 1024 + 3; i++) /* SYSLOG_QUEUE */
        alert_log_send(&l, &alert);
    alert_trouble_of_log(&o, &l, 1);
    cr_assert_eq(t.n, 1);
    cr_assert_str_eq(t.key, "syslog.queue_full");
    cr_assert_eq(t.count, 3);
    alert_log_close(&l, 0, stderr);
}
