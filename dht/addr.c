// SPDX-License-Identifier: MIT
#include "dht/addr.h"

#include <assert.h>
#include <string.h>

#define GROUPS 8 // 16-bit groups of an IPv6 address

// The first 12 bytes of an IPv4 address in IPv6's clothes, ::ffff:0:0/96.
static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

bool dht_addr_equal_ip(const struct dht_addr *a, const struct dht_addr *b)
{
    // What IPv4 leaves unused is zero, so all 16 bytes can be compared.
    return a->ip_len == b->ip_len && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool dht_addr_equal(const struct dht_addr *a, const struct dht_addr *b)
{
    return a->port == b->port && dht_addr_equal_ip(a, b);
}

size_t dht_addr_compact_len(const struct dht_addr *addr)
{
    return (size_t)addr->ip_len + 2;
}

size_t dht_addr_to_compact(const struct dht_addr *addr, uint8_t *ret_compact)
{
    assert(addr->ip_len == 4 || addr->ip_len == 16);
    // Lengths that the compiler knows: this is done for every node of every reply.
    if (addr->ip_len == 4) {
        memcpy(ret_compact, addr->ip, 4);
    } else {
        memcpy(ret_compact, addr->ip, 16);
    }
    ret_compact[addr->ip_len] = (uint8_t)(addr->port >> 8);
    ret_compact[addr->ip_len + 1] = (uint8_t)addr->port;
    return dht_addr_compact_len(addr);
}

bool dht_addr_from_compact(const uint8_t *compact, size_t len, struct dht_addr *ret_addr)
{
    if (len != 6 && len != 18) {
        return false;
    }
    struct dht_addr addr = {.ip_len = (uint8_t)(len - 2)};
    if (len == 6) {
        memcpy(addr.ip, compact, 4);
    } else {
        memcpy(addr.ip, compact, 16);
    }
    addr.port = (uint16_t)(compact[len - 2] << 8 | compact[len - 1]);
    *ret_addr = addr;
    return true;
}

// Whether the first 15 bytes are zero and the last is at most `last`: :: and ::1.
static bool is_near_zero(const uint8_t ip[16], uint8_t last)
{
    static const uint8_t zero[15];
    return memcmp(ip, zero, sizeof(zero)) == 0 && ip[15] <= last;
}

static bool is_link_local6(const uint8_t ip[16])
{
    return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}

static bool is_mapped(const uint8_t ip[16])
{
    return memcmp(ip, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

bool dht_addr_is_martian(const struct dht_addr *addr)
{
    const uint8_t *ip = addr->ip;
    if (addr->port == 0) {
        return true;
    }
    if (addr->ip_len == 4) {
        return ip[0] == 0 || ip[0] == 127 || ip[0] >= 224;
    }
    return addr->ip_len != 16 || ip[0] == 0xff || is_link_local6(ip) || is_near_zero(ip, 1) ||
           is_mapped(ip);
}

static bool is_local4(const uint8_t *ip)
{
    switch (ip[0]) {
    case 10:
    case 127:
        return true;
    case 100:
        return (ip[1] & 0xc0) == 64;
    case 169:
        return ip[1] == 254;
    case 172:
        return (ip[1] & 0xf0) == 16;
    case 192:
        return ip[1] == 168;
    default:
        return false;
    }
}

bool dht_addr_is_local(const struct dht_addr *addr)
{
    if (addr->ip_len == 4) {
        return is_local4(addr->ip);
    }
    const uint8_t *ip = addr->ip;
    bool is_loopback = is_near_zero(ip, 1) && ip[15] == 1;
    return addr->ip_len == 16 && (is_loopback || (ip[0] & 0xfe) == 0xfc || is_link_local6(ip));
}

// The first len bytes of the address as a number, tagged with the family in the top byte.
static uint64_t tagged_prefix(const struct dht_addr *addr, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        number = number << 8 | addr->ip[i];
    }
    return (uint64_t)addr->ip_len << 56 | number;
}

uint64_t dht_addr_prefix(const struct dht_addr *addr)
{
    return addr->ip_len == 0 ? 0 : tagged_prefix(addr, addr->ip_len == 4 ? 3 : 6);
}

uint64_t dht_addr_wide_prefix(const struct dht_addr *addr)
{
    return addr->ip_len == 0 ? 0 : tagged_prefix(addr, addr->ip_len == 4 ? 2 : 4);
}

uint32_t dht_addr_crowd(const uint8_t *compact, size_t len, bool each_port)
{
    size_t crowd_len = each_port ? len : len == 6 ? 2 : 4;
    uint64_t hash = 0;
    for (size_t i = 0; i < crowd_len; i++) {
        hash = (hash ^ compact[i]) * UINT64_C(0x9e3779b97f4a7c15);
    }
    return (uint32_t)(hash >> 32);
}

// ---- text, written ----

// Each print_ function writes at `at` and returns where it ended.

static char *print_decimal(char *at, uint32_t value)
{
    char digits[10];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0) {
        *at++ = digits[--count];
    }
    return at;
}

static char *print_ip4(char *at, const uint8_t ip[4])
{
    for (size_t i = 0; i < 4; i++) {
        if (i > 0) {
            *at++ = '.';
        }
        at = print_decimal(at, ip[i]);
    }
    return at;
}

static uint32_t group_of(const uint8_t ip[16], size_t index)
{
    return (uint32_t)ip[2 * index] << 8 | ip[2 * index + 1];
}

static char *print_group(char *at, uint32_t group)
{
    bool started = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
        uint32_t digit = group >> shift & 0xf;
        started = started || digit != 0 || shift == 0;
        if (started) {
            *at++ = "0123456789abcdef"[digit];
        }
    }
    return at;
}

