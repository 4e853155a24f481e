#include "sip_support.h"
#include "support/sweep.h"

/* ---- sweeps ---- */

static void inside(struct span s, const struct rd *r)
{
    if (s.n)
        cr_assert(s.p >= r->p && s.p + s.n <= r->end, "a span outside the input");
}

static void party_inside(const struct sip_party *p, const struct rd *r)
{
    inside(p->display, r);
    inside(p->uri, r);
    inside(p->user, r);
    inside(p->host, r);
    inside(p->tag, r);
}

static void msg_inside(const struct sip_msg *msg, const struct rd *r)
{
    inside(msg->method_name, r);
    inside(msg->uri, r);
    inside(msg->reason, r);
    inside(msg->call_id, r);
    inside(msg->body, r);
    inside(msg->content_type, r);
    party_inside(&msg->from, r);
    party_inside(&msg->to, r);
    party_inside(&msg->contact, r);
    cr_assert_leq(msg->vias, SIP_VIAS_KEPT);
    for (size_t i = 0; i < msg->vias; i++) {
        inside(msg->via[i].transport, r);
        inside(msg->via[i].host, r);
        inside(msg->via[i].branch, r);
        inside(msg->via[i].received, r);
    }
    cr_assert_leq(msg->headers, SIP_HEADERS_KEPT);
    for (size_t i = 0; i < msg->headers; i++) {
        inside(msg->header[i].name, r);
        inside(msg->header[i].value, r);
    }
}

static void sweep_one(struct rd r, bool full, void *self)
{
    bool stream = *(bool *)self;
    struct rd in = r;
    enum dis d;

    (void)sip_looks_like(rd_rest(&r));
    why = (struct faults){ .n = 0 };
    d = sip_dissect(&in, stream, &m, &why);
    cr_assert(d == DIS_OK ? in.p > r.p : in.p == r.p);
    cr_assert(stream || d != DIS_SHORT);
    if (r.uncap)
        cr_assert(d == DIS_CUT || d == DIS_NOT_MINE);
    if (full) {
        cr_assert_eq(d, DIS_OK);
        cr_assert_eq(why.n, 0);
    }
    if (d == DIS_OK || d == DIS_CUT) {
        msg_inside(&m, &r);
        inside(sip_sdp(&m, &why), &r);
        inside(sip_header(&m, SPAN("Call-ID")), &r);
    }
}

Test(sip_sweep, request)
{
    bool stream = false;

    sweep(SPAN(REQUEST), sweep_one, &stream);
}

Test(sip_sweep, request_in_a_stream)
{
    bool stream = true;

    sweep(SPAN(REQUEST), sweep_one, &stream);
}

Test(sip_sweep, response)
{
    bool stream = false;

    sweep(SPAN(RESPONSE), sweep_one, &stream);
}

Test(sip_sweep, multipart)
{
    static const char text[] =
        START VIA TAIL "Content-Type: multipart/mixed;boundary=\"b1\"\r\nContent-Length: 214\r\n\r\n" PLAIN PART "--b1--";
    bool stream = false;

    sweep(SPAN(text), sweep_one, &stream);
}
