/* The track's DNS answers by the address that they give and by the name that they are for. It grows with the track's table. */
#ifndef RW_VERDICT_DNS_INDEX_H
#define RW_VERDICT_DNS_INDEX_H

#include "track/track.h"

struct dns_index {
    const struct track *t; /* borrowed */
    struct hmap by_ip, by_name;
    uint32_t *next_ip, *next_name; /* of each answer: another one alike, HMAP_NONE at the end */
    uint32_t n, room;
};

/* Takes in what the track has learned since; false without memory. Answers of type SRV give no address. */
bool dns_index_extend(struct dns_index *x, const struct track *t);
void dns_index_done(struct dns_index *x); /* and it may begin anew: slots have changed */
/* The first answer that gives that IP, or is for that name and record type; HMAP_NONE: none. */
uint32_t dns_index_ip(const struct dns_index *x, const struct addr *a);
uint32_t dns_index_name(const struct dns_index *x, const struct dns_fact *like);

static inline const struct dns_fact *dns_fact_at(const struct track *t, uint32_t slot)
{
    return pool_at(&t->names, slot);
}

#endif
