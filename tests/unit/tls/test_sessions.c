/* Connections of a real stack, read with its key log: see rtpwatch/tls/connection.c. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/clock.h"
#include "support/scratch.h"
#include "support/tls_ear.h"

enum { LARGE = 40000 };

static const char hello[] = "from the client", answer[] = "from the server";

static void talk(struct tls_session *s)
{
    session_say(s, SESSION_CLIENT, hello, strlen(hello));
    session_say(s, SESSION_SERVER, answer, strlen(answer));
}

/* Hears all of a session at once, byte by byte, and in segments as they are on the wire. */
static void all_is_heard(const struct tls_session *s, const char *from_client, const char *from_server)
{
    static const size_t steps[] = { 0, 1, 1460 };

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct tls_ear e;

        ear_open(&e, session_keys(s));
        ear_take_all(&e, s, steps[i]);
        cr_expect(ear_heard(&e, SESSION_CLIENT, from_client), "step %zu: %zu bytes", steps[i], e.heard[SESSION_CLIENT].n);
        cr_expect(ear_heard(&e, SESSION_SERVER, from_server), "step %zu: %zu bytes", steps[i], e.heard[SESSION_SERVER].n);
        for (size_t f = 0; f < FAULT_IDS; f++)
            cr_expect_eq(e.faults.count[f], 0, "step %zu: %s", steps[i], fault_key((enum fault_id)f));
        ear_close(&e);
    }
}

static const struct tls_session_options suites[] = {
    { TLS1_3_VERSION, .suite = "TLS_AES_128_GCM_SHA256" },
    { TLS1_3_VERSION, .suite = "TLS_AES_256_GCM_SHA384" },
    { TLS1_3_VERSION, .suite = "TLS_CHACHA20_POLY1305_SHA256" },
    { TLS1_2_VERSION, .suite = "ECDHE-ECDSA-AES128-GCM-SHA256" },
    { TLS1_2_VERSION, .suite = "ECDHE-ECDSA-AES256-GCM-SHA384" },
    { TLS1_2_VERSION, .suite = "ECDHE-ECDSA-CHACHA20-POLY1305" },
    { TLS1_2_VERSION, .suite = "ECDHE-ECDSA-AES128-SHA" },
    { TLS1_2_VERSION, .suite = "ECDHE-ECDSA-AES256-SHA" },
    { TLS1_2_VERSION, .suite = "ECDHE-ECDSA-AES128-SHA256" },
    { TLS1_2_VERSION, .suite = "ECDHE-ECDSA-AES256-SHA384" },
    { TLS1_2_VERSION, .suite = "ECDHE-RSA-AES128-GCM-SHA256", .rsa = true },
    { TLS1_2_VERSION, .suite = "ECDHE-RSA-AES256-GCM-SHA384", .rsa = true },
    { TLS1_2_VERSION, .suite = "ECDHE-RSA-CHACHA20-POLY1305", .rsa = true },
    { TLS1_2_VERSION, .suite = "ECDHE-RSA-AES128-SHA", .rsa = true },
    { TLS1_2_VERSION, .suite = "ECDHE-RSA-AES256-SHA", .rsa = true },
    { TLS1_2_VERSION, .suite = "ECDHE-RSA-AES128-SHA256", .rsa = true },
    { TLS1_2_VERSION, .suite = "ECDHE-RSA-AES256-SHA384", .rsa = true },
    { TLS1_2_VERSION, .suite = "DHE-RSA-AES128-GCM-SHA256", .rsa = true },
    { TLS1_2_VERSION, .suite = "DHE-RSA-AES256-GCM-SHA384", .rsa = true },
    { TLS1_2_VERSION, .suite = "DHE-RSA-CHACHA20-POLY1305", .rsa = true },
    { TLS1_2_VERSION, .suite = "DHE-RSA-AES128-SHA", .rsa = true },
    { TLS1_2_VERSION, .suite = "DHE-RSA-AES256-SHA", .rsa = true },
    { TLS1_2_VERSION, .suite = "DHE-RSA-AES128-SHA256", .rsa = true },
    { TLS1_2_VERSION, .suite = "DHE-RSA-AES256-SHA256", .rsa = true },
    { TLS1_2_VERSION, .suite = "AES128-GCM-SHA256", .rsa = true },
    { TLS1_2_VERSION, .suite = "AES256-GCM-SHA384", .rsa = true },
    { TLS1_2_VERSION, .suite = "AES128-SHA", .rsa = true },
    { TLS1_2_VERSION, .suite = "AES256-SHA", .rsa = true },
    { TLS1_2_VERSION, .suite = "AES128-SHA256", .rsa = true },
    { TLS1_2_VERSION, .suite = "AES256-SHA256", .rsa = true },
    { TLS1_2_VERSION, .suite = "ECDHE-ECDSA-AES128-SHA", .mac_then_encrypt = true },
    { TLS1_2_VERSION, .suite = "ECDHE-ECDSA-AES128-SHA256", .mac_then_encrypt = true },
    { TLS1_2_VERSION, .suite = "ECDHE-ECDSA-AES256-SHA384", .mac_then_encrypt = true },
};

