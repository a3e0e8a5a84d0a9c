// SPDX-License-Identifier: MIT
#include "node/cli/result.h"

#include <stdlib.h>

const char *cli_result_source(enum pnr_source source)
{
    static const char *const words[] = {
        [PNR_SOURCE_CACHE] = "cache", [PNR_SOURCE_DHT] = "dht", [PNR_SOURCE_LOCAL] = "local"};
    return words[source];
}

char *cli_result_payload_text(const struct pnr_result *result, size_t *ret_len)
{
    size_t room = result->payload_len / 2 * 3 + 1;
    char *text = cli_output_alloc(room);
    if (result->payload_type == PNR_PAYLOAD_STRING &&
        cli_text_from_utf16(result->payload, result->payload_len, text, room, ret_len)) {
        return text;
    }
    free(text);
    return NULL;
}

static void payload_json(json_t *object, const struct pnr_result *result)
{
    size_t len;
    if (result->payload_type == PNR_PAYLOAD_NONE) {
        return;
    }
    cli_json_text(object, "payload_type",
                  result->payload_type == PNR_PAYLOAD_STRING ? "string" : "binary");
    char *text = cli_result_payload_text(result, &len);
    if (text != NULL) {
        cli_json_value(object, "payload_text", json_stringn(text, len));
    } else {
        text = cli_output_alloc((result->payload_len + 2) / 3 * 4 + 1);
        cli_json_text(object, "payload_base64",
                      cli_text_base64(result->payload, result->payload_len, text));
    }
    free(text);
}

void cli_result_cloud_json(json_t *object, const struct pnr_result *result)
{
    if (result->cloud[0] != '\0') {
        cli_json_text(object, "cloud", result->cloud);
    }
}

void cli_result_json(json_t *object, const struct pnr_result *result)
{
    cli_json_text(object, "name", result->name);
    cli_json_text(object, "authority", result->authority);
    cli_json_text(object, "classifier", result->classifier);
    cli_json_endpoints(object, result->endpoints, result->endpoint_count);
    cli_json_comment(object, result->comment, result->comment_len);
    payload_json(object, result);
    cli_json_hex(object, "machine", result->machine, result->machine_len);
    cli_json_hex(object, "publisher", result->publisher, result->publisher_len);
    cli_json_hex(object, "mark", result->mark, result->mark_len);
    if (result->seq >= 0) {
        cli_json_int(object, "seq", result->seq);
    }
    cli_json_int(object, "ttl_s", result->ttl_s);
    cli_result_cloud_json(object, result);
}
