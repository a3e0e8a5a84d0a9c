// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_RANDOM_H
#define PNR_DAEMON_RANDOM_H

// Bytes that nobody can guess, from the system: getrandom() or BCryptGenRandom().

#include <stdbool.h>
#include <stddef.h>

// Fills buf with len bytes, at most 256. False where the system has none; buf is then unspecified.
bool daemon_random(void *buf, size_t len);

#endif
