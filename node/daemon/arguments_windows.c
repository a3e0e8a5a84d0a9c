// SPDX-License-Identifier: MIT
#include "node/daemon/arguments_windows.h"

#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

// After windows.h.
#include <shellapi.h>

// One argument in UTF-8. NULL where memory is short.
static char *to_utf8(const wchar_t *wide)
{
    int len = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = len <= 0 ? NULL : malloc((size_t)len);
    if (text != NULL)
        WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, len, NULL, NULL);
    return text;
}

void daemon_arguments_take(int *inout_argc, char ***inout_argv)
{
    int count;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **list = wide == NULL ? NULL : calloc((size_t)count + 1, sizeof *list);
    bool ok = list != NULL;
    for (int i = 0; ok && i < count; i++) {
        list[i] = to_utf8(wide[i]);
        ok = list[i] != NULL;
    }
    LocalFree(wide);
    if (ok) {
        *inout_argc = count;
        *inout_argv = list;
    }
}