// The run of zero groups that "::" stands for: the longest, the first of equals, at least two long
// (RFC 5952, 4.2). ret_len is 0 where there is none.
static size_t longest_zero_run(const uint8_t ip[16], size_t *ret_len)
{
    size_t best = 0;
    size_t best_len = 1;
    size_t run_len = 0;
    for (size_t i = 0; i < GROUPS; i++) {
        run_len = group_of(ip, i) == 0 ? run_len + 1 : 0;
        if (run_len > best_len) {
            best_len = run_len;
            best = i + 1 - run_len;
        }
    }
    *ret_len = best_len > 1 ? best_len : 0;
    return best;
}

static char *print_ip6(char *at, const uint8_t ip[16])
{
    if (is_mapped(ip)) {
        memcpy(at, "::ffff:", 7);
        return print_ip4(at + 7, ip + 12);
    }
    size_t run_len;
    size_t run = longest_zero_run(ip, &run_len);
    size_t i = 0;
    while (i < GROUPS) {
        if (run_len > 0 && i == run) {
            *at++ = ':';
            *at++ = ':';
            i += run_len;
            continue;
        }
        if (i > 0 && !(run_len > 0 && i == run + run_len)) {
            *at++ = ':';
        }
        at = print_group(at, group_of(ip, i));
        i++;
    }
    return at;
}

size_t dht_addr_to_text(const struct dht_addr *addr, char ret_text[DHT_ADDR_TEXT_MAX])
{
    char *at = ret_text;
    if (addr->ip_len == 16) {
        *at++ = '[';
        at = print_ip6(at, addr->ip);
        *at++ = ']';
    } else if (addr->ip_len == 4) {
        at = print_ip4(at, addr->ip);
    }
    if (addr->ip_len != 0) {
        *at++ = ':';
        at = print_decimal(at, addr->port);
    }
    *at = '\0';
    assert(at - ret_text < DHT_ADDR_TEXT_MAX);
    return (size_t)(at - ret_text);
}

// ---- text, read ----

// Each read_ function reads at *text and moves it past what it read; false where it cannot, and
// then *text may stand anywhere.

// A decimal number without leading zeros, at most max.
static bool read_decimal(const char **text, uint32_t max, uint32_t *ret_value)
{
    const char *at = *text;
    uint32_t value = 0;
    while (*at >= '0' && *at <= '9') {
        if (at > *text && value == 0) {
            return false;
        }
        value = value * 10 + (uint32_t)(*at - '0');
        if (value > max) {
            return false;
        }
        at++;
    }
    if (at == *text) {
        return false;
    }
    *text = at;
    *ret_value = value;
    return true;
}

