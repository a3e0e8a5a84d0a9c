// SPDX-License-Identifier: MIT
#include "nsp/text.h"

#include "nsp/platform.h"

#include <stdint.h>
#include <string.h>

// No system has smaller pages: what is readable up to such a boundary is so as a whole.
#define PAGE_LEN 4096

int nsp_text_take(const WCHAR *text, WCHAR *buf, size_t buf_units, size_t *ret_units)
{
    const unsigned char *at = (const unsigned char *)text;
    for (size_t i = 0; i < buf_units; i++, at += sizeof(WCHAR)) {
        bool is_new_page = (uintptr_t)at % PAGE_LEN < sizeof(WCHAR) ||
                           (uintptr_t)at % PAGE_LEN > PAGE_LEN - sizeof(WCHAR);
        if ((i == 0 || is_new_page) && !nsp_platform_readable(at, sizeof(WCHAR))) {
            return WSAEFAULT;
        }
        memcpy(&buf[i], at, sizeof(WCHAR));
        if (buf[i] == 0) {
            *ret_units = i;
            return 0;
        }
    }
    return WSAEINVAL;
}

static bool is_high(uint32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(uint32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

// The character at *at, which moves on behind it; 0 where there is none.
static uint32_t read_units(const WCHAR *units, size_t count, size_t *at)
{
    uint32_t unit = units[(*at)++];
    if (is_high(unit) && *at < count && is_low(units[*at])) {
        return 0x10000 + ((unit - 0xd800) << 10) + (units[(*at)++] - 0xdc00u);
    }
    return is_high(unit) || is_low(unit) ? 0 : unit;
}

static size_t write_utf8(uint32_t c, char ret_bytes[4])
{
    if (c < 0x80) {
        ret_bytes[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, c >>= 6) {
        ret_bytes[i] = (char)(0x80 | (c & 0x3f));
    }
    ret_bytes[0] = (char)(0xf00u >> len | c);
    return len;
}

size_t nsp_text_to_utf8(const WCHAR *units, size_t count, char *buf, size_t buf_len)
{
    size_t len = 0, at = 0;
    while (at < count) {
        char bytes[4];
        uint32_t c = read_units(units, count, &at);
        size_t more = write_utf8(c, bytes);
        if (c == 0 || len + more >= buf_len) {
            return NSP_TEXT_BAD;
        }
        memcpy(buf + len, bytes, more);
        len += more;
    }
    if (len >= buf_len) {
        return NSP_TEXT_BAD;
    }
    buf[len] = '\0';
    return len;
}

// The character at *at, which moves on behind it; 0 where there is none. RFC 3629, section 3.
static uint32_t read_utf8(const unsigned char *text, size_t len, size_t *at)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t first = text[*at];
    size_t more = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (more == 0 || first > 0xf4 || more > len - *at) {
        return 0;
    }
    uint32_t c = more == 1 ? first : first & (0x7fu >> more);
    for (size_t i = 1; i < more; i++) {
        uint32_t next = text[*at + i];
        if ((next & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (next & 0x3f);
    }
    *at += more;
    return c < least[more] || c > 0x10ffff || is_high(c) || is_low(c) ? 0 : c;
}

size_t nsp_text_to_utf16(const char *text, size_t len, WCHAR *buf, size_t buf_units)
{
    size_t units = 0, at = 0;
    while (at < len) {
        uint32_t c = read_utf8((const unsigned char *)text, len, &at);
        size_t more = c < 0x10000 ? 1 : 2;
        if (c == 0 || units + more >= buf_units) {
            return NSP_TEXT_BAD;
        }
        if (more == 2) {
            buf[units++] = (WCHAR)(0xd800 + ((c - 0x10000) >> 10));
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        buf[units++] = (WCHAR)c;
    }
    if (units >= buf_units) {
        return NSP_TEXT_BAD;
    }
    buf[units] = 0;
    return units;
}
