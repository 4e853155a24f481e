/*
 * The torture messages of RFC 4475, by their names there: what each one is about, written anew and shorter. A dissector
 * answers nothing and rejects nothing; where the RFC asks for a 400, a fault is asked for here, and what is sound beside it.
 */
#include "sip_support.h"

#define HEAD   "Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw\r\nMax-Forwards: 70\r\n"
#define FROM   "From: <sip:caller@example.net>;tag=242etr\r\n"
#define TO_HDR "To: <sip:user@example.com>\r\n"
#define ID(id) "Call-ID: " id ".0ha0isndaksdj99sdfafnl3lk233412\r\n"

static void only_fault(enum fault_id id)
{
    cr_assert_eq(why.n, 1);
    cr_assert_eq(why.v[0].id, id, "%d", (int)why.v[0].id);
}

static void accepted(const char *text)
{
    cr_assert_eq(datagram(text), DIS_OK);
    cr_assert_eq(why.n, 0, "fault %d", (int)why.v[0].id);
}

static void accepted_with(const char *text, enum fault_id id)
{
    cr_assert_eq(datagram(text), DIS_OK);
    only_fault(id);
}

/* ---- 3.1.1 valid messages ---- */

Test(torture, wsinv)
{
    accepted("INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
             "TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
             "from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n"
             "MaX-fOrWaRdS: 0068\r\n"
             "Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"
             "Content-Length   : 10\r\n"
             "cseq: 0009\r\n  INVITE\r\n"
             "Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n"
             "s :\r\n"
             "NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
             "UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
             "Content-Type: application/sdp\r\n"
             "Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
             "v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
             " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
             "m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n"
             "  secondparam ; q = 0.33\r\n"
             "\r\n"
             "v=0\r\ns=-\r\n");
    cr_assert(is(m.uri, "sip:vivekg@chair-dnrc.example.com;unknownparam"));
    cr_assert(is(m.to.uri, "sip:vivekg@chair-dnrc.example.com"));
    cr_assert(is(m.to.tag, "1918181833n"));
    cr_assert(is(m.from.display, "J Rosenberg \\\\\\\""));
    cr_assert(is(m.from.tag, "98asjd8"));
    cr_assert_eq(m.cseq, 9);
    cr_assert_eq(m.vias, 3);
    cr_assert(is(m.via[0].transport, "UDP"));
    cr_assert(is(m.via[0].host, "192.0.2.2"));
    cr_assert(is(m.via[1].host, "spindle.example.com"));
    cr_assert(is(m.via[1].branch, "z9hG4bK9ikj8"));
    cr_assert(is(m.via[2].branch, "z9hG4bK30239"));
    cr_assert(is(m.contact.display, "Quoted string \\\"\\\""));
    cr_assert(is(m.contact.uri, "sip:jdrosen@example.com"));
    cr_assert(is(sip_sdp(&m, &why), "v=0\r\ns=-\r\n"));
    cr_assert_not_null(sip_header(&m, SPAN("Subject")).p);
    cr_assert_eq(sip_header(&m, SPAN("Subject")).n, 0);
}

