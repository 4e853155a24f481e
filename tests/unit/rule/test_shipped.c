/*
 * The rules in rules/, each with events that raise it once and near ones that do not: shipped.json. There "like" names an event of
 * "base", "with" is laid over it, and it comes "times" times, "every_s" seconds apart; what is listed comes one after another.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "rule/ruleset.h"
#include "support/alerts.h"

struct told {
    const char *rule; /* what is counted; NULL: all */
    unsigned kind[3];
    struct strbuf lines;
    int64_t now_ns;
};

static void tell(void *self, const struct alert *a)
{
    struct told *t = self;

    strbuf_fmt(&t->lines, "%s %s: %s\n", alert_kind_word(a->kind), a->rule, a->message);
    if (!t->rule || strcmp(a->rule, t->rule) == 0)
        t->kind[a->kind]++;
}

static void say(void *self, const char *line)
{
    strbuf_fmt(self, "%s\n", line);
}

static cJSON *cases(void)
{
    static char text[200000];
    FILE *f = fopen(RW_SOURCE_DIR "/tests/unit/rule/shipped.json", "r");
    cJSON *o;

    cr_assert(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    o = cJSON_Parse(text);
    cr_assert(o);
    return o;
}

static void lay_over(cJSON *event, const cJSON *with)
{
    for (const cJSON *item = with ? with->child : NULL; item; item = item->next) {
        cJSON *there = cJSON_GetObjectItemCaseSensitive(event, item->string);

        if (cJSON_IsObject(there) && cJSON_IsObject(item))
            lay_over(there, item);
        else
            cJSON_ReplaceItemInObjectCaseSensitive(event, item->string, cJSON_Duplicate(item, true));
    }
}

static int number(const cJSON *o, const char *name, int otherwise)
{
    const cJSON *item = cJSON_GetObjectItem(o, name);

    return item ? item->valueint : otherwise;
}

static void play(struct rules *r, struct told *t, const cJSON *all, const cJSON *events)
{
    for (const cJSON *one = events ? events->child : NULL; one; one = one->next) {
        const cJSON *like = cJSON_GetObjectItem(cJSON_GetObjectItem(all, "base"), cJSON_GetObjectItem(one, "like")->valuestring);
        cJSON *event = cJSON_Duplicate(like, true);

        lay_over(event, cJSON_GetObjectItem(one, "with"));
        for (int i = number(one, "times", 1); i > 0; i--) {
            t->now_ns += SECONDS(i ? number(one, "every_s", 0) : 0);
            rules_event(r, event, t->now_ns);
        }
        cJSON_Delete(event);
    }
}

/* The shipped rules, and as a file behind them the lists and changes that the case asks for. */
static struct rules *shipped(struct told *t, const char *rule, const cJSON *lists, const cJSON *override)
{
    char path[] = "/tmp/rules-XXXXXX";
    const char *paths[] = { RW_SOURCE_DIR "/rules", path };
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    cJSON *file = cJSON_CreateObject(), *change = override ? cJSON_Duplicate(override, true) : NULL;
    struct strbuf said = { 0 };
    struct rules *r = rules_new(tell, t);
    char *text;

    if (lists)
        cJSON_AddItemToObject(file, "lists", cJSON_Duplicate(lists, true));
    if (change) {
        cJSON_AddStringToObject(change, "override", rule);
        cJSON_AddItemToArray(cJSON_AddArrayToObject(file, "rules"), change);
    }
    text = cJSON_Print(file);
    fputs(text, f);
    fclose(f);
    cr_assert(rules_load(r, paths, 2, say, &said), "%s", strbuf_str(&said));
    unlink(path);
    cJSON_free(text);
    cJSON_Delete(file);
    strbuf_done(&said);
    *t = (struct told){ .rule = rule, .now_ns = T0 };
    return r;
}

static void expect(struct told *t, unsigned alerts, unsigned recoveries, const char *when)
{
    cr_assert_eq(t->kind[ALERT_NEW], alerts, "%s, %s: %u alerts, not %u\n%s", t->rule ? t->rule : "all", when, t->kind[ALERT_NEW],
                 alerts, strbuf_str(&t->lines));
    cr_assert_eq(t->kind[ALERT_RECOVERY], recoveries, "%s, %s: %u recoveries, not %u\n%s", t->rule ? t->rule : "all", when,
                 t->kind[ALERT_RECOVERY], recoveries, strbuf_str(&t->lines));
}

static void fires(const cJSON *all, const cJSON *c)
{
    const cJSON *recovery = cJSON_GetObjectItem(c, "recovery");
    struct told t;
    struct rules *r = shipped(&t, c->string, cJSON_GetObjectItem(c, "lists"), cJSON_GetObjectItem(c, "override"));

    play(r, &t, all, cJSON_GetObjectItem(c, "fires"));
    expect(&t, 1, 0, "fires");
    t.now_ns += SECONDS(10);
    play(r, &t, all, cJSON_GetObjectItem(c, "recovers"));
    rules_tick(r, t.now_ns + SECONDS(cJSON_HasObjectItem(c, "recovers") ? 1 : 86400));
    expect(&t, 1, recovery && cJSON_IsFalse(recovery) ? 0 : 1, "recovers");
    strbuf_done(&t.lines);
    rules_free(r);
}

/* The near ones, one after another. */
static void silent(const cJSON *all, const cJSON *c, const char *which, bool lists)
{
    struct told t;
    struct rules *r =
        shipped(&t, c->string, lists ? cJSON_GetObjectItem(c, "lists") : NULL, lists ? cJSON_GetObjectItem(c, "override") : NULL);

    play(r, &t, all, cJSON_GetObjectItem(c, which));
    expect(&t, 0, 0, which);
    strbuf_done(&t.lines);
    rules_free(r);
}

Test(shipped, each_fires_once_and_its_neighbours_do_not)
{
    cJSON *all = cases();

    for (const cJSON *c = cJSON_GetObjectItem(all, "rules")->child; c; c = c->next) {
        fires(all, c);
        silent(all, c, "silent", true);
        silent(all, c, "silent_without_lists", false);
    }
    cJSON_Delete(all);
}

Test(shipped, each_has_a_case)
{
    const char *folder = RW_SOURCE_DIR "/rules";
    struct strbuf said = { 0 };
    struct problems p = { say, &said, 0 };
    struct ruleset *set = ruleset_read(&folder, 1, &p);
    cJSON *all = cases();

    cr_assert(set, "%s", strbuf_str(&said));
    for (size_t i = 0; i < set->n; i++)
        cr_assert(cJSON_HasObjectItem(cJSON_GetObjectItem(all, "rules"), set->rule[i].name), "%s", set->rule[i].name);
    cr_assert_eq((size_t)cJSON_GetArraySize(cJSON_GetObjectItem(all, "rules")), set->n);
    ruleset_free(set);
    strbuf_done(&said);
    cJSON_Delete(all);
}

Test(shipped, a_healthy_dialer_is_silent)
{
    cJSON *all = cases();
    struct told t;
    struct rules *r = shipped(&t, NULL, NULL, NULL);

    play(r, &t, all, cJSON_GetObjectItem(all, "healthy"));
    rules_tick(r, t.now_ns + SECONDS(86400));
    expect(&t, 0, 0, "healthy");
    strbuf_done(&t.lines);
    rules_free(r);
    cJSON_Delete(all);
}

/* All rules together: one incident is one alert and one recovery, not one a call and not one a rule. */
Test(shipped, the_incident_is_one_alert_and_one_recovery)
{
    cJSON *all = cases(),
          *events = cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetObjectItem(all, "rules"), "bad-stun-server"), "fires");
    struct told t;
    struct rules *r = shipped(&t, NULL, NULL, NULL);

    play(r, &t, all, events);
    expect(&t, 1, 0, "the incident");
    rules_tick(r, t.now_ns + SECONDS(86400));
    expect(&t, 1, 1, "after it");
    cr_assert(strstr(strbuf_str(&t.lines),
                     "alert bad-stun-server: STUN server stun.l.google.com (74.125.250.129:19302) gives wrong addresses: "
                     "198.51.100.77:10010 (likely)"));
    strbuf_done(&t.lines);
    rules_free(r);
    cJSON_Delete(all);
}
