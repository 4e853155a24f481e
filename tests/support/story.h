/*
 * A story-teller for tests: what one capture point sees of calls, told event by event through track's own functions. There are no
 * bytes and no files; time passes only where the story says so. Addresses are texts, "203.0.113.10:10000".
 *
 * The cast: a dialer D behind a NAT that maps one to one, a webphone W behind another, a STUN server that is honest and one that
 * lies (of two operators, thus in two networks), a SIP proxy between the parties, and a stranger, who has nothing to do with them.
 */
#ifndef RW_TESTS_STORY_H
#define RW_TESTS_STORY_H

#include "base/strbuf.h"
#include "verdict/unsignalled.h"

#define D_HOST   "172.31.16.10"
#define D_OUT    "203.0.113.10"
#define W_HOME   "192.168.1.50"
#define W_OUT    "198.51.100.20"
#define STRANGER "198.18.7.77"
#define PROXY    "192.0.2.60"
#define HONEST   "192.0.2.30:3478"
#define LIAR     "192.0.2.19:19302"

/* The media sockets of most stories: D's own, how it is seen from outside, and W's as D sees it. */
#define D_RTP      D_HOST ":10000"
#define D_RTP_OUT  D_OUT ":10000"
#define W_RTP      W_OUT ":40000"
#define W_RTP_HOME W_HOME ":40000"

enum { STORY_ACTS = 24, STORY_CANDIDATES = 6, STORY_HEADERS = 4 };

/* Something that goes on while time passes. A test may change it in between. */
enum act_kind { ACT_RTP, ACT_RTCP, ACT_CHECKS };
struct act {
    enum act_kind kind;
    struct addr from, to;
    uint32_t ssrc, about; /* about: the SSRC that RTCP reports on; 0: it hears nobody (RC = 0) */
    uint8_t pt;
    unsigned every_ms;
    bool over;           /* it has ended */
    bool frozen;         /* its reports go on, and their highest sequence number does not */
    bool no_sr;          /* RTCP: receiver reports only */
    bool srtcp;          /* RTCP: what follows the first eight bytes cannot be read */
    bool lost;           /* RTP: what is sent does not get here */
    bool nominates;      /* ICE checks: by the controlling agent, with USE-CANDIDATE */
    bool controls;       /* ICE checks: by the controlling agent, which does not nominate */
    bool forged;         /* ICE checks: the answers' MESSAGE-INTEGRITY is wrong */
    const char *user;    /* ICE checks: USERNAME */
    struct addr seen_as; /* ICE checks: what the answers say; port 0: no answers */
    unsigned lose_every; /* RTP: the network loses each such packet; 0: none */
    uint8_t mid_ext;     /* RTP: its packets carry `mid` under that id; 0: they do not */
    const char *mid;
    uint32_t reports_lost; /* RTCP: lost packets, as it reports them */
    uint32_t sent, highest;
    int64_t began_ns, next_ns;
};

struct story {
    struct track *track;
    struct fault_log faults;
    struct addr here; /* the host whose packets leave from here: TTL 64 */
    uint8_t ttl_far;  /* all others': 57, seven routers away */
    bool cooked;      /* the capture says what left the host (Linux cooked headers) */
    int64_t now_ns;
    uint64_t frame; /* of the latest packet */
    /* The call that is being told. */
    const char *call_id, *sip[PARTIES], *tag[PARTIES];
    const char *via[PARTIES];      /* what the party writes into its Via */
    const char *received[PARTIES]; /* what the first SIP server adds to it (RFC 3581), NULL nothing */
    struct {
        const char *name, *value;
    } header[STORY_HEADERS]; /* in its messages, up to the first without a name */
    const char *body;        /* of its messages without a description; NULL: none */
    bool up;
    uint32_t cseq;
    enum sip_method asked;
    enum party asker;
    size_t acts;
    struct act act[STORY_ACTS];
    uint8_t tids;
    bool beyond_relay; /* what goes between a TURN relay and its peers is seen there, not inside TURN */
    /* How it is judged. */
    struct view_options options;
    struct view view;
    struct unsignalled unsignalled;
    struct session_finding *found;
    struct strbuf text;
};

struct story *story_new(const char *here); /* NULL: at no party's host */
void story_free(struct story *s);
/* The next packet, seen now; its flow counts it. For those who tell more than is told here. */
struct flow *story_packet(struct story *s, const char *from, const char *to, size_t size, struct datagram *out);
void story_pass(struct story *s, unsigned ms); /* time passes, and the acts go on */

/* ---- SIP ---- */

/* A description of one audio m-line. */
struct says {
    const char *rtp;   /* c= and m= */
    enum sdp_dir dir;  /* sendrecv where not told */
    const char *ufrag; /* ICE where told; the password is "password-of-UFRAG" */
    struct {
        enum sdp_cand_type type;
        const char *addr, *base; /* base: raddr, or NULL */
    } cand[STORY_CANDIDATES];    /* up to the first without address */
    bool refused;                /* port 0 */
    bool lite;                   /* a=ice-lite */
    const char *fingerprint;     /* DTLS-SRTP where told: "sha-256 AB:…", see story_fingerprint() */
    const char *setup;           /* a=setup, NULL none */
    bool more_fingerprints;      /* others stand beside it */
    void (*more)(struct sdp *);  /* adds what this does not know, such as further m-lines */
};
/* SAYS("203.0.113.10:10000", .dir = SDP_SENDONLY) */
#define SAYS(...)                                                                                                                \
    &(struct says)                                                                                                               \
    {                                                                                                                            \
        .rtp = __VA_ARGS__                                                                                                       \
    }

