// SPDX-License-Identifier: MIT
// Secret keys in PEM form, as `pnr key import` takes them from anybody with access.
#include "node/daemon/key_file.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct daemon_error error;
    char pem[DAEMON_KEY_PEM_MAX];
    EVP_PKEY *key = daemon_key_pem_read((struct dht_span){data, size}, &error);
    if (key == NULL)
        return 0;
    FUZZ_CHECK(daemon_key_pem_write(key, pem, &error));
    EVP_PKEY *again =
        daemon_key_pem_read((struct dht_span){(const uint8_t *)pem, strlen(pem)}, &error);
    FUZZ_CHECK(again != NULL && EVP_PKEY_eq(key, again) == 1);
    EVP_PKEY_free(again);
    EVP_PKEY_free(key);
    return 0;
}
