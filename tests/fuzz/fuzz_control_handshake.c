// SPDX-License-Identifier: MIT
// Both sides of the handshake, over both kinds of socket, told anything at all. The first byte says
// which. A side that has to be shown a proof never ends up content: the secret is not to be
// guessed.
#include "node/control/handshake.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_rendezvous rendezvous = {.port = 1, .access = CONTROL_ACCESS_CONTROL};
    struct control_handshake handshake;
    struct dht_span out;
    if (size == 0) {
        return 0;
    }
    bool over_tcp = (data[0] & 1) != 0;
    memset(rendezvous.secret, 0x5a, sizeof rendezvous.secret);
    if ((data[0] & 2) != 0) {
        struct control_handshake_client client = {.rendezvous = over_tcp ? &rendezvous : NULL};
        control_handshake_start_client(&handshake, &client, &out);
    } else {
        struct control_handshake_server server = {.node_count = 3,
                                                  .granted = over_tcp ? CONTROL_ACCESS_NONE
                                                                      : CONTROL_ACCESS_RESOLVE,
                                                  .control_secret = rendezvous.secret,
                                                  .resolve_secret = rendezvous.secret};
        control_handshake_start_server(&handshake, &server);
    }
    struct dht_span bytes = {data + 1, size - 1};
    enum control_handshake_state state = handshake.state;
    while (bytes.len > 0 && state != CONTROL_HANDSHAKE_DONE && state != CONTROL_HANDSHAKE_FAILED) {
        state = control_handshake_receive(&handshake, &bytes, &out);
    }
    if (over_tcp && state == CONTROL_HANDSHAKE_DONE) {
        abort();
    }
    return 0;
}
