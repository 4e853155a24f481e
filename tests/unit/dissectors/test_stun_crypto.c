#include <criterion/criterion.h>

#include "dissectors/stun.h"
#include "unit/dissectors/stun_sample.h"

static struct stun_mac mac;

static void free_mac(void)
{
    stun_mac_done(&mac);
}

TestSuite(stun_crypto, .fini = free_mac);

Test(stun_crypto, rfc5769_short_term_credentials)
{
    const struct span samples[] = { BYTES(request), BYTES(response4), BYTES(response6) };

    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct faults why = { 0 };
        struct stun_msg m;

        cr_assert_eq(dissect(samples[i], &m, &why), DIS_OK);
        cr_assert_eq(stun_check_integrity(&mac, &m, PASSWORD), STUN_GOOD);
        cr_assert_eq(stun_check_integrity(&mac, &m, SPAN("VOkJxbRl1RmTxUk/WvJxBT")), STUN_WRONG);
        cr_assert_eq(stun_check_integrity(&mac, &m, SPAN_NONE), STUN_WRONG);
        cr_assert_eq(stun_check_fingerprint(&m), STUN_GOOD);
    }
}

/* RFC 8489 §14.7: the checksum's length ends with the FINGERPRINT, whatever somebody put behind it. */
Test(stun_crypto, fingerprint_that_is_not_the_last)
{
    struct msg m = { { 0 }, sizeof response4 };
    struct stun_msg out;

    memcpy(m.b, response4, sizeof response4);
    put_attr(&m, 0x8022, "late", 4);
    sound(&m, &out);
    cr_assert_eq(stun_check_fingerprint(&out), STUN_GOOD);
    cr_assert_eq(stun_check_integrity(&mac, &out, PASSWORD), STUN_GOOD);
}

Test(stun_crypto, rfc5769_long_term_credentials)
{
    struct faults why = { 0 };
    struct stun_msg m;
    uint8_t key[16];

    cr_assert_eq(dissect(BYTES(long_term), &m, &why), DIS_OK);
    cr_assert_eq(why.n, 0);
    cr_assert(span_eq(m.realm, SPAN("example.org")));
    cr_assert(span_eq(m.nonce, SPAN("f//499k954d6OL34oL9FSTvy64sA")));
    cr_assert_eq(m.username.n, 18);
    stun_long_term_key(m.username, m.realm, SPAN("TheMatrIX"), key);
    cr_assert_eq(stun_check_integrity(&mac, &m, BYTES(key)), STUN_GOOD);
    cr_assert_eq(stun_check_fingerprint(&m), STUN_ABSENT);
}

/* RFC 8489 §9.2.2's own example. */
Test(stun_crypto, long_term_key)
{
    static const uint8_t want[16] = { 0x84, 0x93, 0xfb, 0xc5, 0x3b, 0xa5, 0x82, 0xfb,
                                      0x4c, 0x04, 0x4c, 0x45, 0x6b, 0xdc, 0x40, 0xeb };
    uint8_t key[16];

    stun_long_term_key(SPAN("user"), SPAN("realm"), SPAN("pass"), key);
    cr_assert_arr_eq(key, want, sizeof want);
}

Test(stun_crypto, every_flipped_bit_is_noticed)
{
    uint8_t b[sizeof request];

    for (size_t i = STUN_HEADER; i < sizeof b; i++) {
        struct faults why = { 0 };
        struct stun_msg m;

        memcpy(b, request, sizeof b);
        b[i] ^= 0x01;
        if (dissect(BYTES(b), &m, &why) != DIS_OK)
            continue; /* an attribute's length */
        cr_assert_neq(stun_check_fingerprint(&m), STUN_GOOD, "byte %zu", i);
        if (i < 100)
            cr_assert_neq(stun_check_integrity(&mac, &m, PASSWORD), STUN_GOOD, "byte %zu", i);
    }
}

