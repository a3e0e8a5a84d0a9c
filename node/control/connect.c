// SPDX-License-Identifier: MIT
#include "node/control/connect.h"

#include "node/control/secret.h"
#include "node/control/transport.h"

#include <stdio.h>
#include <string.h>

#define RETRY_US 20000 // after the listener's queue was full

void control_connect_break(struct pnr_client *client, enum pnr_error error, const char *why)
{
    char text[PNR_TEXT_MAX];
    snprintf(text, sizeof text, "%s: %s", client->places[client->place].path, why);
    control_client_break(client, error, text);
}

// ---- the places ----

// What there is where no address was told, or one that does not say where its file lies.
static bool find_place(const char *address, struct control_address *ret_address)
{
    char pnr_control[CONTROL_ADDRESS_PATH_MAX + 8];
    char runtime_dir[CONTROL_ADDRESS_PATH_MAX];
    char data_dir[CONTROL_ADDRESS_PATH_MAX];
    struct control_address_places places = {.exists = control_transport_exists};
    if (control_transport_environment("PNR_CONTROL", pnr_control, sizeof pnr_control)) {
        places.pnr_control = pnr_control;
    }
    if (control_transport_environment("XDG_RUNTIME_DIR", runtime_dir, sizeof runtime_dir)) {
        places.runtime_dir = runtime_dir;
    }
    if (control_transport_environment("ProgramData", data_dir, sizeof data_dir)) {
        places.data_dir = data_dir;
    }
    bool found = address == NULL ? control_address_default(&places, ret_address)
                                 : control_address_parse(address, ret_address);
    return found && control_address_find(&places, ret_address);
}

// The places to try, in their order. Returns how many there are; 0: address cannot be read.
static size_t find_places(const char *address, enum pnr_access access,
                          struct control_address ret_places[CONTROL_CLIENT_PLACES_MAX])
{
    struct control_address control, resolve;
    size_t count = 0;
    if (!find_place(address, &control)) {
        return 0;
    }
    bool has_resolve = control_address_resolve(&control, &resolve);
    if (access == PNR_ACCESS_RESOLVE && has_resolve) {
        ret_places[count++] = resolve;
    }
    ret_places[count++] = control;
    if (access == PNR_ACCESS_ANY && has_resolve) {
        ret_places[count++] = resolve;
    }
    return count;
}

bool control_connect_places(struct pnr_client *client, const char *address)
{
    client->place_count = find_places(address, client->access, client->places);
    return client->place_count > 0;
}

bool pnr_client_has_place(const struct pnr_options *options)
{
    struct control_address places[CONTROL_CLIENT_PLACES_MAX];
    const char *address = options == NULL ? NULL : options->address;
    enum pnr_access access = options == NULL ? PNR_ACCESS_ANY : options->access;
    size_t count = find_places(address, access, places);
    for (size_t i = 0; i < count; i++) {
        if (control_transport_exists(NULL, places[i].path)) {
            return true;
        }
    }
    return false;
}

// ---- one place ----

static void start_greeting(struct pnr_client *client, const struct control_rendezvous *rendezvous)
{
    struct control_handshake_client brought = {.node = client->node, .rendezvous = rendezvous};
    struct dht_span hello;
    if (rendezvous != NULL && !control_transport_random(brought.nonce, sizeof brought.nonce)) {
        control_client_break(client, PNR_ERROR_FAILED, "the system gives no random bytes");
        return;
    }
    control_handshake_start_client(&client->handshake, &brought, &hello);
    if (!control_outbuf_append(&client->greeting, hello.data, hello.len)) {
        control_client_break(client, PNR_ERROR_MEMORY, "");
    }
}