Test(tls_sessions, every_suite)
{
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        struct tls_session s;

        session_begin(&s, &suites[i]);
        talk(&s);
        all_is_heard(&s, hello, answer);
        session_end(&s);
    }
}

/* More than one record holds, both ways. */
Test(tls_sessions, large_messages)
{
    char *large = calloc(1, LARGE + 1);
    struct tls_session s;

    memset(large, 'x', LARGE);
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i += 3) {
        session_begin(&s, &suites[i]);
        session_say(&s, SESSION_CLIENT, large, LARGE);
        session_say(&s, SESSION_SERVER, large, LARGE);
        all_is_heard(&s, large, large);
        session_end(&s);
    }
    free(large);
}

Test(tls_sessions, key_update)
{
    struct tls_session s;

    session_begin(&s, &(struct tls_session_options){ 0 });
    session_say(&s, SESSION_CLIENT, "one ", 4);
    session_update(&s, SESSION_CLIENT);
    session_say(&s, SESSION_CLIENT, "two ", 4);
    session_update(&s, SESSION_SERVER);
    session_update(&s, SESSION_SERVER);
    session_say(&s, SESSION_CLIENT, "three", 5);
    session_say(&s, SESSION_SERVER, answer, strlen(answer));
    all_is_heard(&s, "one two three", answer);
    session_end(&s);
}

Test(tls_sessions, hello_retry_request)
{
    struct tls_session s;

    session_begin(&s, &(struct tls_session_options){ .retry = true });
    talk(&s);
    all_is_heard(&s, hello, answer);
    session_end(&s);
}

Test(tls_sessions, renegotiation)
{
    struct tls_session s;

    session_begin(&s, &(struct tls_session_options){ .version = TLS1_2_VERSION });
    session_say(&s, SESSION_CLIENT, "before, ", 8);
    session_renegotiate(&s);
    session_say(&s, SESSION_CLIENT, "after", 5);
    session_say(&s, SESSION_SERVER, answer, strlen(answer));
    all_is_heard(&s, "before, after", answer);
    session_end(&s);
}

Test(tls_sessions, resumption)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

    for (size_t i = 0; i < 2; i++) {
        struct tls_session first, again;

        session_begin(&first, &(struct tls_session_options){ .version = versions[i] });
        session_begin(&again, &(struct tls_session_options){ .version = versions[i], .resumed = first.kept });
        talk(&again);
        all_is_heard(&again, hello, answer);
        session_end(&again);
        session_end(&first);
    }
}

/* RFC 8446 §4.2.10: it is under a key of its own, and passed over. */
Test(tls_sessions, early_data)
{
    struct tls_session first, again;

    session_begin(&first, &(struct tls_session_options){ 0 });
    session_begin(&again, &(struct tls_session_options){ .resumed = first.kept, .early = "sent before all else" });
    talk(&again);
    all_is_heard(&again, hello, answer);
    session_end(&again);
    session_end(&first);
}

/* ---- keys that are not there, or not yet ---- */

