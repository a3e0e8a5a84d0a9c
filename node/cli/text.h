// SPDX-License-Identifier: MIT
#ifndef PNR_CLI_TEXT_H
#define PNR_CLI_TEXT_H

// What people type and read, as values and back: UTF-16 text, endpoints, durations, labels. Pure,
// and nothing here allocates. Texts are UTF-8.

#include "pnr/client.h"

#define CLI_TEXT_LABEL_MAX         32  // characters of a key's label
#define CLI_TEXT_COMMENT_UNITS_MAX 39  // UTF-16 units of a comment
#define CLI_TEXT_WHY_MAX           160 // bytes of a sentence that says what is wrong, with its NUL

// A short text, so that the functions that write one can stand in printf's arguments.
struct cli_text {
    char text[64];
};

// ---- UTF-16 ----

// How many UTF-16 units len bytes of UTF-8 take; SIZE_MAX where it is not valid (RFC 3629).
size_t cli_text_utf16_units(const char *text, size_t len);

// Writes valid UTF-8 as UTF-16LE: two bytes for each of its units. Returns the bytes written.
size_t cli_text_to_utf16(const char *text, size_t len, uint8_t *ret_data);

// Reads UTF-16LE: at most 3 bytes of UTF-8 for each unit, and a NUL behind them. False where
// surrogates do not pair, len is odd, or buf is too small. ret_len is without that NUL; the text
// may hold NULs of its own.
bool cli_text_from_utf16(const uint8_t *data, size_t len, char *buf, size_t buf_len,
                         size_t *ret_len);

// Turns a comment as it is typed into its bytes. False where it is no UTF-8 or has more than 39
// units; ret_why then says so.
bool cli_text_comment(const char *text, uint8_t ret_data[PNR_COMMENT_MAX], size_t *ret_len,
                      char ret_why[CLI_TEXT_WHY_MAX]);

// ---- bytes ----

// Each writes a NUL behind its text and returns buf. Room: 2 * len + 1, and (len + 2) / 3 * 4 + 1.
const char *cli_text_hex(const uint8_t *data, size_t len, char *buf);
const char *cli_text_base64(const uint8_t *data, size_t len, char *buf); // RFC 4648, section 4

// Copies text so that it is safe on a terminal: whatever is not printable UTF-8 becomes \xNN, for
// names and comments are written by strangers. Cut, with an ellipsis, where buf is too small; buf
// has room for at least 8 bytes. Returns buf.
const char *cli_text_printable(const char *text, size_t len, char *buf, size_t buf_len);

// Copies text and puts U+FFFD in place of whatever is no UTF-8. Room: 3 * len + 1. Returns the
// length written.
size_t cli_text_repair(const char *text, size_t len, char *buf);

// How many columns a text takes: one for each code point.
size_t cli_text_columns(const char *text);

// ---- names ----

// A key's label: [a-z0-9-]{1,32}, and not "0", which stands for nobody's names. False: ret_why says
// what is wrong.
bool cli_text_check_label(const char *label, char ret_why[CLI_TEXT_WHY_MAX]);

// Whether a name that is to be published can be one: 0.CLASSIFIER, or a label or a key before the
// first dot. The daemon judges the rest of it.
bool cli_text_check_name(const char *name, char ret_why[CLI_TEXT_WHY_MAX]);

// A name with its key cut to "tbaj5h…1o9y", for tables and trailers. buf has room for
// PNR_NAME_MAX bytes. Returns buf.
const char *cli_text_short_name(const char *name, char *buf);

// ---- endpoints ----

// Room for "254:[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535".
#define CLI_TEXT_ENDPOINT_MAX 64

// Reads "tcp:192.0.2.7:443", "udp:[2001:db8::1]:53", "132:192.0.2.7:9"; without a protocol it is
// TCP, and "any" is protocol 0. False: ret_why says what is wrong.
bool cli_text_parse_endpoint(const char *text, struct pnr_endpoint *ret_endpoint,
                             char ret_why[CLI_TEXT_WHY_MAX]);

// Reads an address alone. Returns its length, 4 or 16; 0 where it is none.
size_t cli_text_parse_ip(const char *text, uint8_t ret_ip[16]);

// The same as text, always with its protocol, so that it can be read again, but for the scope of a
// link-local address, "tcp:[fe80::1%3]:443": that means something on this machine alone.
const char *cli_text_endpoint(const struct pnr_endpoint *endpoint, struct cli_text *ret_text);

// "tcp", "udp", "sctp", "dccp", "any", or a number.
const char *cli_text_protocol(uint8_t proto, struct cli_text *ret_text);
// The address alone, without brackets.
const char *cli_text_address(const struct pnr_endpoint *endpoint, struct cli_text *ret_text);

// ---- durations ----

// Reads "30", "1.5", "500ms", "10s", "2m", "1h", "1d"; a bare number is seconds. False where it is
// something else, is below 1 ms or does not fit.
bool cli_text_parse_duration(const char *text, uint32_t *ret_ms);

// "143 ms", "1.2 s", "47 min", "3 h 12 min", "2 d 4 h".
const char *cli_text_duration(int64_t us, struct cli_text *ret_text);
// The same of whole seconds, of which none is "0 s".
const char *cli_text_seconds(int64_t s, struct cli_text *ret_text);

// Reads a decimal number from min to max, digits alone.
bool cli_text_parse_number(const char *text, uint32_t min, uint32_t max, uint32_t *ret_number);

// "4", "12.4 k", "9.8 M": a number rounded for people.
const char *cli_text_count(int64_t count, struct cli_text *ret_text);

#endif
