// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_FOREIGN_H
#define PNR_CORE_FOREIGN_H

// What other software's resource records under a key resolve to: docs/record.md, section 6. Only
// records of class IN whose owner is the apex count: A and AAAA, and SVCB and HTTPS in ServiceMode
// that mean the apex itself.

#include "node/core/record.h"

// Reads the endpoints out of msg, a DNS message whose answers are all foreign: at most
// CORE_RECORD_ENDPOINTS_MAX, in the order in which they should be tried, none twice.
// ret_endpoints has room for as many. Returns how many; ret_cut tells whether there were more. A
// message that is malformed gives what stands before the place where it is.
uint32_t core_foreign_endpoints(struct dht_span msg, const struct core_dns_name *apex,
                                struct core_record_endpoint *ret_endpoints, bool *ret_cut);

// Whether an A or AAAA record at the apex tells this address; its port is not looked at.
bool core_foreign_has_addr(struct dht_span msg, const struct core_dns_name *apex,
                           const struct dht_addr *addr);

// Reads rr as an address: A or AAAA, class IN, owner apex. Its port is 0. False where it is none.
bool core_foreign_addr(const struct core_dns_rr *rr, const struct core_dns_name *apex,
                       struct dht_addr *ret_addr);

#endif
