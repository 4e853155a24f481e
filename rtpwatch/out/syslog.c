#include "out/syslog.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "out/syslog_private.h"

#define SEQUENCE_MOST 2147483647u /* RFC 5424 §7.3.1 */
#define ACK_LOOK_NS   ((int64_t)NS_PER_S)

struct syslog {
    struct syslog_target target;
    struct syslog_form form;
    struct syslog_queue queue;
    struct syslog_link link;
    char host[256], caution[SYSLOG_ERROR];
    unsigned facility;
    bool caution_told;
    uint32_t sequence;
    int64_t looked_ns; /* when syslog_run() was last here */
    uint64_t accepted;
    struct strbuf text; /* room for one message in its form */
};

/* ---- opening ---- */

static void set_form(struct syslog *s, const struct syslog_options *o)
{
    bool datagram = s->target.transport == SYSLOG_TO_UDP;

    if (!o->host && gethostname(s->host, sizeof s->host - 1) != 0)
        *s->host = 0;
    s->form = (struct syslog_form){
        .host = o->host ? o->host : s->host,
        .app = "rtpwatch",
        .sd_id = o->sd_id ? o->sd_id : "rtpwatch@32473",
        .pid = o->pid,
        .most = datagram ? SYSLOG_DATAGRAM : SYSLOG_MESSAGE,
        .local = s->target.transport == SYSLOG_TO_LOCAL,
        .counted = syslog_is_stream(&s->target),
    };
    s->facility = o->facility ? o->facility : SYSLOG_DAEMON;
}

static bool open_parts(struct syslog *s, const char *target, const struct syslog_options *o, char *error)
{
    size_t least = 2 * SYSLOG_MESSAGE, bytes = o->bytes ? o->bytes : SYSLOG_QUEUE_BYTES;
    char why[SYSLOG_ERROR];

    if (!syslog_target_parse(target, &s->target, error))
        return false;
    if (o->sd_id && !syslog_sd_id_fits(o->sd_id)) {
        snprintf(error, SYSLOG_ERROR, "SD-ID '%.64s': expected NAME@NUMBER of your own (RFC 5424 §6.3.2), at most 32 letters",
                 o->sd_id);
        return false;
    }
    syslog_link_init(&s->link, &s->target);
    s->link.addresses = syslog_target_resolve(&s->target, s->link.address, error);
    if (s->link.addresses == 0)
        return false;
    if (s->target.transport == SYSLOG_TO_TLS && !(s->link.tls = syslog_tls_new(&o->tls, s->target.host, why))) {
        snprintf(error, SYSLOG_ERROR, "syslog target '%.100s': %.350s", target, why);
        return false;
    }
    if (s->link.tls && o->tls.insecure)
        snprintf(s->caution, sizeof s->caution,
                 "the certificate of %.200s is not verified (insecure): whoever is on the way can read and change what is logged",
                 s->target.text);
    set_form(s, o);
    snprintf(error, SYSLOG_ERROR, "not enough memory");
    return syslog_queue_init(&s->queue, o->messages ? o->messages : SYSLOG_QUEUE, bytes < least ? least : bytes);
}

static void free_all(struct syslog *s)
{
    syslog_link_done(&s->link);
    syslog_queue_done(&s->queue);
    strbuf_done(&s->text);
    free(s);
}

struct syslog *syslog_open(const char *target, const struct syslog_options *o, char error[SYSLOG_ERROR])
{
    static const struct syslog_options defaults;
    struct syslog *s = calloc(1, sizeof *s);

    if (!s) {
        snprintf(error, SYSLOG_ERROR, "not enough memory");
        return NULL;
    }
    s->link.fd = -1;
    if (!open_parts(s, target, o ? o : &defaults, error)) {
        free_all(s);
        return NULL;
    }
    *error = 0;
    return s;
}

const char *syslog_caution(const struct syslog *s)
{
    return *s->caution ? s->caution : NULL;
}

bool syslog_reopen(struct syslog *s, char error[SYSLOG_ERROR])
{
    char why[SYSLOG_ERROR];

    if (s->link.tls && !syslog_tls_load(s->link.tls, why)) {
        snprintf(error, SYSLOG_ERROR, "syslog target '%.100s': %.350s", s->target.text, why);
        return false;
    }
    syslog_link_measure(&s->link);
    syslog_queue_confirm(&s->queue, syslog_is_stream(&s->target) ? s->link.acked : UINT64_MAX, s->looked_ns, 0);
    syslog_link_restart(&s->link);
    syslog_queue_again(&s->queue);
    *error = 0;
    return true;
}

/* ---- messages ---- */

static uint32_t next_sequence(struct syslog *s)
{
    s->sequence = s->sequence == SEQUENCE_MOST ? 1 : s->sequence + 1;
    return s->sequence;
}

/* The message in its form; empty without memory. */
static struct span formed(struct syslog *s, const struct syslog_message *m, uint32_t sequence, int64_t at_ns)
{
    strbuf_clear(&s->text);
    syslog_format(&s->form, m, sequence, at_ns, &s->text);
    return s->text.failed ? SPAN_NONE : (struct span){ (const uint8_t *)s->text.p, s->text.n };
}

static bool enqueue(struct syslog *s, const struct syslog_message *m, int64_t at_ns)
{
    uint32_t sequence = next_sequence(s);
    struct span bytes = formed(s, m, sequence, at_ns);

    if (bytes.n)
        return syslog_queue_add(&s->queue, bytes, sequence);
    syslog_queue_lose(&s->queue, sequence);
    return false;
}

bool syslog_send(struct syslog *s, const struct syslog_message *m, int64_t at_ns)
{
    s->accepted++;
    return enqueue(s, m, at_ns);
}

