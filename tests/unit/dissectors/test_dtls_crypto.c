#include "unit/dissectors/dtls_sample.h"

static void expect(const char *algorithm, const char *hex)
{
    char out[DTLS_FINGERPRINT_ROOM], plain[DTLS_FINGERPRINT_ROOM];
    size_t n = 0;

    cr_assert(dtls_fingerprint(SPAN("abc"), span_str(algorithm), out, sizeof out));
    cr_assert_eq(strlen(out), strlen(hex) / 2 * 3 - 1);
    for (size_t i = 0; out[i]; i++) {
        if (i % 3 == 2)
            cr_assert_eq(out[i], ':');
        else
            plain[n++] = out[i];
    }
    plain[n] = '\0';
    cr_assert_str_eq(plain, hex);
}

/* The digests of "abc" in FIPS 180's examples. */
Test(dtls_fingerprint, known_digests)
{
    expect("sha-1", "A9993E364706816ABA3E25717850C26C9CD0D89D");
    expect("sha-224", "23097D223405D8228642A477BDA255B32AADBCE4BDA0B3F7E36C9DA7");
    expect("sha-256", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
    expect("sha-384", "CB00753F45A35E8BB5A03D699AC65007272C32AB0EDED1631A8B605A43FF5BED8086072BA1E7CC2358BAECA134C825A7");
    expect("sha-512", "DDAF35A193617ABACC417349AE20413112E6FA4E89A97EA20A9EEEE64B55D39A"
                      "2192992A274FC1A836BA3C23A3FEEBBD454D4423643CE80E2A9AC94FA54CA49F");
}

Test(dtls_fingerprint, as_in_sdp)
{
    char out[DTLS_FINGERPRINT_ROOM];

    cr_assert(dtls_fingerprint(SPAN("abc"), SPAN("SHA-1"), out, sizeof out), "tokens are in any case");
    cr_assert_str_eq(out, "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D");
    cr_assert(dtls_fingerprint(SPAN_NONE, SPAN("sha-1"), out, sizeof out));
    cr_assert_str_eq(out, "DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09");
}

Test(dtls_fingerprint, other_algorithms)
{
    static const char *const other[] = { "md5", "md2", "sha", "sha1", "sha-25", "sha-2566", "" };
    char out[DTLS_FINGERPRINT_ROOM] = "before";

    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        cr_assert(!dtls_fingerprint(SPAN("abc"), span_str(other[i]), out, sizeof out), "%s", other[i]);
        cr_assert_str_eq(out, "");
    }
}

/* Three bytes for each of the digest's, the last of them the NUL. */
Test(dtls_fingerprint, room)
{
    char out[61];

    memset(out, 'x', sizeof out);
    cr_assert(!dtls_fingerprint(SPAN("abc"), SPAN("sha-1"), out, 59));
    cr_assert_eq(out[0], '\0');
    cr_assert(dtls_fingerprint(SPAN("abc"), SPAN("sha-1"), out, 60));
    cr_assert_eq(strlen(out), 59);
    cr_assert_eq(out[60], 'x');
    cr_assert(!dtls_fingerprint(SPAN("abc"), SPAN("sha-1"), out, 0));
    cr_assert_eq(out[0], 'A', "nothing was written");
}

Test(dtls_fingerprint, of_a_certificate_message)
{
    struct buf cert = certificate(SPAN("abc")), d = handshake(DTLS_CERTIFICATE, 1, span_of(&cert));
    char out[DTLS_FINGERPRINT_ROOM];
    struct dtls_msg m;

    sound(&d, &m);
    cr_assert(dtls_fingerprint(m.certificate, SPAN("sha-1"), out, sizeof out));
    cr_assert_str_eq(out, "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D");
}
