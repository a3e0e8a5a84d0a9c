// SPDX-License-Identifier: MIT
#include "node/control/address.h"

#include <stdio.h>

enum control_address_type control_address_bare_type(void)
{
    return CONTROL_ADDRESS_TCP;
}

bool control_address_standard(const struct control_address_places *places,
                              struct control_address *ret_address)
{
    char path[CONTROL_ADDRESS_PATH_MAX];
    if (!control_address_is_told(places->data_dir)) {
        return false;
    }
    int len = snprintf(path, sizeof path, "%s\\pnr\\control.rendezvous", places->data_dir);
    return len > 0 && (size_t)len < sizeof path &&
           control_address_set(ret_address, CONTROL_ADDRESS_TCP, path);
}

bool control_address_find(const struct control_address_places *places,
                          struct control_address *address)
{
    struct control_address standard;
    uint16_t port = address->port;
    if (port == 0 || address->path[0] != '\0') {
        return true;
    }
    if (!control_address_standard(places, &standard)) {
        return false;
    }
    *address = standard;
    address->port = port;
    return true;
}
