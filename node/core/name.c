// SPDX-License-Identifier: MIT
#include "node/core/name.h"

#include "node/core/zbase32.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SALT_HASH_LEN 32 // SHA-256

static enum core_name_error fail(struct core_name_fault *ret_fault, enum core_name_error error,
                                 size_t offset, size_t count)
{
    if (ret_fault != NULL) {
        *ret_fault = (struct core_name_fault){error, (uint32_t)offset, (uint32_t)count};
    }
    return error;
}

// ---- the classifier ----

// Reads one scalar value of at most left bytes. Returns how many bytes it took; 0 where it is not
// UTF-8 (RFC 3629), surrogates excepted, which the caller tells apart.
static size_t read_scalar(const uint8_t *at, size_t left, uint32_t *ret_scalar)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t least; // anything below has a shorter form
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t len = 1; len <= 4; len++) {
        if ((at[0] & forms[len - 1].mask) != forms[len - 1].lead) {
            continue;
        }
        uint32_t scalar = at[0] & (uint8_t)~forms[len - 1].mask;
        for (size_t i = 1; i < len; i++) {
            if (i >= left || (at[i] & 0xc0) != 0x80) {
                return 0;
            }
            scalar = scalar << 6 | (at[i] & 0x3f);
        }
        if (scalar < forms[len - 1].least || scalar > 0x10ffff) {
            return 0;
        }
        *ret_scalar = scalar;
        return len;
    }
    return 0;
}

enum core_name_error core_name_check_classifier(struct dht_span classifier,
                                                struct core_name_fault *ret_fault)
{
    size_t units = 0;
    size_t too_long_at = 0;
    for (size_t at = 0; at < classifier.len;) {
        uint32_t scalar = 0;
        size_t len = read_scalar(classifier.data + at, classifier.len - at, &scalar);
        if (len == 0) {
            return fail(ret_fault, CORE_NAME_CLASSIFIER_UTF8, at, 0);
        }
        if (scalar >= 0xd800 && scalar <= 0xdfff) {
            return fail(ret_fault, CORE_NAME_CLASSIFIER_SURROGATE, at, 0);
        }
        if (scalar == 0) {
            return fail(ret_fault, CORE_NAME_CLASSIFIER_NUL, at, 0);
        }
        units += scalar >= 0x10000 ? 2 : 1;
        if (units > CORE_NAME_CLASSIFIER_UNITS_MAX && too_long_at == 0) {
            too_long_at = at;
        }
        at += len;
    }
    // Told only now, to be able to say how long it is.
    if (units > CORE_NAME_CLASSIFIER_UNITS_MAX) {
        return fail(ret_fault, CORE_NAME_CLASSIFIER_LENGTH, too_long_at, units);
    }
    return CORE_NAME_OK;
}

// ---- the authority ----

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum core_name_error parse_key(const char *text, size_t at, struct core_name *name,
                                      struct core_name_fault *ret_fault)
{
    name->kind = CORE_NAME_KEY;
    switch (core_zbase32_decode(text + at, CORE_ZBASE32_LEN, name->key)) {
    case CORE_ZBASE32_OK:
        return CORE_NAME_OK;
    case CORE_ZBASE32_LAST:
        return fail(ret_fault, CORE_NAME_KEY_LAST, at + CORE_ZBASE32_LEN - 1, 0);
    default:
        return fail(ret_fault, CORE_NAME_KEY_CHAR, at, 0);
    }
}

static enum core_name_error parse_hash(const char *text, size_t at, struct core_name *name,
                                       struct core_name_fault *ret_fault)
{
    name->kind = CORE_NAME_HASH;
    for (size_t i = 0; i < CORE_NAME_HASH_TEXT_LEN; i++) {
        int digit = hex_digit(text[at + i]);
        if (digit < 0) {
            return fail(ret_fault, CORE_NAME_HASH_CHAR, at + i, 0);
        }
        name->hash[i / 2] = (uint8_t)(name->hash[i / 2] << 4 | digit);
    }
    return CORE_NAME_OK;
}

static enum core_name_error parse_label(const char *text, size_t len, struct core_name *name,
                                        struct core_name_fault *ret_fault)
{
    name->kind = CORE_NAME_LABEL;
    if (len > CORE_NAME_LABEL_LEN_MAX) {
        return fail(ret_fault, CORE_NAME_AUTHORITY_LENGTH, 0, len);
    }
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return fail(ret_fault, CORE_NAME_AUTHORITY_CHAR, i, 0);
        }
        name->label[i] = c;
    }
    return CORE_NAME_OK;
}

