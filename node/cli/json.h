// SPDX-License-Identifier: MIT
#ifndef PNR_CLI_JSON_H
#define PNR_CLI_JSON_H

// JSON objects on stdout, one a line, as docs/json.md has them. What is not known is left out. A
// lack of memory ends the program with code 1.

#include "node/cli/output.h"

#include <jansson.h>

// The version of docs/json.md, in the first field of every object.
#define CLI_JSON_SCHEMA 1

// A new object with the fields that all have: "schema" and "type".
json_t *cli_json_object(const char *type);
// One that stands inside another, and an array; append takes value.
json_t *cli_json_part(void);
json_t *cli_json_array(void);
void cli_json_append(json_t *array, json_t *value);
// Sets fields. text may be broken UTF-8, which is repaired.
void cli_json_text(json_t *object, const char *key, const char *text);
void cli_json_int(json_t *object, const char *key, int64_t value);
void cli_json_bool(json_t *object, const char *key, bool value);
void cli_json_ms(json_t *object, const char *key, int64_t us); // left out where us < 0
void cli_json_hex(json_t *object, const char *key, const uint8_t *data, size_t len); // likewise: 0
void cli_json_value(json_t *object, const char *key, json_t *value);                 // takes value
// "endpoints", and "comment" or "comment_hex".
void cli_json_endpoints(json_t *object, const struct pnr_endpoint *endpoints, size_t count);
void cli_json_comment(json_t *object, const uint8_t *comment, size_t len);
// An object of counters by their names.
void cli_json_counters(json_t *object, const char *key, struct pnr_fields counters);
// Prints the object on a line and frees it.
void cli_json_print(json_t *object, const struct cli_output *output);

#endif
