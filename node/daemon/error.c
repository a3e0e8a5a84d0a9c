// SPDX-License-Identifier: MIT
#include "node/daemon/error.h"

#include <stdarg.h>
#include <stdio.h>

void daemon_error_set(struct daemon_error *error, const char *format, ...)
{
    if (error == NULL)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    error->kind = DAEMON_ERROR_FAILED;
}

void daemon_error_set_kind(struct daemon_error *error, enum daemon_error_kind kind,
                           const char *format, ...)
{
    if (error == NULL)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    error->kind = kind;
}
