#include "base/rd.h"

#include <criterion/criterion.h>

static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c };

/* A reader of the first `captured` of our bytes, of which there were `wire` on the wire. */
static struct rd reader(size_t captured, size_t wire)
{
    return rd_init((struct span){ bytes, captured }, wire);
}

/* What every read must do after the first failure, whatever it was. */
static void expect_stuck(struct rd *r, enum rd_err err)
{
    const uint8_t *p = r->p;

    cr_assert_eq(r->err, err);
    cr_assert_eq(rd_left(r), 0);
    cr_assert_eq(rd_wire_left(r), 0);
    cr_assert_eq(rd_rest(r).n, 0);
    cr_assert_eq(rd_u8(r), 0);
    cr_assert_eq(rd_u16(r), 0);
    cr_assert_eq(rd_u24(r), 0);
    cr_assert_eq(rd_u32(r), 0);
    cr_assert_eq(rd_u64(r), 0);
    cr_assert_null(rd_take(r, 0).p);
    cr_assert_eq(rd_take(r, 1).n, 0);
    cr_assert_eq(rd_sub(r, 0).err, err, "a child of a failed reader has failed");
    cr_assert_eq(r->p, p, "a failed reader does not move");
    cr_assert_eq(r->err, err, "the first failure sticks");
}

Test(rd, numbers_are_in_network_order)
{
    struct rd r = reader(sizeof bytes, sizeof bytes);

    cr_assert_eq(rd_u8(&r), 0x01);
    cr_assert_eq(rd_u16(&r), 0x0203);
    cr_assert_eq(rd_u24(&r), 0x040506);
    cr_assert_eq(rd_u32(&r), 0x0708090a);
    cr_assert_eq(rd_left(&r), 2);
    cr_assert_eq(r.err, RD_FINE);

    r = reader(sizeof bytes, sizeof bytes);
    cr_assert_eq(rd_u64(&r), 0x0102030405060708u);
    cr_assert_eq(rd_left(&r), 4);
}

Test(rd, the_highest_bits_do_not_become_a_sign)
{
    static const uint8_t high[8] = { 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8 };
    struct rd r = rd_init((struct span){ high, 8 }, 8), again = r, third = r;

    cr_assert_eq(rd_u32(&r), 0xfffefdfcu);
    cr_assert_eq(rd_u64(&again), 0xfffefdfcfbfaf9f8u);
    cr_assert_eq(rd_u24(&third), 0xfffefdu);
}

Test(rd, take_hands_out_the_bytes_themselves)
{
    struct rd r = reader(4, 4);
    struct span s = rd_take(&r, 3);

    cr_assert_eq(s.p, bytes);
    cr_assert_eq(s.n, 3);
    cr_assert_eq(rd_rest(&r).p, bytes + 3);
    cr_assert_eq(rd_rest(&r).n, 1);
    cr_assert_eq(rd_take(&r, 0).n, 0);
    cr_assert_eq(r.err, RD_FINE, "nothing is always there");
    cr_assert_eq(rd_take(&r, 1).n, 1, "the last byte");
    cr_assert_eq(rd_take(&r, 0).n, 0);
    cr_assert_eq(r.err, RD_FINE, "nothing is there even at the end");
}

Test(rd, past_the_wire_is_short)
{
    struct rd r = reader(3, 3);

    cr_assert_null(rd_take(&r, 4).p);
    expect_stuck(&r, RD_SHORT);
}

Test(rd, past_the_snap_length_is_cut)
{
    struct rd r = reader(3, 4);

    cr_assert_null(rd_take(&r, 4).p);
    expect_stuck(&r, RD_CUT);
}

Test(rd, past_snap_length_and_wire_is_short)
{
    struct rd r = reader(3, 4);

    cr_assert_null(rd_take(&r, 5).p);
    expect_stuck(&r, RD_SHORT);
}

Test(rd, every_number_that_does_not_fit_is_zero)
{
    struct rd u8 = reader(0, 0), u16 = reader(1, 1), u24 = reader(2, 2), u32 = reader(3, 3);

    cr_assert_eq(rd_u8(&u8), 0);
    expect_stuck(&u8, RD_SHORT);
    cr_assert_eq(rd_u16(&u16), 0);
    expect_stuck(&u16, RD_SHORT);
    cr_assert_eq(rd_u24(&u24), 0);
    expect_stuck(&u24, RD_SHORT);
    cr_assert_eq(rd_u32(&u32), 0);
    expect_stuck(&u32, RD_SHORT);
}

Test(rd, half_of_a_u64_is_no_number)
{
    for (size_t n = 0; n < 8; n++) {
        struct rd r = reader(n, n), cut = reader(n, 8);

        cr_assert_eq(rd_u64(&r), 0, "%zu bytes", n);
        expect_stuck(&r, RD_SHORT);
        cr_assert_eq(rd_u64(&cut), 0, "%zu bytes", n);
        expect_stuck(&cut, RD_CUT);
    }
}

Test(rd, a_length_near_the_end_of_memory_is_short)
{
    struct rd r = reader(3, 1000), sub = reader(3, 1000);

    cr_assert_null(rd_take(&r, SIZE_MAX).p);
    cr_assert_eq(r.err, RD_SHORT);
    cr_assert_eq(rd_sub(&sub, SIZE_MAX).err, RD_SHORT);
    cr_assert_eq(sub.err, RD_SHORT);
}

