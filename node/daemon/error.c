// SPDX-License-Identifier: MIT
#include "node/daemon/error.h"

#include <stdarg.h>
#include <stdio.h>

static void __attribute__((format(printf, 3, 0)))
set(struct daemon_error *error, enum daemon_error_kind kind, const char *format, va_list args)
{
    if (error == NULL)
        return;
    vsnprintf(error->text, sizeof error->text, format, args);
    error->kind = kind;
}

void daemon_error_set(struct daemon_error *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(error, DAEMON_ERROR_FAILED, format, args);
    va_end(args);
}

void daemon_error_set_kind(struct daemon_error *error, enum daemon_error_kind kind,
                           const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(error, kind, format, args);
    va_end(args);
}