// Reads the rendezvous file of the place tried now.
static enum control_transport_state find_rendezvous(struct pnr_client *client,
                                                    struct control_rendezvous *ret_rendezvous)
{
    uint8_t text[CONTROL_RENDEZVOUS_LEN_MAX];
    size_t len = 0;
    unsigned mode = 0;
    enum control_transport_state state = control_transport_read_file(
        client->places[client->place].path, text, sizeof text, &len, &mode);
    if (state == CONTROL_TRANSPORT_DONE) {
        if (!control_rendezvous_parse((struct dht_span){text, len}, ret_rendezvous)) {
            control_connect_break(client, PNR_ERROR_PROTOCOL, "no rendezvous file");
        } else if (!control_rendezvous_trusted(ret_rendezvous->access, mode)) {
            control_connect_break(client, PNR_ERROR_REFUSED,
                                  "not trusted, others than its owner may write or read it");
        } else if (client->places[client->place].port != 0 &&
                   client->places[client->place].port != ret_rendezvous->port) {
            control_connect_break(client, PNR_ERROR_UNREACHABLE,
                                  "this daemon listens at another port");
        }
    }
    control_secret_wipe(text, sizeof text);
    return state;
}

// Tries the current place. The state is PENDING, BUSY or DONE where it goes on.
static enum control_transport_state try_place(struct pnr_client *client)
{
    const struct control_address *place = &client->places[client->place];
    struct control_rendezvous rendezvous;
    enum control_transport_state state;
    if (place->type == CONTROL_ADDRESS_UNIX) {
        state = control_transport_connect_unix(place->path, &client->socket);
        if (state == CONTROL_TRANSPORT_DONE || state == CONTROL_TRANSPORT_PENDING) {
            start_greeting(client, NULL);
        }
        return state;
    }
    memset(&rendezvous, 0, sizeof rendezvous);
    state = find_rendezvous(client, &rendezvous);
    if (state == CONTROL_TRANSPORT_DONE && client->state != CONTROL_CLIENT_BROKEN) {
        state = control_transport_connect_tcp(rendezvous.port, &client->socket);
        if (state == CONTROL_TRANSPORT_DONE || state == CONTROL_TRANSPORT_PENDING) {
            start_greeting(client, &rendezvous);
        }
    }
    control_secret_wipe(&rendezvous, sizeof rendezvous);
    return state;
}

// Takes note of how the current place fared, and goes to the next one where it is out.
static void settle_place(struct pnr_client *client, enum control_transport_state state)
{
    if (client->state == CONTROL_CLIENT_BROKEN) {
        return;
    }
    switch (state) {
    case CONTROL_TRANSPORT_DONE:
        client->state = CONTROL_CLIENT_GREETING;
        return;
    case CONTROL_TRANSPORT_PENDING:
        client->state = CONTROL_CLIENT_CONNECTING;
        return;
    case CONTROL_TRANSPORT_BUSY:
        client->state = CONTROL_CLIENT_BUSY;
        client->retry_us = control_transport_now_us() + RETRY_US;
        return;
    case CONTROL_TRANSPORT_DENIED:
        client->was_denied = true;
        break;
    case CONTROL_TRANSPORT_ABSENT:
    case CONTROL_TRANSPORT_FAILED:
        break;
    }
    control_transport_close(client->socket);
    client->socket = CONTROL_TRANSPORT_NONE;
    control_outbuf_wipe(&client->greeting);
    if (client->place + 1 < client->place_count) {
        client->place++;
        control_connect_start(client);
    } else if (client->was_denied) {
        client->place = 0;
        control_connect_break(client, PNR_ERROR_REFUSED, "not permitted");
    } else {
        client->place = 0;
        control_connect_break(client, PNR_ERROR_UNREACHABLE,
                              client->places[0].port == 0
                                  ? "no daemon listens there"
                                  : "no daemon listens there, or the file with its secret is "
                                    "elsewhere; remedy: tcp:FILE, as pnrd logs it");
    }
}

void control_connect_start(struct pnr_client *client)
{
    settle_place(client, try_place(client));
}

void control_connect_go_on(struct pnr_client *client)
{
    if (client->state == CONTROL_CLIENT_BUSY && client->retry_us <= control_transport_now_us()) {
        control_connect_start(client);
    } else if (client->state == CONTROL_CLIENT_CONNECTING) {
        settle_place(client, control_transport_connected(client->socket));
    }
}