/* The next messages belong to another call. */
void story_call(struct story *s, const char *call_id, const char *caller_sip, const char *callee_sip);
void story_request(struct story *s, enum party by, enum sip_method method, const struct says *sdp);
void story_reply(struct story *s, unsigned status, const struct says *sdp);           /* to the latest request */
void story_up(struct story *s, const struct says *caller, const struct says *callee); /* INVITE, 180, 200, ACK */
void story_reinvite(struct story *s, enum party by, const struct says *offer, const struct says *answer);
void story_bye(struct story *s, enum party by);

/* ---- STUN, ICE, DNS, ICMP ---- */

struct asks {
    const char *from, *server;
    const char *mapped; /* XOR-MAPPED-ADDRESS; MAPPED-ADDRESS where it is RFC 3489. NULL and no error: no answer */
    const char *plain;  /* MAPPED-ADDRESS beside it, or NULL */
    bool classic;       /* RFC 3489 */
    uint16_t error;
};

void story_stun(struct story *s, const struct asks *a);
void story_dns(struct story *s, const char *name, const char *ip);
void story_icmp(struct story *s, const char *reporter, const char *from, const char *to, enum icmp_what what);

/* ---- DTLS (story_dtls.c) ---- */

/* The flights of DTLS 1.2 (RFC 6347 §4.2), one datagram each; of DTLS 1.3 (RFC 9147 §5.7) what can be told apart of them. */
enum flight {
    FLIGHT_CLIENT_HELLO,
    FLIGHT_VERIFY, /* HelloVerifyRequest */
    FLIGHT_SERVER, /* ServerHello, Certificate, ServerHelloDone */
    FLIGHT_CLIENT, /* Certificate, ClientKeyExchange, ChangeCipherSpec, Finished */
    FLIGHT_FINISHED,
    FLIGHT_ALERT,           /* fatal and in the clear */
    FLIGHT_ALERT_ENCRYPTED, /* close_notify among them */
    FLIGHT_SERVER_HELLO_13,
    FLIGHT_ENCRYPTED_13,   /* under the handshake's keys: what follows the hellos, or an ACK */
    FLIGHT_APPLICATION_13, /* under the application's keys: an ACK among them */
};

struct says_dtls {
    const char *from, *to;
    enum flight flight;
    const char *certificate; /* stands for the DER; NULL: none */
    unsigned attempt;        /* another one has another random */
    uint8_t alert;
    size_t size; /* bytes of the datagram; 0: 200 */
    bool cut;    /* the snap length removed its end */
};
void story_dtls(struct story *s, const struct says_dtls *d); /* then some milliseconds pass */
#define DTLS(s, ...) story_dtls(s, &(struct says_dtls){ .from = __VA_ARGS__ })
/* All four flights; the client is `from`. */
void story_handshake(struct story *s, const char *from, const char *to, const char *client_cert, const char *server_cert);
/* "sha-256 AB:CD:…" of what stands for a certificate; kept until the fourth call from now. */
const char *story_fingerprint(const char *certificate);

/* ---- what goes on ---- */

struct act *story_play(struct story *s, const char *from, const char *to, uint32_t ssrc); /* RTP, 20 ms a packet */
struct act *story_report(struct story *s, const char *from, const char *to, uint32_t ssrc, uint32_t about); /* RTCP, every 5 s */
/* ICE checks, two a second; `seen_as`: what the answers say, NULL: nobody answers. */
struct act *story_checks(struct story *s, const char *from, const char *to, const char *user, const char *seen_as);
void story_turn(struct act *a, const char *to); /* from now on it goes there */
void story_hush(struct story *s);               /* all acts end */

/* ---- judging ---- */

/* Calls count from 0, and after them the sessions without signalling; valid until the next judgement. */
const struct session_finding *story_judge(struct story *s, uint32_t call);
uint32_t story_unsignalled(struct story *s); /* how many sessions without signalling there are */
const struct direction_finding *story_direction(struct story *s, enum party from); /* of the last judgement; NULL none */
struct server_finding story_server(struct story *s, const char *server);

/* What a test expects of a session. Where no cause is told there is to be none, and no server. */
struct outcome {
    uint32_t call;
    enum verdict verdict;
    enum cause cause;
    enum confidence least, most; /* most: not told, no bound */
    const char *server;          /* who is blamed; NULL: nobody */
    const char *warned;          /* whom a bad_candidate warning names; NULL: there is none */
};

/* "" where the session is judged so and a failure has its evidence; else what differs, and all that was found. */
const char *story_differs(struct story *s, const struct outcome *want);
const char *story_direction_differs(struct story *s, enum party from, enum dir_verdict want);

#define EXPECT(s, ...)                                                                                                           \
    do {                                                                                                                         \
        const char *differs_ = story_differs(s, &(struct outcome){ __VA_ARGS__ });                                               \
        cr_expect(*differs_ == '\0', "%s", differs_);                                                                            \
    } while (0)
#define EXPECT_DIRECTION(s, from, want)                                                                                          \
    do {                                                                                                                         \
        const char *differs_ = story_direction_differs(s, from, want);                                                           \
        cr_expect(*differs_ == '\0', "%s", differs_);                                                                            \
    } while (0)

#endif
