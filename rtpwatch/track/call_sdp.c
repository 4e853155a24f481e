/* A compact copy of an SDP, kept with its call; and the ICE passwords and advertised addresses that it brings. */
#include "track/track_private.h"

/* RTX, FEC and comfort noise go with a codec, and are none. */
static bool is_codec(const struct sdp_format *f)
{
    return f->role == SDP_ROLE_MEDIA || f->role == SDP_ROLE_RED;
}

static bool is_media(const struct sdp_format *f)
{
    return f->encoding.n && is_codec(f) && !span_eq_nocase(f->encoding, SPAN("telephone-event"));
}

/* The first format that is one; its name is the one that formats_keep() kept. */
static void codec_keep(const struct sdp_media *m, struct media_desc *out)
{
    size_t i = 0;

    while (i < out->formats_n && !is_media(&m->format[i]))
        i++;
    out->codec = i < out->formats_n ? out->formats[i].encoding : "";
}

/* "sha-256 AB:CD:…" (RFC 8122 §5) */
static RARE struct dtls_desc *dtls_keep(struct arena *a, const struct sdp_media *m)
{
    struct span value = m->fingerprint, hash = span_until(&value, ' ');
    struct dtls_desc *out = arena_take(a, sizeof *out);

    if (out)
        *out = (struct dtls_desc){ arena_str(a, hash), arena_str(a, span_trim(value)), arena_str(a, m->setup),
                                   m->more_fingerprints };
    return out;
}

static bool same_format(const struct sdp_format *f, const struct format_desc *as)
{
    struct span encoding = is_codec(f) ? f->encoding : SPAN_NONE;

    return f->pt == as->pt && f->apt == as->apt && f->clock_hz == as->clock_hz && (uint8_t)f->role == as->role &&
           encoding.n < UINT8_MAX && text_is(as->encoding, as->encoding_n, encoding);
}

static bool same_formats(const struct sdp_media *m, const struct format_desc *as, size_t n)
{
    size_t i = 0;

    while (i < m->formats && i < n && same_format(&m->format[i], &as[i]))
        i++;
    return i == m->formats && i == n;
}

/* NULL: without memory. */
static const struct format_desc *formats_copy(struct arena *a, const struct sdp_media *m)
{
    struct format_desc *made = arena_take(a, m->formats * sizeof *made);

    for (size_t i = 0; made && i < m->formats; i++) {
        const struct sdp_format *f = &m->format[i];

        made[i] = (struct format_desc){ .encoding = is_codec(f) ? arena_str(a, f->encoding) : "",
                                        .clock_hz = f->clock_hz,
                                        .pt = f->pt,
                                        .apt = f->apt,
                                        .role = (uint8_t)f->role };
        if (*made[i].encoding)
            made[i].encoding_n = (uint8_t)(f->encoding.n < UINT8_MAX ? f->encoding.n : UINT8_MAX);
    }
    return made;
}

static const struct format_desc *formats_shared(struct track *t, struct arena *own, const struct sdp_media *m)
{
    struct shared_formats *cell = shared_formats_at(t, m);

    if (!cell->formats)
        *cell = (struct shared_formats){ formats_copy(&t->shared.arena, m), (uint8_t)m->formats };
    return cell->formats && same_formats(m, cell->formats, cell->n) ? cell->formats : formats_copy(own, m);
}

/* `before`: what the description before says of the same m-line, or NULL. An answer often lists what was offered, and a new offer too. */
static void formats_keep(struct track *t, struct arena *own, const struct sdp_media *m, const struct media_desc *before,
                         struct media_desc *out)
{
    if (m->formats && before && same_formats(m, before->formats, before->formats_n))
        out->formats = before->formats;
    else if (m->formats)
        out->formats = formats_shared(t, own, m);
    out->formats_n = out->formats ? (uint8_t)m->formats : 0;
}

static RARE void ssrcs_keep(struct arena *a, const struct sdp_media *m, struct media_desc *out)
{
    out->ssrcs = arena_take(a, m->ssrcs * sizeof *out->ssrcs);
    if (out->ssrcs) {
        memcpy(out->ssrcs, m->ssrc, m->ssrcs * sizeof *out->ssrcs);
        out->ssrcs_n = (uint8_t)m->ssrcs;
    }
}

static bool in_group(struct span group, struct span mid)
{
    while (mid.n && group.n)
        if (span_eq(span_until(&group, ' '), mid))
            return true;
    return false;
}

/* The first mid of the group names the m-line whose address, ICE and rtcp-mux count for all (RFC 9143 §7.3). */
static RARE void bundle_keep(const struct sdp *sdp, size_t i, struct media_desc *out)
{
    struct span group = sdp->bundle, first = span_until(&group, ' ');

    out->bundled = in_group(sdp->bundle, sdp->media[i].mid);
    for (size_t k = 0; out->bundled && k < sdp->medias; k++)
        if (span_eq(sdp->media[k].mid, first))
            out->tagged = (uint8_t)k;
}

