#include "tls/keylog.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hmap.h"

enum { RANDOM = 32, SECRET_SHORT = 32, SECRET_MOST = 48, CHUNK = 16 * 1024 };

/* Of one connection. */
struct secrets {
    uint8_t random[RANDOM];
    uint8_t n[KEYLOG_LABELS]; /* 0: not there */
    uint8_t secret[KEYLOG_LABELS][SECRET_MOST];
};

/* Where lines come from: a file, or all captures together. */
struct source {
    const char *name;
    FILE *file; /* NULL: read to its end, or none */
    off_t at;
    char line[KEYLOG_LINE]; /* its beginning, while the end is not there */
    size_t n;               /* bytes of it, kept or not */
    uint64_t lines, usable, broken, first_broken, told;
};

struct keylog {
    struct hmap map;
    struct secrets *v; /* room for all at once: to grow would leave copies behind */
    uint32_t used, next;
    struct source source[KEYLOG_FILES], captures;
    size_t sources;
    int64_t read_ns;
};

struct keylog *keylog_new(void)
{
    struct keylog *k = calloc(1, sizeof *k);

    if (k)
        k->captures.name = "the secrets in the capture";
    return k;
}

static void source_done(struct source *s)
{
    if (s->file)
        fclose(s->file);
    OPENSSL_cleanse(s->line, sizeof s->line);
    s->file = NULL;
}

void keylog_free(struct keylog *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->sources; i++)
        source_done(&k->source[i]);
    source_done(&k->captures);
    hmap_done(&k->map);
    if (k->v)
        OPENSSL_cleanse(k->v, k->used * sizeof *k->v);
    free(k->v);
    free(k);
}

/* ---- the table ---- */

static bool has_random(const void *self, uint32_t slot, const void *key)
{
    const struct keylog *k = self;

    return memcmp(k->v[slot].random, key, RANDOM) == 0;
}

static uint32_t find(const struct keylog *k, const uint8_t random[RANDOM])
{
    return hmap_find(&k->map, hash_bytes(random, RANDOM), has_random, k, random);
}

/* NULL without memory. */
static struct secrets *secrets_of(struct keylog *k, const uint8_t random[RANDOM])
{
    uint32_t slot = find(k, random);

    if (slot != HMAP_NONE)
        return &k->v[slot];
    if (!k->v)
        k->v = calloc(KEYLOG_CONNECTIONS, sizeof *k->v);
    slot = k->next;
    if (!k->v || !hmap_put(&k->map, hash_bytes(random, RANDOM), slot))
        return NULL;
    if (slot < k->used)
        hmap_del(&k->map, hash_bytes(k->v[slot].random, RANDOM), slot);
    else
        k->used++;
    k->next = (slot + 1) % KEYLOG_CONNECTIONS;
    OPENSSL_cleanse(&k->v[slot], sizeof k->v[slot]);
    memcpy(k->v[slot].random, random, RANDOM);
    return &k->v[slot];
}

struct span keylog_find(const struct keylog *k, enum keylog_label label, struct span client_random)
{
    uint32_t slot = client_random.n == RANDOM ? find(k, client_random.p) : HMAP_NONE;

    return slot == HMAP_NONE ? SPAN_NONE : (struct span){ k->v[slot].secret[label], k->v[slot].n[label] };
}

/* ---- lines ---- */

