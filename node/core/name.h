// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_NAME_H
#define PNR_CORE_NAME_H

// Peer names: `authority.classifier`, split at the first dot; the classifier may hold further dots.
//
//   authority              kind         means
//   52 chars z-base-32     KEY          the Ed25519 public key itself, pkarr's spelling
//   40 hex digits          HASH         the SHA-1 of that raw key
//   0                      UNSECURED    nobody's: anyone may register the name
//   [a-z0-9-]{1,32}        LABEL        a key's local name in this machine's key store
//
// Key and hash are read in either case and printed in lower case; labels are lower case only. A
// secured name may be written with the URI prefix `pk:` (either case) before a key or a hash, and
// without a classifier: `K`, `K.` and `pk:K` are one name. An unsecured name needs a classifier.
//
// The classifier is UTF-8 of 0 to 149 UTF-16 units, none of them U+0000 and no lone surrogates; it
// is compared byte for byte, without normalisation.
//
// A name is a plain value: it owns nothing and can be copied. Its keys are public keys.

#include "pnr/dht.h"

#define CORE_NAME_CLASSIFIER_UNITS_MAX 149
#define CORE_NAME_CLASSIFIER_LEN_MAX   447 // bytes: 3 of UTF-8 for a UTF-16 unit at the most
#define CORE_NAME_LABEL_LEN_MAX        32
#define CORE_NAME_HASH_TEXT_LEN        40
#define CORE_NAME_TEXT_LEN_MAX         (52 + 1 + CORE_NAME_CLASSIFIER_LEN_MAX) // printed, without NUL

enum core_name_kind {
    CORE_NAME_UNSECURED,
    CORE_NAME_KEY,
    CORE_NAME_HASH,
    CORE_NAME_LABEL,
};

// Of key, hash and label only the one that kind tells is set; all other bytes are zero.
struct core_name {
    enum core_name_kind kind;
    uint8_t key[DHT_KEY_LEN];
    uint8_t hash[DHT_ID_LEN];
    char label[CORE_NAME_LABEL_LEN_MAX + 1]; // NUL-terminated
    uint8_t classifier[CORE_NAME_CLASSIFIER_LEN_MAX];
    uint16_t classifier_len; // bytes; 0: none
};

enum core_name_error {
    CORE_NAME_OK,
    CORE_NAME_EMPTY,              // no authority
    CORE_NAME_URI_AUTHORITY,      // `pk:` before something that is no key and no hash
    CORE_NAME_AUTHORITY_LENGTH,   // longer than a label, and neither 40 nor 52 characters
    CORE_NAME_AUTHORITY_CHAR,     // a label with a character outside [a-z0-9-]
    CORE_NAME_KEY_CHAR,           // 52 characters, not all of z-base-32
    CORE_NAME_KEY_LAST,           // 52 characters, the last neither `y` nor `o`
    CORE_NAME_HASH_CHAR,          // 40 characters, not all hex digits
    CORE_NAME_CLASSIFIER_MISSING, // an unsecured name without one
    CORE_NAME_CLASSIFIER_UTF8,    // broken or overlong UTF-8, or above U+10FFFF
    CORE_NAME_CLASSIFIER_SURROGATE,
    CORE_NAME_CLASSIFIER_NUL,
    CORE_NAME_CLASSIFIER_LENGTH, // more than 149 UTF-16 units
};

// What was wrong, and where.
struct core_name_fault {
    enum core_name_error error;
    uint32_t offset; // in bytes from the start of the text, of the first thing that is wrong
    uint32_t count;  // LENGTH errors: how long it was, in characters or UTF-16 units
};

// Longest text that core_name_error_text() writes, with its NUL.
#define CORE_NAME_ERROR_TEXT_MAX 96

// Parses len bytes. ret_fault may be NULL; it is written on failure only, ret_name on success only.
enum core_name_error core_name_parse(const char *text, size_t len, struct core_name *ret_name,
                                     struct core_name_fault *ret_fault);

// Says in one sentence, without a full stop, what was wrong: "classifier has 151 UTF-16 units, at
// most 149". Returns ret_text.
const char *core_name_error_text(const struct core_name_fault *fault,
                                 char ret_text[CORE_NAME_ERROR_TEXT_MAX]);

// Writes the canonical spelling and a NUL; returns its length without the NUL. The dot is left out
// where there is no classifier.
size_t core_name_print(const struct core_name *name, char ret_text[CORE_NAME_TEXT_LEN_MAX + 1]);

// Same kind, same authority, same classifier. A key and its hash are not equal here: that takes
// core_name_key_hash().
bool core_name_equal(const struct core_name *a, const struct core_name *b);

// Whether the classifier's UTF-8 is acceptable, as core_name_parse() judges it. Its offset counts
// from the classifier's start.
enum core_name_error core_name_check_classifier(struct dht_span classifier,
                                                struct core_name_fault *ret_fault);

// ---- where a name is found in the DHT ----

// The BEP 44 salt of a classifier: nothing where it is empty, the classifier itself up to 64 bytes,
// its SHA-256 beyond. Returns the salt's length: 0 to 64.
size_t core_name_salt(const struct dht_crypto *crypto, struct dht_span classifier,
                      uint8_t ret_salt[DHT_SALT_LEN_MAX]);

// The BEP 44 target of key's record: SHA-1 of the key and the salt.
void core_name_target(const struct dht_crypto *crypto, const uint8_t key[DHT_KEY_LEN],
                      struct dht_span salt, struct dht_id *ret_target);

// What the 40-hex authority of key stands for: SHA-1 of the raw key, which is also the target of
// the key's unsalted record.
void core_name_key_hash(const struct dht_crypto *crypto, const uint8_t key[DHT_KEY_LEN],
                        uint8_t ret_hash[DHT_ID_LEN]);

// The infohash under which publishers of an unsecured name announce themselves: SHA-1 of the text
// `0.` and the classifier. name is of kind UNSECURED.
void core_name_infohash(const struct dht_crypto *crypto, const struct core_name *name,
                        struct dht_id *ret_info_hash);

#endif
