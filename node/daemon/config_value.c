// SPDX-License-Identifier: MIT
#include "node/daemon/config_value.h"

#include "dht/addr.h"
#include "node/control/address.h"
#include "node/daemon/paths.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)

struct unit {
    char letter;
    int64_t factor;
};

static const struct unit byte_units[] = {
    {'G', INT64_C(1) << 30}, {'M', 1 << 20}, {'K', 1 << 10}, {'\0', 1}};
static const struct unit time_units[] = {
    {'h', 3600 * SECOND_US}, {'m', 60 * SECOND_US}, {'s', SECOND_US}, {'\0', 0}};
static const struct unit count_units[] = {{'\0', 1}};

static void *field_of(const struct daemon_config_key *key, void *base)
{
    return (char *)base + key->offset;
}

static const void *const_field_of(const struct daemon_config_key *key, const void *base)
{
    return (const char *)base + key->offset;
}

bool daemon_config_value_is_list(const struct daemon_config_key *key)
{
    return key->type == DAEMON_CONFIG_CONTROLS || key->type == DAEMON_CONFIG_ADDRS ||
           key->type == DAEMON_CONFIG_HOSTS;
}

static size_t field_size(const struct daemon_config_key *key)
{
    switch (key->type) {
    case DAEMON_CONFIG_PATH:
    case DAEMON_CONFIG_NAME:
        return sizeof(struct daemon_config_text);
    case DAEMON_CONFIG_CONTROLS:
        return sizeof(struct daemon_config_texts);
    case DAEMON_CONFIG_ADDRS:
        return sizeof(struct daemon_config_addrs);
    case DAEMON_CONFIG_HOSTS:
        return sizeof(struct daemon_config_hosts);
    case DAEMON_CONFIG_CHOICE:
        return sizeof(int);
    default:
        return sizeof(int64_t);
    }
}

void daemon_config_value_clear(const struct daemon_config_key *key, void *base)
{
    if (daemon_config_value_is_list(key))
        memset(field_of(key, base), 0, field_size(key));
}

void daemon_config_value_copy(const struct daemon_config_key *key, void *to, const void *from)
{
    memcpy(field_of(key, to), const_field_of(key, from), field_size(key));
}

static const struct unit *units_of(const struct daemon_config_key *key)
{
    return key->type == DAEMON_CONFIG_BYTES  ? byte_units
           : key->type == DAEMON_CONFIG_TIME ? time_units
                                             : count_units;
}

// Writes number with the largest unit that leaves no rest.
static void write_number(const struct daemon_config_key *key, int64_t number, char *out,
                         size_t out_len)
{
    const struct unit *unit = units_of(key);
    while (unit->letter != '\0' && (number % unit->factor != 0 || number == 0))
        unit++;
    if (unit->factor == 0) // no time is shorter than a second
        unit--;
    snprintf(out, out_len, "%" PRId64 "%.1s", number / unit->factor, &unit->letter);
}

static void expect_number(const struct daemon_config_key *key, char *out, size_t out_len)
{
    char least[32];
    char most[32];
    const char *kind = key->type == DAEMON_CONFIG_BYTES  ? "a size in bytes, K, M or G"
                       : key->type == DAEMON_CONFIG_TIME ? "a time in s, m or h"
                                                         : "a number";
    write_number(key, key->min, least, sizeof least);
    write_number(key, key->max, most, sizeof most);
    snprintf(out, out_len, "%s, from %s to %s", kind, least, most);
}

void daemon_config_value_expected(const struct daemon_config_key *key, char *ret_text,
                                  size_t text_len)
{
    static const char *const texts[] = {
        [DAEMON_CONFIG_PATH] = "an absolute path",
        [DAEMON_CONFIG_NAME] = "a name of letters, digits, '-', '_' and '.'",
        [DAEMON_CONFIG_CONTROLS] = "addresses unix:PATH or tcp:FILE with absolute paths, or "
                                   "tcp:127.0.0.1:PORT",
        [DAEMON_CONFIG_ADDRS] = "addresses such as 0.0.0.0:3540 or [2001:db8::1]:3540, at most one "
                                "of IPv4 and one of IPv6",
        [DAEMON_CONFIG_HOSTS] = "hosts such as example.org:6881, 192.0.2.1:6881 or "
                                "[2001:db8::1]:6881",
    };
    if (key->type == DAEMON_CONFIG_CHOICE) {
        size_t used = (size_t)snprintf(ret_text, text_len, "one of");
        for (size_t i = 0; key->choices[i] != NULL && used < text_len; i++)
            used += (size_t)snprintf(ret_text + used, text_len - used, "%s %s", i > 0 ? "," : "",
                                     key->choices[i]);
    } else if (key->type >= DAEMON_CONFIG_COUNT) {
        expect_number(key, ret_text, text_len);
    } else {
        snprintf(ret_text, text_len, "%s%s", texts[key->type], key->optional ? ", or nothing" : "");
    }
}

