/*
 * Whose RTP is it? With BUNDLE several m-lines share one pair of addresses; each stream is given to one of them by what its packets
 * carry, in the order of RFC 9143 §9.2: the mid in a header extension, the SSRC, a payload type that one m-line alone lists. What none
 * of these tells would be dropped there; here it goes to the first m-line that could carry it: absent elsewhere, it must accuse nobody.
 */
#include "verdict/verdict_private.h"

static const struct media_desc *desc_of(const struct agreement *a, enum party p, uint8_t media)
{
    return media < a->by[p]->medias ? &a->by[p]->media[media] : NULL;
}

bool media_bundled(const struct agreement *a, uint8_t media)
{
    const struct media_desc *x = desc_of(a, CALLER, media), *y = desc_of(a, CALLEE, media);

    return x && y && x->bundled && y->bundled;
}

uint8_t media_transport(const struct agreement *a, uint8_t media)
{
    uint8_t tagged = media_bundled(a, media) ? a->by[other_party(a->offerer)]->media[media].tagged : media;

    return media_bundled(a, tagged) ? tagged : media;
}

bool media_rejected(const struct agreement *a, uint8_t media)
{
    for (enum party p = CALLER; p < PARTIES; p++) {
        const struct media_desc *x = desc_of(a, p, media);

        if (!x || x->rejected || (x->bundle_only && x->addr.port == 0 && !media_bundled(a, media)))
            return true;
    }
    return false;
}

bool media_shares(const struct agreement *a, uint8_t one, uint8_t other)
{
    if (one == other || (media_bundled(a, one) && media_bundled(a, other)))
        return true;
    for (enum party p = CALLER; p < PARTIES; p++) {
        const struct media_desc *x = desc_of(a, p, one), *y = desc_of(a, p, other);

        if (x && y && addr_usable(&x->addr) && addr_eq(&x->addr, &y->addr))
            return true;
    }
    return false;
}

static uint8_t medias(const struct agreement *a)
{
    return a->by[CALLER]->medias < a->by[CALLEE]->medias ? a->by[CALLER]->medias : a->by[CALLEE]->medias;
}

/* ---- what the packets carry, held against one m-line of either description ---- */

static bool has_mid(const struct agreement *a, uint8_t media, const struct stream_ids *ids)
{
    for (enum party p = CALLER; ids && p < PARTIES; p++) {
        const struct media_desc *x = desc_of(a, p, media);

        for (size_t i = 0; x && *x->mid && i < ids->n; i++)
            if (ids->v[i].id == x->mid_ext &&
                span_eq((struct span){ (const uint8_t *)ids->v[i].text, ids->v[i].len }, span_str(x->mid)))
                return true;
    }
    return false;
}

static const struct sdp_ssrc *ssrc_of(const struct agreement *a, uint8_t media, uint32_t ssrc)
{
    for (enum party p = CALLER; p < PARTIES; p++) {
        const struct media_desc *x = desc_of(a, p, media);

        for (size_t i = 0; x && i < x->ssrcs_n; i++)
            if (x->ssrcs[i].ssrc == ssrc)
                return &x->ssrcs[i];
    }
    return NULL;
}

const struct format_desc *media_format(const struct agreement *a, uint8_t media, uint8_t pt)
{
    for (enum party p = CALLER; p < PARTIES; p++) {
        const struct media_desc *x = desc_of(a, p, media);

        for (size_t i = 0; x && i < x->formats_n; i++)
            if (x->formats[i].pt == pt)
                return &x->formats[i];
    }
    return NULL;
}

static bool active(const struct agreement *a, uint8_t media)
{
    return !media_rejected(a, media) && a->by[CALLER]->media[media].dir != SDP_INACTIVE &&
           a->by[CALLEE]->media[media].dir != SDP_INACTIVE;
}

/* ---- the choice ---- */

static bool by_payload_type(const struct agreement *a, uint8_t media, uint8_t pt, struct stream_owner *out)
{
    size_t n = 0;

    for (uint8_t m = 0; m < medias(a); m++) {
        if (!media_shares(a, media, m) || !media_format(a, m, pt))
            continue;
        if (n++ == 0 || (!active(a, out->media) && active(a, m)))
            out->media = m;
    }
    out->by = n == 1 ? OWNER_BY_PT : OWNER_BY_NOTHING;
    return n > 0;
}

static bool by_mid_or_ssrc(const struct agreement *a, uint8_t media, const struct stream *s, const struct stream_ids *ids,
                           struct stream_owner *out)
{
    for (out->by = OWNER_BY_MID; out->by <= OWNER_BY_SSRC; out->by++)
        for (uint8_t m = 0; m < medias(a); m++)
            if (media_shares(a, media, m) && (out->by == OWNER_BY_MID ? has_mid(a, m, ids) : ssrc_of(a, m, s->ssrc) != NULL)) {
                out->media = m;
                return true;
            }
    return false;
}

static bool repairs(const struct agreement *a, uint8_t media, uint8_t pt)
{
    const struct format_desc *f = media_format(a, media, pt);

    return f && (f->role == SDP_ROLE_RTX || f->role == SDP_ROLE_FEC);
}

struct stream_owner stream_owner(const struct agreement *a, uint8_t media, const struct stream *s, const struct stream_ids *ids)
{
    struct stream_owner out = { .media = media };
    const struct sdp_ssrc *told;

    if (!by_mid_or_ssrc(a, media, s, ids, &out) && !by_payload_type(a, media, s->first_pt, &out) &&
        !by_payload_type(a, media, s->pt, &out))
        out.media = media_transport(a, media);
    told = ssrc_of(a, out.media, s->ssrc);
    out.repair = (told && told->repair) || (repairs(a, out.media, s->first_pt) && repairs(a, out.media, s->pt));
    return out;
}

bool ssrc_announced(const struct agreement *a, uint8_t media, uint32_t ssrc)
{
    const struct sdp_ssrc *told = ssrc_of(a, media, ssrc);

    return told && !told->repair;
}

bool media_must_choose(const struct agreement *a, uint8_t media)
{
    for (uint8_t m = 0; m < medias(a); m++)
        if (m != media && media_shares(a, media, m) && a->by[CALLER]->media[m].kind != SDP_APPLICATION)
            return true;
    for (enum party p = CALLER; p < PARTIES; p++) {
        const struct media_desc *x = desc_of(a, p, media);

        for (size_t i = 0; x && i < x->formats_n; i++)
            if (repairs(a, media, x->formats[i].pt))
                return true;
        for (size_t i = 0; x && i < x->ssrcs_n; i++)
            if (x->ssrcs[i].repair)
                return true;
    }
    return false;
}
