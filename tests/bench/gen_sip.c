#include "gen_sip.h"

#include <inttypes.h>
#include <string.h>

const char *ip_text(uint32_t ip, char buf[IP_TEXT])
{
    (void)snprintf(buf, IP_TEXT, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
    return buf;
}

/* RFC 8839 §5.1; the priorities are RFC 8445 §5.1.2.1's for type preferences 126 and 100. */
static void candidates(struct msg *m, const struct session *s)
{
    char host[IP_TEXT], mapped[IP_TEXT];

    for (unsigned component = 1; component <= 2; component++) {
        const unsigned up = component - 1;

        put_text(m, "a=candidate:H %u UDP %u %s %u typ host\r\n", component, 2130706432U - component, ip_text(s->host.ip, host),
                 s->host.port + up);
        put_text(m, "a=candidate:S %u UDP %u %s %u typ srflx raddr %s rport %u\r\n", component, 1694498816U - component,
                 ip_text(s->mapped.ip, mapped), s->mapped.port + up, ip_text(s->host.ip, host), s->host.port + up);
    }
}

void sdp_text(struct msg *m, const struct session *s)
{
    char host[IP_TEXT], mapped[IP_TEXT];

    m->n = 0;
    put_text(m, "v=0\r\no=- %" PRIu32 " 1 IN IP4 %s\r\ns=-\r\n", s->version, ip_text(s->host.ip, host));
    put_text(m, "c=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/AVP 0 8 101\r\n", ip_text(s->mapped.ip, mapped), s->mapped.port);
    put_text(m, "a=rtcp:%u IN IP4 %s\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n", s->mapped.port + 1U, mapped);
    put_text(m, "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n");
    if (!s->ice)
        return;
    put_text(m, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=rtcp-mux\r\n", s->ufrag, s->pwd);
    candidates(m, s);
}

/* One branch a transaction (RFC 3261 §8.1.1.7); the ACK of a 2xx is a transaction of its own. */
static void via(struct msg *m, const struct dialog *d, const char *method, bool seen_by_proxy)
{
    char local[IP_TEXT], outside[IP_TEXT];

    put_text(m, "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK%08" PRIx32 "%c", ip_text(d->local.ip, local), d->local.port, d->tag,
             *method);
    if (seen_by_proxy)
        put_text(m, ";rport=%u;received=%s\r\n", d->outside.port, ip_text(d->outside.ip, outside));
    else
        put_text(m, ";rport\r\n");
}

static void common(struct msg *m, const struct dialog *d, const char *method, unsigned cseq, bool tagged)
{
    put_text(m, "From: <sip:dialer%u@example.com>;tag=%08" PRIx32 "\r\n", d->dialer, d->tag);
    put_text(m, "To: <sip:agent%u@example.com>", d->webphone);
    if (tagged)
        put_text(m, ";tag=%08" PRIx32, ~d->tag);
    put_text(m, "\r\nCall-ID: %s\r\nCSeq: %u %s\r\n", d->call_id, cseq, method);
}

static void end(struct msg *m, const struct msg *sdp)
{
    if (!sdp) {
        put_text(m, "Content-Length: 0\r\n\r\n");
        return;
    }
    put_text(m, "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n", sdp->n);
    put(m, sdp->p, sdp->n);
}

void sip_request(struct msg *m, const struct dialog *d, const char *method, unsigned cseq, bool tagged, const struct msg *sdp)
{
    char local[IP_TEXT];

    m->n = 0;
    put_text(m, "%s sip:agent%u@example.com SIP/2.0\r\n", method, d->webphone);
    via(m, d, method, false);
    put_text(m, "Max-Forwards: 70\r\n");
    common(m, d, method, cseq, tagged);
    put_text(m, "Contact: <sip:dialer%u@%s:%u>\r\nUser-Agent: dialer 1.0\r\n", d->dialer, ip_text(d->local.ip, local),
             d->local.port);
    end(m, sdp);
}

void sip_reply(struct msg *m, const struct dialog *d, const char *status_line, const char *method, unsigned cseq, bool tagged,
               const struct msg *sdp)
{
    char contact[IP_TEXT];

    m->n = 0;
    put_text(m, "SIP/2.0 %s\r\n", status_line);
    via(m, d, method, true);
    common(m, d, method, cseq, tagged);
    if (tagged)
        put_text(m, "Contact: <sip:agent%u@%s:%u>\r\nServer: webphone 2.0\r\n", d->webphone, ip_text(d->contact.ip, contact),
                 d->contact.port);
    end(m, sdp);
}
