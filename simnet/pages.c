// SPDX-License-Identifier: MIT
#include "simnet/pages.h"

#include <stdlib.h>
#include <unistd.h>

void simnet_pages_large(char *argv[])
{
#ifdef __GLIBC__
    // What brains give back while they rest is taken again at once: kept at hand up to 4 KiB each.
    static const char tunables[] = "glibc.malloc.hugetlb=1:glibc.malloc.tcache_max=4096";
    if (getenv("GLIBC_TUNABLES") == NULL && setenv("GLIBC_TUNABLES", tunables, 1) == 0)
        execv("/proc/self/exe", argv);
#else
    (void)argv;
#endif
}
