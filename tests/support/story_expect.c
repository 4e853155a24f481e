/* What a test expects of a story, held against what was found (story.h). */
#include "support/story.h"

static const char *server_name(const struct story *s, uint32_t server, char buf[ADDR_TEXT])
{
    const struct stun_server *x = track_server_at(s->track, server);

    return x ? addr_text(&x->addr, buf) : "none";
}

static void must_be(struct story *s, const char *what, const char *got, const char *want)
{
    if (strcmp(got, want) != 0)
        strbuf_fmt(&s->text, "%s is %s, expected %s\n", what, got, want);
}

static bool evidence_of(const struct story *s, const char *kind)
{
    for (size_t i = 0; i < s->found->evidence_n; i++) {
        const struct evidence *e = &s->found->evidence[i];

        if ((e->at.frame || (kind && strcmp(kind, "note") == 0)) && e->at.frame <= s->frame && *e->text &&
            (!kind || strcmp(e->kind, kind) == 0))
            return true;
    }
    return false;
}

static void evidence_check(struct story *s, const struct outcome *want)
{
    if (!verdict_is_failure(want->verdict))
        return;
    if (!evidence_of(s, NULL))
        strbuf_add(&s->text, "no evidence has a frame\n");
    if (want->server && want->cause == CAUSE_BAD_CANDIDATE &&
        !(evidence_of(s, "mapping") && (s->found->call->kind == SESSION_RTP || evidence_of(s, "sdp"))))
        strbuf_add(&s->text, "the evidence lacks the server's answer or the SDP that passed it on\n");
    if (!want->server && want->cause == CAUSE_BAD_CANDIDATE && !evidence_of(s, "note"))
        strbuf_add(&s->text, "the evidence lacks the reason why no server is named\n");
    if (want->server && want->cause != CAUSE_BAD_CANDIDATE && !evidence_of(s, "stun"))
        strbuf_add(&s->text, "the evidence lacks what the server was asked\n");
}

static void warnings_check(struct story *s, const struct outcome *want)
{
    char name[ADDR_TEXT];
    bool found = false;

    for (size_t i = 0; i < s->found->warnings_n; i++) {
        const struct warning *w = &s->found->warning[i];

        if (strcmp(w->kind, "bad_candidate") != 0)
            continue;
        found = true;
        must_be(s, "the warning's server", server_name(s, w->server, name), want->warned ? want->warned : "to be innocent");
    }
    if (want->warned && !found)
        strbuf_fmt(&s->text, "no warning names %s\n", want->warned);
}

static void tell_all(struct story *s)
{
    const struct session_finding *f = s->found;

    for (size_t i = 0; i < f->directions_n; i++) {
        const struct direction_finding *d = &f->direction[i];

        strbuf_fmt(&s->text, "  from %s: %s (%s), %s, sent %llu, received %llu\n", d->from == CALLER ? "caller" : "callee",
                   dir_verdict_word(d->verdict), d->why, cause_word(d->cause), (unsigned long long)d->sent,
                   (unsigned long long)d->received);
    }
    for (size_t i = 0; i < f->evidence_n; i++)
        strbuf_fmt(&s->text, "  frame %llu [%s] %s\n", (unsigned long long)f->evidence[i].at.frame, f->evidence[i].kind,
                   f->evidence[i].text);
    for (size_t i = 0; i < f->warnings_n; i++)
        strbuf_fmt(&s->text, "  warning: %s\n", f->warning[i].text);
}

const char *story_differs(struct story *s, const struct outcome *want)
{
    const struct session_finding *f = story_judge(s, want->call);
    char name[ADDR_TEXT];

    strbuf_clear(&s->text);
    must_be(s, "the verdict", verdict_word(f->verdict), verdict_word(want->verdict));
    must_be(s, "the cause", cause_word(f->cause), cause_word(want->cause));
    must_be(s, "the server", server_name(s, f->server, name), want->server ? want->server : "none");
    if (f->confidence < want->least || (want->most && f->confidence > want->most))
        strbuf_fmt(&s->text, "the confidence is %s, expected %s to %s\n", confidence_word(f->confidence),
                   confidence_word(want->least), confidence_word(want->most ? want->most : CONFIDENCE_PROVEN));
    if (!verdict_is_failure(want->verdict) && f->confidence != CONFIDENCE_NONE)
        strbuf_add(&s->text, "a confidence where there is no cause\n");
    evidence_check(s, want);
    warnings_check(s, want);
    if (s->text.n)
        tell_all(s);
    return strbuf_str(&s->text);
}

const char *story_direction_differs(struct story *s, enum party from, enum dir_verdict want)
{
    const struct direction_finding *d = story_direction(s, from);

    strbuf_clear(&s->text);
    must_be(s, from == CALLER ? "the caller's direction" : "the callee's direction", d ? dir_verdict_word(d->verdict) : "absent",
            dir_verdict_word(want));
    if (s->text.n)
        tell_all(s);
    return strbuf_str(&s->text);
}
