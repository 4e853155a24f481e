/*
 * What a UDP payload is, by its content (RFC 7983): ports are no evidence, except for DNS, whose first bytes may be anything.
 * A guess that costs a few comparisons; the dissector that follows has the last word.
 */
#ifndef RW_CLASSIFY_H
#define RW_CLASSIFY_H

#include "base/addr.h"
#include "base/span.h"

enum kind { KIND_OTHER, KIND_RTP, KIND_RTCP, KIND_STUN, KIND_DTLS, KIND_TURN_CHANNEL, KIND_SIP, KIND_DNS, KIND_KEEPALIVE };

/* `wire`: how long the payload was on the wire, of which `payload` was captured. */
enum kind classify(struct span payload, size_t wire, uint16_t src_port, uint16_t dst_port);

/*
 * nDPI's word on flows that nothing else explains: a hint that the report may show, never evidence. The only place that knows
 * nDPI. A flow is named by the caller's number; after HINTS_PACKETS packets it is given up.
 */
enum { HINTS_PACKETS = 8, HINTS_FLOWS = 4096, HINTS_NAME = 64 };

struct hints;
struct hints *hints_new(void); /* NULL: nDPI could not be set up, or no memory; the others take NULL */
void hints_free(struct hints *h);
/* One packet of flow `number`. Flows beyond HINTS_FLOWS at a time are not looked at. */
void hints_feed(struct hints *h, uint32_t number, const struct addr *src, const struct addr *dst, struct span payload,
                int64_t ts_ns);
/* The caller's numbers mean other flows from here on: those under way are given up. */
void hints_renumbered(struct hints *h);
/* Calls `each` for every protocol that was named, most flows first. */
void hints_each(struct hints *h, void (*each)(void *self, const char *protocol, uint64_t flows), void *self);

#endif
