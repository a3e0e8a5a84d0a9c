// SPDX-License-Identifier: MIT
#include "nsp/setup/text.h"

#include <stdint.h>
#include <string.h>

size_t setup_text_len(const WCHAR *text)
{
    size_t len = 0;
    while (text[len] != 0) {
        len++;
    }
    return len;
}

bool setup_text_copy(const WCHAR *text, WCHAR *ret_text, size_t room)
{
    size_t len = setup_text_len(text);
    if (len >= room) {
        return false;
    }
    memcpy(ret_text, text, (len + 1) * sizeof *text);
    return true;
}

static WCHAR lower(WCHAR unit)
{
    return unit >= 'A' && unit <= 'Z' ? (WCHAR)(unit - 'A' + 'a') : unit;
}

bool setup_text_same(const WCHAR *a, const WCHAR *b)
{
    while (*a != 0 && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

const WCHAR *setup_text_file_name(const WCHAR *path)
{
    const WCHAR *name = path;
    for (; *path != 0; path++) {
        if (*path == '\\' || *path == '/' || *path == ':') {
            name = path + 1;
        }
    }
    return name;
}

// The character that begins at *text, which moves behind it.
static uint32_t take_character(const WCHAR **text)
{
    uint32_t unit = *(*text)++;
    if (unit < 0xD800 || unit > 0xDFFF) {
        return unit;
    }
    uint32_t low = **text;
    if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF) {
        return 0xFFFD;
    }
    (*text)++;
    return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

// Writes one character as UTF-8 (RFC 3629) and returns its bytes, 1 to 4.
static size_t put_character(uint32_t character, char ret_bytes[4])
{
    if (character < 0x80) {
        ret_bytes[0] = (char)character;
        return 1;
    }
    size_t len = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        ret_bytes[i] = (char)(0x80 | (character & 0x3F));
        character >>= 6;
    }
    ret_bytes[0] = (char)((0xF00 >> len & 0xFF) | character);
    return len;
}

const char *setup_text_utf8(const WCHAR *text, char *buf, size_t buf_len)
{
    size_t len = 0;
    while (*text != 0) {
        char bytes[4];
        size_t more = put_character(take_character(&text), bytes);
        if (len + more >= buf_len) {
            break;
        }
        memcpy(buf + len, bytes, more);
        len += more;
    }
    buf[len] = '\0';
    return buf;
}
