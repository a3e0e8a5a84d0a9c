// SPDX-License-Identifier: MIT
#include "node/cli/text.h"

#include "node/cli/names.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ELLIPSIS "\xe2\x80\xa6"
#define REPAIRED "\xef\xbf\xbd" // U+FFFD

#define Z32_LEN   52 // characters of a key in z-base-32
#define HEX40_LEN 40

// ---- UTF-8 ----

// Reads the code point at text. Returns its length; 0 where it is not valid.
static size_t read_code(const char *text, size_t len, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *bytes = (const uint8_t *)text;
    if (bytes[0] < 0x80) {
        *ret_code = bytes[0];
        return 1;
    }
    size_t need = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
    if (bytes[0] < 0xc2 || bytes[0] > 0xf4 || len < need) {
        return 0;
    }
    uint32_t code = bytes[0] & (0xffu >> (need + 1));
    for (size_t i = 1; i < need; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (bytes[i] & 0x3f);
    }
    if (code < least[need] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return 0;
    }
    *ret_code = code;
    return need;
}

static size_t write_code(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)(lead[len] | code);
    return len;
}

// Control characters, and those that turn the direction of text, since they can make a line read
// as what it is not.
static bool is_printable(uint32_t code)
{
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool turns = (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
                 code == 0x200e || code == 0x200f || code == 0x061c || code == 0xfeff;
    return !control && !turns;
}

// ---- UTF-16 ----

size_t cli_text_utf16_units(const char *text, size_t len)
{
    size_t units = 0;
    for (size_t at = 0; at < len;) {
        uint32_t code;
        size_t taken = read_code(text + at, len - at, &code);
        if (taken == 0) {
            return SIZE_MAX;
        }
        units += code >= 0x10000 ? 2 : 1;
        at += taken;
    }
    return units;
}

static size_t put_unit(uint8_t *out, uint32_t unit)
{
    out[0] = (uint8_t)(unit & 0xff);
    out[1] = (uint8_t)(unit >> 8);
    return 2;
}

size_t cli_text_to_utf16(const char *text, size_t len, uint8_t *ret_data)
{
    size_t used = 0;
    for (size_t at = 0; at < len;) {
        uint32_t code = 0;
        size_t taken = read_code(text + at, len - at, &code);
        assert(taken > 0);
        if (code >= 0x10000) {
            used += put_unit(ret_data + used, 0xd800 + ((code - 0x10000) >> 10));
            used += put_unit(ret_data + used, 0xdc00 + ((code - 0x10000) & 0x3ff));
        } else {
            used += put_unit(ret_data + used, code);
        }
        at += taken;
    }
    return used;
}

// Reads the code point at data, len bytes, even. Returns its length; 0 at a lone surrogate.
static size_t read_units(const uint8_t *data, size_t len, uint32_t *ret_code)
{
    uint32_t first = data[0] | (uint32_t)data[1] << 8;
    if (first < 0xd800 || first > 0xdfff) {
        *ret_code = first;
        return 2;
    }
    if (first > 0xdbff || len < 4) {
        return 0;
    }
    uint32_t second = data[2] | (uint32_t)data[3] << 8;
    if (second < 0xdc00 || second > 0xdfff) {
        return 0;
    }
    *ret_code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    return 4;
}

bool cli_text_from_utf16(const uint8_t *data, size_t len, char *buf, size_t buf_len,
                         size_t *ret_len)
{
    size_t used = 0;
    if (len % 2 != 0) {
        return false;
    }
    for (size_t at = 0; at < len;) {
        uint32_t code;
        char piece[4];
        size_t taken = read_units(data + at, len - at, &code);
        if (taken == 0) {
            return false;
        }
        size_t piece_len = write_code(code, piece);
        if (used + piece_len >= buf_len) {
            return false;
        }
        memcpy(buf + used, piece, piece_len);
        used += piece_len;
        at += taken;
    }
    if (used >= buf_len) {
        return false;
    }
    buf[used] = '\0';
    *ret_len = used;
    return true;
}

bool cli_text_comment(const char *text, uint8_t ret_data[PNR_COMMENT_MAX], size_t *ret_len,
                      char ret_why[CLI_TEXT_WHY_MAX])
{
    size_t units = cli_text_utf16_units(text, strlen(text));
    if (units == SIZE_MAX) {
        snprintf(ret_why, CLI_TEXT_WHY_MAX, "the comment is not valid UTF-8");
        return false;
    }
    if (units > CLI_TEXT_COMMENT_UNITS_MAX) {
        snprintf(ret_why, CLI_TEXT_WHY_MAX, "the comment has %zu UTF-16 units, at most %d", units,
                 CLI_TEXT_COMMENT_UNITS_MAX);
        return false;
    }
    *ret_len = cli_text_to_utf16(text, strlen(text), ret_data);
    return true;
}

// ---- bytes ----

const char *cli_text_hex(const uint8_t *data, size_t len, char *buf)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        buf[2 * i] = digits[data[i] >> 4];
        buf[2 * i + 1] = digits[data[i] & 15];
    }
    buf[2 * len] = '\0';
    return buf;
}

