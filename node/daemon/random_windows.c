// SPDX-License-Identifier: MIT
#include "node/daemon/random.h"

#include <assert.h>

// clang-format off
#include <windows.h>
#include <bcrypt.h>
// clang-format on

#define LEN_MAX 256

bool daemon_random(void *buf, size_t len)
{
    assert(len <= LEN_MAX);
    return BCryptGenRandom(NULL, buf, (ULONG)len, BCRYPT_USE_SYSTEM_PREFERRED_RNG) == 0;
}
