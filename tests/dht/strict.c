// SPDX-License-Identifier: MIT
#include "tests/dht/strict.h"

#include <string.h>

#define KEYS_MAX 16

// One value of a dict: its key and where its text starts and ends.
struct entry {
    const uint8_t *key;
    size_t key_len;
    const uint8_t *text;
    const uint8_t *end;
};

struct dict {
    struct entry entries[KEYS_MAX];
    size_t count;
};

// Reads "123:" and returns the text of the string; NULL where there is none.
static const uint8_t *read_string(const uint8_t *at, const uint8_t *end, size_t *ret_len)
{
    size_t len = 0;
    const uint8_t *start = at;
    while (at < end && *at >= '0' && *at <= '9' && at - start < 5)
        len = len * 10 + (size_t)(*at++ - '0');
    if (at == start || at == end || *at != ':' || (at - start > 1 && *start == '0'))
        return NULL;
    at++;
    if ((size_t)(end - at) < len)
        return NULL;
    *ret_len = len;
    return at;
}

static const uint8_t *read_int(const uint8_t *at, const uint8_t *end, int64_t *ret_number)
{
    bool negative = false;
    uint64_t number = 0;
    if (at == end || *at++ != 'i')
        return NULL;
    if (at < end && *at == '-') {
        negative = true;
        at++;
    }
    const uint8_t *digits = at;
    while (at < end && *at >= '0' && *at <= '9' && at - digits < 19)
        number = number * 10 + (uint64_t)(*at++ - '0');
    bool led = at - digits > 1 && *digits == '0';
    if (at == digits || at == end || *at != 'e' || led || (negative && number == 0))
        return NULL;
    *ret_number = negative ? -(int64_t)number : (int64_t)number;
    return at + 1;
}

// Behind the value that starts at `at`; NULL where it is broken. Dicts have to be sorted.
static const uint8_t *skip(const uint8_t *at, const uint8_t *end, int depth)
{
    size_t len;
    int64_t number;
    const uint8_t *last = NULL;
    size_t last_len = 0;
    if (at == NULL || at == end || depth > 8)
        return NULL;
    if (*at == 'i')
        return read_int(at, end, &number);
    if (*at != 'l' && *at != 'd') {
        const uint8_t *string = read_string(at, end, &len);
        return string == NULL ? NULL : string + len;
    }
    bool is_dict = *at++ == 'd';
    while (at != NULL && at < end && *at != 'e') {
        if (is_dict) {
            const uint8_t *key = read_string(at, end, &len);
            if (key == NULL)
                return NULL;
            size_t common = len < last_len ? len : last_len;
            int order = last == NULL ? -1 : memcmp(last, key, common);
            if (order > 0 || (order == 0 && last_len >= len))
                return NULL;
            last = key;
            last_len = len;
            at = key + len;
        }
        at = skip(at, end, depth + 1);
    }
    return at == NULL || at == end ? NULL : at + 1;
}

// The entries of a dict that skip() has found to be whole.
static bool open_dict(const uint8_t *at, const uint8_t *end, struct dict *ret_dict)
{
    ret_dict->count = 0;
    if (at == end || *at++ != 'd')
        return false;
    while (*at != 'e') {
        if (ret_dict->count == KEYS_MAX)
            return false;
        struct entry *entry = &ret_dict->entries[ret_dict->count++];
        entry->key = read_string(at, end, &entry->key_len);
        entry->text = entry->key + entry->key_len;
        entry->end = skip(entry->text, end, 0);
        at = entry->end;
    }
    return true;
}

static const struct entry *find(const struct dict *dict, const char *key)
{
    for (size_t i = 0; i < dict->count; i++)
        if (dict->entries[i].key_len == strlen(key) &&
            memcmp(dict->entries[i].key, key, strlen(key)) == 0)
            return &dict->entries[i];
    return NULL;
}

// Whether all keys are among these, in a list ended by NULL.
static bool has_only(const struct dict *dict, const char *const *keys)
{
    for (size_t i = 0; i < dict->count; i++) {
        size_t known = 0;
        while (keys[known] != NULL && find(dict, keys[known]) != &dict->entries[i])
            known++;
        if (keys[known] == NULL)
            return false;
    }
    return true;
}

static bool is_string(const struct entry *entry, size_t *ret_len)
{
    return entry != NULL && read_string(entry->text, entry->end, ret_len) != NULL;
}

static bool has_len(const struct entry *entry, size_t wanted)
{
    size_t len;
    return is_string(entry, &len) && len == wanted;
}

static bool is_int(const struct entry *entry, int64_t least, int64_t most)
{
    int64_t number;
    return entry != NULL && read_int(entry->text, entry->end, &number) == entry->end &&
           number >= least && number <= most;
}

static bool is_text(const struct entry *entry, const char *text)
{
    size_t len;
    return is_string(entry, &len) && len == strlen(text) &&
           memcmp(entry->end - len, text, len) == 0;
}

