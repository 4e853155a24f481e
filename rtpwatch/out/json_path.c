/* What links a session to others, and the path of which it is a leg, as JSON. */
#include "out/json_private.h"

static void put_safe(cJSON *o, const char *name, const char *s)
{
    struct strbuf b = { 0 };

    if (s && *s) {
        strbuf_safe(&b, span_str(s), 4096);
        cJSON_AddStringToObject(o, name, strbuf_str(&b));
    } else {
        cJSON_AddNullToObject(o, name);
    }
    strbuf_done(&b);
}

static const char *id_of(const struct out_report *r, uint32_t session)
{
    return report_any_call(r->report, session)->call_id;
}

static cJSON *linked(const struct out_report *r, const struct link *k)
{
    cJSON *o = cJSON_CreateObject();
    struct strbuf frame = { 0 };

    put_safe(o, "id", id_of(r, k->other));
    cJSON_AddStringToObject(o, "by", link_by_word(k->by));
    put_safe(o, "header", k->header);
    out_frame(r, k->at.frame, &frame);
    cJSON_AddStringToObject(o, "frame", strbuf_str(&frame));
    strbuf_done(&frame);
    return o;
}

static cJSON *loss(const struct out_report *r, const struct path *p, const struct path_loss *l)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "direction", l->backward ? "backward" : "forward");
    cJSON_AddStringToObject(o, "where", lost_where_word(l->where));
    put_safe(o, "leg", id_of(r, p->leg[l->leg].session));
    cJSON_AddStringToObject(o, "text", l->text);
    return o;
}

static void put_path(const struct out_report *r, uint32_t session, cJSON *o)
{
    struct path p;
    cJSON *path, *list;

    path_make(r->report, session, &p);
    path = p.legs > 1 ? cJSON_AddObjectToObject(o, "path") : cJSON_AddNullToObject(o, "path");
    if (p.legs > 1) {
        cJSON_AddStringToObject(path, "from", p.node[0]);
        cJSON_AddStringToObject(path, "to", p.node[p.legs]);
        list = cJSON_AddArrayToObject(path, "legs");
        for (size_t i = 0; i < p.legs; i++) {
            const char *id = id_of(r, p.leg[i].session);
            struct strbuf b = { 0 };

            strbuf_safe(&b, span_str(id), 4096);
            cJSON_AddItemToArray(list, id && *id ? cJSON_CreateString(strbuf_str(&b)) : cJSON_CreateNull());
            strbuf_done(&b);
        }
        list = cJSON_AddArrayToObject(path, "lost");
        for (size_t i = 0; i < p.losses; i++)
            cJSON_AddItemToArray(list, loss(r, &p, &p.lost[i]));
    }
    path_done(&p);
}

void json_links(const struct out_report *r, uint32_t session, cJSON *o)
{
    cJSON *list = cJSON_AddArrayToObject(o, "linked");

    for (const struct link *k = link_first(&r->report->links, session); k; k = link_next(&r->report->links, k))
        cJSON_AddItemToArray(list, linked(r, k));
    put_path(r, session, o);
}
