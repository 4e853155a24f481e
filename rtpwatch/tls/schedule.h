/*
 * How keys are made of secrets: the PRF of TLS 1.2 (RFC 5246 §5) and HKDF-Expand-Label of TLS 1.3 (RFC 8446 §7.1). Both by libcrypto.
 */
#ifndef RW_TLS_SCHEDULE_H
#define RW_TLS_SCHEDULE_H

#include "base/span.h"

/* `hash`: libcrypto's name of it. False: libcrypto failed, and *out means nothing. */
bool tls_prf(const char *hash, struct span secret, const char *label, struct span seed, uint8_t *out, size_t n);
bool tls_expand_label(const char *hash, struct span secret, const char *label, uint8_t *out,
                      size_t n); /* with an empty context */

#endif