static bool read_char(const char **text, char wanted)
{
    if (**text != wanted) {
        return false;
    }
    (*text)++;
    return true;
}

static bool read_ip4(const char **text, uint8_t ret_ip[4])
{
    for (size_t i = 0; i < 4; i++) {
        uint32_t value;
        if ((i > 0 && !read_char(text, '.')) || !read_decimal(text, 255, &value)) {
            return false;
        }
        ret_ip[i] = (uint8_t)value;
    }
    return true;
}

// The value of a hex digit, or 16.
static uint32_t hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return (uint32_t)(digit - '0');
    }
    // Setting this bit makes a letter lower case.
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? (uint32_t)(lower - 'a') + 10 : 16;
}

// Reads 1 to 4 hex digits.
static bool read_group(const char **text, uint8_t ret_group[2])
{
    uint32_t group = 0;
    size_t count = 0;
    while (count < 4 && hex_value((*text)[count]) < 16) {
        group = group << 4 | hex_value((*text)[count]);
        count++;
    }
    *text += count;
    ret_group[0] = (uint8_t)(group >> 8);
    ret_group[1] = (uint8_t)group;
    return count > 0;
}

// Reads what stands between two colons: a group, or in the last place a dotted IPv4 address.
static bool read_piece(const char **text, uint8_t ip[16], size_t *len)
{
    const char *dotted = *text;
    if (*len <= 12 && read_ip4(&dotted, ip + *len)) {
        *text = dotted;
        *len += 4;
        // Nothing may follow: a dotted part is the end.
        return **text == ']';
    }
    if (*len > 14 || !read_group(text, ip + *len)) {
        return false;
    }
    *len += 2;
    return true;
}

// Reads the pieces up to the ']', noting after how many bytes a "::" stood; SIZE_MAX: none.
static bool read_pieces(const char **text, uint8_t ip[16], size_t *ret_len, size_t *ret_gap)
{
    size_t len = 0;
    size_t gap = SIZE_MAX;
    if ((*text)[0] == ':' && (*text)[1] == ':') {
        gap = 0;
        *text += 2;
    }
    bool after_gap = gap == 0;
    while (!(after_gap && **text == ']')) {
        if (!read_piece(text, ip, &len)) {
            return false;
        }
        if (**text == ']') {
            break;
        }
        if (!read_char(text, ':')) {
            return false;
        }
        after_gap = read_char(text, ':');
        if (after_gap && gap != SIZE_MAX) {
            return false;
        }
        gap = after_gap ? len : gap;
    }
    *ret_len = len;
    *ret_gap = gap;
    return true;
}

static bool read_ip6(const char **text, uint8_t ret_ip[16])
{
    uint8_t ip[16] = {0};
    size_t len;
    size_t gap;
    if (!read_pieces(text, ip, &len, &gap)) {
        return false;
    }
    if (gap == SIZE_MAX) {
        if (len != 16) {
            return false;
        }
        gap = len;
    } else if (len > 14) {
        // "::" stands for at least one group.
        return false;
    }
    memset(ret_ip, 0, 16);
    memcpy(ret_ip, ip, gap);
    memcpy(ret_ip + 16 - (len - gap), ip + gap, len - gap);
    return true;
}

bool dht_addr_from_text(const char *text, struct dht_addr *ret_addr)
{
    struct dht_addr addr = {.ip_len = 4};
    uint32_t port;
    if (read_char(&text, '[')) {
        addr.ip_len = 16;
        if (!read_ip6(&text, addr.ip) || !read_char(&text, ']')) {
            return false;
        }
    } else if (!read_ip4(&text, addr.ip)) {
        return false;
    }
    if (!read_char(&text, ':') || !read_decimal(&text, UINT16_MAX, &port) || *text != '\0') {
        return false;
    }
    addr.port = (uint16_t)port;
    *ret_addr = addr;
    return true;
}
