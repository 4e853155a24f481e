#include "support/story.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/story_turn.h"

enum { TTL_NEAR = 64, TTL_FAR = 57, TICK_MS = 20, CHECK_ANSWER = 48 };

/* ---- packets ---- */

static struct addr at(const char *text)
{
    struct addr a;

    cr_assert(addr_parse(span_str(text), &a), "no address: %s", text);
    return a;
}

static struct datagram carry(struct story *s, struct addr from, struct addr to, size_t size)
{
    bool near = addr_ip_eq(&from, &s->here);
    struct datagram inner;

    if (story_relayed(s, &from, &to, size, &inner))
        return inner;
    return (struct datagram){
        .at = { s->now_ns, ++s->frame },
        .src = from,
        .dst = to,
        .size = size,
        .ttl = near ? TTL_NEAR : s->ttl_far,
        .left_here = near && s->cooked,
    };
}

static struct flow *flow_of(struct story *s, const struct datagram *d)
{
    struct flow *f = track_flow(s->track, d);

    cr_assert_not_null(f);
    if (d->relayed)
        f->contains |= FLOW_RELAYED;
    return f;
}

/* ---- begin and end ---- */

struct story *story_new(const char *here)
{
    struct story *s = calloc(1, sizeof *s);

    cr_assert_not_null(s);
    s->track = track_new(&s->faults);
    s->found = calloc(1, sizeof *s->found);
    cr_assert(s->track && s->found);
    s->now_ns = SECONDS(1700000000);
    s->ttl_far = TTL_FAR;
    if (here)
        s->here = at(here);
    story_call(s, "call-1@dialer", D_HOST ":5060", PROXY ":5060");
    return s;
}

void story_free(struct story *s)
{
    if (!s)
        return;
    session_finding_done(s->found);
    free(s->found);
    strbuf_done(&s->text);
    track_free(s->track);
    free(s);
}

/* ---- what goes on ---- */

static void play(struct story *s, struct act *a)
{
    struct datagram d = carry(s, a->from, a->to, 172);
    struct rtp_msg m = { .pt = a->pt, .seq = (uint16_t)a->sent, .timestamp = a->sent * 160, .ssrc = a->ssrc };

    a->sent++;
    a->highest = a->sent;
    track_rtp(s->track, flow_of(s, &d), &d, &m);
}

/* How far the reported stream has come; one that is not in the story is said to run as well. */
static uint32_t highest_of(const struct story *s, const struct act *a)
{
    for (size_t i = 0; i < s->acts; i++)
        if (s->act[i].kind == ACT_RTP && s->act[i].ssrc == a->about)
            return s->act[i].highest;
    return (uint32_t)((s->now_ns - a->began_ns) / (TICK_MS * NS_PER_MS));
}

static uint32_t sent_of(const struct story *s, const struct act *a)
{
    struct act own = *a;

    own.about = a->ssrc;
    return highest_of(s, &own);
}

static void report(struct story *s, struct act *a)
{
    struct datagram d = carry(s, a->from, a->to, 64);
    struct rtcp_msg m = { .packets = 1 };

    if (!a->frozen)
        a->highest = highest_of(s, a);
    m.packet[0] = (struct rtcp_packet){ a->no_sr ? RTCP_RR : RTCP_SR, a->about ? 1 : 0, a->ssrc };
    if (!a->no_sr && !a->srtcp) {
        m.has_sr = true;
        m.sr_ssrc = a->ssrc;
        m.sr_packets = sent_of(s, a);
    }
    if (a->about && !a->srtcp)
        m.report[m.reports++] = (struct rtcp_report){ .from = a->ssrc, .about = a->about, .highest_seq = a->highest };
    track_rtcp(s->track, flow_of(s, &d), &d, &m);
}

static void tid_next(struct story *s, uint8_t tid[STUN_TID])
{
    memset(tid, 0x5a, STUN_TID);
    memcpy(tid, &s->frame, sizeof s->frame);
}