Test(tls_sessions, application_secrets_alone)
{
    struct tls_session s;
    struct tls_ear e;

    session_begin(&s, &(struct tls_session_options){ 0 });
    talk(&s);
    ear_open(&e, SPAN_NONE);
    keylog_text(e.keys, session_keys_without(&s, "SERVER_HANDSHAKE"));
    ear_close(&e);
    ear_open(&e, SPAN_NONE);
    for (const char *p = s.keys; *p; p = strchr(p, '\n') + 1)
        if (strncmp(p, "CLIENT_TRAFFIC", 14) == 0 || strncmp(p, "SERVER_TRAFFIC", 14) == 0)
            keylog_text(e.keys, (struct span){ (const uint8_t *)p, (size_t)(strchr(p, '\n') + 1 - p) });
    ear_take_all(&e, &s, 100);
    cr_expect(ear_heard(&e, SESSION_CLIENT, hello) && ear_heard(&e, SESSION_SERVER, answer));
    ear_close(&e);
    session_end(&s);
}

Test(tls_sessions, no_key)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

    for (size_t i = 0; i < 2; i++) {
        struct tls_session s;
        struct tls_ear e;

        session_begin(&s, &(struct tls_session_options){ .version = versions[i] });
        talk(&s);
        ear_open(&e, SPAN_NONE);
        ear_take_all(&e, &s, 0);
        cr_expect(ear_heard(&e, SESSION_CLIENT, "") && ear_heard(&e, SESSION_SERVER, ""));
        cr_expect(e.over[SESSION_CLIENT] && e.over[SESSION_SERVER]);
        cr_expect_eq(e.faults.count[FAULT_TLS_NO_KEY], 1, "each connection is counted once");
        ear_close(&e);
        session_end(&s);
    }
}

/* A key log that is written while the connection is up: what waits is read with what comes next. */
Test(tls_sessions, key_that_comes_late)
{
    static const unsigned late_s[] = { 0, TLS_KEY_WAIT_S - 1, TLS_KEY_WAIT_S + 1 };

    for (size_t i = 0; i < sizeof late_s / sizeof *late_s; i++) {
        bool in_time = late_s[i] < TLS_KEY_WAIT_S;
        char error[KEYLOG_ERROR];
        struct tls_session s;
        struct tls_ear e;

        scratch_put("");
        session_begin(&s, &(struct tls_session_options){ .version = i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION });
        talk(&s);
        session_say(&s, SESSION_CLIENT, "!", 1);
        session_say(&s, SESSION_SERVER, "!", 1);
        ear_open(&e, SPAN_NONE);
        cr_assert(keylog_file(e.keys, scratch_path(), true, error), "%s", error);
        for (size_t k = 0; k < s.flights - 2; k++)
            ear_take(&e, s.flight[k].from, s.flight[k].bytes, 0);
        cr_expect(!e.over[SESSION_CLIENT] && ear_heard(&e, SESSION_CLIENT, ""));
        scratch_put(s.keys);
        e.now_ns += SECONDS(late_s[i]) + NS_PER_S;
        if (!in_time)
            scratch_put("");
        ear_take(&e, SESSION_CLIENT, s.flight[s.flights - 2].bytes, 0);
        ear_take(&e, SESSION_SERVER, s.flight[s.flights - 1].bytes, 0);
        cr_expect(ear_heard(&e, SESSION_CLIENT, in_time ? "from the client!" : ""), "'%s'", strbuf_str(&e.heard[SESSION_CLIENT]));
        cr_expect(ear_heard(&e, SESSION_SERVER, in_time ? "from the server!" : ""));
        tls_finish(e.tls);
        cr_expect_eq(e.faults.count[FAULT_TLS_NO_KEY], !in_time);
        ear_close(&e);
        session_end(&s);
        scratch_remove();
    }
}

/* At the end of input it waits no more. */
Test(tls_sessions, key_that_never_comes)
{
    char error[KEYLOG_ERROR];
    struct tls_session s;
    struct tls_ear e;

    scratch_put("");
    session_begin(&s, &(struct tls_session_options){ 0 });
    talk(&s);
    ear_open(&e, SPAN_NONE);
    cr_assert(keylog_file(e.keys, scratch_path(), true, error), "%s", error);
    ear_take_all(&e, &s, 0);
    cr_expect_eq(e.faults.count[FAULT_TLS_NO_KEY], 0);
    tls_finish(e.tls);
    cr_expect_eq(e.faults.count[FAULT_TLS_NO_KEY], 1);
    cr_expect_gt(e.faults.first_frame[FAULT_TLS_NO_KEY], 0);
    ear_close(&e);
    session_end(&s);
    scratch_remove();
}

