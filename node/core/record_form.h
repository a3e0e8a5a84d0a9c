// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_RECORD_FORM_H
#define PNR_CORE_RECORD_FORM_H

// What record.c, record_decode.c and record_encode.c share: the fixed parts of the form that
// docs/record.md describes, and the order in which a record keeps its endpoints. Nobody else needs
// it.

#include "node/core/record.h"

#define CORE_RECORD_MARK_LABEL    "_pnr" // where the mark stands, below the apex
#define CORE_RECORD_MARK_TEXT     "pnr1" // the mark's first string
#define CORE_RECORD_ENTRY_LEN     17     // machine id, 5 bytes of signed-until, 4 of lifetime
#define CORE_RECORD_CHUNK_MAX     254    // payload bytes in a string, behind its letter
#define CORE_RECORD_REFERENCE_LEN 2      // of the payload's length, before the targets
#define CORE_RECORD_PNR_LEN       2      // of our SvcParam: entry number and protocol

// The apex of key and the owner name of the mark.
void core_record_names(const uint8_t key[DHT_KEY_LEN], struct core_dns_name *ret_apex,
                       struct core_dns_name *ret_mark);

uint32_t core_record_clamp_ttl_s(uint32_t ttl_s); // to 300..86400 s

// Puts endpoint where it belongs, unless it is there already. False where there is no room.
bool core_record_insert_endpoint(struct core_record *record,
                                 const struct core_record_endpoint *endpoint);

// Where no entry is left: comment and payload go, and the foreign endpoints are the record's.
void core_record_fall_back(struct core_record *record);

#endif
