#include "support/counted.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "verdict/factors.h"
#include "verdict/reasons.h"

static void server_name(const void *self, uint32_t row, struct strbuf *out)
{
    (void)self;
    strbuf_fmt(out, "%u", row);
}

static void expect_same_servers(uint32_t servers, const struct session_finding *told, const struct session_finding *counted)
{
    struct server_finding *a = calloc(servers + 1u, sizeof *a), *b = calloc(servers + 1u, sizeof *b);

    cr_assert(a && b);
    server_add_session(a, told);
    server_add_session(b, counted);
    for (uint32_t i = 0; i < servers; i++)
        cr_expect(a[i].sessions == b[i].sessions && a[i].ok_sessions == b[i].ok_sessions &&
                      a[i].failed_sessions == b[i].failed_sessions && a[i].blamed == b[i].blamed && a[i].proven == b[i].proven &&
                      a[i].first_failed.frame == b[i].first_failed.frame && a[i].last_failed.frame == b[i].last_failed.frame,
                  "server %u is counted otherwise", i);
    free(a);
    free(b);
}

static void expect_same_factors(const struct session_finding *told, const struct session_finding *counted)
{
    struct factors a, b;

    factors_init(&a, NULL, 0, server_name, NULL);
    factors_init(&b, NULL, 0, server_name, NULL);
    factors_add(&a, told);
    factors_add(&b, counted);
    cr_assert(a.sessions == b.sessions && a.values == b.values && a.value.used == b.value.used, "other factors are counted");
    for (size_t i = 0; i < a.values; i++) {
        cr_expect_eq(a.values_of[i], b.values_of[i]);
        cr_expect_str_eq(factor_value_at(&a, a.values_of[i])->text, factor_value_at(&b, b.values_of[i])->text);
    }
    factors_done(&a);
    factors_done(&b);
}

void expect_counted_alike(uint32_t servers, const struct session_finding *told, const struct session_finding *counted)
{
    cr_expect(counted->verdict == told->verdict && counted->cause == told->cause && counted->confidence == told->confidence &&
                  counted->server == told->server && !counted->warnings_n == !told->warnings_n,
              "in brief it is judged otherwise");
    if (told->verdict == VERDICT_UNKNOWN)
        cr_expect_str_eq(reason_of(counted), reason_of(told));
    expect_same_servers(servers, told, counted);
    expect_same_factors(told, counted);
}