static void check(struct story *s, struct act *a)
{
    static const uint8_t unsound[CHECK_ANSWER]; /* its MESSAGE-INTEGRITY is all zeroes */
    struct datagram d = carry(s, a->from, a->to, 100), back;
    struct stun_msg m = { .cls = STUN_REQUEST, .method = STUN_BINDING, .username = span_str(a->user) };

    tid_next(s, m.tid);
    track_stun(s->track, flow_of(s, &d), &d, &m);
    if (!a->seen_as.port)
        return;
    m.cls = STUN_SUCCESS;
    m.username = SPAN_NONE;
    m.has_xor_mapped = true;
    m.xor_mapped = a->seen_as;
    if (a->forged) {
        m.whole = (struct span){ unsound, sizeof unsound };
        m.has_integrity = true;
        m.integrity_at = STUN_HEADER;
    }
    back = carry(s, a->to, a->from, 100);
    track_stun(s->track, flow_of(s, &back), &back, &m);
}

void story_pass(struct story *s, unsigned ms)
{
    static void (*const go[])(struct story *, struct act *) = { [ACT_RTP] = play, [ACT_RTCP] = report, [ACT_CHECKS] = check };

    for (unsigned done = 0; done < ms; done += TICK_MS) {
        s->now_ns += TICK_MS * NS_PER_MS;
        for (size_t i = 0; i < s->acts; i++) {
            struct act *a = &s->act[i];

            if (a->over || a->next_ns > s->now_ns)
                continue;
            a->next_ns = s->now_ns + (int64_t)a->every_ms * NS_PER_MS;
            go[a->kind](s, a);
        }
    }
}

static struct act *act_new(struct story *s, enum act_kind kind, const char *from, const char *to)
{
    struct act *a = &s->act[s->acts];

    cr_assert(s->acts < STORY_ACTS);
    s->acts++;
    *a = (struct act){ .kind = kind, .from = at(from), .to = at(to), .began_ns = s->now_ns, .next_ns = s->now_ns };
    return a;
}

struct act *story_play(struct story *s, const char *from, const char *to, uint32_t ssrc)
{
    struct act *a = act_new(s, ACT_RTP, from, to);

    a->ssrc = ssrc;
    a->every_ms = TICK_MS;
    return a;
}

struct act *story_report(struct story *s, const char *from, const char *to, uint32_t ssrc, uint32_t about)
{
    struct act *a = act_new(s, ACT_RTCP, from, to);

    a->ssrc = ssrc;
    a->about = about;
    a->every_ms = 5000;
    a->next_ns = s->now_ns + SECONDS(2) + NS_PER_S / 2; /* RFC 3550 §6.2: half the interval before the first */
    return a;
}

struct act *story_checks(struct story *s, const char *from, const char *to, const char *user, const char *seen_as)
{
    struct act *a = act_new(s, ACT_CHECKS, from, to);

    a->user = user;
    a->every_ms = 500;
    if (seen_as)
        a->seen_as = at(seen_as);
    return a;
}

void story_turn(struct act *a, const char *to)
{
    a->to = at(to);
}

void story_hush(struct story *s)
{
    for (size_t i = 0; i < s->acts; i++)
        s->act[i].over = true;
}

/* ---- SIP ---- */

static const char *const uris[] = { [CALLER] = "sip:dialer@example.com", [CALLEE] = "sip:agent@example.com" };

void story_call(struct story *s, const char *call_id, const char *caller_sip, const char *callee_sip)
{
    s->call_id = call_id;
    s->sip[CALLER] = caller_sip;
    s->sip[CALLEE] = callee_sip;
    s->tag[CALLER] = "tag-caller";
    s->tag[CALLEE] = "tag-callee";
    s->via[CALLER] = D_HOST;
    s->via[CALLEE] = W_HOME;
    s->received[CALLER] = s->received[CALLEE] = NULL;
    memset(s->header, 0, sizeof s->header);
    s->up = false;
    s->cseq = 1;
}

static void sdp_make(const struct says *w, struct sdp *out, struct strbuf *bytes)
{
    struct sdp_media *m = &out->media[0];
    char text[ADDR_TEXT];

    *out = (struct sdp){ .medias = 1 };
    m->kind = SDP_AUDIO;
    m->addr = at(w->rtp);
    if (w->refused)
        m->addr.port = 0;
    m->port = m->addr.port;
    m->dir = w->dir;
    m->formats = 1;
    m->format[0] = (struct sdp_format){ .encoding = SPAN("PCMU"), .clock_hz = 8000 };
    strbuf_fmt(bytes, "v=0 %s %d %s", addr_text(&m->addr, text), w->dir, w->ufrag ? w->ufrag : "");
    for (size_t i = 0; i < STORY_CANDIDATES && w->cand[i].addr; i++) {
        struct sdp_cand *c = &out->cand[out->cands++];

        c->component = 1;
        c->type = w->cand[i].type;
        c->addr = at(w->cand[i].addr);
        if (w->cand[i].base)
            c->raddr = at(w->cand[i].base);
        strbuf_fmt(bytes, " %s", w->cand[i].addr);
    }
}