// Digits and a unit's letter, in either case, within the key's bounds.
static bool read_number(const struct daemon_config_key *key, const char *text, int64_t *ret_number)
{
    int64_t number = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18)
        return false;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (text[i] - '0');
    char letter = text[digits];
    if (letter != '\0' && text[digits + 1] != '\0')
        return false;
    const struct unit *unit = units_of(key);
    while (unit->letter != '\0' && (unit->letter | 0x20) != (letter | 0x20))
        unit++;
    if (unit->letter == '\0' && letter != '\0')
        return false;
    if (unit->factor == 0 && number != 0) // a time without its unit could mean anything
        return false;
    int64_t factor = unit->factor == 0 ? 1 : unit->factor;
    if (number > INT64_MAX / factor || number * factor < key->min || number * factor > key->max)
        return false;
    *ret_number = number * factor;
    return true;
}

static bool read_choice(const struct daemon_config_key *key, const char *text, int *ret_choice)
{
    for (int i = 0; key->choices[i] != NULL; i++) {
        if (strcmp(key->choices[i], text) == 0) {
            *ret_choice = i;
            return true;
        }
    }
    return false;
}

static bool is_name(const char *text)
{
    return text[strspn(
               text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] == '\0';
}

static bool read_text(const struct daemon_config_key *key, const char *text,
                      struct daemon_config_text *ret_text)
{
    size_t len = strlen(text);
    bool good = key->type == DAEMON_CONFIG_PATH
                    ? daemon_paths_is_absolute(text) || (len == 0 && key->optional)
                    : is_name(text);
    if (!good || len >= sizeof ret_text->text)
        return false;
    memset(ret_text->text, 0, sizeof ret_text->text);
    memcpy(ret_text->text, text, len);
    return true;
}

static bool add_control(struct daemon_config_texts *texts, const char *text)
{
    struct control_address address;
    struct control_address resolve; // lies beside it, with a longer path
    size_t len = strlen(text);
    if (texts->count == DAEMON_CONFIG_TEXTS_MAX || len >= sizeof texts->list[0].text ||
        !control_address_parse(text, &address))
        return false;
    if (address.port == 0 &&
        (!daemon_paths_is_absolute(address.path) || !control_address_resolve(&address, &resolve)))
        return false;
    memcpy(texts->list[texts->count++].text, text, len + 1);
    return true;
}

static bool add_addr(struct daemon_config_addrs *addrs, const char *text)
{
    struct dht_addr addr;
    if (addrs->count == DAEMON_CONFIG_ADDRS_MAX || !dht_addr_from_text(text, &addr))
        return false;
    if (addrs->count == 1 && addrs->list[0].ip_len == addr.ip_len)
        return false;
    addrs->list[addrs->count++] = addr;
    return true;
}

// Reads "host:port": a name, an IPv4 address, or an IPv6 address in brackets.
static bool read_host(const char *text, struct daemon_config_host *ret_host)
{
    const char *colon = strrchr(text, ':');
    struct dht_addr addr;
    if (colon == NULL || colon == text)
        return false;
    size_t digits = strspn(colon + 1, "0123456789");
    unsigned port = 0;
    if (digits == 0 || digits > 5 || colon[1 + digits] != '\0' ||
        sscanf(colon + 1, "%5u", &port) != 1 || port == 0 || port > UINT16_MAX)
        return false;
    size_t len = (size_t)(colon - text);
    bool is_ipv6 = text[0] == '[';
    if (is_ipv6) { // without its brackets
        if (!dht_addr_from_text(text, &addr))
            return false;
        text++;
        len -= 2;
    }
    memset(ret_host, 0, sizeof *ret_host);
    if (len >= sizeof ret_host->host)
        return false;
    memcpy(ret_host->host, text, len);
    ret_host->port = (uint16_t)port;
    return is_ipv6 || is_name(ret_host->host);
}

static bool add_host(struct daemon_config_hosts *hosts, const char *text)
{
    if (hosts->count == DAEMON_CONFIG_HOSTS_MAX || !read_host(text, &hosts->list[hosts->count]))
        return false;
    hosts->count++;
    return true;
}

static bool add_element(const struct daemon_config_key *key, void *field, const char *text)
{
    return key->type == DAEMON_CONFIG_CONTROLS ? add_control(field, text)
           : key->type == DAEMON_CONFIG_ADDRS  ? add_addr(field, text)
                                               : add_host(field, text);
}

// Takes text apart at commas and spaces. Sets ret_element to what was not taken.
static bool add_elements(const struct daemon_config_key *key, void *field, const char *text,
                         char ret_element[256])
{
    static const char gaps[] = ", \t";
    for (text += strspn(text, gaps); *text != '\0'; text += strspn(text, gaps)) {
        size_t len = strcspn(text, gaps);
        snprintf(ret_element, 256, "%.*s", (int)len, text);
        if (len >= 256 || !add_element(key, field, ret_element))
            return false;
        text += len;
    }
    return true;
}

bool daemon_config_value_add(const struct daemon_config_key *key, void *base, const char *text,
                             struct daemon_error *ret_error)
{
    void *field = field_of(key, base);
    char element[256];
    char expected[256];
    bool ok;
    snprintf(element, sizeof element, "%s", text);
    if (daemon_config_value_is_list(key))
        ok = add_elements(key, field, text, element);
    else if (key->type == DAEMON_CONFIG_PATH || key->type == DAEMON_CONFIG_NAME)
        ok = read_text(key, text, field);
    else if (key->type == DAEMON_CONFIG_CHOICE)
        ok = read_choice(key, text, field);
    else
        ok = read_number(key, text, field);
    if (!ok) {
        daemon_config_value_expected(key, expected, sizeof expected);
        daemon_error_set(ret_error, "%s: \"%.100s\" does not fit: expected %s", key->name, element,
                         expected);
    }
    return ok;
}

static void write_element(const struct daemon_config_key *key, const void *field, size_t index,
                          char *out, size_t out_len)
{
    if (key->type == DAEMON_CONFIG_CONTROLS) {
        const struct daemon_config_texts *texts = field;
        snprintf(out, out_len, "%s", texts->list[index].text);
    } else if (key->type == DAEMON_CONFIG_ADDRS) {
        const struct daemon_config_addrs *addrs = field;
        char text[DHT_ADDR_TEXT_MAX];
        dht_addr_to_text(&addrs->list[index], text);
        snprintf(out, out_len, "%s", text);
    } else {
        const struct daemon_config_host *host =
            &((const struct daemon_config_hosts *)field)->list[index];
        bool is_ipv6 = strchr(host->host, ':') != NULL;
        snprintf(out, out_len, "%s%s%s:%u", is_ipv6 ? "[" : "", host->host, is_ipv6 ? "]" : "",
                 host->port);
    }
}

static size_t element_count(const struct daemon_config_key *key, const void *field)
{
    return key->type == DAEMON_CONFIG_CONTROLS ? ((const struct daemon_config_texts *)field)->count
           : key->type == DAEMON_CONFIG_ADDRS  ? ((const struct daemon_config_addrs *)field)->count
                                               : ((const struct daemon_config_hosts *)field)->count;
}

void daemon_config_value_write(const struct daemon_config_key *key, const void *base,
                               const char *separator, char ret_text[DAEMON_CONFIG_VALUE_MAX])
{
    const void *field = const_field_of(key, base);
    size_t used = 0;
    ret_text[0] = '\0';
    if (key->type == DAEMON_CONFIG_PATH || key->type == DAEMON_CONFIG_NAME) {
        const struct daemon_config_text *text = field;
        snprintf(ret_text, DAEMON_CONFIG_VALUE_MAX, "%s", text->text);
    } else if (key->type == DAEMON_CONFIG_CHOICE) {
        snprintf(ret_text, DAEMON_CONFIG_VALUE_MAX, "%s", key->choices[*(const int *)field]);
    } else if (!daemon_config_value_is_list(key)) {
        write_number(key, *(const int64_t *)field, ret_text, DAEMON_CONFIG_VALUE_MAX);
    } else {
        for (size_t i = 0; i < element_count(key, field); i++) {
            char element[256];
            write_element(key, field, i, element, sizeof element);
            used += (size_t)snprintf(ret_text + used, DAEMON_CONFIG_VALUE_MAX - used, "%s%s",
                                     i > 0 ? separator : "", element);
            assert(used < DAEMON_CONFIG_VALUE_MAX);
        }
    }
}