// Parses text[0..len), which holds no dot.
static enum core_name_error parse_authority(const char *text, size_t len, struct core_name *name,
                                            struct core_name_fault *ret_fault)
{
    size_t at = 0;
    if (len >= 3 && (text[0] | 0x20) == 'p' && (text[1] | 0x20) == 'k' && text[2] == ':') {
        at = 3;
    }
    size_t left = len - at;
    if (left == 0) {
        return fail(ret_fault, CORE_NAME_EMPTY, at, 0);
    }
    if (left == CORE_ZBASE32_LEN) {
        return parse_key(text, at, name, ret_fault);
    }
    if (left == CORE_NAME_HASH_TEXT_LEN) {
        return parse_hash(text, at, name, ret_fault);
    }
    if (at > 0) {
        return fail(ret_fault, CORE_NAME_URI_AUTHORITY, at, left);
    }
    if (len == 1 && text[0] == '0') {
        name->kind = CORE_NAME_UNSECURED;
        return CORE_NAME_OK;
    }
    return parse_label(text, len, name, ret_fault);
}

// ---- names ----

enum core_name_error core_name_parse(const char *text, size_t len, struct core_name *ret_name,
                                     struct core_name_fault *ret_fault)
{
    const char *dot = len == 0 ? NULL : memchr(text, '.', len);
    size_t authority_len = dot == NULL ? len : (size_t)(dot - text);
    struct core_name name = {0};
    enum core_name_error error = parse_authority(text, authority_len, &name, ret_fault);
    if (error != CORE_NAME_OK) {
        return error;
    }
    size_t start = dot == NULL ? len : authority_len + 1;
    struct dht_span classifier = {(const uint8_t *)text + start, len - start};
    struct core_name_fault fault;
    error = core_name_check_classifier(classifier, &fault);
    if (error != CORE_NAME_OK) {
        return fail(ret_fault, error, start + fault.offset, fault.count);
    }
    if (name.kind == CORE_NAME_UNSECURED && classifier.len == 0) {
        return fail(ret_fault, CORE_NAME_CLASSIFIER_MISSING, len, 0);
    }
    assert(classifier.len <= CORE_NAME_CLASSIFIER_LEN_MAX);
    memcpy(name.classifier, classifier.data, classifier.len);
    name.classifier_len = (uint16_t)classifier.len;
    *ret_name = name;
    return CORE_NAME_OK;
}

// The texts of errors that carry no count.
static const char *plain_text(enum core_name_error error)
{
    switch (error) {
    case CORE_NAME_OK:
        return "name is well formed";
    case CORE_NAME_EMPTY:
        return "name has no authority";
    case CORE_NAME_AUTHORITY_CHAR:
        return "authority is a label, which may hold a-z, 0-9 and - only";
    case CORE_NAME_KEY_CHAR:
        return "authority has 52 characters, but is not a key in z-base-32";
    case CORE_NAME_KEY_LAST:
        return "authority has 52 characters, but a key's last one is y or o";
    case CORE_NAME_HASH_CHAR:
        return "authority has 40 characters, but not all are hex digits";
    case CORE_NAME_CLASSIFIER_MISSING:
        return "unsecured name needs a classifier after 0.";
    case CORE_NAME_CLASSIFIER_UTF8:
        return "classifier is not valid UTF-8";
    case CORE_NAME_CLASSIFIER_SURROGATE:
        return "classifier has a lone surrogate";
    case CORE_NAME_CLASSIFIER_NUL:
        return "classifier has a NUL character";
    case CORE_NAME_URI_AUTHORITY:
    case CORE_NAME_AUTHORITY_LENGTH:
    case CORE_NAME_CLASSIFIER_LENGTH:
        break;
    }
    assert(!"an error without a text");
    return "";
}

