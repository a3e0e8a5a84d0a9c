// SPDX-License-Identifier: MIT
#include "tests/dialogue/text.h"

#include "dht/bencode.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_init(struct text *text, const char *file)
{
    *text = (struct text){.file = file};
    text->variables = calloc(TEXT_VARIABLES_MAX, sizeof *text->variables);
    if (text->variables == NULL)
        text_fail(text, "memory is short");
}

void text_fini(struct text *text)
{
    free(text->variables);
}

void text_fail(const struct text *text, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "%s:%d: ", text->file, text->line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

// ---- tokens ----

bool text_at_end(struct text *text)
{
    while (*text->at == ' ' || *text->at == '\n')
        text->at++;
    return *text->at == '\0';
}

bool text_take(struct text *text, const char *token)
{
    size_t len = strlen(token);
    if (text_at_end(text) || strncmp(text->at, token, len) != 0)
        return false;
    // A word has to end where it ends.
    if (isalnum((unsigned char)token[len - 1]) && isalnum((unsigned char)text->at[len]))
        return false;
    text->at += len;
    return true;
}

static bool is_of_word(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("_.:[]/", c) != NULL);
}

void text_word(struct text *text, char ret_word[64])
{
    size_t len = 0;
    text_at_end(text);
    while (is_of_word(*text->at) && len < 63)
        ret_word[len++] = *text->at++;
    ret_word[len] = '\0';
    if (len == 0)
        text_fail(text, "a word is missing before: %s", text->at);
}

int64_t text_int(struct text *text)
{
    char *end;
    text_at_end(text);
    long long number = strtoll(text->at, &end, 10);
    if (end == text->at)
        text_fail(text, "a number is missing before: %s", text->at);
    text->at = end;
    return number;
}

// ---- strings ----

static void append(const struct text *text, struct text_bytes *bytes, const void *data, size_t len)
{
    if (bytes->len + len > TEXT_BYTES_MAX)
        text_fail(text, "string too long");
    if (len > 0)
        memcpy(bytes->bytes + bytes->len, data, len);
    bytes->len += len;
}

