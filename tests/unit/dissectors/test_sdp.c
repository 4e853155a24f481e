#include "dissectors/sdp.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "support/sweep.h"

static struct sdp out;
static struct faults why;

static enum dis dissect_cut(struct span text, size_t wire)
{
    struct rd r = rd_init(text, wire), before = r;
    enum dis d;

    memset(&why, 0, sizeof why);
    d = sdp_dissect(&r, &out, &why);
    cr_assert_eq(rd_wire_left(&r), d == DIS_OK ? 0 : rd_wire_left(&before), "the reader moves on DIS_OK and on nothing else");
    return d;
}

static enum dis dissect(const char *text)
{
    return dissect_cut(span_str(text), strlen(text));
}

/* A description with nothing wrong but what `lines`, behind a whole session part, bring. */
static void dissect_with(const char *session_lines, const char *media_lines)
{
    static char text[4096]; /* the spans in `out` point into it */
    int n = snprintf(text, sizeof text, "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n%s%s",
                     session_lines, media_lines);

    cr_assert(n > 0 && (size_t)n < sizeof text);
    cr_assert_eq(dissect(text), DIS_OK);
}

static void dissect_media(const char *lines)
{
    dissect_with("", lines);
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

static bool is_port_alone(const struct addr *a, uint16_t port)
{
    struct addr none = addr_with_port(ADDR_NONE, port);

    return addr_eq(a, &none);
}

static bool only_fault(enum fault_id id)
{
    return why.n == 1 && why.v[0].id == id;
}

/* The example of RFC 8866 §5. */
static const char rfc8866[] = "v=0\r\n"
                              "o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"
                              "s=Call to John Smith\r\n"
                              "i=SDP Offer #1\r\n"
                              "u=http://www.jdoe.example.com/home.html\r\n"
                              "e=Jane Doe <jane@jdoe.example.com>\r\n"
                              "p=+1 617 555-6011\r\n"
                              "c=IN IP4 198.51.100.1\r\n"
                              "t=0 0\r\n"
                              "m=audio 49170 RTP/AVP 0\r\n"
                              "m=audio 49180 RTP/AVP 0\r\n"
                              "m=video 51372 RTP/AVP 99\r\n"
                              "c=IN IP6 2001:db8::2\r\n"
                              "a=rtpmap:99 h263-1998/90000\r\n";

Test(sdp, rfc8866_example)
{
    cr_assert_eq(dissect(rfc8866), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(is(out.origin, "jdoe 3724394400 3724394405 IN IP4 198.51.100.1"));
    cr_assert_eq(out.version, 3724394405);
    cr_assert(at(&out.origin_addr, "198.51.100.1:0"));
    cr_assert_eq(out.medias, 3);
    cr_assert(out.media[0].kind == SDP_AUDIO && out.media[0].port == 49170);
    cr_assert(is(out.media[0].kind_name, "audio") && is(out.media[0].proto, "RTP/AVP"));
    cr_assert(is(out.media[0].host, "198.51.100.1") && at(&out.media[0].addr, "198.51.100.1:49170"));
    cr_assert(at(&out.media[1].addr, "198.51.100.1:49180"));
    cr_assert(out.media[2].kind == SDP_VIDEO && at(&out.media[2].addr, "[2001:db8::2]:51372"));
    cr_assert(out.media[0].formats == 1 && out.media[0].format[0].pt == 0);
    cr_assert(is(out.media[0].format[0].encoding, "PCMU") && out.media[0].format[0].clock_hz == 8000);
    cr_assert(is(out.media[2].format[0].encoding, "h263-1998") && out.media[2].format[0].clock_hz == 90000);
    cr_assert(!out.media[0].has_dir && out.media[0].dir == SDP_SENDRECV);
    cr_assert(addr_is_none(&out.media[0].rtcp) && out.media[0].rtcp.port == 0);
}

/* A browser's offer: BUNDLE, trickle, a hidden host, an address family in c= that tells nothing yet. */
static const char browser[] =
    "v=0\r\n"
    "o=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=group:BUNDLE 0 1 2\r\n"
    "a=extmap-allow-mixed\r\n"
    "a=msid-semantic: WMS stream\r\n"
    "m=audio 52000 UDP/TLS/RTP/SAVPF 111 63 9 0 126\r\n"
    "c=IN IP4 203.0.113.9\r\n"
    "a=rtcp:9 IN IP4 0.0.0.0\r\n"
    "a=candidate:1 1 udp 2113937151 3f1b7c0e-58f2-4a64-9d5e-0c1f1f0a9b7d.local 52000 typ host generation 0 "
    "network-cost 999\r\n"
    "a=candidate:2 1 udp 1677729535 203.0.113.9 52000 typ srflx raddr 0.0.0.0 rport 0 generation 0 "
    "network-cost 999\r\n"
    "a=ice-ufrag:aUfr\r\n"
    "a=ice-pwd:anIcePasswordOf24Letters\r\n"
    "a=ice-options:trickle\r\n"
    "a=fingerprint:sha-256 00:11:22:33\r\n"
    "a=setup:actpass\r\n"
    "a=mid:0\r\n"
    "a=sendrecv\r\n"
    "a=rtcp-mux\r\n"
    "a=rtpmap:111 opus/48000/2\r\n"
    "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "a=rtpmap:63 red/48000/2\r\n"
    "a=rtpmap:126 telephone-event/8000\r\n"
    "a=ptime:20\r\n"
    "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=mid:1\r\n"
    "a=bundle-only\r\n"
    "a=inactive\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP6 ::\r\n"
    "a=candidate:3 1 tcp 1518280447 2001:db8::7 9 typ host tcptype active generation 0 ufrag x network-id 1\r\n"
    "a=mid:2\r\n"
    "a=sctp-port:5000\r\n";

Test(sdp, browser_offer)
{
    const struct sdp_media *audio = &out.media[0], *video = &out.media[1], *data = &out.media[2];

    cr_assert_eq(dissect(browser), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(is(out.bundle, "0 1 2") && out.version == 2 && out.medias == 3);
    cr_assert(at(&audio->addr, "203.0.113.9:52000") && at(&audio->rtcp, "0.0.0.0:9"));
    cr_assert(audio->rtcp_mux && audio->has_dir && audio->dir == SDP_SENDRECV && audio->ptime_ms == 20);
    cr_assert(is(audio->ufrag, "aUfr") && is(audio->pwd, "anIcePasswordOf24Letters") && is(audio->ice_options, "trickle"));
    cr_assert(is(audio->fingerprint, "sha-256 00:11:22:33") && is(audio->setup, "actpass") && is(audio->mid, "0"));
    cr_assert_eq(audio->formats, 5);
    cr_assert(is(audio->format[0].encoding, "opus") && audio->format[0].clock_hz == 48000);
    cr_assert(is(audio->format[2].encoding, "G722") && audio->format[2].clock_hz == 8000);
    cr_assert(is(audio->format[4].encoding, "telephone-event") && audio->format[4].pt == 126);
    cr_assert(video->port == 0 && video->bundle_only && video->dir == SDP_INACTIVE && !video->ufrag.n);
    cr_assert(at(&video->addr, "0.0.0.0:0"), "left as it is: whether it means hold is judged elsewhere");
    cr_assert(video->formats == 1 && !video->format[0].encoding.n && video->format[0].clock_hz == 0);
    cr_assert(data->kind == SDP_APPLICATION && is(data->proto, "UDP/DTLS/SCTP") && data->formats == 0 && is(data->host, "::"));
    cr_assert_eq(out.cands, 3);
    cr_assert(out.cand[0].is_name && is_port_alone(&out.cand[0].addr, 52000) && out.cand[0].media == 0);
    cr_assert(out.cand[1].type == SDP_CAND_SRFLX && addr_is_none(&out.cand[1].raddr) && out.cand[1].raddr.port == 0);
    cr_assert(out.cand[2].media == 2 && out.cand[2].tcp && is(out.cand[2].tcptype, "active"));
    cr_assert(at(&out.cand[2].addr, "[2001:db8::7]:9"));
}

Test(sdp, session_level_is_inherited)
{
    dissect_with("a=inactive\r\na=ice-ufrag:SSSS\r\na=ice-pwd:session\r\na=fingerprint:sha-1 AA\r\na=setup:active\r\n"
                 "a=ice-options:ice2\r\na=ice-lite\r\na=end-of-candidates\r\n",
                 "m=audio 1000 RTP/AVP 0\r\n"
                 "m=audio 2000 RTP/AVP 0\r\na=ice-pwd:own\r\na=setup:passive\r\na=sendonly\r\na=ice-ufrag:MMMM\r\n"
                 "a=fingerprint:sha-1 BB\r\na=ice-options:own\r\nc=IN IP4 198.51.100.2\r\n"
                 "m=audio 3000 RTP/AVP 0\r\n");
    cr_assert_eq(why.n, 0);
    cr_assert(out.ice_lite);
    for (size_t i = 0; i < 3; i += 2) {
        const struct sdp_media *m = &out.media[i];

        cr_assert(m->has_dir && m->dir == SDP_INACTIVE && m->end_of_candidates);
        cr_assert(is(m->ufrag, "SSSS") && is(m->pwd, "session") && is(m->fingerprint, "sha-1 AA") && is(m->setup, "active"));
        cr_assert(is(m->ice_options, "ice2") && is(m->host, "192.0.2.1"));
    }
    cr_assert(out.media[1].dir == SDP_SENDONLY && is(out.media[1].ufrag, "MMMM") && is(out.media[1].pwd, "own"));
    cr_assert(is(out.media[1].fingerprint, "sha-1 BB") && is(out.media[1].setup, "passive"));
    cr_assert(is(out.media[1].ice_options, "own") && at(&out.media[1].addr, "198.51.100.2:2000"));
    cr_assert(at(&out.media[2].addr, "192.0.2.1:3000"));
}

Test(sdp, directions)
{
    static const struct {
        const char *line;
        enum sdp_dir dir;
    } v[] = {
        { "a=sendrecv\r\n", SDP_SENDRECV },
        { "a=sendonly\r\n", SDP_SENDONLY },
        { "a=recvonly\r\n", SDP_RECVONLY },
        { "a=inactive\r\n", SDP_INACTIVE },
    };
    char lines[128];

    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        snprintf(lines, sizeof lines, "m=audio 1000 RTP/AVP 0\r\n%s", v[i].line);
        dissect_media(lines);
        cr_assert(out.media[0].has_dir && out.media[0].dir == v[i].dir && why.n == 0);
        cr_assert(strstr(v[i].line, sdp_dir_name(v[i].dir)));
    }
}

Test(sdp, of_repeated_attributes_the_first_counts)
{
    dissect_media("m=audio 1000 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127\r\nc=IN IP4 224.2.1.2/127\r\na=sendonly\r\na=recvonly\r\n"
                  "a=fingerprint:sha-256 AA\r\na=fingerprint:sha-1 BB\r\n");
    cr_assert_eq(why.n, 0);
    cr_assert(is(out.media[0].host, "224.2.1.1") && at(&out.media[0].addr, "224.2.1.1:1000"));
    cr_assert(out.media[0].dir == SDP_SENDONLY && is(out.media[0].fingerprint, "sha-256 AA"));
    cr_assert(out.media[0].more_fingerprints);
}

/* RFC 8122 §5: the section's own ones stand for the session's. */
Test(sdp, several_fingerprints)
{
    dissect_with("a=fingerprint:sha-1 AA\r\na=fingerprint:sha-256 BB\r\n",
                 "m=audio 1000 RTP/AVP 0\r\n"
                 "m=audio 2000 RTP/AVP 0\r\na=fingerprint:sha-1 CC\r\n");
    cr_assert_eq(why.n, 0);
    cr_assert(is(out.media[0].fingerprint, "sha-1 AA") && out.media[0].more_fingerprints);
    cr_assert(is(out.media[1].fingerprint, "sha-1 CC") && !out.media[1].more_fingerprints);
}

Test(sdp, connection_forms)
{
    static const struct {
        const char *line, *host, *addr;
    } v[] = {
        { "c=IN IP4 224.2.1.1/127\r\n", "224.2.1.1", "224.2.1.1:1000" },
        { "c=IN IP4 224.2.1.1/127/3\r\n", "224.2.1.1", "224.2.1.1:1000" },
        { "c=IN IP6 ff00::db8:0:101/3\r\n", "ff00::db8:0:101", "[ff00::db8:0:101]:1000" },
        { "c=IN IP4 0.0.0.0\r\n", "0.0.0.0", "0.0.0.0:1000" },
        { "c=IN IP4 media.example.com\r\n", "media.example.com", "[::]:1000" },
        { "c=IN IP6 media.example.com\r\n", "media.example.com", "[::]:1000" },
        { "c=IN IP4 media.example.com.\r\n", "media.example.com.", "[::]:1000" },
        { "c=IN IP4 1.2.3.local\r\n", "1.2.3.local", "[::]:1000" },
        { "c=IN  IP4  198.51.100.3 \t\r\n", "198.51.100.3", "198.51.100.3:1000" },
    };
    char lines[128];

    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        snprintf(lines, sizeof lines, "m=audio 1000 RTP/AVP 0\r\n%s", v[i].line);
        dissect_media(lines);
        cr_assert(why.n == 0, "%s", v[i].line);
        cr_assert(is(out.media[0].host, v[i].host) && at(&out.media[0].addr, v[i].addr), "%s", v[i].line);
    }
}

Test(sdp, connection_faults)
{
    static const char *const lines[] = {
        "c=IN IP4 2001:db8::1\r\n", "c=IN IP6 192.0.2.1\r\n", "c=IN IP5 192.0.2.1\r\n", "c=XX IP4 192.0.2.1\r\n",
        "c=IN IP4 300.1.1.1\r\n",   "c=IN IP4 1.2.3\r\n",     "c=IN IP4\r\n",           "c=\r\n",
        "c=IN IP4 a,b\r\n",         "c=IN IP4 a.300\r\n",
    };
    char text[128];

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        snprintf(text, sizeof text, "m=audio 1000 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\nm=audio 0 RTP/AVP 0\r\n%s", lines[i]);
        dissect_media(text);
        cr_assert(only_fault(FAULT_SDP_FIELD), "%s", lines[i]);
        cr_assert(at(&out.media[0].addr, "192.0.2.9:1000"));
    }
}

