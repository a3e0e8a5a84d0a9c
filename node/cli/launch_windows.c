// SPDX-License-Identifier: MIT
#include "node/cli/launch.h"

#include <errno.h>
#include <process.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define PATH_UNITS_MAX 1024
#define WORDS_MAX      16
#define WORD_UNITS_MAX 1024

// Turns words into what _wspawnv() takes: UTF-16, each in quotes, which it does not set itself.
// Paths and numbers have no quotes in them. False where one does, or does not fit.
static bool to_wide(char *const words[], wchar_t ret_wide[WORDS_MAX][WORD_UNITS_MAX],
                    const wchar_t *ret_words[WORDS_MAX + 1])
{
    size_t count = 0;
    for (; words[count] != NULL; count++) {
        wchar_t *wide = ret_wide[count];
        if (count == WORDS_MAX || strchr(words[count], '"') != NULL ||
            MultiByteToWideChar(CP_UTF8, 0, words[count], -1, wide + 1, WORD_UNITS_MAX - 3) <= 0) {
            return false;
        }
        wide[0] = L'"';
        wcscat(wide, L"\"");
        ret_words[count] = wide;
    }
    ret_words[count] = NULL;
    return true;
}

// The program that runs, without its last name.
static bool find_folder(wchar_t ret_folder[PATH_UNITS_MAX])
{
    DWORD len = GetModuleFileNameW(NULL, ret_folder, PATH_UNITS_MAX);
    wchar_t *slash = len > 0 && len < PATH_UNITS_MAX ? wcsrchr(ret_folder, L'\\') : NULL;
    if (slash == NULL) {
        return false;
    }
    slash[1] = L'\0';
    return true;
}

int cli_launch(char *const words[])
{
    static wchar_t wide[WORDS_MAX][WORD_UNITS_MAX];
    const wchar_t *list[WORDS_MAX + 1];
    wchar_t path[PATH_UNITS_MAX + 64];
    wchar_t name[48];
    errno = EINVAL;
    if (!to_wide(words, wide, list) ||
        MultiByteToWideChar(CP_UTF8, 0, words[0], -1, name, sizeof name / sizeof name[0]) <= 0) {
        return -1;
    }
    if (find_folder(path)) {
        wcscat(path, name);
        wcscat(path, L".exe");
        intptr_t code = _wspawnv(_P_WAIT, path, list);
        if (code >= 0 || errno != ENOENT) {
            return (int)code;
        }
    }
    return (int)_wspawnvp(_P_WAIT, name, list);
}
