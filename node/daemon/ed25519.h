// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_ED25519_H
#define PNR_DAEMON_ED25519_H

// Verifying Ed25519 signatures, with one verdict whichever library does the arithmetic.
//
// RFC 8032 leaves room on odd keys and signatures, and libraries fill it differently: OpenSSL 3.0
// accepts keys and nonces of small order (for which anybody can "sign" anything) and keys in a
// second spelling; libsodium 1.0.18 refuses them. Nodes that disagree on whether an item is signed
// can be set against each other, so pnr has a rule of its own. A signature (R, S) of a key A is
// good if and only if
//
//   1. S < L, the order of the base point (RFC 8032 5.1.7): else each signature has a twin;
//   2. A and R are spelled canonically, y < 2^255 - 19, and neither is of small order: not one of
//      the 8 points P with 8 P = 0, in any spelling;
//   3. [S]B = R + [k]A, without the cofactor, R compared as it is spelled.
//
// 1 and 2 are checked here, before a library is asked, and 3 is what both libraries compute. A key
// with a part of small order in it (a "mixed" key) passes where the equation holds exactly. Honest
// keys and signatures never come near any of this.
//
// All functions are pure and may be called from any thread.

#include "pnr/dht.h"

// Rules 1 and 2.
bool daemon_ed25519_strict(const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN]);

// All three rules, rule 3 by libsodium where built with it, else by OpenSSL. False too where memory
// is short.
bool daemon_ed25519_verify(const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN],
                           struct dht_span msg);

// Who computes rule 3: "libsodium" or "OpenSSL".
const char *daemon_ed25519_library(void);

// The libraries' own verdicts, for tests and bench/ to set side by side.
typedef bool (*daemon_ed25519_fn)(const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN],
                                  struct dht_span msg);
bool daemon_ed25519_openssl(const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN],
                            struct dht_span msg);
#ifdef PNR_HAVE_SODIUM
bool daemon_ed25519_sodium(const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN],
                           struct dht_span msg);
#endif

#endif