static void tell_caution(struct syslog *s, int64_t now_ns)
{
    const struct syslog_message m = { SYSLOG_WARNING, s->facility, "caution", span_str(s->caution), NULL, 0 };

    if (*s->caution && !s->caution_told)
        s->caution_told = enqueue(s, &m, now_ns);
}

/* In the place, and with the number, of the last one that was lost. */
static void tell_losses(struct syslog *s, int64_t now_ns)
{
    char count[16], text[SYSLOG_ERROR];
    struct syslog_param params[2] = { { "lost", SPAN_NONE }, { "target", span_str(s->target.text) } };
    const struct syslog_message m = { SYSLOG_WARNING, s->facility, "lost", { (const uint8_t *)text, 0 }, params, 2 };
    struct syslog_message told = m;
    struct span bytes;

    snprintf(count, sizeof count, "%" PRIu32, s->queue.untold);
    snprintf(text, sizeof text, "rtpwatch: %s message%s lost while %s was away or too slow", count,
             s->queue.untold == 1 ? " was" : "s were", s->target.text);
    params[0].value = span_str(count);
    told.text = span_str(text);
    bytes = formed(s, &told, s->queue.untold_seq, now_ns);
    if (bytes.n)
        (void)syslog_queue_notice(&s->queue, bytes);
}

/* ---- running ---- */

static void send_waiting(struct syslog *s, int64_t now_ns)
{
    struct syslog_entry *e;

    if (syslog_queue_can_tell(&s->queue) && syslog_link_ready(&s->link, now_ns))
        tell_losses(s, now_ns);
    while ((e = syslog_queue_next(&s->queue))) {
        enum syslog_sent sent = syslog_link_send(&s->link, (struct span){ e->bytes, e->n }, now_ns);

        if (sent == SYSLOG_TOOK)
            syslog_queue_left(&s->queue, now_ns, s->link.made);
        else if (sent == SYSLOG_TOO_LONG)
            syslog_queue_drop_next(&s->queue);
        else
            return;
    }
}

void syslog_run(struct syslog *s, int64_t now_ns)
{
    struct syslog_link *l = &s->link;

    s->looked_ns = now_ns;
    tell_caution(s, now_ns);
    syslog_link_step(l, now_ns);
    syslog_link_measure(l);
    syslog_queue_confirm(&s->queue, syslog_is_stream(&s->target) ? l->acked : UINT64_MAX, now_ns, SYSLOG_HOLD_NS);
    if (l->state == SYSLOG_UP)
        send_waiting(s, now_ns);
    if (l->state != SYSLOG_UP)
        syslog_queue_again(&s->queue);
}

int syslog_descriptor(const struct syslog *s, short *events)
{
    const struct syslog_link *l = &s->link;
    bool wants_out = l->state == SYSLOG_CONNECTING || l->blocked;

    *events = (short)(wants_out ? POLLIN | POLLOUT : POLLIN);
    return l->fd;
}

/* What is held: first until its time is over, then until the other end has it. */
static int64_t due_held(const struct syslog *s)
{
    const struct syslog_queue *q = &s->queue;
    int64_t over = q->v[0]->sent_ns + SYSLOG_HOLD_NS;

    return over > s->looked_ns ? over : s->looked_ns + ACK_LOOK_NS;
}

int64_t syslog_due(const struct syslog *s)
{
    const struct syslog_link *l = &s->link;
    const struct syslog_queue *q = &s->queue;

    if (l->state == SYSLOG_DOWN)
        return l->retry_ns;
    if (l->state != SYSLOG_UP)
        return l->since_ns + SYSLOG_CONNECT_NS;
    if ((q->sent < q->n || syslog_queue_can_tell(q)) && !l->blocked)
        return syslog_link_ready(l, s->looked_ns) ? INT64_MIN : l->burst_ns + SYSLOG_BURST_NS;
    return q->sent ? due_held(s) : INT64_MAX;
}

void syslog_stats(const struct syslog *s, struct syslog_stats *out)
{
    *out = (struct syslog_stats){
        .up = s->link.state == SYSLOG_UP,
        .accepted = s->accepted,
        .sent = s->queue.left,
        .again = s->queue.again,
        .lost = s->queue.lost,
        .connections = s->link.connections,
        .breaks = s->link.breaks,
        .queued = s->queue.n - s->queue.sent,
        .held = s->queue.sent,
        .bytes = s->queue.bytes,
        .why = s->link.why,
    };
}

/* ---- closing ---- */

/* All has left, and of a stream the other end has all. */
static bool drained(const struct syslog *s)
{
    return syslog_queue_next(&s->queue) == NULL && !s->queue.untold &&
           (!syslog_is_stream(&s->target) || s->link.acked >= s->link.made);
}

void syslog_drain(struct syslog *s, unsigned most_ms, int64_t (*clock)(void))
{
    int64_t began = clock(), now = began, until = began + (int64_t)most_ms * NS_PER_MS;

    syslog_run(s, now);
    while (!drained(s) && now >= began && now < until) {
        struct pollfd p = { .fd = -1 };

        p.fd = syslog_descriptor(s, &p.events);
        (void)poll(&p, 1, 10); /* acknowledgements wake nobody */
        now = clock();
        syslog_run(s, now);
    }
}

size_t syslog_close(struct syslog *s, unsigned most_ms, int64_t (*clock)(void))
{
    size_t unsent;

    if (!s)
        return 0;
    syslog_drain(s, most_ms, clock);
    unsent = s->queue.n - s->queue.sent;
    free_all(s);
    return unsent;
}
