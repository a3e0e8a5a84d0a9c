// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_RESULT_H
#define PNR_NSP_RESULT_H

// One result as it waits for Next: a copy of what an event of libpnr said, in the shape in which
// Winsock wants it, and of nobody's memory but its own: one block, given back as a whole.
//
// Of a name, a result is one publisher. It has no name: that is the query's, in the spelling in
// which it was asked for. Of clouds, a result is one cloud.
//
// Whoever holds a result may change its output_flags and next; all else stays as it is. So the last
// copy of a publisher that is gone can be handed out once more, as RESULT_IS_DELETED, and says what
// he had said: the daemon tells only that he is gone.

#include "nsp/memory.h"
#include "nsp/query.h"
#include "pnr/client.h"
#include "pnr/clouds.h"
#include "pnr/winsock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// An address of a publisher, ready to be copied out.
struct nsp_result_endpoint {
    union {
        SOCKADDR_IN ipv4;
        SOCKADDR_IN6 ipv6;
    } address;
    INT address_len; // bytes: that of SOCKADDR_IN or SOCKADDR_IN6
    INT protocol;    // IP protocol number, IPPROTO_TCP or other; 0: not said
    INT type;        // SOCK_STREAM for TCP, SOCK_DGRAM for UDP; else 0
};

struct nsp_result {
    struct nsp_result *next; // of the queue that holds it
    DWORD output_flags;      // 0, or RESULT_IS_ADDED, RESULT_IS_CHANGED or RESULT_IS_DELETED
    WCHAR *cloud;            // of clouds: its name; of names: where it was found; never NULL
    size_t cloud_units;      // without the NUL behind it

    // Of names.
    WCHAR *comment;                        // raw units with a NUL behind them; NULL: none
    size_t comment_units;                  // without that NUL; NULs among them count
    struct nsp_result_endpoint *endpoints; // in the publisher's order
    size_t endpoint_count;                 // at most PNR_ENDPOINTS_MAX
    uint8_t *payload;                      // with two zero bytes behind it; NULL: none
    size_t payload_len;                    // bytes, without those two; even of a string
    PNRP_EXTENDED_PAYLOAD_TYPE payload_type;
    struct pnr_known known; // publisher and mark, for pnr_watch()

    // Of clouds.
    PNRPCLOUDINFO cloud_info;
};

// Copies a publisher; its output_flags are 0. Where the daemon does not say which cloud it was
// found in, since it has but Global_, that is the one that was asked for, or Global_. Returns 0;
// WSA_NOT_ENOUGH_MEMORY; WSANO_RECOVERY: the cloud's name is no UTF-8, which no daemon sends.
int nsp_result_copy(const struct pnr_result *from, const struct nsp_query *query,
                    const struct nsp_memory *memory, struct nsp_result **ret_result);

// Copies a cloud; what has happened to it becomes its output_flags. Its address family is AF_INET
// where it has IPv4 alone and AF_INET6 in all other cases, as programs expect. Every cloud but
// Global_ is called so by this machine alone (PNRP_CLOUD_NAME_LOCAL), and every one that is not
// disabled is taken part in (PNRP_CLOUD_FULL_PARTICIPANT). Errors as of nsp_result_copy().
int nsp_result_copy_cloud(const struct pnr_cloud_info *from, const struct nsp_memory *memory,
                          struct nsp_result **ret_result);

// Gives it back. NULL is no error.
void nsp_result_drop(struct nsp_result *result, const struct nsp_memory *memory);

#endif
