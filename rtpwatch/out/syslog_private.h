/* Inside the syslog output: target, form, queue, link and TLS, each in a file of its name. */
#ifndef RW_OUT_SYSLOG_PRIVATE_H
#define RW_OUT_SYSLOG_PRIVATE_H

#include <sys/socket.h>

#include "base/strbuf.h"
#include "out/syslog.h"

/* ---- target ---- */

enum syslog_transport { SYSLOG_TO_LOCAL, SYSLOG_TO_UDP, SYSLOG_TO_TCP, SYSLOG_TO_TLS };
enum { SYSLOG_HOST = 256, SYSLOG_ADDRESSES = 8 };

struct syslog_target {
    enum syslog_transport transport;
    char host[SYSLOG_HOST]; /* a name or an address without brackets; the path of a local socket */
    uint16_t port;
    char text[SYSLOG_HOST + 16]; /* as given, for messages */
};

static inline bool syslog_is_stream(const struct syslog_target *t)
{
    return t->transport == SYSLOG_TO_TCP || t->transport == SYSLOG_TO_TLS;
}

bool syslog_target_parse(const char *text, struct syslog_target *out, char error[SYSLOG_ERROR]);
/* Blocks where the host is a name. Returns how many addresses; 0: *error says why. */
size_t syslog_target_resolve(const struct syslog_target *t, struct sockaddr_storage out[SYSLOG_ADDRESSES],
                             char error[SYSLOG_ERROR]);

/* ---- form ---- */

struct syslog_form {
    const char *host, *app, *sd_id; /* NULL or empty: none */
    uint32_t pid;                   /* 0: none */
    size_t most;                    /* bytes of a message, without its octet count */
    bool local;                     /* for /dev/log */
    bool counted;                   /* RFC 6587 §3.4.1 */
};

bool syslog_sd_id_fits(const char *id); /* RFC 5424 §6.3.2, one that is not kept for the IETF's own */
/* Appends the message as it goes over the wire. `sequence`: RFC 5424 §7.3.1; 0: none. */
void syslog_format(const struct syslog_form *f, const struct syslog_message *m, uint32_t sequence, int64_t at_ns,
                   struct strbuf *out);

/* ---- queue ---- */

/* A message in its form. It waits, then it has left and is held, then it is freed. */
struct syslog_entry {
    uint32_t sequence;
    uint32_t stands_for; /* of a notice: the messages that it says were lost */
    bool left_before;    /* on an earlier link */
    int64_t sent_ns;
    uint64_t end; /* where it ends in the stream of this link; 0 in datagrams */
    size_t n;
    uint8_t bytes[];
};

struct syslog_queue {
    struct syslog_entry **v; /* [0, sent) have left, [sent, n) wait */
    size_t n, sent, most;
    size_t bytes, bytes_most;
    uint64_t acked;              /* how much of the stream the other end has */
    uint32_t untold, untold_seq; /* messages lost since the last notice of it, and the last one's sequenceId */
    uint64_t lost, left, again;
};

bool syslog_queue_init(struct syslog_queue *q, size_t messages, size_t bytes);
void syslog_queue_done(struct syslog_queue *q);
bool syslog_queue_add(struct syslog_queue *q, struct span bytes, uint32_t sequence); /* false: lost, and counted */
bool syslog_queue_can_tell(const struct syslog_queue *q); /* there are untold losses, and room for their notice */
/* In front of what waits: the notice that `untold` messages were lost. False without room or memory: still untold. */
bool syslog_queue_notice(struct syslog_queue *q, struct span bytes);
void syslog_queue_lose(struct syslog_queue *q, uint32_t sequence); /* counts one that never came in */
struct syslog_entry *syslog_queue_next(const struct syslog_queue *q);
void syslog_queue_left(struct syslog_queue *q, int64_t now_ns, uint64_t end); /* the next one has */
void syslog_queue_drop_next(struct syslog_queue *q);
void syslog_queue_confirm(struct syslog_queue *q, uint64_t acked, int64_t now_ns, int64_t hold_ns);
void syslog_queue_again(struct syslog_queue *q); /* the link broke: all that is held waits again */

/* ---- TLS: knows no socket, turns bytes into bytes ---- */

struct syslog_tls;

struct syslog_tls *syslog_tls_new(const struct syslog_tls_options *o, const char *host, char error[SYSLOG_ERROR]);
void syslog_tls_free(struct syslog_tls *t);
bool syslog_tls_load(struct syslog_tls *t, char error[SYSLOG_ERROR]); /* the files again; false: the old ones stay */
/* Each returns false, with the reason in *why, where the connection is no good. What is to be sent to the peer is appended to *out. */
bool syslog_tls_begin(struct syslog_tls *t, char why[SYSLOG_ERROR]);
bool syslog_tls_take(struct syslog_tls *t, struct span from_peer, struct strbuf *out, char why[SYSLOG_ERROR]);
bool syslog_tls_handshake(struct syslog_tls *t, bool *done, struct strbuf *out, char why[SYSLOG_ERROR]);
bool syslog_tls_wrap(struct syslog_tls *t, struct span plain, struct strbuf *out, char why[SYSLOG_ERROR]);
void syslog_tls_end(struct syslog_tls *t, struct strbuf *out); /* says goodbye where *out is given */

/* ---- link ---- */

enum syslog_link_state { SYSLOG_DOWN, SYSLOG_CONNECTING, SYSLOG_HANDSHAKE, SYSLOG_UP };

struct syslog_link {
    const struct syslog_target *target;
    struct sockaddr_storage address[SYSLOG_ADDRESSES];
    size_t addresses, turn; /* the one that is tried next */
    struct syslog_tls *tls; /* of tls:// */
    int fd;
    enum syslog_link_state state;
    int64_t since_ns, retry_ns, delay_ns;
    bool blocked;      /* the kernel takes no more for now */
    int64_t burst_ns;  /* UDP: since then */
    unsigned burst;    /* so many datagrams */
    struct strbuf out; /* streams: what the kernel has not taken yet, from `done` on */
    size_t done;
    uint64_t made, acked; /* bytes of this connection: put into `out` ever; that the other end has */
    uint64_t connections, breaks;
    char why[SYSLOG_ERROR];
};

enum { SYSLOG_BURST = 100 }; /* datagrams in SYSLOG_BURST_NS: a receiver's buffer holds more than that */
#define SYSLOG_BURST_NS (100 * (int64_t)NS_PER_MS)

enum syslog_sent { SYSLOG_TOOK, SYSLOG_FULL, SYSLOG_BROKE, SYSLOG_TOO_LONG };

void syslog_link_init(struct syslog_link *l, const struct syslog_target *target);
void syslog_link_done(struct syslog_link *l);
void syslog_link_step(struct syslog_link *l, int64_t now_ns); /* connects, reads, flushes */
bool syslog_link_ready(const struct syslog_link *l, int64_t now_ns);
enum syslog_sent syslog_link_send(struct syslog_link *l, struct span bytes, int64_t now_ns);
void syslog_link_measure(struct syslog_link *l); /* brings `acked` up to date */
/* Closes for a reason of ours; connects again at once. */
void syslog_link_restart(struct syslog_link *l);

#endif
