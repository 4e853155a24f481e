/* Whole text reports, of a track that is written as a capture would write it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "dissectors/sip.h"
#include "out/text_private.h"

enum { START_S = 1700000000 };

struct desk {
    struct fault_log faults;
    struct track *track;
    struct report report;
    struct capture_input input;
    const struct capture_input *inputs[1];
    struct out_count packets[2];
    uint64_t frame;
    int64_t now_ns;
    struct sip_msg sip;
    struct sdp sdp;
};

static struct desk *desk_new(const char *path)
{
    struct desk *d = calloc(1, sizeof *d);

    cr_assert_not_null(d);
    d->track = track_new(&d->faults);
    cr_assert_not_null(d->track);
    d->now_ns = SECONDS(START_S);
    d->input = (struct capture_input){ .path = path, .first_ns = d->now_ns };
    d->inputs[0] = &d->input;
    d->packets[0] = (struct out_count){ "rtp", 0 };
    d->packets[1] = (struct out_count){ "malformed", 0 };
    return d;
}

static struct datagram datagram(struct desk *d, const char *src, const char *dst)
{
    struct datagram g = { .at = { d->now_ns, ++d->frame }, .ttl = 55, .size = 172, .left_here = strncmp(src, "203.", 4) == 0 };

    cr_assert(addr_parse(span_str(src), &g.src));
    cr_assert(addr_parse(span_str(dst), &g.dst));
    return g;
}

static void sip(struct desk *d, const char *src, const char *dst, const char *text)
{
    struct datagram g = datagram(d, src, dst);
    struct faults why = { 0 };
    struct rd r = rd_init(span_str(text), strlen(text)), body;
    struct span sdp;

    track_flow(d->track, &g);
    cr_assert_eq(sip_dissect(&r, false, &d->sip, &why), DIS_OK);
    sdp = sip_sdp(&d->sip, &why);
    body = rd_init(sdp, sdp.n);
    track_sip(d->track, &g, &d->sip, sdp.n && sdp_dissect(&body, &d->sdp, &why) == DIS_OK ? &d->sdp : NULL, sdp);
}

static void rtp(struct desk *d, const char *src, const char *dst, unsigned packets)
{
    for (unsigned i = 0; i < packets; i++) {
        struct datagram g = datagram(d, src, dst);
        struct rtp_msg m = { .seq = (uint16_t)i, .timestamp = 160 * i, .ssrc = 7 };
        struct flow *f = track_flow(d->track, &g);

        cr_assert_not_null(f);
        cr_assert(track_rtp(d->track, f, &g, &m));
        d->packets[0].n++;
        d->now_ns += 20 * NS_PER_MS;
    }
}

static void sip_text(char *out, size_t room, const char *start, const char *call_id, const char *from, const char *cseq,
                     const char *media)
{
    char sdp[256] = "";

    if (media) { /* "host port": the c= line takes the host alone */
        size_t host = (size_t)(strchr(media, ' ') - media);

        snprintf(sdp, sizeof sdp, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 %.*s\r\nt=0 0\r\nm=audio %s RTP/AVP 0\r\n",
                 (int)host, media, media + host + 1);
    }
    snprintf(out, room,
             "%s\r\nVia: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK1\r\nFrom: <sip:%s@example.net>;tag=a\r\nTo: "
             "<sip:agent1@example.net>;tag=b\r\n"
             "Call-ID: %s\r\nCSeq: %s\r\n%sContent-Length: %zu\r\n\r\n%s",
             start, from, call_id, cseq, media ? "Content-Type: application/sdp\r\n" : "", strlen(sdp), sdp);
}

struct call_plan {
    const char *call_id, *from, *ours, *theirs;
    bool both, answered; /* media also comes back */
};

