// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_CRYPTO_H
#define PNR_DAEMON_CRYPTO_H

// Fills the table of functions that the brain asks for its cryptography (struct dht_crypto): hashes
// by OpenSSL, signatures checked by node/daemon/ed25519.h and made by node/daemon/keys.h.
//
// The digests are fetched once and their context is used again, which makes a short SHA-1 more than
// three times as fast as OpenSSL's one-shot call. So a daemon_crypto belongs to one thread.

#include "node/daemon/error.h"
#include "node/daemon/keys.h"
#include "pnr/dht.h"

struct daemon_crypto;

// keys: where sign() finds secret keys; it has to outlive the crypto. NULL: sign() finds none.
// Returns NULL where OpenSSL has no SHA-1 or SHA-256 to offer, or memory is short.
struct daemon_crypto *daemon_crypto_open(const struct daemon_keys *keys,
                                         struct daemon_error *ret_error);
void daemon_crypto_close(struct daemon_crypto *crypto);

// The table; its functions are valid until daemon_crypto_close().
struct dht_crypto daemon_crypto_table(struct daemon_crypto *crypto);

#endif