const char *cli_text_base64(const uint8_t *data, size_t len, char *buf)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *at = buf;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t bits = (uint32_t)data[i] << 16;
        bits |= left > 1 ? (uint32_t)data[i + 1] << 8 : 0;
        bits |= left > 2 ? data[i + 2] : 0;
        *at++ = digits[bits >> 18];
        *at++ = digits[bits >> 12 & 63];
        *at++ = left > 1 ? digits[bits >> 6 & 63] : '=';
        *at++ = left > 2 ? digits[bits & 63] : '=';
    }
    *at = '\0';
    return buf;
}

const char *cli_text_printable(const char *text, size_t len, char *buf, size_t buf_len)
{
    size_t used = 0;
    assert(buf_len >= 8);
    for (size_t at = 0; at < len;) {
        uint32_t code;
        char hex[8];
        const char *piece = text + at;
        size_t taken = read_code(text + at, len - at, &code);
        size_t piece_len = taken;
        if (taken == 0 || !is_printable(code)) {
            taken = 1;
            piece_len = (size_t)snprintf(hex, sizeof hex, "\\x%02x", (uint8_t)text[at]);
            piece = hex;
        }
        if (used + piece_len + sizeof ELLIPSIS > buf_len) {
            memcpy(buf + used, ELLIPSIS, sizeof ELLIPSIS);
            return buf;
        }
        memcpy(buf + used, piece, piece_len);
        used += piece_len;
        at += taken;
    }
    buf[used] = '\0';
    return buf;
}

size_t cli_text_repair(const char *text, size_t len, char *buf)
{
    size_t used = 0;
    for (size_t at = 0; at < len;) {
        uint32_t code;
        size_t taken = read_code(text + at, len - at, &code);
        if (taken == 0) {
            memcpy(buf + used, REPAIRED, 3);
            used += 3;
            at++;
        } else {
            memcpy(buf + used, text + at, taken);
            used += taken;
            at += taken;
        }
    }
    buf[used] = '\0';
    return used;
}

size_t cli_text_columns(const char *text)
{
    size_t columns = 0;
    for (; *text != '\0'; text++) {
        columns += ((uint8_t)*text & 0xc0) != 0x80;
    }
    return columns;
}

// ---- names ----

static bool is_label_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static bool check_label(const char *label, size_t len, char ret_why[CLI_TEXT_WHY_MAX])
{
    char shown[64];
    cli_text_printable(label, len, shown, sizeof shown);
    size_t good = 0;
    while (good < len && is_label_char(label[good])) {
        good++;
    }
    if (len == 0) {
        snprintf(ret_why, CLI_TEXT_WHY_MAX, "a key's label cannot be empty");
    } else if (good < len) {
        snprintf(ret_why, CLI_TEXT_WHY_MAX, "'%s' is no label: only a-z, 0-9 and - can be in one",
                 shown);
    } else if (len > CLI_TEXT_LABEL_MAX) {
        snprintf(ret_why, CLI_TEXT_WHY_MAX, "the label has %zu characters, at most %d", len,
                 CLI_TEXT_LABEL_MAX);
    } else if (len == 1 && label[0] == '0') {
        snprintf(ret_why, CLI_TEXT_WHY_MAX, "0 is no label: it stands for names without a key");
    } else {
        return true;
    }
    return false;
}

