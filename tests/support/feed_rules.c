/*
 * feed-rules RULES < EVENTS: holds lines of `rtpwatch --format ndjson` against rule files, and writes what they tell, "KIND RULE: MESSAGE"
 * a line. Behind the last event a day passes, so that what ends with quiet ends. Exit status: 0, or 2 where a file or a line is unusable.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "rule/rule.h"

static void tell(void *self, const struct alert *a)
{
    (void)self;
    printf("%s %s: %s\n", alert_kind_word(a->kind), a->rule, a->message);
}

static void say(void *self, const char *line)
{
    (void)self;
    fprintf(stderr, "%s\n", line);
}

/* "2026-11-22T00:59:41.923092Z"; 0: no time. */
static int64_t time_of(const cJSON *event)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "time"));
    struct tm tm = { 0 };
    const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

    return rest ? SECONDS(timegm(&tm)) + (int64_t)(strtod(rest, NULL) * NS_PER_S) : 0;
}

static bool feed(struct rules *r, const char *line, int64_t *now_ns)
{
    cJSON *event = cJSON_Parse(line);
    int64_t at_ns = time_of(event);

    if (at_ns) {
        if (*now_ns)
            for (; *now_ns + NS_PER_S < at_ns; *now_ns += NS_PER_S)
                rules_tick(r, *now_ns);
        *now_ns = at_ns;
        rules_event(r, event, at_ns);
    }
    cJSON_Delete(event);
    return at_ns != 0;
}

int main(int argc, char **argv)
{
    struct rules *r = rules_new(tell, NULL);
    const char *path = argc == 2 ? argv[1] : "";
    char *line = NULL;
    size_t room = 0;
    int64_t now_ns = 0;
    bool fine = r && rules_load(r, &path, 1, say, NULL);

    while (fine && getline(&line, &room, stdin) > 0)
        fine = feed(r, line, &now_ns);
    if (fine)
        rules_tick(r, now_ns + SECONDS(86400));
    free(line);
    rules_free(r);
    return fine ? 0 : 2;
}
