// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_OFFER_H
#define PNR_NSP_OFFER_H

// What a program registers: the WSAQUERYSETW of NSPSetService, with the PNRPINFO in it, read into a
// plain structure that has everything within itself. Nothing of the caller's is kept.
//
// Source of the rules: Microsoft's pages of NSPSetService and of registering with PNRP. Of a
// PNRPINFO, nMaxResolve, dwTimeout, criteria and state are for resolving and are not looked at;
// dwLifetime was how often PNRP renewed a name, which the daemon knows better; a hint chose the
// place of the name in PNRP's space of numbers, of which there is none here.

#include "pnr/client.h"
#include "pnr/winsock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSP_OFFER_COMMENT_UNITS_MAX 39 // without the NUL

struct nsp_offer {
    char name[PNR_NAME_MAX];   // UTF-8, as it was given
    char cloud[PNR_WORD_MAX];  // ""; wherever the daemon does
    bool is_secured;           // its authority is not "0"
    char label[PNR_LABEL_MAX]; // the identity: the label of a key; "": none, or one that is none
    struct pnr_endpoint endpoints[PNR_ENDPOINTS_MAX];
    size_t endpoint_count;
    uint8_t comment[PNR_COMMENT_MAX]; // raw UTF-16LE
    size_t comment_len;               // bytes
    uint8_t payload[PNR_PAYLOAD_MAX];
    size_t payload_len;
    enum pnr_payload payload_type;
};

// Reads what names an offer: enough for RNRSERVICE_DELETE. Returns 0, or
//
// WSASERVICE_NOT_FOUND  the class is not ours, or the provider or namespace is not the class's
// WSAEOPNOTSUPP         of clouds: none can be registered
// WSAEFAULT             something that is pointed to cannot be read
// WSA_PNRP_CLOUD_NOT_FOUND   no cloud can be called so: too long, or no UTF-16
// WSAEINVAL             no set, too small a dwSize, no class; no name, or one that is none
int nsp_offer_read_name(const WSAQUERYSETW *set, struct nsp_offer *ret_offer);

// Reads all of it. Returns as nsp_offer_read_name(), or
//
// WSAEINVAL   more than 10 addresses; one that is neither IPv4 nor IPv6, or not whole, or whose
//             protocol is none; a comment of more than 39 units; a blob that holds no PNRPINFO of
//             either version; unknown flags; a payload of an unknown type, or of more than 4096
//             bytes; neither an address nor a payload
// WSA_PNRP_INVALID_IDENTITY   a secured name without an identity, or with one that no key can have
//             as its label. Whether that key is the name's is the daemon's to say.
int nsp_offer_read(const WSAQUERYSETW *set, struct nsp_offer *ret_offer);

// Whether both are of the same name in the same cloud.
bool nsp_offer_is_of(const struct nsp_offer *a, const struct nsp_offer *b);

// Whether a key of these z-base-32 and 40-hex forms, held under this label, is the authority of a
// secured offer's name.
bool nsp_offer_is_signed_by(const struct nsp_offer *offer, const char *z32, const char *hex40,
                            const char *label);

#endif