bool cli_text_check_label(const char *label, char ret_why[CLI_TEXT_WHY_MAX])
{
    return check_label(label, strlen(label), ret_why);
}

bool cli_text_check_name(const char *name, char ret_why[CLI_TEXT_WHY_MAX])
{
    bool has_prefix = strncasecmp(name, "pk:", 3) == 0;
    const char *authority = has_prefix ? name + 3 : name;
    size_t len = strcspn(authority, ".");
    bool is_unsecured = !has_prefix && len == 1 && authority[0] == '0';
    return is_unsecured || len == Z32_LEN || len == HEX40_LEN || has_prefix ||
           check_label(authority, len, ret_why);
}

const char *cli_text_short_name(const char *name, char *buf)
{
    size_t len = strcspn(name, ".");
    if (len != Z32_LEN && len != HEX40_LEN) {
        snprintf(buf, PNR_NAME_MAX, "%s", name);
    } else {
        snprintf(buf, PNR_NAME_MAX, "%.6s" ELLIPSIS "%s", name, name + len - 4);
    }
    return buf;
}

// ---- endpoints ----

static const struct protocol {
    const char *name;
    uint8_t number; // IANA's
} protocols[] = {{"tcp", 6}, {"udp", 17}, {"sctp", 132}, {"dccp", 33}, {"any", 0}};

#define PROTOCOL_COUNT (sizeof protocols / sizeof protocols[0])

static bool parse_protocol(const char *text, size_t len, uint8_t *ret_proto)
{
    char word[8];
    uint32_t number;
    if (len == 0 || len >= sizeof word) {
        return false;
    }
    memcpy(word, text, len);
    word[len] = '\0';
    for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
        if (strcasecmp(word, protocols[i].name) == 0) {
            *ret_proto = protocols[i].number;
            return true;
        }
    }
    if (!cli_text_parse_number(word, 0, 255, &number)) {
        return false;
    }
    *ret_proto = (uint8_t)number;
    return true;
}

// Cuts "ADDR:PORT" or "[ADDR]:PORT". Returns where the port begins; NULL where it is neither.
static const char *cut_address(const char *text, char address[CLI_NAMES_IP_TEXT_MAX],
                               bool *ret_is_v6)
{
    bool is_v6 = text[0] == '[';
    const char *begin = is_v6 ? text + 1 : text;
    size_t len = strcspn(begin, is_v6 ? "]" : ":");
    const char *behind = begin + len;
    if (is_v6 && *behind == ']') {
        behind++;
    } else if (is_v6) {
        return NULL;
    }
    if (*behind != ':' || len >= CLI_NAMES_IP_TEXT_MAX) {
        return NULL;
    }
    memcpy(address, begin, len);
    address[len] = '\0';
    *ret_is_v6 = is_v6;
    return behind + 1;
}

size_t cli_text_parse_ip(const char *text, uint8_t ret_ip[16])
{
    return cli_names_read_ip(text, ret_ip);
}