/* A secret that is another one's, under this one's name: nothing opens, and nothing is made up. */
Test(tls_sessions, wrong_key)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

    for (size_t i = 0; i < 2; i++) {
        struct tls_session s;
        struct tls_ear e;

        session_begin(&s, &(struct tls_session_options){ .version = versions[i] });
        talk(&s);
        for (char *p = s.keys; (p = strchr(p, '\n')) != NULL; p++)
            p[-1] = p[-1] == '0' ? '1' : '0';
        ear_open(&e, session_keys(&s));
        ear_take_all(&e, &s, 0);
        cr_expect(ear_heard(&e, SESSION_CLIENT, "") && ear_heard(&e, SESSION_SERVER, ""));
        cr_expect_geq(e.faults.count[FAULT_TLS_RECORD], 1);
        ear_close(&e);
        session_end(&s);
    }
}

Test(tls_sessions, suite_that_is_not_read)
{
    struct tls_session s;
    struct tls_ear e;

    session_begin(&s, &(struct tls_session_options){ .suite = "TLS_AES_128_CCM_SHA256" });
    talk(&s);
    ear_open(&e, session_keys(&s));
    ear_take_all(&e, &s, 0);
    cr_expect(e.over[SESSION_CLIENT] && e.over[SESSION_SERVER] && ear_heard(&e, SESSION_CLIENT, ""));
    cr_expect_eq(e.faults.count[FAULT_TLS_SUITE], 1);
    ear_close(&e);
    session_end(&s);
}

/* ---- bytes that are missing ---- */

/* Each flight of the session in turn is not captured, but for the hellos: all that is heard was said, and what came behind is heard. */
static void hole_in_each(const struct tls_session *s)
{
    for (size_t lost = 2; lost < s->flights; lost++) {
        struct tls_ear e;

        ear_open(&e, session_keys(s));
        for (size_t i = 0; i < s->flights; i++)
            if (i == lost)
                ear_hole(&e, s->flight[i].from);
            else
                ear_take(&e, s->flight[i].from, s->flight[i].bytes, 0);
        cr_expect(lost == s->flights - 1 || strstr(strbuf_str(&e.heard[SESSION_CLIENT]), "9"), "flight %zu of %zu", lost,
                  s->flights);
        cr_expect_leq(e.heard[SESSION_CLIENT].n, 10);
        for (size_t i = 1; i < e.heard[SESSION_CLIENT].n; i++)
            cr_expect_gt(e.heard[SESSION_CLIENT].p[i], e.heard[SESSION_CLIENT].p[i - 1], "in order, each once");
        ear_close(&e);
    }
}

Test(tls_sessions, holes)
{
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i += 3) {
        struct tls_session s;

        session_begin(&s, &suites[i]);
        for (char digit = '0'; digit <= '9'; digit++)
            session_say(&s, SESSION_CLIENT, &digit, 1);
        hole_in_each(&s);
        session_end(&s);
    }
}

/* The hole ends within a record, and how many records it took is not known. */
Test(tls_sessions, hole_that_cuts_a_record)
{
    static const unsigned lost[] = { 1, 10, TLS_LOST_RECORDS - 1, TLS_LOST_RECORDS + 5 };

    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        struct tls_session s;
        struct tls_ear e;
        size_t at;

        session_begin(&s, &(struct tls_session_options){ 0 });
        at = s.flights;
        for (unsigned n = 0; n <= lost[i]; n++)
            session_say(&s, SESSION_CLIENT, "lost", 4);
        session_say(&s, SESSION_CLIENT, hello, strlen(hello));
        ear_open(&e, session_keys(&s));
        for (size_t k = 0; k < s.flights; k++) {
            if (k == at)
                ear_hole(&e, SESSION_CLIENT);
            if (k == s.flights - 2)
                ear_take(&e, SESSION_CLIENT, span_part(s.flight[k].bytes, 7, LARGE), 0);
            else if (k < at || k == s.flights - 1)
                ear_take(&e, s.flight[k].from, s.flight[k].bytes, 3);
        }
        cr_expect(ear_heard(&e, SESSION_CLIENT, lost[i] < TLS_LOST_RECORDS ? hello : ""), "%u: '%s'", lost[i],
                  strbuf_str(&e.heard[SESSION_CLIENT]));
        ear_close(&e);
        session_end(&s);
    }
}

