/* Events as JSON and as lines for people. What comes from the network is safe in both. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>

#include "out/event.h"
#include "support/story_turn.h"

#define LIE "198.18.7.9:10000"

struct watching {
    struct story *s;
    struct view view;
    struct strbuf text, json;
};

static void hear(void *self, const struct event *e)
{
    struct watching *w = self;
    struct report rows;
    struct capture_input input = { .path = "eth0" };
    const struct capture_input *inputs[] = { &input };
    struct out_report r = { .report = &rows, .inputs = inputs, .inputs_n = 1, .version = "0" };
    struct strbuf line = { 0 };
    cJSON *object;
    char *printed;

    cr_assert(report_rows(&rows, &w->view));
    event_text(&r, e, &line);
    if (line.n)
        strbuf_fmt(&w->text, "%s\n", strbuf_str(&line));
    object = event_object(&r, e, NULL);
    printed = cJSON_PrintUnformatted(object);
    strbuf_fmt(&w->json, "%s\n", printed);
    cJSON_free(printed);
    cJSON_Delete(object);
    strbuf_done(&line);
    report_done(&rows);
}

/* The dialer is lied to, and hears nothing; three say that it is elsewhere. */
static void the_incident(struct watching *w)
{
    struct monitor m;

    *w = (struct watching){ .s = story_new(D_HOST) };
    cr_assert(monitor_init(&m, NULL));
    story_dns(w->s, "stun.example.net", "192.0.2.19");
    story_stun(w->s, &(struct asks){ D_RTP, LIAR, .mapped = LIE });
    story_stun(w->s, &(struct asks){ D_RTP, HONEST, .mapped = D_RTP_OUT });
    story_stun(w->s, &(struct asks){ D_RTP, "198.19.7.3:3478", .mapped = D_RTP_OUT });
    story_call(w->s, "call\033[2J@dialer", D_HOST ":5060", PROXY ":5060");
    story_up(w->s, SAYS(LIE), SAYS(W_RTP));
    story_play(w->s, D_RTP, W_RTP, 1);
    story_report(w->s, W_RTP, D_RTP, 2, 1);
    for (unsigned i = 0; i < 12; i++) {
        story_pass(w->s, 1000);
        view_make(&w->view, w->s->track, &w->s->options, w->s->now_ns);
        monitor_tick(&m, &w->view, hear, w);
    }
    monitor_done(&m);
}

static void done(struct watching *w)
{
    strbuf_done(&w->text);
    strbuf_done(&w->json);
    story_free(w->s);
}

static void expect(const struct strbuf *in, const char *what)
{
    cr_expect(strstr(strbuf_str(in), what), "expected %s in: %s", what, strbuf_str(in));
}

Test(event, for_people)
{
    struct watching w;

    the_incident(&w);
    expect(&w.text, "  NO AUDIO  dialer \u2192 agent  Call-ID call\\x1b[2J@dialer  one_way, bad_candidate from STUN server "
                    "stun.example.net (192.0.2.19:19302), proven\n");
    expect(&w.text, "  WRONG ANSWER  STUN server stun.example.net (192.0.2.19:19302) answered 198.18.7.9:10000, proven\n");
    cr_expect(!strchr(strbuf_str(&w.text), '\033'));
    done(&w);
}

Test(event, for_programs)
{
    struct watching w;

    the_incident(&w);
    expect(&w.json, "{\"event\":\"session.started\",\"time\":\"2023-11-14T22:13:2");
    expect(
        &w.json,
        "\"mapping\":{\"socket\":\"172.31.16.10:10000\",\"mapped\":\"198.18.7.9:10000\",\"confidence\":\"proven\",\"frame\":\"");
    expect(&w.json, "\"dialer\":\"172.31.16.10\",\"candidate\":\"198.18.7.9:10000\"}\n");
    cr_expect(!strstr(strbuf_str(&w.json), "\\u001b"));
    done(&w);
}

