// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_CODE_H
#define PNR_NSP_CODE_H

// What the daemon's errors are to a Winsock program, where nothing more is known of them than their
// code. Whoever made the request knows what "not found" or "refused" means of it, and says that
// first (docs/nsp-errors.md).

#include "nsp/link.h"
#include "pnr/client.h"

// WSAEINVAL of PNR_ERROR_USAGE: the daemon does not know the request, as one of another version;
// WSAEACCES of PNR_ERROR_REFUSED; WSA_PNRP_TOO_MUCH_LOAD of PNR_ERROR_FULL; WSA_NOT_ENOUGH_MEMORY
// of PNR_ERROR_MEMORY; WSAENETDOWN of all others: the daemon does not do what it is there for.
int nsp_code_of_error(enum pnr_error error);

// WSASYSNOTREADY: there is no daemon; WSAENETDOWN: it went away; WSA_NOT_ENOUGH_MEMORY.
int nsp_code_of_loss(enum nsp_link_loss loss);

#endif
