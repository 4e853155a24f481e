#include "sip_names.h"

#include "sip.h"

/* Two names of one slot would be two values of one element, which the compiler warns of. */
const struct header_table header_table = {
#define X(id, name, second, compact, times) .slots[HEADER_SLOT(sizeof(name) - 1, second)] = HDR_##id,
#include "sip_hdr.def"
#undef X
#define X(id, name, second, compact, times) .names[HDR_##id] = name ": ",
#include "sip_hdr.def"
#undef X
#define X(id, name, second, compact, times) .lanes[HDR_##id] = (1u << (sizeof(name) + 1)) - 1,
#include "sip_hdr.def"
#undef X
#define X(id, name, second, compact, times) .lengths[HDR_##id] = sizeof(name) - 1,
#include "sip_hdr.def"
#undef X
};

static const uint8_t compact_names[HDR_IDS] = {
#define X(id, name, second, compact, times) compact,
#include "sip_hdr.def"
#undef X
};

static struct span full_name(enum header_id id)
{
    return (struct span){ (const uint8_t *)header_table.names[id], header_table.lengths[id] };
}

static enum header_id compact_id(uint8_t letter)
{
    enum header_id i = 0;

    while (i < HDR_IDS && (!compact_names[i] || (letter | 32) != compact_names[i]))
        i++;
    return i;
}

enum header_id header_id(struct span name)
{
    enum header_id id;

    if (name.n < 2)
        return name.n ? compact_id(name.p[0]) : HDR_IDS;
    id = header_table.slots[HEADER_SLOT(name.n, name.p[1])];
    return span_eq_nocase(name, full_name(id)) ? id : HDR_IDS;
}

bool sip_header_is(const struct sip_header *h, struct span name)
{
    enum header_id id = h->name.n == 1 ? header_id(h->name) : HDR_IDS;

    return span_eq_nocase(h->name, name) || (id < HDR_IDS && span_eq_nocase(full_name(id), name));
}

struct span sip_header(const struct sip_msg *m, struct span name)
{
    for (size_t i = 0; i < m->headers; i++)
        if (sip_header_is(&m->header[i], name))
            return m->header[i].value;
    return SPAN_NONE;
}
