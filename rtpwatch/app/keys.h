/* The key logs of --tls-keylog. */
#ifndef RW_APP_KEYS_H
#define RW_APP_KEYS_H

#include "app/cli.h"
#include "capture/capture.h"
#include "tls/keylog.h"

/* All that are named; none where none is. `live`: they are read on as they grow. NULL: *error says why. For keylog_free(). */
struct keylog *keys_open(const struct cli *c, bool live, char error[CAPTURE_ERROR]);

#endif
