#include <criterion/criterion.h>

#include "dissectors/ws.h"
#include "support/sweep.h"

/* The example of RFC 7118 §4, and RFC 6455 §1.3's accept value, which belongs to the same key. */
#define GET      "GET / HTTP/1.1\r\n"
#define HOST     "Host: sip-ws.example.com\r\n"
#define UPGRADE  "Upgrade: websocket\r\n"
#define CONNECT  "Connection: Upgrade\r\n"
#define KEY      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define ORIGIN   "Origin: http://www.example.com\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: sip\r\n"
#define VERSION  "Sec-WebSocket-Version: 13\r\n"
#define REQUEST  GET HOST UPGRADE CONNECT KEY ORIGIN PROTOCOL VERSION "\r\n"

#define STATUS   "HTTP/1.1 101 Switching Protocols\r\n"
#define ACCEPT   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define RESPONSE STATUS UPGRADE CONNECT ACCEPT PROTOCOL "\r\n"

static struct ws_upgrade up;
static struct faults why;

static enum dis dissect(struct span s, size_t wire)
{
    struct rd r = rd_init(s, wire);
    enum dis d;

    why = (struct faults){ .n = 0 };
    d = ws_upgrade(&r, &up, &why);
    cr_assert_eq(r.p == s.p, d != DIS_OK, "the reader moves on DIS_OK and on nothing else");
    cr_assert(d == DIS_OK || why.n == 0);
    return d;
}

static enum dis text(const char *s)
{
    return dissect(span_str(s), strlen(s));
}

static void sound(const char *s)
{
    cr_assert_eq(text(s), DIS_OK, "%s", s);
    cr_assert_eq(why.n, 0, "%s", s);
}

static void faulty(const char *s)
{
    cr_assert_eq(text(s), DIS_OK, "%s", s);
    cr_assert_eq(why.n, 1, "%s", s);
    cr_assert_eq(why.v[0].id, FAULT_WS_UPGRADE);
}

static void not_mine(const char *s)
{
    cr_assert_eq(text(s), DIS_NOT_MINE, "%s", s);
}

Test(ws_upgrade, request)
{
    sound(REQUEST);
    cr_assert(up.request && up.sip && !up.deflate);
    cr_assert(span_eq(up.host, SPAN("sip-ws.example.com")));
    cr_assert(span_eq(up.origin, SPAN("http://www.example.com")));
    cr_assert(up.forwarded_for.n == 0 && up.real_ip.n == 0 && up.user_agent.n == 0);
}

Test(ws_upgrade, response)
{
    sound(RESPONSE);
    cr_assert(!up.request && up.sip && !up.deflate && up.host.n == 0);
}

Test(ws_upgrade, of_another_protocol)
{
    sound(GET HOST UPGRADE CONNECT KEY VERSION "Sec-WebSocket-Protocol: chat, superchat\r\n\r\n");
    cr_assert(up.request && !up.sip);
    sound(GET HOST UPGRADE CONNECT KEY VERSION "\r\n");
    cr_assert(!up.sip);
    sound(STATUS UPGRADE CONNECT ACCEPT "Sec-WebSocket-Protocol: chat\r\n\r\n");
    cr_assert(!up.request && !up.sip);
    sound(GET HOST UPGRADE CONNECT KEY VERSION "Sec-WebSocket-Protocol: sipfrag, xsip\r\n\r\n");
    cr_assert(!up.sip, "a part of a name");
}

/* RFC 9110 §5.6.1, §5.1: lists, over several lines too; names in any case. */
Test(ws_upgrade, lists)
{
    sound("GET /ws?x=1 HTTP/1.1\nhost:h\nUPGRADE: h2c , WebSocket\nconnection: keep-alive,upgrade\nsec-websocket-key: k\n"
          "Sec-WebSocket-Protocol: msrp\nSec-WebSocket-Protocol: xmpp ,\tsip\nSec-WebSocket-Version:13\n"
          "Sec-WebSocket-Extensions: x-webkit-deflate-frame, permessage-deflate; client_max_window_bits\n\n");
    cr_assert(up.request && up.sip && up.deflate);
    cr_assert(span_eq(up.host, SPAN("h")));
    sound(GET HOST UPGRADE CONNECT KEY VERSION "Sec-WebSocket-Extensions: bbf-usp; permessage-deflate\r\n\r\n");
    cr_assert(!up.deflate, "a parameter is no extension");
}