/* Bytes that look like the beginning of some large record are not waited for. */
Test(tls_sessions, what_looks_like_a_record_behind_a_hole)
{
    struct tls_session s;
    struct tls_ear e;

    session_begin(&s, &(struct tls_session_options){ 0 });
    talk(&s);
    session_say(&s, SESSION_CLIENT, "!", 1);
    ear_open(&e, session_keys(&s));
    for (size_t i = 0; i + 1 < s.flights; i++)
        ear_take(&e, s.flight[i].from, s.flight[i].bytes, 0);
    ear_hole(&e, SESSION_CLIENT);
    ear_take(&e, SESSION_CLIENT, SPAN("\x16\3\1\x40\0\x17\3\x17\3\1\x40\0"), 5);
    ear_take(&e, SESSION_CLIENT, s.flight[s.flights - 1].bytes, 0);
    cr_expect(ear_heard(&e, SESSION_CLIENT, "from the client!"));
    ear_close(&e);
    session_end(&s);
}

/* A record that is larger than TLS has them is none, in the handshake and later. */
Test(tls_sessions, records_that_are_too_large)
{
    struct tls_session s;
    struct tls_ear e;

    session_begin(&s, &(struct tls_session_options){ 0 });
    talk(&s);
    ear_open(&e, session_keys(&s));
    for (size_t i = 0; i < s.flights; i++) {
        if (s.flight[i].from == SESSION_CLIENT && i == s.flights - 2)
            ear_take(&e, SESSION_CLIENT, SPAN("\x17\3\3\x48\1"), 0);
        ear_take(&e, s.flight[i].from, s.flight[i].bytes, 0);
        if (i == 0)
            ear_take(&e, SESSION_SERVER, SPAN("\x16\3\3\xff\xff"), 0);
    }
    cr_expect(ear_heard(&e, SESSION_CLIENT, "") && ear_heard(&e, SESSION_SERVER, "") && e.over[SESSION_SERVER]);
    cr_expect_eq(e.faults.count[FAULT_TLS_RECORD], 1);
    ear_close(&e);
    ear_open(&e, session_keys(&s));
    for (size_t i = 0; i < s.flights; i++) {
        if (i == s.flights - 2)
            ear_take(&e, SESSION_CLIENT, SPAN("\x17\3\3\x48\1"), 0);
        ear_take(&e, s.flight[i].from, s.flight[i].bytes, 0);
    }
    cr_expect(ear_heard(&e, SESSION_CLIENT, hello) && ear_heard(&e, SESSION_SERVER, answer), "found behind it");
    cr_expect_eq(e.faults.count[FAULT_TLS_RECORD], 1);
    ear_close(&e);
    session_end(&s);
}

/* What is decrypted in vain has a bound, and then the direction is given up. */
Test(tls_sessions, search_is_bounded)
{
    enum { HOSTILE = 200000 };
    uint8_t *junk = malloc(HOSTILE);
    struct tls_session s;
    struct tls_ear e;

    session_begin(&s, &(struct tls_session_options){ 0 });
    talk(&s);
    for (size_t i = 0; i < HOSTILE; i++)
        junk[i] = (const uint8_t[]){ 23, 3, 3, 0x40, 0 }[i % 5];
    ear_open(&e, session_keys(&s));
    ear_take_all(&e, &s, 0);
    ear_hole(&e, SESSION_CLIENT);
    ear_take(&e, SESSION_CLIENT, (struct span){ junk, HOSTILE }, 1460);
    cr_expect(e.over[SESSION_CLIENT] && ear_heard(&e, SESSION_CLIENT, hello));
    cr_expect_eq(e.faults.count[FAULT_TLS_LOST], 1);
    ear_close(&e);
    session_end(&s);
    free(junk);
}