static int hex_digit(const struct text *text, char c)
{
    if (!isxdigit((unsigned char)c))
        text_fail(text, "bad escape");
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static void read_quoted(struct text *text, struct text_bytes *bytes)
{
    while (*text->at != '"') {
        uint8_t c = (uint8_t)*text->at++;
        if (c == '\0')
            text_fail(text, "string without an end");
        if (c == '\\' && *text->at == 'x') {
            c = (uint8_t)(hex_digit(text, text->at[1]) << 4 | hex_digit(text, text->at[2]));
            text->at += 3;
        } else if (c == '\\') {
            c = (uint8_t)*text->at++;
        }
        append(text, bytes, &c, 1);
    }
    text->at++;
}

static void read_name(struct text *text, char ret_name[32])
{
    size_t len = 0;
    while ((isalnum((unsigned char)*text->at) || *text->at == '_' || *text->at == '.') && len < 31)
        ret_name[len++] = *text->at++;
    ret_name[len] = '\0';
}

static void read_term(struct text *text, struct text_bytes *bytes)
{
    size_t start = bytes->len;
    if (text_take(text, "$")) {
        char name[32];
        read_name(text, name);
        const struct text_variable *variable = text_get(text, name);
        if (variable == NULL)
            text_fail(text, "no variable $%s", name);
        append(text, bytes, variable->bytes, variable->len);
    } else if (text_take(text, "\"")) {
        read_quoted(text, bytes);
    } else {
        text_fail(text, "a string is missing before: %s", text->at);
    }
    if (!text_take(text, "*"))
        return;
    int64_t times = text_int(text);
    struct text_bytes once = {.len = bytes->len - start};
    memcpy(once.bytes, bytes->bytes + start, once.len);
    bytes->len = start;
    while (times-- > 0)
        append(text, bytes, once.bytes, once.len);
}

void text_string(struct text *text, struct text_bytes *ret_bytes)
{
    ret_bytes->len = 0;
    do {
        read_term(text, ret_bytes);
    } while (text_take(text, "+"));
}

// ---- variables ----

static size_t find_variable(const struct text *text, const char *name)
{
    size_t i = 0;
    while (i < text->variable_count && strcmp(text->variables[i].name, name) != 0)
        i++;
    return i;
}

const struct text_variable *text_get(const struct text *text, const char *name)
{
    size_t at = find_variable(text, name);
    return at < text->variable_count ? &text->variables[at] : NULL;
}

void text_set(struct text *text, const char *name, const void *bytes, size_t len)
{
    size_t at = find_variable(text, name);
    if (at == TEXT_VARIABLES_MAX)
        text_fail(text, "too many variables");
    struct text_variable *variable = &text->variables[at];
    if (at == text->variable_count) {
        text->variable_count++;
        snprintf(variable->name, sizeof variable->name, "%s", name);
    }
    if (len > sizeof variable->bytes)
        text_fail(text, "$%s is too long", name);
    variable->len = len;
    if (len > 0)
        memcpy(variable->bytes, bytes, len);
}

// ---- text to bencode ----

static void append_text(const struct text *text, struct text_bytes *bytes, const char *plain)
{
    append(text, bytes, plain, strlen(plain));
}

static void append_string(const struct text *text, struct text_bytes *bytes, const void *data,
                          size_t len)
{
    char head[16];
    snprintf(head, sizeof head, "%zu:", len);
    append_text(text, bytes, head);
    append(text, bytes, data, len);
}

static void bencode_dict(struct text *text, struct text_bytes *bytes)
{
    append_text(text, bytes, "d");
    while (!text_take(text, "}")) {
        char key[32];
        text_at_end(text);
        read_name(text, key);
        if (!text_take(text, "="))
            text_fail(text, "'=' is missing after '%s' before: %s", key, text->at);
        append_string(text, bytes, key, strlen(key));
        text_bencode(text, bytes);
    }
    append_text(text, bytes, "e");
}

void text_bencode(struct text *text, struct text_bytes *bytes)
{
    struct text_bytes string = {0};
    if (text_take(text, "{")) {
        bencode_dict(text, bytes);
    } else if (text_take(text, "[")) {
        append_text(text, bytes, "l");
        while (!text_take(text, "]"))
            text_bencode(text, bytes);
        append_text(text, bytes, "e");
    } else if (text_take(text, "raw")) {
        text_string(text, &string);
        append(text, bytes, string.bytes, string.len);
    } else if (!text_at_end(text) && (*text->at == '-' || isdigit((unsigned char)*text->at))) {
        char number[32];
        snprintf(number, sizeof number, "i%llde", (long long)text_int(text));
        append_text(text, bytes, number);
    } else {
        text_string(text, &string);
        append_string(text, bytes, string.bytes, string.len);
    }
}

// ---- a pattern against bencode ----

struct match {
    struct text *text;
    struct dht_bencode_cursor cursor;
    char *reason;
    bool good;
};

static void mismatch(struct match *match, const char *what)
{
    if (match->good)
        snprintf(match->reason, 160, "%s, before: %.60s", what, match->text->at);
    match->good = false;
}

static void match_value(struct match *match);

// A pattern is read to its end also where nothing is left to hold it against.
static void match_missing(struct match *match)
{
    struct match none = *match;
    char ignored[160];
    none.cursor = dht_bencode_cursor((struct dht_span){0});
    none.reason = ignored;
    match_value(&none);
}

static void skip_to_key(struct match *match, const char *key, bool loose)
{
    struct dht_bencode_cursor ahead;
    struct dht_span name;
    for (;;) {
        ahead = match->cursor;
        if (dht_bencode_peek(&ahead) != DHT_BENCODE_STRING || !dht_bencode_string(&ahead, &name)) {
            mismatch(match, "a key is missing");
            match_missing(match);
            return;
        }
        match->cursor = ahead;
        if (name.len == strlen(key) && memcmp(name.data, key, name.len) == 0) {
            match_value(match);
            return;
        }
        if (!loose)
            mismatch(match, "another key stands");
        struct dht_span raw;
        if (!dht_bencode_skip(&match->cursor, &raw))
            mismatch(match, "bad bencode");
    }
}

static void match_dict(struct match *match)
{
    bool loose = text_take(match->text, "...");
    if (!dht_bencode_dict(&match->cursor))
        mismatch(match, "no dict");
    while (!text_take(match->text, "}")) {
        char key[32];
        text_at_end(match->text);
        read_name(match->text, key);
        if (!text_take(match->text, "="))
            text_fail(match->text, "'=' is missing after '%s'", key);
        skip_to_key(match, key, loose);
    }
    struct dht_span raw;
    while (!dht_bencode_close(&match->cursor)) {
        if (!loose)
            mismatch(match, "more keys than expected");
        if (!dht_bencode_skip(&match->cursor, &raw))
            mismatch(match, "bad bencode");
    }
}

// ?name, ?name<8> or <8>.
static void match_capture(struct match *match, bool named)
{
    char name[32] = "";
    struct dht_span string = {0};
    if (named)
        read_name(match->text, name);
    if (!dht_bencode_string(&match->cursor, &string))
        mismatch(match, "no string");
    if (!named || text_take(match->text, "<")) {
        int64_t len = text_int(match->text);
        if (!text_take(match->text, ">"))
            text_fail(match->text, "'>' is missing");
        if ((size_t)len != string.len)
            mismatch(match, "string of another length");
    }
    if (named)
        text_set(match->text, name, string.data, string.len);
}

static void match_int(struct match *match)
{
    int64_t number;
    int64_t wanted = text_int(match->text);
    if (!dht_bencode_int(&match->cursor, &number) || number != wanted)
        mismatch(match, "another number");
}

static void match_string(struct match *match)
{
    struct text_bytes wanted;
    struct dht_span string;
    text_string(match->text, &wanted);
    if (!dht_bencode_string(&match->cursor, &string) || string.len != wanted.len ||
        memcmp(string.data, wanted.bytes, wanted.len) != 0)
        mismatch(match, "another string");
}

static void match_raw(struct match *match)
{
    struct text_bytes wanted;
    struct dht_span raw;
    text_string(match->text, &wanted);
    if (!dht_bencode_skip(&match->cursor, &raw) || raw.len != wanted.len ||
        memcmp(raw.data, wanted.bytes, wanted.len) != 0)
        mismatch(match, "another value");
}

static void match_value(struct match *match)
{
    struct text *text = match->text;
    struct dht_span raw;
    if (text_take(text, "{")) {
        match_dict(match);
    } else if (text_take(text, "[")) {
        if (!dht_bencode_list(&match->cursor))
            mismatch(match, "no list");
        while (!text_take(text, "]"))
            match_value(match);
        if (!dht_bencode_close(&match->cursor))
            mismatch(match, "a longer list");
    } else if (text_take(text, "*")) {
        if (!dht_bencode_skip(&match->cursor, &raw))
            mismatch(match, "no value");
    } else if (text_take(text, "?")) {
        match_capture(match, true);
    } else if (text_take(text, "<")) {
        match_capture(match, false);
    } else if (text_take(text, "raw")) {
        match_raw(match);
    } else if (!text_at_end(text) && (*text->at == '-' || isdigit((unsigned char)*text->at))) {
        match_int(match);
    } else {
        match_string(match);
    }
}

bool text_match(struct text *text, struct dht_span value, char ret_reason[160])
{
    struct match match = {text, dht_bencode_cursor(value), ret_reason, true};
    match_value(&match);
    if (match.good && match.cursor.at != match.cursor.end)
        mismatch(&match, "bytes are left over");
    return match.good;
}

void text_print(struct dht_span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (isprint(bytes.data[i]) && bytes.data[i] != '\\')
            fputc(bytes.data[i], stderr);
        else
            fprintf(stderr, "\\x%02x", bytes.data[i]);
    }
}
