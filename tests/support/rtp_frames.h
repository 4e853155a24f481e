/* Frames of RTP between many pairs of addresses, for tests of what is done with each packet. */
#ifndef RW_TESTS_RTP_FRAMES_H
#define RW_TESTS_RTP_FRAMES_H

#include <string.h>

#include "base/clock.h"
#include "capture/capture.h"

enum { RTP_FRAME = 14 + 20 + 8 + 12 + 160, RTP_FRAME_ETHERNET = 1 };

static inline void rtp_frame_u32(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Packet `seq` of stream `n`: 10.1.x.x:16384 to 10.2.x.x:16386, PCMU, 20 ms after the one before. `bytes` holds RTP_FRAME. */
static inline struct frame rtp_frame(uint8_t *bytes, uint32_t n, uint32_t seq, uint64_t number)
{
    static const uint8_t headers[] = { [12] = 8, 0, 0x45, 0, 0, 200, 0,    0, 0x40, 0, 64, 17,  0, 0, 10,   1,
                                       0,        0, 10,   2, 0, 0,   0x40, 0, 0x40, 2, 0,  180, 0, 0, 0x80, 0 };

    memset(bytes, 0xff, RTP_FRAME);
    memcpy(bytes, headers, sizeof headers);
    bytes[28] = bytes[32] = (uint8_t)(n >> 8);
    bytes[29] = bytes[33] = (uint8_t)n;
    bytes[44] = (uint8_t)(seq >> 8);
    bytes[45] = (uint8_t)seq;
    rtp_frame_u32(bytes + 46, seq * 160);
    rtp_frame_u32(bytes + 50, 0x5555 + n);
    return (struct frame){ .ts_ns = SECONDS(1700000000) + seq * 20 * (int64_t)NS_PER_MS + n,
                           .id = frame_id(0, number),
                           .link = RTP_FRAME_ETHERNET,
                           .bytes = { bytes, RTP_FRAME },
                           .wire = RTP_FRAME };
}

#endif
