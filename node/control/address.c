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
        return set(ret_address, CONTROL_ADDRESS_UNIX, text + 5);
    }
    if (strncmp(text, "tcp:", 4) == 0 && has_port(text + 4)) {
        return set_port(ret_address, text + 4);
    }
    if (strncmp(text, "tcp:", 4) == 0) {
        return set(ret_address, CONTROL_ADDRESS_TCP, text + 4);
    }
    return set(ret_address, BARE_TYPE, text);
}

bool control_address_put(struct control_address *address, const char *folder)
{
    char path[CONTROL_ADDRESS_PATH_MAX];
    uint16_t port = address->port;
    if (port == 0) {
        return true;
    }
    int len = snprintf(path, sizeof path, "%s/" CONTROL_ADDRESS_FILE, folder);
    if (len < 0 || (size_t)len >= sizeof path || !set(address, CONTROL_ADDRESS_TCP, path)) {
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
    if (!set(ret_address, address->type, path)) {
        return false;
    }
    ret_address->port = port;
    return true;
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

bool control_address_find(const struct control_address_places *places,
                          struct control_address *address)
{
    struct control_address standard;
    uint16_t port = address->port;
    if (port == 0 || address->path[0] != '\0') {
        return true;
    }
    if (!set_default(places, &standard)) {
        return false;
    }
    *address = standard;
    address->port = port;
    return true;
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

bool control_address_find(const struct control_address_places *places,
                          struct control_address *address)
{
    char folder[CONTROL_ADDRESS_PATH_MAX];
    struct control_address own = *address;
    if (address->port == 0 || address->path[0] != '\0') {
        return true;
    }
    if (is_set(places->runtime_dir)) {
        int len = snprintf(folder, sizeof folder, "%s/pnr", places->runtime_dir);
        if (len > 0 && (size_t)len < sizeof folder && control_address_put(&own, folder) &&
            exists(places, &own)) {
            *address = own;
            return true;
        }
    }
    return control_address_put(address, "/run/pnr");
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
