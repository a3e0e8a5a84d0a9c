// SPDX-License-Identifier: MIT
#include "node/control/secret.h"

#include <stdint.h>

void control_secret_wipe(void *data, size_t len)
{
    // Writes through a volatile pointer are side effects, so they stay.
    volatile uint8_t *at = data;
    for (size_t i = 0; i < len; i++) {
        at[i] = 0;
    }
}

bool control_secret_equal(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *left = a;
    const volatile uint8_t *right = b;
    uint8_t difference = 0;
    for (size_t i = 0; i < len; i++) {
        difference = (uint8_t)(difference | (left[i] ^ right[i]));
    }
    return difference == 0;
}
