// SPDX-License-Identifier: MIT
#include "node/daemon/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *daemon_paths_standard(const char *posix, char buf[DAEMON_PATHS_MAX])
{
    (void)buf;
    return posix;
}

bool daemon_paths_is_service(void)
{
    return geteuid() == 0 || getenv("STATE_DIRECTORY") != NULL;
}

// Writes base/rest where the variable base_name holds an absolute path.
static bool below(const char *base_name, const char *rest, char ret_path[DAEMON_PATHS_MAX])
{
    const char *base = getenv(base_name);
    if (base == NULL || base[0] != '/')
        return false;
    snprintf(ret_path, DAEMON_PATHS_MAX, "%s/%s", base, rest);
    return true;
}

bool daemon_paths_own_state(char ret_path[DAEMON_PATHS_MAX])
{
    return below("XDG_STATE_HOME", "pnr", ret_path) || below("HOME", ".local/state/pnr", ret_path);
}

bool daemon_paths_own_control(char ret_path[DAEMON_PATHS_MAX])
{
    return below("XDG_RUNTIME_DIR", "pnr", ret_path);
}

bool daemon_paths_is_absolute(const char *path)
{
    return path[0] == '/';
}

bool daemon_paths_make_absolute(const char *path, char *ret_path, size_t path_len,
                                struct daemon_error *ret_error)
{
    char here[4096] = "";
    if (path[0] != '/' && getcwd(here, sizeof here) == NULL) {
        daemon_error_set(ret_error, "the working directory is not known: %s", strerror(errno));
        return false;
    }
    int len = snprintf(ret_path, path_len, "%s%s%s", here, path[0] == '/' ? "" : "/", path);
    if (len > 0 && (size_t)len < path_len)
        return true;
    daemon_error_set(ret_error,
                     "the path of the state directory is too long: %d bytes, at most %zu are "
                     "possible",
                     len, path_len - 1);
    return false;
}

char *daemon_paths_last_slash(char *path)
{
    return strrchr(path, '/');
}

char *daemon_paths_next_slash(char *path)
{
    return strchr(path, '/');
}
