// SPDX-License-Identifier: MIT
#include "node/daemon/notify.h"

// There is no NOTIFY_SOCKET here: the service manager asks, and is answered elsewhere.
bool daemon_notify_open(struct daemon_notify *ret_notify, struct daemon_error *ret_error)
{
    (void)ret_error;
    *ret_notify = (struct daemon_notify){.fd = -1};
    return true;
}

bool daemon_notify_ready(const struct daemon_notify *notify)
{
    (void)notify;
    return true;
}

bool daemon_notify_reloading(const struct daemon_notify *notify)
{
    (void)notify;
    return true;
}

bool daemon_notify_stopping(const struct daemon_notify *notify)
{
    (void)notify;
    return true;
}

bool daemon_notify_watchdog(const struct daemon_notify *notify)
{
    (void)notify;
    return true;
}

bool daemon_notify_status(const struct daemon_notify *notify, const char *text)
{
    (void)notify;
    (void)text;
    return true;
}

void daemon_notify_close(struct daemon_notify *notify)
{
    (void)notify;
}
