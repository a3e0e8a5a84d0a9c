// SPDX-License-Identifier: MIT
#include "node/daemon/error.h"

#include "node/daemon/wide_windows.h"

const char *daemon_error_reason(int code, char ret_reason[DAEMON_ERROR_REASON_MAX])
{
    return daemon_wide_reason((unsigned)code, ret_reason);
}
