// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_CLOCK_H
#define PNR_DAEMON_CLOCK_H

// The two times that the brain is told. Both are read by the loop, once per wake-up.

#include <stdbool.h>
#include <stdint.h>

// Microseconds of the machine's monotonic clock. It counts time asleep too (CLOCK_BOOTTIME), so
// that what became due on a closed laptop is done when it wakes up.
int64_t daemon_clock_now_us(void);

// Microseconds since 1970. Jumps when the clock is set.
int64_t daemon_clock_wall_us(void);

// Whether the system knows of a time service that keeps the wall clock right.
bool daemon_clock_is_kept(void);

#endif
