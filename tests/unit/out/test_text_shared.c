/* text_shared.c and json_capture.c: what is told once for the whole capture. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "out/out.h"
#include "support/story.h"

#define A1 "192.0.2.19"
#define A2 "192.0.2.20"

static struct story *s;
static char *text, *json;

static void setup(void)
{
    s = story_new(D_HOST);
    s->received[CALLER] = D_OUT;
}

static void teardown(void)
{
    free(text);
    free(json);
    text = json = NULL;
    story_free(s);
}

TestSuite(text_shared, .init = setup, .fini = teardown);

static void write_both(void)
{
    struct vantage_input in = { .name = "", .track = s->track, .now_ns = s->now_ns };
    struct report r;
    struct out_report out = { .report = &r, .faults = &s->faults, .version = "0" };
    struct text_style style = { .width = 1000 };
    size_t n;
    FILE *to = open_memstream(&text, &n);

    cr_assert(report_make(&r, &in, 1));
    cr_assert(out_text(&out, &style, to));
    fclose(to);
    to = open_memstream(&json, &n);
    cr_assert(out_json(&out, to));
    fclose(to);
    report_done(&r);
}

static void tells(const char *what)
{
    cr_expect_not_null(strstr(text, what), "no '%s' in:\n%s", what, text);
}

static void tells_not(const char *what)
{
    cr_expect_null(strstr(text, what), "'%s' in:\n%s", what, text);
}

static void has(const char *member)
{
    cr_expect_not_null(strstr(json, member), "no '%s' in:\n%s", member, json);
}

/* ---- factors ---- */

/* Each third call has a server of its own, and its media does not arrive. */
static void calls(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char id[32], rtp[64], out[64], w[64];

        snprintf(id, sizeof id, "call-%u@dialer", i);
        snprintf(rtp, sizeof rtp, D_HOST ":%u", 10000 + 2 * i);
        snprintf(out, sizeof out, D_OUT ":%u", 10000 + 2 * i);
        snprintf(w, sizeof w, W_OUT ":%u", 40000 + 2 * i);
        s->acts = 0;
        story_call(s, id, D_HOST ":5060", PROXY ":5060");
        story_stun(s, &(struct asks){ .from = rtp, .server = i % 3 ? HONEST : "192.0.2.77:3478", .mapped = out });
        story_up(s, SAYS(out), SAYS(w));
        story_play(s, rtp, w, 2 * i + 1);
        if (i % 3)
            story_play(s, w, rtp, 2 * i + 2);
        story_pass(s, 6000);
        story_bye(s, CALLER);
    }
}

Test(text_shared, what_failing_calls_share)
{
    calls(21);
    write_both();
    tells("\n\nShared   7 of 7 calls with a candidate from 192.0.2.77:3478 failed; 0 of 14 others did (p = ");
    tells("\n  192.0.2.77:3478: No answer of it is contradicted, but 7 of 7 calls");
    has("\"shared_factors\":[\n{\"factor\":\"stun_server\",\"label\":null,\"value\":\"192.0.2.77:3478\",\"stun_server\":{"
        "\"address\":"
        "\"192.0.2.77:3478\",\"name\":null,\"name_source\":null},\"failed_with\":7,\"with\":7,\"failed_without\":0,\"without\":"
        "14,");
    has("\"explains\":7,\"same_as\":[],");
}

Test(text_shared, nothing_where_calls_are_few)
{
    calls(9);
    write_both();
    tells_not("Shared");
    has("\"shared_factors\":[],");
}

/* ---- STUN servers ---- */

static void liar_says(const char *mapped)
{
    story_stun(s, &(struct asks){ .from = D_RTP, .server = LIAR, .mapped = mapped });
    story_pass(s, 10000);
}

Test(text_shared, a_server_that_turned_and_healed)
{
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_stun(s, &(struct asks){ .from = D_RTP, .server = HONEST, .mapped = D_RTP_OUT });
    liar_says(D_RTP_OUT);
    liar_says(STRANGER ":10000");
    liar_says(D_RTP_OUT);
    liar_says(D_RTP_OUT);
    write_both();
    tells("  " LIAR
          ": right until 22:13:20 UTC, wrong at 22:13:30 UTC, right since 22:13:40 UTC. It told 172.31.16.10:10000 first "
          "203.0.113.10:10000 (frame");
    has("\"turned\":{\"socket\":\"172.31.16.10:10000\",\"from\":\"203.0.113.10:10000\",\"to\":\"198.18.7.77:10000\"");
    has("\"changes_total\":2,");
}

Test(text_shared, a_server_that_is_wrong_for_a_moment_has_no_line)
{
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_stun(s, &(struct asks){ .from = D_RTP, .server = HONEST, .mapped = D_RTP_OUT });
    liar_says(STRANGER ":10000");
    write_both();
    tells_not("wrong at");
    has("\"turned\":null,\"changes_total\":0,\"changes\":[],\"suspicion\":null");
}

/* ---- DNS ---- */

Test(text_shared, a_stale_address)
{
    story_dns(s, "stun.example.net", A1);
    s->now_ns += SECONDS(7 * 3600);
    story_stun(s, &(struct asks){ .from = D_RTP, .server = LIAR, .mapped = D_RTP_OUT });
    write_both();
    tells("\nDNS      stun.example.net: " A1 " (resolver 172.31.0.2, frame");
    tells("was asked as STUN server 7 h after that answer, whose TTL is 300 s.");
    has("\"used_as_stun_server\":true,");
    has("\"age_at_use_s\":25200,\"outlived_ttl\":true,\"changed_from\":null,\"disagrees_with\":null");
}

Test(text_shared, a_fresh_address_is_nothing_to_tell)
{
    story_dns(s, "stun.example.net", A1);
    story_stun(s, &(struct asks){ .from = D_RTP, .server = LIAR, .mapped = D_RTP_OUT });
    write_both();
    tells_not("DNS  ");
}

/* The address changes while nothing is wrong, or to that of a server that lies. */
static void changes_to(const char *ip, const char *server, const char *mapped)
{
    story_dns(s, "stun.example.net", A2);
    s->now_ns += SECONDS(400);
    story_dns(s, "stun.example.net", ip);
    story_up(s, SAYS(D_RTP_OUT), SAYS(W_RTP));
    story_stun(s, &(struct asks){ .from = D_RTP, .server = HONEST, .mapped = D_RTP_OUT });
    story_stun(s, &(struct asks){ .from = D_RTP, .server = server, .mapped = mapped });
    write_both();
    has("\"changed_from\":\"" A2 "\"");
}

Test(text_shared, the_address_changed_to_a_liars)
{
    changes_to(A1, LIAR, STRANGER ":10000");
    tells("\nDNS      stun.example.net: changed from " A2 " (resolver 172.31.0.2, frame");
}

Test(text_shared, the_address_changed_and_all_is_well)
{
    changes_to(A1, LIAR, D_RTP_OUT);
    tells_not("changed from");
}
