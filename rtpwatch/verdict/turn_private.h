/* What the files that judge TURN share and nobody else sees. */
#ifndef RW_VERDICT_TURN_PRIVATE_H
#define RW_VERDICT_TURN_PRIVATE_H

#include "verdict/verdict_private.h"

/* Whose doing it is that a relay is of no use. A client's is no server's fault, and no server is named for it. */
enum doing { DOING_NONE, DOING_SERVERS, DOING_CLIENTS };

/* ---- turn_words.c ---- */

/* A step that the client is to take, and no refusal: 401 to a request without credentials, 438, 300 (RFC 8489 §9.2.4, §10). */
bool turn_is_step(const struct stun_tx *x);
/* "486 Allocation Quota Reached: the user ..." */
void turn_error_text(uint16_t error, uint16_t method, struct strbuf *out);
/* "TURN server ... refused the allocation: ..."; `times`: how often it said so. */
void turn_refusal_text(const struct view *v, const struct stun_tx *x, unsigned times, struct strbuf *out);
/* Evidence: that refusal, or that there was no answer. */
void turn_tell_answer(const struct view *v, const struct stun_tx *x, unsigned times, struct session_finding *f);
/* Evidence: that the permission for that peer was refused. */
void turn_tell_kept_out(const struct scene *s, const struct turn_alloc *a, const struct turn_peer *p, struct session_finding *f);

/* ---- turn_end.c ---- */

/* Media went through it both ways, and stopped when it ended: its time was up, it was given back, or the server disowned it. */
enum doing turn_ended(const struct scene *s, const struct turn_alloc *a, struct direction_finding *out,
                      struct session_finding *f);
/* What is sent to that peer through the relay is covered by no permission: the server drops it, and what the peer sends. */
enum doing turn_lapsed(const struct scene *s, const struct turn_alloc *a, const struct addr *peer, struct direction_finding *out,
                       struct session_finding *f);
/*
 * Nothing at all comes from the server any more, although the client asks it and goes on sending. Gives its last packet, and how sure
 * that is.
 */
bool turn_died(const struct scene *s, const struct turn_alloc *a, struct seen *last, struct session_finding *f,
               enum confidence *how);

#endif