Test(ws_upgrade, behind_a_proxy)
{
    sound(GET HOST UPGRADE CONNECT KEY VERSION PROTOCOL
          "X-Forwarded-For: 198.51.100.20, 10.0.0.1\r\nx-real-ip: 198.51.100.20\r\nUser-Agent: Browser/1\r\n"
          "X-Forwarded-For: 10.0.0.2\r\n\r\n");
    cr_assert(span_eq(up.forwarded_for, SPAN("198.51.100.20, 10.0.0.1")), "the first counts");
    cr_assert(span_eq(up.real_ip, SPAN("198.51.100.20")));
    cr_assert(span_eq(up.user_agent, SPAN("Browser/1")));
}

/* Frames may follow in the same segment. */
Test(ws_upgrade, moves_to_the_first_frame)
{
    static const char both[] = RESPONSE "\x81\x05Hello";
    struct rd r = rd_init(SPAN(both), sizeof both - 1);
    struct ws_frame f;

    why = (struct faults){ .n = 0 };
    cr_assert_eq(ws_upgrade(&r, &up, &why), DIS_OK);
    cr_assert_eq(ws_frame(&r, &f, &why), DIS_OK);
    cr_assert(span_eq(f.payload, SPAN("Hello")));
}

Test(ws_upgrade, split_at_every_byte)
{
    static const char *const sample[] = { REQUEST, RESPONSE };

    for (size_t i = 0; i < 2; i++)
        for (size_t n = 0; n < strlen(sample[i]); n++)
            cr_assert_eq(dissect(span_part(span_str(sample[i]), 0, n), n), DIS_SHORT, "%zu bytes", n);
}

Test(ws_upgrade, look_alikes)
{
    not_mine(GET HOST "\r\n");
    not_mine(GET HOST "Upgrade: h2c\r\n" CONNECT "\r\n");
    not_mine(GET HOST "Upgrade: websockets\r\n" CONNECT "\r\n");
    not_mine(GET HOST "X-Upgrade: websocket\r\n" CONNECT KEY VERSION PROTOCOL "\r\n");
    not_mine(GET HOST "\r\n" UPGRADE CONNECT KEY VERSION PROTOCOL "\r\n"); /* in a body */
    not_mine("GET / HTTP/1.0\r\n" HOST UPGRADE CONNECT KEY VERSION PROTOCOL "\r\n");
    not_mine("POST / HTTP/1.1\r\n" HOST UPGRADE CONNECT KEY VERSION PROTOCOL "\r\n");
    not_mine("GETS / HTTP/1.1\r\n" HOST UPGRADE CONNECT KEY VERSION PROTOCOL "\r\n");
    not_mine("get / HTTP/1.1\r\n" HOST UPGRADE CONNECT KEY VERSION PROTOCOL "\r\n");
    not_mine("GET HTTP/1.1\r\n" HOST UPGRADE CONNECT KEY VERSION PROTOCOL "\r\n");
    not_mine("GET key\r\n");
    not_mine("HTTP/1.1 200 OK\r\n" UPGRADE CONNECT ACCEPT PROTOCOL "\r\n");
    not_mine("HTTP/1.1 1010\r\n" UPGRADE CONNECT ACCEPT PROTOCOL "\r\n");
    not_mine("HTTP/1.0 101 x\r\n" UPGRADE CONNECT ACCEPT PROTOCOL "\r\n");
    not_mine("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n" CONNECT "\r\n");
    not_mine("INVITE sip:bob@example.com SIP/2.0\r\n");
    not_mine("\x81\x85\x37\xfa\x21\x3d");
    not_mine("\r\n" REQUEST);
}

