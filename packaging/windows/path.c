// SPDX-License-Identifier: MIT
// Puts a folder at the end of the machine's PATH, and takes it out again; a part of the setup.
//
//     pnr-path add FOLDER       exit code 0: done, 1: it is there already, 2: it failed
//     pnr-path remove FOLDER    0: done, 1: it is not there, 2: it failed
//
// The setup's own language has strings of 1,024 units, and would cut a PATH that is longer. What
// was added and removed again leaves the value as it was, to the last semicolon.
// clang-format off
#include <windows.h>
// clang-format on

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#define KEY        L"SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"
#define NAME       L"Path"
#define TIMEOUT_MS 2000

enum code { CODE_DONE, CODE_NOTHING, CODE_FAILED };

struct value {
    DWORD type;
    wchar_t *text;
};

static enum code fail(const char *what, LSTATUS status)
{
    fprintf(stderr, "cannot %s: error %ld\n", what, status);
    return CODE_FAILED;
}

// With room for more_len units behind it. ret_value's text is the caller's to free.
static LSTATUS read_value(HKEY key, size_t more_len, struct value *ret_value)
{
    DWORD len = 0;
    LSTATUS status = RegQueryValueExW(key, NAME, NULL, &ret_value->type, NULL, &len);
    if (status == ERROR_FILE_NOT_FOUND) {
        ret_value->type = REG_EXPAND_SZ;
    } else if (status != ERROR_SUCCESS) {
        return status;
    }
    // Zeros behind it: a value needs no NUL of its own.
    ret_value->text = calloc(len / sizeof(wchar_t) + more_len + 2, sizeof(wchar_t));
    if (ret_value->text == NULL) {
        return ERROR_OUTOFMEMORY;
    }
    return len == 0
               ? ERROR_SUCCESS
               : RegQueryValueExW(key, NAME, NULL, &ret_value->type, (BYTE *)ret_value->text, &len);
}

static LSTATUS write_value(HKEY key, const struct value *value)
{
    DWORD len = (DWORD)((wcslen(value->text) + 1) * sizeof(wchar_t));
    return RegSetValueExW(key, NAME, 0, value->type, (const BYTE *)value->text, len);
}

// Where folder stands in the list, with the semicolon before it; NULL where it does not.
static wchar_t *find(wchar_t *list, const wchar_t *folder)
{
    size_t len = wcslen(folder);
    wchar_t *last = NULL;
    for (wchar_t *at = list; at != NULL; at = wcschr(at, L';')) {
        wchar_t *begin = *at == L';' ? at + 1 : at;
        if (_wcsnicmp(begin, folder, len) == 0 && (begin[len] == L';' || begin[len] == L'\0')) {
            last = at;
        }
        at = begin;
    }
    return last;
}

static bool add(struct value *value, const wchar_t *folder)
{
    if (find(value->text, folder) != NULL) {
        return false;
    }
    if (value->text[0] != L'\0') {
        wcscat(value->text, L";");
    }
    wcscat(value->text, folder);
    return true;
}

static bool take_out(struct value *value, const wchar_t *folder)
{
    wchar_t *at = find(value->text, folder);
    if (at == NULL) {
        return false;
    }
    const wchar_t *rest = at + wcslen(folder) + (*at == L';');
    // The first of several leaves no semicolon at the beginning.
    rest += at == value->text && *rest == L';';
    wmemmove(at, rest, wcslen(rest) + 1);
    return true;
}

static enum code change(HKEY key, bool adds, const wchar_t *folder)
{
    struct value value = {0};
    enum code code = CODE_DONE;
    LSTATUS status = read_value(key, wcslen(folder), &value);
    if (status != ERROR_SUCCESS) {
        code = fail("read PATH", status);
    } else if (value.type != REG_SZ && value.type != REG_EXPAND_SZ) {
        code = fail("understand PATH, which is no text", ERROR_DATATYPE_MISMATCH);
    } else if (!(adds ? add : take_out)(&value, folder)) {
        code = CODE_NOTHING;
    } else if ((status = write_value(key, &value)) != ERROR_SUCCESS) {
        code = fail("write PATH", status);
    }
    free(value.text);
    return code;
}

int wmain(int argc, wchar_t **argv);
int wmain(int argc, wchar_t **argv)
{
    HKEY key;
    DWORD_PTR ignored;
    bool adds = argc == 3 && wcscmp(argv[1], L"add") == 0;
    if (!adds && (argc != 3 || wcscmp(argv[1], L"remove") != 0)) {
        fprintf(stderr, "usage: pnr-path add|remove FOLDER\n");
        return CODE_FAILED;
    }
    LSTATUS status =
        RegOpenKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, KEY_QUERY_VALUE | KEY_SET_VALUE, &key);
    if (status != ERROR_SUCCESS) {
        return fail("open the environment of the machine", status);
    }
    enum code code = change(key, adds, argv[2]);
    RegCloseKey(key);
    if (code == CODE_DONE) {
        // Programs that are started from now on, from the Explorer too, have it.
        SendMessageTimeoutW(HWND_BROADCAST, WM_SETTINGCHANGE, 0, (LPARAM)L"Environment",
                            SMTO_ABORTIFHUNG, TIMEOUT_MS, &ignored);
    }
    return code;
}