Test(sdp, no_connection_at_all)
{
    cr_assert_eq(dissect("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 1000 RTP/AVP 0\r\nm=audio 0 RTP/AVP 0\r\n"),
                 DIS_OK);
    cr_assert(only_fault(FAULT_SDP_FIELD), "a rejected m-line needs no address, the other does");
    cr_assert(is_port_alone(&out.media[0].addr, 1000) && !out.media[0].host.n);
}

Test(sdp, rtcp)
{
    dissect_media("m=audio 1000 RTP/AVP 0\r\na=rtcp:53020\r\nc=IN IP4 198.51.100.5\r\n"
                  "m=audio 2000 RTP/AVP 0\r\na=rtcp:53020 IN IP4 198.51.100.6\r\n"
                  "m=audio 3000 RTP/AVP 0\r\na=rtcp:53020 IN IP6 2001:db8::6\r\n"
                  "m=audio 4000 RTP/AVP 0\r\na=rtcp:53020 IN IP4 rtcp.example.com\r\n"
                  "m=audio 5000 RTP/AVP 0\r\na=rtcp:5001\r\n"
                  "m=audio 6000 RTP/AVP 0\r\n");
    cr_assert_eq(why.n, 0);
    cr_assert(at(&out.media[0].rtcp, "198.51.100.5:53020"), "the address of c=, wherever that stands");
    cr_assert(at(&out.media[1].rtcp, "198.51.100.6:53020"));
    cr_assert(at(&out.media[2].rtcp, "[2001:db8::6]:53020"));
    cr_assert(is_port_alone(&out.media[3].rtcp, 53020));
    cr_assert(at(&out.media[4].rtcp, "192.0.2.1:5001"));
    cr_assert(is_port_alone(&out.media[5].rtcp, 0));
}

