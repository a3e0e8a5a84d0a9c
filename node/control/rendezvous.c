// SPDX-License-Identifier: MIT
#include "node/control/rendezvous.h"

#include "node/control/secret.h"

#include <stdio.h>
#include <string.h>

#define FIRST_LINE "pnr-rendezvous 1"

static const char hex_digits[] = "0123456789abcdef";

size_t control_rendezvous_format(const struct control_rendezvous *rendezvous, char *buf,
                                 size_t buf_len)
{
    bool is_control = rendezvous->access == CONTROL_ACCESS_CONTROL;
    if (rendezvous->port == 0 || (!is_control && rendezvous->access != CONTROL_ACCESS_RESOLVE)) {
        return 0;
    }
    const char *access = is_control ? CONTROL_ACCESS_TEXT_CONTROL : CONTROL_ACCESS_TEXT_RESOLVE;
    int head = snprintf(buf, buf_len, FIRST_LINE "\nport %u\naccess %s\nsecret ",
                        (unsigned)rendezvous->port, access);
    if (head < 0 || (size_t)head + 2 * CONTROL_SECRET_LEN + 1 > buf_len) {
        return 0;
    }
    char *at = buf + head;
    for (size_t i = 0; i < CONTROL_SECRET_LEN; i++) {
        *at++ = hex_digits[rendezvous->secret[i] >> 4];
        *at++ = hex_digits[rendezvous->secret[i] & 15];
    }
    *at++ = '\n';
    return (size_t)(at - buf);
}

static bool is_text(struct dht_span span, const char *text)
{
    return span.len == strlen(text) && memcmp(span.data, text, span.len) == 0;
}

// Takes one line, without its end, off the front of text. A carriage return before it is dropped:
// someone may have looked at the file with an editor.
static struct dht_span take_line(struct dht_span *text)
{
    const uint8_t *end = memchr(text->data, '\n', text->len);
    struct dht_span line = {text->data, end == NULL ? text->len : (size_t)(end - text->data)};
    size_t taken = line.len + (end != NULL);
    text->data += taken;
    text->len -= taken;
    if (line.len > 0 && line.data[line.len - 1] == '\r') {
        line.len--;
    }
    return line;
}

static bool parse_port(struct dht_span value, uint16_t *ret_port)
{
    uint32_t port = 0;
    if (value.len == 0 || value.len > 5) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return false;
        }
        port = port * 10 + (uint32_t)(value.data[i] - '0');
    }
    if (port == 0 || port > 65535) {
        return false;
    }
    *ret_port = (uint16_t)port;
    return true;
}

static bool parse_access(struct dht_span value, enum control_access *ret_access)
{
    if (is_text(value, CONTROL_ACCESS_TEXT_CONTROL)) {
        *ret_access = CONTROL_ACCESS_CONTROL;
    } else if (is_text(value, CONTROL_ACCESS_TEXT_RESOLVE)) {
        *ret_access = CONTROL_ACCESS_RESOLVE;
    } else {
        return false;
    }
    return true;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool parse_secret(struct dht_span value, uint8_t ret_secret[CONTROL_SECRET_LEN])
{
    if (value.len != 2 * CONTROL_SECRET_LEN) {
        return false;
    }
    for (size_t i = 0; i < CONTROL_SECRET_LEN; i++) {
        int high = hex_value(value.data[2 * i]);
        int low = hex_value(value.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        ret_secret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

// One line after the first. seen has a bit for each word that was there.
static bool parse_line(struct dht_span line, struct control_rendezvous *rendezvous, unsigned *seen)
{
    const uint8_t *space = line.len == 0 ? NULL : memchr(line.data, ' ', line.len);
    if (space == NULL) {
        return true;
    }
    struct dht_span word = {line.data, (size_t)(space - line.data)};
    struct dht_span value = {space + 1, line.len - word.len - 1};
    unsigned bit = 0;
    bool ok = true;
    if (is_text(word, "port")) {
        bit = 1;
        ok = parse_port(value, &rendezvous->port);
    } else if (is_text(word, "access")) {
        bit = 2;
        ok = parse_access(value, &rendezvous->access);
    } else if (is_text(word, "secret")) {
        bit = 4;
        ok = parse_secret(value, rendezvous->secret);
    }
    ok = ok && (*seen & bit) == 0;
    *seen |= bit;
    return ok;
}

bool control_rendezvous_parse(struct dht_span text, struct control_rendezvous *ret_rendezvous)
{
    struct control_rendezvous parsed = {0};
    unsigned seen = 0;
    if (text.len == 0 || text.len > CONTROL_RENDEZVOUS_LEN_MAX ||
        !is_text(take_line(&text), FIRST_LINE)) {
        return false;
    }
    bool ok = true;
    while (ok && text.len > 0) {
        ok = parse_line(take_line(&text), &parsed, &seen);
    }
    ok = ok && seen == 7;
    if (ok) {
        *ret_rendezvous = parsed;
    }
    control_secret_wipe(&parsed, sizeof parsed);
    return ok;
}

bool control_rendezvous_trusted(enum control_access access, unsigned mode)
{
    unsigned forbidden = access == CONTROL_ACCESS_CONTROL ? 0026u : 0022u;
    return (mode & forbidden) == 0;
}
