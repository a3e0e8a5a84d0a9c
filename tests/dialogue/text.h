// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DIALOGUE_TEXT_H
#define PNR_TESTS_DIALOGUE_TEXT_H

// The notation of the dialogues for messages (tests/dialogue/README.md): text is turned into
// bencode, or held against bencode, in one walk over it, without a tree in between.
//
// Ownership: variables are copied into the parser's table and live as long as it does. A parser
// that meets text it cannot read prints where and ends the program: a dialogue is source code.

#include "pnr/dht.h"

#define TEXT_VARIABLES_MAX 256
#define TEXT_BYTES_MAX     4096

struct text_variable {
    char name[32];
    size_t len;
    uint8_t bytes[1500];
};

struct text {
    const char *file;
    int line;
    const char *at; // what is left of the statement
    struct text_variable *variables;
    size_t variable_count;
};

// A string being put together.
struct text_bytes {
    size_t len;
    uint8_t bytes[TEXT_BYTES_MAX];
};

void text_init(struct text *text, const char *file);
void text_fini(struct text *text);

// Prints file, line and the message, and ends the program with status 1.
_Noreturn void text_fail(const struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Skips blanks; whether the statement is at its end.
bool text_at_end(struct text *text);
// Takes the token if it is next.
bool text_take(struct text *text, const char *token);
// Reads a word: letters, digits, '_', '.', ':', '[' and ']'.
void text_word(struct text *text, char ret_word[64]);
int64_t text_int(struct text *text);
// Reads terms joined by '+': "text\x00"*3, $variable.
void text_string(struct text *text, struct text_bytes *ret_bytes);

void text_set(struct text *text, const char *name, const void *bytes, size_t len);
// NULL where there is no such variable.
const struct text_variable *text_get(const struct text *text, const char *name);

// Reads a value and appends it bencoded.
void text_bencode(struct text *text, struct text_bytes *bytes);

// Holds a pattern against one bencoded value. False where it does not match; ret_reason then says
// why. Captures are set in any case.
bool text_match(struct text *text, struct dht_span value, char ret_reason[160]);

// Prints bytes with all but plain characters escaped.
void text_print(struct dht_span bytes);

#endif
