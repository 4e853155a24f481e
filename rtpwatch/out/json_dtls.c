/* The DTLS handshake of a session as JSON. */
#include "out/json_private.h"

static void put_or_null(cJSON *o, const char *name, const char *s)
{
    if (s)
        cJSON_AddStringToObject(o, name, s);
    else
        cJSON_AddNullToObject(o, name);
}

static const char *version_word(uint16_t version)
{
    switch (version) {
    case DTLS_1_0: return "1.0";
    case DTLS_1_2: return "1.2";
    case DTLS_1_3: return "1.3";
    default: return NULL;
    }
}

/* RFC 5764 §4.1.2, RFC 7714 §14.2. */
static const char *profile_word(uint16_t profile)
{
    switch (profile) {
    case 1: return "SRTP_AES128_CM_HMAC_SHA1_80";
    case 2: return "SRTP_AES128_CM_HMAC_SHA1_32";
    case 5: return "SRTP_NULL_HMAC_SHA1_80";
    case 6: return "SRTP_NULL_HMAC_SHA1_32";
    case 7: return "SRTP_AEAD_AES_128_GCM";
    case 8: return "SRTP_AEAD_AES_256_GCM";
    default: return profile ? "other" : NULL;
    }
}

static cJSON *alert(const struct out_report *r, const struct session_finding *f)
{
    cJSON *o = cJSON_CreateObject();
    struct strbuf frame = { 0 };

    out_frame(r, f->dtls.alert_at.frame, &frame);
    cJSON_AddStringToObject(o, "by", json_party(f, f->dtls.alert_by));
    cJSON_AddStringToObject(o, "name", dtls_alert_name(f->dtls.alert));
    cJSON_AddStringToObject(o, "frame", strbuf_str(&frame));
    strbuf_done(&frame);
    return o;
}

cJSON *json_dtls(const struct out_report *r, const struct session_finding *f)
{
    const struct dtls_finding *d = &f->dtls;
    cJSON *o;

    if (!d->seen)
        return cJSON_CreateNull();
    o = cJSON_CreateObject();
    put_or_null(o, "client", d->client_known ? json_party(f, d->client) : NULL);
    put_or_null(o, "version", version_word(d->version));
    put_or_null(o, "srtp_profile", profile_word(d->profile));
    cJSON_AddBoolToObject(o, "completed", d->completed);
    cJSON_AddNumberToObject(o, "retransmissions", (double)d->retransmissions);
    cJSON_AddItemToObject(o, "alert", d->alert_at.frame ? alert(r, f) : cJSON_CreateNull());
    return o;
}