Test(stun_crypto, checks_without_their_attribute)
{
    struct msg m = msg_new(0x0001, cookie_tid);
    struct stun_msg out;

    sound(&m, &out);
    cr_assert_eq(stun_check_fingerprint(&out), STUN_ABSENT);
    cr_assert_eq(stun_check_integrity(&mac, &out, PASSWORD), STUN_ABSENT);
}

/* RFC 3489 §11.2.8 pads with zeros to 64 bytes before the HMAC. */
Test(stun_crypto, classic_integrity)
{
    static const uint8_t sum[] = { 0xa9, 0xf5, 0x96, 0x3e, 0xcb, 0x09, 0x85, 0x7a, 0x08, 0x69,
                                   0x65, 0x09, 0xe9, 0x83, 0x89, 0xe8, 0x91, 0xdb, 0x7b, 0x92 };
    struct msg m = msg_new(0x0001, classic_tid);
    struct stun_msg out;

    put_attr(&m, 0x0006, "user", 4);
    put_attr(&m, 0x0008, sum, sizeof sum);
    sound(&m, &out);
    cr_assert_eq(stun_check_integrity(&mac, &out, SPAN("secret")), STUN_GOOD);
}

/* The same mac serves all keys in turn. One of more than 64 bytes is hashed first (RFC 2104 §2). */
Test(stun_crypto, keys_of_all_lengths)
{
    static const uint8_t of_64[] = { 0x8e, 0xe4, 0x15, 0x0e, 0xf9, 0xef, 0x54, 0xc9, 0x9c, 0x6f,
                                     0x9a, 0x71, 0x9b, 0xaf, 0xd8, 0x92, 0x55, 0xc0, 0x8d, 0xab };
    static const uint8_t of_65[] = { 0x7e, 0x7c, 0x95, 0xf5, 0xc6, 0xb2, 0x08, 0x0c, 0xd7, 0x51,
                                     0x3d, 0x17, 0x1e, 0xfc, 0x6a, 0x7b, 0xf5, 0x8e, 0x9b, 0x2c };
    uint8_t key[65];

    memset(key, 'k', sizeof key);
    for (int again = 0; again < 2; again++) {
        struct msg m = msg_new(0x0001, cookie_tid), n = m;
        struct stun_msg out;

        put_attr(&m, 0x0008, of_64, sizeof of_64);
        sound(&m, &out);
        cr_assert_eq(stun_check_integrity(&mac, &out, (struct span){ key, 64 }), STUN_GOOD);
        cr_assert_eq(stun_check_integrity(&mac, &out, SPAN_NONE), STUN_WRONG);
        cr_assert_eq(stun_check_integrity(&mac, &out, (struct span){ key, 65 }), STUN_WRONG);
        put_attr(&n, 0x0008, of_65, sizeof of_65);
        sound(&n, &out);
        cr_assert_eq(stun_check_integrity(&mac, &out, (struct span){ key, 65 }), STUN_GOOD);
    }
}

/* Four bytes are summed at a time, and what is left one by one: MS-TURN pads nothing ([MS-TURN] §2.2.2.8). */
Test(stun_crypto, fingerprints_of_odd_lengths)
{
    static const uint32_t want[] = { 0x8f827ace, 0x4d8d89c0, 0x0bc6b872, 0x49b090b2 };

    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const uint8_t sum[] = { (uint8_t)(want[i] >> 24), (uint8_t)(want[i] >> 16), (uint8_t)(want[i] >> 8), (uint8_t)want[i] };
        struct msg m = msg_new(0x0001, cookie_tid);
        struct stun_msg out;

        put_attr(&m, 0x000f, "\x72\xc6\x4b\xc6", 4);
        put_attr(&m, 0x8022, "software", 4 + i);
        m.n -= (4 - i) % 4;
        put_attr(&m, 0x8028, sum, sizeof sum);
        sound(&m, &out);
        cr_assert_eq(stun_check_fingerprint(&out), STUN_GOOD, "%zu", i);
    }
}
