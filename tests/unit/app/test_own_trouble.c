/* The program's own trouble: told when it grows, with what the schema asks for, and not again while nothing is new. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>

#include "app/own_trouble.h"
#include "rule/rule.h"

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

Test(own_trouble, a_file_that_cannot_be_used)
{
    struct told t = { 0 };
    struct own_trouble o = { .tell = tell, .self = &t };

    own_trouble_tell(&o, OWN_RULES_UNUSABLE, 1);
    own_trouble_tell(&o, OWN_RULES_UNUSABLE, 2);
    cr_assert_eq(t.n, 2);
    cr_assert_str_eq(t.key, "rules.unusable");
    cr_assert_eq(t.count, 2);
}

Test(own_trouble, rules_without_any)
{
    struct told t = { 0 };
    struct own_trouble o = { .tell = tell, .self = &t };
    struct rules *r = rules_new(NULL, NULL);

    own_trouble_of_rules(&o, r, 1);
    cr_assert_eq(t.n, 0);
    rules_free(r);
}

Test(own_trouble, a_log_server_that_cannot_be_reached)
{
    struct cli c = { .syslog = { "local:/nowhere/to/log" }, .syslogs = 1 };
    struct alert alert = { .rule = "r", .kind = ALERT_NEW, .severity = SEVERITY_ERR, .facility = 3, .message = "m", .count = 1 };
    struct told t = { 0 };
    struct own_trouble o = { .tell = tell, .self = &t };
    struct alert_log l;
    char error[CAPTURE_ERROR];

    cr_assert(alert_log_open(&l, &c, error), "%s", error);
    own_trouble_of_log(&o, &l, 1);
    cr_assert_eq(t.n, 0, "before it is tried there is no trouble");
    alert_log_send(&l, &alert);
    alert_log_run(&l, true);
    own_trouble_of_log(&o, &l, 2);
    cr_assert_eq(t.n, 1);
    cr_assert_str_eq(t.key, "syslog.unreachable");
    cr_assert(strstr(t.text, "local:/nowhere/to/log cannot be reached: "), "%s", t.text);
    own_trouble_of_log(&o, &l, 3);
    cr_assert_eq(t.n, 1, "nothing is new");
    alert_log_close(&l, 0);
}

Test(own_trouble, alerts_that_were_lost)
{
    struct cli c = { .syslog = { "local:/nowhere/to/log" }, .syslogs = 1 };
    struct alert alert = { .rule = "r", .kind = ALERT_NEW, .severity = SEVERITY_ERR, .facility = 3, .message = "m", .count = 1 };
    struct told t = { 0 };
    struct own_trouble o = { .tell = tell, .self = &t };
    struct alert_log l;
    char error[CAPTURE_ERROR];

    cr_assert(alert_log_open(&l, &c, error), "%s", error);
    for (unsigned i = 0; i < 1024 + 3; i++) /* SYSLOG_QUEUE */
        alert_log_send(&l, &alert);
    own_trouble_of_log(&o, &l, 1);
    cr_assert_eq(t.n, 1);
    cr_assert_str_eq(t.key, "syslog.queue_full");
    cr_assert_eq(t.count, 3);
    alert_log_close(&l, 0);
}