static struct span span_buf(const struct strbuf *b)
{
    return (struct span){ (const uint8_t *)strbuf_str(b), b->n };
}

static bool near_party(const struct story *s, enum party p)
{
    struct addr a = at(s->sip[p]);

    return addr_ip_eq(&a, &s->here);
}

/*
 * The request's Vias as they stand here. A far party's came through a proxy, which added its own and received=; a near party's
 * own shows received= in the replies only.
 */
static void vias(const struct story *s, struct sip_msg *m)
{
    bool near = near_party(s, s->asker),
         proxied = !near && *s->sip[s->asker] && strncmp(s->sip[s->asker], PROXY, strlen(PROXY)) == 0;
    struct sip_via *own;

    if (proxied)
        m->via[m->vias++] = (struct sip_via){ .transport = SPAN("UDP"), .host = SPAN(PROXY), .port = 5060 };
    own = &m->via[m->vias++];
    *own = (struct sip_via){ .transport = SPAN("UDP"), .host = span_str(s->via[s->asker]), .port = 5060 };
    if (s->received[s->asker] && (proxied || !m->request))
        own->received = span_str(s->received[s->asker]);
}

static void headers(const struct story *s, struct sip_msg *m)
{
    for (size_t i = 0; i < STORY_HEADERS && s->header[i].name; i++)
        m->header[m->headers++] = (struct sip_header){ span_str(s->header[i].name), span_str(s->header[i].value) };
}

static void send(struct story *s, enum party by, struct sip_msg *m, const struct says *sdp)
{
    static struct sdp none;
    struct sdp *made = sdp ? calloc(1, sizeof *made) : &none;
    struct strbuf bytes = { 0 }, pwd = { 0 };
    struct datagram d = carry(s, at(s->sip[by]), at(s->sip[other_party(by)]), 800);
    enum party asker = s->asker, other = other_party(asker);

    cr_assert_not_null(made);
    if (sdp)
        sdp_make(sdp, made, &bytes);
    if (sdp && sdp->ufrag) {
        strbuf_fmt(&pwd, "password-of-%s", sdp->ufrag);
        made->media[0].ufrag = span_str(sdp->ufrag);
        made->media[0].pwd = span_buf(&pwd);
    }
    m->call_id = span_str(s->call_id);
    m->from = (struct sip_party){ .uri = span_str(uris[asker]), .tag = span_str(s->tag[asker]) };
    m->to = (struct sip_party){ .uri = span_str(uris[other]), .tag = m->request && !s->up ? SPAN_NONE : span_str(s->tag[other]) };
    m->cseq = s->cseq;
    vias(s, m);
    headers(s, m);
    flow_of(s, &d)->contains |= FLOW_SIP;
    track_sip(s->track, &d, m, sdp ? made : NULL, span_buf(&bytes));
    strbuf_done(&bytes);
    strbuf_done(&pwd);
    if (sdp)
        free(made);
    story_pass(s, TICK_MS);
}

void story_request(struct story *s, enum party by, enum sip_method method, const struct says *sdp)
{
    struct sip_msg m = { .request = true, .method = method };

    if (method != SIP_ACK && method != SIP_CANCEL)
        s->cseq++;
    s->asked = method == SIP_ACK || method == SIP_CANCEL ? s->asked : method;
    s->asker = by;
    send(s, by, &m, sdp);
}

void story_reply(struct story *s, unsigned status, const struct says *sdp)
{
    struct sip_msg m = { .method = s->asked, .status = status };

    send(s, other_party(s->asker), &m, sdp);
    s->up |= s->asked == SIP_INVITE && status >= 200 && status < 300;
}

