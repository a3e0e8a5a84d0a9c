// SPDX-License-Identifier: MIT
// Rendezvous files: what is read is written and read again the same.
#include "node/control/rendezvous.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_rendezvous first, second;
    char text[CONTROL_RENDEZVOUS_LEN_MAX];
    if (!control_rendezvous_parse((struct dht_span){data, size}, &first)) {
        return 0;
    }
    size_t len = control_rendezvous_format(&first, text, sizeof text);
    if (len == 0 ||
        !control_rendezvous_parse((struct dht_span){(const uint8_t *)text, len}, &second) ||
        first.port != second.port || first.access != second.access ||
        memcmp(first.secret, second.secret, sizeof first.secret) != 0) {
        abort();
    }
    return 0;
}
