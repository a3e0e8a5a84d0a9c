// SPDX-License-Identifier: MIT
#include "node/daemon/keys.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX        ".pem"
#define SEED_LEN      32
#define FILE_NAME_MAX (DAEMON_KEYS_LABEL_MAX + sizeof SUFFIX)

struct key {
    struct daemon_keys_entry entry;
    EVP_PKEY *secret;
};

struct daemon_keys {
    struct daemon_key_dir *dir;
    struct key *list; // in the order of labels
    size_t count;
    size_t max;
};

bool daemon_keys_label_valid(const char *label)
{
    size_t len = strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return len >= 1 && len <= DAEMON_KEYS_LABEL_MAX && label[len] == '\0' &&
           strcmp(label, "0") != 0;
}

size_t daemon_keys_count(const struct daemon_keys *keys)
{
    return keys->count;
}

const struct daemon_keys_entry *daemon_keys_at(const struct daemon_keys *keys, size_t index)
{
    return index < keys->count ? &keys->list[index].entry : NULL;
}

static const struct key *find_label(const struct daemon_keys *keys, const char *label)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->list[i].entry.label, label) == 0)
            return &keys->list[i];
    }
    return NULL;
}

static const struct key *find_key(const struct daemon_keys *keys, const uint8_t key[DHT_KEY_LEN])
{
    for (size_t i = 0; i < keys->count; i++) {
        if (memcmp(keys->list[i].entry.key, key, DHT_KEY_LEN) == 0)
            return &keys->list[i];
    }
    return NULL;
}

const struct daemon_keys_entry *daemon_keys_find(const struct daemon_keys *keys, const char *label)
{
    const struct key *found = find_label(keys, label);
    return found == NULL ? NULL : &found->entry;
}

// Whether a key of this label and this secret may be added; fills in ret_entry.
static bool check_new(const struct daemon_keys *keys, const char *label, EVP_PKEY *secret,
                      struct daemon_keys_entry *ret_entry, struct daemon_error *ret_error)
{
    struct daemon_keys_entry entry = {.label = ""};
    size_t len = sizeof entry.key;
    if (!daemon_keys_label_valid(label)) {
        daemon_error_set_kind(ret_error, DAEMON_ERROR_INVALID,
                              "not a key label: expected 1 to %d of a-z, 0-9 and '-', and not 0",
                              DAEMON_KEYS_LABEL_MAX);
        return false;
    }
    snprintf(entry.label, sizeof entry.label, "%s", label);
    if (find_label(keys, label) != NULL) {
        daemon_error_set_kind(ret_error, DAEMON_ERROR_TAKEN, "there is a key %s already", label);
        return false;
    }
    if (keys->count == keys->max) {
        daemon_error_set_kind(ret_error, DAEMON_ERROR_FULL,
                              "no room for the key %s: there are %zu already", label, keys->count);
        return false;
    }
    if (EVP_PKEY_get_raw_public_key(secret, entry.key, &len) != 1) {
        daemon_error_set(ret_error, "OpenSSL finds no public half of the key %s", label);
        return false;
    }
    const struct key *same = find_key(keys, entry.key);
    if (same != NULL) {
        daemon_error_set_kind(ret_error, DAEMON_ERROR_TAKEN, "the key %s is there already, as %s",
                              label, same->entry.label);
        return false;
    }
    *ret_entry = entry;
    return true;
}

// Adds a checked key and takes its secret over.
static void insert(struct daemon_keys *keys, const struct daemon_keys_entry *entry,
                   EVP_PKEY *secret)
{
    size_t at = keys->count++;
    for (; at > 0 && strcmp(keys->list[at - 1].entry.label, entry->label) > 0; at--)
        keys->list[at] = keys->list[at - 1];
    keys->list[at] = (struct key){*entry, secret};
}

// What daemon_key_dir_list() gives back.
struct loading {
    struct daemon_keys *keys;
    struct daemon_error *error;
};

// Loads the file `name`. True too where it is none of ours.
static bool load_file(void *ctx, const char *name)
{
    const struct loading *loading = ctx;
    struct daemon_keys *keys = loading->keys;
    struct daemon_error *ret_error = loading->error;
    const char *path = daemon_key_dir_path(keys->dir);
    const char *suffix = strrchr(name, '.');
    if (suffix == NULL || strcmp(suffix, SUFFIX) != 0 || name[0] == '.')
        return true;
    char label[DAEMON_KEYS_LABEL_MAX + 1];
    size_t len = (size_t)(suffix - name);
    snprintf(label, sizeof label, "%.*s", (int)len, name);
    if (len > DAEMON_KEYS_LABEL_MAX || !daemon_keys_label_valid(label)) {
        daemon_error_set(ret_error,
                         "%.180s/%.60s: the name is no key label: expected 1 to %d of a-z, 0-9 and "
                         "'-', and not 0; remedy: rename the file",
                         path, name, DAEMON_KEYS_LABEL_MAX);
        return false;
    }
    EVP_PKEY *secret = daemon_key_file_read(keys->dir, name, ret_error);
    struct daemon_keys_entry entry;
    if (secret == NULL)
        return false;
    struct daemon_error why;
    if (!check_new(keys, label, secret, &entry, &why)) {
        daemon_error_set(ret_error, "%.180s/%.60s: %.200s", path, name, why.text);
        EVP_PKEY_free(secret);
        return false;
    }
    insert(keys, &entry, secret);
    return true;
}

