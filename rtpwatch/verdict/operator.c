#include "verdict/operator.h"

#include <stdlib.h>

#include "verdict/verdict.h"

enum { PORTS_IN_COMMON = 10000 }; /* up to here two operators may well have chosen the same: 3478, 5349, 443, SIP's 5060 */

/* The name's last labels, that many. */
static const char *labels(const char *name, const char *end, unsigned n)
{
    const char *p = end;

    while (p > name)
        if (*--p == '.' && --n == 0)
            return p + 1;
    return name;
}

/* "co.uk" is a registry's and not an operator's. */
static bool is_registry(const char *last_two, const char *end)
{
    static const char *const second[] = { "co", "com", "net", "org", "ac", "ne", "or" };
    struct span label = { (const uint8_t *)last_two, strcspn(last_two, ".") };

    for (size_t i = 0; i < sizeof second / sizeof *second; i++)
        if (end - last_two == (ptrdiff_t)label.n + 3 && span_eq_nocase(label, span_str(second[i])))
            return true;
    return false;
}

struct span domain_of(const char *name)
{
    size_t n = strlen(name);
    const char *end = name + n - (n && name[n - 1] == '.'), *from = labels(name, end, 2);

    if (is_registry(from, end))
        from = labels(name, end, 3);
    return (struct span){ (const uint8_t *)from, (size_t)(end - from) };
}

static struct span domain_find(const struct track *t, uint32_t server)
{
    const struct stun_server *s = track_server_at(t, server);
    const struct dns_fact *n = dns_name_of(t, &s->addr, s->asked.last.ns);

    return n ? domain_of(n->name) : SPAN_NONE;
}

void operators_make(struct operators *o, const struct track *t)
{
    o->domain = malloc((t->servers.used + 1u) * sizeof *o->domain);
    for (uint32_t i = 0; o->domain && i < t->servers.used; i++)
        o->domain[i] = domain_find(t, i);
}

void operators_done(struct operators *o)
{
    free(o->domain);
    o->domain = NULL;
}

bool one_operator(const struct track *t, const struct operators *known, uint32_t a, uint32_t b)
{
    const struct addr *x = &track_server_at(t, a)->addr, *y = &track_server_at(t, b)->addr;
    struct span one, other;

    if (a == b || addr_same_site(x, y) || (x->port == y->port && x->port > PORTS_IN_COMMON))
        return true;
    if (!t->names.used)
        return false;
    one = known && known->domain ? known->domain[a] : domain_find(t, a);
    other = known && known->domain ? known->domain[b] : domain_find(t, b);
    return one.n && span_eq_nocase(one, other);
}
