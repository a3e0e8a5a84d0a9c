// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_HANDSHAKE_H
#define PNR_CONTROL_HANDSHAKE_H

// How a connection begins: both sides name their version, the client the node it means, and over
// TCP each proves that it knows the secret of the rendezvous file. One pure state machine for both
// sides: bytes in, bytes out, no clock and no memory but its own; the caller bounds the time.
//
//   client: HELLO sent ----------------------> WELCOME ----> DONE         (Unix socket)
//   client: HELLO sent --> CHALLENGE, proven -> WELCOME ----> DONE         (TCP)
//   server: HELLO ---------------------------> DONE                       (Unix socket)
//   server: HELLO --> PROOF -----------------> DONE                       (TCP)
//
// Any state goes to FAILED. Then `error` and `text` say why, what there is to send is sent, and the
// connection is closed. The proofs are HMAC-SHA256, keyed with the secret, of the side's label, a
// zero byte, the client's nonce and the server's (docs/control.md).

#include "node/control/rendezvous.h"

#define CONTROL_NONCE_LEN         32
#define CONTROL_PROOF_LEN         32
#define CONTROL_HANDSHAKE_OUT_MAX 256 // bytes of the longest frame that a handshake writes

enum control_handshake_state {
    CONTROL_HANDSHAKE_HELLO,     // server: waits for the client's hello
    CONTROL_HANDSHAKE_CHALLENGE, // client: waits for the server's nonce and proof
    CONTROL_HANDSHAKE_PROOF,     // server: waits for the client's proof
    CONTROL_HANDSHAKE_WELCOME,   // client: waits for the level granted
    CONTROL_HANDSHAKE_DONE,
    CONTROL_HANDSHAKE_FAILED,
};

// What the client brings. rendezvous is NULL over a Unix socket; it and nonce are copied.
struct control_handshake_client {
    uint32_t node;
    const struct control_rendezvous *rendezvous;
    uint8_t nonce[CONTROL_NONCE_LEN]; // unguessable; not looked at over a Unix socket
};

// What the server brings. Over a Unix socket, `granted` is the socket's level. Over TCP it is
// CONTROL_ACCESS_NONE, and a level whose secret is NULL is refused; secrets are copied.
struct control_handshake_server {
    uint32_t node_count; // nodes of this process
    enum control_access granted;
    const uint8_t *control_secret; // CONTROL_SECRET_LEN bytes, or NULL
    const uint8_t *resolve_secret;
    uint8_t nonce[CONTROL_NONCE_LEN]; // unguessable; not looked at over a Unix socket
};

struct control_handshake {
    enum control_handshake_state state;
    // Valid in DONE.
    enum control_access access; // the level granted
    uint32_t node;              // the node meant
    uint32_t version;           // the protocol version spoken
    // Valid in FAILED.
    enum control_error error;
    char text[128]; // one sentence

    // This file's own.
    bool is_server;
    bool is_proven; // over TCP
    uint32_t node_count;
    bool has_secret[2]; // by level: resolve, control
    uint8_t secrets[2][CONTROL_SECRET_LEN];
    uint8_t client_nonce[CONTROL_NONCE_LEN];
    uint8_t server_nonce[CONTROL_NONCE_LEN];
    uint8_t in[CONTROL_HELLO_MAX]; // a frame that is not whole
    size_t in_len;
    uint8_t out[CONTROL_HANDSHAKE_OUT_MAX];
    size_t out_len;
};

// Begins the client's side; ret_out is its hello, to be sent, valid until the next call.
void control_handshake_start_client(struct control_handshake *handshake,
                                    const struct control_handshake_client *client,
                                    struct dht_span *ret_out);
// Begins the server's side, which waits.
void control_handshake_start_server(struct control_handshake *handshake,
                                    const struct control_handshake_server *server);

// Takes bytes off the front of inout_bytes, up to the end of one frame, and returns the state.
// ret_out is what has to be sent now, also after a failure; maybe empty; valid until the next call.
// Called as long as there are bytes and the state is neither DONE nor FAILED; the bytes that are
// left after DONE are the first of the requests or answers.
enum control_handshake_state control_handshake_receive(struct control_handshake *handshake,
                                                       struct dht_span *inout_bytes,
                                                       struct dht_span *ret_out);

// Wipes the secrets and nonces; DONE and FAILED have done it already.
void control_handshake_wipe(struct control_handshake *handshake);

#endif
