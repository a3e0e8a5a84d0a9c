// SPDX-License-Identifier: MIT
#include "node/daemon/limits.h"

bool daemon_limits_raise_descriptors(size_t count)
{
    (void)count; // handles are not counted
    return true;
}

bool daemon_limits_find_group(const char *name, unsigned *ret_group)
{
    (void)name;
    (void)ret_group;
    return false;
}

void daemon_limits_share_memory(void)
{
}
