/*
 * Findings as they happen (SPEC §5, events): sessions are judged again and again while they last, and what changes is told once. A
 * verdict must hold for a while before it is believed, in both directions, so that a lost second is no alarm.
 *
 * Time is packet time, fed by whoever runs it; nothing happens between two calls of monitor_tick().
 */
#ifndef RW_VERDICT_MONITOR_H
#define RW_VERDICT_MONITOR_H

#include "verdict/dns_finding.h"
#include "verdict/ledger.h"
#include "verdict/verdict.h"

#define EVENTS(X)                                                                                                                \
    X(SESSION_STARTED, "session.started")             /* its first message */                                                    \
    X(SESSION_ANSWERED, "session.answered")           /* media is expected from here on */                                       \
    X(SESSION_MEDIA_MISSING, "session.media_missing") /* a direction failed, or setup did, and it stayed so */                   \
    X(SESSION_RECOVERED, "session.recovered")         /* after that, all is well again */                                        \
    X(SESSION_ENDED, "session.ended")                 /* with its last verdict */                                                \
    X(STUN_CONTRADICTION, "stun.contradiction")       /* a server's answer is found wrong */                                     \
    X(STUN_SILENT, "stun.silent")                     /* a server that was asked several times answers nothing */                \
    X(STUN_ANSWERS, "stun.answers")                   /* a silent one answers */                                                 \
    X(STUN_ASKED, "stun.asked")                       /* a local host asks a server, for the first time in an hour */            \
    X(STUN_MEASURED, "stun.measured")                 /* how a server answered in a minute */                                    \
    X(TURN_REFUSED, "turn.refused")                   /* an error that is no challenge */                                        \
    X(DNS_ANSWER, "dns.answer")                       /* one that was not seen before */                                         \
    X(DNS_USED, "dns.used")                           /* by the host that got it, the first time */                              \
    X(DNS_STALE, "dns.stale")                         /* used longer than it was valid */                                        \
    X(DNS_DISAGREES, "dns.disagrees")                 /* with another resolver */                                                \
    X(ICMP_ERRORS, "icmp.errors")                     /* of a minute, about packets to one host */

#define X(id, word) EVENT_##id,
enum event_kind { EVENTS(X) EVENTS_N };
#undef X

const char *event_word(enum event_kind k);

#define USES(X)                                                                                                                  \
    X(STUN, "stun")                                                                                                              \
    X(TURN, "turn")                                                                                                              \
    X(SIP, "sip")                                                                                                                \
    X(MEDIA, "media")
#define X(id, word) USE_##id,
enum use_as { USES(X) USES_N };
#undef X

const char *use_word(enum use_as u);

/* What an address from DNS is used for. */
struct event_use {
    enum use_as as;
    struct addr address, by;
    int64_t age_ns; /* since the answer */
    struct seen at;
};

struct event_icmp {
    struct addr address, reporter; /* IPs: whom the packets were for, who said so last */
    enum icmp_what what;           /* the latest */
    uint64_t errors;
    struct seen last;
};

struct event {
    enum event_kind kind;
    int64_t at_ns;                         /* when it was found, in packet time */
    const struct session_finding *session; /* of session events, else NULL; valid within the call */
    const struct server_finding *server;   /* of STUN events, else NULL; valid within the call */
    uint32_t tx;                           /* contradiction, asked, refused: the transaction; else POOL_NONE */
    enum confidence confidence;            /* of a contradiction */
    const struct session_finding *why;     /* of a contradiction: its evidence, and nothing else of it; else NULL */
    const struct dns_finding *dns, *other; /* of DNS events: the answer; whom it disagrees with, else NULL */
    const struct event_use *use;           /* of a use, else NULL */
    const struct event_icmp *icmp;         /* of ICMP errors, else NULL */
};