Test(sdp, media_lines)
{
    dissect_media(
        "m=audio 49170/2 RTP/AVP 0 8 101\r\nm=image 5000 udptl t38\r\nm=message 7000 TCP/MSRP *\r\nm=text 8000 RTP/AVP 98\r\n"
        "m=chat 9000 TCP 1\r\nm=AUDIO 1 rtp/avp 18\r\n");
    cr_assert_eq(why.n, 0);
    cr_assert(out.media[0].port == 49170 && out.media[0].formats == 3 && out.media[0].format[2].pt == 101);
    cr_assert(out.media[1].kind == SDP_IMAGE && out.media[1].formats == 0);
    cr_assert(out.media[2].kind == SDP_MESSAGE && out.media[3].kind == SDP_TEXT);
    cr_assert(out.media[4].kind == SDP_OTHER && is(out.media[4].kind_name, "chat") && out.media[4].formats == 0);
    cr_assert(out.media[5].kind == SDP_AUDIO && is(out.media[5].format[0].encoding, "G729"));
}

Test(sdp, bad_media_lines_keep_their_place)
{
    static const char *const lines[] = {
        "m=audio 65536 RTP/AVP 0\r\n",  "m=audio x RTP/AVP 0\r\n",      "m=audio 1000 RTP/AVP\r\n", "m=audio\r\n", "m=\r\n",
        "m=audio 1000/x RTP/AVP 0\r\n", "m=audio 1000 RTP/AVP 128\r\n", "m=audio -1 RTP/AVP 0\r\n",
    };
    char text[128];

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        snprintf(text, sizeof text, "%sm=video 2000 RTP/AVP 96\r\na=mid:v\r\n", lines[i]);
        dissect_media(text);
        cr_assert(only_fault(FAULT_SDP_FIELD), "%s", lines[i]);
        cr_assert(out.medias == 2 && is(out.media[1].mid, "v") && !out.media[0].mid.n, "%s", lines[i]);
    }
}

