/* owner.c: whose RTP is it (RFC 9143 §9.2)? */
#include <criterion/criterion.h>

#include "verdict/verdict_private.h"

/* Two parties that both describe audio, video and a second audio in one BUNDLE group, and a third audio outside it. */
enum { AUDIO, VIDEO, SECOND, ALONE, MEDIAS };

static struct format_desc voice[] = { { "opus", 48000, 111, 111, SDP_ROLE_MEDIA, 0 }, { "", 8000, 13, 13, SDP_ROLE_NOISE, 0 } };
static struct format_desc picture[] = { { "VP8", 90000, 96, 96, SDP_ROLE_MEDIA, 0 }, { "", 90000, 97, 96, SDP_ROLE_RTX, 0 } };
static struct sdp_ssrc of_second[] = { { 3000, false } }, of_video[] = { { 2000, false }, { 2001, true } };
static struct media_desc media[PARTIES][MEDIAS];
static struct sdp_fact sdp[PARTIES];
static struct agreement agreed;

static void setup(void)
{
    static const char *const mids[] = { "a", "v", "b", "c" };

    for (enum party p = CALLER; p < PARTIES; p++) {
        for (uint8_t m = 0; m < MEDIAS; m++) {
            bool video = m == VIDEO;

            media[p][m] = (struct media_desc){ .kind = video ? SDP_VIDEO : SDP_AUDIO,
                                               .mid = mids[m],
                                               .codec = "",
                                               .mid_ext = 4,
                                               .bundled = m != ALONE,
                                               .tagged = m == ALONE ? ALONE : AUDIO,
                                               .formats = video ? picture : voice,
                                               .formats_n = 2 };
        }
        sdp[p] = (struct sdp_fact){ .party = (uint8_t)p, .medias = MEDIAS, .media = media[p] };
        agreed.by[p] = &sdp[p];
    }
    media[CALLER][VIDEO].ssrcs = of_video;
    media[CALLER][VIDEO].ssrcs_n = 2;
    media[CALLEE][SECOND].ssrcs = of_second;
    media[CALLEE][SECOND].ssrcs_n = 1;
}

TestSuite(owner, .init = setup);

static struct stream_owner owner(uint32_t ssrc, uint8_t pt, const char *mid)
{
    struct stream s = { .ssrc = ssrc, .pt = pt, .first_pt = pt };
    struct stream_ids ids = { .n = 2, .v = { { .id = 3, .len = 1, .text = "v" }, { .id = 4 } } };

    if (mid) {
        ids.v[1].len = (uint8_t)strlen(mid);
        memcpy(ids.v[1].text, mid, ids.v[1].len);
    }
    return stream_owner(&agreed, AUDIO, &s, mid ? &ids : NULL);
}

Test(owner, the_mid_comes_first)
{
    struct stream_owner o = owner(2000, 96, "b");

    cr_expect_eq(o.media, SECOND);
    cr_expect_eq(o.by, OWNER_BY_MID);
}

Test(owner, a_text_under_another_id_is_no_mid)
{
    cr_expect_eq(owner(9, 96, "x").by, OWNER_BY_PT);
}

Test(owner, then_the_ssrc)
{
    struct stream_owner o = owner(3000, 111, NULL);

    cr_expect_eq(o.media, SECOND);
    cr_expect_eq(o.by, OWNER_BY_SSRC);
}

Test(owner, then_a_payload_type_that_one_alone_lists)
{
    struct stream_owner o = owner(9, 96, NULL);

    cr_expect_eq(o.media, VIDEO);
    cr_expect_eq(o.by, OWNER_BY_PT);
    cr_expect_not(o.repair);
}

Test(owner, a_payload_type_that_two_list_is_a_guess)
{
    struct stream_owner o = owner(9, 111, NULL);

    cr_expect_eq(o.media, AUDIO);
    cr_expect_eq(o.by, OWNER_BY_NOTHING);
    media[CALLER][AUDIO].dir = SDP_INACTIVE;
    cr_expect_eq(owner(9, 111, NULL).media, SECOND, "one that carries nothing is not it");
}

Test(owner, a_payload_type_that_none_lists_goes_to_the_tagged_one)
{
    cr_expect_eq(owner(9, 50, NULL).media, AUDIO);
    cr_expect_eq(owner(9, 50, NULL).by, OWNER_BY_NOTHING);
}

Test(owner, outside_the_bundle_everything_is_its_own)
{
    struct stream s = { .ssrc = 2000, .pt = 96, .first_pt = 96 };

    cr_expect_eq(stream_owner(&agreed, ALONE, &s, NULL).media, ALONE);
    cr_expect_not(media_must_choose(&agreed, ALONE));
    cr_expect(media_must_choose(&agreed, AUDIO));
}

Test(owner, what_repairs_belongs_and_is_no_media)
{
    cr_expect(owner(2001, 96, NULL).media == VIDEO && owner(2001, 96, NULL).repair, "by its FID group");
    cr_expect(owner(9, 97, NULL).media == VIDEO && owner(9, 97, NULL).repair, "by its payload type");
    cr_expect_not(owner(2000, 96, NULL).repair);
}

Test(owner, an_answer_without_the_group_is_no_bundle)
{
    for (uint8_t m = 0; m < MEDIAS; m++)
        media[CALLEE][m].bundled = false;
    cr_expect_eq(media_transport(&agreed, VIDEO), VIDEO);
    cr_expect_not(media_shares(&agreed, AUDIO, VIDEO));
    media[CALLER][VIDEO].bundle_only = true;
    cr_expect(media_rejected(&agreed, VIDEO), "offered for a bundle that did not come to be");
}

Test(owner, bundle_only_with_port_0_is_not_rejected)
{
    media[CALLER][VIDEO].bundle_only = true;
    cr_expect_not(media_rejected(&agreed, VIDEO));
    cr_expect_eq(media_transport(&agreed, VIDEO), AUDIO);
    media[CALLEE][VIDEO].rejected = true;
    cr_expect(media_rejected(&agreed, VIDEO));
}

Test(owner, an_answer_names_the_transport)
{
    agreed.offerer = CALLER;
    media[CALLEE][SECOND].tagged = media[CALLEE][AUDIO].tagged = VIDEO;
    cr_expect_eq(media_transport(&agreed, SECOND), VIDEO);
}

Test(owner, one_address_without_a_group_is_shared)
{
    for (uint8_t m = 0; m < MEDIAS; m++)
        media[CALLER][m].bundled = false;
    cr_expect_not(media_shares(&agreed, AUDIO, VIDEO));
    cr_assert(addr_parse(SPAN("192.0.2.1:4000"), &media[CALLER][AUDIO].addr));
    media[CALLER][VIDEO].addr = media[CALLER][AUDIO].addr;
    cr_expect(media_shares(&agreed, AUDIO, VIDEO));
    cr_expect_eq(media_transport(&agreed, VIDEO), VIDEO);
}