void story_up(struct story *s, const struct says *caller, const struct says *callee)
{
    story_request(s, CALLER, SIP_INVITE, caller);
    story_reply(s, 180, NULL);
    story_reply(s, 200, callee);
    story_request(s, CALLER, SIP_ACK, NULL);
}

void story_reinvite(struct story *s, enum party by, const struct says *offer, const struct says *answer)
{
    story_request(s, by, SIP_INVITE, offer);
    story_reply(s, 200, answer);
    story_request(s, by, SIP_ACK, NULL);
}

void story_bye(struct story *s, enum party by)
{
    story_request(s, by, SIP_BYE, NULL);
    story_hush(s);
    story_reply(s, 200, NULL);
}

/* ---- STUN, DNS, ICMP ---- */

void story_stun(struct story *s, const struct asks *a)
{
    struct datagram d = carry(s, at(a->from), at(a->server), 28);
    struct stun_msg m = { .cls = STUN_REQUEST, .method = STUN_BINDING, .classic = a->classic };

    tid_next(s, m.tid);
    track_stun(s->track, flow_of(s, &d), &d, &m);
    story_pass(s, TICK_MS);
    if (!a->mapped && !a->error)
        return;
    d = carry(s, at(a->server), at(a->from), 68);
    m.cls = a->error ? STUN_ERROR : STUN_SUCCESS;
    m.error = a->error;
    m.has_xor_mapped = a->mapped && !a->classic;
    if (m.has_xor_mapped)
        m.xor_mapped = at(a->mapped);
    m.has_mapped = a->plain || (a->mapped && a->classic);
    if (m.has_mapped)
        m.mapped = at(a->plain ? a->plain : a->mapped);
    track_stun(s->track, flow_of(s, &d), &d, &m);
    story_pass(s, TICK_MS);
}

void story_dns(struct story *s, const char *name, const char *ip)
{
    struct datagram d = carry(s, at("172.31.0.2:53"), at(D_HOST ":53211"), 120);
    struct dns_msg *m = calloc(1, sizeof *m);

    cr_assert_not_null(m);
    m->response = true;
    m->questions = m->records = m->answers = 1;
    m->question[0] = (struct dns_question){ name, DNS_A };
    m->record[0] = (struct dns_record){ .name = name, .type = DNS_A, .ttl_s = 300, .addr = at(ip) };
    track_dns(s->track, &d, m);
    free(m);
    story_pass(s, TICK_MS);
}

void story_icmp(struct story *s, const char *reporter, const char *from, const char *to, enum icmp_what what)
{
    struct datagram d = carry(s, at(reporter), at(from), 36);
    struct icmp_msg m = { .what = what, .quotes = true, .quoted_proto = 17, .src = at(from), .dst = at(to) };

    track_icmp(s->track, &d, &m);
    story_pass(s, TICK_MS);
}

/* ---- judging ---- */

const struct session_finding *story_judge(struct story *s, uint32_t call)
{
    cr_assert(call < s->track->calls.used, "there is no call %u", call);
    session_finding_done(s->found);
    view_make(&s->view, s->track, &s->options, s->now_ns);
    judge_call(&s->view, track_call_at(s->track, call), s->found);
    return s->found;
}

const struct direction_finding *story_direction(struct story *s, enum party from)
{
    for (size_t i = 0; i < s->found->directions_n; i++)
        if (s->found->direction[i].from == from)
            return &s->found->direction[i];
    return NULL;
}

struct server_finding story_server(struct story *s, const char *server)
{
    struct server_finding *all = calloc(s->track->servers.used + 1u, sizeof *all), found;
    struct addr a = at(server);
    uint32_t slot = 0;

    cr_assert_not_null(all);
    view_make(&s->view, s->track, &s->options, s->now_ns);
    judge_servers(&s->view, all);
    while (slot < s->track->servers.used && !addr_eq(&track_server_at(s->track, slot)->addr, &a))
        slot++;
    cr_assert(slot < s->track->servers.used, "nobody asked %s", server);
    server_conclude(&all[slot]);
    found = all[slot];
    free(all);
    return found;
}

/* ---- expectations ---- */

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
    if (want->server && want->cause == CAUSE_BAD_CANDIDATE && !(evidence_of(s, "mapping") && evidence_of(s, "sdp")))
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