Test(sdp, bad_attributes_are_faults)
{
    static const struct {
        const char *line;
        enum fault_id id;
    } v[] = {
        { "a=rtpmap:200 x/8000\r\n", FAULT_SDP_FIELD },
        { "a=rtpmap:0 PCMU\r\n", FAULT_SDP_FIELD },
        { "a=rtpmap:0 /8000\r\n", FAULT_SDP_FIELD },
        { "a=rtpmap\r\n", FAULT_SDP_FIELD },
        { "a=rtcp:\r\n", FAULT_SDP_FIELD },
        { "a=rtcp:9 IN IP4\r\n", FAULT_SDP_FIELD },
        { "a=ptime:0\r\n", FAULT_SDP_FIELD },
        { "a=ptime:fast\r\n", FAULT_SDP_FIELD },
        { "a=ice-ufrag:\r\n", FAULT_SDP_FIELD },
        { "a=:x\r\n", FAULT_SDP_FIELD },
        { "a=\r\n", FAULT_SDP_FIELD },
        { "a=candidate:nonsense\r\n", FAULT_SDP_CANDIDATE },
        { "a=candidate\r\n", FAULT_SDP_CANDIDATE },
        { "o=- 1 1 IN IP4 192.0.2.1\r\n", FAULT_SDP_LINE },
        { "x=y\r\n", FAULT_SDP_LINE },
        { "A=sendonly\r\n", FAULT_SDP_LINE },
        { " a=sendonly\r\n", FAULT_SDP_LINE },
        { "a sendonly\r\n", FAULT_SDP_LINE },
        { "a\r\n", FAULT_SDP_LINE },
    };
    char text[128];

    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        snprintf(text, sizeof text, "m=audio 1000 RTP/AVP 0\r\n%sa=ptime:20.5\r\n", v[i].line);
        dissect_media(text);
        cr_assert(only_fault(v[i].id), "%s", v[i].line);
        cr_assert(out.media[0].ptime_ms == 20 && !out.media[0].has_dir, "%s", v[i].line);
    }
}

