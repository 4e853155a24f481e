/*
 * WebSocket (RFC 6455), for the SIP in it (RFC 7118), out of one direction of a TCP connection: the HTTP upgrade first,
 * frames from then on.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |F|R|R|R| opcode|M| length (7)  |  16 bits more where that is   |
 * |I|S|S|S|       |A|             |  126, 64 where it is 127      |
 * |N|V|V|V|       |S|             |                               |
 * | masking key, 32 bits, where M |  payload, masked where M      |
 *
 * A message is one frame with `fin`, or a first one without it and WS_CONTINUATION frames up to the one that has it
 * (RFC 6455 §5.4). Control frames may stand between; they are no part of it. The caller puts it together: of each frame
 * ws_unmask() with that frame's key and offset 0, one behind the other; the first frame's opcode and `rsv` are the message's.
 * More than WS_PAYLOAD_MAX in all, or a continuation without a beginning (a hole, a capture that starts late), is given up.
 * In RFC 7118 §5 each message is one SIP message, so what a frame with `fin` holds is whole: a datagram to the SIP dissector.
 */
#ifndef RW_DISSECTORS_WS_H
#define RW_DISSECTORS_WS_H

#include "dissect.h"

enum {
    WS_UPGRADE_MAX = 16 * 1024,  /* bytes of HTTP headers; servers take 8 to 16 KiB */
    WS_PAYLOAD_MAX = 256 * 1024, /* far above any SIP message; what claims more is no frame of ours */
    WS_CONTROL_MAX = 125,        /* RFC 6455 §5.5 */
    WS_KEY = 4,
};

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

/* The client's request or the server's 101. Values are as sent; of a header that repeats the first counts. */
struct ws_upgrade {
    bool request;
    bool sip;     /* Sec-WebSocket-Protocol offers (request) or accepts (response) "sip" */
    bool deflate; /* the same for permessage-deflate: once accepted, messages with WS_RSV1 are compressed (RFC 7692 §6) */
    struct span host, origin, user_agent;
    struct span forwarded_for, real_ip; /* X-Forwarded-For (a list, the client first) and X-Real-IP, by a proxy or a liar */
};

enum { WS_RSV1 = 4, WS_RSV2 = 2, WS_RSV3 = 1 };

struct ws_frame {
    bool fin, masked;
    uint8_t rsv, opcode; /* opcode: an enum ws_opcode, or a reserved one */
    uint8_t key[WS_KEY]; /* zeros where not masked, which unmask to the same */
    size_t length;       /* of the payload on the wire */
    struct span payload; /* as captured: still masked */
};

/*
 * An HTTP/1.1 GET or 101 whose Upgrade is "websocket", headers to the empty line. DIS_SHORT while it may yet become one;
 * DIS_NOT_MINE for other HTTP and all else. What RFC 6455 §4.1 and §4.2.2 require and is not there is a fault.
 */
enum dis ws_upgrade(struct rd *in, struct ws_upgrade *out, struct faults *why);

/*
 * The next frame. DIS_BAD with a payload over WS_PAYLOAD_MAX, said as soon as the length is there: framing is lost, or not
 * worth following. Anything can be a frame, so the caller must know that this is a WebSocket.
 */
enum dis ws_frame(struct rd *in, struct ws_frame *out, struct faults *why);

/* The plain bytes of `payload`, which begins `offset` bytes into its frame's payload, to the payload.n bytes at `out`. */
void ws_unmask(struct span payload, const uint8_t key[WS_KEY], size_t offset, uint8_t *out);

/*
 * Whether a frame stands here whose payload begins like SIP: for connections whose upgrade was not captured. Text or binary,
 * masked or not, the first of its message and not compressed. Cheap: looks at the first bytes only, and false where those that
 * tell have not come yet; never proof.
 */
bool ws_looks_like_frame(struct span s);

#endif
