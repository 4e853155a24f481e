/* What the two halves of judging a claim share: claim.c collects who said what, claim_weigh.c weighs it. */
#ifndef RW_VERDICT_CLAIM_PRIVATE_H
#define RW_VERDICT_CLAIM_PRIVATE_H

#include "verdict/operator.h"
#include "verdict/outsides.h"
#include "verdict/verdict_private.h"

/* What is found once while all claims are judged. */
struct known {
    struct outsides outsides;
    bool indexed;
    struct operators operators;
};

/* Are the two one witness? `known`: NULL, it is looked up. */
static inline bool claims_one_operator(const struct view *v, const struct known *known, uint32_t a, uint32_t b)
{
    return one_operator(v->t, known ? &known->operators : NULL, a, b);
}

/* Sets status and confidence of `c`, which holds what was said of the socket; `host`: what was said of its host's other sockets. */
void claim_weigh(const struct view *v, uint32_t tx, const struct known *known, struct claim *c, const struct claim *host,
                 bool media_arrives);

#endif
