/* The stages in order: frames in, facts out. The table of contents of the program. */
#ifndef RW_APP_PIPELINE_H
#define RW_APP_PIPELINE_H

#include "app/early.h"
#include "capture/capture.h"
#include "classify/classify.h"
#include "net/net.h"
#include "track/track.h"

/* What was done with a packet: each gets exactly one, so that nothing vanishes uncounted. */
#define DISPOSITIONS(X)                                                                                                          \
    X(RTP, "rtp")                                                                                                                \
    X(RTCP, "rtcp")                                                                                                              \
    X(SIP, "sip")                                                                                                                \
    X(STUN, "stun")                                                                                                              \
    X(DTLS, "dtls")                                                                                                              \
    X(TURN_DATA, "turn_data")                                                                                                    \
    X(DNS, "dns")                                                                                                                \
    X(ICMP, "icmp")                                                                                                              \
    X(KEEPALIVE, "keepalive")                                                                                                    \
    X(TCP, "tcp")                                                                                                                \
    X(FRAGMENT, "fragment")                                                                                                      \
    X(UNEXPLAINED, "unexplained_udp")                                                                                            \
    X(NOT_IP, "not_ip")                                                                                                          \
    X(OTHER_IP, "other_ip")                                                                                                      \
    X(UNSUPPORTED, "unsupported")                                                                                                \
    X(MALFORMED, "malformed")                                                                                                    \
    X(DUPLICATE, "duplicate")                                                                                                    \
    X(OUTSIDE, "outside_window")

#define X(id, name) DONE_##id,
enum disposition { DISPOSITIONS(X) DISPOSITIONS_N };
#undef X

struct keylog;

const char *disposition_name(enum disposition d);

/* Told of single messages as they are dissected, for the output of facts. Any member may be NULL. */
struct pipeline_watch {
    void *self;
    void (*sip)(void *self, const struct datagram *d, const struct sip_msg *m, const struct sdp *sdp);
    void (*stun)(void *self, const struct datagram *d, const struct stun_msg *m, enum stun_role role);
    void (*icmp)(void *self, const struct datagram *d, const struct icmp_msg *m);
    void (*dns)(void *self, const struct datagram *d, const struct dns_msg *m);
    /* Before what a relay passes on is taken as a datagram of flow `inner`; NULL: no allocation is known, and it is passed over. */
    void (*relayed)(void *self, const struct flow *inner, struct span data);
};

/* At most so many frames come together. */
enum { PIPELINE_FRAMES = TRACK_AHEAD };

struct sip_read {
    enum dis got;
    struct faults why;
    struct sip_msg msg; /* on DIS_OK and DIS_CUT */
};

struct pipeline {
    struct fault_log faults;
    struct clock clock;
    struct net *net;
    struct track *track;
    struct hints *hints;
    struct pipeline_watch watch;
    struct twice *twice; /* owned; NULL: a single input, which holds no packet of another */
    uint64_t packets, done[DISPOSITIONS_N];
    struct net_packet other; /* of the latest frame that was no plain datagram: what net_frame() gave, and the kind */
    enum net_kind other_kind;
    enum disposition tcp_done; /* what the TCP segment in hand completed; DONE_TCP: nothing that is followed */
    struct {                   /* scratch, too large for the stack of a small thread */
        struct sip_read sip;
        struct sdp sdp;
        struct dns_msg dns;
        struct stun_msg stun;
        struct rtcp_msg rtcp;
        struct dtls_msg dtls;
    } msg;
    struct early early;                   /* STUN answers that may stand before their requests */
    struct sip_read sip[PIPELINE_FRAMES]; /* of frames that came together, read before their turn */
    uint8_t ws[64 * 1024];                /* one WebSocket message, unmasked: as large as a datagram may be */
    struct tls *tls;                      /* owned; NULL: there are no keys */
};

struct pipeline *pipeline_new(void);                /* NULL without memory */
bool pipeline_inputs(struct pipeline *p, size_t n); /* frames come from so many inputs; false without memory */
/* From here on connections of TLS begin whose secrets may be in `keys`, which is borrowed. False without memory. */
bool pipeline_keys(struct pipeline *p, struct keylog *keys);
void pipeline_free(struct pipeline *p);
/* Frames in time order, at most PIPELINE_FRAMES. The more come together, the less each waits for memory; nothing else depends on it. */
/* Returns what was done with the last one. */
enum disposition pipeline_frames(struct pipeline *p, const struct frame *f, size_t n);
enum disposition pipeline_frame(struct pipeline *p, const struct frame *f);
struct pipeline_done {
    const struct frame *frame;
    const struct net_packet *plain; /* what is in it, if it is a plain datagram; else see `other` above */
    enum disposition done;
    int64_t before_ns; /* the newest packet time before it */
};
/* The same, and tells of each frame before the next is looked at. */
void pipeline_frames_told(struct pipeline *p, const struct frame *f, size_t n,
                          void (*each)(void *self, const struct pipeline_done *d), void *self);
void pipeline_copy(struct pipeline *p, const struct frame *f); /* it is a copy of another input's: only its time counts */
void pipeline_outside(struct pipeline *p, size_t frames); /* so many lie outside --since and --until: they are counted, no more */
/* Gives up what no session needs any more, see track_compact(); false without memory: the pipeline can then only be freed. */
bool pipeline_compact(struct pipeline *p, int64_t now_ns);
/* At the end of input: what still waits is counted, and RTP that was none becomes unexplained. */
void pipeline_finish(struct pipeline *p);

#endif
