// SPDX-License-Identifier: MIT
// z-base-32: a key has one spelling, but for the case of its letters.
#include "node/core/zbase32.h"
#include "tests/fuzz/fuzz.h"

static char lower(uint8_t c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t key[32];
    uint8_t again[32];
    char text[CORE_ZBASE32_LEN + 1];
    if (size >= sizeof key) {
        core_zbase32_encode(data, text);
        FUZZ_CHECK(core_zbase32_decode(text, CORE_ZBASE32_LEN, again) == CORE_ZBASE32_OK);
        FUZZ_CHECK(memcmp(data, again, sizeof again) == 0);
    }
    if (core_zbase32_decode((const char *)data, size, key) != CORE_ZBASE32_OK)
        return 0;
    core_zbase32_encode(key, text);
    for (size_t i = 0; i < size; i++)
        FUZZ_CHECK(lower(data[i]) == text[i]);
    return 0;
}