/* What another protocol is shows early, not when a blank line comes. */
Test(ws_upgrade, other_traffic_is_let_go_at_once)
{
    not_mine("H2");
    not_mine("P");
    not_mine("HTTP/1.1 4");
    cr_assert_eq(text(""), DIS_SHORT);
    cr_assert_eq(text("H"), DIS_SHORT);
    cr_assert_eq(text("GET /"), DIS_SHORT);
}

Test(ws_upgrade, missing_headers)
{
    faulty(GET UPGRADE CONNECT KEY VERSION PROTOCOL "\r\n");
    faulty(GET HOST UPGRADE KEY VERSION PROTOCOL "\r\n");
    faulty(GET HOST UPGRADE CONNECT VERSION PROTOCOL "\r\n");
    faulty(GET HOST UPGRADE CONNECT KEY PROTOCOL "\r\n");
    cr_assert(up.sip, "told all the same");
    faulty(GET HOST UPGRADE CONNECT KEY "Sec-WebSocket-Version: 8\r\n" PROTOCOL "\r\n");
    faulty(STATUS UPGRADE CONNECT PROTOCOL "\r\n");
    faulty(STATUS UPGRADE ACCEPT PROTOCOL "\r\n");
}

Test(ws_upgrade, odd_lines)
{
    sound(GET HOST UPGRADE CONNECT KEY VERSION PROTOCOL "no colon\r\n: no name\r\nEmpty:\r\nHost:\r\nHost: other\r\n\r\n");
    cr_assert(span_eq(up.host, SPAN("sip-ws.example.com")));
    sound("HTTP/1.1 101\r\n" UPGRADE CONNECT ACCEPT "\r\n");
}

/* Of a capture that cuts packets short the headers may end early: what names it a WebSocket must be there. */
Test(ws_upgrade, cut)
{
    cr_assert_eq(dissect(SPAN(GET HOST UPGRADE "Conn"), 400), DIS_CUT);
    cr_assert(up.request && up.host.n == 18);
    cr_assert_eq(dissect(SPAN(GET HOST), 400), DIS_NOT_MINE);
    cr_assert_eq(dissect(SPAN("GET /"), 400), DIS_NOT_MINE);
}

Test(ws_upgrade, headers_without_end)
{
    static char b[WS_UPGRADE_MAX + 1];
    size_t head = sizeof(GET HOST UPGRADE) - 1;

    memcpy(b, GET HOST UPGRADE, head);
    memset(b + head, 'x', sizeof b - head);
    cr_assert_eq(dissect((struct span){ (const uint8_t *)b, WS_UPGRADE_MAX - 1 }, WS_UPGRADE_MAX - 1), DIS_SHORT);
    cr_assert_eq(dissect((struct span){ (const uint8_t *)b, WS_UPGRADE_MAX }, WS_UPGRADE_MAX), DIS_NOT_MINE);
    memset(b + 4, 'x', sizeof b - 4);
    cr_assert_eq(dissect((struct span){ (const uint8_t *)b, sizeof b }, sizeof b), DIS_NOT_MINE);
}

/* ---- sweeps ---- */

static void inside(struct span s, const struct rd *r)
{
    if (s.n)
        cr_assert(s.p >= r->p && s.p + s.n <= r->end, "a span outside the input");
}

static void sweep_one(struct rd r, bool full, void *self)
{
    struct rd in = r;
    enum dis d;

    (void)self;
    why = (struct faults){ .n = 0 };
    d = ws_upgrade(&in, &up, &why);
    cr_assert(d == DIS_OK ? in.p > r.p : in.p == r.p);
    if (r.uncap)
        cr_assert(d == DIS_CUT || d == DIS_NOT_MINE);
    cr_assert_neq(d, DIS_BAD);
    if (full)
        cr_assert(d == DIS_OK && why.n == 0);
    if (d != DIS_OK && d != DIS_CUT)
        return;
    inside(up.host, &r);
    inside(up.origin, &r);
    inside(up.user_agent, &r);
    inside(up.forwarded_for, &r);
    inside(up.real_ip, &r);
}

Test(ws_upgrade_sweep, request)
{
    sweep(SPAN(REQUEST), sweep_one, NULL);
}

Test(ws_upgrade_sweep, response)
{
    sweep(SPAN(RESPONSE), sweep_one, NULL);
}
