// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_ZBASE32_H
#define PNR_CORE_ZBASE32_H

// z-base-32 of 32-byte keys, as pkarr writes them: alphabet ybndrfg8ejkmcpqxot1uwisza345h769, most
// significant bit first, no padding. 256 bits take 52 characters; the last one carries one bit, so
// that only `y` (0) and `o` (1) are canonical there. Other decoders let several spellings of one
// key pass; this one doesn't, for a name has to have one spelling.

#include <stddef.h>
#include <stdint.h>

#define CORE_ZBASE32_LEN 52 // characters of a key

enum core_zbase32_result {
    CORE_ZBASE32_OK,
    CORE_ZBASE32_LENGTH,    // not 52 characters
    CORE_ZBASE32_CHARACTER, // a character that is not of the alphabet
    CORE_ZBASE32_LAST,      // the last character is neither `y` nor `o`
};

// Writes the 52 characters, in lower case, and a NUL.
void core_zbase32_encode(const uint8_t key[32], char ret_text[CORE_ZBASE32_LEN + 1]);

// Reads len characters of either case.
enum core_zbase32_result core_zbase32_decode(const char *text, size_t len, uint8_t ret_key[32]);

#endif
