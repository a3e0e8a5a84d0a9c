// SPDX-License-Identifier: MIT
#include "node/control/address.h"

#include <stdio.h>

enum control_address_type control_address_bare_type(void)
{
    return CONTROL_ADDRESS_UNIX;
}

static bool exists(const struct control_address_places *places,
                   const struct control_address *address)
{
    struct control_address beside;
    return places->exists(places->ctx, address->path) ||
           (control_address_resolve(address, &beside) && places->exists(places->ctx, beside.path));
}

bool control_address_standard(const struct control_address_places *places,
                              struct control_address *ret_address)
{
    char path[CONTROL_ADDRESS_PATH_MAX];
    struct control_address own;
    if (control_address_is_told(places->runtime_dir)) {
        int len = snprintf(path, sizeof path, "%s/pnr/control.sock", places->runtime_dir);
        if (len > 0 && (size_t)len < sizeof path &&
            control_address_set(&own, CONTROL_ADDRESS_UNIX, path) && exists(places, &own)) {
            *ret_address = own;
            return true;
        }
    }
    return control_address_set(ret_address, CONTROL_ADDRESS_UNIX, "/run/pnr/control.sock");
}

bool control_address_find(const struct control_address_places *places,
                          struct control_address *address)
{
    char folder[CONTROL_ADDRESS_PATH_MAX];
    struct control_address own = *address;
    if (address->port == 0 || address->path[0] != '\0') {
        return true;
    }
    if (control_address_is_told(places->runtime_dir)) {
        int len = snprintf(folder, sizeof folder, "%s/pnr", places->runtime_dir);
        if (len > 0 && (size_t)len < sizeof folder && control_address_put(&own, folder) &&
            exists(places, &own)) {
            *address = own;
            return true;
        }
    }
    return control_address_put(address, "/run/pnr");
}
