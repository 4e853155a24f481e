/*
 * Messages to a log server: the local one, or a remote one over UDP (RFC 5426), TCP (RFC 6587, octet counting) or TLS (RFC 5425), as
 * RFC 5424 has them. doc/SYSLOG.md shows what arrives.
 *
 * Nothing here waits for a network but syslog_open(), which looks up a name: messages wait in a bounded queue, sockets never block,
 * and syslog_run() does what can be done at once. What is sent is held until the other end's kernel has it
 * and SYSLOG_HOLD_NS have passed, and is sent again where the link breaks before: a message may arrive twice, and then with the same
 * sequenceId, but it is not lost without being counted.
 *
 * A confined program needs for it: sockets of AF_UNIX, AF_INET and AF_INET6, and ioctl(2) on them; for tls:// without a CA file the
 * system's certificates, readable whenever it connects (/etc/ssl, /usr/lib/ssl); for syslog_reopen() the TLS files. It never raises
 * SIGPIPE, starts no thread and runs no program.
 *
 * The loop: poll(2) on syslog_descriptor() until syslog_due(), then syslog_run(). One struct for each target.
 */
#ifndef RW_OUT_SYSLOG_H
#define RW_OUT_SYSLOG_H

#include "base/clock.h"
#include "base/span.h"

enum {
    SYSLOG_ERROR = 480,
    SYSLOG_MESSAGE = 8192,  /* bytes of one message over TCP, TLS and the local socket: what receivers take by default */
    SYSLOG_DATAGRAM = 1400, /* over UDP: one packet, also through a tunnel (RFC 5426 §3.2) */
    SYSLOG_TEXT = 1024,     /* bytes of the text; half a message where that is less */
    SYSLOG_VALUE = 512,     /* bytes of one value, before it is escaped */
    SYSLOG_QUEUE = 1024,    /* messages, by default */
    SYSLOG_QUEUE_BYTES = 1 << 20,
};

#define SYSLOG_RETRY_NS      SECONDS(1)  /* after the first break; doubles with each that follows */
#define SYSLOG_RETRY_MOST_NS SECONDS(60) /* up to that */
#define SYSLOG_STEADY_NS     SECONDS(10) /* a link that lasted so long begins again with the first */
#define SYSLOG_CONNECT_NS    SECONDS(10) /* for TCP and TLS together */
#define SYSLOG_HOLD_NS       SECONDS(2)

/* RFC 5424 §6.2.1. */
enum syslog_severity {
    SYSLOG_EMERGENCY,
    SYSLOG_ALERT,
    SYSLOG_CRITICAL,
    SYSLOG_ERR,
    SYSLOG_WARNING,
    SYSLOG_NOTICE,
    SYSLOG_INFORMATIONAL,
    SYSLOG_DEBUG,
};
enum { SYSLOG_DAEMON = 3, SYSLOG_LOCAL0 = 16, SYSLOG_FACILITIES = 24 };

struct syslog_param {
    const char *name; /* printable ASCII without '=', ']', '"' and blanks, at most 32 bytes; other bytes become '_' */
    struct span value;
};

/* Text and values may hold anything: what is no printable UTF-8 becomes U+FFFD, what is too long is cut and ends in "…". */
struct syslog_message {
    enum syslog_severity severity;
    unsigned facility;                 /* below SYSLOG_FACILITIES; others count as SYSLOG_DAEMON */
    const char *id;                    /* MSGID: "alert", "update", "recovery" */
    struct span text;                  /* for people */
    const struct syslog_param *params; /* for machines, the important ones first: what does not fit is left out and counted */
    size_t n;
};

/* Strings are borrowed until syslog_close(). Zero and NULL are defaults. */
struct syslog_options {
    const char *host; /* HOSTNAME; the system's name */
    const char
        *sd_id;   /* "rtpwatch@32473": RFC 5612 keeps that enterprise number for examples; who has one of their own gives it */
    uint32_t pid; /* PROCID; 0: none */
    unsigned facility; /* of its own notices; 0: SYSLOG_DAEMON */
    size_t messages;   /* the queue's bound; SYSLOG_QUEUE */
    size_t bytes;      /* likewise, at least two of SYSLOG_MESSAGE; SYSLOG_QUEUE_BYTES */
    struct syslog_tls_options {
        const char *ca_file;              /* PEM; the system's certificates */
        const char *cert_file, *key_file; /* PEM, of this client, both or none; the key without a pass phrase */
        bool insecure;                    /* the server's certificate is not verified; said in the log, and by syslog_caution() */
    } tls;
};

struct syslog;

/* Whether `target` is well formed; looks nothing up. False: *error says what was expected. */
bool syslog_target_check(const char *target, char error[SYSLOG_ERROR]);

/*
 * `target`: "local" (/dev/log), "local:/PATH", "udp://HOST[:PORT]", "tcp://HOST[:PORT]" (both 514) or "tls://HOST[:PORT]" (6514); an
 * IPv6 address in brackets. A name is looked up here and at no other time, for that blocks; all of its addresses (up to 8) are tried in
 * turn, as long as this target lives. Connects in syslog_run(). NULL: *error says why.
 */
struct syslog *syslog_open(const char *target, const struct syslog_options *o, char error[SYSLOG_ERROR]);

/*
 * Queues a message of that time (nanoseconds since 1970), copied. Where the queue is full the oldest message that has not left is
 * dropped, so that the latest state is what arrives; where all have left and none is acknowledged yet, this one is. False: it was.
 */
bool syslog_send(struct syslog *s, const struct syslog_message *m, int64_t at_ns);

/* What to poll(2) for; -1: nothing just now. Changes with syslog_send() and syslog_run(). */
int syslog_descriptor(const struct syslog *s, short *events);
int64_t syslog_due(const struct syslog *s); /* when to call syslog_run() even so; the past: at once; INT64_MAX: no need to */

/* Connects, sends and drops what is acknowledged, as far as it goes without waiting. `now_ns`: wall clock; steps of it do no harm. */
void syslog_run(struct syslog *s, int64_t now_ns);

/*
 * For SIGHUP: reads the certificates again, which are local files, and connects anew at once, to the addresses that were found at the
 * start.
 * False: *error says what was not possible; what was in force stays so, and the link as it is.
 */
bool syslog_reopen(struct syslog *s, char error[SYSLOG_ERROR]);

struct syslog_stats {
    bool up;              /* connected; of UDP and the local socket: nothing was refused lately */
    uint64_t accepted;    /* messages given to syslog_send() */
    uint64_t sent;        /* that left, each once; notices of losses are not counted */
    uint64_t again;       /* sent another time */
    uint64_t lost;        /* dropped: the queue was full, no memory, or too long for the path */
    uint64_t connections; /* times the link came up */
    uint64_t breaks;      /* times it broke, or did not come up */
    size_t queued, held;  /* messages: not sent yet; sent, and held until that is sure */
    size_t bytes;         /* of both */
    const char *why;      /* what broke the link last; "": nothing. Valid until the next call */
};

void syslog_stats(const struct syslog *s, struct syslog_stats *out);
/* NULL, or a sentence that the operator must see: that the server's certificate is not verified. */
const char *syslog_caution(const struct syslog *s);

/* Sends what waits for `most_ms` milliseconds at most, measured with `clock` (as `now_ns` above). */
void syslog_drain(struct syslog *s, unsigned most_ms, int64_t (*clock)(void));
/* The same, and frees all. Returns how many messages were not sent. NULL: nothing. */
size_t syslog_close(struct syslog *s, unsigned most_ms, int64_t (*clock)(void));

#endif
