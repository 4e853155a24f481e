/* Incidents over a restart, and files that someone else wrote. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/alerts.h"
#include "support/scratch.h"

#define RULE                                                                                                                     \
    "{\"rules\":[{\"name\":\"r\",\"on\":\"stun.silent\",\"group_by\":[\"stun_server.address\"],\"message\":\"{stun_server."      \
    "address} m\","                                                                                                              \
    "\"recover_on\":{\"on\":\"stun.answers\",\"quiet\":\"10m\"}}]}"
#define SILENT(server)  "{\"event\":\"stun.silent\",\"stun_server\":{\"address\":\"" server "\"}}"
#define ANSWERS(server) "{\"event\":\"stun.answers\",\"stun_server\":{\"address\":\"" server "\"}}"

/* Two incidents, saved. */
static void save(void)
{
    struct alerts a;

    alerts_begin(&a, RULE);
    alerts_event(&a, 0, SILENT("a"));
    alerts_event(&a, 0, SILENT("b"));
    alerts_event(&a, 100, SILENT("a"));
    cr_assert(rules_save(a.rules, scratch_path(), alerts_say, &a), "%s", strbuf_str(&a.said));
    alerts_end(&a);
}

static bool restore(struct alerts *a, unsigned at_s)
{
    bool fine = rules_restore(a->rules, scratch_path(), T0 + SECONDS(at_s), alerts_say, a);

    scratch_remove();
    return fine;
}

/* Instead of the C library's: to write is fine, to wait for the disk is not. */
static unsigned waits;

int fsync(int fd)
{
    waits++;
    return fd < 0 ? -1 : 0;
}

int fdatasync(int fd)
{
    return fsync(fd);
}

Test(state, the_disk_is_not_waited_for)
{
    save();
    cr_assert_eq(waits, 0);
    scratch_remove();
}

Test(state, a_fifo_in_its_place_is_told_and_not_waited_for, .timeout = 10)
{
    struct alerts a;
    char beside[80];

    snprintf(beside, sizeof beside, "%s.new", scratch_path());
    cr_assert_eq(mkfifo(scratch_path(), 0600), 0);
    cr_assert_eq(mkfifo(beside, 0600), 0);
    alerts_begin(&a, RULE);
    cr_assert_not(restore(&a, 0));
    cr_assert_not_null(strstr(strbuf_str(&a.said), "cannot be read: it is no regular file"));
    cr_assert_not(rules_save(a.rules, scratch_path(), alerts_say, &a));
    cr_assert_not_null(strstr(strbuf_str(&a.said), "incidents cannot be saved: No such device or address"));
    unlink(beside);
    alerts_end(&a);
}

Test(state, a_restart_inside_an_incident_does_not_tell_it_again)
{
    struct alerts a;

    save();
    alerts_begin(&a, RULE);
    cr_assert(restore(&a, 110));
    cr_assert_eq(rules_count(a.rules).incidents, 2);
    alerts_event(&a, 120, SILENT("a"));
    alerts_expect(&a, "");
    alerts_event(&a, 130, ANSWERS("a"));
    alerts_expect(&a, "recovery r [a] 3: over (stun.answers) after 3 events in 2m: a m\n");
    cr_assert_str_eq(
        cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetObjectItem(a.latest, "alert"), "fields"), "stun_address")->valuestring,
        "a");
    alerts_tick(&a, 600);
    alerts_expect(&a, "recovery r [b] 1: quiet for 10m after 1 event in 0s: b m\n");
    alerts_end(&a);
}

Test(state, a_changed_rule_does_not_take_old_incidents)
{
    struct alerts a;

    save();
    alerts_begin(&a,
                 "{\"rules\":[{\"name\":\"r\",\"on\":\"stun.silent\",\"message\":\"m\",\"group_by\":[\"stun_server.name\"]}]}");
    cr_assert(restore(&a, 110));
    cr_assert_eq(rules_count(a.rules).incidents, 0);
    alerts_end(&a);
}

Test(state, no_file_is_no_mistake)
{
    struct alerts a;

    alerts_begin(&a, RULE);
    cr_assert(rules_restore(a.rules, "/nonexistent/state", T0, alerts_say, &a));
    cr_assert_str_eq(strbuf_str(&a.said), "");
    cr_assert_not(rules_save(a.rules, "/nonexistent/state", alerts_say, &a));
    cr_assert_str_eq(strbuf_str(&a.said), "/nonexistent/state: incidents cannot be saved: No such file or directory\n");
    alerts_end(&a);
}

Test(state, what_is_no_state_is_refused)
{
    static const char *const texts[] = { "",
                                         "{",
                                         "[]",
                                         "{}",
                                         "5",
                                         "{\"version\":1}",
                                         "{\"version\":2,\"incidents\":[]}",
                                         "{\"version\":\"1\",\"incidents\":[]}",
                                         "{\"version\":1,\"incidents\":{}}" };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct alerts a;

        scratch_put(texts[i]);
        alerts_begin(&a, RULE);
        cr_assert_not(restore(&a, 0), "%s", texts[i]);
        cr_assert(strstr(strbuf_str(&a.said), "not a file of incidents"));
        alerts_end(&a);
    }
}

Test(state, an_entry_of_any_shape_is_harmless)
{
    char *definition, text[4000];
    struct alerts a;

    save();
    definition = strstr(scratch_get(), "\"definition\":\"") + 14;
    snprintf(text, sizeof text,
             "{\"version\":1,\"incidents\":[5,[],{},{\"rule\":5},{\"rule\":\"r\"},{\"rule\":\"r\",\"definition\":\"%.16s\"},"
             "{\"rule\":\"r\",\"definition\":\"%.16s\",\"group\":[]},{\"rule\":\"r\",\"definition\":\"%.16s\",\"group\":[5]},"
             "{\"rule\":\"r\",\"definition\":\"%.16s\",\"group\":[\"a\",\"b\"]},"
             "{\"rule\":\"r\",\"definition\":\"%.16s\",\"group\":[\"a\\u001f\\n\"],\"first_us\":1e300,\"last_us\":-5,\"told_us\":"
             "\"x\","
             "\"count\":-1,\"message\":\"\\u001b[31m\",\"fields\":[1],\"frames\":{\"a\":\"b\"}},"
             "{\"rule\":\"r\",\"definition\":\"%.16s\",\"group\":[\"a\\u001f\\n\"]}]}",
             definition, definition, definition, definition, definition, definition);
    scratch_put(text);
    alerts_begin(&a, RULE);
    cr_assert(restore(&a, 50));
    cr_assert_eq(rules_count(a.rules).incidents, 1);
    alerts_tick(&a, 649);
    alerts_expect(&a, "");
    alerts_tick(&a, 650); /* a time that cannot be is the moment of the restart */
    alerts_expect(&a, "recovery r [a\\x1f\\x0a] 1: quiet for 10m after 1 event in 0s: \\x1b[31m\n");
    alerts_end(&a);
}

Test(state, every_prefix_of_a_file_is_refused_or_harmless)
{
    size_t n;

    save();
    n = strlen(scratch_get());
    for (size_t cut = 0; cut < n; cut += 7) {
        char text[8000];
        struct alerts a;

        save();
        snprintf(text, sizeof text, "%.*s", (int)cut, scratch_get());
        scratch_put(text);
        alerts_begin(&a, RULE);
        cr_assert_not(restore(&a, 0));
        alerts_end(&a);
    }
}