Test(tls_sessions, begun_before_the_capture)
{
    struct tls_session s;
    struct tls_ear e;

    session_begin(&s, &(struct tls_session_options){ 0 });
    talk(&s);
    ear_open(&e, session_keys(&s));
    for (size_t i = 1; i < s.flights; i++)
        ear_take(&e, s.flight[i].from, s.flight[i].bytes, 0);
    cr_expect(ear_heard(&e, SESSION_CLIENT, "") && ear_heard(&e, SESSION_SERVER, ""));
    ear_close(&e);
    session_end(&s);
}

/* ---- what waits, and what is full ---- */

/* A reader that takes little at a time gets all of it, and one that takes nothing costs no more than the bound. */
Test(tls_sessions, plaintext_that_waits)
{
    char *large = calloc(1, TLS_PLAIN_MOST + LARGE);
    struct tls_session s;
    struct tls_ear e;

    memset(large, 'x', TLS_PLAIN_MOST + LARGE - 1);
    session_begin(&s, &(struct tls_session_options){ 0 });
    session_say(&s, SESSION_CLIENT, large, TLS_PLAIN_MOST + LARGE - 1);
    ear_open(&e, session_keys(&s));
    e.most = 1;
    ear_take_all(&e, &s, 1460);
    cr_expect_geq(e.faults.count[FAULT_TCP_BUFFER_FULL], 1);
    ear_close(&e);
    ear_open(&e, session_keys(&s));
    e.most = 16000;
    ear_take_all(&e, &s, 1460);
    cr_expect_eq(e.faults.count[FAULT_TCP_BUFFER_FULL], 0);
    ear_close(&e);
    session_end(&s);
    free(large);
}

/* The same two ends, once more: another random, other keys. */
Test(tls_sessions, next_connection_of_the_same_ends)
{
    struct tls_session s[2];
    struct tls_ear e;

    ear_open(&e, SPAN_NONE);
    for (size_t i = 0; i < 2; i++) {
        session_begin(&s[i], &(struct tls_session_options){ .version = i ? TLS1_2_VERSION : TLS1_3_VERSION });
        talk(&s[i]);
        keylog_text(e.keys, session_keys(&s[i]));
        ear_take_all(&e, &s[i], 0);
        session_end(&s[i]);
    }
    cr_expect(ear_heard(&e, SESSION_CLIENT, "from the clientfrom the client"));
    cr_expect(ear_heard(&e, SESSION_SERVER, "from the serverfrom the server"));
    ear_close(&e);
}

/* Those that are silent longest go, and are counted; one that speaks now and then stays. */
Test(tls_sessions, more_than_are_kept)
{
    struct tls_session s;
    struct tls_ear e;
    struct addr client;

    session_begin(&s, &(struct tls_session_options){ 0 });
    talk(&s);
    ear_open(&e, session_keys(&s));
    client = e.end[SESSION_CLIENT];
    for (size_t i = 0; i + 2 < s.flights; i++)
        ear_take(&e, s.flight[i].from, s.flight[i].bytes, 0);
    for (unsigned n = 0; n < TLS_CONNECTIONS; n++) {
        e.end[SESSION_CLIENT] = addr_with_port(client, (uint16_t)(n + 1));
        if (addr_eq(&e.end[SESSION_CLIENT], &client))
            continue;
        ear_take(&e, SESSION_CLIENT, s.flight[0].bytes, 0);
        if (n == TLS_CONNECTIONS / 2) {
            e.end[SESSION_CLIENT] = client;
            ear_take(&e, SESSION_CLIENT, s.flight[s.flights - 2].bytes, 0);
        }
    }
    cr_expect_eq(e.faults.count[FAULT_TLS_TABLE_FULL], 1);
    e.end[SESSION_CLIENT] = client;
    ear_take(&e, SESSION_SERVER, s.flight[s.flights - 1].bytes, 0);
    cr_expect(ear_heard(&e, SESSION_CLIENT, hello) && ear_heard(&e, SESSION_SERVER, answer));
    ear_close(&e);
    session_end(&s);
}
