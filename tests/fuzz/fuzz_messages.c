/* Every dissector on the same bytes: a wrong guess of the protocol must be as harmless as a broken message. */
#include <stdlib.h>

#include "dissectors/dns.h"
#include "dissectors/dtls.h"
#include "dissectors/icmp.h"
#include "dissectors/rtcp.h"
#include "dissectors/rtp.h"
#include "dissectors/sdp.h"
#include "dissectors/sip.h"
#include "dissectors/stun.h"
#include "dissectors/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

union message {
    struct sip_msg sip;
    struct sdp sdp;
    struct stun_msg stun;
    struct rtp_msg rtp;
    struct rtcp_msg rtcp;
    struct dns_msg dns;
    struct icmp_msg icmp;
    struct dtls_msg dtls;
    struct ws_frame ws;
    struct ws_upgrade upgrade;
};

static void try_sip(struct rd r, bool stream, union message *m)
{
    struct faults why = { 0 };
    struct span body;

    if (sip_dissect(&r, stream, &m->sip, &why) != DIS_OK)
        return;
    body = sip_sdp(&m->sip, &why);
    (void)sip_header(&m->sip, SPAN("Call-ID"));
    if (body.n) {
        struct rd b = rd_init(body, body.n);

        sdp_dissect(&b, &m->sdp, &why);
    }
}

static void try_stun(struct rd r, bool stream, union message *m)
{
    struct faults why = { 0 };
    struct stun_mac mac = { 0 };

    if (stun_dissect(&r, stream, &m->stun, &why) != DIS_OK)
        return;
    stun_check_fingerprint(&m->stun);
    stun_check_integrity(&mac, &m->stun, SPAN("a password of 22 bytes"));
    stun_mac_done(&mac);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span s = { data, size };
    struct rd whole = rd_init(s, size), cut = rd_init(s, size + 100), r;
    struct faults why = { 0 };
    union message *m = malloc(sizeof *m);

    if (!m)
        return 0;
    try_sip(whole, false, m);
    try_sip(whole, true, m);
    try_sip(cut, false, m);
    try_stun(whole, false, m);
    try_stun(whole, true, m);
    try_stun(cut, false, m);
    r = whole, sdp_dissect(&r, &m->sdp, &why);
    r = whole, rtp_dissect(&r, &m->rtp, &why);
    r = whole, rtcp_dissect(&r, &m->rtcp, &why);
    r = cut, rtcp_dissect(&r, &m->rtcp, &why);
    r = whole, dns_dissect(&r, &m->dns, &why);
    r = cut, dns_dissect(&r, &m->dns, &why);
    r = whole, icmp_dissect(&r, false, &m->icmp, &why);
    r = whole, icmp_dissect(&r, true, &m->icmp, &why);
    r = whole, dtls_dissect(&r, &m->dtls, &why);
    r = whole, ws_upgrade(&r, &m->upgrade, &why);
    r = whole, ws_frame(&r, &m->ws, &why);
    free(m);
    return 0;
}
