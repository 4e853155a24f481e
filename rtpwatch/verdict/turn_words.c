/* What TURN servers refuse, in words (RFC 8489 §14.8, RFC 8656 §19). */
#include "verdict/turn_private.h"

/* IANA's "STUN Error Codes", and what a code means to who reads of it. */
struct refusal {
    uint16_t error;
    const char *name, *meaning;
};

static const struct refusal refusals[] = {
    { 300, "Try Alternate", "" },
    { 400, "Bad Request", "" },
    { 401, "Unauthorized", ": the user name or the password is wrong" },
    { 403, "Forbidden", ": its rules do not allow it" },
    { 420, "Unknown Attribute", "" },
    { 437, "Allocation Mismatch", "" },
    { 438, "Stale Nonce", "" },
    { 440, "Address Family not Supported", "" },
    { 441, "Wrong Credentials", ": the allocation was made with others" },
    { 442, "Unsupported Transport Protocol", "" },
    { 443, "Peer Address Family Mismatch", "" },
    { 486, "Allocation Quota Reached", ": the user has all relays that it may have" },
    { 500, "Server Error", "" },
    { 508, "Insufficient Capacity", ": it has no relay address left" },
};

static const char *method_object(uint16_t method)
{
    switch (method) {
    case STUN_ALLOCATE: return "the allocation";
    case STUN_REFRESH: return "to refresh the relay";
    case STUN_CREATE_PERMISSION: return "a permission";
    case STUN_CHANNEL_BIND: return "a channel";
    default: return "a request";
    }
}

static const char *mismatch(uint16_t method)
{
    return method == STUN_ALLOCATE ? ": an older allocation of the same port is still there" : ": it knows no such allocation";
}

static bool challenge(const struct stun_tx *x)
{
    return x->error == 401 && !x->credentials;
}

bool turn_is_step(const struct stun_tx *x)
{
    return challenge(x) || x->error == 438 || x->error == 300;
}

bool turn_is_refusal(const struct stun_tx *x)
{
    bool turn = x->method == STUN_ALLOCATE || x->method == STUN_REFRESH || x->method == STUN_CREATE_PERMISSION ||
                x->method == STUN_CHANNEL_BIND;

    return turn && x->error && !turn_is_step(x);
}

const char *stun_error_name(uint16_t error)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].error == error)
            return refusals[i].name;
    return NULL;
}

void turn_error_text(uint16_t error, uint16_t method, struct strbuf *out)
{
    strbuf_fmt(out, "%u", error);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].error == error)
            strbuf_fmt(out, " %s%s", refusals[i].name, error == 437 ? mismatch(method) : refusals[i].meaning);
}

/* Whether the client went there is not known where the server named none; where it did not, that is why it has no relay. */
static void sent_elsewhere_text(const struct view *v, const struct stun_tx *x, struct strbuf *out)
{
    const struct addr *to = &x->more->alternate;
    char buf[ADDR_TEXT];

    strbuf_add(out, " sent the client to another server");
    if (!addr_is_none(to))
        strbuf_fmt(out, ", %s", addr_text(to, buf));
    strbuf_add(out, " (300 Try Alternate)");
    if (!addr_is_none(to) && !track_find_server(v->t, to))
        strbuf_add(out, ", which was never asked");
}

void turn_refusal_text(const struct view *v, const struct stun_tx *x, unsigned times, struct strbuf *out)
{
    const char *what = x->method == STUN_ALLOCATE ? "give a relay" : "go on";

    strbuf_add(out, "TURN server ");
    server_text(v, x->server, out);
    if (challenge(x)) {
        strbuf_fmt(out, " asked for credentials to %s (401 Unauthorized), and none were sent", what);
    } else if (x->error == 300) {
        sent_elsewhere_text(v, x, out);
    } else if (x->error == 438 && times == 1) {
        strbuf_fmt(out, " asked for a new nonce to %s (438 Stale Nonce), and the request was not repeated with it", what);
    } else {
        strbuf_fmt(out, " refused %s: ", method_object(x->method));
        turn_error_text(x->error, x->method, out);
        if (times > 1)
            strbuf_fmt(out, " (%u times)", times);
    }
}

void turn_tell_answer(const struct view *v, const struct stun_tx *x, unsigned times, struct session_finding *f)
{
    struct strbuf b = { 0 };

    if (f->brief)
        return;
    if (x->answer.frame) {
        turn_refusal_text(v, x, times, &b);
        evidence_add(f, x->answer, "stun", "%s.", strbuf_str(&b));
    } else {
        server_text(v, x->server, &b);
        evidence_add(f, x->requests.first, "stun", "TURN server %s was asked for %s %llu time%s and never answered.",
                     strbuf_str(&b), x->method == STUN_ALLOCATE ? "a relay" : stun_method_name(x->method),
                     (unsigned long long)x->requests.n, x->requests.n == 1 ? "" : "s");
    }
    strbuf_done(&b);
}

void turn_tell_kept_out(const struct scene *s, const struct turn_alloc *a, const struct turn_peer *p, struct session_finding *f)
{
    struct strbuf who = { 0 }, why = { 0 };
    char text[ADDR_TEXT];

    if (f->brief)
        return;
    server_text(s->v, a->server, &who);
    turn_error_text(p->error, STUN_CREATE_PERMISSION, &why);
    evidence_add(f, p->refused.last, "stun", "TURN server %s refused the permission for %s: %s.", strbuf_str(&who),
                 addr_ip_text(&p->peer, text), strbuf_str(&why));
    strbuf_done(&who);
    strbuf_done(&why);
}