Test(torture, intmeth)
{
#define METHOD "!interesting-Method0123456789_*+`.%indeed'~"
#define USER   "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    static const char text[] =
        METHOD " sip:" USER ":&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\r\n"
               "Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\r\n"
               "To: \"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f\" <sip:" USER "@example.com>\r\n"
               "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com> ;fromParam''~+*_!.-%=\"\xd1\x80\xd0\xb0\";"
               "tag=_token~1'+`*%!-.\r\n"
               "Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n"
               "CSeq: 139122385 " METHOD "\r\n"
               "Max-Forwards: 255\r\n"
               "extensionHeader-!.%*+_`'~:\xef\xbb\xbf\xe5\xa4\xa7\xe5\x81\x9c\xe9\x9b\xbb\r\n"
               "Content-Length: 0\r\n\r\n";

    cr_assert(sip_looks_like(SPAN(text)));
    cr_assert_eq(feed(SPAN(text), sizeof text - 1, false), DIS_OK);
    cr_assert_eq(why.n, 0, "fault %d", (int)why.v[0].id);
    cr_assert_eq(m.method, SIP_OTHER);
    cr_assert(is(m.method_name, METHOD));
    cr_assert(is(m.via[0].branch, "z9hG4bK-.!%66*_+`'~"));
    cr_assert_eq(m.to.display.n, strlen("BEL:\\x NUL:\\x DEL:\\x"));
    cr_assert(is(m.to.user, USER));
    cr_assert(is(m.from.display, "token1~` token2'+_ token3*%!.-"));
    cr_assert(is(m.from.tag, "_token~1'+`*%!-."));
    cr_assert(is(m.call_id, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"));
    cr_assert_eq(m.cseq, 139122385u);
    cr_assert_eq(sip_header(&m, SPAN("extensionHeader-!.%*+_`'~")).n, 12);
}

Test(torture, esc01)
{
    accepted("INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0\r\n" HEAD "To: sip:%75se%72@example.com\r\n"
             "From: <sip:I%20have%20spaces@example.net>;tag=938\r\n" ID(
                 "esc01") "CSeq: 234234 INVITE\r\n"
                          "C: application/sdp\r\nContact: <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>\r\n"
                          "Content-Length: 0\r\n\r\n");
    cr_assert(is(m.to.user, "%75se%72"), "spans are of the message as sent");
    cr_assert(is(m.from.user, "I%20have%20spaces"));
    cr_assert(is(m.contact.user, "cal%6Cer"));
    cr_assert(is(m.content_type, "application/sdp"));
}

Test(torture, escnull)
{
    accepted("REGISTER sip:example.com SIP/2.0\r\n" HEAD "To: sip:null-%00-null@example.com\r\n"
             "From: sip:null-%00-null@example.com;tag=839923423\r\n" ID(
                 "escnull") "CSeq: 14398234 REGISTER\r\n"
                            "Contact: <sip:%00@host5.example.com>\r\nContact: <sip:%00%00@host5.example.com>\r\nL:0\r\n\r\n");
    cr_assert_eq(m.method, SIP_REGISTER);
    cr_assert(is(m.to.user, "null-%00-null"));
    cr_assert(is(m.contact.user, "%00"));
}

Test(torture, esc02)
{
    accepted("RE%47IST%45R sip:registrar.example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKkdjuw\r\n"
             "To: \"%Z%45\" <sip:resource@example.com>\r\nFrom: \"%Z%45\" <sip:resource@example.com>;tag=f232jadfj23\r\n"
             "Max-Forwards: 70\r\n" ID(
                 "esc02") "CSeq: 29344 RE%47IST%45R\r\nContact: <sip:alias1@host1.example.com>\r\n"
                          "C%6Fntact: <sip:alias2@host2.example.com>\r\nContact: <sip:alias3@host3.example.com>\r\nl: 0\r\n\r\n");
    cr_assert_eq(m.method, SIP_OTHER, "an escape in a method is no escape");
    cr_assert(is(m.method_name, "RE%47IST%45R"));
    cr_assert(is(m.to.display, "%Z%45"));
    cr_assert(is(sip_header(&m, SPAN("C%6Fntact")), "<sip:alias2@host2.example.com>"));
}

Test(torture, lwsdisp)
{
    accepted("OPTIONS sip:user@example.com SIP/2.0\r\n" HEAD "To: sip:user@example.com\r\n"
             "From: caller<sip:caller@example.com>;tag=323\r\n" ID("lwsdisp") "CSeq: 60 OPTIONS\r\nl: 0\r\n\r\n");
    cr_assert(is(m.from.display, "caller"));
    cr_assert(is(m.from.uri, "sip:caller@example.com"));
    cr_assert(is(m.from.tag, "323"));
}

static char *put_times(char *to, const char *text, int times)
{
    for (int i = 0; i < times; i++)
        to += snprintf(to, strlen(text) + 1, "%s", text);
    return to;
}

Test(torture, longreq)
{
    static char text[16000];
    char *end = put_times(text, "INVITE sip:user@example.com SIP/2.0\r\nTo: \"I have a user name of ", 1);

    end = put_times(put_times(end, "extreme", 30), " proportion\" <sip:user@example.com:6000;unknownparam1=very", 1);
    end = put_times(put_times(end, "long", 40), "value;longparam", 1);
    end = put_times(put_times(end, "name", 40), "=shortvalue;very", 1);
    end = put_times(put_times(end, "long", 40), "ParameterNameWithNoValue>\r\nF: sip:a@b;verylongParamWithNoValue;tag=12_", 1);
    end = put_times(put_times(end, "982", 100), "424\r\nMax-Forwards: 70\r\nCSeq: 3882340 INVITE\r\nCall-ID: longreq.one", 1);
    end = put_times(put_times(end, "really", 80), "longcallid\r\nUnknown-", 1);
    end = put_times(put_times(end, "Long", 80), "-Name: unknown-\r\n", 1);
    end = put_times(end, "Via: SIP/2.0/TCP sip33.example.com\r\n", 8);
    end = put_times(end, "V: SIP/2.0/TCP host1.example.com;received=192.0.2.5;branch=very", 1);
    end = put_times(put_times(end, "long", 200), "branchvalue\r\nL: 0\r\n\r\n", 1);
    accepted(text);
    cr_assert_eq(m.to.display.n, 22 + 210 + 11);
    cr_assert(is(m.to.host, "example.com"));
    cr_assert_eq(m.from.tag.n, 3 + 300 + 3);
    cr_assert_eq(m.call_id.n, 11 + 480 + 10);
    cr_assert_eq(m.vias, 9);
    cr_assert_eq(m.via[8].branch.n, 4 + 800 + 11);
}

/* What follows the body in a datagram is discarded, even where it is another request. */
Test(torture, dblreq)
{
#define FIRST                                                                                                                    \
    "REGISTER sip:example.com SIP/2.0\r\nTo: sip:j.user@example.com\r\nFrom: sip:j.user@example.com;tag=43251j3j324\r\n"         \
    "Max-Forwards: 8\r\nI: dblreq.0ha0isndaksdj99sdfafnl3lk233412\r\nContact: sip:j.user@host.example.com\r\n"                   \
    "CSeq: 8 REGISTER\r\nVia: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKkdjuw23492\r\nContent-Length: 0\r\n\r\n"
    static const char both[] = FIRST "\r\nINVITE sip:joe@example.com SIP/2.0\r\n" HEAD;
    struct rd r = rd_init(SPAN(both), sizeof both - 1);

    why.n = 0;
    cr_assert_eq(sip_dissect(&r, false, &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert_eq(m.method, SIP_REGISTER);
    cr_assert(is(m.call_id, "dblreq.0ha0isndaksdj99sdfafnl3lk233412"));
    cr_assert_eq(m.body.n, 0);
    cr_assert_eq(rd_left(&r), sizeof both - sizeof FIRST);
}

Test(torture, semiuri)
{
    accepted("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0\r\n" HEAD "To: sip:j_user@example.com\r\n"
             "From: <sip:user;par=u%40example.net@example.com>;tag=33242\r\n" ID("semiuri") "CSeq: 8 OPTIONS\r\nl: 0\r\n\r\n");
    cr_assert(is(m.uri, "sip:user;par=u%40example.net@example.com"));
    cr_assert(is(m.from.user, "user;par=u%40example.net"));
    cr_assert(is(m.from.host, "example.com"));
}

Test(torture, transports)
{
    static const char *const names[] = { "UDP", "SCTP", "TLS", "UNKNOWN", "TCP" };

    accepted("OPTIONS sip:user@example.com SIP/2.0\r\n" TO_HDR FROM
             "Max-Forwards: 70\r\n" ID("transports") "CSeq: 60 OPTIONS\r\nVia: SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw\r\n"
                                                     "Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf\r\nVia: "
                                                     "SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj\r\n"
                                                     "Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en\r\n"
                                                     "Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee\r\nl: 0\r\n\r\n");
    cr_assert_eq(m.vias, 5);
    for (size_t i = 0; i < 5; i++)
        cr_assert(is(m.via[i].transport, names[i]));
}

/* A multipart body with a binary part, and without SDP. */
Test(torture, mpart01)
{
    static const char text[] = "MESSAGE sip:kumiko@example.org SIP/2.0\r\n" HEAD
                               "From: <sip:fluffy@example.com>;tag=2fb0dcc9\r\nTo: <sip:kumiko@example.org>\r\n" ID(
                                   "mpart01") "CSeq: 1 MESSAGE\r\nContent-Type: multipart/mixed;boundary=7a9cbec02ceef655\r\n"
                                              "Content-Length: 153\r\n\r\n"
                                              "--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
                                              "--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\n\r\n"
                                              "0\x82\x01R\x06\x00\r\n--\x00\n\xff\x00\r\n--7a9cbec02ceef655--";

    cr_assert_eq(feed(SPAN(text), sizeof text - 1, false), DIS_OK);
    cr_assert_eq(m.method, SIP_MESSAGE);
    cr_assert_eq(m.body.n, 153);
    cr_assert_null(sip_sdp(&m, &why).p);
    cr_assert_eq(why.n, 0, "fault %d", (int)why.v[0].id);
}

Test(torture, unreason)
{
    accepted("SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \xd1\x81\xd1\x82\xd0\xbe\r\n" HEAD FROM TO_HDR ID(
        "unreason") "CSeq: 35 INVITE\r\nContent-Length: 0\r\n\r\n");
    cr_assert_eq(m.status, 200);
    cr_assert(is(m.reason, "= 2**3 * 5**2 \xd0\xbd\xd0\xbe \xd1\x81\xd1\x82\xd0\xbe"));
}

Test(torture, noreason)
{
    accepted("SIP/2.0 100 \r\n" HEAD FROM TO_HDR ID("noreason") "CSeq: 35 INVITE\r\nContent-Length: 0\r\n\r\n");
    cr_assert_eq(m.status, 100);
    cr_assert_eq(m.reason.n, 0);
}

/* ---- 3.1.2 invalid messages ---- */

Test(torture, badinv01)
{
    cr_assert_eq(datagram("INVITE sip:user@example.com SIP/2.0\r\nTo: sip:j.user@example.com\r\n" FROM "Max-Forwards: 7\r\n" ID(
                     "badinv01") "CSeq: 8 INVITE\r\nVia: SIP/2.0/UDP 192.0.2.15;;,;,,\r\n"
                                 "Contact: \"Joe\" <sip:joe@example.org>;;;;\r\nContent-Length: 0\r\n\r\n"),
                 DIS_OK);
    cr_assert_eq(why.n, 2);
    cr_assert(faulty(FAULT_SIP_VIA));
    cr_assert(faulty(FAULT_SIP_ADDRESS));
    cr_assert_eq(m.vias, 1);
    cr_assert(is(m.via[0].host, "192.0.2.15"));
    cr_assert(is(m.contact.uri, "sip:joe@example.org"));
}

Test(torture, clerr)
{
    accepted_with("INVITE sip:user@example.com SIP/2.0\r\n" HEAD FROM TO_HDR ID(
                      "clerr") "CSeq: 8 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: 9999\r\n\r\nv=0\r\n",
                  FAULT_SIP_CONTENT_LENGTH);
    cr_assert(is(sip_sdp(&m, &why), "v=0\r\n"));
}

Test(torture, ncl)
{
    accepted_with("INVITE sip:user@example.com SIP/2.0\r\n" HEAD FROM TO_HDR ID(
                      "ncl") "CSeq: 8 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: -999\r\n\r\nv=0\r\n",
                  FAULT_SIP_CONTENT_LENGTH);
    cr_assert(is(m.body, "v=0\r\n"));
}

Test(torture, scalar02)
{
    accepted_with(
        "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/TCP host129.example.com;branch=z9hG4bK342sdfoi3\r\n" TO_HDR FROM
        "CSeq: 36893488147419103232 REGISTER\r\n" ID(
            "scalar02") "Max-Forwards: 300\r\n"
                        "Expires: 10000000000000000000000000000000000000\r\n"
                        "Contact: <sip:user@host129.example.com>;expires=280297596632815\r\nContent-Length: 0\r\n\r\n",
        FAULT_SIP_CSEQ);
    cr_assert_eq(m.cseq, 0);
    cr_assert_eq(m.method, SIP_REGISTER);
}

Test(torture, scalarlg)
{
    accepted_with("SIP/2.0 503 Service Unavailable\r\n" HEAD FROM TO_HDR ID(
                      "scalarlg") "CSeq: 9292394834772304023312 OPTIONS\r\nRetry-After: 949302838503028349304023988\r\n"
                                  "Warning: 1812 overture \"In Progress\"\r\nContent-Length: 0\r\n\r\n",
                  FAULT_SIP_CSEQ);
    cr_assert_eq(m.method, SIP_OPTIONS, "the method is sound, the number is not");
}

Test(torture, quotbal)
{
    accepted_with("INVITE sip:user@example.com SIP/2.0\r\n" HEAD FROM
                  "To: \"Mr. J. User <sip:j.user@example.com>\r\n" ID("quotbal") "CSeq: 8 INVITE\r\nContent-Length: 0\r\n\r\n",
                  FAULT_SIP_ADDRESS);
    cr_assert(is(m.to.uri, "sip:j.user@example.com"));
}

static void start_line_fault(const char *line, const char *uri)
{
    char text[1000];

    snprintf(text, sizeof text, "%s\r\n" HEAD FROM TO_HDR ID("start") "CSeq: 8 INVITE\r\nContent-Length: 0\r\n\r\n", line);
    cr_assert(sip_looks_like(span_str(text)));
    accepted_with(text, FAULT_SIP_START_LINE);
    cr_assert_eq(m.method, SIP_INVITE);
    cr_assert(is(m.uri, uri));
}

Test(torture, ltgtruri)
{
    start_line_fault("INVITE <sip:user@example.com> SIP/2.0", "<sip:user@example.com>");
}

Test(torture, lwsruri)
{
    start_line_fault("INVITE sip:user@example.com; lr SIP/2.0", "sip:user@example.com; lr");
}

Test(torture, lwsstart)
{
    start_line_fault("INVITE  sip:user@example.com  SIP/2.0", "sip:user@example.com");
}

Test(torture, trws)
{
    start_line_fault("INVITE sip:user@example.com SIP/2.0  ", "sip:user@example.com");
}

Test(torture, badvers)
{
    start_line_fault("INVITE sip:t.watson@example.org SIP/7.0", "sip:t.watson@example.org");
}

/* Escaped header fields in a Request-URI: a matter for who acts on it, not for the wire's grammar. */
Test(torture, escruri)
{
    accepted("INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0\r\n" HEAD FROM TO_HDR ID(
        "escruri") "CSeq: 149209342 INVITE\r\nContent-Length: 0\r\n\r\n");
    cr_assert(is(m.uri, "sip:user@example.com?Route=%3Csip:example.com%3E"));
}

Test(torture, baddate)
{
    accepted("INVITE sip:user@example.com SIP/2.0\r\n" HEAD FROM TO_HDR ID(
        "baddate") "CSeq: 2234923 INVITE\r\nDate: Fri, 01 Jan 2010 16:00:00 EST\r\nContent-Length: 0\r\n\r\n");
    cr_assert(is(sip_header(&m, SPAN("Date")), "Fri, 01 Jan 2010 16:00:00 EST"));
}

Test(torture, regbadct)
{
    accepted_with("REGISTER sip:example.com SIP/2.0\r\n" HEAD FROM TO_HDR ID(
                      "regbadct") "CSeq: 1 REGISTER\r\n"
                                  "Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E\r\nl: 0\r\n\r\n",
                  FAULT_SIP_ADDRESS);
    cr_assert(is(m.contact.host, "example.com"));
}

Test(torture, badaspec)
{
    accepted_with(
        "OPTIONS sip:user@example.org SIP/2.0\r\n" HEAD FROM
        "To: \"Watson, Thomas\" < sip:t.watson@example.org >\r\n" ID("badaspec") "CSeq: 3923239 OPTIONS\r\nl: 0\r\n\r\n",
        FAULT_SIP_ADDRESS);
    cr_assert(is(m.to.display, "Watson, Thomas"));
    cr_assert(is(m.to.uri, "sip:t.watson@example.org"));
}

Test(torture, baddn)
{
    accepted_with(
        "OPTIONS sip:t.watson@example.org SIP/2.0\r\n" HEAD
        "From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43\r\n" TO_HDR ID("baddn") "CSeq: 3923239 OPTIONS\r\nl: 0\r\n\r\n",
        FAULT_SIP_ADDRESS);
    cr_assert(is(m.from.display, "Bell, Alexander"));
    cr_assert(is(m.from.tag, "43"));
}

Test(torture, mismatch01)
{
    accepted_with("OPTIONS sip:user@example.com SIP/2.0\r\n" HEAD FROM TO_HDR ID("mismatch01") "CSeq: 8 INVITE\r\nl: 0\r\n\r\n",
                  FAULT_SIP_CSEQ);
    cr_assert_eq(m.method, SIP_OPTIONS);
    cr_assert_eq(m.cseq, 8);
}

Test(torture, mismatch02)
{
    accepted_with("NEWMETHOD sip:user@example.com SIP/2.0\r\n" HEAD FROM TO_HDR ID("mismatch02") "CSeq: 8 INVITE\r\nl: 0\r\n\r\n",
                  FAULT_SIP_CSEQ);
    cr_assert_eq(m.method, SIP_OTHER);
    cr_assert(is(m.method_name, "NEWMETHOD"));
}

Test(torture, bigcode)
{
    accepted_with("SIP/2.0 4294967301 better not break the receiver\r\n" HEAD FROM TO_HDR ID(
                      "bigcode") "CSeq: 353494 INVITE\r\nContent-Length: 0\r\n\r\n",
                  FAULT_SIP_START_LINE);
    cr_assert_eq(m.status, 0);
    cr_assert_not(m.request);
    cr_assert(is(m.reason, "better not break the receiver"));
}

/* ---- 3.2 and 3.3: transactions and applications; what they are about is above the grammar, or a header of its own ---- */

Test(torture, badbranch)
{
    accepted("OPTIONS sip:user@example.com SIP/2.0\r\n" TO_HDR FROM "Max-Forwards: 3\r\n"
             "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK\r\n" ID("badbranch") "CSeq: 8 OPTIONS\r\nl: 0\r\n\r\n");
    cr_assert(is(m.via[0].branch, "z9hG4bK"));
}

Test(torture, insuf)
{
    accepted_with(
        "INVITE sip:user@example.com SIP/2.0\r\nCSeq: 193942 INVITE\r\nVia: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj\r\n"
        "Content-Type: application/sdp\r\nl: 5\r\n\r\nv=0\r\n",
        FAULT_SIP_MISSING);
    cr_assert_eq(m.cseq, 193942u);
    cr_assert(is(sip_sdp(&m, &why), "v=0\r\n"));
}

Test(torture, unkscm)
{
    accepted("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\r\n" HEAD FROM TO_HDR ID(
        "unkscm") "CSeq: 3 OPTIONS\r\nContent-Length: 0\r\n\r\n");
    cr_assert(is(m.uri, "nobodyKnowsThisScheme:totallyopaquecontent"));
}

Test(torture, novelsc)
{
    accepted("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\r\n" HEAD FROM TO_HDR ID(
        "novelsc") "CSeq: 3 OPTIONS\r\nContent-Length: 0\r\n\r\n");
    cr_assert(is(m.uri, "soap.beep://192.0.2.103:3002"));
}

Test(torture, unksm2)
{
    accepted("REGISTER sip:example.com SIP/2.0\r\n" HEAD
             "To: isbn:2983792873\r\nFrom: <http://www.example.com>;tag=3234233\r\n" ID(
                 "unksm2") "CSeq: 234902 REGISTER\r\nContact: <name:John_Smith>\r\nContent-Length: 0\r\n\r\n");
    cr_assert(is(m.to.uri, "isbn:2983792873"));
    cr_assert(is(m.from.uri, "http://www.example.com"));
    cr_assert_eq(m.from.host.n, 0, "only SIP, SIPS and tel URIs are taken apart");
    cr_assert(is(m.contact.uri, "name:John_Smith"));
}

Test(torture, bext01)
{
    accepted("OPTIONS sip:user@example.com SIP/2.0\r\n" HEAD FROM TO_HDR ID(
        "bext01") "CSeq: 8 OPTIONS\r\n"
                  "Require: nothingSupportsThis, nothingSupportsThisEither\r\nProxy-Require: noProxiesSupportThis\r\nl: "
                  "0\r\n\r\n");
    cr_assert(is(sip_header(&m, SPAN("Require")), "nothingSupportsThis, nothingSupportsThisEither"));
}

Test(torture, invut)
{
    accepted("INVITE sip:user@example.com SIP/2.0\r\n" HEAD FROM TO_HDR ID(
        "invut") "CSeq: 8 INVITE\r\n"
                 "Content-Type: application/unknownformat\r\nContent-Length: 7\r\n\r\n<audio>");
    cr_assert(is(m.body, "<audio>"));
    cr_assert_null(sip_sdp(&m, &why).p);
}

Test(torture, regaut01)
{
    accepted("REGISTER sip:example.com SIP/2.0\r\n" HEAD FROM TO_HDR ID(
        "regaut01") "CSeq: 9338 REGISTER\r\n"
                    "Authorization: NoOneKnowsThisScheme opaque-data=here\r\nContent-Length:0\r\n\r\n");
    cr_assert(is(sip_header(&m, SPAN("Authorization")), "NoOneKnowsThisScheme opaque-data=here"));
}

/* The first of each counts. */
Test(torture, multi01)
{
    cr_assert_eq(datagram("INVITE sip:user@company.com SIP/2.0\r\nContact: <sip:caller@host25.example.net>\r\n"
                          "Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw\r\nMax-Forwards: 70\r\nCSeq: 5 INVITE\r\n"
                          "Call-ID: multi01.98asdh@192.0.2.1\r\nCSeq: 59 INVITE\r\nCall-ID: multi01.98asdh@192.0.2.2\r\n"
                          "From: sip:caller@example.com;tag=3413415\r\nTo: sip:user@example.com\r\nTo: sip:other@example.net\r\n"
                          "From: sip:caller@example.net;tag=2923420123\r\nContent-Type: application/sdp\r\nl: 5\r\n"
                          "Contact: <sip:caller@host36.example.net>\r\nMax-Forwards: 5\r\n\r\nv=0\r\n"),
                 DIS_OK);
    cr_assert_eq(why.n, 5);
    for (size_t i = 0; i < why.n; i++)
        cr_assert_eq(why.v[i].id, FAULT_SIP_REPEATED);
    cr_assert_eq(m.cseq, 5);
    cr_assert(is(m.call_id, "multi01.98asdh@192.0.2.1"));
    cr_assert(is(m.from.tag, "3413415"));
    cr_assert(is(m.to.user, "user"));
    cr_assert(is(m.contact.host, "host25.example.net"));
}

Test(torture, mcl01)
{
    accepted_with(
        "OPTIONS sip:user@example.com SIP/2.0\r\n" HEAD FROM TO_HDR ID(
            "mcl01") "CSeq: 8 OPTIONS\r\n"
                     "Content-Length: 4\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nThere's no way to know",
        FAULT_SIP_CONTENT_LENGTH);
    cr_assert(is(m.body, "Ther"));
}

Test(torture, bcast)
{
    accepted("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\r\n"
             "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23\r\n" FROM TO_HDR ID(
                 "bcast") "CSeq: 2330 INVITE\r\nl: 0\r\n\r\n");
    cr_assert(is(m.via[1].host, "255.255.255.255"));
}

Test(torture, zeromf)
{
    accepted("OPTIONS sip:user@example.com SIP/2.0\r\nVia: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw\r\n" FROM TO_HDR ID(
        "zeromf") "CSeq: 8 OPTIONS\r\nMax-Forwards: 0\r\nContent-Length: 0\r\n\r\n");
}

Test(torture, cparam01)
{
    accepted("REGISTER sip:example.com SIP/2.0\r\n" HEAD FROM TO_HDR ID(
        "cparam01") "CSeq: 1 REGISTER\r\n"
                    "Contact: sip:+19725552222@gw1.example.net;unknownparam\r\nl: 0\r\n\r\n");
    cr_assert(is(m.contact.uri, "sip:+19725552222@gw1.example.net"), "without brackets the parameter is the header's");
}

Test(torture, cparam02)
{
    accepted("REGISTER sip:example.com SIP/2.0\r\n" HEAD FROM TO_HDR ID(
        "cparam02") "CSeq: 1 REGISTER\r\n"
                    "Contact: <sip:+19725552222@gw1.example.net;unknownparam>\r\nl: 0\r\n\r\n");
    cr_assert(is(m.contact.uri, "sip:+19725552222@gw1.example.net;unknownparam"));
}

Test(torture, regescrt)
{
    accepted("REGISTER sip:example.com SIP/2.0\r\n" HEAD FROM TO_HDR ID(
        "regescrt") "CSeq: 1 REGISTER\r\n"
                    "Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>\r\nL:0\r\n\r\n");
    cr_assert(is(m.contact.uri, "sip:user@example.com?Route=%3Csip:sip.example.com%3E"));
    cr_assert(is(m.contact.host, "example.com"));
}

Test(torture, sdp01)
{
    accepted("INVITE sip:user@example.com SIP/2.0\r\n" HEAD FROM TO_HDR ID(
        "sdp01") "CSeq: 1 INVITE\r\nAccept: text/nobodyKnowsThis\r\nContent-Type: application/sdp\r\nl: 5\r\n\r\nv=0\r\n");
    cr_assert(is(sip_sdp(&m, &why), "v=0\r\n"));
}

/* ---- 3.4 backward compatibility: RFC 2543 knew no Max-Forwards, branch or From tag as a must ---- */

Test(torture, inv2543)
{
    accepted_with(
        "INVITE sip:UserB@example.com SIP/2.0\r\nVia: SIP/2.0/UDP iftgw.example.com\r\n"
        "From: <sip:+13035551111@ift.client.example.net;user=phone>\r\n"
        "Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>\r\nTo: sip:+16505552222@ss1.example.net;user=phone\r\n"
        "Call-ID: inv2543.1717@ift.client.example.com\r\nCSeq: 56 INVITE\r\n"
        "Content-Type: application/sdp\r\n\r\nv=0\r\n",
        FAULT_SIP_MISSING);
    cr_assert_eq(m.via[0].branch.n, 0);
    cr_assert_eq(m.from.tag.n, 0);
    cr_assert(is(m.to.uri, "sip:+16505552222@ss1.example.net"));
    cr_assert(is(sip_sdp(&m, &why), "v=0\r\n"));
}
