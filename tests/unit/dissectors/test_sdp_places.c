/* A line says the same wherever it stands: text and words are looked at 16 and 64 bytes at a time, and never behind the text. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "dissectors/sdp.h"

enum { FAR = 160 }; /* more than two times the bytes that are looked at together */

static struct sdp out;
static struct faults why;

/* In memory of just that length, which the spans in `out` point into; the caller frees it. */
static uint8_t *dissect(const char *text)
{
    size_t n = strlen(text);
    uint8_t *copy = malloc(n ? n : 1);
    struct rd r;

    cr_assert(copy);
    memcpy(copy, text, n);
    r = rd_init((struct span){ copy, n }, n);
    memset(&why, 0, sizeof why);
    cr_assert_eq(sdp_dissect(&r, &out, &why), DIS_OK, "%s", text);
    return copy;
}

static bool is(struct span s, const char *text)
{
    return span_eq(s, span_str(text));
}

static bool at(const struct addr *a, const char *text)
{
    char buf[ADDR_TEXT];

    return strcmp(addr_text(a, buf), text) == 0;
}

/* `last` comes behind a session information of `far` bytes and all other lines; `end` ends each line but, where !ended, that one. */
static uint8_t *dissect_at(size_t far, const char *end, const char *last, bool ended)
{
    static const char *const lines[] = { "v=0", "o=alice 2890844526 17 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0" };
    char text[1024], filler[FAR + 1];
    int n = 0;

    memset(filler, 'x', far);
    filler[far] = 0;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%s", lines[i], end);
    n += snprintf(text + n, sizeof text - (size_t)n, "i=%s%sm=audio 49170/2 RTP/AVP 0 111 101%s", filler, end, end);
    n += snprintf(text + n, sizeof text - (size_t)n, "a=rtcp-mux%sa=mid:0%sa=rtpmap:111 opus/48000/2%s", end, end, end);
    snprintf(text + n, sizeof text - (size_t)n, "a=rtcp:53020 IN IP4 192.0.2.7%s%s%s", end, last, ended ? end : "");
    return dissect(text);
}

static void check_all(const char *what)
{
    const struct sdp_media *m = &out.media[0];

    cr_assert_eq(why.n, 0, "%s", what);
    cr_assert_eq(out.version, 17, "%s", what);
    cr_assert(at(&out.origin_addr, "192.0.2.1:0"), "%s", what);
    cr_assert(out.medias == 1 && m->formats == 3 && m->port == 49170, "%s", what);
    cr_assert(at(&m->addr, "192.0.2.1:49170") && at(&m->rtcp, "192.0.2.7:53020"), "%s", what);
    cr_assert(m->rtcp_mux && is(m->mid, "0"), "%s: a name ends with its line", what);
    cr_assert(is(m->proto, "RTP/AVP") && is(m->format[1].encoding, "opus") && m->format[1].clock_hz == 48000, "%s", what);
}

Test(sdp_places, every_distance_and_every_line_end)
{
    static const char *const ends[] = { "\r\n", "\n", "\r" };

    for (size_t e = 0; e < sizeof ends / sizeof *ends; e++)
        for (size_t far = 0; far < FAR; far++)
            for (int ended = 0; ended < 2; ended++) {
                char what[64];
                uint8_t *text = dissect_at(far, ends[e], "a=ptime:20", ended);

                snprintf(what, sizeof what, "line end %zu, %zu bytes, ended: %d", e, far, ended);
                check_all(what);
                cr_assert_eq(out.media[0].ptime_ms, 20, "%s", what);
                free(text);
            }
}

/* What each of these says is told by the last byte, so one that is not read, or one more, would show. */
Test(sdp_places, every_line_as_the_last_of_the_text)
{
    for (size_t far = 0; far < FAR; far++)
        for (int ended = 0; ended < 2; ended++) {
            uint8_t *text = dissect_at(far, "\r\n", "a=rtpmap:101 telephone-event/8001", ended);

            check_all("rtpmap");
            cr_assert(is(out.media[0].format[2].encoding, "telephone-event") && out.media[0].format[2].clock_hz == 8001);
            cr_assert_eq(out.media[0].format[2].role, SDP_ROLE_DTMF);
            free(text);
            text = dissect_at(far, "\r\n", "a=sendonly", ended);
            check_all("direction");
            cr_assert_eq(out.media[0].dir, SDP_SENDONLY);
            free(text);
            text = dissect_at(far, "\r\n", "a=candidate:1 1 UDP 2130706431 192.0.2.9 4000 typ srflx raddr 10.0.0.1 rport 4001",
                              ended);
            check_all("candidate");
            cr_assert_eq(out.cands, 1);
            cr_assert(at(&out.cand[0].addr, "192.0.2.9:4000") && at(&out.cand[0].raddr, "10.0.0.1:4001"));
            free(text);
        }
}

Test(sdp_places, texts_shorter_than_what_is_looked_at)
{
    uint8_t *text = dissect("v=0\no=a");

    cr_assert(is(out.origin, "a"));
    cr_assert_eq(why.n, 3, "o= is none, and s= and t= are missing");
    free(text);
    text = dissect("v=0\rm=audio");
    cr_assert(out.medias == 1 && out.media[0].kind == SDP_AUDIO && is(out.media[0].kind_name, "audio"));
    free(text);
    text = dissect("v=0\nc=IN IP4 h");
    cr_assert_eq(why.n, 3, "a host's name is as good as a number; o=, s= and t= are missing");
    free(text);
    free(dissect("v="));
    cr_assert_eq(why.n, 4);
}

Test(sdp_places, words_longer_than_what_is_looked_at)
{
    char line[2 * FAR], name[FAR + 1];

    for (size_t n = 1; n <= FAR; n++) {
        uint8_t *text;

        memset(name, 'y', n);
        name[n] = 0;
        snprintf(line, sizeof line, "a=rtpmap:101 %s/8000/2", name);
        text = dissect_at(n, "\r\n", line, n % 2);
        check_all(name);
        cr_assert(is(out.media[0].format[2].encoding, name) && out.media[0].format[2].clock_hz == 8000);
        free(text);
        snprintf(line, sizeof line, "a=%s:5", name);
        text = dissect_at(0, "\r\n", line, n % 2);
        check_all(name);
        free(text);
    }
}

Test(sdp_places, blanks_behind_the_colon)
{
    static const char candidate[] = "S 1 UDP 1694498815 192.0.2.9 4000 typ host";
    char line[128];
    uint8_t *text;

    snprintf(line, sizeof line, "a=candidate: \t%s \t", candidate);
    text = dissect_at(0, "\r\n", line, true);
    check_all("candidate");
    cr_assert(out.cands == 1 && is(out.cand[0].line, candidate) && is(out.cand[0].foundation, "S"));
    free(text);
    text = dissect_at(0, "\r\n", "a=ice-ufrag:  left ", true);
    check_all("ice-ufrag");
    cr_assert(is(out.media[0].ufrag, "left"));
    free(text);
    text = dissect_at(0, "\r\n", "a=ptime: 30", false);
    check_all("ptime");
    cr_assert_eq(out.media[0].ptime_ms, 30);
    free(text);
    text = dissect_at(0, "\r\n", "a= rtpmap: 101  telephone-event / 8000 / 1", true);
    check_all("rtpmap");
    cr_assert(is(out.media[0].format[2].encoding, "telephone-event") && out.media[0].format[2].clock_hz == 8000);
    free(text);
}