const char *core_name_error_text(const struct core_name_fault *fault,
                                 char ret_text[CORE_NAME_ERROR_TEXT_MAX])
{
    unsigned count = fault->count;
    int len;
    switch (fault->error) {
    case CORE_NAME_URI_AUTHORITY:
        len = snprintf(ret_text, CORE_NAME_ERROR_TEXT_MAX,
                       "pk: is followed by %u characters, a key has 52, its hash 40", count);
        break;
    case CORE_NAME_AUTHORITY_LENGTH:
        len = snprintf(ret_text, CORE_NAME_ERROR_TEXT_MAX,
                       "authority has %u characters, a label at most 32, a key 52, its hash 40",
                       count);
        break;
    case CORE_NAME_CLASSIFIER_LENGTH:
        len = snprintf(ret_text, CORE_NAME_ERROR_TEXT_MAX,
                       "classifier has %u UTF-16 units, at most 149", count);
        break;
    default:
        len = snprintf(ret_text, CORE_NAME_ERROR_TEXT_MAX, "%s", plain_text(fault->error));
        break;
    }
    assert(len > 0 && len < CORE_NAME_ERROR_TEXT_MAX);
    return ret_text;
}

// Writes the authority's canonical spelling; returns its length.
static size_t print_authority(const struct core_name *name, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    switch (name->kind) {
    case CORE_NAME_UNSECURED:
        ret_text[0] = '0';
        return 1;
    case CORE_NAME_KEY:
        core_zbase32_encode(name->key, ret_text);
        return CORE_ZBASE32_LEN;
    case CORE_NAME_HASH:
        for (size_t i = 0; i < DHT_ID_LEN; i++) {
            ret_text[2 * i] = digits[name->hash[i] >> 4];
            ret_text[2 * i + 1] = digits[name->hash[i] & 15];
        }
        return CORE_NAME_HASH_TEXT_LEN;
    case CORE_NAME_LABEL:
        memcpy(ret_text, name->label, strlen(name->label));
        return strlen(name->label);
    }
    assert(!"a name of no kind");
    return 0;
}

size_t core_name_print(const struct core_name *name, char ret_text[CORE_NAME_TEXT_LEN_MAX + 1])
{
    size_t len = print_authority(name, ret_text);
    if (name->classifier_len > 0) {
        ret_text[len++] = '.';
        memcpy(ret_text + len, name->classifier, name->classifier_len);
        len += name->classifier_len;
    }
    ret_text[len] = '\0';
    return len;
}

bool core_name_equal(const struct core_name *a, const struct core_name *b)
{
    return a->kind == b->kind && memcmp(a->key, b->key, sizeof(a->key)) == 0 &&
           memcmp(a->hash, b->hash, sizeof(a->hash)) == 0 && strcmp(a->label, b->label) == 0 &&
           a->classifier_len == b->classifier_len &&
           memcmp(a->classifier, b->classifier, a->classifier_len) == 0;
}

// ---- where a name is found in the DHT ----

size_t core_name_salt(const struct dht_crypto *crypto, struct dht_span classifier,
                      uint8_t ret_salt[DHT_SALT_LEN_MAX])
{
    if (classifier.len > DHT_SALT_LEN_MAX) {
        crypto->sha256(crypto->ctx, &classifier, 1, ret_salt);
        return SALT_HASH_LEN;
    }
    if (classifier.len > 0) {
        memcpy(ret_salt, classifier.data, classifier.len);
    }
    return classifier.len;
}

void core_name_target(const struct dht_crypto *crypto, const uint8_t key[DHT_KEY_LEN],
                      struct dht_span salt, struct dht_id *ret_target)
{
    const struct dht_span parts[] = {{key, DHT_KEY_LEN}, salt};
    crypto->sha1(crypto->ctx, parts, salt.len > 0 ? 2 : 1, ret_target->bytes);
}

void core_name_key_hash(const struct dht_crypto *crypto, const uint8_t key[DHT_KEY_LEN],
                        uint8_t ret_hash[DHT_ID_LEN])
{
    const struct dht_span part = {key, DHT_KEY_LEN};
    crypto->sha1(crypto->ctx, &part, 1, ret_hash);
}

void core_name_infohash(const struct dht_crypto *crypto, const struct core_name *name,
                        struct dht_id *ret_info_hash)
{
    assert(name->kind == CORE_NAME_UNSECURED);
    static const uint8_t authority[] = {'0', '.'};
    const struct dht_span parts[] = {{authority, sizeof(authority)},
                                     {name->classifier, name->classifier_len}};
    crypto->sha1(crypto->ctx, parts, 2, ret_info_hash->bytes);
}
