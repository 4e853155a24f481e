/* What the makers of sessions without signalling share and nobody else sees. */
#ifndef RW_VERDICT_UNSIGNALLED_PRIVATE_H
#define RW_VERDICT_UNSIGNALLED_PRIVATE_H

#include "verdict/unsignalled.h"
#include "verdict/verdict_private.h"

/*
 * A session of that kind from `at` on, with an empty description of each party under one agreement; NULL when there are too many, or
 * without memory (counted).
 */
struct call *unsignalled_session(struct unsignalled *u, enum session_kind kind, struct seen at, uint32_t *slot);
/* Adds an address to what a party would have advertised, once; the first ones where there are many. */
void unsignalled_candidate(struct sdp_fact *f, const struct addr *a, enum sdp_cand_type type, const struct addr *base);
/* The socket that sent until `ns`, and what STUN servers told it before. */
void unsignalled_sender(const struct view *v, struct sdp_fact *f, const struct addr *src, enum sdp_cand_type type, int64_t ns);
/* It ended with its last packet, unless that is the end of what was seen. */
void unsignalled_close(const struct view *v, struct call *c);

/* These checks make a session: no SDP gave a fragment of their USERNAME. */
bool unsignalled_check(const struct track *t, const struct check *c);

/* unsignalled_rtp.c: the sessions of RTP that none of the calls of the view and none of `u` owns. */
void unsignalled_rtp(struct unsignalled *u, const struct view *v);

#endif
