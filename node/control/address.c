// SPDX-License-Identifier: MIT
#include "node/control/address.h"

#include <stdio.h>
#include <string.h>

bool control_address_set(struct control_address *address, enum control_address_type type,
                         const char *path)
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

// Whether text ends in a colon and digits, and could not be a path but of this folder.
static bool has_port(const char *text)
{
    const char *colon = strrchr(text, ':');
    return colon != NULL && colon[1] != '\0' && strpbrk(text, "/\\") == NULL &&
           colon[1 + strspn(colon + 1, "0123456789")] == '\0';
}

static bool set_port(struct control_address *address, const char *text)
{
    const char *digits = strrchr(text, ':') + 1;
    size_t len = (size_t)(digits - 1 - text);
    unsigned long port = 0;
    for (const char *digit = digits; *digit != '\0' && port <= UINT16_MAX; digit++) {
        port = port * 10 + (unsigned long)(*digit - '0');
    }
    bool is_loopback = (len == 9 && memcmp(text, "127.0.0.1", len) == 0) ||
                       (len == 9 && memcmp(text, "localhost", len) == 0);
    if (!is_loopback || port == 0 || port > UINT16_MAX) {
        return false;
    }
    memset(address, 0, sizeof *address);
    address->type = CONTROL_ADDRESS_TCP;
    address->port = (uint16_t)port;
    return true;
}

bool control_address_parse(const char *text, struct control_address *ret_address)
{
    if (strncmp(text, "unix:", 5) == 0) {
        return control_address_set(ret_address, CONTROL_ADDRESS_UNIX, text + 5);
    }
    if (strncmp(text, "tcp:", 4) == 0 && has_port(text + 4)) {
        return set_port(ret_address, text + 4);
    }
    if (strncmp(text, "tcp:", 4) == 0) {
        return control_address_set(ret_address, CONTROL_ADDRESS_TCP, text + 4);
    }
    return control_address_set(ret_address, control_address_bare_type(), text);
}

bool control_address_put(struct control_address *address, const char *folder)
{
    char path[CONTROL_ADDRESS_PATH_MAX];
    uint16_t port = address->port;
    if (port == 0) {
        return true;
    }
    int len = snprintf(path, sizeof path, "%s/" CONTROL_ADDRESS_FILE, folder);
    if (len < 0 || (size_t)len >= sizeof path ||
        !control_address_set(address, CONTROL_ADDRESS_TCP, path)) {
        return false;
    }
    address->port = port;
    return true;
}

bool control_address_resolve(const struct control_address *address,
                             struct control_address *ret_address)
{
    char path[CONTROL_ADDRESS_PATH_MAX + sizeof CONTROL_ADDRESS_RESOLVE_SUFFIX];
    uint16_t port = address->port;
    snprintf(path, sizeof path, "%s" CONTROL_ADDRESS_RESOLVE_SUFFIX, address->path);
    if (!control_address_set(ret_address, address->type, path)) {
        return false;
    }
    ret_address->port = port;
    return true;
}

bool control_address_is_told(const char *value)
{
    return value != NULL && value[0] != '\0';
}

bool control_address_default(const struct control_address_places *places,
                             struct control_address *ret_address)
{
    if (control_address_is_told(places->pnr_control)) {
        return control_address_parse(places->pnr_control, ret_address);
    }
    return control_address_standard(places, ret_address);
}
