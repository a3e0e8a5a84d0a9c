// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_WIDE_WINDOWS_H
#define PNR_DAEMON_WIDE_WINDOWS_H

// Windows' own text, UTF-16, for its platform files: paths, and the reasons of errors.

#include "node/daemon/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#define DAEMON_WIDE_PATH_MAX   1100 // units, a little more than DAEMON_FILE_PATH_MAX
#define DAEMON_WIDE_REASON_MAX 256

// False where text is no UTF-8 or does not fit; ret_path then is "", and GetLastError() says that
// the name is wrong.
bool daemon_wide_path(const char *text, wchar_t ret_path[DAEMON_WIDE_PATH_MAX]);

// The UTF-8 of wide, ending in NUL. False where it does not fit; ret_text then is "".
bool daemon_wide_text(const wchar_t *wide, char *ret_text, size_t text_len);

// What Windows says of an error's code, on one line without its full stop. Returns ret_reason.
const char *daemon_wide_reason(unsigned long code, char ret_reason[DAEMON_WIDE_REASON_MAX]);

// Sets ret_why to the reason of GetLastError() and returns false.
bool daemon_wide_fail(struct daemon_error *ret_why);

// An environment variable. False where it is not set, is empty or does not fit.
bool daemon_wide_variable(const wchar_t *name, char *ret_text, size_t text_len);

#endif