Test(rd, wire_below_captured_is_ignored)
{
    struct rd r = reader(4, 2);

    cr_assert_eq(r.uncap, 0);
    cr_assert_eq(rd_wire_left(&r), 4);
    cr_assert_eq(rd_u32(&r), 0x01020304u);
    cr_assert_eq(rd_u8(&r), 0);
    cr_assert_eq(r.err, RD_SHORT);
}

Test(rd, wire_left_counts_what_was_not_captured)
{
    struct rd r = reader(4, 10);

    cr_assert_eq(rd_left(&r), 4);
    cr_assert_eq(rd_wire_left(&r), 10);
    (void)rd_u16(&r);
    cr_assert_eq(rd_left(&r), 2);
    cr_assert_eq(rd_wire_left(&r), 8);
}

Test(rd, no_bytes_at_all)
{
    struct rd r = rd_init(SPAN_NONE, 0), cut = rd_init(SPAN_NONE, 3);

    cr_assert_eq(rd_left(&r), 0);
    cr_assert_eq(rd_take(&r, 0).n, 0);
    cr_assert_eq(r.err, RD_FINE);
    cr_assert_eq(rd_sub(&r, 0).err, RD_FINE);
    cr_assert_eq(rd_u8(&r), 0);
    expect_stuck(&r, RD_SHORT);
    cr_assert_eq(rd_wire_left(&cut), 3);
    cr_assert_eq(rd_u8(&cut), 0);
    expect_stuck(&cut, RD_CUT);
}

/* ---- sub-windows ---- */

Test(rd, a_child_does_not_see_past_its_window)
{
    struct rd r = reader(8, 8), kid = rd_sub(&r, 3);

    cr_assert_eq(rd_left(&kid), 3);
    cr_assert_eq(rd_u16(&kid), 0x0102);
    cr_assert_eq(rd_u16(&kid), 0, "the third byte is alone");
    expect_stuck(&kid, RD_SHORT);
    cr_assert_eq(r.err, RD_FINE, "a child's failure is its own");
    cr_assert_eq(rd_u8(&r), 0x04, "the parent goes on behind the window");
}

Test(rd, a_window_of_nothing)
{
    struct rd r = reader(2, 2), kid = rd_sub(&r, 0);

    cr_assert_eq(kid.err, RD_FINE);
    cr_assert_eq(rd_wire_left(&kid), 0);
    cr_assert_eq(rd_u8(&kid), 0);
    cr_assert_eq(kid.err, RD_SHORT);
    cr_assert_eq(rd_u16(&r), 0x0102);
}

Test(rd, a_window_over_the_cut_shares_what_is_missing)
{
    struct rd r = reader(4, 10), kid;

    (void)rd_u16(&r);
    kid = rd_sub(&r, 5); /* two of them captured */
    cr_assert_eq(kid.err, RD_FINE);
    cr_assert_eq(r.err, RD_FINE);
    cr_assert_eq(rd_left(&kid), 2);
    cr_assert_eq(rd_wire_left(&kid), 5);
    cr_assert_eq(rd_left(&r), 0);
    cr_assert_eq(rd_wire_left(&r), 3, "what lies behind the window");
    cr_assert_null(rd_take(&kid, 5).p);
    cr_assert_eq(kid.err, RD_CUT);
    cr_assert_null(rd_take(&r, 3).p);
    cr_assert_eq(r.err, RD_CUT);
}

Test(rd, a_cut_window_still_ends_where_its_sender_ended_it)
{
    struct rd r = reader(4, 10), kid = rd_sub(&r, 6);

    cr_assert_null(rd_take(&kid, 7).p);
    cr_assert_eq(kid.err, RD_SHORT, "the window had six bytes on the wire, whatever lies behind");
}

Test(rd, a_window_larger_than_its_parent_is_short_in_both)
{
    struct rd r = reader(4, 6), kid = rd_sub(&r, 7);

    cr_assert_eq(kid.err, RD_SHORT);
    cr_assert_eq(rd_left(&kid), 0);
    expect_stuck(&r, RD_SHORT);
}

Test(rd, windows_within_windows)
{
    struct rd r = reader(8, 12), outer = rd_sub(&r, 10), inner;

    (void)rd_u32(&outer);
    inner = rd_sub(&outer, 6);
    cr_assert_eq(rd_left(&inner), 4);
    cr_assert_eq(rd_wire_left(&inner), 6);
    cr_assert_eq(rd_wire_left(&outer), 0);
    cr_assert_eq(rd_wire_left(&r), 2);
    cr_assert_eq(rd_u32(&inner), 0x05060708u);
    cr_assert_eq(rd_u16(&inner), 0);
    cr_assert_eq(inner.err, RD_CUT);
    cr_assert_eq(outer.err, RD_FINE);
}

/* All ways to split 12 bytes into captured, wire and window: no window ever shows a byte that is not its own. */
Test(rd, all_windows)
{
    for (size_t captured = 0; captured <= 12; captured++)
        for (size_t wire = captured; wire <= 14; wire++)
            for (size_t n = 0; n <= 15; n++) {
                struct rd r = reader(captured, wire), kid = rd_sub(&r, n);

                cr_assert_eq(kid.err, n <= wire ? RD_FINE : RD_SHORT);
                cr_assert_eq(r.err, kid.err);
                if (kid.err)
                    continue;
                cr_assert_eq(rd_left(&kid), n < captured ? n : captured);
                cr_assert_eq(rd_wire_left(&kid), n);
                cr_assert_eq(rd_wire_left(&r), wire - n);
                cr_assert_eq(rd_left(&r), captured > n ? captured - n : 0);
            }
}
