// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_SERVICE_ACCOUNT_WINDOWS_H
#define PNR_DAEMON_SERVICE_ACCOUNT_WINDOWS_H

// The account that a service runs as: `NT SERVICE\NAME`, which Windows makes up from the service's
// name. Its identifier is S-1-5-80 and the SHA-1 of the name in capitals, in UTF-16: that is what
// `sc showsid` prints. So access lists can be made before there is the service.

#include <stdbool.h>
#include <wchar.h>

#define DAEMON_SERVICE_ACCOUNT_MAX 128 // units, with the NUL

// name: of letters, digits, - and _.
void daemon_service_account_name(const char *name, wchar_t ret_account[DAEMON_SERVICE_ACCOUNT_MAX]);

// False where there is no SHA-1.
bool daemon_service_account_sid(const char *name, wchar_t ret_sid[DAEMON_SERVICE_ACCOUNT_MAX]);

#endif
