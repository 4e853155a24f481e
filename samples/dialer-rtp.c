/* See dialer-rtp.h. */
#include "dialer-rtp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    HEADER = 12,
    FRAME_MS = 20,
    SAMPLES_MS = 8, /* every codec here samples at 8 kHz */
    PATTERN = 0x55, /* what the codecs that are not encoded here carry */
};

static const struct codec codecs[] = {
    { "pcmu", "PCMU/8000", 0, 160, 20 },
    { "g726", "G726-16/8000", 98, 40, 60 },
    { "g729", "G729/8000", 18, 20, 60 },
};

const struct codec *codec_named(const char *name)
{
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (!strcmp(codecs[i].name, name))
            return &codecs[i];
    return NULL;
}

/* ITU-T G.711, µ-law. */
static uint8_t ulaw(int sample)
{
    int sign = sample < 0 ? 0x80 : 0, level = abs(sample) + 132, exponent = 7;

    if (level > 32767)
        level = 32767;
    while (exponent && !(level & 0x80 << exponent))
        exponent--;
    return (uint8_t) ~(sign | exponent << 4 | (level >> (exponent + 3) & 15));
}

size_t rtp_next(struct rtp_stream *s, uint8_t p[RTP_PACKET])
{
    size_t frames = (size_t)(s->codec->packet_ms / FRAME_MS), n = frames * s->codec->frame;

    p[0] = 0x80;
    p[1] = (uint8_t)(s->codec->type | (s->packets ? 0 : 0x80));
    put16(p + 2, s->seq++);
    put32(p + 4, s->timestamp);
    put32(p + 8, s->ssrc);
    memset(p + HEADER, PATTERN, n);
    for (size_t i = 0; s->codec->type == 0 && i < n; i++, s->phase += 6.283185307179586 * 440 / 8000)
        p[HEADER + i] = ulaw((int)(8000 * sin(s->phase)));
    s->timestamp += (uint32_t)(s->codec->packet_ms * SAMPLES_MS);
    s->packets++;
    return HEADER + n;
}

void rtp_heard(struct rtp_stream *s, const uint8_t *p, size_t n)
{
    if (n < HEADER || p[0] >> 6 != 2)
        return;
    struct report_source *in = &s->in;
    uint32_t seq = get16(p + 2);

    if (!in->heard)
        *in = (struct report_source){ .heard = true, .ssrc = get32(p + 8), .first = seq, .highest = seq };
    in->highest += (uint16_t)(seq - in->highest) < 0x8000 ? (uint16_t)(seq - in->highest) : 0;
    in->packets++;
}

static size_t report_block(const struct report_source *in, uint8_t *p)
{
    uint32_t expected = in->highest - in->first + 1;

    if (!in->heard)
        return 0;
    memset(p, 0, 24);
    put32(p, in->ssrc);
    put32(p + 4, (expected > in->packets ? expected - in->packets : 0) & 0x7fffff);
    put32(p + 8, in->highest);
    return 24;
}

/* RFC 3550 §6.4.1 and §6.5: a sender report, with a report block if anything is heard, and an SDES with the CNAME. */
size_t rtcp_report(const struct rtp_stream *s, uint8_t p[RTP_PACKET])
{
    static const char cname[] = "dialer1";
    struct timespec t;
    size_t n = 28;

    clock_gettime(CLOCK_REALTIME, &t);
    memset(p, 0, 28 + 24 + 20);
    n += report_block(&s->in, p + n);
    p[0] = s->in.heard ? 0x81 : 0x80;
    p[1] = 200;
    put16(p + 2, (uint32_t)(n / 4 - 1));
    put32(p + 4, s->ssrc);
    put32(p + 8, (uint32_t)((uint64_t)t.tv_sec + 2208988800u)); /* NTP counts from 1900 */
    put32(p + 12, (uint32_t)(((uint64_t)t.tv_nsec << 32) / 1000000000));
    put32(p + 16, s->timestamp);
    put32(p + 20, s->packets);
    put32(p + 24, s->packets * (uint32_t)(s->codec->frame * s->codec->packet_ms / FRAME_MS));
    p[n] = 0x81;
    p[n + 1] = 202;
    put16(p + n + 2, 4);
    put32(p + n + 4, s->ssrc);
    p[n + 8] = 1;
    p[n + 9] = sizeof cname - 1;
    memcpy(p + n + 10, cname, sizeof cname - 1);
    return n + 20;
}
