/* Published vectors: the PRF of TLS 1.2, and the simple handshake of RFC 8448 §3. */
#include <criterion/criterion.h>

#include "tls/keylog.h"
#include "tls/record.h"
#include "tls/schedule.h"
#include "tls/tls.h"

enum { ROOM = 512 };

static size_t hex(const char *digits, uint8_t *out)
{
    size_t n = 0;

    for (unsigned byte; *digits; digits += 2) {
        cr_assert_eq(sscanf(digits, "%2x", &byte), 1);
        cr_assert_lt(n, ROOM);
        out[n++] = (uint8_t)byte;
    }
    return n;
}

struct bytes {
    uint8_t p[ROOM];
    struct span s;
};

static struct span of(struct bytes *b, const char *digits)
{
    return b->s = (struct span){ b->p, hex(digits, b->p) };
}

/* https://mailarchive.ietf.org/arch/msg/tls/fzVCzk-z3FShgGJ6DOXqM1ydxms/ */
Test(tls_vectors, prf_sha256)
{
    struct bytes secret, seed, want;
    uint8_t out[100];

    of(&secret, "9bbe436ba940f017b17652849a71db35");
    of(&seed, "a0ba9f936cda311827a6f796ffd5198c");
    of(&want, "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17"
              "abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66");
    cr_assert(tls_prf("SHA256", secret.s, "test label", seed.s, out, sizeof out));
    cr_assert(span_eq((struct span){ out, sizeof out }, want.s));
}

/* RFC 8448 §3: the traffic secrets, and the keys and IVs that come of them. */
static const struct {
    const char *secret, *key, *iv;
} traffic[] = {
    { "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21", "dbfaa693d1762c5b666af5d950258d01",
      "5bd3c71b836e0b76bb73265f" },
    { "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38", "3fce516009c21727d0f2e4e86ee403bc",
      "5d313eb2671276ee13000b30" },
    { "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5", "17422dda596ed5d9acd890e3c63f5051",
      "5b78923dee08579033e523d9" },
    { "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643", "9f02283b6c9c07efc26bb9f2ac92e356",
      "cf782b88dd83549aadf1e984" },
};

Test(tls_vectors, traffic_keys)
{
    for (size_t i = 0; i < sizeof traffic / sizeof *traffic; i++) {
        struct bytes secret, key, iv;
        uint8_t out[16];

        of(&secret, traffic[i].secret);
        of(&key, traffic[i].key);
        of(&iv, traffic[i].iv);
        cr_assert(tls_expand_label("SHA256", secret.s, "key", out, 16));
        cr_expect(span_eq((struct span){ out, 16 }, key.s), "%zu", i);
        cr_assert(tls_expand_label("SHA256", secret.s, "iv", out, 12));
        cr_expect(span_eq((struct span){ out, 12 }, iv.s));
    }
}

static const char finished[] =
    "170303003575ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384bd1caeacab6867d726c40546";
static const char ticket[] = "17030300de3a6b8f90414a97d6959c3487680de5134a2b240e6cffac116e95d41d6af8f6b580dcf3d11d63c758db289a015"
                             "940252f55713e061dc13e078891a38efb"
                             "cf5753ad8ef170ad3c7353d16d9da773b9ca7f2b9fa1b6c0d4a3d03f75e09c30ba1e62972ac46f75f7b981be63439b2999c"
                             "e13064615139891d5e4c5b406f16e3fc1"
                             "81a77ca475840025db2f0a77f81b5ab05b94c01346755f69232c86519d86cbeeac87aac347d143f9605d64f650db4d023e7"
                             "0e952ca49fe5137121c74bc2697687e24"
                             "8746d6df353005f3bce18696129c8153556b3b6c6779b37bf15985684f";
static const char client_data[] =
    "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b"
    "62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4";
static const char server_data[] =
    "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc4"
    "9c4bf2e5f0a21c0047c2abf332540dd032e167c2955d";
static const char client_alert[] = "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3";
static const char server_alert[] = "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9";

/* A record of the trace opens under that secret as the one with this number, is of that type, and under no other number or key. */
static void opens(const char *record, size_t which, uint64_t seq, uint8_t want_type, size_t want_n)
{
    static uint8_t room[TLS_OPEN_ROOM];
    const struct tls_suite *suite = tls_suite_find(0x1301);
    struct tls_keys k = { 0 };
    struct bytes secret, wire;
    struct tls_record r;
    struct span plain;
    struct rd in;
    uint8_t type;

    of(&secret, traffic[which].secret);
    of(&wire, record);
    in = rd_init(wire.s, wire.s.n);
    cr_assert_eq(tls_record(&in, &r), DIS_OK);
    cr_assert(tls_keys_traffic(&k, suite, secret.s));
    cr_expect(tls_open(&k, seq, &r, room, &type, &plain));
    cr_expect_eq(type, want_type);
    cr_expect_eq(plain.n, want_n);
    cr_expect(!tls_open(&k, seq + 1, &r, room, &type, &plain));
    cr_assert(tls_keys_update(&k));
    cr_expect(!tls_open(&k, seq, &r, room, &type, &plain));
    of(&secret, traffic[(which + 1) % 4].secret);
    cr_assert(tls_keys_traffic(&k, suite, secret.s));
    cr_expect(!tls_open(&k, seq, &r, room, &type, &plain));
    tls_keys_done(&k);
}

