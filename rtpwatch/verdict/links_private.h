/* What the files about links share and nobody else sees. */
#ifndef RW_VERDICT_LINKS_PRIVATE_H
#define RW_VERDICT_LINKS_PRIVATE_H

#include "verdict/report.h"

/* Joins sessions `a` and `b`; `k` is as `a` sees it, `other` and `next` are filled in here. Two of them are joined once. */
bool link_add(struct links *l, const struct report *r, uint32_t a, uint32_t b, const struct link *k);
/* links_media.c: RTP that passes through a host from one session to another. */
bool links_by_media(struct links *l, const struct report *r);

#endif