/* A call between a local dialer and an agent behind a proxy: `ours` and `theirs` are "host port" of the SDPs. */
static void call(struct desk *d, const struct call_plan *p)
{
    char text[1500];

    sip_text(text, sizeof text, "INVITE sip:agent1@example.net SIP/2.0", p->call_id, p->from, "1 INVITE", p->ours);
    sip(d, "203.0.113.10:5060", "192.0.2.5:5060", text);
    d->now_ns += NS_PER_S / 2;
    sip_text(text, sizeof text, p->answered ? "SIP/2.0 200 OK" : "SIP/2.0 486 Busy Here", p->call_id, p->from, "1 INVITE",
             p->answered ? p->theirs : NULL);
    sip(d, "192.0.2.5:5060", "203.0.113.10:5060", text);
    if (!p->answered)
        return;
    if (p->both) {
        rtp(d, "198.51.100.20:20000", "203.0.113.10:10000", 200);
        d->now_ns -= SECONDS(4);
    }
    rtp(d, "203.0.113.10:10000", "198.51.100.20:20000", 200);
    sip_text(text, sizeof text, "BYE sip:agent1@example.net SIP/2.0", p->call_id, p->from, "2 BYE", NULL);
    sip(d, "203.0.113.10:5060", "192.0.2.5:5060", text);
    d->now_ns += SECONDS(30);
}

/* The report, to be freed. */
static char *told(struct desk *d, const struct text_style *style)
{
    struct vantage_input in = { .name = "here", .track = d->track, .now_ns = d->now_ns };
    struct out_report r = { .report = &d->report,
                            .faults = &d->faults,
                            .inputs = d->inputs,
                            .inputs_n = 1,
                            .packets = d->packets,
                            .packets_n = 2,
                            .version = "0" };
    char *text = NULL;
    size_t n = 0;
    FILE *to = tmpfile();

    cr_assert_not_null(to);
    d->input.packets = d->frame;
    d->input.last_ns = d->now_ns;
    cr_assert(report_make(&d->report, &in, 1));
    cr_assert(out_text(&r, style, to));
    report_done(&d->report);
    n = (size_t)ftell(to);
    text = calloc(n + 1, 1);
    cr_assert_not_null(text);
    rewind(to);
    cr_assert_eq(fread(text, 1, n, to), n);
    fclose(to);
    return text;
}

static void desk_free(struct desk *d, char *text)
{
    free(text);
    track_free(d->track);
    free(d);
}

/* What holds for every report: nothing but printable text, no blank at the end of a line, no line beyond the width. */
static void expect_tidy(const char *text, size_t width)
{
    cr_expect_null(strstr(text, " \n"), "a blank at the end of a line");
    cr_expect_null(strstr(text, "\n\n\n"), "two empty lines");
    for (const char *s = text; *s; s = strchr(s, '\n') + 1) {
        char line[2000] = "";

        cr_assert_not_null(strchr(s, '\n'), "the last line has no end");
        memcpy(line, s, (size_t)(strchr(s, '\n') - s));
        cr_expect_leq(text_columns(line), width, "too wide: '%s'", line);
    }
    for (const char *s = text; *s; s++)
        cr_expect((unsigned char)*s >= ' ' || *s == '\n', "a control character in the report");
}

static bool has(const char *text, const char *part)
{
    if (!strstr(text, part))
        printf("no '%s' in:\n%s", part, text);
    return strstr(text, part) != NULL;
}

Test(text, a_capture_with_nothing)
{
    struct desk *d = desk_new("/somewhere/empty.pcap");
    struct text_style style = { 0 };
    char *text = told(d, &style);

    cr_expect_str_eq(text, "empty.pcap: 0 packets, no call\n\n");
    desk_free(d, text);
}