Test(sdp, faults_say_where)
{
    static const char text[] = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=0 0\nbad\n";

    cr_assert_eq(dissect(text), DIS_OK);
    cr_assert(only_fault(FAULT_SDP_LINE));
    cr_assert_eq(why.v[0].at, (size_t)(strstr(text, "bad") - text));
}

Test(sdp, session_faults)
{
    static const char *const texts[] = {
        "v=1\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n", "v=0\r\no=- 1 x IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n",
        "v=0\r\no=- 1 1 IN IP4\r\ns=-\r\nt=0 0\r\n",           "v=0\r\ns=-\r\nt=0 0\r\n",
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nt=0 0\r\n",        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cr_assert_eq(dissect(texts[i]), DIS_OK);
        cr_assert(only_fault(FAULT_SDP_FIELD), "%s", texts[i]);
    }
    dissect_with("a=candidate:1 1 UDP 1 192.0.2.1 1 typ host\r\n", "m=audio 1 RTP/AVP 0\r\n");
    cr_assert(only_fault(FAULT_SDP_CANDIDATE) && out.cands == 0, "a candidate belongs to an m-line");
}

Test(sdp, not_mine)
{
    cr_assert_eq(dissect("o=- 1 1 IN IP4 192.0.2.1\r\n"), DIS_NOT_MINE);
    cr_assert_eq(dissect("<xml/>"), DIS_NOT_MINE);
    cr_assert_eq(dissect("v="), DIS_OK);
    cr_assert_eq(dissect("v"), DIS_SHORT);
    cr_assert_eq(dissect(""), DIS_SHORT);
    cr_assert_eq(dissect_cut(SPAN("v"), 100), DIS_CUT);
}