struct monitor_options {
    int64_t grace_ns; /* after the answer, before missing media is judged; 0: MONITOR_GRACE_NS */
    uint32_t unheard; /* bits of enum event_kind, of sessions: nobody hears of these, so they are not told, nor judged for */
    bool brief;       /* who hears of sessions reads their verdict alone: they are judged briefly, and no evidence is written */
};

#define MONITOR_GRACE_NS SECONDS(5)
#define MONITOR_HOLD_NS  SECONDS(2) /* how long a change must last before it is told */
#define MONITOR_EVERY_NS SECONDS(5) /* how often a session that is up is judged again */
#define MONITOR_AFTER_NS SECONDS(2) /* after its end: what was still under way is waited for */

#define MONITOR_MINUTE_NS      SECONDS(60)   /* how often what is counted is told */
#define MONITOR_ASKED_AGAIN_NS SECONDS(3600) /* a server that was not asked for so long is new */
#define MONITOR_STALE_AGAIN_NS SECONDS(1800) /* an answer that is used on and on is told again so often */

enum { MONITOR_SESSIONS = 1 << 20, MONITOR_CLAIMS = 1 << 16, MONITOR_REFUSALS = 1 << 12, MONITOR_HOSTS = 1 << 12 };

/* Sessions that ended and that the notebook has given up since: all that is still known of them. */
struct forgotten {
    uint64_t sessions, by_verdict[VERDICTS_N], by_cause[CAUSES_N];
};

/* One record for each session that is followed. */
struct sessions {
    struct pool watched;
    struct hmap by_key;
};

struct monitor {
    struct monitor_options options; /* `unheard` and `brief` may be changed between two ticks */
    /* monitor_sessions.c: calls of the notebook, and sessions without signalling */
    struct sessions signalled, unsignalled;
    struct going {
        uint32_t call, watched;
    } * going; /* the calls that are not over, in their order */
    uint32_t going_n, going_room;
    uint32_t calls_from;       /* those from here on are new */
    bool calls_moved;          /* the notebook was made smaller */
    uint64_t judged, gathered; /* how often a session was judged, and those without signalling gathered: that is what costs */
    struct pool claims;        /* contradictions that were told */
    struct hmap by_claim;
    struct pool silent; /* servers that were told to be silent */
    struct hmap by_silent;
    uint32_t recent_from; /* STUN transactions before it are too old to be looked at again */
    /* monitor_servers.c. Transactions are looked at once for each of these, from where it stopped. */
    struct pool asked; /* servers, and when each was asked last */
    struct hmap by_asked;
    struct pool refusals; /* recent ones that were told */
    struct hmap by_refusal;
    uint32_t asked_from, refused_from, measured_from;
    int64_t measured_ns; /* the end of the minute that was told last */
    /* monitor_names.c, monitor_icmp.c: what was told of each answer, and of each flow's errors */
    struct dns_index answers;
    struct ledger names, icmps;
    uint32_t used_from;
    int64_t minute_from_ns, minute_ns;                /* of what is counted: since when, and when it is told next */
    int64_t ticked_ns;                                /* the latest tick */
    int64_t unsignalled_due_ns, unsignalled_until_ns; /* sessions without signalling: when, and until when, they are gathered */
    uint64_t by_verdict[VERDICTS_N], by_cause[CAUSES_N]; /* of sessions that have ended */
    struct forgotten forgotten;
    struct session_finding *finding; /* room for one */
};

/* `o` NULL: defaults. */
bool monitor_init(struct monitor *m, const struct monitor_options *o); /* false without memory */
void monitor_done(struct monitor *m);

/* Judges what is due at v->now_ns and tells each change. `v` may be made anew for every call. */
void monitor_tick(struct monitor *m, const struct view *v, void (*tell)(void *self, const struct event *e), void *self);

/* The notebook's slots have changed (track was made smaller): what was told is still known. */
void monitor_renumbered(struct monitor *m);

/* At the end of input: every session that has not ended is told as it stands. */
void monitor_finish(struct monitor *m, const struct view *v, void (*tell)(void *self, const struct event *e), void *self);

#endif
