/* What a session is about, in a word: for those who group findings. */
#include "verdict/verdict.h"

const struct addr *session_local_host(const struct view *v, const struct session_finding *f)
{
    for (size_t i = 0; i < f->directions_n; i++) {
        const struct direction_finding *d = &f->direction[i];

        if (!addr_is_none(&d->sent_from) && view_is_local(v, &d->sent_from))
            return &d->sent_from;
        if (!addr_is_none(&d->awaited_at) && view_is_local(v, &d->awaited_at))
            return &d->awaited_at;
    }
    return NULL;
}

const struct candidate_finding *session_candidate(const struct session_finding *f)
{
    if (!verdict_is_failure(f->verdict))
        return NULL;
    for (size_t i = 0; i < f->candidates_n; i++)
        if (f->candidate[i].wrong && f->candidate[i].server == f->server && f->cause == CAUSE_BAD_CANDIDATE)
            return &f->candidate[i];
    for (size_t i = 0; i < f->candidates_n; i++)
        if (f->candidate[i].status == CANDIDATE_UNREACHABLE && !*f->candidate[i].host)
            return &f->candidate[i];
    return NULL;
}