struct daemon_keys *daemon_keys_open(const char *dir, size_t key_max,
                                     struct daemon_error *ret_error)
{
    struct daemon_keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL) {
        daemon_error_set(ret_error, "no memory for keys");
        return NULL;
    }
    keys->dir = daemon_key_dir_open(dir, ret_error);
    keys->max = key_max;
    if (keys->dir != NULL) {
        struct loading loading = {keys, ret_error};
        keys->list = calloc(key_max + 1, sizeof *keys->list);
        if (keys->list == NULL) {
            daemon_error_set(ret_error, "no memory for keys");
        } else {
            daemon_key_dir_tidy(keys->dir);
            if (daemon_key_dir_list(keys->dir, load_file, &loading, ret_error))
                return keys;
        }
    }
    daemon_keys_close(keys);
    return NULL;
}

void daemon_keys_close(struct daemon_keys *keys)
{
    if (keys == NULL)
        return;
    for (size_t i = 0; i < keys->count; i++)
        EVP_PKEY_free(keys->list[i].secret);
    daemon_key_dir_close(keys->dir);
    free(keys->list);
    free(keys);
}

// Adds secret, which it takes over, under label: on disk, then in memory.
static bool add(struct daemon_keys *keys, const char *label, EVP_PKEY *secret,
                uint8_t ret_key[DHT_KEY_LEN], struct daemon_error *ret_error)
{
    struct daemon_keys_entry entry;
    char name[FILE_NAME_MAX];
    if (check_new(keys, label, secret, &entry, ret_error)) {
        snprintf(name, sizeof name, "%s" SUFFIX, entry.label);
        if (daemon_key_file_create(keys->dir, name, secret, ret_error)) {
            insert(keys, &entry, secret);
            memcpy(ret_key, entry.key, DHT_KEY_LEN);
            return true;
        }
    }
    EVP_PKEY_free(secret);
    return false;
}

bool daemon_keys_create(struct daemon_keys *keys, const char *label, uint8_t ret_key[DHT_KEY_LEN],
                        struct daemon_error *ret_error)
{
    EVP_PKEY *secret = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (secret == NULL) {
        ERR_clear_error();
        daemon_error_set(ret_error, "OpenSSL cannot make a key");
        return false;
    }
    return add(keys, label, secret, ret_key, ret_error);
}

bool daemon_keys_import_pem(struct daemon_keys *keys, const char *label, struct dht_span pem,
                            uint8_t ret_key[DHT_KEY_LEN], struct daemon_error *ret_error)
{
    EVP_PKEY *secret = daemon_key_pem_read(pem, ret_error);
    return secret != NULL && add(keys, label, secret, ret_key, ret_error);
}

// The value of a hex digit, or -1.
static int hex_digit(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

// Reads 64 hex digits with white space around them.
static bool read_seed(struct dht_span hex, uint8_t ret_seed[SEED_LEN])
{
    while (hex.len > 0 && is_space(hex.data[0])) {
        hex.data++;
        hex.len--;
    }
    while (hex.len > 0 && is_space(hex.data[hex.len - 1]))
        hex.len--;
    bool ok = hex.len == (size_t)2 * SEED_LEN;
    for (size_t i = 0; ok && i < SEED_LEN; i++) {
        int high = hex_digit(hex.data[2 * i]);
        int low = hex_digit(hex.data[2 * i + 1]);
        ok = high >= 0 && low >= 0;
        ret_seed[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    }
    return ok;
}

bool daemon_keys_import_seed(struct daemon_keys *keys, const char *label, struct dht_span hex,
                             uint8_t ret_key[DHT_KEY_LEN], struct daemon_error *ret_error)
{
    uint8_t seed[SEED_LEN];
    EVP_PKEY *secret = NULL;
    if (!read_seed(hex, seed)) {
        daemon_error_set_kind(ret_error, DAEMON_ERROR_INVALID, "not a seed: expected %d hex digits",
                              2 * SEED_LEN);
    } else {
        secret = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
        if (secret == NULL) {
            ERR_clear_error();
            daemon_error_set(ret_error, "OpenSSL does not take the seed");
        }
    }
    OPENSSL_cleanse(seed, sizeof seed);
    return secret != NULL && add(keys, label, secret, ret_key, ret_error);
}

bool daemon_keys_export_pem(const struct daemon_keys *keys, const char *label,
                            char ret_pem[DAEMON_KEY_PEM_MAX], struct daemon_error *ret_error)
{
    const struct key *found = find_label(keys, label);
    if (found == NULL) {
        daemon_error_set_kind(ret_error, DAEMON_ERROR_NOT_FOUND, "there is no key of that label");
        return false;
    }
    return daemon_key_pem_write(found->secret, ret_pem, ret_error);
}

bool daemon_keys_sign(const struct daemon_keys *keys, const uint8_t key[DHT_KEY_LEN],
                      struct dht_span msg, uint8_t ret_sig[DHT_SIG_LEN])
{
    const struct key *found = find_key(keys, key);
    if (found == NULL)
        return false;
    uint8_t sig[DHT_SIG_LEN];
    size_t sig_len = sizeof sig;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, found->secret) == 1 &&
              EVP_DigestSign(ctx, sig, &sig_len, msg.data, msg.len) == 1 && sig_len == sizeof sig;
    EVP_MD_CTX_free(ctx);
    if (ok)
        memcpy(ret_sig, sig, sizeof sig);
    else
        ERR_clear_error();
    return ok;
}
