// SPDX-License-Identifier: MIT
#include "nsp/name.h"

#include "nsp/text.h"

#include <string.h>

#define HASH_LEN      40
#define KEY_LEN       52
#define LABEL_LEN_MAX 32

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define Z32     "ybndrfg8ejkmcpqxot1uwisza345h769"

// Keys and hashes are read in either case.
static WCHAR lower(WCHAR unit)
{
    return unit >= 'A' && unit <= 'Z' ? (WCHAR)(unit + ('a' - 'A')) : unit;
}

static bool is_one_of(WCHAR unit, const char *set)
{
    return unit > 0 && unit < 0x80 && strchr(set, unit) != NULL;
}

static bool is_hash(const WCHAR *text, size_t count)
{
    bool is = count == HASH_LEN;
    for (size_t i = 0; i < count && is; i++) {
        is = is_one_of(lower(text[i]), DIGITS "abcdef");
    }
    return is;
}

// 52 characters of 5 bits are 260: the last carries one bit of the 256, and 4 that are zero.
static bool is_key(const WCHAR *text, size_t count)
{
    bool is = count == KEY_LEN && is_one_of(lower(text[count - 1]), "yo");
    for (size_t i = 0; i < count && is; i++) {
        is = is_one_of(lower(text[i]), Z32);
    }
    return is;
}

static bool is_label(const WCHAR *text, size_t count)
{
    bool is = count >= 1 && count <= LABEL_LEN_MAX;
    for (size_t i = 0; i < count && is; i++) {
        is = is_one_of(text[i], DIGITS LETTERS "-");
    }
    return is;
}

static bool is_classifier(const WCHAR *text, size_t count)
{
    char utf8[3 * NSP_NAME_CLASSIFIER_UNITS_MAX + 1];
    return count <= NSP_NAME_CLASSIFIER_UNITS_MAX &&
           nsp_text_to_utf8(text, count, utf8, sizeof utf8) != NSP_TEXT_BAD;
}

bool nsp_name_is_good(const WCHAR *name, size_t count)
{
    size_t authority = 0;
    while (authority < count && name[authority] != '.') {
        authority++;
    }
    size_t skip = authority < count ? authority + 1 : count;
    if (!is_classifier(name + skip, count - skip)) {
        return false;
    }
    if (authority == 1 && name[0] == '0') {
        return count > skip;
    }
    if (authority > 3 && lower(name[0]) == 'p' && lower(name[1]) == 'k' && name[2] == ':') {
        return is_key(name + 3, authority - 3) || is_hash(name + 3, authority - 3);
    }
    return is_label(name, authority) || is_hash(name, authority) || is_key(name, authority);
}

int nsp_name_take(const WCHAR *text, WCHAR ret_units[NSP_NAME_UNITS_MAX + 1],
                  char ret_utf8[PNR_NAME_MAX])
{
    size_t count;
    if (text == NULL) {
        return WSAEINVAL;
    }
    int error = nsp_text_take(text, ret_units, NSP_NAME_UNITS_MAX + 1, &count);
    if (error != 0) {
        return error;
    }
    bool is_good = nsp_name_is_good(ret_units, count) &&
                   nsp_text_to_utf8(ret_units, count, ret_utf8, PNR_NAME_MAX) != NSP_TEXT_BAD;
    return is_good ? 0 : WSAEINVAL;
}

int nsp_name_take_cloud(const WCHAR *text, WCHAR ret_units[PNR_WORD_MAX],
                        char ret_utf8[PNR_WORD_MAX])
{
    size_t count = 0;
    ret_units[0] = 0;
    int error = text == NULL ? 0 : nsp_text_take(text, ret_units, PNR_WORD_MAX, &count);
    if (error == 0 && nsp_text_to_utf8(ret_units, count, ret_utf8, PNR_WORD_MAX) == NSP_TEXT_BAD) {
        error = WSAEINVAL;
    }
    return error == WSAEINVAL ? WSA_PNRP_CLOUD_NOT_FOUND : error;
}
