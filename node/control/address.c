// SPDX-License-Identifier: MIT
#include "node/control/address.h"

#include <stdio.h>
#include <string.h>

#ifdef _WIN32
#define BARE_TYPE CONTROL_ADDRESS_TCP
#else
#define BARE_TYPE CONTROL_ADDRESS_UNIX
#endif

static bool set(struct control_address *address, enum control_address_type type, const char *path)
{
    size_t len = strlen(path);
    size_t max = type == CONTROL_ADDRESS_UNIX ? CONTROL_ADDRESS_UNIX_MAX : CONTROL_ADDRESS_PATH_MAX;
    if (len == 0 || len >= max) {
        return false;
    }
    memset(address, 0, sizeof *address);
    address->type = type;
    memcpy(address->path, path, len);
    return true;
}

bool control_address_parse(const char *text, struct control_address *ret_address)
{
    if (strncmp(text, "unix:", 5) == 0) {
        return set(ret_address, CONTROL_ADDRESS_UNIX, text + 5);
    }
    if (strncmp(text, "tcp:", 4) == 0) {
        return set(ret_address, CONTROL_ADDRESS_TCP, text + 4);
    }
    return set(ret_address, BARE_TYPE, text);
}

bool control_address_resolve(const struct control_address *address,
                             struct control_address *ret_address)
{
    char path[CONTROL_ADDRESS_PATH_MAX + sizeof CONTROL_ADDRESS_RESOLVE_SUFFIX];
    snprintf(path, sizeof path, "%s" CONTROL_ADDRESS_RESOLVE_SUFFIX, address->path);
    return set(ret_address, address->type, path);
}

static bool is_set(const char *value)
{
    return value != NULL && value[0] != '\0';
}

#ifdef _WIN32

static bool set_default(const struct control_address_places *places,
                        struct control_address *ret_address)
{
    char path[CONTROL_ADDRESS_PATH_MAX];
    if (!is_set(places->data_dir)) {
        return false;
    }
    int len = snprintf(path, sizeof path, "%s\\pnr\\control.rendezvous", places->data_dir);
    return len > 0 && (size_t)len < sizeof path && set(ret_address, CONTROL_ADDRESS_TCP, path);
}

#else

static bool exists(const struct control_address_places *places,
                   const struct control_address *address)
{
    struct control_address beside;
    return places->exists(places->ctx, address->path) ||
           (control_address_resolve(address, &beside) && places->exists(places->ctx, beside.path));
}

static bool set_default(const struct control_address_places *places,
                        struct control_address *ret_address)
{
    char path[CONTROL_ADDRESS_PATH_MAX];
    struct control_address own;
    if (is_set(places->runtime_dir)) {
        int len = snprintf(path, sizeof path, "%s/pnr/control.sock", places->runtime_dir);
        if (len > 0 && (size_t)len < sizeof path && set(&own, CONTROL_ADDRESS_UNIX, path) &&
            exists(places, &own)) {
            *ret_address = own;
            return true;
        }
    }
    return set(ret_address, CONTROL_ADDRESS_UNIX, "/run/pnr/control.sock");
}

#endif

bool control_address_default(const struct control_address_places *places,
                             struct control_address *ret_address)
{
    if (is_set(places->pnr_control)) {
        return control_address_parse(places->pnr_control, ret_address);
    }
    return set_default(places, ret_address);
}
