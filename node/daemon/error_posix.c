// SPDX-License-Identifier: MIT
#include "node/daemon/error.h"

#include <stdio.h>
#include <string.h>

const char *daemon_error_reason(int code, char ret_reason[DAEMON_ERROR_REASON_MAX])
{
    snprintf(ret_reason, DAEMON_ERROR_REASON_MAX, "%s", strerror(code));
    return ret_reason;
}
