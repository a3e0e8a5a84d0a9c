// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_KEYS_H
#define PNR_DAEMON_KEYS_H

// The secret keys of this machine's names: a directory of files LABEL.pem (node/daemon/key_file.h),
// all loaded at the start and kept in memory. The set belongs to one thread.
//
// A label is what people call a key: 1 to 32 of a-z, 0-9 and '-'. It is never "0", which as an
// authority means "no key"; that it can be no authority with a key (40 or 52 characters) follows
// from its length. Files whose names do not end in ".pem" are left alone.
//
// Bound: key_max keys. Secrets stay inside OpenSSL's objects and are wiped when those are freed;
// no error text holds any part of one.

#include "node/daemon/error.h"
#include "node/daemon/key_file.h"
#include "pnr/dht.h"

#define DAEMON_KEYS_LABEL_MAX 32

struct daemon_keys;

// Opens the directory and loads all keys. NULL where the directory or one of its .pem files is open
// to others, cannot be read, has a wrong name or holds no Ed25519 key, where two files hold the
// same key, or where there are more than key_max.
struct daemon_keys *daemon_keys_open(const char *dir, size_t key_max,
                                     struct daemon_error *ret_error);
void daemon_keys_close(struct daemon_keys *keys);

struct daemon_keys_entry {
    char label[DAEMON_KEYS_LABEL_MAX + 1];
    uint8_t key[DHT_KEY_LEN]; // the public key
};

size_t daemon_keys_count(const struct daemon_keys *keys);

// The index-th key by label's order; borrowed until keys change.
const struct daemon_keys_entry *daemon_keys_at(const struct daemon_keys *keys, size_t index);

// NULL where there is none of that label; borrowed until keys change.
const struct daemon_keys_entry *daemon_keys_find(const struct daemon_keys *keys, const char *label);

bool daemon_keys_label_valid(const char *label);

// Each of these three adds one key, on disk before in memory. False, with nothing changed, where
// the label is malformed (DAEMON_ERROR_INVALID) or taken, the key is there already
// (DAEMON_ERROR_TAKEN), the set is full (DAEMON_ERROR_FULL) or the disk fails.
bool daemon_keys_create(struct daemon_keys *keys, const char *label, uint8_t ret_key[DHT_KEY_LEN],
                        struct daemon_error *ret_error);
// pem: PEM text of an unencrypted PKCS#8 Ed25519 key; else DAEMON_ERROR_INVALID.
bool daemon_keys_import_pem(struct daemon_keys *keys, const char *label, struct dht_span pem,
                            uint8_t ret_key[DHT_KEY_LEN], struct daemon_error *ret_error);
// hex: the 32-byte seed (RFC 8032's secret key) as 64 hex digits; white space around is ignored.
bool daemon_keys_import_seed(struct daemon_keys *keys, const char *label, struct dht_span hex,
                             uint8_t ret_key[DHT_KEY_LEN], struct daemon_error *ret_error);

// Writes the secret key of label as PEM text that ends in NUL. The caller wipes it after use.
bool daemon_keys_export_pem(const struct daemon_keys *keys, const char *label,
                            char ret_pem[DAEMON_KEY_PEM_MAX], struct daemon_error *ret_error);

// Signs msg with the secret half of key. False where it is not one of ours.
bool daemon_keys_sign(const struct daemon_keys *keys, const uint8_t key[DHT_KEY_LEN],
                      struct dht_span msg, uint8_t ret_sig[DHT_SIG_LEN]);

#endif