Test(text, one_way_is_told_first)
{
    struct desk *d = desk_new("dialer.pcap");
    struct text_style style = { 0 };
    char *text;

    call(d, &(struct call_plan){ "fine@203.0.113.10", "dialer1", "203.0.113.10 10000", "198.51.100.20 20000", true, true });
    call(d, &(struct call_plan){ "bad@203.0.113.10", "dialer2", "203.0.113.10 10000", "198.51.100.20 20000", false, true });
    call(d, &(struct call_plan){ "busy@203.0.113.10", "dialer3", "203.0.113.10 10000", "", false, false });
    text = told(d, &style);
    cr_expect_eq(strstr(text, "dialer.pcap: 608 packets, 1 min 10 s, 3 calls, 1 without audio\n"
                              "\n"
                              "NO AUDIO one way   dialer2 -> agent1   "),
                 text, "%s", text);
    cr_expect(has(text, "Call-ID bad@203.0.113.10   22:13:54 UTC, 4 s\n"));
    cr_expect(has(text, "  dialer2 -> agent1  200 packets to 198.51.100.20:20000"));
    cr_expect(has(text, "  agent1 -> dialer2  nothing arrived (about 200 packets expected)"));
    cr_expect(has(text, "(frame 405)"));
    cr_expect(has(text, "  Cause  path blocked (no STUN server is to blame)"));
    cr_expect(has(text, "\n  Do     "));
    cr_expect(has(text, "\n1 call fine, 1 not answered.\n"));
    cr_expect(has(text, "\nPackets: 600 rtp\n"));
    expect_tidy(text, 100);
    desk_free(d, text);
}

static void dns(struct desk *d, const char *name, const char *ip)
{
    struct datagram g = datagram(d, "192.0.2.53:53", "203.0.113.10:4000");
    struct dns_msg *m = calloc(1, sizeof *m);

    cr_assert_not_null(m);
    m->response = true;
    m->questions = m->records = m->answers = 1;
    m->question[0] = (struct dns_question){ name, DNS_A };
    m->record[0] = (struct dns_record){ .name = name, .type = DNS_A, .ttl_s = 300 };
    cr_assert(addr_parse(span_str(ip), &m->record[0].addr));
    track_dns(d->track, &g, m);
    free(m);
}

/* `server` is asked from the dialer's RTP socket and answers `mapped`. */
static void stun(struct desk *d, const char *server, const char *mapped)
{
    struct stun_msg m = { .cls = STUN_REQUEST,
                          .method = STUN_BINDING,
                          .tid = { 0x21, 0x12, 0xa4, 0x42, (uint8_t)(d->frame + 1) } };
    struct datagram ask = datagram(d, "203.0.113.10:10000", server), answer = datagram(d, server, "203.0.113.10:10000");

    track_stun(d->track, track_flow(d->track, &ask), &ask, &m);
    m.cls = STUN_SUCCESS;
    m.has_xor_mapped = true;
    cr_assert(addr_parse(span_str(mapped), &m.xor_mapped));
    track_stun(d->track, track_flow(d->track, &answer), &answer, &m);
}

Test(text, the_server_that_lied_is_named)
{
    struct desk *d = desk_new("dialer.pcap");
    struct text_style style = { 0 };
    char *text;

    dns(d, "stun.example.org", "192.0.2.34");
    stun(d, "192.0.2.34:19302", "198.51.100.77:10000");
    stun(d, "192.0.3.35:3478", "203.0.113.10:10000");
    stun(d, "192.0.4.36:3478", "203.0.113.10:10000");
    call(d, &(struct call_plan){ "bad@dialer", "dialer1", "198.51.100.77 10000", "198.51.100.20 20000", false, true });
    text = told(d, &style);
    cr_expect(has(text, " STUN server stun.example.org (192.0.2.34:19302) answered 198.51.100.77:10000 (frame 3).\n"));
    cr_expect(has(text, "\n  Cause  bad candidate from STUN server stun.example.org (192.0.2.34:19302), proven\n"));
    cr_expect(has(text, "\n  party    type  address              base                STUN server       RTP  status\n"
                        "  dialer1  sdp   198.51.100.77:10000  203.0.113.10:10000  stun.example.org    0  untested, wrong\n"));
    cr_expect(has(text, "\nSTUN server       address           asked  answered  wrong  failed calls  verdict\n"
                        "stun.example.org  192.0.2.34:19302      1         1      1        1 of 1  bad\n"
                        "192.0.3.35:3478                         1         1      0                good\n"));
    expect_tidy(text, 100);
    desk_free(d, text);
}