// `v`, and what makes it a mutable item.
static const char *check_item(const struct dict *dict, const struct strict_rules *rules, bool put)
{
    size_t len;
    const struct entry *value = find(dict, "v");
    bool has_key = find(dict, "k") != NULL;
    if (value == NULL)
        return put || has_key || find(dict, "sig") != NULL ? "an item without v" : NULL;
    if (value->end - value->text > DHT_VALUE_LEN_MAX)
        return "v is too long";
    if (!rules->any_value && !is_string(value, &len) && (put || *value->text != 'd'))
        return "v is no string"; // nor what pnr_who brings
    if (!has_key)
        return find(dict, "sig") == NULL ? NULL : "sig without k";
    if (!has_len(find(dict, "k"), 32) || !has_len(find(dict, "sig"), 64))
        return "k or sig of a wrong length";
    return is_int(find(dict, "seq"), 0, INT64_MAX) ? NULL : "a mutable item without seq";
}

static const char *check_values(const struct dict *reply, size_t compact_len)
{
    const struct entry *values = find(reply, "values");
    if (values == NULL)
        return NULL;
    if (*values->text != 'l')
        return "values is no list";
    for (const uint8_t *at = values->text + 1; *at != 'e'; at = skip(at, values->end, 0)) {
        size_t len;
        if (read_string(at, values->end, &len) == NULL || len != compact_len)
            return "a peer of the other family in values"; // quirk Q2
    }
    return NULL;
}

// ---- queries ----

struct method {
    const char *name;
    const char *keys[12];
    const char *needed[6];
};

static const struct method methods[] = {
    {"ping", {"id"}, {NULL}},
    {"find_node", {"id", "target", "token", "want"}, {"target"}},
    {"get_peers", {"id", "info_hash", "token", "want"}, {"info_hash"}},
    {"get", {"id", "seq", "target", "token", "want"}, {"target"}},
    {"pnr_who", {"id", "offset", "target", "token"}, {"target"}},
    {"announce_peer",
     {"changed", "id", "implied_port", "info_hash", "port", "token"},
     {"info_hash", "port", "token"}},
    {"put",
     {"cas", "id", "k", "salt", "seq", "sig", "target", "token", "v"},
     {"target", "token", "v"}}, // quirk Q3
    // docs/watching.md
    {"pnr_watch",
     {"id", "lease", "nonce", "peers", "seq", "target", "token"},
     {"nonce", "target", "token"}},
    {"pnr_changed",
     {"gone", "id", "k", "nonce", "seq", "sig", "target", "v", "values"},
     {"nonce", "target"}},
};

static bool is_want(const struct entry *entry)
{
    static const char both[] = "l2:n42:n6e";
    return (size_t)(entry->end - entry->text) == strlen(both) &&
           memcmp(entry->text, both, strlen(both)) == 0;
}

static const char *check_arguments(const struct dict *args, const struct method *method,
                                   const struct strict_rules *rules)
{
    size_t len;
    if (!has_only(args, method->keys) || !has_len(find(args, "id"), 20))
        return "arguments that the method does not have, or no id";
    for (size_t i = 0; method->needed[i] != NULL; i++)
        if (find(args, method->needed[i]) == NULL)
            return "an argument is missing";
    if (find(args, "target") != NULL && !has_len(find(args, "target"), 20))
        return "a target of a wrong length";
    if (find(args, "info_hash") != NULL && !has_len(find(args, "info_hash"), 20))
        return "an info_hash of a wrong length";
    if (find(args, "want") != NULL && !is_want(find(args, "want")))
        return "another want than both families";
    if (find(args, "port") != NULL && !is_int(find(args, "port"), 0, 65535))
        return "a port that is none";
    if (find(args, "seq") != NULL && !is_int(find(args, "seq"), 0, INT64_MAX))
        return "a seq that is none";
    if (find(args, "salt") != NULL &&
        (!is_string(find(args, "salt"), &len) || len == 0 || len > 64))
        return "a salt of a wrong length";
    if (find(args, "nonce") != NULL && !has_len(find(args, "nonce"), 16))
        return "a nonce of a wrong length";
    if (find(args, "lease") != NULL && !is_int(find(args, "lease"), 0, 86400))
        return "a lease that is none";
    if (strcmp(method->name, "pnr_changed") == 0) {
        const char *fault = check_values(args, rules->family == DHT_IPV4 ? 6 : 18);
        return fault != NULL ? fault : check_item(args, rules, false);
    }
    return strcmp(method->name, "put") == 0 ? check_item(args, rules, true) : NULL;
}

