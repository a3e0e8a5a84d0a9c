// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DAEMON_UNIT_POSIX_H
#define PNR_TESTS_DAEMON_UNIT_POSIX_H

// What those of the shell's tests share that are of POSIX: modes of files.

#include "tests/daemon/unit.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static inline void unit_write_mode(const char *path, const char *text, mode_t mode)
{
    unit_write(path, text);
    assert_int_equal(chmod(path, mode), 0);
}

// Of what is there, links not followed; 0 where there is nothing.
static inline unsigned unit_mode_of(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 ? status.st_mode & 07777 : 0;
}

#endif