static bool parse_address(const char *text, struct pnr_endpoint *endpoint,
                          char ret_why[CLI_TEXT_WHY_MAX])
{
    char address[CLI_NAMES_IP_TEXT_MAX];
    bool is_v6 = false;
    uint32_t port;
    const char *port_text = cut_address(text, address, &is_v6);
    if (port_text == NULL) {
        snprintf(ret_why, CLI_TEXT_WHY_MAX,
                 "expected PROTOCOL:ADDRESS:PORT, such as tcp:192.0.2.7:443 or "
                 "udp:[2001:db8::1]:53");
        return false;
    }
    if (cli_names_read_ip(address, endpoint->ip) != (is_v6 ? 16 : 4)) {
        snprintf(ret_why, CLI_TEXT_WHY_MAX, "the address is no %s",
                 is_v6 ? "IPv6 address" : "IPv4 address, nor an IPv6 address in brackets");
        return false;
    }
    if (!cli_text_parse_number(port_text, 0, 65535, &port)) {
        snprintf(ret_why, CLI_TEXT_WHY_MAX, "the port is no number from 0 to 65535");
        return false;
    }
    endpoint->ip_len = is_v6 ? 16 : 4;
    endpoint->port = (uint16_t)port;
    return true;
}

bool cli_text_parse_endpoint(const char *text, struct pnr_endpoint *ret_endpoint,
                             char ret_why[CLI_TEXT_WHY_MAX])
{
    struct pnr_endpoint endpoint = {.proto = 6};
    size_t word_len = strcspn(text, ":");
    // Up to its first colon, an address without a protocol begins with a bracket or has dots.
    bool has_protocol = text[0] != '[' && memchr(text, '.', word_len) == NULL;
    if (has_protocol && text[word_len] == ':') {
        if (!parse_protocol(text, word_len, &endpoint.proto)) {
            snprintf(ret_why, CLI_TEXT_WHY_MAX,
                     "the protocol is none of tcp, udp, sctp, dccp, any or 0 to 255; an IPv6 "
                     "address stands in brackets");
            return false;
        }
        text += word_len + 1;
    }
    if (!parse_address(text, &endpoint, ret_why)) {
        return false;
    }
    *ret_endpoint = endpoint;
    return true;
}

const char *cli_text_protocol(uint8_t proto, struct cli_text *ret_text)
{
    snprintf(ret_text->text, sizeof ret_text->text, "%u", proto);
    for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
        if (protocols[i].number == proto) {
            snprintf(ret_text->text, sizeof ret_text->text, "%s", protocols[i].name);
        }
    }
    return ret_text->text;
}

const char *cli_text_address(const struct pnr_endpoint *endpoint, struct cli_text *ret_text)
{
    _Static_assert(sizeof ret_text->text >= CLI_NAMES_IP_TEXT_MAX, "an address fits");
    cli_names_write_ip(endpoint->ip, endpoint->ip_len, ret_text->text);
    return ret_text->text;
}

const char *cli_text_endpoint(const struct pnr_endpoint *endpoint, struct cli_text *ret_text)
{
    struct cli_text proto;
    struct cli_text address;
    _Static_assert(sizeof ret_text->text >= CLI_TEXT_ENDPOINT_MAX, "an endpoint fits");
    cli_text_protocol(endpoint->proto, &proto);
    cli_text_address(endpoint, &address);
    if (endpoint->ip_len == 4) {
        snprintf(ret_text->text, sizeof ret_text->text, "%.4s:%.46s:%u", proto.text, address.text,
                 endpoint->port);
    } else if (endpoint->scope_id != 0) {
        snprintf(ret_text->text, sizeof ret_text->text, "%.4s:[%.39s%%%u]:%u", proto.text,
                 address.text, endpoint->scope_id, endpoint->port);
    } else {
        snprintf(ret_text->text, sizeof ret_text->text, "%.4s:[%.46s]:%u", proto.text, address.text,
                 endpoint->port);
    }
    return ret_text->text;
}

// ---- numbers and durations ----