Test(tls_vectors, records)
{
    opens(finished, 0, 0, TLS_HANDSHAKE, 36);
    opens(client_data, 2, 0, TLS_APPLICATION_DATA, 50);
    opens(client_alert, 2, 1, TLS_ALERT, 2);
    opens(ticket, 3, 0, TLS_HANDSHAKE, 205);
    opens(server_data, 3, 1, TLS_APPLICATION_DATA, 50);
    opens(server_alert, 3, 2, TLS_ALERT, 2);
}

/* Every bit of a record counts: with one turned, it does not open. */
Test(tls_vectors, no_bit_may_differ)
{
    static uint8_t room[TLS_OPEN_ROOM];
    struct tls_keys k = { 0 };
    struct bytes secret, wire;
    uint8_t type;

    of(&secret, traffic[2].secret);
    of(&wire, client_data);
    cr_assert(tls_keys_traffic(&k, tls_suite_find(0x1301), secret.s));
    for (size_t bit = 0; bit < wire.s.n * 8; bit++) {
        struct tls_record r;
        struct span plain;
        struct rd in;

        wire.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        in = rd_init(wire.s, wire.s.n);
        cr_expect(tls_record(&in, &r) != DIS_OK || !tls_open(&k, 0, &r, room, &type, &plain), "bit %zu", bit);
        wire.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    tls_keys_done(&k);
}

/* ---- the trace as a connection ---- */

static const char keys[] = "CLIENT_HANDSHAKE_TRAFFIC_SECRET cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7 "
                           "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21\n"
                           "CLIENT_TRAFFIC_SECRET_0 cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7 "
                           "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5\n"
                           "SERVER_TRAFFIC_SECRET_0 CB34ECB1E78163BA1C38C6DACB196A6DFFA21A8D9912EC18A2EF6283024DECE7 "
                           "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643\n";
static const char client_hello[] = "16030100c4010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece70000061"
                                   "30113031302010000910000000b000900000673"
                                   "6572766572ff01000100000a00140012001d0017001800190100010101020103010400230000003300260024001d0"
                                   "02099381de560e4bd43d23d8e435a7dbafeb3c0"
                                   "6e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e040305030603020308040805080604010501060"
                                   "102010402050206020202002d00020101001c00"
                                   "024001";
static const char server_hello[] = "160303005a020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e269280013010"
                                   "0002e00330024001d0020c9828876112095fe66"
                                   "762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304";

struct heard {
    uint8_t p[ROOM];
    size_t n;
};

static size_t hear(void *self, uint64_t since, struct span bytes)
{
    struct heard *h = self;

    (void)since;
    memcpy(h->p + h->n, bytes.p, bytes.n);
    h->n += bytes.n;
    return bytes.n;
}

static void send(struct tls *t, const struct addr *src, const struct addr *dst, const char *digits, struct heard *to)
{
    struct tls_segment s = { src, dst, 1, 1, 1 };
    struct bytes b;

    of(&b, digits);
    cr_expect_eq(tls_data(t, &s, b.s, false, (struct tls_sink){ to, hear }), b.s.n);
}

Test(tls_vectors, handshake)
{
    struct keylog *k = keylog_new();
    struct fault_log faults = { 0 };
    struct tls *t = tls_new(k, &faults);
    struct heard from[2] = { 0 };
    struct addr a, b;

    cr_assert(addr_parse_ip(SPAN("192.0.2.1"), 40000, &a) && addr_parse_ip(SPAN("192.0.2.2"), 443, &b));
    keylog_text(k, span_str(keys));
    send(t, &a, &b, client_hello, &from[0]);
    send(t, &b, &a, server_hello, &from[1]);
    send(t, &a, &b, finished, &from[0]);
    send(t, &b, &a, ticket, &from[1]);
    send(t, &a, &b, client_data, &from[0]);
    send(t, &b, &a, server_data, &from[1]);
    send(t, &a, &b, client_alert, &from[0]);
    send(t, &b, &a, server_alert, &from[1]);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(from[i].n, 50);
        for (uint8_t n = 0; n < 50; n++)
            cr_expect_eq(from[i].p[n], n);
    }
    for (size_t f = 0; f < FAULT_IDS; f++)
        cr_expect_eq(faults.count[f], 0, "%s", fault_key((enum fault_id)f));
    tls_free(t);
    keylog_free(k);
}
