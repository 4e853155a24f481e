/* What track's files share and nobody else sees. */
#ifndef RW_TRACK_PRIVATE_H
#define RW_TRACK_PRIVATE_H

#include "track/track.h"

uint32_t socket_find(const struct track *t, const struct addr *a); /* POOL_NONE: never seen */
uint32_t socket_get(struct track *t, const struct addr *a);        /* finds or makes; POOL_NONE when full */
/* Ends the records of the streams that run from and to `a` and began before `ns`: what comes next is judged under another SDP. */
void socket_split_streams(struct track *t, const struct addr *a, int64_t ns);

static inline uint64_t text_word(const void *p)
{
    uint64_t w;

    memcpy(&w, p, 8);
    return w;
}

/*
 * For texts that nearly always are equal and are some tens of bytes long: compared as words, of which the last may overlap the one
 * before, without a call and without looking for the end of `text`.
 */
static inline bool text_is(const char *text, size_t n, struct span s)
{
    size_t i = 0;

    if (n != s.n || n < 8)
        return n == s.n && (n == 0 || memcmp(text, s.p, n) == 0);
    for (; i + 8 < n; i += 8)
        if (text_word(text + i) != text_word(s.p + i))
            return false;
    return text_word(text + n - 8) == text_word(s.p + n - 8);
}

/* What a transaction id stands for: a server transaction's slot, or a check's with this bit. */
enum { TID_IS_CHECK = 1u << 30 };

static inline uint64_t tid_hash(const uint8_t tid[16], const struct addr *asker)
{
    return hash_bytes(tid, 16) ^ addr_hash(asker);
}

/* shared.c: a copy of the text, shared with other calls or in `own`; "" for an empty one or without memory. */
const char *shared_text(struct track *t, struct arena *own, struct span s);
/* shared.c: the cell in which the payload types of such an m= line are, if they are shared. */
struct shared_formats *shared_formats_at(struct track *t, const struct sdp_media *m);
/* rtp.c: the record of `f` that a packet of `ssrc` is measured against, POOL_NONE: none. */
uint32_t flow_stream(const struct track *t, const struct flow *f, uint32_t ssrc);
/* rtp.c: so many records began on `f` within the last minute that none begins at `now_ns`. */
bool flow_crowded(const struct track *t, const struct flow *f, int64_t now_ns);
/* wakes.c: a packet of `f` comes after a pause. */
void flow_wakes(struct track *t, const struct flow *f);
void wakes_done(struct flow_wakes *w);
/* offer.c: the SDP of one message enters the offer/answer exchange of its call. */
void offer_message(struct track *t, struct call *c, const struct datagram *d, const struct sip_msg *m, uint16_t leg,
                   struct sdp_fact *sdp);
/* call_sdp.c: a compact copy of an SDP in the call's arena; NULL without memory or when the call has too many. */
struct sdp_fact *sdp_keep(struct track *t, struct call *c, const struct datagram *d, const struct sip_msg *m, enum party party,
                          const struct sdp *sdp, struct span bytes);
/* turn.c: what a request or an answer of TURN's methods says of an allocation. `tx`: its transaction. */
void turn_request(struct track *t, const struct flow *f, const struct datagram *d, const struct stun_msg *m, uint32_t tx);
void turn_answer(struct track *t, uint32_t tx, const struct datagram *d, const struct stun_msg *m);
/* dtls.c: its tables. */
void dtls_tables_init(struct track *t);
void dtls_tables_done(struct track *t);
/* stun.c: the password that goes with an ICE username fragment (RFC 8445 §5.3). */
void ice_password_add(struct track *t, const char *ufrag, const char *pwd);
uint32_t ice_password_find(const struct track *t, struct span ufrag); /* its slot, POOL_NONE: none */
/* stun.c: the slots of transactions and checks have other numbers. What was asked two compactions ago is no more waited for. */
void tids_renumber(struct track *t, const uint32_t *to_tx, const uint32_t *to_check);
/* outside.c: what the Vias of a message say of where its senders are seen from. `asker`: who sent the request, within call `c`. */
void outside_message(struct track *t, struct call *c, const struct datagram *d, const struct sip_msg *m, enum party asker);
/* links.c: what an INVITE, its 2xx or a REFER says of other calls; links_init() of a new track. */
void links_init(struct track *t);
void links_message(struct track *t, struct call *c, const struct datagram *d, const struct sip_msg *m, enum party from);
/* transfer.c: what a REFER, its reply, or a NOTIFY within the call says of a transfer. */
RARE void transfer_message(struct track *t, struct call *c, const struct datagram *d, const struct sip_msg *m, enum party from);

#endif
