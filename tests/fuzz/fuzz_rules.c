/*
 * Any bytes as a rule file, as a file of incidents, and as an event: what is taken is put to work, and what it tells must be one line
 * of printable text.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/clock.h"
#include "rule/ruleset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            abort();
}

static void say(void *self, const char *line)
{
    (void)self;
    check(line);
}

static void tell(void *self, const struct alert *a)
{
    cJSON *o = alert_json(a);

    (void)self;
    check(a->message);
    if (strlen(a->message) > ALERT_MESSAGE)
        abort();
    for (size_t i = 0; i < a->group_n; i++)
        check(a->group[i].value);
    for (size_t i = 0; i < a->fields_n; i++)
        check(a->field[i].value);
    for (size_t i = 0; i < a->frames_n; i++)
        check(a->frame[i]);
    cJSON_Delete(o);
}

static const char fixed_rules[] =
    "{\"rules\":[{\"name\":\"r\",\"on\":\"*\",\"group_by\":[\"stun_server.name|session.stun_server.name\",\"session.from\"],"
    "\"message\":\"{session.from} {stun_server.name}\",\"recover_on\":{\"on\":\"stun.answers\",\"quiet\":\"5m\"}},"
    "{\"name\":\"s\",\"on\":\"stun.*\",\"count\":2,\"within\":\"1m\",\"share\":{\"percent\":10,\"of\":\"*\"},\"message\":\"m\","
    "\"where\":{\"field\":\"session.evidence[*].frame\",\"exists\":false}}]}";

static const char missing[] = "{\"event\":\"session.media_missing\",\"dialer\":\"172.31.16.10\",\"session\":{\"id\":\"x\","
                              "\"cause\":\"bad_candidate\",\"confidence\":\"likely\",\"verdict\":\"one_way\",\"stun_server\":"
                              "{\"address\":\"192.0.2.1:3478\",\"name\":\"stun.example\"},\"evidence\":[{\"frame\":\"9\"}]}}";
static const char silent[] = "{\"event\":\"stun.silent\",\"stun_server\":{\"address\":\"192.0.2.1:3478\",\"requests\":7}}";
static const char answers[] =
    "{\"event\":\"stun.answers\",\"stun_server\":{\"address\":\"192.0.2.1:3478\",\"rtt_ms\":{\"median\":900}}}";
static const char used[] = "{\"event\":\"dns.used\",\"dns\":{\"name\":\"stun.example\",\"ttl\":900},\"use\":{\"as\":\"stun\"}}";
static const char *const events[] = { missing, silent, answers, used };

static void as_rules(struct span text)
{
    struct rules *r = rules_new(tell, NULL);

    if (r && rules_load_text(r, "fuzz.json", text, say, NULL)) {
        rules_explain(r, "bad-stun-server", say, NULL);
        for (unsigned i = 0; i < 40; i++) {
            cJSON *e = cJSON_Parse(events[i % 4]);

            rules_event(r, e, SECONDS(1000 + i));
            cJSON_Delete(e);
        }
        rules_tick(r, SECONDS(100000000));
    }
    rules_free(r);
}

static void as_event_and_state(struct span text)
{
    struct rules *r = rules_new(tell, NULL);
    cJSON *e = cJSON_ParseWithLength((const char *)text.p, text.n);

    if (r && rules_load_text(r, "fixed", SPAN(fixed_rules), say, NULL)) {
        rules_restore_text(r, "state", text, SECONDS(50), say, NULL);
        rules_explain(r, "r", say, NULL);
        rules_event(r, e, SECONDS(100));
        rules_event(r, e, SECONDS(101));
        rules_tick(r, SECONDS(100000));
    }
    cJSON_Delete(e);
    rules_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = { data, size };

    as_rules(text);
    as_event_and_state(text);
    return 0;
}
