// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_LIMITS_H
#define PNR_DAEMON_LIMITS_H

// What the system lets this process have, and the groups that it knows.

#include <stdbool.h>
#include <stddef.h>

// Lets this process have that many descriptors. False where the system does not.
bool daemon_limits_raise_descriptors(size_t count);

// The number of a group, for files. False where there is none of that name; on Windows, where
// groups have no numbers, always.
bool daemon_limits_find_group(const char *name, unsigned *ret_group);

// Has threads that allocate little share their memory, where the C library would not.
void daemon_limits_share_memory(void);

#endif
