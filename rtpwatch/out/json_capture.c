/* What is told once for the whole capture: what failing sessions share, a STUN server's history, DNS. */
#include <math.h>

#include "out/json_private.h"

/* ---- STUN servers ---- */

static cJSON *change(const struct out_report *r, const struct mapping_change *c)
{
    cJSON *o = cJSON_CreateObject();

    put_addr(o, "socket", &c->socket);
    put_addr(o, "from", &c->from);
    put_addr(o, "to", &c->to);
    put_frame(r, o, "from_frame", c->before.frame);
    put_frame(r, o, "frame", c->at.frame);
    put_time(o, "time", c->at.ns, true);
    cJSON_AddBoolToObject(o, "wrong", c->wrong);
    return o;
}

void json_server_history(const struct out_report *r, const struct server_finding *f, cJSON *row)
{
    cJSON *list;

    put_time(row, "right_before", f->right_before.ns, f->right_before.frame != 0);
    put_time(row, "healed", f->healed.ns, f->healed.frame != 0);
    put_time(row, "first_failed", f->first_failed.ns, f->first_failed.frame != 0);
    put_time(row, "last_failed", f->last_failed.ns, f->last_failed.frame != 0);
    cJSON_AddItemToObject(row, "turned", f->turned.at.frame ? change(r, &f->turned) : cJSON_CreateNull());
    put_count(row, "changes_total", f->changes);
    list = cJSON_AddArrayToObject(row, "changes");
    for (size_t i = 0; i < f->changes_n; i++)
        cJSON_AddItemToArray(list, change(r, &f->change[i]));
    if (f->suspicion)
        put_sentence(row, "suspicion", f->suspicion);
    else
        cJSON_AddNullToObject(row, "suspicion");
}

/* ---- factors ---- */

static void factor(const struct out_report *r, uint32_t value, cJSON *o)
{
    const struct factors *fs = &r->report->factors;
    const struct factor_value *v = factor_value_at(fs, value);

    cJSON_AddStringToObject(o, "factor", factor_word(v->factor));
    put_text_or_null(o, "label", factor_label(fs, v->factor));
    put_text(o, "value", v->text);
    put_server(r, o, "stun_server", v->server);
}

/* Two digits: more would be noise. Below 1e-300 doubles end. */
static double rounded(double x)
{
    double unit = x > 0 ? pow(10, floor(log10(x)) - 1) : 1;

    return round(x / unit) * unit;
}

cJSON *json_shared_factor(const struct out_report *r, size_t i)
{
    const struct shared_factor *s = &r->report->factors.shared[i];
    cJSON *o = cJSON_CreateObject(), *list;

    factor(r, s->value, o);
    put_count(o, "failed_with", s->n.failed_with);
    put_count(o, "with", s->n.with);
    put_count(o, "failed_without", s->n.failed_without);
    put_count(o, "without", s->n.without);
    cJSON_AddNumberToObject(o, "odds_ratio", rounded(odds_ratio(&s->n)));
    cJSON_AddNumberToObject(o, "p", s->ln_p < log(1e-300) ? 1e-300 : rounded(exp(s->ln_p)));
    put_count(o, "explains", s->n.failed_with);
    list = cJSON_AddArrayToObject(o, "same_as");
    for (size_t k = 0; k < s->same_n; k++) {
        cJSON *same = cJSON_CreateObject();

        factor(r, s->same[k], same);
        cJSON_AddItemToArray(list, same);
    }
    put_sentence(o, "text", s->text);
    return o;
}

/* ---- DNS ---- */

static void answer(const struct dns_fact *n, cJSON *list)
{
    struct strbuf b = { 0 };
    char buf[ADDR_TEXT];

    if (n->type == DNS_SRV) {
        strbuf_safe(&b, span_str(n->via), 256);
        strbuf_fmt(&b, ":%u", n->addr.port);
    } else {
        strbuf_add(&b, addr_ip_text(&n->addr, buf));
    }
    cJSON_AddItemToArray(list, cJSON_CreateString(strbuf_str(&b)));
    strbuf_done(&b);
}

static void use(const struct dns_finding *f, cJSON *o)
{
    char buf[ADDR_TEXT];

    cJSON_AddBoolToObject(o, "used_as_stun_server", f->used_as_stun_server);
    put_time(o, "last_used", f->last_used.ns, f->last_used.frame != 0);
    if (f->age_ns >= 0)
        put_count(o, "age_at_use_s", (uint64_t)(f->age_ns / NS_PER_S));
    else
        cJSON_AddNullToObject(o, "age_at_use_s");
    cJSON_AddBoolToObject(o, "outlived_ttl", f->outlived);
    put_text_or_null(o, "changed_from", f->changed_from ? addr_ip_text(&f->changed_from->addr, buf) : NULL);
    if (f->disagrees_with)
        put_addr(o, "disagrees_with", &f->disagrees_with->resolver);
    else
        cJSON_AddNullToObject(o, "disagrees_with");
}

cJSON *json_dns_row(const struct out_report *r, const struct dns_finding *f)
{
    const struct dns_fact *n = f->fact;
    cJSON *o = cJSON_CreateObject(), *list;

    put_text(o, "name", n->name);
    cJSON_AddStringToObject(o, "type", n->type == DNS_A ? "A" : n->type == DNS_AAAA ? "AAAA" : "SRV");
    answer(n, cJSON_AddArrayToObject(o, "answers"));
    list = cJSON_AddArrayToObject(o, "target_addresses");
    for (size_t i = 0; i < f->targets_n; i++)
        answer(f->target[i], list);
    put_count(o, "ttl", n->ttl_s);
    put_addr(o, "resolver", &n->resolver);
    put_time(o, "time", n->at.ns, true);
    put_frame(r, o, "frame", n->at.frame);
    put_time(o, "last_answered", n->last.ns, true);
    put_count(o, "answered", n->answers);
    use(f, o);
    return o;
}
