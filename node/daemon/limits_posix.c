// SPDX-License-Identifier: MIT
#include "node/daemon/limits.h"

#include <grp.h>
#include <sys/resource.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

bool daemon_limits_raise_descriptors(size_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= count)
        return true;
    limit.rlim_cur = count;
    if (limit.rlim_max < count)
        limit.rlim_max = count; // root may
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

bool daemon_limits_find_group(const char *name, unsigned *ret_group)
{
    const struct group *entry = getgrnam(name);
    if (entry == NULL)
        return false;
    *ret_group = entry->gr_gid;
    return true;
}

void daemon_limits_share_memory(void)
{
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 2);
#endif
}
