// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_NAME_H
#define PNR_NSP_NAME_H

// Names of peers and of clouds as Winsock programs write them. A peer's is `authority.classifier`,
// in UTF-16. The daemon has the last word (node/core/name.h); what it would refuse is refused here
// first, so that Begin can say so at once. PNRP's names ("0", or 40 hex digits) have at most 190
// units by these rules; those with a key as authority, which PNRP did not know, up to 205.

#include "pnr/client.h"
#include "pnr/winsock.h"

#include <stdbool.h>
#include <stddef.h>

#define NSP_NAME_CLASSIFIER_UNITS_MAX 149
#define NSP_NAME_UNITS_MAX            (3 + 52 + 1 + NSP_NAME_CLASSIFIER_UNITS_MAX) // "pk:", key, dot

// Whether these units are a peer name:
// - unsecured: "0", a dot and a classifier;
// - secured: 40 hex digits or a key of 52 z-base-32 characters, either with "pk:" before it or not,
//   or the label of a key, 1 to 32 of [a-z0-9-]; then a dot and a classifier, or neither, or a dot;
// - a classifier has at most 149 units, no NUL and no surrogate without its other half.
bool nsp_name_is_good(const WCHAR *name, size_t count);

// Copies a peer name that a program hands over, as units and as UTF-8, each with its NUL; both are
// undefined on errors. WSAEINVAL: there is none, or none that a peer can have; WSAEFAULT: it cannot
// be read.
int nsp_name_take(const WCHAR *text, WCHAR ret_units[NSP_NAME_UNITS_MAX + 1],
                  char ret_utf8[PNR_NAME_MAX]);

// The same of a cloud's name, which may be left out and is empty then.
// WSA_PNRP_CLOUD_NOT_FOUND: no cloud can be called so: too long, or no UTF-16; WSAEFAULT.
int nsp_name_take_cloud(const WCHAR *text, WCHAR ret_units[PNR_WORD_MAX],
                        char ret_utf8[PNR_WORD_MAX]);

#endif