/* One event of a story in which two resolvers disagree and the older answer is used. */
static void expect_object(struct event e, const char *what)
{
    struct watching w = { .s = story_new(D_HOST) };
    struct dns_finding f, other;
    struct event_use use = { .as = USE_STUN, .age_ns = SECONDS(400) };

    story_dns(w.s, "stun.example.net", "192.0.2.30");
    story_dns(w.s, "stun.example.net", "192.0.2.19");
    story_turn_ask(
        w.s, &(struct turns){ .method = STUN_ALLOCATE, .from = D_RTP, .server = HONEST, .credentials = true, .error = 486 });
    f = (struct dns_finding){ .fact = pool_at(&w.s->track->names, 0), .age_ns = -1 };
    other = (struct dns_finding){ .fact = pool_at(&w.s->track->names, 1), .age_ns = -1 };
    use.address = track_server_at(w.s->track, 0)->addr;
    use.by = track_socket(w.s->track, track_tx_at(w.s->track, 0)->socket)->addr;
    use.at = track_tx_at(w.s->track, 0)->requests.first;
    if (e.kind == EVENT_DNS_STALE || e.kind == EVENT_DNS_DISAGREES)
        e.dns = &f;
    if (e.kind == EVENT_DNS_STALE)
        e.use = &use;
    if (e.kind == EVENT_DNS_DISAGREES)
        e.other = &other;
    view_make(&w.view, w.s->track, &w.s->options, w.s->now_ns);
    e.at_ns = w.s->now_ns;
    hear(&w, &e);
    expect(&w.json, what);
    cr_expect(e.kind == EVENT_TURN_REFUSED || w.text.n == 0, "for programs alone");
    done(&w);
}

Test(event, of_names)
{
    expect_object((struct event){ .kind = EVENT_DNS_STALE, .tx = POOL_NONE },
                  "\"use\":{\"as\":\"stun\",\"address\":\"192.0.2.30:3478\",\"by\":\"172.31.16.10:10000\",\"age_s\":400,"
                  "\"frame\":\"3\"}}\n");
    expect_object((struct event){ .kind = EVENT_DNS_DISAGREES, .tx = POOL_NONE },
                  "\"other\":{\"name\":\"stun.example.net\",\"type\":\"A\",\"answers\":[\"192.0.2.19\"]");
}

Test(event, of_a_transaction)
{
    expect_object((struct event){ .kind = EVENT_STUN_ASKED, .tx = 0 },
                  "\"asked\":{\"socket\":\"172.31.16.10:10000\",\"frame\":\"3\"}}\n");
}

Test(event, of_our_own_trouble)
{
    struct fault_log log = { 0 };
    struct report none = { .vantages = 1 };
    struct capture_input input = { .path = "eth0" };
    const struct capture_input *inputs[] = { &input };
    struct out_report r = { .report = &none, .faults = &log, .inputs = inputs, .inputs_n = 1 };
    cJSON *object;
    char *printed;

    fault_log_one(&log, FAULT_FLOW_TABLE_FULL, 7);
    object = event_of_fault(&r, FAULT_FLOW_TABLE_FULL, SECONDS(1), "dialer");
    printed = cJSON_PrintUnformatted(object);
    cr_expect_str_eq(
        printed, "{\"event\":\"self.trouble\",\"time\":\"1970-01-01T00:00:01.000000Z\",\"vantage\":\"dialer\",\"self\":"
                 "{\"key\":\"flow.table_full\",\"text\":\"more UDP flows than are kept\",\"count\":1,\"first_frame\":\"7\"}}");
    cJSON_free(printed);
    cJSON_Delete(object);
}

Test(event, of_an_interface)
{
    cJSON *object = event_of_capture(&(struct capture_event){ "capture.drops", "eth0", SECONDS(1), 300, 100, NULL });
    char *printed = cJSON_PrintUnformatted(object);

    cr_expect_str_eq(printed, "{\"event\":\"capture.drops\",\"time\":\"1970-01-01T00:00:01.000000Z\",\"capture\":"
                              "{\"interface\":\"eth0\",\"packets\":300,\"dropped\":100,\"percent\":25}}");
    cJSON_free(printed);
    cJSON_Delete(object);
}
