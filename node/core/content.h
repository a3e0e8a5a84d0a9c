// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_CONTENT_H
#define PNR_CORE_CONTENT_H

// What a client asks to publish: endpoints, comment, payload, TTL, as the arguments of `publish`
// and `register` have them.

#include "node/core/publication.h"

// Reads it into *content, which is all zero. Returns what is wrong with it, or NULL; ret_code is
// written with it: REFUSED for more than 10 endpoints, otherwise USAGE. The payload is the caller's
// to free in both cases.
const char *core_content_read(struct dht_span arguments, struct core_publication_content *content,
                              enum control_error *ret_code);

#endif
