// SPDX-License-Identifier: MIT
#ifndef PNR_CLI_RESULT_H
#define PNR_CLI_RESULT_H

// Results of a name, as `resolve` and `watch` print them.

#include "node/cli/json.h"

// "cache", "dht" or "local".
const char *cli_result_source(enum pnr_source source);

// The payload's text, from malloc(); NULL where it is not text.
char *cli_result_payload_text(const struct pnr_result *result, size_t *ret_len);

// Sets the fields of docs/json.md that say what the result is: from "name" to "ttl_s", and "cloud".
void cli_result_json(json_t *object, const struct pnr_result *result);
// Sets "cloud", where it is known.
void cli_result_cloud_json(json_t *object, const struct pnr_result *result);

#endif