bool cli_text_parse_number(const char *text, uint32_t min, uint32_t max, uint32_t *ret_number)
{
    uint64_t number = 0;
    size_t len = strlen(text);
    if (len == 0 || len > 10 || strspn(text, "0123456789") != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    if (number < min || number > max) {
        return false;
    }
    *ret_number = (uint32_t)number;
    return true;
}

bool cli_text_parse_duration(const char *text, uint32_t *ret_ms)
{
    static const struct unit {
        const char *name;
        double ms;
    } units[] = {{"", 1000},     {"ms", 1},      {"s", 1000},      {"m", 60000},
                 {"min", 60000}, {"h", 3600000}, {"d", 86400000.0}};
    size_t digits = strspn(text, "0123456789");
    size_t number_len = strspn(text, "0123456789.");
    if (digits == 0 || digits > 10 || number_len > 20) {
        return false;
    }
    // By hand, for strtod() follows the locale and takes hexadecimal and "nan".
    double number = 0;
    double place = 1;
    for (size_t i = 0; i < number_len; i++) {
        if (text[i] == '.' && i != digits) {
            return false;
        }
        if (i > digits) {
            place /= 10;
            number += place * (text[i] - '0');
        } else if (i < digits) {
            number = number * 10 + (text[i] - '0');
        }
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        double ms = number * units[i].ms + 0.5;
        if (strcmp(text + number_len, units[i].name) == 0) {
            if (ms < 1 || ms >= (double)UINT32_MAX) {
                return false;
            }
            *ret_ms = (uint32_t)ms;
            return true;
        }
    }
    return false;
}

// "3 h 12 min": two neighbouring units, the second left out where it is 0.
static void write_pair(struct cli_text *text, int64_t value, int64_t per, const char *const unit[2])
{
    if (value % per == 0) {
        snprintf(text->text, sizeof text->text, "%lld %s", (long long)(value / per), unit[0]);
    } else {
        snprintf(text->text, sizeof text->text, "%lld %s %lld %s", (long long)(value / per),
                 unit[0], (long long)(value % per), unit[1]);
    }
}

const char *cli_text_duration(int64_t us, struct cli_text *ret_text)
{
    static const char *const hours[] = {"h", "min"};
    static const char *const days[] = {"d", "h"};
    char *text = ret_text->text;
    int64_t ms = (us + 500) / 1000;
    int64_t s = (us + 500000) / 1000000;
    int64_t min = (s + 30) / 60;
    if (us < 0) {
        snprintf(text, sizeof ret_text->text, "?");
    } else if (us > 0 && us < 1000) {
        snprintf(text, sizeof ret_text->text, us < 100 ? "%.2f ms" : "%.1f ms", (double)us / 1000);
    } else if (ms < 1000) {
        snprintf(text, sizeof ret_text->text, "%lld ms", (long long)ms);
    } else if (ms < 10000 && ms % 1000 >= 50) {
        snprintf(text, sizeof ret_text->text, "%.1f s", (double)ms / 1000);
    } else if (s < 120) {
        snprintf(text, sizeof ret_text->text, "%lld s", (long long)s);
    } else if (min < 120) {
        snprintf(text, sizeof ret_text->text, "%lld min", (long long)min);
    } else if (min < 48 * 60) {
        write_pair(ret_text, min, 60, hours);
    } else {
        write_pair(ret_text, (min + 30) / 60, 24, days);
    }
    return text;
}

const char *cli_text_seconds(int64_t s, struct cli_text *ret_text)
{
    const int64_t s_max = INT64_MAX / 4000000; // so that its microseconds can be rounded up
    if (s == 0) {
        snprintf(ret_text->text, sizeof ret_text->text, "0 s");
        return ret_text->text;
    }
    return cli_text_duration((s < s_max ? s : s_max) * (s < 0 ? 1 : 1000000), ret_text);
}

const char *cli_text_count(int64_t count, struct cli_text *ret_text)
{
    static const char *const units[] = {"", " k", " M", " G"};
    double value = (double)count;
    size_t unit = 0;
    while (value >= (unit == 0 ? 10000 : 1000) && unit < 3) {
        value /= 1000;
        unit++;
    }
    snprintf(ret_text->text, sizeof ret_text->text, "%.*f%s", unit > 0 && value < 100 ? 1 : 0,
             value, units[unit]);
    return ret_text->text;
}
