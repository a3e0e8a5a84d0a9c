// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_KEY_FILE_H
#define PNR_DAEMON_KEY_FILE_H

// One Ed25519 secret key as a PKCS#8 PEM file (RFC 5958, RFC 8410), 0600, as `openssl pkey` reads
// and writes it, in a directory for its owner alone (node/daemon/key_dir.h). node/daemon/keys.h
// keeps the set of them.
//
// A file or directory that others could read or change is refused, not mended: whoever could read
// the key may have it by now, and that is for its owner to judge. All secrets that pass through
// here are wiped from memory, and no error text holds any part of a file's content.

#include "node/daemon/error.h"
#include "node/daemon/key_dir.h"
#include "pnr/dht.h"

#include <openssl/evp.h>

#define DAEMON_KEY_FILE_MAX 4096 // bytes; a file of ours has 119
#define DAEMON_KEY_PEM_MAX  256 // the longest PEM text that daemon_key_pem_write() writes, with NUL

// Reads the secret key in dir's file `name`. NULL where the file cannot be read as
// daemon_key_dir_read() has it, or holds no unencrypted Ed25519 key. Free with EVP_PKEY_free(),
// which wipes it.
EVP_PKEY *daemon_key_file_read(const struct daemon_key_dir *dir, const char *name,
                               struct daemon_error *ret_error);

// Writes key to a new file `name`, as daemon_key_dir_create() does.
bool daemon_key_file_create(const struct daemon_key_dir *dir, const char *name, EVP_PKEY *key,
                            struct daemon_error *ret_error);

// Reads PEM text, as daemon_key_file_read() does.
EVP_PKEY *daemon_key_pem_read(struct dht_span pem, struct daemon_error *ret_error);

// Writes key as PEM text that ends in NUL. The caller wipes it (OPENSSL_cleanse) after use.
bool daemon_key_pem_write(EVP_PKEY *key, char ret_pem[DAEMON_KEY_PEM_MAX],
                          struct daemon_error *ret_error);

#endif
