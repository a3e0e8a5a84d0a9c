// SPDX-License-Identifier: MIT
#include "node/core/zbase32.h"

#include <string.h>

#define NO_DIGIT 32

static const char alphabet[] = "ybndrfg8ejkmcpqxot1uwisza345h769";

void core_zbase32_encode(const uint8_t key[32], char ret_text[CORE_ZBASE32_LEN + 1])
{
    uint32_t bits = 0;
    uint32_t bit_count = 0;
    size_t at = 0;
    for (size_t i = 0; i < 32; i++) {
        bits = bits << 8 | key[i];
        bit_count += 8;
        while (bit_count >= 5) {
            bit_count -= 5;
            ret_text[at++] = alphabet[bits >> bit_count & 31];
        }
        bits &= 31; // what is left over: fewer than 5 bits
    }
    // The one bit left over comes first in the last character.
    ret_text[at++] = alphabet[bits << (5 - bit_count) & 31];
    ret_text[at] = '\0';
}

// The value of one character, or NO_DIGIT.
static uint32_t digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        c = (char)(c - 'A' + 'a');
    }
    const char *found = c == '\0' ? NULL : strchr(alphabet, c);
    return found == NULL ? NO_DIGIT : (uint32_t)(found - alphabet);
}

enum core_zbase32_result core_zbase32_decode(const char *text, size_t len, uint8_t ret_key[32])
{
    if (len != CORE_ZBASE32_LEN) {
        return CORE_ZBASE32_LENGTH;
    }
    uint8_t key[32];
    uint32_t bits = 0;
    uint32_t bit_count = 0;
    size_t at = 0;
    for (size_t i = 0; i < len; i++) {
        uint32_t value = digit(text[i]);
        if (value == NO_DIGIT) {
            return CORE_ZBASE32_CHARACTER;
        }
        bits = bits << 5 | value;
        bit_count += 5;
        if (bit_count >= 8) {
            bit_count -= 8;
            key[at++] = (uint8_t)(bits >> bit_count);
        }
        bits &= 0xff; // fewer than 8 bits are left over
    }
    // 260 bits came, 256 count: the last four have to be zero, or a key had 16 spellings.
    if ((bits & 15) != 0) {
        return CORE_ZBASE32_LAST;
    }
    memcpy(ret_key, key, sizeof(key));
    return CORE_ZBASE32_OK;
}