const struct format_desc *sdp_format_of(const struct sdp_fact *f, uint8_t media, uint8_t pt)
{
    for (uint8_t m = 0; m < f->medias; m++) {
        const struct media_desc *x = &f->media[m];

        if (m != media && !(x->bundled && media < f->medias && f->media[media].bundled))
            continue;
        for (size_t i = 0; i < x->formats_n; i++)
            if (x->formats[i].pt == pt)
                return &x->formats[i];
    }
    return NULL;
}

static void media_keep(struct track *t, struct arena *a, const struct sdp *sdp, size_t i, const struct media_desc *before,
                       struct media_desc *out)
{
    const struct sdp_media *m = &sdp->media[i];

    out->kind = (uint8_t)m->kind;
    out->dir = (uint8_t)m->dir;
    out->addr = m->addr;
    out->rtcp = m->rtcp;
    out->rejected = m->port == 0 && !m->bundle_only;
    out->rtcp_mux = m->rtcp_mux;
    out->ice = m->ufrag.n > 0 && !m->ice_mismatch;
    out->host = addr_is_none(&m->addr) ? arena_str(a, m->host) : "";
    out->mid = arena_str(a, m->mid);
    out->ufrag = arena_str(a, m->ufrag);
    out->pwd = arena_str(a, m->pwd);
    out->ptime_ms = m->ptime_ms;
    out->dtls = m->fingerprint.n ? dtls_keep(a, m) : NULL;
    out->mid_ext = m->mid_ext;
    formats_keep(t, a, m, before, out);
    if (m->ssrcs)
        ssrcs_keep(a, m, out);
    codec_keep(m, out);
    out->bundle_only = m->bundle_only;
    out->tagged = (uint8_t)i;
    if (sdp->bundle.n)
        bundle_keep(sdp, i, out);
}

static RARE void cands_keep(struct arena *a, const struct sdp *sdp, struct sdp_fact *out)
{
    for (size_t i = 0; i < sdp->cands; i++) {
        const struct sdp_cand *c = &sdp->cand[i];

        out->cand[i] = (struct cand_desc){ c->media, c->component, (uint8_t)c->type, c->tcp, c->priority, c->addr, c->raddr };
        if (!addr_is_none(&c->addr))
            continue;
        if (!out->cand_host)
            out->cand_host = arena_take(a, sdp->cands * sizeof *out->cand_host);
        if (out->cand_host)
            out->cand_host[i] = arena_str(a, c->host);
    }
}

const char *sdp_cand_host(const struct sdp_fact *f, size_t i)
{
    return f->cand_host && f->cand_host[i] ? f->cand_host[i] : "";
}

/* From now on RTP may come from and go to this address, or no longer: T.38 in UDPTL (m=image) takes over the audio's port. */
static void advertise(struct track *t, const struct addr *a, bool rtp, const struct call *c, size_t media)
{
    uint32_t slot = addr_is_none(a) || a->port == 0 ? POOL_NONE : socket_get(t, a);
    struct socket *k = track_socket(t, slot);

    if (!k)
        return;
    k->advertised = rtp;
    k->described_in = c->id;
    k->described_sdp = (uint16_t)(c->sdps_n - 1); /* the latest */
    k->described_media = (uint8_t)media;
}

static void learn(struct track *t, const struct call *c, const struct sdp_fact *f)
{
    for (size_t i = 0; i < f->medias; i++) {
        advertise(t, &f->media[i].addr, f->media[i].kind != SDP_IMAGE, c, i);
        if (*f->media[i].ufrag && *f->media[i].pwd)
            ice_password_add(t, f->media[i].ufrag, f->media[i].pwd);
    }
    for (size_t i = 0; i < f->cands; i++)
        advertise(t, &f->cand[i].addr, true, c, f->cand[i].media);
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
    struct sdp_fact *f, *before = NULL;

    for (f = c->sdps; f; before = f, f = f->next)
        if (f->digest == digest && f->party == party && f->cseq == m->cseq)
            return f; /* a retransmission, or the 200 that repeats the 183's answer */
    f = c->sdps_n < CALL_SDPS_KEPT ? arena_take(&c->arena, sizeof *f) : NULL;
    if (f) {
        f->media = arena_take(&c->arena, sdp->medias * sizeof *f->media);
        f->cand = sdp->cands ? arena_take(&c->arena, sdp->cands * sizeof *f->cand) : NULL;
    }
    if (!f || !f->media || (sdp->cands && !f->cand)) {
        fault_log_one(t->faults, FAULT_SESSION_FACT_LIMIT, d->at.frame);
        return NULL;
    }
    f->at = d->at;
    f->from = d->src;
    f->to = d->dst;
    f->party = (uint8_t)party;
    f->digest = digest;
    f->cseq = m->cseq;
    f->direct = came_directly(d, m);
    f->ice_lite = sdp->ice_lite;
    f->medias = (uint8_t)sdp->medias;
    f->cands = (uint8_t)sdp->cands;
    for (size_t i = 0; i < sdp->medias; i++)
        media_keep(t, &c->arena, sdp, i, before && i < before->medias ? &before->media[i] : NULL, &f->media[i]);
    if (sdp->cands)
        cands_keep(&c->arena, sdp, f);
    if (before)
        before->next = f;
    else
        c->sdps = f;
    c->sdps_n++;
    learn(t, c, f);
    return f;
}
