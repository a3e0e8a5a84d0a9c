// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_SECRET_H
#define PNR_CONTROL_SECRET_H

// How secrets are handled here: wiped after use, and compared without telling where they differ.

#include <stdbool.h>
#include <stddef.h>

// Overwrites len bytes with zero, in a way that the compiler may not leave out.
void control_secret_wipe(void *data, size_t len);

// Whether two runs of len bytes are equal, in a time that depends on len alone.
bool control_secret_equal(const void *a, const void *b, size_t len);

#endif
