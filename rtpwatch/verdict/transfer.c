/*
 * Calls that end by a transfer. Who asks for one (REFER) may leave as soon as the other party has agreed, or has told that it went well
 * (RFC 5589 §6.1), and not every phone says BYE then: silence afterwards is nobody's fault. Where the transfer fails, the two go on with
 * each other, and the call is judged as if there had been none.
 */
#include "verdict/verdict_private.h"

static bool failed(const struct transfer_fact *x)
{
    return x->status >= 300;
}

/* When it ends an agreement made at `ns`. One that is newer than the REFER takes the call back, unless the transfer goes well after all. */
static int64_t effect(const struct transfer_fact *x, int64_t ns)
{
    return x->accepted.ns >= ns ? x->accepted.ns : x->told.frame && x->told.ns >= ns ? x->told.ns : INT64_MAX;
}

struct span_of_time until_transferred(const struct call *c, struct span_of_time when)
{
    for (const struct transfer_fact *x = call_transfers(c); x; x = x->next)
        if (x->accepted.frame && !failed(x) && effect(x, when.from_ns) < when.to_ns)
            when.to_ns = effect(x, when.from_ns);
    return when;
}

void tell_transfers(const struct call *c, struct session_finding *f)
{
    for (const struct transfer_fact *x = call_transfers(c); x && !f->brief; x = x->next) {
        const char *by = party_name(c, x->by, f), *to = party_name(c, other_party(x->by), f);
        struct strbuf target = { 0 };

        if (!x->accepted.frame)
            continue;
        strbuf_safe(&target, span_str(x->target), TRANSFER_TARGET);
        evidence_add(f, x->accepted, "sip", "%s asked %s to call %s instead (REFER), and %s agreed%s.", by, to,
                     *x->target ? strbuf_str(&target) : "somebody else", to,
                     failed(x) ? "" : ": from here on no media is awaited in this call");
        if (x->told.frame)
            evidence_add(f, x->told, "sip", "%s told what became of the transfer: %u%s.", to, x->status,
                         failed(x) ? ", it failed" : "");
        strbuf_done(&target);
    }
}
