// SPDX-License-Identifier: MIT
#include "nsp/code.h"

#include "pnr/winsock.h"

int nsp_code_of_error(enum pnr_error error)
{
    switch (error) {
    case PNR_ERROR_USAGE:
        return WSAEINVAL;
    case PNR_ERROR_REFUSED:
        return WSAEACCES;
    case PNR_ERROR_FULL:
        return WSA_PNRP_TOO_MUCH_LOAD;
    case PNR_ERROR_MEMORY:
        return WSA_NOT_ENOUGH_MEMORY;
    default:
        return WSAENETDOWN;
    }
}

int nsp_code_of_loss(enum nsp_link_loss loss)
{
    switch (loss) {
    case NSP_LINK_UNREACHED:
        return WSASYSNOTREADY;
    case NSP_LINK_MEMORY:
        return WSA_NOT_ENOUGH_MEMORY;
    default:
        return WSAENETDOWN;
    }
}
