/* A compact copy of an SDP, kept with its call; and the ICE passwords and advertised addresses that it brings. */
#include "track/track_private.h"

static const char *codec_of(struct arena *a, const struct sdp_media *m, struct media_desc *out)
{
    for (size_t i = 0; i < m->formats; i++)
        if (m->format[i].encoding.n && !span_eq_nocase(m->format[i].encoding, SPAN("telephone-event"))) {
            out->pt = m->format[i].pt;
            out->clock_hz = m->format[i].clock_hz;
            return arena_str(a, m->format[i].encoding);
        }
    return "";
}

/* "sha-256 AB:CD:…" (RFC 8122 §5) */
static void dtls_keep(struct arena *a, const struct sdp_media *m, struct media_desc *out)
{
    struct span value = m->fingerprint, hash = span_until(&value, ' ');

    out->dtls = m->fingerprint.n > 0;
    out->hash = arena_str(a, hash);
    out->fingerprint = arena_str(a, span_trim(value));
    out->setup = arena_str(a, m->setup);
    out->more_fingerprints = m->more_fingerprints;
}

static void media_keep(struct arena *a, const struct sdp *sdp, size_t i, struct media_desc *out)
{
    const struct sdp_media *m = &sdp->media[i];

    out->kind = m->kind;
    out->dir = m->dir;
    out->addr = m->addr;
    out->rtcp = m->rtcp;
    out->rejected = m->port == 0 && !m->bundle_only;
    out->rtcp_mux = m->rtcp_mux;
    out->ice = m->ufrag.n > 0 && !m->ice_mismatch;
    out->host = arena_str(a, m->host);
    out->mid = arena_str(a, m->mid);
    out->ufrag = arena_str(a, m->ufrag);
    out->pwd = arena_str(a, m->pwd);
    out->ptime_ms = m->ptime_ms;
    out->codec = codec_of(a, m, out);
    dtls_keep(a, m, out);
}

static void cand_keep(struct arena *a, const struct sdp_cand *c, struct cand_desc *out)
{
    out->media = c->media;
    out->component = c->component;
    out->type = c->type;
    out->tcp = c->tcp;
    out->priority = c->priority;
    out->addr = c->addr;
    out->raddr = c->raddr;
    out->host = arena_str(a, c->host);
}

/* From now on RTP may come from and go to this address, or no longer: T.38 in UDPTL (m=image) takes over the audio's port. */
static void advertise(struct track *t, const struct addr *a, bool rtp)
{
    uint32_t slot = addr_is_none(a) || a->port == 0 ? POOL_NONE : socket_get(t, a);

    if (slot != POOL_NONE)
        track_socket(t, slot)->advertised = rtp;
}

static void learn(struct track *t, const struct sdp_fact *f)
{
    for (size_t i = 0; i < f->medias; i++) {
        advertise(t, &f->media[i].addr, f->media[i].kind != SDP_IMAGE);
        if (*f->media[i].ufrag && *f->media[i].pwd)
            ice_password_add(t, f->media[i].ufrag, f->media[i].pwd);
    }
    for (size_t i = 0; i < f->cands; i++)
        advertise(t, &f->cand[i].addr, true);
}

/* One Via, and the sender wrote it: no proxy in between, so the source address is the party's own. */
static bool came_directly(const struct datagram *d, const struct sip_msg *m)
{
    struct addr host;

    return m->request && m->vias == 1 && addr_parse_ip(m->via[0].host, 0, &host) && addr_ip_eq(&host, &d->src);
}

struct sdp_fact *sdp_keep(struct track *t, struct call *c, const struct datagram *d, const struct sip_msg *m, enum party party,
                          const struct sdp *sdp, struct span bytes)
{
    uint64_t digest = hash_bytes(bytes.p, bytes.n);
    struct sdp_fact *f;

    for (f = c->sdps; f; f = f->next)
        if (f->digest == digest && f->party == party && f->cseq == m->cseq)
            return f; /* a retransmission, or the 200 that repeats the 183's answer */
    f = c->sdps_n < CALL_SDPS_KEPT ? arena_take(&c->arena, sizeof *f) : NULL;
    if (f) {
        f->media = arena_take(&c->arena, sdp->medias * sizeof *f->media);
        f->cand = arena_take(&c->arena, sdp->cands * sizeof *f->cand);
    }
    if (!f || !f->media || !f->cand) {
        fault_log_one(t->faults, FAULT_SESSION_FACT_LIMIT, d->at.frame);
        return NULL;
    }
    f->at = d->at;
    f->from = d->src;
    f->to = d->dst;
    f->party = party;
    f->digest = digest;
    f->cseq = m->cseq;
    f->direct = came_directly(d, m);
    f->ice_lite = sdp->ice_lite;
    f->medias = (uint8_t)sdp->medias;
    f->cands = (uint8_t)sdp->cands;
    for (size_t i = 0; i < sdp->medias; i++)
        media_keep(&c->arena, sdp, i, &f->media[i]);
    for (size_t i = 0; i < sdp->cands; i++)
        cand_keep(&c->arena, &sdp->cand[i], &f->cand[i]);
    if (c->sdps_tail)
        c->sdps_tail->next = f;
    else
        c->sdps = f;
    c->sdps_tail = f;
    c->sdps_n++;
    learn(t, f);
    return f;
}
