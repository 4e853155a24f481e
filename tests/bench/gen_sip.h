/* The SIP and SDP texts of one generated call: a dialer behind a 1:1 NAT calls a webphone through a proxy. */
#ifndef BENCH_GEN_SIP_H
#define BENCH_GEN_SIP_H

#include "gen_wire.h"

enum { CALL_ID_TEXT = 64, UFRAG_TEXT = 12, PWD_TEXT = 28, IP_TEXT = 16 };

struct dialog {
    char call_id[CALL_ID_TEXT];
    unsigned dialer, webphone; /* numbers that make the users' names */
    uint32_t tag;              /* the caller's; the callee's is its complement */
    struct sock local;         /* the dialer's SIP socket, as the dialer knows it */
    struct sock outside;       /* the same as the proxy sees it */
    struct sock contact;       /* the webphone's */
};

/* One side's session description. */
struct session {
    uint32_t version;
    struct sock host, mapped; /* the RTP socket itself, and what STUN said of it; RTCP is one port above both */
    bool ice;                 /* credentials, candidates and rtcp-mux */
    char ufrag[UFRAG_TEXT], pwd[PWD_TEXT];
};

const char *ip_text(uint32_t ip, char buf[IP_TEXT]);
void sdp_text(struct msg *m, const struct session *s);

/* `tagged`: the dialog is established, so To has its tag. `sdp` may be NULL. */
void sip_request(struct msg *m, const struct dialog *d, const char *method, unsigned cseq, bool tagged, const struct msg *sdp);
void sip_reply(struct msg *m, const struct dialog *d, const char *status_line, const char *method, unsigned cseq, bool tagged,
               const struct msg *sdp);

#endif