static const char *check_query(const struct dict *top, const struct strict_rules *rules)
{
    static const char *const keys[] = {"a", "q", "ro", "t", "v", "y", NULL};
    struct dict args;
    const struct entry *a = find(top, "a");
    if (!has_only(top, keys) || a == NULL || !open_dict(a->text, a->end, &args))
        return "a query with other keys, or without a";
    if (!has_len(find(top, "t"), 4))
        return "t is not of 4 bytes";
    if (find(top, "ro") != NULL && !is_int(find(top, "ro"), 1, 1))
        return "ro is not 1";
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (is_text(find(top, "q"), methods[i].name))
            return check_arguments(&args, &methods[i], rules);
    return "a method that nobody knows";
}

// ---- replies ----

static bool is_multiple(const struct dict *reply, const char *key, size_t unit, size_t most)
{
    size_t len;
    const struct entry *entry = find(reply, key);
    return entry == NULL || (is_string(entry, &len) && len % unit == 0 && len / unit <= most);
}

static const char *check_reply(const struct dict *top, const struct strict_rules *rules)
{
    static const char *const top_keys[] = {"ip", "r", "ro", "t", "v", "y", NULL};
    static const char *const keys[] = {
        "BFpe",    "BFsd", "id",  "interval", "k",     "nodes", "nodes6", "news",  "num", "part",
        "samples", "seq",  "sig", "size",     "token", "v",     "values", "watch", NULL};
    struct dict reply;
    size_t len;
    size_t compact_len = rules->family == DHT_IPV4 ? 6 : 18;
    const struct entry *r = find(top, "r");
    if (!has_only(top, top_keys) || r == NULL || !open_dict(r->text, r->end, &reply))
        return "a reply with other keys, or without r";
    if (!has_only(&reply, keys) || !has_len(find(&reply, "id"), 20))
        return "unknown keys in r, or no id";
    if (!is_multiple(&reply, "nodes", 26, 16) || !is_multiple(&reply, "nodes6", 38, 16) ||
        !is_multiple(&reply, "samples", 20, 50))
        return "nodes, nodes6 or samples of a wrong length"; // quirks Q2, Q5
    if (find(&reply, "token") != NULL && (!is_string(find(&reply, "token"), &len) || len == 0))
        return "a token that is none";
    bool filters = find(&reply, "BFsd") != NULL;
    if (filters != (find(&reply, "BFpe") != NULL) ||
        (filters && (!has_len(find(&reply, "BFsd"), 256) || !has_len(find(&reply, "BFpe"), 256))))
        return "half a scrape";
    if (find(&reply, "interval") != NULL && !is_int(find(&reply, "interval"), 0, 21600))
        return "an interval out of range";
    if ((find(&reply, "part") != NULL) != (find(&reply, "size") != NULL) ||
        (find(&reply, "part") != NULL && (!is_string(find(&reply, "part"), &len) || len > 1000)) ||
        (find(&reply, "size") != NULL && !is_int(find(&reply, "size"), 1, DHT_PAYLOAD_LEN_MAX)))
        return "a part of a payload that is none";
    const char *fault = check_values(&reply, compact_len);
    return fault != NULL ? fault : check_item(&reply, rules, false);
}

static const char *check_error(const struct dict *top)
{
    static const char *const keys[] = {"e", "ip", "t", "v", "y", NULL};
    int64_t code;
    size_t len;
    const struct entry *e = find(top, "e");
    if (!has_only(top, keys) || e == NULL || *e->text != 'l')
        return "an error with other keys, or without e";
    const uint8_t *at = read_int(e->text + 1, e->end, &code);
    if (at == NULL || !((code >= 201 && code <= 207) || code == 301 || code == 302))
        return "an error code that nobody knows";
    at = read_string(at, e->end, &len);
    return at != NULL && at + len + 1 == e->end ? NULL : "an error without its text";
}

const char *strict_check(struct dht_span datagram, const struct strict_rules *rules)
{
    struct dict top;
    size_t tid_len;
    const uint8_t *end = datagram.data + datagram.len;
    if (datagram.len > DHT_DATAGRAM_MAX)
        return "too long";
    if (skip(datagram.data, end, 0) != end || !open_dict(datagram.data, end, &top))
        return "no canonical dict";
    if (!has_len(find(&top, "v"), 4))
        return "v is not of 4 bytes";
    if (find(&top, "ip") != NULL && !has_len(find(&top, "ip"), rules->family == DHT_IPV4 ? 6 : 18))
        return "ip of a wrong length";
    if (is_text(find(&top, "y"), "q"))
        return check_query(&top, rules);
    if (find(&top, "ip") == NULL)
        return "an answer without ip";
    if (!is_string(find(&top, "t"), &tid_len) || (!rules->any_reply_tid && tid_len != 4))
        return "t is not of 4 bytes";
    if (is_text(find(&top, "y"), "r"))
        return check_reply(&top, rules);
    return is_text(find(&top, "y"), "e") ? check_error(&top) : "y is none of q, r, e";
}
