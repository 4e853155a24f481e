#include "sip_names.h"

#include "sip.h"

const char header_names[HDR_IDS][HEADER_NAME_ROOM] = {
#define X(id, name, second, compact, times) name ":",
#include "sip_hdr.def"
#undef X
};

const uint8_t header_lengths[HDR_IDS + 1] = {
#define X(id, name, second, compact, times) sizeof(name) - 1,
#include "sip_hdr.def"
#undef X
};

static const uint8_t compact_names[HDR_IDS] = {
#define X(id, name, second, compact, times) compact,
#include "sip_hdr.def"
#undef X
};

/* Two names of one slot would be two values of one element, which is an error here. */
const uint8_t header_slots[HEADER_SLOTS] = {
#define X(id, name, second, compact, times) [HEADER_SLOT(sizeof(name) - 1, second)] = HDR_##id,
#include "sip_hdr.def"
#undef X
};

static struct span full_name(enum header_id id)
{
    return (struct span){ (const uint8_t *)header_names[id], header_lengths[id] };
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
    id = header_slots[HEADER_SLOT(name.n, name.p[1])];
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
