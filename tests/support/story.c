#include "support/story.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/counted.h"
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

struct flow *story_packet(struct story *s, const char *from, const char *to, size_t size, struct datagram *out)
{
    *out = carry(s, at(from), at(to), size);
    return flow_of(s, out);
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
    unsignalled_done(&s->unsignalled);
    free(s->found);
    strbuf_done(&s->text);
    track_free(s->track);
    free(s);
}

/* ---- what goes on ---- */

static void play_mid(struct story *s, const struct act *a, const struct flow *f, struct rtp_msg *m)
{
    uint8_t ext[32] = { (uint8_t)((unsigned)a->mid_ext << 4 | (strlen(a->mid) - 1)) };

    cr_assert(strlen(a->mid) <= 16);
    memcpy(ext + 1, a->mid, strlen(a->mid));
    m->ext_profile = 0xbede;
    m->ext = (struct span){ ext, sizeof ext };
    track_rtp_ids(s->track, f, m);
}

static void play(struct story *s, struct act *a)
{
    struct rtp_msg m = { .pt = a->pt, .seq = (uint16_t)a->sent, .timestamp = a->sent * 160, .ssrc = a->ssrc };
    struct datagram d;
    struct flow *f;

    a->sent++;
    a->highest = a->sent;
    if (a->lost)
        return;
    if (a->lose_every && a->sent % a->lose_every == 0)
        return;
    d = carry(s, a->from, a->to, 172);
    f = flow_of(s, &d);
    if (track_rtp(s->track, f, &d, &m) == RTP_FIRST && a->mid_ext)
        play_mid(s, a, f, &m);
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
        m.report[m.reports++] = (struct rtcp_report){
            .from = a->ssrc, .about = a->about, .highest_seq = a->highest, .lost = (int32_t)a->reports_lost
        };
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

    m.controlling = a->nominates || a->controls;
    m.use_candidate = a->nominates;
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

    *out = (struct sdp){ .medias = 1, .ice_lite = w->lite };
    m->kind = SDP_AUDIO;
    m->addr = at(w->rtp);
    if (w->refused)
        m->addr.port = 0;
    m->port = m->addr.port;
    m->dir = w->dir;
    m->formats = 1;
    m->format[0] = (struct sdp_format){ .encoding = SPAN("PCMU"), .clock_hz = 8000 };
    strbuf_fmt(bytes, "v=0 %s %d %s", addr_text(&m->addr, text), w->dir, w->ufrag ? w->ufrag : "");
    m->fingerprint = span_str(w->fingerprint);
    m->more_fingerprints = w->more_fingerprints;
    m->setup = span_str(w->setup);
    strbuf_fmt(bytes, " %s %s", w->fingerprint ? w->fingerprint : "", w->setup ? w->setup : "");
    for (size_t i = 0; i < STORY_CANDIDATES && w->cand[i].addr; i++) {
        struct sdp_cand *c = &out->cand[out->cands++];

        c->component = 1;
        c->type = w->cand[i].type;
        c->addr = at(w->cand[i].addr);
        if (w->cand[i].base)
            c->raddr = at(w->cand[i].base);
        strbuf_fmt(bytes, " %s", w->cand[i].addr);
    }
    if (w->more)
        w->more(out);
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
    m->body = span_str(s->body);
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

/* Whoever only counts sessions must count what is told. */
static void expect_the_same_in_brief(const struct story *s, const struct call *c)
{
    struct session_finding *brief = malloc(sizeof *brief);

    cr_assert_not_null(brief);
    judge_call_briefly(&s->view, c, brief);
    expect_counted_alike(s->track->servers.used, s->found, brief);
    session_finding_done(brief);
    free(brief);
}

const struct session_finding *story_judge(struct story *s, uint32_t call)
{
    uint32_t calls = s->track->calls.used;
    const struct call *c;

    session_finding_done(s->found);
    cr_assert(call < calls + story_unsignalled(s), "there is no session %u", call);
    c = call < calls ? track_call_at(s->track, call) : pool_at(&s->unsignalled.calls, call - calls);
    judge_call(&s->view, c, s->found);
    expect_the_same_in_brief(s, c);
    return s->found;
}

uint32_t story_unsignalled(struct story *s)
{
    unsignalled_done(&s->unsignalled);
    view_make(&s->view, s->track, &s->options, s->now_ns);
    unsignalled_make(&s->unsignalled, &s->view);
    return s->unsignalled.calls.used;
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