static const char *const labels[KEYLOG_LABELS] = { "CLIENT_RANDOM", "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                                                   "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0",
                                                   "SERVER_TRAFFIC_SECRET_0" };

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* How many bytes the digits make, at most `room`; 0 where they are no such digits, or more. */
static size_t unhex(struct span s, uint8_t *out, size_t room)
{
    if (s.n % 2 || s.n / 2 > room)
        return 0;
    for (size_t i = 0; i < s.n; i += 2) {
        int high = hex(s.p[i]), low = hex(s.p[i + 1]);

        if (high < 0 || low < 0)
            return 0;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return s.n / 2;
}

static bool is_label(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_'))
            return false;
    return s.n > 0;
}

static unsigned label_of(struct span s)
{
    unsigned label = 0;

    while (label < KEYLOG_LABELS && !span_eq(s, span_str(labels[label])))
        label++;
    return label;
}

/* A line that is no comment. False: broken. Labels that open no record, such as EXPORTER_SECRET, are none of ours. */
static bool secret_take(struct keylog *k, struct source *from, struct span line)
{
    struct span label = span_until(&line, ' '), digits = span_until(&line, ' ');
    uint8_t random[RANDOM], secret[SECRET_MOST];
    unsigned which = label_of(label);
    size_t n = which < KEYLOG_LABELS ? unhex(line, secret, sizeof secret) : 0;
    struct secrets *s;

    if (which == KEYLOG_LABELS)
        return is_label(label) && digits.n && line.n;
    if (unhex(digits, random, RANDOM) != RANDOM || (n != SECRET_MOST && (which == KEYLOG_MASTER || n != SECRET_SHORT)))
        return false;
    s = secrets_of(k, random);
    if (s) {
        memcpy(s->secret[which], secret, n);
        s->n[which] = (uint8_t)n;
    }
    OPENSSL_cleanse(secret, sizeof secret);
    from->usable++;
    return true;
}

static void line_take(struct keylog *k, struct source *from)
{
    struct span line = span_trim((struct span){ (const uint8_t *)from->line, from->n < KEYLOG_LINE ? from->n : KEYLOG_LINE });

    from->lines++;
    if (line.n && line.p[0] != '#' && !(from->n <= KEYLOG_LINE && secret_take(k, from, line)) && from->broken++ == 0)
        from->first_broken = from->lines;
    from->n = 0;
}

/* Whole lines are taken; the beginning of another one waits for its end. */
static void bytes_take(struct keylog *k, struct source *from, struct span bytes)
{
    while (bytes.n) {
        size_t n = span_find(bytes, '\n'), kept = from->n < KEYLOG_LINE ? KEYLOG_LINE - from->n : 0;

        memcpy(from->line + (KEYLOG_LINE - kept), bytes.p, kept < n ? kept : n);
        from->n += n;
        if (n == bytes.n)
            return;
        line_take(k, from);
        bytes = span_part(bytes, n + 1, bytes.n);
    }
}

void keylog_text(struct keylog *k, struct span text)
{
    bytes_take(k, &k->captures, text);
    if (k->captures.n)
        line_take(k, &k->captures);
}

/* ---- files ---- */

/* What the file has grown by, up to `most` bytes. One that is shorter than it was has been begun anew. */
static void source_read(struct keylog *k, struct source *s, size_t most)
{
    uint8_t chunk[CHUNK];
    struct stat st;
    ssize_t n = 0;

    if (fstat(fileno(s->file), &st) != 0)
        return;
    if (st.st_size < s->at)
        s->at = (off_t)(s->n = 0);
    for (size_t all = 0; all < most && s->at < st.st_size; all += (size_t)n) {
        n = pread(fileno(s->file), chunk, sizeof chunk, s->at);
        if (n <= 0)
            break;
        s->at += n;
        bytes_take(k, s, (struct span){ chunk, (size_t)n });
    }
    OPENSSL_cleanse(chunk, sizeof chunk);
}

static bool source_fails(struct source *s, const char *why, char error[KEYLOG_ERROR])
{
    source_done(s);
    snprintf(error, KEYLOG_ERROR, "--tls-keylog %.160s: %.140s", s->name, why);
    return false;
}

bool keylog_file(struct keylog *k, const char *path, bool grows, char error[KEYLOG_ERROR])
{
    struct source *s = &k->source[k->sources];
    const char *why;

    if (k->sources == KEYLOG_FILES) {
        snprintf(error, KEYLOG_ERROR, "more than %d key logs", KEYLOG_FILES);
        return false;
    }
    k->sources++;
    *s = (struct source){ .name = path, .file = file_open(path, &why) };
    if (!s->file)
        return source_fails(s, why, error);
    source_read(k, s, SIZE_MAX);
    if (grows)
        return true;
    if (s->n)
        line_take(k, s);
    source_done(s);
    return s->usable || source_fails(s,
                                     "it has no secret; expected lines such as CLIENT_RANDOM 64-HEX-DIGITS 96-HEX-DIGITS, as "
                                     "SSLKEYLOGFILE makes them",
                                     error);
}

bool keylog_grows(const struct keylog *k)
{
    return k->sources && k->source[0].file;
}

void keylog_read_on(struct keylog *k, int64_t now_ns)
{
    if (now_ns - k->read_ns < NS_PER_S && now_ns >= k->read_ns)
        return;
    k->read_ns = now_ns;
    for (size_t i = 0; i < k->sources; i++)
        if (k->source[i].file)
            source_read(k, &k->source[i], KEYLOG_READ);
}

/* ---- telling ---- */

static void source_tell(struct source *s, FILE *to)
{
    if (s->broken == s->told)
        return;
    s->told = s->broken;
    fprintf(to, "rtpwatch: %s: line %" PRIu64 " is not LABEL, client random and secret in hexadecimal, and was passed over",
            s->name, s->first_broken);
    if (s->broken > 1)
        fprintf(to, "; so were %" PRIu64 " more", s->broken - 1);
    fputs("\n", to);
}

void keylog_tell(struct keylog *k, FILE *to)
{
    for (size_t i = 0; i < k->sources; i++)
        source_tell(&k->source[i], to);
    source_tell(&k->captures, to);
}
