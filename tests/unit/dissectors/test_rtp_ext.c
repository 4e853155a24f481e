/* rtp_ext_next(): header extensions (RFC 8285). */
#include <criterion/criterion.h>

#include "dissectors/rtp.h"
#include "support/sweep.h"

enum { ONE_BYTE = 0xbede, TWO_BYTE = 0x1000 };

static struct span ext;
static uint8_t id;
static struct span value;

static bool next(uint16_t profile)
{
    return rtp_ext_next(profile, &ext, &id, &value);
}
#define EXT(...)                                                                                                                 \
    ext = (struct span)                                                                                                          \
    {                                                                                                                            \
        (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })                                               \
    }

Test(rtp_ext, one_byte_form)
{
    EXT(0x10, 0xff, 0x42, 'a', 'b', 'c', 0x00, 0x00);
    cr_assert(next(ONE_BYTE));
    cr_expect(id == 1 && value.n == 1 && value.p[0] == 0xff);
    cr_assert(next(ONE_BYTE));
    cr_expect(id == 4 && span_eq(value, SPAN("abc")));
    cr_expect_not(next(ONE_BYTE), "padding is no element");
}

Test(rtp_ext, padding_between_elements)
{
    EXT(0x10, 0x01, 0x00, 0x00, 0x40, 'x');
    cr_assert(next(ONE_BYTE));
    cr_assert(next(ONE_BYTE));
    cr_expect(id == 4 && span_eq(value, SPAN("x")));
}

Test(rtp_ext, two_byte_form)
{
    EXT(200, 0, 4, 5, 'v', 'i', 'd', 'e', 'o', 0);
    cr_assert(next(TWO_BYTE | 5)); /* the application's four bits */
    cr_expect(id == 200 && value.n == 0);
    cr_assert(next(TWO_BYTE));
    cr_expect(id == 4 && span_eq(value, SPAN("video")));
    cr_expect_not(next(TWO_BYTE));
}

Test(rtp_ext, an_element_beyond_the_end_is_none)
{
    EXT(0x43, 'a', 'b');
    cr_expect_not(next(ONE_BYTE));
    EXT(4, 3, 'a', 'b');
    cr_expect_not(next(TWO_BYTE));
    EXT(4);
    cr_expect_not(next(TWO_BYTE));
    ext = SPAN_NONE;
    cr_expect_not(next(ONE_BYTE));
}

Test(rtp_ext, id_15_ends_the_one_byte_form)
{
    EXT(0xf0, 1, 0x40, 'x');
    cr_expect_not(next(ONE_BYTE));
}

Test(rtp_ext, another_profile_has_no_elements)
{
    EXT(0x10, 0xff);
    cr_expect_not(next(0xabac));
}

static void swept(struct rd r, bool full, void *self)
{
    struct span all = rd_rest(&r);
    size_t taken = 0;

    (void)full;
    (void)self;
    for (unsigned form = 0; form < 2; form++)
        for (ext = all, taken = 0; next(form ? ONE_BYTE : TWO_BYTE); taken++) {
            cr_assert(value.n == 0 || (value.p >= all.p && value.p + value.n <= all.p + all.n));
            cr_assert(taken < 256, "each element takes a byte at least");
        }
}

Test(rtp_ext, sweep)
{
    static const uint8_t sample[] = { 0x10, 0xff, 0x42, 'a', 'b', 'c', 0x00, 0x04, 0x02, 'x', 'y', 0x00, 0xf1, 1, 2, 3 };

    sweep((struct span){ sample, sizeof sample }, swept, NULL);
}
