#include "app/keys.h"

_Static_assert((int)KEYLOG_ERROR <= (int)CAPTURE_ERROR, "what is wrong with a key log has room");

struct keylog *keys_open(const struct cli *c, bool live, char error[CAPTURE_ERROR])
{
    struct keylog *k = keylog_new();

    snprintf(error, CAPTURE_ERROR, "%s", k ? "" : "not enough memory");
    for (size_t i = 0; k && i < c->tls_keylogs; i++)
        if (!keylog_file(k, c->tls_keylog[i], live, error)) {
            keylog_free(k);
            return NULL;
        }
    return k;
}