/* The same text with other line ends means the same. */
static void check_line_end(const char *end, const char *tail)
{
    char text[sizeof rfc8866 + 64];
    size_t n = 0;

    for (const char *p = rfc8866; *p; p++) {
        if (*p == '\r')
            continue;
        if (*p != '\n') {
            text[n++] = *p;
            continue;
        }
        memcpy(text + n, end, strlen(end));
        n += strlen(end);
    }
    text[n - strlen(end)] = '\0'; /* the last line's is left to `tail` */
    memcpy(text + strlen(text), tail, strlen(tail) + 1);
    cr_assert_eq(dissect(text), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(out.medias == 3 && is(out.media[2].format[0].encoding, "h263-1998"));
    cr_assert(at(&out.media[0].addr, "198.51.100.1:49170"));
}

Test(sdp, line_ends)
{
    static const char *const ends[] = { "\r\n", "\n", "\r" };

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        check_line_end(ends[i], "");
        check_line_end(ends[i], ends[i]);
        check_line_end(ends[i], "\r\n\r\n");
    }
    cr_assert_eq(dissect("v=0 \t\r\no=- 1 1 IN IP4 192.0.2.1 \r\ns=-\r\nt=0 0\r\nm=audio 1 RTP/AVP 0 8 \r\nc=IN IP4 192.0.2.1  "
                         "\r\na=sendonly \r\n"
                         "a=mid:7 \r\na=rtpmap:8 PCMA/8000 \r\n"),
                 DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(out.media[0].formats == 2 && is(out.media[0].mid, "7"));
    cr_assert(out.media[0].dir == SDP_SENDONLY, "a blank behind a direction is no part of its name");
}

Test(sdp, cut)
{
    struct span text = span_str(rfc8866);
    size_t line = (size_t)(strstr(rfc8866, "m=audio 49180") - rfc8866);

    cr_assert_eq(dissect_cut(span_part(text, 0, line + 10), text.n), DIS_CUT);
    cr_assert(out.medias == 1, "half a line is no line: its port might be longer");
    cr_assert(at(&out.media[0].addr, "198.51.100.1:49170"));
    cr_assert_eq(why.n, 0);
    cr_assert_eq(dissect_cut(span_part(text, 0, line), text.n), DIS_CUT);
    cr_assert_eq(out.medias, 1);
    cr_assert_eq(dissect_cut(span_part(text, 0, line), line), DIS_OK);
    text = span_str("v=0\r\nm=audio 1000 RTP/AVP 0\r\n");
    cr_assert_eq(dissect_cut(text, text.n + 100), DIS_CUT);
    cr_assert(why.n == 0 && out.medias == 1, "what is not there may have been cut");
}

/* ---- caps ---- */

static char many[1 << 16];

static size_t add(size_t n, const char *text)
{
    size_t len = strlen(text);

    cr_assert(n + len < sizeof many);
    memcpy(many + n, text, len + 1);
    return n + len;
}

static size_t session(void)
{
    return add(0, "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n");
}

Test(sdp, more_medias_than_are_kept)
{
    size_t n = session();

    for (int i = 0; i < SDP_MEDIA_KEPT; i++)
        n = add(n, "m=audio 1000 RTP/AVP 0\r\na=mid:kept\r\n");
    n = add(n, "m=video 2000 RTP/AVP 0\r\na=mid:lost\r\na=inactive\r\na=rtcp:7\r\n");
    cr_assert_eq(dissect(many), DIS_OK);
    cr_assert(only_fault(FAULT_SDP_MEDIA_COUNT));
    cr_assert_eq(out.medias, SDP_MEDIA_KEPT);
    cr_assert(is(out.media[SDP_MEDIA_KEPT - 1].mid, "kept") && !out.media[SDP_MEDIA_KEPT - 1].has_dir);
    n = add(n, "a=candidate:1 1 UDP 1 192.0.2.1 1 typ host\r\n");
    cr_assert_eq(dissect(many), DIS_OK);
    cr_assert(why.n == 2 && why.v[1].id == FAULT_SDP_CANDIDATE_COUNT && out.cands == 0);
    n = session();
    for (int i = 0; i < SDP_MEDIA_KEPT + SDP_FORMATS_KEPT; i++)
        n = add(n, "m=audio 1000 RTP/AVP 0 8\r\n");
    cr_assert_eq(dissect(many), DIS_OK);
    cr_assert_eq(why.n, SDP_FORMATS_KEPT, "one fault for each, none for what they hold together");
}

Test(sdp, more_candidates_than_are_kept)
{
    size_t n = add(session(), "m=audio 1000 RTP/AVP 0\r\n");

    for (int i = 0; i < SDP_CANDIDATES_KEPT + 2; i++)
        n = add(n, "a=candidate:1 1 UDP 1 192.0.2.1 1 typ host\r\n");
    cr_assert_eq(dissect(many), DIS_OK);
    cr_assert(why.n == 2 && why.v[0].id == FAULT_SDP_CANDIDATE_COUNT);
    cr_assert_eq(out.cands, SDP_CANDIDATES_KEPT);
}

Test(sdp, more_formats_than_are_kept)
{
    size_t n = add(session(), "m=audio 1000 RTP/AVP");

    for (int i = 0; i < SDP_FORMATS_KEPT; i++)
        n = add(n, " 96");
    cr_assert_eq(dissect(many), DIS_OK);
    cr_assert(why.n == 0 && out.media[0].formats == SDP_FORMATS_KEPT);
    n = add(n, " 97 98");
    cr_assert_eq(dissect(many), DIS_OK);
    cr_assert(only_fault(FAULT_SDP_FORMAT_COUNT) && out.media[0].formats == SDP_FORMATS_KEPT);
}

Test(sdp, names)
{
    cr_assert_str_eq(sdp_kind_name(SDP_AUDIO), "audio");
    cr_assert_str_eq(sdp_kind_name(SDP_MESSAGE), "message");
    cr_assert_str_eq(sdp_kind_name((enum sdp_kind)99), "other");
    cr_assert_str_eq(sdp_dir_name(SDP_RECVONLY), "recvonly");
}

/* ---- sweeps ---- */

static const uint8_t *low, *high;

static bool inside(struct span s)
{
    return !s.n || (s.p >= low && s.p + s.n <= high);
}

static void check_media(const struct sdp_media *m)
{
    cr_assert(m->formats <= SDP_FORMATS_KEPT && m->kind <= SDP_MESSAGE && m->dir <= SDP_INACTIVE);
    cr_assert(inside(m->kind_name) && inside(m->proto) && inside(m->mid) && inside(m->host) && inside(m->ufrag) &&
              inside(m->pwd));
    cr_assert(inside(m->ice_options) && inside(m->fingerprint) && inside(m->setup));
    cr_assert_eq(m->addr.port, m->port);
}

static void check_candidate(const struct sdp_cand *c)
{
    cr_assert(c->media < out.medias && c->component > 0 && c->type <= SDP_CAND_UNKNOWN);
    cr_assert(inside(c->foundation) && inside(c->transport) && inside(c->host) && inside(c->tcptype) && inside(c->type_name));
    cr_assert(inside(c->line) && c->line.n && c->host.n);
}

static void swept(struct rd r, bool full, void *self)
{
    const uint8_t *p = r.p;
    bool cut = r.uncap > 0;
    enum dis d;

    (void)self;
    low = p;
    high = r.end;
    memset(&why, 0, sizeof why);
    d = sdp_dissect(&r, &out, &why);
    cr_assert(!full || (d == DIS_OK && out.medias == 3 && why.n == 0));
    cr_assert(d == DIS_OK || r.p == p);
    cr_assert(d != DIS_BAD && (d == DIS_OK) <= !cut);
    cr_assert(out.medias <= SDP_MEDIA_KEPT && out.cands <= SDP_CANDIDATES_KEPT && inside(out.origin) && inside(out.bundle));
    for (size_t i = 0; i < out.medias; i++)
        check_media(&out.media[i]);
    for (size_t i = 0; i < out.cands; i++)
        check_candidate(&out.cand[i]);
}

Test(sdp, sweep)
{
    sweep(span_str(rfc8866), swept, NULL);
    sweep(span_str(browser), swept, NULL);
}
