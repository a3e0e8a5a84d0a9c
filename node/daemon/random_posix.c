// SPDX-License-Identifier: MIT
#include "node/daemon/random.h"

#include <assert.h>
#include <sys/random.h>
#include <sys/types.h>

#define LEN_MAX 256 // up to which getrandom() is never interrupted

bool daemon_random(void *buf, size_t len)
{
    assert(len <= LEN_MAX);
    return getrandom(buf, len, 0) == (ssize_t)len;
}
