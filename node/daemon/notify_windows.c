// SPDX-License-Identifier: MIT
#include "node/daemon/notify.h"

#include "node/daemon/service_status_windows.h"

// There is no NOTIFY_SOCKET here: a service has the manager's handle, and a program in a console
// has nobody to tell. The manager has no watchdog.
bool daemon_notify_open(struct daemon_notify *ret_notify, struct daemon_error *ret_error)
{
    (void)ret_error;
    *ret_notify = (struct daemon_notify){.fd = -1};
    return true;
}

bool daemon_notify_ready(const struct daemon_notify *notify)
{
    (void)notify;
    daemon_service_status_tell(DAEMON_SERVICE_STATE_RUNNING);
    return true;
}

bool daemon_notify_reloading(const struct daemon_notify *notify)
{
    (void)notify; // the manager has no word for it
    return true;
}

bool daemon_notify_stopping(const struct daemon_notify *notify)
{
    (void)notify;
    daemon_service_status_tell(DAEMON_SERVICE_STATE_STOPPING);
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
    daemon_service_status_step();
    return true;
}

void daemon_notify_close(struct daemon_notify *notify)
{
    (void)notify;
}
