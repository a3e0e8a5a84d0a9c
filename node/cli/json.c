// SPDX-License-Identifier: MIT
#include "node/cli/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// jansson tells a lack of memory by NULL and by -1, which these two turn into the program's end.
static json_t *need(json_t *value)
{
    if (value == NULL) {
        fputs("pnr: out of memory\n", stderr);
        exit(1);
    }
    return value;
}

void cli_json_value(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, need(value)) != 0) {
        need(NULL);
    }
}

json_t *cli_json_part(void)
{
    return need(json_object());
}

json_t *cli_json_array(void)
{
    return need(json_array());
}

void cli_json_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, need(value)) != 0) {
        need(NULL);
    }
}

static json_t *text_value(const char *text, size_t len)
{
    char *repaired = cli_output_alloc(3 * len + 1);
    size_t repaired_len = cli_text_repair(text, len, repaired);
    json_t *value = need(json_stringn(repaired, repaired_len));
    free(repaired);
    return value;
}

json_t *cli_json_object(const char *type)
{
    json_t *object = cli_json_part();
    cli_json_int(object, "schema", CLI_JSON_SCHEMA);
    cli_json_text(object, "type", type);
    return object;
}

void cli_json_text(json_t *object, const char *key, const char *text)
{
    cli_json_value(object, key, text_value(text, strlen(text)));
}

void cli_json_int(json_t *object, const char *key, int64_t value)
{
    cli_json_value(object, key, json_integer(value));
}

void cli_json_bool(json_t *object, const char *key, bool value)
{
    cli_json_value(object, key, json_boolean(value));
}

void cli_json_ms(json_t *object, const char *key, int64_t us)
{
    if (us >= 0) {
        cli_json_value(object, key, json_real((double)us / 1000));
    }
}

void cli_json_hex(json_t *object, const char *key, const uint8_t *data, size_t len)
{
    if (len > 0) {
        char *hex = cli_output_alloc(2 * len + 1);
        cli_json_value(object, key, json_string(cli_text_hex(data, len, hex)));
        free(hex);
    }
}

void cli_json_endpoints(json_t *object, const struct pnr_endpoint *endpoints, size_t count)
{
    json_t *array = cli_json_array();
    for (size_t i = 0; i < count; i++) {
        struct cli_text text;
        json_t *endpoint = cli_json_part();
        cli_json_text(endpoint, "address", cli_text_address(&endpoints[i], &text));
        cli_json_int(endpoint, "port", endpoints[i].port);
        cli_json_text(endpoint, "protocol", cli_text_protocol(endpoints[i].proto, &text));
        if (endpoints[i].scope_id != 0) {
            cli_json_int(endpoint, "scope_id", endpoints[i].scope_id);
        }
        cli_json_append(array, endpoint);
    }
    cli_json_value(object, "endpoints", array);
}

void cli_json_comment(json_t *object, const uint8_t *comment, size_t len)
{
    char text[PNR_COMMENT_MAX / 2 * 3 + 1];
    size_t text_len;
    if (len == 0) {
        return;
    }
    if (cli_text_from_utf16(comment, len, text, sizeof text, &text_len)) {
        cli_json_value(object, "comment", json_stringn(text, text_len));
    } else {
        cli_json_hex(object, "comment_hex", comment, len);
    }
}

void cli_json_counters(json_t *object, const char *key, struct pnr_fields counters)
{
    struct pnr_counter counter;
    json_t *values = cli_json_part();
    for (size_t i = 0; pnr_read_counter(counters, i, &counter); i++) {
        char name[3 * PNR_WORD_MAX + 1];
        cli_text_repair(counter.name, strlen(counter.name), name);
        cli_json_int(values, name, counter.value);
    }
    cli_json_value(object, key, values);
}

void cli_json_print(json_t *object, const struct cli_output *output)
{
    // On a terminal nothing but ASCII, for the names and comments in it are written by strangers.
    size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(15);
    flags |= output->out_is_terminal ? JSON_ENSURE_ASCII : 0;
    json_dumpf(object, stdout, flags);
    putchar('\n');
    fflush(stdout); // whoever reads along sees each result when it is there
    json_decref(object);
}