Test(text, narrow_and_coloured)
{
    struct desk *d = desk_new("dialer.pcap");
    struct text_style style = { .width = 60 };
    char *text;

    call(d, &(struct call_plan){ "bad@203.0.113.10", "dialer2", "203.0.113.10 10000", "198.51.100.20 20000", false, true });
    text = told(d, &style);
    expect_tidy(text, 60);
    free(text);
    style = (struct text_style){ .colour = true };
    text = told(d, &style);
    cr_expect(has(text, "\n\x1b[1;31mNO AUDIO one way\x1b[0m   \x1b[1mdialer2\x1b[0m -> \x1b[1magent1\x1b[0m   Call-ID "));
    desk_free(d, text);
}

Test(text, what_the_network_says_is_made_safe)
{
    struct desk *d = desk_new("/x/evil\x1b]0;.pcap");
    struct text_style style = { 0 };
    char *text;

    snprintf(d->input.error, sizeof d->input.error, "broken \x1b[2J\n");
    d->input.truncated = true;
    d->input.dropped = 1;
    call(d, &(struct call_plan){ "x\x1b[31m\xe2\x80\xae@h", "dia\x07ler\x9b", "203.0.113.10 10000", "198.51.100.20 20000", false,
                                 true });
    text = told(d, &style);
    expect_tidy(text, 100);
    cr_expect(has(text, "evil\\x1b]0;.pcap: "));
    cr_expect(has(text, "Call-ID x\\x1b[31m\\xe2\\x80\\xae@h "));
    cr_expect(has(text, "dia\\x07ler\\x9b -> agent1"));
    cr_expect(has(text, "broken \\x1b[2J\\x0a; 1 packet was lost while capturing"));
    desk_free(d, text);
}

Test(text, many_failures_are_counted)
{
    struct desk *d = desk_new("dialer.pcap");
    struct text_style style = { 0 };
    size_t full = 0, lines = 0;
    char *text;

    for (unsigned i = 0; i < 60; i++) {
        char call_id[32];

        snprintf(call_id, sizeof call_id, "call-%u@203.0.113.10", i);
        call(d, &(struct call_plan){ call_id, "dialer1", "203.0.113.10 10000", "198.51.100.20 20000", false, true });
    }
    text = told(d, &style);
    for (const char *s = text; (s = strstr(s, "NO AUDIO one way ")) != NULL; s++)
        s[17] == ' ' && strncmp(s + 18, " dialer1 -> agent1   ", 21) == 0 ? full++ : lines++;
    cr_expect_eq(full, 5, "%zu in full", full);
    cr_expect_eq(lines, 50, "%zu in one line", lines);
    cr_expect(has(text, "60 without audio\nCauses: 60 path blocked\n"));
    cr_expect(has(text, "\nmore that failed  call               Call-ID "));
    cr_expect(has(text, "\n  and 5 more failed\n"));
    cr_expect(has(text, "\n  Do     As said above.\n"));
    expect_tidy(text, 100);
    desk_free(d, text);
}

Test(text, faults_and_frames)
{
    struct desk *d = desk_new("dialer.pcap");
    struct text_style style = { 0 };
    char *text;

    d->faults.count[FAULT_TIME_LEAP] = 1234;
    d->faults.first_frame[FAULT_TIME_LEAP] = 17;
    d->packets[1].n = 1234;
    text = told(d, &style);
    cr_expect(has(text, "\nfault      count  first frame  what\n"
                        "time.leap  1,234           17  packet time that leaps by more than a day\n"
                        "\nPackets: 1,234 malformed\n"));
    desk_free(d, text);
}

Test(text, a_full_disk_is_noticed)
{
    struct desk *d = desk_new("dialer.pcap");
    struct out_report r = { .report = &d->report, .faults = &d->faults, .inputs = d->inputs, .inputs_n = 1, .version = "0" };
    struct vantage_input in = { .name = "here", .track = d->track, .now_ns = d->now_ns };
    struct text_style style = { 0 };
    FILE *to = fopen("/dev/full", "w");

    if (!to)
        cr_skip("no /dev/full here");
    cr_assert(report_make(&d->report, &in, 1));
    cr_expect_not(out_text(&r, &style, to));
    fclose(to);
    report_done(&d->report);
    desk_free(d, NULL);
}
